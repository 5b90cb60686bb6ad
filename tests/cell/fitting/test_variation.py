"""The spread of a fitted device: the law it follows, and what of it stays with a cell.

Synthetic data come from devices of known figures, with fixed seeds. A figure is found where it lies within 4.5 of its
standard errors (false alarm 7e-6 for each).
"""

import numpy as np
import pytest
from helpers.measuring import EVERYTHING, LEVELS, MIDDLE, WINDOW, deviations, gaussian, goodness, table
from scipy import stats

from rramsim.cell.device import DeviceSpec
from rramsim.cell.fitting.fit import fit_device
from rramsim.cell.spread import GaussianSpreadSpec, LognormalSpreadSpec


class TestTheWrongLawShows:
    @staticmethod
    def fitted(draw, cells=1000):
        rng = np.random.default_rng(2)
        target = np.repeat(LEVELS, cells)
        return fit_device(
            {"target_siemens": target, "read_siemens": np.maximum(target + 4e-7 * draw(rng, target.size), 0)}
        )

    @pytest.mark.parametrize(
        "draw",
        [
            lambda rng, n: rng.uniform(-1, 1, n),
            lambda rng, n: rng.choice([-1.0, 1.0], n) + 0.3 * rng.standard_normal(n),
            lambda rng, n: rng.standard_t(2.5, n),
        ],
        ids=["uniform", "two states", "long tails"],
    )
    def test_neither_law(self, draw):
        fit = self.fitted(draw)
        assert goodness(fit)["p-value of the law, all"] < 1e-4
        assert any("Poor fit: p-value of the law" in warning for warning in fit.warnings)

    def test_the_right_law(self):
        fit = self.fitted(lambda rng, n: rng.standard_normal(n))
        assert goodness(fit)["p-value of the law, all"] > 1e-4
        assert not any("Poor fit" in warning for warning in fit.warnings)

    def test_likelihoods_are_those_of_scipy(self):
        data = table(DeviceSpec(**WINDOW, programming=LognormalSpreadSpec(spread_log=0.4)), cells=100)
        fit = fit_device(data)
        likelihood = {"gaussian": 0.0, "lognormal": 0.0}
        for level in LEVELS:
            g = data["read_siemens"][data["target_siemens"] == level] / 40e-6
            likelihood["gaussian"] += stats.norm(g.mean(), g.std()).logpdf(g).sum()
            likelihood["lognormal"] += stats.lognorm(np.log(g).std(), scale=np.exp(np.log(g).mean())).logpdf(g).sum()
        for law, value in likelihood.items():
            assert goodness(fit)[f"log-likelihood, {law}"] == pytest.approx(value, rel=1e-9)
        assert likelihood["lognormal"] > likelihood["gaussian"]
        assert fit.device.programming.law == "lognormal"

    def test_no_curve_follows_a_level_of_its_own(self):
        """One of 12 levels is five times as wide."""
        targets = np.linspace(5e-6, 40e-6, 12)
        wide = np.where(np.arange(12) == 5, 5e-6, 1e-6)
        points = [(float(g), float(sigma)) for g, sigma in zip(targets, wide, strict=True)]
        spec = DeviceSpec(**WINDOW, programming=GaussianSpreadSpec(spread_siemens={"points": points}))
        fit = fit_device(table(spec, targets, cells=2000))
        assert goodness(fit)["p-value of the curve of the spread"] < 1e-4
        assert any("curve of the spread" in warning for warning in fit.warnings)

    def test_what_a_cell_keeps_has_a_law_too(self):
        """Cells of two kinds, one of them 3 uS too high: the writes are Gaussian, the cells are not."""
        rng = np.random.default_rng(3)
        shape = (LEVELS.size, 4, 200)
        target = np.broadcast_to(LEVELS[:, None, None], shape)
        g = target + 3e-6 * rng.integers(0, 2, 200) + 0.5e-6 * rng.standard_normal(shape)
        index = np.indices(shape)
        data = {"target_siemens": target, "read_siemens": g, "cycle": index[1], "cell": index[2]}
        p_value = goodness(fit_device({name: values.ravel() for name, values in data.items()}))
        assert p_value["p-value of the law, cells"] < 1e-4 < p_value["p-value of the law, writes"]


class TestCellsAndWrites:
    def test_cells_and_writes_stay_together(self):
        """Without names of the cells the whole spread is drawn at every write, and the fit says so."""
        data = table(EVERYTHING, cells=200)
        fit = fit_device({name: data[name] for name in ("target_siemens", "read_siemens")})
        both = np.sqrt((0.3e-6 + 1e-6 * MIDDLE / 40e-6) ** 2 + 0.7e-6**2 + (0.01 * MIDDLE) ** 2)
        assert abs(deviations(fit, {"spread of programming": both})["spread of programming"]) < 4.5
        assert fit.device.device_to_device.ideal
        assert any("how much of it stays with a cell is unknown" in warning for warning in fit.warnings)
        assert "what of the spread stays with a cell" in fit.device.note
        assert fit.device.fitted_until_second is None

    @pytest.mark.parametrize(
        ("cells", "cycles", "reason"),
        [
            (40, 1, "no cell is written more than once to the same target"),
            (5, 30, "only 5 cells are written more than once, and 8 are needed"),
        ],
    )
    def test_why_they_are_not_told_apart(self, cells, cycles, reason):
        fit = fit_device(table(gaussian(), cells=cells, cycles=cycles))
        assert fit.device.device_to_device.ideal
        assert any(reason in warning for warning in fit.warnings)
        assert any("Few cells, 5" in warning for warning in fit.warnings) == (cells == 5)

    def test_nothing_stays_with_a_cell(self):
        fit = fit_device(table(gaussian(), cells=50, cycles=4))
        assert fit.device.device_to_device.ideal
        assert any("none that stays with a cell was found" in warning for warning in fit.warnings)

    def test_cells_with_some_writes_lost(self):
        """A third of the rows is missing: the division is that of unbalanced groups."""
        data = table(EVERYTHING, cells=150, cycles=4)
        part = np.random.default_rng(1).random(data["cell"].size) < 0.67
        fit = fit_device({name: values[part] for name, values in data.items()})
        writes = np.hypot(0.3e-6 + 1e-6 * MIDDLE / 40e-6, 0.01 * MIDDLE)
        off = deviations(fit, {"spread from write to write": writes, "spread from cell to cell": 0.7e-6})
        assert max(map(abs, off.values())) < 4.5


def test_reads_cut_at_zero():
    data = table(gaussian(), np.array([1e-6, 20e-6, 40e-6]), cells=100)
    assert any("of the reads at 1e-06 S are 0" in warning for warning in fit_device(data).warnings)


def test_two_levels_leave_nothing_to_test():
    figures = goodness(fit_device(table(EVERYTHING, LEVELS[[0, 5]], cells=400)))
    assert "p-value of the curve of the spread" not in figures
    assert figures["levels"] == 2
