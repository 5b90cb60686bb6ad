"""Statistics of measured cells: curves through means and spreads, and what cells have in common."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from rramsim.arrays import FloatArray, IntArray

__all__ = ["Components", "Fitted", "components", "fit_mean", "fit_spread", "ks_test", "shared"]


@dataclass(frozen=True)
class Fitted:
    """A polynomial c0 + c1 x + c2 x^2 + ... that was fitted.

    Parameters
    ----------
    coefficients
        c0, c1, ...: (n,).
    covariance
        Covariance of the coefficients: (n, n).
    deviance
        Twice the log-likelihood that a curve through every level has more; distributed like chi^2 with ``free``
        degrees of freedom where the curve is right.
    free
        Number of levels less that of coefficients.
    """

    coefficients: FloatArray
    covariance: FloatArray
    deviance: float
    free: int

    def at(self, x: FloatArray | float) -> FloatArray:
        """The curve at x."""
        return np.asarray(np.polynomial.polynomial.polyval(np.asarray(x, dtype=np.float64), self.coefficients))

    def error(self, x: FloatArray | float) -> FloatArray:
        """Standard error of the curve at x."""
        powers = np.vander(np.atleast_1d(np.asarray(x, dtype=np.float64)), self.coefficients.size, increasing=True)
        square = np.einsum("ij,jk,ik->i", powers, self.covariance, powers)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)).reshape(np.shape(x)))

    @property
    def degree(self) -> int:
        """Degree of the polynomial."""
        return self.coefficients.size - 1

    def widened(self, factor: float) -> "Fitted":
        """A curve like this one, with variances so many times as large."""
        return Fitted(self.coefficients, self.covariance * factor, self.deviance, self.free)


def _basis(x: FloatArray, degree: int) -> tuple[FloatArray, FloatArray]:
    """Powers of x mapped to -1 .. 1, (n, degree + 1), and the matrix from their coefficients to those of x."""
    low, high = float(x.min()), float(x.max())
    if high <= low:  # a single level
        low, high = low - 1.0, high + 1.0
    u = (2.0 * x - low - high) / (high - low)
    line = np.array([-(low + high), 2.0]) / (high - low)
    change = np.zeros((degree + 1, degree + 1))
    power = np.ones(1)
    for k in range(degree + 1):
        change[: power.size, k] = power
        power = np.convolve(power, line)
    return np.vander(u, degree + 1, increasing=True), change


def fit_mean(x: FloatArray, mean: FloatArray, error: FloatArray, n: float, most: int = 2) -> Fitted | None:
    """The polynomial through means that the Bayesian information criterion prefers; None where that is 0.

    Parameters
    ----------
    x, mean, error
        Variable, mean, and standard error of the mean at each level: (n_levels,).
    n
        Number of independent values behind the means, for the criterion.
    most
        Highest degree.
    """
    least = 1e-9 * np.abs(mean).max() + 1e-300
    weight = 1.0 / np.maximum(error, least)
    lowest, fitted = float(np.sum((mean * weight) ** 2)), None
    for degree in range(min(most, x.size - 1) + 1):
        powers, change = _basis(x, degree)
        solution, *_ = np.linalg.lstsq(powers * weight[:, None], mean * weight, rcond=None)
        deviance = float(np.sum(((mean - powers @ solution) * weight) ** 2))
        criterion = deviance + (degree + 1) * np.log(max(n, 3.0))
        if criterion < lowest:
            inverse = np.linalg.pinv((powers * weight[:, None]).T @ (powers * weight[:, None]))
            lowest = criterion
            fitted = Fitted(change @ solution, change @ inverse @ change.T, deviance, x.size - degree - 1)
    return fitted


def _likelihood(variance: FloatArray, dof: FloatArray, model: FloatArray) -> float:
    """Log-likelihood of variances with so many degrees of freedom, but for a constant."""
    return float(-0.5 * np.sum(dof * (np.log(model) + variance / model)))


def fit_spread(
    x: FloatArray,
    variance: FloatArray,
    dof: FloatArray,
    base: FloatArray | float = 0.0,
    scale: FloatArray | float = 1.0,
    base_dof: float = np.inf,
    most: int = 5,
) -> Fitted | None:
    """The polynomial sigma(x), positive over the range of x, that the Bayesian information criterion prefers.

    A measured variance is (base + scale sigma^2) chi^2 / dof; the fit is that of maximum likelihood, by the method of
    scoring.

    Parameters
    ----------
    x, variance, dof
        Variable, variance (above 0) and its degrees of freedom at each level: (n_levels,).
    base, scale
        Part of the variance that is known, and the factor of sigma^2.
    base_dof
        Degrees of freedom from which ``base`` is known.
    most
        Highest degree.

    Returns
    -------
    Fitted or None
        None where ``base`` alone explains the variances.
    """
    base, scale = np.broadcast_to(base, x.shape), np.broadcast_to(scale, x.shape)
    unit = float(np.sum(dof * variance) / np.sum(dof))
    if not unit > 0:
        return None
    variance, base = np.maximum(variance / unit, 1e-12), base / unit
    dof = dof / (1.0 + dof / base_dof * np.minimum(base / variance, 1.0) ** 2)
    saturated = _likelihood(variance, dof, variance)
    lowest, fitted = np.inf, None
    if (base > 0).all():
        lowest = 2 * (saturated - _likelihood(variance, dof, base))
    start = np.sqrt(max(float(np.sum(dof * (variance - base) / scale) / np.sum(dof)), 1e-4))
    solution = np.empty(0)
    grid = np.linspace(x.min(), x.max(), 257)
    for degree in range(min(most, x.size - 1) + 1):
        powers, change = _basis(x, degree)
        solution = np.append(solution, start if degree == 0 else 0.0)
        solution, likelihood, information = _score(powers, solution, variance, dof, base, scale)
        coefficients = change @ solution
        if float((powers @ solution).mean()) < 0:  # its sign is free
            coefficients = -coefficients
        curve = np.polynomial.polynomial.polyval(grid, coefficients)
        deviance = 2 * (saturated - likelihood)
        criterion = deviance + (degree + 1) * np.log(max(float(dof.sum()), 3.0))
        if criterion < lowest and curve.min() > 0.1 * np.abs(powers @ solution).min() and curve.min() > 0:
            inverse = change @ np.linalg.pinv(information, hermitian=True) @ change.T
            lowest = criterion
            fitted = Fitted(coefficients * np.sqrt(unit), inverse * unit, deviance, x.size - degree - 1)
    return fitted


def _score(
    powers: FloatArray, solution: FloatArray, variance: FloatArray, dof: FloatArray, base: FloatArray, scale: FloatArray
) -> tuple[FloatArray, float, FloatArray]:
    """Coefficients of maximum likelihood, the likelihood there, and its information."""

    def model(c: FloatArray) -> FloatArray:
        return np.maximum(base + scale * (powers @ c) ** 2, 1e-14)

    likelihood = _likelihood(variance, dof, model(solution))
    for _ in range(60):
        m = model(solution)
        slope = 2.0 * scale[:, None] * (powers @ solution)[:, None] * powers
        weight = dof / (2.0 * m**2)
        step, *_ = np.linalg.lstsq(slope * np.sqrt(weight)[:, None], np.sqrt(weight) * (variance - m), rcond=1e-12)
        size = 1.0
        while size > 1e-6:
            trial = _likelihood(variance, dof, model(solution + size * step))
            if trial > likelihood:
                break
            size /= 2
        else:
            break
        solution = solution + size * step
        gained, likelihood = trial - likelihood, trial
        if gained < 1e-10 * (1.0 + abs(likelihood)):
            break
    m = model(solution)
    slope = 2.0 * scale[:, None] * (powers @ solution)[:, None] * powers
    return solution, likelihood, slope.T @ (slope * (dof / (2.0 * m**2))[:, None])


@dataclass(frozen=True)
class Components:
    """Analysis of variance of groups within levels; a group is all writes of one cell to one level.

    Parameters
    ----------
    n, groups
        Number of writes and of cells at each level.
    mean, variance
        Mean and variance of all writes to each level.
    within, between
        Mean squares within cells and between cells at each level (nan: no degrees of freedom).
    size
        Effective number n0 of writes of a cell at each level, so that between = within + n0 sigma_cell^2 on average.
    level, cell, count, average
        Level and cell of each group, number of its writes, and their mean.
    group
        Group of each write.
    """

    n: FloatArray
    groups: FloatArray
    mean: FloatArray
    variance: FloatArray
    within: FloatArray
    between: FloatArray
    size: FloatArray
    level: IntArray
    cell: IntArray
    count: FloatArray
    average: FloatArray
    group: IntArray


def components(y: FloatArray, level: IntArray, cell: IntArray, n_levels: int) -> Components:
    """Mean squares within and between cells, for cells with any number of writes.

    Parameters
    ----------
    y, level, cell
        Value, level and cell of each write.
    n_levels
        Number of levels, each with at least two writes.
    """
    keys, group = np.unique(level * (int(cell.max()) + 1) + cell, return_inverse=True)
    group_level, group_cell = np.divmod(keys, int(cell.max()) + 1)
    count = np.bincount(group).astype(np.float64)
    n = np.bincount(level, minlength=n_levels).astype(np.float64)
    mean = np.bincount(level, y, n_levels) / n
    centred = y - mean[level]
    average = np.bincount(group, centred) / count
    total = np.asarray(np.bincount(level, centred**2, n_levels), dtype=np.float64)
    inner = np.asarray(np.bincount(level, (centred - average[group]) ** 2, n_levels), dtype=np.float64)
    outer = np.asarray(np.bincount(group_level, count * average**2, n_levels), dtype=np.float64)
    groups = np.bincount(group_level, minlength=n_levels).astype(np.float64)
    square = np.bincount(group_level, count**2, n_levels)

    def share(top: FloatArray, bottom: FloatArray) -> FloatArray:
        return np.asarray(np.divide(top, bottom, out=np.full(n_levels, np.nan), where=bottom > 0))

    return Components(
        n=n,
        groups=groups,
        mean=mean,
        variance=total / (n - 1),
        within=share(inner, n - groups),
        between=share(outer, groups - 1),
        size=share(n - square / n, groups - 1),
        level=group_level,
        cell=group_cell,
        count=count,
        average=average + mean[group_level],
        group=group,
    )


def shared(z: FloatArray, cell: IntArray) -> tuple[float, float]:
    """Correlation of what a cell has at one level with what it has at another, and the levels of a cell.

    Parameters
    ----------
    z
        Standardised deviation of each cell at each of its levels.
    cell
        Cell of each deviation.
    """
    total, square, count = (np.bincount(cell, weights) for weights in (z, z**2, np.ones(z.size)))
    pairs = float(np.sum(count * (count - 1)))
    if pairs == 0:
        return 0.0, 1.0
    correlation = float(np.sum(total**2 - square)) / pairs
    return min(max(correlation, 0.0), 1.0), float(np.sum(count**2) / np.sum(count))


def ks_test(z: FloatArray, n: float) -> tuple[float, float]:
    """Largest distance of the distribution of z from the standard normal one, and its p-value.

    Parameters
    ----------
    z
        Standardised residuals.
    n
        Number of independent ones among them.
    """
    ordered = stats.norm.cdf(np.sort(z))
    step = np.arange(z.size + 1) / z.size
    distance = float(max((step[1:] - ordered).max(), (ordered - step[:-1]).max()))
    return distance, float(stats.kstwo.sf(distance, max(round(n), 1)))
