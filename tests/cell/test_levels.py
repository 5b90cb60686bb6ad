"""Levels: which conductances a write aims at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.device import DeviceSpec
from rramsim.cell.levels import LevelSpec
from rramsim.errors import RangeError, SpecError

WINDOW = {"g_min_siemens": 1e-6, "g_max_siemens": 1e-4}


def device(**levels):
    return DeviceSpec(**WINDOW, levels=levels)


def test_continuous_keeps_every_target():
    targets = np.random.default_rng(0).uniform(1e-6, 1e-4, 100)
    assert device().level_siemens is None
    assert_array_equal(device().program(targets).g, targets)


def test_linear_and_log():
    """Four levels by hand: steps of 33 uS, and factors of 100^(1/3)."""
    assert_allclose(device(law="linear", count=4).level_siemens, [1e-6, 34e-6, 67e-6, 100e-6], rtol=1e-14)
    third = 100 ** (1 / 3)
    assert_allclose(device(law="log", count=4).level_siemens, 1e-6 * third ** np.arange(4), rtol=1e-13)
    for law in ("linear", "log"):
        ends = device(law=law, count=7).level_siemens[[0, -1]]
        assert_array_equal(ends, [1e-6, 1e-4])


def test_listed():
    given_levels = (2e-6, 3e-6, 9e-5)
    spec = device(law="listed", siemens=list(given_levels))
    assert_array_equal(spec.level_siemens, given_levels)
    assert_array_equal(spec.program([1e-6, 2.4e-6, 2.6e-6, 4e-5, 5e-5, 1e-4]).g, [2e-6, 2e-6, 3e-6, 3e-6, 9e-5, 9e-5])
    assert_array_equal(device(law="listed", siemens=[5e-6]).program([1e-6, 1e-4]).g, [5e-6, 5e-6])


@given(
    st.sampled_from(["linear", "log"]),
    st.integers(2, 40),
    st.lists(st.floats(1e-6, 1e-4), min_size=1, max_size=20),
)
def test_the_nearest_level(law, count, targets):
    """By distance in siemens, found one by one."""
    spec = device(law=law, count=count)
    g, levels = spec.program(targets).g, spec.level_siemens
    assert set(g) <= set(levels)
    for written, target in zip(g, targets, strict=True):
        assert abs(written - target) <= np.abs(levels - target).min() * (1 + 1e-9)


def test_errors_are_drawn_around_the_level():
    """And evaluated at it, as is all that follows."""
    spread = {"programming": {"spread_siemens": (0.0, 1e-6)}, "drift": {"exponent": (0.0, 0.1)}}
    levels = DeviceSpec(**WINDOW, **spread, levels={"law": "listed", "siemens": [5e-5]})
    plain = DeviceSpec(**WINDOW, **spread)
    one, other = levels.program(np.full(50, 2e-5), rng=3), plain.program(np.full(50, 5e-5), rng=3)
    assert_array_equal(one.g, other.g)
    assert_array_equal(one.exponent, other.exponent)


def test_rounding_beyond_the_window_is_the_end():
    spec = device(law="linear", count=3)
    assert_array_equal(spec.program([1e-6 * (1 - 1e-12), 1e-4 * (1 + 1e-12)]).g, [1e-6, 1e-4])
    with pytest.raises(RangeError, match=r"targets lie within 1e-06 \.\. 0.0001 S"):
        spec.program([1.1e-4])


def test_shapes():
    spec = device(law="linear", count=3)
    assert spec.program(2e-6).g.shape == ()
    assert spec.program(np.full((2, 3, 4), 2e-6)).g.shape == (2, 3, 4)
    assert spec.program([]).g.shape == (0,)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"law": "linear"},
            "count is the number of levels of law = 'linear' or 'log'; got count None and law",
        ),
        ({"count": 4}, "got count 4 and law 'continuous'"),
        ({"law": "listed", "count": 4, "siemens": [1e-6]}, "got count 4 and law 'listed'"),
        ({"law": "linear", "count": 1}, "count: got 1; it is at least 2. Number of levels, linear or log."),
        ({"law": "linear", "count": 70000}, "count: got 70000; it is at most 65536"),
        ({"law": "linear", "count": 2.5}, "count: got 2.5; it is a whole number"),
        ({"law": "listed"}, "siemens lists the levels of law = 'listed', which needs them"),
        ({"siemens": [1e-6]}, "siemens lists the levels of law = 'listed', which needs them"),
        ({"law": "listed", "siemens": [2e-6, 2e-6]}, "siemens: the levels rise"),
        ({"law": "listed", "siemens": [-1e-6]}, "siemens.0: got -1e-06; it is at least 0"),
        ({"law": "even"}, "it is one of 'continuous', 'linear', 'log' or 'listed'"),
    ],
)
def test_wrong_levels(wrong, sentence):
    with pytest.raises(SpecError) as caught:
        LevelSpec(**wrong)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"law": "listed", "siemens": [0.5e-6, 1e-5]},
            "levels.siemens lie within the window 1e-06 .. 0.0001 S; got 5",
        ),
        ({"law": "listed", "siemens": [1e-5, 2e-4]}, "levels.siemens lie within the window 1e-06 .. 0.0001 S; got 1e"),
    ],
)
def test_levels_outside_the_window(wrong, sentence):
    with pytest.raises(SpecError) as caught:
        device(**wrong)
    assert sentence in str(caught.value)


def test_log_levels_need_a_bottom():
    with pytest.raises(SpecError, match=r"levels\.law = 'log' needs g_min_siemens above 0: ln g of the lowest level"):
        DeviceSpec(levels={"law": "log", "count": 4})
