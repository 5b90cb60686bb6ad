"""What all digital softmax units share: scores in, probabilities out, and the account of the circuits in between.

Sums are taken in 32 bits unless a format is published. Buffers of a whole vector, wiring, control and leakage are not
counted; neither are they in the crossbar engine.
"""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from rramsim.activity import Activity, Inventory, Result
from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.component_names import ComponentName
from rramsim.engine.softmax.circuits import DigitalCircuit, logic, register
from rramsim.engine.softmax.scores import checked_scores, taking_part
from rramsim.engine.softmax.unit import ProgrammedSoftmaxUnit, SoftmaxUnitSpec
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Seed

__all__ = ["CodedSoftmaxSpec", "DigitalSoftmaxSpec", "ProgrammedDigitalSoftmax", "SoftmaxSignals"]


@dataclass(frozen=True)
class SoftmaxSignals:
    """What a digital unit had in its registers, step by step.

    Parameters
    ----------
    exponential
        Unnormalised values as words, (n_vectors, length).
    total
        Sum of the exponentials as the unit found it, (n_vectors,).
    probability
        The results, (n_vectors, length).
    errors
        Errors of this unit alone, by name.
    """

    exponential: IntArray | FloatArray
    total: IntArray | FloatArray
    probability: FloatArray
    errors: dict[str, int] = field(default_factory=dict)


class DigitalSoftmaxSpec(SoftmaxUnitSpec):
    """Base of the digital softmax units: what is calculated, and of what circuits."""

    @property
    @abstractmethod
    def circuits(self) -> tuple[DigitalCircuit, ...]:
        """Circuits of one unit."""

    @property
    def scores_at_once(self) -> int:
        """Scores that are handled at once: so many copies of whatever is used for each score."""
        return 1

    @abstractmethod
    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> SoftmaxSignals:
        """Softmax of (n_vectors, length) scores, of which ``alive`` take part; counts ``score_saturation``."""

    def program(self, *, rng: RandomSource = None) -> "ProgrammedDigitalSoftmax":  # noqa: ARG002
        """The unit, ready for scores; nothing in it is left to chance."""
        return ProgrammedDigitalSoftmax(self)

    @property
    def inventory(self) -> Inventory:
        """Parts of one unit."""
        parts = []
        for circuit in self.circuits:
            size = circuit.size if circuit.built_size is None else circuit.built_size
            parts.append(("", circuit.component, size * (self.scores_at_once if circuit.per_score else 1)))
        return Inventory.from_rows(row for row in parts if row[2])

    def turns(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores; nothing is pipelined."""
        groups = ceil(length / self.scores_at_once)
        steps: dict[str, int] = {}
        for circuit in self.circuits:
            if circuit.sequential:
                uses = ceil(circuit.per_score * groups + circuit.per_vector)
                steps[circuit.component] = steps.get(circuit.component, 0) + uses
        return steps


@dataclass(frozen=True)
class ProgrammedDigitalSoftmax(ProgrammedSoftmaxUnit):
    """A digital softmax unit; call it on scores, or :meth:`apply` it for activity and errors as well.

    Parameters
    ----------
    spec
        What was asked.
    seed
        None: nothing in it is drawn.
    """

    spec: DigitalSoftmaxSpec
    seed: Seed | None = None

    def apply(
        self,
        scores: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        probe: Probe = NULL_PROBE,
        rng: RandomSource = None,  # noqa: ARG002
    ) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores, mask
            As for the crossbar engine; a score that takes no part gets the probability 0, also where none takes part.
        probe
            Receives ``score_code`` (signed, where scores have codes), ``exponential``, ``sum`` and ``probability``.
        rng
            Unused: digital logic makes no noise.
        """
        x, unmasked = checked_scores(scores, mask)
        rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
        alive = taking_part(x, unmasked).reshape(rows.shape)
        signals = self.spec.calculate(rows, alive, probe)
        if probe.active:
            probe.record("exponential", signals.exponential)
            probe.record("sum", signals.total)
            probe.record("probability", signals.probability)
        n_scores, n_vectors = int(alive.sum()), int(alive.any(axis=1).sum())
        uses = [
            ("", circuit.component, circuit.size * (circuit.per_score * n_scores + circuit.per_vector * n_vectors))
            for circuit in self.spec.circuits
        ]
        values = signals.probability.reshape(x.shape).astype(x.dtype)
        return Result(values, Activity.from_rows(row for row in uses if row[2]), signals.errors)


class CodedSoftmaxSpec(DigitalSoftmaxSpec):
    """A unit whose scores are in a fixed-point format.

    Parameters
    ----------
    format
        Fixed-point format of the scores.
    """

    format: FixedPointSpec

    def calculate(self, scores: FloatArray, alive: BoolArray, probe: Probe) -> SoftmaxSignals:
        """Codes of the scores, then :meth:`integers`; scores out of range saturate and are counted."""
        half = 1 << (self.format.bits - 1)
        low, high = self.format.decode([0, 2 * half - 1])
        with np.errstate(over="ignore"):
            codes = self.format.encode(np.where(alive, scores, 0.0)) - half
        if probe.active:
            probe.record("score_code", codes.astype(np.int32))
        signals = self.integers(codes, alive)
        saturated = int((alive & ((scores < low) | (scores > high))).sum())
        return replace(signals, errors={"score_saturation": saturated, **signals.errors})

    @abstractmethod
    def integers(self, codes: IntArray, alive: BoolArray) -> SoftmaxSignals:
        """Softmax of signed codes."""

    @property
    def maximum_and_difference(self) -> tuple[DigitalCircuit, ...]:
        """Comparator, register of the maximum, subtractor."""
        bits = self.format.bits
        return (logic(ComponentName.COMPARATOR, bits), register(bits), logic(ComponentName.ADDER, bits))
