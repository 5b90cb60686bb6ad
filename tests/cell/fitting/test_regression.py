"""Curves through means and spreads, and the analysis of variance: worked by hand, by SciPy, and on random numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from rramsim.cell.fitting.regression import components, fit_mean, fit_spread, ks_test, shared

X = np.linspace(0.2, 1.0, 9)


def variances(sigma, dof, seed=0):
    return sigma**2 * np.random.default_rng(seed).chisquare(dof, X.size) / dof


class TestFitSpread:
    @pytest.mark.parametrize("coefficients", [(0.1,), (0.1, 0.4), (0.1, 1.2, -1.0)])
    def test_exact_variances(self, coefficients):
        sigma = np.polynomial.polynomial.polyval(X, coefficients)
        fit = fit_spread(X, sigma**2, np.full(9, 1e6))
        assert_allclose(fit.coefficients, coefficients, rtol=1e-6)
        assert fit.deviance == pytest.approx(0, abs=1e-6)
        assert (fit.degree, fit.free) == (len(coefficients) - 1, 9 - len(coefficients))

    def test_a_constant_is_the_pooled_variance(self):
        """Maximum likelihood in closed form, with its error sigma / sqrt(2 dof)."""
        dof = np.arange(10.0, 100.0, 10.0)
        variance = variances(0.3, dof)
        fit = fit_spread(X, variance, dof, most=0)
        pooled = np.sqrt(np.sum(dof * variance) / dof.sum())
        assert_allclose(fit.coefficients, [pooled], rtol=1e-6)
        assert_allclose(fit.error(0.5), pooled / np.sqrt(2 * dof.sum()), rtol=1e-6)

    def test_known_part_and_factor(self):
        sigma = 0.1 + 0.4 * X
        fit = fit_spread(X, 0.05 + 3.0 * sigma**2, np.full(9, 1e6), base=0.05, scale=3.0)
        assert_allclose(fit.coefficients, (0.1, 0.4), rtol=1e-5)

    def test_the_known_part_is_all(self):
        assert fit_spread(X, variances(0.3, 50.0), np.full(9, 50.0), base=0.09) is None
        assert fit_spread(X, np.zeros(9), np.full(9, 50.0)) is None

    def test_never_negative(self):
        """A curve whose best polynomial is negative at one end, where the variance is known badly."""
        variance = np.array([1e-9, 1e-2, 0.2, 0.5, 0.9, 1.4, 2.0, 2.5, 3.1])
        fit = fit_spread(X, variance, np.full(9, 30.0))
        assert fit.at(np.linspace(0.2, 1.0, 1000)).min() > 0

    def test_deviance_is_chi_square(self):
        """400 tables of a right curve; Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        dof = np.full(9, 200.0)
        fits = [fit_spread(X, variances(0.1 + 0.4 * X, dof, seed), dof, most=1) for seed in range(400)]
        assert stats.kstest([fit.deviance for fit in fits], stats.chi2(7).cdf).pvalue > 1e-4
        z = [(fit.at(0.6) - 0.34) / fit.error(0.6) for fit in fits]
        assert abs(np.std(z) - 1) < 4.5 / np.sqrt(2 * 400)


class TestFitMean:
    def test_nothing(self):
        rng = np.random.default_rng(1)
        assert fit_mean(X, 0.01 * rng.standard_normal(9), np.full(9, 0.01), 900) is None
        assert fit_mean(X, np.zeros(9), np.zeros(9), 900) is None

    @pytest.mark.parametrize("coefficients", [(0.2,), (0.2, -0.5), (0.1, -0.5, 0.7)])
    def test_polynomials(self, coefficients):
        mean = np.polynomial.polynomial.polyval(X, coefficients)
        fit = fit_mean(X, mean, np.full(9, 1e-3), 900)
        assert_allclose(fit.coefficients, coefficients, rtol=1e-9)

    def test_errors_are_those_of_least_squares(self):
        mean, error = 0.2 - 0.5 * X, np.linspace(1e-3, 3e-3, 9)
        fit = fit_mean(X, mean, error, 900)
        design = np.column_stack([np.ones(9), X]) / error[:, None]
        assert_allclose(fit.covariance, np.linalg.inv(design.T @ design), rtol=1e-9)
        assert_allclose(fit.widened(4.0).error(X), 2 * fit.error(X))


class TestComponents:
    def test_by_hand(self):
        """Cells with the writes (1, 3), (4, 6, 8) and (9): means 2, 6, 9; n0 = (6 - 14 / 6) / 2 = 11 / 6."""
        y, cell = np.array([1.0, 3, 4, 6, 8, 9]), np.array([0, 0, 1, 1, 1, 2])
        parts = components(y, np.zeros(6, dtype=int), cell, 1)
        assert parts.mean[0] == pytest.approx(31 / 6)
        assert parts.within[0] == pytest.approx((2 + 8) / 3)
        grand = 31 / 6
        assert parts.between[0] == pytest.approx((2 * (2 - grand) ** 2 + 3 * (6 - grand) ** 2 + (9 - grand) ** 2) / 2)
        assert parts.size[0] == pytest.approx(11 / 6)
        assert parts.variance[0] == pytest.approx(y.var(ddof=1))
        assert_allclose(parts.average, [2, 6, 9])

    def test_levels_stay_apart(self):
        rng = np.random.default_rng(2)
        level, cell, y = rng.integers(0, 3, 300), rng.integers(0, 20, 300), rng.standard_normal(300)
        parts = components(y, level, cell, 3)
        for k in range(3):
            alone = components(y[level == k], np.zeros(np.sum(level == k), dtype=int), cell[level == k], 1)
            for name in ("within", "between", "size", "variance", "mean"):
                assert getattr(parts, name)[k] == pytest.approx(getattr(alone, name)[0], rel=1e-12)

    def test_f_test(self):
        """The ratio of the mean squares is the F of a one-way analysis of variance."""
        rng = np.random.default_rng(3)
        groups = [rng.standard_normal(n) for n in (4, 7, 5)]
        cell = np.repeat([0, 1, 2], [4, 7, 5])
        parts = components(np.concatenate(groups), np.zeros(16, dtype=int), cell, 1)
        assert parts.between[0] / parts.within[0] == pytest.approx(stats.f_oneway(*groups).statistic)

    def test_one_write_each(self):
        parts = components(np.arange(5.0), np.zeros(5, dtype=int), np.arange(5), 1)
        assert np.isnan(parts.within[0])
        assert parts.between[0] == pytest.approx(np.arange(5.0).var(ddof=1))


def test_what_levels_share():
    """500 cells at 6 levels with the correlation 0.5: |z| < 4.5, its error near sqrt(2 / 500)."""
    rng = np.random.default_rng(4)
    z = np.sqrt(0.5) * (rng.standard_normal((500, 1)) + rng.standard_normal((500, 6)))
    cell = np.repeat(np.arange(500), 6)
    correlation, levels = shared(z.ravel(), cell)
    assert abs(correlation - 0.5) < 4.5 * np.sqrt(2 / 500)
    assert levels == 6
    assert shared(z[:, 0], np.arange(500)) == (0.0, 1.0)


def test_ks_is_that_of_scipy():
    z = np.random.default_rng(5).standard_normal(200) * 1.1
    expected = stats.kstest(z, "norm")
    assert_allclose(ks_test(z, 200), (expected.statistic, expected.pvalue), rtol=1e-9)
