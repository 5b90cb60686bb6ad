"""Scores of a vector counted by the row that stores them: equal scores are alike, but for noise."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import table_part, table_summing_part

__all__ = ["STRIDE", "CountSummary", "count_scores", "find_score", "list_rows", "sum_hazards"]

STRIDE = 16
"""Rows or scores that are looked over together."""


class CountSummary(NamedTuple):
    """What a vector counts up to.

    Parameters
    ----------
    first_row, last_row
        Rows of the largest and of the smallest score; ``first_row`` is the number of rows where all are absent.
    largest_count
        How often the most frequent score occurs.
    n_active
        Scores that take part.
    """

    first_row: int
    last_row: int
    largest_count: int
    n_active: int


@table_part
def count_scores(
    vector: NDArray[np.uint16], score_count: NDArray[np.int32], partial_count: NDArray[np.int32]
) -> tuple[int, int, int, int]:
    """Count how often the score of each row occurs; absent scores, whose row is the last of ``score_count``, do not.

    Equal scores are often close to each other, and a count that was just written is slow to be read: four arrays in
    turn. Returns the fields of a :class:`CountSummary`, as a plain tuple, whose entries the compiler makes alike.
    """
    absent_row, whole = np.uint16(score_count.size - 1), vector.size // 4 * 4
    second, third, fourth = partial_count[0], partial_count[1], partial_count[2]
    for k in range(0, whole, 4):
        score_count[vector[k]] += 1
        second[vector[k + 1]] += 1
        third[vector[k + 2]] += 1
        fourth[vector[k + 3]] += 1
    for k in range(whole, vector.size):
        score_count[vector[k]] += 1
    first, last = absent_row, np.uint16(0)
    for k in range(vector.size):
        first = min(first, vector[k])
        # Below all others where absent.
        last = max(last, np.uint16(vector[k] - absent_row))
    largest = np.int32(0)
    n_absent = score_count[absent_row] + second[absent_row] + third[absent_row] + fourth[absent_row]
    score_count[absent_row], second[absent_row], third[absent_row], fourth[absent_row] = 0, 0, 0, 0
    last_row = np.int64(np.uint16(last + absent_row))
    if first == absent_row:
        return int(absent_row), 0, 0, 0
    # From the unsigned ``first``, of which the compiler knows that it is no index from the end: it vectorizes.
    for row in range(first, last_row + 1):
        count = score_count[row] + second[row] + third[row] + fourth[row]
        score_count[row], second[row], third[row], fourth[row] = count, 0, 0, 0
        largest = max(largest, np.int32(count))
    return int(first), int(last_row), int(largest), int(vector.size - n_absent)


@table_part
def list_rows(score_count: NDArray[np.int32], first_row: int, last_row: int, distinct_row: NDArray[np.uint16]) -> int:
    """Rows whose scores occur, written to ``distinct_row``; returns their number."""
    n = 0
    for row in range(first_row, last_row + 1):
        distinct_row[n] = row
        n += score_count[row] > 0
    return n


@table_summing_part
def sum_hazards(score_count: NDArray[np.int32], hazard: NDArray[np.float64], n: int) -> float:
    """Hazard of all scores of the first n rows together."""
    total = 0.0
    for row in range(n):
        total += float(score_count[row]) * hazard[row]
    return total


@table_summing_part
def _occurrences(vector: NDArray[np.uint16], row: int, begin: int, end: int) -> int:
    """How often the score of a row occurs in a part of a vector."""
    n = 0
    for k in range(begin, end):
        n += vector[k] == np.uint16(row)
    return n


@table_part
def find_score(vector: NDArray[np.uint16], row: int, n_before: int) -> int:
    """Place in a vector at which the score of a row occurs with so many like it before."""
    place = 0
    while place + STRIDE <= vector.size:
        n = _occurrences(vector, row, place, place + STRIDE)
        if n > n_before:
            break
        n_before -= n
        place += STRIDE
    while vector[place] != row or n_before > 0:
        n_before -= vector[place] == row
        place += 1
    return place
