"""The commands about one array: solve it, or write it as a netlist for a circuit simulator."""

import inspect
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError

if TYPE_CHECKING:
    import numpy as np

    from rramsim.array.network import Network, Solution
    from rramsim.report.text import TextTable

    Array = FloatArray

__all__ = ["netlist", "solve"]

_NAMED = 16
"""Up to so many output currents are printed one by one."""

_WIRES, _DRIVE, _CELLS = "Wires and circuits at their ends", "How the array is used", "Cells"

_OHM = "a number, or a file with one for each line"
_ohm = {"metavar": "OHM", "rich_help_panel": _WIRES, "show_default": False}
_farad = {"metavar": "FARAD", "rich_help_panel": _WIRES, "show_default": False}


@dataclass(frozen=True)
class _Asked:
    """One array with its voltages, as asked for on the command line."""

    g: "Array"
    v: "Array"
    wires: dict[str, Any]
    options: dict[str, Any]
    conduction: dict[str, Any]
    names: tuple[str, str]

    def network(self, *, ideal: bool = False) -> "Network":
        """The array, with its wires or without any."""
        from rramsim.array.network import Network
        from rramsim.array.wires import WireSpec
        from rramsim.cell.conduction import ConductionSpec

        conduction = ConductionSpec(**self.conduction) if self.conduction else None
        wires = WireSpec() if ideal else WireSpec(**self.wires)
        return Network(self.g, wires, conduction=conduction, **self.options)

    @property
    def output(self) -> str:
        """What an output is."""
        line = "word line" if self.options.get("inputs") == "columns" else "bit line"
        return f"pair of {line}s" if self.options.get("pairs") == "outputs" else line


def _asked(
    conductances: Annotated[
        Path,
        typer.Argument(
            metavar="G", help="Conductances, siemens: .npy or .csv, a row for each word line; 0 is an open cell."
        ),
    ],
    voltages: Annotated[
        Path | None,
        typer.Argument(
            metavar="V",
            help="Voltages of the input lines: .npy (..., inputs), or .csv with a vector on each line (or one column).",
            show_default=False,
        ),
    ] = None,
    volt: Annotated[
        float | None, typer.Option(help="Instead of V: the same voltage on every input.", show_default=False)
    ] = None,
    wire_ohm: Annotated[str | None, typer.Option(**_ohm, help="A segment of a word or bit line, cell to cell.")] = None,
    word_line_ohm: Annotated[str | None, typer.Option(**_ohm, help=f"A segment of a word line: {_OHM}.")] = None,
    bit_line_ohm: Annotated[str | None, typer.Option(**_ohm, help=f"A segment of a bit line: {_OHM}.")] = None,
    driver_ohm: Annotated[
        str | None, typer.Option(**_ohm, help=f"From a source to the first cell of its line: {_OHM}.")
    ] = None,
    sense_ohm: Annotated[
        str | None, typer.Option(**_ohm, help=f"From the last cell of an output line to its virtual ground: {_OHM}.")
    ] = None,
    end_segments: Annotated[
        bool,
        typer.Option(
            "--end-segments",
            rich_help_panel=_WIRES,
            help="One more segment of the line in series with each driver and sense circuit.",
        ),
    ] = False,
    driver_end: Annotated[
        str,
        typer.Option(
            metavar="near|far|both", rich_help_panel=_WIRES, help="Where input lines are driven; near is index 0."
        ),
    ] = "near",
    sense_end: Annotated[
        str, typer.Option(metavar="near|far|both", rich_help_panel=_WIRES, help="Where output lines are sensed.")
    ] = "far",
    word_line_farad: Annotated[
        float | None, typer.Option(**_farad, help="Capacitance to ground of a segment of a word line.")
    ] = None,
    bit_line_farad: Annotated[
        float | None, typer.Option(**_farad, help="Capacitance to ground of a segment of a bit line.")
    ] = None,
    cell_farad: Annotated[float | None, typer.Option(**_farad, help="Capacitance across a cell.")] = None,
    temperature_kelvin: Annotated[
        float | None,
        typer.Option(
            metavar="KELVIN",
            rich_help_panel=_WIRES,
            show_default=False,
            help="Temperature of the lines, whose resistances are given at 300 K (the default).",
        ),
    ] = None,
    ohm_per_kelvin: Annotated[
        float | None,
        typer.Option(
            metavar="1/KELVIN",
            rich_help_panel=_WIRES,
            show_default=False,
            help="Relative change of the resistance of a segment for each kelvin; 0.00451 (copper) by default.",
        ),
    ] = None,
    inputs: Annotated[
        str, typer.Option(metavar="rows|columns", rich_help_panel=_DRIVE, help="Which lines are driven.")
    ] = "rows",
    unselected: Annotated[
        str,
        typer.Option(
            metavar="grounded|floating|cut-off",
            rich_help_panel=_DRIVE,
            help="Input lines at 0 V: held there, disconnected, or cut off from their cells by access transistors.",
        ),
    ] = "grounded",
    pairs: Annotated[
        str,
        typer.Option(
            metavar="none|outputs|inputs",
            rich_help_panel=_DRIVE,
            help="Differential pairs: lines 2k and 2k + 1 are the + and - of output, or input, k.",
        ),
    ] = "none",
    law: Annotated[
        str,
        typer.Option(
            metavar="linear|sinh|cubic",
            rich_help_panel=_CELLS,
            help="I-V law of the cells. The polynomial law takes curves, which no option can hold: use Python for it.",
        ),
    ] = "linear",
    sinh_volt: Annotated[
        float | None,
        typer.Option(metavar="VOLT", rich_help_panel=_CELLS, show_default=False, help="V0 of i = g V0 sinh(v / V0)."),
    ] = None,
    cubic_per_square_volt: Annotated[
        float | None,
        typer.Option(metavar="1/VOLT^2", rich_help_panel=_CELLS, show_default=False, help="c of i = g (v + c v^3)."),
    ] = None,
    most_volt: Annotated[
        float | None,
        typer.Option(
            metavar="VOLT",
            rich_help_panel=_CELLS,
            show_default=False,
            help="Largest voltage at which the law holds: inputs that span more, 0 V included, are refused.",
        ),
    ] = None,
    series_ohm: Annotated[
        float | None,
        typer.Option(
            metavar="OHM",
            rich_help_panel=_CELLS,
            show_default=False,
            help="In series with each cell: its access transistor.",
        ),
    ] = None,
) -> _Asked:
    g = _conductances(conductances)
    given = {
        "word_line_ohm": word_line_ohm,
        "bit_line_ohm": bit_line_ohm,
        "driver_ohm": driver_ohm,
        "sense_ohm": sense_ohm,
    }
    wires: dict[str, Any] = {
        key: _per_line(f"--{key.replace('_', '-')}", text) for key, text in given.items() if text is not None
    }
    if wire_ohm is not None:
        if word_line_ohm is not None or bit_line_ohm is not None:
            raise SpecError("--wire-ohm is both --word-line-ohm and --bit-line-ohm; give it, or these")
        wires |= dict.fromkeys(("word_line_ohm", "bit_line_ohm"), _per_line("--wire-ohm", wire_ohm))
    farad = {"word_line_farad": word_line_farad, "bit_line_farad": bit_line_farad, "cell_farad": cell_farad}
    heat = {"temperature_kelvin": temperature_kelvin, "ohm_per_kelvin": ohm_per_kelvin}
    wires |= {key: value for key, value in (farad | heat).items() if value is not None}
    wires |= {"end_segments": end_segments, "driver_end": driver_end, "sense_end": sense_end}
    options = {
        "inputs": _choice("--inputs", inputs, "rows", "columns"),
        "unselected": _choice("--unselected", unselected.replace("-", " "), "grounded", "floating", "cut off"),
        "pairs": _choice("--pairs", pairs, "none", "outputs", "inputs"),
    }
    if law == "polynomial":
        raise SpecError(
            "--law polynomial: its coefficients are curves of the conductance, which no option can hold; here allowed "
            "are linear, sinh, cubic. In Python: rramsim.Network(g, wires, conduction=rramsim.ConductionSpec(...))"
        )
    curve = {
        "sinh_volt": sinh_volt,
        "cubic_per_square_volt": cubic_per_square_volt,
        "most_volt": most_volt,
        "series_ohm": series_ohm,
    }
    conduction: dict[str, Any] = {key: value for key, value in curve.items() if value is not None}
    if conduction or law != "linear":
        conduction["law"] = law
    lines = g.shape[0 if inputs == "rows" else 1]
    if pairs == "inputs":
        if lines % 2:
            raise SpecError(f"{conductances}: --pairs inputs needs an even number of input lines; got {lines}")
        lines //= 2
    v = _voltages(voltages, volt, lines, f"{conductances} has {lines} input{'s' if lines > 1 else ''} ({inputs})")
    return _Asked(g, v, wires, options, conduction, (str(conductances), str(voltages or f"{volt:g} V")))


def _with_array(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options that describe an array; its first parameter is what they say."""
    shared, own = (inspect.signature(each).parameters for each in (_asked, command))
    first, *others = own

    @wraps(command)
    def wrapper(**given: Any) -> None:
        asked = _asked(**{key: given.pop(key) for key in shared})
        command(asked, **given)

    wrapper.__signature__ = inspect.Signature([*shared.values(), *(own[key] for key in others)])  # type: ignore[attr-defined]
    hints = get_type_hints(_asked, include_extras=True) | get_type_hints(command, include_extras=True)
    wrapper.__annotations__ = {key: hint for key, hint in hints.items() if key not in (first, "return")}
    return wrapper


@_with_array
def solve(
    array: _Asked,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The output currents, ampere: .npy or .csv.", show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FIGURE", help="Heat maps of the (first) solution: .png, .svg or .pdf.", show_default=False
        ),
    ] = None,
    node_voltages: Annotated[
        Path | None,
        typer.Option(
            metavar="NODES.npz", help="Voltages on both sides of each cell: arrays word and bit.", show_default=False
        ),
    ] = None,
) -> None:
    """Solve one array: output currents, and what its wires cost.

    G holds the conductances of the cells, V the voltages of the input lines.
    Prints the size of the array and of its IR drop, and how exact the solution is.
    Nothing is ever overwritten: an existing file is refused.

    [bold]Examples[/bold]

      rramsim solve G.npy V.npy --wire-ohm 1 --out I.npy
      rramsim solve G.csv --volt 0.2 --word-line-ohm 2 --bit-line-ohm 1 --driver-ohm 50
      rramsim solve G.npy V.npy --wire-ohm 1 --unselected floating --plot drop.png
    """
    from rramsim.files import check_targets, write_new_file
    from rramsim.report.terminal import print_table, terminal

    check_targets({out: (".npy", ".csv"), plot: (".png", ".svg", ".pdf"), node_voltages: (".npz",)})
    if out is not None and out.suffix == ".csv" and array.v.ndim > 2:
        raise SpecError(f"{out}: a .csv holds one vector or a list of vectors; for voltages {array.v.shape} write .npy")
    solution, ideal = (array.network(ideal=each).solve(array.v) for each in (False, True))
    console = terminal()
    print_table(console, _array_table(array, solution, ideal), wrap=True)
    print_table(console, _current_table(array, solution, ideal))
    written = []
    if out is not None:
        written.append(("currents", out, _as_file(solution.currents, out.suffix)))
    if node_voltages is not None:
        written.append(("voltages", node_voltages, _as_archive(word=solution.word, bit=solution.bit)))
    if plot is not None:
        written.append(("figure", plot, _figure(array, solution, ideal, plot.suffix)))
    for number, (what, path, content) in enumerate(written):
        write_new_file(path, content)
        typer.echo(("" if number else "\n") + f"{what + ':':10}{path}")


@_with_array
def netlist(
    array: _Asked,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The netlist; by default it is printed.", show_default=False),
    ] = None,
    print_nodes: Annotated[
        bool, typer.Option("--print-nodes", help="Have all node voltages printed, too, not the output currents alone.")
    ] = False,
) -> None:
    """Write one array as a SPICE netlist: the same circuit for ngspice.

    ngspice -b runs it as it is, and prints the output currents i_0, i_1, ...

    [bold]Examples[/bold]

      rramsim netlist G.npy V.npy --wire-ohm 1 --out array.cir
      ngspice -b array.cir
    """
    from rramsim.files import check_writable, write_new_file

    if out is not None:
        check_writable(out)
    if array.v.ndim != 1:
        raise SpecError(f"{array.names[1]}: a netlist has one voltage for each input; got voltages {array.v.shape}")
    n_rows, n_columns = array.g.shape
    title = f"Crossbar of {n_rows} x {n_columns} cells: {array.names[0]} at {array.names[1]}"
    text = array.network().to_spice(array.v, title=title, print_nodes=print_nodes)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new_file(out, text.encode())
    typer.echo(f"{out}: written; run it with `ngspice -b {out}`")


def _choice(option: str, given: str, *allowed: str) -> str:
    if given not in allowed:
        names = ", ".join(each.replace(" ", "-") for each in allowed)
        raise SpecError(f"{option} {given.replace(' ', '-')}: allowed are {names}")
    return given


def _per_line(option: str, text: str) -> "float | tuple[float, ...]":
    """A resistance: a number, or one for each line from a file."""
    import numpy as np

    option = f"{option} {text}"
    try:
        ohm = float(text)
    except ValueError:
        pass
    else:
        if not 0 <= ohm < math.inf:
            raise SpecError(f"{option}: a resistance is finite and at least 0 ohm")
        return ohm
    if Path(text).suffix not in (".npy", ".csv"):
        raise SpecError(f"{option}: give a number, ohm, or a .npy or .csv file with one number for each line")
    values = _read(Path(text))
    if values.ndim > 1 and max(values.shape) < values.size:
        raise SpecError(f"{option}: one number for each line is expected; the file holds {_by(values.shape)}")
    wrong = np.flatnonzero(~(np.isfinite(values.ravel()) & (values.ravel() >= 0)))
    if wrong.size:
        got = f"line {wrong[0]} (counted from 0) has {values.ravel()[wrong[0]]:g} ohm"
        raise SpecError(f"{option}: {got}; a resistance is finite and at least 0 ohm")
    return tuple(float(each) for each in values.ravel())


def _conductances(path: Path) -> "Array":
    import numpy as np

    g = _read(path)
    if g.ndim != 2 or 0 in g.shape:
        raise SpecError(f"{path}: one array has the shape (rows, columns), at least 1 x 1; got {_by(g.shape)}")
    wrong = np.argwhere(~(np.isfinite(g) & (g >= 0)))
    if len(wrong):
        i, j = wrong[0]
        value = g[i, j]
        why = "every cell needs a conductance" if np.isnan(value) else "a passive cell cannot have that"
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise SpecError(
            f"{path}: row {i}, column {j} (counted from 0): got {value:g} S{more}; conductances are finite and "
            f"at least 0 (an open cell): {why}"
        )
    return g


def _voltages(path: Path | None, volt: float | None, count: int, there: str) -> "Array":
    """The voltages of so many inputs, from a file or all the same."""
    import numpy as np

    if (path is None) == (volt is None):
        raise SpecError("give the voltages of the inputs either as a file V or by --volt, the same for all")
    if path is None:
        v = np.full(count, volt)
        if not np.isfinite(v).all():
            raise SpecError(f"--volt {volt}: voltages are finite")
        return v
    v = _read(path)
    if path.suffix == ".csv" and v.size == len(v) == count:
        v = v[:, 0]  # one column is one vector
    elif path.suffix == ".csv" and len(v) == 1:
        v = v[0]
    if v.ndim == 0 or v.shape[-1] != count or v.size == 0:
        raise SpecError(f"{path}: got {_by(v.shape)} voltages, but {there}; the last axis goes over the inputs")
    wrong = np.argwhere(~np.isfinite(v))
    if len(wrong):
        place = ", ".join(map(str, wrong[0]))
        raise SpecError(f"{path}: index {place} (counted from 0): got {v[tuple(wrong[0])]:g} V; voltages are finite")
    return v


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _read(path: Path) -> "Array":
    """The numbers of a file."""
    if path.suffix not in (".npy", ".csv"):
        raise SpecError(f"{path}: numbers are read from .npy (NumPy) or .csv (comma-separated) files")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}") from None
    return _from_npy(path, content) if path.suffix == ".npy" else _from_csv(path, content)


def _from_npy(path: Path, content: bytes) -> "Array":
    import numpy as np

    try:
        values = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise SpecError(f"{path}: not a NumPy array file: {' '.join(str(error).split())}") from None
    if values.dtype.kind not in "fiub":
        raise SpecError(f"{path}: holds {values.dtype} values; real numbers are expected")
    return np.array(values, dtype=np.float64, order="C")


def _from_csv(path: Path, content: bytes) -> "Array":
    """Numbers separated by commas; empty lines, and what follows a #, are left out."""
    import numpy as np

    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SpecError(f"{path}: cannot be read as a text file (UTF-8)") from None
    rows: list[list[float]] = []
    first = 0
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        words = [word.strip() for word in text.split(",")]
        for place, word in enumerate(words, 1):
            try:
                float(word)
            except ValueError:
                raise SpecError(f"{path}, line {number}, value {place}: {word!r} is not a number") from None
        if rows and len(words) != len(rows[0]):
            raise SpecError(f"{path}, line {number}: {len(words)} values, but line {first} has {len(rows[0])}")
        first = first or number
        rows.append([float(word) for word in words])
    if not rows:
        raise SpecError(f"{path}: holds no numbers")
    return np.array(rows)


def _as_file(values: "Array", kind: str) -> bytes:
    import numpy as np

    if kind == ".csv":
        return "".join(",".join(map(repr, row)) + "\n" for row in np.atleast_2d(values).tolist()).encode()
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _as_archive(**arrays: "Array") -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _array_table(array: _Asked, solution: "Solution", ideal: "Solution") -> "TextTable":
    import numpy as np

    from rramsim.report.heatmap import output_errors
    from rramsim.report.text import TextTable
    from rramsim.units import quantity

    n_rows, n_columns = array.g.shape
    evidence = solution.evidence
    closed = array.g[array.g > 0]
    n_vectors = array.v.size // array.v.shape[-1]

    def vector(place: Sequence["np.intp"]) -> str:
        return f", vector {', '.join(map(str, place))}" if place else ""

    rows = [("cells", f"{n_rows} x {n_columns}, {array.options['inputs']} driven")]
    if closed.size:
        rows.append(("conductances", f"{quantity(closed.min(), 'S')} to {quantity(closed.max(), 'S')}"))
    if closed.size < array.g.size:
        rows.append(("open cells", str(array.g.size - closed.size)))
    if n_vectors > 1:
        rows.append(("input vectors", str(n_vectors)))
    rows += [
        ("coupling x", f"{evidence.coupling:.3g}: {_meaning(evidence.coupling)}"),
        ("iterations", str(evidence.iterations)),
        ("Kirchhoff residual", f"{evidence.residual:.1e} of the largest voltage"),
        ("power in", quantity(float(solution.power_watt.max()), "W") + (", the largest" if n_vectors > 1 else "")),
        ("power balance error", f"{evidence.power_error:.1e}"),
    ]
    errors, measure = output_errors(solution.currents, ideal.currents)
    worst = np.unravel_index(np.argmin(errors), errors.shape)
    rows.append(
        (
            "largest output loss",
            f"{100 * max(0.0, -errors[worst]):.3g} % of {measure}: {array.output} {worst[-1]}{vector(worst[:-1])}",
        )
    )
    across, full = solution.word - solution.bit, ideal.word - ideal.bit
    lost = np.where(array.g > 0, np.copysign(1.0, full) * (full - across), -np.inf)
    place = np.unravel_index(np.argmax(lost), lost.shape)
    if np.isfinite(lost[place]):
        share = f" ({100 * lost[place] / abs(full[place]):.3g} %)" if full[place] else ""
        where = f"row {place[-2]}, column {place[-1]}{vector(place[:-2])}"
        rows.append(("largest cell loss", f"{quantity(float(lost[place]), 'V')}{share}: {where}"))
    if any(array.wires.get(key) for key in ("word_line_farad", "bit_line_farad", "cell_farad")):
        seconds = array.network().settling_time(0.01)
        rows.append(("settled to 1 %", f"after {quantity(float(np.max(seconds)), 's')}, the slowest output"))
    return TextTable("Array", ("figure", "value"), rows)


def _meaning(coupling: float) -> str:
    """What the coupling says of an array: while it is small, it is the share that the farthest cell loses."""
    if coupling == 0:
        return "the segments have no resistance"
    if coupling < 0.005:
        return "IR drop along the lines can be forgotten"
    if coupling < 0.05:
        return f"small; the lines take about {100 * coupling:.2g} % from the farthest cell"
    if coupling < 0.5:
        return "IR drop matters: the far cells lose a good part of their voltage"
    if coupling < 50:
        return "strong: the array does something else than a matrix product"
    return "the wires carry hardly any voltage to the far cells; check the units (siemens, ohm)"


def _current_table(array: _Asked, solution: "Solution", ideal: "Solution") -> "TextTable":
    """The output currents, one by one or in short, with and without wires."""
    from rramsim.report.heatmap import output_errors
    from rramsim.report.text import TextTable
    from rramsim.units import quantity

    errors, measure = output_errors(solution.currents, ideal.currents)
    columns = (solution.currents, ideal.currents, errors)
    if errors.ndim == 1 and errors.size <= _NAMED:
        first, lines = array.output, [(str(k), *line) for k, line in enumerate(zip(*columns, strict=True))]
    else:
        kinds = {"smallest": "min", "mean": "mean", "largest": "max"}
        first, lines = "of all", [(name, *(getattr(each, f)() for each in columns)) for name, f in kinds.items()]
    rows = [(name, quantity(float(a), "A"), quantity(float(b), "A"), f"{100 * e:.3g} %") for name, a, b, e in lines]
    title = f"Output currents ({errors.shape[-1]} outputs); errors relative to {measure}"
    return TextTable(title, (first, "current", "without wires", "error"), rows)


def _figure(array: _Asked, solution: "Solution", ideal: "Solution", ending: str) -> bytes:
    from rramsim.report.heatmap import voltage_figure
    from rramsim.report.style import picture

    first = (0,) * (array.v.ndim - 1)
    n_rows, n_columns = array.g.shape
    title = f"{n_rows} x {n_columns} cells, coupling {solution.evidence.coupling:.3g}"
    n_vectors = array.v.size // array.v.shape[-1]
    if n_vectors > 1:
        title += f"; the first of {n_vectors} input vectors"
    figure = voltage_figure(
        solution.word[first],
        solution.bit[first],
        (ideal.word - ideal.bit)[first],
        solution.currents[first],
        ideal.currents[first],
        title=title,
        output=array.output,
    )
    return picture(figure, ending[1:])
