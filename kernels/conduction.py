"""Currents of cells and their slopes: the I-V laws."""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel, part

__all__ = ["LAWS", "cell_currents"]

LAWS = ("linear", "sinh", "cubic")
"""The laws by number: i = g v; i = g sinh(c v) / c; i = g (v + c v^3)."""

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
def _one_cell(kind: int, c: float, g: float, v: float) -> tuple[float, float]:
    if kind == 1:
        return g * np.sinh(c * v) / c, g * np.cosh(c * v)
    if kind == 2:
        return g * (v + c * v * v * v), g * (1.0 + 3.0 * c * v * v)
    return g * v, g


@kernel
def cell_currents(kind: int, c: float, series_ohm: float, g: Array, v: Array, current: Array, slope: Array) -> None:
    """Currents and slopes of many cells, each with a resistor in series.

    Parameters
    ----------
    kind
        Index into :data:`LAWS`.
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
        if kind == 1 and c * largest <= _NEAR:
            _sinh_cells(c, g, v, current, slope)
        elif kind == 2:
            for k in range(n):
                w = c * v[k] * v[k]
                current[k] = g[k] * v[k] * (1.0 + w)
                slope[k] = g[k] * (1.0 + 3.0 * w)
        else:
            for k in range(n):
                current[k], slope[k] = _one_cell(kind, c, g[k], v[k])
        return
    for k in range(n):
        # Newton on inner + R f(inner) = v, from above the solution: there it cannot overshoot. No inner voltage is
        # above that of the linear cell, nor above that at which the resistor alone would take all of v.
        inner = v[k] / (1.0 + series_ohm * g[k])
        if kind == 1 and g[k] > 0.0:
            inner = np.copysign(min(abs(inner), np.arcsinh(c * abs(v[k]) / (series_ohm * g[k])) / c), inner)
        i, d = _one_cell(kind, c, g[k], inner)
        for _ in range(200):
            step = (inner + series_ohm * i - v[k]) / (1.0 + series_ohm * d)
            inner -= step
            i, d = _one_cell(kind, c, g[k], inner)
            if abs(step) <= 1e-16 * abs(v[k]):
                break
        current[k] = i
        slope[k] = d / (1.0 + series_ohm * d)
