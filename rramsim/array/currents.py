"""Currents of the output lines: one solution for each of a few drive vectors, a product with the matrix for many."""

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.threads import product

from .matrix import LineMatrix
from .ports import DriveVectors, Ports, SharedCircuit
from .solution import solve_currents

__all__ = ["line_currents"]

_ENOUGH_FOR_A_MATRIX = 14
"""Vectors from which the reduction is faster than one solution each, at any size; fixed, so that bits are fixed."""


def line_currents(matrix: LineMatrix, ports: Ports, drive: DriveVectors) -> FloatArray:
    """Currents of all output lines, ampere, (n, n_output_lines).

    Parameters
    ----------
    matrix
        The array as a circuit, and its transconductances where they are worth their while.
    ports
        Inputs and outputs of the array.
    drive
        Drive vectors.

    Raises
    ------
    ConvergenceError
        Where a vector misses its tolerance.
    """
    if matrix.ideal and matrix.circuit.law.linear:
        return product(ports.line_volts(drive.volt), matrix.double)
    circuits = list(ports.circuits(matrix.circuit, drive.selected))
    parts = [_currents_of_circuit(matrix, ports, each, drive.volt[each.vectors]) for each in circuits]
    if len(parts) == 1:
        return parts[0]
    currents = np.empty((len(drive.volt), ports.n_output_lines))
    for each, part in zip(circuits, parts, strict=True):
        currents[each.vectors] = part
    return currents


def _currents_of_circuit(matrix: LineMatrix, ports: Ports, shared: SharedCircuit, volt: FloatArray) -> FloatArray:
    """Currents of the output lines for drive vectors that meet one circuit."""
    circuit = shared.circuit
    if circuit.law.linear and len(volt) >= _ENOUGH_FOR_A_MATRIX:
        t = matrix.double if shared.all_selected else matrix.reduced(np.dtype(np.float64), circuit)
        return product(ports.line_volts(volt), t)
    return circuit.lines.turned_outputs(solve_currents(circuit, ports.source_volts(circuit, volt)))
