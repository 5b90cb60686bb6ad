"""Laws that hold in every network, whatever its options, without an oracle."""

import itertools

import numpy as np
import pytest
from helpers.networks import ENDS, GATED_CUBIC, OHMS, POLYNOMIAL, SINH, UNSELECTED, assert_close, largest, random_case
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import rramsim as rs


def heat(case, solution):
    """Watts in cells and wires, from the currents and the resistances of every line."""
    n_rows, n_columns = case.g.shape
    words, bits = np.broadcast_to(case.wires.word_line_ohm, n_rows), np.broadcast_to(case.wires.bit_line_ohm, n_columns)
    rows_in = case.options["inputs"] == "rows"
    ends_of_words, ends_of_bits = (
        (case.wires.driver_ohm, case.wires.sense_ohm) if rows_in else (case.wires.sense_ohm, case.wires.driver_ohm)
    )
    total = (solution.cell_currents * (solution.word - solution.bit)).sum()
    for along, segment, end in (
        (solution.word_line_currents, words, ends_of_words),
        (solution.bit_line_currents.T, bits, ends_of_bits),
    ):
        at_ends = end + case.wires.end_segments * segment
        total += (segment * (along[:, 1:-1] ** 2).sum(axis=1)).sum()
        total += (at_ends * (along[:, 0] ** 2 + along[:, -1] ** 2)).sum()
    return total


class TestLaws:
    """Laws of any circuit of resistances and cells."""

    ANY = st.builds(
        random_case,
        st.integers(0, 2**32),
        inputs=st.sampled_from(["rows", "columns"]),
        unselected=st.sampled_from(UNSELECTED),
        pairs=st.sampled_from(["none", "none", "inputs", "outputs"]),
        driver_end=st.sampled_from(ENDS),
        sense_end=st.sampled_from(ENDS),
        end_segments=st.booleans(),
        selected=st.sampled_from([None, "mask"]),
        conduction=st.sampled_from([None, SINH, GATED_CUBIC, POLYNOMIAL]),
        zeros=st.sampled_from([0.0, 0.5]),
    )

    @settings(max_examples=examples(60))
    @given(ANY)
    def test_kirchhoff_ohm_and_the_balance_of_power(self, case):
        net = case.network
        s = net.solve(case.v, selected=case.selected)
        flow = largest(s.cell_currents, s.word_line_currents, s.bit_line_currents) or 1.0
        along, down, through = s.word_line_currents, s.bit_line_currents, s.cell_currents
        assert_allclose(along[:, :-1] - along[:, 1:], through, rtol=0, atol=1e-12 * flow)
        assert_allclose(down[1:] - down[:-1], through, rtol=0, atol=1e-12 * flow)
        volt = largest(case.v) or 1.0
        for line_ohm, volts, current in (
            (case.wires.word_line_ohm, s.word, along),
            (case.wires.bit_line_ohm, s.bit.T, down.T),
        ):
            ohm = np.broadcast_to(line_ohm, len(volts))[:, None]
            assert_allclose(-np.diff(volts, axis=1), ohm * current[:, 1:-1], rtol=0, atol=1e-10 * volt)
        law = case.options.get("conduction") or rs.LinearConductionSpec()
        cells = np.where(through != 0, case.g, 0.0)
        assert_allclose(law.current(cells, s.word - s.bit), through, rtol=1e-9, atol=1e-11 * flow)
        watt = float(s.power_watt)
        assert heat(case, s) == pytest.approx(watt, rel=1e-9, abs=1e-12 * volt * flow)
        assert s.evidence.residual <= 1e-9
        assert s.evidence.power_error <= 1e-8 or abs(watt) < 1e-12 * volt * flow
        if case.options["pairs"] != "inputs":
            selected = np.ones(len(case.v), dtype=bool) if case.selected is None else case.selected
            assert (case.v * selected) @ s.input_currents == pytest.approx(watt, rel=1e-9, abs=1e-12 * volt * flow)
        if case.options["pairs"] == "none":
            # All that the sources deliver leaves through the outputs.
            assert s.input_currents.sum() == pytest.approx(s.currents.sum(), rel=1e-9, abs=1e-11 * flow)

    @settings(max_examples=examples(40))
    @given(ANY.filter(lambda case: "conduction" not in case.options), st.floats(-3, 3))
    def test_superposition(self, case, factor):
        net, mask = case.network, np.ones(len(case.v), dtype=bool) if case.selected is None else case.selected
        one, other = case.v, np.cos(np.arange(len(case.v)))
        together = net.currents(one + factor * other, selected=mask)
        parts = net.currents(one, selected=mask), factor * net.currents(other, selected=mask)
        assert_close(together, parts[0] + parts[1], 1e-11, 4 * largest(case.g) * len(case.g))

    @pytest.mark.parametrize(("driver_end", "sense_end"), list(itertools.product(ENDS, ENDS)))
    @pytest.mark.parametrize("end_segments", [False, True])
    def test_reciprocity(self, driver_end, sense_end, end_segments):
        """Driving the outputs and sensing the inputs gives the transposed matrix."""
        for seed in range(4):
            case = random_case(seed, driver_end=driver_end, sense_end=sense_end, end_segments=end_segments)
            wires = case.wires
            swapped = wires.but(
                {
                    "driver_ohm": wires.sense_ohm,
                    "sense_ohm": wires.driver_ohm,
                    "driver_end": sense_end,
                    "sense_end": driver_end,
                }
            )
            back = rs.Network(case.g, swapped, inputs="columns").transconductance()
            assert_close(back, case.network.transconductance().T, 1e-12)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_mirrors(self, inputs):
        """Far is near of the array turned round."""
        for seed in range(4):
            case = random_case(seed, inputs=inputs, driver_end="far", sense_end="near", end_segments=bool(seed % 2))
            turned = case.wires.model_dump() | {"driver_end": "near", "sense_end": "far"}
            turned |= {k: x[::-1] for k, x in turned.items() if isinstance(x, tuple)}
            mirror = rs.Network(case.g[::-1, ::-1], rs.WireSpec(**turned), inputs=inputs)
            assert_close(mirror.transconductance()[::-1, ::-1], case.network.transconductance(), 1e-12)

    def test_columns_as_inputs_is_the_transposed_array(self):
        for seed in range(6):
            case = random_case(seed, inputs="columns", driver_end=ENDS[seed % 3], unselected="floating")
            w = case.wires
            turned = w.but({"word_line_ohm": w.bit_line_ohm, "bit_line_ohm": w.word_line_ohm})
            other = rs.Network(case.g.T, turned, unselected="floating").solve(case.v)
            here = case.network.solve(case.v)
            assert_close(here.currents, other.currents, 1e-12)
            assert_close(here.word, other.bit.T, 1e-11)
            assert_close(here.bit, other.word.T, 1e-11)

    @settings(max_examples=examples(30))
    @given(ANY.filter(lambda case: "conduction" not in case.options))
    def test_vanishing_wires_and_cells(self, case):
        """t -> g as either vanishes, to first order."""
        ideal = rs.Network(case.g, **case.options).transconductance()
        dump = case.wires.model_dump()
        scale = largest(case.g)
        for factor in (1e-4, 1e-8, 1e-12):
            wires = {k: tuple(factor * np.array(x)) if isinstance(x, tuple) else x for k, x in dump.items()}
            wires |= {k: factor * dump[k] for k in OHMS if isinstance(dump[k], float)}
            weak = rs.Network(case.g, rs.WireSpec(**wires), **case.options).transconductance()
            small = rs.Network(factor * case.g, case.wires, **case.options).transconductance() / factor
            # 1 kilo-ohm at most in each of 9 resistances that up to 49 cells share, siemens squared.
            bound = factor * 9e3 * 49 * scale**2 + 1e-13 * scale
            for near in (weak, small):
                assert np.abs(near - ideal).max(initial=0.0) <= bound

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_selection_in_other_words(self, inputs):
        """Cut off is an array without these cells; floating is a driver of a very large resistance."""
        case = random_case(3, (5, 5), inputs=inputs, zeros=0.0, open_share=0.0, per_line=False)
        off = np.array([False, True, False, True, False])
        cells = np.where(off[:, None] if inputs == "rows" else off, 0.0, case.g)
        cut = rs.Network(case.g, case.wires, inputs=inputs, unselected="cut off")
        expected = rs.Network(cells, case.wires, inputs=inputs).currents(case.v)
        assert_close(cut.currents(case.v, selected=~off), expected, 1e-12)
        weak = case.wires.but({"driver_ohm": tuple(np.where(off, 1e8, case.wires.driver_ohm).tolist())})
        held = rs.Network(case.g, weak, inputs=inputs).currents(np.where(off, 0.0, case.v))
        floating = rs.Network(case.g, case.wires, inputs=inputs, unselected="floating")
        assert_close(floating.currents(case.v, selected=~off), held, 1e-3)
        # The default: what is driven with 0 V is not selected.
        assert_array_equal(floating.currents(np.where(off, 0.0, case.v)), floating.currents(case.v, selected=~off))
        grounded = case.network
        assert_close(grounded.currents(case.v, selected=~off), grounded.currents(np.where(off, 0.0, case.v)), 1e-13)
