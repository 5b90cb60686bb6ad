"""The product where nothing between cells and sum is nonlinear: pulses and slices add up before it, not after."""

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.threads import product

from .noise import cumulant_noise
from .reading import Reading

__all__ = ["collapsed_products"]


def collapsed_products(reading: Reading) -> FloatArray:
    """Products (n, n_out) in integers of inputs and weights, in double precision; the noise has its exact cumulants."""
    macro, matrix, keys = reading.macro, reading.matrix, reading.keys
    out = np.zeros((reading.n_vectors, macro.shape[-1]))
    for row in macro.rows:
        inputs = np.ascontiguousarray(reading.codes[:, row.inputs], dtype=np.float64)
        out += product(inputs, row.effective_weights[matrix])
        variance, third = row.effective_noise
        if variance is not None:
            weighed = np.stack(
                [pulse.weight * pulse.levels[:, row.inputs].astype(np.float64) for pulse in reading.pulses]
            )
            squares, cubes = ((weighed**p).sum(axis=0) for p in (2, 3))
            normal = keys.normals(keys.of(row.number, reading.batch), len(out), 1, out.shape[1])
            skew = None if third is None else product(cubes, third[matrix])
            out += cumulant_noise(product(squares, variance[matrix]), skew, normal)
    return out
