"""Words of CAM and LUT: their digits, and the conductances that hold these."""

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.cell.device import DeviceSpec
from rramsim.errors import RangeError

__all__ = ["checked_words", "digit_conductances", "word_bits", "word_digits"]


def checked_words(words: ArrayLike, bits: int, they_are: str, *, least: int = 1) -> IntArray:
    """A list of words, (n_words,), refused where one does not fit into so many bits.

    Parameters
    ----------
    words
        Integers from 0 to 2^bits - 1.
    bits
        Width of a word.
    they_are
        How the message begins: ``"a CAM of 5 bits stores"``.
    least
        How many there are at least.

    Raises
    ------
    RangeError
        Saying what was given and what is allowed.
    """
    given = np.atleast_1d(np.asarray(words))
    integers = given.dtype.kind in "iu" and given.ndim == 1 and given.size >= least
    if not integers or (given.size and not 0 <= given.min() <= given.max() < 1 << bits):
        raise RangeError(f"{they_are} a list of integers from 0 to {(1 << bits) - 1}; got {words!r}")
    return given.astype(np.int64)


def word_bits(words: ArrayLike, bits: int) -> BoolArray:
    """Binary digits of non-negative words, most significant first: shape (n_words, bits)."""
    digits = np.asarray(words, dtype=np.int64)[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return digits.astype(np.bool_)


def word_digits(words: ArrayLike, bits: int, cell_bits: int = 1) -> IntArray:
    """Digits (n_words, n_columns) of non-negative words of so many bits, most significant first, cell_bits each.

    Raises
    ------
    RangeError
        For words that do not fit, or none at all.
    """
    stored = checked_words(words, bits, f"words of {bits} bits are")
    shifts = np.arange(-(-bits // cell_bits) - 1, -1, -1) * cell_bits
    return np.asarray(stored[:, None] >> shifts & ((1 << cell_bits) - 1))


def digit_conductances(device: DeviceSpec, digits: IntArray, cell_bits: int = 1) -> FloatArray:
    """Target conductances of digits, siemens: equidistant over the window of the device."""
    return np.asarray(device.g_min_siemens + digits / ((1 << cell_bits) - 1) * device.window_siemens)
