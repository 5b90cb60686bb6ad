"""Relaxation, drift and temperature: laws, published times, distributions and limits.

Statistical tests have fixed seeds; |z| < 4.5 is a false alarm in 1.5e5 cases, a p value above 1e-4 in 1e4.
"""

import re

import numpy as np
import pytest
from helpers.cells import TARGET, N, cells
from numpy.testing import assert_allclose, assert_array_equal
from scipy import constants, stats

from rramsim.cell.device import DeviceSpec
from rramsim.cell.retention import DriftSpec, RelaxationSpec, TemperatureSpec
from rramsim.errors import RangeError, SpecError

HOT = {"kelvin": 398.15, "reference_kelvin": 300.0, "activation_electronvolt": 1.1}
FACTOR = np.exp(1.1 * constants.e / constants.k * (1 / 300.0 - 1 / 398.15))
"""Arrhenius with the constants of CODATA in joules: 3.6e4."""


def assert_moments(values, mean, sigma):
    assert abs(values.mean() - mean) < 4.5 * sigma / np.sqrt(values.size)
    assert_allclose(values.std(), sigma, rtol=4.5 / np.sqrt(2 * values.size))


LAW = {"shift_siemens_per_ln": (0.0, -2e-7), "spread_siemens": 1e-7, "spread_siemens_per_ln": {"points": [[0, 2e-7]]}}
TABLE = {
    "times_second": [60.0, 3600.0],
    "total_siemens": [3e-6, (0.0, 1e-5)],
    "moved_siemens": [-1e-6, {"coefficients": [-3e-6]}],
}


class TestLawOfLnT:
    def test_mean_and_deviation(self):
        """After e^k: shift -1e-7 k, sigma 1e-7 + 2e-7 k at half the window; normal by Kolmogorov-Smirnov."""
        written = cells(relaxation=LAW)
        for k in (0, 1, 5, 12):
            moved = written.conductance(np.exp(k)) - TARGET
            assert_moments(moved, -1e-7 * k, 1e-7 + 2e-7 * k)
            assert stats.kstest((moved + 1e-7 * k) / (1e-7 + 2e-7 * k), stats.norm.cdf).pvalue > 1e-4

    def test_it_comes_on_top_of_the_spread_of_programming(self):
        written = cells(relaxation=LAW, programming={"spread_siemens": 1.2e-6})
        assert_moments(written.conductance(np.e**2), TARGET - 2e-7, 1.3e-6)
        assert abs(np.corrcoef(written.g, written.wander)[0, 1]) < 4.5 / np.sqrt(N)

    def test_a_cell_keeps_its_number(self):
        """One number for all times: the moves at two times have the correlation 1, and the ratio of their sigmas."""
        written = cells(n=200, relaxation={"spread_siemens_per_ln": 1e-7})
        one, other = (written.conductance(np.exp(k)) - TARGET for k in (2, 6))
        assert_allclose(other, 3 * one, rtol=1e-6, atol=1e-19)

    def test_another_write_draws_anew(self):
        one, other = (cells(seed=seed, relaxation=LAW).conductance(100.0) for seed in (1, 2))
        assert abs(np.corrcoef(one, other)[0, 1]) < 4.5 / np.sqrt(N)

    def test_nothing_happens_before_the_time_of_the_spread(self):
        written = cells(n=50, relaxation=LAW, drift={"exponent": 0.1}, settled_second=10.0)
        for time in (0.0, 5.0, np.nextafter(10.0, 0)):
            assert_array_equal(written.conductance(time), written.g)
        assert (written.conductance(10.0) != written.g).all()

    def test_never_below_0(self):
        written = DeviceSpec(relaxation={"spread_siemens_per_ln": 1e-6}).program(np.full(1000, 1e-6), rng=1)
        late = written.conductance(np.e)
        assert late.min() == 0
        assert np.mean(late == 0) == pytest.approx(0.1587, abs=4.5 * 0.37 / np.sqrt(1000))

    def test_a_negative_deviation_is_none(self):
        spec = RelaxationSpec(spread_siemens=(1e-7,), spread_siemens_per_ln=-1e-7)
        for time, sigma in ((1.0, 1e-7), (np.e**0.5, 5e-8), (np.e**3, 0.0)):
            moments = spec.moments(np.array([TARGET]), 1e-4, time, 1.0, np.zeros(1))
            assert_allclose(moments, [[0.0], [sigma]], atol=1e-20)


class TestPublishedTimes:
    @pytest.mark.parametrize("between", ["ln t", "t"])
    def test_at_these_times_the_total_is_the_published_one(self, between):
        """Programming 2 uS, then 3 and 5 uS in total, moved by -1 and -3 uS."""
        written = cells(programming={"spread_siemens": 2e-6}, relaxation={**TABLE, "between": between})
        assert_moments(written.conductance(1.0), TARGET, 2e-6)
        assert_moments(written.conductance(60.0), TARGET - 1e-6, 3e-6)
        late = written.conductance(3600.0)
        assert_moments(late, TARGET - 3e-6, 5e-6)
        assert stats.kstest((late - TARGET + 3e-6) / 5e-6, stats.norm.cdf).pvalue > 1e-4

    def test_both_spreads_of_a_write_are_counted(self):
        """Device to device 1.6 uS and cycle to cycle 1.2 uS make the 2 uS that the first time adds to."""
        parts = {"programming": {"spread_siemens": 1.2e-6}, "device_to_device": {"spread_siemens": 1.6e-6}}
        assert_moments(cells(**parts, relaxation=TABLE).conductance(60.0), TARGET - 1e-6, 3e-6)

    @pytest.mark.parametrize(
        ("between", "times"),
        [("ln t", (np.sqrt(60.0), np.sqrt(60.0 * 3600.0))), ("t", (30.5, 1830.0))],
    )
    def test_half_way(self, between, times):
        """In ln t or in t: totals of 2.5 and 4 uS, shifts of -0.5 and -2 uS; and a deviation in squares."""
        spec = RelaxationSpec(**TABLE, between=between)
        for time, total, moved in zip(times, (2.5e-6, 4e-6), (-0.5e-6, -2e-6), strict=True):
            shift, sigma = spec.moments(np.array([TARGET]), 1e-4, time, 1.0, np.array([2e-6]))
            assert_allclose(shift, moved, rtol=1e-12)
            assert_allclose(sigma, np.sqrt(total**2 - 4e-12), rtol=1e-12)

    @pytest.mark.parametrize("between", ["ln t", "t"])
    def test_monotone_between(self, between):
        spec = RelaxationSpec(**TABLE, between=between)
        moments = [
            spec.moments(np.array([TARGET]), 1e-4, time, 1.0, np.array([2e-6])) for time in np.geomspace(1, 3600, 60)
        ]
        assert (np.diff([sigma[0] for _, sigma in moments]) > 0).all()
        assert (np.diff([shift[0] for shift, _ in moments]) < 0).all()

    def test_a_cell_keeps_its_number(self):
        """Correlation 1 between what relaxation does to cells until two times."""
        written = cells(n=500, relaxation={**TABLE, "moved_siemens": []})
        moves = [written.conductance(time) - TARGET for time in (60.0, 3600.0)]
        assert_allclose(moves[1], moves[0] * 5 / 3, rtol=1e-6, atol=1e-19)

    def test_correlation_with_the_write(self):
        """g(60 s) has in common with g(0) what was written: r = 2 / 3 of the published sigmas; |z| < 4.5."""
        written = cells(programming={"spread_siemens": 2e-6}, relaxation={**TABLE, "moved_siemens": []})
        r = np.corrcoef(written.g, written.conductance(60.0))[0, 1]
        assert abs(r - 2 / 3) < 4.5 * (1 - 4 / 9) / np.sqrt(N)

    def test_a_total_below_the_spread_of_programming_adds_nothing(self):
        written = cells(
            n=50, programming={"spread_siemens": 4e-6}, relaxation={"times_second": [60.0], "total_siemens": [0]}
        )
        assert_array_equal(written.conductance(60.0), written.g)

    @pytest.mark.parametrize("time", [3600.1, 1e9])
    def test_later_the_source_says_nothing(self, time):
        message = f"got a read {time:g} s after the write; its source gives no figure after 3600 s"
        with pytest.raises(RangeError, match=re.escape(message)):
            cells(n=2, relaxation=TABLE).conductance(time)


class TestDrift:
    def test_power_law(self):
        """Without spread: g (t / t0)^-nu to the precision of an exponent in single precision."""
        written = cells(n=3, drift={"exponent": 0.0625}, settled_second=20.0)
        for time in (20.0, 1e3, 1e8):
            assert_allclose(written.conductance(time), TARGET * (time / 20.0) ** -0.0625, rtol=1e-14)

    def test_exponents(self):
        """Normal, by moments and Kolmogorov-Smirnov, state by state; and what they do to a cell."""
        spec = DeviceSpec(drift={"exponent": (0.1, -0.08), "exponent_spread": {"coefficients": [0.02, -0.01]}})
        targets = np.repeat([[0.0], [5e-5], [1e-4]], N, axis=1)
        written = spec.program(targets, rng=1)
        for nu, mean, sigma in zip(written.exponent.astype(float), (0.1, 0.06, 0.02), (0.02, 0.015, 0.01), strict=True):
            assert_moments(nu, mean, sigma)
            assert stats.kstest((nu - mean) / sigma, stats.norm.cdf).pvalue > 1e-4
        late = written.conductance(1e5)[1]
        assert_allclose(-np.log(late / 5e-5) / np.log(1e5), written.exponent[1], rtol=1e-6)

    def test_falls_only(self):
        plain = cells(drift={"exponent": 0.01, "exponent_spread": 0.02})
        falling = cells(drift={"exponent": 0.01, "exponent_spread": 0.02, "falls_only": True})
        assert (plain.exponent < 0).mean() > 0.2
        assert_array_equal(falling.exponent, np.abs(plain.exponent))
        assert (falling.conductance(1e6) <= TARGET).all()

    def test_a_cell_that_conducts_nothing_does_not_drift(self):
        written = DeviceSpec(drift={"exponent": -0.1}).program([0.0], rng=0)
        assert written.conductance(1e6) == 0

    @pytest.mark.parametrize("nothing", [{}, {"exponent": (0.0,), "exponent_spread": {"points": [[0, 0.0]]}}])
    def test_ideal_bit_for_bit(self, nothing):
        assert DriftSpec(**nothing).ideal
        written = cells(n=5, drift=nothing, relaxation={"spread_siemens": (0.0,)})
        assert (written.exponent, written.wander) == (None, None)
        assert_array_equal(written.conductance(1e12), np.full(5, TARGET))

    def test_a_tiny_exponent_has_no_jump(self):
        written = cells(n=2, drift={"exponent": 1e-12})
        assert_allclose(written.conductance(1e6), TARGET, rtol=1e-10)

    def test_fitted_second(self):
        spec = DeviceSpec(drift={"exponent": 0.1}, fitted_until_second=1e4, name="mine")
        assert spec.program([TARGET], rng=0).conductance(1e4) > 0
        with pytest.raises(RangeError, match=r"'mine': got a read 10001 s after the write; .* no figure after 10000 s"):
            spec.program([TARGET], rng=0).conductance(10001.0)
        with pytest.raises(SpecError, match="its source gives no figure after 10000 s"):
            DeviceSpec(fitted_until_second=1e4, read_after_second=2e4)

    def test_relaxation_comes_first(self):
        """Drift is that of the conductance with its relaxation."""
        both = cells(n=20, relaxation=LAW, drift={"exponent": 0.125})
        alone = cells(n=20, relaxation=LAW)
        assert_allclose(both.conductance(1e4), alone.conductance(1e4) * 1e4**-0.125, rtol=1e-14)

    def test_read_after_second_is_the_time_where_none_is_given(self):
        written = cells(n=20, drift={"exponent": 0.1}, read_after_second=1e5)
        assert_array_equal(written.conductance(), written.conductance(1e5))
        assert_array_equal(written.read(rng=0), written.conductance(1e5))
        assert (written.conductance() < written.g).all()


class TestTemperature:
    def test_acceleration(self):
        assert_allclose(TemperatureSpec(**HOT).acceleration, FACTOR, rtol=1e-8)
        assert 3e4 < FACTOR < 4e4

    def test_time_runs_faster(self):
        """A hundred seconds in the heat are 100 AF seconds at the reference."""
        parts = {"relaxation": LAW, "drift": {"exponent": 0.03, "exponent_spread": 0.01}}
        hot, cool = cells(n=200, **parts, temperature=HOT), cells(n=200, **parts)
        assert_allclose(hot.conductance(100.0), cool.conductance(100.0 * FACTOR), rtol=1e-7)
        cold = {**HOT, "kelvin": 260.0}
        slower = TemperatureSpec(**cold).acceleration
        assert slower < 0.01
        assert_array_equal(cells(n=200, **parts, temperature=cold).conductance(0.5 / slower), np.full(200, TARGET))

    def test_published_times_end_sooner(self):
        written = cells(n=2, relaxation=TABLE, temperature=HOT)
        last = 3600.0 / TemperatureSpec(**HOT).acceleration
        assert written.conductance(last).shape == (2,)
        with pytest.raises(RangeError, match=r"got a read 1 s after the write \(\d+.* s at 300 K\)"):
            written.conductance(1.0)

    @pytest.mark.parametrize(("kelvin", "factor"), [(300.0, 1.0), (350.0, 1.1), (250.0, 0.9)])
    def test_conductance(self, kelvin, factor):
        """All conductances, at every time, and with them the relative noise."""
        heat = {"kelvin": kelvin, "change_per_kelvin": 0.002}
        written = cells(n=3, temperature=heat, read_noise={"relative_deviation": 0.1})
        assert_allclose(written.conductance(), factor * TARGET, rtol=1e-14)
        assert_allclose(written.moments()[1], 0.1 * factor * TARGET, rtol=1e-14)
        assert_array_equal(written.g, np.full(3, TARGET))

    def test_stuck_cells_do_not_age_but_warm(self):
        written = cells(n=400, drift={"exponent": 0.1}, stuck={"on_fraction": 0.5}, temperature={
            "kelvin": 310.0, "change_per_kelvin": 0.01
        })  # fmt: skip
        on = written.held
        assert_allclose(written.conductance(1e4)[on], 1.1e-4, rtol=1e-14)
        assert (written.conductance(1e4)[~on] < 0.5 * 1.1 * TARGET).all()

    def test_without_activation_heat_changes_nothing(self):
        warm = {"kelvin": 400.0}
        assert TemperatureSpec(**warm).acceleration == 1.0
        parts = {"drift": {"exponent": 0.1}}
        one, other = cells(n=9, **parts, temperature=warm), cells(n=9, **parts)
        assert_array_equal(one.conductance(1e4), other.conductance(1e4))


@pytest.mark.parametrize(
    ("spec", "wrong", "sentence"),
    [
        (
            RelaxationSpec,
            {"times_second": [1.0, 2.0], "total_siemens": [1e-6]},
            "2 times in times_second, 1 curves in total_siem",
        ),
        (
            RelaxationSpec,
            {"times_second": [2.0], "total_siemens": [0], "moved_siemens": [0, 0]},
            "and 2 in moved_siemens",
        ),
        (RelaxationSpec, {"total_siemens": [1e-6]}, "each time has one curve of each"),
        (RelaxationSpec, {"times_second": [2.0, 2.0], "total_siemens": [0, 0]}, "second: the times rise"),
        (
            RelaxationSpec,
            {**TABLE, "spread_siemens": 1e-9},
            "either published times (times_second, total_siemens, moved",
        ),
        (RelaxationSpec, {"spread_siemens": -1e-9}, "spread_siemens -1e-09 is at least 0: it is a standard deviation"),
        (RelaxationSpec, {"between": "log t"}, "it is one of 'ln t' or 't'"),
        (RelaxationSpec, {"times_second": [0.0], "total_siemens": [0]}, "second.0: got 0.0; it is above 0"),
        (DriftSpec, {"exponent_spread": -0.1}, "exponent_spread -0.1 is at least 0: it is a standard deviation"),
        (DriftSpec, {"falls_only": 1}, "falls_only: got 1; it is true or false"),
        (TemperatureSpec, {"kelvin": 0.0}, "kelvin: got 0.0; it is above 0"),
        (TemperatureSpec, {"kelvin": 800.0, "change_per_kelvin": -0.01}, "makes conductances negative at 800 K"),
        (TemperatureSpec, {"activation_electronvolt": 20.0}, "no process of so high an energy happens at so low a"),
        (DeviceSpec, {"settled_second": 60.0, "relaxation": TABLE}, "begins after settled_second 60, the time of the"),
    ],
)
def test_wrong_specs(spec, wrong, sentence):
    with pytest.raises(SpecError) as caught:
        spec(**wrong)
    assert sentence in str(caught.value)
