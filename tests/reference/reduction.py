"""Terminal reduction as star-mesh transformations of one node after another, in extended precision."""

import numpy as np

__all__ = ["tile", "transconductance", "without_nodes"]


def without_nodes(weights, nodes):
    """The graph of conductances ``weights`` (n, n), symmetric, after these nodes are eliminated; their rows are 0."""
    f = np.array(weights, dtype=np.longdouble)
    np.fill_diagonal(f, 0)
    for s in nodes:
        ends = np.flatnonzero(f[s])
        star = f[s, ends]
        f[s] = f[:, s] = 0
        if len(ends):
            f[np.ix_(ends, ends)] += np.outer(star, star / star.sum())
            f[ends, ends] = 0
    return f


def tile(g, along, down):
    """Conductances between the ports L, R, T, B of an array, each in the order of its lines.

    L are the nodes left of the array, R the last of each input line, T the first of each output line, B the nodes below
    the array. ``along`` and ``down`` (n_rows, n_columns) are the conductances of the wires left of and below each cell.
    """
    n_rows, n_columns = g.shape
    word = np.arange(n_rows * (n_columns + 1)).reshape(n_rows, n_columns + 1)
    bit = word.size + np.arange((n_rows + 1) * n_columns).reshape(n_rows + 1, n_columns)
    weights = np.zeros((word.size + bit.size,) * 2, dtype=np.longdouble)
    for one, other, siemens in (
        (word[:, :-1], word[:, 1:], along),
        (bit[:-1], bit[1:], down),
        (word[:, 1:], bit[:-1], g),
    ):
        weights[one, other] = weights[other, one] = siemens
    ports = np.concatenate([word[:, 0], word[:, -1], bit[0], bit[-1]])
    graph = without_nodes(weights, np.setdiff1d(np.arange(len(weights)), ports))
    return graph[np.ix_(ports, ports)]


def transconductance(g, along, down, far=0.0, top=0.0):
    """Conductances between the sources and the virtual grounds, (n_rows, n_columns); second terminals in siemens."""
    n_rows, n_columns = g.shape
    graph = tile(g, along, down)
    source, ground = np.arange(n_rows), n_columns + 2 * n_rows + np.arange(n_columns)
    for terminal, port, siemens in ((source, source + n_rows, far), (ground, ground - n_columns, top)):
        graph[terminal, port] += siemens
        graph[port, terminal] += siemens
    return without_nodes(graph, range(n_rows, 2 * n_rows + n_columns))[:n_rows, ground]
