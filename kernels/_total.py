"""The sum of the exponentials: counters, and a crossbar that adds up what they hold bit by bit."""

import numpy as np
from numpy.typing import NDArray

from ._jit import table_part
from ._sensing import normal
from .tables import BLOCK, REACH, READS, EngineTable, Log, SumTable, Work

__all__ = ["COUNTER", "SUM", "add_up", "planes_of", "tick"]

COUNTER, SUM = 7, 8
"""Entries of ``Log.tally``: counters that were full, and wrong sums."""


@table_part
def planes_of(length: int, counter_top: int) -> int:
    """Bits of the counters that so many scores can set."""
    planes, most = 0, min(length, counter_top)
    while most:
        planes += 1
        most >>= 1
    return planes


@table_part
def tick(histogram: NDArray[np.int64], touched: NDArray[np.int32], row: int, n: int, n_touched: int) -> int:
    """Advance the counter of a row; returns how many counters are not at 0."""
    touched[n_touched] = row
    n_touched += histogram[row] == 0
    histogram[row] += n
    return n_touched


@table_part
def _converted(total: SumTable, j: int, cells: float, variance: float, state: NDArray[np.uint64]) -> float:
    """What a converter makes of a column current, in steps of one digit."""
    x = total.gain[j] * cells / total.step + total.offset[j]
    near = np.rint(x)
    ideal = total.level.shape[1] == 0
    if variance > 0.0 or total.noise > 0.0:
        deviation = np.sqrt(variance * (total.gain[j] / total.step) ** 2 + total.noise)
        # Noise that cannot reach the next transition of an ideal converter is not drawn.
        if not ideal or 0.5 - abs(x - near) < REACH * deviation:
            x += deviation * normal(state)
            near = np.rint(x)
    near = min(max(near, 0.0), float(total.top))
    if ideal:
        return float(near * total.step)
    own = total.level[j]
    place = min(int(near), own.size)
    while place > 0 and x < own[place - 1]:
        place -= 1
    while place < own.size and x >= own[place]:
        place += 1
    return float(total.code[j, place] * total.step)


@table_part
def _add_columns(cells: NDArray[np.float64], chosen: NDArray[np.int32], n: int, sums: NDArray[np.float64]) -> None:
    """Sums of the first n chosen rows, BLOCK columns at a time in registers."""
    for first in range(0, sums.size, BLOCK):
        a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(n):
            row = np.uint32(chosen[k])
            a += cells[row, first]
            b += cells[row, first + 1]
            c += cells[row, first + 2]
            d += cells[row, first + 3]
            e += cells[row, first + 4]
            f += cells[row, first + 5]
            g += cells[row, first + 6]
            h += cells[row, first + 7]
        sums[first], sums[first + 1], sums[first + 2], sums[first + 3] = a, b, c, d
        sums[first + 4], sums[first + 5], sums[first + 6], sums[first + 7] = e, f, g, h


@table_part
def _add_plane(total: SumTable, work: Work, n: int) -> float:
    """Sum of the words of the first n chosen rows as the converters see it."""
    value, leak, noisy = 0.0, 0.0, total.variance.size > 0
    _add_columns(total.cells, work.chosen, n, work.sums)
    if noisy:
        for k in range(n):
            leak += total.leak_variance[work.chosen[k]]
        # The column of leakage is taken off all others, with one noise.
        leak = np.sqrt(leak) * normal(work.state) if leak > 0.0 else 0.0
    for j in range(total.weight.size):
        variance = 0.0
        if noisy:
            for k in range(n):
                variance += total.variance[work.chosen[k], j]
        cells = work.sums[j] - leak
        if total.mode == 2:
            cells = _converted(total, j, cells, variance, work.state)
        elif variance > 0.0:
            cells += np.sqrt(variance) * normal(work.state)
        value += total.weight[j] * cells
    return value


@table_part
def add_up(engine: EngineTable, log: Log, work: Work, n_touched: int, n_planes: int) -> float:
    """Read the histogram out bit by bit, and clear it."""
    value, right, most, top, full = 0.0, 0, 0, engine.counter_top, 0
    for t in range(n_touched):
        row = work.touched[t]
        count = work.histogram[row]
        full += count > top
        count = min(count, top)
        work.histogram[row] = count
        right += count * engine.right[row]
        most = max(most, count)
    log.tally[COUNTER] += full
    log.tally[READS] += n_planes
    # Planes in which no counter has a bit are all alike, but for the noise of the converters.
    last = n_planes if engine.sum.noise > 0.0 else planes_of(most, top)
    for plane in range(last):
        n = 0
        for t in range(n_touched):
            row = work.touched[t]
            work.chosen[n] = row
            n += work.histogram[row] >> plane & 1
        for k in range(n):
            log.row_sum[work.chosen[k]] += 1
        value += float(1 << plane) * _add_plane(engine.sum, work, n)
    value += engine.sum.idle * float((1 << n_planes) - (1 << last))
    for t in range(n_touched):
        work.histogram[work.touched[t]] = 0
    log.tally[SUM] += abs(value - right) > 0.5
    return value
