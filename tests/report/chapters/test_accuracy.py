"""The accuracy of a network: every row of the trace, in the table and in the figure."""

import numpy as np
import pytest
from helpers.drawn import labels

import rramsim as rs
from rramsim.report.chapters.accuracy import ACCURACY, accuracy_figure, accuracy_table


def test_table(trace):
    table = accuracy_table(trace)
    assert table.title == "Accuracy (%) on 12 held-out inputs"
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


def test_figure(trace):
    left, right = accuracy_figure(trace).axes
    assert labels(left.yaxis) == list(trace["table/label"])
    means = left.containers[0].lines[0].get_xdata()
    np.testing.assert_allclose(means, 100 * trace["table/accuracy"])
    chips = sum(len(line.get_xdata()) for line in left.lines if line.get_marker() == "|" and line.get_markersize() == 9)
    assert chips == trace["points/accuracy"].size
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], trace["table/attention_kl"])


def test_chapter(trace):
    assert "interval is Student's" in ACCURACY.lead
    assert ACCURACY.tables(trace) == [accuracy_table(trace)]
    assert set(accuracy_table(trace).figures) == set(ACCURACY.drawings(trace)) == {"accuracy"}
    (note,) = ACCURACY.notes(trace)
    assert note.title == "Device"
    assert note.text.startswith(trace.study["device"]["title"])
    assert trace.study["device"]["source"] in note.text
