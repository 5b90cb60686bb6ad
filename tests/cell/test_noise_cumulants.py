"""Mean, variance and third central moment of a read: closed forms against quadrature, scipy and many reads.

Statistical tests have fixed seeds; |z| < 4.5 is a false alarm in 1.5e5 cases, a p value above 1e-4 in 1e4.
"""

import numpy as np
import pytest
from helpers.cells import cells, z_of_mean
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.errors import SpecError


def z_of_cumulants(reads, expected):
    """Standard scores of the first three central moments of many reads of one cell."""
    mean, variance, third = expected
    centred = reads - mean
    return [z_of_mean(centred**power, moment) for power, moment in ((1, 0.0), (2, variance), (3, third))]


def quadrature(z):
    """Mean, variance and third central moment of max(z + n, 0), by Gauss's rule over n."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = 0.5 * (14.0 + z)
    n = half * (nodes + 1) - z
    chance = half * weights * stats.norm.pdf(n)

    def expected(power, about):
        return (chance * (z + n - about) ** power).sum() + stats.norm.cdf(-z) * (-about) ** power

    mean = expected(1, 0.0)
    return np.array([mean, expected(2, mean), expected(3, mean)])


class TestCumulants:
    @pytest.mark.parametrize("z", [0.0, 0.01, 0.3, 1.0, 2.0, 3.5, 5.0])
    def test_a_normal_read_that_is_cut_off_at_0(self, z):
        """Against quadrature; siemens of the size of cells."""
        sigma = 2e-6
        cumulants_of_read = ReadNoiseSpec(spread_siemens=sigma).cumulants(np.array([z * sigma]), np.array([sigma]))
        for one, other, power in zip(cumulants_of_read, quadrature(z), (1, 2, 3), strict=True):
            assert_allclose(one, other * sigma**power, rtol=1e-12, atol=2e-13 * sigma**power)

    def test_of_half_a_normal_distribution_by_hand(self):
        """max(n, 0): 1 / sqrt(2 pi), 1/2 - 1 / (2 pi), and 1 / sqrt(2 pi) (1/2 + 1 / pi)."""
        mean, variance, third = ReadNoiseSpec().cumulants(np.zeros(1), np.ones(1))
        root = np.sqrt(2 * np.pi)
        assert_allclose([mean[0], variance[0]], [1 / root, 0.5 - 0.5 / np.pi], rtol=1e-15)
        assert_allclose(third[0], 2 / root - 1.5 / root + 2 / root**3, rtol=1e-15)

    def test_far_above_0_nothing_is_cut_off(self):
        """Bit for bit; and where the closed form takes over, both are the same to rounding."""
        g, sigma = np.array([5e-5, 8.0, 1.0, 1.0]), np.array([2e-6, 1.0, 0.0, 0.1])
        cumulants = ReadNoiseSpec().cumulants(g, sigma)
        assert_array_equal(cumulants, (g, sigma**2, np.zeros(4)))
        below = ReadNoiseSpec().cumulants(np.array([np.nextafter(8.0, 0)]), np.ones(1))
        assert_allclose(below, [[8.0], [1.0], [0.0]], rtol=3e-15, atol=1e-13)

    @pytest.mark.parametrize("relative", [0.01, 0.3, 1.0, 4.0])
    def test_lognormal(self, relative):
        """K2 = g^2 r^2 and k3 = g^3 r^4 (r^2 + 3), and those of the distribution as scipy has it."""
        g = 5e-5
        cumulants = ReadNoiseSpec(law="lognormal").cumulants(np.array([g]), np.array([relative * g]))
        expected = (g, (g * relative) ** 2, g**3 * relative**4 * (relative**2 + 3))
        assert_allclose(np.ravel(cumulants), expected, rtol=1e-12)
        s = np.sqrt(np.log1p(relative**2))
        mean, variance, skewness = stats.lognorm(s, scale=g * np.exp(-(s**2) / 2)).stats("mvs")
        assert_allclose(np.ravel(cumulants), (mean, variance, skewness * variance**1.5), rtol=1e-9)

    @pytest.mark.parametrize("law", ["normal", "lognormal"])
    def test_an_open_cell(self, law):
        """Lognormal noise is a factor: it makes nothing of nothing."""
        written = cells(0.0, n=3, read_noise={"law": law, "spread_siemens": 1e-6})
        assert (written.read(rng=1) > 0).any() == (law == "normal")
        assert all(each.any() == (law == "normal") for each in written.cumulants())

    @pytest.mark.parametrize(
        "noise",
        [{"relative_deviation": 0.05}, {"spread_siemens": 4e-5}, {"law": "lognormal", "relative_deviation": 0.3}],
    )
    @pytest.mark.parametrize("trap", [{}, {"trap_share": 1.0, "amplitude": 0.4, "occupancy": 0.2}])
    def test_of_many_reads(self, noise, trap):
        """10^6 reads: |z| < 4.5 for each of the three moments."""
        written = cells(n=1, read_noise=noise, telegraph=trap)
        reads = written.part(np.zeros(1_000_000, dtype=int)).read(rng=3)
        assert np.abs(z_of_cumulants(reads, [each[0] for each in written.cumulants()])).max() < 4.5

    @pytest.mark.parametrize("law", ["normal", "lognormal"])
    @pytest.mark.parametrize("occupancy", [0.0, 0.15, 0.5, 1.0])
    def test_a_mixture_of_two_states(self, law, occupancy):
        """Raw moments of empty and filled traps by their chances, then central ones; a trap that takes all, too."""
        spec = DeviceSpec(
            read_noise={"law": law, "spread_siemens": 1e-5},
            telegraph={"trap_share": 1.0, "amplitude": 0.5, "amplitude_log": 1.0, "occupancy": max(occupancy, 1e-300)},
        )
        few = spec.program(np.linspace(1e-5, 1e-4, 9), rng=3)
        assert few.trap.max() == 1
        raw = np.zeros((3, 9))
        for state, chance in ((False, 1 - occupancy), (True, occupancy)):
            mean, variance, third = few.cumulants(filled=np.full(9, state))
            raw += chance * np.array([mean, variance + mean**2, third + 3 * mean * variance + mean**3])
        expected = (raw[0], raw[1] - raw[0] ** 2, raw[2] - 3 * raw[0] * raw[1] + 2 * raw[0] ** 3)
        for cumulant, other, power in zip(few.cumulants(), expected, (1, 2, 3), strict=True):
            assert_allclose(cumulant, other, rtol=1e-12, atol=1e-14 * 1e-4**power)

    def test_traps_that_come_and_go_without_other_noise(self):
        """Two levels d apart: p (1 - p) d^2 and p (1 - p) (2 p - 1) d^3."""
        few = cells(n=1, telegraph={"trap_share": 1.0, "amplitude": 0.2, "occupancy": 0.3})
        d = 5e-5 * few.trap.astype(float)
        assert_allclose(few.cumulants(), [5e-5 - 0.3 * d, 0.21 * d**2, -0.4 * 0.21 * d**3], rtol=1e-12)

    @pytest.mark.parametrize("law", ["normal", "lognormal"])
    def test_known_states(self, law):
        """White noise alone is left: that of reads which found these traps filled."""
        trap = {"trap_share": 0.7, "amplitude": 0.5, "occupancy": 0.4}
        one = cells(n=200, read_noise={"law": law, "relative_deviation": 0.2}, telegraph=trap)
        filled = np.random.default_rng(1).random(200) < 0.5
        trap_share = np.where(filled, one.trap.astype(float), 0.0)
        mean, variance, _ = one.cumulants(filled=filled)
        assert_allclose(mean, 5e-5 * (1 - trap_share), rtol=1e-3)
        if law == "lognormal":
            assert_allclose(variance, (0.2 * mean) ** 2, rtol=1e-12)
        assert_array_equal(one.cumulants(filled=np.array(True)).mean, one.cumulants(filled=np.full(200, True)).mean)
        full = cells(n=200, read_noise={"law": law, "relative_deviation": 0.2}, telegraph={**trap, "occupancy": 1.0})
        score = (
            full.read_series(np.zeros(400), rng=2).mean(axis=0) - full.cumulants(filled=np.full(200, True)).mean
        ) * 20
        assert np.abs(score / np.sqrt(full.cumulants().variance)).max() < 5

    @pytest.mark.parametrize("wrong", [np.ones(5, bool), np.ones((2, 3), bool), np.ones(3)])
    def test_states_of_other_cells(self, wrong):
        with pytest.raises(
            SpecError, match=r"filled: one bool for each trap, .* in the shape \(3,\) of the cells; got"
        ):
            cells(n=3, telegraph={"trap_share": 1.0, "amplitude": 0.1}).cumulants(filled=wrong)

    def test_moments_are_the_first_two(self):
        few = cells(n=5, read_noise={"spread_siemens": 2e-5}, telegraph={"trap_share": 0.5, "amplitude": 0.3})
        mean, variance, _ = few.cumulants(10.0)
        assert_array_equal(few.moments(10.0), (mean, np.sqrt(variance)))

    def test_a_scalar(self):
        one = DeviceSpec(read_noise={"spread_siemens": 1e-5}).program(1e-5, rng=1)
        assert_allclose(np.ravel(one.cumulants()), quadrature(1.0) * [1e-5, 1e-10, 1e-15], rtol=1e-12)
