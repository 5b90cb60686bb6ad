"""Column currents to integers, one at a time and in double precision."""

import math

import numpy as np

__all__ = ["bit_serial", "convert_currents", "hashed_normals", "pack_pulses", "vector_keys", "words"]


def pack_pulses(levels, patterns):
    """Row GROUP * group + k sets bit k of the upper half of the group's byte."""
    patterns[:] = 0
    n_pulses, n, n_rows = levels.shape
    for pulse, vector, row in np.ndindex(n_pulses, n, n_rows):
        if levels[pulse, vector, row]:
            patterns[vector * n_pulses + pulse, row // 4] += 16 << row % 4


def mixed(number, first, second):
    """Numbers below 2^32 to numbers below 2^32, by the steps of the hash; Python's integers or uint64."""
    h = (number + first) % 2**32
    h = (h ^ (h >> 16)) * 0x21F0AAAD % 2**32 ^ second
    h = (h ^ (h >> 15)) * 0xF35A2D97 % 2**32
    return h ^ (h >> 15)


def vector_keys(key, vector):
    """The two keys of a vector; Python's integers or uint64."""
    a, b, c, d = key
    return mixed(mixed(vector, a, b), c, d), mixed(mixed(vector, d, c), b, a)


def words(key, vector, numbers):
    """Words of the hash for a vector, uint64."""
    first, second = vector_keys([int(word) for word in key], vector)
    return mixed(np.asarray(numbers, np.uint64), np.uint64(first), np.uint64(second))


def hashed_normals(key, n_pulses, first_vector, out):
    """The contract of :func:`rramsim.kernels.convert.hashed_normals`, with logarithm, sine and cosine."""
    pairs = (n_pulses + 1) // 2
    for row, column in np.ndindex(*out.shape):
        vector, pulse = divmod(row, n_pulses)
        number = column // 32 * pairs * 32 + pulse // 2 * 32 + column % 32
        h = mixed(number, *vector_keys([int(word) for word in key], first_vector + vector))
        radius = math.sqrt(-2.0 * math.log(((h >> 11) | 1) / 2.0**21))
        angle = -math.pi / 2 + (h % 2**11 + 0.5) * math.pi / 2**11
        side = -1.0 if h >> 11 & 1 else 1.0
        out[row, column] = radius * (math.sin(angle) if pulse % 2 else side * math.cos(angle))


def convert_currents(sums, weights, low, high, levels, codes, converter, limit, out):
    """The kernel of the same name."""
    n_clipped = 0
    for vector, column in np.ndindex(*out.shape):
        total = 0
        for pulse, weight in enumerate(weights):
            current = float(sums[vector * len(weights) + pulse, column])
            near = round(current)  # ties to even
            code = min(max(near, low), high)
            n_clipped += code != near
            if levels.size:
                own = converter[column]
                code = int(codes[own, sum(current >= level for level in levels[own])])
            total += int(weight) * code
            if limit:
                total = min(max(total, -limit - 1), limit)
        out[vector, column] += total
    return n_clipped


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
    """The kernel of the same name; ``seen`` may be of double precision."""
    n_rows, columns = len(t), slice(32 * first_block, 32 * last_block)
    driven = np.array([[bits[row // 4] >> 4 + row % 4 & 1 for row in range(n_rows)] for bits in patterns], dtype=float)
    sums = driven.reshape(len(patterns), n_rows) @ t.astype(float) + base.astype(float)
    if variance_scale.size:
        units = driven @ variance.astype(float) if variance.size else 0.0
        normal = np.empty(sums.shape)
        hashed_normals(key, len(weights), first_vector, normal)
        sums += np.sqrt(units * variance_scale.astype(float) + variance_base.astype(float)) * normal
    if seen.size:
        seen[:, columns] = sums[:, columns]
    own = converter[columns]
    return convert_currents(sums[:, columns], weights, low, high, levels, codes, own, limit, out[:, columns])
