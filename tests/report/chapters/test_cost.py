"""What an inference costs: figures of merit, and shares that add up."""

import re

import numpy as np
import pytest
from helpers.drawn import labels

from rramsim.report.chapters.cost import cost_figure, cost_table, share_table
from rramsim.units import quantity


def test_table(trace):
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


def test_figure(trace):
    figure = cost_figure(trace)
    for axes, by in zip(figure.axes, ("block", "component"), strict=True):
        names = labels(axes.yaxis)
        assert set(names) <= set(trace[f"cost/{by}"])
        energy, area = (np.array([bar.get_width() for bar in bars]) for bars in axes.containers)
        assert (np.diff(energy) >= 0).all()
        for shares, values in ((energy, trace["cost/energy"]), (area, trace["cost/area"])):
            by_hand = [100 * values[trace[f"cost/{by}"] == name].sum() / values.sum() for name in names]
            np.testing.assert_allclose(shares, by_hand)
            assert 97 < shares.sum() <= 100 + 1e-9  # what is left out is below half a percent each
