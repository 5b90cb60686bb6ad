"""What every law of the spread has: spread from device to device, and from write to write."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray
from rramsim.cell.curves import Curve, value_at, vanishes
from rramsim.cell.normal import CHUNK, chunks, fill_normal
from rramsim.cell.part import DevicePart, Window, curve_words
from rramsim.errors import SpecError
from rramsim.kinds import KindSpec

__all__ = ["SpreadSpec"]


class SpreadSpec(KindSpec, DevicePart):
    """Spread: the error left in a cell after it was written. Each law is a class of its own.

    Parameters
    ----------
    law
        The law: how a standard normal number n moves a cell away from m, the target with its shift.
    shift_siemens
        Mean error, siemens, a number or a curve of the target.

    Notes
    -----
    A law serves two purposes: as ``DeviceSpec.programming`` n is drawn at every write (cycle to cycle), as
    ``DeviceSpec.device_to_device`` once for each cell.
    """

    discriminator: ClassVar[str] = "law"

    law: str
    shift_siemens: Curve = 0.0

    @property
    @abstractmethod
    def spreads(self) -> bool:
        """Whether cells stray from m at all."""

    @property
    @abstractmethod
    def formula(self) -> list[str]:
        """The law in letters, and behind it what they stand for, a line each: ``["uniform: g = m + w n"]``."""

    @abstractmethod
    def sigma(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        """Standard deviation, siemens, at each target.

        Parameters
        ----------
        g_target
            Targets, siemens.
        g_max_siemens
            Top of the window, for curves of the target.
        """

    @abstractmethod
    def spread(
        self, g: FloatArray, g_target: FloatArray, normal: NDArray[np.floating], g_max_siemens: float
    ) -> FloatArray:
        """Conductances with their spread, siemens; what comes out below 0 is taken to be 0.

        Parameters
        ----------
        g
            m, where the cells would end without it, siemens.
        g_target
            Targets, siemens: the state at which the spread is taken.
        normal
            A standard normal number for each cell.
        g_max_siemens
            Top of the window, for curves of the target.
        """

    def figures(self, window: Window) -> list[str]:  # noqa: ARG002
        """What the letters of the formula stand for, a line each."""
        return []

    @property
    def ideal(self) -> bool:
        """Whether every cell holds exactly its target."""
        return not self.spreads and vanishes(self.shift_siemens)

    def sample(
        self, g_target: FloatArray, g_max_siemens: float, rng: np.random.Generator, mean: FloatArray | None = None
    ) -> FloatArray:
        """Written conductances, siemens.

        Parameters
        ----------
        g_target
            Targets, siemens: the state at which spread and shift are taken.
        g_max_siemens
            Top of the window.
        rng
            Draws one standard normal number a cell.
        mean
            Where the cells would end without this spread; without it, the targets. Used up.

        Raises
        ------
        SpecError
            For a law that gives other than finite conductances, one for each cell.
        """
        target = np.ascontiguousarray(g_target).reshape(-1)
        g = target.copy() if mean is None else np.ascontiguousarray(mean).reshape(-1)
        if self.ideal:
            return g.reshape(g_target.shape)
        if not vanishes(self.shift_siemens):
            for piece in chunks(target.size):
                g[piece] = np.maximum(g[piece] + value_at(self.shift_siemens, target[piece], g_max_siemens), 0.0)
        if self.spreads:
            self._spread_all(target, g_max_siemens, rng, g)
        return g.reshape(g_target.shape)

    def _spread_all(self, target: FloatArray, g_max_siemens: float, rng: np.random.Generator, g: FloatArray) -> None:
        """Add the spread to conductances in place, piece by piece."""
        normal = np.empty(min(CHUNK, target.size), dtype=np.float32)
        for piece in chunks(target.size):
            n = normal[: piece.stop - piece.start]
            fill_normal(rng, n)
            spread = np.asarray(self.spread(g[piece], target[piece], n, g_max_siemens))
            if spread.shape != n.shape or not np.isfinite(spread).all():
                raise SpecError(
                    f"{type(self).__name__}.spread: gave {spread.dtype} of the shape {spread.shape} for {n.size} "
                    "cells; it gives one finite conductance for each, siemens"
                )
            g[piece] = np.maximum(spread, 0.0)

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of the law: its formula, its figures, and the shift."""
        if self.ideal:
            return []
        text = [*self.formula, *self.figures(window)]
        if not vanishes(self.shift_siemens):
            text.append(f"m = target + shift, shift = {curve_words(self.shift_siemens, 'S', window)}")
        return text
