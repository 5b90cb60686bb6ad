"""Figures of a cell that depend on its conductance: a number, a polynomial, or a published curve."""

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Discriminator, Field, Tag, model_validator

from rramsim.arrays import FloatArray
from rramsim.spec import Positive, Spec

__all__ = ["Curve", "CurveSpec", "polynomial_of", "value_at", "vanishes"]


class CurveSpec(Spec):
    """A figure as a function of the conductance g: c0 + c1 u + c2 u^2 + ..., or points joined by straight lines.

    Parameters
    ----------
    coefficients
        c0, c1, ..., in the unit of the figure.
    variable
        What u is, with x = g / reference: ``"x"``; ``"ln"``: ln x; ``"log10"``; ``"decay"``: exp(-x); ``"power"``:
        x^exponent. A cell without conductance counts as 1e-12 of the reference in a logarithm or a negative power.
    exponent
        Exponent of ``variable = "power"``, which needs it.
    reference_siemens
        The conductance at which x = 1; without it, the top of the device's window.
    at_least, at_most
        Limits of the figure; without them there is none.
    above_siemens, above
        From this conductance on, another curve.
    points
        Instead of coefficients: pairs (siemens, figure) in ascending order; constant before the first and after the
        last.
    """

    coefficients: Annotated[tuple[float, ...], Field(strict=False, max_length=16)] = ()
    variable: Literal["x", "ln", "log10", "decay", "power"] = "x"
    exponent: float | None = None
    reference_siemens: Positive | None = None
    at_least: float | None = None
    at_most: float | None = None
    above_siemens: Positive | None = None
    above: "CurveSpec | None" = None
    points: Annotated[tuple[Annotated[tuple[float, float], Field(strict=False)], ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _check(self) -> "CurveSpec":
        if bool(self.points) == bool(self.coefficients):
            raise ValueError(
                "a curve has either coefficients or points (pairs of siemens and figure); give one of them"
            )
        if self.points:
            siemens = [point[0] for point in self.points]
            if siemens[0] < 0 or any(after <= before for before, after in pairwise(siemens)):
                raise ValueError("points: the conductances are at least 0 and rise from point to point")
            if self.variable != "x" or self.reference_siemens is not None:
                raise ValueError("variable and reference_siemens have no meaning in a curve that is given by points")
        if (self.exponent is not None) != (self.variable == "power"):
            raise ValueError("exponent belongs to variable = 'power', which needs it")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        if (self.above is None) != (self.above_siemens is None):
            raise ValueError("above_siemens is where the curve above begins: give both or neither")
        return self

    def at(self, g: FloatArray, g_max_siemens: float) -> FloatArray:
        """The figure at conductances g, siemens."""
        value = self._unlimited(g, g_max_siemens)
        if self.at_least is not None or self.at_most is not None:
            value = np.clip(value, self.at_least, self.at_most)
        if self.above is not None and self.above_siemens is not None:
            value = np.where(g >= self.above_siemens, self.above.at(g, g_max_siemens), value)
        return np.asarray(value, dtype=np.float64)

    def _unlimited(self, g: FloatArray, g_max_siemens: float) -> FloatArray:
        """The figure without its limits, and without the curve above."""
        if self.points:
            siemens, figures = zip(*self.points, strict=True)
            return np.asarray(np.interp(g, np.asarray(siemens), np.asarray(figures)))
        u = self._variable(g, g_max_siemens)
        return np.asarray(np.polynomial.polynomial.polyval(u, self.coefficients), dtype=np.float64)

    def derivative(self, g: FloatArray, g_max_siemens: float) -> FloatArray:
        """Slope of the figure, in its unit per siemens, at conductances g; 0 at a limit and before a first point.

        At a point it is the slope of the line that begins there.
        """
        if self.points:
            siemens, figures = np.asarray(self.points).T
            # No line before the first point, none after the last.
            rise = np.concatenate([[0.0], np.diff(figures) / np.diff(siemens), [0.0]])
            slope: FloatArray = rise[np.searchsorted(siemens, g, side="right")]
        else:
            by_u = np.polynomial.polynomial.polyder(self.coefficients)
            rise = np.polynomial.polynomial.polyval(self._variable(g, g_max_siemens), by_u)
            slope = np.asarray(rise * self._variable_derivative(g, g_max_siemens), dtype=np.float64)
        if self.at_least is not None or self.at_most is not None:
            alone = self._unlimited(g, g_max_siemens)
            slope = np.where(np.clip(alone, self.at_least, self.at_most) == alone, slope, 0.0)
        if self.above is not None and self.above_siemens is not None:
            slope = np.where(g >= self.above_siemens, self.above.derivative(g, g_max_siemens), slope)
        return slope

    def _variable_derivative(self, g: FloatArray, g_max_siemens: float) -> FloatArray:
        """du/dg, 1 / siemens; 0 where u has stopped at the 1e-12 of the reference."""
        reference = self.reference_siemens or g_max_siemens
        x = g / reference
        if self.variable == "x":
            return np.full(x.shape, 1.0 / reference)
        if self.variable == "decay":
            return np.asarray(-np.exp(-x) / reference)
        small = np.maximum(x, 1e-12)
        if self.variable == "power" and self.exponent is not None:
            by_x = self.exponent * small ** (self.exponent - 1.0)
            stopped = (x < 1e-12) & (self.exponent < 0)
        else:
            by_x = 1.0 / small if self.variable == "ln" else 1.0 / (small * np.log(10.0))
            stopped = x < 1e-12
        return np.asarray(np.where(stopped, 0.0, by_x / reference))

    def _variable(self, g: FloatArray, g_max_siemens: float) -> FloatArray:
        x = g / (self.reference_siemens or g_max_siemens)
        if self.variable == "x":
            return x
        if self.variable == "decay":
            return np.exp(-x)
        if self.variable == "power" and self.exponent is not None:
            return np.asarray((x if self.exponent >= 0 else np.maximum(x, 1e-12)) ** self.exponent)
        x = np.maximum(x, 1e-12)
        return np.log(x) if self.variable == "ln" else np.log10(x)


def _tag(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "curve" if isinstance(value, dict | CurveSpec) else "number"


Curve = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[tuple[float, ...], Field(strict=False, max_length=8), Tag("list")]
    | Annotated[CurveSpec, Tag("curve")],
    Discriminator(_tag),
]
"""A number; coefficients c0, c1, ... of a polynomial in x = g / g_max; or a :class:`CurveSpec`."""


def polynomial_of(curve: Curve, g_max_siemens: float) -> tuple[tuple[float, ...], float] | None:
    """Coefficients, and the conductance at which x = 1, of a curve that is a plain polynomial of x; else None.

    For spreads, which count as 0 below 0: ``at_least = 0`` is no limit here.
    """
    if isinstance(curve, float | int):
        return (float(curve),), g_max_siemens
    if isinstance(curve, tuple):
        return curve, g_max_siemens
    limited = curve.at_most is not None or (curve.at_least or 0.0) != 0.0
    if curve.points or curve.above or curve.variable != "x" or limited:
        return None
    return curve.coefficients, curve.reference_siemens or g_max_siemens


def vanishes(curve: Curve) -> bool:
    """Whether a curve is nothing at every conductance: all its numbers are 0, or its limits allow nothing else."""
    if isinstance(curve, CurveSpec):
        low, high = curve.at_least, curve.at_most
        numbers = (*curve.coefficients, *(value for _, value in curve.points))
        below = low == high == 0 or (not any(numbers) and (low or 0.0) <= 0 <= (high or 0.0))
        return below and (curve.above is None or vanishes(curve.above))
    return not (any(curve) if isinstance(curve, tuple) else curve)


def value_at(curve: Curve, g: ArrayLike, g_max_siemens: float) -> FloatArray:
    """The figure at conductances g, siemens, in the shape of g.

    Parameters
    ----------
    curve
        A number, polynomial coefficients, or a curve.
    g
        Conductances, siemens.
    g_max_siemens
        Top of the window, for a curve without a reference of its own.
    """
    cells = np.asarray(g, dtype=np.float64)
    if isinstance(curve, CurveSpec):
        return curve.at(cells, g_max_siemens)
    coefficients = curve if isinstance(curve, tuple) else (curve,)
    return np.polynomial.polynomial.polyval(cells / g_max_siemens, coefficients or (0.0,)) + np.zeros(cells.shape)
