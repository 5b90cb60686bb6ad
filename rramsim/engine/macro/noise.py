"""Noise of reads: where its numbers come from, and what they become."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray
from rramsim.kernels.convert import WIDTH, hashed_normals
from rramsim.rng import Streams

__all__ = ["COLUMNS", "DRIVERS", "UNIT_COLUMNS", "ReadKeys", "cumulant_noise"]

COLUMNS, UNIT_COLUMNS, DRIVERS = 0, 1, 2
"""Kinds of circuits whose noise is drawn apart."""


@dataclass(frozen=True)
class ReadKeys:
    """Where the noise of reads comes from: numbers of the kernels by row of tiles, batch, and kind of circuit.

    Parameters
    ----------
    streams
        Streams of the reads.
    n_batches
        Batches, each of one matrix.
    first_vector
        Number of the first vector of each.
    """

    streams: Streams
    n_batches: int
    first_vector: int

    def of(self, row: int, batch: int, kind: int = COLUMNS) -> NDArray[np.uint32]:
        """(4,) keys of the columns, unit columns or drivers of a row of tiles (or of one tile) for one batch."""
        every = self.streams.generator("read", row, kind).integers(0, 2**32, (self.n_batches, 4), dtype=np.uint32)
        return np.ascontiguousarray(every[batch])

    def normals(self, key: NDArray[np.uint32], n_vectors: int, n_pulses: int, n_columns: int) -> FloatArray:
        """Standard normal numbers (n_vectors * n_pulses, n_columns), those that the fused kernel would draw."""
        out = np.empty((n_vectors * n_pulses, n_columns + -n_columns % WIDTH), np.float32)
        hashed_normals(key, n_pulses, self.first_vector, out)
        return out[:, :n_columns].astype(np.float64)


def cumulant_noise(variance: FloatArray, third: FloatArray | None, normal: FloatArray) -> FloatArray:
    """Numbers of mean 0 with these variances and third cumulants, from standard normal ones.

    With the skewness s, b = sqrt(2) sin(arcsin(s / sqrt(8)) / 3) and a^2 = 1 - 2 b^2, the number a z + b (z^2 - 1) has
    exactly the cumulants 0, 1 and s (6 a^2 b + 8 b^3 = s), for every s within +-sqrt(8).
    """
    deviation = np.sqrt(variance)
    if third is None:
        return np.asarray(deviation * normal)
    skewness = np.divide(third, deviation**3, out=np.zeros_like(deviation), where=deviation > 0)
    b = np.sqrt(2.0) * np.sin(np.arcsin(np.clip(skewness / np.sqrt(8.0), -1.0, 1.0)) / 3.0)
    return np.asarray(deviation * (np.sqrt(1.0 - 2.0 * b**2) * normal + b * (normal**2 - 1.0)))
