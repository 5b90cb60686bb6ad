"""Up to which voltages the law of the cells holds in an array."""

import numpy as np
import pytest
from helpers.networks import CUBIC, MILO
from numpy.testing import assert_allclose

import rramsim as rs


class TestRange:
    """A law holds up to the voltage of its fit: no cell can see more than the span of the sources, 0 V included."""

    G = np.full((3, 4), 1e-4)
    LAWS = pytest.mark.parametrize("law", [MILO, CUBIC.but({"most_volt": 0.5}), rs.LinearConductionSpec(most_volt=0.5)])

    @LAWS
    @pytest.mark.parametrize(
        ("v", "span"),
        [
            ([0.6, 0.0, 0.0], "0.6"),
            ([-0.51, -0.1, -0.2], "0.51"),
            ([0.3, -0.21, 0.0], "0.51"),
            ([0.2, 0.7, 0.3], "0.7"),
        ],
    )
    def test_beyond(self, law, v, span):
        net = rs.Network(self.G, rs.WireSpec(word_line_ohm=1.0), conduction=law)
        wanted = rf"the voltages of the inputs, 0 V included, span {span} V; allowed are at most 0\.5 V .*{law.law} law"
        for method in (net.currents, net.solve, net.node_voltages, net.sensitivity, net.elmore_delay, net.to_spice):
            with pytest.raises(rs.RangeError, match=wanted):
                method(v)
        with pytest.raises(rs.RangeError, match=wanted):
            net.currents([[0.1, 0.2, 0.3], v])

    @LAWS
    def test_within(self, law):
        net = rs.Network(self.G, rs.WireSpec(word_line_ohm=1.0), conduction=law)
        for v in ([0.5, 0.1, 0.0], [-0.5, 0.0, 0.0], [0.3, -0.2, 0.0], [0.0, 0.0, 0.0], [0.3 + 0.2, 0.1 + 0.2, 0.5]):
            assert np.isfinite(net.currents(v)).all()
        # Two vectors of half the span each.
        assert np.isfinite(net.currents([[0.5, 0.1, 0.0], [-0.5, 0.0, 0.0]])).all()
        assert net.currents(np.empty((0, 3))).shape == (0, 4)
        # Of what is selected.
        assert np.isfinite(net.currents([0.2, 0.9, 0.0], selected=[True, False, True])).all()

    def test_pairs_of_inputs(self):
        net = rs.Network(np.full((4, 3), 1e-4), pairs="inputs", conduction=MILO)
        assert np.isfinite(net.currents([0.25, -0.1])).all()
        with pytest.raises(rs.RangeError, match=r"span 0\.52 V"):
            net.currents([0.1, -0.26])
        assert not net.elmore_delay().any()  # at half of the span, without a capacitance

    def test_a_matrix_is_checked_within_the_fit(self):
        for pairs in ("none", "inputs"):
            net = rs.Network(
                np.full((4, 4), 1e-4) * np.arange(1, 5)[:, None],
                rs.WireSpec(word_line_ohm=1.0),
                pairs=pairs,
                conduction=rs.LinearConductionSpec(most_volt=0.1),
            )
            assert net.check().residual < 1e-12

    def test_a_cell_that_falls(self):
        """5 uS is not among the cells that were measured; where its polynomial turns, its current is not one number."""
        g = self.G.copy()
        g[1, 2] = 5e-6
        net = rs.Network(g, conduction=MILO)
        turn = float(MILO.rising_volt(5e-6))
        assert 0 < turn < 0.01
        with pytest.raises(rs.RangeError, match=r"in row 1, column 2 \(5e-06 S\) conducts less and less"):
            net.currents([0.2, 0.0, 0.0])
        v = np.array([0.9 * turn, 0.0, 0.5 * turn])
        assert_allclose(net.currents(v), MILO.current(g, v[:, None]).sum(axis=0), rtol=1e-12)
        open_cell = net.with_cells([1], [2], 0.0)
        assert np.isfinite(open_cell.currents([0.5, 0.0, 0.5])).all()

    def test_a_device_brings_its_law(self):
        device = rs.DeviceSpec(conduction=MILO)
        v = np.array([0.5, 0.1, 0.0])
        currents = rs.Network(self.G, conduction=device.conduction).currents(v)
        assert_allclose(currents, MILO.current(self.G, v[:, None]).sum(axis=0), rtol=1e-12)
