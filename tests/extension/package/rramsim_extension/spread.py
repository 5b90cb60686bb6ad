"""A law of the spread with ends."""

from typing import Literal

import numpy as np
from pydantic import Field
from scipy.special import ndtr

import rramsim as rs


class UniformSpreadSpec(rs.SpreadSpec):
    """Cells anywhere between two ends, all alike likely: g = m + w (2 Phi(n) - 1).

    Parameters
    ----------
    law
        "uniform".
    half_width_siemens
        w, siemens.
    shift_siemens
        As of :class:`rramsim.SpreadSpec`.
    """

    law: Literal["uniform"] = "uniform"
    half_width_siemens: float = Field(default=0.0, ge=0)

    @property
    def spreads(self):
        return self.half_width_siemens > 0

    @property
    def formula(self):
        return ["uniform: g = m + w (2 Phi(n) - 1)", f"w = {1e6 * self.half_width_siemens:g} uS"]

    def sigma(self, g_target, g_max_siemens):
        return np.full(np.shape(g_target), self.half_width_siemens / np.sqrt(3))

    def spread(self, g, g_target, normal, g_max_siemens):
        return g + self.half_width_siemens * (2 * ndtr(normal.astype(np.float64)) - 1)
