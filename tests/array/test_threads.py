"""No result of an array depends on threads: on their number, or on what they did before."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.networks import GATED_CUBIC, SINH, random_cells, random_drive
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from rramsim import threads
from rramsim.array import solution
from rramsim.array.network import Network, WireSpec, transconductances
from rramsim.cell.conduction import LinearConductionSpec
from rramsim.errors import ConvergenceError
from rramsim.threads import limit_threads, scratch

COUNTS = (1, 2, 3)
WIRED = WireSpec(word_line_ohm=1.3, bit_line_ohm=0.9, driver_ohm=80.0, sense_ohm=45.0)
BOTH_ENDS = WIRED.but({"driver_end": "both", "sense_end": "both"})
LAWS = {"linear": LinearConductionSpec(), "sinh": SINH, "gated cubic": GATED_CUBIC}


def assert_equal_bits(one, other):
    """Two solutions agree in every bit of everything that a Solution holds."""
    for name in ("currents", "word", "bit", "cell_currents", "word_line_currents", "bit_line_currents", "power_watt"):
        assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.evidence == other.evidence


@pytest.fixture
def pool_sizes(monkeypatch):
    """The threads of every pool that is opened."""
    sizes = []

    class RecordedPool(ThreadPoolExecutor):
        def __init__(self, count):
            sizes.append(count)
            super().__init__(count)

    monkeypatch.setattr(threads, "ThreadPoolExecutor", RecordedPool)
    return sizes


class TestBits:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("wires", [WIRED, BOTH_ENDS])
    def test_many_arrays(self, wires, dtype):
        g = random_cells((7, 20, 27), high=1e-4)
        one, *others = (transconductances(g, wires, dtype=dtype, threads=k) for k in COUNTS)
        for other in others:
            assert_array_equal(other, one)
        for k in COUNTS:
            with limit_threads(k):
                assert_array_equal(transconductances(g, wires, dtype=dtype), one)

    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("wires", [WIRED, BOTH_ENDS])
    @pytest.mark.parametrize("shape", [(256, 256), (259, 270), (700, 97), (97, 700)])
    def test_one_large_array(self, shape, wires, dtype, pool_sizes):
        """So large that the halves of the array are reduced side by side."""
        g = random_cells(shape, high=1e-4)
        one, *others = (transconductances(g, wires, dtype=dtype, threads=k) for k in COUNTS)
        assert pool_sizes == [2, 2, 3, 2], "all tiles on so many threads, then the halves on two"
        for other in others:
            assert_array_equal(other, one)
        net = Network(g, wires)
        with limit_threads(3):
            assert_array_equal(net.transconductance(dtype), one)

    def test_one_array_has_the_bits_that_it_has_among_others(self):
        g = random_cells((2, 136, 128), high=1e-4)
        together = transconductances(g, WIRED, threads=2)
        for one, t in zip(g, together, strict=True):
            assert_array_equal(transconductances(one, WIRED, threads=2), t)

    @pytest.mark.parametrize("law", LAWS)
    def test_batches(self, law, pool_sizes):
        """Enough to be spread over three threads, and too many vectors for equal parts."""
        net = Network(random_cells((40, 50), high=1e-4), BOTH_ENDS, conduction=LAWS[law])
        v = random_drive((152, 40))
        solutions, currents = [], []
        for k in COUNTS:
            with limit_threads(k):
                solutions.append(net.solve(v))
                currents.append(net.currents(v))
        pools_of_currents = 0 if law == "linear" else 1  # the product with the matrix is small
        assert pool_sizes == [2] * (1 + pools_of_currents) + [3] * (1 + pools_of_currents)
        for k in (1, 2):
            assert_equal_bits(solutions[k], solutions[0])
            assert_array_equal(currents[k], currents[0])
        if law != "linear":
            assert_array_equal(currents[0], solutions[0].currents)

    def test_a_few_vectors_of_a_large_array(self, pool_sizes):
        """Too few for the matrix, enough for two threads."""
        net = Network(random_cells((180, 200), high=1e-4), WIRED)
        v = random_drive((7, 180))
        currents = []
        for k in COUNTS:
            with limit_threads(k):
                currents.append(net.currents(v))
        for other in currents[1:]:
            assert_array_equal(other, currents[0])
        assert pool_sizes == [2, 2]
        assert_array_equal(currents[0], net.solve(v).currents)
        assert (currents[0] != v @ net.transconductance()).any()

    def test_a_failure_in_one_thread_is_not_lost(self, monkeypatch):
        """Whichever part comes to its end last."""
        net, v = Network(random_cells((40, 50), high=1e-4), WIRED), random_drive((152, 40))
        real, failed = solution.solve_array, threading.Event()

        def slow_or_failing(*arguments):
            missed, drive = real(*arguments), arguments[2].volt
            if (drive[0] == v[0]).all():
                failed.set()
                return missed + 1
            failed.wait(10)
            time.sleep(0.05)
            return missed

        monkeypatch.setattr(solution, "solve_array", slow_or_failing)
        with limit_threads(2), pytest.raises(ConvergenceError):
            net.solve(v)

    def test_number_of_blas_threads(self):
        """Products with the matrix are those of NumPy, whose last bits may depend on its threads; nothing more."""
        net, v = Network(random_cells((128, 130), high=1e-4), WIRED), random_drive((257, 128))
        currents = []
        for k in (1, 2):
            with threadpool_limits(k):
                currents.append(net.currents(v))
        assert_allclose(currents[1], currents[0], rtol=0, atol=1e-14 * np.abs(currents[0]).max())


def everything(seed):
    """Results of one network, by all methods that work in memory that their thread keeps."""
    shape = [(9, 7), (40, 33), (3, 70), (20, 20)][seed % 4]
    law = list(LAWS.values())[seed % 3]
    net = Network(random_cells(shape, seed, high=1e-4), BOTH_ENDS if seed % 2 else WIRED, conduction=law)
    v = random_drive((3, shape[0]), seed)
    solution = net.solve(v)
    arrays = [solution.currents, solution.word, solution.bit, solution.word_line_currents, solution.bit_line_currents]
    arrays += [net.currents(v), net.sensitivity(v[0], [0])]
    if net.conduction.linear:
        arrays += [net.transconductance(), net.transconductance(np.float32)]
        arrays.append(net.with_cells([0, 2], [1, 0], [1e-5, 0.0]).transconductance())
    return arrays


def something_else():
    """Leaves other numbers behind in the memory that the thread keeps, nan and infinities among them."""
    for kind in (np.float64, np.float32):
        scratch(np.dtype(kind), 500_000)[:] = np.resize(
            [np.nan, np.inf, -1e300 if kind is np.float64 else -1e30], 500_000
        )


class TestHistory:
    @pytest.mark.parametrize("seed", range(8))
    def test_what_was_solved_before_leaves_no_trace(self, seed):
        with ThreadPoolExecutor(1) as fresh:
            expected = fresh.submit(everything, seed).result()
        for before in (something_else, lambda: everything(seed + 1), lambda: everything(seed + 2)):
            before()
            for array, known in zip(everything(seed), expected, strict=True):
                assert_array_equal(array, known)

    def test_two_threads_at_once(self):
        expected = [everything(seed) for seed in range(8)]
        with ThreadPoolExecutor(2) as pool:
            together = [pool.submit(everything, seed) for _ in range(3) for seed in range(8)]
            for k, done in enumerate(together):
                for array, known in zip(done.result(), expected[k % 8], strict=True):
                    assert_array_equal(array, known)

    def test_one_network_in_two_threads(self):
        net, v = Network(random_cells((60, 50), high=1e-4), WIRED), random_drive((20, 60))
        expected = Network(random_cells((60, 50), high=1e-4), WIRED)
        with ThreadPoolExecutor(2) as pool:
            currents = list(pool.map(net.currents, [v] * 6))
            solved = list(pool.map(net.solve, [v] * 6))
        for some, one in zip(currents, solved, strict=True):
            assert_array_equal(some, expected.currents(v))
            assert_equal_bits(one, expected.solve(v))
