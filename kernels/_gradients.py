"""Conjugate gradients on the voltages of the input lines, preconditioned by whole lines."""

from typing import NamedTuple

from ._jit import fused_table_part, inlined_part
from ._ladders import dot, solve_inputs
from .circuit import Array, LineTable

__all__ = ["IterateTable", "iterate"]


class IterateTable(NamedTuple):
    """Rows (M, N) that the iteration works in: the voltages ``x``, and p, s = A_w p, the residual r, z and u."""

    x: Array
    p: Array
    s: Array
    r: Array
    z: Array
    u: Array


@inlined_part
def _advance(n_columns: int, first: bool, alpha: float, beta: float, g: Array, bit: Array, rows: IterateTable) -> None:
    """The last step of the voltages; then p = z + beta p, s = A_w p by that recurrence, and u = D p swept down.

    A_w z = r, so that A_w is never applied.
    """
    x, p, s, r, z, u = rows
    for i in range(g.shape[0]):
        p_row, z_row, x_row = p[i], z[i], x[i]
        if first:
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


@inlined_part
def _apply(
    n_columns: int, g: Array, lines: LineTable, bit: Array, rows: IterateTable, here: Array, below: Array
) -> float:
    """Q = S p, with which z is overwritten, from u after the downward sweep; p . q."""
    bottom, out_segment = lines.bottom, lines.out_segment
    n_rows = g.shape[0]
    pq = 0.0
    for i in range(n_rows - 1, -1, -1):
        u_row, f = rows.u[i], bit[i]
        if i == n_rows - 1:
            for j in range(n_columns):
                here[j] = f[j] * bottom[j] * u_row[j]
        else:
            for j in range(n_columns):
                here[j] = f[j] * (below[j] + out_segment[j] * u_row[j])
        q_row, s_row, g_row, p_row = rows.z[i], rows.s[i], g[i], rows.p[i]
        for j in range(n_columns):
            q_row[j] = s_row[j] - g_row[j] * here[j]
        pq += dot(n_columns, p_row, q_row)
        here, below = below, here
    return pq


@fused_table_part
def iterate(
    n_columns: int,
    g: Array,
    lines: LineTable,
    word: Array,
    bit: Array,
    limit: float,
    contraction: float,
    max_iterations: int,
    rows: IterateTable,
    here: Array,
    below: Array,
) -> tuple[int, float]:
    """X += S^-1 r by conjugate gradients until the squared energy norm of the error is about ``limit``.

    ``word`` and ``bit`` are the factors of the lines with cells of slope ``g``; ``contraction`` bounds what a step of
    the preconditioner leaves of an error: one more of them ends the solution. ``here`` and ``below`` are rows to work
    in. Returns the iterations and the squared norm.
    """
    near, segment = lines.near, lines.segment
    rz = solve_inputs(n_columns, rows.r, word, near, segment, 0.0, rows.z)
    alpha = 0.0
    beta = 0.0
    iteration = 0
    after = contraction * contraction
    while after * rz > limit and iteration < max_iterations:
        _advance(n_columns, iteration == 0, alpha, beta, g, bit, rows)
        # z is free until the next solution of the input lines: it holds q meanwhile.
        pq = _apply(n_columns, g, lines, bit, rows, here, below)
        alpha = rz / pq
        new = solve_inputs(n_columns, rows.r, word, near, segment, alpha, rows.z)
        beta = new / rz
        rz = new
        iteration += 1
    for i in range(g.shape[0]):
        x_row, p_row, z_row = rows.x[i], rows.p[i], rows.z[i]
        # One more step costs nothing: the preconditioned residual is at hand.
        if iteration:
            for j in range(n_columns):
                x_row[j] += alpha * p_row[j] + z_row[j]
        else:
            for j in range(n_columns):
                x_row[j] += z_row[j]
    return iteration, after * rz
