"""Standard normal numbers: drawn fast, in single precision, and in pieces that stay in the cache."""

from collections.abc import Iterator

import numpy as np

from rramsim.arrays import Single
from rramsim.kernels.normal import normal_numbers

__all__ = ["CHUNK", "chunks", "draw_normal", "fill_normal"]


CHUNK = 1 << 15
"""Cells at a time: the numbers drawn for them are still in the cache when they are used."""


def chunks(n: int) -> Iterator[slice]:
    """The first n numbers in pieces that stay in the cache."""
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))


def fill_normal(rng: np.random.Generator, out: Single) -> None:
    """Standard normal numbers into a flat array: half the time of ``rng.standard_normal``.

    Single precision, none beyond 6.7; 32 random bits each.
    """
    n_words = out.size + out.size % 2
    words = rng.bit_generator.random_raw(n_words // 2).view(np.uint32)
    if n_words == out.size:
        normal_numbers(words, out)
    else:
        even = np.empty(n_words, dtype=np.float32)
        normal_numbers(words, even)
        out[:] = even[: out.size]


def draw_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Single:
    """Standard normal numbers of a shape, in single precision."""
    numbers = np.empty(shape, dtype=np.float32)
    fill_normal(rng, numbers.reshape(-1))
    return numbers
