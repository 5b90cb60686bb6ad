"""Errors that the circuits made: every kind, for the lines that made any."""

import pytest

import rramsim as rs
from rramsim.report.chapters.errors import error_table


def test_table(trace):
    table = error_table(trace)
    assert table.header == ("kind of error", "adc", "softmax cells", "all")
    assert [row[0] for row in table.rows] == [kind.replace("_", " ") for kind in trace["errors/kind"]]
    mean = trace["errors/count"][trace["points/variant"] == "all"].mean(axis=0)
    assert [float(row[-1].replace(",", "")) for row in table.rows] == pytest.approx(mean, abs=0.05)


def test_a_table_of_errors_without_any(altered, trace):
    with rs.open_trace(altered(datasets={"errors/count": 0 * trace["errors/count"]}, signals=False)) as clean:
        assert error_table(clean).header == ("kind of error",)
