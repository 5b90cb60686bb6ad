"""The replayed tables of an engine against the same tables followed one score at a time; and the law of its noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES
from scipy import stats

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec
from rramsim.cell.spread import LognormalSpreadSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.engine.softmax.replay import replay
from rramsim.fixed_point import FixedPointSpec
from rramsim.kernels.softmax import compare_rows, encode_scores, replay_softmax, weigh_words
from rramsim.kernels.tables import new_log

# Random numbers are words of 64 bits that overflow; without the compiler NumPy tells so.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")

ROUGH = DeviceSpec(g_min_siemens=4e-6, g_max_siemens=5e-5, programming=LognormalSpreadSpec(spread_log=0.25))
WIRES = WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=100.0, sense_ohm=50.0)
SMALL = FixedPointSpec(integer_bits=3, fraction_bits=1)
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rough": {"device": ROUGH, "wires": WIRES},
    "rough, digital": {"device": ROUGH, "wires": WIRES, "subtract": "cmos", "sum_by": "adder"},
    "converters": {"device": ROUGH, "sum_adc": SarAdcSpec(bits=4, full_scale_from="lossless")},
    "rows that do not fire": {
        "device": ROUGH.but({"stuck": StuckSpec(on_fraction=0.08)}),
        "sum_adc": SarAdcSpec(bits=4, full_scale_from="lossless"),
        "subtract": "cmos",
    },
    "small counters": {"counter_bits": 2, "device": ROUGH},
    "full counters": {"counter_bits": 2, "overflow": "saturate"},
    "two bits a cell": {"lut_cell_bits": 2, "device": ROUGH, "wires": WIRES},
}


def compiled(**changes):
    return SoftmaxSpec(format=SMALL, **changes).program(rng=3).table


class TestEncoding:
    @given(
        st.lists(st.floats(-100, 100, width=32) | st.just(-np.inf), min_size=1, max_size=40),
        st.integers(0, 5),
        st.integers(1, 6),
        st.booleans(),
        st.sampled_from([np.float32, np.float64]),
    )
    def test_rows_are_those_of_exact_arithmetic(self, scores, fraction_bits, integer_bits, masked, kind):
        bits = fraction_bits + integer_bits
        x = np.array(scores, kind)
        taken = np.arange(x.size) % 3 != 0 if masked else np.empty(0, bool)
        rows = np.empty(x.size, np.uint16)
        saturated, bad = encode_scores(x, taken, fraction_bits, bits, rows)
        expected, out, none = ORACLES[encode_scores](x, taken, fraction_bits, bits)
        assert_array_equal(rows, expected)
        assert (saturated, bad) == (out, none) == (out, 0)

    def test_ties_go_to_even(self):
        rows = np.empty(4, np.uint16)
        encode_scores(np.array([0.5, 1.5, -0.5, -1.5]), np.empty(0, bool), 0, 4, rows)
        assert_array_equal(7 - rows.astype(int), [0, 2, 0, -2])

    def test_what_is_no_score_is_counted_where_it_takes_part(self):
        x, rows = np.array([np.nan, np.inf, np.nan, 1.0], np.float32), np.empty(4, np.uint16)
        assert encode_scores(x, np.empty(0, bool), 1, 5, rows)[1] == 3
        assert encode_scores(x, np.array([True, False, False, True]), 1, 5, rows)[1] == 1


class TestTables:
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_words(self, variant):
        table = compiled(**VARIANTS[variant])
        weigh_words(table)
        assert_array_equal(table.word, [ORACLES[weigh_words](table, m) for m in range(table.word.size)])

    @pytest.mark.parametrize("variant", VARIANTS)
    def test_differences(self, variant):
        table = compiled(**VARIANTS[variant])
        for row in range(table.compiled.size):
            compare_rows(table, row)
            assert_array_equal(table.difference[row], ORACLES[compare_rows](table, row))

    @pytest.mark.parametrize("variant", VARIANTS)
    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def test_quotients(self, variant, data):
        table = compiled(**VARIANTS[variant])
        length = data.draw(st.integers(1, 12))
        rows = st.lists(st.integers(0, table.compiled.size), min_size=length, max_size=length)
        vectors = np.array(data.draw(st.lists(rows, min_size=1, max_size=3)), np.uint16)
        log = new_log(table, *vectors.shape, trace=False)
        quotients = replay(table, vectors.copy(), np.uint64(0), log)
        assert_allclose(quotients, ORACLES[replay_softmax](table, vectors), rtol=0, atol=0)
        n_active = (vectors < table.compiled.size).sum()
        assert log.maximum[1, :-1].sum() == n_active == log.score_searches.sum() == log.magnitude_searches.sum()

    def test_a_row_that_lacks_stops_the_replay_and_leaves_no_trace(self):
        table = compiled(sense=SenseSpec(noise=0.3), column_sense=SenseSpec(noise=0.3))
        vectors = np.random.default_rng(0).integers(0, 17, (50, 9)).astype(np.uint16)
        log = new_log(table, *vectors.shape, trace=False)
        first = replay(table, vectors.copy(), np.uint64(5), log)
        assert table.compiled.any()
        again = new_log(table, *vectors.shape, trace=False)
        assert_array_equal(replay(table, vectors.copy(), np.uint64(5), again), first)
        log.maximum[0, -1] = 0
        for one, other in zip(log, again, strict=True):
            assert_array_equal(one, other)


def test_flips_have_the_law_of_independent_amplifiers():
    """The number of rows that fire in a search, of a table whose rows flip with known probabilities."""
    cam = SoftmaxSpec(format=SMALL, sense=SenseSpec(noise=0.4)).program(rng=0).cam_sub
    n, code = 4000, 9
    fired = cam.apply(np.full(n, code), rng=1)
    table = cam.table(cam.driven_lines([code]))
    hazard = np.diff(table.near_hazard, prepend=0.0)
    flips = fired ^ (np.arange(16)[::-1] == code)
    n_flips = flips[:, table.near_row].sum(axis=0)
    for count, chance in zip(n_flips, -np.expm1(-hazard), strict=True):
        low, high = stats.binom.interval(1 - 1e-5, n, chance)
        assert low <= count <= high
    # Two amplifiers that flip often do so independently of each other.
    one, other = table.near_row[np.argsort(hazard)[-2:]]
    both, product = (flips[:, one] & flips[:, other]).mean(), flips[:, one].mean() * flips[:, other].mean()
    assert abs(both - product) < 5 * np.sqrt(product / n)
