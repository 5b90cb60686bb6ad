"""What follows from one more linear solution of a driven array: sensitivities, and time constants of the outputs."""

from dataclasses import replace

import numpy as np

from rramsim.arrays import FloatArray, IntArray

from .ports import DriveVectors, Ports
from .solution import LINEAR, Circuit, solve_circuit, solve_injected
from .wires import WireSpec

__all__ = ["elmore_delay", "sensitivity", "settling_time"]


def sensitivity(
    circuit: Circuit, ports: Ports, drive: DriveVectors, outputs: IntArray, *, series_factor: FloatArray | None = None
) -> FloatArray:
    """How output currents change with the conductance of each cell, by the adjoint network (see ``Network``).

    Parameters
    ----------
    circuit
        The array as a circuit, all of its lines selected.
    ports
        Inputs and outputs of the array.
    drive
        One drive vector.
    outputs
        (k,) numbers of the outputs.
    series_factor
        (n_rows, n_columns) 1 + R g of cells whose series resistance R the circuit holds in their conductances; None:
        there is none.

    Returns
    -------
    numpy.ndarray
        (k, n_rows, n_columns) ampere per siemens.
    """
    ((selected_circuit, _, _),) = ports.circuits(circuit, drive.selected)
    lines = selected_circuit.lines
    point = solve_circuit(selected_circuit, ports.source_volts(circuit, drive.volt))
    by_conductance = selected_circuit.by_conductance(point.first[0] - point.second[0])
    if series_factor is not None:
        # Of g' = g / (1 + R g), which the circuit holds: dg' / dg = 1 / (1 + R g)^2.
        by_conductance /= lines.turned(ports.oriented(series_factor)) ** 2
    if drive.selected is not None and ports.unselected == "cut off":
        by_conductance *= lines.turned_inputs(ports.selected_lines(drive.selected)[0])[:, None]
    # Driven from its outputs, the array has its lines swapped and all indices reversed.
    tangent = np.ascontiguousarray(point.slope[0][::-1, ::-1].T)
    adjoint = Circuit(tangent, lines.mirrored, np.zeros(ports.n_output_lines, dtype=np.int64))
    unit = lines.turned_outputs(_unit_volts(ports, outputs))[:, ::-1]
    field = solve_circuit(adjoint, np.ascontiguousarray(unit))
    across = (field.first - field.second)[:, ::-1, ::-1].swapaxes(1, 2)
    return np.ascontiguousarray(ports.oriented(lines.turned(across * by_conductance)))


def _unit_volts(ports: Ports, outputs: IntArray) -> FloatArray:
    """(k, n_output_lines) 1 V at each of the outputs, in a vector of its own."""
    unit, vector = np.zeros((len(outputs), ports.n_output_lines)), np.arange(len(outputs))
    if ports.pairs == "outputs":
        unit[vector, 2 * outputs], unit[vector, 2 * outputs + 1] = 1.0, -1.0
    else:
        unit[vector, outputs] = 1.0
    return unit


def elmore_delay(circuit: Circuit, ports: Ports, drive: DriveVectors, wires: WireSpec) -> FloatArray:
    """First moments of the output currents after a step of all inputs, over their final values: (n_outputs,) seconds.

    Parameters
    ----------
    circuit
        The array as a circuit, all of its lines selected.
    ports
        Inputs and outputs of the array.
    drive
        One drive vector: the heights of the steps.
    wires
        Capacitances of lines and cells.
    """
    ((selected_circuit, _, _),) = ports.circuits(circuit, drive.selected)
    point = solve_circuit(selected_circuit, ports.source_volts(circuit, drive.volt))
    input_farad, output_farad = wires.word_line_farad, wires.bit_line_farad
    if ports.inputs == "columns":
        input_farad, output_farad = output_farad, input_farad
    first, second = point.first[0], point.second[0]
    cell_charge = wires.cell_farad * (first - second)
    tangent = replace(selected_circuit, g=point.slope[0], law=LINEAR)
    moment = solve_injected(tangent, input_farad * first + cell_charge, output_farad * second - cell_charge)[2]
    step, total = (
        ports.output_currents(circuit.lines.turned_outputs(each))[0] for each in (point.currents, moment[None])
    )
    return np.asarray(np.divide(total, step, out=np.full(ports.n_outputs, np.nan), where=step != 0.0))


def settling_time(delay_second: FloatArray, error: float) -> FloatArray:
    """Seconds until an output of this delay is within ``error`` of its final current, by a single time constant."""
    return np.asarray(np.maximum(np.log(1.0 / error) * delay_second, 0.0))
