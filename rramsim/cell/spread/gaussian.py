"""Spread that does not depend on where a cell ends: g = m + sigma n."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.cell.curves import Curve, polynomial_of, value_at, vanishes
from rramsim.cell.normal import CHUNK, chunks, fill_normal
from rramsim.cell.part import Window, curve_words
from rramsim.kernels.spread import spread_cells

from .law import SpreadSpec

__all__ = ["GaussianSpreadSpec"]


class GaussianSpreadSpec(SpreadSpec):
    """The Gaussian law: g = m + sigma n, never below 0.

    Parameters
    ----------
    law
        ``"gaussian"``.
    spread_siemens
        sigma, siemens, a number or a curve of the target (a list c0, c1, ...: c0 + c1 x + c2 x^2 + ...,
        x = g_target / g_max). Where a curve is negative it counts as 0.
    shift_siemens
        As of :class:`SpreadSpec`.
    """

    law: Literal["gaussian"] = "gaussian"
    spread_siemens: Curve = ()

    @model_validator(mode="after")
    def _check(self) -> "GaussianSpreadSpec":
        if isinstance(self.spread_siemens, float) and self.spread_siemens < 0:
            raise ValueError(f"spread_siemens {self.spread_siemens:g} is at least 0: it is a standard deviation")
        return self

    @property
    def spreads(self) -> bool:
        """Whether sigma is anything."""
        return not vanishes(self.spread_siemens)

    @property
    def formula(self) -> list[str]:
        """The law in letters."""
        return ["Gaussian: g = m + sigma n, at least 0"]

    def figures(self, window: Window) -> list[str]:
        """What sigma is."""
        return [f"sigma = {curve_words(self.spread_siemens, 'S', window)}"]

    def sigma(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        """Standard deviation, siemens, at each target."""
        return np.maximum(value_at(self.spread_siemens, g_target, g_max_siemens), 0.0)

    def spread(
        self, g: FloatArray, g_target: FloatArray, normal: NDArray[np.floating], g_max_siemens: float
    ) -> FloatArray:
        """Conductances with their spread, siemens."""
        return g + self.sigma(g_target, g_max_siemens) * normal

    def _spread_all(self, target: FloatArray, g_max_siemens: float, rng: np.random.Generator, g: FloatArray) -> None:
        polynomial = polynomial_of(self.spread_siemens, g_max_siemens)
        if polynomial is None:
            super()._spread_all(target, g_max_siemens, rng, g)
            return
        coefficients, normal = np.asarray(polynomial[0]), np.empty(min(CHUNK, target.size), dtype=np.float32)
        for piece in chunks(target.size):
            n = normal[: piece.stop - piece.start]
            fill_normal(rng, n)
            spread_cells(target[piece], n, coefficients, polynomial[1], g[piece])
