"""Decisions of sense amplifiers: what tables say of them, and which of them noise flips.

A *clock* (1,) float64 holds the hazard left until the next flip. It runs down through the decisions that noise can
change, and is wound up after every flip: a decision flips if the clock runs out on its hazard h, with probability
1 - exp(-h).
"""

from math import erfc, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from ._draws import draw_exponential, draw_uniform
from ._jit import table_part
from .tables import REACH, ReadTable, SearchTable

__all__ = ["flip_columns", "flip_rows", "read_columns", "weigh_columns"]


@table_part
def flip_rows(
    table: SearchTable, search: int, rows: NDArray[np.int32], clock: NDArray[np.float64], state: NDArray[np.uint64]
) -> int:
    """Rows that fire in one search with its noise, written to ``rows``; returns their number."""
    n = 0
    for k in range(table.start[search], table.start[search + 1]):
        rows[n] = table.row[k]
        n += 1
    total = table.hazard[search]
    if clock[0] >= total:
        clock[0] -= total
        return n
    flip_at, k, end = clock[0], table.near_start[search], table.near_start[search + 1]
    while True:
        while k < end and table.near_hazard[k] <= flip_at:
            k += 1
        if k >= end:
            break
        n = _flip_row(rows, n, table.near_row[k])
        flip_at = table.near_hazard[k] + draw_exponential(state)
        k += 1
    clock[0] = max(flip_at - total, 0.0)
    return n


@table_part
def _flip_row(rows: NDArray[np.int32], n: int, row: int) -> int:
    """Take a row out of the list of rows that fire, or put it in; returns how many then fire."""
    for k in range(n):
        if rows[k] == row:
            rows[k] = rows[n - 1]
            return n - 1
    rows[n] = row
    return n + 1


@table_part
def _tail(distance: float) -> float:
    """Probability that a standard normal number exceeds a distance."""
    return 0.5 * erfc(distance * sqrt(0.5)) if distance < REACH else 0.0


@table_part
def _tail_bound(distance: float) -> float:
    """What :func:`_tail` never exceeds: half of (1 + d^2 / 4)^-4; much faster."""
    square = 1.0 + 0.25 * distance * distance
    square *= square
    return 0.5 / (square * square) if distance < REACH else 0.0


@table_part
def _lowered_level(reference: NDArray[np.float64], level: int, current: float, deviation: float, chance: float) -> int:
    """Level of a column whose current noise has lowered, given a uniform number below the probability that it has."""
    level -= 1
    while level > 0 and chance <= _tail((current - reference[level - 1]) / deviation):
        level -= 1
    return level


@table_part
def _raised_level(reference: NDArray[np.float64], level: int, current: float, deviation: float, chance: float) -> int:
    """Level of a column whose current noise has raised, given a uniform number below the probability that it has."""
    level += 1
    while level < reference.size and chance <= _tail((reference[level] - current) / deviation):
        level += 1
    return level


@table_part
def flip_columns(
    table: ReadTable,
    hazards: NDArray[np.float64],
    driven: tuple[NDArray[np.int32], int, int],
    word: int,
    clock: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> int:
    """The word that is read where the clock runs out on some columns.

    ``driven`` are the first three arguments of :func:`read_columns` behind the table, ``word`` is what is read without
    noise, and ``hazards`` are those of the columns, added up along them.
    """
    rows, n, opposite_row = driven
    flip_at, n_columns = clock[0], table.weight.size
    for j in range(n_columns):
        if flip_at < hazards[j]:
            level, current, deviation, down, up = _level_chances(table, rows, n, opposite_row, j)
            flipped = _flipped_level(table.reference[j], level, current, deviation, down, up, state)
            word += table.weight[j] * (flipped - level)
            flip_at = hazards[j] + draw_exponential(state)
    clock[0] = draw_exponential(state)
    return word


@table_part
def read_columns(
    table: ReadTable,
    rows: NDArray[np.int32],
    n: int,
    opposite_row: int,
    clock: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> int:
    """The word that is read where the first n of ``rows`` are driven, and one with the opposite voltage (-1: none).

    Each column has one noise, common to its amplifiers; it reads another digit than without noise if the clock runs out
    on it.
    """
    word, bound = 0, 0.0
    for j in range(table.weight.size):
        level, current, deviation = _quiet_level(table, rows, n, opposite_row, j)
        word += table.weight[j] * (level + table.lowest)
        if deviation > 0.0:
            reference = table.reference[j]
            if level > 0:
                bound += _tail_bound((current - reference[level - 1]) / deviation)
            if level < reference.size:
                bound += _tail_bound((reference[level] - current) / deviation)
    # A hazard is at most twice its probability as long as that is at most a half.
    if bound < 0.5 and clock[0] >= 2.0 * bound:
        clock[0] = draw_exponential(state)
        return word
    flip_at = clock[0]
    for j in range(table.weight.size):
        level, current, deviation, down, up = _level_chances(table, rows, n, opposite_row, j)
        hazard = -log1p(-(down + up))
        if flip_at >= hazard:
            flip_at -= hazard
        else:
            flipped = _flipped_level(table.reference[j], level, current, deviation, down, up, state)
            word += table.weight[j] * (flipped - level)
            flip_at = draw_exponential(state)
    clock[0] = draw_exponential(state)
    return word


@table_part
def weigh_columns(
    table: ReadTable, rows: NDArray[np.int32], n: int, opposite_row: int, hazards: NDArray[np.float64]
) -> int:
    """The word that is read without noise; ``hazards`` receives those of the columns, added up along them."""
    word, hazard = 0, 0.0
    for j in range(table.weight.size):
        level, _, _, down, up = _level_chances(table, rows, n, opposite_row, j)
        hazard -= log1p(-(down + up))
        hazards[j] = hazard
        word += table.weight[j] * (level + table.lowest)
    return word


@table_part
def _quiet_level(
    table: ReadTable, rows: NDArray[np.int32], n: int, opposite_row: int, j: int
) -> tuple[int, float, float]:
    """Level of a column without noise, its current, and the standard deviation of that."""
    current, variance, reference = 0.0, table.noise, table.reference[j]
    for k in range(n):
        current += table.current[rows[k], j]
        variance += table.variance[rows[k], j]
    if opposite_row >= 0:
        current -= table.current[opposite_row, j]
        variance += table.variance[opposite_row, j]
    level = 0
    while level < reference.size and current > reference[level]:
        level += 1
    return level, current, sqrt(variance)


@table_part
def _level_chances(
    table: ReadTable, rows: NDArray[np.int32], n: int, opposite_row: int, j: int
) -> tuple[int, float, float, float, float]:
    """Level of a column without noise, its current and deviation, and how likely noise lowers or raises the level."""
    level, current, deviation = _quiet_level(table, rows, n, opposite_row, j)
    reference, down, up = table.reference[j], 0.0, 0.0
    if deviation > 0.0:
        if level > 0:
            down = _tail((current - reference[level - 1]) / deviation)
        if level < reference.size:
            up = _tail((reference[level] - current) / deviation)
    return level, current, deviation, down, up


@table_part
def _flipped_level(
    reference: NDArray[np.float64],
    level: int,
    current: float,
    deviation: float,
    down: float,
    up: float,
    state: NDArray[np.uint64],
) -> int:
    """Level to which noise moves a column, given that it does."""
    chance = (down + up) * draw_uniform(state)
    if chance <= down:
        return _lowered_level(reference, level, current, deviation, chance)
    return _raised_level(reference, level, current, deviation, chance - down)
