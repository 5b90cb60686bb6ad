"""I-BERT's integer softmax: exponentials by a polynomial."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import ACCUMULATOR, DigitalCircuit, logic, multiplier

from .arithmetic import below_maximum, rounded_shift
from .unit import CodedSoftmaxSpec, SoftmaxSignals

__all__ = ["LN2", "POLYNOMIAL", "IBertSoftmaxSpec", "scaled_constants"]

LN2, STEPS = -0.6931, 30
"""x0 and n: exponentials below n x0 are those of n x0."""
POLYNOMIAL = (0.35815147, 0.96963238, 1.0)
"""exp(p) is about a p^2 + b p + c for p in (-ln 2, 0]."""
EXP_BITS = 16
"""Bits to which exponentials are brought before they are added."""


class IBertSoftmaxSpec(CodedSoftmaxSpec):
    """I-BERT's integer softmax: exp(p) as a polynomial of second order on (-ln 2, 0], times a power of two.

    Parameters
    ----------
    kind
        "ibert": what this class is, among the softmax units.
    format
        Fixed-point format of the scores; 2^-fraction_bits is their scaling factor.
    output_bits
        Fraction bits of the probabilities, rounded down.

    Notes
    -----
    S. Kim et al., "I-BERT", ICML 2021, arXiv 2101.01321, and its code, quant_modules.py: exp(p) is about
    0.35815147 p^2 + 0.96963238 p + 1, x0 = -0.6931, n = 30; exponentials are brought to 16 bits (2^15 - 1 for exp(0),
    which its running range of activations settles at), and multiplied by floor(2^32 / sum). The code rounds ties at 16
    bits to even, ours up. Multipliers are counted at the width of their operands.
    """

    kind: Literal["ibert"] = "ibert"
    references: ClassVar = ("kim-2021",)

    output_bits: int = Field(default=8, ge=2, le=16)

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Maximum, difference, quotient and remainder of ln 2, polynomial, shift, 16 bits, sum, reciprocal, product."""
        bits, fraction = self.format.bits, max(self.format.fraction_bits, 1)
        z_bits = scaled_constants(self.format.fraction_bits)[2].bit_length()
        return (
            *self.maximum_and_difference,
            multiplier(bits, bits),  # quotient by the constant x0
            multiplier(5, fraction),  # times x0
            logic(ComponentName.ADDER, bits),  # remainder
            logic(ComponentName.ADDER, fraction + 2),
            multiplier(fraction, fraction + 2),
            logic(ComponentName.ADDER, z_bits),
            multiplier(z_bits, 31),
            DigitalCircuit(ComponentName.SHIFT_ADD),
            *ACCUMULATOR,
            DigitalCircuit(ComponentName.DIVIDER, per_score=0, per_vector=1),
            multiplier(16, 18),  # a factor of at most 2^32 / (2^15 - 1)
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """Integer exponentials, their sum, and one reciprocal a vector; everything rounded down."""
        x0, b, c, m, s = scaled_constants(self.format.fraction_bits)
        x = np.maximum(-below_maximum(codes, alive), STEPS * x0)
        q = x // x0
        r = x - x0 * q
        z = r * (r + b) + c
        # z has at most 24 bits and m 31, so that nothing leaves 63 bits.
        word = np.where(alive, rounded_shift(z * m, np.minimum(s + q, 62)), 0)
        total = word.sum(axis=1)
        factor = (1 << 32) // np.maximum(total, 1)
        probability = ((word * factor[:, None]) >> (32 - self.output_bits)) / 2.0**self.output_bits
        return SoftmaxSignals(word, total, probability)


def scaled_constants(fraction_bits: int) -> tuple[int, int, int, int, int]:
    """x0, b and c for scores in units of 2^-fraction_bits, and the m and s that bring exponentials to 16 bits.

    An exponential z 2^-q is multiplied by m 2^-s, so that exp(0) = c becomes 2^15 - 1.
    """
    a, b, c = POLYNOMIAL
    unit = 2.0**fraction_bits
    x0, b_int, c_int = int(np.floor(LN2 * unit)), int(np.floor(b / a * unit)), int(np.floor(c / a * unit**2))
    mantissa, exponent = np.frexp(((1 << (EXP_BITS - 1)) - 1) / c_int)
    return x0, b_int, c_int, int(np.rint(mantissa * 2.0**31)), 31 - int(exponent)
