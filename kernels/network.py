"""Node voltages of a resistive crossbar: conjugate gradients preconditioned by whole lines, exact to rounding.

The network is that of :mod:`rramsim.kernels.circuit`. Every formula is written without a subtraction, so that zero
resistances are exact and nothing cancels. The unknowns are the voltages ``a``; the lines of ``b`` are eliminated
exactly (a ladder each) and the ladders of ``a`` precondition.

A matrix of M x N cells is stored in a plane with room to spare (``plane_shape``). Loops touch few arrays at a time, so
that LLVM vectorises them.
"""

from typing import NamedTuple

import numpy as np

from ._gradients import IterateTable, iterate
from ._jit import fused_table_kernel, fused_table_part, inlined_part
from ._ladders import dot, drive_inputs, factor_lines, finish_outputs, pass_down, pass_up, solve_inputs
from ._newton import last_step, linearise, reach_of, take_slopes
from .circuit import Array, CellTable, LineTable, NodeTable, SourceTable, StopTable
from .conduction import LINEAR
from .verify import verify

__all__ = ["PLANES", "plane_shape", "smallest", "solve_array"]

PLANES = 13
"""Planes that a solution works in."""


def plane_shape(n_rows: int, n_columns: int) -> tuple[int, int]:
    """Rows of a plane and numbers from row to row, at least ``n_rows + 1`` and ``n_columns + 1``.

    Rows are an odd number of cache lines apart, and planes a few lines beyond a multiple of a page: addresses a page
    apart share one set of the cache.
    """
    lines = (n_columns + 8) // 8 | 1
    rows = n_rows + 1
    while not 5 <= rows * lines % 64 <= 12:
        rows += 1
    return rows, 8 * lines


class _StepTable(NamedTuple):
    """Rows (M, N) of a step of Newton's method besides those of the iteration.

    Slopes of the cells; voltage ratios along input and output lines; voltages of the last step on either side of the
    cells and across them; currents of the cells.
    """

    slope: Array
    word: Array
    bit: Array
    a_last: Array
    b_last: Array
    across: Array
    current: Array


@inlined_part
def _tables(planes: Array, n_rows: int) -> tuple[_StepTable, IterateTable]:
    """The planes by what they hold."""
    table = _StepTable(
        planes[0, :n_rows],
        planes[1, :n_rows],
        planes[2, :n_rows],
        planes[9, :n_rows],
        planes[10, :n_rows],
        planes[12, :n_rows],
        planes[11, :n_rows],
    )
    rows = IterateTable(
        planes[3, :n_rows],
        planes[4, :n_rows],
        planes[5, :n_rows],
        planes[6, :n_rows],
        planes[7, :n_rows],
        planes[8, :n_rows],
    )
    return table, rows


@inlined_part
def _start_inputs(
    n_columns: int,
    step: int,
    injected: bool,
    volt: Array,
    lines: LineTable,
    sources: SourceTable,
    table: _StepTable,
    rows: IterateTable,
) -> None:
    """Voltages of the input lines alone: driven from their ends, into ``x``, and fed by their cells, into ``z``."""
    drive_inputs(n_columns, volt, table.word, lines.near, lines.segment, lines.far, rows.x)
    if step > 0 or injected:
        for i in range(volt.size):
            r_row, d_row, i_row, a_row = rows.r[i], table.slope[i], table.current[i], table.a_last[i]
            for j in range(n_columns):
                r_row[j] = d_row[j] * a_row[j] - i_row[j] if step > 0 else 0.0
            if injected:
                for j in range(n_columns):
                    r_row[j] += sources.input_ampere[i, j]
        solve_inputs(n_columns, rows.r, table.word, lines.near, lines.segment, 0.0, rows.z)


@inlined_part
def _start_outputs(
    n_columns: int,
    step: int,
    injected: bool,
    lines: LineTable,
    sources: SourceTable,
    table: _StepTable,
    rows: IterateTable,
) -> tuple[float, float]:
    """Voltages of the output lines under those of the input lines, and what the cells then lack, into ``r``.

    Returns the squared energy norms of the solution and of its change in this step.
    """
    n_rows = rows.x.shape[0]
    energy = 0.0
    shift = 0.0
    for i in range(n_rows):
        x_row, u_row, d_row = rows.x[i], rows.u[i], table.slope[i]
        if step > 0 or injected:
            z_row = rows.z[i]
            for j in range(n_columns):
                x_row[j] += z_row[j]
        for j in range(n_columns):
            u_row[j] = d_row[j] * x_row[j]
        energy += dot(n_columns, u_row, x_row)
        if step > 0:
            i_row, a_row, b_row = table.current[i], table.a_last[i], table.b_last[i]
            for j in range(n_columns):
                shift += d_row[j] * (x_row[j] - a_row[j]) * (x_row[j] - a_row[j])
                u_row[j] = i_row[j] + d_row[j] * (b_row[j] - a_row[j] + x_row[j])
        if injected:
            for j in range(n_columns):
                u_row[j] += sources.output_ampere[i, j]
        pass_down(n_columns, i, table.bit, rows.u)
    for i in range(n_rows - 1, -1, -1):
        pass_up(n_columns, i, table.bit, lines.out_segment, lines.bottom, rows.u)
        r_row, u_row, d_row = rows.r[i], rows.u[i], table.slope[i]
        for j in range(n_columns):
            r_row[j] = d_row[j] * u_row[j]
        if injected:
            energy += dot(n_columns, r_row, u_row)
        if step > 0:
            b_row = table.b_last[i]
            for j in range(n_columns):
                r_row[j] = d_row[j] * (u_row[j] - b_row[j])
                shift += r_row[j] * (u_row[j] - b_row[j])
    return energy, shift


@inlined_part
def _end_outputs(
    n_columns: int,
    step: int,
    injected: bool,
    lines: LineTable,
    sources: SourceTable,
    table: _StepTable,
    rows: IterateTable,
    currents: Array,
) -> None:
    """At the voltages ``x`` of the input lines: those of the output lines, into ``u``, and the currents out of them."""
    for i in range(rows.x.shape[0]):
        x_row, u_row, d_row = rows.x[i], rows.u[i], table.slope[i]
        for j in range(n_columns):
            u_row[j] = d_row[j] * x_row[j]
        if step > 0:
            i_row, a_row, b_row = table.current[i], table.a_last[i], table.b_last[i]
            for j in range(n_columns):
                u_row[j] += i_row[j] + d_row[j] * (b_row[j] - a_row[j])
        if injected:
            for j in range(n_columns):
                u_row[j] += sources.output_ampere[i, j]
        pass_down(n_columns, i, table.bit, rows.u)
    finish_outputs(n_columns, table.bit, lines, rows.u, currents)


@inlined_part
def _settle(n_columns: int, cells: CellTable, reach: float, table: _StepTable, rows: IterateTable) -> None:
    """Currents of the cells at the voltages of the solution, into ``p``, and the slopes of their law there."""
    if cells.law != LINEAR:
        linearise(n_columns, cells, reach, True, rows.x, rows.u, table.across, rows.p, table.slope)
    else:
        for i in range(cells.g.shape[0]):
            i_row, x_row, u_row, d_row = rows.p[i], rows.x[i], rows.u[i], table.slope[i]
            for j in range(n_columns):
                i_row[j] = d_row[j] * (x_row[j] - u_row[j])


@inlined_part
def _solve_vector(
    n_columns: int,
    volt: Array,
    fresh: bool,
    contraction: float,
    cells: CellTable,
    lines: LineTable,
    sources: SourceTable,
    stop: StopTable,
    table: _StepTable,
    rows: IterateTable,
    scratch: Array,
    currents: Array,
) -> tuple[int, float, float]:
    """One vector, step by step of Newton's method, of which linear cells need one; its voltages stay in the tables.

    Linear cells keep their factors, and ``contraction``, from vector to vector; at the first, ``fresh`` asks for them.
    Returns the iterations, the error, and the contraction.
    """
    slope, word, bit = table.slope, table.word, table.bit
    injected = sources.input_ampere.shape[0] > 0
    newton = cells.law != LINEAR
    reach = reach_of(cells, volt, injected)
    total, step, error, last = 0, 0, np.inf, False
    while not last:
        if step > 0:
            linearise(
                n_columns, cells, reach, step == 1, table.a_last, table.b_last, table.across, table.current, slope
            )
        elif fresh or newton:
            take_slopes(n_columns, cells, reach, volt, slope, scratch[0], scratch[1])
        if step > 0 or fresh or newton:
            contraction = factor_lines(n_columns, slope, lines, word, bit)
        _start_inputs(n_columns, step, injected, volt, lines, sources, table, rows)
        energy, shift = _start_outputs(n_columns, step, injected, lines, sources, table, rows)
        last, error, limit = last_step(cells.law, step, total, energy, shift, stop)
        iterations, rz = iterate(
            n_columns, slope, lines, word, bit, limit, contraction, stop.max_iterations, rows, scratch[0], scratch[1]
        )
        total += iterations
        if not newton:
            error = 0.0 if energy == 0.0 else np.sqrt(rz / energy)
        _end_outputs(n_columns, step, injected, lines, sources, table, rows, currents)
        if newton:
            _copy(n_columns, rows.x, table.a_last)
            _copy(n_columns, rows.u, table.b_last)
        step += 1
    _settle(n_columns, cells, reach, table, rows)
    return total, error, contraction


@fused_table_part
def _copy(n_columns: int, source: Array, target: Array) -> None:
    for i in range(min(source.shape[0], target.shape[0])):
        from_row, to_row = source[i], target[i]
        for j in range(n_columns):
            to_row[j] = from_row[j]


@inlined_part
def _write_nodes(n_columns: int, k: int, table: _StepTable, rows: IterateTable, down: Array, nodes: NodeTable) -> None:
    """Everything inside, of vector k."""
    _copy(n_columns, rows.x, nodes.a[k])
    _copy(n_columns, rows.u, nodes.b[k])
    _copy(n_columns, rows.p, nodes.through[k])
    _copy(n_columns, table.slope, nodes.slope[k])
    _copy(n_columns + 1, rows.s, nodes.along[k])
    _copy(n_columns, down, nodes.down[k])


@fused_table_kernel
def solve_array(
    cells: CellTable,
    lines: LineTable,
    sources: SourceTable,
    stop: StopTable,
    planes: Array,
    currents: Array,
    checks: Array,
    nodes: NodeTable,
) -> int:
    """Currents of an array, and all voltages inside it, for many drive vectors.

    Parameters
    ----------
    cells, lines, sources, stop
        The circuit, what drives it, and when a solution is one.
    planes
        (PLANES, *plane_shape(M, N)) to work in.
    currents
        Out: (n, N) ampere out of the output lines.
    checks
        Out: (n, 6) iterations, error, largest violation of Kirchhoff's voltage law (volt), power of the sources and in
        the resistances (watt; 0 where the nodes are not wanted), largest voltage of a source.
    nodes
        Out: what is inside.

    Returns
    -------
    int
        How many vectors miss ``tolerance`` or ``most_residual``.

    Notes
    -----
    Newton's method, of which linear cells need one step. In each step the cells are replaced by slopes D and sources
    I - D (a - b). The input lines alone, fed by the output lines at their last voltages b', give the start x; what is
    left to solve is D (b(x) - b'), found without applying a Laplacian, so that zero resistances stay exact.
    """
    n_vectors, n_rows = sources.volt.shape
    n_columns = cells.g.shape[1]
    table, rows = _tables(planes, n_rows)
    scratch = planes[:2, n_rows]
    down = planes[7, : n_rows + 1]
    wanted, injected = nodes.a.shape[0] > 0, sources.input_ampere.shape[0] > 0
    contraction = 1.0
    missed = 0
    for k in range(n_vectors):
        volt = sources.volt[k]
        total, error, contraction = _solve_vector(
            n_columns,
            volt,
            k == 0,
            contraction,
            cells,
            lines,
            sources,
            stop,
            table,
            rows,
            scratch,
            currents[k],
        )
        checks[k, 0] = total
        checks[k, 1] = error
        checks[k, 2], checks[k, 3], checks[k, 4] = verify(
            n_columns,
            table.slope,
            rows.p,
            rows.x,
            rows.u,
            volt,
            lines,
            wanted,
            rows.s,
            down,
            planes[0, n_rows],
            planes[1, n_rows],
        )
        most_volt = 0.0
        for i in range(n_rows):
            most_volt = max(most_volt, abs(volt[i]))
        checks[k, 5] = most_volt
        if not (error <= stop.tolerance and (checks[k, 2] <= stop.most_residual * most_volt or injected)):
            missed += 1
        if wanted:
            _write_nodes(n_columns, k, table, rows, down, nodes)
    return missed


def smallest() -> None:
    """Run the solver once, on one cell; it verifies what it solved."""
    cell, line, inside = np.ones((1, 1)), np.ones(1), np.ones((1, 1, 1))
    cells = CellTable(cell, LINEAR, 0.0, 0.0, cell, cell)
    lines = LineTable(line, line, line, line, line, line, np.zeros(1, np.int64))
    sources, stop = SourceTable(cell, cell, cell), StopTable(1e-12, 10, 1e-9)
    planes = np.empty((PLANES, *plane_shape(1, 1)))
    nodes = NodeTable(inside, inside, inside, inside, np.empty((1, 1, 2)), np.empty((1, 2, 1)))
    solve_array(cells, lines, sources, stop, planes, np.ones((1, 1)), np.empty((1, 6)), nodes)
