"""When each vector is in each stage of a pipeline, at the grain of vectors or of whole operands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError

__all__ = ["Grain", "Schedule", "Stage", "schedule"]

Grain = Literal["vector", "operand"]
_GRAINS = ("vector", "operand")


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline; it handles one vector at a time.

    Parameters
    ----------
    name
        What the stage does.
    second_per_vector
        Time for one vector, seconds, at least 0.
    setup_second
        Time before the first vector of every inference, seconds, at least 0: for example the writing of an operand
        that depends on the input.
    waits_for_all
        Whether the setup starts only after the last vector of the stage before, whatever the grain: attention scores
        need all keys.

    Raises
    ------
    SpecError
        For a time that is negative or not finite.
    """

    name: str
    second_per_vector: float
    setup_second: float = 0.0
    waits_for_all: bool = False

    def __post_init__(self) -> None:
        for field in ("second_per_vector", "setup_second"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value >= 0):
                raise SpecError(f"stage {self.name!r}: {field} is a time of at least 0 s; got {value!r}")


@dataclass(frozen=True, eq=False)
class Schedule:
    """One inference in a pipeline.

    Parameters
    ----------
    stages
        The stages, in order.
    grain
        ``"vector"`` or ``"operand"``.
    start_second, finish_second
        When each stage starts and finishes each vector, seconds after the inference began; shape (n_stages, n_vectors).
    """

    stages: tuple[Stage, ...]
    grain: Grain
    start_second: FloatArray
    finish_second: FloatArray

    @property
    def latency_second(self) -> float:
        """Time from the first vector's arrival to the last vector's leaving, seconds."""
        return float(self.finish_second[-1, -1])

    @property
    def busy_second(self) -> FloatArray:
        """Time that each stage works during one inference, its setup included, seconds, shape (n_stages,)."""
        n_vectors = self.start_second.shape[1]
        return np.array([stage.setup_second + n_vectors * stage.second_per_vector for stage in self.stages])

    @property
    def interval_second(self) -> float:
        """Time per inference when inferences follow one another without a gap: that of the busiest stage, seconds."""
        return float(self.busy_second.max())

    @property
    def utilisation(self) -> FloatArray:
        """Fraction of the latency of one inference during which each stage works, shape (n_stages,), 0 to 1."""
        return self.busy_second / self.latency_second

    @property
    def stall_second(self) -> FloatArray:
        """Time that each stage, once begun, waits for vectors of the stage before, seconds, shape (n_stages,)."""
        setup = np.array([stage.setup_second for stage in self.stages])
        occupied = self.finish_second[:, -1] - (self.start_second[:, 0] - setup)
        # A sum of n times and n times the sum differ in the last digits; a wait is never negative.
        stall: FloatArray = np.maximum(occupied - self.busy_second, 0.0)
        return stall


def schedule(stages: Sequence[Stage], n_vectors: int, grain: Grain) -> Schedule:
    """Send the vectors of one inference through a pipeline.

    Parameters
    ----------
    stages
        At least one stage, in order; together they take some time.
    n_vectors
        Vectors of one inference (tokens of the sequence), at least 1.
    grain
        ``"vector"``: a vector goes to the next stage as soon as it leaves the one before. ``"operand"``: every stage
        waits for the whole matrix of the stage before.

    Raises
    ------
    SpecError
        For no stage, no vector, an unknown grain, or stages that take no time at all.

    Notes
    -----
    With t the time per vector of stage s, and f(s, v) the time at which it finishes vector v,

    - f(s, v) = max(f(s-1, v), f(s, v-1)) + t at the grain of vectors,
    - f(s, 0) = ready(s) + setup(s) + t, where ready(s) is f(s-1, 0), or f(s-1, last) if the stage waits for all,
    - at the grain of operands every stage waits for all.

    All vectors are there at time 0, and the buffers between stages are never full. The grain of vectors is that of
    STAR (arXiv 2401.17582), the grain of operands that of PipeLayer (L. Song et al., HPCA 2017).
    """
    if not stages:
        raise SpecError("a schedule needs at least one stage; got none")
    if n_vectors < 1:
        raise SpecError(f"a schedule needs at least one vector; got n_vectors {n_vectors!r}")
    if grain not in _GRAINS:
        raise SpecError(f"unknown grain {grain!r}; allowed are {', '.join(_GRAINS)}")
    start = np.empty((len(stages), n_vectors))
    finish = np.empty((len(stages), n_vectors))
    arrivals = [0.0] * n_vectors
    for s, stage in enumerate(stages):
        waits = stage.waits_for_all or grain == "operand"
        free = (arrivals[-1] if waits else arrivals[0]) + stage.setup_second
        for v, arrival in enumerate(arrivals):
            start[s, v] = max(arrival, free)
            free = finish[s, v] = start[s, v] + stage.second_per_vector
        arrivals = finish[s].tolist()
    pipeline = Schedule(tuple(stages), grain, start, finish)
    if not pipeline.latency_second > 0:
        raise SpecError("a schedule needs a stage that takes time; all of them take 0 s")
    return pipeline
