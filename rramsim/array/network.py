"""Word and bit lines as a resistive network, solved exactly."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.cell.conduction import ConductionSpec
from rramsim.errors import ConvergenceError, SpecError

from .adjoint import elmore_delay, sensitivity, settling_time
from .currents import line_currents
from .limits import DriveLimit
from .matrix import LineMatrix, changed_cells
from .netlist import netlist
from .operating_point import operating_point
from .ports import DriveVectors, Pairs, Ports, Unselected
from .reduction import checked_conductance, checked_dtype, transconductances
from .solution import LINEAR, Evidence, Solution
from .wires import Inputs, WireSpec

__all__ = ["Evidence", "Network", "NodeVoltages", "Solution", "WireSpec", "transconductances"]


class NodeVoltages(NamedTuple):
    """Voltages on both sides of every cell, volt, (..., n_rows, n_columns) each."""

    word: FloatArray
    bit: FloatArray


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
        self._ports = Ports.of(self.g.shape, inputs, unselected, pairs)
        self.wires = wires or WireSpec()
        self.inputs, self.unselected, self.pairs = inputs, unselected, pairs
        self.conduction = conduction or LINEAR
        self._limit = DriveLimit(self.g, self.conduction, pairs == "inputs")
        self._circuit = self._ports.circuit(self.g, self.wires, self.conduction)
        self._matrix = LineMatrix(self.g, self._circuit, self.wires.ideal)

    @property
    def n_inputs(self) -> int:
        """Voltages that a drive vector has."""
        return self._ports.n_inputs

    @property
    def n_outputs(self) -> int:
        """Currents that come out."""
        return self._ports.n_outputs

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
            t = self._matrix.double if kind == np.float64 else self._matrix.reduced(kind)
            return self._ports.matrix(t).astype(kind)
        mask = np.asarray(selected)
        if mask.shape != (self.n_inputs,):
            raise SpecError(f"Network: selected has one value for each of the {self.n_inputs} inputs; got {mask.shape}")
        lines = self._ports.selected_lines(mask[None])[0]
        t = self._matrix.reduced(kind, self._ports.selected_circuit(self._circuit, lines))
        return self._ports.matrix(t * lines[:, None]).astype(kind)

    def currents(self, v: ArrayLike, *, selected: ArrayLike | None = None) -> FloatArray:
        """Output currents, ampere, (..., n_outputs) for input voltages v, volt, (..., n_inputs).

        A few vectors are solved one by one, many by the transconductance; both are exact to about 1e-12 of the largest
        current. ``selected`` (..., n_inputs) tells which lines are selected; by default all of them, or, where
        unselected lines are floating or cut off, those whose voltage is not 0.
        """
        drive = self._checked_drive(v, selected)
        currents = self._ports.output_currents(line_currents(self._matrix, self._ports, drive))
        return currents.reshape(*drive.shape, self.n_outputs)

    def node_voltages(self, v: ArrayLike, *, selected: ArrayLike | None = None) -> NodeVoltages:
        """Voltages, volt, on both sides of every cell: word-line and bit-line nodes, (..., n_rows, n_columns) each."""
        solution = self.solve(v, selected=selected)
        return NodeVoltages(solution.word, solution.bit)

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
        return operating_point(self._circuit, self._ports, self._checked_drive(v, selected), self.coupling)

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
        drive = self._checked_vector(v, selected, "sensitivity")
        numbers = np.arange(self.n_outputs) if outputs is None else np.asarray(outputs)
        whole = numbers.ndim == 1 and numbers.dtype.kind in "iu"
        if not whole or not ((numbers >= 0) & (numbers < self.n_outputs)).all():
            raise SpecError(f"Network.sensitivity: outputs are a list of numbers within 0 .. {self.n_outputs - 1}")
        series_ohm = self.conduction.series_ohm if self.conduction.linear else 0.0
        factor = 1.0 + series_ohm * self.g if series_ohm else None
        return sensitivity(self._circuit, self._ports, drive, numbers, series_factor=factor)

    def with_cells(self, rows: ArrayLike, columns: ArrayLike, g: ArrayLike) -> "Network":
        """The array with a few cells changed, as after a correcting write or for a stuck cell.

        Parameters
        ----------
        rows, columns
            (k,) indices of the cells.
        g
            (k,) their new conductances, siemens, or one for all.

        Returns
        -------
        Network
            The changed array. Where few cells differ, its transconductance follows from that of this array by a
            low-rank formula, in the time of as many single solutions; otherwise it is reduced anew.
        """
        cells = changed_cells(self.g, rows, columns, g)
        changed = Network(
            cells,
            self.wires,
            inputs=self.inputs,
            unselected=self.unselected,
            pairs=self.pairs,
            conduction=self.conduction,
        )
        if self.conduction.linear:
            changed._matrix = self._matrix.changed(changed.g, changed._circuit)
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
        steps = np.full(self.n_inputs, self._limit.unit_volt) if v is None else v
        drive = self._checked_vector(steps, None, "elmore_delay")
        return elmore_delay(self._circuit, self._ports, drive, self.wires)

    def settling_time(self, error: float = 0.01, v: ArrayLike | None = None) -> FloatArray:
        """Seconds (n_outputs,) until each output is within ``error`` of its final current, by a single time constant.

        ``ln(1 / error)`` times :meth:`elmore_delay`, 0 where that is negative: a first-order estimate.
        """
        if not 0.0 < error < 1.0:
            raise SpecError(f"Network.settling_time: error is a fraction above 0 and below 1; got {error!r}")
        return settling_time(self.elmore_delay(v), error)

    def check(self) -> Evidence:
        """Evidence for the transconductance: it is compared with the currents of one vector, solved by iteration.

        Raises
        ------
        ConvergenceError
            Where the two differ by more than 1e-9 of the largest current.
        """
        self._require_linear("check")
        drive = self._limit.unit_volt * np.linspace(0.5, 1.0, self.n_inputs)
        solution = self.solve(drive)
        error = np.abs(drive @ self.transconductance() - solution.currents).max()
        if error > 1e-9 * np.abs(solution.currents).max():
            raise ConvergenceError(f"Network: the transconductance and a solved vector differ by {error:.3g} A")
        return solution.evidence

    def to_spice(
        self, v: ArrayLike, *, selected: ArrayLike | None = None, title: str = "crossbar", print_nodes: bool = False
    ) -> str:
        """A netlist of the array with its drive vector (n_inputs,), which ngspice runs in batch mode as it is."""
        drive, ports = self._checked_vector(v, selected, "to_spice"), self._ports
        return netlist(
            self.g,
            self.wires,
            ports.line_volts(drive.volt)[0],
            inputs=self.inputs,
            unselected=self.unselected,
            selected=None if drive.selected is None else ports.selected_lines(drive.selected)[0],
            conduction=self.conduction,
            title=title,
            print_nodes=print_nodes,
        )

    def _require_linear(self, method: str) -> None:
        if not self.conduction.linear:
            raise SpecError(
                f"Network.{method}: cells of the {self.conduction.law} law have no transconductance, since their "
                "current is not proportional to the voltage; ask for currents(v) or solve(v)"
            )

    def _checked_drive(self, v: ArrayLike, selected: ArrayLike | None) -> DriveVectors:
        """Drive vectors that fit to the inputs, and for which the law of the cells holds."""
        drive = self._ports.checked_drive(v, selected)
        self._limit.check(drive.volt)
        return drive

    def _checked_vector(self, v: ArrayLike, selected: ArrayLike | None, method: str) -> DriveVectors:
        """A single drive vector that fits, for a method that takes no more."""
        drive = self._checked_drive(v, selected)
        if drive.shape:
            raise SpecError(
                f"Network.{method}: one drive vector of {self.n_inputs} voltages; got {drive.shape} of them"
            )
        return drive
