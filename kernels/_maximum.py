"""The row of the maximum of a vector, from all rows that its searches fired."""

from ._counts import CountSummary
from ._jit import table_part
from ._sensing import flip_rows
from .tables import EngineTable, Work

__all__ = ["maximum_by_bits", "maximum_by_sweep"]


@table_part
def maximum_by_sweep(engine: EngineTable, work: Work, summary: CountSummary, n_search_flips: int) -> int:
    """Row of the maximum by a priority encoder: the first that any search fired; the last row where none did."""
    max_row = engine.compiled.size - 1
    for row in range(summary.first_row, summary.last_row + 1):
        if work.score_count[row] > 0:
            max_row = min(max_row, engine.search.first[row])
    for e in range(n_search_flips):
        for k in range(work.search_flip[e, 2]):
            max_row = min(max_row, work.search_flip_row[e, k])
    return max_row


@table_part
def maximum_by_bits(engine: EngineTable, work: Work, summary: CountSummary, n_search_flips: int) -> int:
    """Row of the maximum bit by bit: a search for each longer prefix finds whether it meets a row that any fired."""
    search, any_fired = engine.search, work.any_fired
    any_fired[:] = False
    for row in range(summary.first_row, summary.last_row + 1):
        if work.score_count[row] > 0:
            for k in range(search.start[row], search.start[row + 1]):
                any_fired[search.row[k]] = True
    for e in range(n_search_flips):
        for k in range(work.search_flip[e, 2]):
            any_fired[work.search_flip_row[e, k]] = True
    prefix, n_prefixes = 0, 2
    while n_prefixes <= any_fired.size:
        prefix = 2 * prefix + 1
        n = flip_rows(engine.prefix, n_prefixes + prefix - 2, work.fired_row, work.clock, work.state)
        met = False
        for k in range(n):
            met = met or any_fired[work.fired_row[k]]
        prefix -= not met
        n_prefixes *= 2
    return int(any_fired.size - 1 - prefix)
