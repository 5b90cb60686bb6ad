"""Errors of the circuits of analog-to-digital converters: where the transitions lie, and how they spread."""

import numpy as np
import pytest
from helpers.converters import ADC_ERRORS

from rramsim.array.adc.flash import FlashAdcSpec
from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.pipeline import PipelineAdcSpec
from rramsim.array.adc.ramp import RampAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.rng import Streams


@pytest.mark.parametrize("kind", list(ADC_ERRORS))
def test_first_converters_do_not_depend_on_their_number(kind):
    spec = ADCS.kind(kind)(bits=6, offset_spread_lsb=0.1, gain_spread=0.01, **ADC_ERRORS[kind])
    many, few = spec.program(20, signed=True, rng=7), spec.program(3, signed=True, rng=Streams(7))
    x = np.linspace(-36.0, 36.0, 4001)
    for k in range(3):
        assert many.offset_lsb[k] == few.offset_lsb[k]
        assert many.gain[k] == few.gain[k]
        np.testing.assert_array_equal(many.transitions(k), few.transitions(k))
        np.testing.assert_array_equal(many.apply(x, k, rng=0), few.apply(x, k, rng=0))
    for values in (many.offset_lsb, many.gain):
        assert np.unique(values).size == 20
    assert len({many.transitions(k).tobytes() for k in range(20)}) == 20
    assert many.transitions(0).tobytes() != spec.program(1, signed=True, rng=8).transitions(0).tobytes()


@pytest.mark.parametrize("kind", list(ADC_ERRORS))
def test_converters_are_independent(kind):
    n = 600
    adc = ADCS.kind(kind)(bits=5, **ADC_ERRORS[kind]).program(n, signed=False, rng=9)
    inl = np.array([adc.inl(k) for k in range(n)])
    inl = inl[:, np.std(inl, axis=0) > 1e-9]
    inl = (inl - inl.mean(axis=0)) / inl.std(axis=0)
    # Products of neighbours, standardized, have the variance 1 / n for each transition: 5.5 standard errors, 29
    # transitions: false alarm 1e-6.
    assert np.all(np.abs(np.mean(inl[1:] * inl[:-1], axis=0)) < 5.5 / np.sqrt(n - 1))


def test_sar_dnl_at_the_major_carry():
    # The top capacitor against all others but the end: variance mismatch^2 (2^(b-1) + 2^(b-1) - 1).
    bits, mismatch, n = 6, 0.01, 3000
    adc = SarAdcSpec(bits=bits, capacitor_mismatch=mismatch).program(n, signed=True, rng=1)
    dnl = np.array([adc.dnl(k) for k in range(n)])
    assert dnl.shape == (n, 2**bits - 2)
    # Dnl number i is of code i + 1 from the lowest. 5 / sqrt(2 n) for the sampling (false alarm 6e-7), 1 % for the
    # second order and the line through the ends.
    carry = dnl[:, 2 ** (bits - 1) - 2]
    assert np.std(carry) == pytest.approx(mismatch * np.sqrt(2**bits - 1), rel=5 / np.sqrt(2 * n) + 0.01)
    assert np.argmax(np.std(dnl, axis=0)) == 2 ** (bits - 1) - 2


def test_flash_thresholds_have_their_offsets():
    n, spread = 3000, 0.1
    adc = FlashAdcSpec(bits=4, comparator_spread_lsb=spread).program(n, signed=False, rng=4)
    moved = np.array([adc.transitions(k) for k in range(n)]) - np.arange(15) - 0.5
    # Offsets of 1/10 step hardly ever change places. 5.5 standard errors: false alarm below 1e-6.
    np.testing.assert_allclose(np.std(moved, axis=0), spread, rtol=5.5 / np.sqrt(2 * n))


@pytest.mark.parametrize("curvature", [2.5, -1.0])
def test_ramp_bow_is_its_inl(curvature):
    adc = RampAdcSpec(bits=8, curvature_lsb=curvature).program(2, signed=True)
    inl = adc.inl(1)
    assert inl[127] == pytest.approx(curvature)
    assert np.argmax(np.abs(inl)) == 127
    assert inl[[0, -1]] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("kind", ["flash", "sar", "ramp", "pipeline"])
def test_given_inl_is_found_again(kind):
    given_inl = (0.0, 0.8, -0.4, 0.3, 0.0)
    adc = ADCS.kind(kind)(bits=7, inl_lsb=list(given_inl)).program(2, signed=True)
    expected = np.interp(np.linspace(0, 4, 127), np.arange(5), given_inl)
    for k in range(2):
        np.testing.assert_allclose(adc.inl(k), expected, atol=1e-9)
        np.testing.assert_allclose(adc.dnl(k), np.diff(expected), atol=1e-9)


def test_given_inl_is_seen_by_its_ends():
    # Ends at 1 and 3: 126 steps are 128 wide, a gain error that the line through them takes out.
    adc = SarAdcSpec(bits=7, inl_lsb=(1.0, 3.0)).program(1, signed=False)
    np.testing.assert_allclose(adc.transitions(), np.linspace(1.5, 129.5, 127))
    np.testing.assert_allclose(adc.inl(), 0.0, atol=1e-12)
    # The middle is 1 later than the line from 0 to 2, in steps that are 128 / 126 wide.
    bent = SarAdcSpec(bits=7, inl_lsb=(0.0, 2.0, 2.0)).program(1, signed=False)
    assert bent.inl()[63] == pytest.approx(126 / 128)
    assert bent.dnl().sum() == pytest.approx(0.0, abs=1e-9)


def test_given_inl_comes_before_the_stages_of_a_pipeline():
    errors = {"amplifier_gain": 100.0}
    plain = PipelineAdcSpec(bits=8, **errors).program(1, signed=False)
    bent = PipelineAdcSpec(bits=8, inl_lsb=(0.0, 1.0, 0.0), **errors).program(1, signed=False)
    assert np.abs(plain.inl()).max() > 0.5
    levels = plain.levels[0]
    later = np.clip(1.0 - np.abs(levels - 127.5) / 127.0, 0.0, None)
    np.testing.assert_allclose(bent.levels[0], levels + later, atol=1e-9)


def test_amplifier_gain_is_that_of_the_closed_loop():
    # One stage: it takes +-1/2 off and multiplies by g = 2 / (1 + 2 / 20), so that the flash's -1/2, 0 and 1/2 are at
    # +-(1/2 + {0, 1/2} / g) and at 0; what is left short of them ends where the stage decides, at +-1/4.
    adc = PipelineAdcSpec(bits=3, amplifier_gain=20.0).program(1, signed=False)
    outer = 0.5 + 0.5 / (2.0 / 1.1)
    v = np.array([-outer, -0.5, -0.25, 0.0, 0.25, 0.5, outer])
    np.testing.assert_allclose(adc.transitions(), (v + 1.0) * 4.0 - 0.5, atol=1e-9)


def test_pipelines_with_different_numbers_of_steps():
    # Comparators off by more than a quarter, 8 steps of 6 bits, lose codes, here and there another number.
    adc = PipelineAdcSpec(bits=6, comparator_spread_lsb=8.0).program(30, signed=False, rng=2)
    counts = np.isfinite(adc.levels).sum(axis=1)
    assert np.unique(counts).size > 3
    for levels, codes, count in zip(adc.levels, adc.codes, counts, strict=True):
        assert np.all(np.diff(levels[:count]) > 0)
        assert np.all(levels[count:] == np.inf)
        assert np.all(codes[count:] == 63)
    assert [adc.apply(np.inf, k, rng=0) for k in range(30)] == [63] * 30


def test_random_widths_of_a_pipeline_come_before_its_stages():
    # Comparators that hardly err: the widths of other converters with the same numbers.
    spec = PipelineAdcSpec(bits=6, comparator_spread_lsb=1e-9, dnl_spread_lsb=0.05)
    plain = SarAdcSpec(bits=6, dnl_spread_lsb=0.05)
    pipeline, sar = (each.program(3, signed=True, rng=5) for each in (spec, plain))
    for k in range(3):
        np.testing.assert_allclose(pipeline.transitions(k), sar.transitions(k), atol=1e-6)
        assert np.abs(sar.inl(k)).max() > 0.05


def test_gains_of_stages_do_not_follow_their_comparators():
    # As above: number 2 of the transitions is at the lower threshold of the stage, the last at 1/2 + 1/2 / gain.
    n = 400
    spec = PipelineAdcSpec(bits=3, amplifier_gain=20.0, stage_gain_spread=0.02, comparator_spread_lsb=0.02)
    transitions = np.array([spec.program(1, signed=False, rng=seed).transitions()[[2, -1]] for seed in range(n)])
    # 5 standard errors: false alarm 6e-7.
    assert abs(np.corrcoef(transitions.T)[0, 1]) < 5 / np.sqrt(n)


def test_stage_gains_spread():
    n, spread = 1000, 0.01
    adc = PipelineAdcSpec(bits=3, stage_gain_spread=spread).program(n, signed=False, rng=6)
    last = np.array([adc.transitions(k)[-1] for k in range(n)])
    # As above: the last transition is at v = 1/2 + 1/2 / gain.
    gain = 0.5 / ((last + 0.5) / 4.0 - 1.5)
    assert np.std(gain) == pytest.approx(2 * spread, rel=5 / np.sqrt(2 * n))
    assert abs(np.mean(gain) - 2.0) < 5 * 2 * spread / np.sqrt(n)


@pytest.mark.parametrize("kind", ["sar", "flash", "ramp"])
def test_random_widths(kind):
    n, spread = 2000, 0.1
    adc = ADCS.kind(kind)(bits=5, dnl_spread_lsb=spread).program(n, signed=False, rng=8)
    dnl = np.array([adc.dnl(k) for k in range(n)])
    # The line through the ends takes the mean of 30 widths out; 5.5 standard errors, false alarm 1e-6.
    np.testing.assert_allclose(np.std(dnl, axis=0), spread * np.sqrt(1 - 1 / 30), rtol=5.5 / np.sqrt(2 * n))
