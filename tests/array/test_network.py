"""The resistive network in its plain form: circuits by hand, laws, bits, shapes, and what is refused.

Every option is compared with the oracle in ``test_network_options.py``, and with circuit simulators and published
circuits in ``test_network_circuits.py``; laws of networks with any options stand in ``test_network_laws.py``.
"""

import itertools

import numpy as np
import pytest
from helpers.networks import random_cells, random_drive
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network as oracle

from rramsim.array import solution
from rramsim.array.network import Network, WireSpec, transconductances
from rramsim.array.reduction import reduce_arrays
from rramsim.array.wires import Lines
from rramsim.cell.conduction import LinearConductionSpec, SinhConductionSpec
from rramsim.errors import ConvergenceError, RramsimError, SpecError

OHM = {"word_line_ohm": 3.0, "bit_line_ohm": 1.7, "driver_ohm": 120.0, "sense_ohm": 45.0}
WIRED = WireSpec(**OHM)
BOTH_ENDS = WireSpec(**OHM, driver_end="both", sense_end="both")


class TestByHand:
    """Circuits that other simulators get wrong, and one with a closed form."""

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
            t = transconductances(g, WIRED)
            ohm = 1000 + 120 + 3.0 * j + 1.7 * (2 - i) + 45
            assert t[i, j] == pytest.approx(1 / ohm, rel=1e-12)
            assert np.count_nonzero(t) == 1

    @pytest.mark.parametrize(("n", "g", "ohm"), [(4, 1e-4, 50.0), (64, 1e-4, 2.0), (256, 1e-4, 1.0)])
    def test_uniform_ladder_of_an_input_line(self, n, g, ohm):
        """Equal cells between one driven line and ideal output lines: all together take V/r (1 - cosh / cosh)."""
        theta = np.arccosh(np.longdouble(1) + np.longdouble(ohm) * np.longdouble(g) / 2)
        ratio = np.cosh((n - np.longdouble(0.5)) * theta) / np.cosh((n + np.longdouble(0.5)) * theta)
        expected = float(0.2 / ohm * (1 - ratio))
        net = Network(np.full((1, n), g), WireSpec(word_line_ohm=ohm, driver_ohm=ohm))
        assert net.currents([0.2]).sum() == pytest.approx(expected, rel=1e-12)
        assert 0.2 * net.transconductance().sum() == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 3), (8, 13), (13, 8)])
    def test_every_transconductance(self, shape):
        """Entry by entry, so that small ones count as much as large ones."""
        g = random_cells(shape, rng=1)
        assert_allclose(transconductances(g, WIRED), oracle.transconductance(g, **OHM), rtol=1e-12)


OHMS = tuple(OHM)
RESISTANCE = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
WIRES = st.builds(WireSpec, **dict.fromkeys(OHMS, RESISTANCE))
CELLS = st.builds(
    random_cells,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    rng=st.integers(0, 2**32),
    low=st.sampled_from([1e-9, 1e-6]),
    high=st.sampled_from([1e-5, 1e-3]),
    open_share=st.sampled_from([0.0, 0.3]),
)
ENDS = st.sampled_from(["near", "far", "both"])
LAWS = settings(max_examples=examples(40))


class TestLaws:
    @LAWS
    @given(CELLS, WIRES, ENDS, ENDS, st.booleans())
    def test_reciprocity(self, g, wires, driver_end, sense_end, end_segments):
        """Driven from its outputs and sensed at its inputs, an array has the transposed matrix."""
        ends = {"driver_end": driver_end, "sense_end": sense_end, "end_segments": end_segments}
        lines = Lines.of(wires.but(ends), *g.shape)
        cells = lines.turned(g)
        forward, back = (
            reduce_arrays(np.ascontiguousarray(each)[None], between, np.dtype(float), 1)[0]
            for each, between in ((cells, lines), (cells[::-1, ::-1].T, lines.mirrored))
        )
        # Beside a wire without resistance nothing is left but what 1e-30 ohm would leave.
        assert_allclose(back[::-1, ::-1].T, forward, rtol=1e-12, atol=1e-25)

    @LAWS
    @given(CELLS, WIRES)
    def test_bounds(self, g, wires):
        """A passive path carries no current backwards, and the wires only take away from a line as a whole."""
        t = transconductances(g, wires)
        assert (t >= 0).all()
        assert (t.sum(axis=1) <= g.sum(axis=1) * (1 + 1e-13)).all()
        assert (t.sum(axis=0) <= g.sum(axis=0) * (1 + 1e-13)).all()


class TestBits:
    """An answer does not depend on what is asked beside it; for threads see ``test_threads.py``."""

    @pytest.mark.parametrize("size", [1, 2, 3, 5])
    def test_vectors_do_not_depend_on_their_companions(self, size):
        net = Network(random_cells((6, 9), rng=6), WIRED)
        drive = np.array([10.0**k * random_drive(6, k + 3) for k in range(-3, 8)])
        drive[4] = 0.0
        word, bit = net.node_voltages(drive)
        for first in range(0, len(drive), size):
            part = net.node_voltages(drive[first : first + size])
            assert_array_equal(part[0], word[first : first + size])
            assert_array_equal(part[1], bit[first : first + size])

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("wires", [WIRED, BOTH_ENDS, WireSpec(bit_line_ohm=3.0, sense_ohm=9.0)])
    def test_arrays_do_not_depend_on_their_companions(self, wires, dtype):
        """Nor on the largest cell of all, by which each is measured."""
        for shape in ((5, 7), (17, 12)):
            g = np.stack([random_cells(shape, rng=seed, high=2.0 ** -(8 + 3 * seed)) for seed in range(6)])
            together = transconductances(g, wires, dtype=dtype)
            for one, t in zip(g, together, strict=True):
                assert_array_equal(transconductances(one, wires, dtype=dtype), t)

    @pytest.mark.parametrize("law", [LinearConductionSpec(), SinhConductionSpec(sinh_volt=0.1)])
    def test_all_ways_to_one_vector(self, law):
        net, v = Network(random_cells((11, 9)), WIRED, conduction=law), random_drive(11)
        inside = net.solve(v)
        assert_array_equal(net.currents(v), inside.currents)
        assert_array_equal(net.node_voltages(v), (inside.word, inside.bit))

    def test_strided_input_is_read_in_its_order(self):
        g = random_cells((6, 8))
        assert_array_equal(transconductances(g.T, WIRED), transconductances(g.T.copy(), WIRED))
        assert_array_equal(transconductances(g[::2], WIRED), transconductances(g[::2].copy(), WIRED))
        net, v = Network(g, WIRED), random_drive(12)
        assert_array_equal(net.currents(v[::-2]), net.currents(v[::-2].copy()))

    def test_without_wires_the_product_is_the_matrix_product(self):
        g, v = random_cells((5, 3)), random_drive(5)
        assert_array_equal(transconductances(g, WireSpec()), g)
        assert_array_equal(Network(g).currents(v), v @ g)
        word, bit = Network(g).node_voltages(v)
        assert_array_equal(word, np.repeat(v[:, None], 3, axis=1))
        assert_array_equal(bit, np.zeros((5, 3)))


class TestAnswers:
    @pytest.mark.parametrize("wires", [WireSpec(), WIRED])
    def test_are_copies(self, wires):
        g = random_cells((3, 4))
        net = Network(g, wires)
        for dtype in (np.float64, np.float32):
            net.transconductance(dtype)[:] = 0
            transconductances(g, wires, dtype=dtype)[:] = 0
            assert net.transconductance(dtype).all()
        assert net.g.all()
        assert g.all()

    @pytest.mark.parametrize("shape", [(4, 6), (2, 3, 4, 6), (2, 3, 6, 4)])
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_are_contiguous(self, shape, dtype):
        for wires in (WireSpec(), WIRED, WireSpec(**OHM, driver_end="far", sense_end="near")):
            t = transconductances(random_cells(shape), wires, dtype=dtype)
            assert t.shape == shape
            assert t.dtype == dtype
            assert t.flags.c_contiguous


class TestEvidence:
    def test_coupling(self):
        """Mean conductance times segment resistance times the square of the cells along a line."""
        g = np.full((3, 4), 2e-5)
        net = Network(g, WireSpec(word_line_ohm=5.0, bit_line_ohm=(1.0, 2.0, 3.0, 4.0)))
        expected = 2e-5 * (5.0 * 16 + 2.5 * 9) / 2
        assert net.coupling == pytest.approx(expected, rel=1e-14)
        assert net.solve([0.1, 0.2, 0.3]).evidence.coupling == pytest.approx(expected, rel=1e-14)

    def test_of_a_batch_it_is_the_worst(self):
        net = Network(random_cells((20, 20)), WireSpec(**dict.fromkeys(OHMS, 20.0)))
        drive = np.array([random_drive(20), np.zeros(20), 50 * random_drive(20, 1)])
        together, alone = net.solve(drive).evidence, [net.solve(v).evidence for v in drive]
        assert together.iterations == max(each.iterations for each in alone) > 0
        assert together.residual_volt == max(each.residual_volt for each in alone)
        assert together.residual == max(each.residual for each in alone)
        assert together.power_error < 1e-9
        assert alone[1].power_error == 0

    def test_of_no_vector(self):
        evidence = Network(random_cells((3, 4)), WIRED).solve(np.empty((0, 3))).evidence
        assert (evidence.iterations, evidence.residual, evidence.power_error) == (0, 0.0, 0.0)

    def test_a_matrix_is_checked_by_a_solved_vector(self, monkeypatch):
        net = Network(random_cells((9, 10)), BOTH_ENDS)
        assert net.check().residual < 1e-12
        wrong = net.transconductance() * (1 + 1e-7 * (np.arange(10) == 3))
        monkeypatch.setattr(net, "transconductance", lambda: wrong)
        with pytest.raises(ConvergenceError, match=r"the transconductance and a solved vector differ by .* A"):
            net.check()

    def test_cells_without_a_matrix_have_none_to_check(self):
        with pytest.raises(SpecError, match=r"Network\.check: cells of the sinh law"):
            Network(np.ones((2, 2)), conduction=SinhConductionSpec(sinh_volt=0.1)).check()


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

    def test_unknown_resistance(self):
        with pytest.raises(SpecError, match="wire_ohm: unknown key"):
            WireSpec(wire_ohm=1.0)

    def test_conductances_in_ohm_are_refused(self, monkeypatch):
        """A misread unit makes lines that carry nothing; if they do not converge, nothing is returned."""
        monkeypatch.setattr(solution, "STOP", solution.STOP._replace(max_iterations=3))
        net = Network(random_cells((30, 30), low=1e3, high=1e5), WIRED)
        for compute in (net.currents, net.solve, net.node_voltages):
            with pytest.raises(ConvergenceError, match="Check the unit of the conductances") as raised:
                compute(random_drive(30))
            assert isinstance(raised.value, RramsimError)

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    @pytest.mark.parametrize("knee", [0.01, 0.004, 0.001])
    @pytest.mark.parametrize("driver_ohm", [0.0, 1e3])
    @pytest.mark.parametrize("series_ohm", [0.0, 1e3])
    def test_no_answer_rather_than_a_wrong_one(self, knee, driver_ohm, series_ohm):
        """Far beyond the knee of a sinh law: the true current, or none."""
        law = SinhConductionSpec(sinh_volt=knee, series_ohm=series_ohm)
        net = Network([[1e-4]], WireSpec(driver_ohm=driver_ohm), conduction=law)
        try:
            (current,) = net.currents([3.0])
        except ConvergenceError:
            return
        left = knee * np.arcsinh(current / (1e-4 * knee))
        assert left + (driver_ohm + series_ohm) * current == pytest.approx(3.0, rel=1e-9)
