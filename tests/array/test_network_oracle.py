"""What the oracle of networks claims of itself."""

import itertools

import numpy as np
import pytest
from helpers.networks import (
    CUBIC,
    ENDS,
    GATED_CUBIC,
    GATED_LINEAR,
    GATED_POLYNOMIAL,
    GATED_SINH,
    POLYNOMIAL,
    SINH,
    UNSELECTED,
    assert_close,
    known_case,
    random_case,
)
from numpy.testing import assert_allclose
from reference import network as oracle


class TestOracle:
    """What the oracle claims of itself."""

    @pytest.mark.parametrize("seed", range(12))
    def test_currents_of_the_lines_are_those_of_the_voltages(self, seed):
        """They are sums of cell currents; along every resistance they must be Ohm's."""
        rng = np.random.default_rng(seed)
        ends = {"driver_end": ENDS[seed % 3], "sense_end": ENDS[seed // 3 % 3], "end_segments": bool(seed % 2)}
        case = random_case(seed, unselected=UNSELECTED[rng.integers(3)], selected="mask", zeros=0.2, **ends)
        solution = case.solved()
        word_ohm = np.broadcast_to(case.wires.word_line_ohm, len(case.g))[:, None]
        fall = -np.diff(solution.word, axis=1)
        assert_close(fall, word_ohm * solution.word_line_currents[:, 1:-1], 1e-15, 1.0)
        fall = -np.diff(solution.bit, axis=0)
        bit_ohm = np.broadcast_to(case.wires.bit_line_ohm, case.g.shape[1])
        assert_close(fall, bit_ohm * solution.bit_line_currents[1:-1], 1e-15, 1.0)

    @pytest.mark.parametrize("law", [SINH, CUBIC, GATED_SINH, GATED_CUBIC, GATED_LINEAR, POLYNOMIAL, GATED_POLYNOMIAL])
    def test_nonlinear_cells_obey_their_law(self, law):
        case = random_case(5, (4, 5), conduction=law, open_share=0.0)
        solution = case.solved()
        u = solution.word - solution.bit - law.series_ohm * solution.cell_currents
        assert_allclose(law.but({"series_ohm": 0.0}).current(case.g, u), solution.cell_currents, rtol=1e-12)

    def test_a_known_solution(self):
        for driver_end, sense_end, inputs in itertools.product(ENDS, ENDS, ["rows", "columns"]):
            case, currents, word, bit = known_case(6, (5, 7), inputs, driver_end=driver_end, sense_end=sense_end)
            solution = case.solved()
            assert_allclose(solution.currents, currents, rtol=1e-13)
            assert_allclose(solution.word, word, rtol=1e-13)
            assert_allclose(solution.bit, bit, rtol=1e-13)

    def test_sparse_and_dense_agree(self):
        case = random_case(3, (6, 5), unselected="floating", selected="mask", conduction=GATED_SINH)
        dense = case.solved()
        sparse = oracle.solve_sparse(case.g, case.v, selected=case.selected, **case.all)
        for one, other in zip(dense, sparse, strict=True):
            assert_allclose(one, other, rtol=1e-13, atol=1e-18)
