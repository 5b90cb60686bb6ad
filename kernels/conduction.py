"""Currents of cells and their slopes: the I-V laws."""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel, part

__all__ = [
    "CUBIC",
    "FORMULA",
    "LAWS",
    "LINEAR",
    "POLYNOMIAL",
    "SINH",
    "cell_currents",
    "polynomial_currents",
    "smallest",
]

LAWS = ("linear", "sinh", "cubic", "polynomial", "formula")
"""The laws by number: i = g v; i = g sinh(c v) / c; i = g (v + c v^3); i = g v + p v^2 + q v^3; any.

Of the polynomial, every cell has its p and q. Any law is a function: see :mod:`rramsim.kernels.formula`.
"""
LINEAR, SINH, CUBIC, POLYNOMIAL, FORMULA = range(len(LAWS))

_NEAR = 4.0
"""Arguments up to this take the polynomial, which the vector unit can do; larger ones the library function."""

Array = NDArray[np.float64]


@part
def _sinh_cells(c: float, g: Array, v: Array, current: Array, slope: Array) -> None:
    """Sinh and cosh by their series at x / 8 and three doublings, without a branch: |x| <= 4, to rounding."""
    for k in range(g.size):
        y = 0.125 * c * v[k]
        q = y * y
        s = q * (1 / 39916800.0 + q * (1 / 6227020800.0))
        s = y * (1.0 + q * (1 / 6.0 + q * (1 / 120.0 + q * (1 / 5040.0 + q * (1 / 362880.0 + s)))))
        # cosh - 1, which doubles without cancellation: cosh 2x - 1 = 2 sinh^2 x.
        h = q * (1 / 479001600.0 + q * (1 / 87178291200.0))
        h = q * (0.5 + q * (1 / 24.0 + q * (1 / 720.0 + q * (1 / 40320.0 + q * (1 / 3628800.0 + h)))))
        s, h = 2.0 * s * (1.0 + h), 2.0 * s * s
        s, h = 2.0 * s * (1.0 + h), 2.0 * s * s
        s, h = 2.0 * s * (1.0 + h), 2.0 * s * s
        current[k] = g[k] * s / c
        slope[k] = g[k] * (1.0 + h)


@part
def _one_cell(law: int, c: float, g: float, v: float) -> tuple[float, float]:
    if law == SINH:
        return g * np.sinh(c * v) / c, g * np.cosh(c * v)
    if law == CUBIC:
        return g * (v + c * v * v * v), g * (1.0 + 3.0 * c * v * v)
    return g * v, g


@kernel
def cell_currents(law: int, c: float, series_ohm: float, g: Array, v: Array, current: Array, slope: Array) -> None:
    """Currents and slopes of many cells, each with a resistor in series.

    Parameters
    ----------
    law
        Index into :data:`LAWS`: linear, sinh or cubic.
    c
        Curvature of the law, 1 / volt for sinh and 1 / volt^2 for cubic.
    series_ohm
        Resistance in series; the law holds for what it leaves of the voltage.
    g, v
        (n,) siemens and volt, float64, C-contiguous.
    current, slope
        Out: (n,) ampere, and siemens.
    """
    n = g.size
    if series_ohm == 0.0:
        largest = 0.0
        for k in range(n):
            largest = max(largest, abs(v[k]))
        if law == SINH and c * largest <= _NEAR:
            _sinh_cells(c, g, v, current, slope)
        elif law == CUBIC:
            for k in range(n):
                w = c * v[k] * v[k]
                current[k] = g[k] * v[k] * (1.0 + w)
                slope[k] = g[k] * (1.0 + 3.0 * w)
        else:
            for k in range(n):
                current[k], slope[k] = _one_cell(law, c, g[k], v[k])
        return
    for k in range(n):
        # Newton on inner + R f(inner) = v, from above the solution: there it cannot overshoot. No inner voltage is
        # above that of the linear cell, nor above that at which the resistor alone would take all of v.
        inner = v[k] / (1.0 + series_ohm * g[k])
        if law == SINH and g[k] > 0.0:
            inner = np.copysign(min(abs(inner), np.arcsinh(c * abs(v[k]) / (series_ohm * g[k])) / c), inner)
        i, d = _one_cell(law, c, g[k], inner)
        for _ in range(200):
            step = (inner + series_ohm * i - v[k]) / (1.0 + series_ohm * d)
            inner -= step
            i, d = _one_cell(law, c, g[k], inner)
            if abs(step) <= 1e-12 * abs(inner):  # the step after it would be one of rounding
                break
        current[k] = i
        slope[k] = d / (1.0 + series_ohm * d)


@part
def _polynomial_cell(reach: float, g: float, p: float, q: float, v: float) -> tuple[float, float]:
    """Current and slope; beyond ``reach`` those of the tangent."""
    u = min(max(v, -reach), reach)
    slope = g + u * (2.0 * p + 3.0 * q * u)
    return u * (g + u * (p + u * q)) + slope * (v - u), slope


@kernel
def polynomial_currents(
    reach: float,
    series_ohm: float,
    g: Array,
    square: Array,
    cube: Array,
    v: Array,
    current: Array,
    slope: Array,
) -> None:
    """Currents and slopes of many cells of the polynomial law i = g v + p v^2 + q v^3, each with a resistor in series.

    Parameters
    ----------
    reach
        Volt, at least 0: beyond it, on either side, the law goes on along its tangent.
    series_ohm
        Resistance in series; the law holds for what it leaves of the voltage, and must then rise up to ``reach``.
    g, square, cube, v
        (n,) siemens, p in ampere / volt^2, q in ampere / volt^3, and volt, float64, C-contiguous.
    current, slope
        Out: (n,) ampere, and siemens.
    """
    n = g.size
    if series_ohm == 0.0:
        for k in range(n):
            u = min(max(v[k], -reach), reach)
            d = g[k] + u * (2.0 * square[k] + 3.0 * cube[k] * u)
            current[k] = u * (g[k] + u * (square[k] + u * cube[k])) + d * (v[k] - u)
            slope[k] = d
        return
    for k in range(n):
        # Newton on inner + R f(inner) = v, which may bend either way: a step that leaves the interval of the solution
        # is replaced by half of the interval.
        low, high = min(v[k], 0.0), max(v[k], 0.0)
        inner = v[k] / (1.0 + series_ohm * g[k])
        i, d = _polynomial_cell(reach, g[k], square[k], cube[k], inner)
        for _ in range(200):
            rest = inner + series_ohm * i - v[k]
            if rest > 0.0:
                high = inner
            else:
                low = inner
            after = inner - rest / (1.0 + series_ohm * d)
            if not low <= after <= high:
                after = 0.5 * (low + high)
            step, inner = after - inner, after
            i, d = _polynomial_cell(reach, g[k], square[k], cube[k], inner)
            # The last step is done; what it leaves is its square.
            if abs(step) <= 1e-12 * abs(inner):
                break
        current[k] = i
        slope[k] = d / (1.0 + series_ohm * d)


def smallest() -> None:
    """Run every kernel once, on one cell."""
    cell, out = np.ones(1), (np.empty(1), np.empty(1))
    for law in (LINEAR, SINH, CUBIC):
        cell_currents(law, 1.0, 0.0, cell, cell, *out)
    polynomial_currents(1.0, 0.0, cell, cell, cell, cell, *out)
