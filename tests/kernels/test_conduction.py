"""Currents of cells by their laws, and behind a resistor."""

import numpy as np
import pytest
from helpers.compiled import COMPILED
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.conduction import CUBIC, LAWS, LINEAR, SINH, cell_currents, polynomial_currents

EPS = np.finfo(float).eps
CURVATURE = {LINEAR: 0.0, SINH: 12.0, CUBIC: 7.0}
ONE_PARAMETER = pytest.mark.parametrize("law", [LINEAR, SINH, CUBIC], ids=LAWS[:3])
COUNT = 20000 if COMPILED else 200


def evaluated(law, c, series_ohm, g, v):
    """Currents and slopes, written over nan."""
    g, v = (np.ascontiguousarray(x, dtype=float) for x in np.broadcast_arrays(g, v))
    current, slope = np.full(g.shape, np.nan), np.full(g.shape, np.nan)
    cell_currents(law, c, series_ohm, g, v, current, slope)
    return current, slope


def assert_close(computed, expected, ulps):
    """Each number by itself, in units of its last place."""
    expected = np.asarray(expected)
    assert_allclose(computed.astype(np.longdouble), expected, rtol=ulps * EPS, atol=1e-320)


def test_the_laws_by_number():
    assert LAWS == ("linear", "sinh", "cubic", "polynomial", "formula")


class TestLaws:
    def test_linear(self):
        g, v = np.array([1e-3, 0.0, 2e-6]), np.array([-0.5, 0.3, 0.0])
        current, slope = evaluated(LINEAR, 0.0, 0.0, g, v)
        assert_array_equal(current, g * v)
        assert_array_equal(slope, g)

    def test_cubic(self):
        rng = np.random.default_rng(0)
        g, v = 10.0 ** rng.uniform(-9, -3, COUNT), rng.uniform(-3, 3, COUNT)
        current, slope = evaluated(CUBIC, 7.0, 0.0, g, v)
        wide, volt = g.astype(np.longdouble), v.astype(np.longdouble)
        assert_close(current, wide * (volt + 7 * volt**3), 4)
        assert_close(slope, wide * (1 + 21 * volt**2), 4)

    @pytest.mark.parametrize("most", [1e-9, 0.1, 1.0, 4.0])
    def test_sinh_by_its_polynomial(self, most):
        """Up to an argument of 4, all numbers at once."""
        x = np.linspace(-most, most, COUNT)
        current, slope = evaluated(SINH, 1.0, 0.0, 1.0, x)
        assert_close(current, np.sinh(x.astype(np.longdouble)), 8)
        assert_close(slope, np.cosh(x.astype(np.longdouble)), 8)

    @pytest.mark.parametrize("most", [np.nextafter(4.0, 5.0), 5.0, 50.0, 700.0])
    def test_sinh_beyond(self, most):
        x = np.linspace(-most, most, COUNT)
        current, slope = evaluated(SINH, 1.0, 0.0, 1.0, x)
        assert_close(current, np.sinh(x.astype(np.longdouble)), 3)
        assert_close(slope, np.cosh(x.astype(np.longdouble)), 3)

    def test_sinh_with_its_units(self):
        rng = np.random.default_rng(1)
        g, v = 10.0 ** rng.uniform(-9, -3, COUNT), rng.uniform(-0.3, 0.3, COUNT)
        for volt in (0.25, 0.08, 0.04):
            current, slope = evaluated(SINH, 1 / volt, 0.0, g, v)
            argument = v.astype(np.longdouble) * (1 / volt)
            assert_close(current, g * np.sinh(argument) / (1 / volt), 12)
            assert_close(slope, g * np.cosh(argument), 12)

    def test_sinh_of_small_voltages(self):
        """No digit is lost however small."""
        v = 10.0 ** np.linspace(-300, 0, COUNT)
        current, _ = evaluated(SINH, 1.0, 0.0, 1.0, v)
        assert_close(current, np.sinh(v.astype(np.longdouble)), 8)

    @ONE_PARAMETER
    @pytest.mark.parametrize("series_ohm", [0.0, 2e3])
    @pytest.mark.parametrize("scale", [0.1, 3.0])
    def test_odd(self, law, series_ohm, scale):
        v = scale * np.random.default_rng(2).uniform(0, 1, 100)
        up, down = (evaluated(law, CURVATURE[law], series_ohm, 1e-4, sign * v) for sign in (1, -1))
        assert_array_equal(up[0], -down[0])
        assert_array_equal(up[1], down[1])

    @ONE_PARAMETER
    @pytest.mark.parametrize("series_ohm", [0.0, 2e3])
    def test_no_voltage_and_no_cell(self, law, series_ohm):
        current, slope = evaluated(law, CURVATURE[law], series_ohm, [1e-4, 0.0, 0.0], [0.0, 0.3, -2.0])
        assert not current.any()
        assert_allclose(slope, [1e-4 / (1 + series_ohm * 1e-4), 0, 0], rtol=1e-15)

    @ONE_PARAMETER
    def test_nothing_at_all(self, law):
        for series_ohm in (0.0, 1e3):
            evaluated(law, CURVATURE[law], series_ohm, np.empty(0), np.empty(0))


class TestSeriesResistor:
    @ONE_PARAMETER
    @pytest.mark.parametrize("most", [0.05, 0.5, 3.0])
    def test_against_bisection(self, law, most):
        rng = np.random.default_rng(3)
        n = COUNT // 10
        g, v = 10.0 ** rng.uniform(-9, -3, n), rng.uniform(-most, most, n)
        for series_ohm in (1e-3, 50.0, 2e3, 1e7):
            current, slope = evaluated(law, CURVATURE[law], series_ohm, g, v)
            expected = ORACLES[cell_currents](law, CURVATURE[law], series_ohm, g, v)
            # A current behind a large resistor is as exact as the voltage that is left of it.
            assert_close(current, expected[0], 60)
            assert_close(slope, expected[1], 200)

    @ONE_PARAMETER
    @pytest.mark.parametrize("volt", [0.01, 0.3, 2.0, 15.0])
    def test_the_currents_agree(self, law, volt):
        """i = f(v - R i), as far as rounding of the voltage that is left tells."""
        series_ohm, g = 2e3, 1e-4
        current, _ = evaluated(law, CURVATURE[law], series_ohm, g, np.linspace(-volt, volt, 201))
        inner = np.linspace(-volt, volt, 201).astype(np.longdouble) - series_ohm * current.astype(np.longdouble)
        through, slope = ORACLES[cell_currents](law, CURVATURE[law], 0.0, np.full(201, g), inner)
        assert (np.abs(through - current) <= 8 * EPS * (np.abs(through) + slope * volt)).all()

    @pytest.mark.parametrize("knee", [0.02, 0.01, 0.004, 0.001])
    def test_a_resistor_tames_any_voltage(self, knee):
        """However far the cell alone would be beyond its knee."""
        v = np.array([0.1, 1.0, 3.0, 5.0])
        current, slope = evaluated(SINH, 1 / knee, 1e3, 1e-4, v)
        expected = ORACLES[cell_currents](SINH, 1 / knee, 1e3, np.full(4, 1e-4), v)
        assert_allclose(current, expected[0].astype(float), rtol=1e-12)
        assert_allclose(slope, expected[1].astype(float), rtol=1e-10)

    @pytest.mark.parametrize("curvature", [1e3, 1e9])
    def test_a_steep_cubic(self, curvature):
        v = np.array([0.1, 1.0, 3.0, 50.0])
        current, slope = evaluated(CUBIC, curvature, 1e3, 1e-4, v)
        expected = ORACLES[cell_currents](CUBIC, curvature, 1e3, np.full(4, 1e-4), v)
        assert_allclose(current, expected[0].astype(float), rtol=1e-12)
        assert_allclose(slope, expected[1].astype(float), rtol=1e-10)

    def test_linear_is_a_voltage_divider(self):
        current, slope = evaluated(LINEAR, 0.0, 1e4, [1e-4, 1e-6], [0.3, -0.2])
        assert_allclose(current, [0.3 / 2e4, -0.2 / 1.01e6], rtol=1e-15)
        assert_allclose(slope, [1 / 2e4, 1 / 1.01e6], rtol=1e-15)


class TestSlope:
    @settings(max_examples=examples(200) if COMPILED else 30)
    @given(
        st.sampled_from([LINEAR, SINH, CUBIC]),
        st.sampled_from([0.0, 1.0, 3e3]),
        st.floats(1e-6, 1e-3),
        st.floats(-1, 1),
    )
    def test_against_differences(self, law, series_ohm, g, v):
        step = 1e-5
        at = np.array([v - 2 * step, v - step, v, v + step, v + 2 * step])
        current, slope = evaluated(law, CURVATURE[law], series_ohm, g, at)
        difference = (current[0] - 8 * current[1] + 8 * current[3] - current[4]) / (12 * step)
        assert slope[2] == pytest.approx(difference, rel=1e-7)
        assert (np.diff(current) > 0).all()


def random_polynomials(n, reach, seed=4):
    """Cells that rise up to ``reach`` at either polarity, some of them hardly: (g, square, cube)."""
    rng = np.random.default_rng(seed)
    g = 10.0 ** rng.uniform(-9, -3, n)
    # 2 |p| u + 3 |q| u^2 < g.
    share = 1 - 10.0 ** rng.uniform(-3, 0, n)
    split = rng.random(n)
    square = rng.choice([-1, 1], n) * share * split * g / (2 * reach)
    cube = rng.choice([-1, 1], n) * share * (1 - split) * g / (3 * reach**2)
    return g, square, cube


def polynomials(reach, series_ohm, g, square, cube, v):
    """Currents and slopes, written over nan."""
    numbers = (np.ascontiguousarray(x, dtype=float) for x in np.broadcast_arrays(g, square, cube, v))
    g, square, cube, v = numbers
    current, slope = np.full(g.shape, np.nan), np.full(g.shape, np.nan)
    polynomial_currents(reach, series_ohm, g, square, cube, v, current, slope)
    return current, slope


class TestPolynomial:
    def test_by_hand(self):
        """1e-4 x 0.2 - 2e-4 x 0.04 + 3e-4 x 0.008, and at the other polarity."""
        current, slope = polynomials(0.5, 0.0, 1e-4, -2e-4, 3e-4, [0.2, -0.2])
        assert_allclose(current, [1.44e-5, -3.04e-5], rtol=1e-15)
        assert_allclose(slope, [5.6e-5, 21.6e-5], rtol=1e-15)

    def test_it_goes_on_along_its_tangent(self):
        at, slope = polynomials(0.5, 0.0, 1e-4, -5e-5, 2e-5, [0.5, -0.5])
        beyond, tangent = polynomials(0.5, 0.0, 1e-4, -5e-5, 2e-5, [0.8, -1.5])
        assert_array_equal(tangent, slope)
        assert_allclose(beyond, at + slope * [0.3, -1.0], rtol=1e-15)
        # Without a bend in between.
        step = 1e-7
        near = polynomials(0.5, 0.0, 1e-4, -5e-5, 2e-5, [0.5 - step, 0.5 + step])
        assert_allclose(np.diff(near[0]), 2 * step * slope[0], rtol=1e-6)

    @pytest.mark.parametrize("series_ohm", [0.0, 1e-3, 50.0, 2e3, 1e7])
    @pytest.mark.parametrize("most", [0.05, 0.5, 3.0])
    def test_against_bisection(self, series_ohm, most):
        """Some cells hardly rise at the end of their law, and some voltages are beyond it."""
        n = COUNT // 10
        g, square, cube = random_polynomials(n, 0.5)
        v = np.random.default_rng(5).uniform(-most, most, n)
        current, slope = polynomials(0.5, series_ohm, g, square, cube, v)
        expected = ORACLES[polynomial_currents](0.5, series_ohm, g, square, cube, v)
        # The voltage of a cell is known to its rounding: its current is, by the slope.
        rounding = 20 * EPS * (np.abs(expected[0]) + expected[1] * np.abs(v))
        assert (np.abs(current - expected[0]) <= rounding).all()
        assert_allclose(slope, expected[1].astype(float), rtol=1e-11)

    @pytest.mark.parametrize("series_ohm", [0.0, 2e3])
    def test_a_cubic_without_squares_is_the_cubic_law(self, series_ohm):
        g, v = np.full(101, 1e-4), np.linspace(-1, 1, 101)
        currents = polynomials(2.0, series_ohm, g, 0.0, 7.0 * g, v)
        expected = evaluated(CUBIC, 7.0, series_ohm, g, v)
        assert_allclose(currents[0], expected[0], rtol=1e-14)
        assert_allclose(currents[1], expected[1], rtol=1e-14)

    @pytest.mark.parametrize("series_ohm", [0.0, 2e3])
    def test_no_voltage_and_no_cell(self, series_ohm):
        g, square, cube = [1e-4, 0.0, 0.0], [1e-5, 0.0, 0.0], [1e-5, 0.0, 0.0]
        current, slope = polynomials(0.5, series_ohm, g, square, cube, [0.0, 0.3, -2.0])
        assert not current.any()
        assert_allclose(slope, [1e-4 / (1 + series_ohm * 1e-4), 0, 0], rtol=1e-15)
        polynomials(0.5, series_ohm, *np.empty((4, 0)))

    def test_without_any_reach_it_is_linear(self):
        current, slope = polynomials(0.0, 0.0, 1e-4, 1e-3, 1e-3, [0.3, -0.2])
        assert_allclose(current, [3e-5, -2e-5], rtol=1e-15)
        assert_array_equal(slope, 1e-4)

    @pytest.mark.parametrize("series_ohm", [0.0, 1.0, 3e3])
    def test_slopes_against_differences(self, series_ohm):
        g, square, cube = random_polynomials(50, 0.5, seed=6)
        v, step = np.random.default_rng(7).uniform(-0.45, 0.45, 50), 1e-4
        at = [polynomials(0.5, series_ohm, g, square, cube, v + k * step)[0] for k in (-2, -1, 1, 2)]
        difference = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)
        slope = polynomials(0.5, series_ohm, g, square, cube, v)[1]
        assert (np.abs(slope - difference) <= 1e-7 * difference + 1e-10 * g).all()
        assert (np.diff(at, axis=0) > 0).all()
