"""Cells whose current grows exponentially with the voltage."""

from typing import Literal

from rramsim.spec import Positive
from rramsim.units import quantity

from .law import KernelConductionSpec

__all__ = ["SinhConductionSpec"]


class SinhConductionSpec(KernelConductionSpec):
    """The sinh law: i = g V0 sinh(v / V0).

    Parameters
    ----------
    sinh_volt
        V0 of the sinh law, volt, above 0: beyond that voltage the current grows exponentially.
    most_volt, series_ohm
        As of :class:`ConductionSpec`.
    """

    law: Literal["sinh"] = "sinh"
    sinh_volt: Positive

    @property
    def formula(self) -> str:
        """The law in letters."""
        return "i = g V0 sinh(v / V0)"

    def figures(self, g_max_siemens: float) -> list[str]:  # noqa: ARG002
        """What V0 is."""
        return [f"V0 = {quantity(self.sinh_volt, 'V')}"]

    def spice_current(self, across: str, siemens: float) -> str:
        """The current of a cell as an expression of ngspice."""
        return f"{siemens * self.sinh_volt!r}*sinh({across}/{self.sinh_volt!r})"

    @property
    def curvature(self) -> float:
        """1 / V0."""
        return 1.0 / self.sinh_volt
