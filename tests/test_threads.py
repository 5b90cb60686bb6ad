"""Calls side by side: their answers in order, who may take threads, who is told, and what an error ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rramsim.threads import limit_threads, run_each, thread_count

COUNTS = (1, 2, 5)


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
