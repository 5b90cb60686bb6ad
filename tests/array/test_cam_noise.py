"""Noise of a CAM: which rows can flip in a search, and how often they do."""

import math

import numpy as np
import pytest
from helpers.cams import LEAKY, NOISY, POOR, PRECHARGE, TURNED, WIRES, search_drive
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network
from scipy import stats

from rramsim.array.cam import CamSpec
from rramsim.array.sensing import SenseSpec
from rramsim.kernels.tables import REACH


def flip_probability(distance, deviation):
    return 0.5 * math.erfc(abs(distance) / deviation / math.sqrt(2))


SENSES = [
    {},
    {"noise": 0.2},
    {"reference": "fixed", "noise": 0.05, "offset_spread": 0.3},
    {"reference": "line", "noise": 0.02},
    {"noise": 0.1, **PRECHARGE},
]


class TestTable:
    @pytest.mark.parametrize("sense", SENSES)
    @pytest.mark.parametrize("device", [LEAKY, NOISY, POOR])
    @pytest.mark.parametrize("known_bits", [None, 2])
    def test_row_by_row(self, sense, device, known_bits):
        """Rows that fire, the first of them, those within reach of the noise, and their hazards."""
        cam = CamSpec(device=device, sense=SenseSpec(**sense), bank_rows=5).program(np.arange(16)[::-1], 4, rng=2)
        drive = cam.driven_lines(np.arange(16), known_bits)
        signal, deviation = cam.line_signals(drive)
        assert deviation.any() == (device is NOISY or "noise" in sense)
        table = cam.table(drive)
        assert len(table.start) == len(table.near_start) == 17
        assert (table.start[-1], table.near_start[-1]) == (len(table.row), len(table.near_row))
        for search in range(16):
            rows, near, hazards, total = [], [], [], 0.0
            for row in range(16):
                distance = signal[search, row] - cam.reference[row]
                if distance < 0:
                    rows.append(row)
                if abs(distance) < REACH * deviation[search, row]:
                    total -= math.log1p(-flip_probability(distance, deviation[search, row]))
                    near.append(row)
                    hazards.append(total)
            assert table.row[table.start[search] : table.start[search + 1]].tolist() == rows
            assert table.first[search] == min(rows, default=16)
            part = slice(table.near_start[search], table.near_start[search + 1])
            assert table.near_row[part].tolist() == near
            assert_allclose(table.near_hazard[part], hazards, rtol=1e-10, atol=1e-13)
            assert table.hazard[search] == pytest.approx(total, rel=1e-10, abs=1e-13)
            assert (np.diff(table.near_hazard[part]) >= 0).all()

    def test_types_are_those_of_the_kernels(self):
        table = CamSpec(device=NOISY).program(np.arange(8), 3, rng=0).table(np.eye(6))
        kinds = [each.dtype.name for each in table]
        assert kinds == ["int32", "int64", "int32", "int64", "int32", "float64", "float64"]
        quiet = CamSpec().program(np.arange(8), 3, rng=0).table(np.eye(6))
        assert [each.dtype.name for each in quiet] == kinds

    @given(st.integers(1, 400))
    @settings(max_examples=10)
    def test_does_not_depend_on_how_much_is_held_at_a_time(self, at_once):
        with pytest.MonkeyPatch.context() as patch:
            cam = CamSpec(device=NOISY, sense=SenseSpec(noise=0.1)).program(np.arange(16), 4, rng=0)
            drive = cam.driven_lines(np.arange(16))
            expected, joule = cam.table(drive), cam.search_joule(drive, 1e-9)
            patch.setattr("rramsim.array.cam.SIGNALS_AT_ONCE", at_once)
            for one, other in zip(cam.table(drive), expected, strict=True):
                assert_allclose(one, other, rtol=1e-10, atol=1e-13)
            assert_allclose(cam.search_joule(drive, 1e-9), joule, rtol=1e-12)


def brute_force_search(cam, code, n_searches, seed):
    """How often each row fires (n_rows,) where every cell's noise is drawn anew, without wires."""
    normal = np.random.default_rng(seed).standard_normal((n_searches, *cam.cells.g.shape))
    conductance = cam.cells.g * (1 + cam.cells.spec.read_noise.relative_deviation * normal)
    current = conductance @ (cam.spec.read_volt * search_drive(code, cam.bits))
    return current < cam.reference


class TestNoise:
    def test_none_leaves_the_table_alone(self):
        cam = CamSpec(device=LEAKY).program(np.arange(8), 3, rng=0)
        codes = np.array([3, 0, 3, 7])
        assert_array_equal(cam.apply(codes, rng=1), cam.fired[codes])

    @pytest.mark.parametrize("sense", [{"noise": 0.4}, {"reference": "fixed", "noise": 0.5, "offset_spread": 0.3}])
    @pytest.mark.parametrize("device", [LEAKY, NOISY])
    def test_rows_flip_with_the_probability_of_the_normal_law(self, sense, device):
        """4000 searches for every code: 64 binomial numbers.

        Those of probabilities between 0.5 and 99.5 %: squares' sum below its 1e-4 quantile. All others, at the same
        false-alarm rate: within the two-sided binomial bounds at 1e-4 / 64 each.
        """
        n = 4000
        cam = CamSpec(device=device, sense=SenseSpec(**sense)).program(np.arange(8)[::-1], 3, rng=1)
        fired = cam.apply(np.repeat(np.arange(8), n), rng=8).reshape(8, n, 8).sum(axis=1)
        current, cells = cam.line_currents(cam.driven_lines(np.arange(8)))
        deviation = np.sqrt(cells**2 + (sense["noise"] * 0.2 * device.window_siemens) ** 2)
        p = stats.norm.cdf((cam.reference - current) / deviation)
        often = (p > 0.005) & (p < 0.995)
        assert often.sum() > 20
        z2 = (fired - n * p)[often] ** 2 / (n * p * (1 - p))[often]
        assert z2.sum() < stats.chi2.ppf(1 - 1e-4, often.sum())
        tail = 1e-4 / 64 / 2
        assert (fired[~often] >= stats.binom.ppf(tail, n, p[~often])).all()
        assert (fired[~often] <= stats.binom.isf(tail, n, p[~often])).all()

    def test_precharged_lines_as_well(self):
        """20000 searches for one code: chi-square of 8 rows at the false-alarm rate 1e-4."""
        n = 20000
        cam = CamSpec(device=LEAKY, sense=SenseSpec(noise=0.3, **PRECHARGE)).program(np.arange(8), 3, rng=0)
        fired = cam.apply(np.full(n, 6), rng=2).sum(axis=0)
        differing = np.array([(6 ^ word).bit_count() for word in range(8)])
        lost = 0.4 * (1 - np.exp(-cam.strobe_second * (3 * 2e-6 + differing * 48e-6) / 17e-15))
        p = stats.norm.cdf((cam.reference - lost) / (0.3 * 0.4))
        assert 0.01 < p.min() < p.max() < 0.99
        assert ((fired - n * p) ** 2 / (n * p * (1 - p))).sum() < stats.chi2.ppf(1 - 1e-4, 8)

    def test_firing_rates_against_brute_force(self):
        """Two samples of 3000 searches for every code and row: 64 two-sample binomial tests.

        Each |z| below 4.5 (false alarm 64 * 7e-6 = 4e-4) and their squares' sum below its 1e-4 quantile.
        """
        n = 3000
        cam = CamSpec(device=NOISY).program(np.arange(8)[::-1], 3, rng=0)
        rate = cam.apply(np.repeat(np.arange(8), n), rng=11).reshape(8, n, 8).mean(axis=1)
        expected = np.array([brute_force_search(cam, code, n, seed=code).mean(axis=0) for code in range(8)])
        both = (rate + expected) / 2
        assert np.minimum(both, 1 - both).min() > 0.01, "every amplifier must flip often enough to be counted"
        z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n)
        assert np.abs(z).max() < 4.5
        assert (z**2).sum() < stats.chi2.ppf(1 - 1e-4, 64)

    def test_amplifiers_are_independent(self):
        """Flips of two rows in one search: correlations below 4.5 / sqrt(n), 28 pairs, false alarm below 2e-4."""
        n = 4000
        cam = CamSpec(device=NOISY).program(np.arange(8), 3, rng=0)
        correlation = np.corrcoef(cam.apply(np.full(n, 5), rng=3).T)
        assert np.abs(correlation - np.eye(8)).max() < 4.5 / np.sqrt(n)

    def test_searches_are_independent(self):
        """One row in one search and the next: correlations below 4.5 / sqrt(n), 8 rows, false alarm below 6e-5."""
        n = 4000
        fired = CamSpec(device=NOISY).program(np.arange(8), 3, rng=0).apply(np.full(n, 5), rng=4).astype(float)
        for row in range(8):
            assert abs(np.corrcoef(fired[:-1, row], fired[1:, row])[0, 1]) < 4.5 / np.sqrt(n)

    def test_flip_statistics_through_wires(self):
        """The deviation of a match line follows from its sensitivities: chi-square at the false-alarm rate 1e-4."""
        n = 4000
        cam = CamSpec(device=NOISY, wires=WIRES, bank_rows=4).program(np.arange(8), 3, rng=0)
        code, drive = 6, 0.2 * search_drive(6, 3)
        fired = cam.apply(np.full(n, code), rng=5).sum(axis=0)
        banks = [cam.cells.g[k : k + 4].T for k in (0, 4)]
        t = np.concatenate([network.transconductance(bank, **TURNED) for bank in banks], axis=1)
        moved = [0.12 * bank * network.sensitivity(bank, drive, **TURNED) for bank in banks]
        deviation = np.concatenate([np.sqrt((each**2).sum(axis=(1, 2))) for each in moved])
        probability = stats.norm.cdf((cam.reference - drive @ t) / deviation)
        assert 0.005 < probability.min() < probability.max() < 0.995
        z2 = (fired - n * probability) ** 2 / (n * probability * (1 - probability))
        assert z2.sum() < stats.chi2.ppf(1 - 1e-4, 8)

    def test_fresh_for_every_search_and_repeatable(self):
        cam = CamSpec(device=NOISY).program(np.arange(8), 3, rng=0)
        codes = np.tile(np.arange(8), 50)
        one, again, other = cam.apply(codes, rng=1), cam.apply(codes, rng=1), cam.apply(codes, rng=2)
        assert_array_equal(one, again)
        assert (one != other).any()
        by_code = one.reshape(50, 8, 8)
        assert (by_code != by_code[0]).any()

    def test_a_search_does_not_depend_on_those_behind_it(self):
        cam = CamSpec(device=NOISY).program(np.arange(8), 3, rng=0)
        codes = np.random.default_rng(1).integers(0, 8, 200)
        assert_array_equal(cam.apply(codes, rng=1)[:70], cam.apply(codes[:70], rng=1))

    def test_nothing_flips_that_is_out_of_reach(self):
        """A row further from its reference than REACH deviations decides as without noise; the others do not all."""
        cam = CamSpec(device=LEAKY, sense=SenseSpec(noise=0.15)).program(np.arange(16), 4, rng=0)
        codes = np.tile(np.arange(16), 500)
        table, fired = cam.table(cam.driven_lines(np.arange(16))), cam.apply(codes, rng=3)
        near = np.zeros((16, 16), dtype=bool)
        near[np.repeat(np.arange(16), np.diff(table.near_start)), table.near_row] = True
        assert 0 < near.sum() < near.size
        changed = (fired != cam.fired[codes]).reshape(500, 16, 16).any(axis=0)
        assert changed.any()
        assert not (changed & ~near).any()
