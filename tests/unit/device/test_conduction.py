"""The I-V law of a cell: what is refused, and what its currents and their derivatives obey."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.device.conduction import ConductionSpec
from rramsim.errors import SpecError

SINH = ConductionSpec(law="sinh", sinh_volt=0.25)
CUBIC = ConductionSpec(law="cubic", cubic_per_square_volt=4.0)
LAWS = [ConductionSpec(), SINH, CUBIC]
ALL = [law.model_copy(update={"series_ohm": ohm}) for law in LAWS for ohm in (0.0, 2e3)]
NAMED = pytest.mark.parametrize("law", ALL, ids=lambda law: f"{law.law} {law.series_ohm:g}")

OHM = st.one_of(st.just(0.0), st.floats(1.0, 1e5))
ANY = st.one_of(
    st.builds(ConductionSpec, series_ohm=OHM),
    st.builds(ConductionSpec, law=st.just("sinh"), sinh_volt=st.floats(0.05, 2.0), series_ohm=OHM),
    st.builds(ConductionSpec, law=st.just("cubic"), cubic_per_square_volt=st.floats(0.01, 100.0), series_ohm=OHM),
)
SIEMENS = st.floats(1e-9, 1e-3)
VOLTS = st.floats(-2, 2)


class TestSpec:
    def test_the_default_is_linear(self):
        assert ConductionSpec().linear
        assert not SINH.linear
        assert not CUBIC.linear
        assert ConductionSpec(series_ohm=1e3).linear

    def test_what_the_kernels_take(self):
        assert [(law.kind, law.curvature) for law in LAWS] == [(0, 0.0), (1, 4.0), (2, 4.0)]

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"law": "sinh"}, "sinh_volt 0 must be above 0: it is the curvature of the sinh law"),
            ({"law": "cubic"}, "cubic_per_square_volt 0 must be above 0: it is the curvature of the cubic law"),
            ({"sinh_volt": 0.1}, "sinh_volt 0.1 has no meaning in the linear law"),
            ({"cubic_per_square_volt": 2.0}, "cubic_per_square_volt 2 has no meaning in the linear law"),
            ({"law": "cubic", "sinh_volt": 0.1}, "sinh_volt 0.1 has no meaning in the cubic law"),
            (
                {"law": "sinh", "sinh_volt": 0.1, "cubic_per_square_volt": 1.0},
                "cubic_per_square_volt 1 has no meaning in the sinh law",
            ),
        ],
    )
    def test_a_curvature_belongs_to_its_law(self, fields, sentence):
        with pytest.raises(SpecError) as raised:
            ConductionSpec(**fields)
        assert str(raised.value) == f"ConductionSpec: together: {sentence}"

    @pytest.mark.parametrize("key", ["sinh_volt", "cubic_per_square_volt", "series_ohm"])
    @pytest.mark.parametrize(
        ("wrong", "allowed"),
        [(-1.0, "at least 0"), (float("nan"), "a finite number"), (float("inf"), "a finite number"), ("1", "a number")],
    )
    def test_numbers(self, key, wrong, allowed):
        with pytest.raises(SpecError, match=rf"^ConductionSpec: {key}: got {wrong!r}; it is {allowed}\. "):
            ConductionSpec(**{"law": {"sinh_volt": "sinh"}.get(key, "cubic"), key: wrong})

    def test_an_unknown_law(self):
        with pytest.raises(SpecError, match="law: got 'tanh'; it is one of 'linear', 'sinh' or 'cubic'"):
            ConductionSpec(law="tanh")

    def test_an_unknown_key(self):
        with pytest.raises(SpecError, match="v0: unknown key"):
            ConductionSpec(v0=0.1)


class TestCurrent:
    def test_by_hand(self):
        assert ConductionSpec().current(1e-4, 0.3) == pytest.approx(3e-5, rel=1e-15)
        assert SINH.current(1e-4, 0.25) == pytest.approx(1e-4 * 0.25 * 1.1752011936438014, rel=1e-14)
        assert CUBIC.current(1e-4, 0.5) == pytest.approx(1e-4 * (0.5 + 4 * 0.125), rel=1e-15)
        assert ConductionSpec(series_ohm=1e4).current(1e-4, 0.3) == pytest.approx(1.5e-5, rel=1e-15)
        # 1 V across 5 kilo-ohm and a cell that takes 0.5 V: 1e-4 siemens (0.5 + 0.5) V.
        gated = CUBIC.model_copy(update={"series_ohm": 5e3})
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
        alone = law.model_copy(update={"series_ohm": 0.0})
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
        alone = law.model_copy(update={"series_ohm": 0.0})
        slope = alone.slope(g, v - law.series_ohm * current)
        rounding = 1e-15 * (abs(current) + slope * abs(v))
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
            found = difference(lambda x: law.current(x, v), g, 1e-3 * g)
            assert_allclose(law.by_conductance(g, v), found, rtol=1e-8, atol=1e-15)

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
