"""The lines of an array in a netlist: names of their nodes, and the resistors, sources and ammeters along them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import BoolArray, FloatArray
from rramsim.errors import SpecError

from .ports import Unselected
from .wires import End, Inputs, WireSpec

__all__ = ["NetlistArray", "NetlistLine", "Resistor"]


class Resistor(NamedTuple):
    """A resistor between two nodes.

    Parameters
    ----------
    name
        Name of the element.
    first, second
        Names of its nodes.
    ohm
        Resistance, above 0.
    """

    name: str
    first: str
    second: str
    ohm: float

    @property
    def element(self) -> str:
        """A line of the netlist."""
        return f"{self.name} {self.first} {self.second} {self.ohm!r}"


class _Terminal(NamedTuple):
    """The circuit at an end of a line: "near" or "far", its resistor, and the ammeter and node behind that."""

    end: str
    resistor: str
    ohm: float
    ammeter: str
    node: str


@dataclass(frozen=True)
class NetlistLine:
    """One line of the array.

    Parameters
    ----------
    title
        What it is called in comments.
    names
        Names of its nodes, by their place along the line.
    nodes
        The names under which they appear in the netlist: nodes with no resistance between them are one node.
    segments, circuits
        Resistors of its segments, and of its drivers or sense circuits.
    terminals
        (name, node) of the sources or ammeters that it is connected to.
    dead
        Whether nothing at all connects it, so that it is left out.
    """

    title: str
    names: list[str]
    nodes: list[str]
    segments: list[Resistor]
    circuits: list[Resistor]
    terminals: list[tuple[str, str]]
    dead: bool = False

    @property
    def merged(self) -> Iterator[str]:
        """Which of its nodes have another name in the netlist, as comments."""
        if self.dead:
            yield f"* {self.title}: floats, and all its cells are open: left out with its nodes"
        elif len(set(self.nodes)) == 1:
            if self.nodes != self.names:
                span = self.names[0] if len(self.names) == 1 else f"{self.names[0]} to {self.names[-1]}"
                yield f"* {self.title}: {span} = {self.nodes[0]}"
        else:
            yield from (
                f"* {self.title}: {name} = {node}"
                for name, node in zip(self.names, self.nodes, strict=True)
                if name != node
            )


@dataclass(frozen=True)
class NetlistArray:
    """An array with one drive vector, as far as a netlist shows it.

    Parameters
    ----------
    cells
        (n_rows, n_columns) conductances, siemens; 0 where a cell is open or cut off.
    volt
        Voltage of each input line, 0 where it is not selected.
    selected
        Which input lines are selected.
    wires
        Resistances and capacitances of the lines.
    inputs
        "rows" if the word lines are driven, "columns" if the bit lines are.
    unselected
        What happens to an input line that is not selected.
    """

    cells: FloatArray
    volt: FloatArray
    selected: BoolArray
    wires: WireSpec
    inputs: Inputs
    unselected: Unselected

    @classmethod
    def of(
        cls,
        g: ArrayLike,
        wires: WireSpec,
        v: ArrayLike,
        inputs: Inputs,
        unselected: Unselected,
        selected: ArrayLike | None,
    ) -> "NetlistArray":
        """The array of conductances g (n_rows, n_columns) and drive vector v, checked.

        Raises
        ------
        SpecError
            If a shape does not fit, or a number is not allowed.
        """
        cells, volt = np.asarray(g, dtype=np.float64), np.asarray(v, dtype=np.float64)
        if cells.ndim != 2 or 0 in cells.shape:
            raise SpecError(f"netlist: one array has the shape (n_rows, n_columns); got {cells.shape}")
        if not (np.isfinite(cells) & (cells >= 0)).all():
            raise SpecError("netlist: conductances are finite and >= 0 siemens (0 is an open cell)")
        n_inputs = cells.shape[0 if inputs == "rows" else 1]
        if volt.shape != (n_inputs,) or not np.isfinite(volt).all():
            raise SpecError(
                f"netlist: one finite voltage for each of the {n_inputs} input lines, for one state of the array; got "
                f"shape {volt.shape}"
            )
        if selected is None:
            mask = np.ones(n_inputs, dtype=bool) if unselected == "grounded" else volt != 0
        else:
            mask = np.asarray(selected, dtype=bool)
            if mask.shape != volt.shape:
                raise SpecError(f"netlist: selected has one entry for each of the {n_inputs} inputs; got {mask.shape}")
        if unselected == "cut off":
            cells = np.where(mask[:, None] if inputs == "rows" else mask, cells, 0.0)
        return cls(cells, np.where(mask, volt, 0.0), mask, wires, inputs, unselected)

    def floats(self, k: int) -> bool:
        """Whether the source of input line k is disconnected."""
        return self.unselected == "floating" and not self.selected[k]

    def lines(self) -> tuple[list[NetlistLine], list[NetlistLine]]:
        """The word lines and the bit lines."""
        n_rows, n_columns = self.cells.shape
        word_ohm = _per_line(self.wires.word_segment_ohm, n_rows, "word_line_ohm")
        bit_ohm = _per_line(self.wires.bit_segment_ohm, n_columns, "bit_line_ohm")
        n_driven, n_sensed = (n_rows, n_columns) if self.inputs == "rows" else (n_columns, n_rows)
        drivers = _per_line(self.wires.driver_ohm, n_driven, "driver_ohm")
        senses = _per_line(self.wires.sense_ohm, n_sensed, "sense_ohm")
        conducts = np.atleast_1d((self.cells > 0).any(axis=1 if self.inputs == "rows" else 0))

        def line(kind: str, k: int, names: list[str], segment_ohm: float) -> NetlistLine:
            driven = (kind == "word") == (self.inputs == "rows")
            end_ohm = segment_ohm if self.wires.end_segments else 0.0
            if not driven:
                terminals = _sense_circuits(k, self.wires.sense_end, senses[k] + end_ohm)
            elif self.floats(k):
                terminals = []
            else:
                terminals = _drivers(k, self.wires.driver_end, drivers[k] + end_ohm)
            dead = driven and not terminals and not conducts[k]
            return _line(kind, k, names, segment_ohm, terminals, dead=dead)

        return (
            [line("word", i, [f"w_{i}_{j}" for j in range(n_columns)], word_ohm[i]) for i in range(n_rows)],
            [line("bit", j, [f"b_{i}_{j}" for i in range(n_rows)], bit_ohm[j]) for j in range(n_columns)],
        )


def _drivers(k: int, end: End, ohm: float) -> list[_Terminal]:
    """Drivers of input line k; one source serves both ends."""
    return [_Terminal(each, f"RD{tag}_{k}", ohm, "", f"v_{k}") for each, tag in _ends(end)]


def _sense_circuits(k: int, end: End, ohm: float) -> list[_Terminal]:
    """Sense circuits of output line k; each end that is sensed has a virtual ground of its own."""
    return [_Terminal(each, f"RS{tag}_{k}", ohm, f"VS{tag}_{k}", f"s{tag}_{k}") for each, tag in _ends(end)]


def _ends(end: End) -> list[tuple[str, str]]:
    """The ends at which lines have circuits, and what tells these apart in names."""
    return [("near", "_near"), ("far", "_far")] if end == "both" else [(end, "")]


def _line(
    kind: str, number: int, names: list[str], segment_ohm: float, ends: list[_Terminal], *, dead: bool
) -> NetlistLine:
    """A word or bit line of this number, with the circuits at its ends."""
    single = segment_ohm == 0 or len(names) == 1
    nodes = names[:1] * len(names) if single else list(names)
    place = {"near": 0, "far": len(names) - 1}
    terminals: list[tuple[str, str]] = []
    for each in ends:
        if each.ohm == 0 and single:
            if terminals:
                continue  # both ends are this one node already: two sources side by side would be singular
            nodes = [each.node] * len(names)
        elif each.ohm == 0:
            nodes[place[each.end]] = each.node
        terminals.append((each.ammeter, each.node))
    circuits = [Resistor(each.resistor, each.node, nodes[place[each.end]], each.ohm) for each in ends if each.ohm > 0]
    segment_name = "RW_{0}_{1}" if kind == "word" else "RB_{1}_{0}"
    segments = [
        Resistor(segment_name.format(number, k), first, second, segment_ohm)
        for k, (first, second) in enumerate(pairwise(nodes))
        if first != second and not dead
    ]
    return NetlistLine(f"{kind} line {number}", names, nodes, segments, circuits, terminals, dead)


def _per_line(ohm: float | Sequence[float], count: int, key: str) -> list[float]:
    values = np.asarray(ohm, dtype=np.float64)
    if values.ndim and values.shape != (count,):
        raise SpecError(f"{key}: a list has one number for each line; got {len(values)} numbers for {count} lines")
    return [float(each) for each in np.broadcast_to(values, count)]
