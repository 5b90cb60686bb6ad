"""How the current of a cell depends on the voltage across it."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from rramsim.kernels.conduction import LAWS, cell_currents
from rramsim.spec import NonNegative, Spec

__all__ = ["ConductionSpec"]

Array = NDArray[np.float64]


class ConductionSpec(Spec):
    """The I-V law of a cell; its conductance is the slope at zero voltage, without the series resistance.

    Parameters
    ----------
    law
        linear: i = g v. sinh: i = g V0 sinh(v / V0). cubic: i = g (v + c v^3).
    sinh_volt
        V0 of the sinh law, volt: the voltage above which the current grows exponentially; above 0.
    cubic_per_square_volt
        c of the cubic law, 1 / volt^2.
    series_ohm
        Resistance in series with the cell, that of its access transistor; the laws hold for what is left of the
        voltage.
    """

    law: Literal["linear", "sinh", "cubic"] = "linear"
    sinh_volt: NonNegative = 0.0
    cubic_per_square_volt: NonNegative = 0.0
    series_ohm: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "ConductionSpec":
        used = {"sinh": "sinh_volt", "cubic": "cubic_per_square_volt"}.get(self.law)
        for key in ("sinh_volt", "cubic_per_square_volt"):
            if (key == used) != (getattr(self, key) > 0):
                rule = "must be above 0: it is the curvature of" if key == used else "has no meaning in"
                raise ValueError(f"{key} {getattr(self, key):g} {rule} the {self.law} law")
        return self

    @property
    def linear(self) -> bool:
        """Whether the current is proportional to the voltage."""
        return self.law == "linear"

    @property
    def kind(self) -> int:
        """The law as the kernels number it."""
        return int(LAWS.index(self.law))

    @property
    def curvature(self) -> float:
        """The parameter of the law as the kernels take it: 1 / V0, or c."""
        return 1.0 / self.sinh_volt if self.law == "sinh" else self.cubic_per_square_volt

    def current(self, g: ArrayLike, v: ArrayLike) -> Array:
        """Currents, ampere, of cells of conductance g (siemens) at voltages v (volt), broadcast together."""
        return self._evaluate(g, v)[0]

    def slope(self, g: ArrayLike, v: ArrayLike) -> Array:
        """Their derivative by the voltage, siemens."""
        return self._evaluate(g, v)[1]

    def by_conductance(self, g: ArrayLike, v: ArrayLike) -> Array:
        """Derivative of the current by the conductance g, volt."""
        current, slope = self._evaluate(g, v)
        # di/dg of the cell itself at the voltage that the series resistance leaves, weakened as the slope is.
        inner = np.asarray(v, dtype=np.float64) - self.series_ohm * current
        return self.model_copy(update={"series_ohm": 0.0}).current(1.0, inner) * (1.0 - self.series_ohm * slope)

    def _evaluate(self, g: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
        cells, volts = np.broadcast_arrays(np.asarray(g, dtype=np.float64), np.asarray(v, dtype=np.float64))
        current, slope = np.empty(cells.size), np.empty(cells.size)
        cell_currents(
            self.kind,
            self.curvature,
            self.series_ohm,
            np.ascontiguousarray(cells).ravel(),
            np.ascontiguousarray(volts).ravel(),
            current,
            slope,
        )
        return current.reshape(cells.shape), slope.reshape(cells.shape)
