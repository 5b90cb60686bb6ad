"""How exact the softmax engine is: for each sweep of a study one table, and one figure for each key that it varies."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from rramsim.report.chapter import Chapter, Drawing, Drawings
from rramsim.report.sweep_figure import sweep_figure
from rramsim.report.sweep_points import MeasuredPoint, Sweep, sweeps
from rramsim.report.text import Note, TextTable, device_note
from rramsim.trace.read import Trace

__all__ = ["SWEEPS", "fewest_bits_table", "sweep_table"]

_LEAD = """\
Each line is one softmax engine on recorded attention scores, compared with the exact softmax of the same scores: mean
over engines that were written anew, all lines with the same random numbers. KL is the divergence in nats; "same" is the
share of vectors whose largest probability is where it should be. Errors arise from the programmed conductances, the wires
and the sense amplifiers of every array; none is drawn from an error rate."""  # noqa: E501  (lines as the page has them)

_ROUNDING = 1e-9


def sweep_table(sweep: Sweep) -> TextTable:
    """One line for each point."""
    rows = []
    for point in sweep.points:
        means = zip(point.error.mean(axis=0), point.kl.mean(axis=0), point.agreement.mean(axis=0), strict=True)
        cells = [cell for error, kl, share in means for cell in (f"{error:.2g}", f"{kl:.2g}", f"{100 * share:.1f}")]
        rows.append((point.label, *cells, f"{1e6 * point.mismatches:,.3g}"))
    columns = [heading for model in sweep.models for heading in (f"{model}\nerror", "\nKL", "\nsame %")]
    header = ("point", *columns, "mismatches\nper million")
    fixed = "".join(f"; {key} = {json.dumps(value)}" for key, value in sweep.fixed.items())
    return TextTable(f"{sweep.name}{fixed}", header, rows, tuple(_figure_names(sweep).values()))


def fewest_bits_table(trace: Trace) -> TextTable | None:
    """The narrowest format of each model within the tolerance; None where no format is varied or no tolerance is set.

    Of several formats of one width the one with the least divergence. Sweeps that differ by more than formats have
    lines of their own.
    """
    tolerance = trace.study["scores"]["tolerance"]
    formats: dict[str, list[tuple[int, int, MeasuredPoint]]] = {}
    for sweep in sweeps(trace):
        if sweep.keys and all(key.startswith("format.") for key in sweep.keys):
            fixed = {key: value for key, value in sweep.fixed.items() if not key.startswith("format.")}
            group = formats.setdefault(", ".join(f"{key} = {json.dumps(value)}" for key, value in fixed.items()), [])
            group += [(*_format(trace, {**sweep.fixed, **point.settings}), point) for point in sweep.points]
    if tolerance is None or not formats:
        return None
    rows = []
    for fixed_text, group in formats.items():
        for k, model in enumerate(trace["sweep/model"]):
            name = f"{model}, {fixed_text}" if fixed_text else str(model)
            within = [
                (whole + part, kl, whole, part, share)
                for whole, part, point in group
                for kl, share in [(point.kl[:, k].mean(), point.agreement[:, k].mean())]
                if kl <= (tolerance["kl"] or np.inf)
                and 1 - share <= (1 if tolerance["loss"] is None else tolerance["loss"]) + _ROUNDING
            ]
            if within:
                bits, kl, whole, part, share = min(within)
                rows.append((name, str(bits), f"{whole} + {part}", f"{kl:.2g}", f"{100 * share:.1f}"))
            else:
                rows.append((name, "none", "-", "-", "-"))
    limits = [f"KL up to {tolerance['kl']:g}"] if tolerance["kl"] else []
    limits += [f"another largest place in up to {100 * tolerance['loss']:g} %"] if tolerance["loss"] is not None else []
    header = ("model", "bits", "integer + fraction", "KL", "same %")
    return TextTable(f"Fewest bits within the tolerance: {', '.join(limits)}", header, rows)


def _format(trace: Trace, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Integer and fraction bits of a point."""
    base = trace.study["softmax"].get("format", {})  # the other half may be set by the sweep
    given = {key.strip(): value for keys, value in settings.items() for key in keys.split(",")}
    whole, part = (given.get(f"format.{name}", base.get(name, 0)) for name in ("integer_bits", "fraction_bits"))
    return whole, part


def _figure_names(sweep: Sweep) -> dict[str, str]:
    """Names of the figures, by varied key: they are names of files, too."""
    words = {key: re.sub(r"[^a-z0-9]+", "-", f"{sweep.name} {key}".lower())[:80].strip("-") for key in sweep.keys}
    return {key: f"sweep{sweep.number + 1}.{place + 1}-{text}" for place, (key, text) in enumerate(words.items())}


def _tables(trace: Trace) -> Sequence[TextTable]:
    fewest = fewest_bits_table(trace)
    return [*([fewest] if fewest else []), *map(sweep_table, sweeps(trace))]


def _drawings(trace: Trace) -> Drawings:
    drawings = {}
    for sweep in sweeps(trace):
        for key, name in _figure_names(sweep).items():
            caption = (
                f"{sweep.name}: divergence from the exact softmax, and errors of the engine, against {key}. "
                "Lines are means over written engines, small dots single ones."
            )
            drawings[name] = Drawing(partial(sweep_figure, sweep, key), caption)
    return drawings


def _notes(trace: Trace) -> list[Note]:
    device = trace.study["softmax"].get("device")  # digital units have none
    return [device_note("Device that the sweeps start from", device)] if device else []


SWEEPS = Chapter("sweep", lead=_LEAD, tables=_tables, drawings=_drawings, notes=_notes)
"""A softmax study: what the engine does to recorded scores, sweep by sweep."""
