"""The sweeps of a softmax study, as a trace holds them: the points of each, and what was measured there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rramsim.arrays import BoolArray, FloatArray
from rramsim.trace.read import Trace

__all__ = ["MeasuredPoint", "Sweep", "sweeps"]

_PER_VECTOR = ("wrong_max", "wrong_sum")
"""Kinds of error of a vector; the others are of its scores."""


@dataclass(frozen=True)
class MeasuredPoint:
    """One point of a sweep.

    Parameters
    ----------
    label
        What is varied, in short.
    settings
        Values by varied key.
    kl, error, agreement
        (trials, models) divergence, mean absolute error, and share of vectors with the same largest place.
    rates
        By kind of error, how often each score, or vector, meets it: mean over models and trials.
    mismatches
        False and missed matches for each search.
    """

    label: str
    settings: dict[str, Any]
    kl: FloatArray
    error: FloatArray
    agreement: FloatArray
    rates: dict[str, float]
    mismatches: float


@dataclass(frozen=True)
class Sweep:
    """One sweep.

    Parameters
    ----------
    number
        Place of the sweep in the study, from 0.
    name
        Name of the sweep.
    fixed
        Values by key that all points have in common.
    models
        Names of the models.
    points
        The points, in their order.
    """

    number: int
    name: str
    fixed: dict[str, Any]
    models: Sequence[str]
    points: Sequence[MeasuredPoint]

    @property
    def keys(self) -> list[str]:
        """The keys that take more than one value."""
        first = self.points[0].settings
        return [key for key in first if any(point.settings[key] != first[key] for point in self.points)]


def sweeps(trace: Trace) -> list[Sweep]:
    """The sweeps of a trace, in their order."""
    names, settings, labels = trace["sweep/name"], trace["sweep/settings"], trace["sweep/label"]
    kl, error, agreement = trace["sweep/kl"], trace["sweep/mean_error"], trace["sweep/agreement"]
    kinds, counts = list(trace["sweep/error_kind"]), trace["sweep/error_count"]
    n_scores, n_vectors = trace["sweep/elements"], trace["sweep/vectors"]

    def point(text: str, trials: BoolArray) -> MeasuredPoint:
        count = dict(zip(kinds, counts[trials].sum(axis=(0, 1)), strict=True))
        scores, vectors = n_scores[trials].sum(), n_vectors[trials].sum()
        rates = {kind: float(n / (vectors if kind in _PER_VECTOR else scores)) for kind, n in count.items()}
        # Each score is searched for in the first CAM, and its difference in the second.
        mismatches = (count.get("false_match", 0) + count.get("missed_match", 0)) / (2 * scores)
        return MeasuredPoint(
            labels[trials][0],
            json.loads(text),
            kl[trials],
            error[trials],
            agreement[trials],
            rates,
            float(mismatches),
        )

    def sweep(number: int, plan: dict[str, Any]) -> Sweep:
        rows = names == plan["name"]
        points = [point(text, rows & (settings == text)) for text in dict.fromkeys(settings[rows])]
        fixed = plan["fixed"] if "fixed" in plan else plan["set"]  # its name in older traces
        return Sweep(number, plan["name"], fixed, list(trace["sweep/model"]), points)

    return [sweep(number, plan) for number, plan in enumerate(trace.study["sweep"])]
