"""Noise of cells and amplifiers in the look-up table: how often it flips digits."""

import math

import numpy as np
import pytest
from helpers.luts import LEAKY, ROUGH
from numpy.testing import assert_array_equal
from scipy import stats

from rramsim.array.lut import LutSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.words import word_digits
from rramsim.cell.noise import ReadNoiseSpec


class TestNoise:
    def test_flips_bits_as_often_as_brute_force(self):
        """Rate of ones of 5 columns in 4000 reads of rows {0, 2}; |z| < 4.5, false alarm below 4e-5."""
        n = 4000
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=0.2)})
        lut = LutSpec(device=device, sense=SenseSpec(reference="fixed", noise=0.3)).program([18, 31, 3], 5, rng=0)
        words = lut.apply(np.tile([True, False, True], (n, 1)), rng=1)
        rate = (words[:, None] >> np.arange(4, -1, -1) & 1).mean(axis=0)
        rng = np.random.default_rng(2)
        cells = np.maximum(lut.cells.g[[0, 2]] * (1 + 0.2 * rng.standard_normal((n, 2, 5))), 0.0)
        current = cells.sum(axis=1) + 0.3 * 45e-6 * rng.standard_normal((n, 5))
        expected = (current > 27.5e-6).mean(axis=0)
        both = (rate + expected) / 2
        assert np.minimum(both, 1 - both).max() > 0.05
        z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n + 1e-12)
        assert np.abs(z).max() < 4.5

    @pytest.mark.parametrize("relative", [0.0, 0.1])
    def test_binary_digits_flip_with_the_probability_of_the_normal_law(self, relative):
        """8000 reads of each of 4 rows, 4 columns: chi-square of 16 binomial numbers, false alarm 1e-4."""
        n, device = 8000, LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=relative)})
        sense = SenseSpec(reference="fixed", noise=0.3, offset_spread=0.1)
        lut = LutSpec(device=device, sense=sense).program([0b0110, 0b1111, 0b0000, 0b1010], 4, rng=1)
        words = lut.apply(np.repeat(np.eye(4, dtype=bool), n, axis=0), rng=6)
        ones = word_digits(words, 4).reshape(4, n, 4).sum(axis=1)
        deviation = 0.2 * np.hypot(relative * lut.cells.g, 0.3 * 45e-6)
        references = 0.2 * (27.5e-6 + lut.offset[:, 0] * 45e-6)
        p = stats.norm.sf((references - 0.2 * lut.cells.g) / deviation)
        assert 0.005 < p.min() < p.max() < 0.995
        assert ((ones - n * p) ** 2 / (n * p * (1 - p))).sum() < stats.chi2.ppf(1 - 1e-4, 16)

    def test_wider_digits_fall_into_the_intervals_of_the_normal_law(self):
        """20000 reads of each digit, 4 outcomes: chi-square of 4 x 3 degrees of freedom, false alarm 1e-4."""
        n = 20000
        lut = LutSpec(device=LEAKY, cell_bits=2, sense=SenseSpec(noise=0.15)).program(np.arange(4), 2, rng=0)
        read = lut.apply(np.repeat(np.eye(4, dtype=bool), n, axis=0), rng=6).reshape(4, n)
        counts = np.array([np.bincount(each, minlength=4) for each in read])
        # In steps of the digits, references are at 0.5, 1.5 and 2.5; the noise is 0.45.
        below = stats.norm.cdf((np.array([0.5, 1.5, 2.5]) - np.arange(4)[:, None]) / 0.45)
        expected = n * np.diff(below, axis=1, prepend=0.0, append=1.0)
        frequent = expected > 5
        chi2 = ((counts - expected) ** 2 / expected)[frequent].sum()
        assert chi2 < stats.chi2.ppf(1 - 1e-4, 12)
        assert counts[~frequent].sum() <= stats.poisson.isf(1e-4, expected[~frequent].sum())

    def test_noise_of_the_amplifiers_needs_no_row(self):
        """10000 reads of none: a column exceeds its reference at 27.5 / (0.3 x 45) = 2.04 deviations; 4.5 sigma."""
        lut, n = LutSpec(device=LEAKY, sense=SenseSpec(noise=0.3)).program([0, 1], 1, rng=0), 10000
        ones, p = lut.apply(np.zeros((n, 2), dtype=bool), rng=1).sum(), stats.norm.sf(27.5 / 13.5)
        assert abs(ones - n * p) < 4.5 * math.sqrt(n * p * (1 - p))

    def test_columns_are_independent(self):
        """Correlations below 4.5 / sqrt(n), 10 pairs, false alarm below 7e-5."""
        n = 4000
        lut = LutSpec(device=LEAKY, sense=SenseSpec(noise=0.5)).program([0b10110, 0b01001], 5, rng=0)
        digits = word_digits(lut.apply(np.tile([True, False], (n, 1)), rng=2), 5)
        assert np.abs(np.corrcoef(digits.T) - np.eye(5)).max() < 4.5 / math.sqrt(n)

    def test_none_is_none(self):
        rows = np.eye(8, dtype=bool)
        lut = LutSpec(device=ROUGH).program(np.arange(8), 3, rng=1)
        assert_array_equal(lut.apply(rows, rng=1), lut.apply(rows, rng=2))

    def test_is_repeatable_and_fresh(self):
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=0.5)})
        lut, rows = LutSpec(device=device).program([0b10010, 0], 5, rng=0), np.tile([True, False], (100, 1))
        assert_array_equal(lut.apply(rows, rng=1), lut.apply(rows, rng=1))
        assert (lut.apply(rows, rng=1) != lut.apply(rows, rng=2)).any()
        assert len(np.unique(lut.apply(rows, rng=1))) > 3
