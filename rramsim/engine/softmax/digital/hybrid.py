"""ReTransformer's hybrid softmax: a logarithm in place of the division."""

from math import ceil
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import (
    ACCUMULATOR,
    TABLE_BITS,
    DigitalCircuit,
    logic,
    lookup_table,
    register,
)
from rramsim.engine.softmax.exponentials import exponential_words

from .arithmetic import below_maximum, leading
from .unit import CodedSoftmaxSpec, SoftmaxSignals

__all__ = ["HybridSoftmaxSpec"]


class HybridSoftmaxSpec(CodedSoftmaxSpec):
    """The arithmetic of ReTransformer's hybrid softmax: exp(x - max - ln(sum of exp(x - max))), without a division.

    Parameters
    ----------
    kind
        "hybrid": what this class is, among the softmax units.
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the exponentials, round(exp(-d) (2^lut_bits - 1)); the results are multiples of 1 / (2^lut_bits - 1).
    guard_bits
        Fraction bits of the logarithm, and of the arguments of the table, beyond those of the scores.
    log_bits
        The bits after the leading one of the sum that choose its logarithm: 2^log_bits entries.

    Notes
    -----
    X. Yang et al., "ReTransformer", ICCAD 2020, known to us from notes on its text. The paper gives the formula and a
    maximum found bit by bit in compare and select steps; it is said to need 0.6913 mW against 1.0233 mW of a CMOS
    softmax (compare and select: 0.3889 against 0.533 mW). What we do not have from it: widths of tables, energy or time
    of an operation, area. Widths and rounding are ours, its powers cannot be turned into joules and are not used, and
    what it does in crossbars is counted here as digital logic. Only the arithmetic is theirs.
    """

    kind: Literal["hybrid"] = "hybrid"
    references: ClassVar = ("yang-2020",)

    lut_bits: int = Field(default=8, ge=2, le=16)
    guard_bits: int = Field(default=2, ge=0, le=4)
    log_bits: int = Field(default=4, ge=0, le=10)

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by distance to the maximum; the last one is the first zero."""
        fraction = self.format.fraction_bits + self.guard_bits
        last = ceil(np.log(2 * ((1 << self.lut_bits) - 1)) * 2.0**fraction)
        return exponential_words(last + 1, fraction, self.lut_bits)

    @property
    def logarithms(self) -> tuple[IntArray, IntArray]:
        """Logarithm of sum over largest word, in two parts: by place of the leading one, by the bits after it."""
        scale = 2.0 ** (self.format.fraction_bits + self.guard_bits)
        by_exponent = np.arange(TABLE_BITS + 16) * np.log(2) - np.log((1 << self.lut_bits) - 1)
        by_mantissa = np.log1p((np.arange(1 << self.log_bits) + 0.5) / (1 << self.log_bits))
        return np.rint(by_exponent * scale).astype(np.int64), np.rint(by_mantissa * scale).astype(np.int64)

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Maximum one bit after the other, difference, look-up, sum, logarithm, difference, the same look-up again."""
        bits, fine = self.format.bits, self.format.bits + self.guard_bits
        return (
            DigitalCircuit(ComponentName.COMPARATOR, 1 / TABLE_BITS, per_score=bits),
            register(bits),
            logic(ComponentName.ADDER, bits),
            lookup_table(len(self.exponentials), self.lut_bits, per_score=2),
            *ACCUMULATOR,
            DigitalCircuit(ComponentName.PRIORITY_ENCODER, per_score=0, per_vector=1),
            lookup_table(TABLE_BITS + (1 << self.log_bits), fine, per_score=0, per_vector=2),
            logic(ComponentName.ADDER, fine, per_score=0, per_vector=1),
            logic(ComponentName.ADDER, fine),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """exp(x - max - ln(sum)) with one table of exponentials, read twice, and a logarithm in two tables."""
        words, (by_exponent, by_mantissa) = self.exponentials, self.logarithms
        distance = below_maximum(codes, alive) << self.guard_bits
        word = np.where(alive, words[np.minimum(distance, len(words) - 1)], 0)
        total = word.sum(axis=1)
        exponent, index = leading(total, len(by_mantissa))
        log_sum = np.maximum(by_exponent[exponent] + by_mantissa[index], 0)
        result = words[np.minimum(distance + log_sum[:, None], len(words) - 1)]
        return SoftmaxSignals(word, total, np.where(alive, result, 0) / float(words[0]))
