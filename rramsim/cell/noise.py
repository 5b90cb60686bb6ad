"""What a read sees beyond the conductance that a cell holds: white and 1/f noise, random telegraph noise."""

from math import exp, log, pi, sqrt
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.special import ndtr

from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.errors import SpecError
from rramsim.spec import Fraction, NonNegative, Positive, Spec
from rramsim.units import duration

from .curves import Curve, value_at, vanishes
from .part import Declaration, DevicePart, Draw, Effect, Window, curve_words, share_words

__all__ = ["Cumulants", "ReadNoiseSpec", "TelegraphSpec", "checked_times"]


_LARGEST_SHARE = 1e6
"""Largest deviation of lognormal noise, as a share of the conductance: a cell that holds less conducts nothing."""
_CLIPS = 8.0
"""Standard deviations above 0 from which on no read is cut off at 0 (probability below 1e-15)."""


class Cumulants(NamedTuple):
    """Mean, variance and third central moment of one read of each cell: siemens, siemens^2 and siemens^3."""

    mean: FloatArray
    variance: FloatArray
    third: FloatArray


def checked_times(seconds: ArrayLike) -> FloatArray:
    """Times of reads one after another, (n_reads,); refused unless they are finite and do not descend."""
    times = np.atleast_1d(np.asarray(seconds, dtype=np.float64))
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise SpecError(f"times of reads are a list of seconds in ascending order; got {np.asarray(seconds)!r}")
    return times


class ReadNoiseSpec(Spec, DevicePart):
    """Noise of a read, fresh and independent for every cell and every read.

    Parameters
    ----------
    law
        ``"normal"``: g + sigma n, cut off at 0; ``"lognormal"``: g exp(s n - s^2 / 2) with s^2 = ln(1 + (sigma / g)^2),
        which has the mean g and the standard deviation sigma and is never negative. n is a standard normal number and
        sigma the standard deviation that follows from the fields below.
    relative_deviation
        Standard deviation as a fraction of the conductance, 0 to 1: a number or a curve of the conductance as written.
    spread_siemens
        Standard deviation that comes on top (in squares), siemens: a number or a curve of the conductance that is read.
    integration_second
        Length T of the read where the noise is 1/f noise: both deviations are then multiplied by
        sqrt(ln((t + T) / (2 T))), with t the time since the write; 0 is noise that does not depend on the time.

    Notes
    -----
    The growth is that of the band from 1 / (t + T) to 1 / (2 T) of a 1/f spectrum; there is none up to t = T.
    S. R. Nandakumar et al., ICECS 2019.
    """

    declared: ClassVar = Declaration("read noise", (Effect.READ,), (Draw("read", "read"),))

    law: Literal["normal", "lognormal"] = "normal"
    relative_deviation: Curve = 0.0
    spread_siemens: Curve = 0.0
    integration_second: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "ReadNoiseSpec":
        if isinstance(self.relative_deviation, float) and not 0 <= self.relative_deviation <= 1:
            raise ValueError(f"relative_deviation {self.relative_deviation:g} is a fraction of the conductance, 0 to 1")
        if isinstance(self.spread_siemens, float) and self.spread_siemens < 0:
            raise ValueError(f"spread_siemens {self.spread_siemens:g} is at least 0: it is a standard deviation")
        return self

    @property
    def ideal(self) -> bool:
        """Whether every read sees exactly what the cell holds."""
        return vanishes(self.relative_deviation) and vanishes(self.spread_siemens)

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        terms = (
            [] if vanishes(self.relative_deviation) else [f"g times {curve_words(self.relative_deviation, '', window)}"]
        )
        if not vanishes(self.spread_siemens):
            terms.append(curve_words(self.spread_siemens, "S", window))
        if not terms:
            return []
        text = [f"Gaussian, fresh at each read: sigma = {', and in squares '.join(terms)}"]
        second = self.integration_second
        if second:
            growth = f"sqrt(ln((t + {duration(second)}) / {duration(2 * second)}))"
            text.append(f"1/f noise: sigma grows as {growth}, t the time since the write")
        return text

    def growth(self, time_second: float) -> float:
        """Factor of the deviations of 1/f noise, so long after the write."""
        if self.integration_second == 0:
            return 1.0
        return sqrt(max(log((time_second + self.integration_second) / (2 * self.integration_second)), 0.0))

    def deviation(self, g: ArrayLike, written: ArrayLike, g_max_siemens: float, time_second: float = 0.0) -> FloatArray:
        """Standard deviation of one read of each conductance g, siemens, in the shape of g.

        Parameters
        ----------
        g
            Conductances that are read, siemens.
        written
            What they were when they were written, siemens.
        g_max_siemens
            Top of the window.
        time_second
            Time since the write, second.
        """
        cells = np.asarray(g, dtype=np.float64)
        if self.ideal:
            return np.zeros(cells.shape)
        deviation = cells * np.maximum(value_at(self.relative_deviation, written, g_max_siemens), 0.0)
        if not vanishes(self.spread_siemens):
            added = np.maximum(value_at(self.spread_siemens, cells, g_max_siemens), 0.0)
            deviation = np.hypot(deviation, added)
        return np.asarray(deviation * self.growth(time_second))

    def weakened(self, g: FloatArray, deviation: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Conductances of which a trap takes a share, and their standard deviations: lognormal noise is a factor."""
        left = 1.0 - share
        return g * left, deviation * left if self.law == "lognormal" else deviation

    def read(self, g: FloatArray, deviation: FloatArray, normal: NDArray[np.floating]) -> FloatArray:
        """One read of each conductance, siemens, from standard normal numbers."""
        if self.law == "normal":
            return np.maximum(g + deviation * normal, 0.0)
        variance = np.log1p(_relative(g, deviation) ** 2)
        return np.asarray(g * np.exp(np.sqrt(variance) * normal - 0.5 * variance))

    def cumulants(self, g: FloatArray, deviation: FloatArray) -> Cumulants:
        """Exact mean, variance and third central moment of one read of conductances with these deviations.

        What the normal law cuts off at 0 raises the mean, lowers the variance and skews the read to higher values; more
        than 8 deviations above 0 there is nothing to cut off.
        """
        if self.law == "lognormal":
            relative = _relative(g, deviation)
            spread = np.minimum(deviation, _LARGEST_SHARE * g)
            return Cumulants(g, spread**2, spread**3 * relative * (relative**2 + 3.0))
        mean, variance, third = g, np.asarray(deviation**2), np.zeros(np.shape(g))
        cut = g < _CLIPS * deviation
        if cut.any():
            mean, sigma = np.array(g), deviation[cut]
            raised, narrowed, skewed = _rectified(mean[cut] / sigma)
            mean[cut] += sigma * raised
            variance[cut] *= narrowed
            third[cut] = sigma**3 * skewed
        return Cumulants(mean, variance, third)


def _relative(g: FloatArray, deviation: FloatArray) -> FloatArray:
    """Standard deviations as shares of the conductances, at most a million; 0 in a cell that does not conduct."""
    return np.divide(np.minimum(deviation, _LARGEST_SHARE * g), g, out=np.zeros(np.shape(g)), where=g > 0.0)


def _rectified(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean less z, variance and third central moment of max(z + n, 0), n standard normal.

    From the moments of what is added, r = max(-z - n, 0), and E[n f(n)] = E[f'(n)] (Stein).
    """
    density, tail = np.exp(-0.5 * z**2) / sqrt(2.0 * pi), ndtr(-z)
    first = density - z * tail
    second = (1.0 + z**2) * tail - z * density
    third = (z**2 + 2.0) * density - z * (z**2 + 3.0) * tail
    variance = 1.0 - 2.0 * tail + second - first**2
    skewed = 3.0 * density - 6.0 * first * (1.0 - tail) + third - 3.0 * first * second + 2.0 * first**3
    return first, variance, skewed


class TelegraphSpec(Spec, DevicePart):
    """Random telegraph noise: a trap beside the filament, and while it is filled the cell conducts less.

    Parameters
    ----------
    trap_share
        Share of the cells with an active trap.
    amplitude
        What a filled trap takes, as a share of the conductance: a number or a curve of the conductance, 0 to 1; the
        median over cells.
    amplitude_log
        Standard deviation of the logarithm of the amplitude from cell to cell, up to 20; no amplitude is above 1.
    occupancy
        Share of the time in which the trap is filled.
    correlation_second
        Time in which the memory of a state decays to 1/e: 1 / (capture rate + emission rate).

    Notes
    -----
    A two-state Markov process in continuous time: states dt apart have the correlation exp(-dt / correlation_second).
    The trap is empty where a write is verified, so the conductance held is that of the upper level.
    """

    declared: ClassVar = Declaration(
        "telegraph noise", (Effect.READ,), (Draw("telegraph", "cell"), Draw("telegraph", "read"))
    )

    trap_share: Fraction = 0.0
    amplitude: Curve = 0.0
    amplitude_log: Annotated[float, Field(ge=0, le=20)] = 0.0
    occupancy: Fraction = 0.5
    correlation_second: Positive = Field(default=1e-3)

    @model_validator(mode="after")
    def _check(self) -> "TelegraphSpec":
        if isinstance(self.amplitude, float) and not 0 <= self.amplitude <= 1:
            raise ValueError(
                f"amplitude {self.amplitude:g} is a share of the conductance, 0 to 1: a trap cannot take more than all"
            )
        return self

    @property
    def ideal(self) -> bool:
        """Whether no cell has a trap that shows."""
        return self.trap_share == 0 or self.occupancy == 0 or vanishes(self.amplitude)

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        if self.ideal:
            return []
        spread = f" (median; sigma of its logarithm {self.amplitude_log:g})" if self.amplitude_log else ""
        filled = share_words(self.occupancy)
        return [
            f"{share_words(self.trap_share)} of the cells have a trap, filled {filled} of the time",
            f"share of g that a filled trap takes: {curve_words(self.amplitude, '', window)}{spread}",
            f"correlation time {duration(self.correlation_second)}",
        ]

    def amplitudes(self, g: FloatArray, g_max_siemens: float, rng: np.random.Generator) -> Single:
        """Share that a filled trap takes in each cell: 0 in a cell without one. Drawn once for each cell."""
        uniform, normal = rng.random(g.shape), rng.standard_normal(g.shape)
        share = value_at(self.amplitude, g, g_max_siemens) * np.exp(self.amplitude_log * normal)
        return np.where(uniform < self.trap_share, np.clip(share, 0.0, 1.0), 0.0).astype(np.float32)

    def mixed(self, empty: Cumulants, filled: Cumulants) -> Cumulants:
        """Cumulants of reads whose traps are filled by chance, from those with all traps empty and with all filled."""
        p, drop = self.occupancy, empty.mean - filled.mean
        variance = empty.variance + p * (filled.variance - empty.variance) + p * (1.0 - p) * drop**2
        third = empty.third + p * (filled.third - empty.third)
        third += p * (1.0 - p) * drop * (3.0 * (empty.variance - filled.variance) + (2.0 * p - 1.0) * drop**2)
        return Cumulants(empty.mean - p * drop, variance, third)

    def states(self, shape: tuple[int, ...], seconds: ArrayLike, rng: np.random.Generator) -> BoolArray:
        """Whether each trap is filled at each time: (n_times, *shape); exact at any spacing.

        Parameters
        ----------
        shape
            Shape of the cells.
        seconds
            Times, second, in ascending order.
        rng
            Draws one uniform number for each cell and time.

        Raises
        ------
        SpecError
            For times that descend or are not finite.
        """
        times = checked_times(seconds)
        filled = np.empty((times.size, *shape), dtype=np.bool_)
        for k in range(times.size):
            memory = exp(-(times[k] - times[k - 1]) / self.correlation_second) if k else 0.0
            # From filled: stays with p + (1 - p) memory; from empty: becomes filled with p (1 - memory).
            chance = self.occupancy * (1.0 - memory) + (memory * filled[k - 1] if k else 0.0)
            filled[k] = rng.random(shape) < chance
        return filled
