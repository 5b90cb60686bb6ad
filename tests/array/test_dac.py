"""Drivers of rows: their levels, and the errors of these."""

import numpy as np
import pytest

from rramsim.array.dac import DacSpec
from rramsim.errors import SpecError
from rramsim.rng import Streams


@pytest.mark.parametrize("bits", [1, 4, 12])
def test_dac_is_ideal_by_default(bits):
    dac = DacSpec(bits=bits)
    assert dac.ideal
    assert dac.largest_level == 2**bits - 1
    assert dac.component == f"dac_{bits}b"
    np.testing.assert_array_equal(dac.program(3).levels, np.tile(np.arange(2.0**bits), (3, 1)))


@pytest.mark.parametrize("errors", [{"inl_lsb": (0.0, 0.1)}, {"level_spread": 0.01}, {"noise": 0.01}])
def test_dac_without_errors(errors):
    dac = DacSpec(bits=3, coding="pulse width", bipolar=True, **errors)
    assert not dac.ideal
    assert dac.without_errors == DacSpec(bits=3, coding="pulse width", bipolar=True)
    assert dac.without_errors.ideal


def test_dac_inl_is_straight_between_its_points_and_0_stays_0():
    # 7 steps; points at 0, 3.5 and 7.
    levels = DacSpec(bits=3, inl_lsb=[0.5, -0.7, 0.1]).program(2).levels
    at = np.arange(8)
    bow = np.where(at < 3.5, 0.5 - 1.2 * at / 3.5, -0.7 + 0.8 * (at - 3.5) / 3.5)
    bow[0] = 0.0
    np.testing.assert_allclose(levels, np.tile(at + bow, (2, 1)))


def test_dac_levels_spread_in_proportion_and_independently():
    n, spread = 4000, 0.02
    dac = DacSpec(bits=3, inl_lsb=(0.0, 0.6, 0.0), level_spread=spread)
    levels, nominal = dac.program(n, rng=5).levels, DacSpec(bits=3, inl_lsb=(0.0, 0.6, 0.0)).program(1).levels[0]
    assert np.all(levels[:, 0] == 0.0)
    error = levels[:, 1:] / nominal[1:] - 1.0
    # 5.5 standard errors everywhere: 35 numbers of 4e-8, false alarm below 2e-6.
    assert np.all(np.abs(np.mean(error, axis=0)) < 5.5 * spread / np.sqrt(n))
    np.testing.assert_allclose(np.std(error, axis=0), spread, rtol=5.5 / np.sqrt(2 * n))
    between = np.corrcoef(error.T)[np.triu_indices(7, 1)]
    assert np.all(np.abs(between) < 5.5 / np.sqrt(n))


def test_first_dacs_do_not_depend_on_their_number():
    dac = DacSpec(bits=4, level_spread=0.1)
    many, few = dac.program(50, rng=3).levels, dac.program(7, rng=Streams(3)).levels
    np.testing.assert_array_equal(many[:7], few)
    assert np.unique(many[:, 1:]).size == 50 * 15
    assert not np.any(many[:, 1:] == dac.program(50, rng=4).levels[:, 1:])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": 0}, "bits: got 0; it is at least 1. Bits of an input that one pulse carries"),
        ({"bits": 13}, "bits: got 13; it is at most 12."),
        ({"coding": "time"}, "coding: got 'time'; it is one of 'amplitude' or 'pulse width'."),
        ({"bipolar": 1}, "bipolar: got 1; it is true or false."),
        ({"inl_lsb": (0.1,)}, "inl_lsb: got [0.1]; a curve takes 2 values or more, since the first and last are its"),
        ({"level_spread": -0.1}, "level_spread: got -0.1; it is at least 0."),
        ({"noise": -0.1}, "noise: got -0.1; it is at least 0."),
    ],
)
def test_bad_dac(wrong, message):
    with pytest.raises(SpecError) as caught:
        DacSpec(**wrong)
    assert str(caught.value).startswith(f"DacSpec: {message}")
