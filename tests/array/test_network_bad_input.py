"""What a network refuses: voltages, selections, options, resistances and cells."""

import numpy as np
import pytest
from helpers.networks import GATED_CUBIC, OHMS, POLYNOMIAL, SINH

import rramsim as rs


class TestBadInput:
    NET = rs.Network(np.full((3, 4), 1e-5), rs.WireSpec(word_line_ohm=1.0))

    @pytest.mark.parametrize("v", [0.1, [0.1, 0.2], np.ones((3, 4)), np.ones((2, 5))])
    @pytest.mark.parametrize(
        "method", ["currents", "node_voltages", "solve", "sensitivity", "elmore_delay", "to_spice"]
    )
    def test_voltages(self, v, method):
        with pytest.raises(rs.SpecError, match="each of the 3 rows"):
            getattr(self.NET, method)(v)

    @pytest.mark.parametrize("v", [[0.1, np.nan, 0.2], [np.inf, 0.1, 0.2]])
    def test_finite_voltages(self, v):
        with pytest.raises(rs.SpecError, match="finite"):
            self.NET.currents(v)

    @pytest.mark.parametrize("method", ["sensitivity", "elmore_delay", "to_spice"])
    def test_one_vector_only(self, method):
        with pytest.raises(rs.SpecError, match="one drive vector"):
            getattr(self.NET, method)(np.ones((2, 3)))

    @pytest.mark.parametrize("selected", [True, [True, False], np.ones((3, 4), dtype=bool), [1.0, 0.0, 1.0]])
    def test_selected(self, selected):
        with pytest.raises(rs.SpecError, match="selected"):
            self.NET.currents(np.ones(3), selected=selected)

    def test_selected_of_the_matrix(self):
        for selected in ([True, False], np.ones((1, 3), dtype=bool)):
            with pytest.raises(rs.SpecError, match="selected"):
                self.NET.transconductance(selected=selected)

    @pytest.mark.parametrize(
        ("key", "inputs", "wanted"),
        [
            ("word_line_ohm", "rows", 3),
            ("bit_line_ohm", "rows", 4),
            ("driver_ohm", "rows", 3),
            ("sense_ohm", "rows", 4),
            ("word_line_ohm", "columns", 3),
            ("driver_ohm", "columns", 4),
            ("sense_ohm", "columns", 3),
        ],
    )
    def test_lists_of_the_wrong_length(self, key, inputs, wanted):
        for length in {1, 3, 4, 5} - {wanted}:
            with pytest.raises(rs.SpecError, match=f"{key}.*{length} numbers? for {wanted}"):
                rs.Network(np.ones((3, 4)), rs.WireSpec(**{key: (1.0,) * length}), inputs=inputs)
        rs.Network(np.ones((3, 4)), rs.WireSpec(**{key: (1.0,) * wanted}), inputs=inputs)

    @pytest.mark.parametrize(
        ("key", "wrong", "allowed"),
        [
            ("inputs", "row", ["rows", "columns"]),
            ("unselected", "open", ["grounded", "floating", "cut off"]),
            ("pairs", "yes", ["none", "outputs", "inputs"]),
        ],
    )
    def test_unknown_options(self, key, wrong, allowed):
        with pytest.raises(rs.SpecError) as raised:
            rs.Network(np.ones((3, 4)), **{key: wrong})
        assert key in str(raised.value)
        assert repr(wrong) in str(raised.value)
        assert all(repr(each) in str(raised.value) for each in allowed)

    @pytest.mark.parametrize("key", ["driver_end", "sense_end"])
    def test_unknown_end(self, key):
        with pytest.raises(rs.SpecError, match=f"{key}: got 'middle'; it is one of 'near', 'far' or 'both'"):
            rs.WireSpec(**{key: "middle"})

    @pytest.mark.parametrize(
        "wrong", [(), (1.0, -1.0), (1.0, float("nan")), -1.0, float("inf"), "1 ohm", ("1", "2"), None]
    )
    def test_resistances(self, wrong):
        for key in OHMS:
            with pytest.raises(rs.SpecError, match=key):
                rs.WireSpec(**{key: wrong})

    @pytest.mark.parametrize(
        ("shape", "options"),
        [
            ((3, 4), {"pairs": "inputs"}),
            ((4, 3), {"pairs": "outputs"}),
            ((3, 4), {"pairs": "outputs", "inputs": "columns"}),
        ],
    )
    def test_odd_pairs(self, shape, options):
        with pytest.raises(rs.SpecError, match="even number of lines; got 3"):
            rs.Network(np.ones(shape), **options)

    def test_nonlinear_cells_have_no_matrix(self):
        for law in (SINH, GATED_CUBIC, POLYNOMIAL):
            with pytest.raises(rs.SpecError, match=f"transconductance.*{law.law} law"):
                rs.Network(np.full((3, 4), 1e-5), conduction=law).transconductance()

    @pytest.mark.parametrize("outputs", [[4], [-1], [0.5], 2, [[0, 1]]])
    def test_outputs_of_the_sensitivity(self, outputs):
        with pytest.raises(rs.SpecError, match=r"outputs .* 0 \.\. 3"):
            self.NET.sensitivity(np.ones(3), outputs)

    @pytest.mark.parametrize(
        ("rows", "columns", "g", "wanted"),
        [
            ([3], [0], [1e-5], "within 3 x 4"),
            ([0], [4], [1e-5], "within 3 x 4"),
            ([-1], [0], [1e-5], "within 3 x 4"),
            ([0.0], [0], [1e-5], "whole-numbered"),
            ([0], [0], [-1e-5], ">= 0 siemens"),
            ([0], [0], [np.nan], ">= 0 siemens"),
        ],
    )
    def test_changed_cells(self, rows, columns, g, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            self.NET.with_cells(rows, columns, g)

    @pytest.mark.parametrize("error", [0.0, 1.0, -0.1, float("nan")])
    def test_settling_error(self, error):
        with pytest.raises(rs.SpecError, match="error"):
            self.NET.settling_time(error)
