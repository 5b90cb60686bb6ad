"""Cells of a law that comes as functions: currents, slopes, and where a step of Newton's method may go."""

import math

import numpy as np
import pytest
from reference.conduction import formula_currents as by_bisection

from rramsim.kernels.formula import BY_CONDUCTANCE, EVALUATE, LIMIT, Formula, address_of, formula_currents


def tanh_current(volt, siemens, parameters):
    return siemens * parameters[0] * math.tanh(volt / parameters[0])


def tanh_slope(volt, siemens, parameters):
    return siemens / math.cosh(volt / parameters[0]) ** 2


def tanh_by_conductance(volt, siemens, parameters):
    return parameters[0] * math.tanh(volt / parameters[0])


def lopsided_current(volt, siemens, parameters):
    return siemens * (volt + parameters[0] * volt * volt)


def lopsided_slope(volt, siemens, parameters):
    return siemens * (1.0 + 2.0 * parameters[0] * volt)


def lopsided_by_conductance(volt, siemens, parameters):
    return volt + parameters[0] * volt * volt


TANH = Formula(tanh_current, tanh_slope, tanh_by_conductance)
LOPSIDED = Formula(lopsided_current, lopsided_slope, lopsided_by_conductance)
G = np.array([0.0, 1e-6, 3e-5, 1e-4, 2e-4])
V = np.array([0.3, -0.2, 0.7, -0.9, 0.0])


def evaluated(formula, what, reach, series_ohm, polarity, v=V):
    current, slope, numbers = np.empty(G.size), np.empty(G.size), np.array([0.4])
    formula_currents(address_of(formula), what, reach, series_ohm, polarity, numbers, G, v, v, current, slope)
    return current, slope


@pytest.mark.parametrize("what", [EVALUATE, BY_CONDUCTANCE])
@pytest.mark.parametrize("series_ohm", [0.0, 3e3, 1e6])
@pytest.mark.parametrize("polarity", [1.0, -1.0])
@pytest.mark.parametrize(("formula", "reach"), [(TANH, np.inf), (TANH, 0.5), (LOPSIDED, 0.5)])
def test_against_bisection(formula, reach, polarity, series_ohm, what):
    expected = by_bisection(formula, what, reach, series_ohm, polarity, np.array([0.4]), G, V)
    for ours, theirs in zip(evaluated(formula, what, reach, series_ohm, polarity), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-22)


def test_a_step_that_leads_nowhere_is_shortened():
    """A step of Newton's method stops at 0 V on its way to the other polarity, where the line was far off."""
    wanted = np.full(G.size, -5.0)
    last = np.full(G.size, 0.5)
    current, slope = evaluated(TANH, EVALUATE, np.inf, 0.0, 1.0, last)
    formula_currents(address_of(TANH), LIMIT, np.inf, 0.0, 1.0, np.array([0.4]), G, wanted, last, current, slope)
    assert wanted[0] == -5.0  # an open cell goes anywhere
    assert (wanted[1:] == 0.0).all()


def test_a_law_is_compiled_once():
    assert address_of(TANH) == address_of(Formula(*TANH)) != address_of(LOPSIDED)
