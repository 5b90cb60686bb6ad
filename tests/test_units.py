"""Quantities for people."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramsim.units import duration, prefix, quantity

PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234e-6, "J", "1.23 uJ"),
        (0.0, "J", "0 J"),
        (1.0, "s", "1 s"),
        (-2.5e-3, "A", "-2.5 mA"),
        (1e-18, "J", "0.001 fJ"),
        (4e15, "W", "4e+03 TW"),
        (float("nan"), "s", "nan s"),
        (float("inf"), "s", "inf s"),
        (2e-7, "m2", "0.2 mm2"),
        (1e-6, "m2", "1 mm2"),
        (2385664.0, "1", "2.386e+06"),
        (1234.4, "GOPs/s", "1,234 GOPs/s"),
        (612.66, "GOPs/s/W", "612.7 GOPs/s/W"),
        (3.0, "", "3"),
        # Rounding up to the next power of a thousand takes the next prefix.
        (999.6e-9, "J", "1 uJ"),
        (999.4e-9, "J", "999 nJ"),
        (-999.6, "V", "-1 kV"),
    ],
)
def test_quantity(value, unit, text):
    assert quantity(value, unit) == text


@given(st.floats(1e-15, 9e14), st.sampled_from(["J", "s", "W", "A", "V", "S"]), st.sampled_from([1, -1]))
def test_a_quantity_is_its_value_to_three_digits(size, unit, sign):
    value = sign * size
    number, prefix = re.fullmatch(rf"(-?[\d.]+) ([fpnumkMGT]?){unit}", quantity(value, unit)).groups()
    assert float(number) * PREFIX[prefix] == pytest.approx(value, rel=5.001e-3)
    assert 1 <= abs(float(number)) < 1000
    assert len(number.lstrip("-").replace(".", "")) <= 3


@given(st.floats(1e-15, 9e14), st.floats(1e-15, 9e14))
def test_the_larger_quantity_is_not_shown_as_the_smaller(one, other):
    def shown(value):
        number, prefix = re.fullmatch(r"([\d.]+) ([fpnumkMGT]?)J", quantity(value, "J")).groups()
        return float(number) * PREFIX[prefix]

    small, large = sorted((one, other))
    assert shown(small) <= shown(large) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("second", "text"),
    [
        (2.5e-7, "250 ns"),
        (1e-3, "1 ms"),
        (1.0, "1 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (5400.0, "1.5 h"),
        (86400.0, "1 d"),
        (30 * 86400.0, "30 d"),
        (3650 * 86400.0, "10 y"),
    ],
)
def test_duration(second, text):
    assert duration(second) == text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (2.0, (1.0, "")),
        (0.0, (1.0, "")),
        ([], (1.0, "")),
        (1e-3, (1e-3, "m")),
        (0.999e-3, (1e-6, "u")),
        ([-3e-9, 1e-12], (1e-9, "n")),
        (1e-20, (1e-15, "f")),
    ],
)
def test_one_prefix_for_all(values, expected):
    assert prefix(np.array(values)) == expected
