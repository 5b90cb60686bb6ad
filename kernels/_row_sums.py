"""Sums over the rows that pulses drive, by tables of every choice of a few rows."""

import numpy as np
from numpy.typing import NDArray

from ._jit import part
from ._simd import AT_A_TIME, GROUP, WIDTH, add_chosen

__all__ = ["TABLES", "add_rows", "collect_choices"]

TABLES = 2 * AT_A_TIME
"""Tables at a time: they fit the first cache."""


@part
def collect_choices(patterns: NDArray[np.uint8], chosen: NDArray[np.uint64]) -> None:
    """Patterns of AT_A_TIME groups to a word."""
    for row in range(patterns.shape[0]):
        for word in range(chosen.shape[1]):
            groups = patterns[row, word * AT_A_TIME : (word + 1) * AT_A_TIME]
            total = np.uint64(0)
            for k in range(groups.size):
                total |= np.uint64(groups[k]) << np.uint64(8 * k)
            chosen[row, word] = total


@part
def _build_tables(t: NDArray[np.generic], first_row: int, column: int, tables: NDArray[np.generic]) -> None:
    """Sums of every choice of GROUP rows, for WIDTH columns; rows beyond the last count as 0."""
    for group in range(tables.shape[0]):
        table = tables[group]
        for k in range(GROUP):
            row, half = first_row + GROUP * group + k, 1 << k
            for choice in range(half):
                source, target = table[choice], table[choice + half]
                if row < t.shape[0]:
                    added = t[row, column : column + WIDTH]
                    for j in range(target.size):
                        target[j] = source[j] + added[j]
                else:
                    target[:] = source


@part
def add_rows(
    t: NDArray[np.generic],
    column: int,
    chosen: NDArray[np.uint64],
    before: NDArray[np.generic],
    tables: NDArray[np.generic],
    sums: NDArray[np.generic],
) -> None:
    """Add up the rows that each pulse drives, for WIDTH columns."""
    for word in range(0, chosen.shape[1], TABLES // AT_A_TIME):
        batch = tables[: min(TABLES, (chosen.shape[1] - word) * AT_A_TIME)]
        _build_tables(t, word * AT_A_TIME * GROUP, column, batch)
        add_chosen(chosen[:, word:], batch, before, sums)
        before = sums
