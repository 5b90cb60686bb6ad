"""The transconductances of an array with a few changed cells."""

import numpy as np
import pytest
from helpers.networks import GATED_LINEAR, POLYNOMIAL, SINH, assert_close, random_case, random_cells
from numpy.testing import assert_array_equal

import rramsim as rs


class TestChangedCells:
    @pytest.mark.parametrize("count", [1, 3, 20])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"driver_end": "both", "sense_end": "both", "end_segments": True},
            {"inputs": "columns", "driver_end": "far"},
            {"sense_end": "near", "unselected": "cut off"},
            {"pairs": "outputs", "unselected": "floating"},
            {"pairs": "inputs"},
            {"conduction": GATED_LINEAR},
        ],
    )
    def test_a_fresh_network(self, count, options):
        case = random_case(60, (14, 12), ohms=(0.5, 20.0), zeros=0.2, **options)
        net = case.network
        net.transconductance()
        rng = np.random.default_rng(count)
        places = rng.choice(case.g.size, count, replace=False)
        rows, columns = np.unravel_index(places, case.g.shape)
        values = random_cells(count, rng, open_share=0.2)
        cells = case.g.copy()
        cells[rows, columns] = values
        fresh = rs.Network(cells, case.wires, **case.options)
        changed = net.with_cells(rows, columns, values)
        assert_array_equal(changed.g, cells)
        assert_close(changed.transconductance(), fresh.transconductance(), 1e-12)
        assert_close(changed.currents(case.v), fresh.currents(case.v), 1e-12)
        many = rng.uniform(-0.2, 0.2, (16, len(case.v)))
        assert_close(changed.currents(many), fresh.currents(many), 1e-12)
        # The old one is what it was, and changing back leads to it.
        assert_array_equal(net.g, case.g)
        back = changed.with_cells(rows, columns, case.g[rows, columns])
        assert_close(back.transconductance(), net.transconductance(), 1e-12)

    def test_one_after_another(self):
        """Errors do not add up over a long series of writes."""
        case = random_case(61, (9, 8), zeros=0.0, open_share=0.3)
        net, cells = case.network, case.g.copy()
        rng = np.random.default_rng(0)
        for _ in range(30):
            i, j = rng.integers(9), rng.integers(8)
            cells[i, j] = random_cells((), rng, open_share=0.3)
            net = net.with_cells([i], [j], [cells[i, j]])
            net.transconductance()
        fresh = rs.Network(cells, case.wires, **case.options)
        assert_close(net.transconductance(), fresh.transconductance(), 1e-12)

    @pytest.mark.parametrize("law", [SINH, POLYNOMIAL])
    def test_nonlinear(self, law):
        case = random_case(62, (5, 6), conduction=law)
        cells = case.g.copy()
        cells[1, 2] = 5e-5
        changed = case.network.with_cells([1], [2], [5e-5])
        expected = case._replace(g=cells).solved()
        assert_close(changed.currents(case.v), expected.currents, 1e-12)
