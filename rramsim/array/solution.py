"""One circuit solved: all node voltages and branch currents, and the evidence that they are right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np

from rramsim.arrays import FloatArray, IntArray
from rramsim.cell.conduction import ConductionSpec, LinearConductionSpec
from rramsim.errors import ConvergenceError
from rramsim.kernels.circuit import CellTable, LineTable, NodeTable, SourceTable, StopTable
from rramsim.kernels.network import PLANES, plane_shape, solve_array
from rramsim.threads import run_slices, scratch, thread_count

from .wires import Lines

__all__ = [
    "LINEAR",
    "STOP",
    "Circuit",
    "CircuitSolution",
    "Evidence",
    "Solution",
    "solve_circuit",
    "solve_currents",
    "solve_injected",
    "worst_evidence",
]


STOP = StopTable(tolerance=2e-13, max_iterations=5000, most_residual=1e-9)
"""When a solution is one: the tolerance keeps the error of a current below 1e-12 of the largest (docs/exactness.md)."""
_NONE = np.empty((0, 0))
"""Injected currents where there are none."""
_NO_NODES = NodeTable(*(np.empty((0, 0, 0)) for _ in NodeTable._fields))
_WORTH_A_THREAD = 100_000
"""Cells times vectors per thread below which starting it costs more than it saves."""

_plane_shape = lru_cache(maxsize=256)(plane_shape)


@dataclass(frozen=True)
class Evidence:
    """What shows that a solution is one.

    Parameters
    ----------
    residual_volt
        The largest violation of Kirchhoff's voltage law on any segment, driver, cell or read circuit, when the currents
        of the lines are summed from those of the cells, so that the current law holds by construction.
    residual
        That violation, relative to the largest voltage of a source.
    power_in_watt, power_out_watt
        Power delivered by the sources, and power turned into heat in cells and lines (sum of V I against sum of I^2 R);
        of the vector where they differ most.
    iterations
        Conjugate-gradient iterations of the slowest vector.
    coupling
        Mean conductance times segment resistance times the square of the cells along a line, the mean of word and bit
        lines: below 0.01 a dense array loses less than 1 % to its wires, above 50 its far cells see hardly any voltage.
    """

    residual_volt: float
    residual: float
    power_in_watt: float
    power_out_watt: float
    iterations: int
    coupling: float

    @property
    def power_error(self) -> float:
        """Difference of the two powers, relative to the larger."""
        largest = max(abs(self.power_in_watt), abs(self.power_out_watt))
        return abs(self.power_in_watt - self.power_out_watt) / largest if largest else 0.0


@dataclass(frozen=True)
class Solution:
    """All voltages and currents of an array, for one or many drive vectors.

    Parameters
    ----------
    currents
        (..., n_outputs) ampere into the virtual grounds; the difference of each pair where outputs are paired.
    word, bit
        (..., n_rows, n_columns) volt on the word-line and the bit-line side of every cell.
    cell_currents
        (..., n_rows, n_columns) ampere from word line to bit line.
    word_line_currents
        (..., n_rows, n_columns + 1) ampere along each word line towards higher columns: the first enters at the near
        end, the last leaves at the far end.
    bit_line_currents
        (..., n_rows + 1, n_columns) ampere along each bit line towards higher rows.
    input_currents
        (..., n_inputs) ampere out of each source, both ends together; of both lines where inputs are paired.
    power_watt
        (...) watt delivered by the sources.
    evidence
        What shows that Kirchhoff's laws hold.
    """

    currents: FloatArray
    word: FloatArray
    bit: FloatArray
    cell_currents: FloatArray
    word_line_currents: FloatArray
    bit_line_currents: FloatArray
    input_currents: FloatArray
    power_watt: FloatArray
    evidence: Evidence


LINEAR = LinearConductionSpec()
"""Cells without a series resistance."""


@dataclass(frozen=True)
class Circuit:
    """What the kernels solve: inputs are rows driven from the left, outputs columns sensed below.

    Parameters
    ----------
    g
        (n_inputs, n_outputs) siemens.
    lines
        Their lines and ends.
    floating
        (n_inputs,) 1 where the source of a line is disconnected, else 0.
    law
        I-V law of the cells; linear cells have their series resistance in ``g``.
    polarity
        1 where the inputs are word lines, -1 where they are bit lines: the law is that of the voltage from the word to
        the bit line.
    """

    g: FloatArray
    lines: Lines
    floating: IntArray
    law: ConductionSpec = LINEAR
    polarity: float = 1.0

    @cached_property
    def cells(self) -> CellTable:
        """The cells and their law as the kernels take them, in this process."""
        return self.law.cell_table(self.g, self.polarity)

    def __getstate__(self) -> dict[str, object]:
        """What goes to another process: no tables, which may hold where functions stand in this one."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def by_conductance(self, across: FloatArray) -> FloatArray:
        """Derivative of the currents of the cells by their conductance, volt, at voltages from input to output line."""
        return self.polarity * self.law.by_conductance(self.g, self.polarity * across)

    @cached_property
    def line_table(self) -> LineTable:
        """The lines and their ends as the kernels take them."""
        lines = self.lines
        return LineTable(
            near=lines.input_near,
            segment=lines.input_segment,
            far=lines.input_far,
            bottom=lines.output_far,
            out_segment=lines.output_segment,
            top=lines.output_near,
            floating=self.floating,
        )


@dataclass(frozen=True)
class CircuitSolution:
    """Solutions of a circuit for n drive vectors, in the order of its lines.

    Parameters
    ----------
    currents
        (n, n_outputs) ampere.
    first, second
        (n, n_inputs, n_outputs) volt on the side of the input and of the output lines.
    through, slope
        (n, n_inputs, n_outputs) currents of the cells, ampere, and their slopes, siemens.
    along, down
        (n, n_inputs, n_outputs + 1) and (n, n_inputs + 1, n_outputs) ampere along the lines.
    checks
        (n, 6) iterations, error estimate, violation of Kirchhoff's voltage law (volt), power of the sources and in the
        resistances (watt), largest voltage of a source.
    """

    currents: FloatArray
    first: FloatArray
    second: FloatArray
    through: FloatArray
    slope: FloatArray
    along: FloatArray
    down: FloatArray
    checks: FloatArray

    def evidence(self, coupling: float) -> Evidence:
        """The worst of the vectors."""
        return _evidence(self.checks, coupling)


def _evidence(checks: FloatArray, coupling: float) -> Evidence:
    if not len(checks):
        return Evidence(0.0, 0.0, 0.0, 0.0, 0, coupling)
    iterations, _, residual, given, heat, volt = checks.T
    worst = int(np.argmax(np.abs(given - heat)))
    relative = residual / np.where(volt > 0.0, volt, 1.0)
    return Evidence(
        float(residual.max()),
        float(relative.max()),
        float(given[worst]),
        float(heat[worst]),
        int(iterations.max()),
        float(coupling),
    )


def worst_evidence(evidence: Sequence[Evidence]) -> Evidence:
    """The worst of several."""
    if not evidence:
        return Evidence(0.0, 0.0, 0.0, 0.0, 0, 0.0)
    power = max(evidence, key=lambda each: abs(each.power_in_watt - each.power_out_watt))
    return Evidence(
        max(each.residual_volt for each in evidence),
        max(each.residual for each in evidence),
        power.power_in_watt,
        power.power_out_watt,
        max(each.iterations for each in evidence),
        evidence[0].coupling,
    )


def solve_currents(circuit: Circuit, drive: FloatArray) -> FloatArray:
    """Output currents (n, n_outputs), ampere, for drive vectors (n, n_inputs), volt.

    Raises
    ------
    ConvergenceError
        Where a vector misses its tolerance.
    """
    currents, checks = np.empty((len(drive), circuit.g.shape[1])), np.empty((len(drive), 6))
    _solve_all(circuit, drive, currents, checks, None)
    return currents


def solve_circuit(circuit: Circuit, drive: FloatArray) -> CircuitSolution:
    """Everything inside a circuit, for drive vectors (n, n_inputs), volt.

    Raises
    ------
    ConvergenceError
        Where a vector misses its tolerance.
    """
    n = len(drive)
    currents, checks, nodes = np.empty((n, circuit.g.shape[1])), np.empty((n, 6)), _node_table(n, circuit)
    _solve_all(circuit, drive, currents, checks, nodes)
    inside = nodes.a, nodes.b, nodes.through, nodes.slope, nodes.along, nodes.down
    return CircuitSolution(currents, *inside, checks)


def _node_table(n: int, circuit: Circuit) -> NodeTable:
    """Room for what is inside the circuit, for n vectors."""
    n_inputs, n_outputs = circuit.g.shape
    a, b, through, slope = (np.empty((n, n_inputs, n_outputs)) for _ in range(4))
    along, down = np.empty((n, n_inputs, n_outputs + 1)), np.empty((n, n_inputs + 1, n_outputs))
    return NodeTable(a, b, through, slope, along, down)


def _solve_all(
    circuit: Circuit, drive: FloatArray, currents: FloatArray, checks: FloatArray, nodes: NodeTable | None
) -> None:
    cells, lines = circuit.cells, circuit.line_table
    missed: list[int] = []

    def solve(start: int, stop: int) -> None:
        here = slice(start, stop)
        inside = _NO_NODES if nodes is None else NodeTable(*(array[here] for array in nodes))
        sources, planes = SourceTable(drive[here], _NONE, _NONE), _planes(*circuit.g.shape)
        missed.append(solve_array(cells, lines, sources, STOP, planes, currents[here], checks[here], inside))

    n = len(drive)
    threads = min(thread_count(), n * circuit.g.size // _WORTH_A_THREAD) if n > 1 else 1
    run_slices(solve, n, max(1, threads))
    if sum(missed):
        raise _not_converged(circuit, checks)


def solve_injected(
    circuit: Circuit, word_source: FloatArray, bit_source: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Node voltages and output currents of linear cells, ampere injected into the nodes, all sources at 0 V.

    Parameters
    ----------
    word_source, bit_source
        (n_inputs, n_outputs) ampere into the nodes of input and output lines.
    """
    n_inputs, n_outputs = circuit.g.shape
    currents, checks, nodes = np.empty((1, n_outputs)), np.empty((1, 6)), _node_table(1, circuit)
    injected = np.ascontiguousarray(word_source), np.ascontiguousarray(bit_source)
    sources = SourceTable(np.zeros((1, n_inputs)), *injected)
    planes = _planes(n_inputs, n_outputs)
    if solve_array(LINEAR.cell_table(circuit.g), circuit.line_table, sources, STOP, planes, currents, checks, nodes):
        raise _not_converged(circuit, checks)
    return nodes.a[0], nodes.b[0], currents[0]


def updated_transconductance(circuit: Circuit, t: FloatArray, g: FloatArray) -> FloatArray:
    """T of an array that differs in a few cells from a circuit of which T is known: T - P (1 / dG + Z)^-1 Q (Woodbury).

    Parameters
    ----------
    circuit, t
        The circuit, and its transconductances (n_inputs, n_outputs) in the order of its lines.
    g
        (n_inputs, n_outputs) conductances of the other array.
    """
    change = g - circuit.g
    rows, columns = np.nonzero(change)
    if not len(rows):
        return t
    response = []
    for i, j in zip(rows, columns, strict=True):
        injected = np.zeros_like(circuit.g)
        injected[i, j] = 1.0
        response.append(solve_injected(circuit, injected, -injected))
    # A unit current through cell c from its input to its output line: what cells, sources and outputs then see.
    z = np.array([(a - b)[rows, columns] for a, b, _ in response])
    p = np.array([-(circuit.g * (a - b)).sum(axis=1) for a, b, _ in response])
    p[np.arange(len(rows)), rows] += 1.0
    q = np.array([current for _, _, current in response])
    return np.asarray(t - p.T @ np.linalg.solve(np.diag(1.0 / change[rows, columns]) + z, q))


def _planes(n_inputs: int, n_outputs: int) -> FloatArray:
    shape = (PLANES, *_plane_shape(n_inputs, n_outputs))
    return scratch(np.dtype(np.float64), math.prod(shape)).reshape(shape)


def _not_converged(circuit: Circuit, checks: FloatArray) -> ConvergenceError:
    n_inputs, n_outputs = circuit.g.shape
    lines = circuit.lines
    squares = lines.input_segment.mean() * n_outputs**2 + lines.output_segment.mean() * n_inputs**2
    evidence = _evidence(checks, circuit.g.mean() * squares / 2)
    error = checks[:, 1].max()
    return ConvergenceError(
        f"the network of {n_inputs} inputs x {n_outputs} outputs missed its tolerance: error {error:.3g} in the energy "
        f"norm ({STOP.tolerance:g} allowed) after {evidence.iterations} iterations, Kirchhoff residual "
        f"{evidence.residual:.3g} of the largest voltage ({STOP.most_residual:g} allowed), power "
        f"{evidence.power_in_watt:.6g} W in and {evidence.power_out_watt:.6g} W out, coupling {evidence.coupling:.3g}; "
        "above a coupling of 50 the lines carry hardly any voltage to the far cells. Check the unit of the "
        "conductances (siemens) and of the wires (ohm)."
    )
