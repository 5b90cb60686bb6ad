"""Column currents to integers: bit-serial sums over the cells, read noise, conversion, shift-and-add, in one pass."""

import numpy as np
from numpy.typing import NDArray

from ._codes import convert_rows
from ._hashed import add_noise, vector_keys
from ._jit import fused_kernel, kernel
from ._row_sums import TABLES, add_rows, collect_choices
from ._simd import AT_A_TIME, GROUP, PATTERNS, WIDTH

__all__ = ["GROUP", "PATTERNS", "WIDTH", "bit_serial", "convert_currents", "hashed_normals", "pack_pulses", "smallest"]

_AT_ONCE = 1024
"""Pulses whose sums are kept between two tables: they and the tables stay in the second cache."""
_NONE, _ONE = np.float32(0.0), np.float32(1.0)


@kernel
def pack_pulses(levels: NDArray[np.int16], patterns: NDArray[np.uint8]) -> None:
    """Rows that are driven, four to a byte, as :func:`bit_serial` takes them.

    Parameters
    ----------
    levels
        (n_pulses, n, n_rows) int16, each 0 or 1.
    patterns
        Out: (n * n_pulses, n_groups) uint8, n_groups = ceil(n_rows / GROUP).
    """
    n_pulses, n, n_rows = levels.shape
    whole = n_rows // GROUP
    for p in range(n_pulses):
        for vector in range(n):
            row, out = levels[p, vector], patterns[vector * n_pulses + p]
            for group in range(whole):
                k = GROUP * group
                out[group] = PATTERNS * (row[k] + 2 * row[k + 1] + 4 * row[k + 2] + 8 * row[k + 3])
            if whole < out.size:
                last = 0
                for k in range(n_rows - GROUP * whole):
                    last += row[GROUP * whole + k] << k
                out[whole] = PATTERNS * last


@fused_kernel
def bit_serial(
    patterns: NDArray[np.uint8],
    t: NDArray[np.float32],
    base: NDArray[np.float32],
    variance: NDArray[np.uint16],
    variance_scale: NDArray[np.float32],
    variance_base: NDArray[np.float32],
    key: NDArray[np.uint32],
    weights: NDArray[np.int32],
    low: int,
    high: int,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    limit: int,
    first_vector: int,
    first_block: int,
    last_block: int,
    out: NDArray[np.float64],
    currents: NDArray[np.float32],
) -> int:
    """Drive the rows of one tile by pulses that are on or off, convert every column current, add up the codes.

    Rows are taken four at a time: the sums of all 16 choices of them are taken once, and then a pulse adds one of them
    to WIDTH columns at once ("four Russians": V. L. Arlazarov et al., Soviet Math. Dokl. 11, 1970).

    Parameters
    ----------
    patterns
        (n * n_pulses, n_groups) uint8, vector by vector and pulse by pulse: PATTERNS times the number whose bit k says
        whether row GROUP * group + k is driven.
    t
        (n_rows, n_columns) float32: what a driven row adds to a column, in steps of the converter; n_columns is a
        multiple of WIDTH.
    base
        (n_columns,) float32: what every column has without any row, in steps.
    variance
        (n_rows, n_columns) uint16: the variance that a driven row adds, in units of ``variance_scale`` of the column,
        whose sum over the rows stays below 2^16; of size 0 where rows add none.
    variance_scale, variance_base
        (n_columns,) float32, steps squared: the unit, and the variance that every conversion has; of size 0 where
        nothing is noisy.
    key
        (4,) uint32: keys of the noise of this tile. A current gets the root of its variance times its number among
        those of :func:`hashed_normals`.
    weights
        (n_pulses,) int32: what a code of each pulse counts.
    low, high
        Codes are clipped to low .. high.
    levels, codes
        (n_converters, m) float32 ascending transitions in steps, and (n_converters, m + 1) int32 codes between them; of
        size 0 for the ideal staircase: the nearest integer, ties to even. Transitions lie about where those of the
        staircase from low on lie: they are looked for from there.
    converter
        (n_columns,) int32 number of the converter of each column; of size 0 likewise.
    limit
        The running total of a column saturates at -limit - 1 .. limit after every pulse; 0: it does not.
    first_vector
        Number of the first vector, for its noise.
    first_block, last_block
        Blocks of WIDTH columns to work on: first_block .. last_block - 1.
    out
        (n, n_columns) float64: the totals are added to it.
    currents
        (n * n_pulses, n_columns) float32: takes the currents that are converted, in steps; of size 0: nobody asks.

    Returns
    -------
    int
        Conversions beyond low .. high.
    """
    n_pulses, noisy, pairs = weights.size, variance_scale.size > 0, (weights.size + 1) // 2
    at_once, n_words = max(1, _AT_ONCE // n_pulses), max(1, -(-patterns.shape[1] // AT_A_TIME))
    chosen = np.empty((at_once * n_pulses, n_words), np.uint64)
    tables = np.zeros((TABLES, PATTERNS, WIDTH), np.float32)
    variances = np.zeros((TABLES if noisy else 0, PATTERNS, WIDTH), np.uint16)
    # A row more than there are sums: see add_noise.
    sums = np.zeros((at_once * n_pulses + 1, WIDTH), np.float32)
    units = np.zeros((at_once * n_pulses + 1 if noisy else 0, WIDTH), np.uint16)
    keys, no_units = np.empty((at_once if noisy else 0, 2), np.uint32), np.zeros((1, WIDTH), np.uint16)
    scale, total, clipped = np.empty((2, WIDTH), np.float32), np.empty(WIDTH, np.int32), np.zeros(WIDTH, np.float32)
    n_clipped = 0
    for start in range(0, out.shape[0], at_once):
        n = min(at_once, out.shape[0] - start)
        first, n_sums = start * n_pulses, n * n_pulses
        collect_choices(patterns[first : first + n_sums], chosen)
        vector_keys(key, first_vector + start, keys)
        for block in range(first_block, last_block):
            column = block * WIDTH
            columns = slice(column, column + WIDTH)
            add_rows(t, column, chosen[:n_sums], base[columns].reshape(1, WIDTH), tables, sums[:n_sums])
            if noisy and variance.size:
                add_rows(variance, column, chosen[:n_sums], no_units, variances, units[:n_sums])
            if noisy:
                scale[0], scale[1] = variance_scale[columns], variance_base[columns]
                add_noise(keys[:n], block * pairs * WIDTH, scale, units[: n_sums + 1], sums[: n_sums + 1])
            if currents.size:
                currents[first : first + n_sums, columns] = sums[:n_sums]
            clipped[:] = _NONE
            steps = np.float32(low), np.float32(high), levels, codes, converter[columns], limit
            convert_rows(sums[:n_sums], weights, *steps, clipped, total, out[start : start + n], column)
            for j in range(WIDTH):
                n_clipped += int(clipped[j])
    return n_clipped


@fused_kernel
def convert_currents(
    sums: NDArray[np.float32],
    weights: NDArray[np.int32],
    low: int,
    high: int,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    limit: int,
    out: NDArray[np.float64],
) -> int:
    """Convert column currents that are already known, and add up the codes.

    Parameters
    ----------
    sums
        (n * n_pulses, n_columns) float32, in steps of the converter, vector by vector and pulse by pulse.
    weights, low, high, levels, codes, converter, limit, out
        As in :func:`bit_serial`.

    Returns
    -------
    int
        Conversions beyond low .. high.
    """
    n_columns = sums.shape[1]
    total, clipped, n_clipped = np.empty(n_columns, np.int32), np.zeros(n_columns, np.float32), 0
    steps = np.float32(low), np.float32(high), levels, codes, converter, limit
    convert_rows(sums, weights, *steps, clipped, total, out, 0)
    for j in range(n_columns):
        n_clipped += int(clipped[j])
    return n_clipped


@fused_kernel
def hashed_normals(key: NDArray[np.uint32], n_pulses: int, first_vector: int, out: NDArray[np.float32]) -> None:
    """The standard normal numbers that :func:`bit_serial` draws: found by key, vector, pulse and column alone.

    The place of a pair of numbers is hashed with the keys to 32 bits, a radius and an angle are found from these, and
    the pair from them as Box and Muller do (Ann. Math. Statist. 29, 1958); none is beyond 5.4. Pulses 0 and 1 of a
    vector make a pair, 2 and 3, and so on.

    Parameters
    ----------
    key
        (4,) uint32.
    n_pulses
        Pulses of a vector.
    first_vector
        Number of the first vector.
    out
        Out: (n * n_pulses, n_columns) float32, n_columns a multiple of WIDTH.
    """
    n, pairs = out.shape[0] // n_pulses, (n_pulses + 1) // 2
    keys, scale = np.empty((n, 2), np.uint32), np.zeros((2, WIDTH), np.float32)
    none, sums = np.zeros((out.shape[0] + 1, WIDTH), np.uint16), np.empty((out.shape[0] + 1, WIDTH), np.float32)
    vector_keys(key, first_vector, keys)
    scale[1] = _ONE
    for block in range(out.shape[1] // WIDTH):
        sums[:] = _NONE
        add_noise(keys, block * pairs * WIDTH, scale, none, sums)
        out[:, block * WIDTH : (block + 1) * WIDTH] = sums[:-1]


def smallest() -> None:
    """Run every kernel once, on a single group of cells and one pulse."""
    columns, keys = np.zeros((2, WIDTH), np.float32), np.zeros(4, np.uint32)
    pulse, total = np.ones(1, np.int32), np.zeros((1, WIDTH))
    levels, codes, converter = columns[:, :0], np.empty((0, 0), np.int32), np.zeros(WIDTH, np.int32)
    steps = (-1, 1, levels, codes, converter, 0)
    patterns = np.empty((1, 1), np.uint8)
    pack_pulses(np.ones((1, 1, GROUP), np.int16), patterns)
    cells = (columns[:1], columns[0], columns[:1].astype(np.uint16), columns[0], columns[0], keys)
    bit_serial(patterns, *cells, pulse, *steps, 0, 0, 1, total, columns[:1, :0])
    convert_currents(columns[:1], pulse, *steps, total)
    hashed_normals(keys, 1, 0, columns[:1])
