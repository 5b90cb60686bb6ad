"""The softmax engine replayed from tables: maximum, difference, exponential, histogram, sum, quotient."""

import numpy as np
from numpy.typing import NDArray

from ._counts import CountSummary, count_scores
from ._draws import draw_exponential, first_state
from ._flips import flip_searches, follow_flips
from ._jit import kernel, table_kernel
from ._maximum import maximum_by_bits, maximum_by_sweep
from ._quotients import ADDED, HAZARD, NUMERATOR, RIGHT, replay_irregular, replay_regular
from ._sensing import weigh_columns
from .tables import WRONG_MAX, EngineTable, Log, Work, new_log, new_work, smallest_engine

__all__ = ["compare_rows", "encode_scores", "replay_softmax", "smallest", "weigh_words"]


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
        Of the fixed-point format.
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
    saturated, bad, absent_row, zero_row = np.int32(0), np.int32(0), np.uint16(2 * half), np.int32(half - 1)
    absent = number(-np.inf)
    for k in range(scores.size):
        x = scores[k] * scale
        # Not min() and max(): their rules for nan keep the vector unit out.
        near = x if x > low else low  # noqa: FURB136
        near = near if near < high else high  # noqa: FURB136
        finite = abs(scores[k]) < -absent
        rows[k] = np.uint16(zero_row - np.int32(np.rint(near))) if finite else absent_row
        saturated += np.int32(near != x)
        bad += np.int32(not finite)
    if bad or taken.size:
        saturated, bad = np.int32(0), np.int32(0)
        for k in range(scores.size):
            x = scores[k] * scale
            if scores[k] == absent or (taken.size > 0 and not taken[k]):
                rows[k] = absent_row
            else:
                bad += np.int32(not (abs(scores[k]) < -absent))
                saturated += np.int32(x < low or x > high)
    return int(saturated), int(bad)


@table_kernel
def weigh_words(engine: EngineTable) -> None:
    """Compile what every magnitude does into ``word``, ``word_hazard`` and ``by_magnitude``.

    Parameters
    ----------
    engine
        The tables.
    """
    select, by_magnitude = engine.select, engine.by_magnitude
    for m in range(engine.word.size):
        rows = select.row[select.start[m] : select.start[m + 1]]
        word = weigh_columns(engine.lookup, rows, rows.size, -1, engine.word_hazard[m])
        added, right = 0.0, 0.0
        for k in range(rows.size):
            added += engine.sum.linear[rows[k]]
            right += engine.right_word[rows[k]]
        engine.word[m] = word
        by_magnitude[NUMERATOR, m] = word * engine.divider_scale
        by_magnitude[ADDED, m] = added if engine.sum.mode > 0 else float(word)
        by_magnitude[RIGHT, m] = right if engine.sum.mode > 0 else float(word)
        by_magnitude[HAZARD, m] = select.hazard[m] + engine.word_hazard[m, -1]


@table_kernel
def compare_rows(engine: EngineTable, max_row: int) -> None:
    """Compile the differences of all scores from a maximum; ``compiled`` is left to the caller.

    Parameters
    ----------
    engine
        The tables; ``difference``, its hazards, ``hazard_after_search`` and ``regular_end`` of the row are filled in.
    max_row
        Row of the maximum.
    """
    search, n_rows = engine.search, engine.compiled.size
    for row in range(n_rows):
        difference, hazards = max_row - min(search.first[row], n_rows - 1), engine.column_hazard[max_row, row]
        engine.difference_hazard[max_row, row] = 0.0
        if engine.subtract.weight.size > 0:
            fired_row = search.row[search.start[row] : search.start[row + 1]]
            difference = weigh_columns(engine.subtract, fired_row, fired_row.size, max_row, hazards)
            engine.difference_hazard[max_row, row] = hazards[-1]
        engine.difference[max_row, row] = difference
        later = engine.by_magnitude[HAZARD, min(abs(difference), engine.word.size - 1)]
        engine.hazard_after_search[max_row, row] = engine.difference_hazard[max_row, row] + later
    row = max_row
    while row < n_rows and row - max_row < engine.n_selected_alone and engine.difference[max_row, row] == max_row - row:
        row += 1
    engine.regular_end[max_row] = row


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
    n_rows = engine.compiled.size
    for v in range(begin, vectors.shape[0]):
        vector = vectors[v]
        summary = CountSummary(*count_scores(vector, work.score_count, work.partial_count))
        first_row, last_row = summary.first_row, summary.last_row
        if first_row == n_rows:
            out[v, :] = 0.0
            if log.trace:
                log.max_row[v] = -1
            continue
        n_search_flips, max_row = 0, int(engine.search.first[first_row])
        if engine.noisy:
            work.state[0] = first_state(key, v)
            work.clock[0] = draw_exponential(work.state)
            n_search_flips = flip_searches(engine, work, vector, summary)
        if engine.prefix.first.size > 0:
            max_row = maximum_by_bits(engine, work, summary, n_search_flips)
        elif n_search_flips or not engine.ordered:
            max_row = maximum_by_sweep(engine, work, summary, n_search_flips)
        if not engine.compiled[max_row]:
            for e in range(n_search_flips):
                vector[work.search_flip[e, 0]] = work.search_flip[e, 1]
            work.score_count[first_row : last_row + 1] = 0
            log.maximum[0, n_rows] = max_row
            return -1 - v
        log.tally[WRONG_MAX] += max_row != first_row
        log.maximum[0, max_row] += 1
        log.maximum[1, max_row] += summary.n_active
        n_flipped = 0
        if engine.noisy:
            n_flipped = follow_flips(engine, log, work, vector, v, summary, max_row, n_search_flips)
        # Rows before that of the maximum do not occur where its row is the first that does.
        countable = summary.n_active <= engine.counter_top and not log.trace
        if countable and max_row <= first_row and last_row < engine.regular_end[max_row]:
            replay_regular(engine, log, work, vector, summary, max_row, n_flipped, out[v])
        else:
            replay_irregular(engine, log, work, vector, v, summary, max_row, n_flipped, out[v])
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
