"""Compiled kernels: plain functions, arrays in, arrays out, SI units; imported as ``rramsim.kernels``."""

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, by running each once on the smallest input."""
    import numpy as np

    from .conduction import LAWS, cell_currents, polynomial_currents
    from .convert import GROUP, WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses
    from .network import PLANES, plane_shape, solve_array
    from .normal import normal_numbers
    from .reduction import LANES, merge_blocks, reduce_tiles
    from .sensitivity import WEIGHT_PLANES, weigh_noise
    from .spread import spread_cells

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
