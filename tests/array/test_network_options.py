"""Every option of the network against the oracle, from weak to strong coupling, alone and in batches."""

import itertools

import numpy as np
import pytest
from helpers.networks import (
    ENDS,
    GATED_LINEAR,
    OHMS,
    UNSELECTED,
    Case,
    assert_close,
    check_every_method,
    check_solution,
    known_case,
    random_case,
    random_cells,
)
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reference import network as oracle

import rramsim as rs
from rramsim.array.network import transconductances

COMBINATIONS = list(itertools.product(["rows", "columns"], UNSELECTED, ENDS, ENDS, [False, True]))


class TestEveryCombination:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize(("inputs", "unselected", "driver_end", "sense_end", "end_segments"), COMBINATIONS)
    def test_lines_and_ends(self, inputs, unselected, driver_end, sense_end, end_segments):
        number = COMBINATIONS.index((inputs, unselected, driver_end, sense_end, end_segments))
        ends = {"driver_end": driver_end, "sense_end": sense_end, "end_segments": end_segments}
        shape = [None, (1, 1), (1, 6), (6, 1), (3, 6), (6, 3)][number % 6]
        for seed, selected in ((number, "drive"), (number + 1000, "mask")):
            case = random_case(
                seed, shape if seed < 1000 else None, inputs=inputs, unselected=unselected, selected=selected, **ends
            )
            check_every_method(case)

    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("present", list(itertools.product([False, True], repeat=4)))
    @pytest.mark.parametrize("ends", [("near", "far"), ("both", "both"), ("far", "near")])
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_zero_resistances(self, present, ends, inputs):
        ohm = {name: value * there for name, value, there in zip(OHMS, (3.0, 1.7, 120.0, 45.0), present, strict=True)}
        for seed, unselected in enumerate(UNSELECTED):
            base = random_case(seed, (4, 3), inputs=inputs, unselected=unselected, selected="mask")
            wires = rs.WireSpec(**ohm, driver_end=ends[0], sense_end=ends[1], end_segments=seed == 1)
            check_every_method(base._replace(wires=wires))

    @pytest.mark.parametrize("unselected", UNSELECTED)
    @pytest.mark.parametrize("which", ["input", "output", "all"])
    def test_open_lines(self, unselected, which):
        case = random_case(2, (5, 4), unselected=unselected, open_share=0.0)
        case.g[{"input": (2, slice(None)), "output": (slice(None), 1), "all": ...}[which]] = 0.0
        case.v[2] = 0.0
        for ends in ({}, {"driver_end": "both", "sense_end": "both"}):
            check_every_method(case._replace(wires=case.wires.but(ends)))

    @pytest.mark.parametrize("pairs", ["inputs", "outputs"])
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize("unselected", UNSELECTED)
    def test_pairs(self, pairs, inputs, unselected):
        for seed, ends in enumerate(({}, {"driver_end": "both"}, {"driver_end": "far", "sense_end": "both"})):
            check_every_method(
                random_case(seed, pairs=pairs, inputs=inputs, unselected=unselected, selected="mask", **ends)
            )

    @settings(max_examples=examples(120))
    @given(
        st.integers(0, 2**32),
        st.fixed_dictionaries(
            {
                "inputs": st.sampled_from(["rows", "columns"]),
                "unselected": st.sampled_from(UNSELECTED),
                "pairs": st.sampled_from(["none", "none", "inputs", "outputs"]),
                "driver_end": st.sampled_from(ENDS),
                "sense_end": st.sampled_from(ENDS),
                "end_segments": st.booleans(),
                "selected": st.sampled_from([None, "drive", "mask"]),
                "conduction": st.sampled_from([None, None, GATED_LINEAR]),
                "zeros": st.sampled_from([0.0, 0.3, 0.8]),
                "open_share": st.sampled_from([0.0, 0.4]),
                "low": st.sampled_from([1e-9, 1e-6]),
                "ohms": st.sampled_from([(1e-3, 1e2), (1.0, 1e4)]),
            }
        ),
    )
    def test_anything(self, seed, options):
        check_every_method(random_case(seed, **options))


class TestConditions:
    """From weak to strong coupling and up to large arrays."""

    @pytest.mark.parametrize("ohm", [1e-3, 1.0, 100.0])
    @pytest.mark.parametrize("ends", [("near", "far"), ("both", "both")])
    def test_six_decades_of_conductance(self, ohm, ends):
        rng = np.random.default_rng(3)
        g, v = random_cells((12, 9), rng, low=1e-9), rng.uniform(-0.2, 0.2, 12)
        wires = rs.WireSpec(**dict.fromkeys(OHMS, ohm), driver_end=ends[0], sense_end=ends[1])
        check_every_method(Case(g, wires, {"inputs": "rows", "unselected": "grounded", "pairs": "none"}, v, None))

    @pytest.mark.parametrize("ohm", [1e-3, 1.0, 100.0])
    @pytest.mark.parametrize("unselected", ["grounded", "floating"])
    def test_sixty_four_lines(self, ohm, unselected):
        rng = np.random.default_rng(4)
        g, v = random_cells((64, 56), rng, low=1e-9), rng.uniform(-0.2, 0.2, 64)
        v[::3] = 0.0
        wires = rs.WireSpec(**dict.fromkeys(OHMS, ohm))
        case = Case(g, wires, {"inputs": "rows", "unselected": unselected, "pairs": "none"}, v, None)
        expected = oracle.solve_sparse(g, v, **case.all)
        check_solution(case, case.network.solve(v), expected)
        mask = (v != 0) | (unselected == "grounded")
        t = case.network.transconductance(selected=mask)
        assert_close(v @ t, expected.currents, 1e-12)

    def test_two_hundred_and_fifty_six_lines(self):
        rng = np.random.default_rng(5)
        g, v = random_cells((256, 256), rng, low=1e-7, high=1e-4), rng.uniform(-0.2, 0.2, 256)
        wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=2.0, driver_ohm=100.0, sense_ohm=50.0)
        case = Case(g, wires, {"inputs": "rows", "unselected": "grounded", "pairs": "none"}, v, None)
        expected = oracle.solve_sparse(g, v, **case.all)
        check_solution(case, case.network.solve(v), expected)
        assert_close(v @ case.network.transconductance(), expected.currents, 1e-12)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize("ends", [("near", "far"), ("far", "both"), ("both", "near"), ("both", "both")])
    @pytest.mark.parametrize("fall", [0.01, 0.9])
    def test_known_solution(self, inputs, ends, fall):
        case, currents, word, bit = known_case(
            7, (120, 90), inputs, fall, driver_end=ends[0], sense_end=ends[1], end_segments=True
        )
        solution = case.network.solve(case.v)
        assert_close(solution.currents, currents, 1e-12)
        assert_close(solution.word, word, 1e-11)
        assert_close(solution.bit, bit, 1e-11)
        assert_close(case.v @ case.network.transconductance(), currents, 1e-12)

    def test_known_solution_of_a_million_cells(self):
        case, currents, word, bit = known_case(8, (1024, 1024), end_segments=True, fall=0.9)
        solution = case.network.solve(case.v)
        assert_close(solution.currents, currents, 1e-12)
        assert_close(solution.word, word, 1e-11)
        assert_close(solution.bit, bit, 1e-11)

    @pytest.mark.parametrize("shape", [(1, 300), (300, 1), (2, 257), (257, 3)])
    def test_long_arrays(self, shape):
        case = random_case(1, shape, ohms=(0.1, 3.0), zeros=0.0, per_line=True)
        expected = oracle.solve_sparse(case.g, case.v, **case.all)
        check_solution(case, case.network.solve(case.v), expected)
        assert_close(case.v @ case.network.transconductance(), expected.currents, 1e-12)


class TestBatches:
    @pytest.mark.parametrize("unselected", UNSELECTED)
    def test_every_split_gives_the_same(self, unselected):
        case = random_case(11, (40, 33), unselected=unselected, ohms=(0.5, 5.0), zeros=0.1)
        rng = np.random.default_rng(1)
        v = rng.uniform(-0.2, 0.2, (24, 40))
        v[rng.random(v.shape) < 0.2] = 0.0
        v[8:16] = np.where(v[8] == 0, 0.0, v[8:16])  # eight that select the same lines
        net = case.network
        together = net.currents(v)
        for size in (1, 2, 7, 12):
            parts = np.concatenate([net.currents(v[k : k + size]) for k in range(0, len(v), size)])
            assert_close(parts, together, 1e-12)
        assert_close(net.currents(v.reshape(2, 3, 4, 40)).reshape(24, -1), together, 1e-15)
        solution = net.solve(v)
        assert_close(solution.currents, together, 1e-12)
        alone = net.solve(v[9])
        assert_close(solution.word[9], alone.word, 1e-12)
        assert_close(solution.bit_line_currents[9], alone.bit_line_currents, 1e-11)

    def test_a_mask_for_each_vector(self):
        case = random_case(12, (6, 5), unselected="floating")
        rng = np.random.default_rng(2)
        v, masks = rng.uniform(-0.2, 0.2, (9, 6)), rng.random((9, 6)) < 0.6
        masks[4:] = masks[4]
        currents = case.network.currents(v, selected=masks)
        solution = case.network.solve(v, selected=masks)
        for k in range(9):
            expected = case.solved(v[k], masks[k])
            assert_close(currents[k], expected.currents, 1e-12)
            assert_close(solution.word[k], expected.word, 1e-11)
        # One mask for all, and one vector for all masks.
        assert_close(case.network.currents(v, selected=masks[4])[6], currents[6], 1e-12)
        assert case.network.currents(v[0], selected=masks).shape == currents.shape

    def test_shapes(self):
        net = rs.Network(np.full((4, 6), 1e-5), rs.WireSpec(word_line_ohm=1.0), unselected="floating")
        solution = net.solve(np.ones((2, 3, 4)))
        assert solution.currents.shape == (2, 3, 6)
        assert solution.word.shape == solution.bit.shape == solution.cell_currents.shape == (2, 3, 4, 6)
        assert solution.word_line_currents.shape == (2, 3, 4, 7)
        assert solution.bit_line_currents.shape == (2, 3, 5, 6)
        assert solution.input_currents.shape == (2, 3, 4)
        assert solution.power_watt.shape == (2, 3)
        assert net.currents(np.ones((0, 4))).shape == (0, 6)
        alone = net.solve(np.ones(4))
        assert alone.currents.shape == (6,)
        assert np.shape(alone.power_watt) == ()
        paired = rs.Network(np.full((4, 6), 1e-5), pairs="outputs")
        assert paired.currents(np.ones((5, 4))).shape == (5, 3)
        assert paired.solve(np.ones(4)).currents.shape == (3,)
        both = rs.Network(np.full((4, 6), 1e-5), pairs="inputs")
        assert both.transconductance().shape == (2, 6)
        assert both.solve(np.ones((5, 2))).input_currents.shape == (5, 2)

    def test_many_arrays(self):
        rng = np.random.default_rng(0)
        wires = random_case(0, (7, 5), driver_end="both", sense_end="near", end_segments=True).wires
        g = random_cells((3, 2, 7, 5), rng)
        t = transconductances(g, wires)
        for k in np.ndindex(3, 2):
            assert_close(t[k], oracle.transconductance(g[k], **wires.model_dump()), 1e-12)
            assert_close(t[k], rs.Network(g[k], wires).transconductance(), 1e-13)
        assert_array_equal(transconductances(g, wires, threads=2), t)

    def test_single_precision(self):
        case = random_case(6, (30, 20), zeros=0.0, ohms=(0.5, 5.0))
        t = case.network.transconductance(np.float32)
        assert t.dtype == np.float32
        assert_close(t.astype(float), case.network.transconductance(), 3e-5)
