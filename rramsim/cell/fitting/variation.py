"""Spread and mean error of measured writes: their law, their curves, and what of them stays with a cell."""

from typing import Any, Literal

import numpy as np
from scipy import stats

from rramsim.arrays import FloatArray
from rramsim.cell.curves import CurveSpec
from rramsim.cell.spread import GaussianSpreadSpec, LognormalSpreadSpec, SpreadSpec
from rramsim.errors import SpecError

from .followed import LEAST_WRITES, Aging, Noise, Writes
from .measured import Measured
from .regression import Components, Fitted, components, fit_mean, fit_spread, ks_test, shared
from .tables import Estimate, Goodness, LevelTable

__all__ = ["Variation", "curve_spec"]


_POOR = 0.01
"""A p-value below it is worth a warning."""
_FEW_CELLS = 20
_CLEAR = 3.0
"""Difference of the log-likelihoods from which the lognormal law is taken; Gaussian is what nothing speaks against."""


class Variation:
    """Spread and mean error of the writes; conductances in units of the largest target.

    Parameters
    ----------
    measured, writes
        The table, and its writes.
    noise, aged
        Noise of the reads, and what time does to the writes.

    Raises
    ------
    SpecError
        For writes to a target that all have the same error.
    """

    def __init__(self, measured: Measured, writes: Writes, noise: Noise, aged: Aging) -> None:
        self.writes, self.origin = writes, measured.origin
        near = writes.near
        self.near = near
        self.level, self.x = writes.level[near], writes.x
        self.target = writes.target[near] / writes.reference
        g = writes.g[near]
        self.noise = noise.variance(g) / writes.reads[near] / writes.reference**2
        elapsed = np.log(writes.first[near] / writes.first.min()) if writes.first.min() > 0 else np.zeros(g.size)
        self.g = aged.back(g / writes.reference, self.target, elapsed)
        self._check_variation()
        self.cells = np.unique(writes.cell[near], return_inverse=True)[1]
        self.likelihood = self._choose()
        self.law: Literal["gaussian", "lognormal"] = "gaussian"
        self._fit("gaussian")
        # Writes of one cell are alike, and count as fewer.
        share = min(self.independent / self.g.size, 1.0)
        if share * (self.likelihood["lognormal"] - self.likelihood["gaussian"]) > _CLEAR:
            self.law = "lognormal"
            if not self._fit("lognormal"):
                self.law = "gaussian"
                self._fit("gaussian")

    def _check_variation(self) -> None:
        low, high = np.full(self.x.size, np.inf), np.full(self.x.size, -np.inf)
        error = self.g - self.target
        np.minimum.at(low, self.level, error)
        np.maximum.at(high, self.level, error)
        still = np.flatnonzero(high - low <= 1e-12)  # of the largest target
        if still.size:
            at = int(still[0])
            n = int(np.sum(self.level == at))
            more = f", and so at {still.size - 1} more targets" if still.size > 1 else ""
            raise SpecError(
                f"{self.origin}: got {n} writes to the target {self.x[at] * self.writes.reference:g} S that all have "
                f"the same error{more}; errors that vary are needed, since a spread below the resolution of the "
                "instrument cannot be fitted (leave the target out, or give more digits)"
            )

    def _values(self, law: str) -> FloatArray:
        """The errors: of g, or of ln g."""
        return np.asarray(np.log(self.g / self.target) if law == "lognormal" else self.g - self.target)

    def _choose(self) -> dict[str, float]:
        """Log-likelihood of both laws, each with the best mean and spread at each level."""
        likelihood = {"gaussian": 0.0, "lognormal": -np.inf}
        possible = self.g.min() > 0 and self.target.min() > 0
        for law in ("gaussian", "lognormal")[: 2 if possible else 1]:
            y = self._values(law)
            n = np.bincount(self.level)
            mean = np.bincount(self.level, y) / n
            variance = np.bincount(self.level, (y - mean[self.level]) ** 2) / n
            likelihood[law] = float(-0.5 * np.sum(n * (np.log(2 * np.pi * variance) + 1)))
            if law == "lognormal":
                likelihood[law] -= float(np.log(self.g).sum())
                if variance.max() > 25:  # a factor of 150 in one sigma: zeros in disguise
                    likelihood[law] = -np.inf
        return likelihood

    def _fit(self, law: Literal["gaussian", "lognormal"]) -> bool:
        """Mean error and spread; False where a lognormal median would not be above 0."""
        y = self._values(law)
        parts = components(y, self.level, self.cells, self.x.size)
        self.parts = parts
        noise = self.noise / self.g**2 if law == "lognormal" else self.noise
        base = np.bincount(self.level, noise) / parts.n
        self.reason = self._unsplit(parts)
        groups = (parts.average - parts.mean[parts.level]) / np.sqrt(parts.variance[parts.level])
        correlation, levels = shared(groups * np.sqrt(parts.count / self._inflation(parts)), parts.cell)
        self.alike = 1 + (levels - 1) * correlation
        self.alike_square = 1 + (levels - 1) * correlation**2
        square = np.where((parts.groups < parts.n) & (parts.groups > 1), parts.between, parts.variance)
        total = fit_spread(self.x, parts.variance, self._freedom(parts), base)
        self.write_spread = total.widened(self.alike_square) if total else None
        self.cell_spread: Fitted | None = None
        # The fitted variances are better known than those of single levels.
        variance = total.at(self.x) ** 2 + base if total else base
        unlike = np.average(square / parts.variance, weights=parts.n) * self.alike
        error = np.sqrt(variance * max(unlike, 1e-3) / parts.n)
        self.independent = float(parts.n.sum() / max(unlike, 1.0))
        mean = parts.mean
        if law == "lognormal":
            mean, error = self.x * np.expm1(mean), self.x * np.exp(mean) * error
        self.shift = fit_mean(self.x, mean, error, self.independent)
        median = self.target + self.shift.at(self.target) if self.shift else self.target
        if law == "lognormal" and median.min() <= 0:
            return False
        weight = 1 / error**2
        self.mean_error = float(np.average(mean, weights=weight)), float(1 / np.sqrt(weight.sum()))
        if not self.reason:
            self._split(parts, base)
        residual = np.log(self.g / median) if law == "lognormal" else self.g - median
        self.tests = self._tests(residual, noise)
        return True

    def _freedom(self, parts: Components) -> FloatArray:
        """Degrees of freedom of the variance of all writes of a level, some of which are of the same cell."""
        within, between = np.nan_to_num(parts.within), np.nan_to_num(parts.between)
        squares = (parts.n - parts.groups) * within**2 + (parts.groups - 1) * between**2
        return np.asarray(((parts.n - 1) * parts.variance) ** 2 / squares)

    def _inflation(self, parts: Components) -> FloatArray:
        """Variance of the mean of a cell at a level, times its writes, over the variance of one write."""
        at = parts.level
        within = np.where(np.isfinite(parts.within), parts.within, parts.variance)[at]
        of_cell = np.where(parts.size > 0, (parts.between - parts.within) / parts.size, 0.0)[at]
        of_cell = np.where(np.isfinite(of_cell), np.maximum(of_cell, 0.0), 0.0)
        return np.asarray(np.maximum((within + parts.count * of_cell) / parts.variance[at], 0.05))

    def _unsplit(self, parts: Components) -> str:
        """Why the spread cannot be divided into that of cells and that of writes; empty: it can."""
        if int(self.cells.max()) + 1 == self.cells.size:
            return "no cell is written more than once (or the columns cell and cycle are missing)"
        repeated = np.bincount(parts.level[parts.count > 1], minlength=self.x.size)
        if (parts.n == parts.groups).all():
            return "no cell is written more than once to the same target"
        if repeated.min() < LEAST_WRITES:
            return (
                f"at some target only {repeated.min()} cells are written more than once, and {LEAST_WRITES} are needed"
            )
        return ""

    def _split(self, parts: Components, base: FloatArray) -> None:
        """Spread from write to write, and from cell to cell (random-effects analysis of variance)."""
        dof = parts.n - parts.groups
        within = fit_spread(self.x, np.maximum(parts.within, 1e-12 * parts.variance), dof, base)
        known = base + (within.at(self.x) ** 2 if within else 0.0)
        if not (known > 0).all():
            return
        between = np.maximum(parts.between, 1e-12 * parts.variance)
        cell = fit_spread(self.x, between, parts.groups - 1, known, parts.size, base_dof=float(dof.sum()))
        if cell is None:
            return
        self.write_spread, self.cell_spread = within, cell.widened(self.alike_square)

    def _variances(self, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variance from write to write and from cell to cell, at targets in units of the largest one."""
        nothing = np.zeros(target.shape)
        both = (self.write_spread, self.cell_spread)
        write, cell = (curve.at(target) ** 2 if curve else nothing for curve in both)
        return write, cell

    def _tests(self, residual: FloatArray, noise: FloatArray) -> dict[str, tuple[float, float]]:
        """Kolmogorov-Smirnov tests: distance and p-value."""
        write, cell = self._variances(self.target)
        write = write + noise
        if not (write > 0).all():
            return {}
        parts = self.parts
        if self.cell_spread is None:
            return {"all": ks_test(residual / np.sqrt(write), self.independent)}
        mean = np.bincount(parts.group, residual) / parts.count
        several = parts.count[parts.group] > 1
        inner = (residual - mean[parts.group])[several]
        inner = inner / np.sqrt((write * (1 - 1 / parts.count[parts.group]))[several])
        of_mean = np.bincount(parts.group, write) / parts.count**2 + np.bincount(parts.group, cell) / parts.count
        z = mean / np.sqrt(of_mean)
        count = np.bincount(parts.cell)
        correlation = (self.alike - 1) / max(float(np.sum(count**2) / np.sum(count)) - 1, 1e-9)
        outer = np.bincount(parts.cell, z) / np.sqrt(count * (1 + (count - 1) * min(correlation, 1.0)))
        free = float(np.sum(parts.count - 1))
        return {"writes": ks_test(inner, free), "cells": ks_test(outer, outer.size)}

    def specs(self) -> dict[str, Any]:
        """The parts of the device."""
        top = self.writes.reference
        shift = curve_spec(self.shift, top, top)
        if self.cell_spread is None:
            return {"programming": _programming(self.law, self.write_spread, top, shift)}
        # The mean error is common to all writes of a cell, so it stands with what a cell has in common.
        return {
            "programming": _programming(self.law, self.write_spread, top, 0.0),
            "device_to_device": _programming(self.law, self.cell_spread, top, shift),
        }

    def table(self) -> LevelTable:
        """Measured and fitted spread of each level."""
        top = self.writes.reference
        n = np.bincount(self.level)
        error = self.g - self.target
        mean = np.bincount(self.level, error) / n
        spread = np.sqrt(np.bincount(self.level, (error - mean[self.level]) ** 2) / (n - 1))
        fitted = self._total(self.x)
        grid = np.linspace(self.target.min(), 1.0, 129)
        return LevelTable(
            target_siemens=self.x * top,
            writes=np.asarray(n),
            mean_siemens=(self.x + mean) * top,
            spread_siemens=spread * top,
            spread_error_siemens=spread * top / np.sqrt(2.0 * (n - 1)),
            fitted_siemens=fitted * top,
            curve_target_siemens=grid * top,
            curve_siemens=self._total(grid) * top,
        )

    def _total(self, x: FloatArray) -> FloatArray:
        """Standard deviation of g of all writes, with the noise of the reads."""
        write, cell = self._variances(x)
        variance = write + cell
        if self.law == "lognormal":
            median = x + (self.shift.at(x) if self.shift else 0.0)
            variance = median**2 * np.exp(variance) * np.expm1(variance)
        noise = np.bincount(self.level, self.noise) / np.bincount(self.level)
        return np.sqrt(variance + np.interp(x, self.x, noise))

    def estimates(self, x: float) -> list[Estimate]:
        """Main figures at one state."""
        top = self.writes.reference
        scale, unit = (1.0, "") if self.law == "lognormal" else (top, "S")
        of = " of ln g" if self.law == "lognormal" else ""
        name = "spread from write to write" if self.cell_spread else "spread of programming"
        estimates = []
        for what, curve in ((name, self.write_spread), ("spread from cell to cell", self.cell_spread)):
            if curve:
                estimates.append(Estimate(what + of, float(curve.at(x)) * scale, float(curve.error(x)) * scale, unit))
        if self.shift:
            value, error = float(self.shift.at(x)), float(self.shift.error(x))
            estimates.append(Estimate("mean error", value * top, error * top, "S"))
        else:
            value, error = self.mean_error
            estimates.append(Estimate("mean error (not significant, left out)", value * top, error * top, "S"))
        return estimates

    def goodness(self) -> list[Goodness]:
        """How well the curves and the law fit."""
        table = self.table()
        weight = table.writes / table.fitted_siemens**2
        mean = np.average(table.spread_siemens, weights=weight)
        whole = float(np.sum(weight * (table.spread_siemens - mean) ** 2))
        left = float(np.sum(weight * (table.spread_siemens - table.fitted_siemens) ** 2))
        rows = []
        if whole > 0:
            meaning = "share of the differences between the levels that the curve explains; 0: it does not vary"
            rows.append(Goodness("R^2 of the spread", 1 - left / whole, meaning))
        for what, curve in (("", self.write_spread), (" from cell to cell", self.cell_spread)):
            if curve and curve.free:
                p = float(stats.chi2.sf(curve.deviance, curve.free))
                meaning = "near 1: the levels stray from the curve as far as the number of writes lets expect"
                rows += [
                    Goodness(f"chi^2 per degree of freedom of the spread{what}", curve.deviance / curve.free, meaning),
                    Goodness(
                        f"p-value of the curve of the spread{what}", p, "below 0.01: the curve misses some levels"
                    ),
                ]
        for law, value in self.likelihood.items():
            rows.append(
                Goodness(f"log-likelihood, {law}", value, "the larger one is the likelier law; -inf: impossible")
            )
        for of, (distance, p) in self.tests.items():
            meaning = f"Kolmogorov-Smirnov, {self.law} law; below 0.01: another law (largest distance {distance:.3g})"
            rows.append(Goodness(f"p-value of the law, {of}", p, meaning))
        return rows

    def warnings(self) -> list[str]:
        """What speaks against the fit."""
        warnings = []
        if self.cell_spread is None:
            why = f"how much of it stays with a cell is unknown, as {self.reason}"
            why = why if self.reason else "none that stays with a cell was found"
            warnings.append(f"All spread is drawn anew at every write: {why}.")
        n_cells = int(self.cells.max()) + 1
        if n_cells < _FEW_CELLS and n_cells < self.cells.size:
            known = f"a spread over them is known to +-{100 / np.sqrt(2 * max(n_cells - 1, 1)):.0f} % only."
            warnings.append(f"Few cells, {n_cells}: " + (known if n_cells > 1 else "others may differ in all figures."))
        zeros = np.bincount(self.level, self.g <= 0) / np.bincount(self.level)
        if (zeros > 0.02).any():
            at = int(zeros.argmax())
            warnings.append(
                f"{100 * zeros[at]:.0f} % of the reads at {self.x[at] * self.writes.reference:g} S are 0: spread and "
                "mean error there are those of a distribution cut at 0."
            )
        poor = (row for row in self.goodness() if row.what.startswith("p-value") and row.value < _POOR)
        return [*warnings, *(f"Poor fit: {row.what} is {row.value:.2g} ({row.meaning})." for row in poor)]


def curve_spec(fitted: Fitted | None, scale: float, reference: float) -> CurveSpec | float:
    """A curve in its unit; 0 where nothing was fitted."""
    if fitted is None:
        return 0.0
    coefficients = tuple((fitted.coefficients * scale).tolist())
    return CurveSpec(coefficients=coefficients, reference_siemens=reference) if fitted.degree else coefficients[0]


def _programming(
    law: Literal["gaussian", "lognormal"], fitted: Fitted | None, top: float, shift: CurveSpec | float
) -> SpreadSpec:
    given: dict[str, Any] = {"shift_siemens": shift} if shift else {}
    if fitted is None:
        return GaussianSpreadSpec(**given)
    if law == "lognormal":
        return LognormalSpreadSpec(spread_log=curve_spec(fitted, 1.0, top), **given)
    return GaussianSpreadSpec(spread_siemens=curve_spec(fitted, top, top), **given)
