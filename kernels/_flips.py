"""Scores in which noise flips a sense amplifier: found by the clock, taken out of the counts and followed alone.

The clock and the hazards are those of ``_sensing.py``.
"""

import numpy as np
from numpy.typing import NDArray

from ._counts import STRIDE, CountSummary, find_score, sum_hazards
from ._draws import draw_exponential
from ._jit import table_part
from ._sensing import flip_columns, flip_rows, read_columns
from .tables import (
    FALSE_MATCH,
    MISSED_MATCH,
    MULTIPLE_MATCH,
    WRONG_BIT,
    WRONG_DIFFERENCE,
    WRONG_EXPONENTIAL,
    EngineTable,
    Log,
    Work,
)

__all__ = ["flip_searches", "follow_flips"]


@table_part
def _count_matches(log: Log, fired_row: NDArray[np.int32], n_fired: int, right_row: int) -> None:
    """Errors of one search that fired the first of these rows and should have fired one."""
    hit = 0
    for k in range(n_fired):
        hit += fired_row[k] == right_row
    log.tally[FALSE_MATCH] += n_fired - hit
    log.tally[MISSED_MATCH] += 1 - hit
    log.tally[MULTIPLE_MATCH] += n_fired > 1


@table_part
def _pass_quiet(hazard: float, n_left: int, clock: NDArray[np.float64]) -> int:
    """How many of ``n_left`` equal scores pass before the clock runs out on one, as it does.

    Equal scores are alike, so that those which are hit are found by their order.
    """
    n_quiet = min(int(clock[0] / hazard), n_left - 1)
    clock[0] = max(clock[0] - n_quiet * hazard, 0.0)
    return n_quiet


@table_part
def flip_searches(engine: EngineTable, work: Work, vector: NDArray[np.uint16], summary: CountSummary) -> int:
    """Draw the scores whose first search is not as in the table, and take them out of the counts; their number."""
    flipped_row, n_search_flips = engine.compiled.size + 1, 0
    last_row, score_count, hazards = summary.last_row, work.score_count, engine.search.hazard
    for begin in range(summary.first_row, last_row + 1, STRIDE):
        end = min(begin + STRIDE, last_row + 1)
        total = sum_hazards(score_count[begin:], hazards[begin:], end - begin)
        if work.clock[0] >= total:
            work.clock[0] -= total
            continue
        for row in range(begin, end):
            n_passed = 0
            while work.clock[0] < (score_count[row] - n_passed) * hazards[row]:
                n_passed += _pass_quiet(hazards[row], score_count[row] - n_passed, work.clock)
                place = find_score(vector, row, n_passed)
                vector[place] = flipped_row
                score_count[row] -= 1
                n = flip_rows(engine.search, row, work.search_flip_row[n_search_flips], work.clock, work.state)
                flip = work.search_flip[n_search_flips]
                flip[0], flip[1], flip[2] = place, row, n
                n_search_flips += 1
            work.clock[0] -= (score_count[row] - n_passed) * hazards[row]
    return n_search_flips


@table_part
def _follow_score(
    engine: EngineTable,
    log: Log,
    work: Work,
    fired_row: NDArray[np.int32],
    n_fired: int,
    score_row: int,
    max_row: int,
    search_flipped: bool,
) -> tuple[int, int, int]:
    """What becomes of one score after its search; rows of the second CAM go to ``work.fired_row``.

    Returns the difference, the number of those rows, and the word.
    """
    clock, state, n_rows = work.clock, work.state, engine.compiled.size
    if engine.subtract.weight.size == 0:
        first_fired = n_rows - 1
        for k in range(n_fired):
            first_fired = min(first_fired, fired_row[k])
        difference = max_row - first_fired
    elif not search_flipped and clock[0] >= engine.difference_hazard[max_row, score_row]:
        clock[0] -= engine.difference_hazard[max_row, score_row]
        difference = int(engine.difference[max_row, score_row])
    elif not search_flipped:
        driven, difference = (fired_row, n_fired, max_row), int(engine.difference[max_row, score_row])
        hazards = engine.column_hazard[max_row, score_row]
        difference = flip_columns(engine.subtract, hazards, driven, difference, clock, state)
    else:
        difference = read_columns(engine.subtract, fired_row, n_fired, max_row, clock, state)
    log.tally[WRONG_DIFFERENCE] += difference != max_row - score_row
    m = min(abs(difference), engine.word.size - 1)
    as_in_table = clock[0] >= engine.select.hazard[m]
    n_selected = flip_rows(engine.select, m, work.fired_row, clock, state)
    if as_in_table:
        log.magnitude_searches[0, m] += 1
    else:
        log.magnitude_searches[1, m] += 1
        _count_matches(log, work.fired_row, n_selected, m)
        for k in range(n_selected):
            log.lookup_drives[work.fired_row[k]] += 1
    if as_in_table:
        if clock[0] >= engine.word_hazard[m, -1]:
            clock[0] -= engine.word_hazard[m, -1]
            return difference, n_selected, engine.word[m]
        log.changed_words[m] += 1
        driven, word = (work.fired_row, n_selected, -1), engine.word[m]
        word = flip_columns(engine.lookup, engine.word_hazard[m], driven, word, clock, state)
    else:
        word = read_columns(engine.lookup, work.fired_row, n_selected, -1, clock, state)
    wrong_bits = word ^ engine.right_word[m]
    log.tally[WRONG_EXPONENTIAL] += wrong_bits != 0
    while wrong_bits:
        log.tally[WRONG_BIT] += wrong_bits & 1
        wrong_bits >>= 1
    return difference, n_selected, word


@table_part
def _record_score(log: Log, work: Work, v: int, n_flipped: int, place: int, outcome: tuple[int, int, int]) -> None:
    """Put away what became of one score of vector v, behind ``n_flipped`` others."""
    difference, n, word = outcome
    work.flipped[n_flipped, 0], work.flipped[n_flipped, 1], work.flipped_word[n_flipped] = place, n, word
    for j in range(n):
        work.flipped_row[n_flipped, j] = work.fired_row[j]
        if log.trace:
            log.selected[v, place, work.fired_row[j]] = True
    if log.trace:
        log.difference[v, place], log.exponential[v, place] = difference, word


@table_part
def _follow_search_flips(engine: EngineTable, log: Log, work: Work, v: int, n_search_flips: int, max_row: int) -> None:
    """Follow the scores whose first search is not as in the table."""
    clock = work.clock[0]
    for e in range(n_search_flips):
        place, row, n = work.search_flip[e, 0], work.search_flip[e, 1], work.search_flip[e, 2]
        fired_row = work.search_flip_row[e]
        _count_matches(log, fired_row, n, row)
        log.score_searches[1, row] += 1
        for k in range(n):
            log.subtract_drives[fired_row[k]] += 1
            if log.trace:
                log.match[v, place, fired_row[k]] = True
        work.clock[0] = draw_exponential(work.state)
        _record_score(log, work, v, e, place, _follow_score(engine, log, work, fired_row, n, row, max_row, True))
    work.clock[0] = clock


@table_part
def follow_flips(
    engine: EngineTable,
    log: Log,
    work: Work,
    vector: NDArray[np.uint16],
    v: int,
    summary: CountSummary,
    max_row: int,
    n_search_flips: int,
) -> int:
    """Follow all scores that are not as in the tables, and take them out of the counts; their number."""
    flipped_row, n_flipped, search = engine.compiled.size + 1, n_search_flips, engine.search
    last_row, score_count, hazards = summary.last_row, work.score_count, engine.hazard_after_search[max_row]
    if n_flipped:
        _follow_search_flips(engine, log, work, v, n_flipped, max_row)
    for begin in range(summary.first_row, last_row + 1, STRIDE):
        end = min(begin + STRIDE, last_row + 1)
        total = sum_hazards(score_count[begin:], hazards[begin:], end - begin)
        if work.clock[0] >= total:
            work.clock[0] -= total
            continue
        for row in range(begin, end):
            n_passed = 0
            while work.clock[0] < (score_count[row] - n_passed) * hazards[row]:
                n_passed += _pass_quiet(hazards[row], score_count[row] - n_passed, work.clock)
                place = find_score(vector, row, n_passed)
                vector[place] = flipped_row
                score_count[row] -= 1
                log.score_searches[0, row] += 1
                fired_row = search.row[search.start[row] : search.start[row + 1]]
                outcome = _follow_score(engine, log, work, fired_row, fired_row.size, row, max_row, False)
                _record_score(log, work, v, n_flipped, place, outcome)
                for k in range(fired_row.size * log.trace):
                    log.match[v, place, fired_row[k]] = True
                n_flipped += 1
            work.clock[0] -= (score_count[row] - n_passed) * hazards[row]
    return n_flipped
