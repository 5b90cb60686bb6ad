"""Random bits to standard normal numbers."""

import numpy as np
from numpy.typing import NDArray

from ._jit import fused_kernel

__all__ = ["normal_numbers", "smallest"]

_BLOCK = 1024
"""Pairs at a time: what is between two steps stays in the nearest cache."""

_ROOT_HALF = np.uint32(0x3F3504F3)
"""The bits of sqrt(1/2) in single precision."""
_EXPONENT = np.uint32(0xFF800000)
_ONE = np.float32(1.0)
_TWO = np.float32(2.0)
_LN2 = np.float32(0.6931471805599453)
_QUARTER_TURN = np.float32(1.5707963267948966 / 4294967296.0)
_LOG = tuple(np.float32(1.0 / k) for k in (3, 5, 7, 9))
_SIN = tuple(np.float32(c) for c in (-1 / 6, 1 / 120, -1 / 5040, 1 / 362880))
_COS = tuple(np.float32(c) for c in (1 / 2, -1 / 24, 1 / 720, -1 / 40320, 1 / 3628800))


@fused_kernel
def normal_numbers(bits: NDArray[np.uint32], out: NDArray[np.float32]) -> None:
    """Standard normal numbers from random bits, by the transformation of Box and Muller.

    Two words a and b make two independent numbers r cos w and r sin w, with r^2 = -2 ln((a' + 1/2) / 2^31), a' the
    upper 31 bits of a, and w = 2 pi (b + 1/2) / 2^32, b signed; in single precision, none beyond 6.7. Loops without a
    branch, for the vector unit.

    Parameters
    ----------
    bits
        (2 m,) random words, uint32, C-contiguous: all a, then all b.
    out
        Out: (2 m,) float32; all r cos w, then all r sin w.
    """
    m = bits.size // 2
    word = np.empty(_BLOCK, np.uint32)
    number = word.view(np.float32)
    shifted = np.empty(_BLOCK, np.uint32)
    whole, radius = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.float32)
    for start in range(0, m, _BLOCK):
        n = min(_BLOCK, m - start)
        for k in range(n):
            whole[k] = bits[start + k] >> 1  # as a signed number, which the vector unit converts
        for k in range(n):
            number[k] = _TWO * np.float32(whole[k]) + _ONE  # 2^32 times the uniform number; at least 1
        for k in range(n):
            # x = 2^e y with y from sqrt(1/2) to sqrt(2).
            shifted[k] = word[k] - _ROOT_HALF
        for k in range(n):
            whole[k] = shifted[k] >> 23
            word[k] = word[k] - (shifted[k] & _EXPONENT)
        for k in range(n):
            # ln y = 2 artanh((y - 1) / (y + 1)).
            f = (number[k] - _ONE) / (number[k] + _ONE)
            q = f * f
            ln_y = _TWO * f * (_ONE + q * (_LOG[0] + q * (_LOG[1] + q * (_LOG[2] + q * _LOG[3]))))
            radius[k] = np.sqrt(max(-_TWO * ((np.float32(whole[k]) - np.float32(32.0)) * _LN2 + ln_y), np.float32(0.0)))
        for k in range(n):
            # A quarter of the angle, from -pi/4 to pi/4, and two doublings.
            w = _QUARTER_TURN * (np.float32(np.int32(bits[m + start + k])) + np.float32(0.5))
            q = w * w
            s = w * (_ONE + q * (_SIN[0] + q * (_SIN[1] + q * (_SIN[2] + q * _SIN[3]))))
            c = _ONE - q * (_COS[0] + q * (_COS[1] + q * (_COS[2] + q * (_COS[3] + q * _COS[4]))))
            s, c = _TWO * s * c, _ONE - _TWO * s * s
            out[start + k] = radius[k] * (_ONE - _TWO * s * s)
            out[m + start + k] = radius[k] * (_TWO * s * c)


def smallest() -> None:
    """Make one pair of numbers."""
    normal_numbers(np.zeros(2, np.uint32), np.empty(2, np.float32))
