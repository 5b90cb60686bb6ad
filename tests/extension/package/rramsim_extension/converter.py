"""A converter of two steps."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

import rramsim as rs
from rramsim.array.adc.design import Staircase


class TwoStepAdcSpec(rs.AdcSpec):
    """A coarse flash, and a fine one whose range is off: the ends of the coarse steps do not meet.

    Parameters
    ----------
    kind
        "two-step".
    range_spread
        Relative standard deviation of the range of the fine flash, from one converter to the next.
    """

    random_errors: ClassVar = ("range_spread",)

    kind: Literal["two-step"] = "two-step"
    range_spread: float = Field(default=0.0, ge=0, le=0.3)

    @property
    def component(self):
        return f"two_step_adc_{self.bits}b"

    @property
    def cycles(self):
        return 2

    def steps(self, n, streams):
        if not self.range_spread:
            return None
        fine = 1 << (self.bits // 2)
        number = np.arange((1 << self.bits) - 1)
        gain = 1 + self.range_spread * streams.generator("range").standard_normal((n, 1))
        levels = number // fine * fine + 0.5 + gain * (number % fine)
        return Staircase(np.maximum.accumulate(levels, axis=1))
