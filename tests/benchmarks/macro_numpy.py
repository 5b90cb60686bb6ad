"""The product of the macro in NumPy, in several ways; each returns sums of codes (BATCH, SIZE)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from macro_setup import BATCH, BITS, SIZE, SLICES, TILE, Setup

__all__ = ["as_crosssim", "loops", "stacked"]


def stacked(setup: Setup, at_once: int) -> Callable[[], np.ndarray]:
    """Bits and slices in one product for each row of tiles, for some vectors at a time."""
    starts = range(0, BATCH, at_once)
    pieces = [[np.ascontiguousarray(bits[:, k : k + at_once]).reshape(-1, TILE) for k in starts] for bits in setup.bits]
    sums = np.empty((BITS * at_once, SLICES * SIZE), np.float32)
    weights, low, high = setup.pulse_weights, setup.low, setup.high

    def multiply() -> np.ndarray:
        total = np.zeros((BATCH, SLICES * SIZE), np.float32)
        for row_pieces, t in zip(pieces, setup.t, strict=True):
            for k, bits in zip(starts, row_pieces, strict=True):
                np.matmul(bits, t, out=sums)
                np.rint(sums, out=sums)
                np.clip(sums, low, high, out=sums)
                total[k : k + at_once] += np.tensordot(weights, sums.reshape(BITS, -1), 1).reshape(at_once, -1)
        return np.tensordot(setup.slice_weights, total.reshape(BATCH, SLICES, SIZE), (0, 1))

    return multiply


def loops(setup: Setup) -> Callable[[], np.ndarray]:
    """A product for each bit and slice; currents and totals stay in the cache."""
    slices = [[np.ascontiguousarray(t[:, s * SIZE : (s + 1) * SIZE]) for s in range(SLICES)] for t in setup.t]
    sums, low, high = np.empty((BATCH, SIZE), np.float32), setup.low, setup.high

    def multiply() -> np.ndarray:
        total = np.zeros((BATCH, SIZE), np.float32)
        for row_slices, bits in zip(slices, setup.bits, strict=True):
            for t, weight in zip(row_slices, setup.slice_weights, strict=True):
                for k, pulse_weight in enumerate(setup.pulse_weights):
                    np.matmul(bits[k], t, out=sums)
                    np.rint(sums, out=sums)
                    np.clip(sums, low, high, out=sums)
                    np.multiply(sums, weight * pulse_weight, out=sums)
                    np.add(total, sums, out=total)
        return total

    return multiply


def as_crosssim(setup: Setup, columns: int, dtype: type[np.floating[Any]]) -> Callable[[], np.ndarray]:
    """A product for each bit and slice, converted and added up as its bit-sliced core does."""
    low, high = float(setup.low), float(setup.high)

    def convert(currents: np.ndarray) -> np.ndarray:
        inputs = currents.clip(low, high)
        inputs -= low
        inputs *= 1.0
        inputs = np.rint(inputs, out=inputs)
        inputs /= 1.0
        inputs += low
        return inputs

    tiles = [
        (r, c, [np.ascontiguousarray(t[:, s * SIZE + c : s * SIZE + c + columns].T, dtype) for s in range(SLICES)])
        for r, t in enumerate(setup.t)
        for c in range(0, SIZE, columns)
    ]
    inputs = [np.ascontiguousarray(np.moveaxis(bits, 1, 2), dtype) for bits in setup.bits]

    def multiply() -> np.ndarray:
        output = np.zeros((SIZE, BATCH))
        for r, c, tile_slices in tiles:
            totals = [np.zeros((columns, BATCH), dtype)] * SLICES
            for k in range(BITS):
                for s in range(SLICES):
                    codes = convert(np.matmul(tile_slices[s], inputs[r][k]))
                    if k == 0:
                        totals[s] = codes.copy()
                    else:
                        totals[s] += codes
                    totals[s] /= 2.0
            total = totals[0]
            for s in range(1, SLICES):
                total += float(setup.slice_weights[s]) * totals[s]
            output[c : c + columns] += total
        return output.T * 2.0**BITS

    return multiply
