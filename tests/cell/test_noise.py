"""Read noise and random telegraph noise: laws, distributions and limits.

Statistical tests have fixed seeds; |z| < 4.5 is a false alarm in 1.5e5 cases, a p value above 1e-4 in 1e4.
"""

import numpy as np
import pytest
from helpers.cells import cells, z_of_mean
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, linalg, stats

from rramsim.cell.cells import Drawn, ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec, TelegraphSpec
from rramsim.errors import RangeError, SpecError

G_MAX = 1e-4


class TestReadNoise:
    @pytest.mark.parametrize(
        ("noise", "sigma"),
        [
            ({"relative_deviation": 0.02}, 1e-6),
            ({"spread_siemens": 2e-6}, 2e-6),
            ({"relative_deviation": 0.06, "spread_siemens": 4e-6}, 5e-6),
            ({"relative_deviation": (0.01, 0.1)}, 3e-6),
            ({"spread_siemens": {"coefficients": [1e-6, 2e-6], "variable": "power", "exponent": 2.0}}, 1.5e-6),
            ({"relative_deviation": {"points": [[0.0, 0.0], [1e-4, 0.2]]}}, 5e-6),
        ],
    )
    def test_gaussian(self, noise, sigma):
        """Half-way up the window of 100 uS; both deviations add up in squares."""
        written = cells(read_noise=noise)
        error = written.read(rng=2) - 5e-5
        assert_allclose(written.moments()[1], sigma, rtol=1e-12)
        assert abs(z_of_mean(error, 0.0)) < 4.5
        assert abs(z_of_mean(error**2, sigma**2)) < 4.5
        assert stats.kstest(error / sigma, stats.norm.cdf).pvalue > 1e-4

    def test_relative_noise_is_that_of_the_state_as_written(self):
        """A curve of ``relative_deviation`` is taken where the cell was written, the noise scales with what is read."""
        spec = ReadNoiseSpec(relative_deviation=(0.0, 0.1))
        assert_allclose(spec.deviation(2e-5, 1e-4, G_MAX), 2e-6, rtol=1e-14)
        absolute = ReadNoiseSpec(spread_siemens=(0.0, 1e-6))
        assert_allclose(absolute.deviation(2e-5, 1e-4, G_MAX), 2e-7, rtol=1e-14)

    def test_a_curve_below_0_is_no_noise(self):
        for noise in ({"relative_deviation": (-0.1,)}, {"spread_siemens": (-1e-6,)}):
            assert_array_equal(ReadNoiseSpec(**noise).deviation(np.array([0.0, 5e-5]), 5e-5, G_MAX), [0.0, 0.0])

    def test_zero_is_ideal_bit_for_bit(self):
        for noise in ({}, {"relative_deviation": (0.0, 0.0)}, {"spread_siemens": {"points": [[0.0, 0.0]]}}):
            assert ReadNoiseSpec(**noise).ideal
            written = cells(read_noise=noise, n=5)
            assert_array_equal(written.read(rng=3), np.full(5, 5e-5))
            assert_array_equal(written.moments()[1], np.zeros(5))


class TestOneOverF:
    T = 2.5e-7

    @pytest.mark.parametrize("time", [1e-6, 1.0, 3600.0])
    def test_growth_is_the_band_integral(self, time):
        """Power of S(f) = 1 / f from 1 / (t + T) to 1 / (2 T), integrated over ln f: f S(f) = 1."""
        ends = np.log([1 / (time + self.T), 1 / (2 * self.T)])
        power, _ = integrate.quad(lambda ln_f: np.exp(ln_f) * (1 / np.exp(ln_f)), *ends)
        assert_allclose(ReadNoiseSpec(integration_second=self.T).growth(time) ** 2, power, rtol=1e-9)

    def test_growth_by_hand(self):
        """(t + T) / (2 T) = e^4 and e^9: factors 2 and 3."""
        spec = ReadNoiseSpec(relative_deviation=0.01, integration_second=1.0)
        assert_allclose([spec.growth(2 * np.exp(4) - 1), spec.growth(2 * np.exp(9) - 1)], [2, 3], rtol=1e-14)
        assert_allclose(spec.deviation(5e-5, 5e-5, G_MAX, 2 * np.exp(4) - 1), 1e-6, rtol=1e-13)

    @pytest.mark.parametrize("time", [0.0, 0.5, 1.0])
    def test_there_is_none_up_to_the_length_of_the_read(self, time):
        assert ReadNoiseSpec(relative_deviation=0.1, integration_second=1.0).growth(time) == 0.0

    def test_the_time_counts_from_the_write(self):
        """Reads see it grow; before ``settled_second`` it is that of ``settled_second``."""
        noise = {"relative_deviation": 0.01, "integration_second": 1e-3}
        written = cells(n=3, read_noise=noise, settled_second=1.0)
        growth = ReadNoiseSpec(**noise).growth
        assert_allclose(written.moments(1e4)[1], 5e-7 * growth(1e4), rtol=1e-12)
        assert_allclose(written.moments(0.0)[1], 5e-7 * growth(1.0), rtol=1e-12)
        series = cells(read_noise={"relative_deviation": 0.01, "integration_second": 1e-3}).read_series(
            [1.0, 1e6], rng=4
        )
        ratio = series.std(axis=1) / 5e-7
        assert_allclose(ratio, [growth(1.0), growth(1e6)], rtol=4.5 / np.sqrt(2 * 40000))

    def test_without_a_length_it_does_not_grow(self):
        assert ReadNoiseSpec(relative_deviation=0.1).growth(1e9) == 1.0


class TestTelegraph:
    TAU = 2e-3

    @pytest.mark.parametrize("occupancy", [0.1, 0.5, 0.9])
    def test_occupancy(self, occupancy):
        """Filled traps at every single time, whatever the spacing: binomial, |z| < 4.5."""
        spec = TelegraphSpec(trap_share=1.0, amplitude=0.1, occupancy=occupancy, correlation_second=self.TAU)
        filled = spec.states((30000,), [0.0, 1e-4, 1e-4, 5e-3, 100.0], np.random.default_rng(1))
        z = (filled.mean(axis=1) - occupancy) / np.sqrt(occupancy * (1 - occupancy) / 30000)
        assert np.abs(z).max() < 4.5

    @pytest.mark.parametrize("occupancy", [0.2, 0.5])
    def test_autocorrelation(self, occupancy):
        """Reads dt apart have the correlation exp(-dt / tau): |z| < 4.5 of the mean product at each lag."""
        trap = {"trap_share": 1.0, "amplitude": 0.25, "occupancy": occupancy, "correlation_second": self.TAU}
        lags = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 4.0]) * self.TAU
        reads = cells(telegraph=trap).read_series(1.0 + lags, rng=5)
        filled = (1 - reads / 5e-5) / 0.25 - occupancy
        for lag, later in zip(lags[1:], filled[1:], strict=True):
            product = filled[0] * later
            assert abs(z_of_mean(product, occupancy * (1 - occupancy) * np.exp(-lag / self.TAU))) < 4.5

    def test_irregular_spacing_is_exact(self):
        """All 16 paths over four times against products of matrix exponentials of the rates: chi-square, p > 1e-4."""
        p, tau, times = 0.3, 2e-3, np.array([0.0, 3e-4, 2.9e-3, 3.5e-3])
        capture, emission = p / tau, (1 - p) / tau
        rates = np.array([[-capture, capture], [emission, -emission]])
        spec = TelegraphSpec(trap_share=1.0, amplitude=0.1, occupancy=p, correlation_second=tau)
        filled = spec.states((40000,), times, np.random.default_rng(3)).astype(int)
        expected = np.zeros(16)
        for path in range(16):
            states = [path >> k & 1 for k in range(4)]
            chance = (1 - p, p)[states[0]]
            for k in range(3):
                chance *= linalg.expm(rates * (times[k + 1] - times[k]))[states[k], states[k + 1]]
            expected[path] = chance
        counts = np.bincount((filled * (1 << np.arange(4))[:, None]).sum(axis=0), minlength=16)
        assert stats.chisquare(counts, 40000 * expected).pvalue > 1e-4

    def test_a_fine_series_dwells_as_the_rates_say(self):
        """Mean time in the filled state is tau / (1 - p), seen in steps of tau / 50: |z| < 4.5."""
        p, tau, step = 0.25, 1.0, 0.02
        spec = TelegraphSpec(trap_share=1.0, amplitude=0.1, occupancy=p, correlation_second=tau)
        filled = spec.states((40,), np.arange(4000) * step, np.random.default_rng(4))
        # Chance that a filled trap is empty one step later, exactly.
        left = (filled[:-1] & ~filled[1:]).sum()
        chance = (1 - p) * (1 - np.exp(-step / tau))
        n = filled[:-1].sum()
        assert abs(left - n * chance) < 4.5 * np.sqrt(n * chance * (1 - chance))

    def test_two_levels(self):
        """A cell with a trap reads two conductances and no third; one without reads what it holds."""
        trap = {"trap_share": 0.5, "amplitude": 0.2, "amplitude_log": 0.3, "correlation_second": 1e-3}
        written = cells(n=50, telegraph=trap)
        reads = written.read_series(np.arange(200) * 1e-3, rng=6)
        for k, amplitude in enumerate(written.trap.astype(float)):
            assert set(np.unique(reads[:, k])) == {5e-5, 5e-5 * (1 - amplitude)}

    def test_share_and_amplitudes(self):
        """Share binomial, amplitude lognormal by Kolmogorov-Smirnov; drawn once for each cell."""
        trap = {"trap_share": 0.3, "amplitude": (0.0, 0.02), "amplitude_log": 0.5}
        written = cells(telegraph=trap)
        active = written.trap > 0
        assert abs(active.mean() - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / active.size)
        normal = np.log(written.trap[active].astype(float) / 0.01) / 0.5
        assert stats.kstest(normal, stats.norm.cdf).pvalue > 1e-4

    def test_no_trap_takes_more_than_all(self):
        written = cells(n=2000, telegraph={"trap_share": 1.0, "amplitude": 0.9, "amplitude_log": 3.0, "occupancy": 1.0})
        assert (written.trap == 1).mean() > 0.3
        assert written.read(rng=1).min() == 0

    def test_memory_within_a_series_only(self):
        """Two series have nothing in common but the cells; one has the same bits for the same seed."""
        written = cells(n=5000, telegraph={"trap_share": 1.0, "amplitude": 0.1, "correlation_second": 1e6})
        one, other, again = (written.read_series([0.0, 1.0], rng=seed) for seed in (1, 2, 1))
        assert_array_equal(one, again)
        assert (one[0] == one[1]).mean() > 0.99
        assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 4.5 / np.sqrt(5000)

    @pytest.mark.parametrize(
        "nothing",
        [
            {"trap_share": 0.0, "amplitude": 0.5},
            {"trap_share": 1.0},
            {"trap_share": 1.0, "amplitude": 0.5, "occupancy": 0},
        ],
    )
    def test_ideal_bit_for_bit(self, nothing):
        assert TelegraphSpec(**nothing).ideal
        assert_array_equal(cells(n=9, telegraph=nothing).read_series([0.0, 1.0], rng=1), np.full((2, 9), 5e-5))

    def test_always_filled(self):
        written = cells(n=9, telegraph={"trap_share": 1.0, "amplitude": 0.5, "occupancy": 1.0})
        assert_array_equal(written.read_series([0.0, 1.0], rng=1), np.full((2, 9), 2.5e-5))


class TestLognormal:
    @pytest.mark.parametrize("relative", [0.05, 0.5])
    def test_distribution(self, relative):
        """In reads, ln g is normal with the spread s, and its median is below the mean by exp(-s^2 / 2)."""
        reads = cells(read_noise={"law": "lognormal", "relative_deviation": relative}).read(rng=2)
        s = np.sqrt(np.log1p(relative**2))
        assert reads.min() > 0
        assert stats.kstest((np.log(reads / 5e-5) + s**2 / 2) / s, stats.norm.cdf).pvalue > 1e-4

    def test_little_noise_is_the_same_by_either_law(self):
        one, other = (
            cells(read_noise={"law": law, "relative_deviation": 1e-5}).read(rng=2) for law in ("normal", "lognormal")
        )
        assert_allclose(one, other, rtol=1e-8)


class TestMoments:
    def test_they_are_those_of_many_reads(self):
        """Noise of both kinds, grown, and traps: mean and square of 20000 reads of each of 12 cells, |z| < 4.5."""
        spec = DeviceSpec(
            read_noise={"relative_deviation": 0.01, "spread_siemens": (1e-7, 2e-7), "integration_second": 1e-2},
            telegraph={"trap_share": 0.5, "amplitude": 0.1, "amplitude_log": 0.4, "occupancy": 0.3},
            drift={"exponent": 0.05},
        )
        few = spec.program(np.linspace(2e-5, 1e-4, 12), rng=3)
        assert 0 < (few.trap > 0).sum() < 12
        mean, deviation = few.moments(100.0)
        many = few.part(np.tile(np.arange(12), (20000, 1)))
        reads = many.read(time_second=100.0, rng=4)
        for k in range(12):
            assert abs(z_of_mean(reads[:, k], mean[k])) < 4.5
            assert abs(z_of_mean((reads[:, k] - mean[k]) ** 2, deviation[k] ** 2)) < 4.5

    def test_without_noise_they_are_the_conductances(self):
        few = DeviceSpec().program([0.0, 5e-5])
        assert_array_equal(few.moments(), ([0.0, 5e-5], [0.0, 0.0]))


class TestSeries:
    def test_a_read_is_a_series_of_one(self):
        spec = DeviceSpec(read_noise={"relative_deviation": 0.1}, telegraph={"trap_share": 1.0, "amplitude": 0.1})
        written = spec.program(np.full((3, 4), 5e-5), rng=0)
        assert_array_equal(written.read(time_second=2.0, rng=7), written.read_series([2.0], rng=7)[0])
        assert written.read_series(2.0, rng=7).shape == (1, 3, 4)
        assert written.read_series([], rng=7).shape == (0, 3, 4)

    def test_white_noise_is_fresh_at_each_read(self):
        reads = cells(read_noise={"relative_deviation": 0.1}).read_series([1.0, 1.0], rng=1)
        assert abs(np.corrcoef(reads)[0, 1]) < 4.5 / np.sqrt(40000)

    @pytest.mark.parametrize("part", [{}, {"telegraph": {"trap_share": 1.0, "amplitude": 0.1}}])
    @pytest.mark.parametrize("times", [[2.0, 1.0], [[1.0, 2.0]], [np.nan], [0.0, np.inf]])
    def test_times_ascend(self, part, times):
        """With or without memory."""
        with pytest.raises(SpecError, match="times of reads are a list of seconds in ascending order; got"):
            cells(n=2, **part).read_series(times, rng=0)

    def test_no_read_before_the_write(self):
        with pytest.raises(RangeError, match=r"a time after the write is at least 0 s; got -1\.0"):
            cells(n=2).read_series([-1.0])


def test_the_noise_is_that_of_the_conductance_read():
    """A cell of half the conductance it was written with has half the relative noise."""
    spec = DeviceSpec(read_noise={"relative_deviation": 0.1}, drift={"exponent": 0.5})
    held = ProgrammedCells(spec, np.array([8e-5]), drawn=Drawn({"exponent": lambda: np.array([0.5], np.float32)}))
    assert_allclose(held.moments(4.0), [[4e-5], [4e-6]], rtol=1e-12)


@pytest.mark.parametrize(
    ("spec", "wrong", "sentence"),
    [
        (ReadNoiseSpec, {"relative_deviation": 1.5}, "relative_deviation 1.5 is a fraction of the conductance, 0 to 1"),
        (ReadNoiseSpec, {"law": "gaussian"}, "law: got 'gaussian'"),
        (
            ReadNoiseSpec,
            {"relative_deviation": -0.1},
            "relative_deviation -0.1 is a fraction of the conductance, 0 to 1",
        ),
        (ReadNoiseSpec, {"spread_siemens": -1e-9}, "spread_siemens -1e-09 is at least 0: it is a standard deviation"),
        (ReadNoiseSpec, {"integration_second": -1.0}, "integration_second: got -1.0; it is at least 0"),
        (TelegraphSpec, {"amplitude": 1.5}, "a trap cannot take more than all"),
        (
            TelegraphSpec,
            {"trap_share": 1.1},
            "trap_share: got 1.1; it is at most 1. Share of the cells with an active trap.",
        ),
        (TelegraphSpec, {"occupancy": -0.1}, "occupancy: got -0.1; it is at least 0"),
        (TelegraphSpec, {"correlation_second": 0.0}, "correlation_second: got 0.0; it is above 0"),
        (TelegraphSpec, {"amplitude_log": 21.0}, "amplitude_log: got 21.0; it is at most 20"),
    ],
)
def test_wrong_specs(spec, wrong, sentence):
    with pytest.raises(SpecError) as caught:
        spec(**wrong)
    assert sentence in str(caught.value)
