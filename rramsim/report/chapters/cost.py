"""What one inference costs: energy, time and area, and where they go."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rramsim.report.chapter import Chapter, Drawing, Drawings
from rramsim.report.style import BLUE, ORANGE, bare, new_figure
from rramsim.report.text import TextTable, percent
from rramsim.trace.read import Trace
from rramsim.units import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COST", "cost_figure", "cost_sums", "cost_table", "share_table"]


def cost_table(trace: Trace) -> TextTable:
    """Energy, latency, area and efficiency of one inference."""
    columns = (trace["cost/name"], trace["cost/value"], trace["cost/value_unit"])
    rows = [(name, quantity(value, unit)) for name, value, unit in zip(*columns, strict=True)]
    return TextTable("Cost of one inference, all non-idealities", ("figure", "value"), rows)


def cost_sums(trace: Trace, by: str) -> list[tuple[str, float, float]]:
    """Energy, joule, and area, square metre, of each ``"block"`` or ``"component"``; the largest energy first."""
    names, energy, area = trace[f"cost/{by}"], trace["cost/energy"], trace["cost/area"]
    sums = [(name, energy[names == name].sum(), area[names == name].sum()) for name in dict.fromkeys(names)]
    return sorted(sums, key=lambda row: -row[1])


def share_table(trace: Trace, by: str = "block") -> TextTable:
    """Where energy and area go, by ``"block"`` or by ``"component"``."""
    all_energy, all_area = trace["cost/energy"].sum(), trace["cost/area"].sum()
    rows = [
        (name, quantity(joule, "J"), percent(joule / all_energy), quantity(square, "m2"), percent(square / all_area))
        for name, joule, square in cost_sums(trace, by)
    ]
    return TextTable(f"Energy and area by {by}", (by, "energy", "share", "area", "share"), rows)


def cost_figure(trace: Trace) -> "Figure":
    """Shares of energy and area, by block and by component."""
    figure = new_figure(10, 4.6)
    for axes, by in zip(figure.subplots(1, 2), ("block", "component"), strict=True):
        energy, area = trace["cost/energy"].sum(), trace["cost/area"].sum()
        shares = [(joule / energy, square / area, name) for name, joule, square in cost_sums(trace, by)]
        rows = sorted(row for row in shares if max(row[:2]) >= 0.005)
        place = np.arange(len(rows))
        axes.barh(place + 0.2, [100 * row[0] for row in rows], height=0.38, color=BLUE, label="energy")
        axes.barh(place - 0.2, [100 * row[1] for row in rows], height=0.38, color=ORANGE, label="area")
        axes.set_yticks(place, [row[2] for row in rows])
        axes.set_xlabel(f"share by {by} (%), from 0.5 % up")
        axes.legend(frameon=False, loc="lower right")
        bare(axes)
    return figure


def _tables(trace: Trace) -> list[TextTable]:
    return [cost_table(trace), share_table(trace, "block"), share_table(trace, "component")]


def _drawings(trace: Trace) -> Drawings:
    return {"cost": Drawing(partial(cost_figure, trace), "Where energy and area go.")}


COST = Chapter("cost", tables=_tables, drawings=_drawings)
"""The figures of merit of one inference, and the shares of the blocks and components in them."""
