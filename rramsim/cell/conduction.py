"""How the current of a cell depends on the voltage across it."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.errors import RangeError
from rramsim.kernels.conduction import LAWS, cell_currents, polynomial_currents
from rramsim.spec import NonNegative, Positive, Spec
from rramsim.units import quantity

from .curves import Curve, CurveSpec, vanishes
from .part import Declaration, DevicePart, Effect, Window, curve_words

__all__ = ["ConductionSpec"]


_ROUNDING = 1e-9
"""Share by which a voltage may be above the largest one: more than rounding adds, less than any fit resolves."""
_REFERENCE = "reference_siemens (or points), or one number for all cells"
_POLYNOMIAL = ("square_ampere_per_square_volt", "cube_ampere_per_cubic_volt")


class ConductionSpec(Spec, DevicePart):
    """The I-V law of a cell; its conductance g is the slope at zero voltage, without the series resistance.

    Parameters
    ----------
    law
        The I-V law. linear: i = g v. sinh: i = g V0 sinh(v / V0). cubic: i = g (v + c v^3). polynomial: i = g v +
        a2 v^2 + a3 v^3 with a2 and a3 that depend on g; with a2 other than 0, the two polarities differ: in an array,
        v is the voltage from the word line to the bit line.
    sinh_volt
        V0 of the sinh law, volt, above 0: beyond that voltage the current grows exponentially.
    cubic_per_square_volt
        c of the cubic law, 1 / volt^2, above 0.
    square_ampere_per_square_volt, cube_ampere_per_cubic_volt
        a2 and a3 of the polynomial law, ampere / volt^2 and ampere / volt^3: a number for all cells, or a curve of the
        conductance that says itself where x = 1 (reference_siemens) or consists of points. An open cell has neither.
    most_volt
        Largest voltage across the cell, either way, at which the law was fitted, volt; where it is not given, any.
        The polynomial law needs it, since a polynomial says nothing beyond its fit.
    series_ohm
        Resistance in series with the cell, that of its access transistor; the laws hold for what is left of the
        voltage.

    Raises
    ------
    RangeError
        By its functions, for a voltage beyond ``most_volt``, or where a cell of the polynomial law in series with a
        resistance conducts ever less as the voltage rises, so that its current is not one number.
    """

    declared: ClassVar = Declaration("I-V", (Effect.CONDUCTION,))

    law: Literal["linear", "sinh", "cubic", "polynomial"] = "linear"
    sinh_volt: NonNegative = 0.0
    cubic_per_square_volt: NonNegative = 0.0
    square_ampere_per_square_volt: Curve = 0.0
    cube_ampere_per_cubic_volt: Curve = 0.0
    most_volt: Positive | None = None
    series_ohm: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "ConductionSpec":
        used = {"sinh": "sinh_volt", "cubic": "cubic_per_square_volt"}.get(self.law)
        for key in ("sinh_volt", "cubic_per_square_volt"):
            if (key == used) != (getattr(self, key) > 0):
                rule = "must be above 0: it is the curvature of" if key == used else "has no meaning in"
                raise ValueError(f"{key} {getattr(self, key):g} {rule} the {self.law} law")
        given = [key for key in _POLYNOMIAL if not vanishes(getattr(self, key))]
        if self.law != "polynomial":
            if given:
                raise ValueError(f"{given[0]} has no meaning in the {self.law} law; it belongs to law = 'polynomial'")
            return self
        if not given:
            raise ValueError(f"the polynomial law needs {' or '.join(_POLYNOMIAL)}: with both 0 it is the linear law")
        for key in given:
            if problem := _no_reference(getattr(self, key)):
                raise ValueError(f"{key}: {problem}, and an I-V law knows no window; give a curve with {_REFERENCE}")
        if self.most_volt is None:
            raise ValueError(
                "the polynomial law needs most_volt, the largest voltage of its fit: it says nothing of what is beyond"
            )
        return self

    def sentences(self, window: Window, *, given: bool) -> list[str]:
        """What the card says of it."""
        if self.law == "linear" and not self.series_ohm and not given:
            return []
        laws = {
            "linear": "i = g v",
            "sinh": f"i = g V0 sinh(v / V0), V0 = {quantity(self.sinh_volt, 'V')}",
            "cubic": f"i = g (v + c v^3), c = {self.cubic_per_square_volt:.6g} / V^2",
            "polynomial": "i = g v + a2 v^2 + a3 v^3",
        }
        text = [laws[self.law] + (f", fitted up to {quantity(self.most_volt, 'V')}" if self.most_volt else "")]
        if self.law == "polynomial":
            text.append(f"a2 = {curve_words(self.square_ampere_per_square_volt, 'A/V^2', window)}")
            text.append(f"a3 = {curve_words(self.cube_ampere_per_cubic_volt, 'A/V^3', window)}")
        if self.series_ohm:
            text.append(f"in series: {self.series_ohm:g} ohm, the access transistor")
        return text

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
        """The parameter of the law as the kernels take it: 1 / V0, or c, or the largest voltage of the polynomial."""
        if self.law == "polynomial" and self.most_volt is not None:
            return self.most_volt
        return 1.0 / self.sinh_volt if self.law == "sinh" else self.cubic_per_square_volt

    def coefficients(self, g: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """a2, ampere / volt^2, and a3, ampere / volt^3, of the polynomial law for cells of conductance g, siemens.

        Both are in the shape of g, and 0 where the cell is open and for other laws.
        """
        cells = np.asarray(g, dtype=np.float64)
        square, cube = (np.where(cells > 0, _figure(getattr(self, key), cells), 0.0) for key in _POLYNOMIAL)
        return square, cube

    def rising_volt(self, g: ArrayLike) -> FloatArray:
        """Voltage, volt, up to which the current of a cell of conductance g, siemens, rises at either polarity.

        Infinite for all laws but the polynomial, and for a polynomial that never falls. A fit rises within its
        range; that of a cell far outside the conductances of the fit may not.
        """
        cells = np.asarray(g, dtype=np.float64)
        square, cube = self.coefficients(cells)
        # The root of g + 2 a2 v + 3 a3 v^2 that is the nearest to 0, without a difference of like numbers.
        under = square**2 - 3.0 * cube * cells
        beside = np.abs(square) + np.sqrt(np.maximum(under, 0.0))
        falls = (under >= 0.0) & (beside > 0.0)
        return np.asarray(np.divide(cells, beside, out=np.full(cells.shape, np.inf), where=falls))

    def current(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Currents, ampere, of cells of conductance g (siemens) at voltages v (volt), broadcast together."""
        return self._evaluate(g, v)[0]

    def slope(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Derivatives of the currents by the voltage, siemens, of cells of conductance g (siemens) at v (volt)."""
        return self._evaluate(g, v)[1]

    def by_conductance(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Derivatives of the currents by the conductance g, volt: of all that depends on it."""
        current, slope = self._evaluate(g, v)
        # di/dg of the cell itself at the voltage that the series resistance leaves, weakened as the slope is.
        inner = np.asarray(v, dtype=np.float64) - self.series_ohm * current
        return self._by_conductance_alone(np.asarray(g, dtype=np.float64), inner) * (1.0 - self.series_ohm * slope)

    def check_volt(self, volt: float, what: str) -> None:
        """Refuse a voltage beyond those at which the law was fitted.

        Parameters
        ----------
        volt
            The largest voltage that a cell can see, volt.
        what
            Beginning of the message: which voltage it is.

        Raises
        ------
        RangeError
            Where it is above ``most_volt``.
        """
        if self.most_volt is not None and volt > self.most_volt * (1.0 + _ROUNDING):
            raise RangeError(
                f"{what} {volt:g} V; allowed are at most {self.most_volt:g} V (most_volt) either way, up to which the "
                f"{self.law} law of these cells was fitted"
            )

    def _by_conductance_alone(self, g: FloatArray, v: FloatArray) -> FloatArray:
        """Derivatives by the conductance, volt, without the series resistance."""
        if self.law != "polynomial":
            return self._by_kernel(np.ones(v.shape), v, series_ohm=0.0)[0]
        square, cube = (_figure_derivative(getattr(self, key), g) for key in _POLYNOMIAL)
        return np.asarray(v * (1.0 + v * (square + v * cube)))

    def _evaluate(self, g: ArrayLike, v: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Currents, ampere, and their slopes, siemens; refused where the law does not hold."""
        cells, volts = np.broadcast_arrays(np.asarray(g, dtype=np.float64), np.asarray(v, dtype=np.float64))
        if self.most_volt is not None:
            self.check_volt(float(np.abs(volts).max(initial=0.0)), "ConductionSpec: a voltage across a cell of")
        if self.law == "polynomial" and self.series_ohm > 0.0:
            self._check_rising(cells.ravel(), volts.ravel())
        return self._by_kernel(cells, volts, self.series_ohm)

    def _by_kernel(self, cells: FloatArray, volts: FloatArray, series_ohm: float) -> tuple[FloatArray, FloatArray]:
        """Currents and slopes of cells in series with a resistance, at voltages of the same shape."""
        current, slope = np.empty(cells.size), np.empty(cells.size)
        flat, across = np.ascontiguousarray(cells).ravel(), np.ascontiguousarray(volts).ravel()
        if self.law == "polynomial":
            square, cube = self.coefficients(flat)
            polynomial_currents(self.curvature, series_ohm, flat, square, cube, across, current, slope)
        else:
            cell_currents(self.kind, self.curvature, series_ohm, flat, across, current, slope)
        return current.reshape(cells.shape), slope.reshape(cells.shape)

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
