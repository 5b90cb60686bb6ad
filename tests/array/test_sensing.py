"""Sense amplifiers: references that make the fewest wrong decisions, the time of the strobe, and what is refused."""

import math
from itertools import pairwise

import numpy as np
import pytest
from helpers.decisions import wrong_decisions
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.optimize import minimize_scalar

import rramsim as rs
from rramsim.array.sensing import SenseSpec, best_reference

FEW = st.lists(st.integers(0, 12), min_size=1, max_size=8)
"""So few different values that many are equal."""
SHARES = st.floats(0.05, 0.95)


def every_gap(low, high):
    """(wrong decisions, width, lower end) of every gap between two different values, from below."""
    values = sorted({*low, *high})
    return [(wrong_decisions(low, high, (a + b) / 2), b - a, a) for a, b in pairwise(values)]


class TestBestReference:
    @given(FEW, FEW, SHARES)
    def test_is_in_the_best_of_all_gaps(self, low, high, share):
        """Brute force: of the gaps with the fewest wrong decisions the widest, and of those the lowest."""
        reference = best_reference(np.array(low, dtype=float), np.array(high, dtype=float), share)
        gaps = every_gap(low, high)
        if not gaps:
            assert reference == low[0]
            return
        fewest = min(wrong for wrong, _, _ in gaps)
        widest = max(width for wrong, width, _ in gaps if wrong == fewest)
        lower = min(at for wrong, width, at in gaps if (wrong, width) == (fewest, widest))
        assert reference == pytest.approx(lower + share * widest, rel=1e-15)
        assert wrong_decisions(low, high, reference) == fewest

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.lists(st.floats(2, 3), min_size=1, max_size=30))
    def test_signals_that_can_be_told_apart_are(self, low, high):
        reference = best_reference(np.array(low), np.array(high), 0.5)
        assert max(low) < reference < min(high)
        assert reference == pytest.approx((max(low) + min(high)) / 2, rel=1e-15)

    @given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
    def test_no_number_does_better_in_clouds_that_overlap(self, seed, n_low, n_high):
        """As few wrong decisions as by any number between the smallest and the largest signal."""
        rng = np.random.default_rng(seed)
        low, high = rng.normal(0.0, 1.0, n_low), rng.normal(rng.uniform(0, 3), rng.uniform(0.1, 2), n_high)
        wrong = wrong_decisions(low, high, best_reference(low, high, 0.5))
        ends = min(low.min(), high.min()), max(low.max(), high.max())
        inside = rng.uniform(*ends, 200)
        assert wrong <= min(wrong_decisions(low, high, x) for x in inside)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
    def test_share_is_the_place_in_the_gap(self, share):
        reference = best_reference(np.array([1.0, 0.5]), np.array([3.0, 8.0]), share)
        assert reference == pytest.approx(1.0 + 2.0 * share, rel=1e-15)

    def test_of_gaps_that_are_as_good_the_widest_counts(self):
        """One low signal among the high ones: 1 wrong in the gaps from 1 to 2, and from 5 to 9 alike."""
        low, high = np.array([0.0, 1.0, 5.0]), np.array([2.0, 9.0, 10.0])
        assert [wrong for wrong, _, _ in every_gap(low, high)] == [2, 1, 2, 1, 2]
        assert best_reference(low, high, 0.5) == 7.0

    def test_of_equal_gaps_the_lowest_counts(self):
        assert best_reference(np.array([0.0, 4.0]), np.array([2.0, 6.0]), 0.5) == 1.0

    def test_equal_signals_fall_on_the_same_side(self):
        """No reference lies between two equal numbers, however many wrong decisions that would save."""
        low, high = np.array([1.0, 1.0, 1.0, 2.0]), np.array([2.0, 2.0, 2.5])
        assert best_reference(low, high, 0.5) == 1.5
        assert best_reference(low, high[:1], 0.5) == 1.5

    def test_without_any_gap_it_is_the_signal(self):
        assert best_reference(np.full(3, 7.0), np.full(2, 7.0), 0.3) == 7.0

    @given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), SHARES)
    def test_each_set_of_signals_has_its_own(self, seed, n_low, n_high, share):
        rng = np.random.default_rng(seed)
        low, high = rng.integers(0, 9, (2, 3, n_low)) / 4, rng.integers(0, 12, (2, 3, n_high)) / 4
        reference = best_reference(low, high, share)
        assert reference.shape == (2, 3)
        assert_array_equal(
            reference, [[best_reference(low[i, j], high[i, j], share) for j in range(3)] for i in range(2)]
        )

    @given(FEW, FEW, st.randoms(use_true_random=False))
    def test_order_does_not_matter(self, low, high, random):
        one = best_reference(np.array(low, dtype=float), np.array(high, dtype=float), 0.5)
        random.shuffle(low)
        random.shuffle(high)
        assert one == best_reference(np.array(low, dtype=float), np.array(high, dtype=float), 0.5)


class TestStrobe:
    @given(st.floats(1e-16, 1e-11), st.floats(1e-9, 1e-3), st.floats(1.01, 1e4))
    def test_is_where_the_two_decays_are_furthest_apart(self, farad, match, ratio):
        """The slopes of the decays are equal there, and a search by numbers finds no larger difference."""
        slow, fast = match / farad, ratio * match / farad
        second = SenseSpec().strobe(farad, match, ratio * match)
        assert slow * math.exp(-slow * second) == pytest.approx(fast * math.exp(-fast * second), rel=1e-9)

        def lead(x):
            """In units of the fast time constant."""
            return math.exp(-x / ratio) - math.exp(-x)

        best = minimize_scalar(lambda x: -lead(x), bounds=(0.0, 2.0 * math.log(ratio) + 2.0), method="bounded")
        assert lead(second * fast) >= -best.fun * (1 - 1e-12)
        assert second * fast == pytest.approx(best.x, rel=1e-3)

    def test_a_line_without_leakage_has_lost_99_percent(self):
        farad, miss = 20e-15, 1e-5
        second = SenseSpec().strobe(farad, 0.0, miss)
        assert second == pytest.approx(5 * farad / miss)
        assert 1 - math.exp(-second * miss / farad) > 0.99

    @pytest.mark.parametrize("match", [1e-5, 2e-5])
    def test_where_the_two_cannot_be_told_apart_as_well(self, match):
        assert SenseSpec().strobe(20e-15, match, 1e-5) == pytest.approx(5 * 20e-15 / 1e-5)

    @given(st.floats(1e-12, 1e-6), st.floats(0, 1e-4))
    def test_a_given_time_is_taken(self, second, match):
        assert SenseSpec(strobe_second=second).strobe(1e-14, match, 1e-5) == second


class TestSpec:
    def test_default_is_found_on_the_written_array(self):
        spec = rs.SenseSpec()
        assert spec == SenseSpec(kind="current", reference="global", reference_share=0.5, offset_spread=0.0, noise=0.0)
        assert spec.strobe_second is None

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"kind": "voltage"}, "kind: got 'voltage'; it is one of 'current' or 'precharge'"),
            ({"reference": "row"}, "reference: got 'row'; it is one of 'fixed', 'global' or 'line'"),
            ({"reference_share": 0.0}, r"share: got 0.0; it is above 0\. Where the reference lies"),
            ({"reference_share": 1.0}, "share: got 1.0; it is below 1"),
            ({"offset_spread": -0.1}, "offset_spread: got -0.1; it is at least 0"),
            ({"noise": -1.0}, "noise: got -1.0; it is at least 0"),
            ({"noise": math.inf}, "noise: got inf; it is a finite number"),
            ({"precharge_volt": 0.0}, r"precharge_volt: got 0.0; it is above 0\. Voltage of a charged match line"),
            ({"cell_farad": 0.0}, "cell_farad: got 0.0; it is above 0"),
            ({"mux_farad": -1e-15}, "mux_farad: got -1e-15; it is at least 0"),
            ({"strobe_second": 0.0}, "strobe_second: got 0.0; it is above 0"),
            ({"offset": 0.1}, "offset: unknown key"),
        ],
    )
    def test_refused(self, fields, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            SenseSpec(**fields)
