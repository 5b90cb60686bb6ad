"""The exponentials of a softmax as the words of a look-up table."""

import numpy as np

from rramsim.arrays import IntArray

__all__ = ["exponential_words"]


def exponential_words(n_words: int, fraction_bits: int, word_bits: int) -> IntArray:
    """Words round(exp(-d) (2^word_bits - 1)) of the distances d = 0, 1, 2, ... in units of 2^-fraction_bits.

    Parameters
    ----------
    n_words
        Number of distances.
    fraction_bits
        Bits of a distance after the point.
    word_bits
        Width of a word.
    """
    distance = np.arange(n_words) / 2.0**fraction_bits
    return np.asarray(np.rint(np.exp(-distance) * ((1 << word_bits) - 1)), dtype=np.int64)
