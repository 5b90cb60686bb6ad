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

from ._jit import fused_kernel, part
from ._lanes import merge_lanes, reduce_corners
from ._star_mesh import eliminate

__all__ = ["HUGE", "LANES", "TILE", "merge_blocks", "reduce_tiles", "smallest"]

HUGE = 1e30
"""Conductance of a wire without resistance, relative to the largest cell."""

TILE = 8
"""Rows and columns of the smallest block, which ``LANES`` of them at a time reduce side by side."""

LANES = 32
"""Tiles that are reduced side by side."""

Floats = NDArray[Any]
Ints = NDArray[np.int64]


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
    front = scratch[used : used + 25 * TILE * TILE * lanes].reshape(5 * TILE, 5 * TILE, lanes)
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
            reduce_corners(cells, wires, drops, corners[block], graph)
        for k in range(ops.shape[0]):
            merge_lanes(graph, ops[k], maps, front, pivot, scale)
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
def _clear(graph: Floats, n: int, first_ground: int, first_source: int) -> None:
    for p in range(first_source):
        row = graph[p, (p + 1 if p < first_ground else first_source) : n]
        for q in range(row.size):
            row[q] = 0


@part
def _add_run(target: Floats, source: Floats) -> None:
    for q in range(target.size):
        target[q] += source[q]


@part
def _add_block(
    graph: Floats, child: Floats, place: int, stride: int, runs: Ints, first_ground: int, first_source: int
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
            target = graph[to + k - start]
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
    factors = np.empty(8, dtype=work.dtype)
    for k in range(start, stop):
        op = ops[k]
        n, stride, first_ground, first_source = op[1], op[2], op[4], op[5]
        graph = work[op[0] : op[0] + n * stride].reshape(n, stride)
        _clear(graph, n, first_ground, first_source)
        for child in range(2):
            head = op[6 + 15 * child : 9 + 15 * child]
            runs = op[9 + 15 * child : 21 + 15 * child].reshape(4, 3)
            if head[0] == 0:
                _add_block(graph, tiles, head[1], head[2], runs, first_ground, first_source)
            elif head[0] > 0:
                _add_block(graph, work, head[1], head[2], runs, first_ground, first_source)
            if head[0] == 2:
                for i in range(far.size):
                    graph[i, first_source + i] += far[i]
                for j in range(top.size):
                    graph[far.size + j, first_ground + j] += top[j]
        eliminate(graph, n, op[3], first_ground, first_source, factors)


def smallest() -> None:
    """Run every kernel once, on one tile: without inner merges, and without merges of tiles."""
    line, floating = np.ones(1), np.zeros(1, np.int64)
    table, ops = np.zeros((1, 496), np.int64), np.zeros((0, 36), np.int64)
    inner = (np.zeros(16, np.int64), np.zeros((1, 8), np.int64), floating, 496)
    lanes, tiles = np.empty(LANES * 4096), np.empty(496)
    reduce_tiles(np.ones((1, 1)), line, line, line, line, *inner, table, floating, 0, 1, lanes, tiles)
    merge_blocks(ops, 0, 0, tiles, line[:0], line[:0], tiles)
