"""Searches of a CAM replayed from a table."""

import numpy as np
from numpy.typing import NDArray

from ._draws import draw_exponential, first_state
from ._jit import table_kernel
from ._sensing import flip_rows
from .tables import SearchTable, smallest_engine

__all__ = ["replay_searches", "smallest"]


@table_kernel
def replay_searches(
    table: SearchTable,
    searches: NDArray[np.int64],
    key: np.uint64,
    rows: NDArray[np.int32],
    state: NDArray[np.uint64],
    clock: NDArray[np.float64],
    fired: NDArray[np.bool_],
) -> None:
    """Rows that fire in many searches, each with fresh noise.

    Parameters
    ----------
    table
        What each search does.
    searches
        (n,) int64 numbers of searches in the table.
    key
        uint64: the random numbers of the k-th of them follow from it and k alone.
    rows, state, clock
        Scratch: (n_rows + 1,) int32, (1,) uint64, (1,) float64.
    fired
        (n, n_rows) bool, all False: receives the rows.
    """
    for k in range(searches.size):
        state[0] = first_state(key, k)
        clock[0] = draw_exponential(state)
        n = flip_rows(table, searches[k], rows, clock, state)
        for i in range(n):
            fired[k, rows[i]] = True


def smallest() -> None:
    """Run the kernel once: one search of two rows that never fire."""
    table, searches, rows = smallest_engine().search, np.zeros(1, np.int64), np.empty(3, np.int32)
    state, clock = np.zeros(1, np.uint64), np.zeros(1)
    replay_searches(table, searches, np.uint64(0), rows, state, clock, np.zeros((1, 2), np.bool_))
