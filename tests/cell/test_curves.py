"""Figures that depend on the conductance: each variable by hand, limits, points, and what is refused."""

import numpy as np
import pytest
from helpers.devices import EITHER, G_MAX, curves, figures
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from rramsim.cell.curves import CurveSpec, polynomial_of, value_at, vanishes
from rramsim.cell.spread import GaussianSpreadSpec
from rramsim.errors import SpecError

PROBES = np.concatenate([[0.0], np.geomspace(1e-9, 2 * G_MAX, 400), np.linspace(0, 2 * G_MAX, 400)])


def built(curve):
    """A figure in any of its forms, as a part of a device holds it."""
    return GaussianSpreadSpec(shift_siemens=curve).shift_siemens


class TestVariables:
    """Coefficients 1, 2, 3 at g = reference / 2 and at twice the reference."""

    @pytest.mark.parametrize(
        ("variable", "u"),
        [
            ({"variable": "x"}, (0.5, 2.0)),
            ({"variable": "ln"}, (-0.6931471805599453, 0.6931471805599453)),
            ({"variable": "log10"}, (-0.3010299956639812, 0.3010299956639812)),
            ({"variable": "decay"}, (0.6065306597126334, 0.1353352832366127)),
            ({"variable": "power", "exponent": 1.5}, (0.3535533905932738, 2.8284271247461903)),
            ({"variable": "power", "exponent": -1.0}, (2.0, 0.5)),
        ],
    )
    @pytest.mark.parametrize("reference", [None, 3e-5])
    def test_by_hand(self, variable, u, reference):
        curve = CurveSpec(coefficients=(1.0, 2.0, 3.0), reference_siemens=reference, **variable)
        g = np.array([0.5, 2.0]) * (reference or 7e-5)
        expected = [1 + 2 * each + 3 * each**2 for each in u]
        assert_allclose(value_at(curve, g, 7e-5), expected, rtol=1e-14)

    @pytest.mark.parametrize(
        ("variable", "expected"),
        [
            ({"variable": "x"}, 1.0),
            ({"variable": "ln"}, 1 + 2 * np.log(1e-12)),
            ({"variable": "log10"}, 1 + 2 * -12),
            ({"variable": "decay"}, 3.0),
            ({"variable": "power", "exponent": 0.5}, 1.0),
            ({"variable": "power", "exponent": -0.5}, 1 + 2e6),
        ],
    )
    def test_without_conductance(self, variable, expected):
        """Finite where the formula is not: 1e-12 of the reference in a logarithm or a negative power."""
        curve = CurveSpec(coefficients=(1.0, 2.0), **variable)
        assert_allclose(value_at(curve, 0.0, 1e-4), expected, rtol=1e-12)

    def test_numbers_and_lists(self):
        g = np.array([[0.0, 5e-5, 1e-4]])
        assert_array_equal(value_at(3.0, g, 1e-4), [[3.0, 3.0, 3.0]])
        assert_array_equal(value_at((1.0, 2.0, 4.0), g, 1e-4), [[1.0, 3.0, 7.0]])
        assert_array_equal(value_at((), g, 1e-4), [[0.0, 0.0, 0.0]])
        assert value_at(3.0, 1e-5, 1e-4).shape == ()

    def test_the_list_refers_to_the_window_and_the_curve_to_its_own(self):
        assert value_at((0.0, 1.0), 5e-5, 5e-5) == value_at(CurveSpec(coefficients=(0.0, 1.0)), 5e-5, 5e-5) == 1.0
        assert value_at(CurveSpec(coefficients=(0.0, 1.0), reference_siemens=1e-4), 5e-5, 5e-5) == 0.5


class TestPieces:
    def test_limits(self):
        line = {"coefficients": (-1.0, 4.0)}
        g = np.array([0.0, 0.25, 0.5, 1.0])
        assert_array_equal(value_at(CurveSpec(**line), g, 1.0), [-1, 0, 1, 3])
        assert_array_equal(value_at(CurveSpec(**line, at_least=0.5), g, 1.0), [0.5, 0.5, 1, 3])
        assert_array_equal(value_at(CurveSpec(**line, at_most=0.5), g, 1.0), [-1, 0, 0.5, 0.5])
        assert_array_equal(value_at(CurveSpec(**line, at_least=0, at_most=2), g, 1.0), [0, 0, 1, 2])

    def test_points(self):
        """Straight between them, constant outside."""
        curve = CurveSpec(points=((1e-6, 2.0), (3e-6, 6.0), (4e-6, -1.0)))
        g = np.array([0.0, 1e-6, 2e-6, 3e-6, 3.5e-6, 4e-6, 1.0])
        assert_allclose(value_at(curve, g, 1e-4), [2, 2, 4, 6, 2.5, -1, -1], rtol=1e-9)
        limited = CurveSpec(points=((1e-6, 2.0), (3e-6, 6.0), (4e-6, -1.0)), at_least=0.0, at_most=5.0)
        assert_allclose(value_at(limited, g, 1e-4), [2, 2, 4, 5, 2.5, 0, 0], rtol=1e-9)

    def test_above(self):
        """The second curve begins at its first conductance, with limits of its own; a third one above it."""
        third = CurveSpec(coefficients=(9.0,))
        upper = CurveSpec(coefficients=(0.0, 10.0), above_siemens=0.8, above=third)
        curve = CurveSpec(coefficients=(0.0, 1.0), at_most=0.25, above_siemens=0.5, above=upper)
        g = np.array([0.1, 0.3, np.nextafter(0.5, 0), 0.5, 0.7, 0.8, 1.0])
        assert_allclose(value_at(curve, g, 1.0), [0.1, 0.25, 0.25, 5.0, 7.0, 9.0, 9.0], rtol=1e-14)

    def test_a_table_builds_it(self):
        """As a card gives it, and back."""
        table = {"coefficients": [1, 2e-6], "variable": "ln", "above_siemens": 3e-5, "above": {"points": [[0, 1.0]]}}
        curve = built(table)
        assert curve.above == CurveSpec(points=((0.0, 1.0),))
        assert built(curve.model_dump(mode="json")) == curve


@given(curves(), st.floats(1e-5, 2e-4))
def test_any_curve_is_finite_and_within_its_limits(table, g_max):
    curve = CurveSpec(**table)
    values = value_at(curve, PROBES, g_max)
    assert np.isfinite(values).all()
    below = (curve.above_siemens or np.inf) > PROBES
    low, high = curve.at_least, curve.at_most
    assert low is None or (values[below] >= low).all()
    assert high is None or (values[below] <= high).all()
    # Cell by cell it is the same curve.
    assert_array_equal(values[:7], [value_at(curve, g, g_max) for g in PROBES[:7]])


@given(figures(EITHER, EITHER), st.floats(1e-5, 2e-4))
def test_a_polynomial_has_the_values_of_its_curve(curve, g_max):
    """As spreads, which are 0 below 0."""
    polynomial = polynomial_of(built(curve), g_max)
    if polynomial is None:
        assert isinstance(curve, dict)
        return
    coefficients, reference = polynomial
    if coefficients:
        by_hand = np.polynomial.polynomial.polyval(PROBES / reference, coefficients)
        assert_array_equal(np.maximum(by_hand, 0), np.maximum(value_at(built(curve), PROBES, g_max), 0))


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (2.0, ((2.0,), 7.0)),
        ((1.0, 2.0), ((1.0, 2.0), 7.0)),
        ({"coefficients": [1.0, 2.0]}, ((1.0, 2.0), 7.0)),
        ({"coefficients": [1.0], "reference_siemens": 3.0, "at_least": 0.0}, ((1.0,), 3.0)),
        ({"coefficients": [1.0], "at_least": 1e-9}, None),
        ({"coefficients": [1.0], "at_most": 0.0}, None),
        ({"coefficients": [1.0], "variable": "ln"}, None),
        ({"points": [[0.0, 1.0]]}, None),
        ({"coefficients": [1.0], "above_siemens": 1.0, "above": {"coefficients": [1.0]}}, None),
    ],
)
def test_which_curves_are_polynomials(curve, expected):
    assert polynomial_of(built(curve), 7.0) == expected


class TestVanishes:
    @pytest.mark.parametrize(
        ("curve", "nothing"),
        [
            (0.0, True),
            (-0.0, True),
            (1e-300, False),
            ((), True),
            ((0.0, 0.0), True),
            ((0.0, 1e-9), False),
            ({"coefficients": [0.0]}, True),
            ({"coefficients": [0.0, 1.0]}, False),
            ({"points": [[0.0, 0.0], [1.0, 0.0]]}, True),
            ({"points": [[0.0, 0.0], [1.0, 1.0]]}, False),
            ({"coefficients": [0.0], "at_least": 1e-9}, False),
            ({"coefficients": [0.0], "at_least": -1.0}, True),
            ({"coefficients": [0.0], "at_most": -1.0}, False),
            ({"coefficients": [0.0], "at_most": 1.0}, True),
            ({"coefficients": [1.0], "at_least": 0.0, "at_most": 0.0}, True),
            ({"coefficients": [0.0], "above_siemens": 1e-5, "above": {"coefficients": [0.0]}}, True),
            ({"coefficients": [0.0], "above_siemens": 1e-5, "above": {"coefficients": [1.0]}}, False),
        ],
    )
    def test_it_is_nothing_where_its_value_is_0_everywhere(self, curve, nothing):
        assert vanishes(built(curve)) == nothing
        assert (value_at(built(curve), PROBES, 1e-4) == 0).all() == nothing

    @given(figures(st.sampled_from([0.0, 0.0, 1e-6]), st.sampled_from([0.0, 0.0, 0.0, 1e-6, -1e-6])))
    def test_any_curve(self, curve):
        """What vanishes is 0 at every conductance; a number or a list that does not is 0 at most at its roots."""
        values = value_at(built(curve), PROBES, 1e-4)
        if vanishes(built(curve)):
            assert not values.any()
        elif not isinstance(curve, dict):
            assert values.any()


WRONG = [
    ({}, "a curve has either coefficients or points"),
    ({"coefficients": [1.0], "points": [[0.0, 1.0]]}, "a curve has either coefficients or points"),
    ({"points": [[1.0, 1.0], [1.0, 2.0]]}, "the conductances are at least 0 and rise from point to point"),
    ({"points": [[-1.0, 1.0], [1.0, 2.0]]}, "the conductances are at least 0 and rise from point to point"),
    ({"points": [[0.0, 1.0]], "variable": "ln"}, "no meaning in a curve that is given by points"),
    ({"points": [[0.0, 1.0]], "reference_siemens": 1.0}, "no meaning in a curve that is given by points"),
    ({"points": [[0.0]]}, "points.0"),
    ({"coefficients": [1.0], "variable": "power"}, "exponent belongs to variable = 'power', which needs it"),
    ({"coefficients": [1.0], "exponent": 2.0}, "exponent belongs to variable = 'power', which needs it"),
    ({"coefficients": [1.0], "variable": "cubic"}, "got 'cubic'; it is one of 'x', 'ln', 'log10', 'decay' or 'power'"),
    ({"coefficients": [1.0], "at_least": 2.0, "at_most": 1.0}, "at_least 2 is above at_most 1"),
    ({"coefficients": [1.0], "above_siemens": 1.0}, "above_siemens is where the curve above begins: give both"),
    ({"coefficients": [1.0], "above": {"coefficients": [1.0]}}, "above_siemens is where the curve above begins"),
    ({"coefficients": [1.0], "above_siemens": 1.0, "above": {}}, "a curve has either coefficients or points"),
    ({"coefficients": [1.0] * 17}, "at most 16"),
    ({"coefficients": ["a"]}, "got 'a'; it is a number"),
    ({"coefficients": [float("inf")]}, "it is a finite number"),
    ({"coefficients": [1.0], "reference_siemens": 0.0}, "got 0.0; it is above 0"),
    ({"coefficients": [1.0], "referens_siemens": 1.0}, "did you mean 'reference_siemens'"),
    ("1e-6", "got '1e-6'; it is a number"),
    (None, "got None; it is a number"),
    (True, "got True; it is a number"),
    ([1.0] * 9, "at most 8"),
    ([1.0, "b"], "got 'b'; it is a number"),
]


@pytest.mark.parametrize(("curve", "sentence"), WRONG)
def test_wrong_curves(curve, sentence):
    """One sentence, at the key, whichever part the curve belongs to."""
    with pytest.raises(SpecError) as caught:
        GaussianSpreadSpec(shift_siemens=curve)
    assert sentence in str(caught.value)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0][0][0] == "shift_siemens"


def test_a_curve_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        CurveSpec(coefficients=(1.0,)).at_least = 1.0


class TestDerivative:
    VARIABLES = pytest.mark.parametrize(
        "variable",
        [
            {"variable": "x"},
            {"variable": "ln"},
            {"variable": "log10"},
            {"variable": "decay"},
            {"variable": "power", "exponent": 1.7},
            {"variable": "power", "exponent": -0.5},
        ],
        ids=lambda variable: "".join(map(str, variable.values())),
    )

    @staticmethod
    def difference(curve, g, g_max):
        step = 1e-4 * g
        at = [curve.at(g + k * step, g_max) for k in (-2, -1, 1, 2)]
        return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)

    @VARIABLES
    @pytest.mark.parametrize("coefficients", [(2.0,), (1.0, -2.0), (0.5, 1.0, -3.0, 0.7)])
    @pytest.mark.parametrize("reference", [None, 3e-5])
    def test_against_differences(self, variable, coefficients, reference):
        curve = CurveSpec(coefficients=coefficients, reference_siemens=reference, **variable)
        g = np.geomspace(1e-7, 3e-4, 61)
        slope = curve.derivative(g, 7e-5)
        scale = (np.abs(curve.at(g, 7e-5)) + 1) / g
        assert (np.abs(slope - self.difference(curve, g, 7e-5)) <= 1e-9 * scale).all()
        assert slope.any() == (len(coefficients) > 1)

    def test_by_hand(self):
        """Slope of 1 + 2 u + 3 u^2 at twice the reference of 1e-4: (2 + 6 u) du/dg."""
        for variable, by_g in (
            ({"variable": "x"}, (2 + 12) * 1e4),
            ({"variable": "ln"}, (2 + 6 * np.log(2)) / 2e-4),
            ({"variable": "log10"}, (2 + 6 * np.log10(2)) / (2e-4 * np.log(10))),
            ({"variable": "decay"}, -(2 + 6 * np.exp(-2)) * np.exp(-2) * 1e4),
            ({"variable": "power", "exponent": -1.0}, -(2 + 3) / 4 * 1e4),
        ):
            curve = CurveSpec(coefficients=(1.0, 2.0, 3.0), reference_siemens=1e-4, **variable)
            assert_allclose(curve.derivative(np.array(2e-4), 1.0), by_g, rtol=1e-13)

    @pytest.mark.parametrize("variable", [{"variable": "ln"}, {"variable": "log10"}])
    def test_a_logarithm_stops_where_its_figure_does(self, variable):
        curve = CurveSpec(coefficients=(1.0, 2.0), reference_siemens=1e-4, **variable)
        assert not curve.derivative(np.array([0.0, 0.9e-16]), 1.0).any()
        assert (curve.derivative(np.array([1.1e-16, 1e-4]), 1.0) > 0).all()

    def test_a_negative_power_stops_too(self):
        curve = CurveSpec(coefficients=(0.0, 1.0), reference_siemens=1e-4, variable="power", exponent=-2.0)
        assert_array_equal(curve.derivative(np.array([0.0, 0.9e-16]), 1.0), 0.0)
        assert curve.derivative(np.array(1.1e-16), 1.0) < 0

    def test_points(self):
        """Slopes of the lines between them; at a point that of the next, and none outside."""
        curve = CurveSpec(points=((1e-5, 0.1), (3e-5, 0.5), (4e-5, 0.3)))
        g = np.array([0.0, 0.9e-5, 1e-5, 2e-5, 3e-5, 3.9e-5, 4e-5, 1e-4])
        assert_allclose(curve.derivative(g, 1.0), [0, 0, 2e4, 2e4, -2e4, -2e4, 0, 0], rtol=1e-12)
        assert not CurveSpec(points=((1e-5, 0.1),)).derivative(g, 1.0).any()

    def test_at_a_limit_it_is_flat(self):
        curve = CurveSpec(coefficients=(0.0, 1.0), reference_siemens=1e-4, at_least=0.2, at_most=0.8)
        assert_allclose(curve.derivative(np.array([1e-5, 5e-5, 9e-5]), 1.0), [0.0, 1e4, 0.0], rtol=1e-12)

    def test_above(self):
        above = CurveSpec(coefficients=(3.0, 0.0, 1.0), reference_siemens=1e-4, at_most=5.0)
        curve = CurveSpec(coefficients=(0.0, 1.0), reference_siemens=1e-4, at_most=0.5, above_siemens=1e-4, above=above)
        g = np.array([0.4e-4, 0.6e-4, 1e-4, 1.2e-4, 2e-4])
        assert_allclose(curve.derivative(g, 1.0), [1e4, 0.0, 2e4, 2.4e4, 0.0], rtol=1e-12)
