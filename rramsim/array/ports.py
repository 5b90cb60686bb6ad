"""How an array is driven and sensed: which lines are inputs, pairs and selected ones, and which vectors drive them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import BoolArray, FloatArray
from rramsim.cell.conduction import ConductionSpec
from rramsim.errors import SpecError

from .solution import LINEAR, Circuit
from .wires import Inputs, Lines, WireSpec, power_of_four

__all__ = ["DriveVectors", "Pairs", "Ports", "SharedCircuit", "Unselected"]

Unselected = Literal["grounded", "floating", "cut off"]
Pairs = Literal["none", "outputs", "inputs"]


class DriveVectors(NamedTuple):
    """Drive vectors that were checked.

    Parameters
    ----------
    volt
        (n, n_inputs) voltages, 0 where an input is not selected.
    selected
        (n, n_inputs) selected inputs; None: all, or no matter.
    shape
        Leading axes of the vectors as they were given.
    """

    volt: FloatArray
    selected: BoolArray | None
    shape: tuple[int, ...]


class SharedCircuit(NamedTuple):
    """Drive vectors that select the same lines, and thus meet the same circuit.

    Parameters
    ----------
    circuit
        The circuit with these lines selected.
    vectors
        Places of the vectors among all.
    all_selected
        Whether every line is selected.
    """

    circuit: Circuit
    vectors: NDArray[np.intp] | slice
    all_selected: bool


@dataclass(frozen=True)
class Ports:
    """Inputs and outputs of an array, and the lines that belong to each.

    Parameters
    ----------
    n_input_lines, n_output_lines
        Lines that are driven, and lines that are sensed.
    inputs
        "rows": word lines are driven, bit lines sensed; "columns": the other way round.
    unselected
        What becomes of input lines that are not selected: "grounded", "floating" or "cut off".
    pairs
        "outputs": output lines 2k and 2k + 1 are a differential pair; "inputs": input lines 2k and 2k + 1 are driven
        with opposite voltages; "none": every line is a port.
    """

    n_input_lines: int
    n_output_lines: int
    inputs: Inputs
    unselected: Unselected
    pairs: Pairs

    @classmethod
    def of(cls, shape: tuple[int, int], inputs: Inputs, unselected: Unselected, pairs: Pairs) -> "Ports":
        """The ports of an array of this shape (n_rows, n_columns).

        Raises
        ------
        SpecError
            For unknown options, or an odd number of lines to pair.
        """
        _check_option(inputs, Inputs, "inputs")
        _check_option(unselected, Unselected, "unselected")
        _check_option(pairs, Pairs, "pairs")
        n_input_lines, n_output_lines = shape if inputs == "rows" else shape[::-1]
        n_paired = {"none": 0, "outputs": n_output_lines, "inputs": n_input_lines}[pairs]
        if n_paired % 2:
            raise SpecError(f"Network: pairs={pairs!r} takes an even number of lines; got {n_paired}")
        return cls(n_input_lines, n_output_lines, inputs, unselected, pairs)

    @property
    def n_inputs(self) -> int:
        """Voltages that a drive vector has."""
        return self.n_input_lines // (2 if self.pairs == "inputs" else 1)

    @property
    def n_outputs(self) -> int:
        """Currents that come out."""
        return self.n_output_lines // (2 if self.pairs == "outputs" else 1)

    def oriented(self, per_cell: NDArray[Any]) -> NDArray[Any]:
        """A view of (..., n_rows, n_columns) as (..., n_input_lines, n_output_lines), or the other way round."""
        return per_cell if self.inputs == "rows" else per_cell.swapaxes(-1, -2)

    def circuit(self, g: FloatArray, wires: WireSpec, conduction: ConductionSpec) -> Circuit:
        """Cells of these conductances (n_rows, n_columns) behind wires, as a circuit with all of its lines selected."""
        cells, law = self.oriented(g), conduction
        if conduction.linear:
            # A linear law has its series resistance in the cells of the circuit.
            law = LINEAR
            if conduction.series_ohm:
                cells = cells / (1.0 + conduction.series_ohm * cells)
        n_inputs, n_outputs = cells.shape
        lines = Lines.of(wires, n_inputs, n_outputs, self.inputs, power_of_four(float(g.max())))
        cells = np.ascontiguousarray(lines.turned(cells))
        polarity = 1.0 if self.inputs == "rows" else -1.0
        return Circuit(cells, lines, np.zeros(n_inputs, dtype=np.int64), law, polarity)

    def line_volts(self, volt: NDArray[Any]) -> FloatArray:
        """From voltages of inputs (n, n_inputs) to those of input lines (n, n_input_lines)."""
        if self.pairs != "inputs":
            return np.asarray(volt, dtype=np.float64)
        lines = np.repeat(volt.astype(np.float64), 2, axis=1)
        lines[:, 1::2] *= -1.0
        return lines

    def source_volts(self, circuit: Circuit, volt: FloatArray) -> FloatArray:
        """From voltages of inputs (n, n_inputs) to those of the sources of a circuit, in the order of its lines."""
        return np.ascontiguousarray(circuit.lines.turned_inputs(self.line_volts(volt)))

    def selected_lines(self, selected: NDArray[Any]) -> BoolArray:
        """From selected inputs (n, n_inputs) to selected input lines (n, n_input_lines)."""
        mask = np.asarray(selected, dtype=np.bool_)
        return np.repeat(mask, 2, axis=1) if self.pairs == "inputs" else mask

    def output_currents(self, line_currents: NDArray[Any]) -> NDArray[Any]:
        """From currents of output lines (..., n_output_lines) to those of outputs (..., n_outputs)."""
        if self.pairs == "outputs":
            return np.asarray(line_currents[..., 0::2] - line_currents[..., 1::2])
        return line_currents

    def matrix(self, line_matrix: NDArray[Any]) -> NDArray[Any]:
        """From a matrix of lines (n_input_lines, n_output_lines) to one of ports (n_inputs, n_outputs)."""
        if self.pairs == "inputs":
            line_matrix = line_matrix[0::2] - line_matrix[1::2]
        return self.output_currents(line_matrix)

    def selected_circuit(self, circuit: Circuit, selected: BoolArray) -> Circuit:
        """The circuit with these of its input lines (n_input_lines,) selected."""
        lines = circuit.lines
        idle = ~lines.turned_inputs(selected)
        if self.unselected == "grounded" or not idle.any():
            return circuit
        if self.unselected == "cut off":
            return replace(circuit, g=np.where(idle[:, None], 0.0, circuit.g))
        disconnected = replace(
            lines,
            input_near=np.where(idle, lines.huge_ohm, lines.input_near),
            input_far=np.where(idle, 0.0, lines.input_far),
        )
        return replace(circuit, lines=disconnected, floating=idle.astype(np.int64))

    def circuits(self, circuit: Circuit, selected: BoolArray | None) -> Iterator[SharedCircuit]:
        """The circuits that drive vectors with these selections (n, n_inputs) meet."""
        if selected is None:
            yield SharedCircuit(circuit, slice(None), True)
            return
        distinct, which = np.unique(selected, axis=0, return_inverse=True)
        for k, lines in enumerate(self.selected_lines(distinct)):
            vectors = np.flatnonzero(which.ravel() == k)
            yield SharedCircuit(self.selected_circuit(circuit, lines), vectors, bool(lines.all()))

    def checked_drive(self, v: ArrayLike, selected: ArrayLike | None) -> DriveVectors:
        """Drive vectors v (..., n_inputs), volt, and their selections.

        Without a selection, all lines are selected where the others would be grounded, else those whose voltage is
        not 0.

        Raises
        ------
        SpecError
            For voltages or selections of another shape or type, or voltages that are not finite.
        """
        volt = np.asarray(v, dtype=np.float64)
        if volt.ndim == 0 or volt.shape[-1] != self.n_inputs:
            ports = f"{self.n_inputs} {'pairs of ' if self.pairs == 'inputs' else ''}{self.inputs}"
            raise SpecError(f"Network: one voltage for each of the {ports} (the last axis); got shape {volt.shape}")
        _check_finite(volt)
        mask = None
        if selected is not None:
            volt, mask = self._checked_selection(volt, np.asarray(selected))
        elif self.unselected != "grounded":
            mask = volt != 0
        if mask is not None:
            mask = None if self.unselected == "grounded" else mask.reshape(-1, self.n_inputs)
        return DriveVectors(volt.reshape(-1, self.n_inputs), mask, volt.shape[:-1])

    def _checked_selection(self, volt: FloatArray, selected: NDArray[Any]) -> tuple[FloatArray, BoolArray]:
        """Voltages of the selected inputs, 0 elsewhere, and the selection, in one shape."""
        if selected.dtype != bool or selected.ndim == 0 or selected.shape[-1] != self.n_inputs:
            raise SpecError(
                f"Network: selected is true or false for each of the {self.n_inputs} inputs (the last axis); got "
                f"{selected.dtype} of shape {selected.shape}"
            )
        try:
            chosen, mask = np.broadcast_arrays(volt * selected, selected)
        except ValueError:
            raise SpecError(f"Network: voltages {volt.shape} and selected {selected.shape} do not fit") from None
        return chosen, mask


def _check_option(value: str, kind: Any, key: str) -> None:
    if value not in get_args(kind):
        raise SpecError(f"Network: {key} is one of {', '.join(map(repr, get_args(kind)))}; got {value!r}")


def _check_finite(volt: FloatArray) -> None:
    # The sum of squares is finite if all are, short of an overflow, and takes a fraction of the time.
    flat = np.ascontiguousarray(volt).ravel()
    with np.errstate(over="ignore"):
        finite = np.isfinite(flat @ flat) or np.isfinite(flat).all()
    if not finite:
        raise SpecError("Network: voltages are finite; got nan or infinity")
