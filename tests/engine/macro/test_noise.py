"""Numbers of read noise: cumulants to the last digit, keys, and their law.

Seeds are fixed. Statistical tests compare standard scores with 4.5: a single one is beyond that by chance with a
probability of 7e-6, so that a test of N scores would fail with another seed in 7e-6 N of all cases.
"""

import numpy as np
import pytest
from helpers.macros import Z
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.engine.macro.noise import ReadKeys, cumulant_noise
from rramsim.rng import Streams


class TestCumulantNoise:
    @given(st.floats(-1, 1), st.floats(-30, 5))
    def test_exact_cumulants(self, share, decades):
        """By Gauss's rule over the normal law, exact for polynomials of this order; up to the limit of the skewness."""
        skewness, deviation = share * np.sqrt(8.0), 10.0**decades
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        noise = cumulant_noise(np.full(20, deviation**2), np.full(20, skewness * deviation**3), nodes) / deviation
        moments = [(weights * noise**power).sum() / weights.sum() for power in (1, 2, 3)]
        assert_allclose(moments, [0.0, 1.0, skewness], atol=1e-12)

    def test_beyond_the_limit_only_the_third_is_given_up(self):
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        for sign in (-1, 1):
            noise = cumulant_noise(np.ones(20), np.full(20, sign * 50.0), nodes)
            assert_allclose((weights * noise**2).sum() / weights.sum(), 1.0)
            assert_allclose((weights * noise**3).sum() / weights.sum(), sign * np.sqrt(8.0))

    def test_without_skewness(self):
        normal = np.random.default_rng(0).standard_normal(50)
        assert_array_equal(cumulant_noise(np.full(50, 4.0), None, normal), 2.0 * normal)
        assert_allclose(cumulant_noise(np.full(50, 4.0), np.zeros(50), normal), 2.0 * normal, rtol=1e-15)

    def test_without_variance(self):
        assert not cumulant_noise(np.zeros(5), None, np.ones(5)).any()
        assert not cumulant_noise(np.zeros(5), np.zeros(5), np.ones(5)).any()


class TestReadKeys:
    def test_each_has_its_own(self):
        keys = ReadKeys(Streams(3), 4, 0)
        drawn = {tuple(keys.of(row, batch, kind)) for row in range(3) for batch in range(4) for kind in range(3)}
        assert len(drawn) == 36

    def test_they_do_not_depend_on_the_number_of_batches(self):
        assert_array_equal(ReadKeys(Streams(3), 2, 0).of(1, 1), ReadKeys(Streams(3), 9, 5).of(1, 1))

    @pytest.mark.parametrize("first", [0, 7])
    def test_numbers_by_vector(self, first):
        """Those of a vector do not depend on which others are asked for, nor on the number of columns."""
        key = ReadKeys(Streams(3), 1, 0).of(0, 0)
        whole = ReadKeys(Streams(3), 1, 0).normals(key, 12, 3, 70)
        part = ReadKeys(Streams(3), 1, first).normals(key, 5, 3, 40)
        assert_array_equal(part, whole[3 * first : 3 * (first + 5), :40])

    def test_standard_normal_and_independent(self):
        """Kolmogorov-Smirnov on 10^5 numbers; 2 x 2016 pairs of columns and of vectors."""
        keys = ReadKeys(Streams(5), 2, 0)
        drawn = keys.normals(keys.of(0, 0), 1000, 2, 64)
        assert stats.kstest(drawn.ravel(), stats.norm.cdf).pvalue > 1e-4
        for several in (drawn, keys.normals(keys.of(1, 0), 32, 2, 2048).T):
            off = np.corrcoef(several.T)[np.triu_indices(64, 1)]
            assert np.abs(off).max() < Z / np.sqrt(len(several))
        other = keys.normals(keys.of(0, 1), 1000, 2, 64)
        assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < Z / np.sqrt(drawn.size)
