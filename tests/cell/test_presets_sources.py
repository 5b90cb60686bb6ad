"""Golden tests of single sources: what their cells do in time, when they are read, and under pulses.

Figures in microsiemens, as the sources have them (SONOS in nanoampere at 0.1 V). Statistical tests with fixed seeds:
means and deviations at |z| < 4.5, false alarm 7e-6 each.
"""

import numpy as np
import pytest
from helpers.published import DAY, MICRO, micro
from numpy.testing import assert_allclose
from scipy import stats

from rramsim.cards import presets
from rramsim.cell.curves import value_at
from rramsim.cell.device import device
from rramsim.errors import RangeError

N = 40000

DRIFT = {
    # g / uS: mean and deviation of the exponent, and the relative deviation of a read 3600 s after t0.
    "pcm-nandakumar-2019": {
        0.25: (0.0957801, 0.045, 0.836610),
        1: (0.0742926, 0.0343359, 0.339769),
        5: (0.0493463, 0.0142180, 0.119359),
        12.5: (0.049, 0.008, 0.0657950),
        25: (0.049, 0.008, 0.0419298),
    },
    "pcm-hermes": {
        0.207: (0.13, 0.04, 0.187875),
        2.07: (0.071904, 0.0212402, 0.0941263),
        5.175: (0.067725, 0.0105196, 0.0748342),
        10.35: (0.0564, 0.009, 0.0784963),
        20.7: (0.0174, 0.0048, 0.0577714),
    },
    "pcm-hermes-single": {
        0.1035: (0.13, 0.04, 0.186451),
        1.035: (0.071904, 0.0253310, 0.102144),
        2.5875: (0.067725, 0.0143355, 0.0966397),
        5.175: (0.0564, 0.012075, 0.101862),
        10.35: (0.0174, 0.0055, 0.0788608),
    },
}
DRIFT["pcm-joshi-2020"] = DRIFT["pcm-nandakumar-2019"]
START = {"pcm-nandakumar-2019": 20, "pcm-joshi-2020": 20, "pcm-hermes": 300, "pcm-hermes-single": 200}


def pcm_like(x):
    """Mean and deviation of the exponent of drift and relative noise of aihwkit's PCMLikeNoiseModel, x = g / 25 uS."""
    mean = np.clip(-0.0155 * np.log(x) + 0.0244, 0.049, 0.1)
    deviation = np.clip(-0.0125 * np.log(x) - 0.0059, 0.008, 0.045)
    return mean, deviation, np.minimum(0.0088 / np.maximum(x**0.65, 1e-3), 0.2)


def hermes_mean(x):
    return np.where(
        x < 0.0945, np.clip(-0.0387 * np.log(x) - 0.0182, 0.0720, 0.13), -0.0436 * x**2 - 0.0126 * x + 0.0736
    )


def hermes(x):
    """Mean and deviation of the exponent and relative noise of aihwkit's Hermes model, two devices, x = g / 20.7 uS."""
    deviation = np.where(
        x < 0.3055, np.clip(-0.0117 * np.log(x) - 0.0057, 0.0091, 0.04), -0.0118 * x**2 + 0.0093 * x + 0.0073
    )
    noise = np.where(
        x < 0.16,
        np.clip(-0.0117 * np.log(x) - 0.0069, 0.015, 0.04),
        0.0069 * x**3 - 0.0280 * x**2 + 0.0211 * x + 0.0123,
    )
    return hermes_mean(x), deviation, noise


def hermes_single(x):
    """Mean and deviation of the exponent and relative noise of aihwkit's Hermes model, one device, x = g / 10.35 uS."""
    deviation = np.where(
        x < 0.3039, np.clip(-0.0120 * np.log(x) - 0.0023, 0.0124, 0.04), -0.0165 * x**2 + 0.0116 * x + 0.0104
    )
    noise = np.where(
        x < 0.1591,
        np.clip(-0.0078 * np.log(x) + 0.0038, 0.0179, 0.04),
        0.0664 * x**3 - 0.1352 * x**2 + 0.0768 * x + 0.0088,
    )
    return hermes_mean(x), deviation, noise


PRINTED = {
    "pcm-nandakumar-2019": (25, pcm_like),
    "pcm-joshi-2020": (25, pcm_like),
    "pcm-hermes": (20.7, hermes),
    "pcm-hermes-single": (10.35, hermes_single),
}
WAN_TOTAL = {
    DAY: {2: 1.68415, 4: 2.44732, 10: 3.72076, 20: 3.90900, 30: 3.36648, 40: 2.65100},
    2 * DAY: {2: 1.69149, 4: 2.41020, 10: 3.66379, 20: 3.92913, 30: 3.37435, 40: 2.67700},
}
MILO_RATIO = {
    50: {0.1: 0.929435, 0.2: 0.865517, 0.5: 0.713644, -0.2: 1.16107, -0.5: 1.45253},
    62.5: {0.1: 0.963349, 0.2: 0.929680, 0.5: 0.846567, -0.2: 1.08225, -0.5: 1.22799},
    76.2: {0.1: 0.980183, 0.2: 0.961478, 0.5: 0.912033, -0.2: 1.04297, -0.5: 1.11576},
    110: {0.1: 0.993913, 0.2: 0.987516, 0.5: 0.966457, -0.2: 1.01124, -0.5: 1.02577},
    225: {0.1: 0.999273, 0.2: 0.998516, 0.5: 0.996067, -0.2: 1.00136, -0.5: 1.00319},
}
SONOS_MOVED = {
    1: {1: 0.229257, 10: 0.680075, 100: 1.73521, 400: 0.615458, 800: -3.82678, 1600: -11.5322},
    2: {1: 0.316251, 10: 0.847513, 100: 2.43046, 400: -0.0722749, 800: -8.00162, 1600: -22.3723},
    3: {1: 0.0791991, 10: 0.867409, 100: 3.62123, 400: 0.819802, 800: -9.31255, 1600: -26.9059},
    4: {1: 0.142402, 10: 0.971417, 100: 3.61767, 400: -1.54541, 800: -13.8906, 1600: -38.2715},
    5: {1: 0.425487, 10: 1.28623, 100: 4.11776, 400: -1.46793, 800: -15.1731, 1600: -40.6984},
}
SONOS_TOTAL = {
    1: (25.59102, 186.85544),
    2: (28.72753, 193.56834),
    3: (31.04318, 198.90332),
    4: (33.76214, 204.77023),
    5: (34.57909, 207.34309),
}
IBM = {
    "rram-ibm-om-2022": (0.0949, 0.7829, 0.4158, 0.3499, 0.5695, 0.1348),
    "rram-ibm-hfo2-2022": (0.4622, 0.7125, 0.2174, 0.4295, 0.5990, 0.0977),
}


def within(drawn, expected, deviation, n=N):
    """A mean of n numbers of the given deviation."""
    assert abs(drawn - expected) < 4.5 * deviation / np.sqrt(n)


class TestWan:
    """Wan et al. 2022: total spread at the three published times, and the two fits of the first."""

    @pytest.mark.parametrize("second", WAN_TOTAL)
    def test_total_spread(self, second):
        spec, points = device("rram-wan-2022"), WAN_TOTAL[second]
        g = micro(points)
        written = spec.programming.sigma(g, spec.g_max_siemens)
        shift, sigma = spec.relaxation.moments(g, spec.g_max_siemens, second, spec.settled_second, written)
        assert not shift.any()
        assert_allclose(np.hypot(written, sigma), micro(points.values()), rtol=5e-6)

    @pytest.mark.parametrize("second", WAN_TOTAL)
    def test_cells_have_it(self, second):
        g = device("rram-wan-2022").program(np.full(N, 20e-6), rng=3).conductance(second) / MICRO
        sigma = WAN_TOTAL[second][20]
        assert stats.kstest(g, stats.norm(20, sigma).cdf).pvalue > 1e-4
        assert_allclose(g.std(), sigma, rtol=4.5 / np.sqrt(2 * N))

    def test_two_fits_of_one_figure(self):
        """They differ most at 0 uS, by 0.705 uS; by 0.529 uS from 2 uS on."""
        one, other = device("rram-wan-2022"), device("rram-wan-2022-crosssim")
        g = np.linspace(0, 39.26e-6, 20000)
        gap = np.abs(one.programming.sigma(g, 40e-6) - other.programming.sigma(g, 39.26e-6)) / MICRO
        assert gap.max() == pytest.approx(0.705, abs=5e-4)
        assert g[gap.argmax()] == 0
        assert gap[g >= 2e-6].max() == pytest.approx(0.529, abs=5e-4)


class TestMilo:
    """Milo et al. 2021: I / (G V) of its cubic I-V, worked out from the printed coefficients."""

    @pytest.mark.parametrize("g", MILO_RATIO)
    def test_current(self, g):
        volt = np.array(list(MILO_RATIO[g]))
        ratio = device("rram-milo-2021").conduction.current(g * MICRO, volt) / (g * MICRO * volt)
        assert_allclose(ratio, list(MILO_RATIO[g].values()), rtol=1e-5)

    def test_beyond_its_voltage(self):
        assert device("rram-milo-2021").conduction.most_volt == 0.5
        with pytest.raises(RangeError, match=r"0\.6"):
            device("rram-milo-2021").conduction.current(100e-6, 0.6)


class TestDriftAndReadNoise:
    @pytest.mark.parametrize("name", presets())
    def test_every_drift_stands_in_the_table_above(self, name):
        assert device(name).drift.ideal == (name not in DRIFT)
        assert device(name).settled_second == START.get(name, 1.0)

    @pytest.mark.parametrize("name", PRINTED)
    def test_printed_formulas(self, name):
        """All branches and limits, on both sides of every joint."""
        spec, (top, formula) = device(name), PRINTED[name]
        assert spec.drift.falls_only
        joints = np.array([0.0945, 0.1591, 0.16, 0.3039, 0.3055])
        x = np.sort(np.concatenate([np.geomspace(1e-4, 1, 2000), joints * (1 - 1e-6), joints * (1 + 1e-6)]))
        curves = (spec.drift.exponent, spec.drift.exponent_spread, spec.read_noise.relative_deviation)
        for curve, printed in zip(curves, formula(x), strict=True):
            assert_allclose(value_at(curve, x * top * MICRO, spec.g_max_siemens), printed, rtol=1e-9)

    @pytest.mark.parametrize(("name", "second"), [("pcm-hermes", 512e-9), ("pcm-nandakumar-2019", 250e-9)])
    def test_length_of_a_read(self, name, second):
        assert device(name).read_noise.integration_second == second

    @pytest.mark.parametrize("name", DRIFT)
    def test_exponents(self, name):
        """Mean and deviation; folded where a negative one counts as positive."""
        spec = device(name)
        for g, (mean, deviation, _) in DRIFT[name].items():
            nu = spec.drift.draw(np.full(N, g * MICRO), spec.g_max_siemens, np.random.default_rng(1))
            folded = stats.foldnorm(mean / deviation, scale=deviation)
            within(nu.mean(), folded.mean(), folded.std())
            assert_allclose(nu.std(), folded.std(), rtol=4.5 * np.sqrt((folded.stats("k") + 2) / (4 * N)) + 1e-3)

    @pytest.mark.parametrize("name", DRIFT)
    def test_read_noise(self, name):
        spec = device(name)
        assert spec.settled_second == START[name]
        for g, (_, _, relative) in DRIFT[name].items():
            noise = spec.read_noise.deviation([g * MICRO], [g * MICRO], spec.g_max_siemens, 3600 + START[name])
            assert noise[0] / (g * MICRO) == pytest.approx(relative, rel=1e-5)

    def test_read_noise_at_the_first_read(self):
        """aihwkit's model reads with 1/f noise at t0 = 20 s already."""
        spec = device("pcm-nandakumar-2019")
        for g, relative in {0.25: 0.734609, 5: 0.104806, 25: 0.0368177}.items():
            cells = spec.program(np.full(3, g * MICRO), rng=1)
            written = cells.g
            q = min(0.0088 / (written[0] / 25e-6) ** 0.65, 0.2)
            growth = relative / min(0.0088 / (g / 25) ** 0.65, 0.2)
            # The read is cut off at 0, which shows in the noisiest.
            expected = spec.read_noise.cumulants(written[:1], written[:1] * q * growth)
            assert cells.moments()[1][0] == pytest.approx(np.sqrt(expected.variance[0]), rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "g", "mean"),
        [("pcm-nandakumar-2019", 12.5, 9.68911), ("pcm-nandakumar-2019", 25, 19.3782), ("pcm-hermes", 10.35, 8.95600)],
    )
    def test_cells_drift(self, name, g, mean):
        """An hour after t0, the median of exponents of small spread: g (t / t0)^-mean."""
        spec = device(name)
        start = START[name]
        cells = spec.program(np.full(N, g * MICRO), rng=7)
        ratio = cells.conductance(3600 + start) / cells.g
        assert np.median(ratio) * g == pytest.approx(mean, rel=1e-3)
        assert (cells.conductance(start) == cells.g).all()


@pytest.mark.parametrize("name", ["rram-cmo-hfox", "rram-cmo-hfox-2percent"])
class TestCmo:
    """Falcone et al.: relaxation and read noise, the same for either acceptance."""

    @pytest.mark.parametrize(
        ("second", "shift", "sigma"),
        [
            (1, 0, 0.411833),
            (600, -0.56934, 0.680577),
            (3600, -0.72881, 0.755851),
            (DAY, -1.01166, 0.889366),
            (3.1536e8, -1.74170, 1.23396),
        ],
    )
    def test_relaxation(self, name, second, shift, sigma):
        spec = device(name)
        moments = spec.relaxation.moments(
            np.array([50e-6]), spec.g_max_siemens, second, spec.settled_second, np.zeros(1)
        )
        assert_allclose(np.ravel(moments) / MICRO, [shift, sigma], rtol=1e-5, atol=1e-12)

    def test_cells_relax(self, name):
        cells = device(name).program(np.full(N, 50e-6), rng=5)
        moved = (cells.conductance(3600) - cells.g) / MICRO
        within(moved.mean(), -0.72881, 0.755851)
        assert_allclose(moved.std(), 0.755851, rtol=4.5 / np.sqrt(2 * N))
        assert (cells.conductance(0.5) == cells.g).all()

    @pytest.mark.parametrize(
        ("g", "second", "sigma"),
        [(9, 1, 0.0958607), (10, 3600, 0.128020), (50, 1, 0.170674), (50, DAY, 0.233157), (88.2, 3600, 0.249059)],
    )
    def test_read_noise(self, name, g, second, sigma):
        spec = device(name)
        noise_siemens = spec.read_noise.deviation([g * MICRO], [g * MICRO], spec.g_max_siemens, second)
        assert noise_siemens[0] / MICRO == pytest.approx(sigma, rel=1e-5)


class TestSonos:
    """Agrawal et al. 2022: nanoampere at 0.1 V."""

    def moments(self, current, day):
        spec = device("sonos")
        g = np.array([current * 1e-8])
        written = spec.programming.sigma(g, spec.g_max_siemens)
        shift, sigma = spec.relaxation.moments(g, spec.g_max_siemens, day * DAY, spec.settled_second, written)
        return shift[0] / 1e-8, np.hypot(written, sigma)[0] / 1e-8

    @pytest.mark.parametrize("day", SONOS_MOVED)
    def test_mean_drift(self, day):
        for current, moved in SONOS_MOVED[day].items():
            assert self.moments(current, day)[0] == pytest.approx(moved, rel=1e-5)

    @pytest.mark.parametrize("day", SONOS_TOTAL)
    def test_spread(self, day):
        a, b = SONOS_TOTAL[day]
        for current in (10, 100, 800, 1600):
            assert self.moments(current, day)[1] == pytest.approx(a * (1 - np.exp(-current / b)), rel=1e-6)

    def test_between_two_days(self):
        """Interpolated in t: 1.5 days, 800 nA."""
        moved, total = self.moments(800, 1.5)
        assert moved == pytest.approx(-5.91420, rel=1e-5)
        each = [a * (1 - np.exp(-800 / b)) for a, b in (SONOS_TOTAL[1], SONOS_TOTAL[2])]
        assert total == pytest.approx(np.mean(each), rel=1e-9)

    @pytest.mark.parametrize(("current", "noise"), [(1, 0.0582786), (100, 4.67288), (800, 12.2739), (1600, 12.5729)])
    def test_read_noise(self, current, noise):
        noise_siemens = device("sonos").read_noise.deviation([current * 1e-8], [current * 1e-8], 16e-6)
        assert noise_siemens[0] / 1e-8 == pytest.approx(noise, rel=1e-5)


class TestIbmArrays:
    """Gong et al., IEDM 2022: statistics of pulses."""

    @pytest.mark.parametrize("name", IBM)
    def test_figures(self, name):
        spec, write = device(name), device(name).write
        steps = (write.step_fraction, write.step_device_spread, write.step_spread)
        ends = (2 * write.top_device_spread, 2 * write.bottom_device_spread, spec.stuck.frozen_fraction)
        assert_allclose((*steps, *ends), IBM[name], rtol=1e-4)
        assert (write.step, write.tolerance_siemens, write.most_pulses) == ("soft", 5e-6, 200)  # choices
        low, high = spec.stuck.frozen_siemens
        assert low + high == pytest.approx(spec.g_min_siemens + spec.g_max_siemens)
        assert high - low == pytest.approx(0.01 * spec.window_siemens)

    @pytest.mark.parametrize("name", IBM)
    def test_steps_of_fresh_cells(self, name):
        """One pulse from the bottom: the median over cells of the share of what is left, and its lognormal spread."""
        step, device_spread = IBM[name][:2]
        spec = device(name, stuck={"frozen_fraction": 0.0})
        low = spec.g_min_siemens
        quiet = spec.write.but(step_spread=0.0, top_device_spread=0.0, bottom_device_spread=0.0)
        quiet = quiet.but(tolerance_siemens=spec.window_siemens * (1 - 1e-9))  # any step will do: one pulse
        g = spec.but({"write": quiet}).program(np.full(N, spec.g_max_siemens), rng=2).g
        share = (g - low) / spec.window_siemens
        logarithm = np.log(np.sort(share)[: N // 2])  # the upper half may have reached the end
        assert np.exp(logarithm[-1]) == pytest.approx(step, rel=0.03)
        assert logarithm[int(0.1587 * N)] == pytest.approx(np.log(step) - device_spread, abs=0.03)

    @pytest.mark.parametrize("name", IBM)
    def test_ends_of_the_cells(self, name):
        """Their spread has room above 0 siemens: half of the printed figures, as shares of the window."""
        spec = device(name)
        window = (spec.g_min_siemens, spec.g_max_siemens)
        steps = spec.write.draw_steps((N,), window, np.random.default_rng(3))
        for ends, centre, printed in ((steps.top, window[1], IBM[name][3]), (steps.bottom, window[0], IBM[name][4])):
            deviation = 0.5 * printed * spec.window_siemens
            within(ends.mean(), centre, deviation)
            assert_allclose(ends.std(), deviation, rtol=4.5 / np.sqrt(2 * N))

    def test_the_optimised_array_is_better(self):
        target = 160e-6  # a tenth of the window above its middle
        good, bad = (device(name).program(np.full(4000, target), rng=1) for name in IBM)
        assert good.failed.mean() < bad.failed.mean()
        assert np.abs(good.g[~good.failed] - target).max() <= 5e-6 * (1 + 1e-9)
