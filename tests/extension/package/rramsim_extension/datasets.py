"""Datasets: which inputs a chip names wrongly."""

from rramsim.study.outcome import NetworkOutcome
from rramsim.trace.schema import Dataset, DatasetGroup


def _values(outcome):
    labels = outcome.results[0].predictions * 0 + _labels(outcome)
    return {"wrong": [int((result.predictions != labels).sum()) for result in outcome.results]}


def _labels(outcome):
    from rramsim.model.workloads import load_workload

    return load_workload(outcome.study.workload.name).checked_labels(outcome.study.workload.samples)


GROUP = DatasetGroup(
    "misses",
    NetworkOutcome,
    (Dataset("misses/wrong", ("point",), "int64", "1", "inputs of the point that are named wrongly"),),
    _values,
)
