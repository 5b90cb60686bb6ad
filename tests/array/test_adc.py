"""Analog-to-digital converters: codes, steps, errors of their circuits, figures of merit."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rramsim.array.adc import AdcSpec, ProgrammedAdc
from rramsim.errors import RangeError, SpecError
from rramsim.rng import Streams

SEEDS = st.integers(0, 2**32 - 1)
ERRORS = {
    "sar": {"capacitor_mismatch": 0.05},
    "flash": {"comparator_spread_lsb": 0.4},
    "ramp": {"dnl_spread_lsb": 0.1},
    "pipeline": {"comparator_spread_lsb": 0.5, "amplifier_gain": 300.0, "stage_gain_spread": 0.004},
}
"""Errors of each kind, different for each converter."""


def ideal_codes(x, low, high):
    return np.clip(np.rint(x), low, high)


# Codes and steps


@pytest.mark.parametrize("bits", [1, 2, 8, 14])
def test_codes_and_steps(bits):
    adc = AdcSpec(bits=bits)
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
        lambda adc: adc.build(1, signed=True),
        lambda adc: adc.but({"fit": "error"}).full_scale([1.0, -1.0], signed=True),
    ):
        with pytest.raises(RangeError, match=r"currents of either sign take 2 bits or more"):
            act(AdcSpec(bits=1))


# Conversion


@pytest.mark.parametrize("kind", ["flash", "sar", "ramp", "pipeline"])
@pytest.mark.parametrize(("signed", "low", "high"), [(False, 0, 15), (True, -8, 7)])
def test_ideal_conversion_rounds_and_saturates(kind, signed, low, high):
    adc = AdcSpec(kind=kind, bits=4).build(2, signed=signed)
    assert adc.levels is adc.codes is None
    assert (adc.code_min, adc.code_max) == (low, high)
    x = np.linspace(-20.0, 20.0, 4 * 401).reshape(4, 401)
    got = adc.convert(x, converter=1)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, ideal_codes(x, low, high))
    np.testing.assert_array_equal(adc.transitions(), np.arange(low, high) + 0.5)
    np.testing.assert_allclose(adc.inl(), 0.0, atol=1e-12)
    np.testing.assert_allclose(adc.dnl(), 0.0, atol=1e-12)


def test_ties_go_to_the_even_code_of_the_ideal_and_up_at_a_transition():
    assert AdcSpec(bits=4).build(1, signed=True).convert([-1.5, -0.5, 0.5, 1.5, 2.5]).tolist() == [-2, 0, 0, 2, 2]
    # A ramp of 4 bits has a transition at 0.5, at the start of its bow.
    stepped = AdcSpec(kind="ramp", bits=4, curvature_lsb=0.3).build(1, signed=False)
    assert stepped.convert([0.5, np.nextafter(0.5, 0.0), 14.5, np.nextafter(14.5, 0.0)]).tolist() == [1, 0, 15, 14]


def test_convert_takes_a_scalar():
    assert AdcSpec(bits=4).build(1, signed=False).convert(3.2) == 3
    assert AdcSpec(bits=4, capacitor_mismatch=1e-6).build(1, signed=False).convert(3.2) == 3


@pytest.mark.parametrize("kind", list(ERRORS))
def test_signed_converters_are_the_same_shifted_by_half_their_codes(kind):
    spec = AdcSpec(kind=kind, bits=6, **ERRORS[kind])
    unsigned, signed = spec.build(4, signed=False, rng=1), spec.build(4, signed=True, rng=1)
    x = np.linspace(-3.0, 66.0, 5000)
    for k in range(4):
        np.testing.assert_array_equal(signed.convert(x - 32, k), unsigned.convert(x, k) - 32)
        np.testing.assert_allclose(signed.transitions(k), unsigned.transitions(k) - 32)


@pytest.mark.parametrize("errors", [{}, {"inl_lsb": (0.0, 0.0)}])
def test_gain_and_offset_come_first(errors):
    adc = AdcSpec(bits=6, offset_lsb=1.3, gain_error=-0.1, **errors).build(2, signed=True)
    x = np.linspace(-40.0, 40.0, 999)
    np.testing.assert_array_equal(adc.convert(x, 1), ideal_codes(0.9 * x + 1.3, -32, 31))


def test_gains_and_offsets_spread_and_convert():
    n = 4000
    spec = AdcSpec(bits=6, offset_lsb=0.5, offset_spread_lsb=0.8, gain_error=0.05, gain_spread=0.02)
    adc = spec.build(n, signed=True, rng=2)
    # 5 standard errors, five numbers: false alarm below 3e-6.
    for values, mean, spread in ((adc.offset_lsb, 0.5, 0.8), (adc.gain, 1.05, 0.02)):
        assert abs(np.mean(values) - mean) < 5 * spread / np.sqrt(n)
        assert np.std(values) == pytest.approx(spread, rel=5 / np.sqrt(2 * n))
    assert abs(np.corrcoef(adc.offset_lsb, adc.gain)[0, 1]) < 5 / np.sqrt(n)
    x = np.linspace(-40.0, 40.0, 99)
    for k in (0, 17):
        expected = ideal_codes(adc.gain[k] * x + adc.offset_lsb[k], -32, 31)
        np.testing.assert_array_equal(adc.convert(x, k), expected)


def test_thermal_noise_is_that_of_a_normal_threshold():
    sigma, n = 0.7, 40_000
    adc = AdcSpec(bits=8, noise_lsb=sigma).build(1, signed=False)
    codes = adc.convert(np.full(n, 100.0), rng=3)
    # Rounded normal numbers: variance sigma^2 + 1/12 but for 1e-4; 5 standard errors, false alarm 1e-6.
    variance = sigma**2 + 1 / 12
    assert abs(np.mean(codes) - 100.0) < 5 * np.sqrt(variance / n)
    assert np.var(codes) == pytest.approx(variance, rel=5 * np.sqrt(2 / n))
    np.testing.assert_array_equal(codes, adc.convert(np.full(n, 100.0), rng=Streams(3)))
    assert np.any(codes != adc.convert(np.full(n, 100.0), rng=4))


@settings(deadline=None, max_examples=examples(80))
@given(st.sampled_from(["flash", "sar", "ramp", "pipeline"]), st.integers(3, 8), st.booleans(), st.floats(0, 3), SEEDS)
def test_codes_stay_in_range_and_rise_where_the_circuit_cannot_fold(kind, bits, signed, scale, seed):
    generator = np.random.default_rng(seed)
    errors = {key: scale * value for key, value in ERRORS[kind].items() if key != "amplifier_gain"}
    adc = AdcSpec(
        kind=kind,
        bits=bits,
        offset_spread_lsb=scale,
        gain_spread=0.03 * scale,
        inl_lsb=tuple(scale * generator.standard_normal(5)),
        **{"dnl_spread_lsb": 0.3 * scale} | errors,
    ).build(2, signed=signed, rng=seed)
    x = np.sort(generator.uniform(-1.5, 1.5, 300)) * 2**bits
    for k in range(2):
        codes = adc.convert(x, k)
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


# Circuits


@pytest.mark.parametrize("kind", list(ERRORS))
def test_first_converters_do_not_depend_on_their_number(kind):
    spec = AdcSpec(kind=kind, bits=6, offset_spread_lsb=0.1, gain_spread=0.01, **ERRORS[kind])
    many, few = spec.build(20, signed=True, rng=7), spec.build(3, signed=True, rng=Streams(7))
    x = np.linspace(-36.0, 36.0, 4001)
    for k in range(3):
        assert many.offset_lsb[k] == few.offset_lsb[k]
        assert many.gain[k] == few.gain[k]
        np.testing.assert_array_equal(many.transitions(k), few.transitions(k))
        np.testing.assert_array_equal(many.convert(x, k), few.convert(x, k))
    for values in (many.offset_lsb, many.gain):
        assert np.unique(values).size == 20
    assert len({many.transitions(k).tobytes() for k in range(20)}) == 20
    assert many.transitions(0).tobytes() != spec.build(1, signed=True, rng=8).transitions(0).tobytes()


@pytest.mark.parametrize("kind", list(ERRORS))
def test_converters_are_independent(kind):
    n = 600
    adc = AdcSpec(kind=kind, bits=5, **ERRORS[kind]).build(n, signed=False, rng=9)
    inl = np.array([adc.inl(k) for k in range(n)])
    inl = inl[:, np.std(inl, axis=0) > 1e-9]
    inl = (inl - inl.mean(axis=0)) / inl.std(axis=0)
    # Products of neighbours, standardized, have the variance 1 / n for each transition: 5.5 standard errors, 29
    # transitions: false alarm 1e-6.
    assert np.all(np.abs(np.mean(inl[1:] * inl[:-1], axis=0)) < 5.5 / np.sqrt(n - 1))


def test_sar_dnl_at_the_major_carry():
    # The top capacitor against all others but the end: variance mismatch^2 (2^(b-1) + 2^(b-1) - 1).
    bits, mismatch, n = 6, 0.01, 3000
    adc = AdcSpec(bits=bits, capacitor_mismatch=mismatch).build(n, signed=True, rng=1)
    dnl = np.array([adc.dnl(k) for k in range(n)])
    assert dnl.shape == (n, 2**bits - 2)
    # Dnl number i is of code i + 1 from the lowest. 5 / sqrt(2 n) for the sampling (false alarm 6e-7), 1 % for the
    # second order and the line through the ends.
    carry = dnl[:, 2 ** (bits - 1) - 2]
    assert np.std(carry) == pytest.approx(mismatch * np.sqrt(2**bits - 1), rel=5 / np.sqrt(2 * n) + 0.01)
    assert np.argmax(np.std(dnl, axis=0)) == 2 ** (bits - 1) - 2


def test_flash_thresholds_have_their_offsets():
    n, spread = 3000, 0.1
    adc = AdcSpec(kind="flash", bits=4, comparator_spread_lsb=spread).build(n, signed=False, rng=4)
    moved = np.array([adc.transitions(k) for k in range(n)]) - np.arange(15) - 0.5
    # Offsets of 1/10 step hardly ever change places. 5.5 standard errors: false alarm below 1e-6.
    np.testing.assert_allclose(np.std(moved, axis=0), spread, rtol=5.5 / np.sqrt(2 * n))


@pytest.mark.parametrize("curvature", [2.5, -1.0])
def test_ramp_bow_is_its_inl(curvature):
    adc = AdcSpec(kind="ramp", bits=8, curvature_lsb=curvature).build(2, signed=True)
    inl = adc.inl(1)
    assert inl[127] == pytest.approx(curvature)
    assert np.argmax(np.abs(inl)) == 127
    assert inl[[0, -1]] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("kind", ["flash", "sar", "ramp", "pipeline"])
def test_given_inl_is_found_again(kind):
    given_inl = (0.0, 0.8, -0.4, 0.3, 0.0)
    adc = AdcSpec(kind=kind, bits=7, inl_lsb=list(given_inl)).build(2, signed=True)
    expected = np.interp(np.linspace(0, 4, 127), np.arange(5), given_inl)
    for k in range(2):
        np.testing.assert_allclose(adc.inl(k), expected, atol=1e-9)
        np.testing.assert_allclose(adc.dnl(k), np.diff(expected), atol=1e-9)


def test_given_inl_is_seen_by_its_ends():
    # Ends at 1 and 3: 126 steps are 128 wide, a gain error that the line through them takes out.
    adc = AdcSpec(bits=7, inl_lsb=(1.0, 3.0)).build(1, signed=False)
    np.testing.assert_allclose(adc.transitions(), np.linspace(1.5, 129.5, 127))
    np.testing.assert_allclose(adc.inl(), 0.0, atol=1e-12)
    # The middle is 1 later than the line from 0 to 2, in steps that are 128 / 126 wide.
    bent = AdcSpec(bits=7, inl_lsb=(0.0, 2.0, 2.0)).build(1, signed=False)
    assert bent.inl()[63] == pytest.approx(126 / 128)
    assert bent.dnl().sum() == pytest.approx(0.0, abs=1e-9)


def test_given_inl_comes_before_the_stages_of_a_pipeline():
    errors = {"amplifier_gain": 100.0}
    plain = AdcSpec(kind="pipeline", bits=8, **errors).build(1, signed=False)
    bent = AdcSpec(kind="pipeline", bits=8, inl_lsb=(0.0, 1.0, 0.0), **errors).build(1, signed=False)
    assert np.abs(plain.inl()).max() > 0.5
    levels = plain.levels[0]
    later = np.clip(1.0 - np.abs(levels - 127.5) / 127.0, 0.0, None)
    np.testing.assert_allclose(bent.levels[0], levels + later, atol=1e-9)


def test_amplifier_gain_is_that_of_the_closed_loop():
    # One stage: it takes +-1/2 off and multiplies by g = 2 / (1 + 2 / 20), so that the flash's -1/2, 0 and 1/2 are at
    # +-(1/2 + {0, 1/2} / g) and at 0; what is left short of them ends where the stage decides, at +-1/4.
    adc = AdcSpec(kind="pipeline", bits=3, amplifier_gain=20.0).build(1, signed=False)
    outer = 0.5 + 0.5 / (2.0 / 1.1)
    v = np.array([-outer, -0.5, -0.25, 0.0, 0.25, 0.5, outer])
    np.testing.assert_allclose(adc.transitions(), (v + 1.0) * 4.0 - 0.5, atol=1e-9)


def test_pipelines_with_different_numbers_of_steps():
    # Comparators off by more than a quarter, 8 steps of 6 bits, lose codes, here and there another number.
    adc = AdcSpec(kind="pipeline", bits=6, comparator_spread_lsb=8.0).build(30, signed=False, rng=2)
    counts = np.isfinite(adc.levels).sum(axis=1)
    assert np.unique(counts).size > 3
    for levels, codes, count in zip(adc.levels, adc.codes, counts, strict=True):
        assert np.all(np.diff(levels[:count]) > 0)
        assert np.all(levels[count:] == np.inf)
        assert np.all(codes[count:] == 63)
    assert [adc.convert(np.inf, k) for k in range(30)] == [63] * 30


def test_random_widths_of_a_pipeline_come_before_its_stages():
    # Comparators that hardly err: the widths of other converters with the same numbers.
    spec = AdcSpec(kind="pipeline", bits=6, comparator_spread_lsb=1e-9, dnl_spread_lsb=0.05)
    plain = AdcSpec(kind="sar", bits=6, dnl_spread_lsb=0.05)
    pipeline, sar = (each.build(3, signed=True, rng=5) for each in (spec, plain))
    for k in range(3):
        np.testing.assert_allclose(pipeline.transitions(k), sar.transitions(k), atol=1e-6)
        assert np.abs(sar.inl(k)).max() > 0.05


def test_gains_of_stages_do_not_follow_their_comparators():
    # As above: number 2 of the transitions is at the lower threshold of the stage, the last at 1/2 + 1/2 / gain.
    n = 400
    spec = AdcSpec(kind="pipeline", bits=3, amplifier_gain=20.0, stage_gain_spread=0.02, comparator_spread_lsb=0.02)
    transitions = np.array([spec.build(1, signed=False, rng=seed).transitions()[[2, -1]] for seed in range(n)])
    # 5 standard errors: false alarm 6e-7.
    assert abs(np.corrcoef(transitions.T)[0, 1]) < 5 / np.sqrt(n)


def test_stage_gains_spread():
    n, spread = 1000, 0.01
    adc = AdcSpec(kind="pipeline", bits=3, stage_gain_spread=spread).build(n, signed=False, rng=6)
    last = np.array([adc.transitions(k)[-1] for k in range(n)])
    # As above: the last transition is at v = 1/2 + 1/2 / gain.
    gain = 0.5 / ((last + 0.5) / 4.0 - 1.5)
    assert np.std(gain) == pytest.approx(2 * spread, rel=5 / np.sqrt(2 * n))
    assert abs(np.mean(gain) - 2.0) < 5 * 2 * spread / np.sqrt(n)


@pytest.mark.parametrize("kind", ["sar", "flash", "ramp"])
def test_random_widths(kind):
    n, spread = 2000, 0.1
    adc = AdcSpec(kind=kind, bits=5, dnl_spread_lsb=spread).build(n, signed=False, rng=8)
    dnl = np.array([adc.dnl(k) for k in range(n)])
    # The line through the ends takes the mean of 30 widths out; 5.5 standard errors, false alarm 1e-6.
    np.testing.assert_allclose(np.std(dnl, axis=0), spread * np.sqrt(1 - 1 / 30), rtol=5.5 / np.sqrt(2 * n))


# Figures of merit


def by_hand(codes, levels):
    levels, codes = np.array([levels], dtype=float), np.array([codes], dtype=np.int32)
    return ProgrammedAdc(AdcSpec(bits=2), False, np.zeros(1), np.ones(1), levels, codes)


def test_transitions_of_missing_codes():
    skipped = by_hand([0, 2, 3], [1.0, 2.0])
    np.testing.assert_array_equal(skipped.transitions(), [1.0, 1.0, 2.0])
    assert skipped.dnl()[0] == -1.0
    without_top = by_hand([0, 1, 2], [1.0, 2.0])
    np.testing.assert_array_equal(without_top.transitions(), [1.0, 2.0, np.nan])
    folded = by_hand([0, 2, 1, 2, 3], [0.4, 0.8, 1.2, 2.0])
    np.testing.assert_array_equal(folded.transitions(), [0.4, 0.4, 2.0])
    assert folded.convert([0.0, 0.5, 1.0, 1.5, 9.0]).tolist() == [0, 2, 1, 2, 3]


def test_a_code_whose_transition_would_come_before_the_one_below_is_missing():
    # Transitions at 0.5, 1.5 - 2 and 2.5: the second waits for the first, and code 1 has no room.
    adc = AdcSpec(bits=2, inl_lsb=(0.0, -2.0, 0.0)).build(1, signed=False)
    np.testing.assert_array_equal(adc.transitions(), [0.5, 0.5, 2.5])
    assert adc.convert([0.4, 0.5, 2.4, 2.5]).tolist() == [0, 2, 2, 3]


def test_all_transitions_at_one_input_leave_no_width():
    adc = AdcSpec(bits=4, inl_lsb=(0.0, -100.0)).build(1, signed=False)
    assert np.ptp(adc.transitions()) == 0.0
    np.testing.assert_array_equal(adc.dnl(), -np.ones(14))
    np.testing.assert_array_equal(adc.inl(), np.zeros(15))


def test_one_bit_has_one_transition():
    adc = AdcSpec(kind="flash", bits=1, comparator_spread_lsb=0.2).build(2, signed=False)
    assert adc.transitions(1).shape == (1,)
    assert adc.inl(1).tolist() == [0.0]
    assert adc.dnl(1).shape == (0,)
    assert adc.convert([adc.transitions(1)[0] - 1e-9, adc.transitions(1)[0]], 1).tolist() == [0, 1]


@pytest.mark.parametrize("bits", [6, 8, 10, 12])
@pytest.mark.parametrize("signed", [False, True])
def test_enob_of_the_ideal_is_its_bits(bits, signed):
    assert AdcSpec(bits=bits).build(1, signed=signed).enob() == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("offset", [1e6, -1e6])
def test_enob_of_a_converter_that_is_stuck(offset):
    assert AdcSpec(offset_lsb=offset).build(1, signed=True).enob() == -np.inf


def test_enob_is_that_of_its_converter_and_of_its_noise():
    adc = AdcSpec(bits=6, capacitor_mismatch=0.1, noise_lsb=0.3, gain_spread=0.1).build(2, signed=True, rng=3)
    turned = replace(
        adc, levels=adc.levels[::-1], codes=adc.codes[::-1], gain=adc.gain[::-1], offset_lsb=adc.offset_lsb[::-1]
    )
    assert adc.enob(0, rng=1) == turned.enob(1, rng=1) != adc.enob(1, rng=1) == turned.enob(0, rng=1)
    assert adc.enob(0, rng=1) == adc.enob(0, rng=Streams(1)) != adc.enob(0, rng=2)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_enob_with_noise(sigma):
    bits = 10
    adc = AdcSpec(bits=bits, noise_lsb=sigma).build(1, signed=False)
    amplitude = (2**bits - 1) / 2
    sinad = 10 * np.log10(amplitude**2 / 2 / (1 / 12 + sigma**2))
    # 16384 samples: the noise power is known to 5 * 1.1 %, 0.04 bits; clipped tails are below that.
    assert adc.enob(rng=1) == pytest.approx((sinad - 1.76) / 6.02, abs=0.05)


def test_enob_with_a_bow():
    # A bow of B in the middle is B cos^2 of the phase: a second harmonic of amplitude B / 2, power B^2 / 8.
    bits, bow = 10, 3.0
    adc = AdcSpec(kind="ramp", bits=bits, curvature_lsb=bow).build(1, signed=True)
    sinad = 10 * np.log10(((2**bits - 1) / 2) ** 2 / 2 / (1 / 12 + bow**2 / 8))
    assert adc.enob() == pytest.approx((sinad - 1.76) / 6.02, abs=0.05)
    enobs = [AdcSpec(bits=8, inl_lsb=(0.0, each, 0.0)).build(1, signed=True).enob() for each in (0.0, 0.5, 1.0, 2.0)]
    assert np.all(np.diff(enobs) < -0.1)


@pytest.mark.parametrize("kind", list(ERRORS))
def test_enob_is_lowered_by_the_circuit(kind):
    ideal = AdcSpec(kind=kind, bits=8).build(1, signed=True).enob()
    errors = {key: 3 * value for key, value in ERRORS[kind].items() if key != "amplifier_gain"}
    assert AdcSpec(kind=kind, bits=8, **errors).build(1, signed=True, rng=1).enob() < ideal - 0.1


# Bad input

_GOES_WITH = "together: full_scale_ampere goes with range = 'fixed', and only with it"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": 0}, "bits: got 0; it is at least 1. Resolution, 1 to 14."),
        ({"bits": 15}, "bits: got 15; it is at most 14."),
        ({"bits": 8.0}, "bits: got 8.0; it is a whole number."),
        ({"kind": "delta"}, "kind: got 'delta'; it is one of 'flash', 'sar', 'ramp' or 'pipeline'."),
        ({"range": "auto"}, "range: got 'auto'; it is one of 'full', 'calibrated', 'fixed' or 'lossless'."),
        ({"fit": "least"}, "fit: got 'least'; it is one of 'coverage' or 'error'."),
        ({"coverage": 0.5}, "coverage: got 0.5; it is above 0.5. Calibrated range by coverage only"),
        ({"coverage": 1.1}, "coverage: got 1.1; it is at most 1."),
        ({"columns": 0}, "columns: got 0; it is at least 1."),
        ({"offset_spread_lsb": -1.0}, "offset_spread_lsb: got -1.0; it is at least 0. Offset of all converters"),
        ({"gain_error": -1.0}, "gain_error: got -1.0; it is above -1. Relative gain error"),
        ({"gain_spread": -0.1}, "gain_spread: got -0.1; it is at least 0."),
        ({"noise_lsb": -0.1}, "noise_lsb: got -0.1; it is at least 0."),
        ({"noise_lsb": float("inf")}, "noise_lsb: got inf; it is a finite number."),
        ({"inl_lsb": [0.1]}, "inl_lsb: got [0.1]; a curve takes 2 values or more, since the first and last are its"),
        ({"inl_lsb": ()}, "inl_lsb: got []; a curve takes 2 values or more"),
        ({"inl_lsb": [0.1, "x"]}, "inl_lsb.1: got 'x'; it is a number."),
        ({"dnl_spread_lsb": -0.1}, "dnl_spread_lsb: got -0.1; it is at least 0."),
        ({"capacitor_mismatch": -0.1}, "capacitor_mismatch: got -0.1; it is at least 0."),
        (
            {"kind": "flash", "comparator_spread_lsb": -0.1},
            "comparator_spread_lsb: got -0.1; it is at least 0. Flash and pipeline only",
        ),
        ({"kind": "pipeline", "amplifier_gain": 0.0}, "amplifier_gain: got 0.0; it is above 0. Pipeline only"),
        (
            {"kind": "pipeline", "stage_gain_spread": 0.2},
            "stage_gain_spread: got 0.2; it is at most 0.1. Pipeline only: relative standard deviation of the gain",
        ),
        (
            {"kind": "flash", "capacitor_mismatch": 0.1},
            "together: capacitor_mismatch belongs to kind = 'sar'; got kind = 'flash'",
        ),
        (
            {"comparator_spread_lsb": 0.1},
            "together: comparator_spread_lsb belongs to kind = 'flash' or 'pipeline'; got kind = 'sar'",
        ),
        ({"curvature_lsb": -1.0}, "together: curvature_lsb belongs to kind = 'ramp'; got kind = 'sar'"),
        ({"amplifier_gain": 99.0}, "together: amplifier_gain belongs to kind = 'pipeline'; got kind = 'sar'"),
        ({"stage_gain_spread": 0.1}, "together: stage_gain_spread belongs to kind = 'pipeline'; got kind = 'sar'"),
        (
            {"range": "fixed"},
            f"{_GOES_WITH}; got range = 'fixed' and full_scale_ampere = None",
        ),
        (
            {"full_scale_ampere": 1e-6},
            f"{_GOES_WITH}; got range = 'full' and full_scale_ampere = 1e-06",
        ),
        ({"range": "fixed", "full_scale_ampere": 0.0}, "full_scale_ampere: got 0.0; it is above 0."),
        (
            {"kind": "pipeline", "bits": 2},
            "together: a pipeline ends in a 2-bit flash and has at least one stage before: 3 bits; got 2",
        ),
        (
            {"bits": 1, "inl_lsb": (0.1, 0.2)},
            "together: a converter of 1 bit has one transition and thus no nonlinearity; it has an offset",
        ),
        ({"bits": 1, "dnl_spread_lsb": 0.1}, "together: a converter of 1 bit has one transition"),
        ({"bit": 8}, "bit: unknown key; did you mean 'bits'?"),
    ],
)
def test_bad_adc(wrong, message):
    with pytest.raises(SpecError) as caught:
        AdcSpec(**wrong)
    assert str(caught.value).startswith(f"AdcSpec: {message}")


def test_one_wrong_value_of_a_curve_is_one_problem():
    with pytest.raises(SpecError) as caught:
        AdcSpec(inl_lsb=(0.1, "x"))
    assert str(caught.value) == "AdcSpec: inl_lsb.1: got 'x'; it is a number."


def test_errors_of_other_kinds_may_be_given_as_none():
    AdcSpec(kind="ramp", capacitor_mismatch=0.0, amplifier_gain=None)
