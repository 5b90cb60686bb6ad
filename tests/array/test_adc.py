"""Analog-to-digital converters: codes, steps and conversion."""

import numpy as np
import pytest
from helpers.converters import ADC_ERRORS
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.ramp import RampAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.errors import RangeError
from rramsim.rng import Streams


def ideal_codes(x, low, high):
    return np.clip(np.rint(x), low, high)


@pytest.mark.parametrize("bits", [1, 2, 8, 14])
def test_codes_and_steps(bits):
    adc = SarAdcSpec(bits=bits)
    assert adc.component == f"adc_{bits}b"
    assert adc.code_range(signed=False) == (0, 2**bits - 1)
    assert adc.ampere_per_code((2**bits - 1) * 3e-6, signed=False) == pytest.approx(3e-6)
    if bits > 1:
        assert adc.code_range(signed=True) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        assert adc.ampere_per_code((2 ** (bits - 1) - 1) * 3e-6, signed=True) == pytest.approx(3e-6)


def test_signed_codes_take_two_bits():
    for act in (
        lambda adc: adc.code_range(signed=True),
        lambda adc: adc.ampere_per_code(1.0, signed=True),
        lambda adc: adc.program(1, signed=True),
        lambda adc: adc.but({"fit": "error"}).full_scale([1.0, -1.0], signed=True),
    ):
        with pytest.raises(RangeError, match=r"currents of either sign take 2 bits or more"):
            act(SarAdcSpec(bits=1))


@pytest.mark.parametrize("kind", ["flash", "sar", "ramp", "pipeline"])
@pytest.mark.parametrize(("signed", "low", "high"), [(False, 0, 15), (True, -8, 7)])
def test_ideal_conversion_rounds_and_saturates(kind, signed, low, high):
    adc = ADCS.kind(kind)(bits=4).program(2, signed=signed)
    assert adc.levels is adc.codes is None
    assert (adc.code_min, adc.code_max) == (low, high)
    x = np.linspace(-20.0, 20.0, 4 * 401).reshape(4, 401)
    got = adc.apply(x, converter=1)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, ideal_codes(x, low, high))
    np.testing.assert_array_equal(adc.transitions(), np.arange(low, high) + 0.5)
    np.testing.assert_allclose(adc.inl(), 0.0, atol=1e-12)
    np.testing.assert_allclose(adc.dnl(), 0.0, atol=1e-12)


def test_ties_go_to_the_even_code_of_the_ideal_and_up_at_a_transition():
    assert SarAdcSpec(bits=4).program(1, signed=True).apply([-1.5, -0.5, 0.5, 1.5, 2.5]).tolist() == [-2, 0, 0, 2, 2]
    # A ramp of 4 bits has a transition at 0.5, at the start of its bow.
    stepped = RampAdcSpec(bits=4, curvature_lsb=0.3).program(1, signed=False)
    assert stepped.apply([0.5, np.nextafter(0.5, 0.0), 14.5, np.nextafter(14.5, 0.0)]).tolist() == [1, 0, 15, 14]


def test_convert_takes_a_scalar():
    assert SarAdcSpec(bits=4).program(1, signed=False).apply(3.2) == 3
    assert SarAdcSpec(bits=4, capacitor_mismatch=1e-6).program(1, signed=False, rng=0).apply(3.2, rng=0) == 3


@pytest.mark.parametrize("kind", list(ADC_ERRORS))
def test_signed_converters_are_the_same_shifted_by_half_their_codes(kind):
    spec = ADCS.kind(kind)(bits=6, **ADC_ERRORS[kind])
    unsigned, signed = spec.program(4, signed=False, rng=1), spec.program(4, signed=True, rng=1)
    x = np.linspace(-3.0, 66.0, 5000)
    for k in range(4):
        np.testing.assert_array_equal(signed.apply(x - 32, k, rng=0), unsigned.apply(x, k, rng=0) - 32)
        np.testing.assert_allclose(signed.transitions(k), unsigned.transitions(k) - 32)


@pytest.mark.parametrize("errors", [{}, {"inl_lsb": (0.0, 0.0)}])
def test_gain_and_offset_come_first(errors):
    adc = SarAdcSpec(bits=6, offset_lsb=1.3, gain_error=-0.1, **errors).program(2, signed=True)
    x = np.linspace(-40.0, 40.0, 999)
    np.testing.assert_array_equal(adc.apply(x, 1), ideal_codes(0.9 * x + 1.3, -32, 31))


def test_gains_and_offsets_spread_and_convert():
    n = 4000
    spec = SarAdcSpec(bits=6, offset_lsb=0.5, offset_spread_lsb=0.8, gain_error=0.05, gain_spread=0.02)
    adc = spec.program(n, signed=True, rng=2)
    # 5 standard errors, five numbers: false alarm below 3e-6.
    for values, mean, spread in ((adc.offset_lsb, 0.5, 0.8), (adc.gain, 1.05, 0.02)):
        assert abs(np.mean(values) - mean) < 5 * spread / np.sqrt(n)
        assert np.std(values) == pytest.approx(spread, rel=5 / np.sqrt(2 * n))
    assert abs(np.corrcoef(adc.offset_lsb, adc.gain)[0, 1]) < 5 / np.sqrt(n)
    x = np.linspace(-40.0, 40.0, 99)
    for k in (0, 17):
        expected = ideal_codes(adc.gain[k] * x + adc.offset_lsb[k], -32, 31)
        np.testing.assert_array_equal(adc.apply(x, k, rng=0), expected)


def test_thermal_noise_is_that_of_a_normal_threshold():
    sigma, n = 0.7, 40_000
    adc = SarAdcSpec(bits=8, noise_lsb=sigma).program(1, signed=False, rng=0)
    codes = adc.apply(np.full(n, 100.0), rng=3)
    # Rounded normal numbers: variance sigma^2 + 1/12 but for 1e-4; 5 standard errors, false alarm 1e-6.
    variance = sigma**2 + 1 / 12
    assert abs(np.mean(codes) - 100.0) < 5 * np.sqrt(variance / n)
    assert np.var(codes) == pytest.approx(variance, rel=5 * np.sqrt(2 / n))
    np.testing.assert_array_equal(codes, adc.apply(np.full(n, 100.0), rng=Streams(3)))
    assert np.any(codes != adc.apply(np.full(n, 100.0), rng=4))


@settings(deadline=None, max_examples=examples(80))
@given(
    st.sampled_from(["flash", "sar", "ramp", "pipeline"]),
    st.integers(3, 8),
    st.booleans(),
    st.floats(0, 3),
    st.integers(0, 2**32 - 1),
)
def test_codes_stay_in_range_and_rise_where_the_circuit_cannot_fold(kind, bits, signed, scale, seed):
    generator = np.random.default_rng(seed)
    errors = {key: scale * value for key, value in ADC_ERRORS[kind].items() if key != "amplifier_gain"}
    adc = ADCS.kind(kind)(
        bits=bits,
        offset_spread_lsb=scale,
        gain_spread=0.03 * scale,
        inl_lsb=tuple(scale * generator.standard_normal(5)),
        **{"dnl_spread_lsb": 0.3 * scale} | errors,
    ).program(2, signed=signed, rng=seed)
    x = np.sort(generator.uniform(-1.5, 1.5, 300)) * 2**bits
    for k in range(2):
        codes = adc.apply(x, k, rng=0)
        assert adc.code_min <= codes.min()
        assert codes.max() <= adc.code_max
        assert adc.levels is None or np.all(adc.levels[k][1:] >= adc.levels[k][:-1])  # at the end also inf, inf
        if kind != "pipeline" and adc.gain[k] > 0:
            assert np.all(np.diff(codes) >= 0)
        if kind != "pipeline":
            np.testing.assert_array_equal(
                codes - adc.code_min,
                np.searchsorted(adc.transitions(k), adc.gain[k] * x + adc.offset_lsb[k], side="right"),
            )
