"""Quantities for people: three digits and an SI prefix, durations, and one prefix for many values."""

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["duration", "prefix", "quantity"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_PREFIXED = ("J", "s", "W", "A", "V", "S")
_SPANS = ((365 * 86400.0, "y"), (86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_ROUNDING = 1e-9


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
