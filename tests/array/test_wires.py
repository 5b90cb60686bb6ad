"""Lines: their order, and their temperature."""

from types import MappingProxyType

import numpy as np
import pytest
from helpers.networks import SINH, check_solution, random_case, random_cells
from numpy.testing import assert_allclose, assert_array_equal

import rramsim as rs
from rramsim.array.network import transconductances
from rramsim.array.wired import ProgrammedArray
from rramsim.array.wires import Lines


class TestOrder:
    """Lines that are driven or sensed at their other end alone are taken in reverse."""

    @pytest.mark.parametrize(
        ("ends", "rows", "columns"),
        [
            ({}, [0, 1, 2], [0, 1]),
            ({"driver_end": "both", "sense_end": "both"}, [0, 1, 2], [0, 1]),
            ({"driver_end": "far"}, [0, 1, 2], [1, 0]),
            ({"sense_end": "near"}, [2, 1, 0], [0, 1]),
            ({"driver_end": "far", "sense_end": "near"}, [2, 1, 0], [1, 0]),
        ],
    )
    def test_turned(self, ends, rows, columns):
        wires = rs.WireSpec(word_line_ohm=(1.0, 2.0, 3.0), bit_line_ohm=(4.0, 5.0), **ends)
        lines, cells = Lines.of(wires, 3, 2), np.arange(12).reshape(2, 3, 2)
        assert_array_equal(lines.turned(cells), cells[:, rows][:, :, columns])
        assert_array_equal(lines.turned_inputs(np.arange(3)), rows)
        assert_array_equal(lines.turned_outputs(np.arange(2)), columns)
        assert_array_equal(lines.turned(lines.turned(cells)), cells)
        assert_array_equal(lines.input_segment, np.array([1.0, 2.0, 3.0])[rows])
        assert_array_equal(lines.output_segment, np.array([4.0, 5.0])[columns])


class TestTemperature:
    OHM = MappingProxyType({"word_line_ohm": 3.0, "bit_line_ohm": (1.0, 2.0, 0.0, 4.0, 1.5)})
    ENDS = MappingProxyType({"driver_ohm": 100.0, "sense_ohm": 40.0})

    @pytest.mark.parametrize("end_segments", [False, True])
    @pytest.mark.parametrize("law", [None, SINH])
    def test_a_network_at_400_kelvin(self, law, end_segments):
        """1 + 100 x 0.00451 = 1.451 times the resistance of every segment, not of the circuits at the ends."""
        rng = np.random.default_rng(0)
        g, v = random_cells((4, 5), rng), rng.uniform(-0.3, 0.3, 4)
        more = {"end_segments": end_segments, **self.ENDS}
        scaled = {"word_line_ohm": 3.0 * 1.451, "bit_line_ohm": tuple(1.451 * x for x in self.OHM["bit_line_ohm"])}
        hot = rs.Network(g, rs.WireSpec(**self.OHM, temperature_kelvin=400.0, **more), conduction=law)
        expected = rs.Network(g, rs.WireSpec(**scaled, **more), conduction=law)
        cold = rs.Network(g, rs.WireSpec(**self.OHM, **more), conduction=law)
        assert_allclose(hot.currents(v), expected.currents(v), rtol=1e-12)
        assert_allclose(hot.solve(v).word, expected.solve(v).word, rtol=1e-12)
        assert hot.coupling == pytest.approx(expected.coupling, rel=1e-14)
        assert hot.coupling == pytest.approx(1.451 * cold.coupling, rel=1e-14)
        assert not np.allclose(hot.currents(v), cold.currents(v), rtol=1e-5)
        if law is None:
            assert_allclose(hot.transconductance(), expected.transconductance(), rtol=1e-12)
            many = transconductances(g[None], rs.WireSpec(**self.OHM, temperature_kelvin=400.0, **more))
            assert_allclose(many[0], expected.transconductance(), rtol=1e-12)

    @pytest.mark.parametrize("kelvin", [250.0, 350.0])
    def test_the_oracle_agrees(self, kelvin):
        case = random_case(3, (4, 5), temperature_kelvin=kelvin, change_per_kelvin=-0.002)
        check_solution(case, case.network.solve(case.v), case.solved())

    def test_at_300_kelvin_nothing_changes(self):
        g, v = random_cells((4, 5)), np.array([0.1, 0.2, 0.3, 0.0])
        given, default = (rs.WireSpec(**self.OHM, **more) for more in ({"temperature_kelvin": 300.0}, {}))
        assert_array_equal(rs.Network(g, given).currents(v), rs.Network(g, default).currents(v))
        assert (default.word_segment_ohm, default.bit_segment_ohm) == tuple(self.OHM.values())

    def test_no_resistance_is_negative(self):
        zero = 300.0 - 1 / 0.00451
        assert rs.WireSpec(word_line_ohm=1.0, temperature_kelvin=zero + 1e-6).word_segment_ohm == pytest.approx(4.51e-9)
        for fields, wanted in (
            (
                {"temperature_kelvin": 77.0},
                r"77 with change_per_kelvin 0\.00451: .* -0\.00573 times .* at least 78\.27 kelvin",
            ),
            ({"temperature_kelvin": 500.0, "change_per_kelvin": -0.01}, r"-1 times .* allowed is at most 400 kelvin"),
        ):
            with pytest.raises(rs.SpecError, match=wanted):
                rs.WireSpec(word_line_ohm=1.0, **fields)

    @pytest.mark.parametrize("wrong", [0.0, -3.0, float("nan")])
    def test_temperatures(self, wrong):
        with pytest.raises(rs.SpecError, match=r"temperature_kelvin: got .* Temperature of the lines, kelvin"):
            rs.WireSpec(temperature_kelvin=wrong)


class TestBesideCells:
    """Cells and lines of an array have one temperature: that of the device."""

    WIRES = rs.WireSpec(word_line_ohm=30.0, bit_line_ohm=20.0)
    HOT = rs.DeviceSpec(g_min_siemens=1e-6, temperature={"kelvin": 400.0, "change_per_kelvin": 1e-3})

    def test_lines_follow_the_cells(self):
        cells = self.HOT.program(np.linspace(1e-6, 1e-4, 24).reshape(6, 4), rng=0)
        array = ProgrammedArray.wired(cells, self.WIRES, 0.2)
        warmth = 1 + 0.00451 * 100
        equivalent = rs.WireSpec(word_line_ohm=30.0 * warmth, bit_line_ohm=20.0 * warmth)
        assert_allclose(array.transconductance, transconductances(cells.g * 1.1, equivalent), rtol=1e-12)

    @pytest.mark.parametrize("nonlinear", ["chord", "newton"])
    def test_macros_whose_wires_are_solved_anew(self, nonlinear):
        curved = self.HOT.but({"conduction": rs.SinhConductionSpec(sinh_volt=0.3), "temperature.change_per_kelvin": 0})
        rng = np.random.default_rng(0)
        w, x = rng.integers(-7, 8, (12, 3)), rng.integers(0, 8, (4, 12))
        shared = {"weight_bits": 4, "input_bits": 3, "signed_inputs": False, "nonlinear": nonlinear}
        hot = rs.MacroSpec(device=curved, wires=self.WIRES, **shared)
        warm = self.WIRES.but({key: getattr(self.WIRES, key) * 1.451 for key in ("word_line_ohm", "bit_line_ohm")})
        cold = rs.MacroSpec(device=curved.but({"temperature.kelvin": 300.0}), wires=warm, **shared)
        one, other = (spec.program(w, rng=1)(x, rng=2) for spec in (hot, cold))
        assert_allclose(one, other, rtol=1e-9)
        assert abs(one - hot.but(wires=rs.WireSpec()).program(w, rng=1)(x, rng=2)).max() > 1e-2

    @pytest.mark.parametrize("kind", [rs.MacroSpec, rs.CamSpec, rs.LutSpec, rs.SoftmaxSpec])
    def test_two_temperatures_are_refused(self, kind):
        other = self.WIRES.but(temperature_kelvin=350.0)
        needed = {"format": rs.FixedPointSpec(integer_bits=3, fraction_bits=1)} if kind is rs.SoftmaxSpec else {}
        with pytest.raises(rs.SpecError, match=r"temperature_kelvin is 350 and device\.temperature\.kelvin 400"):
            kind(device=self.HOT, wires=other, **needed)
        assert kind(device=self.HOT.but({"temperature.kelvin": 350.0}), wires=other, **needed).wires == other

    def test_too_cold_for_the_law_of_the_wires(self):
        cold = rs.DeviceSpec(temperature={"kelvin": 77.0})
        with pytest.raises(rs.SpecError, match=r"77 with change_per_kelvin 0\.00451: .* at least 78\.27 kelvin"):
            rs.MacroSpec(device=cold, wires=self.WIRES)
        assert rs.MacroSpec(device=cold).wires.ideal

    def test_lines_keep_it_beside_cells_without_errors(self):
        """So that a study shows the IR drop of warm wires, alone and among all others."""
        assert self.HOT.without_errors.temperature == rs.TemperatureSpec(kelvin=400.0, reference_kelvin=400.0)
        cells = self.HOT.without_errors.program([[5e-5]], rng=0)
        assert cells.conductance() == 5e-5
