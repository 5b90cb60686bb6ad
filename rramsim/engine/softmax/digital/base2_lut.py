"""Softmax in base 2 with tables for fraction and reciprocal."""

from typing import Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import ACCUMULATOR, DigitalCircuit, lookup_table, multiplier

from .arithmetic import LOG2E, LOG2E_BITS, below_maximum, leading, rounded_shift, shifted
from .unit import CodedSoftmaxSpec, SoftmaxSignals

__all__ = ["Base2LutSoftmaxSpec"]


class Base2LutSoftmaxSpec(CodedSoftmaxSpec):
    """Softmax in base 2: a small table for the fraction, a shift for the integer, a table of reciprocals for the sum.

    Parameters
    ----------
    kind
        "base2-lut": what this class is, among the softmax units.
    format
        Fixed-point format of the scores.
    index_bits
        2^index_bits entries of the table of 2^-fraction; the distance times log2(e) is rounded to so many fraction
        bits.
    lut_bits
        Width of the exponentials, round(2^-fraction (2^lut_bits - 1)) shifted by the integer.
    reciprocal_index_bits, reciprocal_bits
        2^reciprocal_index_bits reciprocals of so many fraction bits, by the bits after the leading one of the sum; with
        0 the division is a shift.
    divider_bits
        Fraction bits of the probabilities, rounded half up.

    Notes
    -----
    The common scheme of base-2 units, not one published design; log2(e) is a constant of 14 fraction bits.
    """

    kind: Literal["base2-lut"] = "base2-lut"
    index_bits: int = Field(default=4, ge=0, le=10)
    lut_bits: int = Field(default=8, ge=2, le=16)
    reciprocal_index_bits: int = Field(default=4, ge=0, le=10)
    reciprocal_bits: int = Field(default=8, ge=2, le=16)
    divider_bits: int = Field(default=8, ge=2, le=24)

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by fraction."""
        fraction = np.arange(1 << self.index_bits) / 2.0**self.index_bits
        return np.rint(2.0**-fraction * ((1 << self.lut_bits) - 1)).astype(np.int64)

    @property
    def reciprocals(self) -> IntArray:
        """The reciprocal at the middle of each interval of 1 to 2."""
        n_entries = 1 << self.reciprocal_index_bits
        middle = 1 + (np.arange(n_entries) + 0.5) / n_entries
        return np.rint(2.0**self.reciprocal_bits / middle).astype(np.int64)

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Maximum, difference, product with log2(e), look-up, shift, sum, reciprocal, product, shift."""
        return (
            *self.maximum_and_difference,
            multiplier(self.format.bits, LOG2E_BITS + 1),
            lookup_table(len(self.exponentials), self.lut_bits),
            DigitalCircuit(ComponentName.SHIFT_ADD),
            *ACCUMULATOR,
            DigitalCircuit(ComponentName.PRIORITY_ENCODER, per_score=0, per_vector=1),
            lookup_table(len(self.reciprocals), self.reciprocal_bits, per_score=0, per_vector=1),
            multiplier(self.lut_bits, self.reciprocal_bits),
            DigitalCircuit(ComponentName.SHIFT_ADD),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """2^-(distance log2 e): fraction by table, integer by shift; then times the table's reciprocal of the sum."""
        words, reciprocals = self.exponentials, self.reciprocals
        exact = below_maximum(codes, alive) * LOG2E
        power = rounded_shift(exact << self.index_bits, np.int64(self.format.fraction_bits + LOG2E_BITS))
        word = np.where(alive, shifted(words[power & (len(words) - 1)], power >> self.index_bits), 0)
        total = word.sum(axis=1)
        exponent, index = leading(total, len(reciprocals))
        product = (word * reciprocals[index][:, None]) << self.divider_bits
        code = rounded_shift(product, (exponent + self.reciprocal_bits)[:, None])
        return SoftmaxSignals(word, total, np.minimum(code, 1 << self.divider_bits) / 2.0**self.divider_bits)
