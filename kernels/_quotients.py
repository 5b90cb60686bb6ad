"""The sum of the exponentials of a vector and its quotients, once its maximum and its flipped scores are known.

A vector is *regular* where each magnitude selects the row of its number alone: counts by score are then counts by
magnitude.
"""

import numpy as np
from numpy.typing import NDArray

from ._counts import CountSummary, list_rows
from ._jit import table_part, table_summing_part
from ._total import advance_counter, n_bit_planes, read_histogram
from .tables import SUM_READS, WRONG_DIFFERENCE, WRONG_SUM, EngineTable, Log, Work

__all__ = ["ADDED", "HAZARD", "NUMERATOR", "RIGHT", "replay_irregular", "replay_regular"]

NUMERATOR, ADDED, RIGHT, HAZARD = 0, 1, 2, 3
"""Rows of ``EngineTable.by_magnitude``."""


@table_part
def _magnitude(engine: EngineTable, max_row: int, score_row: int) -> int:
    """Search of the second CAM for the score of a row; larger differences take the last."""
    return min(abs(int(engine.difference[max_row, score_row])), engine.word.size - 1)


@table_part
def _divide(
    numerators: NDArray[np.float64], n: int, total: float, scale: float, quotients: NDArray[np.float32]
) -> None:
    """To the nearest step, ties up; at most 1; 0 where the sum is none."""
    step = 1.0 / scale
    # Without a sum all quotients are 0, whatever the numerator.
    divisor, largest = (total, 1.0) if total > 0.0 else (1.0, 0.0)
    for k in range(n):
        near = np.floor(numerators[k] / divisor + 0.5) * step
        quotients[k] = np.float32(near if near < largest else largest)  # noqa: FURB136  (as in encode_scores)


@table_part
def _divide_flipped(engine: EngineTable, work: Work, n_flipped: int, total: float, out: NDArray[np.float32]) -> None:
    """Quotients of the flipped scores, each from the word that was read for it."""
    for e in range(n_flipped):
        work.numerator[0] = work.flipped_word[e] * engine.divider_scale
        _divide(work.numerator, 1, total, engine.divider_scale, work.fraction)
        out[work.flipped[e, 0]] = work.fraction[0]


@table_summing_part
def _weigh_counts(count: NDArray[np.int32], by_magnitude: NDArray[np.float64], n: int) -> tuple[float, float]:
    """Sums over the counts of the first n magnitudes: what is added, and what should be."""
    total, right = 0.0, 0.0
    for m in range(n):
        times = float(count[m])
        total += times * by_magnitude[ADDED, m]
        right += times * by_magnitude[RIGHT, m]
    return total, right


@table_part
def _add_flipped(
    engine: EngineTable, log: Log, work: Work, count: NDArray[np.int32], n: int, n_flipped: int
) -> tuple[float, float]:
    """What flipped scores add to the sum, and what they should; counts their rows beside the n that are counted."""
    total, right, histogram = 0.0, 0.0, work.histogram
    if engine.sum.mode == 0:
        for e in range(n_flipped):
            total += work.flipped_word[e]
        return total, total
    for e in range(n_flipped):
        for k in range(work.flipped[e, 1]):
            m = work.flipped_row[e, k]
            before = histogram[m] + (count[m] if m < n else 0)
            histogram[m] += 1
            # Bits that are set in a number that is one larger: one more, less those that are carried away.
            log.sum_drives[m] += 1
            while before & 1:
                log.sum_drives[m] -= 1
                before >>= 1
            total += engine.sum.linear[m]
            right += engine.right_word[m]
    for e in range(n_flipped):
        for k in range(work.flipped[e, 1]):
            histogram[work.flipped_row[e, k]] = 0
    return total, right


@table_part
def _sum_histogram(
    engine: EngineTable, log: Log, work: Work, count: NDArray[np.int32], n: int, n_flipped: int, n_active: int
) -> float:
    """Sum over the counts of the first n magnitudes and over the flipped scores, from the histogram."""
    n_counted = 0
    for m in range(n):
        work.counted_row[n_counted] = m
        work.histogram[m] = count[m]
        n_counted += count[m] > 0
    for e in range(n_flipped):
        for k in range(work.flipped[e, 1]):
            n_counted = advance_counter(work.histogram, work.counted_row, work.flipped_row[e, k], n_counted)
    return read_histogram(engine, log, work, n_counted, n_bit_planes(n_active, engine.counter_top))


@table_part
def _log_counts(
    count: NDArray[np.int32],
    score_searches: NDArray[np.int64],
    magnitude_searches: NDArray[np.int64],
    magnitude_sums: NDArray[np.int64],
    n: int,
    largest_count: int,
) -> None:
    """Keep account of the counts of n magnitudes, and clear them."""
    # Bits that are set: the count less all its halves.
    shift = 4
    while largest_count >> shift:
        for m in range(n):
            magnitude_sums[m] -= count[m] >> shift
        shift += 1
    for m in range(n):
        times = np.int64(count[m])
        score_searches[m] += times
        magnitude_searches[m] += times
        magnitude_sums[m] += times - (times >> 1) - (times >> 2) - (times >> 3)
        count[m] = 0


@table_part
def replay_regular(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    summary: CountSummary,
    max_row: int,
    n_flipped: int,
    out: NDArray[np.float32],
) -> None:
    """Quotients of a regular vector by its counts."""
    n, n_active = summary.last_row + 1 - max_row, summary.n_active
    count, quotient = work.score_count[max_row:], work.quotient[max_row:]
    if engine.linear:
        total, right = _weigh_counts(count, engine.by_magnitude, n)
        if n_flipped:
            more, more_right = _add_flipped(engine, log, work, count, n, n_flipped)
            total, right = total + more, right + more_right
        log.tally[WRONG_SUM] += abs(total - right) > 0.5
        log.tally[SUM_READS] += n_bit_planes(n_active, engine.counter_top)
    else:
        total = _sum_histogram(engine, log, work, count, n, n_flipped, n_active)
    # Quotients are 0 from the first word on that reads 0, as they are before and after.
    n_divided = min(n, engine.n_nonzero)
    _divide(engine.by_magnitude[NUMERATOR], n_divided, total, engine.divider_scale, quotient)
    # Bits that were counted as the histogram was read are counted once more beside it.
    magnitude_sums = log.magnitude_sums if engine.linear else work.histogram
    searches = log.score_searches[0, max_row:]
    _log_counts(count, searches, log.magnitude_searches[0], magnitude_sums, n, summary.largest_count)
    if not engine.linear:
        for m in range(n):
            work.histogram[m] = 0
    for k in range(vector.size):
        out[k] = work.quotient[vector[k]]
    for m in range(n_divided):
        quotient[m] = 0.0
    _divide_flipped(engine, work, n_flipped, total, out)


@table_part
def _sum_scores(
    engine: EngineTable, log: Log, work: Work, vector: NDArray[np.uint16], v: int, max_row: int, n_flipped: int
) -> float:
    """Sum of the exponentials score by score; read out before the counters are full, where they are flushed."""
    value, select, n_rows = 0.0, engine.select, engine.compiled.size
    flush_length = engine.counter_top if engine.flush and engine.sum.mode > 0 else vector.size
    n_counted, n_scores, added, begin = 0, 0, 0, 0
    for place in range(vector.size):
        score_row = vector[place]
        if score_row < n_rows:
            m = _magnitude(engine, max_row, score_row)
            added += engine.word[m]
            for k in range(select.start[m], select.start[m + 1]):
                n_counted = advance_counter(work.histogram, work.counted_row, select.row[k], n_counted)
        # The row behind the last is that of absent scores, the next that of flipped scores.
        n_scores += score_row != n_rows
        if n_scores < flush_length and place + 1 < vector.size:
            continue
        for e in range(n_flipped):
            if begin <= work.flipped[e, 0] <= place:
                added += work.flipped_word[e]
                for k in range(work.flipped[e, 1]):
                    n_counted = advance_counter(work.histogram, work.counted_row, work.flipped_row[e, k], n_counted)
        if log.trace:
            for m in range(engine.word.size):
                log.histogram[v, m] += min(work.histogram[m], engine.counter_top)
        if engine.sum.mode > 0:
            value += read_histogram(engine, log, work, n_counted, n_bit_planes(n_scores, engine.counter_top))
        n_counted, n_scores, begin = 0, 0, place + 1
    if engine.sum.mode == 0:
        work.histogram[:] = 0
        return float(added)
    return value


@table_part
def replay_irregular(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    v: int,
    summary: CountSummary,
    max_row: int,
    n_flipped: int,
    out: NDArray[np.float32],
) -> None:
    """Quotients of any vector by the scores that occur, each with whatever its row does."""
    n_distinct = list_rows(work.score_count, summary.first_row, summary.last_row, work.distinct_row)
    total = _sum_scores(engine, log, work, vector, v, max_row, n_flipped)
    for d in range(n_distinct):
        work.numerator[d] = engine.by_magnitude[NUMERATOR, _magnitude(engine, max_row, work.distinct_row[d])]
    _divide(work.numerator, n_distinct, total, engine.divider_scale, work.fraction)
    for d in range(n_distinct):
        row = work.distinct_row[d]
        n, m = work.score_count[row], _magnitude(engine, max_row, row)
        work.quotient[row] = work.fraction[d]
        log.score_searches[0, row] += n
        log.magnitude_searches[0, m] += n
        log.tally[WRONG_DIFFERENCE] += n * (engine.difference[max_row, row] != max_row - int(row))
        work.score_count[row] = 0
    for k in range(vector.size):
        out[k] = work.quotient[vector[k]]
    for d in range(n_distinct):
        work.quotient[work.distinct_row[d]] = 0.0
    _divide_flipped(engine, work, n_flipped, total, out)
    if log.trace:
        _trace_unflipped(engine, log, vector, v, max_row)
        log.max_row[v], log.sum[v] = max_row, total


@table_part
def _trace_unflipped(engine: EngineTable, log: Log, vector: NDArray[np.uint16], v: int, max_row: int) -> None:
    """Fill in what the scores did that were as in the tables."""
    search, select = engine.search, engine.select
    for place in range(vector.size):
        row = vector[place]
        if row >= engine.compiled.size:
            continue
        m = _magnitude(engine, max_row, row)
        for k in range(search.start[row], search.start[row + 1]):
            log.match[v, place, search.row[k]] = True
        for k in range(select.start[m], select.start[m + 1]):
            log.selected[v, place, select.row[k]] = True
        log.difference[v, place], log.exponential[v, place] = engine.difference[max_row, row], engine.word[m]
