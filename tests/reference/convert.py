"""Conversion of column currents with NumPy, one conversion at a time."""

import numpy as np

__all__ = ["convert_and_add"]


def convert_and_add(currents, deviation, normal, ampere_per_code, code_max, slice_weight, out):
    """The kernel of the same name, in the order of its words: add noise, divide by the step, round, clip, add up."""
    clipped = 0
    for place in np.ndindex(*currents.shape):
        current = currents[place]
        if deviation.size:
            current = np.float32(current + np.float32(deviation[place] * normal[place]))
        code = float(np.rint(np.float32(current * np.float32(1.0 / ampere_per_code))))
        if not -code_max - 1 <= code <= code_max:
            clipped += 1
            code = min(max(code, -code_max - 1), code_max)
        out[place[:-1]] += slice_weight[place[-1]] * code
    return clipped
