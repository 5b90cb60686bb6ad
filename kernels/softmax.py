"""The softmax engine replayed from tables: maximum, difference, exponential, histogram, sum, quotient."""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel, table_kernel, table_part, table_summing_part
from ._sensing import exponential, flip_columns, flip_rows, read_columns, start, weigh_columns
from ._total import SUM, add_up, planes_of, tick
from .tables import READS, EngineTable, Log, Work, new_log, new_work, smallest_engine

__all__ = ["compare_rows", "encode_scores", "replay_softmax", "smallest", "weigh_words"]

_FALSE, _MISSED, _MULTIPLE, _MAX, _DIFFERENCE, _BIT, _EXPONENTIAL = range(7)
"""Entries of ``Log.tally``."""
_NUMERATOR, _ADDED, _RIGHT, _HAZARD = range(4)
"""Rows of ``EngineTable.answer``."""
_STRIDE = 16
"""Rows or scores that are looked over together."""


@kernel
def encode_scores(
    scores: NDArray[np.floating],
    taken: NDArray[np.bool_],
    fraction_bits: int,
    bits: int,
    rows: NDArray[np.uint16],
) -> tuple[int, int]:
    """Scores to the rows that store them, largest first; nearest with ties to even, saturating.

    Parameters
    ----------
    scores
        (n,) float32 or float64.
    taken
        (n,) bool, or (0,): which scores take part.
    fraction_bits, bits
        Of the format.
    rows
        (n,) uint16: receives the rows; 2^bits for scores that do not take part and for minus infinity.

    Returns
    -------
    tuple
        How many scores that take part are out of range, and how many are nan or plus infinity.
    """
    number = scores.dtype.type
    half = 1 << (bits - 1)
    scale, low, high = number(1 << fraction_bits), number(-half), number(half - 1)
    saturated, bad, void, first = np.int32(0), np.int32(0), np.uint16(2 * half), np.int32(half - 1)
    none = number(-np.inf)
    for k in range(scores.size):
        x = scores[k] * scale
        # Not min() and max(): their rules for nan keep the vector unit out.
        near = x if x > low else low  # noqa: FURB136
        near = near if near < high else high  # noqa: FURB136
        finite = abs(scores[k]) < -none
        rows[k] = np.uint16(first - np.int32(np.rint(near))) if finite else void
        saturated += np.int32(near != x)
        bad += np.int32(not finite)
    if bad or taken.size:
        saturated, bad = np.int32(0), np.int32(0)
        for k in range(scores.size):
            x = scores[k] * scale
            if scores[k] == none or (taken.size > 0 and not taken[k]):
                rows[k] = void
            else:
                bad += np.int32(not (abs(scores[k]) < -none))
                saturated += np.int32(x < low or x > high)
    return int(saturated), int(bad)


@table_kernel
def weigh_words(engine: EngineTable) -> None:
    """Compile what every magnitude does into ``word``, ``word_hazard`` and ``answer``.

    Parameters
    ----------
    engine
        The tables.
    """
    select = engine.select
    for m in range(engine.word.size):
        rows = select.row[select.start[m] : select.start[m + 1]]
        word = weigh_columns(engine.lookup, rows, rows.size, -1, engine.word_hazard[m])
        added, right = 0.0, 0.0
        for k in range(rows.size):
            added += engine.sum.linear[rows[k]]
            right += engine.right[rows[k]]
        engine.word[m] = word
        engine.answer[_NUMERATOR, m] = word * engine.divider_scale
        engine.answer[_ADDED, m] = added if engine.sum.mode > 0 else float(word)
        engine.answer[_RIGHT, m] = right if engine.sum.mode > 0 else float(word)
        engine.answer[_HAZARD, m] = select.hazard[m] + engine.word_hazard[m, -1]


@table_kernel
def compare_rows(engine: EngineTable, row: int) -> None:
    """Compile the differences of all scores from a maximum; ``known`` is left to the caller.

    Parameters
    ----------
    engine
        The tables; ``difference``, its hazards, ``late_hazard`` and ``regular`` of the row are filled in.
    row
        Row of the maximum.
    """
    search, n_rows = engine.search, engine.known.size
    for own in range(n_rows):
        word, hazards = row - min(search.first[own], n_rows - 1), engine.column_hazard[row, own]
        engine.difference_hazard[row, own] = 0.0
        if engine.subtract.weight.size > 0:
            rows = search.row[search.start[own] : search.start[own + 1]]
            word = weigh_columns(engine.subtract, rows, rows.size, row, hazards)
            engine.difference_hazard[row, own] = hazards[-1]
        engine.difference[row, own] = word
        later = engine.answer[_HAZARD, min(abs(word), engine.word.size - 1)]
        engine.late_hazard[row, own] = engine.difference_hazard[row, own] + later
    own = row
    while own < n_rows and own - row < engine.alone and engine.difference[row, own] == row - own:
        own += 1
    engine.regular[row] = own


@table_part
def _magnitude(engine: EngineTable, row: int, own: int) -> int:
    """Search of the second CAM for the score of a row; larger differences take the last."""
    return min(abs(int(engine.difference[row, own])), engine.word.size - 1)


@table_part
def _count_search(log: Log, rows: NDArray[np.int32], n: int, right: int) -> None:
    hit = 0
    for k in range(n):
        hit += rows[k] == right
    log.tally[_FALSE] += n - hit
    log.tally[_MISSED] += 1 - hit
    log.tally[_MULTIPLE] += n > 1


@table_summing_part
def _occurs(vector: NDArray[np.uint16], own: int, begin: int, end: int) -> int:
    """How often a row occurs in a part of a vector."""
    n = 0
    for k in range(begin, end):
        n += vector[k] == np.uint16(own)
    return n


@table_part
def _place(vector: NDArray[np.uint16], own: int, number: int) -> int:
    """Where a row occurs in a vector for the n-th time."""
    begin = 0
    while begin + _STRIDE <= vector.size:
        n = _occurs(vector, own, begin, begin + _STRIDE)
        if n > number:
            break
        number -= n
        begin += _STRIDE
    while vector[begin] != own or number > 0:
        number -= vector[begin] == own
        begin += 1
    return begin


@table_part
def _next_event(hazard: float, left: int, clock: NDArray[np.float64]) -> int:
    """How many of ``left`` equal scores pass before the clock runs out on one, as it does.

    Equal scores are alike, so that those which are hit are found by their order.
    """
    before = min(int(clock[0] / hazard), left - 1)
    clock[0] = max(clock[0] - before * hazard, 0.0)
    return before


@table_part
def _search_noise(engine: EngineTable, work: Work, vector: NDArray[np.uint16], first: int, last: int) -> int:
    """Draw the scores whose first search is not as in the table, and take them out of the counts; their number."""
    alone, n_events, count, hazards = engine.known.size + 1, 0, work.counts, engine.search.hazard
    for begin in range(first, last + 1, _STRIDE):
        end = min(begin + _STRIDE, last + 1)
        total = _weigh(count[begin:], hazards[begin:], end - begin)
        if work.clock[0] >= total:
            work.clock[0] -= total
            continue
        for own in range(begin, end):
            passed = 0
            while work.clock[0] < (count[own] - passed) * hazards[own]:
                passed += _next_event(hazards[own], count[own] - passed, work.clock)
                place = _place(vector, own, passed)
                vector[place] = alone
                count[own] -= 1
                n = flip_rows(engine.search, own, work.event_row[n_events], work.clock, work.state)
                work.event[n_events, 0], work.event[n_events, 1], work.event[n_events, 2] = place, own, n
                n_events += 1
            work.clock[0] -= (count[own] - passed) * hazards[own]
    return n_events


@table_part
def _first_row(engine: EngineTable, work: Work, span: tuple[int, int], n_events: int) -> int:
    """Row of the maximum: the first that any search fired; the last row where none did."""
    row = engine.known.size - 1
    for own in range(span[0], span[1] + 1):
        if work.counts[own] > 0:
            row = min(row, engine.search.first[own])
    for e in range(n_events):
        for k in range(work.event[e, 2]):
            row = min(row, work.event_row[e, k])
    return row


@table_part
def _row_by_bits(engine: EngineTable, work: Work, span: tuple[int, int], n_events: int) -> int:
    """The same bit by bit: a search for each longer prefix, and whether it meets a row that any search fired."""
    search, seen = engine.search, work.seen
    seen[:] = False
    for own in range(span[0], span[1] + 1):
        if work.counts[own] > 0:
            for k in range(search.start[own], search.start[own + 1]):
                seen[search.row[k]] = True
    for e in range(n_events):
        for k in range(work.event[e, 2]):
            seen[work.event_row[e, k]] = True
    value, length = 0, 2
    while length <= seen.size:
        value = 2 * value + 1
        n = flip_rows(engine.prefix, length + value - 2, work.rows, work.clock, work.state)
        met = False
        for k in range(n):
            met = met or seen[work.rows[k]]
        value -= not met
        length *= 2
    return int(seen.size - 1 - value)


@table_part
def _finish_alone(
    engine: EngineTable, log: Log, work: Work, rows: NDArray[np.int32], n: int, own: int, row: int, flipped: bool
) -> tuple[int, int, int]:
    """What becomes of one score after its search; rows of the second CAM go to ``work.rows``.

    Returns the difference, the number of those rows, and the word.
    """
    clock, state, n_rows = work.clock, work.state, engine.known.size
    if engine.subtract.weight.size == 0:
        first = n_rows - 1
        for k in range(n):
            first = min(first, rows[k])
        difference = row - first
    elif not flipped and clock[0] >= engine.difference_hazard[row, own]:
        clock[0] -= engine.difference_hazard[row, own]
        difference = int(engine.difference[row, own])
    elif not flipped:
        driven, difference = (rows, n, row), int(engine.difference[row, own])
        difference = flip_columns(engine.subtract, engine.column_hazard[row, own], driven, difference, clock, state)
    else:
        difference = read_columns(engine.subtract, rows, n, row, clock, state)
    log.tally[_DIFFERENCE] += difference != row - own
    m = min(abs(difference), engine.word.size - 1)
    as_before = clock[0] >= engine.select.hazard[m]
    n_selected = flip_rows(engine.select, m, work.rows, clock, state)
    if as_before:
        log.magnitude[0, m] += 1
    else:
        log.magnitude[1, m] += 1
        _count_search(log, work.rows, n_selected, m)
        for k in range(n_selected):
            log.row_lookup[work.rows[k]] += 1
    if as_before:
        if clock[0] >= engine.word_hazard[m, -1]:
            clock[0] -= engine.word_hazard[m, -1]
            return difference, n_selected, engine.word[m]
        log.changed[m] += 1
        driven, word = (work.rows, n_selected, -1), engine.word[m]
        word = flip_columns(engine.lookup, engine.word_hazard[m], driven, word, clock, state)
    else:
        word = read_columns(engine.lookup, work.rows, n_selected, -1, clock, state)
    wrong = word ^ engine.right[m]
    log.tally[_EXPONENTIAL] += wrong != 0
    while wrong:
        log.tally[_BIT] += wrong & 1
        wrong >>= 1
    return difference, n_selected, word


@table_part
def _keep(log: Log, work: Work, v: int, k: int, place: int, result: tuple[int, int, int]) -> None:
    """Put away what became of one score."""
    difference, n, word = result
    work.late[k, 0], work.late[k, 1], work.late_word[k] = place, n, word
    for j in range(n):
        work.late_row[k, j] = work.rows[j]
        if log.trace:
            log.selected[v, place, work.rows[j]] = True
    if log.trace:
        log.difference[v, place], log.exponential[v, place] = difference, word


@table_part
def _follow_events(engine: EngineTable, log: Log, work: Work, v: int, n_events: int, row: int) -> None:
    """Follow the scores whose first search is not as in the table."""
    clock = work.clock[0]
    for e in range(n_events):
        place, own, n = work.event[e, 0], work.event[e, 1], work.event[e, 2]
        rows = work.event_row[e]
        _count_search(log, rows, n, own)
        log.own[1, own] += 1
        for k in range(n):
            log.row_subtract[rows[k]] += 1
            if log.trace:
                log.match[v, place, rows[k]] = True
        work.clock[0] = exponential(work.state)
        _keep(log, work, v, e, place, _finish_alone(engine, log, work, rows, n, own, row, True))
    work.clock[0] = clock


@table_part
def _late_noise(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    v: int,
    span: tuple[int, int, int, int],
) -> int:
    """Follow all scores that are not as in the tables, and take them out of the counts; their number."""
    row, first, last, n_late = span
    alone, search, count = engine.known.size + 1, engine.search, work.counts
    if n_late:
        _follow_events(engine, log, work, v, n_late, row)
    hazards = engine.late_hazard[row]
    for begin in range(first, last + 1, _STRIDE):
        end = min(begin + _STRIDE, last + 1)
        total = _weigh(count[begin:], hazards[begin:], end - begin)
        if work.clock[0] >= total:
            work.clock[0] -= total
            continue
        for own in range(begin, end):
            passed = 0
            while work.clock[0] < (count[own] - passed) * hazards[own]:
                passed += _next_event(hazards[own], count[own] - passed, work.clock)
                place = _place(vector, own, passed)
                vector[place] = alone
                count[own] -= 1
                log.own[0, own] += 1
                rows = search.row[search.start[own] : search.start[own + 1]]
                result = _finish_alone(engine, log, work, rows, rows.size, own, row, False)
                _keep(log, work, v, n_late, place, result)
                for k in range(rows.size * log.trace):
                    log.match[v, place, rows[k]] = True
                n_late += 1
            work.clock[0] -= (count[own] - passed) * hazards[own]
    return n_late


@table_part
def _sum_scores(
    engine: EngineTable, log: Log, work: Work, vector: NDArray[np.uint16], v: int, counts: tuple[int, int]
) -> float:
    """Sum of the exponentials score by score; read out before the counters are full, where they are flushed."""
    row, n_late = counts
    value, void, select, n_rows = 0.0, engine.known.size, engine.select, engine.known.size
    part = engine.counter_top if engine.flush and engine.sum.mode > 0 else vector.size
    n, n_counted, added, first = 0, 0, 0, 0
    for place in range(vector.size):
        own = vector[place]
        if own < n_rows:
            m = _magnitude(engine, row, own)
            added += engine.word[m]
            for k in range(select.start[m], select.start[m + 1]):
                n = tick(work.histogram, work.touched, select.row[k], 1, n)
        n_counted += own != void
        if n_counted < part and place + 1 < vector.size:
            continue
        for e in range(n_late):
            if first <= work.late[e, 0] <= place:
                added += work.late_word[e]
                for k in range(work.late[e, 1]):
                    n = tick(work.histogram, work.touched, work.late_row[e, k], 1, n)
        if log.trace:
            for m in range(engine.word.size):
                log.histogram[v, m] += min(work.histogram[m], engine.counter_top)
        if engine.sum.mode > 0:
            value += add_up(engine, log, work, n, planes_of(n_counted, engine.counter_top))
        n, n_counted, first = 0, 0, place + 1
    if engine.sum.mode == 0:
        work.histogram[:] = 0
        return float(added)
    return value


@table_part
def _divide(
    numerators: NDArray[np.float64], n: int, total: float, scale: float, quotients: NDArray[np.float32]
) -> None:
    """To the nearest step, ties up; at most 1; 0 where the sum is none."""
    step = 1.0 / scale
    # Without a sum all quotients are 0, whatever the numerator.
    by, most = (total, 1.0) if total > 0.0 else (1.0, 0.0)
    for d in range(n):
        near = np.floor(numerators[d] / by + 0.5) * step
        quotients[d] = np.float32(near if near < most else most)  # noqa: FURB136  (not min(): see encode_scores)


@table_summing_part
def _weigh_counts(count: NDArray[np.int32], answer: NDArray[np.float64], n: int) -> tuple[float, float]:
    """Sums over the counts of the first n magnitudes: what is added, and what should be."""
    total, right = 0.0, 0.0
    for m in range(n):
        times = float(count[m])
        total += times * answer[_ADDED, m]
        right += times * answer[_RIGHT, m]
    return total, right


@table_summing_part
def _weigh(count: NDArray[np.int32], hazard: NDArray[np.float64], n: int) -> float:
    total = 0.0
    for k in range(n):
        total += float(count[k]) * hazard[k]
    return total


@table_part
def _log_counts(
    count: NDArray[np.int32],
    own: NDArray[np.int64],
    magnitude: NDArray[np.int64],
    driven: NDArray[np.int64],
    n: int,
    most: int,
) -> None:
    """Keep account of the counts of n rows, the largest of which is given, and clear them."""
    # Bits that are set: the count less all its halves.
    shift = 4
    while most >> shift:
        for m in range(n):
            driven[m] -= count[m] >> shift
        shift += 1
    for m in range(n):
        times = np.int64(count[m])
        own[m] += times
        magnitude[m] += times
        driven[m] += times - (times >> 1) - (times >> 2) - (times >> 3)
        count[m] = 0


@table_part
def _add_late(
    engine: EngineTable, log: Log, work: Work, count: NDArray[np.int32], n: int, n_late: int
) -> tuple[float, float]:
    """What the late scores add to the sum, and what they should; counts their rows beside the n that are counted."""
    total, right, histogram = 0.0, 0.0, work.histogram
    if engine.sum.mode == 0:
        for e in range(n_late):
            total += work.late_word[e]
        return total, total
    for e in range(n_late):
        for k in range(work.late[e, 1]):
            m = work.late_row[e, k]
            before = histogram[m] + (count[m] if m < n else 0)
            histogram[m] += 1
            # Bits that are set in a number that is one larger: one more, less those that are carried away.
            log.row_sum[m] += 1
            while before & 1:
                log.row_sum[m] -= 1
                before >>= 1
            total += engine.sum.linear[m]
            right += engine.right[m]
    for e in range(n_late):
        for k in range(work.late[e, 1]):
            histogram[work.late_row[e, k]] = 0
    return total, right


@table_part
def _sum_counted(
    engine: EngineTable, log: Log, work: Work, count: NDArray[np.int32], n: int, n_late: int, length: int
) -> float:
    """Sum over the counts of the first n magnitudes and over the late scores, from the histogram."""
    n_touched = 0
    for m in range(n):
        work.touched[n_touched] = m
        work.histogram[m] = count[m]
        n_touched += count[m] > 0
    for e in range(n_late):
        for k in range(work.late[e, 1]):
            n_touched = tick(work.histogram, work.touched, work.late_row[e, k], 1, n_touched)
    return add_up(engine, log, work, n_touched, planes_of(length, engine.counter_top))


@table_part
def _replay_regular(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    span: tuple[int, int, int, int, int],
    out: NDArray[np.float32],
) -> None:
    """The vector by its counts, where those by row are those by magnitude."""
    row, n, most, n_late, n_active = span
    count, quotient = work.counts[row:], work.quotient[row:]
    if engine.linear:
        total, right = _weigh_counts(count, engine.answer, n)
        if n_late:
            more, more_right = _add_late(engine, log, work, count, n, n_late)
            total, right = total + more, right + more_right
        log.tally[SUM] += abs(total - right) > 0.5
        log.tally[READS] += planes_of(n_active, engine.counter_top)
    else:
        total = _sum_counted(engine, log, work, count, n, n_late, n_active)
    # Quotients are 0 from the first word on that reads 0, as they are before and after.
    some = min(n, engine.nonzero)
    _divide(engine.answer[_NUMERATOR], some, total, engine.divider_scale, quotient)
    # Bits that were counted as the histogram was read are counted once more beside it.
    driven = log.driven if engine.linear else work.histogram
    _log_counts(count, log.own[0, row:], log.magnitude[0], driven, n, most)
    if not engine.linear:
        for m in range(n):
            work.histogram[m] = 0
    for k in range(vector.size):
        out[k] = work.quotient[vector[k]]
    for m in range(some):
        quotient[m] = 0.0
    _divide_late(engine, work, n_late, total, out)


@table_part
def _divide_late(engine: EngineTable, work: Work, n_late: int, total: float, out: NDArray[np.float32]) -> None:
    for e in range(n_late):
        work.numerator[0] = work.late_word[e] * engine.divider_scale
        _divide(work.numerator, 1, total, engine.divider_scale, work.fraction)
        out[work.late[e, 0]] = work.fraction[0]


@table_part
def _replay_irregular(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    v: int,
    span: tuple[int, int, int, int],
    out: NDArray[np.float32],
) -> None:
    """The vector by the rows that occur, each with whatever it does; its sum from the histogram."""
    row, first, last, n_late = span
    n_distinct = _list_rows(work.counts, first, last, work.distinct)
    total = _sum_scores(engine, log, work, vector, v, (row, n_late))
    for d in range(n_distinct):
        work.numerator[d] = engine.answer[_NUMERATOR, _magnitude(engine, row, work.distinct[d])]
    _divide(work.numerator, n_distinct, total, engine.divider_scale, work.fraction)
    for d in range(n_distinct):
        own = work.distinct[d]
        n, m = work.counts[own], _magnitude(engine, row, own)
        work.quotient[own] = work.fraction[d]
        log.own[0, own] += n
        log.magnitude[0, m] += n
        log.tally[_DIFFERENCE] += n * (engine.difference[row, own] != row - int(own))
        work.counts[own] = 0
    for k in range(vector.size):
        out[k] = work.quotient[vector[k]]
    for d in range(n_distinct):
        work.quotient[work.distinct[d]] = 0.0
    _divide_late(engine, work, n_late, total, out)
    if log.trace:
        _trace_quiet(engine, log, vector, v, row)
        log.row[v], log.total[v] = row, total


@table_part
def _trace_quiet(engine: EngineTable, log: Log, vector: NDArray[np.uint16], v: int, row: int) -> None:
    """Fill in what the scores did that were as in the tables."""
    for place in range(vector.size):
        own = vector[place]
        if own >= engine.known.size:
            continue
        m = _magnitude(engine, row, own)
        for k in range(engine.search.start[own], engine.search.start[own + 1]):
            log.match[v, place, engine.search.row[k]] = True
        for k in range(engine.select.start[m], engine.select.start[m + 1]):
            log.selected[v, place, engine.select.row[k]] = True
        log.difference[v, place], log.exponential[v, place] = engine.difference[row, own], engine.word[m]


@table_part
def _count_rows(
    vector: NDArray[np.uint16], count: NDArray[np.int32], parts: NDArray[np.int32]
) -> tuple[int, int, int, int]:
    """How often each row occurs; absent scores, whose row is the last of ``count``, do not.

    Returns the first and the last row that do, the largest count, and their sum. Equal scores are often close to each
    other, and a count that was just written is slow to be read: four arrays in turn.
    """
    void, whole = np.uint16(count.size - 1), vector.size // 4 * 4
    second, third, fourth = parts[0], parts[1], parts[2]
    for k in range(0, whole, 4):
        count[vector[k]] += 1
        second[vector[k + 1]] += 1
        third[vector[k + 2]] += 1
        fourth[vector[k + 3]] += 1
    for k in range(whole, vector.size):
        count[vector[k]] += 1
    first, last = void, np.uint16(0)
    for k in range(vector.size):
        first = min(first, vector[k])
        # Below all others where absent.
        last = max(last, np.uint16(vector[k] - void))
    most = np.int32(0)
    absent = count[void] + second[void] + third[void] + fourth[void]
    count[void], second[void], third[void], fourth[void] = 0, 0, 0, 0
    end = np.int64(np.uint16(last + void))
    if first == void:
        return int(void), 0, 0, 0
    for own in range(first, end + 1):
        times = count[own] + second[own] + third[own] + fourth[own]
        count[own], second[own], third[own], fourth[own] = times, 0, 0, 0
        most = max(most, np.int32(times))
    return int(first), int(end), int(most), int(vector.size - absent)


@table_part
def _list_rows(count: NDArray[np.int32], first: int, last: int, distinct: NDArray[np.uint16]) -> int:
    """Rows that occur; returns their number."""
    n = 0
    for own in range(first, last + 1):
        distinct[n] = own
        n += count[own] > 0
    return n


@table_kernel
def replay_softmax(
    engine: EngineTable,
    vectors: NDArray[np.uint16],
    begin: int,
    key: np.uint64,
    log: Log,
    work: Work,
    out: NDArray[np.float32],
) -> int:
    """Softmax of many vectors.

    Parameters
    ----------
    engine
        The tables.
    vectors
        (n_vectors, length) uint16 from :func:`encode_scores`; scores whose noise changes something are overwritten.
    begin
        Vector to begin with.
    key
        uint64: all random numbers of vector v follow from it and v alone.
    log
        What happens is added to it.
    work
        Scratch; its counts, quotients and histogram are 0 before the first call.
    out
        (n_vectors, length) float32 receives the quotients.

    Returns
    -------
    int
        The number of vectors, or the vector that needs a row which is not compiled, negative: -1 - v. That row is in
        ``log.maximum[0, n_rows]``; nothing of the vector was counted, and it can be begun with again.
    """
    n_rows = engine.known.size
    for v in range(begin, vectors.shape[0]):
        vector = vectors[v]
        first, last, most, n_active = _count_rows(vector, work.counts, work.parts)
        if first == n_rows:
            out[v, :] = 0.0
            if log.trace:
                log.row[v] = -1
            continue
        n_events, row = 0, int(engine.search.first[first])
        if engine.noisy:
            work.state[0] = start(key, v)
            work.clock[0] = exponential(work.state)
            n_events = _search_noise(engine, work, vector, first, last)
        if engine.prefix.first.size > 0:
            row = _row_by_bits(engine, work, (first, last), n_events)
        elif n_events or not engine.ordered:
            row = _first_row(engine, work, (first, last), n_events)
        if not engine.known[row]:
            for e in range(n_events):
                vector[work.event[e, 0]] = work.event[e, 1]
            work.counts[first : last + 1] = 0
            log.maximum[0, n_rows] = row
            return -1 - v
        log.tally[_MAX] += row != first
        log.maximum[0, row] += 1
        log.maximum[1, row] += n_active
        n_late = _late_noise(engine, log, work, vector, v, (row, first, last, n_events)) if engine.noisy else 0
        # Rows before that of the maximum do not occur where its row is the first that does.
        plain = n_active <= engine.counter_top and not log.trace
        if plain and row <= first and last < engine.regular[row]:
            _replay_regular(engine, log, work, vector, (row, last + 1 - row, most, n_late, n_active), out[v])
        else:
            _replay_irregular(engine, log, work, vector, v, (row, first, last, n_late), out[v])
    return int(vectors.shape[0])


def smallest() -> None:
    """Run every kernel once, on a row of one score, in an engine of two rows none of which ever fires."""
    engine = smallest_engine()
    rows, quotients = np.zeros((1, 1), np.uint16), np.empty((1, 1), np.float32)
    for scores in (np.zeros(1, np.float32), np.zeros(1)):
        encode_scores(scores, np.empty(0, np.bool_), 0, 1, rows[0])
    weigh_words(engine)
    compare_rows(engine, 0)
    replay_softmax(engine, rows, 0, np.uint64(0), new_log(engine, 1, 1, trace=False), new_work(engine, 1), quotients)
