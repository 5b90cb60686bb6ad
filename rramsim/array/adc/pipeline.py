"""Pipeline converters."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from rramsim.array.transfer import pipeline_steps
from rramsim.rng import Streams
from rramsim.spec import FieldError, NonNegative, Positive

from .base import AdcSpec
from .design import Staircase

__all__ = ["PipelineAdcSpec"]


class PipelineAdcSpec(AdcSpec):
    """Pipeline converters: stages of 1.5 bits, and a flash of 2 bits at the end.

    Parameters
    ----------
    kind
        Which circuit: "pipeline".
    comparator_spread_lsb
        Standard deviation of the offset of each comparator, steps at the input of its stage.
    amplifier_gain
        Open-loop gain A of the amplifiers: a stage multiplies by 2 / (1 + 2 / A); None: infinite.
    stage_gain_spread
        Relative standard deviation of the gain of each stage, at most 0.1: no gain is negative.

    Notes
    -----
    All other parameters are those of :class:`rramsim.AdcSpec`; ``bits`` is at least 3. The time of the component is
    that of one stage: every such time a conversion ends, the first one after all bits - 1 stages.
    """

    random_errors: ClassVar = ("comparator_spread_lsb", "stage_gain_spread")

    kind: Literal["pipeline"] = "pipeline"
    comparator_spread_lsb: NonNegative = 0.0
    amplifier_gain: Positive | None = None
    stage_gain_spread: float = Field(default=0.0, ge=0.0, le=0.1)

    @model_validator(mode="after")
    def _check_stages(self) -> "PipelineAdcSpec":
        if self.bits < 3:
            raise FieldError(
                "bits", f"a pipeline ends in a 2-bit flash and has at least one stage before: 3 bits; got {self.bits}"
            )
        return self

    @property
    def component(self) -> str:
        """Name of a converter in the tables of costs."""
        return f"pipeline_adc_{self.bits}b"

    @property
    def cycles(self) -> int:
        """One: while a stage works, the one before has the next input."""
        return 1

    def turns(self, n_conversions: int) -> int:
        """Times of a stage that so many conversions take: the first passes bits - 1 stages, the flash among them."""
        return n_conversions + self.bits - 2 if n_conversions else 0

    def steps(self, n: int, streams: Streams) -> Staircase | None:
        """Step functions of n converters, filled up to one length with transitions that are never reached."""
        if not (self.comparator_spread_lsb or self.amplifier_gain or self.stage_gain_spread):
            return None
        n_stages = self.bits - 2
        gain = 2.0 if self.amplifier_gain is None else 2.0 / (1.0 + 2.0 / self.amplifier_gain)
        gains = gain * (1.0 + self.stage_gain_spread * streams.generator("stages").standard_normal((n, n_stages)))
        offsets = self.comparator_spread_lsb * streams.generator("comparators").standard_normal((n, 2 * n_stages + 3))
        steps = [pipeline_steps(self.bits, *one) for one in zip(gains, offsets, strict=True)]
        most = max(len(levels) for levels, _ in steps)
        levels, codes = np.full((n, most), np.inf), np.empty((n, most + 1), np.int32)
        for k, (some_levels, some_codes) in enumerate(steps):
            levels[k, : len(some_levels)] = some_levels
            codes[k, : len(some_codes)], codes[k, len(some_codes) :] = some_codes, some_codes[-1]
        return Staircase(levels, codes)
