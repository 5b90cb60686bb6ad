"""The resistive network: against a dense oracle, published circuits, a closed form, and the laws of circuits."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network as oracle

from rramsim.array.network import Network, WireSpec, transconductances
from rramsim.errors import ConvergenceError, RramsimError, SpecError

OHM = {"word_line_ohm": 3.0, "bit_line_ohm": 1.7, "driver_ohm": 120.0, "sense_ohm": 45.0}
SHAPES = [(1, 1), (1, 2), (2, 1), (1, 9), (9, 1), (3, 5), (5, 3), (4, 4), (8, 13), (13, 8)]
GOLDEN = json.loads((Path(oracle.__file__).parent / "qucs.json").read_text(encoding="utf-8"))["cases"]


def random_cells(shape, seed=0, low=1e-6, high=1e-3, open_share=0.0):
    rng = np.random.default_rng(seed)
    g = low * (high / low) ** rng.random(shape)
    return np.where(rng.random(shape) < open_share, 0.0, g)


def random_drive(n_rows, seed=0):
    return np.random.default_rng(seed + 1000).uniform(-0.2, 0.2, n_rows)


def check_against_oracle(g, v, ohm, rtol=1e-12):
    net = Network(g, WireSpec(**ohm))
    expected = oracle.solve(g, v, **ohm)
    scale = np.abs(expected.currents).max()
    # Two ways: from the transconductances, and from the node voltages of this one drive vector.
    assert_allclose(v @ net.transconductance(), expected.currents, rtol=rtol, atol=rtol * scale)
    assert_allclose(net.currents(v), expected.currents, rtol=rtol, atol=rtol * scale)
    word, bit = net.node_voltages(v)
    assert_allclose(word, expected.word, rtol=rtol, atol=rtol * 0.2)
    assert_allclose(bit, expected.bit, rtol=rtol, atol=rtol * 0.2)


class TestDenseOracle:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("open_share", [0.0, 0.4])
    def test_all_resistances_different(self, shape, open_share):
        check_against_oracle(random_cells(shape, open_share=open_share), random_drive(shape[0]), OHM)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_transconductance(self, shape):
        """Entry by entry, so that small ones count as much as large ones."""
        g = random_cells(shape, seed=1)
        assert_allclose(transconductances(g, WireSpec(**OHM)), oracle.transconductance(g, **OHM), rtol=1e-12)

    @pytest.mark.parametrize("present", list(itertools.product([False, True], repeat=4)))
    @pytest.mark.parametrize("shape", [(1, 1), (4, 3), (3, 4)])
    def test_zero_resistances(self, present, shape):
        ohm = {name: value * there for (name, value), there in zip(OHM.items(), present, strict=True)}
        check_against_oracle(random_cells(shape, seed=2, open_share=0.2), random_drive(shape[0], seed=2), ohm)

    @pytest.mark.parametrize("which", ["row", "column", "all"])
    def test_open_lines(self, which):
        g = random_cells((5, 4))
        g[{"row": (2, slice(None)), "column": (slice(None), 1), "all": ...}[which]] = 0.0
        check_against_oracle(g, random_drive(5), OHM)

    @pytest.mark.parametrize("ohm", [1e-3, 1.0, 100.0])
    def test_six_decades_of_conductance(self, ohm):
        """1 nS to 1 mS side by side in one array, weak to strong coupling."""
        wires = dict.fromkeys(OHM, ohm)
        check_against_oracle(random_cells((12, 9), seed=3, low=1e-9, high=1e-3), random_drive(12), wires, rtol=1e-11)

    @pytest.mark.parametrize("ohm", [1.0, 100.0])
    def test_strong_coupling_in_a_large_array(self, ohm):
        """At 100 ohm the coupling is 6e4, far beyond use, and the currents are still those of sparse LU."""
        g = random_cells((64, 64), seed=4, low=1e-9, high=1e-3)
        v, wires = random_drive(64), dict.fromkeys(OHM, ohm)
        expected = oracle.solve_sparse(g, v, **wires)
        net = Network(g, WireSpec(**wires))
        assert_allclose(net.currents(v), expected.currents, rtol=1e-9, atol=1e-9 * np.abs(expected.currents).max())
        assert_allclose(v @ net.transconductance(), expected.currents, rtol=1e-9, atol=1e-20)

    def test_oracles_agree(self):
        g, v = random_cells((6, 5)), random_drive(6)
        dense, sparse = oracle.solve(g, v, **OHM), oracle.solve_sparse(g, v, **OHM)
        for one, other in zip(dense, sparse, strict=True):
            assert_allclose(one, other, rtol=1e-14)


class TestPublished:
    @pytest.mark.parametrize("case", GOLDEN)
    def test_qucs(self, case):
        """Circuits of the badcrossbar test suite, simulated with Qucs.

        Its resistances include the first segment of a word line and the last of a bit line, our driver and sense.
        """
        golden = GOLDEN[case]
        g = np.array([[0.0 if ohm is None else 1 / ohm for ohm in row] for row in golden["R"]])
        wires = WireSpec(
            word_line_ohm=golden["r_wl"],
            driver_ohm=golden["r_wl"],
            bit_line_ohm=golden["r_bl"],
            sense_ohm=golden["r_bl"],
        )
        net, v = Network(g, wires), np.array(golden["V"])
        assert_allclose(net.currents(v), golden["I_out"], rtol=1e-9, atol=1e-12)
        assert_allclose(v @ net.transconductance(), golden["I_out"], rtol=1e-9, atol=1e-12)
        word, bit = net.node_voltages(v)
        assert_allclose(word, golden["V_wl"], rtol=1e-9, atol=1e-12)
        assert_allclose(bit, golden["V_bl"], rtol=1e-9, atol=1e-12)

    def test_the_oracle_reproduces_qucs_too(self):
        golden = GOLDEN["5x4-b-2"]
        ends = {"driver_ohm": 1.0, "sense_ohm": 2.0}
        found = oracle.solve(1 / np.array(golden["R"]), golden["V"], word_line_ohm=1.0, bit_line_ohm=2.0, **ends)
        assert_allclose(found.currents, golden["I_out"], rtol=1e-13)

    @pytest.mark.parametrize(
        ("n_rows", "g", "ohm", "ampere"),
        [(4, 1e-4, 50.0, 7.711811017e-05), (64, 1e-4, 2.0, 1.0113245225e-03), (256, 1e-4, 1.0, 1.9664971631e-03)],
    )
    def test_closed_form_of_a_uniform_bit_line(self, n_rows, g, ohm, ampere):
        """Equal cells on one bit line of segments r, ideal word lines at V: a ladder, V/r (1 - cosh / cosh)."""
        volt = 0.2
        theta = np.arccosh(np.longdouble(1) + np.longdouble(ohm) * np.longdouble(g) / 2)
        ratio = np.cosh((n_rows - np.longdouble(0.5)) * theta) / np.cosh((n_rows + np.longdouble(0.5)) * theta)
        expected = float(volt / ohm * (1 - ratio))
        assert expected == pytest.approx(ampere, rel=1e-9)
        net = Network(np.full((n_rows, 1), g), WireSpec(bit_line_ohm=ohm, sense_ohm=ohm))
        assert_allclose(net.currents(np.full(n_rows, volt)), expected, rtol=1e-12)
        # The mirror image: one word line, ideal bit lines; the driver's current is the sum of the columns'.
        mirrored = Network(np.full((1, n_rows), g), WireSpec(word_line_ohm=ohm, driver_ohm=ohm))
        assert_allclose(mirrored.currents([volt]).sum(), expected, rtol=1e-12)


RESISTANCES = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
WIRES = st.builds(
    WireSpec, word_line_ohm=RESISTANCES, bit_line_ohm=RESISTANCES, driver_ohm=RESISTANCES, sense_ohm=RESISTANCES
)
CELLS = st.builds(
    random_cells,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    seed=st.integers(0, 2**32),
    low=st.sampled_from([1e-9, 1e-6]),
    high=st.sampled_from([1e-5, 1e-3]),
    open_share=st.sampled_from([0.0, 0.3]),
)
SEEDS = st.integers(0, 2**32)
LAWS = settings(max_examples=40)


def branch_currents(g, wires, v):
    """Currents along the word lines (away from the source), through the cells, and down the bit lines.

    None in place of a line without resistance, whose currents the voltages do not tell.
    """
    word, bit = Network(g, wires).node_voltages(v)
    through = g * (word - bit)
    along = down = None
    if wires.word_line_ohm and wires.driver_ohm:
        steps = -np.diff(np.concatenate([np.asarray(v)[:, None], word], axis=1), axis=1)
        along = steps / np.array([wires.driver_ohm] + [wires.word_line_ohm] * (g.shape[1] - 1))
    if wires.bit_line_ohm and wires.sense_ohm:
        steps = -np.diff(np.concatenate([bit, np.zeros((1, g.shape[1]))], axis=0), axis=0)
        down = steps / np.array([wires.bit_line_ohm] * (g.shape[0] - 1) + [wires.sense_ohm])[:, None]
    return along, through, down


class TestLaws:
    @LAWS
    @given(CELLS, WIRES, SEEDS, st.floats(-3, 3))
    def test_superposition(self, g, wires, seed, factor):
        net, one, other = Network(g, wires), random_drive(len(g), seed), random_drive(len(g), seed + 1)
        together = net.currents(one + factor * other)
        scale = np.abs(net.currents(one)).max() + 3 * np.abs(net.currents(other)).max()
        assert_allclose(together, net.currents(one) + factor * net.currents(other), rtol=0, atol=1e-11 * scale)

    @LAWS
    @given(CELLS, WIRES)
    def test_reciprocity(self, g, wires):
        """Driving the bit lines from their sense ends and sensing the word lines gives the transposed matrix."""
        forward = transconductances(g, wires)
        # Turned by a half and mirrored, the old bit lines are word lines driven from the left.
        back = transconductances(g[::-1, ::-1].T, wires.transposed)[::-1, ::-1].T
        assert_allclose(back, forward, rtol=1e-10, atol=1e-13 * g.max(initial=0))

    @LAWS
    @given(CELLS, WIRES)
    def test_bounds(self, g, wires):
        """A passive path carries no current backwards, and the wires only take away from a row as a whole."""
        t = transconductances(g, wires)
        slack = 1e-12 * g.max(initial=0)
        assert (t >= -slack).all()
        assert (t.sum(axis=1) <= g.sum(axis=1) + slack * g.shape[1]).all()
        assert (t.sum(axis=0) <= g.sum(axis=0) + slack * g.shape[0]).all()

    @LAWS
    @given(CELLS, WIRES, SEEDS)
    def test_kirchhoff_at_every_node(self, g, wires, seed):
        v = random_drive(len(g), seed)
        along, through, down = branch_currents(g, wires, v)
        if along is not None:
            leaving = np.concatenate([along[:, 1:], np.zeros((len(g), 1))], axis=1)
            # Rounding of a voltage times the largest conductance that it meets.
            rounding = 0.2 * (1 / wires.word_line_ohm + 1 / wires.driver_ohm + 2 * g.max(initial=0))
            assert_allclose(along - leaving - through, 0, atol=1e-12 * rounding)
        if down is not None:
            arriving = np.concatenate([np.zeros((1, g.shape[1])), down[:-1]], axis=0)
            rounding = 0.2 * (1 / wires.bit_line_ohm + 1 / wires.sense_ohm + 2 * g.max(initial=0))
            assert_allclose(down - arriving - through, 0, atol=1e-12 * rounding)

    @LAWS
    @given(CELLS, WIRES, SEEDS)
    def test_power_balance(self, g, wires, seed):
        """What the sources deliver is what cells and wires turn into heat."""
        v = random_drive(len(g), seed)
        word, bit = Network(g, wires).node_voltages(v)
        through = g * (word - bit)
        along = np.cumsum(through[:, ::-1], axis=1)[:, ::-1]
        down = np.cumsum(through, axis=0)
        heat = (
            (through * (word - bit)).sum()
            + wires.word_line_ohm * (along[:, 1:] ** 2).sum()
            + wires.driver_ohm * (along[:, 0] ** 2).sum()
            + wires.bit_line_ohm * (down[:-1] ** 2).sum()
            + wires.sense_ohm * (down[-1] ** 2).sum()
        )
        assert_allclose(heat, v @ along[:, 0], rtol=1e-10, atol=1e-30)

    @LAWS
    @given(CELLS)
    def test_vanishing_wires(self, g):
        """t -> g as the resistances go to 0, to first order and without a jump at 0."""
        assert_array_equal(transconductances(g, WireSpec()), g)
        for ohm in (1e-6, 1e-9, 1e-12):
            gap = np.abs(transconductances(g, WireSpec(**dict.fromkeys(OHM, ohm))) - g).max()
            assert gap <= ohm * 4 * max(g.shape) ** 2 * g.max(initial=0) ** 2 * max(g.shape) + 1e-14 * g.max(initial=0)

    @LAWS
    @given(CELLS, WIRES, SEEDS)
    def test_any_circuit_matches_the_oracle(self, g, wires, seed):
        v = random_drive(len(g), seed)
        expected = oracle.solve(g, v, **wires.model_dump()).currents
        assert_allclose(Network(g, wires).currents(v), expected, rtol=1e-10, atol=1e-11 * np.abs(expected).max())


class TestPeersMistakes:
    """Circuits that other simulators get wrong."""

    def test_driver_resistance_is_in_every_word_line(self):
        """One cell per row, so each row is a plain series circuit."""
        g = np.diag([1e-3, 2e-3, 3e-3])
        currents = Network(g, WireSpec(driver_ohm=500.0)).currents([0.1, 0.2, 0.3])
        assert_allclose(currents, [0.1 / 1500, 0.2 / 1000, 0.3 / (500 + 1000 / 3)], rtol=1e-12)

    def test_sense_resistance_is_in_every_bit_line(self):
        g = np.diag([1e-3, 2e-3, 3e-3])
        currents = Network(g, WireSpec(sense_ohm=500.0)).currents([0.1, 0.2, 0.3])
        assert_allclose(currents, [0.1 / 1500, 0.2 / 1000, 0.3 / (500 + 1000 / 3)], rtol=1e-12)

    def test_segments_count_from_the_driver_and_to_the_sense_end(self):
        """Cell (i, j) of an M x N array has j word-line and M - 1 - i bit-line segments in series."""
        for i, j in itertools.product(range(3), range(4)):
            g = np.zeros((3, 4))
            g[i, j] = 1e-3
            t = transconductances(g, WireSpec(**OHM))
            ohm = 1000 + 120 + 3.0 * j + 1.7 * (2 - i) + 45
            assert t[i, j] == pytest.approx(1 / ohm, rel=1e-12)
            assert np.count_nonzero(t) == 1

    def test_results_do_not_depend_on_history(self):
        g, v = random_cells((7, 6)), random_drive(7)
        fresh = Network(g, WireSpec(**OHM))
        first, nodes = fresh.currents(v), fresh.node_voltages(v)
        hard = Network(random_cells((40, 40), seed=9), WireSpec(**dict.fromkeys(OHM, 300.0)))
        hard.currents(random_drive(40))
        hard.transconductance()
        fresh.node_voltages(1e3 * random_drive(7, seed=5))
        assert_array_equal(fresh.currents(v), first)
        assert_array_equal(fresh.node_voltages(v), nodes)
        assert_array_equal(Network(g, WireSpec(**OHM)).currents(v), first)

    @pytest.mark.parametrize("size", [1, 2, 3, 5])
    def test_vectors_do_not_depend_on_their_companions(self, size):
        """Several vectors are solved side by side; each gets the bits that it gets alone."""
        net = Network(random_cells((6, 9), seed=6), WireSpec(**OHM))
        drive = np.array([10.0**k * random_drive(6, seed=k) for k in range(-3, 8)])
        drive[4] = 0.0
        word, bit = net.node_voltages(drive)
        for first in range(0, len(drive), size):
            part = net.node_voltages(drive[first : first + size])
            assert_array_equal(part[0], word[first : first + size])
            assert_array_equal(part[1], bit[first : first + size])

    def test_arrays_do_not_depend_on_their_companions(self):
        g = np.stack([random_cells((5, 7), seed=seed, high=10.0 ** -(3 + seed)) for seed in range(5)])
        together = transconductances(g, WireSpec(**OHM))
        for one, t in zip(g, together, strict=True):
            assert_array_equal(transconductances(one, WireSpec(**OHM)), t)

    def test_both_ways_to_the_currents_agree(self):
        """Few vectors are solved one by one, many through the transconductance."""
        net, drive = Network(random_cells((6, 6)), WireSpec(**OHM)), np.array([random_drive(6, k) for k in range(20)])
        one_by_one = np.array([net.currents(v) for v in drive])
        assert_allclose(net.currents(drive), one_by_one, rtol=1e-11)


class TestShapes:
    def test_leading_axes(self):
        net = Network(random_cells((4, 6)), WireSpec(**OHM))
        drive = np.random.default_rng(0).normal(size=(2, 3, 4))
        currents, (word, bit) = net.currents(drive), net.node_voltages(drive)
        assert currents.shape == (2, 3, 6)
        assert word.shape == bit.shape == (2, 3, 4, 6)
        assert_allclose(currents[1, 2], net.currents(drive[1, 2]), rtol=1e-11)
        assert_array_equal(word[1, 2], net.node_voltages(drive[1, 2])[0])

    @pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
    def test_many_arrays(self, shape):
        g = random_cells((2, 3, *shape))
        t = transconductances(g, WireSpec(**OHM))
        assert t.shape == g.shape
        assert t.flags.c_contiguous
        assert_allclose(t[1, 2], oracle.transconductance(g[1, 2], **OHM), rtol=1e-12)

    def test_strided_input_is_read_in_its_order(self):
        g = random_cells((6, 8))
        assert_array_equal(transconductances(g.T, WireSpec(**OHM)), transconductances(g.T.copy(), WireSpec(**OHM)))
        assert_array_equal(
            transconductances(g[::2], WireSpec(**OHM)), transconductances(g[::2].copy(), WireSpec(**OHM))
        )

    def test_the_answer_is_a_copy(self):
        g = random_cells((3, 3))
        for wires in (WireSpec(), WireSpec(**OHM)):
            net = Network(g, wires)
            net.transconductance()[:] = 0
            assert net.transconductance().all()

    def test_without_wires_the_product_is_the_matrix_product(self):
        g, v = random_cells((5, 3)), random_drive(5)
        assert_array_equal(Network(g).currents(v), v @ g)
        word, bit = Network(g).node_voltages(v)
        assert_array_equal(word, np.repeat(v[:, None], 3, axis=1))
        assert_array_equal(bit, np.zeros((5, 3)))


class TestBadInput:
    @pytest.mark.parametrize("wrong", [-1e-6, np.nan, np.inf, -np.inf])
    def test_conductance(self, wrong):
        g = random_cells((3, 4))
        g[1, 2] = wrong
        for make in (Network, lambda g: transconductances(g, WireSpec())):
            with pytest.raises(SpecError, match=r"finite and >= 0 siemens .* at index \(1, 2\)"):
                make(g)

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), ()])
    def test_shape(self, shape):
        with pytest.raises(SpecError, match="at least one row and one column; got shape"):
            Network(np.ones(shape))

    def test_one_array_only(self):
        with pytest.raises(SpecError, match=r"got \(2, 3, 4\)"):
            Network(np.ones((2, 3, 4)))

    @pytest.mark.parametrize("v", [0.1, [0.1, 0.2], [[0.1], [0.2], [0.3]]])
    def test_voltage_shape(self, v):
        with pytest.raises(SpecError, match="one voltage for each of the 3 rows"):
            Network(np.ones((3, 4))).currents(v)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_voltage(self, wrong):
        with pytest.raises(SpecError, match="voltages are finite"):
            Network(np.ones((3, 4))).node_voltages([0, wrong, 0])

    @pytest.mark.parametrize("field", OHM)
    @pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), "1 ohm", None])
    def test_resistance(self, field, wrong):
        with pytest.raises(SpecError, match=field):
            WireSpec(**{field: wrong})

    def test_unknown_resistance(self):
        with pytest.raises(SpecError, match="wire_ohm: unknown key"):
            WireSpec(wire_ohm=1.0)

    def test_conductances_in_ohm_are_refused(self, monkeypatch):
        """A misread unit makes lines that carry nothing; if they do not converge, nothing is returned."""
        monkeypatch.setattr("rramsim.array.network._MAX_ITERATIONS", 3)
        g, v, wires = random_cells((30, 30), low=1e3, high=1e5), random_drive(30), WireSpec(**OHM)
        for compute in (lambda: transconductances(g, wires), lambda: Network(g, wires).currents(v)):
            with pytest.raises(ConvergenceError, match="Check the unit of the conductances") as raised:
                compute()
            assert isinstance(raised.value, RramsimError)
