"""Cells whose current is proportional to the voltage."""

from typing import ClassVar, Literal

from .law import KernelConductionSpec

__all__ = ["LinearConductionSpec"]


class LinearConductionSpec(KernelConductionSpec):
    """The linear law: i = g v.

    Parameters
    ----------
    most_volt, series_ohm
        As of :class:`ConductionSpec`.
    """

    linear: ClassVar[bool] = True
    law: Literal["linear"] = "linear"

    @property
    def formula(self) -> str:
        """The law in letters."""
        return "i = g v"

    def figures(self, g_max_siemens: float) -> list[str]:  # noqa: ARG002
        """No letters but those that everybody knows."""
        return []

    def spice_current(self, across: str, siemens: float) -> str:
        """The current of a cell as an expression of ngspice."""
        return f"{siemens!r}*{across}"

    def spice(self, name: str, first: str, second: str, siemens: float) -> str:
        """A resistor."""
        return f"RC_{name} {first} {second} {1.0 / siemens!r}"
