"""An I-V law that saturates."""

import math
from typing import Literal

from pydantic import Field

import rramsim as rs


class TanhConductionSpec(rs.FormulaConductionSpec):
    """Cells whose current saturates: i = g V0 tanh(v / V0).

    Parameters
    ----------
    law
        "tanh".
    saturation_volt
        V0, volt: where the current begins to saturate.
    most_volt, series_ohm
        As of :class:`rramsim.ConductionSpec`.
    """

    law: Literal["tanh"] = "tanh"
    saturation_volt: float = Field(default=1.0, gt=0)

    @property
    def formula(self):
        return "i = g V0 tanh(v / V0)"

    def figures(self, g_max_siemens):
        return [f"V0 = {self.saturation_volt:g} V"]

    @property
    def parameters(self):
        return (self.saturation_volt,)

    @staticmethod
    def cell_current(volt, siemens, parameters):
        return siemens * parameters[0] * math.tanh(volt / parameters[0])

    @staticmethod
    def cell_slope(volt, siemens, parameters):
        return siemens / math.cosh(volt / parameters[0]) ** 2

    @staticmethod
    def cell_by_conductance(volt, siemens, parameters):
        return parameters[0] * math.tanh(volt / parameters[0])

    def spice_current(self, across, siemens):
        return f"{siemens * self.saturation_volt!r}*tanh({across}/{self.saturation_volt!r})"
