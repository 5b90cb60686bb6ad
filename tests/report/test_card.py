"""A device in words: what is printed is what the figures are."""

import re

import numpy as np
import pytest
from helpers.devices import devices
from hypothesis import given

from rramsim.cell.curves import CurveSpec, value_at
from rramsim.cell.device import DeviceSpec
from rramsim.units import curve_text


def printed(curve, unit=""):
    plain = curve.model_dump(mode="json") if isinstance(curve, CurveSpec) else curve
    return curve_text(plain, unit, 40e-6)


def evaluated(text, g):
    """A printed polynomial as Python: its value in SI at conductances g."""
    pattern = r"\(?(.*?)\)?(?: ([unm]?)S)?(?:, x = g / ([\d.]+) ([unm]?)S)?"
    formula, prefix, reference, reference_prefix = re.fullmatch(pattern, text).groups()
    scale = {"m": 1e-3, "u": 1e-6, "n": 1e-9, "": 1.0, None: 1.0}
    x = g / (float(reference) * scale[reference_prefix]) if reference else g
    formula = formula.replace("log10 x", "log10(x)").replace("ln x", "log(x)")
    formula = re.sub(r"(\d) (?=[x(le])", r"\1 * ", formula).replace("^", "**")
    names = {"x": x, "log": np.log, "log10": np.log10, "exp": np.exp, "__builtins__": {}}
    return eval(formula, names) * scale[prefix] + 0 * g


@pytest.mark.parametrize(
    ("curve", "unit"),
    [
        (1.536e-6, "S"),
        (0.0, "S"),
        (-0.0125, ""),
        ((0.348e-6, 16.030e-6, -43.853e-6, 45.393e-6, -16.815e-6), "S"),
        ((0.0, 0.0, -3e-9), "S"),
        (CurveSpec(coefficients=(0.007063, 0.005711, 0.001541, 0.0001388), variable="log10"), ""),
        (CurveSpec(coefficients=(-0.0059, -0.0125), variable="ln", reference_siemens=25e-6), ""),
        (CurveSpec(coefficients=(0.0, 0.0088, 0.5), variable="power", exponent=-0.65), ""),
        (CurveSpec(coefficients=(1e-6, -2e-6, 1e-7), variable="decay", reference_siemens=3e-6), "S"),
    ],
)
def test_a_printed_curve_is_the_curve(curve, unit):
    g = np.array([1e-6, 7e-6, 40e-6])
    text = printed(curve, unit)
    np.testing.assert_allclose(evaluated(text, g), value_at(curve, g, 40e-6), rtol=1e-5, atol=1e-20)


def test_limits_and_points_of_a_printed_curve():
    above = CurveSpec(coefficients=(0.5,))
    curve = CurveSpec(coefficients=(0.1, 0.2), at_least=0.15, at_most=0.25, above_siemens=2e-6, above=above)
    assert printed(curve) == "0.1 + 0.2 x, at least 0.15, at most 0.25, x = g / 40 uS; from 2 uS on 0.5"
    points = CurveSpec(points=((1e-6, 2e-7), (3e-6, 5e-7)))
    assert printed(points, "S") == "200 nS at 1 uS, 500 nS at 3 uS"
    many = CurveSpec(points=tuple((k * 1e-6, k * 1e-7) for k in range(1, 31)))
    assert printed(many, "S") == "0.1 uS at 1 uS, 0.2 uS at 2 uS, 0.3 uS at 3 uS, ... 3 uS at 30 uS (30 points)"


def sentences(device):
    return device.sentences()


@pytest.mark.parametrize(
    "curve",
    [
        CurveSpec(coefficients=(1.0,), at_least=0.0, at_most=0.0),  # limits that allow nothing else
        CurveSpec(coefficients=(0.0,), at_least=-1.0),  # a limit that is never met
    ],
)
def test_a_curve_that_is_0_everywhere_is_not_spoken_of(curve):
    noise, drift = {"relative_deviation": curve, "spread_siemens": curve}, {"exponent": curve, "exponent_spread": curve}
    device = DeviceSpec(read_noise=noise, drift=drift)
    assert (device.read_noise.ideal, device.drift.ideal) == (True, True)
    assert (sentences(device)["read noise"], sentences(device)["drift"]) == ([], [])
    half = sentences(DeviceSpec(drift={**drift, "exponent": 0.05}))["drift"]
    assert half[1:] == ["mean of nu: 0.05"]


@given(devices())
def test_a_part_is_spoken_of_where_it_is_not_ideal(device):
    """The device and its card have one rule for what is nothing."""
    text = sentences(device)
    parts = {"programming": device.programming, "device to device": device.device_to_device, "drift": device.drift}
    parts |= {"relaxation": device.relaxation, "read noise": device.read_noise, "telegraph noise": device.telegraph}
    parts |= {"endurance": device.endurance}
    assert {name for name in parts if not text[name]} == {name for name, part in parts.items() if part.ideal}
