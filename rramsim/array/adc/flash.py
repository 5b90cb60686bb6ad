"""Flash converters."""

from typing import ClassVar, Literal

from rramsim.array.transfer import flash_levels
from rramsim.rng import Streams
from rramsim.spec import NonNegative

from .base import AdcSpec
from .design import Staircase

__all__ = ["FlashAdcSpec"]


class FlashAdcSpec(AdcSpec):
    """Flash converters: a comparator for each transition, all at once; multilevel sense amplifiers are such.

    Parameters
    ----------
    kind
        Which circuit: "flash".
    comparator_spread_lsb
        Standard deviation of the offset of each comparator, steps.

    Notes
    -----
    All other parameters are those of :class:`rramsim.AdcSpec`.
    """

    random_errors: ClassVar = ("comparator_spread_lsb",)

    kind: Literal["flash"] = "flash"
    comparator_spread_lsb: NonNegative = 0.0

    @property
    def component(self) -> str:
        """Name of a converter in the tables of costs."""
        return f"flash_adc_{self.bits}b"

    @property
    def cycles(self) -> int:
        """One: all comparators decide at once."""
        return 1

    def steps(self, n: int, streams: Streams) -> Staircase | None:
        """Step functions of n converters; None where the comparators have no offsets."""
        if not self.comparator_spread_lsb:
            return None
        normal = streams.generator("comparators").standard_normal((n, (1 << self.bits) - 1))
        return Staircase(flash_levels(self.bits, self.comparator_spread_lsb, normal))
