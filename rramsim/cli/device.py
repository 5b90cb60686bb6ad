"""The commands about devices: the card of one, with its sources and its curves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from rramsim.cell.conduction import ConductionSpec
    from rramsim.cell.device import DeviceSpec
    from rramsim.report.curves import DeviceCurves, Line

    Array = FloatArray

__all__ = ["curves_of", "presets"]

_ABSENT = "not given by the source"

_TEN_YEARS = 3650 * 86400.0
"""Where the source gives no last time: what makers of memories promise."""

_VOLT = 0.5
"""Where the I-V law names no highest voltage: that of a read."""

_CELLS = 20_000
"""Cells that are drawn for each state: their mean and their spread are known to a percent."""

_INSTANTS = (1e-6, 1e-3, 1.0, 60.0, 3600.0, 86400.0, 30 * 86400.0, 365 * 86400.0, _TEN_YEARS)

_ASCII = {"±": "+-", "█": "#", **dict.fromkeys("▏▎▍▌▋▊▉"), **dict.fromkeys("▁▂▃▄▅▆▇")}
"""For terminals without the glyphs; whatever they show stands beside them as a number."""


def presets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A preset or a card FILE.toml, for its whole card.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FIGURE", help="Draw its curves: .png, .svg or .pdf.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all its fields as JSON instead, for scripts.")] = False,
) -> None:
    """List all devices, or print the card of one: its figures, their source, and its curves.

    Among them are those that other packages offer. NAME may be the path of a card
    of your own, too. A figure is never overwritten: an existing file is refused.

    [bold]Examples[/bold]

      rramsim presets
      rramsim presets rram-wan-2022 --plot wan.png
      rramsim presets my.toml
    """
    from rramsim.cell.device import device
    from rramsim.files import check_targets, write_new_file
    from rramsim.report.terminal import terminal

    if name is None:
        if plot is not None or as_json:
            raise SpecError(f"{'--plot' if plot else '--json'}: give the NAME of a device")
        _print_list(terminal())
        return
    if plot is not None and as_json:
        raise SpecError("--json prints for scripts and --plot draws for people; give one of them")
    check_targets({plot: (".png", ".svg", ".pdf")})
    card = device(name)
    if as_json:
        typer.echo(json.dumps(card.model_dump(mode="json"), indent=2))
        return
    curves = curves_of(card)
    _print_card(terminal(), card, curves)
    if plot is not None:
        from rramsim.report.curves import device_figure
        from rramsim.report.style import picture

        figure = device_figure(
            curves, title=card.title or card.name, source=_one_line(card.source), absent=_absent(card)
        )
        write_new_file(plot, picture(figure, plot.suffix[1:]))
        typer.echo(f"\nfigure:  {plot}")


def curves_of(device: "DeviceSpec") -> "DeviceCurves":
    """The curves of a device, by its own parts; those over time are of cells that are drawn with a fixed seed.

    Parameters
    ----------
    device
        Its stuck cells and its wear are left out: they say nothing of the others.
    """
    import numpy as np

    from rramsim.cell.faults import EnduranceSpec, StuckSpec
    from rramsim.report.curves import DeviceCurves, Line
    from rramsim.units import duration

    device = device.but({"stuck": StuckSpec(), "endurance": EnduranceSpec()})
    top, settled = device.g_max_siemens, device.settled_second
    states = _states(device)
    times = _times(device)
    last = float(times.max(initial=0.0)) * (1 + 1e-9)
    g = np.union1d(np.linspace(*_range(device), 201), _rows(device))
    cycle, cell = device.programming.sigma(g, top), device.device_to_device.sigma(g, top)
    parts = {"programming": cycle, "device to device": cell}
    spread = [Line(label, g, sigma) for label, sigma in parts.items() if sigma.any()]
    if len(spread) == 2:
        spread.append(Line("together", g, device.sigma(g)))
    if device.write.verified:
        targets = _rows(device)
        spread.append(Line("as verified", targets, _drawn(device, targets).g.std(axis=1), sampled=True))
    if not device.relaxation.ideal:
        written, factor = device.sigma(g), device.temperature.acceleration
        for second in [t / factor for t in device.relaxation.second if t <= last * factor] or times[-1:].tolist():
            _, moved = device.relaxation.moments(g, top, second * factor, settled, written)
            spread.append(Line(f"after {duration(second)}", g, np.hypot(written, moved)))
    retention = []
    if times.size and not (device.relaxation.ideal and device.drift.ideal):
        cells = _drawn(device, states)
        mean, own = (np.array(each) for each in zip(*(cells.moments(float(t)) for t in times), strict=True))
        deviation = np.sqrt(mean.var(axis=-1) + (own**2).mean(axis=-1))
        retention = [
            Line(_siemens(state), times, mean.mean(axis=-1)[:, k], deviation[:, k]) for k, state in enumerate(states)
        ]
    current = []
    if _given(device, "conduction") or not device.ohmic:
        highest = device.conduction.most_volt or _VOLT
        v = np.linspace(-highest, highest, 101)
        if _odd(device.conduction, states, v):
            v = v[50:]
        current = [Line(_siemens(state), v, device.conduction.current(state, v)) for state in states]
    noise = []
    if not device.read_noise.ideal:
        grows = device.read_noise.integration_second and times.size
        for second in (settled, times[-1]) if grows else (settled,):
            label = f"read {duration(float(second))} after the write" if grows else "read noise"
            noise.append(Line(label, g, device.read_noise.deviation(g, g, top, float(second))))
    if not device.telegraph.ideal:
        from rramsim.cell.curves import value_at

        noise.append(Line("filled trap takes (median)", g, g * value_at(device.telegraph.amplitude, g, top)))
    return DeviceCurves(
        states=tuple(states.tolist()),
        spread=tuple(spread),
        retention=tuple(retention),
        current=tuple(current),
        noise=tuple(noise),
        levels=device.level_siemens,
        reads=device.noisy,
    )


def _range(device: "DeviceSpec") -> tuple[float, float]:
    """Conductances that can be asked for, siemens."""
    low, high = device.fitted_siemens or (device.g_min_siemens, device.g_max_siemens)
    return max(low, device.g_min_siemens), min(high, device.g_max_siemens)


def _states(device: "DeviceSpec") -> "Array":
    """A low, a middle and a high state, siemens."""
    import numpy as np

    low, high = _range(device)
    states = low + np.array([0.1, 0.5, 0.9]) * (high - low)
    levels = _levels(device, 1 << 16)
    if levels.size:
        states = levels[np.unique(np.abs(levels - states[:, None]).argmin(axis=1))]
    return np.asarray(states)


def _levels(device: "DeviceSpec", most: int) -> "Array":
    """So many of the levels within the fitted range, siemens; none where any conductance can be asked for."""
    import numpy as np

    levels = device.level_siemens
    if levels is None:
        return np.empty(0)
    low, high = _range(device)
    levels = levels[(levels >= low * (1 - 1e-9)) & (levels <= high * (1 + 1e-9))]
    picked = np.unique(np.linspace(0, levels.size - 1, min(most, levels.size)).round().astype(int))
    return np.asarray(levels[picked])


def _rows(device: "DeviceSpec") -> "Array":
    """Some levels, or round conductances where there are none, siemens."""
    levels = _levels(device, 9)
    return levels if levels.size else _ticks(device)


def _ticks(device: "DeviceSpec") -> "Array":
    """Round conductances between the ends of the range, and the ends, siemens."""
    import numpy as np

    low, high = _range(device)
    unit = 10.0 ** np.floor(np.log10((high - low) / 4))
    step = unit * max(each for each in (1, 2, 2.5, 5) if each * unit <= (high - low) / 4)
    inner = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    inner = inner[(inner > low + 0.3 * step) & (inner < high - 0.3 * step)]
    return np.concatenate([[low], inner, [high]])


def _times(device: "DeviceSpec") -> "Array":
    """Times after the write for which there are figures, second; none where there is no time."""
    import numpy as np

    factor, last = device.temperature.acceleration, device.last_second
    first, last = device.settled_second / factor, (last if np.isfinite(last) else _TEN_YEARS) / factor
    if last <= first:
        return np.empty(0)
    times = np.geomspace(first, last, 61)
    times[[0, -1]] = first, last
    return np.union1d(times, _instants(first, last))


def _instants(first: float, last: float) -> "Array":
    """Times that people name, and the ends, second."""
    import numpy as np

    return np.array([first, *(each for each in _INSTANTS if 1.5 * first < each < last / 1.5), last])


def _drawn(device: "DeviceSpec", states: "Array") -> Any:
    """Cells written to each state: (states, cells)."""
    import numpy as np

    return device.program(np.repeat(states[:, None], _CELLS, axis=1), rng=0)


def _odd(conduction: "ConductionSpec", states: "Array", v: "Array") -> bool:
    import numpy as np

    i = conduction.current(states[:, None], v)
    return bool(np.allclose(i, -i[:, ::-1], rtol=1e-9, atol=0))


def _print_list(console: "Console") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from rramsim.cards import presets as names
    from rramsim.cell.device import device

    packages = _packages()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("cell")
    for heading in ("window", "levels", "spread", "drift", "noise"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names():
        offered = f" (package {packages[name]})" if name in packages else ""
        try:
            card = device(name)
            figures = _row(card)
        except SpecError:  # a broken package hides no other device
            table.add_row(Text(name), Text(f"cannot be used: `rramsim presets {name}` says why{offered}"))
            continue
        title = Text(card.title or card.technology)
        title.append(offered, style="italic")
        table.add_row(Text(name), title, *figures)
    console.print("[bold]Devices[/bold]")
    console.print(table)
    console.print(
        "\nSpread and noise of a read are one standard deviation in the middle of the window. "
        "`rramsim presets NAME` prints a card."
    )


def _packages() -> dict[str, str]:
    """Which package offers a device that is not ours."""
    from rramsim.cards import DEVICES

    return {name: each.dist.name if each.dist else each.value for name, each in DEVICES.offered.items()}


def _row(card: "DeviceSpec") -> tuple[str, ...]:
    import numpy as np

    top, prefix = _siemens(card.g_max_siemens).split()
    window = f"{card.g_min_siemens / card.g_max_siemens * float(top):.3g} .. {top} {prefix}"
    middle = np.array([sum(_range(card)) / 2])
    if card.write.verified:
        spread = float(_drawn(card.but({"stuck": type(card.stuck)()}), middle).g.std())
    else:
        spread = float(card.sigma(middle)[0])
    noise = float(card.read_noise.deviation(middle, middle, card.g_max_siemens, card.settled_second)[0])
    return (
        window,
        "-" if card.level_siemens is None else str(card.level_siemens.size),
        _siemens(spread) if spread else "-",
        "no" if card.relaxation.ideal and card.drift.ideal else "yes",
        f"{100 * noise / middle[0]:.2g} %" if noise else "-",
    )


def _print_card(console: "Console", card: "DeviceSpec", curves: "DeviceCurves") -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from rramsim.report.card import card_text

    plain = console.options.ascii_only

    def text(value: str, style: str = "") -> Text:
        return Text(value.translate(str.maketrans(_ASCII)) if plain else value, style=style)

    package = _packages().get(card.name)
    by = Text(f" (package {package})" if package else "", style="italic")
    console.print(Text(card.name, style="bold") + text(f": {card.title}" if card.title else "") + by)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    levels = card.level_siemens
    given = {part for part in card.model_fields_set if _given(card, part)}
    fields = card.model_dump(mode="json")
    parts = card_text(fields, given, None if levels is None else levels.tolist())
    missing = ", ".join(name for name, lines in parts.items() if not lines)
    parts["absent"] = [f"{_absent(card)}: {missing}"] if missing else []
    parts |= {"source": [_one_line(card.source)], "note": [_one_line(card.note)]}
    for name, lines in parts.items():
        for number, line in enumerate(lines):
            if line:
                grid.add_row(text("" if number else name, "dim"), text(line, "dim" if name == "absent" else ""))
    console.print(Padding(grid, (1, 0, 0, 2), expand=False))
    for heading, note, rows in (
        ("Spread of written conductances", "one standard deviation", _spread_rows(card, curves.spread, console.width)),
        ("Noise of one read", "one standard deviation", _spread_rows(card, curves.noise, console.width)),
        ("Conductance after the write", "mean ± one standard deviation", _time_rows(curves)),
        ("Current", "as a multiple of that of a linear cell, g v", _current_rows(curves)),
    ):
        if rows:
            console.print()
            console.print(text(heading, "bold") + text(f": {note}" if note else ""))
            console.print(Padding(_table([[text(each) for each in row] for row in rows]), (0, 0, 0, 2), expand=False))


def _table(rows: Sequence[Sequence[Any]]) -> "Table":
    """Rows below their heading; a column without one holds bars."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in rows[0]:
        table.add_column(heading, justify="right" if heading.plain else "left", no_wrap=True)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _spread_rows(card: "DeviceSpec", lines: "Sequence[Line]", width: int) -> list[list[str]]:
    """A column for each line that is drawn; bars show the first, where the width of the terminal leaves room."""
    if not lines:
        return []
    ticks = _rows(card)
    values = [[_at(line, tick) for tick in ticks] for line in lines]
    names = ["g", *(line.label.replace(" after the write", "") for line in lines)]
    columns = [[_siemens(value) for value in column] for column in values]
    rows = [names, *([_siemens(tick), *row] for tick, *row in zip(ticks, *columns, strict=True))]
    left = width - 5 - sum(3 + max(map(len, column)) for column in zip(*rows, strict=True))
    if left < 6:
        return rows
    bars = ["", *(_bar(value / (max(values[0]) or 1.0), min(24, left)) for value in values[0])]
    return [[*row[:2], bar, *row[2:]] for row, bar in zip(rows, bars, strict=True)]


def _time_rows(curves: "DeviceCurves") -> list[list[str]]:
    from rramsim.units import duration

    if not curves.retention:
        return []
    times = curves.retention[0].x
    rows = [["time", *(line.label for line in curves.retention)]]
    for instant in _instants(times[0], times[-1]):
        k = int(abs(times - instant).argmin())
        rows.append(
            [
                duration(times[k]),
                *(
                    f"{_siemens(line.y[k])} ± {_siemens(line.deviation[k])}"
                    for line in curves.retention
                    if line.deviation is not None
                ),
            ]
        )
    courses = [_course(line.y) for line in curves.retention]
    if any(len(set(course)) > 1 for course in courses):  # a flat line says nothing
        rows.append(["course", *courses])
    return rows


def _current_rows(curves: "DeviceCurves") -> list[list[str]]:
    if not curves.current:
        return []
    v = curves.current[0].x
    places = [k for k in range(0, v.size, 10) if v[k]]
    rows = [["voltage", *(line.label for line in curves.current)]]
    for k in places:
        shares = [line.y[k] / (state * v[k]) for line, state in zip(curves.current, curves.states, strict=True)]
        rows.append([f"{v[k]:.3g} V", *(f"{share:.4f}" for share in shares)])
    return rows


def _at(line: "Line", x: float) -> float:
    return float(line.y[abs(line.x - x).argmin()])


def _bar(share: float, width: int = 24) -> str:
    eighths = round(8 * width * min(max(share, 0.0), 1.0))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _course(values: "Array", width: int = 16) -> str:
    """How a conductance goes, on a logarithmic axis of time, from 0 to its highest."""
    import numpy as np

    picked = values[np.linspace(0, values.size - 1, width).round().astype(int)]
    return "".join("▁▂▃▄▅▆▇█"[round(7 * share)] for share in np.clip(picked / (values.max() or 1.0), 0.0, 1.0))


def _given(card: "DeviceSpec", part: str) -> bool:
    """Whether a card speaks of a part, be it to say that there is nothing."""
    value = getattr(card, part)
    return part in card.model_fields_set and bool(getattr(value, "model_fields_set", True))


def _absent(card: "DeviceSpec") -> str:
    if card.name == "ideal":
        return "ideal by definition"
    return _ABSENT if card.source else "not given"


def _siemens(value: float) -> str:
    from rramsim.units import quantity

    return quantity(float(value), "S")


def _one_line(text: str) -> str:
    return " ".join(text.split())
