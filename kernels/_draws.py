"""Random numbers within a kernel over tables: each state is (1,) uint64 and moves on with every draw."""

from math import cos, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from ._jit import table_part

__all__ = ["draw_exponential", "draw_normal", "draw_uniform", "first_state"]

_GOLDEN, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""Constants of splitmix64: G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014."""
_UNIT = 2.0**-53


@table_part
def first_state(key: np.uint64, number: int) -> np.uint64:
    """State before the first of the random numbers that belong to a key and a number."""
    z = key + _GOLDEN * np.uint64(number + 1)
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@table_part
def draw_uniform(state: NDArray[np.uint64]) -> float:
    """Next random number, above 0 and at most 1."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    z ^= z >> np.uint64(31)
    return (float(z >> np.uint64(11)) + 1.0) * _UNIT


@table_part
def draw_exponential(state: NDArray[np.uint64]) -> float:
    """Next random number of the exponential law with mean 1: a hazard until something happens."""
    return -log(draw_uniform(state))


@table_part
def draw_normal(state: NDArray[np.uint64]) -> float:
    """Next random number of the standard normal law (G. E. P. Box and M. E. Muller, 1958)."""
    radius = sqrt(-2.0 * log(draw_uniform(state)))
    return radius * cos(2.0 * pi * draw_uniform(state))
