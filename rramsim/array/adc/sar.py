"""Converters by successive approximation."""

from typing import ClassVar, Literal

from rramsim.array.transfer import sar_levels
from rramsim.rng import Streams
from rramsim.spec import NonNegative

from .base import AdcSpec
from .design import Staircase

__all__ = ["SarAdcSpec"]


class SarAdcSpec(AdcSpec):
    """Converters by successive approximation: a binary search with an array of capacitors.

    Parameters
    ----------
    kind
        Which circuit: "sar".
    capacitor_mismatch
        Relative standard deviation of a unit capacitor; each converter has its own.

    Notes
    -----
    All other parameters are those of :class:`rramsim.AdcSpec`. Tables give the time of a whole conversion, all trials
    of the search.
    """

    random_errors: ClassVar = ("capacitor_mismatch",)

    kind: Literal["sar"] = "sar"
    capacitor_mismatch: NonNegative = 0.0

    @property
    def component(self) -> str:
        """Name of a converter in the tables of costs."""
        return f"adc_{self.bits}b"

    @property
    def cycles(self) -> int:
        """One: tables give the time of a whole search."""
        return 1

    def steps(self, n: int, streams: Streams) -> Staircase | None:
        """Step functions of n converters; None where the capacitors match."""
        if not self.capacitor_mismatch:
            return None
        normal = streams.generator("capacitors").standard_normal((n, self.bits + 1))
        return Staircase(sar_levels(self.bits, self.capacitor_mismatch, normal))
