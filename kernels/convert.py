"""Column currents to integers: bit-serial sums over the cells, read noise, conversion, shift-and-add, in one pass."""

import numpy as np
from numpy.typing import NDArray

from ._hashed import add_noise, mixed
from ._jit import fused_kernel, kernel, part
from ._simd import AT_A_TIME, GROUP, PATTERNS, WIDTH, add_chosen

__all__ = ["GROUP", "PATTERNS", "WIDTH", "bit_serial", "convert_currents", "hashed_normals", "pack_pulses", "smallest"]

_AT_ONCE = 1024
"""Pulses whose sums are kept between two tables: they and the tables stay in the second cache."""
_TABLES = 2 * AT_A_TIME
"""Tables at a time: they fit the first cache."""
_NONE, _ONE = np.float32(0.0), np.float32(1.0)


@part
def _to_codes(
    sums: NDArray[np.float32],
    weights: NDArray[np.int32],
    low: np.float32,
    high: np.float32,
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
) -> None:
    """Codes of the ideal staircase for the pulses of one vector, added to the totals with their weights."""
    for p in range(weights.size):
        weight = weights[p]
        for j in range(total.size):
            near = np.rint(sums[p, j])
            # Not min() and max(), whose rules for nan keep the vector unit out.
            code = near if near < high else high  # noqa: FURB136
            code = code if code > low else low  # noqa: FURB136
            clipped[j] += _ONE if code != near else _NONE
            total[j] = np.int32(total[j] + weight * np.int32(code))


@part
def _to_codes_by_levels(
    sums: NDArray[np.float32],
    weight: np.int32,
    low: np.float32,
    high: np.float32,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
) -> None:
    """The same with a table of transitions for every converter."""
    top = levels.shape[1]
    for j in range(sums.size):
        own, x = levels[converter[j]], sums[j]
        near = min(max(np.rint(x), low), high)
        # The transitions lie near those of the ideal staircase: a few steps from there.
        place = min(np.int64(near - low), top)
        while place > 0 and x < own[place - 1]:
            place -= 1
        while place < top and x >= own[place]:
            place += 1
        clipped[j] += _ONE if np.rint(x) != near else _NONE
        total[j] = np.int32(total[j] + weight * codes[converter[j], place])


@part
def _convert_rows(
    sums: NDArray[np.float32],
    weights: NDArray[np.int32],
    low: np.float32,
    high: np.float32,
    levels: NDArray[np.float32],
    codes: NDArray[np.int32],
    converter: NDArray[np.int32],
    limit: int,
    clipped: NDArray[np.float32],
    total: NDArray[np.int32],
    out: NDArray[np.float64],
    column: int,
) -> None:
    """Convert a block of columns, of which ``column`` is the first, and add up the pulses of each vector."""
    n_pulses, plain = weights.size, levels.size == 0 and limit == 0
    for vector in range(out.shape[0]):
        total[:] = 0
        rows = sums[vector * n_pulses : (vector + 1) * n_pulses]
        if plain:
            _to_codes(rows, weights, low, high, clipped, total)
        for p in range(0 if plain else n_pulses):
            if levels.size:
                _to_codes_by_levels(rows[p], weights[p], low, high, levels, codes, converter, clipped, total)
            else:
                _to_codes(rows[p : p + 1], weights[p : p + 1], low, high, clipped, total)
            if limit > 0:
                for j in range(total.size):
                    total[j] = np.int32(min(max(total[j], -limit - 1), limit))
        row_out = out[vector, column : column + total.size]
        for j in range(total.size):
            row_out[j] += total[j]


@part
def _vector_keys(key: NDArray[np.uint32], first_vector: int, keys: NDArray[np.uint32]) -> None:
    """Two keys for each vector, in which every bit of all four takes part."""
    for vector in range(keys.shape[0]):
        number = np.uint32((first_vector + vector) & 0xFFFFFFFF)
        keys[vector, 0] = mixed(mixed(number, key[0], key[1]), key[2], key[3])
        keys[vector, 1] = mixed(mixed(number, key[3], key[2]), key[1], key[0])


@part
def _collect(patterns: NDArray[np.uint8], chosen: NDArray[np.uint64]) -> None:
    """Patterns of AT_A_TIME groups to a word."""
    for row in range(patterns.shape[0]):
        for word in range(chosen.shape[1]):
            groups = patterns[row, word * AT_A_TIME : (word + 1) * AT_A_TIME]
            total = np.uint64(0)
            for k in range(groups.size):
                total |= np.uint64(groups[k]) << np.uint64(8 * k)
            chosen[row, word] = total


@part
def _build_tables(t: NDArray[np.generic], first_row: int, column: int, tables: NDArray[np.generic]) -> None:
    """Sums of every choice of GROUP rows, for WIDTH columns; rows beyond the last count as 0."""
    for group in range(tables.shape[0]):
        table = tables[group]
        for k in range(GROUP):
            row, half = first_row + GROUP * group + k, 1 << k
            for choice in range(half):
                source, target = table[choice], table[choice + half]
                if row < t.shape[0]:
                    added = t[row, column : column + WIDTH]
                    for j in range(target.size):
                        target[j] = source[j] + added[j]
                else:
                    target[:] = source


@part
def _add_rows(
    t: NDArray[np.generic],
    column: int,
    chosen: NDArray[np.uint64],
    before: NDArray[np.generic],
    tables: NDArray[np.generic],
    sums: NDArray[np.generic],
) -> None:
    """Add up the rows that each pulse drives, for WIDTH columns."""
    for word in range(0, chosen.shape[1], _TABLES // AT_A_TIME):
        some = tables[: min(_TABLES, (chosen.shape[1] - word) * AT_A_TIME)]
        _build_tables(t, word * AT_A_TIME * GROUP, column, some)
        add_chosen(chosen[:, word:], some, before, sums)
        before = sums


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
    seen: NDArray[np.float32],
) -> int:
    """Drive the rows of one tile by pulses that are on or off, convert every column current, add up the codes.

    Rows are taken four at a time: the sums of all 16 choices of them are made once, and then a pulse adds one of them
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
    seen
        (n * n_pulses, n_columns) float32: takes what the converters saw, in steps; of size 0 where nobody looks.

    Returns
    -------
    int
        Conversions beyond low .. high.
    """
    n_pulses, noisy, pairs = weights.size, variance_scale.size > 0, (weights.size + 1) // 2
    at_once, n_words = max(1, _AT_ONCE // n_pulses), max(1, -(-patterns.shape[1] // AT_A_TIME))
    chosen = np.empty((at_once * n_pulses, n_words), np.uint64)
    tables = np.zeros((_TABLES, PATTERNS, WIDTH), np.float32)
    variances = np.zeros((_TABLES if noisy else 0, PATTERNS, WIDTH), np.uint16)
    # A row more than there are sums: see add_noise.
    sums = np.zeros((at_once * n_pulses + 1, WIDTH), np.float32)
    units = np.zeros((at_once * n_pulses + 1 if noisy else 0, WIDTH), np.uint16)
    keys, no_units = np.empty((at_once if noisy else 0, 2), np.uint32), np.zeros((1, WIDTH), np.uint16)
    scale, total, clipped = np.empty((2, WIDTH), np.float32), np.empty(WIDTH, np.int32), np.zeros(WIDTH, np.float32)
    n_clipped = 0
    for start in range(0, out.shape[0], at_once):
        n = min(at_once, out.shape[0] - start)
        first, n_sums = start * n_pulses, n * n_pulses
        _collect(patterns[first : first + n_sums], chosen)
        _vector_keys(key, first_vector + start, keys)
        for block in range(first_block, last_block):
            column = block * WIDTH
            columns = slice(column, column + WIDTH)
            _add_rows(t, column, chosen[:n_sums], base[columns].reshape(1, WIDTH), tables, sums[:n_sums])
            if noisy and variance.size:
                _add_rows(variance, column, chosen[:n_sums], no_units, variances, units[:n_sums])
            if noisy:
                scale[0], scale[1] = variance_scale[columns], variance_base[columns]
                add_noise(keys[:n], block * pairs * WIDTH, scale, units[: n_sums + 1], sums[: n_sums + 1])
            if seen.size:
                seen[first : first + n_sums, columns] = sums[:n_sums]
            clipped[:] = _NONE
            steps = np.float32(low), np.float32(high), levels, codes, converter[columns], limit
            _convert_rows(sums[:n_sums], weights, *steps, clipped, total, out[start : start + n], column)
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
    _convert_rows(sums, weights, *steps, clipped, total, out, 0)
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
    _vector_keys(key, first_vector, keys)
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
