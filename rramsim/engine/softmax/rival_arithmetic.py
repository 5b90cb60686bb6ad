"""What digital softmax units compute: pure functions of integer score codes.

Every function takes ``codes``, signed integers of shape (n_vectors, length), and ``alive``, which of them take part,
and gives :class:`Steps`. All arithmetic is on integers; a vector of which nothing takes part comes out as zeros.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from rramsim.arrays import BoolArray, FloatArray, IntArray

__all__ = ["Steps", "base2_lut", "fixed_point", "hybrid", "ibert", "ibert_constants", "scaled_by_log2e", "softermax"]


LOG2E_BITS = 14
"""Fraction bits of the constant log2(e) where an input in base e is turned into one in base 2."""
POWER_BITS = 15
"""Softermax: fraction bits of the unnormalised values, UQ(1, 15)."""
SUM_BITS, SUM_FRACTION_BITS = 16, 6
"""Softermax: the running sum, UQ(10, 6)."""
IBERT_LN2, IBERT_STEPS, IBERT_EXP_BITS = -0.6931, 30, 16
"""I-BERT: x0, n, and the bits to which exponentials are brought before they are added."""
IBERT_POLYNOMIAL = (0.35815147, 0.96963238, 1.0)
"""I-BERT: exp(p) is about a p^2 + b p + c for p in (-ln 2, 0]."""

_LOWEST = -(1 << 20)
"""Below every score."""
_EMPTIED = 40
"""A shift that leaves nothing of any word here; the shifters of NumPy end at 63."""


@dataclass(frozen=True)
class Steps:
    """What a unit had in its registers.

    Parameters
    ----------
    exponential
        Unnormalised values as words, (n_vectors, length).
    total
        Their sum as the unit found it, (n_vectors,).
    probability
        The results, (n_vectors, length).
    errors
        Errors of this unit alone, by name.
    """

    exponential: IntArray | FloatArray
    total: IntArray | FloatArray
    probability: FloatArray
    errors: dict[str, int] = field(default_factory=dict)


def fixed_point(codes: IntArray, alive: BoolArray, words: IntArray, divider_bits: int) -> Steps:
    """The crossbar engine's integers: ``words`` by distance to the maximum, divided and rounded half up."""
    word = np.where(alive, words[np.minimum(_below_maximum(codes, alive), len(words) - 1)], 0)
    total = word.sum(axis=1)
    divisor = np.maximum(total, 1)[:, None]
    quotient = ((word << (divider_bits + 1)) + divisor) // (2 * divisor)
    return Steps(word, total, quotient / 2.0**divider_bits)


def softermax(
    codes: IntArray,
    alive: BoolArray,
    fraction_bits: int,
    lanes: int,
    segment_bits: int,
    reciprocal_bits: int,
    output_bits: int,
) -> Steps:
    """Softermax of codes in base 2: slices of ``lanes`` scores, each after the running maximum of that moment."""
    n_vectors, length = codes.shape
    padded = -(-length // lanes) * lanes
    shape = (n_vectors, padded // lanes, lanes)
    wide = [(0, 0), (0, padded - length)]
    codes, alive = np.pad(codes, wide).reshape(shape), np.pad(alive, wide).reshape(shape)

    ceiling = np.where(alive, -(-codes >> fraction_bits), _LOWEST)
    running = np.maximum.accumulate(ceiling.max(axis=2), axis=1)
    power = _power_of_two(codes & ((1 << fraction_bits) - 1), fraction_bits, min(segment_bits, fraction_bits))
    word = np.where(alive, _shifted(power, running[:, :, None] - (codes >> fraction_bits)), 0)

    total = np.zeros(n_vectors, dtype=np.int64)
    saturated = np.zeros(n_vectors, dtype=np.bool_)
    full = (1 << SUM_BITS) - 1
    before = np.concatenate([running[:, :1], running[:, :-1]], axis=1)
    for slice_sum, rise in zip(word.sum(axis=2).T, (running - before).T, strict=True):
        total = _shifted(total, rise) + _rounded_shift(slice_sum, np.int64(POWER_BITS - SUM_FRACTION_BITS))
        saturated |= total > full
        total = np.minimum(total, full)

    exponent = _floor_log2(total)
    mantissa = (np.maximum(total, 1) << (POWER_BITS - exponent)) & ((1 << POWER_BITS) - 1)
    reciprocal = _reciprocal(mantissa, segment_bits, reciprocal_bits)
    aligned = _shifted(word, (running[:, -1:] - running)[:, :, None])
    shift = POWER_BITS + reciprocal_bits - SUM_FRACTION_BITS - output_bits + exponent
    product = aligned * reciprocal[:, None, None]
    code = np.minimum(_rounded_shift(product, np.maximum(shift, 1)[:, None, None]), 1 << output_bits)
    flat = (n_vectors, padded)
    return Steps(
        word.reshape(flat)[:, :length],
        total,
        code.reshape(flat)[:, :length] / 2.0**output_bits,
        {"sum_saturation": int(saturated.sum())},
    )


def ibert_constants(fraction_bits: int) -> tuple[int, int, int, int, int]:
    """I-BERT's x0, b and c for scores in units of 2^-fraction_bits, and the m and s that bring exponentials to 16 bits.

    An exponential z 2^-q is multiplied by m 2^-s, so that exp(0) = c becomes 2^15 - 1.
    """
    a, b, c = IBERT_POLYNOMIAL
    unit = 2.0**fraction_bits
    x0, b_int, c_int = int(np.floor(IBERT_LN2 * unit)), int(np.floor(b / a * unit)), int(np.floor(c / a * unit**2))
    mantissa, exponent = np.frexp(((1 << (IBERT_EXP_BITS - 1)) - 1) / c_int)
    return x0, b_int, c_int, int(np.rint(mantissa * 2.0**31)), 31 - int(exponent)


def ibert(codes: IntArray, alive: BoolArray, fraction_bits: int, output_bits: int) -> Steps:
    """I-BERT: exp by a polynomial of second order and a shift, one reciprocal a vector, everything rounded down."""
    x0, b, c, m, s = ibert_constants(fraction_bits)
    x = np.maximum(-_below_maximum(codes, alive), IBERT_STEPS * x0)
    q = x // x0
    r = x - x0 * q
    z = r * (r + b) + c
    # z has at most 24 bits and m 31, so that nothing leaves 63 bits.
    word = np.where(alive, _rounded_shift(z * m, np.minimum(s + q, 62)), 0)
    total = word.sum(axis=1)
    factor = (1 << 32) // np.maximum(total, 1)
    return Steps(word, total, ((word * factor[:, None]) >> (32 - output_bits)) / 2.0**output_bits)


def hybrid(
    codes: IntArray, alive: BoolArray, words: IntArray, guard_bits: int, logarithms: tuple[IntArray, IntArray]
) -> Steps:
    """exp(x - max - ln(sum)) with one table of exponentials, read twice, and a logarithm in two tables.

    ``words`` ends with a zero for everything beyond it; ``logarithms`` are by exponent and by leading bits of the sum.
    """
    by_exponent, by_mantissa = logarithms
    distance = _below_maximum(codes, alive) << guard_bits
    word = np.where(alive, words[np.minimum(distance, len(words) - 1)], 0)
    total = word.sum(axis=1)
    exponent, leading = _leading(total, len(by_mantissa))
    log_sum = np.maximum(by_exponent[exponent] + by_mantissa[leading], 0)
    result = words[np.minimum(distance + log_sum[:, None], len(words) - 1)]
    return Steps(word, total, np.where(alive, result, 0) / float(words[0]))


def base2_lut(
    codes: IntArray,
    alive: BoolArray,
    fraction_bits: int,
    words: IntArray,
    reciprocals: IntArray,
    reciprocal_bits: int,
    divider_bits: int,
) -> Steps:
    """2^-(distance log2 e): fraction by table, integer by shift; then times the table's reciprocal of the sum."""
    index_bits = _floor_log2_of(len(words))
    exact = _below_maximum(codes, alive) * _log2e()
    power = _rounded_shift(exact << index_bits, np.int64(fraction_bits + LOG2E_BITS))
    word = np.where(alive, _shifted(words[power & (len(words) - 1)], power >> index_bits), 0)
    total = word.sum(axis=1)
    exponent, leading = _leading(total, len(reciprocals))
    product = (word * reciprocals[leading][:, None]) << divider_bits
    code = np.minimum(_rounded_shift(product, (exponent + reciprocal_bits)[:, None]), 1 << divider_bits)
    return Steps(word, total, code / 2.0**divider_bits)


def scaled_by_log2e(codes: IntArray) -> IntArray:
    """Codes times log2(e), a constant of 14 fraction bits, rounded half up to the same fraction bits."""
    return _rounded_shift(codes * _log2e(), np.int64(LOG2E_BITS))


def _log2e() -> int:
    return int(np.rint(np.log2(np.e) * 2.0**LOG2E_BITS))


def _below_maximum(codes: IntArray, alive: BoolArray) -> IntArray:
    """How far each score lies below the largest of its vector; 0 for those that take no part."""
    largest = np.where(alive, codes, _LOWEST).max(axis=1, keepdims=True)
    return np.where(alive, largest - codes, 0)


def _shifted(word: IntArray, places: IntArray) -> IntArray:
    """Words shifted right, what falls out being lost."""
    return word >> np.clip(places, 0, _EMPTIED)


def _rounded_shift(word: IntArray, places: IntArray | np.int64) -> IntArray:
    """Words shifted right by at least one place, rounded half up."""
    return (word + (np.int64(1) << (places - 1))) >> places


def _floor_log2(word: IntArray) -> IntArray:
    """Place of the leading one; 0 for 0."""
    return np.frexp(np.maximum(word, 1).astype(np.float64))[1].astype(np.int64) - 1


def _floor_log2_of(number: int) -> int:
    return number.bit_length() - 1


def _leading(total: IntArray, n_entries: int) -> tuple[IntArray, IntArray]:
    """Place of the leading one of each sum, and the bits after it that choose one of ``n_entries``."""
    exponent = _floor_log2(total)
    bits = _floor_log2_of(n_entries)
    return exponent, ((np.maximum(total, 1) << bits) >> exponent) & (n_entries - 1)


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


def _power_of_two(fraction: IntArray, fraction_bits: int, segment_bits: int) -> IntArray:
    return _piecewise(_knots(False, segment_bits, POWER_BITS), fraction, fraction_bits, segment_bits)


def _reciprocal(mantissa: IntArray, segment_bits: int, bits: int) -> IntArray:
    return _piecewise(_knots(True, segment_bits, bits), mantissa, POWER_BITS, segment_bits)
