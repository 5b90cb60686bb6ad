"""The figure of a sweep: divergence and errors of the softmax engine against the values of one key."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import GREY, SERIES, new_figure, ruled
from .sweep_points import MeasuredPoint, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["sweep_figure"]

_DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (1, 3)), (0, (6, 2, 1, 2, 1, 2)))
_MARKS = "osD^vP*X"
_WIDE = 20.0
"""Ratio of largest to smallest value from which on an axis is logarithmic."""
_CROWDED = 40
"""Letters of all names on an axis from which on they stand upright."""


def sweep_figure(sweep: Sweep, key: str) -> "Figure":
    """Divergence of each model, and rates of errors, against the values of one key."""
    branches = list(_branches(sweep, key))
    figure = new_figure(10, 6.4 if _upright(_values(sweep, key)) else 4.8)
    left, right = figure.subplots(1, 2, sharex=True)
    kinds = [kind for kind in sweep.points[0].rates if any(point.rates[kind] for point in sweep.points)]
    for (place, points, _), dash in zip(branches, cycle(_DASHES)):
        joined = len(branches) > 1 or _numeric(_values(sweep, key))
        style: dict[str, Any] = {"linestyle": dash if joined else "none", "markersize": 4}
        for k, (colour, _) in enumerate(zip(cycle(SERIES), sweep.models)):
            left.plot(place, [point.kl[:, k].mean() or np.nan for point in points], marker="o", color=colour, **style)
            for trial in range(len(points[0].kl)):
                left.plot(place, [point.kl[trial, k] or np.nan for point in points], ".", color=colour, markersize=2)
        for kind, colour, mark in zip(kinds, cycle(SERIES), cycle(_MARKS)):
            right.plot(place, [point.rates[kind] or np.nan for point in points], marker=mark, color=colour, **style)
    _finish(left, sweep, key, "KL divergence (nat)")
    _finish(right, sweep, key, "errors for each score (maximum, sum: vector)")
    _legend(left, _model_handles(sweep, [name for _, _, name in branches]))
    _legend(right, _error_handles(kinds))
    if not kinds:
        right.text(0.5, 0.5, "no errors", transform=right.transAxes, ha="center", color=GREY)
    return figure


def _model_handles(sweep: Sweep, branches: Sequence[str]) -> "list[Line2D]":
    """A colour for each model, and a dash for each branch where there are several."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker="o", label=model) for model, colour in zip(sweep.models, cycle(SERIES))
    ]
    if len(branches) > 1:
        handles += [
            Line2D([], [], color=GREY, linestyle=dash, label=name) for name, dash in zip(branches, cycle(_DASHES))
        ]
    return handles


def _error_handles(kinds: Sequence[str]) -> "list[Line2D]":
    """A colour and a mark for each kind of error."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=colour, marker=mark, label=kind.replace("_", " "))
        for kind, colour, mark in zip(kinds, cycle(SERIES), cycle(_MARKS))
    ]


def _legend(axes: "Axes", handles: "list[Line2D]") -> None:
    """A legend above the axes."""
    if handles:
        axes.legend(
            handles=handles, frameon=False, fontsize="small", ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0)
        )


def _finish(axes: "Axes", sweep: Sweep, key: str, label: str) -> None:
    """Scales and names."""
    values = _values(sweep, key)
    if not _numeric(values):
        rotation = 90 if _upright(values) else 0
        axes.set_xticks(range(len(values)), [_text(value) for value in values], rotation=rotation)
    elif min(values) >= 0:
        positive = [value for value in values if value > 0]
        if max(positive) > _WIDE * min(positive):
            # With a zero, the axis is linear below the smallest of the others.
            axes.set_xscale("log") if min(values) > 0 else axes.set_xscale("symlog", linthresh=min(positive))
    axes.set_yscale("log")
    axes.set_xlabel(key)
    axes.set_ylabel(label)
    ruled(axes)


def _branches(sweep: Sweep, key: str) -> Iterator[tuple[list[float], list[MeasuredPoint], str]]:
    """Places along the axis and points, for each combination of the other keys, and its name."""
    values = _values(sweep, key)
    branches: dict[str, list[MeasuredPoint]] = {}
    for point in sweep.points:
        rest = {name: value for name, value in point.settings.items() if name != key and name in sweep.keys}
        branches.setdefault(", ".join(f"{name} = {_text(value)}" for name, value in rest.items()), []).append(point)
    for name, points in branches.items():
        if _numeric(values):
            points.sort(key=lambda point: point.settings[key])
            yield [float(point.settings[key]) for point in points], points, name
        else:
            yield [float(values.index(point.settings[key])) for point in points], points, name


def _values(sweep: Sweep, key: str) -> list[Any]:
    """The values of a key, in their order, each once."""
    values: list[Any] = []
    for point in sweep.points:
        if point.settings[key] not in values:
            values.append(point.settings[key])
    return values


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _upright(values: Sequence[Any]) -> bool:
    """Whether the names of values are too long to stand side by side."""
    return not _numeric(values) and sum(map(len, map(_text, values))) > _CROWDED


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return str(value)
