"""The I-V law of a cell: what is refused, and what its currents and their derivatives obey."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.conduction import (
    CONDUCTION_LAWS,
    CubicConductionSpec,
    LinearConductionSpec,
    PolynomialConductionSpec,
    SinhConductionSpec,
)
from rramsim.cell.curves import CurveSpec
from rramsim.cell.device import DeviceSpec
from rramsim.errors import RangeError, SpecError

SINH = SinhConductionSpec(sinh_volt=0.25)
CUBIC = CubicConductionSpec(cubic_per_square_volt=4.0)
LAWS = [LinearConductionSpec(), SINH, CUBIC]
ALL = [law.but({"series_ohm": ohm}) for law in LAWS for ohm in (0.0, 2e3)]
NAMED = pytest.mark.parametrize("law", ALL, ids=lambda law: f"{law.law} {law.series_ohm:g}")

OHM = st.one_of(st.just(0.0), st.floats(1.0, 1e5))
ANY = st.one_of(
    st.builds(LinearConductionSpec, series_ohm=OHM),
    st.builds(SinhConductionSpec, sinh_volt=st.floats(0.05, 2.0), series_ohm=OHM),
    st.builds(CubicConductionSpec, cubic_per_square_volt=st.floats(0.01, 100.0), series_ohm=OHM),
)
SIEMENS = st.floats(1e-9, 1e-3)
VOLTS = st.floats(-2, 2)


class TestSpec:
    def test_the_default_is_linear(self):
        assert LinearConductionSpec().linear
        assert not SINH.linear
        assert not CUBIC.linear
        assert LinearConductionSpec(series_ohm=1e3).linear

    def test_what_the_kernels_take(self):
        assert [(law.kind, law.curvature) for law in LAWS] == [(0, 0.0), (1, 4.0), (2, 4.0)]

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"law": "sinh"}, "SinhConductionSpec: sinh_volt: missing. V0 of the sinh law"),
            ({"law": "sinh", "sinh_volt": 0.0}, "SinhConductionSpec: sinh_volt: got 0.0; it is above 0."),
            ({"law": "cubic"}, "CubicConductionSpec: cubic_per_square_volt: missing."),
            ({"sinh_volt": 0.1}, "sinh_volt: unknown key"),
            ({"law": "cubic", "cubic_per_square_volt": 1.0, "sinh_volt": 0.1}, "sinh_volt: unknown key"),
        ],
    )
    def test_a_curvature_belongs_to_its_law(self, fields, sentence):
        with pytest.raises(SpecError) as raised:
            CONDUCTION_LAWS.checked(fields)
        assert sentence in str(raised.value)

    @pytest.mark.parametrize("key", ["sinh_volt", "cubic_per_square_volt", "series_ohm"])
    @pytest.mark.parametrize(
        ("wrong", "allowed"),
        [(-1.0, "at least 0"), (float("nan"), "a finite number"), (float("inf"), "a finite number"), ("1", "a number")],
    )
    def test_numbers(self, key, wrong, allowed):
        law = {"cubic_per_square_volt": 1.0, "law": "cubic"} if key != "sinh_volt" else {"law": "sinh"}
        allowed = "above 0" if wrong == -1.0 and key != "series_ohm" else allowed
        with pytest.raises(SpecError, match=rf"ConductionSpec: {key}: got {wrong!r}; it is {allowed}\. "):
            CONDUCTION_LAWS.checked({**law, key: wrong})

    def test_an_unknown_law(self):
        with pytest.raises(SpecError, match=r"conduction\.law: got 'tanh'; .* linear, sinh, cubic, polynomial"):
            DeviceSpec(conduction={"law": "tanh"})

    def test_an_unknown_key(self):
        with pytest.raises(SpecError, match="v0: unknown key"):
            CONDUCTION_LAWS.checked({"v0": 0.1})


class TestCurrent:
    def test_by_hand(self):
        assert LinearConductionSpec().current(1e-4, 0.3) == pytest.approx(3e-5, rel=1e-15)
        assert SINH.current(1e-4, 0.25) == pytest.approx(1e-4 * 0.25 * 1.1752011936438014, rel=1e-14)
        assert CUBIC.current(1e-4, 0.5) == pytest.approx(1e-4 * (0.5 + 4 * 0.125), rel=1e-15)
        assert LinearConductionSpec(series_ohm=1e4).current(1e-4, 0.3) == pytest.approx(1.5e-5, rel=1e-15)
        # 1 V across 5 kilo-ohm and a cell that takes 0.5 V: 1e-4 siemens (0.5 + 0.5) V.
        gated = CUBIC.but({"series_ohm": 5e3})
        assert gated.current(1e-4, 1.0) == pytest.approx(1e-4, rel=1e-14)

    @NAMED
    def test_arguments_are_broadcast(self, law):
        g, v = np.linspace(0, 1e-3, 3)[:, None], np.linspace(-0.5, 0.5, 4)
        for function in (law.current, law.slope, law.by_conductance):
            table = function(g, v)
            assert table.shape == (3, 4)
            assert_allclose(table, [[function(x, y) for y in v] for x in g.ravel()], rtol=1e-13)
            assert function(g[::2], v[::-1]).tolist() == table[::2, ::-1].tolist()
            assert function(1e-4, 0.1).shape == ()
            assert function(np.empty((0, 3)), 0.1).shape == (0, 3)

    @NAMED
    def test_arguments_stay_as_they_are(self, law):
        g, v = np.full(5, 1e-4), np.linspace(-1, 1, 5)
        law.by_conductance(g, v)
        assert_array_equal(g, 1e-4)
        assert_array_equal(v, np.linspace(-1, 1, 5))

    @NAMED
    def test_whole_numbers_are_volts_too(self, law):
        assert_array_equal(law.current(1e-4, [0, 1]), law.current(1e-4, [0.0, 1.0]))

    @NAMED
    def test_an_open_cell_carries_nothing(self, law):
        assert not law.current(0.0, [-1.0, 0.0, 2.0]).any()
        assert not law.slope(0.0, [-1.0, 0.0, 2.0]).any()
        # What it would carry, were there a little of it.
        alone = law.but({"series_ohm": 0.0})
        assert_allclose(law.by_conductance(0.0, [-1.0, 2.0]), alone.current(1.0, [-1.0, 2.0]), rtol=1e-14)

    @given(ANY, SIEMENS, VOLTS)
    def test_odd(self, law, g, v):
        assert law.current(g, -v) == -law.current(g, v)
        assert law.slope(g, -v) == law.slope(g, v)
        assert law.by_conductance(g, -v) == -law.by_conductance(g, v)

    @given(ANY, SIEMENS, VOLTS, VOLTS)
    def test_monotone(self, law, g, v, other):
        low, high = sorted((v, other))
        currents = law.current(g, [low, high])
        assert currents[0] <= currents[1]
        assume(high - low > 1e-9)
        assert currents[0] < currents[1]
        assert (law.slope(g, [low, high]) > 0).all()

    @given(ANY, SIEMENS, SIEMENS, st.floats(1e-3, 2))
    def test_a_better_cell_carries_more(self, law, g, other, v):
        low, high = sorted((g, other))
        assume(high > low * (1 + 1e-9))
        currents = law.current([low, high], v)
        assert 0 < currents[0] < currents[1]
        assert (law.by_conductance([low, high], v) > 0).all()

    @given(ANY, SIEMENS, st.floats(1e-12, 1e-6))
    def test_small_signal(self, law, g, v):
        siemens = g / (1 + law.series_ohm * g)
        assert law.current(g, v) == pytest.approx(siemens * v, rel=1e-8)
        assert law.slope(g, v) == pytest.approx(siemens, rel=1e-8)
        assert law.by_conductance(g, v) == pytest.approx(v / (1 + law.series_ohm * g) ** 2, rel=1e-8)

    @given(ANY, SIEMENS, VOLTS)
    def test_series_resistance_takes_its_share(self, law, g, v):
        """The cell alone, at the voltage that is left of it, carries the same current; never more than v / R."""
        current = law.current(g, v)
        alone = law.but({"series_ohm": 0.0})
        slope = alone.slope(g, v - law.series_ohm * current)
        rounding = 1e-15 * (abs(current) + slope * abs(v)) + 1e-300  # of the smallest numbers
        assert alone.current(g, v - law.series_ohm * current) == pytest.approx(current, rel=1e-14, abs=rounding)
        assert abs(law.series_ohm * current) <= abs(v)


def difference(function, x, step):
    """Fourth order."""
    return (function(x - 2 * step) - 8 * function(x - step) + 8 * function(x + step) - function(x + 2 * step)) / (
        12 * step
    )


class TestDerivatives:
    @NAMED
    def test_slope(self, law):
        v = np.linspace(-1, 1, 41)
        for g in (1e-6, 1e-4, 1e-3):
            assert_allclose(law.slope(g, v), difference(lambda x, g=g: law.current(g, x), v, 1e-4), rtol=1e-8)

    @NAMED
    def test_by_conductance(self, law):
        v = np.linspace(-1, 1, 41)
        for g in (1e-6, 1e-4, 1e-3):
            difference_quotient = difference(lambda x: law.current(x, v), g, 1e-3 * g)
            assert_allclose(law.by_conductance(g, v), difference_quotient, rtol=1e-8, atol=1e-15)

    # Rounded: the currents of the smallest numbers have no digits left for a difference.
    @given(ANY, SIEMENS, st.floats(-1, 1).map(lambda v: round(v, 9)))
    def test_of_any_cell(self, law, g, v):
        step = 1e-3 * law.sinh_volt if law.law == "sinh" else 1e-4
        # Differences of currents lose what their rounding weighs beside the step.
        lost = 1e-15 * abs(law.current(g, v))
        slope = difference(lambda x: law.current(g, x), v, step)
        assert law.slope(g, v) == pytest.approx(slope, rel=1e-8, abs=lost / step)
        by_conductance = difference(lambda x: law.current(x, v), g, 1e-3 * g)
        assert law.by_conductance(g, v) == pytest.approx(by_conductance, rel=1e-8, abs=lost / (1e-3 * g))


SQUARE, CUBE = "square_ampere_per_square_volt", "cube_ampere_per_cubic_volt"


def polynomial(square=0.0, cube=0.0, most_volt=0.5, **fields):
    return PolynomialConductionSpec(most_volt=most_volt, **{SQUARE: square, CUBE: cube}, **fields)


# HfO2 cells from 50 to 225 uS (Milo et al., IRPS 2021; coefficients of CrossSim's RRAM_Milo), curves of lg(g / 1 S).
MILO = polynomial(
    CurveSpec(coefficients=(7.063e-3, 5.711e-3, 1.541e-3, 1.388e-4), variable="log10", reference_siemens=1.0),
    CurveSpec(coefficients=(1.2968e-3, 6.7919e-4, 8.871e-5), variable="log10", reference_siemens=1.0),
)
BOWED = polynomial(
    CurveSpec(points=((1e-6, 0.0), (1e-4, -3e-5), (3e-4, -1e-5))),
    CurveSpec(coefficients=(0.0, 8e-5, -2e-6), reference_siemens=1e-4, at_most=3e-4),
    most_volt=1.0,
)
GATED = [law.but({"series_ohm": 2e3}) for law in (MILO, BOWED)]
POLYNOMIALS = pytest.mark.parametrize("law", [MILO, BOWED, *GATED], ids=["milo", "bowed", "gated milo", "gated bowed"])


class TestPolynomial:
    @pytest.mark.parametrize(
        ("microsiemens", "square", "cube", "ratios"),
        [
            (50, -3.69442e-5, 1.66172e-5, (0.929435, 0.865517, 0.713644, 1.16107, 1.45253)),
            (62.5, -2.38389e-5, 9.31972e-6, (0.963349, 0.929680, 0.846567, 1.08225, 1.22799)),
            (76.2, -1.55238e-5, 4.23533e-6, (0.980183, 0.961478, 0.912033, 1.04297, 1.11576)),
            (110, -6.52441e-6, -1.71007e-6, (0.993913, 0.987516, 0.966457, 1.01124, 1.02577)),
            (225, -1.60229e-6, -3.3512e-7, (0.999273, 0.998516, 0.996067, 1.00136, 1.00319)),
        ],
    )
    def test_published_ratios(self, microsiemens, square, cube, ratios):
        """I / (G V) at 0.1, 0.2, 0.5, -0.2 and -0.5 V, to the six digits of the table."""
        g, v = 1e-6 * microsiemens, np.array([0.1, 0.2, 0.5, -0.2, -0.5])
        assert_allclose(MILO.current(g, v) / (g * v), ratios, rtol=5e-6)
        assert_allclose(MILO.coefficients(g), (square, cube), rtol=1e-5)

    def test_numbers_for_all_cells(self):
        law = polynomial(-2e-4, 3e-4)
        assert_allclose(law.current(1e-4, [0.2, -0.2]), [1.44e-5, -3.04e-5], rtol=1e-14)
        assert_allclose(law.slope(1e-4, [0.2, -0.2]), [5.6e-5, 21.6e-5], rtol=1e-14)
        assert_allclose(law.by_conductance(1e-4, [0.2, -0.2]), [0.2, -0.2], rtol=1e-14)
        assert not law.linear
        table = law.cell_table(np.full((1, 1), 1e-4))
        assert (table.law, table.parameter) == (3, 0.5)

    @POLYNOMIALS
    def test_the_conductance_is_the_slope_at_no_voltage(self, law):
        g = np.array([60e-6, 150e-6])
        assert_allclose(law.slope(g, 0.0), g / (1 + law.series_ohm * g), rtol=1e-14)
        assert not law.current(g, 0.0).any()

    @POLYNOMIALS
    def test_an_open_cell_carries_nothing(self, law):
        v = np.array([-0.3, 0.0, 0.4])
        assert not law.current(0.0, v).any()
        assert not law.slope(0.0, v).any()
        assert not np.concatenate(law.coefficients(np.zeros(2))).any()
        assert np.isfinite(law.by_conductance(0.0, v)).all()

    @POLYNOMIALS
    def test_arguments_are_broadcast(self, law):
        g, v = np.linspace(50e-6, 200e-6, 3)[:, None], np.linspace(-0.5, 0.5, 4)
        for function in (law.current, law.slope, law.by_conductance):
            table = function(g, v)
            assert table.shape == (3, 4)
            assert_allclose(table, [[function(x, y) for y in v] for x in g.ravel()], rtol=1e-13)
            assert function(1e-4, 0.1).shape == ()
            assert function(np.empty((0, 3)), 0.1).shape == (0, 3)

    @POLYNOMIALS
    def test_derivatives(self, law):
        v = np.linspace(-0.49, 0.49, 41)
        for g in (55e-6, 120e-6, 220e-6):
            assert_allclose(law.slope(g, v), difference(lambda x, g=g: law.current(g, x), v, 1e-4), rtol=1e-8)
            difference_quotient = difference(lambda x: law.current(x, v), g, 1e-3 * g)
            assert_allclose(law.by_conductance(g, v), difference_quotient, rtol=1e-8, atol=1e-12)

    def test_the_coefficients_change_with_the_conductance(self):
        """By hand, with d lg g / dg = 1 / (g ln 10): at 62.5 uS and 0.5 V they add 0.3 V to the 0.5 V."""
        x = np.log10(62.5e-6)
        by_log = 0.25 * (5.711e-3 + 2 * 1.541e-3 * x + 3 * 1.388e-4 * x**2) + 0.125 * (6.7919e-4 + 2 * 8.871e-5 * x)
        expected = 0.5 + by_log / (62.5e-6 * np.log(10))
        assert MILO.by_conductance(62.5e-6, 0.5) == pytest.approx(expected, rel=1e-11)
        assert abs(expected - 0.5) > 0.1

    @given(st.floats(50e-6, 225e-6), st.floats(-0.5, 0.5), st.floats(1.0, 1e5))
    def test_series_resistance_takes_its_share(self, g, v, ohm):
        gated = MILO.but({"series_ohm": ohm})
        current = gated.current(g, v)
        left = v - ohm * current
        assert MILO.current(g, left) == pytest.approx(current, rel=1e-13, abs=1e-15 * 3 * g * abs(v) + 1e-300)
        assert abs(ohm * current) <= abs(v)
        assert gated.slope(g, v) == pytest.approx(1 / (ohm + 1 / MILO.slope(g, left)), rel=1e-11)


class TestRange:
    @pytest.mark.parametrize("function", ["current", "slope", "by_conductance"])
    @pytest.mark.parametrize("law", [MILO, GATED[0], *(x.but({"most_volt": 0.5}) for x in ALL)])
    def test_beyond_the_fit(self, law, function):
        """At either polarity; a rounding error more is not beyond."""
        evaluate = getattr(law, function)
        for volt in (0.51, -0.51, [0.1, 0.5000001]):
            with pytest.raises(RangeError, match=r"a voltage across a cell of 0\.5\d* V; allowed are at most 0\.5 V"):
                evaluate(1e-4, volt)
        assert np.isfinite(evaluate(1e-4, [0.5 * (1 + 1e-10), -0.5 * (1 + 1e-10)])).all()

    def test_a_law_without_a_fit_has_no_end(self):
        assert CubicConductionSpec(cubic_per_square_volt=1.0).current(1.0, 10.0) == 1010.0

    def test_rising(self):
        """g + 2 a2 v + 3 a3 v^2 > 0 up to there, at both polarities, and no further."""
        rng = np.random.default_rng(0)
        g = 10.0 ** rng.uniform(-6, -3, 200)
        free_or_not = set()
        for a2, a3 in (
            (1e-4, 0.0),
            (-1e-4, 0.0),
            (0.0, -1e-4),
            (0.0, 1e-4),
            (-2e-4, 1e-4),
            (3e-4, 1e-4),
            (1e-4, -2e-4),
        ):
            law = polynomial(a2, a3, most_volt=1e6)
            volt = law.rising_volt(g)
            free = np.isinf(volt)
            probe = np.linspace(-1, 1, 201)[:, None] * np.where(free, 1e3, volt)
            slope = law.slope(g, probe)
            assert (slope[1:-1] > 0).all()
            ends = law.slope(g, np.where(free, 0.0, 1.000001 * volt) * [[1], [-1]])
            assert_array_equal((ends < 0).any(axis=0), ~free)
            free_or_not |= set(free.tolist())
        assert free_or_not == {True, False}
        assert np.isinf(CUBIC.rising_volt(g)).all()
        assert polynomial(1e-4).rising_volt(0.0) == np.inf

    def test_behind_a_resistance_the_current_must_be_one_number(self):
        """5 uS is far below the cells that were measured: by the polynomial they conduct against the voltage."""
        assert MILO.current(5e-6, 0.4) < 0
        with pytest.raises(RangeError, match=r"a cell of 5e-06 S at 0\.4 V; allowed is less than 0\.00\d+ V.*2000 ohm"):
            GATED[0].current([1e-4, 5e-6], 0.4)


class TestPolynomialSpec:
    CURVE = CurveSpec(coefficients=(0.0, 1.0), reference_siemens=1e-4)

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            (
                {"law": "polynomial", "most_volt": 1.0},
                f"the polynomial law needs {SQUARE} or {CUBE}: with both 0 it is the linear law",
            ),
            ({"law": "polynomial", SQUARE: 1e-5}, "most_volt: missing. Largest voltage across the cell"),
            ({SQUARE: 1e-5}, f"{SQUARE}: unknown key"),
            ({"law": "cubic", "cubic_per_square_volt": 1.0, CUBE: CURVE}, f"{CUBE}: unknown key"),
            ({"law": "polynomial", SQUARE: 1e-5, "most_volt": 1.0, "sinh_volt": 1.0}, "sinh_volt: unknown key"),
            ({"law": "polynomial", SQUARE: [0.0, 1e-5], "most_volt": 1.0}, f"{SQUARE}: a list is a polynomial of x"),
            (
                {"law": "polynomial", CUBE: CurveSpec(coefficients=(0.0, 1.0)), "most_volt": 1.0},
                f"{CUBE}: the curve does not say at which conductance x = 1, and an I-V law knows no window; give a",
            ),
            (
                {
                    "law": "polynomial",
                    CUBE: CURVE.but({"above_siemens": 1e-4, "above": CurveSpec(coefficients=(1.0,), variable="ln")}),
                    "most_volt": 1.0,
                },
                f"{CUBE}: the curve does not say at which conductance x = 1",
            ),
        ],
    )
    def test_refused(self, fields, sentence):
        with pytest.raises(SpecError) as raised:
            CONDUCTION_LAWS.checked(fields)
        assert sentence in str(raised.value)

    @pytest.mark.parametrize("wrong", [0.0, -0.5])
    def test_a_largest_voltage_is_above_0(self, wrong):
        with pytest.raises(
            SpecError, match=rf"most_volt: got {wrong}; it is above 0\. Largest voltage across the cell"
        ):
            polynomial(1e-5, most_volt=wrong)

    def test_points_need_no_reference(self):
        law = polynomial(CurveSpec(points=((1e-5, 1e-6), (2e-5, 3e-6))))
        assert_allclose(law.coefficients([1.5e-5, 0.0])[0], [2e-6, 0.0], rtol=1e-12)

    def test_from_the_words_of_a_file(self):
        curve = {"coefficients": [0.0, 1e-5], "variable": "x", "reference_siemens": 1e-4}
        law = CONDUCTION_LAWS.checked({"law": "polynomial", SQUARE: curve, CUBE: 1, "most_volt": 1})
        assert law == polynomial(CurveSpec(coefficients=(0.0, 1e-5), reference_siemens=1e-4), 1.0, most_volt=1.0)
