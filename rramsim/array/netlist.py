"""An array as a netlist that ngspice runs: the same circuit in the words of a circuit simulator."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.cell.conduction import ConductionSpec

from .netlist_lines import NetlistArray, NetlistLine, Resistor
from .ports import Unselected
from .solution import LINEAR
from .wires import Inputs, WireSpec

__all__ = ["netlist", "node_names"]

_OPTIONS = ".options reltol=1e-9 vntol=1e-12 gmin=1e-20 itl1=500"
"""Tolerances of Newton's iteration over nonlinear cells, whose last step is far smaller than the one that is tested; a
linear array is solved directly and does not need them."""

_DIGITS = 17
"""Digits of a printed number; ngspice prints 16 to 18 then, enough for every bit of a double."""


def netlist(
    g: ArrayLike,
    wires: WireSpec,
    v: ArrayLike,
    *,
    inputs: Inputs = "rows",
    unselected: Unselected = "grounded",
    selected: ArrayLike | None = None,
    conduction: ConductionSpec | None = None,
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
    array = NetlistArray.of(g, wires, v, inputs, unselected, selected)
    sections = _sections(array, conduction or LINEAR, title, print_nodes=print_nodes)
    return "\n".join(line for section in sections for line in section)


def node_names(
    g: ArrayLike,
    wires: WireSpec,
    v: ArrayLike,
    *,
    inputs: Inputs = "rows",
    unselected: Unselected = "grounded",
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
    words, bits = NetlistArray.of(g, wires, v, inputs, unselected, selected).lines()
    word, bit = (np.array([[""] * len(x.names) if x.dead else x.nodes for x in lines]) for lines in (words, bits))
    return word, bit.T


def _sections(array: NetlistArray, conduction: ConductionSpec, title: str, *, print_nodes: bool) -> list[list[str]]:
    words, bits = array.lines()
    return [
        _title(title, array),
        *_lines(array, words, bits),
        _heading(f"Cells: {_law(conduction)}", _cells(array.cells, words, bits, conduction)),
        *_sensing(array, words, bits),
        _heading("Capacitances", _capacitors(array.wires, words, bits)),
        _analysis(array, words, bits, print_nodes=print_nodes),
    ]


def _heading(text: str, lines: list[str]) -> list[str]:
    return ["", f"* {text}", *lines] if lines else []


def _title(title: str, array: NetlistArray) -> list[str]:
    """The first line, and what the names mean."""
    n_rows, n_columns = array.cells.shape
    return [
        " ".join(title.split()) or "An RRAM crossbar",
        f"* Crossbar of {n_rows} word lines (rows) and {n_columns} bit lines (columns).",
        f"* Inputs: {array.inputs}. Outputs: {'columns' if array.inputs == 'rows' else 'rows'}.",
        "* Units: volt, ampere, ohm, farad. Lines and cells are numbered from 0.",
        "* Node w_<i>_<j> is the word-line side, b_<i>_<j> the bit-line side of the cell in row i and column j,",
        "* v_<k> the source of input line k, s_<k> the virtual ground of output line k (s_near_<k> and s_far_<k>",
        "* where both ends are sensed and are not one node), c_<i>_<j> between a cell and its series resistor.",
        "* The run prints i_<k>: the current of output line k into its virtual ground, or into both.",
    ]


def _ends(array: NetlistArray) -> str:
    return ", each with one segment of its line" if array.wires.end_segments else ""


def _lines(array: NetlistArray, words: list[NetlistLine], bits: list[NetlistLine]) -> list[list[str]]:
    """Merged nodes, sources, drivers and segments of the lines."""
    driven = words if array.inputs == "rows" else bits
    merged = [comment for line in words + bits for comment in line.merged]
    sources = [
        f"* V_{k}: none, line {k} floats" if array.floats(k) else f"V_{k} v_{k} 0 {float(volt)!r}"
        for k, volt in enumerate(array.volt)
    ]
    return [
        _heading("Nodes that are one node, since no resistance lies between them", merged),
        _heading("Sources of the input lines", sources),
        _heading(f"Drivers{_ends(array)}", [each.element for line in driven for each in line.circuits]),
        _heading("Segments of the word lines", [each.element for line in words for each in line.segments]),
        _heading("Segments of the bit lines", [each.element for line in bits for each in line.segments]),
    ]


def _sensing(array: NetlistArray, words: list[NetlistLine], bits: list[NetlistLine]) -> list[list[str]]:
    """Sense circuits and ammeters of the output lines."""
    sensed = bits if array.inputs == "rows" else words
    return [
        _heading(f"Sense circuits{_ends(array)}", [each.element for line in sensed for each in line.circuits]),
        _heading("Ammeters", [f"{name} {node} 0 0" for line in sensed for name, node in line.terminals]),
    ]


def _analysis(
    array: NetlistArray, words: list[NetlistLine], bits: list[NetlistLine], *, print_nodes: bool
) -> list[str]:
    """What ngspice does with the circuit: its operating point, and what it prints of that."""
    sensed = bits if array.inputs == "rows" else words
    return [
        "",
        f"{_OPTIONS} abstol={_smallest_current(words + bits, array.volt):.1e}",
        ".op",
        ".control",
        f"set numdgt={_DIGITS}",
        "op",
        *(f"let i_{k} = " + " + ".join(f"i({name})" for name, _ in line.terminals) for k, line in enumerate(sensed)),
        *(["print all"] if print_nodes else [f"print i_{k}" for k in range(len(sensed))]),
        *("quit", ".endc", ".end", ""),
    ]


def _smallest_current(lines: list[NetlistLine], volt: FloatArray) -> float:
    """What rounding errors of the voltages drive through the smallest resistance, ampere: no test can be finer."""
    ohm = [each.ohm for line in lines for each in (*line.segments, *line.circuits)]
    return 1e-14 * float(np.abs(volt).max()) / min(ohm, default=1.0) + 1e-18


def _law(conduction: ConductionSpec) -> str:
    """The I-V law of the cells in words."""
    law = "resistors of 1 / conductance" if conduction.linear else conduction.formula
    series = f", behind {conduction.series_ohm:g} ohm each (RT)" if conduction.series_ohm else ""
    return f"{law}{series}; open cells are left out"


def _cells(g: FloatArray, words: list[NetlistLine], bits: list[NetlistLine], conduction: ConductionSpec) -> list[str]:
    """Elements of the cells that conduct, and of their series resistors."""
    elements = []
    for i, j in np.argwhere(g > 0).tolist():
        word, bit = words[i].nodes[j], bits[j].nodes[i]
        if conduction.series_ohm:
            elements.append(Resistor(f"RT_{i}_{j}", word, f"c_{i}_{j}", conduction.series_ohm).element)
            word = f"c_{i}_{j}"
        elements.append(conduction.spice(f"{i}_{j}", word, bit, float(g[i, j])))
    return elements


def _capacitors(wires: WireSpec, words: list[NetlistLine], bits: list[NetlistLine]) -> list[str]:
    """Capacitors of the nodes of the lines to ground, and of the cells."""
    elements = []
    for letter, lines, farad in (("W", words, wires.word_line_farad), ("B", bits, wires.bit_line_farad)):
        for line in lines if farad else ():
            if not line.dead:
                nodes = zip(line.names, line.nodes, strict=True)
                elements += [f"C{letter}{name[1:]} {node} 0 {farad!r}" for name, node in nodes]
    if wires.cell_farad:
        elements += [
            f"CC_{i}_{j} {word.nodes[j]} {bit.nodes[i]} {wires.cell_farad!r}"
            for i, word in enumerate(words)
            for j, bit in enumerate(bits)
            if not word.dead and not bit.dead
        ]
    return elements
