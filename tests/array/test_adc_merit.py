"""Figures of merit of analog-to-digital converters: transitions, nonlinearity, effective number of bits."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.converters import ADC_ERRORS

from rramsim.array.adc.flash import FlashAdcSpec
from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.adc.ramp import RampAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.rng import Streams


def by_hand(codes, levels):
    levels, codes = np.array([levels], dtype=float), np.array([codes], dtype=np.int32)
    return ProgrammedAdc(SarAdcSpec(bits=2), False, np.zeros(1), np.ones(1), levels, codes)


def test_transitions_of_missing_codes():
    skipped = by_hand([0, 2, 3], [1.0, 2.0])
    np.testing.assert_array_equal(skipped.transitions(), [1.0, 1.0, 2.0])
    assert skipped.dnl()[0] == -1.0
    without_top = by_hand([0, 1, 2], [1.0, 2.0])
    np.testing.assert_array_equal(without_top.transitions(), [1.0, 2.0, np.nan])
    folded = by_hand([0, 2, 1, 2, 3], [0.4, 0.8, 1.2, 2.0])
    np.testing.assert_array_equal(folded.transitions(), [0.4, 0.4, 2.0])
    assert folded.apply([0.0, 0.5, 1.0, 1.5, 9.0]).tolist() == [0, 2, 1, 2, 3]


def test_a_code_whose_transition_would_come_before_the_one_below_is_missing():
    # Transitions at 0.5, 1.5 - 2 and 2.5: the second waits for the first, and code 1 has no room.
    adc = SarAdcSpec(bits=2, inl_lsb=(0.0, -2.0, 0.0)).program(1, signed=False)
    np.testing.assert_array_equal(adc.transitions(), [0.5, 0.5, 2.5])
    assert adc.apply([0.4, 0.5, 2.4, 2.5]).tolist() == [0, 2, 2, 3]


def test_all_transitions_at_one_input_leave_no_width():
    adc = SarAdcSpec(bits=4, inl_lsb=(0.0, -100.0)).program(1, signed=False)
    assert np.ptp(adc.transitions()) == 0.0
    np.testing.assert_array_equal(adc.dnl(), -np.ones(14))
    np.testing.assert_array_equal(adc.inl(), np.zeros(15))


def test_one_bit_has_one_transition():
    adc = FlashAdcSpec(bits=1, comparator_spread_lsb=0.2).program(2, signed=False, rng=0)
    assert adc.transitions(1).shape == (1,)
    assert adc.inl(1).tolist() == [0.0]
    assert adc.dnl(1).shape == (0,)
    assert adc.apply([adc.transitions(1)[0] - 1e-9, adc.transitions(1)[0]], 1, rng=0).tolist() == [0, 1]


@pytest.mark.parametrize("bits", [6, 8, 10, 12])
@pytest.mark.parametrize("signed", [False, True])
def test_enob_of_the_ideal_is_its_bits(bits, signed):
    assert SarAdcSpec(bits=bits).program(1, signed=signed).enob() == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("offset", [1e6, -1e6])
def test_enob_of_a_converter_that_is_stuck(offset):
    assert SarAdcSpec(offset_lsb=offset).program(1, signed=True).enob() == -np.inf


def test_enob_is_that_of_its_converter_and_of_its_noise():
    adc = SarAdcSpec(bits=6, capacitor_mismatch=0.1, noise_lsb=0.3, gain_spread=0.1).program(2, signed=True, rng=3)
    turned = replace(
        adc, levels=adc.levels[::-1], codes=adc.codes[::-1], gain=adc.gain[::-1], offset_lsb=adc.offset_lsb[::-1]
    )
    assert adc.enob(0, rng=1) == turned.enob(1, rng=1) != adc.enob(1, rng=1) == turned.enob(0, rng=1)
    assert adc.enob(0, rng=1) == adc.enob(0, rng=Streams(1)) != adc.enob(0, rng=2)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_enob_with_noise(sigma):
    bits = 10
    adc = SarAdcSpec(bits=bits, noise_lsb=sigma).program(1, signed=False, rng=0)
    amplitude = (2**bits - 1) / 2
    sinad = 10 * np.log10(amplitude**2 / 2 / (1 / 12 + sigma**2))
    # 16384 samples: the noise power is known to 5 * 1.1 %, 0.04 bits; clipped tails are below that.
    assert adc.enob(rng=1) == pytest.approx((sinad - 1.76) / 6.02, abs=0.05)


def test_enob_with_a_bow():
    # A bow of B in the middle is B cos^2 of the phase: a second harmonic of amplitude B / 2, power B^2 / 8.
    bits, bow = 10, 3.0
    adc = RampAdcSpec(bits=bits, curvature_lsb=bow).program(1, signed=True)
    sinad = 10 * np.log10(((2**bits - 1) / 2) ** 2 / 2 / (1 / 12 + bow**2 / 8))
    assert adc.enob() == pytest.approx((sinad - 1.76) / 6.02, abs=0.05)
    enobs = [
        SarAdcSpec(bits=8, inl_lsb=(0.0, each, 0.0)).program(1, signed=True).enob() for each in (0.0, 0.5, 1.0, 2.0)
    ]
    assert np.all(np.diff(enobs) < -0.1)


@pytest.mark.parametrize("kind", list(ADC_ERRORS))
def test_enob_is_lowered_by_the_circuit(kind):
    ideal = ADCS.kind(kind)(bits=8).program(1, signed=True).enob()
    errors = {key: 3 * value for key, value in ADC_ERRORS[kind].items() if key != "amplifier_gain"}
    assert ADCS.kind(kind)(bits=8, **errors).program(1, signed=True, rng=1).enob(rng=0) < ideal - 0.1
