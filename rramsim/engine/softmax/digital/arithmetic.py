"""Integer arithmetic that several digital softmax units share.

Every function takes arrays of integers; ``alive`` tells which scores take part.
"""

import numpy as np

from rramsim.arrays import BoolArray, IntArray

__all__ = [
    "LOG2E",
    "LOG2E_BITS",
    "LOWEST",
    "below_maximum",
    "floor_log2",
    "leading",
    "rounded_shift",
    "scaled_by_log2e",
    "shifted",
]

LOG2E_BITS = 14
"""Fraction bits of the constant log2(e) where an input in base e is turned into one in base 2."""
LOG2E = round(float(np.log2(np.e)) * 2**LOG2E_BITS)
"""log2(e) in units of 2^-LOG2E_BITS."""
LOWEST = -(1 << 20)
"""Below every score."""
_EMPTIED = 40
"""A shift that leaves nothing of any word here; the shifters of NumPy end at 63."""


def below_maximum(codes: IntArray, alive: BoolArray) -> IntArray:
    """How far each score lies below the largest of its vector; 0 for those that take no part.

    Parameters
    ----------
    codes
        (n_vectors, length) signed codes of the scores.
    alive
        (n_vectors, length) which scores take part.
    """
    largest = np.where(alive, codes, LOWEST).max(axis=1, keepdims=True)
    return np.where(alive, largest - codes, 0)


def scaled_by_log2e(codes: IntArray) -> IntArray:
    """Codes times log2(e), a constant of 14 fraction bits, rounded half up to the fraction bits of the codes."""
    return rounded_shift(codes * LOG2E, np.int64(LOG2E_BITS))


def shifted(words: IntArray, places: IntArray) -> IntArray:
    """Words shifted right, what falls out being lost."""
    return words >> np.clip(places, 0, _EMPTIED)


def rounded_shift(words: IntArray, places: IntArray | np.int64) -> IntArray:
    """Words shifted right by at least one place, rounded half up."""
    return (words + (np.int64(1) << (places - 1))) >> places


def floor_log2(words: IntArray) -> IntArray:
    """Place of the leading one; 0 for 0."""
    return np.frexp(np.maximum(words, 1).astype(np.float64))[1].astype(np.int64) - 1


def leading(totals: IntArray, n_entries: int) -> tuple[IntArray, IntArray]:
    """Place of the leading one of each sum, and the bits after it that choose one of ``n_entries``, a power of two."""
    exponent = floor_log2(totals)
    bits = n_entries.bit_length() - 1
    return exponent, ((np.maximum(totals, 1) << bits) >> exponent) & (n_entries - 1)
