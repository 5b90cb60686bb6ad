"""Threads: how many, who does what, and that no result depends on them."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from rramsim import threads
from rramsim.array import solution
from rramsim.array.network import Network, WireSpec, transconductances
from rramsim.cell.conduction import ConductionSpec
from rramsim.errors import ConvergenceError
from rramsim.threads import limit_threads, run_slices, scratch, thread_count

COUNTS = (1, 2, 3)
WIRED = WireSpec(word_line_ohm=1.3, bit_line_ohm=0.9, driver_ohm=80.0, sense_ohm=45.0)
BOTH_ENDS = WIRED.but({"driver_end": "both", "sense_end": "both"})
LAWS = {
    "linear": ConductionSpec(),
    "sinh": ConductionSpec(law="sinh", sinh_volt=0.1),
    "gated cubic": ConductionSpec(law="cubic", cubic_per_square_volt=6.0, series_ohm=2e3),
}


def random_cells(shape, seed=0):
    return 10.0 ** np.random.default_rng(seed).uniform(-6, -4, shape)


def random_drive(shape, seed=0):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, shape)


def assert_same(one, other):
    """The same bits in everything that a Solution holds."""
    for name in ("currents", "word", "bit", "cell_currents", "word_line_currents", "bit_line_currents", "power_watt"):
        assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.evidence == other.evidence


class TestLimit:
    def test_the_cores_of_this_process(self, monkeypatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 4, 5}, raising=False)
        assert thread_count() == 3
        monkeypatch.delattr(os, "sched_getaffinity")
        monkeypatch.setattr(os, "cpu_count", lambda: 6)
        assert thread_count() == 6
        monkeypatch.setattr(os, "cpu_count", lambda: None)
        assert thread_count() == 1

    def test_a_limit_holds_within_its_context(self):
        before = thread_count()
        with limit_threads(7):
            assert thread_count() == 7
            with limit_threads(2):
                assert thread_count() == 2
            assert thread_count() == 7
        assert thread_count() == before

    def test_a_limit_ends_with_an_error(self):
        before = thread_count()
        with pytest.raises(KeyError), limit_threads(before + 1):
            raise KeyError
        assert thread_count() == before

    def test_other_threads_have_their_own(self):
        with limit_threads(thread_count() + 5), ThreadPoolExecutor(1) as pool:
            assert pool.submit(thread_count).result() == thread_count() - 5


class TestSlices:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 100])
    @pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
    def test_every_index_is_covered_once(self, count, n_threads):
        parts = []
        run_slices(lambda start, stop: parts.append((start, stop)), count, n_threads)
        assert sorted(k for start, stop in parts for k in range(start, stop)) == list(range(count))
        assert len(parts) == max(1, min(count, n_threads))
        sizes = [stop - start for start, stop in parts]
        assert max(sizes) - min(sizes) <= 1

    def test_the_parts_run_side_by_side(self):
        """All of them at once, or this would wait for ever."""
        everyone = threading.Barrier(3, timeout=10)
        run_slices(lambda start, stop: everyone.wait(), 3, 3)

    def test_one_part_stays_in_this_thread(self):
        found = []
        run_slices(lambda start, stop: found.append(threading.get_ident()), 5, 1)
        assert found == [threading.get_ident()]

    @pytest.mark.parametrize("n_threads", COUNTS)
    @pytest.mark.parametrize("bad", [0, 4, 8])
    def test_an_error_reaches_the_caller(self, n_threads, bad):
        """After the other parts have come to their end: they write into arrays of the caller."""
        running = []

        def work(start, stop):
            if start <= bad < stop:
                raise ZeroDivisionError(bad)
            running.append(start)
            time.sleep(0.02)
            running.remove(start)

        with pytest.raises(ZeroDivisionError, match=str(bad)):
            run_slices(work, 9, n_threads)
        assert not running


class TestScratch:
    @pytest.mark.parametrize("kind", [np.float64, np.float32])
    def test_it_is_kept_and_grows(self, kind):
        dtype = np.dtype(kind)
        with ThreadPoolExecutor(1) as pool:
            small, large, again = (pool.submit(scratch, dtype, n).result() for n in (10, 1000, 7))
        assert [len(x) for x in (small, large, again)] == [10, 1000, 7]
        assert small.dtype == large.dtype == dtype
        assert np.shares_memory(large, again)
        assert not np.shares_memory(small, large)

    def test_types_and_threads_have_their_own(self):
        one, other = scratch(np.dtype(np.float64), 100), scratch(np.dtype(np.float32), 100)
        assert not np.shares_memory(one, other)
        with ThreadPoolExecutor(1) as pool:
            assert not np.shares_memory(pool.submit(scratch, np.dtype(np.float64), 100).result(), one)

    def test_what_is_very_large_is_not_kept(self, monkeypatch):
        monkeypatch.setattr(threads, "_MOST_KEPT", 800)
        with ThreadPoolExecutor(1) as pool:
            first, second = (pool.submit(scratch, np.dtype(np.float64), 200).result() for _ in range(2))
            kept, again = (pool.submit(scratch, np.dtype(np.float64), 100).result() for _ in range(2))
        assert not np.shares_memory(first, second)
        assert np.shares_memory(kept, again)


class TestBits:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("wires", [WIRED, BOTH_ENDS])
    def test_many_arrays(self, wires, dtype):
        g = random_cells((7, 20, 27))
        one, *others = (transconductances(g, wires, dtype=dtype, threads=k) for k in COUNTS)
        for other in others:
            assert_array_equal(other, one)
        for k in COUNTS:
            with limit_threads(k):
                assert_array_equal(transconductances(g, wires, dtype=dtype), one)

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("wires", [WIRED, BOTH_ENDS])
    @pytest.mark.parametrize("shape", [(128, 128), (131, 150), (300, 57), (12, 1400)])
    def test_one_large_array(self, shape, wires, dtype):
        """Its halves are reduced side by side."""
        g = random_cells(shape)
        one, *others = (transconductances(g, wires, dtype=dtype, threads=k) for k in COUNTS)
        for other in others:
            assert_array_equal(other, one)
        net = Network(g, wires)
        with limit_threads(3):
            assert_array_equal(net.transconductance(dtype), one)

    def test_one_array_has_the_bits_that_it_has_among_others(self):
        g = random_cells((2, 136, 128))
        together = transconductances(g, WIRED, threads=2)
        for one, t in zip(g, together, strict=True):
            assert_array_equal(transconductances(one, WIRED, threads=2), t)

    @pytest.mark.parametrize("law", LAWS)
    def test_batches(self, law):
        """Enough to be spread over three threads, and too many vectors for equal parts."""
        net = Network(random_cells((40, 50)), BOTH_ENDS, conduction=LAWS[law])
        v = random_drive((152, 40))
        assert v.shape[0] * net.g.size > 3 * solution._WORTH_A_THREAD
        solutions, currents = [], []
        for k in COUNTS:
            with limit_threads(k):
                solutions.append(net.solve(v))
                currents.append(net.currents(v))
        for k in (1, 2):
            assert_same(solutions[k], solutions[0])
            assert_array_equal(currents[k], currents[0])
        if law != "linear":
            assert_array_equal(currents[0], solutions[0].currents)

    def test_a_few_vectors_of_a_large_array(self):
        """Too few for the matrix, enough for two threads."""
        net = Network(random_cells((180, 200)), WIRED)
        v = random_drive((7, 180))
        currents = []
        for k in COUNTS:
            with limit_threads(k):
                currents.append(net.currents(v))
        for other in currents[1:]:
            assert_array_equal(other, currents[0])
        assert "_t" not in vars(net)

    def test_a_failure_in_one_thread_is_not_lost(self, monkeypatch):
        """Whichever part comes to its end last."""
        net, v = Network(random_cells((40, 50)), WIRED), random_drive((152, 40))
        real, failed = solution.solve_array, threading.Event()

        def slow_or_failing(*arguments):
            missed, drive = real(*arguments), arguments[6]
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
        net, v = Network(random_cells((128, 130)), WIRED), random_drive((257, 128))
        found = []
        for k in (1, 2):
            with threadpool_limits(k):
                found.append(net.currents(v))
        assert_allclose(found[1], found[0], rtol=0, atol=1e-14 * np.abs(found[0]).max())


def everything(seed):
    """Results of one network, by all methods that work in memory that their thread keeps."""
    shape = [(9, 7), (40, 33), (3, 70), (20, 20)][seed % 4]
    law = list(LAWS.values())[seed % 3]
    net = Network(random_cells(shape, seed), BOTH_ENDS if seed % 2 else WIRED, conduction=law)
    v = random_drive((3, shape[0]), seed)
    found = net.solve(v)
    arrays = [found.currents, found.word, found.bit, found.word_line_currents, found.bit_line_currents]
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
            for found, known in zip(everything(seed), expected, strict=True):
                assert_array_equal(found, known)

    def test_two_threads_at_once(self):
        expected = [everything(seed) for seed in range(8)]
        with ThreadPoolExecutor(2) as pool:
            together = [pool.submit(everything, seed) for _ in range(3) for seed in range(8)]
            for k, done in enumerate(together):
                for found, known in zip(done.result(), expected[k % 8], strict=True):
                    assert_array_equal(found, known)

    def test_one_network_in_two_threads(self):
        net, v = Network(random_cells((60, 50)), WIRED), random_drive((20, 60))
        expected = Network(random_cells((60, 50)), WIRED)
        with ThreadPoolExecutor(2) as pool:
            currents = list(pool.map(net.currents, [v] * 6))
            solved = list(pool.map(net.solve, [v] * 6))
        for found, one in zip(currents, solved, strict=True):
            assert_array_equal(found, expected.currents(v))
            assert_same(one, expected.solve(v))
