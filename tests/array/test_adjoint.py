"""Sensitivities and time constants of the outputs."""

import itertools

import numpy as np
import pytest
from helpers.networks import (
    ENDS,
    GATED_CUBIC,
    GATED_LINEAR,
    GATED_POLYNOMIAL,
    MILO,
    OHMS,
    POLYNOMIAL,
    SINH,
    UNSELECTED,
    assert_close,
    largest,
    random_case,
)
from numpy.testing import assert_allclose, assert_array_equal
from reference import network as oracle

import rramsim as rs


class TestSensitivity:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("unselected", UNSELECTED)
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize("law", [None, SINH, GATED_CUBIC, GATED_LINEAR, POLYNOMIAL, GATED_POLYNOMIAL])
    def test_every_cell(self, unselected, inputs, law):
        for seed, (pairs, ends) in enumerate(
            [("none", {}), ("outputs", {"driver_end": "both"}), ("inputs", {"sense_end": "near", "driver_end": "far"})]
        ):
            case = random_case(
                seed + 20,
                inputs=inputs,
                unselected=unselected,
                pairs=pairs,
                conduction=law,
                selected="mask",
                open_share=0.0 if unselected == "floating" else 0.2,
                **ends,
            )
            expected = oracle.sensitivity(case.g, case.v, selected=case.selected, **case.all)
            net = case.network
            sensitivity = net.sensitivity(case.v, selected=case.selected)
            assert_close(sensitivity, expected, 1e-10)
            some = [len(expected) - 1, 0]
            assert_close(
                net.sensitivity(case.v, some, selected=case.selected), expected[some], 1e-10, largest(expected)
            )

    @pytest.mark.parametrize("law", [SINH, POLYNOMIAL])
    def test_it_is_the_slope_of_the_currents(self, law):
        case = random_case(30, (4, 5), conduction=law, zeros=0.1)
        slopes = case.network.sensitivity(case.v)
        for i, j in ((0, 0), (2, 3), (3, 4)):
            step = 1e-4 * (case.g[i, j] or 1e-6)
            shifted = [case.g.copy(), case.g.copy()]
            shifted[0][i, j] += step
            shifted[1][i, j] += 2 * step
            here, one, two = (rs.Network(g, case.wires, conduction=law).currents(case.v) for g in (case.g, *shifted))
            assert_close((4 * one - two - 3 * here) / (2 * step), slopes[:, i, j], 1e-5)

    def test_cells_whose_coefficients_change_with_them(self):
        """As measured, where that matters most: every cell in turn, a little more and a little less."""
        rng = np.random.default_rng(4)
        g, v = rng.uniform(50e-6, 100e-6, (3, 4)), np.array([0.4, 0.0, 0.25])
        wires = rs.WireSpec(word_line_ohm=50.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0)
        slopes = rs.Network(g, wires, conduction=MILO).sensitivity(v)
        for i, j in np.ndindex(3, 4):
            step = np.zeros_like(g)
            step[i, j] = 1e-4 * g[i, j]
            at = [rs.Network(g + k * step, wires, conduction=MILO).currents(v) for k in (-2, -1, 1, 2)]
            difference = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step[i, j])
            assert_close(slopes[:, i, j], difference, 1e-8, 0.4)

    def test_euler(self):
        """Ideal wires: the slope is the voltage of the input, for its own output alone."""
        g = np.full((3, 4), 1e-4)
        expected = np.zeros((4, 3, 4))
        for j in range(4):
            expected[j, :, j] = [0.1, 0.2, 0.3]
        assert_allclose(rs.Network(g).sensitivity([0.1, 0.2, 0.3]), expected, atol=1e-15)


FARAD = {"word_line_farad": 3e-15, "bit_line_farad": 2e-15, "cell_farad": 1e-15}


class TestDelay:
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize(("driver_end", "sense_end"), list(itertools.product(ENDS, ENDS)))
    def test_against_the_moments(self, inputs, driver_end, sense_end):
        for seed, options in enumerate(({}, {"conduction": GATED_LINEAR}, {"pairs": "outputs"}, {"conduction": SINH})):
            case = random_case(
                seed + 40, inputs=inputs, driver_end=driver_end, sense_end=sense_end, end_segments=seed == 1, **options
            )
            wires = case.wires.but(FARAD)
            v = np.abs(case.v)
            net = rs.Network(case.g, wires, **case.options)
            for steps in (v, None):
                expected = oracle.elmore_delay(case.g, steps, **case.options, **wires.model_dump())
                slack = 1e-10 * max(largest(expected), 1e-18)
                assert_allclose(net.elmore_delay(steps), expected, rtol=1e-9, atol=slack)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_polynomial_cells(self, inputs):
        """By default as much as their law allows."""
        case = random_case(44, inputs=inputs, conduction=POLYNOMIAL)
        wires = case.wires.but(FARAD)
        net = rs.Network(case.g, wires, **case.options)
        for v in (np.abs(case.v), np.full(net.n_inputs, 0.6)):
            expected = oracle.elmore_delay(case.g, v, **case.options, **wires.model_dump())
            assert_allclose(net.elmore_delay(v), expected, rtol=1e-9, atol=1e-10 * largest(expected))
        assert_array_equal(net.elmore_delay(), net.elmore_delay(v))

    @pytest.mark.parametrize("unselected", UNSELECTED)
    def test_unselected_lines(self, unselected):
        case = random_case(50, (5, 4), unselected=unselected, open_share=0.0)
        wires = case.wires.but(FARAD | {"cell_farad": 0.0})
        v = np.array([0.2, 0.0, 0.1, 0.0, 0.3])
        expected = oracle.elmore_delay(case.g, v, **case.options, **wires.model_dump())
        assert_allclose(rs.Network(case.g, wires, **case.options).elmore_delay(v), expected, rtol=1e-9)

    def test_one_cell_by_hand(self):
        """Driver R, cell 1/g, sense r: C_w charges through R || (1/g + r), C_b through r || (1/g + R)."""
        g, driver, sense = 1e-4, 3e3, 5e3
        wires = rs.WireSpec(driver_ohm=driver, sense_ohm=sense, word_line_farad=1e-12, bit_line_farad=2e-12)
        total = driver + 1 / g + sense
        word, bit = (1 / g + sense) / total, sense / total
        # First moment of the output: each capacitor discharges its final charge; the share that misses the output.
        missing = 1e-12 * word * driver / total + 2e-12 * bit * (driver + 1 / g) / total
        assert rs.Network([[g]], wires).elmore_delay()[0] == pytest.approx(missing * total, rel=1e-12)

    def test_a_long_line(self):
        """Half R C of a line whose cell sits at its end."""
        n = 200
        g = np.zeros((1, n))
        g[0, -1] = 1e-9
        wires = rs.WireSpec(word_line_ohm=10.0, word_line_farad=1e-15)
        expected = sum(10.0 * k * 1e-15 for k in range(n))
        assert rs.Network(g, wires).elmore_delay()[-1] == pytest.approx(expected, rel=1e-4)

    def test_without_resistance(self):
        """Lines that are sources and grounds do not delay; a cell's capacitance gives its charge ahead of the rest."""
        g = np.full((2, 3), 1e-5)
        lines = {"word_line_farad": 3e-15, "bit_line_farad": 2e-15}
        assert not rs.Network(g, rs.WireSpec(**lines)).elmore_delay().any()
        ahead = rs.Network(g, rs.WireSpec(cell_farad=1e-15)).elmore_delay()
        assert_allclose(ahead, -1e-15 / 1e-5, rtol=1e-12)
        # It is the limit of small resistances.
        weak = rs.WireSpec(**dict.fromkeys(OHMS, 1e-6), cell_farad=1e-15)
        assert_allclose(rs.Network(g, weak).elmore_delay(), ahead, rtol=1e-8)

    def test_an_output_without_current_has_none(self):
        g = np.full((2, 3), 1e-5)
        g[:, 1] = 0.0
        delay = rs.Network(g, rs.WireSpec(word_line_ohm=1.0, **FARAD)).elmore_delay()
        assert np.isnan(delay[1])
        assert np.isfinite(delay[[0, 2]]).all()

    def test_settling(self):
        case = random_case(41, (5, 6), zeros=0.0, open_share=0.0)
        net = rs.Network(case.g, case.wires.but(FARAD))
        delay = np.maximum(net.elmore_delay(), 0.0)
        assert delay.any()
        assert_allclose(net.settling_time(), np.log(100) * delay, rtol=1e-12)
        assert_allclose(net.settling_time(1e-3), np.log(1000) * delay, rtol=1e-12)
