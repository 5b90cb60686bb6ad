"""Threads: how many, who does what, and the memory that each works in."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rramsim.threads import limit_threads, run_each, run_slices, scratch, thread_count

COUNTS = (1, 2, 5)


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
        idents = []
        run_slices(lambda start, stop: idents.append(threading.get_ident()), 5, 1)
        assert idents == [threading.get_ident()]

    @pytest.mark.parametrize("n_threads", [1, 2, 3])
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

    def test_what_is_very_large_is_not_kept(self):
        """More than 64 MiB, none of which is touched here."""
        most = 64 * 2**20 // 8
        with ThreadPoolExecutor(1) as pool:
            first, second = (pool.submit(scratch, np.dtype(np.float64), most + 1).result() for _ in range(2))
            small, again = (pool.submit(scratch, np.dtype(np.float64), 100).result() for _ in range(2))
        assert not np.shares_memory(first, second)
        assert np.shares_memory(small, again)


class TestRunEach:
    @pytest.mark.parametrize("threads", COUNTS)
    @pytest.mark.parametrize("count", [0, 1, 2, 30])
    def test_answers_in_order(self, threads, count):
        with limit_threads(threads):
            assert run_each(lambda k: k * k, count) == [k * k for k in range(count)]

    @pytest.mark.parametrize("threads", COUNTS)
    def test_told_of_every_call_in_the_thread_that_called(self, threads):
        told = []
        with limit_threads(threads):
            run_each(lambda k: k, 9, lambda done: told.append((done, threading.get_ident())))
        assert told == [(done, threading.get_ident()) for done in range(1, 10)]

    def test_calls_side_by_side_take_one_thread_each(self):
        with limit_threads(3):
            assert run_each(lambda _: thread_count(), 4) == [1] * 4

    @pytest.mark.parametrize(("threads", "count"), [(3, 1), (1, 4)])
    def test_calls_one_after_another_may_take_all(self, threads, count):
        here = threading.get_ident()
        with limit_threads(threads):
            assert run_each(lambda _: (thread_count(), threading.get_ident()), count) == [(threads, here)] * count

    def test_they_are_side_by_side(self):
        """Each of two waits for the other."""
        both = threading.Barrier(2, timeout=60)
        with limit_threads(2):
            assert sorted(run_each(lambda _: both.wait(), 2)) == [0, 1]

    @pytest.mark.parametrize("threads", COUNTS)
    @pytest.mark.parametrize("fails", ["work", "finished"])
    def test_an_error_ends_it(self, threads, fails):
        """That of a call, or of who is told; calls that have not begun then never do."""
        begun, never = [], threading.Event()

        def work(k):
            begun.append(k)
            if fails == "work" and k == 0:
                raise ValueError("no more")
            never.wait(0.05)

        def finished(done):
            if fails == "finished":
                raise ValueError("no more")

        with limit_threads(threads), pytest.raises(ValueError, match="no more"):
            run_each(work, 200, finished)
        assert len(begun) < 200

    def test_a_limit_is_that_of_the_caller(self):
        """Also in a thread that knows no other."""
        with limit_threads(2), ThreadPoolExecutor(1) as pool:

            def limited():
                with limit_threads(1):
                    return run_each(lambda _: threading.get_ident(), 3), threading.get_ident()

            answers, there = pool.submit(limited).result()
        assert answers == [there] * 3
