"""Integers only: numbers to integers, integers to digits of cells, matrices to tiles."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["digits", "n_slices", "outputs_per_tile", "quantize", "spans"]


def quantize(
    x: NDArray[np.float64], bits: int, full_scale: float | NDArray[np.float64], *, signed: bool = True
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Integers nearest to ``x`` on a scale whose largest code stands for ``full_scale``.

    Parameters
    ----------
    x
        Numbers; those beyond full scale saturate.
    bits
        Width of the codes: -(2^(bits-1) - 1) .. 2^(bits-1) - 1 when signed, 0 .. 2^bits - 1 otherwise.
    full_scale
        > 0 (0 is taken as 1: nothing but zeros), broadcast against ``x``.

    Returns
    -------
    codes, step
        ``x`` is close to ``codes * step``.
    """
    largest = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    step = np.asarray(np.where(np.asarray(full_scale) > 0, full_scale, 1.0) / largest)
    codes = np.clip(np.rint(x / step), -largest if signed else 0, largest)
    return codes.astype(np.int32), step


def n_slices(weight_bits: int, cell_bits: int) -> int:
    """Cells in a row that hold the magnitude of one weight (its sign chooses the bit line of the pair)."""
    return -(-(weight_bits - 1) // cell_bits)


def digits(weights: NDArray[np.int32], weight_bits: int, cell_bits: int) -> NDArray[np.int32]:
    """Digits of signed integers as differential pairs.

    Parameters
    ----------
    weights
        (..., n_in, n_out) of magnitude below 2^(weight_bits - 1).

    Returns
    -------
    numpy.ndarray
        (..., n_in, n_out, n_slices, 2): digits 0 .. 2^cell_bits - 1, least significant slice first; the last axis is
        the positive and the negative bit line; ``(positive - negative) * 2^(cell_bits * slice)`` sums to the weight.
    """
    shifts = cell_bits * np.arange(n_slices(weight_bits, cell_bits))
    magnitude = (np.abs(weights)[..., None] >> shifts) & ((1 << cell_bits) - 1)
    positive = (weights > 0)[..., None]
    return np.stack([np.where(positive, magnitude, 0), np.where(positive, 0, magnitude)], axis=-1)


def outputs_per_tile(tile_columns: int, weight_bits: int, cell_bits: int) -> int:
    """Whole outputs that fit into the columns of a tile; 0 where not even one does."""
    return tile_columns // (2 * n_slices(weight_bits, cell_bits))


def spans(length: int, step: int) -> Iterator[slice]:
    """Consecutive slices of at most ``step`` that cover 0 .. length."""
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))
