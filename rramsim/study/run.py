"""Run a study: points to workers, results to one trace."""

import json
from pathlib import Path
from typing import NamedTuple

from rramsim.activity import Activity
from rramsim.cost.price import Price, price
from rramsim.engine.chip import ChipSpec
from rramsim.errors import SpecError
from rramsim.files import check_writable
from rramsim.model.workloads import load_workload
from rramsim.probe import ProbeRecorder
from rramsim.references import Citations
from rramsim.threads import limit_threads
from rramsim.trace.provenance import provenance

from .citing import cite
from .outcome import NetworkOutcome, SweepOutcome
from .plan import Point, points
from .point import PointResult, evaluate, float_result, probe_chip, program_chip
from .results import Record, Signals, all_groups, record
from .spec import StudySpec
from .sweep import SoftmaxStudySpec, evaluate_sweep, sweep_points
from .workers import Job, Progress, run_jobs

__all__ = ["compute", "n_points", "run"]


class Inspection(NamedTuple):
    """What only one chip of a study is asked for: its inner signals and its price."""

    signals: Signals
    priced: Price


def n_points(study: StudySpec | SoftmaxStudySpec) -> int:
    """How many points a study has: what ``progress`` counts to."""
    return len(sweep_points(study) if isinstance(study, SoftmaxStudySpec) else points(study))


def run(
    study: StudySpec | SoftmaxStudySpec, out: str | Path, *, workers: int = 1, progress: Progress | None = None
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
    return compute(study, workers=workers, progress=progress).write(path)


def compute(study: StudySpec | SoftmaxStudySpec, *, workers: int = 1, progress: Progress | None = None) -> Record:
    """Run every point of a study; what it leaves is not written yet.

    Parameters
    ----------
    study, workers, progress
        As for :func:`run`.

    Raises
    ------
    SpecError
        If ``workers`` is below 1.
    TraceError
        For datasets that another package offers and that cannot be written.
    """
    if workers < 1:
        raise SpecError(f"workers is at least 1; got {workers}")
    citations = cite(study)  # first: what is wrong with references is found before any work is done
    groups = all_groups()  # what is wrong with those of other packages is known before the long run
    if isinstance(study, SoftmaxStudySpec):
        todo = sweep_points(study)
        jobs = [
            Job((study.seed, study.scores, point), f"{point.sweep}, {point.label}", point.softmax.states)
            for point in todo
        ]
        outcome = SweepOutcome(study, todo, run_jobs(evaluate_sweep, jobs, workers, progress))
        return record(_attributes(study, citations), outcome, {}, groups)
    lines, signals = _compute_lines(study, workers, progress)
    return record(_attributes(study, citations), lines, signals, groups)


def _compute_lines(study: StudySpec, workers: int, progress: Progress | None) -> tuple[NetworkOutcome, Signals]:
    """Run a network on every line of the table."""
    todo = points(study)
    _priced(study, study.chip)  # a component without a price is found before any work is done
    # The first chip with everything is also probed and priced.
    inspected = next(k for k, point in enumerate(todo) if point.variant == todo[-1].variant)
    weights = [_weight(point) for point in todo]
    weights[inspected] += max(weights)
    jobs = [
        Job((study, point, k == inspected), point.variant.label, weight)
        for k, (point, weight) in enumerate(zip(todo, weights, strict=True))
    ]
    answers = run_jobs(_evaluate, jobs, workers, progress)
    inspection = answers[inspected][1]
    assert inspection is not None  # noqa: S101  (asked for above)
    return NetworkOutcome(study, todo, [result for result, _ in answers], inspection.priced), inspection.signals


def _attributes(study: StudySpec | SoftmaxStudySpec, citations: Citations) -> dict[str, str | int]:
    return {
        "title": study.title,
        "seed": study.seed,
        "study": json.dumps(study.resolved),
        "provenance": json.dumps(provenance()),
        "references": json.dumps([reference.given for reference in citations]),
    }


def _weight(point: Point) -> int:
    """Rough cost of a point: wires and converters take time, a float network hardly any."""
    chip = point.variant.chip
    if chip is None:
        return 0
    return (
        1 + 8 * (not chip.macro.wires.ideal) + 4 * (chip.macro.adc is not None) + (chip.attention.softmax is not None)
    )


def _evaluate(study: StudySpec, point: Point, inspect: bool) -> tuple[PointResult, Inspection | None]:
    if point.variant.chip is None:
        return float_result(study), None
    with limit_threads(1):  # the points have the cores already
        chip = program_chip(study, point.variant.chip, point.trial)
        result = evaluate(study, chip, point.trial)
        if not inspect:
            return result, None
        recorder = ProbeRecorder()
        probe_chip(study, chip, recorder)
        priced = _priced(study, point.variant.chip, result.activity)
        return result, Inspection(recorder.signals, priced)


def _priced(study: StudySpec, chip: ChipSpec, activity: Activity | None = None) -> Price:
    """The price of the study's network on a chip."""
    return price(
        load_workload(study.workload.name).graph,
        chip,
        activity=activity,
        n_inferences=study.workload.samples,
        components=study.cost.components,
        vector_lanes=study.cost.vector_lanes,
    )
