"""The card of one device on the terminal: what is said of its parts, and tables of its curves."""

from collections.abc import Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rramsim.arrays import FloatArray
from rramsim.cell.device import DeviceSpec
from rramsim.cell.portrait import Portrait
from rramsim.series import Series
from rramsim.units import duration, quantity

from .device_list import offering_packages

__all__ = ["absence", "one_line", "print_card"]


_ASCII = {"±": "+-", "█": "#", **dict.fromkeys("▏▎▍▌▋▊▉"), **dict.fromkeys("▁▂▃▄▅▆▇")}
"""For terminals without the glyphs; whatever they show stands beside them as a number."""


def print_card(console: Console, card: DeviceSpec, curves: Portrait) -> None:
    """Print the name of a device, what its card says of each part, and its curves as tables."""
    plain = console.options.ascii_only

    def text(value: str, style: str = "") -> Text:
        return Text(value.translate(str.maketrans(_ASCII)) if plain else value, style=style)

    package = offering_packages().get(card.name)
    by = Text(f" (package {package})" if package else "", style="italic")
    console.print(Text(card.name, style="bold") + text(f": {card.title}" if card.title else "") + by)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for name, lines in _sentences(card).items():
        for number, line in enumerate(lines):
            if line:
                grid.add_row(text("" if number else name, "dim"), text(line, "dim" if name == "absent" else ""))
    console.print(Padding(grid, (1, 0, 0, 2), expand=False))
    for heading, note, rows in (
        (
            "Spread of written conductances",
            "one standard deviation",
            _spread_rows(curves, curves.spread, console.width),
        ),
        ("Noise of one read", "one standard deviation", _spread_rows(curves, curves.noise, console.width)),
        ("Conductance after the write", "mean ± one standard deviation", _time_rows(curves)),
        ("Current", "as a multiple of that of a linear cell, g v", _current_rows(curves)),
    ):
        if rows:
            console.print()
            console.print(text(heading, "bold") + text(f": {note}" if note else ""))
            console.print(Padding(_table([[text(each) for each in row] for row in rows]), (0, 0, 0, 2), expand=False))


def absence(card: DeviceSpec) -> str:
    """What to say of a part that is not given."""
    if card.name == "ideal":
        return "ideal by definition"
    return "not given by the source" if card.source else "not given"


def one_line(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


def _sentences(card: DeviceSpec) -> dict[str, list[str]]:
    """What is said of each part, which parts are absent, and the source."""
    parts = card.sentences()
    missing = ", ".join(name for name, lines in parts.items() if not lines)
    parts["absent"] = [f"{absence(card)}: {missing}"] if missing else []
    return parts | {"source": [one_line(card.source)], "note": [one_line(card.note)]}


def _table(rows: Sequence[Sequence[Text]]) -> Table:
    """Rows below their heading; a column without one holds bars."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in rows[0]:
        table.add_column(heading, justify="right" if heading.plain else "left", no_wrap=True)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _spread_rows(curves: Portrait, series: Sequence[Series], width: int) -> list[list[str]]:
    """A column for each curve; bars show the first, where the width of the terminal leaves room."""
    if not series:
        return []
    ticks = curves.tick_siemens
    values = [[_at(each, tick) for tick in ticks] for each in series]
    names = ["g", *(each.label.replace(" after the write", "") for each in series)]
    columns = [[_siemens(value) for value in column] for column in values]
    rows = [names, *([_siemens(tick), *row] for tick, *row in zip(ticks, *columns, strict=True))]
    room = width - 5 - sum(3 + max(map(len, column)) for column in zip(*rows, strict=True))
    if room < 6:
        return rows
    bars = ["", *(_bar(value / (max(values[0]) or 1.0), min(24, room)) for value in values[0])]
    return [[*row[:2], bar, *row[2:]] for row, bar in zip(rows, bars, strict=True)]


def _time_rows(curves: Portrait) -> list[list[str]]:
    """Mean and deviation of each state at times that people name, and a picture of its course."""
    if not curves.retention:
        return []
    times = curves.retention[0].x
    rows = [["time", *(each.label for each in curves.retention)]]
    for instant in curves.tick_second:
        k = int(abs(times - instant).argmin())
        values = [
            f"{_siemens(each.y[k])} ± {_siemens(each.deviation[k])}"
            for each in curves.retention
            if each.deviation is not None
        ]
        rows.append([duration(times[k]), *values])
    courses = [_course(each.y) for each in curves.retention]
    if any(len(set(course)) > 1 for course in courses):  # a flat line says nothing
        rows.append(["course", *courses])
    return rows


def _current_rows(curves: Portrait) -> list[list[str]]:
    """Current of each state over that of a linear cell, at some voltages."""
    if not curves.current:
        return []
    v = curves.current[0].x
    rows = [["voltage", *(each.label for each in curves.current)]]
    for k in (k for k in range(0, v.size, 10) if v[k]):
        shares = [each.y[k] / (state * v[k]) for each, state in zip(curves.current, curves.states, strict=True)]
        rows.append([f"{v[k]:.3g} V", *(f"{share:.4f}" for share in shares)])
    return rows


def _at(series: Series, x: float) -> float:
    return float(series.y[abs(series.x - x).argmin()])


def _bar(share: float, width: int) -> str:
    eighths = round(8 * width * min(max(share, 0.0), 1.0))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _course(values: FloatArray, width: int = 16) -> str:
    """How a conductance goes, on a logarithmic axis of time, from 0 to its highest."""
    picked = values[np.linspace(0, values.size - 1, width).round().astype(int)]
    return "".join("▁▂▃▄▅▆▇█"[round(7 * share)] for share in np.clip(picked / (values.max() or 1.0), 0.0, 1.0))


def _siemens(value: float) -> str:
    return quantity(float(value), "S")
