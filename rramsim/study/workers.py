"""Jobs on worker processes: their answers in order, and no process left behind by an error or an interrupt."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from threadpoolctl import threadpool_limits

from rramsim.errors import RramsimError
from rramsim.interrupts import sigint_held
from rramsim.kernels import warm_up

__all__ = ["Job", "Progress", "run_jobs"]

Answer = TypeVar("Answer")
Progress = Callable[[int, int, str], None]
"""Told how many jobs are done, of how many, and what was finished last."""


class Job(NamedTuple):
    """One call of the function that answers.

    Parameters
    ----------
    arguments
        What it is called with.
    label
        What is said of it once it is done.
    weight
        Rough cost beside the other jobs.
    """

    arguments: tuple[Any, ...]
    label: str
    weight: int = 1


def run_jobs(
    work: Callable[..., Answer], jobs: Sequence[Job], workers: int = 1, progress: Progress | None = None
) -> list[Answer]:
    """Answers of all jobs, in their order.

    Parameters
    ----------
    work
        Called with the arguments of each job; where there are several workers, a function at the top of a module.
    jobs
        The long ones begin first, so that no worker is left alone with one.
    workers
        Processes; with one, this process works itself.
    progress
        Called after each job.

    Raises
    ------
    RramsimError
        Where a worker was ended from outside; and whatever ``work`` raises, at the first job that does.
    """
    order = sorted(range(len(jobs)), key=lambda k: -jobs[k].weight)
    done: dict[int, Answer] = {}
    # One BLAS thread everywhere: sums of another split would differ in their last bits.
    with threadpool_limits(1), _executor(min(workers, len(jobs))) as executor:
        for place, answer in _answers(executor, work, [jobs[k].arguments for k in order]):
            done[order[place]] = answer
            if progress:
                progress(len(done), len(jobs), jobs[order[place]].label)
    return [done[k] for k in range(len(jobs))]


@contextmanager
def _executor(workers: int) -> Iterator[Executor | None]:
    """Worker processes; None where the parent does the work itself. An error or an interrupt ends them at once."""
    warm_up()  # once and here: workers then find every kernel in the cache instead of compiling it side by side
    if workers <= 1:
        yield None
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        yield pool
        pool.shutdown()
    except BaseException as error:
        _end(pool)
        if isinstance(error, BrokenProcessPool):
            raise RramsimError(
                "a worker process was ended from outside, perhaps for want of memory; try again with --workers 1"
            ) from None
        raise


def _end(pool: ProcessPoolExecutor) -> None:
    """End the workers now, whatever they do, and wait until they are gone, however often Ctrl-C is pressed.

    Python takes a thread for ended whose ``join`` is interrupted, and the thread of a pool that still runs at the end
    of the program prints what nobody can read.
    """
    while True:
        try:
            with sigint_held():
                for process in list((getattr(pool, "_processes", None) or {}).values()):
                    process.terminate()
                pool.shutdown(cancel_futures=True)
        except KeyboardInterrupt:
            continue
        return


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C, for all
    Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # noqa: S101  (this is a worker)
    parent.join()
    os._exit(1)


def _answers(
    executor: Executor | None, work: Callable[..., Answer], jobs: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, Answer]]:
    """Place and answer of every job, as they come in."""
    if executor is None:
        for place, job in enumerate(jobs):
            yield place, work(*job)
        return
    # Ctrl-C may interrupt the queue, but not what waits for futures: it would leave one of their locks taken.
    done: SimpleQueue[Future[Answer]] = SimpleQueue()
    places = {}
    with sigint_held():  # workers start now, and must not answer Ctrl-C before _start_worker
        for place, job in enumerate(jobs):
            future = executor.submit(work, *job)
            places[future] = place
            future.add_done_callback(done.put)
    for _ in jobs:
        future = done.get()
        yield places[future], future.result()
