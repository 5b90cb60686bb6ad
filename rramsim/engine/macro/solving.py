"""Column currents of one array, solved for single pulses: of curved cells, or of cells with noise of their own."""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from rramsim.array.network import Network
from rramsim.array.reduction import transconductances
from rramsim.arrays import FloatArray
from rramsim.threads import product

from .design import MacroDesign
from .held import HeldMatrix

__all__ = ["NewtonCost", "column_siemens", "newton_cost"]


class NewtonCost(NamedTuple):
    """Nonlinear solutions that some input vectors take, and the seconds they will take on one thread."""

    n_solutions: int
    second: float


def newton_cost(macro: HeldMatrix, n_vectors: int) -> NewtonCost:
    """What ``n_vectors`` input vectors will take with ``nonlinear="newton"``; one solution is timed for it."""
    spec, array = macro.spec, macro.rows[0].arrays[0]
    g = np.ascontiguousarray(array.cells.conductance().reshape(-1, *array.g.shape[-2:])[0])
    drive = (np.arange(len(g)) + 1) % 2 * float(spec.dac.largest_level)
    second = np.inf
    for _ in range(2):  # the first may compile
        start = perf_counter()
        column_siemens(spec, g, drive[None].astype(np.float64))
        second = min(second, perf_counter() - start)
    lengths = spec.dac.largest_level if spec.dac.coding == "pulse width" else 1
    number = n_vectors * len(macro.pulse_weights) * lengths * macro.n_tiles * macro.n_matrices
    number *= 1 + spec.has_unit_column  # unit columns are solved for apart
    return NewtonCost(number, number * second)


def column_siemens(spec: MacroDesign, g: FloatArray, drive: FloatArray) -> FloatArray:
    """Column currents over the voltage of one level, from cells and wires as they are.

    Parameters
    ----------
    spec
        Wires, I-V law, and coding of the drivers.
    g
        (n_rows, n_columns) conductances at small voltage, siemens.
    drive
        (n, n_rows) levels of the drivers.

    Returns
    -------
    numpy.ndarray
        (n, n_columns) siemens.
    """
    conduction, volt = spec.device.conduction, spec.read_volt
    wires = spec.wires.beside_cells(spec.device.temperature.kelvin)
    if spec.device.ohmic:
        return product(drive, transconductances(g, wires))
    if spec.nonlinear == "chord":
        return product(drive, transconductances(conduction.current(g, volt) / volt, wires))
    network = Network(g, wires, conduction=conduction)
    if spec.dac.coding == "amplitude":
        return network.currents(drive * spec.step_volt) / spec.step_volt
    # Pulses of one height and of many lengths: the rows that are still on, from one end of a pulse to the next.
    total = np.zeros((len(drive), g.shape[1]))
    for number, lengths in enumerate(np.abs(drive)):
        ends = np.unique(lengths[lengths > 0])
        still_on = np.sign(drive[number]) * (lengths >= ends[:, None]) * volt
        if ends.size:
            total[number] = np.diff(ends, prepend=0.0) @ network.currents(still_on) / volt
    return total
