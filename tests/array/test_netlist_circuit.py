"""The netlist is the circuit of the array: read back as a circuit, it has the currents of one written down by hand."""

import numpy as np
import pytest
from helpers.netlists import ALL, N_COLUMNS, N_ROWS, POLYNOMIAL, G, assert_solution, conduction, drive
from helpers.peers import run_ngspice
from hypothesis import given
from hypothesis import strategies as st
from reference.netlist import by_hand, elements, read_back

import rramsim as rs
from rramsim.array.netlist import netlist, node_names
from rramsim.array.wires import WireSpec

OHM = st.sampled_from([0.0, 0.0, 1e-3, 7.0, 300.0])


@st.composite
def arrays(draw):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    inputs = draw(st.sampled_from(["rows", "columns"]))
    n_in, n_out = shape if inputs == "rows" else shape[::-1]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    g = rng.uniform(1e-6, 300e-6, shape) * (rng.random(shape) < draw(st.sampled_from([1.0, 0.6])))

    def per_line(n):
        return draw(st.one_of(OHM, st.lists(OHM, min_size=n, max_size=n).map(tuple)))

    ends = st.sampled_from(["near", "far", "both"])
    wires = WireSpec(
        word_line_ohm=per_line(shape[0]),
        bit_line_ohm=per_line(shape[1]),
        driver_ohm=per_line(n_in),
        sense_ohm=per_line(n_out),
        end_segments=draw(st.booleans()),
        driver_end=draw(ends),
        sense_end=draw(ends),
    )
    unselected = draw(st.sampled_from(["grounded", "floating", "cut off"]))
    selected = draw(st.one_of(st.none(), st.lists(st.booleans(), min_size=n_in, max_size=n_in).map(np.array)))
    v = rng.uniform(-0.3, 0.3, n_in) * (rng.random(n_in) < 0.7)
    return g, wires, v, {"inputs": inputs, "unselected": unselected, "selected": selected}


class TestCircuit:
    @given(arrays())
    def test_every_option(self, array):
        g, wires, v, options = array
        text = netlist(g, wires, v, **options)
        currents, voltages = read_back(text)
        names = node_names(g, wires, v, **options)
        assert_solution(names, by_hand(g, wires, v, **options), voltages, currents, rtol=1e-8)

    def test_series_resistors(self):
        text = netlist(G, ALL, drive(3), conduction=conduction(series_ohm=1500.0))
        assert elements(text)["RT_2_3"] == ["w_2_3", "c_2_3", "1500.0"]
        assert elements(text)["RC_2_3"] == ["c_2_3", "b_2_3", repr(float(1 / G[2, 3]))]
        currents, voltages = read_back(text)
        assert_solution(node_names(G, ALL, drive(3)), by_hand(G, ALL, drive(3), series_ohm=1500.0), voltages, currents)

    def test_the_solver_agrees(self):
        """The network of the package, by another method."""
        net = rs.Network(G, rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0))
        expected = (net.currents(drive(3)), *net.node_voltages(drive(3)))
        text = netlist(G, ALL, drive(3))
        currents, voltages = read_back(text)
        assert_solution(node_names(G, ALL, drive(3)), expected, voltages, currents)


@pytest.mark.ngspice
class TestNgspice:
    """ngspice takes the text as it is."""

    @staticmethod
    def run(text, folder):
        printed = run_ngspice(text, folder)
        return np.array([printed[f"i_{k}"] for k in range(len([n for n in printed if n.startswith("i_")]))]), printed

    @pytest.mark.parametrize(
        ("settings", "options"),
        [
            ({}, {}),
            ({"driver_end": "both", "sense_end": "both", "end_segments": True}, {}),
            ({"word_line_ohm": 0.0, "sense_ohm": 0.0, "sense_end": "near"}, {"inputs": "columns"}),
            ({"bit_line_ohm": 0.0, "sense_ohm": 0.0, "sense_end": "both"}, {"unselected": "cut off"}),
            ({"driver_end": "far", "cell_farad": 1e-15, "bit_line_farad": 1e-15}, {"unselected": "floating"}),
        ],
    )
    def test_linear(self, tmp_path, settings, options):
        wires = ALL.but(settings)
        v = np.array([0.2, 0.0, -0.1, 0.15])[: 4 if options.get("inputs") == "columns" else 3]
        currents, voltages = self.run(netlist(G, wires, v, print_nodes=True, **options), tmp_path)
        names = node_names(G, wires, v, **options)
        assert_solution(names, by_hand(G, wires, v, **options), voltages, currents, rtol=1e-11)

    @pytest.mark.parametrize("segment", [20.0, 1e-3])
    @pytest.mark.parametrize("law", [{"law": "sinh", "sinh_volt": 0.1}, {"law": "cubic", "cubic_per_square_volt": 8.0}])
    def test_nonlinear(self, tmp_path, law, segment):
        """Kirchhoff's current law at every bit line: what its cells carry by the law is what its ammeter shows."""
        v = np.array([0.5, -0.3, 0.2])
        wires = ALL.but({"word_line_ohm": segment})
        text = netlist(G, wires, v, conduction=conduction(series_ohm=100.0, **law), print_nodes=True)
        currents, printed = self.run(text, tmp_path)
        word, bit = (np.vectorize(printed.get)(names) for names in node_names(G, wires, v))
        inner = np.array([[printed.get(f"c_{i}_{j}", bit[i, j]) for j in range(N_COLUMNS)] for i in range(N_ROWS)])
        x = inner - bit
        carried = G * (0.1 * np.sinh(x / 0.1) if law["law"] == "sinh" else x + 8.0 * x**3)
        scale = np.abs(currents).max()
        np.testing.assert_allclose(carried.sum(axis=0), currents, rtol=0, atol=1e-10 * scale)
        np.testing.assert_allclose((word - inner)[G > 0] / 100.0, carried[G > 0], rtol=0, atol=1e-10 * scale)
        assert (carried[0] > 1.2 * G[0] * x[0]).all()

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_polynomial(self, tmp_path, inputs):
        """The solver and ngspice agree on cells whose polarities differ."""
        v = np.array([0.4, -0.3, 0.2, 0.35])[: 3 if inputs == "rows" else 4]
        net = rs.Network(G, ALL, inputs=inputs, conduction=POLYNOMIAL)
        currents, printed = self.run(net.to_spice(v, print_nodes=True), tmp_path)
        solution = net.solve(v)
        scale = np.abs(solution.currents).max()
        np.testing.assert_allclose(currents, solution.currents, rtol=0, atol=1e-9 * scale)
        for names, volts in zip(node_names(G, ALL, v, inputs=inputs), (solution.word, solution.bit), strict=True):
            np.testing.assert_allclose(np.vectorize(printed.get)(names), volts, rtol=0, atol=1e-9)
        linear = rs.Network(G, ALL, inputs=inputs, conduction=rs.LinearConductionSpec(series_ohm=100.0)).currents(v)
        assert (np.abs(currents - linear) > 0.005 * scale).any()
