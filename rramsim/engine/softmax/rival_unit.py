"""What every digital softmax unit shares: checking scores, counting what was used, and the parts that it is made of.

Costs are counted in the components of the cost tables. Those of Aladdin are 32 bits wide: a narrower comparator or
adder counts as its width / 32 of one, a multiplier of a x b bits as a b / 1024, and a table of words as its bits in
registers (an upper bound of a ROM), read one word at a time. Sums are taken in 32 bits unless a format is published. A
divider is one of the table's whatever its width, and a shifter counts as a ``shift_add``. Buffers of a whole vector,
wiring, control and leakage are not counted; neither are they in the crossbar engine.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from rramsim.activity import Activity, Inventory, Result
from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource
from rramsim.spec import Spec

from .rival_arithmetic import Steps
from .scores import checked_scores, taking_part

__all__ = [
    "ACCUMULATOR",
    "TABLE_BITS",
    "CodedSoftmaxSpec",
    "DigitalSoftmaxSpec",
    "ProgrammedRival",
    "Unit",
    "logic",
    "multiplier",
    "register",
    "table",
]


TABLE_BITS = 32
"""Width of the comparator, adder and multiplier of the cost tables."""


@dataclass(frozen=True)
class Unit:
    """One kind of circuit in a digital softmax unit.

    Parameters
    ----------
    component
        Its name in the cost tables.
    share
        How many of the table's components one use of it takes: its width over that of the table's.
    per_score, per_vector
        Uses for each score that takes part, and for each vector of which any does.
    built
        How many of the table's components it is made of; None for ``share``. A table is larger than what is read of it.
    waits
        Whether its uses take their time one after the other; False for a register beside another circuit.
    """

    component: str
    share: float = 1.0
    per_score: float = 1.0
    per_vector: float = 0.0
    built: float | None = None
    waits: bool = True


class DigitalSoftmaxSpec(Spec):
    """Base of the digital softmax units: what is calculated, and of what circuits."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """Circuits of one unit."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Scores that are handled at once: so many copies of whatever is used for each score."""
        return 1

    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> Steps:
        """Softmax of (n_vectors, length) scores, of which ``alive`` take part; counts ``score_saturation``."""
        raise NotImplementedError

    def program(self, rng: RandomSource = 0) -> "ProgrammedRival":  # noqa: ARG002
        """The unit, ready for scores; nothing in it is left to chance."""
        return ProgrammedRival(self)


@dataclass(frozen=True)
class ProgrammedRival:
    """A digital softmax unit; call it on scores, or :meth:`apply` it for activity and errors as well.

    Parameters
    ----------
    spec
        What was asked.
    """

    spec: DigitalSoftmaxSpec

    def __call__(self, scores: ArrayLike, rng: RandomSource = 0, mask: ArrayLike | None = None) -> FloatArray:
        """Probabilities over the last axis, (..., length) to (..., length), float32 or float64 as the scores."""
        return self.apply(scores, rng, mask=mask).values

    def apply(
        self,
        scores: ArrayLike,
        rng: RandomSource = 0,  # noqa: ARG002
        probe: Probe = NULL_PROBE,
        mask: ArrayLike | None = None,
    ) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores, mask
            As for the crossbar engine; a score that takes no part gets the probability 0, also where none takes part.
        rng
            Unused: digital logic makes no noise.
        probe
            Receives ``score_code`` (signed, where scores have codes), ``exponential``, ``sum`` and ``probability``.
        """
        x, taken = checked_scores(scores, mask)
        rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
        alive = taking_part(x, taken).reshape(rows.shape)
        steps = self.spec.calculate(rows, alive, probe)
        if probe.active:
            probe.record("exponential", steps.exponential)
            probe.record("sum", steps.total)
            probe.record("probability", steps.probability)
        n_scores, n_vectors = int(alive.sum()), int(alive.any(axis=1).sum())
        uses = [
            ("", unit.component, unit.share * (unit.per_score * n_scores + unit.per_vector * n_vectors))
            for unit in self.spec.units
        ]
        values = steps.probability.reshape(x.shape).astype(x.dtype)
        return Result(values, Activity.from_rows(row for row in uses if row[2]), steps.errors)

    @property
    def write_errors(self) -> dict[str, int]:
        """None: nothing is written."""
        return {}

    @property
    def inventory(self) -> Inventory:
        """Parts of one unit."""
        copies = self.spec.width
        parts = [
            ("", unit.component, (unit.share if unit.built is None else unit.built) * (copies if unit.per_score else 1))
            for unit in self.spec.units
        ]
        return Inventory.from_rows(row for row in parts if row[2])

    def serial(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores; nothing is pipelined."""
        turns = ceil(length / self.spec.width)
        steps: dict[str, int] = {}
        for unit in self.spec.units:
            if unit.waits:
                uses = ceil(unit.per_score * turns + unit.per_vector)
                steps[unit.component] = steps.get(unit.component, 0) + uses
        return steps


class CodedSoftmaxSpec(DigitalSoftmaxSpec):
    """A unit whose scores are in a fixed-point format.

    Parameters
    ----------
    format
        Fixed-point format of the scores.
    """

    format: FixedPointSpec

    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> Steps:
        """Codes of the scores, then :meth:`integers`; scores out of range saturate and are counted."""
        half = 1 << (self.format.bits - 1)
        low, high = self.format.decode([0, 2 * half - 1])
        with np.errstate(over="ignore"):
            codes = self.format.encode(np.where(alive, scores, 0.0)) - half
        if probe.active:
            probe.record("score_code", codes.astype(np.int32))
        steps = self.integers(codes, alive)
        saturated = int((alive & ((scores < low) | (scores > high))).sum())
        return Steps(steps.exponential, steps.total, steps.probability, {"score_saturation": saturated, **steps.errors})

    def integers(self, codes: IntArray, alive: BoolArray) -> Steps:
        """Softmax of signed codes."""
        raise NotImplementedError

    @property
    def maximum_and_difference(self) -> tuple[Unit, ...]:
        """Comparator, register of the maximum, subtractor."""
        bits = self.format.bits
        return (logic("comparator", bits), register(bits), logic("adder", bits))


def logic(component: str, bits: int, per_score: float = 1, per_vector: float = 0) -> Unit:
    """A comparator or adder of so many bits."""
    return Unit(component, bits / TABLE_BITS, per_score, per_vector)


def multiplier(bits: int, other_bits: int, per_score: float = 1, per_vector: float = 0) -> Unit:
    """A multiplier of two widths."""
    return Unit("multiplier", bits * other_bits / TABLE_BITS**2, per_score, per_vector)


def register(bits: float) -> Unit:
    """A register that is read for each score, beside another circuit."""
    return Unit("register_bit", bits, waits=False)


def table(n_entries: int, bits: int, per_score: float = 1, per_vector: float = 0) -> Unit:
    """A look-up table of words."""
    return Unit("register_bit", bits, per_score, per_vector, built=n_entries * bits)


ACCUMULATOR = (Unit("adder"), Unit("register_bit", TABLE_BITS, waits=False))
"""The sum of a vector."""
