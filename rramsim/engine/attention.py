"""Attention in crossbars: Q K^T, softmax and P V, with keys and values written anew for every input."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from scipy.special import softmax as float_softmax

from rramsim.activity import Result
from rramsim.arrays import FloatArray
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Seed, Streams, as_streams
from rramsim.spec import Spec

from .macro.design import MacroRanges
from .macro.programming import MacroSpec
from .softmax.kinds import SoftmaxUnit
from .softmax.scores import checked_scores, taking_part
from .softmax.unit import ProgrammedSoftmaxUnit

__all__ = ["AttentionRanges", "AttentionResult", "AttentionSpec", "ProgrammedAttention"]


class AttentionRanges(NamedTuple):
    """Full scales of the arrays that hold the keys, and of those that hold the values."""

    keys: MacroRanges = MacroRanges()
    values: MacroRanges = MacroRanges(inputs=1.0)


@dataclass(frozen=True)
class AttentionResult(Result):
    """A result with the attention probabilities (batch, heads, length, length)."""

    probabilities: FloatArray = field(kw_only=True)


class AttentionSpec(Spec):
    """One attention layer.

    Parameters
    ----------
    macro
        The arrays that hold the keys (as K^T: d_head x length, one matrix per head and input) and the values
        (length x d_head). The probabilities drive the latter with unsigned inputs.
    softmax
        The unit between them, of any kind, shared by the heads; None computes the softmax in floating point.
    """

    macro: MacroSpec = Field(default_factory=MacroSpec)
    softmax: SoftmaxUnit | None = None

    @property
    def key_macro(self) -> MacroSpec:
        """The macro that multiplies by the keys: written for every input, its cells are read at once."""
        return self.macro.but({"device": self.macro.device.just_written})

    @property
    def value_macro(self) -> MacroSpec:
        """The macro that multiplies by the values, written likewise: probabilities are never negative."""
        return self.key_macro.but({"signed_inputs": False})

    def program(self, ranges: AttentionRanges | None = None, *, rng: RandomSource = None) -> "ProgrammedAttention":
        """Write what does not depend on the input: the softmax engine.

        Parameters
        ----------
        ranges
            Full scales of the arrays that hold keys and values.
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the layer keeps as ``seed``.
        """
        streams = as_streams(rng)
        engine = self.softmax.program(rng=streams.child("softmax")) if self.softmax else None
        return ProgrammedAttention(
            self, engine, ranges or AttentionRanges(), streams.child("operands"), streams.repeated_by
        )

    def calibrate(
        self, query: FloatArray, key: FloatArray, value: FloatArray, probabilities: FloatArray
    ) -> AttentionRanges:
        """Full scales from representative data, all (..., length, d_head) but the probabilities."""
        keys = self.macro.calibrate(np.swapaxes(key, -1, -2), query)
        values = self.value_macro.calibrate(value, probabilities)
        return AttentionRanges(keys, values._replace(inputs=1.0))


@dataclass(frozen=True)
class ProgrammedAttention:
    """An attention layer that is ready for inputs.

    Parameters
    ----------
    spec
        What was asked.
    softmax
        The written engine, or None for floating point.
    ranges
        Full scales in force.
    cells
        Streams of the arrays that hold keys and values: one for each head, written anew for every input, so that their
        stuck cells stay where they are.
    seed
        What its writing drew from: as ``rng`` it gives this layer again.
    """

    spec: AttentionSpec
    softmax: ProgrammedSoftmaxUnit | None
    ranges: AttentionRanges
    cells: Streams
    seed: Seed | None = None

    def at(self, time_second: float) -> "ProgrammedAttention":
        """The layer with the cells of its softmax ``time_second`` after they were written; keys and values are new."""
        return replace(self, softmax=self.softmax.at(time_second) if self.softmax else None)

    def apply(
        self,
        query: FloatArray,
        key: FloatArray,
        value: FloatArray,
        *,
        mask: ArrayLike | None = None,
        probe: Probe = NULL_PROBE,
        rng: RandomSource = None,
    ) -> AttentionResult:
        """Context vectors (batch, heads, length, d_head).

        Parameters
        ----------
        query, key, value
            (batch, heads, length, d_head); the query already divided by sqrt(d_head).
        mask
            Which keys each query attends to: bool, in any shape that is broadcast to (batch, heads, length, length),
            such as a lower triangle for causal attention. The others have the probability 0, and so has every key of a
            query that attends to none.
        probe
            Receives the signals of the three steps below ``scores``, ``softmax`` and ``mix``.
        rng
            For the errors of writing keys and values, and for read noise; None: fresh entropy, whose seed the result
            keeps.
        """
        streams = as_streams(rng)
        keys = self.spec.key_macro.program(
            np.swapaxes(key, -1, -2), self.ranges.keys, cell_rng=self.cells.child("keys"), rng=streams.child("keys")
        )
        scores = keys.apply(query, probe=probe.within("scores"), rng=streams.child("scores"))
        activity = keys.write_activity.within("attention write") + scores.activity.within("attention scores")
        errors = Counter(scores.errors)
        errors.update(keys.write_errors)
        if self.softmax is None:
            probabilities = _float_softmax(scores.values, mask)
        else:
            soft = self.softmax.apply(
                scores.values, mask=mask, probe=probe.within("softmax"), rng=streams.child("softmax")
            )
            probabilities = soft.values
            activity += soft.activity.within("softmax")
            errors.update(soft.errors)
        values = self.spec.value_macro.program(
            value, self.ranges.values, cell_rng=self.cells.child("values"), rng=streams.child("values")
        )
        mixed = values.apply(probabilities, probe=probe.within("mix"), rng=streams.child("mix"))
        activity += values.write_activity.within("attention write") + mixed.activity.within("attention mix")
        errors.update(values.write_errors)
        errors.update(mixed.errors)
        return AttentionResult(mixed.values, activity, dict(errors), streams.repeated_by, probabilities=probabilities)


def _float_softmax(scores: FloatArray, mask: ArrayLike | None) -> FloatArray:
    x, attended = checked_scores(scores, mask)
    alive = taking_part(x, attended)
    # A query that attends to nothing has no maximum to be taken off.
    some = alive.any(axis=-1, keepdims=True)
    return np.where(some, float_softmax(np.where(alive | ~some, x, -np.inf), axis=-1), 0.0)
