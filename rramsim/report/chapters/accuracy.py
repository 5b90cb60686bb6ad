"""What each non-ideality costs a network: accuracy, agreement and attention divergence."""

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rramsim.report.chapter import Chapter, Drawing, Drawings
from rramsim.report.style import BLUE, GREY, ORANGE, new_figure, ruled
from rramsim.report.text import Note, TextTable, device_note
from rramsim.trace.read import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ACCURACY", "accuracy_figure", "accuracy_table"]

_LEAD = """\
Each line of the first table is the same network on hardware with some of its non-idealities. Lines with random errors
are means over chips that were written anew; the interval is Student's. Errors arise from the programmed conductances,
the wires and the converters of every array; none is drawn from an error rate."""

_CAPTION = "What each non-ideality costs. The dashed line is the float network; orange ticks are single chips."


def accuracy_table(trace: Trace) -> TextTable:
    """Accuracy, agreement and attention divergence of every line."""
    n_samples = trace["points/label"].size
    rows = []
    columns = ("label", "trials", "accuracy", "accuracy_low", "accuracy_high", "agreement", "attention_kl")
    for label, trials, mean, low, high, agreement, kl in zip(*(trace[f"table/{c}"] for c in columns), strict=True):
        interval = "-" if math.isnan(low) else f"{100 * low:.1f} .. {100 * high:.1f}"
        divergence = "-" if math.isnan(kl) else f"{kl:.5f}"  # nan: a network without attention
        rows.append((label, f"{100 * mean:.2f}", interval, str(trials), f"{100 * agreement:.2f}", divergence))
    header = ("hardware", "accuracy", "95 % interval", "trials", "as float", "attention KL")
    return TextTable(f"Accuracy (%) on {n_samples} held-out inputs", header, rows, ("accuracy",))


def accuracy_figure(trace: Trace) -> "Figure":
    """Accuracy with its interval, and attention divergence, for every line of the table."""
    label, mean = trace["table/label"], 100 * trace["table/accuracy"]
    low, high = 100 * trace["table/accuracy_low"], 100 * trace["table/accuracy_high"]
    kl = trace["table/attention_kl"]
    place = np.arange(len(label))[::-1]
    figure = new_figure(10, 0.38 * len(label) + 1.4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.axvline(mean[0], color=GREY, linewidth=0.8, linestyle="--")
    error = np.nan_to_num(np.stack([mean - low, high - mean]))
    left.errorbar(mean, place, xerr=np.maximum(error, 0), fmt="o", color=BLUE, capsize=3)
    variants, accuracy = trace["points/variant"], 100 * trace["points/accuracy"]
    for at, name in zip(place, trace["table/variant"], strict=True):
        chips = accuracy[variants == name]
        left.plot(chips, np.full(chips.size, at), "|", color=ORANGE, markersize=9)
    left.set_yticks(place, label)
    left.set_xlabel("accuracy (%): mean, 95 % interval, single chips")
    right.barh(place, kl, color=BLUE, height=0.55)
    right.set_xlabel("attention KL divergence (nat)")
    for axes in (left, right):
        ruled(axes, "x")
    return figure


def _tables(trace: Trace) -> list[TextTable]:
    return [accuracy_table(trace)]


def _drawings(trace: Trace) -> Drawings:
    return {"accuracy": Drawing(partial(accuracy_figure, trace), _CAPTION)}


def _notes(trace: Trace) -> list[Note]:
    return [device_note("Device", trace.study["device"])]


ACCURACY = Chapter("table", lead=_LEAD, tables=_tables, drawings=_drawings, notes=_notes)
"""The accuracy of a network on hardware, line by line, and the device that all lines share."""
