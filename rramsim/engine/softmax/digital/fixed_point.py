"""The arithmetic of the crossbar engine in digital logic."""

from typing import Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import ACCUMULATOR, DigitalCircuit, lookup_table
from rramsim.engine.softmax.exponentials import exponential_words

from .arithmetic import below_maximum
from .unit import CodedSoftmaxSpec, SoftmaxSignals

__all__ = ["FixedPointSoftmaxSpec"]


class FixedPointSoftmaxSpec(CodedSoftmaxSpec):
    """The arithmetic of the crossbar engine on ideal devices, in digital logic: bit for bit the same values.

    Parameters
    ----------
    kind
        "fixed-point": what this class is, among the softmax units.
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the exponentials, round(exp(-d) (2^lut_bits - 1)), 2 to 16.
    divider_bits
        Fraction bits of the probabilities, rounded half up.
    """

    kind: Literal["fixed-point"] = "fixed-point"
    lut_bits: int = Field(default=8, ge=2, le=16)
    divider_bits: int = Field(default=8, ge=2, le=24)

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by distance to the maximum; the last one holds for everything beyond."""
        return exponential_words(1 << (self.format.bits - 1), self.format.fraction_bits, self.lut_bits)

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Maximum, difference, look-up, sum, division."""
        words = lookup_table(len(self.exponentials), self.lut_bits)
        return (*self.maximum_and_difference, words, *ACCUMULATOR, DigitalCircuit(ComponentName.DIVIDER))

    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """Words by distance, divided by their sum."""
        words = self.exponentials
        word = np.where(alive, words[np.minimum(below_maximum(codes, alive), len(words) - 1)], 0)
        total = word.sum(axis=1)
        divisor = np.maximum(total, 1)[:, None]
        quotient = ((word << (self.divider_bits + 1)) + divisor) // (2 * divisor)
        return SoftmaxSignals(word, total, quotient / 2.0**self.divider_bits)
