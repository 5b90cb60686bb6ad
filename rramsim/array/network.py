"""Word and bit lines as a resistive network, solved exactly."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rramsim.arrays import BoolArray, FloatArray
from rramsim.cell.conduction import ConductionSpec
from rramsim.errors import ConvergenceError, RangeError, SpecError
from rramsim.threads import product, thread_count

from .netlist import netlist
from .reduction import checked_conductance, checked_dtype, reduce_arrays, transconductances
from .solution import (
    LINEAR,
    Circuit,
    Evidence,
    Solution,
    solve_circuit,
    solve_currents,
    solve_injected,
    updated_transconductance,
    worst_evidence,
)
from .wires import Lines, WireSpec, power_of_four

__all__ = ["Evidence", "Network", "Solution", "WireSpec", "transconductances"]

Mask = BoolArray
Inputs = Literal["rows", "columns"]
Unselected = Literal["grounded", "floating", "cut off"]
Pairs = Literal["none", "outputs", "inputs"]

_ENOUGH_FOR_A_MATRIX = 14
"""Vectors from which the reduction is faster than one solution each, at any size; fixed, so that bits are fixed."""
_MOST_UPDATES = 12
"""Changed cells up to which the low-rank update is faster than a new reduction."""


def _checked_option(value: str, kind: Any, key: str) -> None:
    if value not in get_args(kind):
        raise SpecError(f"Network: {key} is one of {', '.join(map(repr, get_args(kind)))}; got {value!r}")


class Network:
    """A crossbar with resistive lines: row i is a word line, column j a bit line.

    By default a source drives each word line at column 0 through ``driver_ohm``, and each bit line ends below the last
    row in a virtual ground behind ``sense_ohm``; the far ends are open.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances at small voltage, siemens; 0 is an open cell.
    wires
        Resistances of the lines and where they are driven and sensed; ideal by default.
    inputs
        "rows": word lines are driven, bit lines sensed. "columns": bit lines are driven at row 0 and word lines sensed
        after the last column, as the search and match lines of a CAM.
    unselected
        What becomes of input lines that are not selected: "grounded" (held at 0 V by their driver), "floating" (source
        disconnected), or "cut off" (1T1R: the access transistors of the line are off, its cells are open).
    pairs
        "outputs": output lines 2k and 2k + 1 are an interleaved differential pair, output k is their difference.
        "inputs": input lines 2k and 2k + 1 are driven with +v[k] and -v[k], and share the output lines.
    conduction
        I-V law of the cells; linear by default.

    Raises
    ------
    SpecError
        For negative, infinite or missing conductances, unknown options, or an odd number of lines to pair.
    RangeError
        By whatever takes voltages: where they span more than the law of the cells was fitted for (``most_volt``), 0 V
        included, since no cell can see more than that; or where within that span the current of a cell falls by its
        polynomial.
    """

    def __init__(
        self,
        g: ArrayLike,
        wires: WireSpec | None = None,
        *,
        inputs: Inputs = "rows",
        unselected: Unselected = "grounded",
        pairs: Pairs = "none",
        conduction: ConductionSpec | None = None,
    ) -> None:
        self.g = checked_conductance(g, "Network")
        if self.g.ndim != 2:
            raise SpecError(f"Network: one array has the shape (n_rows, n_columns); got {self.g.shape}")
        _checked_option(inputs, Inputs, "inputs")
        _checked_option(unselected, Unselected, "unselected")
        _checked_option(pairs, Pairs, "pairs")
        self.wires = wires or WireSpec()
        self.inputs, self.unselected, self.pairs = inputs, unselected, pairs
        self.conduction = conduction or LINEAR
        cells = self.g if inputs == "rows" else self.g.T
        self._n_lines, self._n_sensed = int(cells.shape[0]), int(cells.shape[1])
        paired = {"none": 0, "outputs": self._n_sensed, "inputs": self._n_lines}[pairs]
        if paired % 2:
            raise SpecError(f"Network: pairs={pairs!r} takes an even number of lines; got {paired}")
        if self.conduction.linear and self.conduction.series_ohm:
            cells = cells / (1.0 + self.conduction.series_ohm * cells)
        lines = Lines.of(self.wires, self._n_lines, self._n_sensed, inputs, power_of_four(float(self.g.max())))
        every = np.zeros(self._n_lines, dtype=np.int64)
        # A linear law has its series resistance in the cells of the circuit.
        law = LINEAR if self.conduction.linear else self.conduction
        turned = np.ascontiguousarray(lines.turned(cells))
        self._circuit = Circuit(turned, lines, every, law, 1.0 if inputs == "rows" else -1.0)
        # Of an array with a few cells changed: the cells, circuit and T of the array that it came from.
        self._origin: tuple[FloatArray, Circuit, Callable[[], FloatArray]] | None = None

    @property
    def n_inputs(self) -> int:
        """Voltages that a drive vector has."""
        return self._n_lines // (2 if self.pairs == "inputs" else 1)

    @property
    def n_outputs(self) -> int:
        """Currents that come out."""
        return self._n_sensed // (2 if self.pairs == "outputs" else 1)

    @property
    def coupling(self) -> float:
        """Mean conductance times segment resistance times the square of the cells along a line (mean of both kinds)."""
        n_rows, n_columns = self.g.shape
        word, bit = np.mean(self.wires.word_segment_ohm), np.mean(self.wires.bit_segment_ohm)
        return float(self.g.mean() * (word * n_columns**2 + bit * n_rows**2) / 2)

    def transconductance(self, dtype: DTypeLike = np.float64, *, selected: ArrayLike | None = None) -> NDArray[Any]:
        """The matrix t with ``i == v @ t`` exactly.

        Parameters
        ----------
        dtype
            float64, or float32 for less time and half the memory at an error of about 1e-6.
        selected
            (n_inputs,) which input lines are selected; all by default.

        Returns
        -------
        numpy.ndarray
            (n_inputs, n_outputs) siemens. Rows of lines that are not selected are 0.

        Raises
        ------
        SpecError
            For cells that are not linear: their currents are no product with a matrix.
        """
        self._require_linear("transconductance")
        kind = checked_dtype(dtype)
        if selected is None:
            t = self._t if kind == np.float64 else self._reduced(self._circuit, kind)
            return self._matrix(t).astype(kind)
        mask = np.asarray(selected)
        if mask.shape != (self.n_inputs,):
            raise SpecError(f"Network: selected has one value for each of the {self.n_inputs} inputs; got {mask.shape}")
        lines = self._expand(mask[None], flip=False)[0].astype(bool)
        return self._matrix(self._reduced(self._selected(lines), kind) * lines[:, None]).astype(kind)

    def currents(self, v: ArrayLike, *, selected: ArrayLike | None = None) -> FloatArray:
        """Output currents, ampere, (..., n_outputs) for input voltages v, volt, (..., n_inputs).

        A few vectors are solved one by one, many by the transconductance; both are exact to about 1e-12 of the largest
        current. ``selected`` (..., n_inputs) tells which lines are selected; by default all of them, or, where
        unselected lines are floating or cut off, those whose voltage is not 0.
        """
        drive, mask, shape = self._checked_drive(v, selected)
        if self.wires.ideal and self.conduction.linear:
            out = product(self._expand(drive), self._t)
        else:
            parts = [self._solved(*group, drive) for group in self._groups(mask)]
            out = parts[0][1] if len(parts) == 1 else np.empty((len(drive), self._n_sensed))
            for chosen, currents in parts if len(parts) > 1 else ():
                out[chosen] = currents
        return self._paired(out).reshape(*shape, self.n_outputs)

    def _solved(
        self, circuit: Circuit, chosen: NDArray[np.intp] | slice, every: bool, drive: FloatArray
    ) -> tuple[NDArray[np.intp] | slice, FloatArray]:
        """Currents of the chosen vectors, which meet the same circuit."""
        taken = self._expand(drive[chosen])
        if self.conduction.linear and len(taken) >= _ENOUGH_FOR_A_MATRIX:
            return chosen, product(taken, self._t if every else self._reduced(circuit, np.dtype(np.float64)))
        currents = solve_currents(circuit, np.ascontiguousarray(circuit.lines.turned_inputs(taken)))
        return chosen, circuit.lines.turned_outputs(currents)

    def node_voltages(self, v: ArrayLike, *, selected: ArrayLike | None = None) -> tuple[FloatArray, FloatArray]:
        """Voltages, volt, on both sides of every cell: word-line and bit-line nodes, (..., n_rows, n_columns) each."""
        solution = self.solve(v, selected=selected)
        return solution.word, solution.bit

    def solve(self, v: ArrayLike, *, selected: ArrayLike | None = None) -> Solution:
        """All node voltages and branch currents, with the evidence that they are right.

        Parameters
        ----------
        v, selected
            As in :meth:`currents`.

        Raises
        ------
        ConvergenceError
            Where the solution misses its tolerance; nothing is returned then.
        """
        drive, mask, shape = self._checked_drive(v, selected)
        n, lines, size = len(drive), self._circuit.lines, self._circuit.g.shape
        currents = np.empty((n, self._n_sensed))
        first, second, through = np.empty((n, *size)), np.empty((n, *size)), np.empty((n, *size))
        along, down = np.empty((n, size[0], size[1] + 1)), np.empty((n, size[0] + 1, size[1]))
        evidence = []
        for circuit, chosen, _ in self._groups(mask):
            found = solve_circuit(circuit, self._taken(drive[chosen]))
            currents[chosen] = lines.turned_outputs(found.currents)
            first[chosen], second[chosen], through[chosen] = found.first, found.second, found.through
            along[chosen], down[chosen] = found.along, found.down
            evidence.append(found.evidence(self.coupling))
        # Lines that are driven or sensed at their other end were taken in reverse, and their currents with them.
        first, second, through = (lines.turned(x) for x in (first, second, through))
        along = lines.columns * lines.turned(along)
        down = lines.rows * lines.turned(down)
        entering = along[:, :, 0] - along[:, :, -1]
        power = (self._expand(drive) * entering).sum(axis=1)
        if self.pairs == "inputs":
            entering = entering[:, 0::2] + entering[:, 1::2]
        word, bit, along, down, through = (
            (first, second, along, down, through)
            if self.inputs == "rows"
            else (x.swapaxes(1, 2) for x in (second, first, down, along, -through))
        )
        return Solution(
            currents=self._paired(currents).reshape(*shape, self.n_outputs),
            word=word.reshape(*shape, *self.g.shape),
            bit=bit.reshape(*shape, *self.g.shape),
            cell_currents=through.reshape(*shape, *self.g.shape),
            word_line_currents=along.reshape(*shape, *along.shape[1:]),
            bit_line_currents=down.reshape(*shape, *down.shape[1:]),
            input_currents=entering.reshape(*shape, self.n_inputs),
            power_watt=power.reshape(shape),
            evidence=worst_evidence(evidence),
        )

    def sensitivity(
        self, v: ArrayLike, outputs: ArrayLike | None = None, *, selected: ArrayLike | None = None
    ) -> FloatArray:
        """How each output current changes with the conductance of each cell, all other cells kept.

        Parameters
        ----------
        v
            (n_inputs,) one drive vector, volt.
        outputs
            Which outputs; all by default. One solution each.
        selected
            As in :meth:`currents`.

        Returns
        -------
        numpy.ndarray
            (n_outputs, n_rows, n_columns) ampere per siemens. Small independent deviations sigma of the cells give
            output j the variance ``((net.sensitivity(v)[j] * sigma) ** 2).sum()``.

        Notes
        -----
        By the adjoint network: with 1 V at output j and the sources at 0 V, cell c sees the voltage u; then
        dI_j / dg_c = u_c di_c / dg_c, where i_c is the cell's current at its voltage in the driven array (Director and
        Rohrer, IEEE Trans. Circuit Theory 16, 1969). Exact, also behind wires and for nonlinear cells.
        """
        drive, mask, shape = self._checked_drive(v, selected)
        if shape:
            raise SpecError(f"Network.sensitivity: one drive vector of {self.n_inputs} voltages; got {shape} of them")
        chosen = np.arange(self.n_outputs) if outputs is None else np.asarray(outputs)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < self.n_outputs)).all():
            raise SpecError(f"Network.sensitivity: outputs are a list of numbers within 0 .. {self.n_outputs - 1}")
        ((circuit, _, _),) = self._groups(mask)
        lines = circuit.lines
        point = solve_circuit(circuit, self._taken(drive))
        by_conductance = circuit.by_conductance(point.first[0] - point.second[0])
        if self.conduction.linear and self.conduction.series_ohm:
            # The circuit holds the cells with their series resistance: dg' / dg = 1 / (1 + R g)^2.
            given = self.g if self.inputs == "rows" else self.g.T
            by_conductance /= (1.0 + self.conduction.series_ohm * lines.turned(given)) ** 2
        if mask is not None and self.unselected == "cut off":
            by_conductance *= lines.turned_inputs(self._expand(mask, flip=False)[0])[:, None] != 0
        # Driven from its outputs, the array has its lines swapped and all indices reversed.
        tangent = np.ascontiguousarray(point.slope[0][::-1, ::-1].T)
        adjoint = Circuit(tangent, lines.mirrored, np.zeros(self._n_sensed, dtype=np.int64))
        unit = np.zeros((len(chosen), self._n_sensed))
        row = np.arange(len(chosen))
        if self.pairs == "outputs":
            unit[row, 2 * chosen], unit[row, 2 * chosen + 1] = 1.0, -1.0
        else:
            unit[row, chosen] = 1.0
        unit = lines.turned_outputs(unit)[:, ::-1]
        field = solve_circuit(adjoint, np.ascontiguousarray(unit))
        across = (field.first - field.second)[:, ::-1, ::-1].swapaxes(1, 2)
        found = lines.turned(across * by_conductance)
        return np.ascontiguousarray(found if self.inputs == "rows" else found.swapaxes(1, 2))

    def with_cells(self, rows: ArrayLike, columns: ArrayLike, g: ArrayLike) -> "Network":
        """The same array with a few cells changed, as after a correcting write or for a stuck cell.

        Parameters
        ----------
        rows, columns
            (k,) indices of the cells.
        g
            (k,) their new conductances, siemens, or one for all.

        Returns
        -------
        Network
            Its transconductance follows from that of this array by a low-rank formula where few cells differ, in the
            time of as many single solutions; otherwise it is reduced anew.
        """
        at = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(g, dtype=np.float64))
        row, column, value = (np.atleast_1d(x) for x in at)
        inside = row.dtype.kind in "iu" and column.dtype.kind in "iu"
        limits = self.g.shape
        if not (inside and ((row >= 0) & (row < limits[0]) & (column >= 0) & (column < limits[1])).all()):
            raise SpecError(f"Network.with_cells: cells have whole-numbered indices within {limits[0]} x {limits[1]}")
        cells = self.g.copy()
        cells[row, column] = value
        changed = Network(
            cells,
            self.wires,
            inputs=self.inputs,
            unselected=self.unselected,
            pairs=self.pairs,
            conduction=self.conduction,
        )
        origin = self._origin or (self.g, self._circuit, lambda: self._t)
        if self.conduction.linear and (origin[0] != cells).sum() <= _MOST_UPDATES:
            changed._origin = origin
        return changed

    def elmore_delay(self, v: ArrayLike | None = None) -> FloatArray:
        """Time constant of each output after a step of all inputs: the first moment of its current.

        Parameters
        ----------
        v
            (n_inputs,) heights of the steps, volt; by default 1 V each, or as much as the law of the cells allows.

        Returns
        -------
        numpy.ndarray
            (n_outputs,) seconds: the integral of what the current still lacks, over its final value (Elmore, J. Appl.
            Phys. 19, 1948), with the capacitances of :class:`WireSpec`; nan where no current flows in the end. Exact
            for any network of resistances and capacitances; for nonlinear cells, of their slopes in the end.
        """
        drive, mask, shape = self._checked_drive(np.full(self.n_inputs, self._most_volt) if v is None else v, None)
        if shape:
            raise SpecError(f"Network.elmore_delay: one drive vector of {self.n_inputs} voltages; got {shape} of them")
        ((circuit, _, _),) = self._groups(mask)
        point = solve_circuit(circuit, self._taken(drive))
        wires = self.wires
        first_farad, second_farad = wires.word_line_farad, wires.bit_line_farad
        if self.inputs == "columns":
            first_farad, second_farad = second_farad, first_farad
        a, b = point.first[0], point.second[0]
        charge = wires.cell_farad * (a - b)
        moment = solve_injected(
            replace(circuit, g=point.slope[0], law=LINEAR), first_farad * a + charge, second_farad * b - charge
        )[2]
        step = self._paired(circuit.lines.turned_outputs(point.currents))[0]
        total = self._paired(circuit.lines.turned_outputs(moment[None]))[0]
        return np.asarray(np.divide(total, step, out=np.full(self.n_outputs, np.nan), where=step != 0.0))

    def settling_time(self, error: float = 0.01, v: ArrayLike | None = None) -> FloatArray:
        """Seconds (n_outputs,) until each output is within ``error`` of its final current, by a single time constant.

        ``ln(1 / error)`` times :meth:`elmore_delay`, 0 where that is negative: a first-order estimate.
        """
        if not 0.0 < error < 1.0:
            raise SpecError(f"Network.settling_time: error is a fraction above 0 and below 1; got {error!r}")
        return np.asarray(np.maximum(np.log(1.0 / error) * self.elmore_delay(v), 0.0))

    def check(self) -> Evidence:
        """Evidence for the transconductance: it is compared with the currents of one vector, solved by iteration.

        Raises
        ------
        ConvergenceError
            Where the two differ by more than 1e-9 of the largest current.
        """
        self._require_linear("check")
        drive = self._most_volt * np.linspace(0.5, 1.0, self.n_inputs)
        solution = self.solve(drive)
        error = np.abs(drive @ self.transconductance() - solution.currents).max()
        if error > 1e-9 * np.abs(solution.currents).max():
            raise ConvergenceError(f"Network: the transconductance and a solved vector differ by {error:.3g} A")
        return solution.evidence

    def to_spice(
        self, v: ArrayLike, *, selected: ArrayLike | None = None, title: str = "crossbar", print_nodes: bool = False
    ) -> str:
        """A netlist of the array with its drive vector (n_inputs,), which ngspice runs in batch mode as it is."""
        drive, mask, shape = self._checked_drive(v, selected)
        if shape:
            raise SpecError(f"Network.to_spice: one drive vector of {self.n_inputs} voltages; got {shape} of them")
        return netlist(
            self.g,
            self.wires,
            self._expand(drive)[0],
            inputs=self.inputs,
            unselected=self.unselected,
            selected=None if mask is None else self._expand(mask, flip=False)[0].astype(bool),
            conduction=self.conduction,
            title=title,
            print_nodes=print_nodes,
        )

    @cached_property
    def _t(self) -> FloatArray:
        if self._origin is None:
            return self._reduced(self._circuit, np.dtype(np.float64))
        _, circuit, known = self._origin
        lines = circuit.lines
        return np.ascontiguousarray(
            lines.turned(updated_transconductance(circuit, lines.turned(known()), self._circuit.g))
        )

    @property
    def _most_volt(self) -> float:
        """1 V, or less where the law of the cells allows only less on all inputs."""
        most = 1.0 if self.conduction.most_volt is None else self.conduction.most_volt
        return min(1.0, most / (2.0 if self.pairs == "inputs" else 1.0))

    @cached_property
    def _rising(self) -> tuple[float, tuple[int, int]]:
        """Voltage up to which the currents of all cells rise, and the cell that is the first to fall."""
        volt = self.conduction.rising_volt(self.g)
        row, column = np.unravel_index(int(np.argmin(volt)), volt.shape)
        return float(volt[row, column]), (int(row), int(column))

    def _check_span(self, drive: FloatArray) -> None:
        """Whether the law of the cells holds for all that a cell can see: no node is outside the span of the sources.

        Raises
        ------
        RangeError
            Where it does not.
        """
        if self.pairs == "inputs":
            span = 2.0 * float(np.abs(drive).max())
        else:
            highest, lowest = drive.max(axis=-1, initial=0.0), drive.min(axis=-1, initial=0.0)
            span = float((highest - lowest).max())
        self.conduction.check_volt(span, "Network: the voltages of the inputs, 0 V included, span")
        volt, (row, column) = self._rising
        if span >= volt:
            raise RangeError(
                f"Network: the voltages of the inputs, 0 V included, span {span:g} V; allowed is less than "
                f"{volt:.4g} V, from which on the cell in row {row}, column {column} ({self.g[row, column]:.4g} S) "
                "conducts less and less by its polynomial, so that its current need not be one number. Read at less, "
                "keep to the conductances at which the law was fitted, or give curves that are 0 elsewhere"
            )

    def _require_linear(self, what: str) -> None:
        if not self.conduction.linear:
            raise SpecError(
                f"Network.{what}: cells of the {self.conduction.law} law have no transconductance, since their current "
                "is not proportional to the voltage; ask for currents(v) or solve(v)"
            )

    def _reduced(self, circuit: Circuit, dtype: np.dtype[Any]) -> NDArray[Any]:
        lines = circuit.lines
        if self.wires.ideal:
            t = circuit.g.astype(dtype)
        else:
            t = reduce_arrays(circuit.g[None], lines, dtype, thread_count())[0]
        return np.ascontiguousarray(lines.turned(t))

    def _paired(self, per_line: NDArray[Any]) -> NDArray[Any]:
        """From the currents of output lines (..., n_sensed) to those of the outputs."""
        if self.pairs == "outputs":
            return np.asarray(per_line[..., 0::2] - per_line[..., 1::2])
        return per_line

    def _matrix(self, t: NDArray[Any]) -> NDArray[Any]:
        """From a matrix of lines to one of inputs and outputs."""
        if self.pairs == "inputs":
            t = t[0::2] - t[1::2]
        return self._paired(t)

    def _expand(self, per_input: NDArray[Any], *, flip: bool = True) -> FloatArray:
        """From one value per input (n, n_inputs) to one per input line; the second line of a pair has the opposite."""
        if self.pairs != "inputs":
            return np.asarray(per_input, dtype=np.float64)
        lines = np.repeat(per_input.astype(np.float64), 2, axis=1)
        if flip:
            lines[:, 1::2] *= -1.0
        return lines

    def _taken(self, drive: FloatArray) -> FloatArray:
        """Voltages of the sources (n, n_lines) in the order of the circuit."""
        return np.ascontiguousarray(self._circuit.lines.turned_inputs(self._expand(drive)))

    def _selected(self, mask: Mask) -> Circuit:
        """The circuit with these of its input lines (n_lines,) selected."""
        circuit = self._circuit
        idle = ~circuit.lines.turned_inputs(mask)
        if self.unselected == "grounded" or not idle.any():
            return circuit
        if self.unselected == "cut off":
            return replace(circuit, g=np.where(idle[:, None], 0.0, circuit.g))
        lines = replace(
            circuit.lines,
            input_near=np.where(idle, circuit.lines.huge_ohm, circuit.lines.input_near),
            input_far=np.where(idle, 0.0, circuit.lines.input_far),
        )
        return replace(circuit, lines=lines, floating=idle.astype(np.int64))

    def _groups(self, mask: Mask | None) -> Iterator[tuple[Circuit, NDArray[np.intp] | slice, bool]]:
        """Vectors that meet the same circuit: (circuit, their places, whether every line is selected)."""
        if mask is None:
            yield self._circuit, slice(None), True
            return
        distinct, which = np.unique(mask, axis=0, return_inverse=True)
        for k, lines in enumerate(self._expand(distinct, flip=False).astype(bool)):
            yield self._selected(lines), np.flatnonzero(which.ravel() == k), bool(lines.all())

    def _checked_drive(
        self, v: ArrayLike, selected: ArrayLike | None
    ) -> tuple[FloatArray, Mask | None, tuple[int, ...]]:
        """Voltages (n, n_inputs), 0 where not selected; the selection, where it matters; the leading axes asked for."""
        drive = np.asarray(v, dtype=np.float64)
        if drive.ndim == 0 or drive.shape[-1] != self.n_inputs:
            each = f"{self.n_inputs} {'pairs of ' if self.pairs == 'inputs' else ''}{self.inputs}"
            raise SpecError(f"Network: one voltage for each of the {each} (the last axis); got shape {drive.shape}")
        # The sum of squares is finite if all are, short of an overflow, and takes a fraction of the time.
        flat = np.ascontiguousarray(drive).ravel()
        with np.errstate(over="ignore"):
            finite = np.isfinite(flat @ flat) or np.isfinite(flat).all()
        if not finite:
            raise SpecError("Network: voltages are finite; got nan or infinity")
        mask = None
        if selected is not None:
            given = np.asarray(selected)
            if given.dtype != bool or given.ndim == 0 or given.shape[-1] != self.n_inputs:
                raise SpecError(
                    f"Network: selected is true or false for each of the {self.n_inputs} inputs (the last axis); got "
                    f"{given.dtype} of shape {given.shape}"
                )
            try:
                drive, mask = np.broadcast_arrays(drive * given, given)
            except ValueError:
                raise SpecError(f"Network: voltages {drive.shape} and selected {given.shape} do not fit") from None
        elif self.unselected != "grounded":
            mask = drive != 0
        if self.conduction.most_volt is not None and drive.size:
            self._check_span(drive)
        if mask is not None:
            mask = None if self.unselected == "grounded" else mask.reshape(-1, self.n_inputs)
        return drive.reshape(-1, self.n_inputs), mask, drive.shape[:-1]
