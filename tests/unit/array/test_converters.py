"""Converters: codes, steps and full scale."""

import numpy as np
import pytest

from rramsim.array.converters import AdcSpec
from rramsim.errors import SpecError


@pytest.mark.parametrize(("bits", "code_max"), [(4, 7), (8, 127), (10, 511)])
def test_codes(bits, code_max):
    adc = AdcSpec(bits=bits)
    assert adc.code_max == code_max
    assert adc.component == f"adc_{bits}b"
    assert adc.ampere_per_code(code_max * 3e-6) == pytest.approx(3e-6)


def test_full_scale_is_the_quantile_of_the_magnitudes():
    currents = np.concatenate([np.linspace(-1e-6, 0, 51), np.linspace(0, 5e-7, 50)])
    assert AdcSpec().full_scale(currents) == 1e-6
    covered = AdcSpec(coverage=0.8).full_scale(currents)
    assert np.mean(np.abs(currents) <= covered) == pytest.approx(0.8, abs=0.01)


def test_full_scale_of_zeros_is_usable():
    assert AdcSpec().full_scale(np.zeros(3)) > 0


@pytest.mark.parametrize(
    "wrong", [{"bits": 3}, {"bits": 11}, {"bits": 8.0}, {"range": "auto"}, {"coverage": 0.5}, {"coverage": 1.1}]
)
def test_bad_input(wrong):
    with pytest.raises(SpecError, match=next(iter(wrong))):
        AdcSpec(**wrong)
