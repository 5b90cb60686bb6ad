"""Column currents to integers: bit-serial sums over the cells, read noise, conversion, shift-and-add, in one pass."""

import numpy as np
from numpy.typing import NDArray

from ._jit import fused_kernel, kernel, part
from ._simd import GROUP, PATTERNS, WIDTH, add_chosen, bits_of, float_of

__all__ = ["GROUP", "PATTERNS", "WIDTH", "bit_serial", "convert_currents", "hashed_normals", "pack_pulses"]

_AT_ONCE = 1024
"""Pulses whose sums are kept between two tables: they and the tables stay in the second cache."""
_TABLES = 32
"""Tables at a time: with the sums that are added to they fit the first cache."""

_STEPS = tuple(np.uint32(shift) for shift in (16, 15, 15))
_FACTORS = tuple(np.uint64(factor) for factor in (0x21F0AAAD, 0x735A2D97))
_WORD = np.uint64(0xFFFFFFFF)
_ODD, _RADIUS_SHIFT, _EXPONENT_SHIFT, _SIGN_SHIFT = (np.uint32(x) for x in (1, 11, 23, 20))
_MANTISSA, _ONE_BITS, _ANGLE_BITS, _SIGN_BIT = (np.uint32(x) for x in (0x007FFFFF, 0x3F800000, 0x7FF, 0x80000000))

_LN = tuple(
    np.float32(c)
    for c in (-2.94413002e-06, -1.99969539, 0.994746432, -0.631494634, 0.380708673, -0.165382474, 0.034828155)
)
"""-2 ln(1 + m) on 0 .. 1: least squares at the Chebyshev nodes, to 3e-6."""
_SIN = tuple(np.float32(c) for c in (0.999694901, -0.165670041, 0.00751339149))
"""sin a on -pi/2 .. pi/2 in odd powers, to 1.1e-4."""
_COS = tuple(np.float32(c) for c in (0.999993249, -0.499912101, 0.0414873813, -0.00127111036))
"""cos a likewise in even powers, to 8e-6."""
_LN_4, _TOP_EXPONENT = np.float32(1.3862943611198906), np.float32(148.0)
"""Twice ln 2, and the exponent, as single precision stores it, of 2^21."""
_ANGLE, _FIRST_ANGLE = np.float32(np.pi / 2048), np.float32(-np.pi / 2 + np.pi / 4096)
_NONE, _ONE = np.float32(0.0), np.float32(1.0)


@part
def _mixed(word: np.uint32, first: np.uint32, second: np.uint32) -> np.uint32:
    """One of 2^32 words by its number, shuffled by two keys."""
    h = np.uint32((np.uint64(word) + np.uint64(first)) & _WORD)
    h = np.uint32(h ^ (h >> _STEPS[0]))
    h = np.uint32((np.uint64(h) * _FACTORS[0]) & _WORD)
    h = np.uint32(h ^ second)
    h = np.uint32(h ^ (h >> _STEPS[1]))
    h = np.uint32((np.uint64(h) * _FACTORS[1]) & _WORD)
    return np.uint32(h ^ (h >> _STEPS[2]))


@part
def _polar_numbers(
    first: np.uint32,
    second: np.uint32,
    start: int,
    words: NDArray[np.uint32],
    square: NDArray[np.float32],
    cosine: NDArray[np.float32],
    sine: NDArray[np.float32],
) -> None:
    """Squared radii and directions of pairs of standard normal numbers (Box and Muller): 21 and 12 bits of a word each.

    Short loops, one after another: the processor has several numbers in work at a time.
    """
    n = words.size
    for k in range(n):
        words[k] = _mixed(np.uint32(start + k), first, second)
    for k in range(n):
        uniform = bits_of(np.float32(np.int32(np.uint32(words[k] >> _RADIUS_SHIFT) | _ODD)))
        m = float_of(np.uint32((uniform & _MANTISSA) | _ONE_BITS)) - _ONE
        m2 = m * m
        whole = (_TOP_EXPONENT - np.float32(np.int32(np.uint32(uniform >> _EXPONENT_SHIFT)))) * _LN_4
        rest = (_LN[2] + m * _LN[3]) + m2 * ((_LN[4] + m * _LN[5]) + m2 * _LN[6])
        radius = (whole + (_LN[0] + m * _LN[1])) + m2 * rest
        square[k] = radius if radius > _NONE else _NONE  # noqa: FURB136  (max() is slow: nan)
    for k in range(n):
        a = _ANGLE * np.float32(np.int32(np.uint32(words[k] & _ANGLE_BITS))) + _FIRST_ANGLE
        q = a * a
        q2 = q * q
        s = a * ((_SIN[0] + q * _SIN[1]) + q2 * _SIN[2])
        c = (_COS[0] + q * _COS[1]) + q2 * (_COS[2] + q * _COS[3])
        sign = np.uint32(np.uint32(words[k] << _SIGN_SHIFT) & _SIGN_BIT)
        cosine[k] = float_of(np.uint32(bits_of(c) ^ sign))
        sine[k] = float_of(np.uint32(bits_of(s) ^ sign))


@part
def _add_noise(
    sums: NDArray[np.float32],
    variance: NDArray[np.uint16],
    scale: NDArray[np.float32],
    fixed: NDArray[np.float32],
    n_pulses: int,
    block: int,
    key: NDArray[np.uint32],
    first_vector: int,
    work: NDArray[np.float32],
    words: NDArray[np.uint32],
) -> None:
    """Add to every sum of a block its noise: variance times scale plus fixed."""
    half = (n_pulses + 1) // 2
    for vector in range(sums.shape[0] // n_pulses):
        number = np.uint32(first_vector + vector)
        first, second = _mixed(number, key[0], key[1]), _mixed(number, key[2], key[3])
        _polar_numbers(first, second, block * half * WIDTH, words, work[0], work[1], work[2])
        rows = slice(vector * n_pulses, (vector + 1) * n_pulses)
        pairs = work.reshape(3, half, WIDTH)
        _scale_noise(variance[rows], scale, fixed, pairs[0], pairs[1], pairs[2], sums[rows])


@part
def _scale_noise(
    variance: NDArray[np.uint16],
    scale: NDArray[np.float32],
    fixed: NDArray[np.float32],
    square: NDArray[np.float32],
    cosine: NDArray[np.float32],
    sine: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    """The pulses of one vector; pulses p and p + half make a pair."""
    half, width = square.shape
    for p in range(half):
        for j in range(width):
            now = np.float32(np.int32(variance[p, j])) * scale[j] + fixed[j]
            sums[p, j] += np.sqrt(now * square[p, j]) * cosine[p, j]
    for p in range(half, sums.shape[0]):
        for j in range(width):
            now = np.float32(np.int32(variance[p, j])) * scale[j] + fixed[j]
            sums[p, j] += np.sqrt(now * square[p - half, j]) * sine[p - half, j]


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
) -> None:
    """Convert a block and add up the pulses of each vector."""
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
        row_out = out[vector]
        for j in range(row_out.size):
            row_out[j] += total[j]


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
        whose sum over the rows stays below 2^16; of size 0 where nothing is noisy.
    variance_scale, variance_base
        (n_columns,) float32, steps squared: the unit, and the variance that every conversion has; of size 0 likewise.
    key
        (4,) uint32: keys of the noise of this tile.
    weights
        (n_pulses,) int32: what a code of each pulse counts.
    low, high
        Codes are clipped to low .. high.
    levels, codes
        (n_converters, m) float32 ascending transitions in steps, and (n_converters, m + 1) int32 codes between them; of
        size 0 for the ideal staircase: the nearest integer, ties to even.
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
    n_pulses, n_groups, noisy = weights.size, patterns.shape[1], variance_scale.size > 0
    at_once = max(1, _AT_ONCE // n_pulses)
    tables = np.zeros((_TABLES, PATTERNS, WIDTH), np.float32)
    variances = np.zeros((_TABLES if noisy else 0, PATTERNS, WIDTH), np.uint16)
    sums = np.empty((at_once * n_pulses, WIDTH), np.float32)
    squares = np.zeros((at_once * n_pulses if noisy else 0, WIDTH), np.uint16)
    half = (n_pulses + 1) // 2
    work, words = np.empty((3, half * WIDTH), np.float32), np.empty(half * WIDTH, np.uint32)
    total, clipped, n_clipped = np.empty(WIDTH, np.int32), np.empty(WIDTH, np.float32), 0
    for start in range(0, out.shape[0], at_once):
        stop = min(start + at_once, out.shape[0])
        pulses, n_sums = patterns[start * n_pulses : stop * n_pulses], (stop - start) * n_pulses
        for block in range(first_block, last_block):
            column = block * WIDTH
            columns = slice(column, column + WIDTH)
            sums[:n_sums] = base[columns]
            squares[:] = 0
            for group in range(0, n_groups, _TABLES):
                count = min(_TABLES, n_groups - group)
                _build_tables(t, group * GROUP, column, tables[:count])
                add_chosen(pulses[:, group:], tables[:count], sums[:n_sums])
                if noisy:
                    _build_tables(variance, group * GROUP, column, variances[:count])
                    add_chosen(pulses[:, group:], variances[:count], squares[:n_sums])
            if noisy:
                scale, fixed = variance_scale[columns], variance_base[columns]
                _add_noise(
                    sums[:n_sums], squares, scale, fixed, n_pulses, block, key, first_vector + start, work, words
                )
            if seen.size:
                seen[start * n_pulses : stop * n_pulses, columns] = sums[:n_sums]
            clipped[:] = 0
            own = converter[columns]
            rows = out[start:stop, columns]
            _convert_rows(
                sums[:n_sums],
                weights,
                np.float32(low),
                np.float32(high),
                levels,
                codes,
                own,
                limit,
                clipped,
                total,
                rows,
            )
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
    step = np.float32(low), np.float32(high)
    _convert_rows(sums, weights, step[0], step[1], levels, codes, converter, limit, clipped, total, out)
    for j in range(n_columns):
        n_clipped += int(clipped[j])
    return n_clipped


@fused_kernel
def hashed_normals(key: NDArray[np.uint32], n_pulses: int, first_vector: int, out: NDArray[np.float32]) -> None:
    """The standard normal numbers that :func:`bit_serial` draws: found by key, vector, pulse and column alone.

    A number's place is hashed with the keys (the steps of C. Wellons' ``lowbias32``, a key in its middle) to 32 bits,
    and these are transformed as Box and Muller do; none is beyond 5.4.

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
    half = (n_pulses + 1) // 2
    work, words = np.empty((3, half * WIDTH), np.float32), np.empty(half * WIDTH, np.uint32)
    for vector in range(out.shape[0] // n_pulses):
        number = np.uint32(first_vector + vector)
        first, second = _mixed(number, key[0], key[1]), _mixed(number, key[2], key[3])
        for block in range(out.shape[1] // WIDTH):
            _polar_numbers(first, second, block * half * WIDTH, words, work[0], work[1], work[2])
            for p in range(n_pulses):
                row, lane = out[vector * n_pulses + p], (p % half) * WIDTH
                for j in range(WIDTH):
                    direction = work[1, lane + j] if p < half else work[2, lane + j]
                    row[block * WIDTH + j] = np.sqrt(work[0, lane + j]) * direction
