"""Static transfer of analog-to-digital converters: where the codes change, as it follows from their circuits.

Every static error makes a step function of the input: ascending transition levels, and a code between any two of them.
Levels are in steps of the ideal converter, whose code k takes the inputs from k - 1/2 to k + 1/2; here the lowest code
is 0.
"""

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray

__all__ = ["flash_levels", "ideal_levels", "pipeline_steps", "ramp_levels", "random_walk", "sar_levels"]


def ideal_levels(bits: int) -> FloatArray:
    """(2^bits - 1,) transitions of the ideal converter."""
    return np.asarray(np.arange((1 << bits) - 1) + 0.5, dtype=np.float64)


def random_walk(spread_lsb: float, normal: FloatArray) -> FloatArray:
    """Shift of each transition where every code has a random width.

    Parameters
    ----------
    spread_lsb
        Standard deviation of a width.
    normal
        (n, 2^bits - 2) standard normal numbers, one for each inner code.

    Returns
    -------
    numpy.ndarray
        (n, 2^bits - 1): the sum of the widths so far, with the line through its ends taken out.
    """
    walk = np.concatenate([np.zeros((len(normal), 1)), np.cumsum(spread_lsb * normal, axis=1)], axis=1)
    return np.asarray(walk - walk[:, -1:] * np.linspace(0.0, 1.0, walk.shape[1]))


def flash_levels(bits: int, spread_lsb: float, normal: FloatArray) -> FloatArray:
    """Transitions (n, 2^bits - 1) of comparators side by side, each with its own offset.

    The code is the number of comparators that fire, so only the order of their thresholds matters. ``normal`` is
    (n, 2^bits - 1), one number for each comparator.
    """
    return np.sort(ideal_levels(bits) + spread_lsb * normal, axis=1)


def ramp_levels(bits: int, curvature_lsb: float) -> FloatArray:
    """Transitions (2^bits - 1,) of a ramp that is bowed like a parabola, by ``curvature_lsb`` in its middle."""
    along = np.linspace(0.0, 1.0, (1 << bits) - 1)
    return np.asarray(ideal_levels(bits) + 4.0 * curvature_lsb * along * (1.0 - along))


def sar_levels(bits: int, mismatch: float, normal: FloatArray) -> FloatArray:
    """Transitions of a successive approximation whose capacitors do not match.

    Bit k is a capacitor of 2^k units, whose relative errors average: its own has the standard deviation
    ``mismatch / sqrt(2^k)``. The array ends in one more unit, so that a trial of code u is compared with
    2^bits (capacitors of u) / (all capacitors).

    Parameters
    ----------
    bits
        Resolution.
    mismatch
        Relative standard deviation of a unit capacitor.
    normal
        (n, bits + 1) standard normal numbers: the ending unit, then the bits from the least significant.

    Returns
    -------
    numpy.ndarray
        (n, 2^bits - 1) ascending; codes that never come have no room between two equal transitions.

    Notes
    -----
    A search that finds code u or more passes every trial of a 1 of u, unless it passes a trial where u has a 0 before:
    so the threshold of "u or more" follows from the last trial to the first, as the larger of trial and threshold so
    far at a 1, as the smaller at a 0.
    """
    units = 2.0 ** np.arange(bits)
    capacitors = units * (1.0 + mismatch * normal[:, 1:] / np.sqrt(units))
    share = capacitors / (capacitors.sum(axis=1) + 1.0 + mismatch * normal[:, 0])[:, None] * 2.0**bits
    codes = np.arange(1, 1 << bits)
    threshold = np.full((len(normal), codes.size), -np.inf)
    for k in range(bits):
        trial = (codes >> (k + 1) << (k + 1)) | (1 << k)
        level = ((trial[:, None] >> np.arange(bits) & 1) @ share.T).T - 0.5
        is_one = codes >> k & 1 == 1
        threshold = np.where(is_one, np.maximum(level, threshold), np.minimum(level, threshold))
    return threshold


def pipeline_steps(bits: int, gains: FloatArray, offsets_lsb: FloatArray) -> tuple[FloatArray, NDArray[np.int32]]:
    """Transitions of a pipeline of 1.5-bit stages that ends in a 2-bit flash, and the codes between them.

    With full scale -1 .. 1, a stage decides for -1, 0 or 1 at -1/4 and 1/4, takes half of its decision off, and hands
    on the rest times its gain, ideally 2; the decisions overlap, so that errors of a threshold below 1/4 are mended by
    the stages behind (S. H. Lewis et al., IEEE J. Solid-State Circuits 27, 1992).

    Parameters
    ----------
    bits
        Resolution, at least 3; there are bits - 2 stages.
    gains
        (bits - 2,) gains of one converter.
    offsets_lsb
        (2 (bits - 2) + 3,) errors of its thresholds: two for each stage, three of the flash; referred to the input of
        their own stage, where full scale is 2^bits steps.

    Returns
    -------
    levels, codes
        (m,) ascending, and (m + 1,); not always ascending, since a wrong gain may fold the transfer.
    """
    step = 2.0 / (1 << bits)
    low, high, slope, start, digital = (np.array([x]) for x in (-np.inf, np.inf, 1.0, 0.0, 0.0))
    for stage, gain in enumerate(gains):
        thresholds = np.array([-0.25, 0.25]) + step * offsets_lsb[2 * stage : 2 * stage + 2]
        low, high, which, part = _split(low, high, slope, start, np.sort(thresholds))
        decision = part - 1.0
        digital = digital[which] + decision * 0.5 ** (stage + 1)
        start = gain * (start[which] - 0.5 * decision)
        slope = gain * slope[which]
    thresholds = np.sort(np.array([-0.5, 0.0, 0.5]) + step * offsets_lsb[-3:])
    low, high, which, part = _split(low, high, slope, start, thresholds)
    value = digital[which] + (part / 2.0 - 0.75) * 0.5 ** len(gains)
    codes = np.clip(np.rint((value + 1.0) / step - 0.5), 0, (1 << bits) - 1).astype(np.int32)
    order = np.argsort(low)
    low, codes = low[order], codes[order]
    new = np.concatenate([[True], codes[1:] != codes[:-1]])
    return (low[new][1:] + 1.0) / step - 0.5, codes[new]


def _split(
    low: FloatArray, high: FloatArray, slope: FloatArray, start: FloatArray, thresholds: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp], FloatArray]:
    """Pieces of the input axis, cut where a rest ``slope * v + start`` passes a threshold.

    Returns the ends of the new pieces, the old piece of each, and the number of thresholds that its rest has passed.
    """
    cuts = (thresholds[:, None] - start) / slope
    edges = np.clip(np.vstack([np.full_like(low, -np.inf), cuts, np.full_like(low, np.inf)]), low, high)
    below, above = edges[:-1], edges[1:]
    part, which = np.nonzero(below < above)
    return below[part, which], above[part, which], which, part.astype(np.float64)
