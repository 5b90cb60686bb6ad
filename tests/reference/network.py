"""The crossbar as a circuit: nodes, resistors and Kirchhoff's current law, solved densely.

Zero resistances merge the nodes at their ends. Everything is summed in extended precision and the solution of
``numpy.linalg.solve`` (float64) is refined against that, so that the oracle is exact to the last digits of float64.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

__all__ = ["Solution", "equations", "ladder_factors", "solve", "solve_sparse", "transconductance"]


class Solution(NamedTuple):
    """Column currents (n_columns,) and the voltages of the word- and bit-line nodes, (n_rows, n_columns) each."""

    currents: np.ndarray
    word: np.ndarray
    bit: np.ndarray


def find(parent, node):
    """The node that stands for all those merged with ``node``."""
    while parent[node] != node:
        node = parent[node]
    return node


def equations(g, v, word_line_ohm=0.0, bit_line_ohm=0.0, driver_ohm=0.0, sense_ohm=0.0):
    """Kirchhoff's current law: (rows, columns, values, right-hand side, place of every node).

    A place is the number of an unknown, or a string that begins with the name of a fixed node.
    """
    n_rows, n_columns = g.shape
    nodes = [("ground",)] + [("source", i) for i in range(n_rows)]
    nodes += [(side, i, j) for side in ("word", "bit") for i in range(n_rows) for j in range(n_columns)]
    parent = {node: node for node in nodes}
    branches = []

    def resistor(one, other, ohm):
        if ohm > 0:
            branches.append((one, other, 1 / np.longdouble(ohm)))
        else:
            # The fixed nodes stay the representatives: sources and ground are merged *into*, never away.
            one, other = find(parent, one), find(parent, other)
            if other[0] in ("ground", "source"):
                one, other = other, one
            parent[other] = one

    for i in range(n_rows):
        resistor(("source", i), ("word", i, 0), driver_ohm)
        for j in range(n_columns - 1):
            resistor(("word", i, j), ("word", i, j + 1), word_line_ohm)
    for j in range(n_columns):
        resistor(("ground",), ("bit", n_rows - 1, j), sense_ohm)
        for i in range(n_rows - 1):
            resistor(("bit", i, j), ("bit", i + 1, j), bit_line_ohm)
    for i in range(n_rows):
        branches += [(("word", i, j), ("bit", i, j), np.longdouble(g[i, j])) for j in range(n_columns)]

    fixed = {("ground",): np.longdouble(0)} | {("source", i): np.longdouble(v[i]) for i in range(n_rows)}
    unknown = [node for node in nodes if find(parent, node) == node and node not in fixed]
    number = {node: k for k, node in enumerate(unknown)}
    matrix = {}
    injected = np.zeros(len(unknown), dtype=np.longdouble)
    for first, last, conductance in branches:
        one, other = find(parent, first), find(parent, last)
        if one == other:
            continue
        for here, there in ((one, other), (other, one)):
            if here in number:
                row = number[here]
                matrix[row, row] = matrix.get((row, row), np.longdouble(0)) + conductance
                if there in number:
                    column = number[there]
                    matrix[row, column] = matrix.get((row, column), np.longdouble(0)) - conductance
                else:
                    injected[row] += conductance * fixed[there]
    rows = np.array([row for row, _ in matrix], dtype=int)
    columns = np.array([column for _, column in matrix], dtype=int)
    values = np.array(list(matrix.values()), dtype=np.longdouble)

    def voltage(node, solution):
        node = find(parent, node)
        return solution[number[node]] if node in number else fixed[node]

    return rows, columns, values, injected, voltage


def _finish(g, voltage, solution):
    n_rows, n_columns = g.shape
    word, bit = np.empty(g.shape, dtype=np.longdouble), np.empty(g.shape, dtype=np.longdouble)
    for i in range(n_rows):
        for j in range(n_columns):
            word[i, j] = voltage(("word", i, j), solution)
            bit[i, j] = voltage(("bit", i, j), solution)
    currents = (g.astype(np.longdouble) * (word - bit)).sum(axis=0)
    return Solution(currents.astype(float), word.astype(float), bit.astype(float))


def _refine(rows, columns, values, injected, solve_float64):
    solution = np.zeros(len(injected), dtype=np.longdouble)
    for _ in range(6):
        residual = injected.copy()
        np.subtract.at(residual, rows, values * solution[columns])
        solution += solve_float64(residual.astype(float))
    return solution


def solve(g, v, **ohm):
    """Currents and node voltages for one drive vector ``v`` (n_rows,); ``ohm`` as the fields of WireSpec."""
    g = np.asarray(g, dtype=float)
    rows, columns, values, injected, voltage = equations(g, v, **ohm)
    solution = injected
    if len(injected):
        matrix = np.zeros((len(injected), len(injected)))
        matrix[rows, columns] = values.astype(float)
        solution = _refine(rows, columns, values, injected, lambda residual: np.linalg.solve(matrix, residual))
    return _finish(g, voltage, solution)


def solve_sparse(g, v, **ohm):
    """The same for arrays too large for a dense matrix: sparse LU, refined alike."""
    g = np.asarray(g, dtype=float)
    rows, columns, values, injected, voltage = equations(g, v, **ohm)
    shape = (len(injected), len(injected))
    matrix = scipy.sparse.csc_matrix((values.astype(float), (rows, columns)), shape=shape)
    factors = scipy.sparse.linalg.splu(matrix)
    return _finish(g, voltage, _refine(rows, columns, values, injected, factors.solve))


def transconductance(g, **ohm):
    """Column currents for 1 V on one row after another, the others at 0 V: (n_rows, n_columns)."""
    g = np.asarray(g, dtype=float)
    return np.array([solve(g, np.eye(len(g))[i], **ohm).currents for i in range(len(g))])


def ladder_factors(g, word_line_ohm, driver_ohm, bit_line_ohm, sense_ohm):
    """Ratio of the voltage of each node to that of the node before it, seen from the terminal of its line.

    Word lines from the driver with the bit lines at ground, then bit lines from the sense end with the word lines at
    ground: (n_rows, n_columns) each.
    """
    g = np.asarray(g, dtype=float)
    word = solve(g, np.ones(len(g)), word_line_ohm=word_line_ohm, driver_ohm=driver_ohm).word
    turned = g[::-1].T
    bit = solve(turned, np.ones(len(turned)), word_line_ohm=bit_line_ohm, driver_ohm=sense_ohm).word.T[::-1]
    before_word = np.concatenate([np.ones((len(g), 1)), word[:, :-1]], axis=1)
    before_bit = np.concatenate([bit[1:], np.ones((1, g.shape[1]))], axis=0)
    return word / before_word, bit / before_bit
