"""The cell: its window, its presets, writing and reading."""

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.data import data_path
from rramsim.device.base import DeviceSpec, ProgrammedCells, device, presets
from rramsim.device.faults import StuckSpec
from rramsim.device.statistics import ProgrammingSpec, ReadNoiseSpec
from rramsim.errors import RangeError, SpecError
from rramsim.rng import Streams

WINDOWS = st.tuples(st.floats(0, 1e-4), st.floats(1e-4, 1e-3, exclude_min=True))


@st.composite
def devices(draw):
    """Any device, with every law of spread."""
    g_min, g_max = draw(WINDOWS)
    gaussian = st.builds(
        ProgrammingSpec, spread_siemens=st.lists(st.floats(-1e-5, 1e-5), max_size=5).map(tuple), law=st.just("gaussian")
    )
    lognormal = st.builds(ProgrammingSpec, spread_log=st.floats(0, 2), law=st.just("lognormal"))
    return DeviceSpec(
        g_min_siemens=g_min,
        g_max_siemens=g_max,
        programming=draw(gaussian | lognormal),
        stuck=StuckSpec(on_fraction=draw(st.floats(0, 0.5)), off_fraction=draw(st.floats(0, 0.5))),
        read_noise=ReadNoiseSpec(relative=draw(st.floats(0, 1))),
    )


def targets(spec, n=50):
    return np.linspace(spec.g_min_siemens, spec.g_max_siemens, n)


class TestPresets:
    def test_the_names(self):
        assert presets() == sorted(presets())
        assert {"ideal", "rram-wan-2022", "rram-winbond-90nm", "rram-intel-22nm"} <= set(presets())

    @pytest.mark.parametrize("name", presets())
    def test_each_loads_and_tells_its_source(self, name):
        spec = device(name)
        assert spec.name == name
        assert len(spec.title) > 5
        assert len(spec.source) > 20
        assert 0 <= spec.g_min_siemens < spec.g_max_siemens < 1e-2

    @pytest.mark.parametrize("name", presets())
    def test_each_says_what_its_file_says(self, name):
        """Nothing is lost on the way, and nothing else than the file sets a field."""
        card = tomllib.loads(data_path("devices", f"{name}.toml").read_text(encoding="utf-8"))
        dumped = device(name).model_dump(mode="json")
        default = DeviceSpec().model_dump(mode="json")
        for key, value in dumped.items():
            expected = card.get(key, default[key])
            if isinstance(expected, dict):
                expected = {**default[key], **expected}
            assert value == ({"name": name}.get(key) or expected), key

    @pytest.mark.parametrize(
        ("name", "on_ohm", "on_off"), [("rram-winbond-90nm", 6e3, 150), ("rram-intel-22nm", 6e3, 17)]
    )
    def test_published_resistances(self, name, on_ohm, on_off):
        """DNN+NeuroSim V1.4, manual, Table VI."""
        spec = device(name)
        assert 1 / spec.g_max_siemens == pytest.approx(on_ohm, rel=1e-6)
        assert spec.g_max_siemens / spec.g_min_siemens == pytest.approx(on_off, rel=1e-6)

    def test_ideal_is_the_default(self):
        ideal, default = device("ideal"), DeviceSpec()
        assert (ideal.g_min_siemens, ideal.g_max_siemens) == (default.g_min_siemens, default.g_max_siemens)
        assert ideal.without_errors == ideal

    def test_unknown_name(self):
        with pytest.raises(SpecError, match=r"unknown device preset 'rram'; allowed are ideal, rram-"):
            device("rram")

    def test_overrides(self):
        spec = device("rram-wan-2022", g_min_siemens=2e-6, name="mine")
        assert (spec.g_min_siemens, spec.name) == (2e-6, "mine")
        assert spec.programming == device("rram-wan-2022").programming
        with pytest.raises(SpecError, match="unknown key"):
            device("rram-wan-2022", g_mid_siemens=1e-6)

    def test_tables_are_merged(self):
        """A dict changes single fields of a table, a whole spec replaces it."""
        original = device("rram-wan-2022")
        spec = device("rram-wan-2022", stuck={"on_fraction": 0.1}, read_noise={"relative": 0.05})
        assert spec.stuck == StuckSpec(on_fraction=0.1)
        assert spec.programming == original.programming
        assert spec.read_noise.relative == 0.05
        flat = device("rram-wan-2022", programming={"spread_siemens": [1e-6]})
        assert flat.programming == ProgrammingSpec(law="gaussian", spread_siemens=(1e-6,))
        whole = device("rram-wan-2022", programming=ProgrammingSpec(law="lognormal", spread_log=0.1))
        assert whole.programming.spread_siemens == ()
        with pytest.raises(SpecError, match="spread_siemens belongs to law = 'gaussian'"):
            device("rram-wan-2022", programming={"law": "lognormal"})

    def test_as_a_study_file_gives_it(self):
        assert DeviceSpec(preset="rram-wan-2022") == device("rram-wan-2022")
        assert DeviceSpec.model_validate({"preset": "ideal", "g_max_siemens": 2e-4}).g_max_siemens == 2e-4


class TestSpec:
    def test_window(self):
        with pytest.raises(SpecError, match="must be below g_max_siemens 1e-06: a cell without a conductance window"):
            DeviceSpec(g_min_siemens=1e-6, g_max_siemens=1e-6)

    @pytest.mark.parametrize("wrong", [{"g_min_siemens": -1e-9}, {"g_max_siemens": 0.0}, {"write_volt": -1.0}])
    def test_signs(self, wrong):
        with pytest.raises(SpecError, match=next(iter(wrong))):
            DeviceSpec(**wrong)

    @given(devices())
    def test_without_errors_keeps_the_rest(self, spec):
        quiet = spec.without_errors
        assert (quiet.g_min_siemens, quiet.g_max_siemens) == (spec.g_min_siemens, spec.g_max_siemens)
        assert_array_equal(quiet.program(targets(quiet)).read(1), targets(quiet))


class TestProgram:
    @given(devices(), st.integers(0, 2**31))
    def test_any_device(self, spec, seed):
        """Written and read conductances are finite, never negative, and the same for the same seed."""
        cells = spec.program(targets(spec), seed)
        assert cells.g.shape == (50,)
        for g in (cells.g, cells.read(seed)):
            assert np.isfinite(g).all()
            assert (g >= 0).all()
        assert_array_equal(cells.g, spec.program(targets(spec), seed).g)
        assert_array_equal(cells.read(seed), cells.read(seed))

    @given(WINDOWS)
    def test_without_spread_a_cell_holds_its_target_bit_for_bit(self, window):
        for programming in (
            ProgrammingSpec(),
            ProgrammingSpec(law="lognormal"),
            ProgrammingSpec(spread_siemens=(0.0,)),
        ):
            spec = DeviceSpec(g_min_siemens=window[0], g_max_siemens=window[1], programming=programming)
            assert_array_equal(spec.program(targets(spec), 5).g, targets(spec))
            assert_array_equal(spec.program(targets(spec), 5).read(6), targets(spec))

    @pytest.mark.parametrize("wrong", [-1e-9, 0.99e-6, 41e-6, np.nan, np.inf])
    def test_targets_outside_the_window(self, wrong):
        spec = device("rram-wan-2022")
        with pytest.raises(RangeError, match=r"'rram-wan-2022': targets lie within 1e-06 \.\. 4e-05 S; got"):
            spec.program([10e-6, wrong])

    def test_targets_at_the_ends(self):
        """Rounding of the last bit is no breach of the window."""
        spec = device("rram-wan-2022")
        assert spec.program([spec.g_min_siemens * (1 - 1e-15), spec.g_max_siemens * (1 + 1e-15)]).g.shape == (2,)
        assert spec.program([]).g.shape == (0,)
        assert spec.program(2e-6).g.shape == ()

    def test_rng_is_what_it_is_elsewhere(self):
        """A seed, its streams, and a generator that goes on."""
        spec = device("rram-wan-2022")
        assert_array_equal(spec.program(targets(spec), 7).g, spec.program(targets(spec), Streams(7)).g)
        generator = np.random.default_rng(0)
        one, other = spec.program(targets(spec), generator).g, spec.program(targets(spec), generator).g
        assert (one != other).all()

    def test_stuck_cells_do_not_shift_the_spread(self):
        """Each consumer has its stream, so the cells that can be written get the same numbers."""
        plain = device("rram-wan-2022").program(targets(device("rram-wan-2022"), 500), 3).g
        some = device("rram-wan-2022", stuck={"on_fraction": 0.1}).program(targets(device("rram-wan-2022"), 500), 3).g
        assert 20 < (plain != some).sum() < 90
        assert (some[plain != some] == 40e-6).all()

    def test_which_cells_are_stuck_has_nothing_to_do_with_their_spread(self):
        """Mean deviation of the cells that get stuck against that of all, the first 50 cells of 600 seeds.

        |z| < 4.5, false alarm 7e-6.
        """
        spread = DeviceSpec(programming=ProgrammingSpec(spread_siemens=(1e-6,)))
        both, target = spread.model_copy(update={"stuck": StuckSpec(on_fraction=0.1)}), np.full(50, 5e-5)
        deviation = np.abs([spread.program(target, seed).g - 5e-5 for seed in range(600)])
        stuck = np.array([both.program(target, seed).g == 1e-4 for seed in range(600)])
        gap = deviation[stuck].mean() - deviation.mean()
        assert abs(gap) < 4.5 * deviation.std() / np.sqrt(stuck.sum())


class TestCells:
    CELLS = ProgrammedCells(DeviceSpec(read_noise=ReadNoiseSpec(relative=0.1)), np.linspace(0, 1e-4, 12).reshape(3, 4))

    def test_conductance_is_a_copy(self):
        got = self.CELLS.conductance()
        assert_array_equal(got, self.CELLS.g)
        got[:] = 0
        assert self.CELLS.g.any()

    def test_part(self):
        part = self.CELLS.part((slice(None), [3, 0]))
        assert_array_equal(part.g, self.CELLS.g[:, [3, 0]])
        assert part.spec is self.CELLS.spec

    def test_noise_is_fresh_per_read(self):
        generator = np.random.default_rng(0)
        reads = [self.CELLS.read(generator) for _ in range(3)]
        assert all(
            ((one != other)[self.CELLS.g > 0]).all() for one, other in [(reads[0], reads[1]), (reads[1], reads[2])]
        )
        assert_array_equal(self.CELLS.conductance(), np.linspace(0, 1e-4, 12).reshape(3, 4))

    def test_noise_moments(self):
        """40 000 reads of one conductance: |z| < 4.5 for the mean and the deviation, false alarm 1.4e-5."""
        n = 40000
        reads = ProgrammedCells(self.CELLS.spec, np.full(n, 5e-5)).read(1) / 5e-5 - 1
        assert abs(reads.mean()) < 4.5 * 0.1 / np.sqrt(n)
        assert_allclose(reads.std(), 0.1, rtol=4.5 / np.sqrt(2 * n))

    def test_strong_noise_is_never_negative(self):
        """At 100 % noise a sixth of the reads would be negative; they read 0."""
        spec = DeviceSpec(read_noise=ReadNoiseSpec(relative=1.0))
        reads = ProgrammedCells(spec, np.full(5000, 5e-5)).read(1)
        assert reads.min() == 0
        assert np.mean(reads == 0) == pytest.approx(0.1587, abs=4.5 * 0.37 / np.sqrt(5000))


def test_rewritten_cells_keep_their_faults_and_spread_anew():
    made = device("rram-wan-2022", stuck={"on_fraction": 0.1, "off_fraction": 0.1})
    g = made.program(np.full((3, 40, 50), 20e-6), rng=1, rewritten=2).conductance()
    stuck = (g == made.g_max_siemens) | (g == made.g_min_siemens)
    assert 0.15 < stuck[0].mean() < 0.25  # 2000 cells, 0.2 expected: 5 standard deviations
    assert_array_equal(stuck[0], stuck[1])
    assert_array_equal(g[0][stuck[0]], g[2][stuck[0]])
    assert (g[0] != g[1])[~stuck[0]].all()
    again = made.program(np.full((1, 40, 50), 20e-6), rng=9, rewritten=2).conductance()
    assert_array_equal(again[0][stuck[0]], g[0][stuck[0]])
