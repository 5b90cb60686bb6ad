"""Measured cells followed from write to write, from read to read, and in time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.errors import SpecError

from .measured import Measured
from .regression import Fitted, fit_mean, fit_spread, shared

__all__ = ["LEAST_WRITES", "MOST_LEVELS", "Aging", "Noise", "Writes", "aging", "read_noise", "writes_of"]


LEAST_WRITES = 8
"""Writes without which no spread is stated: it is known to 1 / sqrt(2 (8 - 1)) = 27 % then."""
MOST_LEVELS = 64
"""Up to so many different targets are levels; more are samples of a continuous range."""
_NEAR = 2.0
"""A first read up to this factor after the earliest one still shows the state as written."""


@dataclass(frozen=True)
class Writes:
    """The writes in a table of reads; arrays are of writes unless said otherwise.

    Parameters
    ----------
    row
        Write that each read shows, from 0: (n_reads,).
    target, cell
        Target, siemens, and cell, from 0.
    g, reads, first
        Mean of the reads at the first time, siemens; their number; and that time, second (0: times are not given).
    near
        Whether the first time is early enough to show the state as written.
    level
        Level, or interval of the targets, from 0.
    x
        Mean target of each level as a share of ``reference``: (n_levels,).
    reference
        The largest target, siemens.
    listed
        Whether each level is one target.
    """

    row: IntArray
    target: FloatArray
    cell: IntArray
    g: FloatArray
    reads: FloatArray
    first: FloatArray
    near: BoolArray
    level: IntArray
    x: FloatArray
    reference: float
    listed: bool


def writes_of(measured: Measured) -> Writes:
    """Gather the reads of each write: of one cell, one cycle and one target."""
    levels, code = np.unique(measured.target, return_inverse=True)
    n = measured.target.size
    row = np.arange(n)
    if measured.cell is not None:
        turn = measured.cell if measured.cycle is None else _pairs(measured.cell, measured.cycle)
        row = _pairs(turn, code)
    n_writes = int(row.max()) + 1
    last_read = np.empty(n_writes, dtype=np.int64)
    last_read[row] = np.arange(n)
    time = np.zeros(n) if measured.time is None else measured.time
    first = np.full(n_writes, np.inf)
    np.minimum.at(first, row, time)
    early = time == first[row]
    reads = np.bincount(row[early], minlength=n_writes).astype(np.float64)
    g = np.bincount(row[early], measured.read[early], n_writes) / reads
    near = first <= _NEAR * first.min()
    target = measured.target[last_read]
    level, listed = _levels(levels, code[last_read], near, measured.origin)
    reference = float(levels[-1])
    return Writes(
        row=row,
        target=target,
        cell=last_read if measured.cell is None else measured.cell[last_read],
        g=g,
        reads=reads,
        first=first,
        near=near,
        level=level,
        x=np.bincount(level, target) / np.bincount(level) / reference,
        reference=reference,
        listed=listed,
    )


def _pairs(one: IntArray, other: IntArray) -> IntArray:
    """A number from 0 for each pair that occurs."""
    numbers: IntArray = np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)[1]
    return numbers


def _levels(targets: FloatArray, code: IntArray, near: BoolArray, origin: str) -> tuple[IntArray, bool]:
    """The level of each write, and whether each is one target; else intervals with about the same number of writes."""
    count = np.bincount(code[near], minlength=targets.size)
    if targets.size <= MOST_LEVELS:
        worst = int(count.argmin())
        n = int(count[worst])
        if n < LEAST_WRITES:
            raise SpecError(
                f"{origin}: got {n} write{'' if n == 1 else 's'} to the target {targets[worst]:g} S; at least "
                f"{LEAST_WRITES} writes to each target are needed, since {_known(n)} (or more than {MOST_LEVELS} "
                "different targets, as samples of a continuous range)"
            )
        return code, True
    middle = np.cumsum(count) - 0.5 * count
    parts = min(MOST_LEVELS // 2, int(count.sum()) // (2 * LEAST_WRITES))
    while parts >= 2:
        part = np.minimum((middle * parts / count.sum()).astype(np.int64), parts - 1)
        part = np.unique(part, return_inverse=True)[1]
        if part.max() > 0 and np.bincount(part, count).min() >= LEAST_WRITES:
            return part[code], False
        parts -= 1
    raise SpecError(
        f"{origin}: got {count.sum()} writes unevenly over {targets.size} targets; at least two intervals of the "
        f"targets with {LEAST_WRITES} writes each are needed to see how the spread depends on the state"
    )


def _known(n: int) -> str:
    """How well a spread is known from n writes."""
    if n < 2:
        return "a spread is seen only between writes"
    return f"a spread from {n} writes is known to +-{100 / np.sqrt(2 * (n - 1)):.0f} % only"


@dataclass(frozen=True)
class Noise:
    """Noise of repeated reads.

    Parameters
    ----------
    fitted
        Standard deviation, a curve of the conductance in units of ``reference``; None: repeated reads are alike, or
        there are none.
    relative
        Whether ``fitted`` is a fraction of the conductance; else it is in units of ``reference``.
    dof
        Number of repeated reads from which it is known, less one for each write and time.
    reference
        The largest target, siemens.
    """

    fitted: Fitted | None
    relative: bool
    dof: int
    reference: float

    def variance(self, g: FloatArray) -> FloatArray:
        """Variance of one read at conductances g, siemens squared."""
        if self.fitted is None:
            return np.zeros(g.shape)
        sigma = np.maximum(self.fitted.at(g / self.reference), 0.0) * (g if self.relative else self.reference)
        return np.asarray(sigma**2)


def read_noise(measured: Measured, writes: Writes) -> Noise:
    """Noise of a read, from writes that were read more than once at one time."""
    none = Noise(None, True, 0, writes.reference)
    if measured.cell is None:
        return none
    key = writes.row if measured.time is None else _pairs(writes.row, np.unique(measured.time, return_inverse=True)[1])
    count = np.bincount(key)
    if count.max() < 2:
        return none
    g = measured.read / writes.reference
    square = (g - (np.bincount(key, g) / count)[key]) ** 2
    level, n_levels = writes.level[writes.row], writes.x.size
    group_level = np.empty(count.size, dtype=np.int64)
    group_level[key] = level
    dof = np.asarray(np.bincount(group_level, count - 1, n_levels), dtype=np.float64)
    used = dof > 0
    total = int(dof.sum())
    if total < LEAST_WRITES:
        return Noise(None, True, total, writes.reference)
    variance = np.bincount(level, square, n_levels)[used] / dof[used]
    x = (np.bincount(level, g, n_levels) / np.bincount(level, minlength=n_levels))[used]
    dof = dof[used]
    absolute = fit_spread(x, variance, dof, most=2)
    relative = fit_spread(x, variance / x**2, dof, most=0) if x.min() > 0 else None
    if absolute is None or relative is None:
        return Noise(absolute, False, total, writes.reference)
    # The deviance does not depend on the unit, so the two can be compared.
    more = absolute.degree * np.log(total)
    better = relative.deviance <= absolute.deviance + more and relative.coefficients[0] <= 1
    return Noise(relative if better else absolute, better, total, writes.reference)


@dataclass(frozen=True)
class Aging:
    """What time does to the writes that were followed.

    Parameters
    ----------
    law
        ``"power"``: g (t / t0)^-nu; ``"shift"``: g + a ln(t / t0), a in units of the largest target; ``"none"``: there
        was enough to see it, and nothing was found; None: not followed long enough.
    mean, spread
        Mean and standard deviation of nu or a over the writes, as curves of the target; None: 0.
    followed
        Number of writes that were followed.
    r_squared
        Share of the variance in time that the lines of the power law, and of the shift, explain.
    likelihood
        Logarithms of the likelihoods of both laws.
    reason
        Why there is no law.
    """

    law: Literal["power", "shift", "none"] | None
    mean: Fitted | None = None
    spread: Fitted | None = None
    followed: int = 0
    r_squared: tuple[float, float] = (np.nan, np.nan)
    likelihood: tuple[float, float] = (np.nan, np.nan)
    reason: str = ""

    def back(self, g: FloatArray, x: FloatArray, elapsed: FloatArray) -> FloatArray:
        """Conductances as they were a time ln(t / t0) before, with the mean of the law."""
        if self.mean is None:
            return g
        if self.law == "power":
            return np.asarray(g * np.exp(elapsed * self.mean.at(x)))
        return np.maximum(g - elapsed * self.mean.at(x), 0.0)


@dataclass(frozen=True)
class _Lines:
    """A straight line over ln t through the reads of each write, and what it leaves.

    Parameters
    ----------
    slope, left
        Slope of each line, and the sum of the squares that it leaves: (n_writes,).
    explained, total
        Sums of squares over all writes: what the lines explain, and what there is.
    """

    slope: FloatArray
    left: FloatArray
    explained: float
    total: float


def aging(measured: Measured, writes: Writes) -> Aging:
    """Fit what time does: a power law, or a shift with ln t, whichever makes the reads more likely."""
    if measured.time is None or measured.time.min() == measured.time.max():
        return Aging(None, reason="all reads are at one time after the write")
    row, reads = writes.row, measured.read / writes.reference
    n_writes = writes.target.size
    times = np.unique(measured.time, return_inverse=True)[1]
    distinct = np.bincount(
        np.unique(row * (int(times.max()) + 1) + times) // (int(times.max()) + 1), minlength=n_writes
    )
    last = np.zeros(n_writes)
    np.maximum.at(last, row, measured.time)
    positive = np.bincount(row, reads <= 0, n_writes) == 0
    followed = (distinct >= 3) & (last >= writes.first * 10 * (1 - 1e-9)) & positive
    n = int(followed.sum())
    if n < LEAST_WRITES:
        lost = f" ({int(np.sum(~positive))} more fell to 0 S)" if not positive.all() else ""
        return Aging(
            None,
            followed=n,
            reason=f"{n} writes{lost} were read at 3 times or more over a factor of 10 or more, and at least "
            f"{LEAST_WRITES} are needed to see a law and its spread",
        )
    inside = followed[row]
    number = np.cumsum(followed) - 1
    write, ln_t, g = number[row[inside]], np.log(measured.time[inside]), reads[inside]
    count = np.bincount(write).astype(np.float64)
    across = ln_t - (np.bincount(write, ln_t) / count)[write]
    sxx = np.asarray(np.bincount(write, across**2), dtype=np.float64)
    laws = (_lines(np.log(g), across, write, count, sxx), _lines(g, across, write, count, sxx))
    level, x = _levels_of_followed(writes, followed)
    likelihood = tuple(_fit_likelihood(each, count, level) for each in laws)
    likelihood = (likelihood[0] - float(np.log(g).sum()), likelihood[1])
    r_squared = tuple(each.explained / each.total if each.total > 0 else np.nan for each in laws)
    which = int(likelihood[1] > likelihood[0] + 2)
    sign = (-1.0, 1.0)[which]
    mean, spread = _slopes(sign * laws[which].slope, laws[which], count, sxx, level, x, writes.cell[followed])
    law: Literal["power", "shift", "none"] = "shift" if which else "power"
    if mean is None and spread is None:
        law = "none"
    return Aging(law, mean, spread, n, (r_squared[0], r_squared[1]), likelihood)


def _lines(y: FloatArray, across: FloatArray, write: IntArray, count: FloatArray, sxx: FloatArray) -> _Lines:
    """A line for each write through reads y at times across, which are ln t less its mean over the write."""
    centred = y - (np.bincount(write, y) / count)[write]
    slope = np.asarray(np.bincount(write, across * centred) / sxx)
    left = np.asarray(np.bincount(write, (centred - slope[write] * across) ** 2), dtype=np.float64)
    total = float(np.sum(centred**2))
    return _Lines(slope, left, total - float(left.sum()), total)


def _levels_of_followed(writes: Writes, followed: BoolArray) -> tuple[IntArray, FloatArray]:
    """Levels of the writes that were followed; one for all where a level has too few of them."""
    levels, level = np.unique(writes.level[followed], return_inverse=True)
    if np.bincount(level).min() >= LEAST_WRITES:
        return level, writes.x[levels]
    return np.zeros(level.size, dtype=np.int64), np.array([writes.target[followed].mean() / writes.reference])


def _residual(lines: _Lines, count: FloatArray, level: IntArray) -> tuple[FloatArray, FloatArray]:
    """Variance of the reads around their lines, and its degrees of freedom, of each level."""
    dof = np.asarray(np.bincount(level, count - 2), dtype=np.float64)
    return np.bincount(level, lines.left) / dof, dof


def _fit_likelihood(lines: _Lines, count: FloatArray, level: IntArray) -> float:
    """Log-likelihood of the lines, each level with a variance of its own, but for a constant."""
    variance, _ = _residual(lines, count, level)
    return float(-0.5 * np.sum(np.bincount(level, count) * np.log(np.maximum(variance, 1e-30))))


def _slopes(
    slope: FloatArray, lines: _Lines, count: FloatArray, sxx: FloatArray, level: IntArray, x: FloatArray, cell: IntArray
) -> tuple[Fitted | None, Fitted | None]:
    """Mean and spread of the slopes as curves of the target; without the error of the lines themselves."""
    n = np.bincount(level).astype(np.float64)
    middle = np.bincount(level, slope) / n
    variance = np.bincount(level, (slope - middle[level]) ** 2) / (n - 1)
    noise, dof = _residual(lines, count, level)
    of_line = noise * np.bincount(level, 1 / sxx) / n
    tiny = 1e-18 * (1e-6 + middle**2)
    deviation = np.sqrt(np.maximum(variance, tiny))
    keys, group = np.unique(level * (int(cell.max()) + 1) + cell, return_inverse=True)
    z = np.bincount(group, (slope - middle[level]) / deviation[level]) / np.sqrt(np.bincount(group))
    common, levels = shared(z, keys % (int(cell.max()) + 1))
    wider = 1 + (levels - 1) * common
    mean = fit_mean(x, middle, deviation * np.sqrt(wider / n), float(n.sum()))
    if (variance <= tiny).all():
        return mean, None
    # Reads without noise leave a line no error: then all the spread is that of the slopes.
    base = of_line if (of_line > tiny).all() else 0.0
    spread = fit_spread(x, np.maximum(variance, tiny), n - 1, base, base_dof=float(dof.sum()), most=2)
    return mean, spread.widened(1 + (levels - 1) * common**2) if spread else None
