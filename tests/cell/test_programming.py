"""Spread of written and noise of read conductances: published numbers, limits, and distributions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.spread import GaussianSpreadSpec, LognormalSpreadSpec
from rramsim.errors import SpecError

N = 40000


def written(programming, g_target, n=N, seed=1, g_max=4e-5):
    spec = DeviceSpec(g_max_siemens=g_max, programming=programming)
    return spec.program(np.full(n, g_target), rng=seed).g


class TestWan2022:
    """Wan et al., Nature 608, 504 (2022), one second after programming, as fitted in IBM aihwkit.

    sigma / uS = 0.348 + 16.030 x - 43.853 x^2 + 45.393 x^3 - 16.815 x^4 with x = g / 40 uS.
    """

    @pytest.mark.parametrize(
        ("micro_siemens", "sigma"),
        [
            (1, 0.722044572265625),
            (4, 1.5561815),
            (10, 2.25826953125),
            (20, 2.0229375),
            (30, 1.53298828125),
            (40, 1.103),
        ],
    )
    def test_spread_at_stated_conductances(self, micro_siemens, sigma):
        """Worked out in fractions from the coefficients above."""
        spec = device("rram-wan-2022")
        spread = spec.programming.sigma(np.array([micro_siemens * 1e-6]), spec.g_max_siemens)
        assert_allclose(spread, sigma * 1e-6, rtol=1e-12)

    def test_largest_spread(self):
        """2.30 uS, a little below a third of the window."""
        spec = device("rram-wan-2022")
        g = np.linspace(1e-6, 40e-6, 4000)
        sigma = spec.programming.sigma(g, spec.g_max_siemens)
        assert sigma.max() == pytest.approx(2.30e-6, abs=0.005e-6)
        assert 10e-6 < g[sigma.argmax()] < 14e-6

    @pytest.mark.parametrize("micro_siemens", [10, 20, 40])
    def test_written_cells_have_it(self, micro_siemens):
        """Kolmogorov-Smirnov at the false-alarm rate 1e-4, and |z| < 4.5 for mean and deviation."""
        spec = device("rram-wan-2022")
        g = spec.program(np.full(N, micro_siemens * 1e-6), rng=1).g * 1e6
        x = micro_siemens / 40
        sigma = 0.348 + x * (16.030 + x * (-43.853 + x * (45.393 - x * 16.815)))
        assert stats.kstest(g, stats.norm(micro_siemens, sigma).cdf).pvalue > 1e-4
        assert abs(g.mean() - micro_siemens) < 4.5 * sigma / np.sqrt(N)
        assert_allclose(g.std(), sigma, rtol=4.5 / np.sqrt(2 * N))


class TestGaussian:
    def test_flat_spread(self):
        """Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        for target in (5e-6, 3.5e-5):
            g = written(GaussianSpreadSpec(spread_siemens=(1e-6,)), target)
            assert stats.kstest(g, stats.norm(target, 1e-6).cdf).pvalue > 1e-4

    def test_spread_grows_with_the_state(self):
        spec = GaussianSpreadSpec(spread_siemens=(1e-7, 2e-6))
        assert_allclose(spec.sigma(np.array([0, 2e-5, 4e-5]), 4e-5), [1e-7, 1.1e-6, 2.1e-6])

    def test_negative_spread_counts_as_none(self):
        spec = GaussianSpreadSpec(spread_siemens=(-1e-6, 2e-6))
        assert_allclose(spec.sigma(np.array([0, 1e-5, 2e-5, 4e-5]), 4e-5), [0, 0, 0, 1e-6], atol=1e-20)
        assert_array_equal(written(spec, 1e-5, n=100), np.full(100, 1e-5))

    def test_never_negative(self):
        """A target of one sigma above 0: a share of 15.87 % ends at 0; binomial, |z| < 4.5."""
        g = written(GaussianSpreadSpec(spread_siemens=(1e-6,)), 1e-6)
        assert g.min() == 0
        assert abs(np.mean(g == 0) - 0.158655) < 4.5 * np.sqrt(0.158655 * 0.841345 / N)


class TestLognormal:
    @pytest.mark.parametrize("spread", [0.05, 0.5])
    def test_median_is_the_target(self, spread):
        """Kolmogorov-Smirnov at the false-alarm rate 1e-4, and |z| < 4.5 for the moments of ln g."""
        g = written(LognormalSpreadSpec(spread_log=spread), 2e-5)
        logarithm = np.log(g / 2e-5)
        assert stats.kstest(logarithm, stats.norm(0, spread).cdf).pvalue > 1e-4
        assert abs(logarithm.mean()) < 4.5 * spread / np.sqrt(N)
        assert_allclose(logarithm.std(), spread, rtol=4.5 / np.sqrt(2 * N))
        # The mean of a lognormal lies above its median by exp(s^2 / 2).
        assert_allclose(g.mean() / 2e-5, np.exp(spread**2 / 2), rtol=6 * spread / np.sqrt(N))

    def test_an_off_cell_that_does_not_conduct_stays_off(self):
        assert not written(LognormalSpreadSpec(spread_log=1.0), 0.0, n=100).any()


class TestShift:
    def test_mean_error(self):
        """A state-dependent shift below a spread: |z| < 4.5 for the mean."""
        spec = GaussianSpreadSpec(spread_siemens=1e-6, shift_siemens=(1e-6, -4e-6))
        for target, shift in ((1e-5, 0.0), (2e-5, -1e-6), (4e-5, -3e-6)):
            g = written(spec, target)
            assert abs(g.mean() - target - shift) < 4.5 * 1e-6 / np.sqrt(N)
            assert_allclose(g.std(), 1e-6, rtol=4.5 / np.sqrt(2 * N))

    def test_alone(self):
        """Without spread it is exact, and stops at 0."""
        spec = GaussianSpreadSpec(shift_siemens=-1.5e-5)
        assert not spec.ideal
        assert_array_equal(written(spec, 2e-5, n=3), np.full(3, 2e-5 - 1.5e-5))
        assert_array_equal(written(spec, 1e-5, n=3), np.zeros(3))

    def test_the_lognormal_median_is_shifted(self):
        """Kolmogorov-Smirnov of ln g at the false-alarm rate 1e-4."""
        g = written(LognormalSpreadSpec(spread_log=0.2, shift_siemens=5e-6), 2e-5)
        assert stats.kstest(np.log(g / 2.5e-5) / 0.2, stats.norm.cdf).pvalue > 1e-4


class TestCurves:
    @pytest.mark.parametrize("n", [1, 7, 32768, 32769, 70001])
    def test_the_kernel_and_the_curve_give_the_same_bits(self, n):
        """One polynomial as a list, for the kernel, and as a curve with a limit it never meets, for NumPy."""
        c = (0.348e-6, 16.030e-6, -43.853e-6, 45.393e-6, -16.815e-6)
        targets = np.random.default_rng(0).uniform(0, 4e-5, n)
        slow = GaussianSpreadSpec(spread_siemens={"coefficients": c, "at_most": 1.0})
        one, other = (
            DeviceSpec(g_max_siemens=4e-5, programming=spec).program(targets, rng=1).g
            for spec in (GaussianSpreadSpec(spread_siemens=c), slow)
        )
        assert_array_equal(one, other)
        assert (one != targets).mean() > 0.99

    def test_a_number_is_a_constant_polynomial(self):
        one, other = (written(GaussianSpreadSpec(spread_siemens=spread), 2e-5) for spread in (1e-6, (1e-6,)))
        assert_array_equal(one, other)

    def test_piecewise_spread(self):
        """Kolmogorov-Smirnov on either side of the joint, at the false-alarm rate 1e-4."""
        curve = {"coefficients": [1e-6], "above_siemens": 2e-5, "above": {"coefficients": [3e-6]}}
        spec = GaussianSpreadSpec(spread_siemens=curve)
        for target, sigma in ((1.99e-5, 1e-6), (2e-5, 3e-6)):
            assert stats.kstest((written(spec, target) - target) / sigma, stats.norm.cdf).pvalue > 1e-4

    def test_lognormal_spread_of_the_state(self):
        spec = LognormalSpreadSpec(spread_log=(0.5, -0.4))
        for target, s in ((0.0, 0.5), (2e-5, 0.3), (4e-5, 0.1)):
            assert_allclose(spec.sigma(np.array([target]), 4e-5), target * s, rtol=1e-12)
            if target:
                ratio = np.log(written(spec, target) / target) / s
                assert stats.kstest(ratio, stats.norm.cdf).pvalue > 1e-4

    def test_a_lognormal_curve_below_0_is_no_spread(self):
        spec = LognormalSpreadSpec(spread_log=(-0.1,))
        assert_array_equal(written(spec, 2e-5, n=9), np.full(9, 2e-5))


class TestTwoKinds:
    """Device to device and cycle to cycle."""

    SPEC = DeviceSpec(
        programming=GaussianSpreadSpec(spread_siemens=1e-6), device_to_device=GaussianSpreadSpec(spread_siemens=2e-6)
    )

    def test_one_write_has_both(self):
        """Deviations add up in squares; Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        g = self.SPEC.program(np.full(N, 5e-5), rng=1).g
        assert stats.kstest((g - 5e-5) / np.sqrt(5e-12), stats.norm.cdf).pvalue > 1e-4

    def test_variance_of_rewritten_cells(self):
        """Twenty writes of 4000 cells: within a cell the variance of a write, between the cells that of the devices.

        Both against their chi-square scatter, |z| < 4.5.
        """
        g = self.SPEC.program(np.full((20, 4000), 5e-5), rng=1, cell_rng=2).g
        within = g.var(axis=0, ddof=1).mean()
        assert abs(within / 1e-12 - 1) < 4.5 * np.sqrt(2 / (19 * 4000))
        between = g.mean(axis=0).var(ddof=1) - within / 20
        assert abs(between / 4e-12 - 1) < 4.5 * np.sqrt(2 / 3999) * (1 + 1 / 80)

    def test_rewritten_cells_keep_their_own_error_at_every_target(self):
        """A cell has one number for all its writes, times the spread of the state it is written to."""
        spec = DeviceSpec(device_to_device=GaussianSpreadSpec(spread_siemens=(0.0, 1e-6)))
        targets = np.stack([np.full(300, 1e-5), np.full(300, 1e-4)])
        errors = spec.program(targets, rng=1, cell_rng=2).g - targets
        assert_allclose(errors[1], 10 * errors[0], rtol=1e-6)
        assert np.unique(errors[0]).size > 290

    def test_both_lognormal(self):
        law = LognormalSpreadSpec(spread_log=0.3)
        g = DeviceSpec(programming=law, device_to_device=law).program(np.full(N, 5e-5), rng=1).g
        assert stats.kstest(np.log(g / 5e-5) / np.hypot(0.3, 0.3), stats.norm.cdf).pvalue > 1e-4


def test_cells_are_independent():
    """Neighbours along both axes, and two writes: |r| < 4.5 / sqrt(n), false alarm 2e-5."""
    spec = DeviceSpec(programming=GaussianSpreadSpec(spread_siemens=(1e-6,)))
    g, again = (spec.program(np.full((200, 200), 5e-5), rng=seed).g for seed in (1, 2))
    for one, other in [(g[1:], g[:-1]), (g[:, 1:], g[:, :-1]), (g, again)]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(one.size)


def test_ideal():
    assert GaussianSpreadSpec().ideal
    assert LognormalSpreadSpec().ideal
    assert GaussianSpreadSpec(spread_siemens=(0.0, 0.0)).ideal
    assert not GaussianSpreadSpec(spread_siemens=(0.0, 1e-9)).ideal
    assert not LognormalSpreadSpec(spread_log=1e-3).ideal


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"spread_log": 0.1}, "spread_log: unknown key: it belongs to law = 'lognormal'"),
        (
            {"law": "lognormal", "spread_siemens": (1e-6,)},
            "spread_siemens: unknown key: it belongs to law = 'gaussian'",
        ),
        ({"law": "uniform"}, "law"),
        ({"law": "lognormal", "spread_log": -0.1}, "spread_log"),
        ({"spread_siemens": (float("nan"),)}, "spread_siemens"),
        ({"spread_siemens": (1e-9,) * 9}, "spread_siemens"),
        ({"spread_siemens": -1e-9}, "spread_siemens -1e-09 is at least 0: it is a standard deviation"),
        ({"law": "lognormal", "spread_log": -1}, "spread_log -1 is at least 0: it is a standard deviation"),
    ],
)
def test_bad_spread(wrong, reason):
    with pytest.raises(SpecError, match=reason):
        DeviceSpec(programming=wrong)


def test_a_list_is_as_good_as_a_tuple():
    assert GaussianSpreadSpec(spread_siemens=[1e-6, 2e-6]) == GaussianSpreadSpec(spread_siemens=(1e-6, 2e-6))


@pytest.mark.parametrize("relative", [-0.01, 1.01, float("nan"), "1 %"])
def test_bad_read_noise(relative):
    with pytest.raises(SpecError, match="relative"):
        ReadNoiseSpec(relative_deviation=relative)
