"""Quantities for people: three digits and an SI prefix, durations, one prefix for many values, and curves."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["curve_text", "duration", "prefix", "quantity"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_PREFIXED = ("J", "s", "W", "A", "V", "S")
_SPANS = ((365 * 86400.0, "y"), (86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_ROUNDING = 1e-9
_TERMS = 7
"""A polynomial of more terms says nothing to a reader."""


def quantity(value: float, unit: str) -> str:
    """A value with three significant digits and an SI prefix: ``quantity(1.234e-6, "J")`` is ``"1.23 uJ"``."""
    if unit == "m2":
        return f"{value * 1e6:.3g} mm2"
    if unit not in _PREFIXED:
        return f"{value:,.4g}" + ("" if unit in ("", "1") else f" {unit}")
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    value = float(f"{value:.3g}")  # before the prefix is chosen: 999.6 nJ is 1 uJ
    exponent = min(max(3 * math.floor(math.log10(abs(value)) / 3), -15), 12)
    return f"{value / 10.0**exponent:.3g} {_PREFIXES[exponent]}{unit}"


def duration(second: float) -> str:
    """A time in the unit that people use for it: ``duration(86400)`` is ``"1 d"``."""
    for span, unit in _SPANS:
        if second >= span * (1 - _ROUNDING):
            return f"{second / span:.3g} {unit}"
    scale, letter = prefix(second)
    return f"{second / scale:.3g} {letter}s"


def prefix(values: ArrayLike) -> tuple[float, str]:
    """A factor up to 1 and its letter, in which the largest of some values is at least 1: ``(1e-6, "u")``."""
    largest = float(np.abs(values).max(initial=0.0)) * (1 + _ROUNDING)
    if largest == 0:
        return 1.0, ""
    exponent = next((e for e in (0, -3, -6, -9, -12) if largest >= float(f"1e{e}")), -15)
    return float(f"1e{exponent}"), _PREFIXES[exponent]


def curve_text(curve: Any, unit: str, top: float) -> str:
    """A figure, or how it depends on the conductance g, with six digits.

    Parameters
    ----------
    curve
        A number; a list of coefficients c0, c1, ... of x = g / g_max; or the fields of a curve.
    unit
        Unit of the figure; empty: none.
    top
        Top of the window, g_max, siemens.
    """
    if isinstance(curve, float | int):
        return _sum((curve,), unit, "")
    if not isinstance(curve, Mapping):
        return _sum(curve, unit, "x") + (f", x = g / {_digits(top, 'S')}" if len(curve) > 1 else "")
    points, coefficients = curve["points"], curve["coefficients"]
    if points:
        factor, name = _scale([value for _, value in points], unit)
        shown = [f"{value / factor:.6g} {name}".rstrip() + f" at {_digits(g, 'S')}" for g, value in points]
        text = ", ".join(shown) if len(shown) <= 6 else f"{', '.join(shown[:3])}, ... {shown[-1]} ({len(shown)} points)"
    else:
        variable = {"x": "x", "ln": "ln x", "log10": "log10 x", "decay": "exp(-x)", "power": f"x^{curve['exponent']}"}
        text = _sum(coefficients, unit, variable[curve["variable"]])
    for limit in ("at least", "at most"):
        value = curve[limit.replace(" ", "_")]
        if value is not None:
            text += f", {limit} {_sum((value,), unit, '')}"
    if len(coefficients) > 1:
        text += f", x = g / {_digits(curve['reference_siemens'] or top, 'S')}"
    if curve["above"] is not None:
        text += f"; from {_digits(curve['above_siemens'], 'S')} on {curve_text(curve['above'], unit, top)}"
    return text


def _digits(value: float, unit: str) -> str:
    return _sum((value,), unit, "")


def _scale(values: Sequence[float], unit: str) -> tuple[float, str]:
    """A factor, and a unit with its prefix, in which the largest value is at least 1; without a unit 1."""
    if not unit or not any(values):
        return 1.0, unit
    factor, letter = prefix(values)
    return factor, letter + unit


def _sum(coefficients: Sequence[float], unit: str, variable: str) -> str:
    """c0 + c1 u + c2 u^2 + ... in one unit."""
    if len(coefficients) > _TERMS:
        return f"polynomial of degree {len(coefficients) - 1} in {variable} (--json prints it)"
    factor, name = _scale(coefficients, unit)
    text = ""
    for power, value in enumerate(coefficients):
        if not value and any(coefficients):
            continue
        sign = (" - " if value < 0 else " + ") if text else ("-" if value < 0 else "")
        symbol = variable if power == 1 else f"({variable})^{power}" if len(variable) > 1 else f"{variable}^{power}"
        text += f"{sign}{abs(value) / factor:.6g}" + (f" {symbol}" if power and value else "")
        if not value:
            break
    if not name:
        return text
    return f"({text}) {name}" if " " in text else f"{text} {name}"
