"""The CAM: integer equality when ideal, the circuit's currents otherwise, and noise that flips amplifiers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network
from scipy import stats

from rramsim.array.cam import CamSpec
from rramsim.array.network import WireSpec
from rramsim.device.base import DeviceSpec
from rramsim.device.faults import StuckSpec
from rramsim.device.noise import ReadNoiseSpec
from rramsim.device.statistics import ProgrammingSpec

LEAKY = DeviceSpec(g_min_siemens=2e-6, g_max_siemens=5e-5)
ROUGH = LEAKY.model_copy(
    update={"programming": ProgrammingSpec(law="lognormal", spread_log=0.3), "stuck": StuckSpec(on_fraction=0.02)}
)
WIRES = WireSpec(word_line_ohm=20.0, bit_line_ohm=35.0, driver_ohm=300.0, sense_ohm=150.0)


def search_drive(code, bits):
    """Volt per 1 V on each search line: of every pair, the line whose cells conduct where the stored bit differs."""
    drive = []
    for k in range(bits - 1, -1, -1):
        drive += [0.0, 1.0] if code >> k & 1 else [1.0, 0.0]
    return np.array(drive)


class TestIdeal:
    @pytest.mark.parametrize("bits", range(3, 9))
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    def test_every_code_finds_its_row_and_no_other(self, bits, device):
        words = np.arange(1 << bits)[::-1]
        cam = CamSpec(device=device).program(words, bits)
        codes = np.arange(1 << bits)
        found = cam.search(codes)
        assert_array_equal(found.table[found.ids], codes[:, None] == words[None, :])
        assert_array_equal(cam.fired, codes[:, None] == words[None, :])

    @given(st.integers(3, 8), st.lists(st.integers(0, 255), min_size=1, max_size=20), st.integers(1, 7))
    def test_any_words_in_any_order(self, bits, words, bank_rows):
        """Words may repeat and lack: one row fires for each equal word."""
        words = np.array(words) % (1 << bits)
        cam = CamSpec(bank_rows=bank_rows).program(words, bits)
        codes = np.arange(1 << bits)
        assert_array_equal(cam.fired, codes[:, None] == words[None, :])

    def test_currents_count_the_differing_bits(self):
        words, bits = np.arange(32), 5
        currents = CamSpec(device=LEAKY, read_volt=0.3).program(words, bits).match_currents()
        differing = np.array([[(one ^ other).bit_count() for other in words] for one in range(32)])
        assert_allclose(currents, 0.3 * (bits * 2e-6 + differing * 48e-6), rtol=1e-12)

    def test_a_narrow_window_still_works(self):
        cam = CamSpec(device=DeviceSpec(g_min_siemens=9e-6, g_max_siemens=1e-5)).program(np.arange(64), 6)
        assert_array_equal(cam.fired, np.eye(64, dtype=bool))


class TestCircuit:
    @pytest.mark.parametrize("bank_rows", [1, 3, 4, 8, 100])
    def test_match_currents_are_those_of_each_bank(self, bank_rows):
        bits, words = 3, np.arange(8)[::-1]
        spec = CamSpec(device=ROUGH, wires=WIRES, bank_rows=bank_rows, read_volt=0.3)
        cam = spec.program(words, bits, rng=4)
        currents = cam.match_currents()
        for code in range(8):
            expected = []
            for first in range(0, 8, bank_rows):
                # Search lines are driven at the first row of the bank; match lines end after the last search line.
                solution = network.solve(
                    cam.cells.g[first : first + bank_rows].T,
                    0.3 * search_drive(code, bits),
                    word_line_ohm=35.0,
                    bit_line_ohm=20.0,
                    driver_ohm=300.0,
                    sense_ohm=150.0,
                )
                expected += list(solution.currents)
            assert_allclose(currents[code], expected, rtol=1e-11)
            assert_array_equal(cam.fired[code], np.array(expected) < cam.reference_ampere)

    @pytest.mark.parametrize("bank_rows", [3, 8])
    def test_driven_rows_are_the_same_cells_the_other_way(self, bank_rows):
        cam = CamSpec(device=ROUGH, wires=WIRES, bank_rows=bank_rows).program(np.arange(8), 3, rng=4)
        expected = [
            network.transconductance(cam.cells.g[first : first + bank_rows], **WIRES.model_dump())
            for first in range(0, 8, bank_rows)
        ]
        assert_allclose(cam.driven_rows.transconductance, np.concatenate(expected), rtol=1e-11)

    def test_reference_is_midway(self):
        cam = CamSpec(device=LEAKY, read_volt=0.3).program(np.arange(8), 3)
        currents = np.unique(cam.match_currents().round(12))
        assert cam.reference_ampere == pytest.approx((currents[0] + currents[1]) / 2)

    def test_power_of_a_search(self):
        cam = CamSpec(device=ROUGH, read_volt=0.3).program(np.arange(8), 3, rng=1)
        for code in range(8):
            driven = search_drive(code, 3).astype(bool)
            assert cam.search_watt[code] == pytest.approx(0.09 * cam.cells.g[:, driven].sum())

    @pytest.mark.parametrize(
        ("on_ohm", "on_off", "ratios"),
        [
            (6e3, 150, [17.6, 1.07, 0.30, 0.01, 6.9, 13.0]),
            (6e3, 17, [2.8, 0.17, 0.05, 0.00, 1.3, 2.2]),
            (100e3, 10, [2.0, 1.4, 1.03, 0.45, 1.9, 2.0]),
            (250e3, 4, [1.33, 1.13, 0.97, 0.60, 1.30, 1.33]),
            (1e6, 100, [12.0, 11.5, 10.9, 9.3, 11.9, 12.0]),
        ],
    )
    def test_what_the_wires_do_to_nine_bits(self, on_ohm, on_off, ratios):
        """Worst current of one differing bit over the largest of a match; below 1 no reference separates the two.

        Figures of a second, independently written solver, to the digits given: no wires; 0.5, 1 and 3 ohm with all 512
        rows in one bank; 1 ohm with banks of 128 and of 64. Rows in descending order; driver and sense ends are as long
        as a segment.
        """
        device = DeviceSpec(g_min_siemens=1 / on_ohm / on_off, g_max_siemens=1 / on_ohm)
        words = np.arange(512)[::-1]
        differing = np.bitwise_count(np.arange(512)[:, None] ^ words[None, :])
        settings_of = [(0.0, 512), (0.5, 512), (1.0, 512), (3.0, 512), (1.0, 128), (1.0, 64)]
        for (ohm, bank_rows), ratio in zip(settings_of, ratios, strict=True):
            wires = WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, driver_ohm=ohm, sense_ohm=ohm)
            current = CamSpec(device=device, wires=wires, bank_rows=bank_rows).program(words, 9).match_currents()
            found = current[differing == 1].min() / current[differing == 0].max()
            assert found == pytest.approx(ratio, rel=0.03, abs=0.006)


class TestStuckCells:
    @pytest.mark.parametrize("bit", range(4))
    def test_stuck_on_kills_its_row_for_half_of_the_codes(self, bit):
        """A cell that always conducts discharges its row whenever its search line is driven."""
        cam = CamSpec(device=LEAKY).program(np.arange(16), 4)
        # Row 5, and of this pair the cell that should not conduct.
        stored = 5 >> (3 - bit) & 1
        cam.cells.g[5, 2 * bit + stored] = 5e-5
        expected = np.eye(16, dtype=bool)
        expected[5, 5] = False
        assert_array_equal(cam.fired, expected)

    @pytest.mark.parametrize("bit", range(4))
    def test_stuck_off_blinds_its_row_to_one_bit(self, bit):
        """Then the row fires for its neighbour in that bit as well."""
        cam = CamSpec(device=LEAKY).program(np.arange(16), 4)
        stored = 5 >> (3 - bit) & 1
        cam.cells.g[5, 2 * bit + 1 - stored] = 2e-6
        expected = np.eye(16, dtype=bool)
        expected[5 ^ (1 << (3 - bit)), 5] = True
        assert_array_equal(cam.fired, expected)


NOISY = DeviceSpec(g_min_siemens=4.2e-5, g_max_siemens=5e-5, read_noise=ReadNoiseSpec(relative=0.12))
"""States so near that they are often confused, and so far from 0 that no read is cut off there."""


def brute_force_search(cam, code, n_searches, seed):
    """How often each row fires (n_rows,) where every cell's noise is drawn anew, without wires."""
    normal = np.random.default_rng(seed).standard_normal((n_searches, *cam.cells.g.shape))
    conductance = cam.cells.g * (1 + cam.cells.spec.read_noise.relative * normal)
    current = conductance @ (cam.spec.read_volt * search_drive(code, cam.bits))
    return current < cam.reference_ampere


class TestNoise:
    def test_none_leaves_the_table_alone(self):
        cam = CamSpec(device=LEAKY).program(np.arange(8), 3)
        codes = np.array([3, 0, 3, 7])
        found = cam.search(codes, rng=1)
        assert_array_equal(found.ids, codes)
        assert_array_equal(found.table, cam.fired)

    def test_firing_rates_against_brute_force(self):
        """Two samples of 3000 searches for every code and row: 64 two-sample binomial tests.

        Each |z| below 4.5 (false alarm 64 * 7e-6 = 4e-4) and their squares' sum below its 1e-4 quantile.
        """
        n = 3000
        cam = CamSpec(device=NOISY).program(np.arange(8)[::-1], 3)
        found = cam.search(np.repeat(np.arange(8), n), rng=11)
        rate = found.table[found.ids].reshape(8, n, 8).mean(axis=1)
        expected = np.array([brute_force_search(cam, code, n, seed=code).mean(axis=0) for code in range(8)])
        both = (rate + expected) / 2
        assert np.minimum(both, 1 - both).min() > 0.01, "every amplifier must flip often enough to be counted"
        z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n)
        assert np.abs(z).max() < 4.5
        assert (z**2).sum() < stats.chi2.ppf(1 - 1e-4, 64)

    def test_amplifiers_are_independent(self):
        """Flips of two rows in one search: correlations below 4.5 / sqrt(n), 28 pairs, false alarm below 2e-4."""
        n = 4000
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        found = cam.search(np.full(n, 5), rng=3)
        correlation = np.corrcoef(found.table[found.ids].T)
        assert np.abs(correlation - np.eye(8)).max() < 4.5 / np.sqrt(n)

    def test_flip_statistics_through_wires(self):
        """The deviation of a match line follows from its sensitivities: chi-square at the false-alarm rate 1e-4."""
        n = 4000
        cam = CamSpec(device=NOISY, wires=WIRES, bank_rows=4).program(np.arange(8), 3)
        wires = {"word_line_ohm": 35.0, "bit_line_ohm": 20.0, "driver_ohm": 300.0, "sense_ohm": 150.0}
        code, drive = 6, 0.2 * search_drive(6, 3)
        found = cam.search(np.full(n, code), rng=5)
        fired = found.table[found.ids].sum(axis=0)
        banks = [cam.cells.g[k : k + 4].T for k in (0, 4)]
        t = np.concatenate([network.transconductance(bank, **wires) for bank in banks], axis=1)
        moved = [0.12 * bank * network.sensitivity(bank, drive, **wires) for bank in banks]
        deviation = np.concatenate([np.sqrt((each**2).sum(axis=(1, 2))) for each in moved])
        probability = stats.norm.cdf((cam.reference_ampere - drive @ t) / deviation)
        assert 0.005 < probability.min() < probability.max() < 0.995
        z2 = (fired - n * probability) ** 2 / (n * probability * (1 - probability))
        assert z2.sum() < stats.chi2.ppf(1 - 1e-4, 8)

    def test_fresh_for_every_search_and_repeatable(self):
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        codes = np.tile(np.arange(8), 50)
        one, again, other = cam.search(codes, 1), cam.search(codes, 1), cam.search(codes, 2)
        assert_array_equal(one.table[one.ids], again.table[again.ids])
        assert (one.table[one.ids] != other.table[other.ids]).any()
        by_code = one.table[one.ids].reshape(50, 8, 8)
        assert (by_code != by_code[0]).any()

    @settings(max_examples=20)
    @given(st.integers(0, 10**6), st.integers(0, 60))
    def test_sets_are_well_formed(self, seed, n):
        """Every id points into the table, whose first 2^bits sets are the noiseless answers."""
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        codes = np.random.default_rng(seed).integers(0, 8, n)
        found = cam.search(codes, rng=seed)
        assert found.ids.shape == (n,)
        assert_array_equal(found.table[:8], cam.fired)
        assert ((found.ids == codes) | (found.ids >= 8)).all()
        changed = found.ids >= 8
        assert (found.table[found.ids[changed]] != cam.fired[codes[changed]]).any(axis=1).all()
