"""Softermax: a softmax in base 2 that is normalised as the scores arrive."""

from functools import cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import DigitalCircuit, logic, lookup_table, multiplier, register
from rramsim.fixed_point import FixedPointSpec

from .arithmetic import LOG2E_BITS, LOWEST, floor_log2, rounded_shift, scaled_by_log2e, shifted
from .unit import CodedSoftmaxSpec, SoftmaxSignals

__all__ = ["SoftermaxSpec"]

POWER_BITS = 15
"""Fraction bits of the unnormalised values, UQ(1, 15)."""
SUM_BITS, SUM_FRACTION_BITS = 16, 6
"""Format of the running sum, UQ(10, 6)."""


class SoftermaxSpec(CodedSoftmaxSpec):
    """Softermax: base 2, normalised as the scores arrive, with a maximum rounded up to an integer.

    Parameters
    ----------
    kind
        "softermax": what this class is, among the softmax units.
    format
        Fixed-point format of the scores, and of the scores in base 2.
    scale_by_log2e
        Multiply the scores by log2(e), so that softmax comes out; False gives the paper's softmax in base 2.
    lanes
        Scores of a slice, handled at once and added before the running sum is brought to the new maximum.
    segment_bits
        2^segment_bits line segments approximate the power of two and the reciprocal.
    reciprocal_bits, output_bits
        Fraction bits of the reciprocal and of the probabilities, the latter rounded half up.

    Notes
    -----
    J. R. Stevens et al., "Softermax", DAC 2021, arXiv 2103.09301: unnormalised values UQ(1, 15), running sum UQ(10, 6).
    The paper trains the network anew in base 2; ``scale_by_log2e`` is ours, as is the rounding: the ends of the
    segments, the sum of a slice and the results to nearest, everything else down. 16 lanes, 4 segments, UQ(1, 7) for
    reciprocal and output, and Q(6, 2) for the scores are what we believe it uses, not checked against its text.
    What comes out depends on the order of the scores, since each slice is rounded after the maximum of its moment.
    Counts ``sum_saturation``, vectors whose running sum met its upper end.
    """

    kind: Literal["softermax"] = "softermax"
    references: ClassVar = ("stevens-2021",)

    format: FixedPointSpec = Field(default_factory=lambda: FixedPointSpec(integer_bits=6, fraction_bits=2))
    scale_by_log2e: bool = True
    lanes: int = Field(default=16, ge=1, le=1024)
    segment_bits: int = Field(default=2, ge=0, le=8)
    reciprocal_bits: int = Field(default=7, ge=2, le=15)
    output_bits: int = Field(default=7, ge=2, le=15)

    @property
    def scores_at_once(self) -> int:
        """Scores of a slice."""
        return self.lanes

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Lanes of power of two, slice sum and normalisation; one running maximum, sum and reciprocal."""
        bits, integer, word = self.format.bits, self.format.integer_bits, POWER_BITS + 1
        entries, reciprocal = 1 << self.segment_bits, self.reciprocal_bits + 1
        scale = (multiplier(bits, LOG2E_BITS + 1),) if self.scale_by_log2e else ()
        one_for_all = 1 / self.lanes
        running_sum = DigitalCircuit(
            ComponentName.SHIFT_ADD, per_score=one_for_all, built_size=one_for_all, sequential=False
        )
        return (
            *scale,
            logic(ComponentName.ADDER, integer),  # rounds up
            logic(ComponentName.COMPARATOR, integer),
            logic(ComponentName.ADDER, bits),
            lookup_table(entries, 2 * word),  # slopes and intercepts
            multiplier(word, max(self.format.fraction_bits, 1)),
            logic(ComponentName.ADDER, word),
            DigitalCircuit(ComponentName.SHIFT_ADD),
            logic(ComponentName.ADDER, SUM_BITS),  # of the slice
            register((SUM_BITS + integer) / self.lanes),
            running_sum,
            DigitalCircuit(ComponentName.PRIORITY_ENCODER, per_score=0, per_vector=1),
            lookup_table(entries, 2 * reciprocal, per_score=0, per_vector=1),
            multiplier(reciprocal, SUM_BITS, per_score=0, per_vector=1),
            logic(ComponentName.ADDER, reciprocal, per_score=0, per_vector=1),
            DigitalCircuit(ComponentName.SHIFT_ADD),  # to the last maximum
            multiplier(word, reciprocal),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """Online sum and maximum, then normalisation."""
        n_vectors, length = codes.shape
        codes = scaled_by_log2e(codes) if self.scale_by_log2e else codes
        padded = -(-length // self.lanes) * self.lanes
        slices, padding = (n_vectors, padded // self.lanes, self.lanes), [(0, 0), (0, padded - length)]
        codes, alive = np.pad(codes, padding).reshape(slices), np.pad(alive, padding).reshape(slices)
        word, running = self._unnormalised(codes, alive)
        total, saturated = _running_sum(word, running)
        code = self._normalised(word, running, total)
        return SoftmaxSignals(
            word.reshape(n_vectors, padded)[:, :length],
            total,
            code.reshape(n_vectors, padded)[:, :length] / 2.0**self.output_bits,
            {"sum_saturation": int(saturated.sum())},
        )

    def _unnormalised(self, codes: IntArray, alive: BoolArray) -> tuple[IntArray, IntArray]:
        """Powers of two below the running maximum (n_vectors, n_slices, lanes), and that maximum after each slice."""
        fraction = self.format.fraction_bits
        ceiling = np.where(alive, -(-codes >> fraction), LOWEST)
        running = np.maximum.accumulate(ceiling.max(axis=2), axis=1)
        segment_bits = min(self.segment_bits, fraction)
        knots = _knots(False, segment_bits, POWER_BITS)
        power = _piecewise(knots, codes & ((1 << fraction) - 1), fraction, segment_bits)
        return np.where(alive, shifted(power, running[:, :, None] - (codes >> fraction)), 0), running

    def _normalised(self, word: IntArray, running: IntArray, total: IntArray) -> IntArray:
        """Codes of the probabilities: words brought to the last maximum, times the reciprocal of the sum."""
        exponent = floor_log2(total)
        mantissa = (np.maximum(total, 1) << (POWER_BITS - exponent)) & ((1 << POWER_BITS) - 1)
        knots = _knots(True, self.segment_bits, self.reciprocal_bits)
        reciprocal = _piecewise(knots, mantissa, POWER_BITS, self.segment_bits)
        aligned = shifted(word, (running[:, -1:] - running)[:, :, None])
        shift = POWER_BITS + self.reciprocal_bits - SUM_FRACTION_BITS - self.output_bits + exponent
        product = aligned * reciprocal[:, None, None]
        return np.minimum(rounded_shift(product, np.maximum(shift, 1)[:, None, None]), 1 << self.output_bits)


def _running_sum(word: IntArray, running: IntArray) -> tuple[IntArray, BoolArray]:
    """Sum of the words of each vector, brought to each new maximum, and whether it met its upper end."""
    total = np.zeros(len(word), dtype=np.int64)
    saturated = np.zeros(len(word), dtype=np.bool_)
    full = (1 << SUM_BITS) - 1
    before = np.concatenate([running[:, :1], running[:, :-1]], axis=1)
    for slice_sum, rise in zip(word.sum(axis=2).T, (running - before).T, strict=True):
        total = shifted(total, rise) + rounded_shift(slice_sum, np.int64(POWER_BITS - SUM_FRACTION_BITS))
        saturated |= total > full
        total = np.minimum(total, full)
    return total, saturated


@cache
def _knots(inverse: bool, segment_bits: int, bits: int) -> IntArray:
    """2^x, or 1/(1 + x), at the ends of the segments of 0..1, in units of 2^-bits."""
    x = np.arange((1 << segment_bits) + 1) / 2.0**segment_bits
    return np.asarray(np.rint((1 / (1 + x) if inverse else 2.0**x) * 2.0**bits), dtype=np.int64)


def _piecewise(knots: IntArray, x: IntArray, x_bits: int, segment_bits: int) -> IntArray:
    """The line between the two knots around each x of 0..1, x in units of 2^-x_bits; rounded down."""
    rest_bits = x_bits - segment_bits
    segment, rest = x >> rest_bits, x & ((1 << rest_bits) - 1)
    line: IntArray = knots[segment] + (((knots[segment + 1] - knots[segment]) * rest) >> rest_bits)
    return line
