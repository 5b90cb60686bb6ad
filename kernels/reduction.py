"""Transconductances by hierarchical terminal reduction: blocks of cells as weighted graphs between their ports.

A block of cells is a graph of conductances >= 0 between its ports: L, the nodes left of it (the sources, for the first
column); R, its last nodes on every input line; T, its first nodes on every output line; B, the nodes below it (the
virtual grounds, for the last row). A block owns the wires to its left and below it. Two neighbours share the nodes
between them, and become one block when these are eliminated by star-mesh transformations: the weights W of a node s are
replaced by ``W[p, s] W[s, q] / sum(W[s])`` between all its neighbours. Nothing is ever subtracted (Grassmann, Taksar,
Heyman, Operations Research 33, 1985), so that every weight is exact to rounding, for any resistances. What is left in
the end between a source and a virtual ground is the transconductance.

Conductances are relative to the largest cell, so that float32 has room for the largest of wires.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._jit import fused_kernel, part, summing_part

__all__ = ["HUGE", "LANES", "TILE", "merge_blocks", "reduce_tiles", "smallest"]

HUGE = 1e30
"""Conductance of a wire without resistance, relative to the largest cell."""

TILE = 8
"""Rows and columns of the smallest block, which ``LANES`` of them at a time reduce side by side."""

LANES = 32

_PANEL = 32
"""Nodes that are eliminated before the rest of a block is updated."""

_SPAN = 512
"""Numbers of a row that are updated at once: with eight others they fit the fastest cache."""

Floats = NDArray[Any]
Ints = NDArray[np.int64]


@part
def _add_8(
    row: Floats,
    x0: Floats,
    x1: Floats,
    x2: Floats,
    x3: Floats,
    x4: Floats,
    x5: Floats,
    x6: Floats,
    x7: Floats,
    w: Floats,
) -> None:
    w0, w1, w2, w3, w4, w5, w6, w7 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    for q in range(row.size):
        row[q] += ((w0 * x0[q] + w1 * x1[q]) + (w2 * x2[q] + w3 * x3[q])) + (
            (w4 * x4[q] + w5 * x5[q]) + (w6 * x6[q] + w7 * x7[q])
        )


@part
def _add_1(row: Floats, x: Floats, w: float) -> None:
    for q in range(row.size):
        row[q] += w * x[q]


@part
def _update_row(f: Floats, p: int, low: int, high: int, first: int, last: int, w: Floats) -> None:
    """Weights [low, high) of node p, after the nodes [first, last) have been eliminated."""
    row = f[p, low:high]
    t = first
    while t + 8 <= last:
        for k in range(8):
            w[k] = f[t + k, p]
        _add_8(
            row,
            f[t, low:high],
            f[t + 1, low:high],
            f[t + 2, low:high],
            f[t + 3, low:high],
            f[t + 4, low:high],
            f[t + 5, low:high],
            f[t + 6, low:high],
            f[t + 7, low:high],
            w,
        )
        t += 8
    while t < last:
        _add_1(row, f[t, low:high], f[t, p])
        t += 1


@part
def _add_4_to_two(one: Floats, two: Floats, x0: Floats, x1: Floats, x2: Floats, x3: Floats, w: Floats) -> None:
    a0, a1, a2, a3, b0, b1, b2, b3 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    for q in range(one.size):
        one[q] += (a0 * x0[q] + a1 * x1[q]) + (a2 * x2[q] + a3 * x3[q])
        two[q] += (b0 * x0[q] + b1 * x1[q]) + (b2 * x2[q] + b3 * x3[q])


@part
def _update_two(f: Floats, p: int, low: int, high: int, first: int, last: int, w: Floats) -> None:
    """The same for the nodes p and p + 1 at once, which read the eliminated ones together."""
    one, two = f[p, low:high], f[p + 1, low:high]
    t = first
    while t + 4 <= last:
        for k in range(4):
            w[k] = f[t + k, p]
            w[k + 4] = f[t + k, p + 1]
        _add_4_to_two(one, two, f[t, low:high], f[t + 1, low:high], f[t + 2, low:high], f[t + 3, low:high], w)
        t += 4
    while t < last:
        _add_1(one, f[t, low:high], f[t, p])
        _add_1(two, f[t, low:high], f[t, p + 1])
        t += 1


@summing_part
def _scale_by_root(row: Floats) -> None:
    """Divide the weights of a node by the root of their sum; an isolated node has none."""
    total = row.dtype.type(0)
    for q in range(row.size):
        total += row[q]
    if total > 0:
        factor = row.dtype.type(1) / np.sqrt(total)
        for q in range(row.size):
            row[q] *= factor


@part
def _eliminate(f: Floats, n: int, n_shared: int, first_ground: int, first_source: int, w: Floats) -> None:
    """Eliminate the first nodes of a graph whose weights are the upper triangle of ``f``.

    Weights among virtual grounds and among sources are left out: no current flows between fixed potentials that
    matters.
    """
    for start in range(0, n_shared, _PANEL):
        stop = min(start + _PANEL, n_shared)
        for s in range(start, stop):
            _update_row(f, s, s + 1, n, start, s, w)
            _scale_by_root(f[s, s + 1 : n])
        low = stop
        while low < n:
            high = min(low + _SPAN, n)
            last = min(first_source, high)
            p = stop
            while p < last:
                begin = max(low, p + 1 if p < first_ground else first_source)
                # Together with its successor, whose weight towards itself is overwritten and never read.
                if p + 1 < last and (p + 1 < first_ground or p >= first_ground):
                    if begin < high:
                        _update_two(f, p, begin, high, start, stop, w)
                    p += 2
                else:
                    if begin < high:
                        _update_row(f, p, begin, high, start, stop, w)
                    p += 1
            low = high


@part
def _corner_blocks(cells: Floats, left: Floats, below: Floats, place: int, graph: Floats) -> None:
    """The eight ports L0 L1 R0 R1 T0 T1 B0 B1 of 2 x 2 cells, many blocks side by side, by four closed forms.

    ``cells``, ``left`` and ``below`` are (4, LANES), of the cells 00 01 10 11 and the wires to their left and below.
    """
    lr0, lr1, lt0, lt1 = graph[place + 1], graph[place + 4], graph[place + 6], graph[place + 7]
    rt0, rt1, rt01, rt11 = graph[place + 8], graph[place + 9], graph[place + 12], graph[place + 13]
    lb, rb, tb0 = graph[place + 16], graph[place + 18], graph[place + 19]
    rb1, tb1 = graph[place + 24], graph[place + 26]
    for k in range(cells.shape[1]):
        g00, g01, g10, g11 = cells[0, k], cells[1, k], cells[2, k], cells[3, k]
        f0, w0, f1, w1 = left[0, k], left[1, k], left[2, k], left[3, k]
        u0, u1, d0, d1 = below[0, k], below[1, k], below[2, k], below[3, k]
        # Each product holds the inverse before a second conductance: two of wires without resistance overflow float32.
        # Input node 00, between L0, R0 and T0.
        inverse = 1 / (f0 + w0 + g00)
        lr0[k] = f0 * (w0 * inverse)
        lt0[k] = f0 * (g00 * inverse)
        rt0[k] = w0 * (g00 * inverse)
        # Output node 11, between T1, B1 and R1.
        inverse = 1 / (u1 + d1 + g11)
        tb1[k] = u1 * (d1 * inverse)
        rt11[k] = u1 * (g11 * inverse)
        rb1[k] = d1 * (g11 * inverse)
        # Input node 10, then output node 10, between T0, B0 and what the former left towards L1 and R1.
        inverse = 1 / (f1 + w1 + g10)
        x = f1 * (g10 * inverse)
        y = w1 * (g10 * inverse)
        last = 1 / (u0 + d0 + x + y)
        lr1[k] = f1 * (w1 * inverse) + x * (y * last)
        lt1[k] = u0 * (x * last)
        rt1[k] = u0 * (y * last)
        lb[k] = d0 * (x * last)
        rb[k] = d0 * (y * last)
        tb0[k] = u0 * (d0 * last)
        rt01[k] = g01


@part
def _merge_lanes(graph: Floats, op: Ints, maps: Ints, f: Floats, pivot: Floats, scale: Floats) -> None:
    """One merge of the tiles' inner blocks, ``LANES`` tiles side by side.

    ``op``: places and ports of both children, place of the result, shared nodes, ports, start of the two maps in
    ``maps``. The number of lanes is read from the array on purpose: a constant one is unrolled into scalar code.
    """
    lanes = graph.shape[1]
    n_shared, n_ports = op[5], op[6]
    n = n_shared + n_ports
    for p in range(n):
        for q in range(p + 1, n):
            x = f[p, q]
            for k in range(lanes):
                x[k] = 0
    for child in range(2):
        place, count = op[2 * child], op[2 * child + 1]
        first = op[7] if child == 0 else op[7] + op[1]
        for p in range(count):
            for q in range(p):
                to, there = maps[first + p], maps[first + q]
                x, y = f[min(to, there), max(to, there)], graph[place + p * (p - 1) // 2 + q]
                for k in range(lanes):
                    x[k] += y[k]
    for s in range(0, n_shared, 4):
        count = min(4, n_shared - s)
        for step in range(count):
            node = s + step
            for earlier in range(step):
                y = pivot[earlier, node]
                for p in range(node + 1, n):
                    x, z = f[node, p], pivot[earlier, p]
                    for k in range(lanes):
                        x[k] += y[k] * z[k]
            for k in range(lanes):
                scale[k] = 0
            for p in range(node + 1, n):
                x = f[node, p]
                for k in range(lanes):
                    scale[k] += x[k]
            for k in range(lanes):
                scale[k] = 1 / np.sqrt(scale[k]) if scale[k] > 0 else scale[k]
            for p in range(node + 1, n):
                x, y = pivot[step, p], f[node, p]
                for k in range(lanes):
                    x[k] = y[k] * scale[k]
        for p in range(s + count, n):
            a0, a1, a2, a3 = pivot[0, p], pivot[1, p], pivot[2, p], pivot[3, p]
            for q in range(p + 1, n):
                x, b0, b1 = f[p, q], pivot[0, q], pivot[1, q]
                if count == 4:
                    b2, b3 = pivot[2, q], pivot[3, q]
                    for k in range(lanes):
                        x[k] += (a0[k] * b0[k] + a1[k] * b1[k]) + (a2[k] * b2[k] + a3[k] * b3[k])
                else:
                    for k in range(lanes):
                        x[k] += a0[k] * b0[k] + a1[k] * b1[k]
    for p in range(n_ports):
        for q in range(p):
            x, y = graph[op[4] + p * (p - 1) // 2 + q], f[n_shared + q, n_shared + p]
            for k in range(lanes):
                x[k] = y[k]


@fused_kernel
def reduce_tiles(
    g: Floats,
    left: Floats,
    first_left: Floats,
    below: Floats,
    last_below: Floats,
    corners: Ints,
    ops: Ints,
    maps: Ints,
    size: int,
    orders: Ints,
    order_of_tile: Ints,
    start: int,
    stop: int,
    scratch: Floats,
    tiles: Floats,
) -> None:
    """Graphs of tiles of 8 x 8 cells between their 32 ports.

    Parameters
    ----------
    g
        (n_rows, n_columns) cells relative to the largest. Tiles are filled up with open cells on top and to the right.
    left, first_left
        (n_rows,) conductances of the wires left of a cell, and left of the first.
    below, last_below
        (n_columns,) of the wires below a cell, and below the last. Wires between cells that fill up a tile have no
        resistance, so that a second terminal sits next to the array.
    corners, ops, maps, size
        The inner merges: places of the 16 blocks of 2 x 2 cells, merges, maps, and the numbers of their graphs.
    start, stop
        Tiles to reduce, counted row by row.
    orders, order_of_tile
        (n_orders, 496) places of the weights of a packed lower triangle over the ports L, R, T, B in the packed upper
        triangle over the ports in the order of their elimination, and which of the orders each tile has.
    scratch
        (``LANES`` * (``size`` + 45 ``TILE``^2),) at least.
    tiles
        Out: (n_tiles * 496,) packed upper triangles.
    """
    n_rows, n_columns = g.shape
    across = (n_columns + TILE - 1) // TILE
    empty = (TILE - n_rows % TILE) % TILE
    one = g.dtype.type(1)
    lanes = min(LANES, stop - start)
    used = size * lanes
    graph = scratch[:used].reshape(size, lanes)
    f = scratch[used : used + 25 * TILE * TILE * lanes].reshape(5 * TILE, 5 * TILE, lanes)
    used += 25 * TILE * TILE * lanes
    pivot = scratch[used : used + 20 * TILE * lanes].reshape(4, 5 * TILE, lanes)
    scale = np.empty(lanes, dtype=g.dtype)
    cells, wires, drops = np.empty((4, lanes), g.dtype), np.empty((4, lanes), g.dtype), np.empty((4, lanes), g.dtype)
    for first in range(start, stop, lanes):
        graph[:] = 0
        for block in range(16):
            for corner in range(4):
                for k in range(lanes):
                    tile = min(first + k, stop - 1)
                    i = tile // across * TILE + block // 4 * 2 + corner // 2 - empty
                    j = tile % across * TILE + block % 4 * 2 + corner % 2
                    inside = i >= 0 and j < n_columns
                    cells[corner, k] = g[i, j] if inside else 0 * one
                    wires[corner, k] = one
                    if i >= 0:
                        wires[corner, k] = first_left[i] if j == 0 else left[i] if inside else HUGE * one
                    drops[corner, k] = one
                    if j < n_columns:
                        drops[corner, k] = last_below[j] if i == n_rows - 1 else below[j] if inside else HUGE * one
            _corner_blocks(cells, wires, drops, corners[block], graph)
        for k in range(ops.shape[0]):
            _merge_lanes(graph, ops[k], maps, f, pivot, scale)
        root = ops[ops.shape[0] - 1, 4]
        n_weights = orders.shape[1]
        for k in range(min(lanes, stop - first)):
            packed, order = (
                tiles[(first + k) * n_weights : (first + k + 1) * n_weights],
                orders[order_of_tile[first + k]],
            )
            for e in range(n_weights):
                packed[order[e]] = graph[root + e, k]


@part
def _clear(f: Floats, n: int, first_ground: int, first_source: int) -> None:
    for p in range(first_source):
        row = f[p, (p + 1 if p < first_ground else first_source) : n]
        for q in range(row.size):
            row[q] = 0


@part
def _add_run(target: Floats, source: Floats) -> None:
    for q in range(target.size):
        target[q] += source[q]


@part
def _add_block(
    f: Floats, child: Floats, place: int, stride: int, runs: Ints, first_ground: int, first_source: int
) -> None:
    """Add the weights of a child, the upper triangle that begins at ``place``; packed where ``stride`` is 0.

    ``runs`` (4, 3): start in the child, length, start in the parent, both ascending.
    """
    for a in range(4):
        start, length, to = runs[a, 0], runs[a, 1], runs[a, 2]
        if to >= first_source:
            continue
        for k in range(start, start + length):
            row = place + (k * stride if stride > 0 else k * (8 * TILE - 1 - k) // 2 - k - 1)
            target = f[to + k - start]
            if to < first_ground:
                _add_run(target[to + k - start + 1 : to + length], child[row + k + 1 : row + start + length])
            for b in range(a + 1, 4):
                other, count, there = runs[b, 0], runs[b, 1], runs[b, 2]
                if to < first_ground or there >= first_source:
                    _add_run(target[there : there + count], child[row + other : row + other + count])


@fused_kernel
def merge_blocks(ops: Ints, start: int, stop: int, tiles: Floats, far: Floats, top: Floats, work: Floats) -> None:
    """Merge blocks in the given order.

    Parameters
    ----------
    ops
        (n_ops, 36) one merge each: place of its graph in ``work``, nodes, stride of a row, nodes to eliminate, first
        virtual ground, first source; then, for both children, kind (-1 none, 0 a tile, 1 a block), place, stride, and
        four runs of ports (start, length, start in the graph). The nodes of a graph stand in the order in
        which they are eliminated; virtual grounds and sources come last.
    tiles
        From :func:`reduce_tiles`, one-dimensional.
    far, top
        Conductances of second terminals, which close the last graph where ``ops`` has a child of kind 2: its first
        nodes are then the far ends of the input lines and the tops of the output lines.
    work
        One-dimensional, float64 or float32.
    """
    w = np.empty(8, dtype=work.dtype)
    for k in range(start, stop):
        op = ops[k]
        n, stride, first_ground, first_source = op[1], op[2], op[4], op[5]
        f = work[op[0] : op[0] + n * stride].reshape(n, stride)
        _clear(f, n, first_ground, first_source)
        for child in range(2):
            head = op[6 + 15 * child : 9 + 15 * child]
            runs = op[9 + 15 * child : 21 + 15 * child].reshape(4, 3)
            if head[0] == 0:
                _add_block(f, tiles, head[1], head[2], runs, first_ground, first_source)
            elif head[0] > 0:
                _add_block(f, work, head[1], head[2], runs, first_ground, first_source)
            if head[0] == 2:
                for i in range(far.size):
                    f[i, first_source + i] += far[i]
                for j in range(top.size):
                    f[far.size + j, first_ground + j] += top[j]
        _eliminate(f, n, op[3], first_ground, first_source, w)


def smallest() -> None:
    """Run every kernel once, on one tile: without inner merges, and without merges of tiles."""
    line, floating = np.ones(1), np.zeros(1, np.int64)
    table, ops = np.zeros((1, 496), np.int64), np.zeros((0, 36), np.int64)
    inner = (np.zeros(16, np.int64), np.zeros((1, 8), np.int64), floating, 496)
    lanes, tiles = np.empty(LANES * 4096), np.empty(496)
    reduce_tiles(np.ones((1, 1)), line, line, line, line, *inner, table, floating, 0, 1, lanes, tiles)
    merge_blocks(ops, 0, 0, tiles, line[:0], line[:0], tiles)
