"""What time does to a fitted device: writes that were read again and again.

Synthetic data come from devices of known figures, with fixed seeds. A figure is found where it lies within 4.5 of its
standard errors (false alarm 7e-6 for each).
"""

import numpy as np
import pytest
from helpers.measuring import EVERYTHING, LEVELS, TIMES, deviations, estimates, gaussian, goodness, table
from numpy.testing import assert_allclose

from rramsim.cell.curves import value_at
from rramsim.cell.fitting.fit import fit_device
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.retention import DriftSpec
from rramsim.errors import RangeError


def test_too_few_times():
    fit = fit_device(table(EVERYTHING, cells=40, times=(1.0, 1e4)))
    assert fit.device.drift.ideal
    assert fit.device.relaxation.ideal
    assert fit.device.fitted_until_second == fit.device.settled_second == 1.0
    assert any("0 writes were read at 3 times or more" in warning for warning in fit.warnings)
    with pytest.raises(RangeError, match="no figure after 1 s"):
        fit.device.program(LEVELS, rng=0).conductance(100.0)


def test_a_decade_is_needed():
    data = table(EVERYTHING, cells=40, times=(1.0, 3.0, 9.0))
    assert fit_device(data).device.drift.ideal
    data["time_second"] = data["time_second"] ** 1.2
    assert not fit_device(data).device.drift.ideal


def test_nothing_drifts():
    fit = fit_device(table(gaussian(read_noise=ReadNoiseSpec(relative_deviation=0.01)), cells=40, times=TIMES))
    assert fit.device.drift.ideal
    assert fit.device.relaxation.ideal
    assert fit.device.fitted_until_second == 1e4
    assert any("Nothing that time does was found" in warning for warning in fit.warnings)


def test_drift_without_noise():
    """Reads that lie on their lines: the exponents themselves, to the digits of the data."""
    spec = gaussian(drift=DriftSpec(exponent=0.05))
    fit = fit_device(table(spec, cells=20, times=TIMES))
    assert estimates(fit)["drift exponent"].value == pytest.approx(0.05, rel=1e-6)
    assert fit.device.drift.exponent_spread == 0.0
    assert fit.device.settled_second == 1.0
    assert fit.device.fitted_until_second == 1e4
    assert goodness(fit)["R^2 of the drift, power law"] == pytest.approx(1.0)


def test_exponents_that_depend_on_the_state():
    spec = gaussian(drift=DriftSpec(exponent=(0.08, -0.06), exponent_spread=0.01))
    drift = fit_device(table(spec, cells=100, times=TIMES)).device.drift
    exponent = value_at(drift.exponent, LEVELS, 40e-6)
    assert_allclose(exponent, value_at((0.08, -0.06), LEVELS, 40e-6), atol=4.5 * 0.01 / np.sqrt(100))


def test_reads_that_came_late():
    """Half of the cells are read first a minute later: they tell of drift, not of the spread of writes."""
    data = table(gaussian(drift=DriftSpec(exponent=0.05)), cells=60, times=(1.0, 60.0, 600.0, 6000.0))
    late = (data["cell"] >= 30) & (data["time_second"] == 1.0)
    fit = fit_device({name: values[~late] for name, values in data.items()})
    assert fit.levels.writes.tolist() == [30] * LEVELS.size
    assert goodness(fit)["writes followed in time"] == 60 * LEVELS.size
    assert any("180 writes were first read much later" in warning for warning in fit.warnings)


def test_first_reads_that_are_a_little_late():
    """They are taken back to the first time, so that drift makes no mean error."""
    data = table(gaussian(drift=DriftSpec(exponent=0.1)), cells=100, times=(1.0, 1.9, 60.0, 600.0))
    early = (data["cell"] >= 50) & (data["time_second"] == 1.0)
    fit = fit_device({name: values[~early] for name, values in data.items()})
    assert fit.levels.writes.tolist() == [100] * LEVELS.size
    off = deviations(fit, {"mean error": 0.0, "spread of programming": 1e-6})
    assert max(map(abs, off.values())) < 4.5
