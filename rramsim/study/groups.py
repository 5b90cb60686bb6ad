"""Groups of datasets of a trace that come with rramsim: for each what it holds, and where its values come from."""

import json
from typing import Any

import numpy as np

from rramsim.model.score import confidence_interval
from rramsim.model.workloads import load_workload
from rramsim.trace.schema import Dataset, DatasetGroup

from .outcome import NetworkOutcome, SweepOutcome

__all__ = ["DATASETS", "GROUPS"]


def _table(outcome: NetworkOutcome) -> dict[str, Any]:
    points, results = outcome.points, outcome.results
    rows = []
    for line in dict.fromkeys(point.variant for point in points):
        trials = [result for point, result in zip(points, results, strict=True) if point.variant == line]
        mean, low, high = confidence_interval([result.accuracy for result in trials])
        agreement = float(np.mean([result.agreement for result in trials]))
        kl = float(np.mean([result.attention_kl for result in trials]))
        rows.append((line.name, line.label, len(trials), mean, low, high, agreement, kl))
    names = ("variant", "label", "trials", "accuracy", "accuracy_low", "accuracy_high", "agreement", "attention_kl")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


_TABLE = DatasetGroup(
    "table",
    NetworkOutcome,
    (
        Dataset("table/variant", ("line",), "str", "", "short name of each line of the accuracy table"),
        Dataset("table/label", ("line",), "str", "", "what the line says"),
        Dataset("table/trials", ("line",), "int32", "1", "chips that were written for the line"),
        Dataset("table/accuracy", ("line",), "float64", "1", "share of inputs classified rightly, mean over trials"),
        Dataset("table/accuracy_low", ("line",), "float64", "1", "lower end of its 95 % interval; nan for one trial"),
        Dataset("table/accuracy_high", ("line",), "float64", "1", "upper end of its 95 % interval; nan for one trial"),
        Dataset("table/agreement", ("line",), "float64", "1", "share of inputs classified as the float network does"),
        Dataset(
            "table/attention_kl", ("line",), "float64", "nat", "mean KL divergence of the attention; nan without one"
        ),
    ),
    _table,
)


def _points(outcome: NetworkOutcome) -> dict[str, Any]:
    points, results = outcome.points, outcome.results
    return {
        "variant": [point.variant.name for point in points],
        "trial": [point.trial for point in points],
        "accuracy": [result.accuracy for result in results],
        "agreement": [result.agreement for result in results],
        "attention_kl": [result.attention_kl for result in results],
        "prediction": np.stack([result.predictions for result in results]),
        "label": load_workload(outcome.study.workload.name).checked_labels(outcome.study.workload.samples),
    }


_POINTS = DatasetGroup(
    "points",
    NetworkOutcome,
    (
        Dataset("points/variant", ("point",), "str", "", "line of the table that the point belongs to"),
        Dataset("points/trial", ("point",), "int32", "1", "number of the trial"),
        Dataset("points/accuracy", ("point",), "float64", "1", "share of inputs classified rightly"),
        Dataset("points/agreement", ("point",), "float64", "1", "share of inputs classified as the float network does"),
        Dataset(
            "points/attention_kl", ("point",), "float64", "nat", "mean KL divergence of the attention; nan without one"
        ),
        Dataset("points/prediction", ("point", "sample"), "int16", "1", "class named for each input"),
        Dataset("points/label", ("sample",), "int16", "1", "true class of each input"),
    ),
    _points,
)


def _errors(outcome: NetworkOutcome) -> dict[str, Any]:
    kinds = sorted({kind for result in outcome.results for kind in result.errors})
    counts = [[result.errors.get(kind, 0) for kind in kinds] for result in outcome.results]
    return {"kind": kinds, "count": counts}


_ERRORS = DatasetGroup(
    "errors",
    NetworkOutcome,
    (
        Dataset("errors/kind", ("error",), "str", "", "kinds of error that hardware can tell from its right answer"),
        Dataset(
            "errors/count", ("point", "error"), "int64", "1", "how often each happened, over all inputs of a point"
        ),
    ),
    _errors,
)


def _cost(outcome: NetworkOutcome) -> dict[str, Any]:
    bill = outcome.priced.bill
    figures = {
        "energy per inference": (bill.energy_joule_per_inference, "J"),
        "latency, vector-grained": (bill.latency_second, "s"),
        "latency, operand-grained": (outcome.priced.operand_grained.latency_second, "s"),
        "interval between inferences": (bill.interval_second, "s"),
        "power at full throughput": (bill.average_power_watt, "W"),
        "area": (bill.area_square_metre, "m2"),
        "operations per inference": (bill.operations_per_inference, "1"),
        "throughput": (bill.gops_per_second, "GOPs/s"),
        "computing efficiency": (bill.gops_per_second_per_watt, "GOPs/s/W"),
        "area efficiency": (bill.gops_per_second_per_square_millimetre, "GOPs/s/mm2"),
    }
    return {
        "block": [part.block for part in bill.parts],
        "component": [part.component for part in bill.parts],
        "energy": [part.energy_joule for part in bill.parts],
        "area": [part.area_square_metre for part in bill.parts],
        "name": list(figures),
        "value": [value for value, _ in figures.values()],
        "value_unit": [unit for _, unit in figures.values()],
    }


_COST = DatasetGroup(
    "cost",
    NetworkOutcome,
    (
        Dataset("cost/block", ("part",), "str", "", "block of the chip"),
        Dataset("cost/component", ("part",), "str", "", "component"),
        Dataset("cost/energy", ("part",), "float64", "J", "energy per inference"),
        Dataset("cost/area", ("part",), "float64", "m2", "area"),
        Dataset("cost/name", ("figure",), "str", "", "name of a figure of merit"),
        Dataset("cost/value", ("figure",), "float64", "", "its value, in the unit beside it"),
        Dataset("cost/value_unit", ("figure",), "str", "", "unit of the figure of merit"),
    ),
    _cost,
)


def _schedule(outcome: NetworkOutcome) -> dict[str, Any]:
    vector, operand = outcome.priced.vector_grained, outcome.priced.operand_grained
    return {
        "stage": [stage.name for stage in vector.stages],
        "setup": [stage.setup_second for stage in vector.stages],
        "start": vector.start_second,
        "finish": vector.finish_second,
        "operand_start": operand.start_second,
        "operand_finish": operand.finish_second,
    }


_SCHEDULE = DatasetGroup(
    "schedule",
    NetworkOutcome,
    (
        Dataset("schedule/stage", ("step",), "str", "", "stage of the pipeline"),
        Dataset("schedule/setup", ("step",), "float64", "s", "time before the first vector: writing, or one-off work"),
        Dataset("schedule/start", ("step", "vector"), "float64", "s", "start of each token vector, vector-grained"),
        Dataset("schedule/finish", ("step", "vector"), "float64", "s", "finish of each token vector, vector-grained"),
        Dataset("schedule/operand_start", ("step", "vector"), "float64", "s", "start, operand-grained"),
        Dataset("schedule/operand_finish", ("step", "vector"), "float64", "s", "finish, operand-grained"),
    ),
    _schedule,
)


def _sweep(outcome: SweepOutcome) -> dict[str, Any]:
    points, results = outcome.points, outcome.results
    kinds = sorted({kind for result in results for each in result for kind in each.errors})
    measured = ("mean_error", "max_error", "kl", "agreement", "elements", "vectors")
    return {
        "name": [point.sweep for point in points],
        "label": [point.label for point in points],
        "settings": [json.dumps(point.settings) for point in points],
        "trial": [point.trial for point in points],
        "model": list(outcome.study.scores.models),
        **{name: [[getattr(each, name) for each in result] for result in results] for name in measured},
        "error_kind": kinds,
        "error_count": [[[each.errors.get(kind, 0) for kind in kinds] for each in result] for result in results],
    }


_SWEEP = DatasetGroup(
    "sweep",
    SweepOutcome,
    (
        Dataset("sweep/name", ("point",), "str", "", "sweep that the point belongs to"),
        Dataset("sweep/label", ("point",), "str", "", "what is varied, in short"),
        Dataset("sweep/settings", ("point",), "str", "", "values by varied key, as JSON"),
        Dataset("sweep/trial", ("point",), "int32", "1", "number of the trial"),
        Dataset("sweep/model", ("network",), "str", "", "model whose scores were recorded"),
        Dataset("sweep/mean_error", ("point", "network"), "float64", "1", "mean absolute error of a probability"),
        Dataset("sweep/max_error", ("point", "network"), "float64", "1", "largest absolute error of a probability"),
        Dataset("sweep/kl", ("point", "network"), "float64", "nat", "mean KL divergence from the exact softmax"),
        Dataset(
            "sweep/agreement", ("point", "network"), "float64", "1", "share of vectors with the same largest place"
        ),
        Dataset("sweep/elements", ("point", "network"), "int64", "1", "scores that took part"),
        Dataset("sweep/vectors", ("point", "network"), "int64", "1", "vectors of scores"),
        Dataset("sweep/error_kind", ("error",), "str", "", "kinds of error of the softmax engine"),
        Dataset("sweep/error_count", ("point", "network", "error"), "int64", "1", "how often each happened"),
    ),
    _sweep,
)

GROUPS = (_TABLE, _POINTS, _ERRORS, _COST, _SCHEDULE, _SWEEP)
"""The groups, in the order in which they are written."""

DATASETS = {entry.path: entry for group in GROUPS for entry in group.datasets}
"""All of their datasets, by path."""
