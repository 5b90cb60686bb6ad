"""Networks of nonlinear cells, against an oracle that solves them by its own iteration."""

import numpy as np
import pytest
from helpers.networks import (
    CUBIC,
    GATED_CUBIC,
    GATED_POLYNOMIAL,
    GATED_SINH,
    MILO,
    POLYNOMIAL,
    SINH,
    UNSELECTED,
    Case,
    assert_close,
    check_solution,
    largest,
    random_case,
    random_cells,
)
from numpy.testing import assert_allclose
from reference import network as oracle

import rramsim as rs

NONLINEAR = {
    "sinh": SINH,
    "cubic": CUBIC,
    "gated sinh": GATED_SINH,
    "gated cubic": GATED_CUBIC,
    "polynomial": POLYNOMIAL,
    "gated polynomial": GATED_POLYNOMIAL,
}


class TestNonlinearCells:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("law", NONLINEAR)
    @pytest.mark.parametrize("unselected", UNSELECTED)
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_against_newton(self, law, unselected, inputs):
        for seed, ends in enumerate(({}, {"driver_end": "both", "sense_end": "both"}, {"driver_end": "far"})):
            case = random_case(
                seed + 10, unselected=unselected, inputs=inputs, conduction=NONLINEAR[law], selected="mask", **ends
            )
            expected = case.solved()
            net = case.network
            check_solution(case, net.solve(case.v, selected=case.selected), expected)
            scale = largest(expected.currents, expected.cell_currents)
            assert_close(net.currents(case.v, selected=case.selected), expected.currents, 1e-12, scale)
            # Many vectors: no product with a matrix.
            many = np.stack([case.v, -case.v, 0 * case.v, 0.5 * case.v])
            currents = net.currents(many, selected=case.selected)
            assert_close(currents[1], case.solved(-case.v).currents, 1e-12, scale)
            assert not currents[2].any()
            assert_close(currents[3], case.solved(0.5 * case.v).currents, 1e-12, scale)

    @pytest.mark.parametrize("pairs", ["inputs", "outputs"])
    def test_pairs(self, pairs):
        for law in (SINH, POLYNOMIAL):
            case = random_case(4, pairs=pairs, conduction=law)
            check_solution(case, case.network.solve(case.v), case.solved())

    @pytest.mark.parametrize("volt", [0.01, 1.0, 2.5])
    def test_from_weak_to_strong_drive(self, volt):
        """At 2.5 V the sinh of 0.1 V multiplies the current by 1e9: wires and drivers then carry all the voltage."""
        case = random_case(8, (5, 6), conduction=SINH, zeros=0.0, ohms=(1.0, 1e3))
        case = case._replace(v=volt / 0.3 * case.v)
        check_solution(case, case.network.solve(case.v), case.solved(), rtol=1e-11)

    def test_without_wires_every_cell_stands_alone(self):
        rng = np.random.default_rng(0)
        g, v = random_cells((4, 3), rng), rng.uniform(-0.3, 0.3, 4)
        for law in NONLINEAR.values():
            expected = law.current(g, v[:, None]).sum(axis=0)
            assert_allclose(rs.Network(g, conduction=law).currents(v), expected, rtol=1e-12)

    def test_small_voltages_see_the_small_signal_network(self):
        case = random_case(1, (5, 4))
        v = 1e-6 * case.v
        # Odd laws bend with the square of the voltage.
        for law, tolerance in ((SINH, 1e-8), (CUBIC, 1e-8), (POLYNOMIAL, 1e-6)):
            currents = rs.Network(case.g, case.wires, conduction=law).currents(v)
            assert_close(currents, case.network.currents(v), tolerance)

    @pytest.mark.parametrize("law", [SINH, POLYNOMIAL])
    def test_larger_array(self, law):
        case = random_case(9, (48, 40), conduction=law, ohms=(0.5, 2.0), zeros=0.0)
        expected = oracle.solve_sparse(case.g, case.v, **case.all)
        check_solution(case, case.network.solve(case.v), expected)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_published_cells(self, inputs):
        """HfO2 cells in and about the conductances of their fit, at the whole voltage of it."""
        rng = np.random.default_rng(3)
        g = rng.uniform(45e-6, 225e-6, (12, 10))
        wires = rs.WireSpec(word_line_ohm=5.0, bit_line_ohm=3.0, driver_ohm=200.0, sense_ohm=50.0)
        v = rng.uniform(0.0, 0.5, 12 if inputs == "rows" else 10)
        case = Case(g, wires, {"inputs": inputs, "conduction": MILO}, v, None)
        expected = case.solved()
        solution = case.network.solve(case.v)
        assert_close(solution.currents, expected.currents, 1e-12)
        assert_close(solution.word, expected.word, 1e-11)
        linear = case.network.__class__(g, wires, inputs=inputs).currents(v)
        assert (np.abs(solution.currents / linear - 1) > 0.003).any()

    def test_the_polarity_is_that_of_the_word_line(self):
        """Whichever lines are driven: 62.5 uS at 0.5 V either way, 0.847 and 1.228 times the linear current."""
        g = np.array([[62.5e-6]])
        for inputs, sign, ratio in (("rows", 1, 0.846567), ("rows", -1, 1.22799), ("columns", -1, 0.846567)):
            current = rs.Network(g, inputs=inputs, conduction=MILO).currents([0.5 * sign])
            assert_allclose(current, 0.5 * sign * 62.5e-6 * ratio, rtol=1e-5)
            assert_allclose(
                rs.Network(g, inputs=inputs, conduction=MILO).sensitivity([0.5 * sign]),
                rs.Network(g, conduction=MILO).sensitivity([0.5 if ratio < 1 else -0.5])
                * (1 if inputs == "rows" else -1),
            )
