"""Stuck cells, with explicit polarity."""

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from rramsim.spec import Fraction, Spec

__all__ = ["StuckSpec"]


class StuckSpec(Spec):
    """Cells that cannot be written; each cell is hit independently.

    Parameters
    ----------
    on_fraction
        Share of cells stuck at the highest conductance (low-resistance state).
    off_fraction
        Share of cells stuck at the lowest conductance (high-resistance state).

    Notes
    -----
    Papers disagree on which of the two "SA0" and "SA1" mean, so neither name is used.
    """

    on_fraction: Fraction = 0.0
    off_fraction: Fraction = 0.0

    @model_validator(mode="after")
    def _check(self) -> "StuckSpec":
        if self.on_fraction + self.off_fraction > 1:
            raise ValueError(
                f"on_fraction + off_fraction is {self.on_fraction + self.off_fraction:g}; a cell is stuck at one state "
                "only, so together they are at most 1"
            )
        return self

    @property
    def ideal(self) -> bool:
        """Whether every cell can be written."""
        return not (self.on_fraction or self.off_fraction)

    def apply(
        self,
        g: NDArray[np.float64],
        g_min_siemens: float,
        g_max_siemens: float,
        cells: tuple[int, ...],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """The conductances ``g`` (siemens) with the stuck cells at their state; ``cells`` are its last axes."""
        if self.ideal:
            return g
        uniform = rng.random(cells)
        stuck_on = uniform < self.on_fraction
        stuck_off = uniform >= 1.0 - self.off_fraction
        return np.where(stuck_on, g_max_siemens, np.where(stuck_off, g_min_siemens, g))
