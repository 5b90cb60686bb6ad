"""Cells whose current is a polynomial of the voltage, with coefficients that depend on their state."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.cell.curves import Curve, CurveSpec, vanishes
from rramsim.errors import RangeError
from rramsim.kernels.circuit import CellTable
from rramsim.kernels.conduction import LAWS, polynomial_currents
from rramsim.spec import FieldError, Positive
from rramsim.units import curve_text

from .law import ConductionSpec

__all__ = ["PolynomialConductionSpec"]

_REFERENCE = "reference_siemens (or points), or one number for all cells"
_COEFFICIENTS = ("square_ampere_per_square_volt", "cube_ampere_per_cubic_volt")


class PolynomialConductionSpec(ConductionSpec):
    """The polynomial law: i = g v + a2 v^2 + a3 v^3 with a2 and a3 that depend on g.

    With a2 other than 0, the two polarities differ: in an array, v is the voltage from the word line to the bit line.

    Parameters
    ----------
    square_ampere_per_square_volt, cube_ampere_per_cubic_volt
        a2 and a3 of the polynomial law, ampere / volt^2 and ampere / volt^3: a number for all cells, or a curve of the
        conductance that says itself where x = 1 (reference_siemens) or consists of points. An open cell has neither.
    most_volt
        Largest voltage across the cell, either way, at which the law was fitted, volt. The polynomial law needs it,
        since a polynomial says nothing beyond its fit.
    series_ohm
        As of :class:`ConductionSpec`.

    Raises
    ------
    RangeError
        By its functions, for a voltage beyond ``most_volt``, or where a cell in series with a resistance conducts ever
        less as the voltage rises, so that its current is not one number.
    """

    law: Literal["polynomial"] = "polynomial"
    square_ampere_per_square_volt: Curve = 0.0
    cube_ampere_per_cubic_volt: Curve = 0.0
    most_volt: Positive

    @model_validator(mode="after")
    def _check(self) -> "PolynomialConductionSpec":
        given = [key for key in _COEFFICIENTS if not vanishes(getattr(self, key))]
        if not given:
            raise ValueError(f"the polynomial law needs {' or '.join(_COEFFICIENTS)}: with both 0 it is the linear law")
        for key in given:
            if problem := _no_reference(getattr(self, key)):
                raise FieldError(key, f"{problem}, and an I-V law knows no window; give a curve with {_REFERENCE}")
        return self

    @property
    def formula(self) -> str:
        """The law in letters."""
        return "i = g v + a2 v^2 + a3 v^3"

    def figures(self, g_max_siemens: float) -> list[str]:
        """What a2 and a3 are."""
        named = zip(("a2", "a3"), _COEFFICIENTS, ("A/V^2", "A/V^3"), strict=True)
        plain = self.model_dump(mode="json")
        return [f"{name} = {curve_text(plain[key], unit, g_max_siemens)}" for name, key, unit in named]

    def spice_current(self, across: str, siemens: float) -> str:
        """The current of a cell as an expression of ngspice.

        Of products, since circuit simulators do not agree on powers of negative numbers.
        """
        square, cube = (float(each) for each in self.coefficients(siemens))
        return f"{across}*({siemens!r}+{across}*({square!r}+{across}*({cube!r})))"

    def coefficients(self, g: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """a2, ampere / volt^2, and a3, ampere / volt^3, of cells of conductance g, siemens.

        Both are in the shape of g, and 0 where the cell is open.
        """
        cells = np.asarray(g, dtype=np.float64)
        square, cube = (np.where(cells > 0, _figure(getattr(self, key), cells), 0.0) for key in _COEFFICIENTS)
        return square, cube

    def rising_volt(self, g: ArrayLike) -> FloatArray:
        """Voltage, volt, up to which the current of a cell of conductance g, siemens, rises at either polarity.

        Infinite for a polynomial that never falls. A fit rises within its range; that of a cell far outside the
        conductances of the fit may not.
        """
        cells = np.asarray(g, dtype=np.float64)
        square, cube = self.coefficients(cells)
        # The root of g + 2 a2 v + 3 a3 v^2 that is the nearest to 0, without a difference of like numbers.
        under = square**2 - 3.0 * cube * cells
        beside = np.abs(square) + np.sqrt(np.maximum(under, 0.0))
        falls = (under >= 0.0) & (beside > 0.0)
        return np.asarray(np.divide(cells, beside, out=np.full(cells.shape, np.inf), where=falls))

    def cell_table(self, g: FloatArray, polarity: float = 1.0) -> CellTable:
        """Cells with this law as the solver of an array takes them."""
        square, cube = self.coefficients(g)
        return CellTable(g, LAWS.index(self.law), self.most_volt, self.series_ohm, polarity * square, cube)

    def _currents(self, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.series_ohm > 0.0:
            self._check_rising(g, v)
        current, slope = np.empty(g.size), np.empty(g.size)
        square, cube = self.coefficients(g)
        polynomial_currents(self.most_volt, self.series_ohm, g, square, cube, v, current, slope)
        return current, slope

    def _by_conductance_alone(self, g: FloatArray, v: FloatArray) -> FloatArray:
        square, cube = (_figure_derivative(getattr(self, key), g) for key in _COEFFICIENTS)
        return np.asarray(v * (1.0 + v * (square + v * cube)))

    def _check_rising(self, g: FloatArray, v: FloatArray) -> None:
        limit = self.rising_volt(g)
        falls = np.flatnonzero(np.abs(v) >= limit)
        if falls.size:
            k = falls[0]
            raise RangeError(
                f"ConductionSpec: a cell of {g[k]:.4g} S at {v[k]:g} V; allowed is less than {limit[k]:.4g} V, from "
                f"which on it conducts less and less by its polynomial, so that behind {self.series_ohm:g} ohm its "
                "current is not one number. Keep to the conductances at which the law was fitted, or give curves that "
                "are 0 elsewhere"
            )


def _no_reference(curve: Curve) -> str:
    """What about a curve needs the top of a window; nothing, where it says itself at which conductance x = 1."""
    if isinstance(curve, tuple):
        return "a list is a polynomial of x = g / g_max"
    if not isinstance(curve, CurveSpec):
        return ""
    if not curve.points and curve.reference_siemens is None:
        return "the curve does not say at which conductance x = 1"
    return "" if curve.above is None else _no_reference(curve.above)


def _figure(curve: Curve, g: FloatArray) -> FloatArray:
    """The figure at conductances g; a curve has a reference of its own."""
    if isinstance(curve, CurveSpec):
        return curve.at(g, 1.0)
    return np.full(g.shape, 0.0 if isinstance(curve, tuple) else curve)


def _figure_derivative(curve: Curve, g: FloatArray) -> FloatArray:
    return curve.derivative(g, 1.0) if isinstance(curve, CurveSpec) else np.zeros(g.shape)
