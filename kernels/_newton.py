"""Newton's method on the cells: slopes and sources in their place, and when it has arrived."""

import numpy as np

from ._jit import fused_table_part, inlined_part
from .circuit import Array, CellTable, StopTable
from .conduction import FORMULA, LINEAR, POLYNOMIAL, SINH, cell_currents, polynomial_currents
from .formula import EVALUATE, LIMIT, formula_currents

__all__ = ["last_step", "linearise", "reach_of", "take_slopes"]


@inlined_part
def reach_of(cells: CellTable, volt: Array, injected: bool) -> float:
    """Parameter of the law; of a polynomial or formula, the voltage beyond which it goes on along its tangent.

    No cell can see more than the span of the potentials that are held: on the way there, either.
    """
    reach = cells.parameter
    if (cells.law == POLYNOMIAL or cells.law == FORMULA) and not injected:
        lowest, highest = 0.0, 0.0
        for i in range(volt.size):
            lowest, highest = min(lowest, volt[i]), max(highest, volt[i])
        reach = min(cells.parameter, highest - lowest)
    return reach


@inlined_part
def take_slopes(
    n_columns: int, cells: CellTable, reach: float, volt: Array, slope: Array, scratch: Array, beside: Array
) -> None:
    """Slopes of the cells for the first step: of the chord of their law at the voltage of the source.

    ``scratch`` holds four numbers for a cell of 1 siemens, or with ``beside`` voltages and currents of a row.
    """
    law, series_ohm = cells.law, cells.series_ohm
    one, across, current, steepness = scratch[0:1], scratch[1:2], scratch[2:3], scratch[3:4]
    one[0] = 1.0
    for i in range(cells.g.shape[0]):
        g_row, d_row = cells.g[i], slope[i]
        if law == FORMULA:
            for j in range(n_columns):
                scratch[j] = min(max(volt[i], -reach), reach)
            v_row, i_row = scratch[:n_columns], beside[:n_columns]
            formula_currents(
                cells.address,
                EVALUATE,
                reach,
                series_ohm,
                cells.polarity,
                cells.figures,
                g_row,
                v_row,
                v_row,
                i_row,
                d_row[:n_columns],
            )
            if v_row[0] != 0.0:
                for j in range(n_columns):
                    d_row[j] = i_row[j] / v_row[j]
            continue
        across[0] = abs(volt[i])
        chord = 1.0
        if law != LINEAR and law != POLYNOMIAL and series_ohm == 0.0 and across[0] > 0.0:
            cell_currents(law, reach, series_ohm, one, across, current, steepness)
            chord = current[0] / across[0]
        if series_ohm > 0.0:
            for j in range(n_columns):
                d_row[j] = g_row[j] / (1.0 + series_ohm * g_row[j])
        elif law == POLYNOMIAL:
            u = min(max(volt[i], -reach), reach)
            p_row, q_row = cells.square[i], cells.cube[i]
            for j in range(n_columns):
                d_row[j] = g_row[j] + u * (p_row[j] + u * q_row[j])
        else:
            for j in range(n_columns):
                d_row[j] = g_row[j] * chord


@fused_table_part
def linearise(
    n_columns: int,
    cells: CellTable,
    reach: float,
    first: bool,
    a: Array,
    b: Array,
    across: Array,
    current: Array,
    slope: Array,
) -> None:
    """Currents and slopes of the cells at their voltages, which stay in ``across``; ``a`` becomes b + across.

    A voltage on a sinh law grows by no more than the logarithm of what Newton's method asks for, since beyond it the
    current would grow without bounds (Nagel, SPICE2, UCB/ERL M520, 1975).
    """
    law, series_ohm = cells.law, cells.series_ohm
    for i in range(cells.g.shape[0]):
        a_row, b_row, v_row = a[i], b[i], across[i]
        g_row = cells.g[i]
        if law == FORMULA:
            for j in range(n_columns):
                a_row[j] -= b_row[j]
            formula_currents(
                cells.address,
                EVALUATE if first else LIMIT,
                reach,
                series_ohm,
                cells.polarity,
                cells.figures,
                g_row,
                a_row[:n_columns],
                v_row[:n_columns],
                current[i, :n_columns],
                slope[i, :n_columns],
            )
            for j in range(n_columns):
                v_row[j] = a_row[j]
                a_row[j] += b_row[j]
            continue
        if law == SINH and not first:
            for j in range(n_columns):
                wanted = a_row[j] - b_row[j]
                grown = (abs(wanted) - abs(v_row[j])) * reach
                if grown > 1.0:
                    wanted = np.copysign(abs(v_row[j]) + np.log1p(grown) / reach, wanted)
                v_row[j] = wanted
                a_row[j] = b_row[j] + wanted
        else:
            for j in range(n_columns):
                v_row[j] = a_row[j] - b_row[j]
        v_row, i_row, d_row = v_row[:n_columns], current[i, :n_columns], slope[i, :n_columns]
        if law == POLYNOMIAL:
            polynomial_currents(reach, series_ohm, g_row, cells.square[i], cells.cube[i], v_row, i_row, d_row)
        else:
            cell_currents(law, reach, series_ohm, g_row, v_row, i_row, d_row)


@inlined_part
def last_step(
    law: int, step: int, iterations: int, energy: float, shift: float, stop: StopTable
) -> tuple[bool, float, float]:
    """Whether this step is the last; the error, relative; and how far to iterate, as a squared energy norm.

    ``energy`` and ``shift`` are the squared energy norms of the solution and of its change in this step.
    """
    error = 0.0 if energy == 0.0 else np.sqrt(shift / energy)
    limit = stop.tolerance * stop.tolerance * energy
    last = True
    if law != LINEAR:
        # The next error is about the square of this one, times how strongly the law bends: most where a polynomial
        # or a formula hardly rises any more.
        after = (1000.0 if law in (POLYNOMIAL, FORMULA) else 10.0) * error * error
        close = step > 0 and after <= stop.tolerance
        last = close or step >= 100 or iterations >= stop.max_iterations
        if step == 0:
            limit = max(limit, 1e-4 * energy)
        elif close:
            error = after
        else:
            forcing = min(0.05, 0.3 * error)
            limit = max(limit, forcing * forcing * shift)
    return last, error, limit
