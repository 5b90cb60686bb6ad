"""Digital softmax units, behind the interface of the crossbar softmax engine: what it is compared with."""

from math import ceil

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import Probe

from .rival_arithmetic import (
    LOG2E_BITS,
    POWER_BITS,
    SUM_BITS,
    Steps,
    base2_lut,
    fixed_point,
    hybrid,
    ibert,
    ibert_constants,
    scaled_by_log2e,
    softermax,
)
from .rival_unit import (
    ACCUMULATOR,
    TABLE_BITS,
    CodedSoftmaxSpec,
    DigitalSoftmaxSpec,
    ProgrammedRival,
    Unit,
    logic,
    multiplier,
    register,
    table,
)

__all__ = [
    "RIVALS",
    "Base2LutSoftmaxSpec",
    "DigitalSoftmaxSpec",
    "FixedPointSoftmaxSpec",
    "FloatSoftmaxSpec",
    "HybridSoftmaxSpec",
    "IBertSoftmaxSpec",
    "ProgrammedRival",
    "SoftermaxSpec",
]


class FloatSoftmaxSpec(DigitalSoftmaxSpec):
    """Softmax in float64, charged as operations of a 32-bit vector lane and its divider.

    Parameters
    ----------
    exp_operations
        Lane operations of one exponential. 10: a product with log2(e), a rounding, two subtractions that leave the
        remainder, five multiply-adds of a polynomial of fifth order, and the addition to the exponent.

    Notes
    -----
    Each score also takes a comparison, a subtraction, an addition and a division. The lane of the tables (PUMA) is no
    floating-point unit and is charged as published, so the cost is a lower bound.
    """

    exp_operations: int = Field(default=10, ge=1, le=100)

    @property
    def units(self) -> tuple[Unit, ...]:
        """One lane and one divider."""
        return (Unit("vector_lane", per_score=3 + self.exp_operations, built=1), Unit("divider"))

    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> Steps:  # noqa: ARG002
        """exp(x - max) over its sum; no score saturates."""
        rows = np.where(alive, scores, -np.inf)
        largest = np.where(alive.any(axis=1), rows.max(axis=1), 0.0)[:, None]
        with np.errstate(over="ignore"):
            exponential = np.exp(rows - largest)
        total = exponential.sum(axis=1)
        probability = exponential / np.where(total > 0, total, 1.0)[:, None]
        return Steps(exponential, total, probability, {"score_saturation": 0})


class FixedPointSoftmaxSpec(CodedSoftmaxSpec):
    """The arithmetic of the crossbar engine on ideal devices, in digital logic: bit for bit the same values.

    Parameters
    ----------
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the exponentials, round(exp(-d) (2^lut_bits - 1)), 2 to 16.
    divider_bits
        Fraction bits of the probabilities, rounded half up.
    """

    lut_bits: int = Field(default=8, ge=2, le=16)
    divider_bits: int = Field(default=8, ge=2, le=24)

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by distance to the maximum; the last one holds for everything beyond."""
        return _exponentials(1 << (self.format.bits - 1), self.format.fraction_bits, self.lut_bits)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Maximum, difference, look-up, sum, division."""
        words = table(len(self.exponentials), self.lut_bits)
        return (*self.maximum_and_difference, words, *ACCUMULATOR, Unit("divider"))

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Words by distance, divided by their sum."""
        return fixed_point(codes, alive, self.exponentials, self.divider_bits)


class SoftermaxSpec(CodedSoftmaxSpec):
    """Softermax: base 2, normalised as the scores arrive, with a maximum rounded up to an integer.

    Parameters
    ----------
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

    format: FixedPointSpec = Field(default_factory=lambda: FixedPointSpec(integer_bits=6, fraction_bits=2))
    scale_by_log2e: bool = True
    lanes: int = Field(default=16, ge=1, le=1024)
    segment_bits: int = Field(default=2, ge=0, le=8)
    reciprocal_bits: int = Field(default=7, ge=2, le=15)
    output_bits: int = Field(default=7, ge=2, le=15)

    @property
    def width(self) -> int:
        """Scores of a slice."""
        return self.lanes

    @property
    def units(self) -> tuple[Unit, ...]:
        """Lanes of power of two, slice sum and normalisation; one running maximum, sum and reciprocal."""
        bits, integer, word = self.format.bits, self.format.integer_bits, POWER_BITS + 1
        entries, reciprocal = 1 << self.segment_bits, self.reciprocal_bits + 1
        scale = (multiplier(bits, LOG2E_BITS + 1),) if self.scale_by_log2e else ()
        return (
            *scale,
            logic("adder", integer),  # rounds up
            logic("comparator", integer),
            logic("adder", bits),
            table(entries, 2 * word),  # slopes and intercepts
            multiplier(word, max(self.format.fraction_bits, 1)),
            logic("adder", word),
            Unit("shift_add"),
            logic("adder", SUM_BITS),  # of the slice
            register((SUM_BITS + integer) / self.lanes),
            Unit("shift_add", per_score=1 / self.lanes, built=1 / self.lanes, waits=False),  # of the running sum
            Unit("priority_encoder", per_score=0, per_vector=1),
            table(entries, 2 * reciprocal, per_score=0, per_vector=1),
            multiplier(reciprocal, SUM_BITS, per_score=0, per_vector=1),
            logic("adder", reciprocal, per_score=0, per_vector=1),
            Unit("shift_add"),  # to the last maximum
            multiplier(word, reciprocal),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Online sum and maximum, then normalisation."""
        codes = scaled_by_log2e(codes) if self.scale_by_log2e else codes
        fraction, segments = self.format.fraction_bits, self.segment_bits
        return softermax(codes, alive, fraction, self.lanes, segments, self.reciprocal_bits, self.output_bits)


class IBertSoftmaxSpec(CodedSoftmaxSpec):
    """I-BERT's integer softmax: exp(p) as a polynomial of second order on (-ln 2, 0], times a power of two.

    Parameters
    ----------
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

    output_bits: int = Field(default=8, ge=2, le=16)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Maximum, difference, quotient and remainder of ln 2, polynomial, shift, 16 bits, sum, reciprocal, product."""
        bits, fraction = self.format.bits, max(self.format.fraction_bits, 1)
        z_bits = ibert_constants(self.format.fraction_bits)[2].bit_length()
        return (
            *self.maximum_and_difference,
            multiplier(bits, bits),  # quotient by the constant x0
            multiplier(5, fraction),  # times x0
            logic("adder", bits),  # remainder
            logic("adder", fraction + 2),
            multiplier(fraction, fraction + 2),
            logic("adder", z_bits),
            multiplier(z_bits, 31),
            Unit("shift_add"),
            *ACCUMULATOR,
            Unit("divider", per_score=0, per_vector=1),
            multiplier(16, 18),  # a factor of at most 2^32 / (2^15 - 1)
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Integer exponentials, their sum, and one factor for all."""
        return ibert(codes, alive, self.format.fraction_bits, self.output_bits)


class HybridSoftmaxSpec(CodedSoftmaxSpec):
    """The arithmetic of ReTransformer's hybrid softmax: exp(x - max - ln(sum of exp(x - max))), without a division.

    Parameters
    ----------
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

    lut_bits: int = Field(default=8, ge=2, le=16)
    guard_bits: int = Field(default=2, ge=0, le=4)
    log_bits: int = Field(default=4, ge=0, le=10)

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by distance to the maximum; the last one is the first zero."""
        fraction = self.format.fraction_bits + self.guard_bits
        last = ceil(np.log(2 * ((1 << self.lut_bits) - 1)) * 2.0**fraction)
        return _exponentials(last + 1, fraction, self.lut_bits)

    @property
    def logarithms(self) -> tuple[IntArray, IntArray]:
        """Logarithm of sum over largest word, in two parts: by place of the leading one, by the bits after it."""
        scale = 2.0 ** (self.format.fraction_bits + self.guard_bits)
        by_exponent = np.arange(TABLE_BITS + 16) * np.log(2) - np.log((1 << self.lut_bits) - 1)
        by_mantissa = np.log1p((np.arange(1 << self.log_bits) + 0.5) / (1 << self.log_bits))
        return np.rint(by_exponent * scale).astype(np.int64), np.rint(by_mantissa * scale).astype(np.int64)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Maximum one bit after the other, difference, look-up, sum, logarithm, difference, the same look-up again."""
        bits, fine = self.format.bits, self.format.bits + self.guard_bits
        return (
            Unit("comparator", 1 / TABLE_BITS, per_score=bits),
            register(bits),
            logic("adder", bits),
            table(len(self.exponentials), self.lut_bits, per_score=2),
            *ACCUMULATOR,
            Unit("priority_encoder", per_score=0, per_vector=1),
            table(TABLE_BITS + (1 << self.log_bits), fine, per_score=0, per_vector=2),
            logic("adder", fine, per_score=0, per_vector=1),
            logic("adder", fine),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Exponentials of differences, twice."""
        return hybrid(codes, alive, self.exponentials, self.guard_bits, self.logarithms)


class Base2LutSoftmaxSpec(CodedSoftmaxSpec):
    """Softmax in base 2: a small table for the fraction, a shift for the integer, a table of reciprocals for the sum.

    Parameters
    ----------
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
    def units(self) -> tuple[Unit, ...]:
        """Maximum, difference, product with log2(e), look-up, shift, sum, reciprocal, product, shift."""
        return (
            *self.maximum_and_difference,
            multiplier(self.format.bits, LOG2E_BITS + 1),
            table(len(self.exponentials), self.lut_bits),
            Unit("shift_add"),
            *ACCUMULATOR,
            Unit("priority_encoder", per_score=0, per_vector=1),
            table(len(self.reciprocals), self.reciprocal_bits, per_score=0, per_vector=1),
            multiplier(self.lut_bits, self.reciprocal_bits),
            Unit("shift_add"),
        )

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Words by fraction, shifted; their sum; its reciprocal, shifted."""
        fraction, tables = self.format.fraction_bits, (self.exponentials, self.reciprocals)
        return base2_lut(codes, alive, fraction, *tables, self.reciprocal_bits, self.divider_bits)


RIVALS: dict[str, type[DigitalSoftmaxSpec]] = {
    "float": FloatSoftmaxSpec,
    "fixed_point": FixedPointSoftmaxSpec,
    "softermax": SoftermaxSpec,
    "ibert": IBertSoftmaxSpec,
    "hybrid": HybridSoftmaxSpec,
    "base2_lut": Base2LutSoftmaxSpec,
}
"""The digital softmax units by short name."""


def _exponentials(n_entries: int, fraction_bits: int, lut_bits: int) -> IntArray:
    distance = np.arange(n_entries) / 2.0**fraction_bits
    return np.asarray(np.rint(np.exp(-distance) * ((1 << lut_bits) - 1)), dtype=np.int64)
