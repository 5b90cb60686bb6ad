"""Ramp converters."""

from typing import Literal

import numpy as np

from rramsim.array.transfer import ramp_levels
from rramsim.rng import Streams

from .base import AdcSpec
from .design import Staircase

__all__ = ["RampAdcSpec"]


class RampAdcSpec(AdcSpec):
    """Ramp converters: a counter counts the clock until a ramp has passed the input.

    Parameters
    ----------
    kind
        Which circuit: "ramp".
    curvature_lsb
        How far the ramp bows in its middle, steps.

    Notes
    -----
    All other parameters are those of :class:`rramsim.AdcSpec`. The time of the component is one clock of the counter,
    of which a conversion takes 2^bits, whatever its code: columns that share a ramp wait for its end.
    """

    kind: Literal["ramp"] = "ramp"
    curvature_lsb: float = 0.0

    @property
    def component(self) -> str:
        """Name of a converter in the tables of costs."""
        return f"ramp_adc_{self.bits}b"

    @property
    def cycles(self) -> int:
        """Clocks of one ramp: one for each code."""
        return 1 << self.bits

    def steps(self, n: int, streams: Streams) -> Staircase | None:  # noqa: ARG002  (a bow is no matter of chance)
        """Step functions of n converters; None where the ramp is straight."""
        if not self.curvature_lsb:
            return None
        return Staircase(np.tile(ramp_levels(self.bits, self.curvature_lsb), (n, 1)))
