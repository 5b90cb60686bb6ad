"""Golden tests of the presets: against the numbers of their sources, worked out from the printed formulas.

Figures in microsiemens, as the sources have them (SONOS in nanoampere at 0.1 V). Statistical tests with fixed seeds:
means and deviations at |z| < 4.5, false alarm 7e-6 each.
"""

import numpy as np
import pytest
from helpers.published import DAY, MICRO, micro
from numpy.testing import assert_allclose
from scipy import stats

from rramsim.cards import presets
from rramsim.cell.device import device
from rramsim.data import data_path
from rramsim.errors import RangeError

N = 40000

SPREAD = {
    # IBM aihwkit, ReRamWan2022NoiseModel, 1 s; CrossSim, RRAM_Wan; and so on: sigma at g, both uS.
    "rram-wan-2022": {1: 0.722045, 2: 1.04544, 4: 1.55618, 10: 2.25827, 20: 2.02294, 30: 1.53299, 40: 1.10300},
    "rram-wan-2022-crosssim": {2: 1.48235, 4: 1.82571, 10: 2.41360, 20: 2.36180, 30: 1.81920},
    "rram-milo-2021": {
        50: 4.32697,
        62.5: 4.21313,
        76.2: 4.08837,
        93.9: 3.92717,
        110: 3.78055,
        150: 3.41627,
        225: 2.73325,
    },
    "rram-cmo-hfox": {9: 0.0104302, 10: 0.0114990, 50: 0.0542506, 88.2: 0.0950783},
    "rram-cmo-hfox-2percent": {9: 0.112831, 10: 0.124121, 50: 0.575732, 88.2: 1.00702},
    "pcm-nandakumar-2019": {
        0: 0.26348,
        0.25: 0.283013,
        1: 0.340203,
        5: 0.609556,
        12.5: 0.952705,
        20.938: 1.08635,
        25: 1.05538,
    },
    "pcm-joshi-2020": {0.25: 0.305239, 1: 0.360456, 5: 0.620980, 12.5: 0.955278, 20: 1.08846, 25: 1.06552},
    "pcm-hermes": {0.207: 0.212369, 2.07: 0.557718, 5.175: 0.888760, 10.35: 0.991013, 20.7: 1.09270},
    "pcm-hermes-single": {0.1035: 0.180847, 1.035: 0.369319, 2.5875: 0.614490, 5.175: 0.865313, 10.35: 1.00757},
    # sigma / nA at I / nA, at 0.1 V: 1 nA is 10 nS.
    "sonos": {0.01: 0.00112473, 0.1: 0.0109654, 1: 0.0860846, 4: 0.178295, 8: 0.196738, 16: 0.198844},
    # Shares of the conductance (MemIntelli 2 %, MNSIM 1 %) and of the window (MLP+NeuroSim: 3.7, 5 and 2 %).
    "memintelli": {0.1: 0.002, 10: 0.2},
    "mnsim": {1: 0.01, 100: 1.0},
    "rram-tsinghua-130nm": {1: 0.037 * 9, 10: 0.037 * 9},
    "rram-alox-hfo2": {20: 0.05 * (1e6 / 16.9e3) * (1 - 1 / 4.43)},
    "epiram": {1: 0.02 * (1e6 / 81e3) * (1 - 1 / 50.2)},
}
WINDOW = {
    # On-resistance in ohm and on/off ratio, as printed.
    "rram-intel-22nm": (6e3, 17),
    "rram-winbond-90nm": (6e3, 150),
    "rram-tsinghua-130nm": (100e3, 10),
    "pcm-ibm-90nm": (40e3, 12.5),
    "isaac": (2e3, 1000),
    "prime": (1e3, 20),
    "raella": (1333, 20000 / 1333),
    "memintelli": (100e3, 100),
    "mnsim": (10e3, 100),
    "rram-nvsim": (1e6, 10),
    "pcm-nvsim": (1e3, 1000),
    "rram-alox-hfo2": (16.9e3, 4.43),
    "epiram": (81e3, 50.2),
    "rram-milo-2021": (1 / 225e-6, 4.5),
    "pcm-joshi-2020": (40e3, 100),
}
AREA = {
    # Cell in F2 and F in nm.
    "rram-intel-22nm": (60, 22),
    "rram-winbond-90nm": (36, 90),
    "rram-tsinghua-130nm": (16, 130),
    "pcm-ibm-90nm": (16, 90),
    "rram-wan-2022": (125.73964497, 130),
    "rram-wan-2022-crosssim": (125.73964497, 130),
    "raella": (16, 32),
    "isaac": (1.49, 32),
    "pcm-nvsim": (9, 90),
}
PULSE = {
    "rram-wan-2022": (1.75, 8520e-9),
    "rram-wan-2022-crosssim": (1.75, 8520e-9),
    "rram-intel-22nm": (2.0, 50e-9),
    "rram-winbond-90nm": (2.0, 50e-9),
    "rram-tsinghua-130nm": (1.6, 50e-9),
    "isaac": (2.0, 40e-9),
    "prime": (2.0, 40e-9),
    "raella": (2.0, 40e-9),
    "mnsim": (3.0, 10e-9),
    "rram-nvsim": (2.0, 10e-9),
    "pcm-nvsim": (0.15, 150e-9),  # 150 uA through 1 kohm
    "rram-alox-hfo2": (0.9, 100e-6),
    "epiram": (5.0, 5e-6),
}
LEVELS = {
    "rram-tsinghua-130nm": 128,
    "isaac": 4,
    "prime": 16,
    "memintelli": 16,
    "mnsim": 2,
    "rram-nvsim": 2,
    "pcm-nvsim": 2,
    "rram-alox-hfo2": 40,
    "epiram": 64,
}
FIT = {
    # Window and range of the fit, uS, as printed (sonos: 1600 and 1800 nA at 0.1 V); last time, second.
    "ideal": (0, 100, None, None),
    "rram-wan-2022": (1, 40, (0, 40), 2 * DAY),
    "rram-wan-2022-crosssim": (1, 39.26, (0, 39.26), 1.0),
    "rram-milo-2021": (50, 225, (50, 225), None),
    "rram-cmo-hfox": (9.0, 88.2, (9.0, 88.2), 3.1536e8),
    "rram-cmo-hfox-2percent": (9.0, 88.2, (9.0, 88.2), 3.1536e8),
    "pcm-nandakumar-2019": (0, 25, (0, 25), None),
    "pcm-joshi-2020": (0.25, 25, (0.25, 25), None),
    "pcm-hermes": (0, 20.7, (0, 20.7), None),
    "pcm-hermes-single": (0, 10.35, (0, 10.35), None),
    "sonos": (0, 16, (0, 18), 5 * DAY),
}
BOUNDED = {"rram-cmo-hfox", "rram-cmo-hfox-2percent", "rram-tsinghua-130nm", "rram-alox-hfo2", "epiram"}


class TestCards:
    def test_the_names(self):
        wanted = {
            "ideal", "rram-wan-2022", "rram-milo-2021", "rram-cmo-hfox", "rram-intel-22nm", "rram-winbond-90nm",
            "rram-tsinghua-130nm", "pcm-joshi-2020", "pcm-hermes", "sonos", "isaac", "prime",
        }  # fmt: skip
        assert wanted <= set(presets())

    @pytest.mark.parametrize("name", sorted(set(presets()) - {"ideal"}))
    def test_each_tells_its_source_and_its_gaps(self, name):
        spec = device(name)
        for text in (spec.title, spec.technology, spec.source, spec.note):
            assert len(text.strip()) > 5
        assert "not given" in spec.note.lower()

    @pytest.mark.parametrize("name", presets())
    def test_each_is_in_the_table_of_sources(self, name):
        assert f"`{name}`" in data_path("README.md").read_text(encoding="utf-8")

    def test_every_spread_has_a_golden_test(self):
        """A preset with a spread, a window of resistances or an area stands in the tables above."""
        for name in presets():
            spec = device(name)
            assert spec.programming.ideal == (name not in SPREAD), name
            assert bool(spec.area_square_metre) == (name in AREA or name == "mnsim"), name
            assert (spec.levels.law != "continuous") == (name in LEVELS), name
            assert name in WINDOW or name in SPREAD or name == "ideal" or "-ibm-" in name

    @pytest.mark.parametrize("name", [name for name in presets() if device(name).fitted_from_to_siemens])
    def test_outside_its_range_a_fit_is_refused(self, name):
        spec = device(name)
        beyond = spec.fitted_from_to_siemens[1] * 1.01
        wider = spec.but({"g_max_siemens": 2 * beyond})
        with pytest.raises(RangeError, match="its figures were measured from"):
            wider.program([beyond], rng=0)
        with pytest.raises(RangeError):
            spec.program([beyond], rng=0)
        if spec.fitted_from_to_siemens[0] > 0:
            with pytest.raises(RangeError, match="its figures were measured from"):
                spec.but({"g_min_siemens": 0.0}).program([0.99 * spec.fitted_from_to_siemens[0]], rng=0)

    @pytest.mark.parametrize(
        ("name", "last"),
        [
            ("rram-wan-2022", 2 * DAY),
            ("rram-wan-2022-crosssim", 1.0),
            ("sonos", 5 * DAY),
            ("rram-cmo-hfox", 3.1536e8),
            ("rram-cmo-hfox-2percent", 3.1536e8),
        ],
    )
    def test_later_than_its_source_is_refused(self, name, last):
        cells = device(name).program([device(name).g_max_siemens / 2], rng=0)
        assert np.isfinite(cells.conductance(last)).all()
        with pytest.raises(RangeError, match="its source gives no figure after"):
            cells.conductance(1.01 * last)


class TestNumbers:
    @pytest.mark.parametrize("name", SPREAD)
    def test_spread(self, name):
        spec, points = device(name), SPREAD[name]
        sigma = spec.programming.sigma(micro(points), spec.g_max_siemens)
        assert_allclose(sigma, micro(points.values()), rtol=5e-6)
        # The curve is tied to its own conductance, not to the window.
        if spec.g_max_siemens * 0.9 > spec.g_min_siemens:
            narrower = device(name, g_max_siemens=spec.g_max_siemens * 0.9)
            assert_allclose(narrower.programming.sigma(micro(points), narrower.g_max_siemens), sigma, rtol=1e-12)

    @pytest.mark.parametrize("name", SPREAD)
    def test_written_cells_have_it(self, name):
        """At the middle of the table: Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        spec, points = device(name, bounded=False, stuck={"on_fraction": 0.0, "off_fraction": 0.0}), SPREAD[name]
        g = list(points)[len(points) // 2]
        levels = spec.level_siemens
        target = g * MICRO if levels is None else levels[np.abs(levels - g * MICRO).argmin()]
        sigma = spec.programming.sigma(np.array([target]), spec.g_max_siemens)[0]
        written = spec.program(np.full(N, target), rng=11).g
        assert (
            stats.kstest(written[written > 0], stats.truncnorm(-target / sigma, np.inf, target, sigma).cdf).pvalue
            > 1e-4
        )

    @pytest.mark.parametrize("name", WINDOW)
    def test_window(self, name):
        spec, (on_ohm, ratio) = device(name), WINDOW[name]
        assert 1 / spec.g_max_siemens == pytest.approx(on_ohm, rel=2e-6)
        assert spec.g_max_siemens / spec.g_min_siemens == pytest.approx(ratio, rel=2e-5)

    @pytest.mark.parametrize("name", FIT)
    def test_ranges(self, name):
        spec, (low, high, fit, last) = device(name), FIT[name]
        assert_allclose((spec.g_min_siemens, spec.g_max_siemens), micro((low, high)), rtol=1e-9)
        assert (spec.fitted_from_to_siemens is None) == (fit is None)
        if fit:
            assert_allclose(spec.fitted_from_to_siemens, micro(fit), rtol=1e-9)
        assert last == (spec.fitted_until_second or (spec.relaxation.times_second or (None,))[-1])

    @pytest.mark.parametrize("name", presets())
    def test_bounds(self, name):
        """Times at which programming was measured, and cells that hold nothing outside their window."""
        assert device(name).bounded == (name in BOUNDED)

    @pytest.mark.parametrize("name", AREA)
    def test_area(self, name):
        squares, nanometre = AREA[name]
        assert_allclose(device(name).area_square_metre, squares * (nanometre * 1e-9) ** 2, rtol=4e-4)

    def test_area_of_mnsim(self):
        assert device("mnsim").area_square_metre == 1.44e-12

    @pytest.mark.parametrize("name", PULSE)
    def test_pulse(self, name):
        write = device(name).write
        assert (write.volt, write.pulse_second) == PULSE[name]
        assert not write.verified

    @pytest.mark.parametrize("name", LEVELS)
    def test_levels(self, name):
        spec = device(name)
        levels = spec.level_siemens
        assert len(levels) == LEVELS[name]
        assert_allclose(np.diff(levels), spec.window_siemens / (LEVELS[name] - 1), rtol=1e-9)

    def test_energy_of_a_pulse(self):
        """NVSim: 0.6 pJ; 150 uA through 1 kohm for 150 ns."""
        assert device("rram-nvsim").write.joule == 0.6e-12
        assert_allclose(device("pcm-nvsim").write.joule, (150e-6) ** 2 * 1e3 * 150e-9, rtol=1e-12)

    def test_other_noise_and_faults(self):
        for name in ("memintelli", "rram-wan-2022"):
            relative = 0.02 if name == "memintelli" else 0.01
            noise = device(name).read_noise.deviation([5e-6], [5e-6], 1.0)
            assert_allclose(noise, relative * 5e-6)
        assert device("memintelli").stuck.on_fraction == 0.001
        assert (device("mnsim").stuck.on_fraction, device("mnsim").stuck.off_fraction) == (0.001, 0.001)
        assert device("raella").conduction.series_ohm == 1000.0
