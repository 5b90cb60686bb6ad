"""The figures of a run, drawn with Matplotlib from a trace alone."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rramsim.trace.read import Trace

from .tables import cost_sums

__all__ = ["FIGURES", "Drawings", "accuracy_figure", "cost_figure", "drawings", "schedule_figure", "signal_figure"]

_BLUE, _ORANGE, _GREY = "#2b6cb0", "#c05621", "#4a5568"


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def accuracy_figure(trace: Trace) -> Figure:
    """Accuracy with its interval, and attention divergence, for every line of the table."""
    label, mean = trace["table/label"], 100 * trace["table/accuracy"]
    low, high = 100 * trace["table/accuracy_low"], 100 * trace["table/accuracy_high"]
    kl = trace["table/attention_kl"]
    place = np.arange(len(label))[::-1]
    figure = Figure(figsize=(10, 0.38 * len(label) + 1.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.axvline(mean[0], color=_GREY, linewidth=0.8, linestyle="--")
    error = np.nan_to_num(np.stack([mean - low, high - mean]))
    left.errorbar(mean, place, xerr=np.maximum(error, 0), fmt="o", color=_BLUE, capsize=3)
    variants, accuracy = trace["points/variant"], 100 * trace["points/accuracy"]
    for at, name in zip(place, trace["table/variant"], strict=True):
        own = accuracy[variants == name]
        left.plot(own, np.full(own.size, at), "|", color=_ORANGE, markersize=9)
    left.set_yticks(place, label)
    left.set_xlabel("accuracy (%): mean, 95 % interval, single chips")
    right.barh(place, kl, color=_BLUE, height=0.55)
    right.set_xlabel("attention KL divergence (nat)")
    for axes in (left, right):
        _bare(axes)
        axes.grid(axis="x", color="#e2e8f0")
        axes.set_axisbelow(True)
    return figure


def cost_figure(trace: Trace) -> Figure:
    """Shares of energy and area, by block and by component."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    for axes, by in zip(figure.subplots(1, 2), ("block", "component"), strict=True):
        energy, area = trace["cost/energy"].sum(), trace["cost/area"].sum()
        shares = [(joule / energy, square / area, name) for name, joule, square in cost_sums(trace, by)]
        rows = sorted(row for row in shares if max(row[:2]) >= 0.005)
        place = np.arange(len(rows))
        axes.barh(place + 0.2, [100 * row[0] for row in rows], height=0.38, color=_BLUE, label="energy")
        axes.barh(place - 0.2, [100 * row[1] for row in rows], height=0.38, color=_ORANGE, label="area")
        axes.set_yticks(place, [row[2] for row in rows])
        axes.set_xlabel(f"share by {by} (%), from 0.5 % up")
        axes.legend(frameon=False, loc="lower right")
        _bare(axes)
    return figure


def schedule_figure(trace: Trace) -> Figure:
    """When each token vector is in each stage, vector-grained; the operand-grained span in grey behind."""
    start, finish = 1e6 * trace["schedule/start"], 1e6 * trace["schedule/finish"]
    slow_start, slow_finish = 1e6 * trace["schedule/operand_start"], 1e6 * trace["schedule/operand_finish"]
    stages = trace["schedule/stage"]
    place = np.arange(len(stages))[::-1]
    figure = Figure(figsize=(10, 0.3 * len(stages) + 1.3), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        place, slow_finish[:, -1] - slow_start[:, 0], left=slow_start[:, 0], height=0.8, color="#e2e8f0",
        label="operand-grained",
    )  # fmt: skip
    for row, begin, end in zip(place, start, finish, strict=True):
        axes.barh(
            np.full(begin.size, row),
            end - begin,
            left=begin,
            height=0.55,
            color=_BLUE,
            edgecolor="white",
            linewidth=0.3,
        )
    setup = 1e6 * trace["schedule/setup"]
    axes.barh(
        place, setup, left=start[:, 0] - setup, height=0.2, color=_ORANGE, label="writing keys and values, or once"
    )
    axes.barh([0], [0], color=_BLUE, label="vector-grained, a bar for each token")
    axes.set_yticks(place, stages)
    axes.set_xlabel("time (us)")
    axes.legend(frameon=False, loc="upper right")
    _bare(axes)
    return figure


def signal_figure(trace: Trace) -> Figure:
    """Inner signals of the probed images: column currents against codes, match lines, probabilities."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    current = 1e6 * trace["probe/layer0.attention/scores/column_current"].ravel()
    left.hist(current, bins=80, color=_BLUE)
    left.set_yscale("log")
    left.set_xlabel("current of a bit-line pair (uA)")
    left.set_ylabel("conversions")
    left.set_title("Q K$^T$ in layer 0", fontsize="medium")
    match, probability = (trace[f"probe/layer0.attention/softmax/{name}"] for name in ("match", "probability"))
    length = probability.shape[-1]
    middle.imshow(match.reshape(-1, length, match.shape[-1])[0].T, aspect="auto", interpolation="nearest", cmap="Blues")
    middle.set_xlabel("token")
    middle.set_ylabel("row of the CAM/SUB crossbar")
    middle.set_title("match lines that fired", fontsize="medium")
    image = right.imshow(probability.reshape(-1, length)[:length], cmap="viridis")
    right.set_xlabel("key token")
    right.set_ylabel("query token")
    right.set_title("attention of head 0", fontsize="medium")
    figure.colorbar(image, ax=right, shrink=0.8)
    for axes in (left, middle):
        _bare(axes)
    return figure


Drawings = dict[str, tuple[Callable[[Trace], Figure], str]]
"""Figures by name: what draws them, and their captions."""

FIGURES: Drawings = {
    "accuracy": (
        accuracy_figure,
        "What each non-ideality costs. The dashed line is the float network; orange ticks are single chips.",
    ),
    "cost": (cost_figure, "Where energy and area go."),
    "schedule": (schedule_figure, "The pipeline of one inference, token by token."),
    "signals": (signal_figure, "Inner signals of the first probed image, from the trace."),
}
"""Every figure of the report, with its caption."""


def drawings(trace: Trace) -> Drawings:
    """The figures that the trace has data for; signals are drawn where the study probed any."""
    if "sweep" in trace:
        from .sweeps import sweep_drawings

        return sweep_drawings(trace)
    probed = "probe/layer0.attention/softmax/match" in trace
    return {name: each for name, each in FIGURES.items() if name != "signals" or probed}
