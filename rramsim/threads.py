"""Work on several cores: kernels release the interpreter's lock, so plain threads run them side by side."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from .arrays import FloatArray

__all__ = ["limit_threads", "product", "run_each", "run_slices", "scratch", "thread_count"]

Answer = TypeVar("Answer")

_ROWS = 512
_WORTH_A_THREAD = 10**7
"""Multiplications below which starting a thread costs more than it saves."""
_LARGEST_BUFFER = 64 * 2**20
"""Bytes of scratch memory up to which a thread holds on to it."""
_buffers = threading.local()
_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """How many threads a solution may take: the cores of this process, or the limit that was set."""
    limit = _limit.get()
    if limit is not None:
        return limit
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Within this context no solution takes more threads; a study's workers are processes and take one each."""
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def run_slices(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(start, stop)`` for equal parts of ``range(count)``, each on a thread of its own.

    The parts are independent of one another, so no result depends on their number.
    """
    parts = min(threads, count)
    if parts <= 1:
        work(0, count)
        return
    edges = [count * k // parts for k in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        for done in [pool.submit(work, start, stop) for start, stop in pairwise(edges)]:
            done.result()


def run_each(work: Callable[[int], Answer], count: int, finished: Callable[[int], None] | None = None) -> list[Answer]:
    """Call ``work(k)`` for each k of ``range(count)``, side by side; the answers in their order.

    Parameters
    ----------
    work
        A call is independent of the others. Where several threads are at work, each call has one and takes no more;
        otherwise it may take them all.
    count
        How many calls.
    finished
        Called after each, in the thread that called this function, with the number of calls that are done.
    """
    threads = min(thread_count(), count)
    if threads <= 1:
        answers = []
        for k in range(count):
            answers.append(work(k))
            if finished:
                finished(k + 1)
        return answers

    def alone(k: int) -> Answer:
        with limit_threads(1):
            return work(k)

    with ThreadPoolExecutor(threads) as pool:
        calls = [pool.submit(alone, k) for k in range(count)]
        try:
            for done, call in enumerate(as_completed(calls), start=1):
                call.result()
                if finished:
                    finished(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [call.result() for call in calls]


def product(v: FloatArray, t: FloatArray) -> FloatArray:
    """``v @ t`` with the same bits on any number of threads.

    A library that multiplies on threads of its own sums in another order for another number of them; here each
    multiplies as many rows as always, alone.
    """
    out = np.empty((len(v), t.shape[1]))
    parts = -(-len(v) // _ROWS)

    def multiply(start: int, stop: int) -> None:
        for k in range(start, stop):
            rows = slice(k * _ROWS, (k + 1) * _ROWS)
            np.matmul(v[rows], t, out=out[rows])

    with _libraries().limit(limits=1, user_api="blas"):
        run_slices(multiply, parts, thread_count() if out.size * t.shape[0] > _WORTH_A_THREAD else 1)
    return out


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def scratch(dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """Uninitialised numbers to work in; the thread keeps them, as fresh memory costs more than a small solution."""
    buffer: NDArray[Any] | None = getattr(_buffers, dtype.char, None)
    if buffer is None or len(buffer) < count:
        buffer = np.empty(count, dtype=dtype)
        if buffer.nbytes <= _LARGEST_BUFFER:
            setattr(_buffers, dtype.char, buffer)
    return buffer[:count]
