"""Tables: numbers as people read them, and every row of the trace."""

import re

import numpy as np
import pytest

import rramsim as rs
from rramsim.report.tables import (
    accuracy_table,
    cost_table,
    error_table,
    share_table,
    tables,
)
from rramsim.units import quantity


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
