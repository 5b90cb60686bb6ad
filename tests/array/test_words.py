"""Words of CAM and LUT."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rramsim.array.words import word_bits


@given(st.integers(1, 20), st.lists(st.integers(0, 2**20 - 1), max_size=10))
def test_word_bits(bits, words):
    words = [word % (1 << bits) for word in words]
    digits = word_bits(np.array(words, dtype=np.int64), bits)
    assert digits.shape == (len(words), bits)
    assert ["".join("01"[int(bit)] for bit in row) for row in digits] == [f"{word:0{bits}b}" for word in words]
