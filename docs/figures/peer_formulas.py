"""What other simulators of crossbars compute, written anew from what they publish, for comparison with rramsim.

- CrossSim 3.2 (B. Feinberg et al., https://github.com/sandialabs/cross-sim): its bit-sliced core with bit-serial
  inputs, the programming error of its generic devices, its ranges of converters, and its circuit solver
  for input lines that carry the current.
- DNN+NeuroSim V1.4 (J. Lee, A. Lu, W. Li, S. Yu, IEEE Trans. Circuits Syst. I 71, 2024;
  https://github.com/neurosim/DNN_NeuroSim_V1.4): the layers of its inference with cells, and the resistance of a
  column that its energy is computed from.

Everything is a plain formula: matrices (n_in, n_out) and unsigned integer inputs (n, n_in) in, products in integers of
both out. Currents are in units of the largest conductance times the read voltage.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Range = Literal["max", "granular", "calibrated"]

INPUT_BITS = 8
WEIGHT_BITS = 8
CELL_BITS = 2
N_SLICES = WEIGHT_BITS // CELL_BITS
TOP = (1 << CELL_BITS) - 1  # largest digit


def input_bits(x: Array) -> Array:
    """Bits (INPUT_BITS, n, n_in) of unsigned integers, the least significant first."""
    return (x >> np.arange(INPUT_BITS)[:, None, None] & 1).astype(np.float64)


def digits(codes: Array) -> Array:
    """Digits (N_SLICES, n_in, n_out) of numbers that are not negative, the least significant first."""
    return (codes >> CELL_BITS * np.arange(N_SLICES)[:, None, None] & TOP).astype(np.float64)


def row_tiles(n_in: int, n_rows: int) -> list[slice]:
    """Rows of each array."""
    return [slice(first, min(first + n_rows, n_in)) for first in range(0, n_in, n_rows)]


# ---- CrossSim ----


def crosssim_weights(w: Array) -> Array:
    """Integers of -127 .. 127: rounded to nearest, the largest weight is the largest integer."""
    return np.rint(w / np.abs(w).max() * ((1 << WEIGHT_BITS - 1) - 1)).astype(np.int64)


def crosssim_written(g: Array, spread: float, rng: np.random.Generator) -> Array:
    """Conductances with the proportional programming error: normal, independent, never below 0."""
    return np.maximum(g * (1.0 + spread * rng.standard_normal(g.shape)), 0.0) if spread else g


def crosssim_currents(g: Array, v: Array, ohm: float, tolerance: float = 1e-3, most: int = 100) -> Array:
    """Column currents (n, N) of conductances (M, N) and row voltages (n, M) by fixed-point iteration.

    The voltages across the cells give their currents, those the drops along both lines, and those the voltages again,
    until none changes by ``tolerance`` of a full input. A vector that has not got there after ``most`` steps starts
    again, with steps that are 2 % shorter from then on. Lines have a segment of ``ohm`` before their first and after
    their last cell.
    """
    if ohm == 0.0:
        return v @ g
    out, relaxation = [], 1.0
    for each in v:
        while (current := settled_currents(g, each[:, None], ohm, tolerance, most, relaxation)) is None:
            relaxation *= 0.98
            if relaxation < 1e-2:
                raise ArithmeticError("the fixed-point iteration did not converge")
        out.append(current)
    return np.array(out)


def settled_currents(g: Array, v: Array, ohm: float, tolerance: float, most: int, relaxation: float) -> Array | None:
    """Column currents, or None where they do not settle."""
    across = np.repeat(v, g.shape[1], axis=1)
    for _ in range(most):
        cell = g * across
        down, along = np.cumsum(cell, axis=0), np.cumsum(cell[:, ::-1], axis=1)[:, ::-1]
        drop = np.cumsum(down[::-1], axis=0)[::-1] + np.cumsum(along, axis=1)
        change = v - ohm * drop - across
        largest = np.abs(change).max()
        if largest < tolerance:
            return np.asarray(cell.sum(axis=0))
        if largest > 1e9:
            break
        across += relaxation * change
    return None


def crosssim_limit(n_rows: int, adc_bits: int, adc_range: Range, *, offset: bool) -> float:
    """Largest input of the converters, in currents of a cell that conducts most.

    "max" covers all cells of a column; "granular" has the step of one level of a cell, the window taken for the whole
    conductance. The correction by the input bits is that for bits that are added up before they are converted.
    """
    correction = (1 << INPUT_BITS) / ((1 << INPUT_BITS) - 1)
    codes = (1 << adc_bits) - 1 if offset else (1 << adc_bits - 1) - 1
    if adc_range == "granular":
        return correction * codes / TOP
    if offset:
        return correction * 2.0 ** round(np.log2(n_rows)) * (TOP + 1) / TOP * codes / (codes + 1)
    return float(n_rows)


def crosssim_calibrated(currents: list[Array]) -> Array:
    """Largest input for each slice: what it sees, or more, so that ranges differ by powers of two."""
    largest = np.max([np.abs(each).max(axis=(1, 2, 3)) for each in currents], axis=0)
    return np.asarray(largest.max() / 2.0 ** np.floor(np.log2(largest.max() / largest)))


def convert(current: Array, limit: float, adc_bits: int, *, offset: bool) -> Array:
    """To the nearest of 2^b levels of 0 .. limit, or of 2^b - 1 levels of -limit .. limit."""
    step = limit / ((1 << adc_bits) - 1 if offset else (1 << adc_bits - 1) - 1)
    return step * np.rint(np.clip(current, 0.0 if offset else -limit, limit) / step)


def crosssim_product(
    w: Array,
    x: Array,
    *,
    offset: bool = False,
    n_rows: int = 128,
    on_off: float = np.inf,
    ohm: float = 0.0,
    tolerance: float = 1e-3,
    adc_bits: int | None = None,
    adc_range: Range = "max",
    spread: float = 0.0,
    seed: int = 0,
) -> Array:
    """Products (n, n_out) of its bit-sliced core, every bit converted; without a converter if ``adc_bits`` is None.

    Every slice is an array of its own, differential weights take two; each is as wide as the matrix. ``ohm`` is one
    segment of a line in units of the smallest resistance of a cell.
    """
    rng, low, codes = np.random.default_rng(seed), 1.0 / on_off, crosssim_weights(w)
    lines = [codes + (1 << WEIGHT_BITS - 1)] if offset else [np.maximum(codes, 0), np.maximum(-codes, 0)]
    drives, currents = [], []
    for rows in row_tiles(len(w), n_rows):
        v = input_bits(x)[:, :, rows]
        slices = np.zeros((N_SLICES, *v.shape[:2], w.shape[1]))
        for sign, line in zip((1, -1), lines, strict=False):
            for s, digit in enumerate(digits(line[rows])):
                g = crosssim_written(low + (1.0 - low) * digit / TOP, spread, rng)
                slices[s] += sign * crosssim_currents(g, v.reshape(-1, len(g)), ohm, tolerance).reshape(slices[s].shape)
        drives.append(v.sum(axis=2)[..., None])
        currents.append(slices)
    if adc_bits:
        limit = crosssim_limit(min(n_rows, len(w)), adc_bits, adc_range, offset=offset)
        limits = crosssim_calibrated(currents) if adc_range == "calibrated" else [limit] * N_SLICES
        for slices in currents:
            slices[:] = [convert(c, each, adc_bits, offset=offset) for c, each in zip(slices, limits, strict=True)]
    known = low * sum(drives) if offset else 0.0
    levels = TOP * (sum(currents) - known) / (1.0 - low)
    weights = 2.0 ** np.add.outer(CELL_BITS * np.arange(N_SLICES), np.arange(INPUT_BITS))
    out = np.tensordot(weights, levels, 2)
    return out - (1 << WEIGHT_BITS - 1) * x.sum(axis=1, keepdims=True) if offset else out


def crosssim_fourier_error(rng: np.random.Generator, *, offset: bool) -> float:
    """Mean error of a weight of the 64-point Fourier matrix, as in its second tutorial.

    Real and imaginary parts have cells of their own, 1 kohm to 1 Mohm, with a spread of 25 %; their steps are left out.
    """
    angle = -2 * np.pi * np.outer(np.arange(64), np.arange(64)) / 64
    parts, low = np.array([np.cos(angle), np.sin(angle)]), 1e-3
    shares = [(parts + 1) / 2] if offset else [np.maximum(parts, 0), np.maximum(-parts, 0)]
    missed = np.zeros_like(parts)
    for sign, share in zip((1, -1), shares, strict=False):
        g = low + (1 - low) * share
        missed += sign * (1 + offset) * (crosssim_written(g, 0.25, rng) - g) / (1 - low)
    return float(np.hypot(*missed).mean())


# ---- NeuroSim ----


def neurosim_weights(w: Array) -> Array:
    """Integers of 0 .. 255: 127.5 (w / max + 1) rounded; 127.5 is taken off in the end, so no weight is 0."""
    return np.rint(((1 << WEIGHT_BITS) - 1) / 2 * (w / np.abs(w).max() + 1.0)).astype(np.int64)


def neurosim_converted(current: Array, adc_bits: int | None, *, middle: bool = False) -> Array:
    """Rounded down to one of 2^b levels, from the least to below the largest of all currents that are handed over.

    With ``middle`` a level stands for the middle of the currents that it takes, as is not published.
    """
    low, span = current.min(), np.ptp(current)
    if adc_bits is None or span == 0:
        return current
    step = span / (1 << adc_bits)
    level = np.clip(np.floor((current - low) / step), 0, (1 << adc_bits) - 1)
    return np.asarray(low + step * (level + 0.5 * middle))


def neurosim_lumped(g: Array, ohm: float) -> Array:
    """Conductances (M, N) in series with a wire of their own: j + 1 segments of the row and M - i of the column."""
    i, j = np.indices(g.shape)
    return g / (1.0 + g * ohm * (j + 1 + len(g) - i))


def neurosim_product(
    w: Array,
    x: Array,
    *,
    n_rows: int = 128,
    n_columns: int = 128,
    on_off: float = np.inf,
    ohm: float = 0.0,
    adc_bits: int | None = None,
    variation: float = 0.0,
    fresh: bool = True,
    middle: bool = False,
    seed: int = 0,
) -> Array:
    """Products (n, n_out) of its inference with cells, in the integers of :func:`neurosim_weights` less 127.5.

    ``variation`` is drawn anew for every bit of the inputs; not so without ``fresh``. Its accuracy knows no wires.
    With ``ohm``, a segment in units of the smallest resistance of a cell, the cells are those of
    :func:`neurosim_lumped`, and the slices of a weight lie side by side in arrays of ``n_columns``.
    """
    rng, bits, low = np.random.default_rng(seed), input_bits(x), 1.0 / on_off
    out = np.zeros((len(x), w.shape[1]))
    codes, dummy = neurosim_weights(w), TOP * (1.0 + low) / 2
    for rows in row_tiles(len(w), n_rows):
        cells = np.moveaxis(TOP * low + (1.0 - low) * digits(codes[rows]), 0, -1)
        if ohm:
            flat = cells.reshape(len(cells), -1) / TOP
            parts = [neurosim_lumped(flat[:, c], ohm) for c in row_tiles(flat.shape[1], n_columns)]
            cells = TOP * np.concatenate(parts, axis=1).reshape(cells.shape)
        drawn = rng.standard_normal(cells.shape)
        for z, v in enumerate(bits[:, :, rows]):
            if fresh and z:
                drawn = rng.standard_normal(cells.shape)
            reference = neurosim_converted(dummy * v.sum(axis=1, keepdims=True), adc_bits, middle=middle)
            for s in range(N_SLICES):
                current = v @ (cells[..., s] * (1.0 + variation * drawn[..., s]))
                level = (neurosim_converted(current, adc_bits, middle=middle) - reference) / (1.0 - low)
                out += 2.0 ** (z + CELL_BITS * s) * level
    return out
