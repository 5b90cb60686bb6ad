"""The sum of the exponentials: counters, and a crossbar that adds up what they hold bit by bit."""

import numpy as np
from numpy.typing import NDArray

from ._draws import draw_normal
from ._jit import table_part
from .tables import BLOCK, COUNTER_SATURATION, REACH, SUM_READS, WRONG_SUM, EngineTable, Log, SumTable, Work

__all__ = ["advance_counter", "n_bit_planes", "read_histogram"]


@table_part
def n_bit_planes(length: int, counter_top: int) -> int:
    """Bits of the counters that so many scores can set."""
    planes, most = 0, min(length, counter_top)
    while most:
        planes += 1
        most >>= 1
    return planes


@table_part
def advance_counter(histogram: NDArray[np.int64], counted_row: NDArray[np.int32], row: int, n_counted: int) -> int:
    """Add 1 to the counter of a row; returns how many counters are not at 0, whose rows are in ``counted_row``."""
    counted_row[n_counted] = row
    n_counted += histogram[row] == 0
    histogram[row] += 1
    return n_counted


@table_part
def _converted(table: SumTable, j: int, cells: float, variance: float, state: NDArray[np.uint64]) -> float:
    """What a converter makes of a column current, in steps of one digit."""
    x = table.gain[j] * cells / table.step + table.offset[j]
    near = np.rint(x)
    ideal = table.level.shape[1] == 0
    if variance > 0.0 or table.noise > 0.0:
        deviation = np.sqrt(variance * (table.gain[j] / table.step) ** 2 + table.noise)
        # Noise that cannot reach the next transition of an ideal converter is not drawn.
        if not ideal or 0.5 - abs(x - near) < REACH * deviation:
            x += deviation * draw_normal(state)
            near = np.rint(x)
    near = min(max(near, 0.0), float(table.top))
    if ideal:
        return float(near * table.step)
    transitions = table.level[j]
    k = min(int(near), transitions.size)
    while k > 0 and x < transitions[k - 1]:
        k -= 1
    while k < transitions.size and x >= transitions[k]:
        k += 1
    return float(table.code[j, k] * table.step)


@table_part
def _add_columns(
    cells: NDArray[np.float64], driven_row: NDArray[np.int32], n: int, column_sum: NDArray[np.float64]
) -> None:
    """Sums of the first n driven rows, BLOCK columns at a time in registers."""
    for first in range(0, column_sum.size, BLOCK):
        a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(n):
            row = np.uint32(driven_row[k])
            a += cells[row, first]
            b += cells[row, first + 1]
            c += cells[row, first + 2]
            d += cells[row, first + 3]
            e += cells[row, first + 4]
            f += cells[row, first + 5]
            g += cells[row, first + 6]
            h += cells[row, first + 7]
        column_sum[first], column_sum[first + 1], column_sum[first + 2], column_sum[first + 3] = a, b, c, d
        column_sum[first + 4], column_sum[first + 5], column_sum[first + 6], column_sum[first + 7] = e, f, g, h


@table_part
def _read_plane(table: SumTable, work: Work, n: int) -> float:
    """Sum of the words of the first n driven rows as the converters see it."""
    value, leak, noisy = 0.0, 0.0, table.variance.size > 0
    _add_columns(table.cells, work.driven_row, n, work.column_sum)
    if noisy:
        for k in range(n):
            leak += table.leak_variance[work.driven_row[k]]
        # The column of leakage is taken off all others, with one noise.
        leak = np.sqrt(leak) * draw_normal(work.state) if leak > 0.0 else 0.0
    for j in range(table.weight.size):
        variance = 0.0
        if noisy:
            for k in range(n):
                variance += table.variance[work.driven_row[k], j]
        cells = work.column_sum[j] - leak
        if table.mode == 2:
            cells = _converted(table, j, cells, variance, work.state)
        elif variance > 0.0:
            cells += np.sqrt(variance) * draw_normal(work.state)
        value += table.weight[j] * cells
    return value


@table_part
def read_histogram(engine: EngineTable, log: Log, work: Work, n_counted: int, n_planes: int) -> float:
    """Read the histogram out bit by bit, and clear it."""
    value, right, most, top, full = 0.0, 0, 0, engine.counter_top, 0
    for t in range(n_counted):
        row = work.counted_row[t]
        count = work.histogram[row]
        full += count > top
        count = min(count, top)
        work.histogram[row] = count
        right += count * engine.right_word[row]
        most = max(most, count)
    log.tally[COUNTER_SATURATION] += full
    log.tally[SUM_READS] += n_planes
    # Planes in which no counter has a bit are all alike, but for the noise of the converters.
    last = n_planes if engine.sum.noise > 0.0 else n_bit_planes(most, top)
    for plane in range(last):
        n = 0
        for t in range(n_counted):
            row = work.counted_row[t]
            work.driven_row[n] = row
            n += work.histogram[row] >> plane & 1
        for k in range(n):
            log.sum_drives[work.driven_row[k]] += 1
        value += float(1 << plane) * _read_plane(engine.sum, work, n)
    value += engine.sum.idle * float((1 << n_planes) - (1 << last))
    for t in range(n_counted):
        work.histogram[work.counted_row[t]] = 0
    log.tally[WRONG_SUM] += abs(value - right) > 0.5
    return value
