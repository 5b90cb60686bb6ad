"""The cell: its window, its presets, writing and reading."""

import inspect
import pickle
import tomllib

import numpy as np
import pytest
from helpers.devices import devices, fields
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import rramsim as rs
from rramsim.cards import presets
from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.programming import ProgrammingSpec
from rramsim.data import data_path
from rramsim.errors import RangeError, SpecError
from rramsim.rng import Streams

WINDOWS = st.tuples(st.floats(0, 1e-4), st.floats(1e-4, 1e-3, exclude_min=True))


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

        def agree(spec, card):
            assert spec.model_fields_set == set(card)
            for key, value in card.items():
                given = getattr(spec, key)
                pairs = zip(given, value, strict=True) if isinstance(value, list) else [(given, value)]
                for one, other in pairs:
                    if isinstance(other, dict):
                        agree(one, other)
                    else:
                        assert one == other, key

        card = tomllib.loads(data_path("devices", f"{name}.toml").read_text(encoding="utf-8"))
        agree(device(name), {"name": name, **card})

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
        with pytest.raises(
            SpecError, match=r"unknown device preset 'rram'; did you mean .*Allowed are epiram, ideal, "
        ):
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

    @pytest.mark.parametrize("wrong", [{"g_min_siemens": -1e-9}, {"g_max_siemens": 0.0}, {"area_square_metre": -1.0}])
    def test_signs(self, wrong):
        with pytest.raises(SpecError, match=next(iter(wrong))):
            DeviceSpec(**wrong)

    def test_help_and_messages_tell_of_every_field(self):
        """The one text of the fields stands below, where they are declared."""
        text = inspect.getdoc(DeviceSpec)
        headings = [line for line in text.splitlines() if line and not line.startswith(" ")]
        assert set(DeviceSpec.model_fields) <= {key for line in headings for key in line.split(", ")}
        with pytest.raises(SpecError, match=r"it is at least 0\. Area of one cell, with its access device"):
            DeviceSpec(area_square_metre=-1.0)

    def test_the_range_of_targets(self):
        spec = DeviceSpec(g_min_siemens=1e-6, g_max_siemens=40e-6)
        assert spec.target_range_siemens == (1e-6, 40e-6)
        assert spec.but({"fitted_siemens": (5e-6, 30e-6)}).target_range_siemens == (5e-6, 30e-6)
        assert spec.but({"fitted_siemens": (0.0, 30e-6)}).target_range_siemens == (1e-6, 30e-6)

    def test_parts_that_were_given(self):
        """One without a single figure does not count."""
        spec = DeviceSpec(name="mine", drift={"exponent": 0.0}, stuck={}, read_noise=ReadNoiseSpec())
        assert spec.given_parts == {"name", "drift"}

    def test_figures_that_are_zero(self):
        limited = {"coefficients": [1e-6], "at_least": 0.0, "at_most": 0.0}
        spec = DeviceSpec(
            drift={"exponent": 0.05}, programming={"spread_siemens": limited, "shift_siemens": [0.0, 1e-9]}
        )
        assert spec.zero_figures["drift"] == {"exponent_spread"}
        assert spec.zero_figures["programming"] == {"spread_siemens", "spread_log"}


class TestProgram:
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
        both, target = spread.but({"stuck": StuckSpec(on_fraction=0.1)}), np.full(50, 5e-5)
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
    spec = device("rram-wan-2022", stuck={"on_fraction": 0.1, "off_fraction": 0.1})
    g = spec.program(np.full((3, 40, 50), 20e-6), rng=1, cell_rng=2).conductance()
    stuck = (g == spec.g_max_siemens) | (g == spec.g_min_siemens)
    assert 0.15 < stuck[0].mean() < 0.25  # 2000 cells, 0.2 expected: 5 standard deviations
    assert_array_equal(stuck[0], stuck[1])
    assert_array_equal(g[0][stuck[0]], g[2][stuck[0]])
    assert (g[0] != g[1])[~stuck[0]].all()
    again = spec.program(np.full((1, 40, 50), 20e-6), rng=9, cell_rng=2).conductance()
    assert_array_equal(again[0][stuck[0]], g[0][stuck[0]])


def times(spec):
    """As written, when it has settled, and as late as its source allows (or long after)."""
    last = spec.relaxation.second[-1] if spec.relaxation.second else 1e5 * spec.settled_second
    last /= spec.temperature.acceleration
    return [0.0, min(spec.settled_second, last), last]


def reached(spec, seed, **more):
    """Two arrays of cells over the whole window."""
    return spec.program(targets(spec, 24).reshape(2, 3, 4), seed, **more)


class TestAnyDevice:
    """Whole devices composed of all parts at random."""

    @given(devices(), st.integers(0, 2**31), st.sampled_from([0, 1, 1e5]))
    def test_finite_never_negative_and_the_same_again(self, spec, seed, writes_before):
        cells, again = (reached(spec, seed, writes_before=writes_before) for _ in range(2))
        assert cells.g.shape == (2, 3, 4)
        for time in times(spec):
            later = cells.conductance(time), cells.read(seed, time), cells.moments(time)[1]
            for g, once_more in zip(
                later, (again.conductance(time), again.read(seed, time), again.moments(time)[1]), strict=True
            ):
                assert np.isfinite(g).all()
                assert (g >= 0).all()
                assert_array_equal(g, once_more)
        assert np.isfinite(cells.write_joule)
        if cells.pulses is not None:
            assert (cells.pulses <= spec.write.most_pulses).all()
            assert (cells.pulses[cells.failed] == spec.write.most_pulses).all()

    @given(devices(), st.integers(0, 2**31))
    def test_bounded_cells_stay_in_the_window(self, spec, seed):
        """At every time at the reference temperature; broken lines and cells frozen elsewhere apart."""
        spec = spec.but({"bounded": True, "temperature": DeviceSpec().temperature})
        cells = reached(spec, seed)
        free = np.ones(cells.g.shape, bool) if cells.held is None else ~cells.held
        for time in times(spec):
            g = cells.conductance(time)[free]
            assert (g >= spec.g_min_siemens).all()
            assert (g <= spec.g_max_siemens).all()

    @given(devices(), st.integers(0, 2**31))
    def test_rewritten_cells_are_the_same_cells(self, spec, seed):
        """Their faults and traps stay; one write of them is that of the first axis left out."""
        cells = reached(spec, seed, cell_rng=5)
        if cells.held is not None:
            assert_array_equal(cells.held[0], cells.held[1])
            # Frozen cells too: the same conductance at every write.
            assert_array_equal(cells.g[0][cells.held[0]], cells.g[1][cells.held[0]])
        if cells.trap is not None:
            assert_array_equal(cells.trap[0], cells.trap[1])

    @given(fields())
    def test_a_dump_or_a_pickle_builds_it_again(self, table):
        spec = DeviceSpec(**table)
        assert DeviceSpec(**spec.model_dump(mode="json")) == spec
        assert DeviceSpec.model_validate_json(spec.model_dump_json()) == spec
        again = pickle.loads(pickle.dumps(spec))
        assert (type(again), again) == (DeviceSpec, spec)

    @given(devices())
    def test_without_errors_it_is_ideal(self, spec):
        ideal = spec.without_errors
        assert (ideal.g_min_siemens, ideal.g_max_siemens) == (spec.g_min_siemens, spec.g_max_siemens)
        assert not ideal.random
        assert not ideal.noisy
        cells = reached(ideal, 1)
        for g in (cells.g, cells.conductance(1e9), cells.read(1), cells.read(3, 1e9)):
            assert_array_equal(g, targets(ideal, 24).reshape(2, 3, 4))
        assert ideal.without_errors == ideal

    @given(devices(), st.integers(0, 2**31))
    def test_a_device_that_is_not_random_does_not_depend_on_the_seed(self, spec, seed):
        if not spec.random:
            time = times(spec)[-1]
            assert_array_equal(reached(spec, seed).read(seed, time), reached(spec, seed + 1).read(seed + 1, time))


NOTHING = {
    "levels": {},
    "programming": {"spread_siemens": (0.0, 0.0), "shift_siemens": {"points": [[0.0, 0.0]]}},
    "device_to_device": {"law": "lognormal", "spread_log": 0.0},
    "write": {"volt": 2.0, "second": 1e-7},
    "relaxation": {"spread_siemens": 0.0, "shift_siemens_per_ln": (0.0,)},
    "drift": {"exponent": {"coefficients": [0.0]}, "falls_only": True},
    "read_noise": {"relative": (0.0,), "spread_siemens": {"coefficients": [0.0]}, "integration_second": 1e-6},
    "telegraph": {"share": 0.0, "amplitude": 0.3},
    "stuck": {"cluster_cells": 2.0, "frozen_siemens": (1e-6, 2e-6)},
    "endurance": {"writes_log": 1.0},
    "temperature": {"kelvin": 300.0, "activation_electronvolt": 1.0, "conductance_per_kelvin": 0.01},
}
"""Every part, present, with nothing in it."""


@pytest.mark.parametrize("part", [*NOTHING, None])
def test_a_part_with_nothing_in_it_is_ideal_bit_for_bit(part):
    """One of them, and all together."""
    spec = DeviceSpec(**(NOTHING if part is None else {part: NOTHING[part]}))
    g = np.random.default_rng(0).uniform(0, 1e-4, (20, 30))
    cells = spec.program(g, 1, writes_before=0)
    assert_array_equal(cells.g, g)
    assert_array_equal(cells.conductance(1e6), g)
    assert_array_equal(cells.read(2, 1e6), g)
    assert not spec.random


SOMETHING = {
    "programming": {"spread_siemens": 1e-6},
    "device_to_device": {"spread_siemens": 1e-6},
    "relaxation": {"spread_siemens": 1e-7},
    "drift": {"exponent": 0.01, "exponent_spread": 0.01},
    "read_noise": {"relative": 0.01},
    "telegraph": {"share": 0.5, "amplitude": 0.1},
    "stuck": {"on_fraction": 0.1, "off_fraction": 0.1},
    "endurance": {"writes": 10.0, "writes_log": 1.0},
}
"""Every part that draws numbers."""


@pytest.mark.parametrize("other", SOMETHING)
@pytest.mark.parametrize("part", SOMETHING)
def test_a_part_does_not_move_the_numbers_of_another(part, other):
    """What a part draws is the same with any other part beside it."""
    if part == other:
        return
    target = np.full(400, 5e-5)
    alone, both = (
        DeviceSpec(**{name: SOMETHING[name] for name in names}).program(target, 1, writes_before=5)
        for names in ((part,), (part, other))
    )
    free = np.ones(400, bool)
    for cells in (alone, both):
        free &= True if cells.held is None else ~cells.held
    if part in ("programming", "device_to_device") and other in ("programming", "device_to_device"):
        # Both add to the same conductance: the sum of what each does alone.
        second = DeviceSpec(**{other: SOMETHING[other]}).program(target, 1).g
        assert_allclose(both.g - target, (alone.g - target) + (second - target), atol=1e-18)
    elif part in ("programming", "device_to_device"):
        assert (alone.g != target).all()
        assert_array_equal(both.g[free], alone.g[free])
    elif part in ("stuck", "endurance"):
        assert alone.held.any()
        assert (alone.held <= both.held).all()
        if other in ("stuck", "endurance"):
            second = DeviceSpec(**{other: SOMETHING[other]}).program(target, 1, writes_before=5)
            assert_array_equal(both.held, alone.held | second.held)
        else:
            assert_array_equal(both.held, alone.held)
    elif part == "read_noise":
        one, two = (cells.read(3)[free] / cells.conductance()[free] - 1 for cells in (alone, both))
        if other == "telegraph":
            # A filled trap takes its share of the conductance, and the noise comes on top.
            two = two + both.trap * both.spec.telegraph.states((400,), [0.0], Streams(3).generator("telegraph"))[0]
        assert_allclose(one, two, atol=1e-7)
        assert one.std() > 0.005
    else:
        name = {"relaxation": "wander", "drift": "exponent", "telegraph": "trap"}[part]
        assert np.unique(getattr(alone, name)).size > 1
        assert_array_equal(getattr(both, name)[free], getattr(alone, name)[free])


class TestMerging:
    """Overrides as a study gives them: by tables, key by key."""

    CARD = (
        'g_max_siemens = 2e-4\nsource = "a paper"\n[stuck]\non_fraction = 0.1\noff_fraction = 0.2\n'
        "[programming]\nspread_siemens = [1e-6, 2e-6]\n[read_noise]\nrelative = 0.01\n"
        "[drift.exponent]\ncoefficients = [0.1]\nat_most = 0.2\n"
    )

    def test_toml(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text(self.CARD, encoding="utf-8")
        study = f'preset = "{path}"\ng_max_siemens = 3e-4\n[stuck]\non_fraction = 0.3\n[telegraph]\nshare = 0.5\n'
        spec = DeviceSpec(**tomllib.loads(study))
        original = device(str(path))
        assert (spec.g_max_siemens, spec.source) == (3e-4, "a paper")
        assert spec.stuck == StuckSpec(on_fraction=0.3, off_fraction=0.2)
        assert spec.telegraph.share == 0.5
        for part in ("programming", "read_noise", "drift"):
            assert getattr(spec, part) == getattr(original, part)

    def test_a_figure_is_replaced_as_a_whole(self, tmp_path):
        """A curve is one value, not a table to merge."""
        path = tmp_path / "mine.toml"
        path.write_text(self.CARD, encoding="utf-8")
        spec = device(str(path), drift={"exponent": {"points": [[0.0, 0.3]]}}, programming={"spread_siemens": 5e-6})
        assert spec.drift.exponent.at_most is None
        assert spec.drift.exponent.points == ((0.0, 0.3),)
        assert spec.programming.spread_siemens == 5e-6

    def test_through_a_study(self):
        """The settings of the command line change single keys of parts."""
        study = rs.load_study(settings=["device.drift.exponent=0.05", "device.device_to_device.spread_siemens=[1e-6]"])
        assert study.device.drift.exponent == 0.05
        assert study.device.device_to_device.spread_siemens == (1e-6,)
        assert study.device.programming == device("rram-wan-2022").programming


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"g_min_siemens": 2e-4},
            "g_min_siemens 0.0002 must be below g_max_siemens 0.0001: a cell without",
        ),
        (
            {"fitted_siemens": (2e-5, 1e-5)},
            "fitted_siemens 2e-05 .. 1e-05 S is no range within the window 0 .. 0.0001 S",
        ),
        (
            {"fitted_siemens": (2e-4, 3e-4)},
            "fitted_siemens 0.0002 .. 0.0003 S is no range within the window 0 .. 0.0001 S",
        ),
        ({"fitted_second": 0.0}, "fitted_second: got 0.0; it is above 0. Time after the write up to which the"),
        ({"settled_second": 0.0}, "settled_second: got 0.0; it is above 0. Time after the write at which the errors"),
        ({"read_after_second": -1.0}, "read_after_second: got -1.0; it is at least 0"),
        ({"bounded": 1}, "bounded: got 1; it is true or false. Whether a cell can hold nothing outside the window"),
        ({"levels": "linear"}, "levels: got 'linear'; it is a table of keys"),
        ({"programming": 1e-6}, "programming: got 1e-06; it is a table of keys. Error of a write, drawn anew at every"),
        ({"drifts": {}}, "drifts: unknown key; did you mean 'drift'?"),
        ({"drift": {"exponents": 0.1}}, "drift.exponents: unknown key; did you mean 'exponent'?"),
        ({"drift": {"exponent": {"coefs": [1.0]}}}, "drift.exponent.coefs: unknown key"),
        ({"area_square_metre": -1.0}, "area_square_metre: got -1.0; it is at least 0. Area of one cell"),
        ({"name": 5}, "name: got 5; it is a text in quotes"),
        (
            {"telegraph": {"amplitude": {"points": [[0.0, "a"]]}}},
            "telegraph.amplitude.points.0.1: got 'a'",
        ),
        ({"temperature": {"kelvin": -1.0}}, "temperature.kelvin: got -1.0; it is above 0. The temperature."),
    ],
)
def test_wrong_devices(wrong, sentence):
    """One sentence for each wrong key; the tables of the parts are tested with the parts."""
    with pytest.raises(SpecError) as caught:
        DeviceSpec(**wrong)
    assert sentence in str(caught.value)
    places = {place for place, _ in caught.value.problems}
    assert len(places) == 1


def test_all_problems_at_once():
    with pytest.raises(SpecError) as caught:
        DeviceSpec(g_max_siemens=-1.0, stuck={"on_fraction": 2.0}, drift={"exponent": "a"})
    assert {place for place, _ in caught.value.problems} == {
        ("g_max_siemens",), ("stuck", "on_fraction"), ("drift", "exponent")
    }  # fmt: skip


def test_targets_outside_the_range_of_the_figures():
    spec = DeviceSpec(fitted_siemens=(1e-5, 5e-5), name="mine")
    assert spec.program([1e-5, 5e-5]).g.size == 2
    for target in (0.9e-5, 5.1e-5):
        with pytest.raises(RangeError, match="'mine': its figures were measured from 1e-05 to 5e-05 S; got"):
            spec.program([2e-5, target])


@pytest.mark.parametrize("target", [[], np.empty((0, 4)), np.empty((3, 0))])
def test_no_cells(target):
    spec = DeviceSpec(**SOMETHING, temperature={"kelvin": 310.0})
    cells = spec.program(target, 1, writes_before=5)
    assert cells.read(1, 1e3).shape == np.shape(target)
    if np.ndim(target) == 2:
        assert spec.program(target, 1, cell_rng=2).read(1, 1e3).shape == np.shape(target)
