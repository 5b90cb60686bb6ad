"""Sums to codes: the staircase of a converter, ideal or by its transitions, and the running total of a column."""

import numpy as np
from numpy.typing import NDArray

from ._jit import part

__all__ = ["convert_rows"]

_NONE, _ONE = np.float32(0.0), np.float32(1.0)


@part
def _to_codes(
    sums: NDArray[np.float32],
    weights: NDArray[np.int32],
    low: np.float32,
    high: np.float32,
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
) -> None:
    """Codes of the ideal staircase for the pulses of one vector, added to the totals with their weights."""
    for p in range(weights.size):
        weight = weights[p]
        for j in range(total.size):
            near = np.rint(sums[p, j])
            # Not min() and max(), whose rules for nan keep the vector unit out.
            code = near if near < high else high  # noqa: FURB136
            code = code if code > low else low  # noqa: FURB136
            clipped[j] += _ONE if code != near else _NONE
            total[j] = np.int32(total[j] + weight * np.int32(code))


@part
def _to_codes_by_transitions(
    sums: NDArray[np.float32],
    weight: np.int32,
    low: np.float32,
    high: np.float32,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
) -> None:
    """Codes of converters with transitions of their own for one pulse, added to the totals with its weight."""
    top = levels.shape[1]
    for j in range(sums.size):
        transitions, x = levels[converter[j]], sums[j]
        near = min(max(np.rint(x), low), high)
        # The transitions lie near those of the ideal staircase: a few steps from there.
        place = min(np.int64(near - low), top)
        while place > 0 and x < transitions[place - 1]:
            place -= 1
        while place < top and x >= transitions[place]:
            place += 1
        clipped[j] += _ONE if np.rint(x) != near else _NONE
        total[j] = np.int32(total[j] + weight * codes[converter[j], place])


@part
def convert_rows(
    sums: NDArray[np.float32],
    weights: NDArray[np.int32],
    low: np.float32,
    high: np.float32,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    limit: int,
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
    out: NDArray[np.float64],
    column: int,
) -> None:
    """Convert a block of columns, of which ``column`` is the first, and add up the pulses of each vector."""
    n_pulses, plain = weights.size, levels.size == 0 and limit == 0
    for vector in range(out.shape[0]):
        total[:] = 0
        rows = sums[vector * n_pulses : (vector + 1) * n_pulses]
        if plain:
            _to_codes(rows, weights, low, high, clipped, total)
        for p in range(0 if plain else n_pulses):
            if levels.size:
                _to_codes_by_transitions(rows[p], weights[p], low, high, levels, codes, converter, clipped, total)
            else:
                _to_codes(rows[p : p + 1], weights[p : p + 1], low, high, clipped, total)
            if limit > 0:
                for j in range(total.size):
                    total[j] = np.int32(min(max(total[j], -limit - 1), limit))
        row_out = out[vector, column : column + total.size]
        for j in range(total.size):
            row_out[j] += total[j]
