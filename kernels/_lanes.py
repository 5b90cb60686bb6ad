"""Small graphs of many tiles side by side: blocks of 2 x 2 cells, and their merges within a tile."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._jit import part

__all__ = ["merge_lanes", "reduce_corners"]

Floats = NDArray[Any]
Ints = NDArray[np.int64]


@part
def reduce_corners(cells: Floats, left: Floats, below: Floats, place: int, graph: Floats) -> None:
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
def merge_lanes(graph: Floats, op: Ints, maps: Ints, front: Floats, pivot: Floats, scale: Floats) -> None:
    """One merge of the tiles' inner blocks, ``LANES`` tiles side by side.

    ``op``: places and ports of both children, place of the result, shared nodes, ports, start of the two maps in
    ``maps``. The number of lanes is read from the array on purpose: a constant one is unrolled into scalar code.
    """
    lanes = graph.shape[1]
    n_shared, n_ports = op[5], op[6]
    n = n_shared + n_ports
    for p in range(n):
        for q in range(p + 1, n):
            x = front[p, q]
            for k in range(lanes):
                x[k] = 0
    for child in range(2):
        place, count = op[2 * child], op[2 * child + 1]
        first = op[7] if child == 0 else op[7] + op[1]
        for p in range(count):
            for q in range(p):
                to, there = maps[first + p], maps[first + q]
                x, y = front[min(to, there), max(to, there)], graph[place + p * (p - 1) // 2 + q]
                for k in range(lanes):
                    x[k] += y[k]
    for s in range(0, n_shared, 4):
        count = min(4, n_shared - s)
        for step in range(count):
            node = s + step
            for earlier in range(step):
                y = pivot[earlier, node]
                for p in range(node + 1, n):
                    x, z = front[node, p], pivot[earlier, p]
                    for k in range(lanes):
                        x[k] += y[k] * z[k]
            for k in range(lanes):
                scale[k] = 0
            for p in range(node + 1, n):
                x = front[node, p]
                for k in range(lanes):
                    scale[k] += x[k]
            for k in range(lanes):
                scale[k] = 1 / np.sqrt(scale[k]) if scale[k] > 0 else scale[k]
            for p in range(node + 1, n):
                x, y = pivot[step, p], front[node, p]
                for k in range(lanes):
                    x[k] = y[k] * scale[k]
        for p in range(s + count, n):
            a0, a1, a2, a3 = pivot[0, p], pivot[1, p], pivot[2, p], pivot[3, p]
            for q in range(p + 1, n):
                x, b0, b1 = front[p, q], pivot[0, q], pivot[1, q]
                if count == 4:
                    b2, b3 = pivot[2, q], pivot[3, q]
                    for k in range(lanes):
                        x[k] += (a0[k] * b0[k] + a1[k] * b1[k]) + (a2[k] * b2[k] + a3[k] * b3[k])
                else:
                    for k in range(lanes):
                        x[k] += a0[k] * b0[k] + a1[k] * b1[k]
    for p in range(n_ports):
        for q in range(p):
            x, y = graph[op[4] + p * (p - 1) // 2 + q], front[n_shared + q, n_shared + p]
            for k in range(lanes):
                x[k] = y[k]
