"""The tables of a run, as rows of text, for the terminal and the page alike."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from rramsim.trace.read import Trace
from rramsim.units import quantity

__all__ = ["TextTable", "accuracy_table", "cost_sums", "cost_table", "error_table", "share_table", "tables"]


class TextTable(NamedTuple):
    """A table of text; the first column is left-aligned, the others are numbers. On the page, figures follow it."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: tuple[str, ...] = ()


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def accuracy_table(trace: Trace) -> TextTable:
    """Accuracy, agreement and attention divergence of every line."""
    n_samples = trace["points/label"].size
    rows = []
    columns = ("label", "trials", "accuracy", "accuracy_low", "accuracy_high", "agreement", "attention_kl")
    for label, trials, mean, low, high, agreement, kl in zip(*(trace[f"table/{c}"] for c in columns), strict=True):
        interval = "-" if math.isnan(low) else f"{100 * low:.1f} .. {100 * high:.1f}"
        rows.append((label, f"{100 * mean:.2f}", interval, str(trials), f"{100 * agreement:.2f}", f"{kl:.5f}"))
    header = ("hardware", "accuracy", "95 % interval", "trials", "as float", "attention KL")
    return TextTable(f"Accuracy (%) on {n_samples} held-out images", header, rows, ("accuracy",))


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
        (name, quantity(joule, "J"), _percent(joule / all_energy), quantity(square, "m2"), _percent(square / all_area))
        for name, joule, square in cost_sums(trace, by)
    ]
    return TextTable(f"Energy and area by {by}", (by, "energy", "share", "area", "share"), rows)


def error_table(trace: Trace) -> TextTable:
    """Errors that the circuits made, mean over the trials, for the lines that made any."""
    counts, variants = trace["errors/count"], trace["points/variant"]
    mean = {name: counts[variants == name].mean(axis=0) for name in trace["table/variant"]}
    guilty = [name for name, values in mean.items() if values.any()]
    rows = [
        (kind.replace("_", " "), *(f"{mean[name][k]:,.1f}" for name in guilty))
        for k, kind in enumerate(trace["errors/kind"])
    ]
    header = ("kind of error", *(name.replace("_", " ") for name in guilty))
    return TextTable("Errors counted in the circuits, mean over trials", header, rows)


def tables(trace: Trace) -> list[TextTable]:
    """All tables of a run, in the order of reading."""
    if "sweep" in trace:
        from .sweeps import sweep_tables

        return sweep_tables(trace)
    return [
        accuracy_table(trace),
        cost_table(trace),
        share_table(trace),
        share_table(trace, "component"),
        error_table(trace),
    ]
