"""What a fit says of itself: measured and fitted values beside each other, estimates, and how well it fits."""

from dataclasses import dataclass
from typing import NamedTuple

from rramsim.arrays import FloatArray, IntArray
from rramsim.series import Series

__all__ = ["Estimate", "Goodness", "LevelTable", "RetentionTable"]


class Goodness(NamedTuple):
    """One figure of how well the fit describes the data.

    Parameters
    ----------
    what, value, meaning
        Name of the figure, its value, and what it says.
    """

    what: str
    value: float
    meaning: str


class Estimate(NamedTuple):
    """One figure of the device, with its standard error; curves are taken in the middle of the window.

    Parameters
    ----------
    what, value, error, unit
        Name of the figure, its value, the standard error, and the unit of both (empty: a number).
    """

    what: str
    value: float
    error: float
    unit: str


@dataclass(frozen=True)
class LevelTable:
    """Spread of each level, or of each interval of a continuous range of targets; arrays of shape (n_levels,).

    Parameters
    ----------
    target_siemens
        Target of the level, or mean target of the interval.
    writes
        Number of writes.
    mean_siemens
        Mean conductance as written; of an interval, its mean target plus the mean error.
    spread_siemens
        Standard deviation of the error of all writes.
    spread_error_siemens
        Standard error of ``spread_siemens``, of normally distributed writes.
    fitted_siemens
        Standard deviation that the device has there, noise of the reads included.
    curve_target_siemens, curve_siemens
        Targets from the lowest to the highest, and the standard deviation that the device has there: (129,).
    """

    target_siemens: FloatArray
    writes: IntArray
    mean_siemens: FloatArray
    spread_siemens: FloatArray
    spread_error_siemens: FloatArray
    fitted_siemens: FloatArray
    curve_target_siemens: FloatArray
    curve_siemens: FloatArray

    def series(self) -> tuple[Series, Series]:
        """Standard deviation against the target, siemens: as measured, with its standard error, and as fitted."""
        measured = Series(
            label="measured, with standard error",
            x=self.target_siemens,
            y=self.spread_siemens,
            deviation=self.spread_error_siemens,
            sampled=True,
        )
        return measured, Series("fitted", self.curve_target_siemens, self.curve_siemens)


@dataclass(frozen=True)
class RetentionTable:
    """Conductance over time, relative to the first reads; of all writes that were read at several times.

    Parameters
    ----------
    time_second
        (n_times,), geometric means of intervals where there are many times.
    relative
        Mean of g / g(first read): (n_times,).
    fitted
        Mean of g / g(first read) by the law that was fitted: (n_times,).
    """

    time_second: FloatArray
    relative: FloatArray
    fitted: FloatArray

    def series(self) -> tuple[Series, Series]:
        """Relative conductance against the time after the write, second: as measured and as fitted."""
        measured = Series("measured, mean of all writes", self.time_second, self.relative, sampled=True)
        return measured, Series("fitted", self.time_second, self.fitted)
