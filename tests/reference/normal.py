"""Normal numbers from random bits: the transformation of Box and Muller as the books have it, in extended precision."""

import numpy as np

__all__ = ["normal_numbers"]


def normal_numbers(bits, out):
    """The contract of :func:`rramsim.kernels.normal.normal_numbers`, pair by pair."""
    half = bits.size // 2
    for k in range(half):
        uniform = (np.longdouble(int(bits[k]) >> 1) + 0.5) / np.longdouble(2) ** 31
        word = int(bits[half + k])
        signed = word - 2**32 if word >= 2**31 else word
        angle = 2 * np.longdouble("3.14159265358979323846264") * (np.longdouble(signed) + 0.5) / np.longdouble(2) ** 32
        radius = np.sqrt(-2 * np.log(uniform))
        out[k], out[half + k] = radius * np.cos(angle), radius * np.sin(angle)
