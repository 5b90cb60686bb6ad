"""What every softmax unit offers, in crossbars or in digital logic, of rramsim or of another package."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.activity import Inventory, Result
from rramsim.kinds import KindSpec
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Seed

__all__ = ["ProgrammedSoftmaxUnit", "SoftmaxUnitSpec"]


class SoftmaxUnitSpec(KindSpec, ABC):
    """Base of all softmax units: attention, studies and prices ask for what stands here, and for nothing else.

    A unit with a field ``device`` or ``wires`` has the cells and lines of the study that it is used in.

    Attributes
    ----------
    device_errors
        What errs in it beside its number formats, as a line of a study's table says it; empty: nothing does.
    """

    device_errors: ClassVar[str] = ""

    @abstractmethod
    def program(self, *, rng: RandomSource = None) -> "ProgrammedSoftmaxUnit":
        """Write or build the unit.

        Parameters
        ----------
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the unit keeps as ``seed``.
        """

    @property
    @abstractmethod
    def inventory(self) -> Inventory:
        """Parts of one unit, by the names of the cost tables."""

    @abstractmethod
    def turns(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores."""

    @property
    def random(self) -> bool:
        """Whether two units, or two uses of one, differ."""
        return False

    @property
    def without_device_errors(self) -> Self:
        """The unit with its number formats alone: its cells, lines and amplifiers ideal."""
        return self

    @property
    def states(self) -> int:
        """How much work a unit is to build, in scores that it tells apart: studies begin with the largest."""
        return 1


class ProgrammedSoftmaxUnit(ABC):
    """Base of all softmax units that are ready for scores.

    Attributes
    ----------
    spec
        What was asked.
    seed
        What its writing drew from; None: nothing was drawn.
    """

    spec: SoftmaxUnitSpec
    seed: Seed | None

    def __call__(
        self, scores: ArrayLike, *, mask: ArrayLike | None = None, rng: RandomSource = None
    ) -> NDArray[np.floating]:
        """Probabilities over the last axis, (..., length) to (..., length), float32 or float64 as the scores."""
        return self.apply(scores, mask=mask, rng=rng).values

    @abstractmethod
    def apply(
        self,
        scores: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        probe: Probe = NULL_PROBE,
        rng: RandomSource = None,
    ) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores
            (..., length), of any length. Minus infinity takes no part.
        mask
            Which scores take part: bool, in any shape that is broadcast to that of the scores. The others have the
            probability 0; so has every score of a vector in which none takes part.
        probe
            Receives the inner signals.
        rng
            For noise: the same streams or seed give the same noise again; None: fresh noise, whose seed the result
            keeps.
        """

    def at(self, time_second: float) -> "ProgrammedSoftmaxUnit":
        """The unit with its cells ``time_second`` after they were written; a unit without cells is what it was."""
        del time_second
        return self

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        return {}

    @property
    def inventory(self) -> Inventory:
        """Parts of one unit."""
        return self.spec.inventory

    def turns(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores."""
        return self.spec.turns(length)
