"""Standard normal numbers: against the oracle, at the ends of their range, and their distribution."""

import numpy as np
import pytest
from helpers.normal_law import assert_moments_and_distribution, assert_tails
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.normal import normal_numbers

N = 1 << 20


def words(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**32, n, dtype=np.uint32)


def drawn(bits):
    out = np.empty(bits.size, dtype=np.float32)
    normal_numbers(bits, out)
    return out


@pytest.fixture(scope="module")
def many():
    return drawn(words(N, seed=5))


@pytest.mark.parametrize("pairs", [0, 1, 1023, 1024, 1025, 3000])
def test_against_the_oracle(pairs):
    """Single precision of the radius, of at most 6.7, and of the angle."""
    bits = words(2 * pairs, seed=pairs)
    expected = np.empty(bits.size, dtype=np.longdouble)
    ORACLES[normal_numbers](bits, expected)
    assert_allclose(drawn(bits), expected.astype(np.float64), rtol=0, atol=3e-6)


def test_the_ends():
    """Smallest and largest words: finite, and as large as the bits allow."""
    ends = np.array([0, 1, 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], dtype=np.uint32)
    a, b = (each.ravel().astype(np.uint32) for each in np.meshgrid(ends, ends))
    numbers = drawn(np.concatenate([a, b]))
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() == pytest.approx(np.sqrt(2 * np.log(2.0**32)), rel=1e-6)
    radius = np.hypot(numbers[: a.size], numbers[a.size :])
    assert_allclose(radius[a == 2**32 - 1], 0.0, atol=1e-3)


def test_distribution(many):
    assert_moments_and_distribution(many)


@pytest.mark.parametrize("limit", [2.0, 3.0, 4.0])
def test_tails(many, limit):
    assert_tails(many, limit)


def test_independence(many):
    """Neighbours, the two numbers of a pair, and their squares: |r| < 4.5 / sqrt(n)."""
    values = many.astype(np.float64)
    for one, other in [(values[1:], values[:-1]), (values[: N // 2], values[N // 2 :])]:
        for power in (1, 2):
            r = np.corrcoef(one**power, other**power)[0, 1]
            assert abs(r) < 4.5 / np.sqrt(one.size)


def test_the_bits_decide():
    bits = words(100)
    assert_array_equal(drawn(bits), drawn(bits.copy()))
    assert (drawn(bits) != drawn(words(100, seed=1))).all()
