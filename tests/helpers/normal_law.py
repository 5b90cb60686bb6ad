"""Whether numbers follow the standard normal law; each check fails falsely with the probability 1e-4 or less."""

import numpy as np
from scipy import stats

__all__ = ["assert_moments_and_distribution", "assert_tails"]


def assert_moments_and_distribution(numbers):
    """Kolmogorov-Smirnov at 1e-4; |z| < 4.5 for the first four moments, 7e-6 each."""
    values = numbers.ravel().astype(np.float64)
    assert stats.kstest(values, "norm").pvalue > 1e-4
    for power, mean, deviation in [(1, 0, 1), (2, 1, np.sqrt(2)), (3, 0, np.sqrt(15)), (4, 3, np.sqrt(96))]:
        assert abs(np.mean(values**power) - mean) < 4.5 * deviation / np.sqrt(values.size)


def assert_tails(numbers, limit):
    """Numbers beyond the limit on either side: Poisson, |z| < 4.5."""
    expected = 2 * stats.norm.sf(limit) * numbers.size
    assert abs((np.abs(numbers) > limit).sum() - expected) < 4.5 * np.sqrt(expected)
