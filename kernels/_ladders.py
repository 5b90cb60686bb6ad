"""Lines as ladders: a resistance from node to node, and from each node a conductance to the other side.

Four input lines are solved side by side; the rows of output nodes are swept down and up. Nothing is subtracted, so that
zero resistances are exact and nothing cancels.
"""

import numpy as np

from ._jit import fused_table_part, inlined_part, part, summing_part
from .circuit import Array, LineTable

__all__ = ["dot", "drive_inputs", "factor_lines", "finish_outputs", "pass_down", "pass_up", "solve_inputs"]


@summing_part
def dot(n_columns: int, x: Array, y: Array) -> float:
    """Sum of the products of the first ``n_columns``."""
    total = 0.0
    for j in range(n_columns):
        total += x[j] * y[j]
    return total


@part
def _factor_inputs(g: Array, n_columns: int, near: Array, segment: Array, far: Array, word: Array) -> float:
    """Voltage ratios along the input lines, four side by side; the most that a voltage at an end loses, as a share.

    How LLVM unrolls these loops decides where a product and a sum are rounded once: in another form they have other
    last bits.
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
    return 1.0 - word_share


@part
def _factor_outputs(g: Array, n_columns: int, bottom: Array, out_segment: Array, top: Array, bit: Array) -> float:
    """Voltage ratios along the output lines; the most that a voltage at an end loses, as a share."""
    n_rows = g.shape[0]
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
    return float(1.0 - shares.min())


@inlined_part
def factor_lines(n_columns: int, g: Array, lines: LineTable, word: Array, bit: Array) -> float:
    """Voltage ratios from node to node along each line, looking away from its first terminal.

    ``word[i, j]`` is 1 / (1 + r y) for the resistance r before node (i, j) and the admittance y seen beyond it, all
    cells of conductances ``g`` taken to ground; ``bit`` likewise from the top to the bottom of each column.

    Returns a bound of what one step of the preconditioner leaves of an error: (1 - w) (1 - b), where w and b are the
    smallest shares of a voltage at the ends of a line that arrive anywhere on it, as A_w^-1 D and A_b^-1 D have no
    negative elements and row sums of at most 1 - w and 1 - b.
    """
    lost = _factor_inputs(g, n_columns, lines.near, lines.segment, lines.far, word)
    return lost * _factor_outputs(g, n_columns, lines.bottom, lines.out_segment, lines.top, bit)


@inlined_part
def _solve_four(n_columns: int, r: Array, word: Array, near: Array, segment: Array, first: int, z: Array) -> float:
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
    return dot(n_columns, r0, z0) + dot(n_columns, r1, z1) + dot(n_columns, r2, z2) + dot(n_columns, r3, z3)


@inlined_part
def _solve_one(n_columns: int, r: Array, f: Array, near: float, segment: float, z: Array) -> float:
    """Solve A_w z = r on a single input line, all cells to ground; r . z."""
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


@fused_table_part
def solve_inputs(n_columns: int, r: Array, word: Array, near: Array, segment: Array, alpha: float, z: Array) -> float:
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
            total += _solve_four(n_columns, r, word, near, segment, first, z)
        else:
            for i in range(first, last):
                total += _solve_one(n_columns, r[i], word[i], near[i], segment[i], z[i])
    return total


@inlined_part
def _drive_four(n_columns: int, first: int, volt: Array, word: Array, a: Array) -> None:
    """Voltages of four input lines that are driven from their near ends alone."""
    f0, f1, f2, f3 = word[first], word[first + 1], word[first + 2], word[first + 3]
    a0, a1, a2, a3 = a[first], a[first + 1], a[first + 2], a[first + 3]
    y0, y1, y2, y3 = volt[first], volt[first + 1], volt[first + 2], volt[first + 3]
    for j in range(n_columns):
        y0 *= f0[j]
        y1 *= f1[j]
        y2 *= f2[j]
        y3 *= f3[j]
        a0[j] = y0
        a1[j] = y1
        a2[j] = y2
        a3[j] = y3


@fused_table_part
def drive_inputs(n_columns: int, volt: Array, word: Array, near: Array, segment: Array, far: Array, a: Array) -> None:
    """Voltages of the input lines alone, all cells to ground."""
    n_rows = volt.size
    for first in range(0, n_rows, 4):
        last = min(first + 4, n_rows)
        if last == first + 4 and far[first] + far[first + 1] + far[first + 2] + far[first + 3] == 0.0:
            _drive_four(n_columns, first, volt, word, a)
        else:
            for i in range(first, last):
                f, row = word[i], a[i]
                arriving = far[i] * volt[i]
                for j in range(n_columns - 1, -1, -1):
                    row[j] = arriving
                    arriving *= f[j]
                before = f[0] * (volt[i] + near[i] * row[0])
                row[0] = before
                for j in range(1, n_columns):
                    before = f[j] * (before + segment[i] * row[j])
                    row[j] = before


@fused_table_part
def pass_down(n_columns: int, i: int, bit: Array, u: Array) -> None:
    """Row i of the first half of u = A_b^-1 f, rows ascending: f stands in u and becomes the current from above."""
    if i > 0:
        here, above, f = u[i], u[i - 1], bit[i - 1]
        for j in range(n_columns):
            here[j] += f[j] * above[j]


@fused_table_part
def pass_up(n_columns: int, i: int, bit: Array, out_segment: Array, bottom: Array, u: Array) -> None:
    """Row i of the second half, rows descending: u is then the voltage of the nodes."""
    here, f = u[i], bit[i]
    if i == u.shape[0] - 1:
        for j in range(n_columns):
            here[j] = f[j] * bottom[j] * here[j]
    else:
        below = u[i + 1]
        for j in range(n_columns):
            here[j] = f[j] * (below[j] + out_segment[j] * here[j])


@inlined_part
def finish_outputs(n_columns: int, bit: Array, lines: LineTable, u: Array, currents: Array) -> None:
    """From the sums after the downward sweep: voltages of the output lines and the currents out of them."""
    n_rows = u.shape[0]
    for j in range(n_columns):
        currents[j] = bit[n_rows - 1, j] * u[n_rows - 1, j]
    for i in range(n_rows - 1, -1, -1):
        pass_up(n_columns, i, bit, lines.out_segment, lines.bottom, u)
    for j in range(n_columns):
        currents[j] += lines.top[j] * u[0, j]
