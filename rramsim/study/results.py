"""What a study leaves: the datasets of its trace, from the answers of its points."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramsim.cost.price import Price
from rramsim.model.deviation import Deviation
from rramsim.model.score import confidence_interval
from rramsim.model.workloads import load_workload
from rramsim.trace.write import write_trace

from .plan import Point
from .point import PointResult
from .spec import StudySpec
from .sweep import SoftmaxStudySpec, SweepPoint

__all__ = ["Record", "Signals", "line_datasets", "sweep_datasets"]

Signals = dict[str, tuple[NDArray[Any], str]]
"""What a probe recorded: values and unit by path."""


@dataclass(frozen=True)
class Record:
    """A study that has run, whole, before it is written.

    Parameters
    ----------
    attributes
        Title, seed, study, provenance and references.
    datasets
        Values by path, as :data:`rramsim.trace.schema.DATASETS` registers them.
    signals
        What the probe recorded.
    """

    attributes: Mapping[str, str | int]
    datasets: Mapping[str, Any]
    signals: Signals

    def write(self, path: Path) -> Path:
        """Write the trace, a file that does not exist yet; see :func:`rramsim.trace.write.write_trace`."""
        write_trace(path, self.attributes, self.datasets, self.signals)
        return path


def line_datasets(
    study: StudySpec, points: Sequence[Point], results: Sequence[PointResult], priced: Price
) -> dict[str, Any]:
    """Datasets of a network on every line of its table.

    Parameters
    ----------
    study
        What was asked.
    points, results
        Every chip, and what it did.
    priced
        The bill of the chip with all non-idealities.
    """
    kinds = sorted({kind for result in results for kind in result.errors})
    return {
        **_table(points, results),
        "points/variant": [point.variant.name for point in points],
        "points/trial": [point.trial for point in points],
        "points/accuracy": [result.accuracy for result in results],
        "points/agreement": [result.agreement for result in results],
        "points/attention_kl": [result.attention_kl for result in results],
        "points/prediction": np.stack([result.predictions for result in results]),
        "points/label": load_workload(study.workload.name).checked_labels(study.workload.samples),
        "errors/kind": kinds,
        "errors/count": [[result.errors.get(kind, 0) for kind in kinds] for result in results],
        **_cost(priced),
    }


def _table(points: Sequence[Point], results: Sequence[PointResult]) -> dict[str, Any]:
    rows = []
    for line in dict.fromkeys(point.variant for point in points):
        trials = [result for point, result in zip(points, results, strict=True) if point.variant == line]
        mean, low, high = confidence_interval([result.accuracy for result in trials])
        agreement = float(np.mean([result.agreement for result in trials]))
        kl = float(np.mean([result.attention_kl for result in trials]))
        rows.append((line.name, line.label, len(trials), mean, low, high, agreement, kl))
    names = ("variant", "label", "trials", "accuracy", "accuracy_low", "accuracy_high", "agreement", "attention_kl")
    return {f"table/{name}": list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _cost(priced: Price) -> Mapping[str, Any]:
    bill = priced.bill
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


def sweep_datasets(
    study: SoftmaxStudySpec, points: Sequence[SweepPoint], results: Sequence[Sequence[Deviation]]
) -> dict[str, Any]:
    """Datasets of sweeps of the softmax engine.

    Parameters
    ----------
    study
        What was asked.
    points, results
        Every engine, and for each model how far its probabilities are from the exact ones.
    """
    kinds = sorted({kind for result in results for each in result for kind in each.errors})
    measured = ("mean_error", "max_error", "kl", "agreement", "elements", "vectors")
    return {
        "sweep/name": [point.sweep for point in points],
        "sweep/label": [point.label for point in points],
        "sweep/settings": [json.dumps(point.settings) for point in points],
        "sweep/trial": [point.trial for point in points],
        "sweep/model": list(study.scores.models),
        **{f"sweep/{name}": [[getattr(each, name) for each in result] for result in results] for name in measured},
        "sweep/error_kind": kinds,
        "sweep/error_count": [[[each.errors.get(kind, 0) for kind in kinds] for each in result] for result in results],
    }
