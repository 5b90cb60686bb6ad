"""The netlist is the circuit of the array: read back as a circuit, it has the currents of one written down by hand."""

import re
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.peers import run_ngspice
from hypothesis import given
from hypothesis import strategies as st

import rramsim as rs
from rramsim.array.netlist import netlist, node_names
from rramsim.array.wires import WireSpec
from rramsim.cell.curves import CurveSpec

N_ROWS, N_COLUMNS = 3, 4
G = np.random.default_rng(1).uniform(1e-6, 200e-6, (N_ROWS, N_COLUMNS))
G[1, 2] = 0.0
ALL = WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0)


def conduction(**fields):
    """What the netlist reads of a law."""
    defaults = {"law": "linear", "sinh_volt": 0.0, "cubic_per_square_volt": 0.0, "series_ohm": 0.0}
    return SimpleNamespace(**{**defaults, **fields})


POLYNOMIAL = rs.ConductionSpec(
    law="polynomial",
    square_ampere_per_square_volt=CurveSpec(coefficients=(0.0, -6e-5, 4e-6), reference_siemens=1e-4),
    cube_ampere_per_cubic_volt=CurveSpec(coefficients=(0.0, 2e-4, -1e-6), reference_siemens=1e-4),
    most_volt=0.8,
    series_ohm=100.0,
)


def drive(n):
    return np.linspace(0.3, -0.1, n)


class Circuit:
    """Modified nodal analysis with the current of every branch as an unknown, so that 0 ohm is nothing special."""

    def __init__(self):
        self.branches = {}  # name: (node, node, ohm, volt)

    def solve(self):
        """(voltages by node, currents by branch); least squares choose where a loop of 0 ohm leaves a current open."""
        nodes = sorted({node for one, other, *_ in self.branches.values() for node in (one, other)} - {"0"})
        n, size = len(nodes), len(nodes) + len(self.branches)
        number = {node: k for k, node in enumerate(nodes)}
        matrix, right = np.zeros((size, size)), np.zeros(size)
        for k, (one, other, ohm, volt) in enumerate(self.branches.values(), n):
            for node, sign in ((one, 1.0), (other, -1.0)):
                if node != "0":
                    matrix[k, number[node]] = matrix[number[node], k] = sign
            matrix[k, k], right[k] = -1e-4 * ohm, volt  # currents in units of 100 uA
        solution = np.linalg.lstsq(matrix, right, rcond=1e-14)[0]
        np.testing.assert_allclose(matrix @ solution, right, atol=1e-12)
        return dict(zip(nodes, solution, strict=False)), dict(zip(self.branches, 1e-4 * solution[n:], strict=True))


def by_hand(g, wires, v, inputs="rows", unselected="grounded", selected=None, series_ohm=0.0):
    """The circuit as the documentation has it: output currents, and (word, bit) voltages."""
    g, v = np.array(g), np.array(v, dtype=float)
    n_rows, n_columns = g.shape
    on = np.asarray(selected) if selected is not None else (v != 0) | (unselected == "grounded")
    v[~on] = 0
    if unselected == "cut off":
        g[~on if inputs == "rows" else (slice(None), ~on)] = 0
    circuit = Circuit()
    lines = {
        "rows": [[f"w{i},{j}" for j in range(n_columns)] for i in range(n_rows)],
        "columns": [[f"b{i},{j}" for i in range(n_rows)] for j in range(n_columns)],
    }
    segments = {
        "rows": np.broadcast_to(wires.word_line_ohm, n_rows),
        "columns": np.broadcast_to(wires.bit_line_ohm, n_columns),
    }
    outputs = "columns" if inputs == "rows" else "rows"
    for kind, nodes in lines.items():
        for k, line in enumerate(nodes):
            for one, other in pairwise(line):
                circuit.branches[one, other] = (one, other, segments[kind][k], 0.0)
    ends = {"near": [0], "far": [-1], "both": [0, -1]}
    for k, line in enumerate(lines[inputs]):
        if on[k] or unselected != "floating":
            circuit.branches["source", k] = (f"source{k}", "0", 0.0, v[k])
            ohm = np.broadcast_to(wires.driver_ohm, len(v))[k] + segments[inputs][k] * wires.end_segments
            for end in ends[wires.driver_end]:
                circuit.branches["driver", k, end] = (f"source{k}", line[end], ohm, 0.0)
    for k, line in enumerate(lines[outputs]):
        ohm = np.broadcast_to(wires.sense_ohm, len(lines[outputs]))[k] + segments[outputs][k] * wires.end_segments
        for end in ends[wires.sense_end]:
            circuit.branches["sense", k, end] = (line[end], "0", ohm, 0.0)
    for i, j in np.argwhere(g):
        circuit.branches["cell", i, j] = (f"w{i},{j}", f"b{i},{j}", 1 / g[i, j] + series_ohm, 0.0)
    voltages, currents = circuit.solve()
    sums = [sum(currents["sense", k, end] for end in ends[wires.sense_end]) for k in range(len(lines[outputs]))]
    word, bit = (
        np.array([[voltages.get(f"{x}{i},{j}", 0) for j in range(n_columns)] for i in range(n_rows)]) for x in "wb"
    )
    return np.array(sums), word, bit


def elements(text):
    """The elements of a netlist, by name: their other words."""
    body = text[: text.index(".options")].splitlines()[1:]
    lines = [line.split() for line in body if line and not line.startswith("*")]
    assert len({line[0].lower() for line in lines}) == len(lines), "a name is used twice"
    return {line[0]: line[1:] for line in lines}


def read_back(text):
    """Output currents and node voltages of a netlist of resistors and sources."""
    circuit = Circuit()
    for name, words in elements(text).items():
        if name[0] != "C":
            value = float(words[2])
            circuit.branches[name] = (*words[:2], *((value, 0.0) if name[0] == "R" else (0.0, value)))
            assert words[0] != words[1]
            assert name[0] == "V" or value > 0
    voltages, currents = circuit.solve()
    sums = re.findall(r"^let i_\d+ = (.*)$", text, re.MULTILINE)
    return np.array([sum(currents[name] for name in re.findall(r"i\((\w+)\)", each)) for each in sums]), voltages


def assert_same(text, names, expected, voltages, currents, rtol=1e-9):
    scale = max(np.abs(expected[0]).max(), 1e-8)  # beside nothing but rounding errors, ampere
    np.testing.assert_allclose(currents, expected[0], rtol=0, atol=rtol * scale)
    for side, nodes in zip(names, expected[1:], strict=True):
        for name, volt in zip(side.ravel(), nodes.ravel(), strict=True):
            if name:
                assert voltages[str(name)] == pytest.approx(volt, abs=rtol)


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
        assert_same(text, names, by_hand(g, wires, v, **options), voltages, currents, rtol=1e-8)

    def test_series_resistors(self):
        text = netlist(G, ALL, drive(3), conduction=conduction(series_ohm=1500.0))
        assert elements(text)["RT_2_3"] == ["w_2_3", "c_2_3", "1500.0"]
        assert elements(text)["RC_2_3"] == ["c_2_3", "b_2_3", repr(float(1 / G[2, 3]))]
        currents, voltages = read_back(text)
        assert_same(
            text, node_names(G, ALL, drive(3)), by_hand(G, ALL, drive(3), series_ohm=1500.0), voltages, currents
        )

    def test_the_solver_agrees(self):
        """The network of the package, by another method."""
        net = rs.Network(G, rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0))
        expected = (net.currents(drive(3)), *net.node_voltages(drive(3)))
        text = netlist(G, ALL, drive(3))
        currents, voltages = read_back(text)
        assert_same(text, node_names(G, ALL, drive(3)), expected, voltages, currents)


class TestText:
    def test_whole(self):
        """A netlist is read by people, too: the smallest with everything in it, line by line."""
        wires = WireSpec(
            word_line_ohm=(1.5, 0.0), bit_line_ohm=2.0, driver_ohm=0.1 + 0.2, sense_ohm=3.0, sense_end="both"
        )
        text = netlist([[1e-5, 0.0], [2e-5, 3e-5]], wires, [0.1, 1 / 3], title="two\nby two", print_nodes=True)
        assert text.splitlines()[0] == "two by two"
        assert [line for line in text.splitlines()[1:] if not line.startswith("*")] == [
            "",
            "",
            "V_0 v_0 0 0.1",
            "V_1 v_1 0 0.3333333333333333",
            "",
            "RD_0 v_0 w_0_0 0.30000000000000004",
            "RD_1 v_1 w_1_0 0.30000000000000004",
            "",
            "RW_0_0 w_0_0 w_0_1 1.5",
            "",
            "RB_0_0 b_0_0 b_1_0 2.0",
            "RB_0_1 b_0_1 b_1_1 2.0",
            "",
            f"RC_0_0 w_0_0 b_0_0 {1 / 1e-5!r}",
            f"RC_1_0 w_1_0 b_1_0 {1 / 2e-5!r}",
            f"RC_1_1 w_1_0 b_1_1 {1 / 3e-5!r}",
            "",
            "RS_near_0 s_near_0 b_0_0 3.0",
            "RS_far_0 s_far_0 b_1_0 3.0",
            "RS_near_1 s_near_1 b_0_1 3.0",
            "RS_far_1 s_far_1 b_1_1 3.0",
            "",
            "VS_near_0 s_near_0 0 0",
            "VS_far_0 s_far_0 0 0",
            "VS_near_1 s_near_1 0 0",
            "VS_far_1 s_far_1 0 0",
            "",
            ".options reltol=1e-9 vntol=1e-12 gmin=1e-20 itl1=500 abstol=1.1e-14",
            ".op",
            ".control",
            "set numdgt=17",
            "op",
            "let i_0 = i(VS_near_0) + i(VS_far_0)",
            "let i_1 = i(VS_near_1) + i(VS_far_1)",
            "print all",
            "quit",
            ".endc",
            ".end",
        ]
        assert "\n* word line 1: w_1_0 to w_1_1 = w_1_0\n" in text
        assert text.endswith(".end\n")

    def test_without_node_voltages_the_currents_are_printed(self):
        text = netlist(G, ALL, drive(3))
        assert "print all" not in text
        assert text.count("\nprint i_") == N_COLUMNS
        assert "\nlet i_3 = i(VS_3)\nprint i_0\n" in text

    def test_ideal_lines_are_one_node_each(self):
        text = netlist(G, WireSpec(), drive(3))
        assert "\n* word line 0: w_0_0 to w_0_3 = v_0\n" in text
        assert "\n* bit line 3: b_0_3 to b_2_3 = s_3\n" in text
        assert {name[:2] for name in elements(text)} == {"V_", "RC", "VS"}
        assert elements(text)["RC_2_3"][:2] == ["v_2", "s_3"]

    def test_ideal_circuits_at_the_ends(self):
        wires = WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, driver_end="both", sense_end="both")
        text = netlist(G, wires, drive(3))
        for line in ("word line 1: w_1_0 = v_1", "word line 1: w_1_3 = v_1", "bit line 2: b_2_2 = s_far_2"):
            assert f"\n* {line}\n" in text
        assert elements(text)["RW_1_0"][:2] == ["v_1", "w_1_1"]
        assert elements(text)["RB_1_2"][:2] == ["b_1_2", "s_far_2"]

    def test_virtual_grounds_without_resistance_between_them_are_one(self):
        text = netlist(G, WireSpec(sense_end="both"), drive(3))
        assert {name for name in elements(text) if name.startswith("VS")} == {f"VS_near_{k}" for k in range(N_COLUMNS)}
        assert "let i_1 = i(VS_near_1)\n" in text

    def test_one_segment_more_at_the_ends(self):
        wires = ALL.but({"end_segments": True})
        text = netlist(G, wires, drive(3))
        assert elements(text)["RD_0"][2] == "520.0"
        assert elements(text)["RS_0"][2] == "230.0"
        assert "* Drivers, each with one segment of its line" in text

    def test_ends_and_inputs(self):
        wires = ALL.but({"driver_end": "far", "sense_end": "near"})
        assert elements(netlist(G, wires, drive(3)))["RD_1"][:2] == ["v_1", "w_1_3"]
        assert elements(netlist(G, wires, drive(3)))["RS_1"][:2] == ["s_1", "b_0_1"]
        text = netlist(G, ALL, drive(4), inputs="columns")
        assert elements(text)["RD_1"][:2] == ["v_1", "b_0_1"]
        assert elements(text)["RS_1"][:2] == ["s_1", "w_1_3"]
        assert "* Inputs: columns. Outputs: rows." in text

    def test_open_cells_are_left_out(self):
        assert "RC_1_2" not in elements(netlist(G, ALL, drive(3)))
        assert len([name for name in elements(netlist(G, ALL, drive(3))) if name.startswith("RC")]) == 11

    def test_unselected(self):
        v = [0.2, 0.0, 0.1]
        grounded = netlist(G, ALL, v, selected=[True, False, False])
        assert [elements(grounded)[f"V_{k}"][2] for k in range(3)] == ["0.2", "0.0", "0.0"]
        floating = netlist(G, ALL, v, unselected="floating")
        assert "V_1" not in elements(floating)
        assert "RD_1" not in elements(floating)
        assert "\n* V_1: none, line 1 floats\n" in floating
        cut = netlist(G, ALL, v, unselected="cut off")
        assert "RC_1_0" not in elements(cut)
        assert "RC_0_0" in elements(cut)

    def test_a_floating_line_of_open_cells_is_left_out(self):
        g = np.where(np.arange(3)[:, None] == 1, 0.0, G)
        wires = ALL.but({"word_line_farad": 1e-15, "cell_farad": 1e-16})
        text = netlist(g, wires, [0.2, 0.0, 0.1], unselected="floating")
        assert "\n* word line 1: floats, and all its cells are open: left out with its nodes\n" in text
        assert not [name for name, words in elements(text).items() if "w_1_" in " ".join(words)]
        assert (node_names(g, wires, [0.2, 0.0, 0.1], unselected="floating")[0][1] == "").all()

    def test_laws(self):
        sinh = netlist(G, ALL, drive(3), conduction=conduction(law="sinh", sinh_volt=0.25))
        assert f"\nBC_0_1 w_0_1 b_0_1 i={float(G[0, 1] * 0.25)!r}*sinh(v(w_0_1,b_0_1)/0.25)\n" in sinh
        law = conduction(law="cubic", cubic_per_square_volt=4.0, series_ohm=10.0)
        cubic = netlist(G, ALL, drive(3), conduction=law)
        across = "v(c_0_1,b_0_1)"
        assert f"\nBC_0_1 c_0_1 b_0_1 i={float(G[0, 1])!r}*{across}*(1+4.0*{across}*{across})\n" in cubic
        assert "* Cells: i = g v (1 + c v^2), behind 10 ohm each (RT); open cells are left out" in cubic

    def test_polynomial_cells_have_numbers_of_their_own(self):
        text = netlist(G, ALL, drive(3), conduction=POLYNOMIAL)
        across = "v(c_0_1,b_0_1)"
        square, cube = (float(x[0, 1]) for x in POLYNOMIAL.coefficients(G))
        assert square < 0 < cube
        wanted = f"i={across}*({float(G[0, 1])!r}+{across}*({square!r}+{across}*({cube!r})))"
        assert f"\nBC_0_1 c_0_1 b_0_1 {wanted}\n" in text
        assert "* Cells: i = g v + a2 v^2 + a3 v^3, behind 100 ohm each (RT); open cells are left out" in text
        assert rs.Network(G, rs.WireSpec(), conduction=POLYNOMIAL).to_spice(drive(3)).count("\nBC_") == 11

    def test_lines_at_400_kelvin(self):
        """1 + 100 x 0.00451 times the resistance of each segment, also of those at the ends."""
        hot = ALL.but({"temperature_kelvin": 400.0, "bit_line_ohm": (30.0, 0.0, 10.0, 20.0)})
        parts = elements(netlist(G, hot, drive(3)))
        assert float(parts["RW_1_2"][2]) == pytest.approx(1.451 * 20.0, rel=1e-14)
        assert float(parts["RB_0_2"][2]) == pytest.approx(1.451 * 10.0, rel=1e-14)
        assert (parts["RD_0"][2], parts["RS_0"][2]) == ("500.0", "200.0")
        assert "RB_0_1" not in parts
        ends = elements(netlist(G, hot.but({"end_segments": True}), drive(3)))
        assert float(ends["RD_0"][2]) == pytest.approx(500.0 + 1.451 * 20.0, rel=1e-14)
        scaled = WireSpec(word_line_ohm=1.451 * 20.0, bit_line_ohm=(43.53, 0.0, 14.51, 29.02), driver_ohm=500.0)
        scaled = scaled.but({"sense_ohm": 200.0})
        currents, voltages = read_back(netlist(G, hot, drive(3)))
        names = node_names(G, hot, drive(3))
        assert_same("", names, by_hand(G, scaled, drive(3)), voltages, currents)

    def test_capacitances(self):
        wires = WireSpec(bit_line_ohm=1.0, word_line_farad=1e-15, bit_line_farad=2e-15, cell_farad=3e-17)
        parts = elements(netlist(G, wires, drive(3)))
        assert parts["CW_2_3"] == ["v_2", "0", "1e-15"]
        assert parts["CB_0_3"] == ["b_0_3", "0", "2e-15"]
        assert parts["CC_1_2"] == ["v_1", "b_1_2", "3e-17"]
        assert len([name for name in parts if name[0] == "C"]) == 3 * 12

    def test_no_current_is_asked_for_below_rounding(self):
        """With 1 uohm somewhere, the last bits of the voltages are currents of 1e-10 A."""
        tolerances = [
            float(re.search(r"abstol=(\S+)", netlist(G, wires, [0.1, 0.2, -0.5]))[1])
            for wires in (WireSpec(), ALL, ALL.but({"sense_ohm": 1e-6}))
        ]
        assert tolerances == [pytest.approx(5e-15, rel=0.1), pytest.approx(2.5e-16, rel=0.1), pytest.approx(5e-9)]

    def test_numbers_are_exact(self):
        parts = elements(netlist(G, ALL, np.array([1 / 3, 2 / 3, 0.1])))
        assert float(parts["V_0"][2]) == 1 / 3
        assert 1 / float(parts["RC_0_0"][2]) == pytest.approx(G[0, 0], rel=3e-16)


class TestBadInput:
    @pytest.mark.parametrize(
        ("g", "wires", "v", "options", "wanted"),
        [
            (G[0], WireSpec(), [0.1], {}, r"\(n_rows, n_columns\); got \(4,\)"),
            (-G, WireSpec(), [0.1] * 3, {}, "finite and >= 0 siemens"),
            (G, WireSpec(), [0.1] * 4, {}, "each of the 3 input lines"),
            (G, WireSpec(), [[0.1] * 3], {}, "one state of the array"),
            (G, WireSpec(), [0.1] * 3, {"inputs": "columns"}, "each of the 4 input lines"),
            (G, WireSpec(), [0.1, np.nan, 0.1], {}, "one finite voltage"),
            (G, WireSpec(), [0.1] * 3, {"selected": [True]}, "selected has one entry for each of the 3 inputs"),
            (G, WireSpec(bit_line_ohm=(1.0, 2.0)), [0.1] * 3, {}, "bit_line_ohm.*2 numbers for 4 lines"),
        ],
    )
    def test_refused(self, g, wires, v, options, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            netlist(g, wires, v, **options)


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
        assert_same("", names, by_hand(G, wires, v, **options), voltages, currents, rtol=1e-11)

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
        linear = rs.Network(G, ALL, inputs=inputs, conduction=rs.ConductionSpec(series_ohm=100.0)).currents(v)
        assert (np.abs(currents - linear) > 0.005 * scale).any()
