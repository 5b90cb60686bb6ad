"""What a study leaves in memory, before anything is written: what groups of datasets take their values from."""

from collections.abc import Sequence
from dataclasses import dataclass

from rramsim.cost.price import Price
from rramsim.model.deviation import Deviation

from .plan import Point
from .point import PointResult
from .spec import StudySpec
from .sweep import SoftmaxStudySpec, SweepPoint

__all__ = ["NetworkOutcome", "SweepOutcome"]


@dataclass(frozen=True)
class NetworkOutcome:
    """A network on every line of its table.

    Parameters
    ----------
    study
        What was asked.
    points, results
        Every chip, and what it did.
    priced
        The bill of the chip with all non-idealities.
    """

    study: StudySpec
    points: Sequence[Point]
    results: Sequence[PointResult]
    priced: Price


@dataclass(frozen=True)
class SweepOutcome:
    """Sweeps of the softmax engine.

    Parameters
    ----------
    study
        What was asked.
    points, results
        Every engine, and for each model how far its probabilities are from the exact ones.
    """

    study: SoftmaxStudySpec
    points: Sequence[SweepPoint]
    results: Sequence[Sequence[Deviation]]
