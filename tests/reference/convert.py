"""Pulses on the rows of a tile to codes with NumPy, in double precision, one conversion at a time."""

import numpy as np

from rramsim.kernels import convert as kernels

__all__ = ["bit_serial", "convert_currents", "hashed_normals", "pack_pulses"]


def pack_pulses(levels, patterns):
    """Bit k of a group is row 4 group + k; a pattern is stored as 16 times its number."""
    for p, n, row in np.ndindex(*levels.shape):
        if row % 4 == 0:
            patterns[n * len(levels) + p, row // 4] = 0
        patterns[n * len(levels) + p, row // 4] += 16 * levels[p, n, row] << row % 4


def mixed(word, first, second):
    """The steps of lowbias32 with a key before and one in the middle, in Python's integers."""
    h = (int(word) + int(first)) % 2**32
    h = (h ^ h >> 16) * 0x21F0AAAD % 2**32 ^ int(second)
    h = (h ^ h >> 15) * 0x735A2D97 % 2**32
    return h ^ h >> 15


def hashed_normals(key, n_pulses, first_vector, out):
    """Box and Muller from 21 bits for the radius and 11 for the direction, by exact functions."""
    half = (n_pulses + 1) // 2
    for row, column in np.ndindex(*out.shape):
        vector, p = divmod(row, n_pulses)
        first, second = (mixed(first_vector + vector, *pair) for pair in (key[:2], key[2:]))
        block, lane = divmod(column, kernels.WIDTH)
        word = mixed((block * half + p % half) * kernels.WIDTH + lane, first, second)
        radius = np.sqrt(-2.0 * np.log(((word >> 11) | 1) / 2**21))
        angle = (np.pi * ((word & 0x7FF) + 0.5) / 2048) - np.pi / 2
        turn = -1.0 if word >> 11 & 1 else 1.0
        out[row, column] = turn * radius * (np.cos(angle) if p < half else np.sin(angle))


def convert_currents(sums, weights, low, high, levels, codes, converter, limit, out):
    """Round, or look the code up, clip, weigh, and add up pulse by pulse."""
    n_pulses, clipped = len(weights), 0
    for n, j in np.ndindex(*out.shape):
        total = 0
        for p in range(n_pulses):
            x = np.float32(sums[n * n_pulses + p, j])
            near = float(np.rint(x))
            clipped += not low <= near <= high
            code = min(max(near, low), high)
            if levels.size:
                code = codes[converter[j]][np.searchsorted(levels[converter[j]], x, side="right")]
            total += int(weights[p]) * int(code)
            if limit:
                total = min(max(total, -limit - 1), limit)
        out[n, j] += total
    return clipped


def bit_serial(
    patterns,
    t,
    base,
    variance,
    variance_scale,
    variance_base,
    key,
    weights,
    low,
    high,
    levels,
    codes,
    converter,
    limit,
    first_vector,
    first_block,
    last_block,
    out,
    seen,
):
    """Add up the driven rows, then the noise, then convert."""
    n_rows = len(t)
    driven = np.array([[pattern[i // 4] // 16 >> i % 4 & 1 for i in range(n_rows)] for pattern in patterns], float)
    sums = base + driven @ t.astype(float)
    if variance_scale.size:
        normal = np.empty(sums.shape, np.float32)
        hashed_normals(key, len(weights), first_vector, normal)
        counts = driven[:, : len(variance)] @ variance.astype(float)
        sums = sums + np.sqrt(counts * variance_scale + variance_base) * normal
    columns = slice(first_block * kernels.WIDTH, last_block * kernels.WIDTH)
    if seen.size:
        seen[:, columns] = sums[:, columns]
    rest = (low, high, levels, codes, converter[columns], limit, out[:, columns])
    return convert_currents(sums[:, columns], weights, *rest)
