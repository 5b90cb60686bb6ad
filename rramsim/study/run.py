"""Run a study: points to workers, results to one trace."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rramsim.errors import RramsimError, SpecError, TraceError
from rramsim.files import check_writable, free_name
from rramsim.interrupts import sigint_held
from rramsim.kernels import warm_up
from rramsim.model.score import confidence_interval
from rramsim.model.tasks import digits_task
from rramsim.probe import ProbeRecorder
from rramsim.threads import limit_threads
from rramsim.trace.provenance import provenance
from rramsim.trace.write import write_trace

from .config import StudySpec
from .plan import Point, Variant, points
from .point import PointResult, evaluate, float_result, probe_chip, program_chip
from .price import Priced, price
from .sweep import SoftmaxStudySpec, evaluate_sweep, sweep_datasets, sweep_points

__all__ = ["n_points", "run"]

Answer = TypeVar("Answer")


Signals = dict[str, tuple[NDArray[Any], str]]
"""What a probe recorded: values and unit by path."""
Progress = Callable[[int, int, str], None]
"""Told how many points are done, of how many, and what was finished last."""


class Inspection(NamedTuple):
    """What only one chip of a study is asked for: its inner signals and its price."""

    signals: Signals
    priced: Priced


def n_points(study: StudySpec | SoftmaxStudySpec) -> int:
    """How many points a study has: what ``progress`` counts to."""
    return len(sweep_points(study) if isinstance(study, SoftmaxStudySpec) else points(study))


def run(
    study: StudySpec | SoftmaxStudySpec,
    out: str | Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    fresh: bool = False,
) -> Path:
    """Run every point of a study and write the trace.

    Parameters
    ----------
    study
        What to run.
    out
        The trace, a file that does not exist yet; it appears whole, at the end.
    workers
        Processes. The result does not depend on it, bit for bit.
    progress
        Called after each point.
    fresh
        Where another program takes the name ``out`` meanwhile, write under the next free one and lose no work.

    Returns
    -------
    pathlib.Path
        The trace.

    Raises
    ------
    TraceError
        If ``out`` exists or cannot be written; found before any work is done.
    SpecError
        If ``workers`` is below 1.
    """
    path = Path(out)
    check_writable(path)
    if workers < 1:
        raise SpecError(f"workers is at least 1; got {workers}")
    if isinstance(study, SoftmaxStudySpec):
        datasets, signals = _run_sweeps(study, workers, progress)
    else:
        datasets, signals = _run_lines(study, workers, progress)
    attributes: dict[str, str | int] = {
        "title": study.title,
        "seed": study.seed,
        "study": json.dumps(study.resolved),
        "provenance": json.dumps(provenance()),
    }
    while True:
        try:
            write_trace(path, attributes, datasets, signals)
        except TraceError:
            if not (fresh and path.exists()):
                raise
            path = free_name(path.parent, path.stem.rpartition("-")[0] or path.stem)
        else:
            return path


def _run_lines(study: StudySpec, workers: int, progress: Progress | None) -> tuple[dict[str, Any], Signals]:
    """Run a network on every line of the table."""
    todo = points(study)
    # The first chip with everything is also probed and priced.
    inspected = next(k for k, point in enumerate(todo) if point.variant == todo[-1].variant)
    jobs = [(study, point, k == inspected) for k, point in enumerate(todo)]
    weights = [_weight(point) for point in todo]
    weights[inspected] += max(weights)
    labels = [point.variant.label for point in todo]
    answers = _collect(_work, jobs, weights, labels, workers, progress)
    inspection = answers[inspected][1]
    assert inspection is not None  # noqa: S101  (asked for above)
    return _datasets(study, todo, [result for result, _ in answers], inspection.priced), inspection.signals


def _run_sweeps(study: SoftmaxStudySpec, workers: int, progress: Progress | None) -> tuple[dict[str, Any], Signals]:
    """Run the softmax engine alone at every point of every sweep."""
    todo = sweep_points(study)
    jobs = [(study.seed, study.scores, point) for point in todo]
    labels = [f"{point.sweep}, {point.label}" for point in todo]
    weights = [1 << point.softmax.format.bits for point in todo]
    return sweep_datasets(study, todo, _collect(evaluate_sweep, jobs, weights, labels, workers, progress)), {}


def _collect(
    work: Callable[..., Answer],
    jobs: Sequence[tuple[Any, ...]],
    weights: Sequence[int],
    labels: Sequence[str],
    workers: int,
    progress: Progress | None,
) -> list[Answer]:
    """Answers of all jobs, in their order; the long ones begin first, so that no worker is left alone with one."""
    order = sorted(range(len(jobs)), key=lambda k: -weights[k])
    done: dict[int, Answer] = {}
    # One BLAS thread everywhere: sums of another split would differ in their last bits.
    with threadpool_limits(1), _executor(workers, len(jobs)) as executor:
        for place, answer in _answers(executor, work, [jobs[k] for k in order]):
            done[order[place]] = answer
            if progress:
                progress(len(done), len(jobs), labels[order[place]])
    return [done[k] for k in range(len(jobs))]


def _weight(point: Point) -> int:
    """Rough cost of a point: wires and converters take time, a float network hardly any."""
    chip = point.variant.chip
    if chip is None:
        return 0
    return (
        1 + 8 * (not chip.macro.wires.ideal) + 4 * (chip.macro.adc is not None) + (chip.attention.softmax is not None)
    )


@contextmanager
def _executor(workers: int, n_points: int) -> Iterator[Executor | None]:
    """Worker processes; None where the parent does the work itself. An error or an interrupt ends them at once."""
    warm_up()  # once and here: workers then find every kernel in the cache instead of compiling it side by side
    if workers == 1 or n_points == 1:
        yield None
        return
    pool = ProcessPoolExecutor(min(workers, n_points), mp_context=get_context("spawn"), initializer=_start_worker)
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


def _work(study: StudySpec, point: Point, inspect: bool) -> tuple[PointResult, Inspection | None]:
    if point.variant.chip is None:
        return float_result(study), None
    with limit_threads(1):  # the points have the cores already
        chip = program_chip(study, point.variant.chip, point.trial)
        result = evaluate(study, chip, point.trial)
        if not inspect:
            return result, None
        recorder = ProbeRecorder()
        probe_chip(study, chip, recorder)
        return result, Inspection(recorder.signals, price(study, chip, result.activity, study.workload.samples))


def _datasets(
    study: StudySpec, todo: Sequence[Point], results: Sequence[PointResult], priced: Priced
) -> dict[str, Any]:
    kinds = sorted({kind for result in results for kind in result.errors})
    return {
        **_table(todo, results),
        "points/variant": [point.variant.name for point in todo],
        "points/trial": [point.trial for point in todo],
        "points/accuracy": [result.accuracy for result in results],
        "points/agreement": [result.agreement for result in results],
        "points/attention_kl": [result.attention_kl for result in results],
        "points/prediction": np.stack([result.predictions for result in results]),
        "points/label": digits_task().test_labels[: study.workload.samples],
        "errors/kind": kinds,
        "errors/count": [[result.errors.get(kind, 0) for kind in kinds] for result in results],
        **_cost(priced),
    }


def _table(todo: Sequence[Point], results: Sequence[PointResult]) -> dict[str, Any]:
    lines: list[Variant] = list(dict.fromkeys(point.variant for point in todo))
    rows = []
    for line in lines:
        own = [result for point, result in zip(todo, results, strict=True) if point.variant == line]
        mean, low, high = confidence_interval([result.accuracy for result in own])
        agreement = float(np.mean([result.agreement for result in own]))
        rows.append(
            (line.name, line.label, len(own), mean, low, high, agreement, float(np.mean([r.attention_kl for r in own])))
        )
    names = ("variant", "label", "trials", "accuracy", "accuracy_low", "accuracy_high", "agreement", "attention_kl")
    return {f"table/{name}": list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _cost(priced: Priced) -> Mapping[str, Any]:
    bill = priced.budget
    figures = {
        "energy per inference": (bill.energy_joule_per_inference, "J"),
        "latency, vector-grained": (bill.latency_second, "s"),
        "latency, operand-grained": (priced.operand_grained.latency_second, "s"),
        "interval between inferences": (bill.interval_second, "s"),
        "power at full throughput": (bill.average_power_watt, "W"),
        "area": (bill.area_square_metre, "m2"),
        "operations per inference": (bill.operations_per_inference, "1"),
        "throughput": (bill.gops_per_second, "GOPs/s"),
        "computing efficiency": (bill.gops_per_second_per_watt, "GOPs/s/W"),
        "area efficiency": (bill.gops_per_second_per_square_millimetre, "GOPs/s/mm2"),
    }
    vector, operand = priced.vector_grained, priced.operand_grained
    return {
        "cost/block": [part.block for part in bill.parts],
        "cost/component": [part.component for part in bill.parts],
        "cost/energy": [part.energy_joule for part in bill.parts],
        "cost/area": [part.area_square_metre for part in bill.parts],
        "cost/name": list(figures),
        "cost/value": [value for value, _ in figures.values()],
        "cost/value_unit": [unit for _, unit in figures.values()],
        "schedule/stage": [stage.name for stage in vector.stages],
        "schedule/setup": [stage.setup_second for stage in vector.stages],
        "schedule/start": vector.start_second,
        "schedule/finish": vector.finish_second,
        "schedule/operand_start": operand.start_second,
        "schedule/operand_finish": operand.finish_second,
    }
