"""The tables that an engine is compiled into, what happens to them, and what they are replayed in."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "COUNTER_SATURATION",
    "FALSE_MATCH",
    "MISSED_MATCH",
    "MULTIPLE_MATCH",
    "REACH",
    "SUM_READS",
    "WRONG_BIT",
    "WRONG_DIFFERENCE",
    "WRONG_EXPONENTIAL",
    "WRONG_MAX",
    "WRONG_SUM",
    "EngineTable",
    "Log",
    "ReadTable",
    "SearchTable",
    "SumTable",
    "Work",
    "new_log",
    "new_work",
    "smallest_engine",
]

REACH = 9.0
"""Standard deviations beyond which noise is taken never to flip a sense amplifier (probability 1e-19)."""
BLOCK = 8
"""Columns of the sum that are added up side by side."""
FALSE_MATCH, MISSED_MATCH, MULTIPLE_MATCH = 0, 1, 2
"""Entries of ``Log.tally``: rows that fired wrongly; searches that missed their row; those with several rows."""
WRONG_MAX, WRONG_DIFFERENCE, WRONG_BIT, WRONG_EXPONENTIAL = 3, 4, 5, 6
"""Wrong maxima and differences; wrong bits and words of the look-up table."""
COUNTER_SATURATION, WRONG_SUM, SUM_READS = 7, 8, 9
"""Counters that were full; wrong sums; and, no error, reads of the crossbar of the sum."""


class SearchTable(NamedTuple):
    """What each of n searches of a CAM does.

    Parameters
    ----------
    first
        (n,) int32 first row that fires without noise; the number of rows where none does.
    start, row
        int64 (n + 1,) and int32: rows that fire in search c are row[start[c]:start[c + 1]], ascending.
    near_start, near_row
        Likewise the rows within reach of the noise.
    near_hazard
        float64: -ln(1 - p), with p the probability that the row flips, added up along the rows of each search.
    hazard
        (n,) float64: of all rows of a search together.
    """

    first: NDArray[np.int32]
    start: NDArray[np.int64]
    row: NDArray[np.int32]
    near_start: NDArray[np.int64]
    near_row: NDArray[np.int32]
    near_hazard: NDArray[np.float64]
    hazard: NDArray[np.float64]


class ReadTable(NamedTuple):
    """What each row of an array adds to columns whose sense amplifiers find digits.

    Parameters
    ----------
    current, variance
        (n_rows, n_columns) float64: current where the row is driven, ampere, and the variance of its read noise.
    noise
        Variance of the noise of a column's amplifiers, common to those of a column.
    reference
        (n_columns, n_levels - 1) float64, ascending, ampere: a digit is the number of references below the current.
    weight
        (n_columns,) int64 of each digit in the word.
    lowest
        What the digit is where no reference is exceeded.
    """

    current: NDArray[np.float64]
    variance: NDArray[np.float64]
    noise: float
    reference: NDArray[np.float64]
    weight: NDArray[np.int64]
    lowest: int


class SumTable(NamedTuple):
    """The crossbar that adds up the exponentials, and its converters.

    Parameters
    ----------
    cells
        (n_rows, columns) float64: current of each row less that of the column of leakage, in steps of one digit;
        columns are filled up to a multiple of BLOCK with zeros.
    variance, leak_variance
        (n_rows, n_columns) and (n_rows,) float64: of their read noise, and of that of the column of leakage.
    weight
        (n_columns,) float64 of each digit in the word.
    mode
        0: no crossbar, the words that were read are added; 1: converters of unlimited resolution; 2: converters.
    step
        Steps of one digit in a step of a converter.
    gain, offset
        (n_columns,) float64: code = step function of gain x + offset, in steps of the converter.
    noise
        Variance of the thermal noise of a conversion, steps^2.
    top
        Largest code.
    linear
        (n_rows,) float64: the words of the rows as they are added up without converters.
    idle
        What the converters see where no row is driven.
    level, code
        (n_columns, m) float64 and (n_columns, m + 1) int32: transitions and the codes between them; m = 0: ideal.
    """

    cells: NDArray[np.float64]
    variance: NDArray[np.float64]
    leak_variance: NDArray[np.float64]
    weight: NDArray[np.float64]
    mode: int
    step: float
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    noise: float
    top: int
    linear: NDArray[np.float64]
    idle: float
    level: NDArray[np.float64]
    code: NDArray[np.int32]


class EngineTable(NamedTuple):
    """All tables of an engine.

    Parameters
    ----------
    search
        Search of the first CAM for the word of each of its rows.
    prefix
        Its searches for leading bits, by 2^bits + value - 2; none: the maximum is that of one sweep.
    subtract
        Reads of the same crossbar from its rows; without columns: the difference is computed from the row numbers.
    compiled
        (n_rows,) bool: whether the five tables that follow are compiled for this row of the maximum.
    difference, difference_hazard
        (n_rows, n_rows) int16 and float64: score less maximum, by the rows of the maximum and of the score, and the
        hazard that it changes.
    column_hazard
        (n_rows, n_rows, n_columns) float64: hazards of the columns of each difference, added up along them.
    hazard_after_search
        (n_rows, n_rows) float64: hazard that the difference, the selection or the word changes.
    regular_end
        (n_rows,) int64: first row behind that of the maximum whose difference is not that of the row numbers, or whose
        magnitude selects anything but the row of its number.
    select
        Search of the second CAM for every magnitude.
    lookup
        Reads of the look-up table.
    word, word_hazard
        (n_magnitudes,) int64 and (n_magnitudes, n_columns) float64: what is read for each search of the second CAM, and
        the hazards of its columns, added up along them.
    by_magnitude
        (4, n_magnitudes) float64: numerator of the quotient; what is added to the sum without converters; what should
        have been; and the hazard that the selection or the word changes.
    right_word
        (n_magnitudes,) int64: the words that were to be stored.
    sum
        The sum.
    counter_top
        Largest count of a counter.
    flush
        Whether the histogram is read out and cleared before a counter can be full.
    divider_scale
        Steps of the quotient in 1.
    noisy
        Whether any sense amplifier is within reach of its noise, or the sum has noise.
    ordered
        Whether the first row of a vector is that of its largest score, as long as nothing flips.
    linear
        Whether the sum is that of ``by_magnitude`` as long as no counter is full.
    n_selected_alone
        How many magnitudes, from 0, select the row of their number and no other.
    n_nonzero
        Magnitude from which on all words that are read are 0.
    """

    search: SearchTable
    prefix: SearchTable
    subtract: ReadTable
    compiled: NDArray[np.bool_]
    difference: NDArray[np.int16]
    difference_hazard: NDArray[np.float64]
    column_hazard: NDArray[np.float64]
    hazard_after_search: NDArray[np.float64]
    regular_end: NDArray[np.int64]
    select: SearchTable
    lookup: ReadTable
    word: NDArray[np.int64]
    word_hazard: NDArray[np.float64]
    by_magnitude: NDArray[np.float64]
    right_word: NDArray[np.int64]
    sum: SumTable
    counter_top: int
    flush: bool
    divider_scale: float
    noisy: bool
    ordered: bool
    linear: bool
    n_selected_alone: int
    n_nonzero: int


class Log(NamedTuple):
    """What happened, added up over many vectors.

    Parameters
    ----------
    tally
        (10,) int64 errors of scores that were not as in the tables, and those of whole vectors, from
        ``tally[FALSE_MATCH]`` to ``tally[WRONG_SUM]``; and ``tally[SUM_READS]``.
    score_searches, magnitude_searches
        (2, n_rows) and (2, n_magnitudes) int64: how often each search of the first and of the second CAM was as in its
        table, and how often not.
    changed_words
        (n_magnitudes,) int64: how often the word was not as in its table though the search was.
    magnitude_sums
        (n_magnitudes,) int64: how often the rows of a magnitude were driven for the sum in vectors whose histogram was
        not counted.
    maximum
        (2, n_rows + 1) int64: for how many vectors and for how many scores each row was that of the maximum; the last
        column is for the caller of :func:`replay_softmax`.
    subtract_drives, lookup_drives, sum_drives
        int64: how often each row was driven, but for what follows from the other counts.
    trace
        Whether to fill in what follows; without it these are empty.
    match, selected
        (n_vectors, length, rows) bool that fired in each search.
    max_row, histogram, sum
        (n_vectors,) int32 row of the maximum; (n_vectors, n_magnitudes) int64; (n_vectors,) float64.
    difference, exponential
        (n_vectors, length) int32.
    """

    tally: NDArray[np.int64]
    score_searches: NDArray[np.int64]
    magnitude_searches: NDArray[np.int64]
    changed_words: NDArray[np.int64]
    magnitude_sums: NDArray[np.int64]
    maximum: NDArray[np.int64]
    subtract_drives: NDArray[np.int64]
    lookup_drives: NDArray[np.int64]
    sum_drives: NDArray[np.int64]
    trace: bool
    match: NDArray[np.bool_]
    selected: NDArray[np.bool_]
    max_row: NDArray[np.int32]
    histogram: NDArray[np.int64]
    sum: NDArray[np.float64]
    difference: NDArray[np.int32]
    exponential: NDArray[np.int32]


class Work(NamedTuple):
    """Scratch of one vector.

    Parameters
    ----------
    score_count, quotient
        (n_rows + 1,) int32 and (n_rows + 2,) float32 by the row of the score, both 0; the last but one is that of
        absent scores, the last that of flipped scores, which are followed alone.
    partial_count
        (3, n_rows + 1) int32, 0.
    distinct_row, numerator, fraction
        (n_rows + 1,) uint16 rows of the scores that occur, float64 numerators and float32 quotients of them.
    search_flip, search_flip_row
        (length, 3) int64 and (length, n_rows + 1) int32: scores whose search is not as in the table. Place in the
        vector, row of the score, how many rows fired; and these rows. Length 0 where nothing is noisy.
    flipped, flipped_word, flipped_row
        (length, 2) and (length,) int64, (length, n_magnitudes + 1) int32: scores of which anything is not as in the
        tables. Place and how many rows of the second CAM fired; the word that was read; and these rows.
    fired_row
        (n_rows + 1,) int32: rows that one search fired.
    histogram
        (n_magnitudes,) int64, 0: the counters.
    counted_row, driven_row
        (n_magnitudes + 1,) int32 rows whose counters are not at 0, and those whose bit is set.
    column_sum
        (columns of the sum,) float64.
    any_fired
        (n_rows,) bool: rows that any search of a vector fired.
    state, clock
        (1,) uint64 and (1,) float64: of the random numbers, and the hazard left until the next flip.
    """

    score_count: NDArray[np.int32]
    quotient: NDArray[np.float32]
    partial_count: NDArray[np.int32]
    distinct_row: NDArray[np.uint16]
    numerator: NDArray[np.float64]
    fraction: NDArray[np.float32]
    search_flip: NDArray[np.int64]
    search_flip_row: NDArray[np.int32]
    flipped: NDArray[np.int64]
    flipped_word: NDArray[np.int64]
    flipped_row: NDArray[np.int32]
    fired_row: NDArray[np.int32]
    histogram: NDArray[np.int64]
    counted_row: NDArray[np.int32]
    driven_row: NDArray[np.int32]
    column_sum: NDArray[np.float64]
    any_fired: NDArray[np.bool_]
    state: NDArray[np.uint64]
    clock: NDArray[np.float64]


def new_log(table: EngineTable, n_vectors: int, length: int, *, trace: bool) -> Log:
    """An empty log; with a trace it holds every signal of every vector."""
    n_rows, n_words = table.compiled.size, table.word.size
    n, m = (n_vectors, length) if trace else (0, 0)
    return Log(
        np.zeros(SUM_READS + 1, np.int64),
        np.zeros((2, n_rows), np.int64),
        np.zeros((2, n_words), np.int64),
        np.zeros(n_words, np.int64),
        np.zeros(n_words, np.int64),
        np.zeros((2, n_rows + 1), np.int64),
        np.zeros(n_rows, np.int64),
        np.zeros(n_words, np.int64),
        np.zeros(n_words, np.int64),
        trace,
        np.zeros((n, m, n_rows if trace else 0), np.bool_),
        np.zeros((n, m, n_words if trace else 0), np.bool_),
        np.zeros(n, np.int32),
        np.zeros((n, n_words if trace else 0), np.int64),
        np.zeros(n),
        np.zeros((n, m), np.int32),
        np.zeros((n, m), np.int32),
    )


def new_work(table: EngineTable, length: int) -> Work:
    """Scratch for vectors of a length."""
    n_rows, n_words = table.compiled.size, table.word.size
    n_flipped = length if table.noisy else 0
    return Work(
        score_count=np.zeros(n_rows + 1, np.int32),
        quotient=np.zeros(n_rows + 2, np.float32),
        partial_count=np.zeros((3, n_rows + 1), np.int32),
        distinct_row=np.empty(n_rows + 1, np.uint16),
        numerator=np.empty(n_rows + 1),
        fraction=np.empty(n_rows + 1, np.float32),
        search_flip=np.empty((n_flipped, 3), np.int64),
        search_flip_row=np.empty((n_flipped, n_rows + 1), np.int32),
        flipped=np.empty((n_flipped, 2), np.int64),
        flipped_word=np.empty(n_flipped, np.int64),
        flipped_row=np.empty((n_flipped, n_words + 1), np.int32),
        fired_row=np.empty(n_rows + 1, np.int32),
        histogram=np.zeros(n_words, np.int64),
        counted_row=np.empty(n_words + 1, np.int32),
        driven_row=np.empty(n_words + 1, np.int32),
        column_sum=np.empty(table.sum.cells.shape[1]),
        any_fired=np.zeros(n_rows, np.bool_),
        state=np.zeros(1, np.uint64),
        clock=np.zeros(1),
    )


def smallest_engine() -> EngineTable:
    """Tables of the types that kernels are compiled for: two rows, none of which ever fires."""
    rows, starts, no_rows = np.full(2, 2, np.int32), np.zeros(3, np.int64), np.empty(0, np.int32)
    search = SearchTable(rows, starts, no_rows, starts, no_rows, np.empty(0), np.zeros(2))
    read = ReadTable(np.zeros((2, 1)), np.zeros((2, 1)), 0.0, np.ones((1, 1)), np.ones(1, np.int64), 0)
    one, plane, two = np.ones(1), np.zeros((2, 2)), np.zeros(2, np.int64)
    total = (np.zeros((2, BLOCK)), np.empty((0, 0)), np.empty(0), one, 1, 1.0, one, one, 0.0, 0, np.zeros(2), 0.0)
    sums = SumTable(*total, np.empty((1, 0)), np.empty((1, 0), np.int32))
    compiled, magnitudes = np.zeros(2, np.bool_), (two.copy(), np.zeros((2, 1)), np.zeros((4, 2)), two)
    differences = (np.zeros((2, 2), np.int16), plane.copy(), np.zeros((2, 2, 1)), plane.copy(), two.copy())
    tables = (search, search, read, compiled, *differences, search, read, *magnitudes, sums)
    return EngineTable(*tables, 1, True, 2.0, noisy=False, ordered=False, linear=True, n_selected_alone=0, n_nonzero=0)
