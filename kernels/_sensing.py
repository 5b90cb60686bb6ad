"""Decisions of sense amplifiers: what tables say of them, and which of them noise turns over."""

from math import cos, erfc, log, log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from ._jit import table_part
from .tables import REACH, ReadTable, SearchTable

__all__ = [
    "exponential",
    "flip_columns",
    "flip_rows",
    "normal",
    "read_columns",
    "start",
    "weigh_columns",
]

_GOLDEN, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""Of splitmix64: G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014."""
_UNIT = 2.0**-53


@table_part
def start(key: np.uint64, number: int) -> np.uint64:
    """State of the random numbers that belong to a number."""
    z = key + _GOLDEN * np.uint64(number + 1)
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@table_part
def uniform(state: NDArray[np.uint64]) -> float:
    """Next random number, above 0 and at most 1."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    z ^= z >> np.uint64(31)
    return (float(z >> np.uint64(11)) + 1.0) * _UNIT


@table_part
def exponential(state: NDArray[np.uint64]) -> float:
    """Next random number of the exponential law with mean 1: a hazard until something happens."""
    return -log(uniform(state))


@table_part
def normal(state: NDArray[np.uint64]) -> float:
    """Next random number of the standard normal law (G. E. P. Box and M. E. Muller, 1958)."""
    radius = sqrt(-2.0 * log(uniform(state)))
    return radius * cos(2.0 * pi * uniform(state))


@table_part
def flip_rows(
    table: SearchTable, search: int, rows: NDArray[np.int32], clock: NDArray[np.float64], state: NDArray[np.uint64]
) -> int:
    """Rows that fire in one search, written to ``rows``; returns their number.

    ``clock`` holds the hazard left until the next flip: it runs down through the rows within reach of the noise, and is
    wound up after every flip. A row flips if the clock runs out on its share: with probability 1 - exp(-share).
    """
    n = 0
    for k in range(table.start[search], table.start[search + 1]):
        rows[n] = table.row[k]
        n += 1
    total = table.hazard[search]
    if clock[0] >= total:
        clock[0] -= total
        return n
    place, k, end = clock[0], table.near_start[search], table.near_start[search + 1]
    while True:
        while k < end and table.near_hazard[k] <= place:
            k += 1
        if k >= end:
            break
        n = _turn_over(rows, n, table.near_row[k])
        place = table.near_hazard[k] + exponential(state)
        k += 1
    clock[0] = max(place - total, 0.0)
    return n


@table_part
def _turn_over(rows: NDArray[np.int32], n: int, row: int) -> int:
    """Take a row out of the list of rows that fire, or put it in."""
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
def _fallen(reference: NDArray[np.float64], level: int, current: float, deviation: float, chance: float) -> int:
    """Level to which noise has thrown a current down, given a uniform number below the probability that it has."""
    level -= 1
    while level > 0 and chance <= _tail((current - reference[level - 1]) / deviation):
        level -= 1
    return level


@table_part
def _risen(reference: NDArray[np.float64], level: int, current: float, deviation: float, chance: float) -> int:
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
    """The word that is read where the clock runs out on some columns; see :func:`read_columns`.

    ``word`` is what is read without noise, and ``hazards`` are those of the columns, added up along them.
    """
    rows, n, against = driven
    place, n_columns = clock[0], table.weight.size
    for j in range(n_columns):
        if place < hazards[j]:
            level, current, deviation, down, up = _judge(table, rows, n, against, j)
            word += table.weight[j] * (_thrown(table.reference[j], level, current, deviation, down, up, state) - level)
            place = hazards[j] + exponential(state)
    clock[0] = exponential(state)
    return word


@table_part
def read_columns(
    table: ReadTable,
    rows: NDArray[np.int32],
    n: int,
    against: int,
    clock: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> int:
    """The word that is read where n rows are driven, and a row with the opposite voltage unless ``against`` is -1.

    Each column has one noise, common to its amplifiers. ``clock`` is as in :func:`flip_rows`: a column reads another
    digit than without noise if it runs out there.
    """
    word, bound = 0, 0.0
    for j in range(table.weight.size):
        level, current, deviation = _sensed(table, rows, n, against, j)
        word += table.weight[j] * (level + table.lowest)
        if deviation > 0.0:
            reference = table.reference[j]
            if level > 0:
                bound += _tail_bound((current - reference[level - 1]) / deviation)
            if level < reference.size:
                bound += _tail_bound((reference[level] - current) / deviation)
    # A hazard is at most twice its probability as long as that is at most a half.
    if bound < 0.5 and clock[0] >= 2.0 * bound:
        clock[0] = exponential(state)
        return word
    place = clock[0]
    for j in range(table.weight.size):
        level, current, deviation, down, up = _judge(table, rows, n, against, j)
        hazard = -log1p(-(down + up))
        if place >= hazard:
            place -= hazard
        else:
            word += table.weight[j] * (_thrown(table.reference[j], level, current, deviation, down, up, state) - level)
            place = exponential(state)
    clock[0] = exponential(state)
    return word


@table_part
def weigh_columns(table: ReadTable, rows: NDArray[np.int32], n: int, against: int, hazards: NDArray[np.float64]) -> int:
    """The word that is read without noise; ``hazards`` receives those of the columns, added up along them."""
    word, hazard = 0, 0.0
    for j in range(table.weight.size):
        level, _, _, down, up = _judge(table, rows, n, against, j)
        hazard -= log1p(-(down + up))
        hazards[j] = hazard
        word += table.weight[j] * (level + table.lowest)
    return word


@table_part
def _sensed(table: ReadTable, rows: NDArray[np.int32], n: int, against: int, j: int) -> tuple[int, float, float]:
    """Level of a column without noise, its current, and the standard deviation of that."""
    current, variance, reference = 0.0, table.noise, table.reference[j]
    for k in range(n):
        current += table.current[rows[k], j]
        variance += table.variance[rows[k], j]
    if against >= 0:
        current -= table.current[against, j]
        variance += table.variance[against, j]
    level = 0
    while level < reference.size and current > reference[level]:
        level += 1
    return level, current, sqrt(variance)


@table_part
def _judge(
    table: ReadTable, rows: NDArray[np.int32], n: int, against: int, j: int
) -> tuple[int, float, float, float, float]:
    """The same, and how likely noise lowers or raises the level."""
    level, current, deviation = _sensed(table, rows, n, against, j)
    reference, down, up = table.reference[j], 0.0, 0.0
    if deviation > 0.0:
        if level > 0:
            down = _tail((current - reference[level - 1]) / deviation)
        if level < reference.size:
            up = _tail((reference[level] - current) / deviation)
    return level, current, deviation, down, up


@table_part
def _thrown(
    reference: NDArray[np.float64],
    level: int,
    current: float,
    deviation: float,
    down: float,
    up: float,
    state: NDArray[np.uint64],
) -> int:
    """Level to which noise has thrown a column, given that it has."""
    chance = (down + up) * uniform(state)
    if chance <= down:
        return _fallen(reference, level, current, deviation, chance)
    return _risen(reference, level, current, deviation, chance - down)
