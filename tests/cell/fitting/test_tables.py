"""Measured and fitted values beside each other."""

import numpy as np
import pytest
from helpers.measuring import EVERYTHING, LEVELS, TIMES, gaussian, table
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.fitting.fit import fit_device


def test_retention_table():
    fit = fit_device(table(EVERYTHING, cells=200, times=TIMES))
    assert_array_equal(fit.retention.time_second.round(9), TIMES)
    assert_allclose(fit.retention.fitted, np.asarray(TIMES) ** -0.03, rtol=0.01)
    assert_allclose(fit.retention.relative, fit.retention.fitted, rtol=0.005)
    measured, fitted = fit.retention.series()
    assert (measured.x is fitted.x, measured.y is fit.retention.relative) == (True, True)
    assert fitted.y is fit.retention.fitted
    assert fit_device(table(gaussian(), cells=20)).retention is None


def test_level_table():
    data = table(gaussian(), cells=50)
    levels = fit_device(data).levels
    for k, level in enumerate(LEVELS):
        g = data["read_siemens"][data["target_siemens"] == level]
        assert levels.mean_siemens[k] == pytest.approx(g.mean(), rel=1e-12)
        assert levels.spread_siemens[k] == pytest.approx(g.std(ddof=1), rel=1e-12)
    assert_allclose(np.interp(LEVELS, levels.curve_target_siemens, levels.curve_siemens), levels.fitted_siemens)
    measured, fitted = levels.series()
    assert_array_equal((measured.x, measured.y), (levels.target_siemens, levels.spread_siemens))
    assert measured.deviation is levels.spread_error_siemens
    assert_array_equal((fitted.x, fitted.y), (levels.curve_target_siemens, levels.curve_siemens))
