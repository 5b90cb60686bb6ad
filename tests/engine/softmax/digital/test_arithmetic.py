"""Integer arithmetic of the digital softmax units, against Python's own integers."""

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reference import digital_softmax as oracle

from rramsim.engine.softmax.digital.arithmetic import (
    LOG2E,
    below_maximum,
    floor_log2,
    leading,
    rounded_shift,
    scaled_by_log2e,
    shifted,
)

WORDS = st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=20)


@given(WORDS, st.integers(0, 70))
def test_shifts_lose_what_falls_out(words, places):
    assert_array_equal(shifted(np.array(words), np.array(places)), [word >> places for word in words])


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20), st.integers(1, 40))
def test_rounded_shifts_round_half_up(words, places):
    expected = [floor(Fraction(word, 2**places) + Fraction(1, 2)) for word in words]
    assert_array_equal(rounded_shift(np.array(words), np.int64(places)), expected)


@given(WORDS)
def test_place_of_the_leading_one(words):
    assert_array_equal(floor_log2(np.array(words)), [max(word.bit_length() - 1, 0) for word in words])


@given(WORDS, st.integers(0, 6))
def test_bits_after_the_leading_one(words, bits):
    exponent, index = leading(np.array(words), 2**bits)
    assert_array_equal(exponent, floor_log2(np.array(words)))
    fractions = [Fraction(max(word, 1), 2 ** int(place)) - 1 for word, place in zip(words, exponent, strict=True)]
    assert_array_equal(index, [floor(fraction * 2**bits) for fraction in fractions])


def test_log2e():
    assert LOG2E == oracle.LOG2E == round(2**14 * np.log2(np.e))
    assert_array_equal(scaled_by_log2e(np.array([0, 1, -1, 8, -8])), [0, 1, -1, 12, -12])


def test_distance_from_the_largest_that_takes_part():
    alive = np.array([[True, True, False], [False, False, False]])
    assert_array_equal(below_maximum(np.array([[3, -4, 9], [1, 2, 3]]), alive), [[0, 7, 0], [0, 0, 0]])
