"""Every option of the network against the oracle, and the laws that hold whatever the options."""

import itertools
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network as oracle

import rramsim as rs
from rramsim.array.network import transconductances
from rramsim.cell.curves import CurveSpec

OHMS = ("word_line_ohm", "bit_line_ohm", "driver_ohm", "sense_ohm")
ENDS = ("near", "far", "both")
UNSELECTED = ("grounded", "floating", "cut off")
SINH = rs.ConductionSpec(law="sinh", sinh_volt=0.1)
CUBIC = rs.ConductionSpec(law="cubic", cubic_per_square_volt=6.0)
GATED_SINH = rs.ConductionSpec(law="sinh", sinh_volt=0.07, series_ohm=3e3)
GATED_CUBIC = rs.ConductionSpec(law="cubic", cubic_per_square_volt=20.0, series_ohm=500.0)
GATED_LINEAR = rs.ConductionSpec(series_ohm=4e3)
# Of the kind that Milo et al. (IRPS 2021) measured, but for cells of any conductance.
POLYNOMIAL = rs.ConductionSpec(
    law="polynomial",
    square_ampere_per_square_volt=CurveSpec(coefficients=(0.0, -6e-5, 4e-6), reference_siemens=1e-4),
    cube_ampere_per_cubic_volt=CurveSpec(coefficients=(0.0, 2e-4, -1e-6), reference_siemens=1e-4),
    most_volt=0.6,
)
GATED_POLYNOMIAL = POLYNOMIAL.but({"series_ohm": 3e3})
MILO = rs.ConductionSpec(
    law="polynomial",
    square_ampere_per_square_volt=CurveSpec(
        coefficients=(7.063e-3, 5.711e-3, 1.541e-3, 1.388e-4), variable="log10", reference_siemens=1.0
    ),
    cube_ampere_per_cubic_volt=CurveSpec(
        coefficients=(1.2968e-3, 6.7919e-4, 8.871e-5), variable="log10", reference_siemens=1.0
    ),
    most_volt=0.5,
)


class Case(NamedTuple):
    """An array with its wires and options, and a drive for it."""

    g: np.ndarray
    wires: rs.WireSpec
    options: dict
    v: np.ndarray
    selected: np.ndarray | None

    @property
    def network(self):
        return rs.Network(self.g, self.wires, **self.options)

    @property
    def all(self):
        """What the oracle takes beside g and v."""
        return {**self.options, **self.wires.model_dump()}

    def solved(self, v=None, selected=None):
        v = self.v if v is None else v
        return oracle.solve(self.g, v, selected=self.selected if selected is None else selected, **self.all)


def random_cells(rng, shape, low=1e-6, high=1e-3, open_share=0.0):
    g = low * (high / low) ** rng.random(shape)
    return np.where(rng.random(shape) < open_share, 0.0, g)


def random_case(
    seed,
    shape=None,
    *,
    inputs="rows",
    unselected="grounded",
    pairs="none",
    conduction=None,
    selected=None,
    zeros=0.3,
    open_share=0.25,
    low=1e-6,
    per_line=True,
    ohms=(1e-1, 1e3),
    **ends,
):
    """An array of at most 7 x 7 with a resistance for every line, some of them 0.

    ``selected`` is None, "drive" (lines with a voltage of 0) or "mask".
    """
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 8, 2)) if shape is None else shape
    lines = np.array(shape if inputs == "rows" else shape[::-1])
    paired = {"none": None, "inputs": 0, "outputs": 1}[pairs]
    if paired is not None:
        lines[paired] += lines[paired] % 2
        shape = tuple(lines if inputs == "rows" else lines[::-1])
    n_inputs, n_outputs = (int(n) for n in lines)
    counts = (*shape, n_inputs, n_outputs)
    wires = {}
    for name, count in zip(OHMS, counts, strict=True):
        ohm = ohms[0] * (ohms[1] / ohms[0]) ** rng.random(count)
        ohm[rng.random(count) < zeros] = 0.0
        wires[name] = tuple(ohm.tolist()) if per_line and rng.random() < 0.8 else float(ohm[0])
    g = random_cells(rng, shape, low=low, open_share=open_share)
    if pairs == "inputs":
        n_inputs //= 2
    v = rng.uniform(-0.3, 0.3, n_inputs)
    mask = None
    if selected == "drive":
        v[rng.random(n_inputs) < 0.4] = 0.0
    elif selected == "mask":
        mask = rng.random(n_inputs) < 0.6
    options = {"inputs": inputs, "unselected": unselected, "pairs": pairs}
    if conduction is not None:
        options["conduction"] = conduction
    return Case(g, rs.WireSpec(**wires, **ends), options, v, mask)


def largest(*arrays):
    return max((float(np.nanmax(np.abs(x), initial=0.0)) for x in arrays), default=0.0)


def assert_close(found, expected, tolerance, scale=None):
    """Within ``tolerance`` of the largest expected, where anything is expected."""
    assert found.shape == expected.shape
    there = ~np.isnan(expected)
    scale = largest(expected) if scale is None else scale
    assert_allclose(found[there], expected[there], rtol=0, atol=tolerance * scale)


def input_currents(expected, options):
    """Of the oracle's lines, as inputs: both lines of a pair together."""
    per_line = expected.input_currents
    return per_line[0::2] + per_line[1::2] if options["pairs"] == "inputs" else per_line


def check_solution(case, solution, expected, rtol=1e-12):
    """One vector, everything that a Solution holds."""
    # A branch may carry more than an output: the noise of a current is that of the largest nearby.
    flow = largest(expected.currents, expected.cell_currents, expected.word_line_currents, expected.bit_line_currents)
    volt = largest(case.v) or 1.0
    assert_close(solution.currents, expected.currents, rtol, largest(expected.currents, expected.cell_currents))
    assert_close(solution.word, expected.word, 10 * rtol, volt)
    assert_close(solution.bit, expected.bit, 10 * rtol, volt)
    assert_close(solution.cell_currents, expected.cell_currents, 10 * rtol, flow)
    assert_close(solution.word_line_currents, expected.word_line_currents, 10 * rtol, flow)
    assert_close(solution.bit_line_currents, expected.bit_line_currents, 10 * rtol, flow)
    assert_close(solution.input_currents, input_currents(expected, case.options), 10 * rtol, flow)
    assert float(solution.power_watt) == pytest.approx(expected.power_watt, rel=1e-10, abs=1e-11 * volt * flow)


def check_every_method(case):
    """currents, transconductance, node_voltages, solve: one vector, and as many as make the matrix worth while."""
    net, expected = case.network, case.solved()
    selected = case.selected
    scale = largest(expected.currents, expected.cell_currents)
    check_solution(case, net.solve(case.v, selected=selected), expected)
    assert_close(net.currents(case.v, selected=selected), expected.currents, 1e-12, scale)
    word, bit = net.node_voltages(case.v, selected=selected)
    volt = largest(case.v) or 1.0
    assert_close(word, expected.word, 1e-11, volt)
    assert_close(bit, expected.bit, 1e-11, volt)
    # The same lines selected in many vectors.
    mask = selected if selected is not None else (case.v != 0) | (case.options["unselected"] == "grounded")
    factors = np.array([1.0, -2.0, 0.5, 3.0, -0.25, 1.5, 0.75, -1.0])
    many = np.multiply.outer(factors, case.v).reshape(2, 4, -1)
    assert_close(
        net.currents(many, selected=mask),
        np.multiply.outer(factors, expected.currents).reshape(2, 4, -1),
        3e-12,
        scale,
    )
    t = oracle.transconductance(case.g, selected=mask, **case.all)
    assert_close(net.transconductance(selected=mask), t, 1e-12, largest(case.g))
    assert_close(net.transconductance(), oracle.transconductance(case.g, **case.all), 1e-12, largest(case.g))


COMBINATIONS = list(itertools.product(["rows", "columns"], UNSELECTED, ENDS, ENDS, [False, True]))


class TestOracle:
    """What the oracle claims of itself."""

    @pytest.mark.parametrize("seed", range(12))
    def test_currents_of_the_lines_are_those_of_the_voltages(self, seed):
        """They are sums of cell currents; along every resistance they must be Ohm's."""
        rng = np.random.default_rng(seed)
        ends = {"driver_end": ENDS[seed % 3], "sense_end": ENDS[seed // 3 % 3], "end_segments": bool(seed % 2)}
        case = random_case(seed, unselected=UNSELECTED[rng.integers(3)], selected="mask", zeros=0.2, **ends)
        found = case.solved()
        word_ohm = np.broadcast_to(case.wires.word_line_ohm, len(case.g))[:, None]
        fall = -np.diff(found.word, axis=1)
        assert_close(fall, word_ohm * found.word_line_currents[:, 1:-1], 1e-15, 1.0)
        fall = -np.diff(found.bit, axis=0)
        bit_ohm = np.broadcast_to(case.wires.bit_line_ohm, case.g.shape[1])
        assert_close(fall, bit_ohm * found.bit_line_currents[1:-1], 1e-15, 1.0)

    @pytest.mark.parametrize("law", [SINH, CUBIC, GATED_SINH, GATED_CUBIC, GATED_LINEAR, POLYNOMIAL, GATED_POLYNOMIAL])
    def test_nonlinear_cells_obey_their_law(self, law):
        case = random_case(5, (4, 5), conduction=law, open_share=0.0)
        found = case.solved()
        u = found.word - found.bit - law.series_ohm * found.cell_currents
        assert_allclose(law.but({"series_ohm": 0.0}).current(case.g, u), found.cell_currents, rtol=1e-12)

    def test_a_known_solution(self):
        for driver_end, sense_end, inputs in itertools.product(ENDS, ENDS, ["rows", "columns"]):
            case, currents, word, bit = known(6, (5, 7), inputs, driver_end=driver_end, sense_end=sense_end)
            found = case.solved()
            assert_allclose(found.currents, currents, rtol=1e-13)
            assert_allclose(found.word, word, rtol=1e-13)
            assert_allclose(found.bit, bit, rtol=1e-13)

    def test_sparse_and_dense_agree(self):
        case = random_case(3, (6, 5), unselected="floating", selected="mask", conduction=GATED_SINH)
        dense = case.solved()
        sparse = oracle.solve_sparse(case.g, case.v, selected=case.selected, **case.all)
        for one, other in zip(dense, sparse, strict=True):
            assert_allclose(one, other, rtol=1e-13, atol=1e-18)


def known(seed, shape, inputs="rows", fall=0.4, **ends):
    """A case whose currents and voltages are known, with about ``fall`` of the drive lost on the wires."""
    rng = np.random.default_rng(seed)
    n_inputs, n_outputs = shape if inputs == "rows" else shape[::-1]
    rate = {"word_line_ohm": shape[0], "bit_line_ohm": shape[1], "driver_ohm": n_inputs, "sense_ohm": n_outputs}
    wires = rs.WireSpec(**{k: tuple(rng.uniform(1, 3, n).tolist()) for k, n in rate.items()}, **ends)
    v = rng.uniform(0.2, 0.3, n_inputs)
    through = rng.uniform(0.2, 1.0, shape)
    through[rng.random(shape) < 0.2] = 0.0
    if inputs == "columns":
        through = -through
    # Currents of 1 lose at most so many volts; scaled so that they lose the wanted share.
    lost = 3.0 * (shape[0] + 1) ** 2 / 2 + 3.0 * (shape[1] + 1) ** 2 / 2 + 6.0 * max(shape)
    through *= fall * 0.2 / lost
    g, word, bit = oracle.known_solution(through, v, inputs=inputs, **wires.model_dump())
    currents = through.sum(axis=0) if inputs == "rows" else -through.sum(axis=1)
    return Case(g, wires, {"inputs": inputs}, v, None), currents, word, bit


class TestEveryCombination:
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

    @settings(max_examples=120)
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


NONLINEAR = {
    "sinh": SINH,
    "cubic": CUBIC,
    "gated sinh": GATED_SINH,
    "gated cubic": GATED_CUBIC,
    "polynomial": POLYNOMIAL,
    "gated polynomial": GATED_POLYNOMIAL,
}


class TestNonlinearCells:
    @pytest.mark.parametrize("law", NONLINEAR)
    @pytest.mark.parametrize("unselected", UNSELECTED)
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_against_newton(self, law, unselected, inputs):
        for seed, ends in enumerate(({}, {"driver_end": "both", "sense_end": "both"}, {"driver_end": "far"})):
            case = random_case(
                seed + 10, unselected=unselected, inputs=inputs, conduction=NONLINEAR[law], selected="mask", **ends
            )
            expected = case.solved()
            net = case.network
            check_solution(case, net.solve(case.v, selected=case.selected), expected)
            scale = largest(expected.currents, expected.cell_currents)
            assert_close(net.currents(case.v, selected=case.selected), expected.currents, 1e-12, scale)
            # Many vectors: no product with a matrix.
            many = np.stack([case.v, -case.v, 0 * case.v, 0.5 * case.v])
            found = net.currents(many, selected=case.selected)
            assert_close(found[1], case.solved(-case.v).currents, 1e-12, scale)
            assert not found[2].any()
            assert_close(found[3], case.solved(0.5 * case.v).currents, 1e-12, scale)

    @pytest.mark.parametrize("pairs", ["inputs", "outputs"])
    def test_pairs(self, pairs):
        for law in (SINH, POLYNOMIAL):
            case = random_case(4, pairs=pairs, conduction=law)
            check_solution(case, case.network.solve(case.v), case.solved())

    @pytest.mark.parametrize("volt", [0.01, 1.0, 2.5])
    def test_from_weak_to_strong_drive(self, volt):
        """At 2.5 V the sinh of 0.1 V multiplies the current by 1e9: wires and drivers then carry all the voltage."""
        case = random_case(8, (5, 6), conduction=SINH, zeros=0.0, ohms=(1.0, 1e3))
        case = case._replace(v=volt / 0.3 * case.v)
        check_solution(case, case.network.solve(case.v), case.solved(), rtol=1e-11)

    def test_without_wires_every_cell_stands_alone(self):
        rng = np.random.default_rng(0)
        g, v = random_cells(rng, (4, 3)), rng.uniform(-0.3, 0.3, 4)
        for law in NONLINEAR.values():
            expected = law.current(g, v[:, None]).sum(axis=0)
            assert_allclose(rs.Network(g, conduction=law).currents(v), expected, rtol=1e-12)

    def test_small_voltages_see_the_small_signal_network(self):
        case = random_case(1, (5, 4))
        v = 1e-6 * case.v
        # Odd laws bend with the square of the voltage.
        for law, tolerance in ((SINH, 1e-8), (CUBIC, 1e-8), (POLYNOMIAL, 1e-6)):
            found = rs.Network(case.g, case.wires, conduction=law).currents(v)
            assert_close(found, case.network.currents(v), tolerance)

    @pytest.mark.parametrize("law", [SINH, POLYNOMIAL])
    def test_larger_array(self, law):
        case = random_case(9, (48, 40), conduction=law, ohms=(0.5, 2.0), zeros=0.0)
        expected = oracle.solve_sparse(case.g, case.v, **case.all)
        check_solution(case, case.network.solve(case.v), expected)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_published_cells(self, inputs):
        """HfO2 cells in and about the conductances of their fit, at the whole voltage of it."""
        rng = np.random.default_rng(3)
        g = rng.uniform(45e-6, 225e-6, (12, 10))
        wires = rs.WireSpec(word_line_ohm=5.0, bit_line_ohm=3.0, driver_ohm=200.0, sense_ohm=50.0)
        v = rng.uniform(0.0, 0.5, 12 if inputs == "rows" else 10)
        case = Case(g, wires, {"inputs": inputs, "conduction": MILO}, v, None)
        expected = case.solved()
        found = case.network.solve(case.v)
        assert_close(found.currents, expected.currents, 1e-12)
        assert_close(found.word, expected.word, 1e-11)
        linear = case.network.__class__(g, wires, inputs=inputs).currents(v)
        assert (np.abs(found.currents / linear - 1) > 0.003).any()

    def test_the_polarity_is_that_of_the_word_line(self):
        """Whichever lines are driven: 62.5 uS at 0.5 V either way, 0.847 and 1.228 times the linear current."""
        g = np.array([[62.5e-6]])
        for inputs, sign, ratio in (("rows", 1, 0.846567), ("rows", -1, 1.22799), ("columns", -1, 0.846567)):
            found = rs.Network(g, inputs=inputs, conduction=MILO).currents([0.5 * sign])
            assert_allclose(found, 0.5 * sign * 62.5e-6 * ratio, rtol=1e-5)
            assert_allclose(
                rs.Network(g, inputs=inputs, conduction=MILO).sensitivity([0.5 * sign]),
                rs.Network(g, conduction=MILO).sensitivity([0.5 if ratio < 1 else -0.5])
                * (1 if inputs == "rows" else -1),
            )


def heat(net, case, solution):
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
    """Of any circuit, without an oracle."""

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

    @settings(max_examples=60)
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
        law = case.options.get("conduction") or rs.ConductionSpec()
        cells = np.where(through != 0, case.g, 0.0)
        assert_allclose(law.current(cells, s.word - s.bit), through, rtol=1e-9, atol=1e-11 * flow)
        watt = float(s.power_watt)
        assert heat(net, case, s) == pytest.approx(watt, rel=1e-9, abs=1e-12 * volt * flow)
        assert s.evidence.residual <= 1e-9
        assert s.evidence.power_error <= 1e-8 or abs(watt) < 1e-12 * volt * flow
        if case.options["pairs"] != "inputs":
            selected = np.ones(len(case.v), dtype=bool) if case.selected is None else case.selected
            assert (case.v * selected) @ s.input_currents == pytest.approx(watt, rel=1e-9, abs=1e-12 * volt * flow)
        if case.options["pairs"] == "none":
            # All that the sources deliver leaves through the outputs.
            assert s.input_currents.sum() == pytest.approx(s.currents.sum(), rel=1e-9, abs=1e-11 * flow)

    @settings(max_examples=40)
    @given(ANY.filter(lambda case: "conduction" not in case.options), st.floats(-3, 3))
    def test_superposition(self, case, factor):
        net, mask = case.network, np.ones(len(case.v), dtype=bool) if case.selected is None else case.selected
        one, other = case.v, np.cos(np.arange(len(case.v)))
        found = net.currents(one + factor * other, selected=mask)
        parts = net.currents(one, selected=mask), factor * net.currents(other, selected=mask)
        assert_close(found, parts[0] + parts[1], 1e-11, 4 * largest(case.g) * len(case.g))

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

    @settings(max_examples=30)
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


class TestConditions:
    """From weak to strong coupling and up to large arrays."""

    @pytest.mark.parametrize("ohm", [1e-3, 1.0, 100.0])
    @pytest.mark.parametrize("ends", [("near", "far"), ("both", "both")])
    def test_six_decades_of_conductance(self, ohm, ends):
        rng = np.random.default_rng(3)
        g, v = random_cells(rng, (12, 9), low=1e-9), rng.uniform(-0.2, 0.2, 12)
        wires = rs.WireSpec(**dict.fromkeys(OHMS, ohm), driver_end=ends[0], sense_end=ends[1])
        check_every_method(Case(g, wires, {"inputs": "rows", "unselected": "grounded", "pairs": "none"}, v, None))

    @pytest.mark.parametrize("ohm", [1e-3, 1.0, 100.0])
    @pytest.mark.parametrize("unselected", ["grounded", "floating"])
    def test_sixty_four_lines(self, ohm, unselected):
        rng = np.random.default_rng(4)
        g, v = random_cells(rng, (64, 56), low=1e-9), rng.uniform(-0.2, 0.2, 64)
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
        g, v = random_cells(rng, (256, 256), low=1e-7, high=1e-4), rng.uniform(-0.2, 0.2, 256)
        wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=2.0, driver_ohm=100.0, sense_ohm=50.0)
        case = Case(g, wires, {"inputs": "rows", "unselected": "grounded", "pairs": "none"}, v, None)
        expected = oracle.solve_sparse(g, v, **case.all)
        check_solution(case, case.network.solve(v), expected)
        assert_close(v @ case.network.transconductance(), expected.currents, 1e-12)

    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize("ends", [("near", "far"), ("far", "both"), ("both", "near"), ("both", "both")])
    @pytest.mark.parametrize("fall", [0.01, 0.9])
    def test_known_solution(self, inputs, ends, fall):
        case, currents, word, bit = known(
            7, (120, 90), inputs, fall, driver_end=ends[0], sense_end=ends[1], end_segments=True
        )
        found = case.network.solve(case.v)
        assert_close(found.currents, currents, 1e-12)
        assert_close(found.word, word, 1e-11)
        assert_close(found.bit, bit, 1e-11)
        assert_close(case.v @ case.network.transconductance(), currents, 1e-12)

    def test_known_solution_of_a_million_cells(self):
        case, currents, word, bit = known(8, (1024, 1024), end_segments=True, fall=0.9)
        found = case.network.solve(case.v)
        assert_close(found.currents, currents, 1e-12)
        assert_close(found.word, word, 1e-11)
        assert_close(found.bit, bit, 1e-11)

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
        found = case.network.currents(v, selected=masks)
        solution = case.network.solve(v, selected=masks)
        for k in range(9):
            expected = case.solved(v[k], masks[k])
            assert_close(found[k], expected.currents, 1e-12)
            assert_close(solution.word[k], expected.word, 1e-11)
        # One mask for all, and one vector for all masks.
        assert_close(case.network.currents(v, selected=masks[4])[6], found[6], 1e-12)
        assert case.network.currents(v[0], selected=masks).shape == found.shape

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
        g = random_cells(rng, (3, 2, 7, 5))
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


class TestSensitivity:
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
            found = net.sensitivity(case.v, selected=case.selected)
            assert_close(found, expected, 1e-10)
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
        values = random_cells(rng, count, open_share=0.2)
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
            cells[i, j] = random_cells(rng, (), open_share=0.3)
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


class TestRange:
    """A law holds up to the voltage of its fit: no cell can see more than the span of the sources, 0 V included."""

    G = np.full((3, 4), 1e-4)
    LAWS = pytest.mark.parametrize("law", [MILO, CUBIC.but({"most_volt": 0.5}), rs.ConductionSpec(most_volt=0.5)])

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
                conduction=rs.ConductionSpec(most_volt=0.1),
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
        found = rs.Network(self.G, conduction=device.conduction).currents(v)
        assert_allclose(found, MILO.current(self.G, v[:, None]).sum(axis=0), rtol=1e-12)


class TestTemperature:
    OHM = MappingProxyType({"word_line_ohm": 3.0, "bit_line_ohm": (1.0, 2.0, 0.0, 4.0, 1.5)})
    ENDS = MappingProxyType({"driver_ohm": 100.0, "sense_ohm": 40.0})

    @pytest.mark.parametrize("end_segments", [False, True])
    @pytest.mark.parametrize("law", [None, SINH])
    def test_a_network_at_400_kelvin(self, law, end_segments):
        """1 + 100 x 0.00451 = 1.451 times the resistance of every segment, not of the circuits at the ends."""
        rng = np.random.default_rng(0)
        g, v = random_cells(rng, (4, 5)), rng.uniform(-0.3, 0.3, 4)
        more = {"end_segments": end_segments, **self.ENDS}
        scaled = {"word_line_ohm": 3.0 * 1.451, "bit_line_ohm": tuple(1.451 * x for x in self.OHM["bit_line_ohm"])}
        hot = rs.Network(g, rs.WireSpec(**self.OHM, temperature_kelvin=400.0, **more), conduction=law)
        same = rs.Network(g, rs.WireSpec(**scaled, **more), conduction=law)
        cold = rs.Network(g, rs.WireSpec(**self.OHM, **more), conduction=law)
        assert_allclose(hot.currents(v), same.currents(v), rtol=1e-12)
        assert_allclose(hot.solve(v).word, same.solve(v).word, rtol=1e-12)
        assert hot.coupling == pytest.approx(same.coupling, rel=1e-14)
        assert hot.coupling == pytest.approx(1.451 * cold.coupling, rel=1e-14)
        assert not np.allclose(hot.currents(v), cold.currents(v), rtol=1e-5)
        if law is None:
            assert_allclose(hot.transconductance(), same.transconductance(), rtol=1e-12)
            many = transconductances(g[None], rs.WireSpec(**self.OHM, temperature_kelvin=400.0, **more))
            assert_allclose(many[0], same.transconductance(), rtol=1e-12)

    @pytest.mark.parametrize("kelvin", [250.0, 350.0])
    def test_the_oracle_agrees(self, kelvin):
        case = random_case(3, (4, 5), temperature_kelvin=kelvin, ohm_per_kelvin=-0.002)
        check_solution(case, case.network.solve(case.v), case.solved())

    def test_at_300_kelvin_nothing_changes(self):
        g, v = random_cells(np.random.default_rng(0), (4, 5)), np.array([0.1, 0.2, 0.3, 0.0])
        given, default = (rs.WireSpec(**self.OHM, **more) for more in ({"temperature_kelvin": 300.0}, {}))
        assert_array_equal(rs.Network(g, given).currents(v), rs.Network(g, default).currents(v))
        assert (default.word_segment_ohm, default.bit_segment_ohm) == tuple(self.OHM.values())

    def test_no_resistance_is_negative(self):
        zero = 300.0 - 1 / 0.00451
        assert rs.WireSpec(word_line_ohm=1.0, temperature_kelvin=zero + 1e-6).word_segment_ohm == pytest.approx(4.51e-9)
        for fields, wanted in (
            (
                {"temperature_kelvin": 77.0},
                r"77 with ohm_per_kelvin 0\.00451: .* -0\.00573 times .* at least 78\.27 kelvin",
            ),
            ({"temperature_kelvin": 500.0, "ohm_per_kelvin": -0.01}, r"-1 times .* allowed is at most 400 kelvin"),
        ):
            with pytest.raises(rs.SpecError, match=wanted):
                rs.WireSpec(word_line_ohm=1.0, **fields)

    @pytest.mark.parametrize("wrong", [0.0, -3.0, float("nan")])
    def test_temperatures(self, wrong):
        with pytest.raises(rs.SpecError, match=r"temperature_kelvin: got .* Temperature of the lines, kelvin"):
            rs.WireSpec(temperature_kelvin=wrong)
