"""An array as a netlist that ngspice runs: the same circuit in the words of a circuit simulator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import BoolArray, FloatArray
from rramsim.errors import SpecError

from .wires import WireSpec

if TYPE_CHECKING:
    from rramsim.cell.conduction import ConductionSpec

__all__ = ["netlist", "node_names"]

_Resistor = tuple[str, str, str, float]

_OPTIONS = ".options reltol=1e-9 vntol=1e-12 gmin=1e-20 itl1=500"
"""Tolerances of Newton's iteration over nonlinear cells, whose last step is far smaller than the one that is tested; a
linear array is solved directly and does not need them."""

_DIGITS = 17
"""Of a printed number; ngspice prints 16 to 18 digits then, enough for every bit of a double."""

_FLOATING = "floating"


@dataclass(frozen=True)
class _Line:
    """One line of the array.

    Parameters
    ----------
    title
        What it is called in comments.
    own
        The names of its nodes, by their place along the line.
    nodes
        The names under which they appear in the netlist: nodes with no resistance between them are one node.
    segments, circuits
        (name, node, node, ohm) of its segments, and of its drivers or sense circuits.
    terminals
        (name, node) of the sources or ammeters that it is connected to.
    dead
        Whether nothing at all connects it, so that it is left out.
    """

    title: str
    own: list[str]
    nodes: list[str]
    segments: list[_Resistor]
    circuits: list[_Resistor]
    terminals: list[tuple[str, str]]
    dead: bool = False

    @property
    def merged(self) -> Iterator[str]:
        """Which of its nodes have another name in the netlist, as comments."""
        if self.dead:
            yield f"* {self.title}: floats, and all its cells are open: left out with its nodes"
        elif len(set(self.nodes)) == 1:
            if self.nodes != self.own:
                span = self.own[0] if len(self.own) == 1 else f"{self.own[0]} to {self.own[-1]}"
                yield f"* {self.title}: {span} = {self.nodes[0]}"
        else:
            yield from (
                f"* {self.title}: {own} = {node}" for own, node in zip(self.own, self.nodes, strict=True) if own != node
            )


def netlist(
    g: ArrayLike,
    wires: WireSpec,
    v: ArrayLike,
    *,
    inputs: Literal["rows", "columns"] = "rows",
    unselected: Literal["grounded", "floating", "cut off"] = "grounded",
    selected: ArrayLike | None = None,
    conduction: "ConductionSpec | None" = None,
    title: str = "An RRAM crossbar",
    print_nodes: bool = False,
) -> str:
    """A SPICE netlist of an array with its drivers and sense circuits; ``ngspice -b FILE`` runs it as it is.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances, siemens; 0 is an open cell.
    wires
        Resistances and capacitances of the lines.
    v
        One voltage for each input line, volt.
    inputs
        "rows" if the word lines are driven, "columns" if the bit lines are.
    unselected
        What happens to an input line that is not selected: its source gives 0 V (grounded), and the cells of the line
        are disconnected by their access transistors (cut off); or the source is disconnected at every end (floating).
    selected
        The input lines that are selected; by default all where the others would be grounded, else those with a voltage
        other than 0.
    conduction
        The I-V law of the cells; linear by default.
    title
        The first line of the netlist.
    print_nodes
        Whether the voltages of all nodes are printed, too.

    Returns
    -------
    str
        Input line k is driven by ``V_<k>`` at node ``v_<k>``; the word- and bit-line sides of a cell are ``w_<i>_<j>``
        and ``b_<i>_<j>``; output line k ends in the ammeter ``VS_<k>`` (``VS_near_<k>`` and ``VS_far_<k>`` where both
        ends are sensed). The run prints ``i_<k> = ...``, the current of each output line, ampere, and with
        ``print_nodes`` ``<node> = ...``, volt. Nodes with no resistance between them are one node, and comments say
        under which name; :func:`node_names` does so in Python.

    Raises
    ------
    SpecError
        If a shape does not fit.
    """
    cells, drive, chosen = _checked(g, v, unselected, selected, inputs)
    n_rows, n_columns = cells.shape
    words, bits = _lines(cells, wires, inputs, unselected, chosen)
    driven, sensed = (words, bits) if inputs == "rows" else (bits, words)
    ends = ", each with one segment of its line" if wires.end_segments else ""
    parts = [
        [
            " ".join(title.split()) or "An RRAM crossbar",
            f"* Crossbar of {n_rows} word lines (rows) and {n_columns} bit lines (columns).",
            f"* Inputs: {inputs}. Outputs: {'columns' if inputs == 'rows' else 'rows'}.",
            "* Units: volt, ampere, ohm, farad. Lines and cells are numbered from 0.",
            "* Node w_<i>_<j> is the word-line side, b_<i>_<j> the bit-line side of the cell in row i and column j,",
            "* v_<k> the source of input line k, s_<k> the virtual ground of output line k (s_near_<k> and s_far_<k>",
            "* where both ends are sensed and are not one node), c_<i>_<j> between a cell and its series resistor.",
            "* The run prints i_<k>: the current of output line k into its virtual ground, or into both.",
        ],
        _heading("Nodes that are one node, since no resistance lies between them", _merged(words + bits)),
        _heading("Sources of the input lines", _sources(driven, drive, unselected, chosen)),
        _heading(f"Drivers{ends}", [_text(each) for line in driven for each in line.circuits]),
        _heading("Segments of the word lines", [_text(each) for line in words for each in line.segments]),
        _heading("Segments of the bit lines", [_text(each) for line in bits for each in line.segments]),
        _heading(f"Cells: {_law(conduction)}", _cells(cells, words, bits, conduction)),
        _heading(f"Sense circuits{ends}", [_text(each) for line in sensed for each in line.circuits]),
        _heading("Ammeters", [f"{name} {node} 0 0" for line in sensed for name, node in line.terminals]),
        _heading("Capacitances", _capacitors(wires, words, bits)),
        [
            "",
            f"{_OPTIONS} abstol={_smallest_current(words + bits, drive):.1e}",
            ".op",
            ".control",
            f"set numdgt={_DIGITS}",
            "op",
        ],
        [f"let i_{k} = " + " + ".join(f"i({name})" for name, _ in line.terminals) for k, line in enumerate(sensed)],
        ["print all"] if print_nodes else [f"print i_{k}" for k in range(len(sensed))],
        ["quit", ".endc", ".end", ""],
    ]
    return "\n".join(line for part in parts for line in part)


def node_names(
    g: ArrayLike,
    wires: WireSpec,
    v: ArrayLike,
    *,
    inputs: Literal["rows", "columns"] = "rows",
    unselected: Literal["grounded", "floating", "cut off"] = "grounded",
    selected: ArrayLike | None = None,
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Names in the netlist of the nodes on the word- and on the bit-line side of each cell.

    Parameters
    ----------
    g, wires, v, inputs, unselected, selected
        As of :func:`netlist`.

    Returns
    -------
    tuple of numpy.ndarray
        Two arrays of text, (n_rows, n_columns) each; an empty name is a node that is left out, since nothing connects
        its line.
    """
    cells, _, chosen = _checked(g, v, unselected, selected, inputs)
    words, bits = _lines(cells, wires, inputs, unselected, chosen)
    word, bit = (np.array([[""] * len(x.own) if x.dead else x.nodes for x in lines]) for lines in (words, bits))
    return word, bit.T


def _checked(
    g: ArrayLike, v: ArrayLike, unselected: str, selected: ArrayLike | None, inputs: str
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The cells and the voltages of the sources as far as lines are selected, and which lines are."""
    cells, drive = np.asarray(g, dtype=np.float64), np.asarray(v, dtype=np.float64)
    if cells.ndim != 2 or 0 in cells.shape:
        raise SpecError(f"netlist: one array has the shape (n_rows, n_columns); got {cells.shape}")
    if not (np.isfinite(cells) & (cells >= 0)).all():
        raise SpecError("netlist: conductances are finite and >= 0 siemens (0 is an open cell)")
    n_inputs = cells.shape[0 if inputs == "rows" else 1]
    if drive.shape != (n_inputs,) or not np.isfinite(drive).all():
        raise SpecError(
            f"netlist: one finite voltage for each of the {n_inputs} input lines, for one state of the array; got "
            f"shape {drive.shape}"
        )
    if selected is None:
        chosen = np.ones(n_inputs, dtype=bool) if unselected == "grounded" else drive != 0
    else:
        chosen = np.asarray(selected, dtype=bool)
        if chosen.shape != drive.shape:
            raise SpecError(f"netlist: selected has one entry for each of the {n_inputs} inputs; got {chosen.shape}")
    if unselected == "cut off":
        cells = np.where(chosen[:, None] if inputs == "rows" else chosen, cells, 0.0)
    return cells, np.where(chosen, drive, 0.0), chosen


def _lines(
    cells: FloatArray, wires: WireSpec, inputs: str, unselected: str, chosen: BoolArray
) -> tuple[list[_Line], list[_Line]]:
    """The word lines and the bit lines."""
    n_rows, n_columns = cells.shape
    word_names = [[f"w_{i}_{j}" for j in range(n_columns)] for i in range(n_rows)]
    bit_names = [[f"b_{i}_{j}" for i in range(n_rows)] for j in range(n_columns)]
    word_segment = _per_line(wires.word_segment_ohm, n_rows, "word_line_ohm")
    bit_segment = _per_line(wires.bit_segment_ohm, n_columns, "bit_line_ohm")
    n_driven, n_sensed = (n_rows, n_columns) if inputs == "rows" else (n_columns, n_rows)
    driver = _per_line(wires.driver_ohm, n_driven, "driver_ohm")
    sense = _per_line(wires.sense_ohm, n_sensed, "sense_ohm")
    conducts = np.atleast_1d((cells > 0).any(axis=1 if inputs == "rows" else 0))

    def of(kind: str, k: int, own: list[str], segment: float) -> _Line:
        title = f"{kind} line {k}"
        letter = "W" if kind == "word" else "B"
        if (kind == "word") == (inputs == "rows"):
            if unselected == _FLOATING and not chosen[k]:
                return _line(title, letter, k, own, segment, [], dead=not conducts[k])
            ohm = driver[k] + (segment if wires.end_segments else 0.0)
            # One source serves both ends; each end that is sensed has a virtual ground of its own.
            tags = _tags(wires.driver_end)
            ends = [(end, f"RD{tag}_{k}", ohm, "", f"v_{k}") for end, tag in tags]
        else:
            ohm = sense[k] + (segment if wires.end_segments else 0.0)
            tags = _tags(wires.sense_end)
            ends = [(end, f"RS{tag}_{k}", ohm, f"VS{tag}_{k}", f"s{tag}_{k}") for end, tag in tags]
        return _line(title, letter, k, own, segment, ends)

    return (
        [of("word", i, word_names[i], word_segment[i]) for i in range(n_rows)],
        [of("bit", j, bit_names[j], bit_segment[j]) for j in range(n_columns)],
    )


def _tags(setting: str) -> list[tuple[str, str]]:
    """The ends at which lines have circuits, and what tells these apart in names."""
    return [("near", "_near"), ("far", "_far")] if setting == "both" else [(setting, "")]


def _line(
    title: str,
    letter: str,
    number: int,
    own: list[str],
    segment: float,
    ends: list[tuple[str, str, float, str, str]],
    dead: bool = False,
) -> _Line:
    """A line with the circuits at its ends, each (near or far, resistor, ohm, ammeter, node behind the resistor)."""
    single = segment == 0 or len(own) == 1
    nodes = own[:1] * len(own) if single else list(own)
    place = {"near": 0, "far": len(own) - 1}
    terminals: list[tuple[str, str]] = []
    for end, _, ohm, ammeter, outer in ends:
        if ohm == 0 and single:
            if terminals:
                continue  # both ends are this one node already: two sources side by side would be singular
            nodes = [outer] * len(own)
        elif ohm == 0:
            nodes[place[end]] = outer
        terminals.append((ammeter, outer))
    circuits = [(name, outer, nodes[place[end]], ohm) for end, name, ohm, _, outer in ends if ohm > 0]
    name = "RW_{0}_{1}" if letter == "W" else "RB_{1}_{0}"
    segments = [
        (name.format(number, k), one, other, segment)
        for k, (one, other) in enumerate(pairwise(nodes))
        if one != other and not dead
    ]
    return _Line(title, own, nodes, segments, circuits, terminals, dead)


def _per_line(ohm: float | Sequence[float], count: int, key: str) -> list[float]:
    values = np.asarray(ohm, dtype=np.float64)
    if values.ndim and values.shape != (count,):
        raise SpecError(f"{key}: a list has one number for each line; got {len(values)} numbers for {count} lines")
    return [float(each) for each in np.broadcast_to(values, count)]


def _heading(text: str, lines: list[str]) -> list[str]:
    return ["", f"* {text}", *lines] if lines else []


def _merged(lines: list[_Line]) -> list[str]:
    return [comment for line in lines for comment in line.merged]


def _sources(lines: list[_Line], drive: FloatArray, unselected: str, chosen: BoolArray) -> list[str]:
    return [
        f"* V_{k}: none, line {k} floats"
        if unselected == _FLOATING and not chosen[k]
        else f"V_{k} v_{k} 0 {float(drive[k])!r}"
        for k in range(len(lines))
    ]


def _smallest_current(lines: list[_Line], drive: FloatArray) -> float:
    """What rounding errors of the voltages drive through the smallest resistance, ampere: no test can be finer."""
    ohm = [each[3] for line in lines for each in (*line.segments, *line.circuits)]
    return 1e-14 * float(np.abs(drive).max()) / min(ohm, default=1.0) + 1e-18


def _text(resistor: _Resistor) -> str:
    name, one, other, ohm = resistor
    return f"{name} {one} {other} {ohm!r}"


def _law(conduction: "ConductionSpec | None") -> str:
    if conduction is None:
        return "resistors of 1 / conductance; open cells are left out"
    law = {
        "linear": "resistors of 1 / conductance",
        "sinh": "i = g V0 sinh(v / V0)",
        "cubic": "i = g v (1 + c v^2)",
        "polynomial": "i = g v + a2 v^2 + a3 v^3",
    }[conduction.law]
    series = f", behind {conduction.series_ohm:g} ohm each (RT)" if conduction.series_ohm else ""
    return f"{law}{series}; open cells are left out"


def _cells(g: FloatArray, words: list[_Line], bits: list[_Line], conduction: "ConductionSpec | None") -> list[str]:
    found = []
    polynomial = conduction is not None and conduction.law == "polynomial"
    square, cube = conduction.coefficients(g) if conduction is not None and polynomial else (g, g)
    for i, j in np.argwhere(g > 0).tolist():
        here, there, siemens = words[i].nodes[j], bits[j].nodes[i], float(g[i, j])
        if conduction is not None and conduction.series_ohm:
            found.append(_text((f"RT_{i}_{j}", here, f"c_{i}_{j}", conduction.series_ohm)))
            here = f"c_{i}_{j}"
        if conduction is None or conduction.law == "linear":
            found.append(_text((f"RC_{i}_{j}", here, there, 1.0 / siemens)))
            continue
        across = f"v({here},{there})"
        if conduction.law == "sinh":
            scale = conduction.sinh_volt
            law = f"{siemens * scale!r}*sinh({across}/{scale!r})"
        elif polynomial:  # products, since circuit simulators do not agree on powers of negative numbers
            bent = f"({float(square[i, j])!r}+{across}*({float(cube[i, j])!r}))"
            law = f"{across}*({siemens!r}+{across}*{bent})"
        else:
            law = f"{siemens!r}*{across}*(1+{conduction.cubic_per_square_volt!r}*{across}*{across})"
        found.append(f"BC_{i}_{j} {here} {there} i={law}")
    return found


def _capacitors(wires: WireSpec, words: list[_Line], bits: list[_Line]) -> list[str]:
    found = []
    for letter, lines, farad in (("W", words, wires.word_line_farad), ("B", bits, wires.bit_line_farad)):
        for line in lines if farad else ():
            if not line.dead:
                pairs = zip(line.own, line.nodes, strict=True)
                found += [f"C{letter}{own[1:]} {node} 0 {farad!r}" for own, node in pairs]
    if wires.cell_farad:
        found += [
            f"CC_{i}_{j} {word.nodes[j]} {bit.nodes[i]} {wires.cell_farad!r}"
            for i, word in enumerate(words)
            for j, bit in enumerate(bits)
            if not word.dead and not bit.dead
        ]
    return found
