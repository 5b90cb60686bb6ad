"""The operating point of an array: all its voltages and currents, put together from the circuits that were solved."""

import numpy as np

from rramsim.arrays import FloatArray

from .ports import DriveVectors, Ports
from .solution import Circuit, Solution, solve_circuit, worst_evidence

__all__ = ["operating_point"]


def operating_point(circuit: Circuit, ports: Ports, drive: DriveVectors, coupling: float) -> Solution:
    """Solve an array for its drive vectors.

    Parameters
    ----------
    circuit
        The array as a circuit, all of its lines selected.
    ports
        Inputs and outputs of the array.
    drive
        Drive vectors.
    coupling
        Strength of the wires, for the evidence.

    Returns
    -------
    Solution
        In the order of the array, with the leading axes of the drive vectors.

    Raises
    ------
    ConvergenceError
        Where a vector misses its tolerance.
    """
    n, lines, (n_first, n_second) = len(drive.volt), circuit.lines, circuit.g.shape
    currents = np.empty((n, n_second))
    first, second, through = (np.empty((n, n_first, n_second)) for _ in range(3))
    along, down = np.empty((n, n_first, n_second + 1)), np.empty((n, n_first + 1, n_second))
    evidence = []
    for shared in ports.circuits(circuit, drive.selected):
        chosen = shared.vectors
        solved = solve_circuit(shared.circuit, ports.source_volts(circuit, drive.volt[chosen]))
        currents[chosen] = lines.turned_outputs(solved.currents)
        first[chosen], second[chosen], through[chosen] = solved.first, solved.second, solved.through
        along[chosen], down[chosen] = solved.along, solved.down
        evidence.append(solved.evidence(coupling))
    # Lines that are driven or sensed at their other end were taken in reverse, and their currents with them.
    first, second, through = (lines.turned(x) for x in (first, second, through))
    along, down = lines.columns * lines.turned(along), lines.rows * lines.turned(down)
    entering = along[:, :, 0] - along[:, :, -1]
    power = (ports.line_volts(drive.volt) * entering).sum(axis=1)
    if ports.pairs == "inputs":
        entering = entering[:, 0::2] + entering[:, 1::2]
    if ports.inputs == "columns":
        first, second, along, down, through = (ports.oriented(x) for x in (second, first, down, along, -through))

    def shaped(values: FloatArray) -> FloatArray:
        return values.reshape((*drive.shape, *values.shape[1:]))

    return Solution(
        currents=shaped(ports.output_currents(currents)),
        word=shaped(first),
        bit=shaped(second),
        cell_currents=shaped(through),
        word_line_currents=shaped(along),
        bit_line_currents=shaped(down),
        input_currents=shaped(entering),
        power_watt=shaped(power),
        evidence=worst_evidence(evidence),
    )
