"""Node voltages of a resistive crossbar: conjugate gradients preconditioned by whole lines, exact to rounding.

The network, for an input line (row) i and an output line (column) j::

    source v_i - near_i - a[i,0] - segment_i - a[i,1] ... a[i,N-1] - (far_i) - source v_i
    cell g[i,j] between a[i,j] and b[i,j]
    0 V - (top_j) - b[0,j] - segment_j - b[1,j] ... b[M-1,j] - bottom_j - 0 V      current out of column j

``near``, ``bottom`` and the segments are resistances; the terminals in parentheses are conductances and mostly 0. Every
formula is written without a subtraction, so that zero resistances are exact and nothing cancels. The unknowns are the
voltages ``a``; the lines of ``b`` are eliminated exactly (a ladder each) and the ladders of ``a`` precondition.

A matrix of M x N cells is stored in a plane with room to spare (``plane_shape``). Loops touch few arrays at a time, so
that LLVM vectorises them.
"""

import numpy as np
from numpy.typing import NDArray

from ._jit import fused_kernel, part, summing_part
from .conduction import cell_currents, polynomial_currents

__all__ = ["PLANES", "plane_shape", "smallest", "solve_array", "verify"]

Array = NDArray[np.float64]

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


@summing_part
def _dot(n_columns: int, x: Array, y: Array) -> float:
    total = 0.0
    for j in range(n_columns):
        total += x[j] * y[j]
    return total


@part
def factor_lines(
    g: Array,
    n_columns: int,
    near: Array,
    segment: Array,
    far: Array,
    bottom: Array,
    out_segment: Array,
    top: Array,
    word: Array,
    bit: Array,
) -> float:
    """Voltage ratios from node to node along each line, looking away from its first terminal.

    ``word[i, j]`` is 1 / (1 + r y) for the resistance r before node (i, j) and the admittance y seen beyond it, all
    cells taken to ground; ``bit`` likewise from the top to the bottom of each column.

    Returns a bound of what one step of the preconditioner leaves of an error: (1 - w) (1 - b), where w and b are the
    smallest shares of a voltage at the ends of a line that arrive anywhere on it, as A_w^-1 D and A_b^-1 D have no
    negative elements and row sums of at most 1 - w and 1 - b.
    """
    n_rows = g.shape[0]
    word_share = 1.0
    for first in range(0, n_rows - 3, 4):
        g0, g1, g2, g3 = g[first], g[first + 1], g[first + 2], g[first + 3]
        w0, w1, w2, w3 = word[first], word[first + 1], word[first + 2], word[first + 3]
        r0, r1, r2, r3 = segment[first], segment[first + 1], segment[first + 2], segment[first + 3]
        y0, y1, y2, y3 = far[first], far[first + 1], far[first + 2], far[first + 3]
        s0, s1, s2, s3 = 1.0, 1.0, 1.0, 1.0
        for j in range(n_columns - 1, 0, -1):
            y0 = g0[j] + y0
            y1 = g1[j] + y1
            y2 = g2[j] + y2
            y3 = g3[j] + y3
            f0, f1, f2, f3 = 1.0 / (1.0 + r0 * y0), 1.0 / (1.0 + r1 * y1), 1.0 / (1.0 + r2 * y2), 1.0 / (1.0 + r3 * y3)
            w0[j] = f0
            w1[j] = f1
            w2[j] = f2
            w3[j] = f3
            y0 *= f0
            y1 *= f1
            y2 *= f2
            y3 *= f3
            s0 *= f0
            s1 *= f1
            s2 *= f2
            s3 *= f3
        w0[0] = 1.0 / (1.0 + near[first] * (g0[0] + y0))
        w1[0] = 1.0 / (1.0 + near[first + 1] * (g1[0] + y1))
        w2[0] = 1.0 / (1.0 + near[first + 2] * (g2[0] + y2))
        w3[0] = 1.0 / (1.0 + near[first + 3] * (g3[0] + y3))
        word_share = min(word_share, s0 * w0[0], s1 * w1[0], s2 * w2[0], s3 * w3[0])
    for i in range(n_rows // 4 * 4, n_rows):
        y = far[i]
        share = 1.0
        for j in range(n_columns - 1, 0, -1):
            y = g[i, j] + y
            word[i, j] = 1.0 / (1.0 + segment[i] * y)
            y *= word[i, j]
            share *= word[i, j]
        word[i, 0] = 1.0 / (1.0 + near[i] * (g[i, 0] + y))
        word_share = min(word_share, share * word[i, 0])
    above = top.copy()
    shares = np.ones(n_columns)
    for i in range(n_rows):
        ohm = bottom if i == n_rows - 1 else out_segment
        g_row, f = g[i], bit[i]
        for j in range(n_columns):
            y = g_row[j] + above[j]
            f[j] = 1.0 / (1.0 + ohm[j] * y)
            above[j] = y * f[j]
        for j in range(n_columns):
            shares[j] *= f[j]
    return (1.0 - word_share) * float(1.0 - shares.min())


@part
def _solve_words(n_columns: int, r: Array, word: Array, near: Array, segment: Array, first: int, z: Array) -> float:
    """Solve A_w z = r on four input lines side by side, all cells to ground; r . z."""
    r0, r1, r2, r3 = r[first], r[first + 1], r[first + 2], r[first + 3]
    f0, f1, f2, f3 = word[first], word[first + 1], word[first + 2], word[first + 3]
    z0, z1, z2, z3 = z[first], z[first + 1], z[first + 2], z[first + 3]
    n = n_columns - 1
    y0, y1, y2, y3 = r0[n], r1[n], r2[n], r3[n]
    z0[n] = y0
    z1[n] = y1
    z2[n] = y2
    z3[n] = y3
    for j in range(n - 1, -1, -1):
        y0 = r0[j] + f0[j + 1] * y0
        y1 = r1[j] + f1[j + 1] * y1
        y2 = r2[j] + f2[j + 1] * y2
        y3 = r3[j] + f3[j + 1] * y3
        z0[j] = y0
        z1[j] = y1
        z2[j] = y2
        z3[j] = y3
    y0 *= f0[0] * near[first]
    y1 *= f1[0] * near[first + 1]
    y2 *= f2[0] * near[first + 2]
    y3 *= f3[0] * near[first + 3]
    z0[0] = y0
    z1[0] = y1
    z2[0] = y2
    z3[0] = y3
    s0, s1, s2, s3 = segment[first], segment[first + 1], segment[first + 2], segment[first + 3]
    for j in range(1, n_columns):
        y0 = f0[j] * y0 + f0[j] * (s0 * z0[j])
        y1 = f1[j] * y1 + f1[j] * (s1 * z1[j])
        y2 = f2[j] * y2 + f2[j] * (s2 * z2[j])
        y3 = f3[j] * y3 + f3[j] * (s3 * z3[j])
        z0[j] = y0
        z1[j] = y1
        z2[j] = y2
        z3[j] = y3
    return _dot(n_columns, r0, z0) + _dot(n_columns, r1, z1) + _dot(n_columns, r2, z2) + _dot(n_columns, r3, z3)


@part
def _solve_word(n_columns: int, r: Array, f: Array, near: float, segment: float, z: Array) -> float:
    """The same on a single line."""
    y = 0.0
    below = 0.0
    for j in range(n_columns - 1, -1, -1):
        y = r[j] + below * y
        z[j] = y
        below = f[j]
    y *= f[0] * near
    z[0] = y
    total: float = r[0] * y
    for j in range(1, n_columns):
        y = f[j] * y + f[j] * (segment * z[j])
        z[j] = y
        total += r[j] * y
    return total


@part
def _solve_all_words(
    n_columns: int, r: Array, word: Array, near: Array, segment: Array, alpha: float, z: Array
) -> float:
    """R -= alpha z, then z = A_w^-1 r, on every input line, four side by side; r . z."""
    total = 0.0
    n_rows = r.shape[0]
    for first in range(0, n_rows, 4):
        last = min(first + 4, n_rows)
        if alpha != 0.0:
            for i in range(first, last):
                r_row, q_row = r[i], z[i]
                for j in range(n_columns):
                    r_row[j] -= alpha * q_row[j]
        if last == first + 4:
            total += _solve_words(n_columns, r, word, near, segment, first, z)
        else:
            for i in range(first, last):
                total += _solve_word(n_columns, r[i], word[i], near[i], segment[i], z[i])
    return total


@part
def _down(n_columns: int, i: int, bit: Array, u: Array) -> None:
    """Row i of the first half of u = A_b^-1 f, rows ascending: f stands in u and becomes the current from above."""
    if i > 0:
        here, above, f = u[i], u[i - 1], bit[i - 1]
        for j in range(n_columns):
            here[j] += f[j] * above[j]


@part
def _up(n_columns: int, i: int, bit: Array, out_segment: Array, bottom: Array, u: Array) -> None:
    """Row i of the second half, rows descending: u is then the voltage of the nodes."""
    here, f = u[i], bit[i]
    if i == u.shape[0] - 1:
        for j in range(n_columns):
            here[j] = f[j] * bottom[j] * here[j]
    else:
        below = u[i + 1]
        for j in range(n_columns):
            here[j] = f[j] * (below[j] + out_segment[j] * here[j])


@part
def _iterate(
    g: Array,
    n_columns: int,
    near: Array,
    segment: Array,
    bottom: Array,
    out_segment: Array,
    word: Array,
    bit: Array,
    limit: float,
    contraction: float,
    max_iterations: int,
    x: Array,
    p: Array,
    s: Array,
    r: Array,
    z: Array,
    u: Array,
) -> tuple[int, float]:
    """X += S^-1 r by conjugate gradients until the squared energy norm of the error is about ``limit``.

    ``contraction`` bounds what a step of the preconditioner leaves of an error: one more of them ends the solution.
    Returns the iterations and the squared norm.
    """
    n_rows = g.shape[0]
    rz = _solve_all_words(n_columns, r, word, near, segment, 0.0, z)
    here, below = np.empty(n_columns), np.empty(n_columns)
    alpha = 0.0
    beta = 0.0
    iteration = 0
    after = contraction * contraction
    while after * rz > limit and iteration < max_iterations:
        # p = z + beta p, and s = A_w p by the same recurrence (A_w z = r), so that A_w is never applied.
        for i in range(n_rows):
            p_row, z_row, x_row = p[i], z[i], x[i]
            if iteration == 0:
                s_row, r_row = s[i], r[i]
                for j in range(n_columns):
                    p_row[j] = z_row[j]
                    s_row[j] = r_row[j]
            else:
                for j in range(n_columns):
                    x_row[j] += alpha * p_row[j]
                    p_row[j] = z_row[j] + beta * p_row[j]
                s_row, r_row = s[i], r[i]
                for j in range(n_columns):
                    s_row[j] = r_row[j] + beta * s_row[j]
            u_row, g_row = u[i], g[i]
            if i == 0:
                for j in range(n_columns):
                    u_row[j] = g_row[j] * p_row[j]
            else:
                above, f = u[i - 1], bit[i - 1]
                for j in range(n_columns):
                    u_row[j] = g_row[j] * p_row[j] + f[j] * above[j]
        # z is free until the next word-line solution: it holds q = S p meanwhile.
        pq = 0.0
        for i in range(n_rows - 1, -1, -1):
            u_row, f = u[i], bit[i]
            if i == n_rows - 1:
                for j in range(n_columns):
                    here[j] = f[j] * bottom[j] * u_row[j]
            else:
                for j in range(n_columns):
                    here[j] = f[j] * (below[j] + out_segment[j] * u_row[j])
            q_row, s_row, g_row, p_row = z[i], s[i], g[i], p[i]
            for j in range(n_columns):
                q_row[j] = s_row[j] - g_row[j] * here[j]
            pq += _dot(n_columns, p_row, q_row)
            here, below = below, here
        alpha = rz / pq
        new = _solve_all_words(n_columns, r, word, near, segment, alpha, z)
        beta = new / rz
        rz = new
        iteration += 1
    for i in range(n_rows):
        x_row, p_row, z_row = x[i], p[i], z[i]
        # One more step costs nothing: the preconditioned residual is at hand.
        if iteration:
            for j in range(n_columns):
                x_row[j] += alpha * p_row[j] + z_row[j]
        else:
            for j in range(n_columns):
                x_row[j] += z_row[j]
    return iteration, after * rz


@part
def _drive_words(n_columns: int, v: Array, word: Array, near: Array, segment: Array, far: Array, a: Array) -> None:
    """Voltages of the input lines alone, all cells to ground."""
    n_rows = v.size
    for first in range(0, n_rows, 4):
        last = min(first + 4, n_rows)
        if last == first + 4 and far[first] + far[first + 1] + far[first + 2] + far[first + 3] == 0.0:
            f0, f1, f2, f3 = word[first], word[first + 1], word[first + 2], word[first + 3]
            a0, a1, a2, a3 = a[first], a[first + 1], a[first + 2], a[first + 3]
            y0, y1, y2, y3 = v[first], v[first + 1], v[first + 2], v[first + 3]
            for j in range(n_columns):
                y0 *= f0[j]
                y1 *= f1[j]
                y2 *= f2[j]
                y3 *= f3[j]
                a0[j] = y0
                a1[j] = y1
                a2[j] = y2
                a3[j] = y3
        else:
            for i in range(first, last):
                f, row = word[i], a[i]
                arriving = far[i] * v[i]
                for j in range(n_columns - 1, -1, -1):
                    row[j] = arriving
                    arriving *= f[j]
                before = f[0] * (v[i] + near[i] * row[0])
                row[0] = before
                for j in range(1, n_columns):
                    before = f[j] * (before + segment[i] * row[j])
                    row[j] = before


@part
def _finish(
    n_columns: int, bit: Array, out_segment: Array, bottom: Array, top: Array, u: Array, currents: Array
) -> None:
    """From the sums after the downward sweep: voltages of the output lines and the currents out of them."""
    n_rows = u.shape[0]
    for j in range(n_columns):
        currents[j] = bit[n_rows - 1, j] * u[n_rows - 1, j]
    for i in range(n_rows - 1, -1, -1):
        _up(n_columns, i, bit, out_segment, bottom, u)
    for j in range(n_columns):
        currents[j] += top[j] * u[0, j]


@part
def _note_worst(n: int, before: Array, ohm: Array, flow: Array, here: Array, worst: Array) -> None:
    for j in range(n):
        gap = abs(before[j] - ohm[j] * flow[j] - here[j])
        worst[j] = max(worst[j], gap)


@summing_part
def _heat(n: int, ohm: Array, flow: Array) -> float:
    total = 0.0
    for j in range(n):
        total += ohm[j] * flow[j] * flow[j]
    return total


@part
def _flows_of_input(
    n: int,
    current: Array,
    near: float,
    segment: float,
    far: float,
    floating: bool,
    a: Array,
    b: Array,
    along: Array,
) -> float:
    """Currents along one input line; what misses at a floating one, as a voltage."""
    along[n] = 0.0
    if floating:
        # Nothing enters; what the sum lacks of zero is told in volts across the cells that conduct.
        flow, largest, across = 0.0, 0.0, 0.0
        for j in range(n):
            along[j] = flow
            flow -= current[j]
            if current[j] != 0.0:
                largest = max(largest, abs(current[j]))
                across = max(across, abs(a[j] - b[j]))
        return abs(flow) / largest * across if largest > 0.0 else 0.0
    if far > 0.0:
        total = 0.0
        moment = 0.0
        for j in range(n):
            total += current[j]
            moment += current[j] * (n - 1 - j)
        flow = (moment * segment + total / far) / (near + (n - 1) * segment + 1.0 / far)
        for j in range(n):
            along[j] = flow
            flow -= current[j]
        along[n] = flow
    else:
        flow = 0.0
        for j in range(n - 1, -1, -1):
            flow += current[j]
            along[j] = flow
    return 0.0


@fused_kernel
def verify(
    n_columns: int,
    cells: Array,
    current: Array,
    a: Array,
    b: Array,
    v: Array,
    near: Array,
    segment: Array,
    far: Array,
    bottom: Array,
    out_segment: Array,
    top: Array,
    floating: NDArray[np.int64],
    with_power: bool,
    along: Array,
    down: Array,
) -> tuple[float, float, float]:
    """Kirchhoff's laws on a solution: the currents of the lines follow from the cells, and the voltages must agree.

    Parameters
    ----------
    n_columns
        N; rows may be longer.
    cells, current
        (M, N) slopes of the cells, siemens, and their currents, ampere.
    a, b, v
        Voltages of the nodes (M, N) and of the sources (M,).
    floating
        (M,) 1 where the source of an input line is disconnected, whose current is then 0, else 0.
    with_power
        Whether the powers and the currents of the output lines are wanted; if not, the powers are 0 and the voltage law
        is checked on the input lines alone, which are those that were solved by iteration.
    along, down
        Out: (M, N + 1) and (M + 1, N) ampere along the lines, in the direction of the index: [i, 0] enters at the near
        end, [i, N] leaves at the far end.

    Returns
    -------
    tuple of float
        The largest violation of the voltage law, volt; watts from the sources; watts in cells and lines.
    """
    n_rows = current.shape[0]
    worst, ohm = np.zeros(n_columns), np.empty(n_columns)
    most = 0.0
    given = 0.0
    heat = 0.0
    for i in range(n_rows):
        i_row, a_row, b_row, flow = current[i], a[i], b[i], along[i]
        missing = _flows_of_input(n_columns, i_row, near[i], segment[i], far[i], floating[i] != 0, a_row, b_row, flow)
        most = max(most, missing)
        if not floating[i]:
            gap = abs(v[i] - near[i] * flow[0] - a_row[0])
            if gap > most:
                # Behind a large resistance it is the missing current that moves the line.
                most = max(most, gap / (1.0 + near[i] * cells[i, :n_columns].sum()))
            heat += near[i] * flow[0] * flow[0]
        for j in range(n_columns):
            ohm[j] = segment[i]
        _note_worst(n_columns - 1, a_row, ohm, flow[1:], a_row[1:], worst)
        if with_power:
            heat += _heat(n_columns - 1, ohm, flow[1:])
            heat += _dot(n_columns, i_row, a_row) - _dot(n_columns, i_row, b_row)
        if far[i] > 0.0:
            last = flow[n_columns]
            most = max(most, abs(a_row[n_columns - 1] - last / far[i] - v[i]))
            heat += last * last / far[i]
        given += v[i] * (flow[0] - flow[n_columns])
    if not with_power:
        # The output lines were solved directly, without an iteration that could have missed.
        for j in range(n_columns):
            most = max(most, worst[j])
        return most if np.isfinite(given) else np.inf, 0.0, 0.0
    for j in range(n_columns):
        down[0, j] = 0.0
        if top[j] > 0.0:
            total = 0.0
            moment = 0.0
            for i in range(n_rows):
                total += current[i, j]
                moment += current[i, j] * (n_rows - 1 - i)
            upward = (moment * out_segment[j] + total * bottom[j]) / (
                bottom[j] + (n_rows - 1) * out_segment[j] + 1.0 / top[j]
            )
            most = max(most, abs(b[0, j] - upward / top[j]))
            heat += upward * upward / top[j]
            down[0, j] = -upward
    for i in range(n_rows):
        i_row, above, flow = current[i], down[i], down[i + 1]
        for j in range(n_columns):
            flow[j] = above[j] + i_row[j]
        if i < n_rows - 1:
            _note_worst(n_columns, b[i], out_segment, flow, b[i + 1], worst)
        heat += _heat(n_columns, bottom if i == n_rows - 1 else out_segment, flow)
    for j in range(n_columns):
        most = max(most, worst[j])
        gap = abs(b[n_rows - 1, j] - bottom[j] * down[n_rows, j])
        if gap > most:
            most = max(most, gap / (1.0 + bottom[j] * cells[:, j].sum()))
    # No comparison is true of what is no number, and a sum keeps it.
    return most if np.isfinite(given + heat) else np.inf, given, heat


@part
def _keep(n_columns: int, source: Array, target: Array) -> None:
    for i in range(min(source.shape[0], target.shape[0])):
        from_row, to_row = source[i], target[i]
        for j in range(n_columns):
            to_row[j] = from_row[j]


@part
def _take_slopes(
    n_columns: int,
    g: Array,
    kind: int,
    curvature: float,
    series_ohm: float,
    square: Array,
    cube: Array,
    v: Array,
    d: Array,
) -> None:
    """Slopes of the cells for the first step: of the chord of their law at the voltage of the source."""
    one, across, current, slope = np.ones(1), np.empty(1), np.empty(1), np.empty(1)
    for i in range(g.shape[0]):
        g_row, d_row = g[i], d[i]
        across[0] = abs(v[i])
        chord = 1.0
        if kind > 0 and kind < 3 and series_ohm == 0.0 and across[0] > 0.0:
            cell_currents(kind, curvature, series_ohm, one, across, current, slope)
            chord = current[0] / across[0]
        if series_ohm > 0.0:
            for j in range(n_columns):
                d_row[j] = g_row[j] / (1.0 + series_ohm * g_row[j])
        elif kind == 3:
            u = min(max(v[i], -curvature), curvature)
            p_row, q_row = square[i], cube[i]
            for j in range(n_columns):
                d_row[j] = g_row[j] + u * (p_row[j] + u * q_row[j])
        else:
            for j in range(n_columns):
                d_row[j] = g_row[j] * chord


@part
def _linearise(
    n_columns: int,
    g: Array,
    kind: int,
    curvature: float,
    series_ohm: float,
    square: Array,
    cube: Array,
    first: bool,
    a: Array,
    b: Array,
    across: Array,
    current: Array,
    d: Array,
) -> None:
    """Currents and slopes of the cells at their voltages, which are kept in ``across``; ``a`` becomes b + across.

    A voltage on a sinh law grows by no more than the logarithm of what Newton's method asks for, since beyond it the
    current would grow without bounds (Nagel, SPICE2, UCB/ERL M520, 1975).
    """
    for i in range(g.shape[0]):
        a_row, b_row, v_row = a[i], b[i], across[i]
        if kind == 1 and not first:
            for j in range(n_columns):
                wanted = a_row[j] - b_row[j]
                grown = (abs(wanted) - abs(v_row[j])) * curvature
                if grown > 1.0:
                    wanted = np.copysign(abs(v_row[j]) + np.log1p(grown) / curvature, wanted)
                v_row[j] = wanted
                a_row[j] = b_row[j] + wanted
        else:
            for j in range(n_columns):
                v_row[j] = a_row[j] - b_row[j]
        v_row, i_row, d_row = v_row[:n_columns], current[i, :n_columns], d[i, :n_columns]
        if kind == 3:
            polynomial_currents(curvature, series_ohm, g[i], square[i], cube[i], v_row, i_row, d_row)
        else:
            cell_currents(kind, curvature, series_ohm, g[i], v_row, i_row, d_row)


@fused_kernel
def solve_array(
    g: Array,
    kind: int,
    curvature: float,
    series_ohm: float,
    square: Array,
    cube: Array,
    v: Array,
    near: Array,
    segment: Array,
    far: Array,
    bottom: Array,
    out_segment: Array,
    top: Array,
    floating: NDArray[np.int64],
    word_source: Array,
    bit_source: Array,
    tolerance: float,
    max_iterations: int,
    most_residual: float,
    planes: Array,
    currents: Array,
    checks: Array,
    a: Array,
    b: Array,
    through: Array,
    slope: Array,
    along: Array,
    down: Array,
) -> int:
    """Solve one array for many drive vectors, one after another.

    Parameters
    ----------
    g
        (M, N) siemens, float64, C-contiguous as all arrays.
    kind, curvature, series_ohm
        Law of the cells, as in :func:`rramsim.kernels.conduction.cell_currents`; linear cells (0) have no series
        resistance of their own. Of the polynomial law (3), ``curvature`` is the voltage beyond which it goes on along
        its tangent; it must rise up to there, or up to the span of the sources and 0 V where that is less.
    square, cube
        (M, N) ampere / volt^2 and ampere / volt^3 of cells of the polynomial law; of length 0 for other laws.
    v
        (n, M) source voltages, volt.
    near, segment, far
        (M,) of the input lines: ohm from the source to the first cell, ohm of a segment, siemens of a second terminal
        beyond the last cell, fed by the same source (0: open).
    bottom, out_segment, top
        (N,) of the output lines: ohm from the last cell to 0 V, ohm of a segment, siemens of a second terminal above
        the first cell (0: open).
    floating
        (M,) 1 where the source of an input line is disconnected (``near`` is then huge), else 0.
    word_source, bit_source
        (M, N) ampere injected into the nodes of input and output lines; of length 0 for none.
    tolerance
        Of the remaining error in the energy norm, relative to the energy of the solution.
    max_iterations
        Conjugate-gradient iterations of a vector.
    most_residual
        Largest violation of the voltage law, relative to the largest voltage of a source.
    planes
        (``PLANES``, *plane_shape(M, N)) to work in.
    currents
        Out: (n, N) ampere into 0 V.
    checks
        Out: (n, 6) iterations, error estimate (relative as ``tolerance``), what :func:`verify` returns (the powers are
        0 where the nodes are not wanted; without meaning where currents are injected, which it does not know), and the
        largest voltage of a source.
    a, b, through, slope, along, down
        Out: voltages of the nodes of input and output lines, currents and slopes of the cells (n, M, N each), currents
        of the lines (n, M, N + 1) and (n, M + 1, N); or of length 0 where they are not wanted.

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
    n_vectors, n_rows = v.shape
    n_columns = g.shape[1]
    cells, word, bit = planes[0, :n_rows], planes[1, :n_rows], planes[2, :n_rows]
    x, p, s = planes[3, :n_rows], planes[4, :n_rows], planes[5, :n_rows]
    r, z, u = planes[6, :n_rows], planes[7, :n_rows], planes[8, :n_rows]
    x_last, u_last, current = planes[9, :n_rows], planes[10, :n_rows], planes[11, :n_rows]
    across = planes[12, :n_rows]
    injected, kept = word_source.shape[0] > 0, a.shape[0] > 0
    contraction = 1.0
    missed = 0
    for k in range(n_vectors):
        total = 0
        error = np.inf
        step = 0
        last = False
        bend = curvature
        if kind == 3 and not injected:
            # No cell can see more than the span of the potentials that are held: on the way there, either.
            lowest, highest = 0.0, 0.0
            for i in range(n_rows):
                lowest, highest = min(lowest, v[k, i]), max(highest, v[k, i])
            bend = min(curvature, highest - lowest)
        while not last:
            if step == 0:
                if k == 0 or kind > 0:
                    _take_slopes(n_columns, g, kind, bend, series_ohm, square, cube, v[k], cells)
            else:
                _linearise(
                    n_columns,
                    g,
                    kind,
                    bend,
                    series_ohm,
                    square,
                    cube,
                    step == 1,
                    x_last,
                    u_last,
                    across,
                    current,
                    cells,
                )
            if step > 0 or k == 0 or kind > 0:
                contraction = factor_lines(cells, n_columns, near, segment, far, bottom, out_segment, top, word, bit)
            _drive_words(n_columns, v[k], word, near, segment, far, x)
            if step > 0 or injected:
                for i in range(n_rows):
                    r_row, d_row, i_row, a_row = r[i], cells[i], current[i], x_last[i]
                    for j in range(n_columns):
                        r_row[j] = d_row[j] * a_row[j] - i_row[j] if step > 0 else 0.0
                    if injected:
                        for j in range(n_columns):
                            r_row[j] += word_source[i, j]
                _solve_all_words(n_columns, r, word, near, segment, 0.0, z)
            energy = 0.0
            shift = 0.0
            for i in range(n_rows):
                x_row, u_row, d_row = x[i], u[i], cells[i]
                if step > 0 or injected:
                    z_row = z[i]
                    for j in range(n_columns):
                        x_row[j] += z_row[j]
                for j in range(n_columns):
                    u_row[j] = d_row[j] * x_row[j]
                energy += _dot(n_columns, u_row, x_row)
                if step > 0:
                    i_row, a_row, b_row = current[i], x_last[i], u_last[i]
                    for j in range(n_columns):
                        shift += d_row[j] * (x_row[j] - a_row[j]) * (x_row[j] - a_row[j])
                        u_row[j] = i_row[j] + d_row[j] * (b_row[j] - a_row[j] + x_row[j])
                if injected:
                    for j in range(n_columns):
                        u_row[j] += bit_source[i, j]
                _down(n_columns, i, bit, u)
            for i in range(n_rows - 1, -1, -1):
                _up(n_columns, i, bit, out_segment, bottom, u)
                r_row, u_row, d_row = r[i], u[i], cells[i]
                for j in range(n_columns):
                    r_row[j] = d_row[j] * u_row[j]
                if injected:
                    energy += _dot(n_columns, r_row, u_row)
                if step > 0:
                    b_row = u_last[i]
                    for j in range(n_columns):
                        r_row[j] = d_row[j] * (u_row[j] - b_row[j])
                        shift += r_row[j] * (u_row[j] - b_row[j])
            error = 0.0 if energy == 0.0 else np.sqrt(shift / energy)
            limit = tolerance * tolerance * energy
            if kind > 0:
                # The next error is about the square of this one, times how strongly the law bends: most where a
                # polynomial hardly rises any more.
                after = (1000.0 if kind == 3 else 10.0) * error * error
                close = step > 0 and after <= tolerance
                last = close or step >= 100 or total >= max_iterations
                if step == 0:
                    limit = max(limit, 1e-4 * energy)
                elif close:
                    error = after
                else:
                    forcing = min(0.05, 0.3 * error)
                    limit = max(limit, forcing * forcing * shift)
            else:
                last = True
            iterations, rz = _iterate(
                cells,
                n_columns,
                near,
                segment,
                bottom,
                out_segment,
                word,
                bit,
                limit,
                contraction,
                max_iterations,
                x,
                p,
                s,
                r,
                z,
                u,
            )
            total += iterations
            if kind == 0:
                error = 0.0 if energy == 0.0 else np.sqrt(rz / energy)
            for i in range(n_rows):
                x_row, u_row, d_row = x[i], u[i], cells[i]
                for j in range(n_columns):
                    u_row[j] = d_row[j] * x_row[j]
                if step > 0:
                    i_row, a_row, b_row = current[i], x_last[i], u_last[i]
                    for j in range(n_columns):
                        u_row[j] += i_row[j] + d_row[j] * (b_row[j] - a_row[j])
                if injected:
                    for j in range(n_columns):
                        u_row[j] += bit_source[i, j]
                _down(n_columns, i, bit, u)
            _finish(n_columns, bit, out_segment, bottom, top, u, currents[k])
            if kind > 0:
                _keep(n_columns, x, x_last)
                _keep(n_columns, u, u_last)
            step += 1
        if kind > 0:
            _linearise(n_columns, g, kind, bend, series_ohm, square, cube, True, x, u, across, p, cells)
        else:
            for i in range(n_rows):
                i_row, x_row, u_row, d_row = p[i], x[i], u[i], cells[i]
                for j in range(n_columns):
                    i_row[j] = d_row[j] * (x_row[j] - u_row[j])
        flow = planes[7, : n_rows + 1]
        checks[k, 0] = total
        checks[k, 1] = error
        checks[k, 2], checks[k, 3], checks[k, 4] = verify(
            n_columns, cells, p, x, u, v[k], near, segment, far, bottom, out_segment, top, floating, kept, s, flow
        )
        volt = 0.0
        for i in range(n_rows):
            volt = max(volt, abs(v[k, i]))
        checks[k, 5] = volt
        if not (error <= tolerance and (checks[k, 2] <= most_residual * volt or injected)):
            missed += 1
        if kept:
            _keep(n_columns, x, a[k])
            _keep(n_columns, u, b[k])
            _keep(n_columns, p, through[k])
            _keep(n_columns, cells, slope[k])
            _keep(n_columns + 1, s, along[k])
            _keep(n_columns, flow, down[k])
    return missed


def smallest() -> None:
    """Run the solver once, on one cell; it verifies what it solved."""
    one, line, floating = np.ones((1, 1, 1)), np.ones(1), np.zeros(1, np.int64)
    ends = (line, line, line, line, line, line, floating)
    planes = np.empty((PLANES, *plane_shape(1, 1)))
    out = (one[0].copy(), np.empty((1, 6)), one, one, one, one, np.empty((1, 1, 2)), np.empty((1, 2, 1)))
    solve_array(one[0], 0, 0.0, 0.0, one[0], one[0], one[0], *ends, one[0], one[0], 1e-12, 10, 1e-9, planes, *out)
