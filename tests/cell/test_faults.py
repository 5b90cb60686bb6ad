"""Stuck cells, dead lines and wear: polarity, counts, independence and correlation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import EnduranceSpec, StuckSpec
from rramsim.errors import SpecError

ON, OFF, MIDDLE = 1e-4, 1e-6, 4e-5


def written(shape=20000, seed=1, **fractions):
    spec = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON, stuck=StuckSpec(**fractions))
    return spec.program(np.full(shape, MIDDLE), rng=seed).g


def test_polarity():
    """Stuck on is the low-resistance state: the highest conductance."""
    assert_array_equal(written(on_fraction=1.0), np.full(20000, ON))
    assert_array_equal(written(off_fraction=1.0), np.full(20000, OFF))


@pytest.mark.parametrize(("on", "off"), [(0.01, 0.0), (0.0, 0.01), (0.2, 0.05), (0.5, 0.5), (1e-4, 0.9)])
def test_counts(on, off):
    """Both counts within the central 1 - 1e-5 of their binomial distributions: false alarm below 1e-4 in all."""
    g = written(on_fraction=on, off_fraction=off)
    for state, share in ((ON, on), (OFF, off), (MIDDLE, 1 - on - off)):
        low, high = stats.binom.interval(1 - 1e-5, g.size, share)
        assert low <= (g == state).sum() <= high
    assert set(np.unique(g)) <= {ON, OFF, MIDDLE}


def test_cells_are_hit_independently():
    """Neighbours along both axes: |r| < 4.5 / sqrt(n), false alarm below 2e-5."""
    hit = written((150, 150), on_fraction=0.2) == ON
    for one, other in [(hit[1:], hit[:-1]), (hit[:, 1:], hit[:, :-1])]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(one.size)


def test_more_faults_keep_the_old_ones():
    """One seed with a larger share: sweeps over the share compare chips that differ in nothing else."""
    few, many = written(on_fraction=0.05), written(on_fraction=0.1)
    assert ((few == ON) <= (many == ON)).all()
    few, many = written(off_fraction=0.05), written(off_fraction=0.1)
    assert ((few == OFF) <= (many == OFF)).all()


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**6))
def test_any_shares(on, off, seed):
    if on + off > 1:
        with pytest.raises(SpecError, match="a cell is stuck at one state only"):
            StuckSpec(on_fraction=on, off_fraction=off)
        return
    g = written(40, seed, on_fraction=on, off_fraction=off)
    assert set(np.unique(g)) <= {ON, OFF, MIDDLE}


def test_none():
    assert StuckSpec().ideal
    assert not StuckSpec(off_fraction=0.1).ideal
    assert_array_equal(written(), np.full(20000, MIDDLE))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, "1 %", float("nan")])
@pytest.mark.parametrize("field", ["on_fraction", "off_fraction"])
def test_bad_share(field, wrong):
    with pytest.raises(SpecError, match=field):
        StuckSpec(**{field: wrong})


LINES = {"dead_row_fraction": 0.1, "dead_column_fraction": 0.2}


class TestFrozen:
    def test_somewhere_in_its_range(self):
        """Uniform by Kolmogorov-Smirnov; the share binomial; without a range, in the window."""
        for span in (None, (2e-5, 3e-5)):
            spec = DeviceSpec(
                g_min_siemens=OFF, g_max_siemens=ON, stuck={"frozen_fraction": 0.3, "frozen_siemens": span}
            )
            cells = spec.program(np.full(20000, MIDDLE), rng=1)
            low, high = span or (OFF, ON)
            frozen = cells.g[cells.held]
            assert abs(frozen.size / 20000 - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / 20000)
            assert stats.kstest((frozen - low) / (high - low), stats.uniform.cdf).pvalue > 1e-4
            assert (cells.g[~cells.held] == MIDDLE).all()

    def test_beside_the_others(self):
        """All three shares at once, which together are all cells."""
        g = written(on_fraction=0.2, off_fraction=0.3, frozen_fraction=0.5)
        for count, share in (((g == ON).sum(), 0.2), ((g == OFF).sum(), 0.3)):
            low, high = stats.binom.interval(1 - 1e-5, g.size, share)
            assert low <= count <= high
        assert not (g == MIDDLE).any()

    def test_shares_that_add_up_to_1_but_for_rounding(self):
        """Their sum is above 1 in floating point."""
        assert 0.33 + 0.56 + 0.11 > 1
        assert not (written(on_fraction=0.33, off_fraction=0.56, frozen_fraction=0.11) == MIDDLE).any()


class TestClusters:
    @pytest.mark.parametrize("shares", [(0.02, 0.0, 0.0), (0.05, 0.1, 0.0), (0.1, 0.02, 0.1)])
    def test_shares_stay_the_same(self, shares):
        """Maps of 30 seeds: the mean share of each state against its own scatter, |t| < 5.5 (29 degrees of freedom)."""
        on, off, frozen = shares
        stuck = {"on_fraction": on, "off_fraction": off, "frozen_fraction": frozen, "cluster_cells": 1.5}
        maps = np.array([written((60, 60), seed, **stuck) for seed in range(30)])
        for hit, share in ((maps == ON, on), (maps == OFF, off), (maps != MIDDLE, on + off + frozen)):
            each = hit.mean(axis=(1, 2))
            if share:
                assert abs(each.mean() - share) < 5.5 * each.std(ddof=1) / np.sqrt(30)
            else:
                assert not each.any()

    @pytest.mark.parametrize("length", [1.0, 2.5])
    def test_correlation(self, length):
        """Neighbours at distance d are both hit with the chance of a binormal pair of correlation exp(-d^2 / 4 s^2).

        Joint counts of 40 maps against their own scatter, along both axes and the diagonal, |t| < 5.
        """
        share, size = 0.1, 64
        maps = [written((size, size), k, on_fraction=share, cluster_cells=length) == ON for k in range(40)]
        cut = stats.norm.ppf(share)
        for rows, columns in ((1, 0), (0, 1), (2, 0), (0, 3), (2, 2)):
            r = np.exp(-(rows**2 + columns**2) / (4 * length**2))
            expected = stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([cut, cut])
            # The map wraps around, so every pair counts.
            both = np.array([(hit & np.roll(hit, (rows, columns), (0, 1))).mean() for hit in maps])
            assert abs(both.mean() - expected) < 5 * both.std(ddof=1) / np.sqrt(40) + 2e-3 * expected
            assert both.mean() > 1.15 * share**2 or r < 0.05

    def test_without_a_length_there_is_no_correlation(self):
        """Join counts of the independent map: binomial of pairs, |z| < 4.5."""
        hit = written((200, 200), on_fraction=0.1) == ON
        both = (hit & np.roll(hit, 1, 0)).mean()
        assert abs(both - 0.01) < 4.5 * np.sqrt(0.01 * 0.99 / hit.size) * 1.2

    def test_every_array_has_a_map_of_its_own(self):
        """Only rows and columns are smoothed: maps along a leading axis have nothing in common."""
        hit = written((400, 12, 12), on_fraction=0.2, cluster_cells=2.0) == ON
        centre = hit[:, 6, 6].astype(float)
        assert abs(np.corrcoef(centre[1:], centre[:-1])[0, 1]) < 4.5 / np.sqrt(399)
        assert np.corrcoef(centre, hit[:, 6, 7])[0, 1] > 0.5

    @pytest.mark.parametrize("shape", [(), (1,), (40,), (1, 1), (3, 1), (2, 3, 4), (0, 4)])
    @pytest.mark.parametrize("length", [0.0, 0.3, 50.0])
    def test_any_shape(self, shape, length):
        g = written(shape, on_fraction=0.5, off_fraction=0.5, cluster_cells=length)
        assert g.shape == shape
        assert set(np.unique(g)) <= {ON, OFF}

    def test_more_faults_keep_the_old_ones(self):
        few, many = (written((50, 50), on_fraction=share, cluster_cells=2.0) for share in (0.05, 0.1))
        assert ((few == ON) <= (many == ON)).all()
        assert (few == ON).any()


class TestDeadLines:
    def test_whole_rows_and_columns(self):
        g = written((300, 200), **LINES)
        dead = g == 0
        rows, columns = dead.all(axis=1), dead.all(axis=0)
        assert_array_equal(dead, rows[:, None] | columns)
        assert abs(rows.mean() - 0.1) < 4.5 * np.sqrt(0.09 / 300)
        assert abs(columns.mean() - 0.2) < 4.5 * np.sqrt(0.16 / 200)
        assert (g[~dead] == MIDDLE).all()

    def test_each_array_has_its_own(self):
        dead = written((50, 20, 30), dead_row_fraction=0.3) == 0
        rows = dead.all(axis=2)
        assert_array_equal(dead, np.broadcast_to(rows[..., None], dead.shape))
        assert np.unique(rows, axis=0).shape[0] > 40

    def test_a_broken_line_outdoes_a_stuck_cell(self):
        g = written((50, 50), on_fraction=1.0, **LINES)
        assert set(np.unique(g)) == {0.0, ON}

    def test_below_the_window(self):
        """0 S whatever the window, also where cells are bounded by it."""
        spec = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON, bounded=True, drift={"exponent": 0.1}, stuck=LINES)
        cells = spec.program(np.full((50, 50), MIDDLE), rng=1)
        assert ((cells.g == 0) == (cells.conductance(1e3) == 0)).all()
        assert (cells.g == 0).any()

    def test_cells_without_rows(self):
        with pytest.raises(SpecError, match=r"need cells in rows and columns; got the shape \(9,\)"):
            written((9,), dead_row_fraction=0.1)


EVERYTHING = {"on_fraction": 0.1, "off_fraction": 0.1, "frozen_fraction": 0.1, **LINES}


class TestPermanence:
    def test_faults_do_not_change_in_time(self):
        spec = DeviceSpec(
            g_min_siemens=OFF, g_max_siemens=ON, stuck=EVERYTHING,
            relaxation={"spread_siemens": 1e-6}, drift={"exponent": 0.1, "exponent_spread": 0.1},
        )  # fmt: skip
        cells = spec.program(np.full((40, 40), MIDDLE), rng=1)
        late = cells.conductance(1e6)
        assert_array_equal(late[cells.held], cells.g[cells.held])
        assert (late[~cells.held] != MIDDLE).all()

    def test_nor_by_rewriting(self):
        spec = DeviceSpec(
            g_min_siemens=OFF, g_max_siemens=ON, stuck={**EVERYTHING, "cluster_cells": 1.0},
            programming={"spread_siemens": 1e-6}, endurance={"writes": 100.0, "writes_log": 1.0},
        )  # fmt: skip
        cells = spec.program(np.full((3, 30, 30), MIDDLE), writes_before=20, cell_rng=2, rng=1)
        again = spec.program(np.full((30, 30), MIDDLE), writes_before=20, rng=2)
        for k in range(3):
            assert_array_equal(cells.held[k], again.held)
            assert_array_equal(cells.g[k][again.held], again.g[again.held])
        assert (cells.g[0] != cells.g[1])[~again.held].all()

    @pytest.mark.parametrize(
        "more", [{"frozen_fraction": 0.2}, {"dead_row_fraction": 0.2}, {"dead_column_fraction": 0.2}, LINES]
    )
    def test_one_kind_moves_no_other(self, more):
        """Cells stuck on, and lines that are dead, stay what they are with another kind of fault beside them."""
        base = {"on_fraction": 0.1, "off_fraction": 0.1}
        few, many = written((60, 60), **base), written((60, 60), **base, **more)
        lost = many == 0
        assert ((few == ON) <= ((many == ON) | lost)).all()
        assert ((few == OFF) <= ((many == OFF) | lost)).all()
        dead, beside = written((60, 60), **LINES) == 0, written((60, 60), **{**EVERYTHING, **LINES}) == 0
        assert_array_equal(dead, beside)


class TestWear:
    @pytest.mark.parametrize("writes", [1e4, 1e5, 1e6])
    @pytest.mark.parametrize("spread", [0.5, 1.5])
    def test_dead_cells_follow_the_lifetimes(self, writes, spread):
        """Lognormal with the median 1e5: binomial within the central 1 - 1e-5."""
        spec = DeviceSpec(endurance={"writes": 1e5, "writes_log": spread})
        cells = spec.program(np.full(20000, MIDDLE), writes_before=writes, rng=1)
        low, high = stats.binom.interval(1 - 1e-5, 20000, stats.lognorm(spread, scale=1e5).cdf(writes))
        assert low <= cells.held.sum() <= high

    def test_who_is_dead_stays_dead(self):
        spec = DeviceSpec(endurance={"writes": 1e5, "writes_log": 1.0})
        dead = [spec.program(np.full(2000, MIDDLE), writes_before=n, rng=1).held for n in (3e4, 1e5, 3e5)]
        assert (dead[0] <= dead[1]).all()
        assert (dead[1] <= dead[2]).all()
        assert dead[0].any()

    def test_without_scatter_all_die_at_once(self):
        spec = DeviceSpec(endurance={"writes": 1000.0})
        assert not spec.program(np.full(9, MIDDLE), writes_before=999, rng=1).held.any()
        assert spec.program(np.full(9, MIDDLE), writes_before=1000, rng=1).held.all()

    @pytest.mark.parametrize(("fails", "g"), [("on", ON), ("off", OFF)])
    def test_polarity(self, fails, g):
        spec = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON, endurance={"writes": 10.0, "fails": fails})
        assert_array_equal(spec.program([MIDDLE, ON, OFF], writes_before=10, rng=0).g, [g, g, g])

    def test_a_stuck_cell_stays_where_it_was_stuck(self):
        spec = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON, stuck={"on_fraction": 0.3}, endurance={"writes": 10.0})
        g = spec.program(np.full(2000, MIDDLE), writes_before=10, rng=1).g
        assert_array_equal(g == ON, written(2000, on_fraction=0.3) == ON)
        assert set(np.unique(g)) == {ON, OFF}

    def test_narrowing(self):
        """10 % of the window a decade: after 999 writes its top is 30 % lower; lower targets are reached as before."""
        spec = DeviceSpec(g_min_siemens=2e-5, g_max_siemens=1e-4, endurance={"narrowing_per_decade": 0.1})
        target = np.array([2e-5, 7e-5, 7.6e-5, 8e-5, 1e-4])
        assert_array_equal(spec.program(target, rng=0).g, target)
        assert_allclose(spec.program(target, writes_before=999, rng=0).g, np.minimum(target, 7.6e-5), rtol=1e-14)
        worst = DeviceSpec(g_min_siemens=2e-5, endurance={"narrowing_per_decade": 1.0})
        assert_array_equal(worst.program(target, writes_before=1e9, rng=0).g, np.full(5, 2e-5))

    @pytest.mark.parametrize("step", [{}, {"step": "fixed", "step_fraction": 0.01}])
    def test_a_target_above_the_narrowed_window_is_missed(self, step):
        """Verification asks for the target, not for what is left of the window: all pulses, and a failure."""
        write = {"tolerance_siemens": 1e-6, "most_pulses": 200, **step}
        spec = DeviceSpec(write=write, endurance={"narrowing_per_decade": 0.1})
        cells = spec.program([5e-5, 9e-5], writes_before=999, rng=0)
        assert_array_equal(cells.failed, [False, True])
        assert cells.pulses[1] == 200 > cells.pulses[0]
        assert cells.g[1] == pytest.approx(7e-5, rel=1e-12)

    def test_device_errors_remain(self):
        """Narrowing moves the target of a cell, not its error."""
        spec = DeviceSpec(device_to_device={"spread_siemens": 1e-6}, endurance={"narrowing_per_decade": 0.1})
        plain = DeviceSpec(device_to_device={"spread_siemens": 1e-6})
        one, other = spec.program(np.full(50, 1e-4), rng=1).g, plain.program(np.full(50, 1e-4), rng=1).g
        assert_array_equal(one, other)
        assert_allclose(spec.program(np.full(50, 1e-4), writes_before=999, rng=1).g, other - 3e-5, rtol=1e-12)

    @pytest.mark.parametrize("wrong", [-1, np.inf, np.nan])
    def test_writes_before(self, wrong):
        with pytest.raises(
            SpecError, match=r"writes_before is a number of writes, at least 0, or one for each cell, shape .*; got"
        ):
            DeviceSpec().program([MIDDLE], writes_before=wrong)


@pytest.mark.parametrize(
    ("spec", "wrong", "sentence"),
    [
        (
            StuckSpec,
            {"on_fraction": 0.6, "frozen_fraction": 0.5},
            "off_fraction + frozen_fraction is 1.1",
        ),
        (StuckSpec, {"frozen_siemens": (2e-5, 1e-5)}, "frozen_siemens: from 2e-05 up to 1e-05 is no range"),
        (StuckSpec, {"frozen_siemens": (-1.0, 1e-5)}, "got -1.0; it is at least 0"),
        (StuckSpec, {"cluster_cells": -1.0}, "cluster_cells: got -1.0; it is at least 0"),
        (
            StuckSpec,
            {"dead_row_fraction": 1.5},
            "dead_row_fraction: got 1.5; it is at most 1. Share of rows",
        ),
        (StuckSpec, {"sa0_fraction": 0.1}, "sa0_fraction: unknown key"),
        (EnduranceSpec, {"writes": 0.0}, "writes: got 0.0; it is above 0. Writes that half of the cells survive"),
        (EnduranceSpec, {"writes_log": -1.0}, "writes_log: got -1.0; it is at least 0"),
        (EnduranceSpec, {"fails": "open"}, "fails: got 'open'; it is one of 'on' or 'off'. Where a worn-out cell is"),
        (EnduranceSpec, {"narrowing_per_decade": 2.0}, "narrowing_per_decade: got 2.0; it is at most 1"),
    ],
)
def test_wrong_specs(spec, wrong, sentence):
    with pytest.raises(SpecError) as caught:
        spec(**wrong)
    assert sentence in str(caught.value)


class TestLifeOfACell:
    WORN = DeviceSpec(endurance={"writes": 10, "writes_log": 0.3, "fails": "off"})

    def test_each_cell_wears_by_its_own_writes(self):
        """Written again and again until half are worn out, and a cell that is dead stays dead."""
        dead = np.zeros(4000, dtype=bool)
        before = 0
        for write in range(14):
            cells = self.WORN.program(np.full((1, 4000), 50e-6), writes_before=before, cell_rng=7, rng=write)
            now = cells.g[0] == self.WORN.g_min_siemens
            assert (now >= dead).all()
            dead, before = now, cells.writes[0]
            assert (before == write + 1).all()
            # A lifetime of 10 writes in the median, ln deviation 0.3; |z| < 4.5.
            share = stats.norm.cdf(np.log(max(write, 1e-9) / 10) / 0.3)
            assert abs(dead.mean() - share) <= 4.5 * np.sqrt(share * (1 - share) / 4000) + 1e-12

    def test_pulses_of_a_verified_write_count(self):
        spec = DeviceSpec(
            programming={"spread_siemens": 1e-6},
            write={"tolerance_siemens": 1e-6, "most_pulses": 9},
            endurance={"writes": 1e6},
        )
        one = spec.program(np.full(50, 50e-6), rng=1)
        assert_array_equal(one.writes, one.pulses)
        two = spec.program(np.full(50, 50e-6), writes_before=one.writes, rng=2)
        assert_array_equal(two.writes, one.pulses + two.pulses)
        assert_array_equal(two.part(slice(3, 9)).writes, two.writes[3:9])

    def test_the_window_of_a_worn_cell_is_narrower(self):
        spec = DeviceSpec(endurance={"narrowing_per_decade": 0.1})
        g = spec.program(np.full(3, 100e-6), writes_before=[0, 9, 999], rng=1).g
        assert_allclose(g, [100e-6, 90e-6, 70e-6])

    def test_as_many_as_cells(self):
        with pytest.raises(SpecError, match=r"one for each cell, shape \(3,\); got the shape \(2,\), from 1.0 on"):
            self.WORN.program(np.full(3, 50e-6), writes_before=[1, 2], rng=1)
