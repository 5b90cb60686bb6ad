"""The text of a netlist: elements, names, comments; and what is refused."""

import re

import numpy as np
import pytest
from helpers.netlists import ALL, N_COLUMNS, POLYNOMIAL, G, assert_solution, conduction, drive
from reference.netlist import by_hand, elements, read_back

import rramsim as rs
from rramsim.array.netlist import netlist, node_names
from rramsim.array.wires import WireSpec


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
        assert "* Cells: i = g (v + c v^3), behind 10 ohm each (RT); open cells are left out" in cubic

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
        assert_solution(names, by_hand(G, scaled, drive(3)), voltages, currents)

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
