"""The look-up table: words when one row fires, added currents when several do, zero when none does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reference import network
from scipy import stats

from rramsim.array.cam import MatchSets
from rramsim.array.lut import LutSpec
from rramsim.array.network import WireSpec
from rramsim.device.base import DeviceSpec
from rramsim.device.noise import ReadNoiseSpec
from rramsim.device.statistics import ProgrammingSpec

LEAKY = DeviceSpec(g_min_siemens=5e-6, g_max_siemens=5e-5)
WIRES = WireSpec(word_line_ohm=30.0, bit_line_ohm=45.0, driver_ohm=3000.0, sense_ohm=500.0)


def drive(*sets, n_rows):
    """One read for every set of rows."""
    table = np.array([[row in rows for row in range(n_rows)] for rows in sets])
    return MatchSets(np.arange(len(sets)), table)


@given(st.integers(2, 16), st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=20))
def test_one_row_gives_its_word(bits, words):
    words = np.array(words) % (1 << bits)
    lut = LutSpec().program(words, bits)
    assert_array_equal(lut.read(drive(*[{row} for row in range(len(words))], n_rows=len(words))), words)


@pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
def test_no_row_gives_zero(device):
    lut = LutSpec(device=device).program([15, 15], 4)
    assert_array_equal(lut.read(drive(set(), n_rows=2)), [0])


def test_several_rows_add_their_currents():
    """With open off-cells the sum is a bitwise or; leakage of many rows reads as a one where none is stored."""
    words = [0b1000, 0b0100, 0b0110, 0b0000]
    sets = [{0, 1}, {1, 2}, {0, 2, 3}]
    assert_array_equal(LutSpec().program(words, 4).read(drive(*sets, n_rows=4)), [0b1100, 0b0110, 0b1110])
    leaky = LutSpec(device=LEAKY).program([0] * 7, 4)
    # Five off-cells carry 25 uS, six 30 uS; the reference is at 27.5 uS.
    assert_array_equal(leaky.read(drive(set(range(5)), set(range(6)), n_rows=7)), [0, 0b1111])


def test_sets_are_shared_by_id():
    lut = LutSpec().program([1, 2, 3], 2)
    assert_array_equal(lut.read(MatchSets(np.array([2, 0, 2]), np.eye(3, dtype=bool))), [3, 1, 3])


def test_bits_are_those_of_the_circuit():
    """Rough cells behind long lines, every set of rows: each bit is the comparison that the oracle's current makes."""
    device = LEAKY.model_copy(update={"programming": ProgrammingSpec(law="lognormal", spread_log=0.5)})
    words = np.array([9, 30, 17, 5])
    lut = LutSpec(device=device, wires=WIRES, read_volt=0.3).program(words, 5, rng=2)
    sets = [{row for row in range(4) if k >> row & 1} for k in range(16)]
    found = lut.read(drive(*sets, n_rows=4))
    expected = []
    for rows in sets:
        v = np.array([0.3 * (row in rows) for row in range(4)])
        bits = network.solve(lut.cells.g, v, **WIRES.model_dump()).currents > 0.3 * 27.5e-6
        expected.append(sum(2 ** (4 - k) for k in range(5) if bits[k]))
    assert_array_equal(found, expected)
    assert (found[[1, 2, 4, 8]] != words).any(), "a case in which the circuit makes mistakes"


def test_noise_flips_bits_as_often_as_brute_force():
    """Rate of ones of 5 columns in 4000 reads of rows {0, 2}; |z| < 4.5, false alarm below 4e-5."""
    n = 4000
    device = LEAKY.model_copy(update={"read_noise": ReadNoiseSpec(relative=0.5)})
    lut = LutSpec(device=device).program([0b10010, 0b11111, 0b00011], 5)
    rows = MatchSets(np.zeros(n, dtype=int), np.array([[True, False, True]]))
    words = lut.read(rows, rng=1)
    rate = (words[:, None] >> np.arange(4, -1, -1) & 1).mean(axis=0)
    normal = np.random.default_rng(2).standard_normal((n, 2, 5))
    current = (lut.cells.g[[0, 2]] * (1 + 0.5 * normal)).sum(axis=1)
    expected = (current > 27.5e-6).mean(axis=0)
    both = (rate + expected) / 2
    z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n + 1e-12)
    assert np.abs(z).max() < 4.5
    assert (both[[0, 3, 4]] > 0.7).all()
    mean, deviation = 55e-6, 0.5 * np.hypot(5e-6, 5e-5)
    assert rate[0] == pytest.approx(stats.norm.cdf((mean - 27.5e-6) / deviation), abs=4.5 * 0.5 / np.sqrt(n))


def test_noise_is_repeatable_and_fresh():
    device = LEAKY.model_copy(update={"read_noise": ReadNoiseSpec(relative=0.5)})
    lut = LutSpec(device=device).program([0b10010], 5)
    rows = MatchSets(np.zeros(100, dtype=int), np.array([[True]]))
    assert_array_equal(lut.read(rows, rng=1), lut.read(rows, rng=1))
    assert (lut.read(rows, rng=1) != lut.read(rows, rng=2)).any()
    assert len(np.unique(lut.read(rows, rng=1))) > 3
