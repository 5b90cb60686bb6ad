"""Sense amplifiers: what they compare with, where that reference is placed, and the errors of each."""

from typing import Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import FloatArray
from rramsim.spec import NonNegative, Positive, Spec

__all__ = ["SenseSpec", "best_reference"]


_TIME_CONSTANTS = 5.0
"""Time constants of one differing bit after which a line without any leakage is strobed: it has lost 99 %."""


class SenseSpec(Spec):
    """The sense amplifiers of a set of lines: each compares the signal of its line with a reference.

    Parameters
    ----------
    kind
        "current": the current of the line, ampere. "precharge": match lines only; the voltage that a line has lost when
        it is strobed, after it was charged and then let go.
    reference
        "fixed": midway between the signals of a match and of one differing bit in ideal cells (of a cell that does not
        conduct and one that does). "global": found on the written array, where it makes the fewest wrong decisions; one
        for all lines. "line": found likewise for each line, its own offset included.
    reference_share
        Where the reference lies between the signals on its two sides, above 0 and below 1.
    offset_spread
        Standard deviation of the offset of an amplifier, drawn once for each, as a share of the full signal: the
        current of read_volt across the window g_max - g_min, or ``precharge_volt``.
    noise
        Standard deviation of the noise of an amplifier, as a share of the full signal; fresh at every search or read.
    precharge_volt
        Voltage of a charged match line.
    cell_farad
        Precharge only: capacitance of a match line for each cell on it. The default is that of MNSIM 2.0.
    mux_farad
        Precharge only: capacitance of the circuits at the end of a match line.
    strobe_second
        Precharge only: time from the start of the discharge to the strobe; None: where the voltages of a match and of
        one differing bit lie furthest apart.
    """

    kind: Literal["current", "precharge"] = "current"
    reference: Literal["fixed", "global", "line"] = "global"
    reference_share: float = Field(default=0.5, gt=0.0, lt=1.0)
    offset_spread: NonNegative = 0.0
    noise: NonNegative = 0.0
    precharge_volt: Positive = 0.2
    cell_farad: Positive = 1e-15
    mux_farad: NonNegative = 0.0
    strobe_second: Positive | None = None

    def strobe(self, farad: float, match_siemens: float, miss_siemens: float) -> float:
        """Seconds from the start of the discharge to the strobe.

        Parameters
        ----------
        farad
            Capacitance of the line.
        match_siemens, miss_siemens
            What the line conducts in a match, and with one differing bit.

        Notes
        -----
        The difference of two exponential decays is largest at ln(a / b) / (a - b), with their rates a and b.
        """
        if self.strobe_second is not None:
            return self.strobe_second
        slow, fast = match_siemens / farad, miss_siemens / farad
        if not 0.0 < slow < fast:
            return _TIME_CONSTANTS / fast
        return float(np.log(fast / slow) / (fast - slow))


def best_reference(low: FloatArray, high: FloatArray, share: float) -> FloatArray:
    """References (...,) below which most of ``low`` and above which most of ``high`` lie.

    Each makes the fewest wrong decisions of all that lie between two values; where several do, it lies in the widest
    gap.

    Parameters
    ----------
    low, high
        (..., n_low) and (..., n_high) signals, at least one of each.
    reference_share
        Where in the gap, from its lower end, 0 to 1.
    """
    values = np.concatenate([low, high], axis=-1)
    order = np.argsort(values, axis=-1, kind="stable")
    values = np.take_along_axis(values, order, axis=-1)
    is_low = order < low.shape[-1]
    # Between the k-th value and the next: low ones above are wrong, and so are high ones below.
    wrong = np.cumsum(~is_low, axis=-1) + low.shape[-1] - np.cumsum(is_low, axis=-1)
    gap = np.diff(values, axis=-1)
    # A value is not below itself: no reference lies between equal ones.
    fewest = np.where(gap > 0, wrong[..., :-1], np.iinfo(np.int64).max)
    best = fewest == fewest.min(axis=-1, keepdims=True)
    place = np.where(best, gap, -1.0).argmax(axis=-1)[..., None]
    lower, width = np.take_along_axis(values, place, axis=-1), np.take_along_axis(gap, place, axis=-1)
    return np.asarray((lower + share * width)[..., 0])
