"""Tables: numbers as people read them, and every row of the trace."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rramsim as rs
from rramsim.report.tables import (
    accuracy_table,
    cost_table,
    error_table,
    quantity,
    share_table,
    tables,
)

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


def test_accuracy(trace):
    table = accuracy_table(trace)
    assert table.title == "Accuracy (%) on 12 held-out images"
    assert [row[0] for row in table.rows] == list(trace["table/label"])
    for row, low, trials, kl in zip(
        table.rows, trace["table/accuracy_low"], trace["table/trials"], trace["table/attention_kl"], strict=True
    ):
        assert (row[2] == "-") == np.isnan(low) == (trials == 1)
        assert row[3] == str(trials)
        assert float(row[5]) == pytest.approx(kl, abs=5e-6)
    assert [float(row[1]) for row in table.rows] == pytest.approx(100 * trace["table/accuracy"], abs=5e-3)
    assert [float(row[4]) for row in table.rows] == pytest.approx(100 * trace["table/agreement"], abs=5e-3)


def test_interval(altered):
    columns = {"table/accuracy_low": [np.nan] * 9 + [0.8126], "table/accuracy_high": [np.nan] * 9 + [0.9874]}
    with rs.open_trace(altered(datasets=columns, signals=False)) as trace:
        assert [row[2] for row in accuracy_table(trace).rows] == ["-"] * 9 + ["81.3 .. 98.7"]


def test_cost(trace):
    table = cost_table(trace)
    assert [row[0] for row in table.rows] == list(trace["cost/name"])
    shown = dict(table.rows)
    assert shown["operations per inference"] == "2.386e+06"
    assert re.fullmatch(r"[\d.]+ uJ", shown["energy per inference"])
    assert re.fullmatch(r"[\d.]+ mm2", shown["area"])
    assert shown["computing efficiency"].endswith(" GOPs/s/W")


@pytest.mark.parametrize("by", ["block", "component"])
def test_shares(trace, by):
    table = share_table(trace, by)
    assert {row[0] for row in table.rows} == set(trace[f"cost/{by}"])
    assert len({row[0] for row in table.rows}) == len(table.rows)
    for column in (2, 4):
        total = sum(float(row[column].removesuffix(" %")) for row in table.rows)
        assert total == pytest.approx(100, abs=0.005 * len(table.rows))
    joule = {name: trace["cost/energy"][trace[f"cost/{by}"] == name].sum() for name in set(trace[f"cost/{by}"])}
    assert [joule[row[0]] for row in table.rows] == sorted(joule.values(), reverse=True)
    assert [row[1] for row in table.rows] == [quantity(joule[row[0]], "J") for row in table.rows]


def test_errors(trace):
    table = error_table(trace)
    assert table.header == ("kind of error", "adc", "softmax cells", "all")
    assert [row[0] for row in table.rows] == [kind.replace("_", " ") for kind in trace["errors/kind"]]
    mean = trace["errors/count"][trace["points/variant"] == "all"].mean(axis=0)
    assert [float(row[-1].replace(",", "")) for row in table.rows] == pytest.approx(mean, abs=0.05)


def test_a_table_of_errors_without_any(altered, trace):
    with rs.open_trace(altered(datasets={"errors/count": 0 * trace["errors/count"]}, signals=False)) as clean:
        assert error_table(clean).header == ("kind of error",)


def test_all_tables_are_rectangles_of_text(trace):
    found = tables(trace)
    assert len(found) == len({table.title for table in found}) == 5
    for table in found:
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert all(isinstance(cell, str) and cell for row in table.rows for cell in row)
