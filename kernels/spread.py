"""Written conductances: targets and standard normal numbers to cells with a spread that depends on the state."""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel

__all__ = ["smallest", "spread_cells"]

_BLOCK = 512
"""Cells at a time: what is between two steps stays in the nearest cache."""

Array = NDArray[np.float64]


@kernel
def spread_cells(
    target: Array, normal: NDArray[np.float32], coefficients: Array, reference_siemens: float, out: Array
) -> None:
    """Add sigma(x) n to each conductance, x = target / reference, sigma a polynomial that counts as 0 below 0.

    Parameters
    ----------
    target
        (n,) siemens, float64, C-contiguous: where sigma is taken.
    normal
        (n,) standard normal numbers, float32.
    coefficients
        (k,) siemens, float64, k at least 1: c0, c1, ... of the polynomial.
    reference_siemens
        Conductance at which x = 1, above 0.
    out
        (n,) siemens, float64: the conductances without the spread, replaced by those with it, never below 0.
    """
    x, sigma, top = np.empty(_BLOCK), np.empty(_BLOCK), coefficients.size - 1
    for start in range(0, target.size, _BLOCK):
        n = min(_BLOCK, target.size - start)
        for k in range(n):
            x[k] = target[start + k] / reference_siemens
            sigma[k] = coefficients[top]
        for power in range(top - 1, -1, -1):
            c = coefficients[power]
            for k in range(n):
                sigma[k] = c + sigma[k] * x[k]
        for k in range(n):
            g = out[start + k] + (max(0.0, sigma[k])) * normal[start + k]
            out[start + k] = max(0.0, g)


def smallest() -> None:
    """Spread one cell."""
    spread_cells(np.ones(1), np.zeros(1, np.float32), np.ones(1), 1.0, np.empty(1))
