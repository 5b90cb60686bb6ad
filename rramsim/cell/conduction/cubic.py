"""Cells that conduct better at larger voltages, to first order."""

from typing import Literal

from rramsim.spec import Positive

from .law import KernelConductionSpec

__all__ = ["CubicConductionSpec"]


class CubicConductionSpec(KernelConductionSpec):
    """The cubic law: i = g (v + c v^3).

    Parameters
    ----------
    cubic_per_square_volt
        c of the cubic law, 1 / volt^2, above 0.
    most_volt, series_ohm
        As of :class:`ConductionSpec`.
    """

    law: Literal["cubic"] = "cubic"
    cubic_per_square_volt: Positive

    @property
    def formula(self) -> str:
        """The law in letters."""
        return "i = g (v + c v^3)"

    def figures(self, g_max_siemens: float) -> list[str]:  # noqa: ARG002
        """What c is."""
        return [f"c = {self.cubic_per_square_volt:.6g} / V^2"]

    def spice_current(self, across: str, siemens: float) -> str:
        """The current of a cell as an expression of ngspice."""
        return f"{siemens!r}*{across}*(1+{self.cubic_per_square_volt!r}*{across}*{across})"

    @property
    def curvature(self) -> float:
        """The figure c itself."""
        return self.cubic_per_square_volt
