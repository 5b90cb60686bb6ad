"""The specification of a device: its window, its fields and their checks; and the cells that it writes."""

import inspect

import numpy as np
import pytest
from helpers.devices import targets
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.spread import GaussianSpreadSpec, LognormalSpreadSpec
from rramsim.errors import RangeError, SpecError
from rramsim.rng import Streams

WINDOWS = st.tuples(st.floats(0, 1e-4), st.floats(1e-4, 1e-3, exclude_min=True))


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
        assert spec.but({"fitted_from_to_siemens": (5e-6, 30e-6)}).target_range_siemens == (5e-6, 30e-6)
        assert spec.but({"fitted_from_to_siemens": (0.0, 30e-6)}).target_range_siemens == (1e-6, 30e-6)

    def test_parts_that_were_given(self):
        """One without a single figure does not count."""
        spec = DeviceSpec(name="mine", drift={"exponent": 0.0}, stuck={}, read_noise=ReadNoiseSpec())
        assert spec.given_parts == {"name", "drift"}


class TestProgram:
    @given(WINDOWS)
    def test_without_spread_a_cell_holds_its_target_bit_for_bit(self, window):
        for programming in (
            GaussianSpreadSpec(),
            LognormalSpreadSpec(),
            GaussianSpreadSpec(spread_siemens=(0.0,)),
        ):
            spec = DeviceSpec(g_min_siemens=window[0], g_max_siemens=window[1], programming=programming)
            assert_array_equal(spec.program(targets(spec), rng=5).g, targets(spec))
            assert_array_equal(spec.program(targets(spec), rng=5).read(rng=6), targets(spec))

    @pytest.mark.parametrize("wrong", [-1e-9, 0.99e-6, 41e-6, np.nan, np.inf])
    def test_targets_outside_the_window(self, wrong):
        spec = device("rram-wan-2022")
        with pytest.raises(RangeError, match=r"'rram-wan-2022': targets lie within 1e-06 \.\. 4e-05 S; got"):
            spec.program([10e-6, wrong], rng=0)

    def test_targets_at_the_ends(self):
        """Rounding of the last bit is no breach of the window."""
        spec = device("rram-wan-2022")
        assert spec.program([spec.g_min_siemens * (1 - 1e-15), spec.g_max_siemens * (1 + 1e-15)], rng=0).g.shape == (2,)
        assert spec.program([], rng=0).g.shape == (0,)
        assert spec.program(2e-6, rng=0).g.shape == ()

    def test_rng_is_what_it_is_elsewhere(self):
        """A seed, its streams, and a generator that goes on."""
        spec = device("rram-wan-2022")
        assert_array_equal(spec.program(targets(spec), rng=7).g, spec.program(targets(spec), rng=Streams(7)).g)
        generator = np.random.default_rng(0)
        one, other = spec.program(targets(spec), rng=generator).g, spec.program(targets(spec), rng=generator).g
        assert (one != other).all()

    def test_stuck_cells_do_not_shift_the_spread(self):
        """Each consumer has its stream, so the cells that can be written get the same numbers."""
        plain = device("rram-wan-2022").program(targets(device("rram-wan-2022"), 500), rng=3).g
        some = (
            device("rram-wan-2022", stuck={"on_fraction": 0.1}).program(targets(device("rram-wan-2022"), 500), rng=3).g
        )
        assert 20 < (plain != some).sum() < 90
        assert (some[plain != some] == 40e-6).all()

    def test_which_cells_are_stuck_has_nothing_to_do_with_their_spread(self):
        """Mean deviation of the cells that get stuck against that of all, the first 50 cells of 600 seeds.

        |z| < 4.5, false alarm 7e-6.
        """
        spread = DeviceSpec(programming=GaussianSpreadSpec(spread_siemens=(1e-6,)))
        both, target = spread.but({"stuck": StuckSpec(on_fraction=0.1)}), np.full(50, 5e-5)
        deviation = np.abs([spread.program(target, rng=seed).g - 5e-5 for seed in range(600)])
        stuck = np.array([both.program(target, rng=seed).g == 1e-4 for seed in range(600)])
        gap = deviation[stuck].mean() - deviation.mean()
        assert abs(gap) < 4.5 * deviation.std() / np.sqrt(stuck.sum())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"g_min_siemens": 2e-4},
            "g_min_siemens 0.0002 must be below g_max_siemens 0.0001: a cell without",
        ),
        (
            {"fitted_from_to_siemens": (2e-5, 1e-5)},
            "fitted_from_to_siemens 2e-05 .. 1e-05 S is no range within the window 0 .. 0.0001 S",
        ),
        (
            {"fitted_from_to_siemens": (2e-4, 3e-4)},
            "fitted_from_to_siemens 0.0002 .. 0.0003 S is no range within the window 0 .. 0.0001 S",
        ),
        (
            {"fitted_until_second": 0.0},
            "fitted_until_second: got 0.0; it is above 0. Time after the write up to which the",
        ),
        ({"settled_second": 0.0}, "settled_second: got 0.0; it is above 0. Time after the write at which the errors"),
        ({"read_after_second": -1.0}, "read_after_second: got -1.0; it is at least 0"),
        ({"bounded": 1}, "bounded: got 1; it is true or false. Whether a cell can hold nothing outside the window"),
        ({"levels": "linear"}, "levels: got 'linear'; it is a table of keys"),
        ({"programming": 1e-6}, "programming: got 1e-06; it is a spread law: a table of keys"),
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
    spec = DeviceSpec(fitted_from_to_siemens=(1e-5, 5e-5), name="mine")
    assert spec.program([1e-5, 5e-5]).g.size == 2
    for target in (0.9e-5, 5.1e-5):
        with pytest.raises(RangeError, match="'mine': its figures were measured from 1e-05 to 5e-05 S; got"):
            spec.program([2e-5, target])
