"""Random arrays as the kernel that solves them takes them."""

from typing import NamedTuple

import numpy as np

from rramsim.cell.conduction import LinearConductionSpec
from rramsim.kernels.circuit import LineTable, NodeTable, SourceTable, StopTable
from rramsim.kernels.network import PLANES, plane_shape, solve_array

__all__ = ["LINEAR", "TOLERANCE", "Solved", "random_conductances", "random_drives", "random_lines", "solve_all"]

LINEAR = LinearConductionSpec()
TOLERANCE = 1e-12
RESIDUAL = 1e-9
NONE = np.empty((0, 0))


class Solved(NamedTuple):
    """What the kernel returns and writes."""

    missed: int
    currents: np.ndarray
    checks: np.ndarray
    a: np.ndarray
    b: np.ndarray
    through: np.ndarray
    slope: np.ndarray
    along: np.ndarray
    down: np.ndarray


def random_conductances(shape, seed=0, open_share=0.2):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < open_share, 0.0, 10.0 ** rng.uniform(-6, -3, shape))


def random_drives(n, n_rows, seed=1):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (n, n_rows))


def random_lines(shape, seed=2, present=(1, 1, 1, 1), far=False, top=False):
    """A resistance for every line; ``present`` tells which kinds are there at all."""
    rng = np.random.default_rng(seed)
    near, segment, bottom, out_segment = (
        there * most * rng.uniform(0.3, 1.0, n)
        for n, there, most in zip((shape[0],) * 2 + (shape[1],) * 2, present, (120.0, 5.0, 60.0, 3.0), strict=True)
    )
    # Second terminals behind resistances as different as can be, some without.
    siemens = [1e-2 * rng.uniform(0.3, 1.0, n) * (rng.random(n) < 0.8) for n in shape]
    far, top = (s * there for s, there in zip(siemens, (far, top), strict=True))
    return LineTable(near, segment, far, bottom, out_segment, top, np.zeros(shape[0], dtype=np.int64))


def solve_all(
    g,
    v,
    lines,
    law=LINEAR,
    injected=(NONE, NONE),
    *,
    tolerance=TOLERANCE,
    max_iterations=1000,
    most_residual=RESIDUAL,
    inside=True,
):
    """Solve for the vectors ``v`` (n, n_rows) in arrays full of nan: what they held before must not matter."""
    n, (n_rows, n_columns) = len(v), g.shape
    sizes = [(n_rows, n_columns)] * 4 + [(n_rows, n_columns + 1), (n_rows + 1, n_columns)]
    nodes = NodeTable(*(np.full((n if inside else 0, *size), np.nan) for size in sizes))
    currents, checks = np.full((n, n_columns), np.nan), np.full((n, 6), np.nan)
    planes = np.full((PLANES, *plane_shape(n_rows, n_columns)), np.nan)
    cells = law.cell_table(g)
    stop = StopTable(tolerance, max_iterations, most_residual)
    missed = solve_array(cells, lines, SourceTable(v, *injected), stop, planes, currents, checks, nodes)
    return Solved(missed, currents, checks, *nodes)
