"""What a converter refuses, and what it says about it."""

import pytest

from rramsim.array.adc.base import AdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError

_GOES_WITH = ": full_scale_ampere goes with full_scale_from = 'fixed', and only with it"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": 0}, "bits: got 0; it is at least 1. Resolution, 1 to 14."),
        ({"bits": 15}, "bits: got 15; it is at most 14."),
        ({"bits": 8.0}, "bits: got 8.0; it is a whole number."),
        ({"kind": "delta"}, "kind: got 'delta'; Kinds of converter at hand are sar, flash, ramp, pipeline"),
        (
            {"full_scale_from": "auto"},
            "full_scale_from: got 'auto'; it is one of 'full', 'calibrated', 'fixed' or 'lossless'.",
        ),
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
            "comparator_spread_lsb: got -0.1; it is at least 0. Standard deviation of the offset of each comparator",
        ),
        ({"kind": "pipeline", "amplifier_gain": 0.0}, "amplifier_gain: got 0.0; it is above 0. Open-loop gain A"),
        (
            {"kind": "pipeline", "stage_gain_spread": 0.2},
            "stage_gain_spread: got 0.2; it is at most 0.1. Relative standard deviation of the gain",
        ),
        (
            {"kind": "flash", "capacitor_mismatch": 0.1},
            "capacitor_mismatch: unknown key: it belongs to kind = 'sar'; got kind = 'flash'",
        ),
        (
            {"comparator_spread_lsb": 0.1},
            "comparator_spread_lsb: unknown key: it belongs to kind = 'flash' or 'pipeline'; got kind = 'sar'",
        ),
        ({"curvature_lsb": -1.0}, "curvature_lsb: unknown key: it belongs to kind = 'ramp'; got kind = 'sar'"),
        ({"amplifier_gain": 99.0}, "amplifier_gain: unknown key: it belongs to kind = 'pipeline'; got kind = 'sar'"),
        (
            {"stage_gain_spread": 0.1},
            "stage_gain_spread: unknown key: it belongs to kind = 'pipeline'; got kind = 'sar'",
        ),
        (
            {"full_scale_from": "fixed"},
            f"{_GOES_WITH}; got full_scale_from = 'fixed' and full_scale_ampere = None",
        ),
        (
            {"full_scale_ampere": 1e-6},
            f"{_GOES_WITH}; got full_scale_from = 'full' and full_scale_ampere = 1e-06",
        ),
        ({"full_scale_from": "fixed", "full_scale_ampere": 0.0}, "full_scale_ampere: got 0.0; it is above 0."),
        (
            {"kind": "pipeline", "bits": 2},
            ".bits: a pipeline ends in a 2-bit flash and has at least one stage before: 3 bits; got 2",
        ),
        (
            {"bits": 1, "inl_lsb": (0.1, 0.2)},
            ": a converter of 1 bit has one transition and thus no nonlinearity; it has an offset",
        ),
        ({"bits": 1, "dnl_spread_lsb": 0.1}, ": a converter of 1 bit has one transition"),
        ({"bit": 8}, "bit: unknown key; did you mean 'bits'?"),
    ],
)
def test_bad_adc(wrong, message):
    with pytest.raises(SpecError) as caught:
        MacroSpec(adc=wrong)
    dot = "" if message.startswith((":", ".")) else "."
    assert str(caught.value).startswith(f"MacroSpec: adc{dot}{message}")


def test_one_wrong_value_of_a_curve_is_one_problem():
    with pytest.raises(SpecError) as caught:
        SarAdcSpec(inl_lsb=(0.1, "x"))
    assert str(caught.value) == "SarAdcSpec: inl_lsb.1: got 'x'; it is a number."


def test_the_base_is_no_converter():
    with pytest.raises(SpecError, match=r"AdcSpec: no converter, .*\(component, cycles, steps differ\)"):
        AdcSpec(bits=8)
    with pytest.raises(SpecError, match="kind: got 'ramp'; it is one of 'sar'"):
        SarAdcSpec().but({"kind": "ramp"})
