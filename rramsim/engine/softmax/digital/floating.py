"""Softmax in floating point on a vector lane."""

from typing import Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import BoolArray, FloatArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import DigitalCircuit
from rramsim.probe import Probe

from .unit import DigitalSoftmaxSpec, SoftmaxSignals

__all__ = ["FloatSoftmaxSpec"]


class FloatSoftmaxSpec(DigitalSoftmaxSpec):
    """Softmax in float64, charged as operations of a 32-bit vector lane and its divider.

    Parameters
    ----------
    kind
        "float": what this class is, among the softmax units.
    exp_operations
        Lane operations of one exponential. 10: a product with log2(e), a rounding, two subtractions that leave the
        remainder, five multiply-adds of a polynomial of fifth order, and the addition to the exponent.

    Notes
    -----
    Each score also takes a comparison, a subtraction, an addition and a division. The lane of the tables (PUMA) is no
    floating-point unit and is charged as published, so the cost is a lower bound.
    """

    kind: Literal["float"] = "float"
    exp_operations: int = Field(default=10, ge=1, le=100)

    @property
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """One lane and one divider."""
        lane = DigitalCircuit(ComponentName.VECTOR_LANE, per_score=3 + self.exp_operations, built_size=1)
        return (lane, DigitalCircuit(ComponentName.DIVIDER))

    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> SoftmaxSignals:  # noqa: ARG002
        """exp(x - max) over its sum; no score saturates."""
        rows = np.where(alive, scores, -np.inf)
        largest = np.where(alive.any(axis=1), rows.max(axis=1), 0.0)[:, None]
        with np.errstate(over="ignore"):
            exponential = np.exp(rows - largest)
        total = exponential.sum(axis=1)
        probability = exponential / np.where(total > 0, total, 1.0)[:, None]
        return SoftmaxSignals(exponential, total, probability, {"score_saturation": 0})
