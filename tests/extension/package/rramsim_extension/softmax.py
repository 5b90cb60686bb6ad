"""A softmax unit without exponentials."""

from typing import Literal

import numpy as np

import rramsim as rs
from rramsim.engine.softmax.scores import checked_scores, taking_part
from rramsim.probe import NULL_PROBE


class QuadraticSoftmaxSpec(rs.SoftmaxUnitSpec):
    """Exponentials by (1 + x / 2^n)^(2^n), below the maximum, in so many squarings.

    Parameters
    ----------
    kind
        "quadratic".
    squarings
        n.
    """

    kind: Literal["quadratic"] = "quadratic"
    squarings: int = 8

    @property
    def inventory(self):
        return rs.Inventory({"comparator": 1, "adder": 2, "multiplier": self.squarings, "divider": 1})

    def turns(self, length):
        return {"comparator": length, "adder": 2 * length, "multiplier": self.squarings * length, "divider": length}

    def program(self, *, rng=None):
        return QuadraticSoftmax(self)


class QuadraticSoftmax(rs.ProgrammedSoftmaxUnit):
    """The unit, ready for scores."""

    seed = None

    def __init__(self, spec):
        self.spec = spec

    def apply(self, scores, *, mask=None, probe=NULL_PROBE, rng=None):
        x, unmasked = checked_scores(scores, mask)
        alive = taking_part(x, unmasked)
        top = np.where(alive, x, -np.inf).max(axis=-1, keepdims=True)
        below = np.where(alive, x - np.where(np.isfinite(top), top, 0), 0)
        power = np.maximum(1 + below / 2**self.spec.squarings, 0) ** (2**self.spec.squarings)
        exponential = np.where(alive, power, 0)
        total = exponential.sum(axis=-1, keepdims=True)
        probe.record("exponential", exponential)
        n = float(alive.sum())
        uses = {"comparator": n, "adder": 2 * n, "multiplier": self.spec.squarings * n, "divider": n}
        return rs.Result(exponential / np.where(total > 0, total, 1), rs.Activity(uses))
