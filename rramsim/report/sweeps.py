"""Tables and figures of a softmax study: for each sweep one table, and one figure for each key that it varies."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rramsim.arrays import BoolArray, FloatArray
from rramsim.trace.read import Trace

from .figures import Drawings
from .tables import TextTable

__all__ = [
    "Line",
    "Sweep",
    "fewest_bits_table",
    "sweep_drawings",
    "sweep_figure",
    "sweep_table",
    "sweep_tables",
    "sweeps",
]


_COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#4a5568", "#b83280", "#975a16", "#0f766e")
_GREY = "#4a5568"
_DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (1, 3)), (0, (6, 2, 1, 2, 1, 2)))
_MARKS = "osD^vP*X"
_WIDE = 20.0
"""Ratio of largest to smallest value from which on an axis is logarithmic."""
_ROUNDING = 1e-9
_PER_VECTOR = ("wrong_max", "wrong_sum")
"""Kinds of error of a vector; the others are of its scores."""


@dataclass(frozen=True)
class Line:
    """One point of a sweep.

    Parameters
    ----------
    label
        What is varied, in short.
    settings
        Values by varied key.
    kl, error, agreement
        (trials, models) divergence, mean absolute error, and share of vectors with the same largest place.
    rates
        By kind of error, how often each score, or vector, meets it: mean over models and trials.
    mismatches
        False and missed matches for each search.
    """

    label: str
    settings: dict[str, Any]
    kl: FloatArray
    error: FloatArray
    agreement: FloatArray
    rates: dict[str, float]
    mismatches: float


@dataclass(frozen=True)
class Sweep:
    """One sweep.

    Parameters
    ----------
    number
        Of the sweep in the study.
    name
        Its name.
    fixed
        Values by key that all its points have in common.
    models
        Names of the models.
    lines
        Its points.
    """

    number: int
    name: str
    fixed: dict[str, Any]
    models: Sequence[str]
    lines: Sequence[Line]

    @property
    def keys(self) -> list[str]:
        """The keys that take more than one value."""
        first = self.lines[0].settings
        return [key for key in first if any(line.settings[key] != first[key] for line in self.lines)]


def sweeps(trace: Trace) -> list[Sweep]:
    """The sweeps of a trace, in their order."""
    names, settings, labels = trace["sweep/name"], trace["sweep/settings"], trace["sweep/label"]
    kl, error, agreement = trace["sweep/kl"], trace["sweep/mean_error"], trace["sweep/agreement"]
    kinds, counts = list(trace["sweep/error_kind"]), trace["sweep/error_count"]
    n_scores, n_vectors = trace["sweep/elements"], trace["sweep/vectors"]

    def line(text: str, own: BoolArray) -> Line:
        count = dict(zip(kinds, counts[own].sum(axis=(0, 1)), strict=True))
        scores, vectors = n_scores[own].sum(), n_vectors[own].sum()
        rates = {kind: float(n / (vectors if kind in _PER_VECTOR else scores)) for kind, n in count.items()}
        # Each score is searched for in the first CAM, and its difference in the second.
        mismatches = (count.get("false_match", 0) + count.get("missed_match", 0)) / (2 * scores)
        return Line(labels[own][0], json.loads(text), kl[own], error[own], agreement[own], rates, float(mismatches))

    found = []
    for number, asked in enumerate(trace.study["sweep"]):
        own = names == asked["name"]
        lines = [line(text, own & (settings == text)) for text in dict.fromkeys(settings[own])]
        found.append(Sweep(number, asked["name"], asked["set"], list(trace["sweep/model"]), lines))
    return found


def sweep_table(sweep: Sweep) -> TextTable:
    """One line for each point."""
    rows = []
    for line in sweep.lines:
        means = zip(line.error.mean(axis=0), line.kl.mean(axis=0), line.agreement.mean(axis=0), strict=True)
        cells = [cell for error, kl, same in means for cell in (f"{error:.2g}", f"{kl:.2g}", f"{100 * same:.1f}")]
        rows.append((line.label, *cells, f"{1e6 * line.mismatches:,.3g}"))
    columns = [heading for model in sweep.models for heading in (f"{model}\nerror", "\nKL", "\nsame %")]
    header = ("point", *columns, "mismatches\nper million")
    fixed = "".join(f"; {key} = {json.dumps(value)}" for key, value in sweep.fixed.items())
    return TextTable(f"{sweep.name}{fixed}", header, rows, tuple(_figure_names(sweep).values()))


def fewest_bits_table(trace: Trace, found: Sequence[Sweep]) -> TextTable | None:
    """The narrowest format of each model within the tolerance; None where no format is varied or no tolerance is set.

    Of several formats of one width the one with the least divergence. Sweeps that differ by more than formats have
    lines of their own.
    """
    tolerance = trace.study["scores"]["tolerance"]
    formats: dict[str, list[tuple[int, int, Line]]] = {}
    for sweep in found:
        if sweep.keys and all(key.startswith("format.") for key in sweep.keys):
            fixed = {key: value for key, value in sweep.fixed.items() if not key.startswith("format.")}
            group = formats.setdefault(", ".join(f"{key} = {json.dumps(value)}" for key, value in fixed.items()), [])
            group += [(*_format(trace, {**sweep.fixed, **line.settings}), line) for line in sweep.lines]
    if tolerance is None or not formats:
        return None
    rows = []
    for fixed_text, group in formats.items():
        for k, model in enumerate(next(iter(found)).models):
            name = f"{model}, {fixed_text}" if fixed_text else str(model)
            within = [
                (whole + part, kl, whole, part, same)
                for whole, part, line in group
                for kl, same in [(line.kl[:, k].mean(), line.agreement[:, k].mean())]
                if kl <= (tolerance["kl"] or np.inf)
                and 1 - same <= (1 if tolerance["loss"] is None else tolerance["loss"]) + _ROUNDING
            ]
            if within:
                bits, kl, whole, part, same = min(within)
                rows.append((name, str(bits), f"{whole} + {part}", f"{kl:.2g}", f"{100 * same:.1f}"))
            else:
                rows.append((name, "none", "-", "-", "-"))
    limits = [f"KL up to {tolerance['kl']:g}"] if tolerance["kl"] else []
    limits += [f"another largest place in up to {100 * tolerance['loss']:g} %"] if tolerance["loss"] is not None else []
    header = ("model", "bits", "integer + fraction", "KL", "same %")
    return TextTable(f"Fewest bits within the tolerance: {', '.join(limits)}", header, rows)


def _format(trace: Trace, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Integer and fraction bits of a point."""
    base = trace.study["softmax"]["format"]
    given = {key.strip(): value for keys, value in settings.items() for key in keys.split(",")}
    whole, part = (given.get(f"format.{name}", base[name]) for name in ("integer_bits", "fraction_bits"))
    return whole, part


def sweep_tables(trace: Trace) -> list[TextTable]:
    """All tables of a softmax study."""
    found = sweeps(trace)
    fewest = fewest_bits_table(trace, found)
    return [*([fewest] if fewest else []), *map(sweep_table, found)]


def _figure_names(sweep: Sweep) -> dict[str, str]:
    """Names of the figures, by varied key: they are names of files, too."""
    words = {key: re.sub(r"[^a-z0-9]+", "-", f"{sweep.name} {key}".lower())[:80].strip("-") for key in sweep.keys}
    return {key: f"sweep{sweep.number + 1}.{place + 1}-{text}" for place, (key, text) in enumerate(words.items())}


def sweep_drawings(trace: Trace) -> Drawings:
    """Every figure of a softmax study, with its caption."""
    found: Drawings = {}
    for sweep in sweeps(trace):
        for key, name in _figure_names(sweep).items():
            caption = (
                f"{sweep.name}: divergence from the exact softmax, and errors of the engine, against {key}. "
                "Lines are means over written engines, small dots single ones."
            )
            found[name] = partial(_draw, number=sweep.number, key=key), caption
    return found


def _draw(trace: Trace, number: int, key: str) -> Figure:
    return sweep_figure(sweeps(trace)[number], key)


def sweep_figure(sweep: Sweep, key: str) -> Figure:
    """Divergence of each model, and rates of errors, against the values of one key."""
    branches = list(_branches(sweep, key))
    figure = Figure(figsize=(10, 6.4 if _upright(_values(sweep, key)) else 4.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    kinds = [kind for kind in sweep.lines[0].rates if any(line.rates[kind] for line in sweep.lines)]
    for (place, lines, _), dash in zip(branches, cycle(_DASHES)):
        joined = len(branches) > 1 or _numeric(_values(sweep, key))
        style: dict[str, Any] = {"linestyle": dash if joined else "none", "markersize": 4}
        for k, (colour, _) in enumerate(zip(cycle(_COLOURS), sweep.models)):
            left.plot(place, [line.kl[:, k].mean() or np.nan for line in lines], marker="o", color=colour, **style)
            for trial in range(len(lines[0].kl)):
                left.plot(place, [line.kl[trial, k] or np.nan for line in lines], ".", color=colour, markersize=2)
        for kind, colour, mark in zip(kinds, cycle(_COLOURS), cycle(_MARKS)):
            right.plot(place, [line.rates[kind] or np.nan for line in lines], marker=mark, color=colour, **style)
    _finish(left, sweep, key, "KL divergence (nat)")
    _finish(right, sweep, key, "errors for each score (maximum, sum: vector)")
    handles = [
        Line2D([], [], color=colour, marker="o", label=model) for model, colour in zip(sweep.models, cycle(_COLOURS))
    ]
    if len(branches) > 1:
        handles += [
            Line2D([], [], color=_GREY, linestyle=dash, label=other)
            for (_, _, other), dash in zip(branches, cycle(_DASHES))
        ]
    _legend(left, handles)
    styles = zip(kinds, cycle(_COLOURS), cycle(_MARKS))
    _legend(
        right,
        [Line2D([], [], color=colour, marker=mark, label=kind.replace("_", " ")) for kind, colour, mark in styles],
    )
    if not kinds:
        right.text(0.5, 0.5, "no errors", transform=right.transAxes, ha="center", color=_GREY)
    return figure


def _legend(axes: Axes, handles: list[Line2D]) -> None:
    """A legend above the axes."""
    if handles:
        axes.legend(
            handles=handles, frameon=False, fontsize="small", ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0)
        )


def _finish(axes: Axes, sweep: Sweep, key: str, what: str) -> None:
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
    axes.set_ylabel(what)
    axes.grid(color="#e2e8f0")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _branches(sweep: Sweep, key: str) -> Iterator[tuple[list[float], list[Line], str]]:
    """Places along the axis and points, for each combination of the other keys, and its name."""
    values = _values(sweep, key)
    others: dict[str, list[Line]] = {}
    for line in sweep.lines:
        rest = {name: value for name, value in line.settings.items() if name != key and name in sweep.keys}
        others.setdefault(", ".join(f"{name} = {_text(value)}" for name, value in rest.items()), []).append(line)
    for other, lines in others.items():
        if _numeric(values):
            lines.sort(key=lambda line: line.settings[key])
            yield [float(line.settings[key]) for line in lines], lines, other
        else:
            yield [float(values.index(line.settings[key])) for line in lines], lines, other


def _values(sweep: Sweep, key: str) -> list[Any]:
    """The values of a key, in their order, each once."""
    found: list[Any] = []
    for line in sweep.lines:
        if line.settings[key] not in found:
            found.append(line.settings[key])
    return found


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _upright(values: Sequence[Any]) -> bool:
    """Whether the names of values are too long to stand side by side."""
    return not _numeric(values) and sum(map(len, map(_text, values))) > 40


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return str(value)
