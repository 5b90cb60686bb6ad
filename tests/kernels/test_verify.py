"""The check of Kirchhoff's laws on a solved array, against the oracle and on wrong solutions."""

import itertools

import numpy as np
import pytest
from helpers.solver import random_conductances, random_drives, random_lines, solve_all
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.verify import verify


def checked(lines, through, slope, a, b, v, *, with_power=True):
    """(what verify returns, currents along the input lines, along the output lines)."""
    (n_rows, n_columns) = a.shape
    along, down = np.full((n_rows, n_columns + 1), np.nan), np.full((n_rows + 1, n_columns), np.nan)
    scratch = np.full((2, n_columns), np.nan)
    returned = verify(n_columns, slope, through, a, b, v, lines, with_power, along, down, *scratch)
    return returned, along, down


CASES = {
    "one end": random_lines((5, 6)),
    "both ends": random_lines((5, 6), far=True, top=True),
    "no segments": random_lines((5, 6), present=(1, 0, 1, 0)),
    "no drivers": random_lines((5, 6), present=(0, 1, 0, 1), top=True),
    "floating": random_lines((5, 6))._replace(floating=np.array([0, 1, 0, 0, 1])),
}


class TestVerify:
    def case(self, name):
        """Lines, and a solution with the right or with any wrong voltages."""
        lines = CASES[name]
        lines = lines._replace(near=np.where(lines.floating, 1e33, lines.near))
        g, v = random_conductances((5, 6), open_share=0.1), random_drives(1, 5)
        v[:, lines.floating == 1] = 0.0
        solution = solve_all(g, v, lines)
        return lines, solution.through[0], solution.slope[0], solution.a[0], solution.b[0], v[0]

    @pytest.mark.parametrize("name", CASES)
    def test_against_the_oracle(self, name):
        """A solution, and nonsense."""
        lines, *solution = self.case(name)
        rng = np.random.default_rng(0)
        nonsense = [rng.normal(size=x.shape) * np.abs(x).max() for x in solution]
        nonsense[1] = np.abs(nonsense[1])
        for each in (solution, nonsense):
            returned, along, down = checked(lines, *each)
            through, slope, a, b, v = each
            worst, given, heat, *flows = ORACLES[verify](slope, through, a, b, v, *lines)
            scale = np.abs(through).max()
            assert returned[0] == pytest.approx(worst, rel=1e-9, abs=1e-15)
            assert_allclose(returned[1:], (given, heat), rtol=1e-10, atol=1e-15 * scale)
            for flow, expected in zip((along, down), flows, strict=True):
                assert_allclose(flow, expected, rtol=0, atol=1e-13 * scale)

    @pytest.mark.parametrize("name", CASES)
    def test_a_wrong_voltage_is_found(self, name):
        lines, through, slope, a, b, v = self.case(name)
        assert checked(lines, through, slope, a, b, v)[0][0] < 1e-12
        for place in itertools.product((0, 2, 4), (0, 3, 5)):
            for side in (a, b):
                wrong = side.copy()
                wrong[place] += 1e-6
                sides = (wrong, b) if side is a else (a, wrong)
                worst = checked(lines, through, slope, *sides, v)[0][0]
                # Less than the whole beside a terminal, where it is measured by the current that it moves.
                assert 2e-7 < worst <= 1.001e-6

    def test_a_wrong_current_is_found(self):
        lines, through, slope, a, b, v = self.case("one end")
        for place in ((0, 0), (2, 3), (4, 5)):
            wrong = through.copy()
            wrong[place] += 1e-6
            assert checked(lines, wrong, slope, a, b, v)[0][0] > 1e-6

    def test_a_current_into_a_floating_line_is_found(self):
        lines, through, slope, a, b, v = self.case("floating")
        wrong = through.copy()
        wrong[1] *= np.where(np.arange(6) == 2, 1.01, 1.0)
        assert checked(lines, wrong, slope, a, b, v)[0][0] > 1e-5

    @pytest.mark.parametrize("side", ["through", "a", "b"])
    def test_a_missing_number_is_no_solution(self, side):
        lines, through, slope, a, b, v = self.case("one end")
        arrays = {"through": through, "a": a, "b": b}
        arrays[side] = np.where(np.arange(30).reshape(5, 6) == 14, np.nan, arrays[side])
        assert not checked(lines, arrays["through"], slope, arrays["a"], arrays["b"], v)[0][0] < 1e-9

    @pytest.mark.parametrize("name", CASES)
    def test_without_powers_the_input_lines_are_checked(self, name):
        lines, through, slope, a, b, v = self.case(name)
        a = a + 1e-6 * np.cos(np.arange(30)).reshape(5, 6)
        (worst, *_), along, _ = checked(lines, through, slope, a, b, v)
        lean, lean_along, _ = checked(lines, through, slope, a, b, v, with_power=False)
        assert lean[0] == pytest.approx(worst, rel=1e-6)
        assert_array_equal(lean_along, along)
