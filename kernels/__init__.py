"""Compiled kernels: plain functions, arrays in, arrays out, SI units; imported as ``rramsim.kernels``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tables import EngineTable

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, by running each once on the smallest input."""
    import numpy as np

    from .conduction import LAWS, cell_currents, polynomial_currents
    from .convert import GROUP, WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses
    from .network import PLANES, plane_shape, solve_array
    from .normal import normal_numbers
    from .reduction import LANES, merge_blocks, reduce_tiles
    from .search import replay_searches
    from .sensitivity import WEIGHT_PLANES, weigh_noise
    from .softmax import compare_rows, encode_scores, replay_softmax, weigh_words
    from .spread import spread_cells
    from .tables import new_log, new_work

    one = np.ones((1, 1, 1))
    columns, keys = np.zeros((2, WIDTH), dtype=np.float32), np.zeros(4, dtype=np.uint32)
    pulse, total = np.ones(1, dtype=np.int32), np.zeros((1, WIDTH))
    levels, codes, converter = columns[:, :0], np.empty((0, 0), np.int32), np.zeros(WIDTH, np.int32)
    steps = (-1, 1, levels, codes, converter, 0)
    patterns = np.empty((1, 1), np.uint8)
    pack_pulses(np.ones((1, 1, GROUP), dtype=np.int16), patterns)
    cells = (columns[:1], columns[0], columns[:1].astype(np.uint16), columns[0], columns[0], keys)
    bit_serial(patterns, *cells, pulse, *steps, 0, 0, 1, total, columns[:1, :0])
    convert_currents(columns[:1], pulse, *steps, total)
    hashed_normals(keys, 1, 0, columns[:1])
    line, floating = np.ones(1), np.zeros(1, dtype=np.int64)
    few = np.zeros(2, dtype=np.float32)
    normal_numbers(np.zeros(2, dtype=np.uint32), few)
    spread_cells(line, few[:1], line, 1.0, line.copy())
    for kind in range(len(LAWS) - 1):
        cell_currents(kind, 1.0, 0.0, line, line, line.copy(), line.copy())
    polynomial_currents(1.0, 0.0, line, line, line, line, line.copy(), line.copy())
    ends = (line, line, line, line, line, line, floating)
    planes = np.empty((PLANES, *plane_shape(1, 1)))
    out = (one[0].copy(), np.empty((1, 6)), one, one, one, one, np.empty((1, 1, 2)), np.empty((1, 2, 1)))
    solve_array(one[0], 0, 0.0, 0.0, one[0], one[0], one[0], *ends, one[0], one[0], 1e-12, 10, 1e-9, planes, *out)
    # The inner merges of a tile and the merges of tiles, none of either.
    table, ops = np.zeros((1, 496), dtype=np.int64), np.zeros((0, 36), dtype=np.int64)
    inner = (np.zeros(16, dtype=np.int64), np.zeros((1, 8), dtype=np.int64), floating, 496)
    lanes, tiles = np.empty(LANES * 4096), np.empty(496)
    reduce_tiles(one[0], line, line, line, line, *inner, table, floating, 0, 1, lanes, tiles)
    merge_blocks(ops, 0, 0, tiles, line[:0], line[:0], tiles)
    weigh_noise(one, *(line,) * 6, 0.5, 0, 1, np.empty(WEIGHT_PLANES), one.copy(), one.copy())
    engine = _smallest_engine()
    rows, quotients = np.zeros((1, 1), np.uint16), np.empty((1, 1), np.float32)
    for scores in (np.zeros(1, np.float32), np.zeros(1)):
        encode_scores(scores, np.empty(0, np.bool_), 0, 1, rows[0])
    state, clock, none = np.zeros(1, np.uint64), np.zeros(1), np.empty(3, np.int32)
    replay_searches(engine.search, floating, np.uint64(0), none, state, clock, np.zeros((1, 2), np.bool_))
    weigh_words(engine)
    compare_rows(engine, 0)
    replay_softmax(engine, rows, 0, np.uint64(0), new_log(engine, 1, 1, trace=False), new_work(engine, 1), quotients)


def _smallest_engine() -> "EngineTable":
    """Tables of the right types, for two rows none of which ever fires."""
    import numpy as np

    from .tables import BLOCK, EngineTable, ReadTable, SearchTable, SumTable

    rows, starts, no_rows = np.full(2, 2, np.int32), np.zeros(3, np.int64), np.empty(0, np.int32)
    search = SearchTable(rows, starts, no_rows, starts, no_rows, np.empty(0), np.zeros(2))
    read = ReadTable(np.zeros((2, 1)), np.zeros((2, 1)), 0.0, np.ones((1, 1)), np.ones(1, np.int64), 0)
    one, plane, two = np.ones(1), np.zeros((2, 2)), np.zeros(2, np.int64)
    total = (np.zeros((2, BLOCK)), np.empty((0, 0)), np.empty(0), one, 1, 1.0, one, one, 0.0, 0, np.zeros(2), 0.0)
    sums = SumTable(*total, np.empty((1, 0)), np.empty((1, 0), np.int32))
    known, magnitudes = np.zeros(2, np.bool_), (two.copy(), np.zeros((2, 1)), np.zeros((4, 2)), two)
    differences = (np.zeros((2, 2), np.int16), plane.copy(), np.zeros((2, 2, 1)), plane.copy(), two.copy())
    tables = (search, search, read, known, *differences, search, read, *magnitudes, sums)
    return EngineTable(*tables, 1, True, 2.0, noisy=False, ordered=False, linear=True, alone=0, nonzero=0)
