"""Spread in proportion to where a cell ends: g = m exp(s n)."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.cell.curves import Curve, value_at, vanishes
from rramsim.cell.part import Window, curve_words

from .law import SpreadSpec

__all__ = ["LognormalSpreadSpec"]


class LognormalSpreadSpec(SpreadSpec):
    """The lognormal law: g = m exp(s n), whose median is m.

    Parameters
    ----------
    law
        ``"lognormal"``.
    spread_log
        The standard deviation s of ln g, a number or a curve of the target; at least 0.
    shift_siemens
        As of :class:`SpreadSpec`.
    """

    law: Literal["lognormal"] = "lognormal"
    spread_log: Curve = 0.0

    @model_validator(mode="after")
    def _check(self) -> "LognormalSpreadSpec":
        if isinstance(self.spread_log, float) and self.spread_log < 0:
            raise ValueError(f"spread_log {self.spread_log:g} is at least 0: it is a standard deviation")
        return self

    @property
    def spreads(self) -> bool:
        """Whether s is anything."""
        return not vanishes(self.spread_log)

    @property
    def formula(self) -> list[str]:
        """The law in letters."""
        return ["lognormal: g = m exp(s n)"]

    def figures(self, window: Window) -> list[str]:
        """What s is."""
        return [f"s = {curve_words(self.spread_log, '', window)}"]

    def _log(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        return np.maximum(value_at(self.spread_log, g_target, g_max_siemens), 0.0)

    def sigma(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        """Standard deviation of the logarithm at each target, times the target, siemens."""
        return g_target * self._log(g_target, g_max_siemens)

    def spread(
        self, g: FloatArray, g_target: FloatArray, normal: NDArray[np.floating], g_max_siemens: float
    ) -> FloatArray:
        """Conductances with their spread, siemens."""
        return np.asarray(g * np.exp(self._log(g_target, g_max_siemens) * normal))
