"""Column currents to integers: read noise, conversion, shift-and-add in one pass."""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel

__all__ = ["convert_and_add"]


@kernel
def convert_and_add(
    currents: NDArray[np.float32],
    deviation: NDArray[np.float32],
    normal: NDArray[np.float32],
    ampere_per_code: float,
    code_max: int,
    slice_weight: NDArray[np.float64],
    out: NDArray[np.float64],
) -> int:
    """Convert the currents of one input bit and add the codes of all slices into ``out``.

    Parameters
    ----------
    currents
        (n, n_out, n_slices) ampere, float32.
    deviation
        Standard deviation of the read noise, ampere, same shape and type; of size 0 for no noise.
    normal
        Standard normal numbers for it, same shape and type as ``deviation``.
    ampere_per_code
        Step of the converter.
    code_max
        Codes are rounded (ties to even) and clipped to -code_max - 1 .. code_max.
    slice_weight
        (n_slices,) float64: what one code of the slice adds to ``out``.
    out
        (n, n_out) float64, added to.

    Returns
    -------
    int
        Number of conversions that were clipped.
    """
    n, n_out, n_slices = currents.shape
    noisy = deviation.size > 0
    per_ampere = np.float32(1.0 / ampere_per_code)
    top = np.float32(code_max)
    bottom = np.float32(-code_max - 1)
    clipped = 0
    for i in range(n):
        for j in range(n_out):
            total = 0.0
            for s in range(n_slices):
                current = currents[i, j, s]
                if noisy:
                    current += deviation[i, j, s] * normal[i, j, s]
                code = np.rint(current * per_ampere)
                if code > top:
                    code = top
                    clipped += 1
                elif code < bottom:
                    code = bottom
                    clipped += 1
                total += slice_weight[s] * code
            out[i, j] += total
    return clipped
