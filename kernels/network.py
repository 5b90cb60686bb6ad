"""Exact currents of a resistive crossbar: conjugate gradients preconditioned by whole lines.

The network, for a word line i and a bit line j::

    source v_i - driver_ohm - a[i,0] - word_ohm - a[i,1] ... a[i,N-1]        (open end)
    cell g[i,j] between a[i,j] and b[i,j]
    b[0,j] (open end) - bit_ohm - b[1,j] ... b[M-1,j] - sense_ohm - 0 V      current out of column j

Every formula is written in *resistances* and without a subtraction, so that zero resistances are exact and nothing
cancels. The unknowns are the word-line voltages ``a``; the bit lines are eliminated exactly (a ladder each), and the
ladders of the word lines are the preconditioner.

``LANES`` right-hand sides are solved side by side: node (i, j) of lane k is element ``[i, LANES * j + k]`` of an array
(n_rows, LANES * n_columns), so that all passes but those along a word line are long plain loops. A lane that has
converged is frozen, so its result does not depend on its companions.
"""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel

__all__ = ["LANES", "factor_ladders", "solve_lanes", "transfer_matrices"]

LANES = 4

Array = NDArray[np.float64]


@kernel
def factor_ladders(
    g: Array,
    word_ohm: float,
    driver_ohm: float,
    bit_ohm: float,
    sense_ohm: float,
    cells: Array,
    word_factor: Array,
    bit_factor: Array,
) -> None:
    """Voltage ratios from node to node along each line, looking away from its terminal.

    ``word_factor[i, j]`` is 1 / (1 + r y) for the segment r before node (i, j) and the admittance y seen beyond it, all
    cells taken to ground; ``bit_factor`` likewise from the open top to the sense end. ``g`` and ``word_factor`` are
    (n_rows, n_columns); ``cells`` (g repeated) and ``bit_factor`` are (n_rows, LANES * n_columns). All float64.
    """
    n_rows, n_columns = g.shape
    for i in range(n_rows):
        y = 0.0
        for j in range(n_columns - 1, -1, -1):
            y = g[i, j] + y
            r = driver_ohm if j == 0 else word_ohm
            factor = 1.0 / (1.0 + r * y)
            word_factor[i, j] = factor
            y = y * factor
    above = np.zeros(n_columns)
    for i in range(n_rows):
        r = sense_ohm if i == n_rows - 1 else bit_ohm
        for j in range(n_columns):
            y = g[i, j] + above[j]
            factor = 1.0 / (1.0 + r * y)
            above[j] = y * factor
            for k in range(LANES):
                cells[i, LANES * j + k] = g[i, j]
                bit_factor[i, LANES * j + k] = factor


@kernel
def _solve_word_line(rhs: Array, factor: Array, word_ohm: float, driver_ohm: float, z: Array, rz: Array) -> None:
    """Solve A_w z = rhs on one word line with all its cells to ground; rz += rhs . z, lane by lane.

    Running values in place of a loop over the lanes: they stay in registers along the whole line.
    """
    y0 = y1 = y2 = y3 = 0.0
    f = 0.0
    for j in range(factor.size - 1, -1, -1):
        n = LANES * j
        y0 = rhs[n] + f * y0
        y1 = rhs[n + 1] + f * y1
        y2 = rhs[n + 2] + f * y2
        y3 = rhs[n + 3] + f * y3
        z[n] = y0
        z[n + 1] = y1
        z[n + 2] = y2
        z[n + 3] = y3
        f = factor[j]
    y0 = y1 = y2 = y3 = 0.0
    d0 = d1 = d2 = d3 = 0.0
    r = driver_ohm
    for j in range(factor.size):
        n = LANES * j
        f = factor[j]
        y0 = f * (y0 + r * z[n])
        y1 = f * (y1 + r * z[n + 1])
        y2 = f * (y2 + r * z[n + 2])
        y3 = f * (y3 + r * z[n + 3])
        z[n] = y0
        z[n + 1] = y1
        z[n + 2] = y2
        z[n + 3] = y3
        d0 += rhs[n] * y0
        d1 += rhs[n + 1] * y1
        d2 += rhs[n + 2] * y2
        d3 += rhs[n + 3] * y3
        r = word_ohm
    rz[0] += d0
    rz[1] += d1
    rz[2] += d2
    rz[3] += d3


@kernel
def _bit_lines_down(i: int, a: Array, cells: Array, factor: Array, b: Array) -> None:
    """Row i of the first half of b = A_b^-1 (g a), rows ascending."""
    here, source, g = b[i], a[i], cells[i]
    for n in range(here.size):
        here[n] = g[n] * source[n]
    if i > 0:
        above, f = b[i - 1], factor[i - 1]
        for n in range(here.size):
            here[n] += f[n] * above[n]


@kernel
def _bit_lines_up(i: int, factor: Array, bit_ohm: float, sense_ohm: float, b: Array) -> None:
    """Row i of the second half, rows descending: b is then the voltage of the bit-line nodes."""
    here, f = b[i], factor[i]
    if i == b.shape[0] - 1:
        for n in range(here.size):
            here[n] = f[n] * sense_ohm * here[n]
    else:
        below = b[i + 1]
        for n in range(here.size):
            here[n] = f[n] * (below[n] + bit_ohm * here[n])


@kernel
def _fold(long: Array, out: Array) -> None:
    """Sum over the columns, lane by lane."""
    for k in range(LANES):
        out[k] = 0.0
    for n in range(0, long.size, LANES):
        for k in range(LANES):
            out[k] += long[n + k]


@kernel
def _spread(lanes: Array, long: Array) -> None:
    """Repeat a number per lane for every column."""
    for n in range(0, long.size, LANES):
        for k in range(LANES):
            long[n + k] = lanes[k]


@kernel
def solve_lanes(
    cells: Array,
    word_factor: Array,
    bit_factor: Array,
    v: Array,
    word_ohm: float,
    driver_ohm: float,
    bit_ohm: float,
    sense_ohm: float,
    tolerance: float,
    max_iterations: int,
    work: Array,
    a: Array,
    b: Array,
) -> int:
    """Node voltages for ``LANES`` drive vectors at once.

    Parameters
    ----------
    cells, word_factor, bit_factor
        From :func:`factor_ladders`.
    v
        (n_rows, LANES) source voltages, volt.
    tolerance
        Of the remaining error in the energy norm, relative to the energy of the solution.
    work
        (4, n_rows, LANES * n_columns) float64.
    a, b
        Out: word-line and bit-line voltages, (n_rows, LANES * n_columns).

    Returns
    -------
    int
        Iterations of the slowest lane, or -1 where ``max_iterations`` did not suffice.
    """
    n_rows, width = a.shape
    p, s, r, z = work[0], work[1], work[2], work[3]
    long = np.zeros(width)
    for i in range(n_rows):
        a_row, g = a[i], cells[i]
        for j in range(width // LANES):
            f = word_factor[i, j]
            for k in range(LANES):
                before = v[i, k] if j == 0 else a_row[LANES * (j - 1) + k]
                a_row[LANES * j + k] = f * before
        _bit_lines_down(i, a, cells, bit_factor, b)
        for n in range(width):
            long[n] += g[n] * a_row[n] * a_row[n]
    limit = np.empty(LANES)
    _fold(long, limit)
    for k in range(LANES):
        limit[k] *= tolerance * tolerance
    rz, rz_new, pq = np.zeros(LANES), np.empty(LANES), np.empty(LANES)
    alpha, beta = np.zeros(LANES), np.zeros(LANES)
    step = np.zeros(width)
    for i in range(n_rows - 1, -1, -1):
        _bit_lines_up(i, bit_factor, bit_ohm, sense_ohm, b)
        r_row, b_row, g = r[i], b[i], cells[i]
        for n in range(width):
            r_row[n] = g[n] * b_row[n]
        p_row, s_row = p[i], s[i]
        for n in range(width):
            p_row[n] = 0.0
            s_row[n] = 0.0
        _solve_word_line(r_row, word_factor[i], word_ohm, driver_ohm, z[i], rz)
    running = False
    for k in range(LANES):
        running = running or rz[k] > limit[k]
    iteration = 0
    while running and iteration < max_iterations:
        # p = z + beta p, and s = A_w p by the same recurrence (A_w z = r), so that A_w is never applied.
        _spread(beta, step)
        for i in range(n_rows):
            p_row, z_row = p[i], z[i]
            for n in range(width):
                p_row[n] = z_row[n] + step[n] * p_row[n]
            s_row, r_row = s[i], r[i]
            for n in range(width):
                s_row[n] = r_row[n] + step[n] * s_row[n]
            _bit_lines_down(i, p, cells, bit_factor, b)
        for n in range(width):
            long[n] = 0.0
        # z is free until the next word-line solution: it holds q = A p meanwhile.
        for i in range(n_rows - 1, -1, -1):
            _bit_lines_up(i, bit_factor, bit_ohm, sense_ohm, b)
            q_row, b_row, s_row, g = z[i], b[i], s[i], cells[i]
            for n in range(width):
                q_row[n] = s_row[n] - g[n] * b_row[n]
            p_row = p[i]
            for n in range(width):
                long[n] += p_row[n] * q_row[n]
        _fold(long, pq)
        for k in range(LANES):
            alpha[k] = rz[k] / pq[k] if rz[k] > limit[k] and pq[k] > 0.0 else 0.0
            rz_new[k] = 0.0
        _spread(alpha, step)
        for i in range(n_rows):
            a_row, p_row = a[i], p[i]
            for n in range(width):
                a_row[n] += step[n] * p_row[n]
            r_row, q_row = r[i], z[i]
            for n in range(width):
                r_row[n] -= step[n] * q_row[n]
            _solve_word_line(r_row, word_factor[i], word_ohm, driver_ohm, z[i], rz_new)
        running = False
        for k in range(LANES):
            beta[k] = 0.0
            if alpha[k] != 0.0:
                beta[k] = rz_new[k] / rz[k]
                rz[k] = rz_new[k]
                running = running or rz[k] > limit[k]
        iteration += 1
    for k in range(LANES):
        if not rz[k] <= limit[k]:
            iteration = -1
    # One more step costs nothing: the preconditioned residual is at hand.
    for i in range(n_rows):
        a_row, z_row = a[i], z[i]
        for n in range(width):
            a_row[n] += z_row[n]
        _bit_lines_down(i, a, cells, bit_factor, b)
    for i in range(n_rows - 1, -1, -1):
        _bit_lines_up(i, bit_factor, bit_ohm, sense_ohm, b)
    return iteration


@kernel
def transfer_matrices(
    g: Array,
    word_ohm: float,
    driver_ohm: float,
    bit_ohm: float,
    sense_ohm: float,
    tolerance: float,
    max_iterations: int,
    out: Array,
) -> int:
    """Transconductances of many arrays: out[m, i, j] = current of column j for 1 V on row i, others at 0 V.

    Parameters
    ----------
    g
        (n_arrays, n_rows, n_columns) siemens, float64, C-contiguous.
    out
        Same shape as ``g``; siemens.

    Returns
    -------
    int
        The most iterations that any solution took, or -1 - m where array m failed.
    """
    n_arrays, n_rows, n_columns = g.shape
    width = LANES * n_columns
    word_factor = np.empty((n_rows, n_columns))
    cells, bit_factor = np.empty((n_rows, width)), np.empty((n_rows, width))
    work = np.empty((4, n_rows, width))
    a, b = np.empty((n_rows, width)), np.empty((n_rows, width))
    v = np.empty((n_rows, LANES))
    long = np.empty(width)
    most = 0
    for m in range(n_arrays):
        factor_ladders(g[m], word_ohm, driver_ohm, bit_ohm, sense_ohm, cells, word_factor, bit_factor)
        for first in range(0, n_rows, LANES):
            for i in range(n_rows):
                for k in range(LANES):
                    v[i, k] = 1.0 if i == first + k else 0.0
            iterations = solve_lanes(
                cells,
                word_factor,
                bit_factor,
                v,
                word_ohm,
                driver_ohm,
                bit_ohm,
                sense_ohm,
                tolerance,
                max_iterations,
                work,
                a,
                b,
            )
            if iterations < 0:
                return -1 - m
            most = max(most, iterations)
            for n in range(width):
                long[n] = 0.0
            for i in range(n_rows):
                g_row, a_row, b_row = cells[i], a[i], b[i]
                for n in range(width):
                    long[n] += g_row[n] * (a_row[n] - b_row[n])
            for k in range(min(LANES, n_rows - first)):
                for j in range(n_columns):
                    out[m, first + k, j] = long[LANES * j + k]
    return most
