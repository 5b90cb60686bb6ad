"""Star-mesh transformations of one large graph: its first nodes are eliminated, a panel of them at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._jit import part, summing_part

__all__ = ["eliminate"]

_PANEL = 32
"""Nodes that are eliminated before the rest of a graph is updated."""

_SPAN = 512
"""Numbers of a row that are updated at once: with eight others they fit the fastest cache."""

Floats = NDArray[Any]


@part
def _add_eight_rows(
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
    """Add eight rows to one, each times its entry of ``w``."""
    w0, w1, w2, w3, w4, w5, w6, w7 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    for q in range(row.size):
        row[q] += ((w0 * x0[q] + w1 * x1[q]) + (w2 * x2[q] + w3 * x3[q])) + (
            (w4 * x4[q] + w5 * x5[q]) + (w6 * x6[q] + w7 * x7[q])
        )


@part
def _add_row(row: Floats, x: Floats, w: float) -> None:
    for q in range(row.size):
        row[q] += w * x[q]


@part
def _update_row(graph: Floats, p: int, low: int, high: int, first: int, last: int, factors: Floats) -> None:
    """Weights [low, high) of node p, after the nodes [first, last) have been eliminated."""
    row = graph[p, low:high]
    t = first
    while t + 8 <= last:
        for k in range(8):
            factors[k] = graph[t + k, p]
        _add_eight_rows(
            row,
            graph[t, low:high],
            graph[t + 1, low:high],
            graph[t + 2, low:high],
            graph[t + 3, low:high],
            graph[t + 4, low:high],
            graph[t + 5, low:high],
            graph[t + 6, low:high],
            graph[t + 7, low:high],
            factors,
        )
        t += 8
    while t < last:
        _add_row(row, graph[t, low:high], graph[t, p])
        t += 1


@part
def _add_four_rows_to_two(one: Floats, two: Floats, x0: Floats, x1: Floats, x2: Floats, x3: Floats, w: Floats) -> None:
    """Add four rows to one and to another, each times its entries k and k + 4 of ``w``."""
    a0, a1, a2, a3, b0, b1, b2, b3 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    for q in range(one.size):
        one[q] += (a0 * x0[q] + a1 * x1[q]) + (a2 * x2[q] + a3 * x3[q])
        two[q] += (b0 * x0[q] + b1 * x1[q]) + (b2 * x2[q] + b3 * x3[q])


@part
def _update_two_rows(graph: Floats, p: int, low: int, high: int, first: int, last: int, factors: Floats) -> None:
    """Weights [low, high) of the nodes p and p + 1 at once, which read those of the eliminated nodes together."""
    one, two = graph[p, low:high], graph[p + 1, low:high]
    t = first
    while t + 4 <= last:
        for k in range(4):
            factors[k] = graph[t + k, p]
            factors[k + 4] = graph[t + k, p + 1]
        _add_four_rows_to_two(
            one,
            two,
            graph[t, low:high],
            graph[t + 1, low:high],
            graph[t + 2, low:high],
            graph[t + 3, low:high],
            factors,
        )
        t += 4
    while t < last:
        _add_row(one, graph[t, low:high], graph[t, p])
        _add_row(two, graph[t, low:high], graph[t, p + 1])
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
def eliminate(graph: Floats, n: int, n_shared: int, first_ground: int, first_source: int, factors: Floats) -> None:
    """Eliminate the first ``n_shared`` of the n nodes of a graph, whose weights are the upper triangle of ``graph``.

    Weights among virtual grounds and among sources are left out: no current flows between fixed potentials that
    matters. ``factors``, (8,), are to work in.
    """
    for start in range(0, n_shared, _PANEL):
        stop = min(start + _PANEL, n_shared)
        for s in range(start, stop):
            _update_row(graph, s, s + 1, n, start, s, factors)
            _scale_by_root(graph[s, s + 1 : n])
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
                        _update_two_rows(graph, p, begin, high, start, stop, factors)
                    p += 2
                else:
                    if begin < high:
                        _update_row(graph, p, begin, high, start, stop, factors)
                    p += 1
            low = high
