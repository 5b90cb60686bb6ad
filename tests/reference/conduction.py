"""I-V laws in extended precision; behind a resistor, by halving the interval that holds the voltage of the cell."""

import numpy as np

__all__ = ["cell_currents", "polynomial_currents", "polynomial_of"]


def law_of(kind, c, g, u):
    """Currents and slopes of the laws linear, sinh and cubic, by number."""
    if kind == 1:
        return g * np.sinh(c * u) / c, g * np.cosh(c * u)
    if kind == 2:
        return g * (u + c * u**3), g * (1 + 3 * c * u**2)
    return g * u, g * np.ones_like(u)


def cell_currents(kind, c, series_ohm, g, v):
    """Currents and slopes (n,) of cells in series with a resistor."""
    g, v, c, ohm = (np.asarray(x, dtype=np.longdouble) for x in (g, v, c, series_ohm))
    low, high = np.minimum(v, 0), np.maximum(v, 0)
    for _ in range(80 if ohm else 0):
        middle = (low + high) / 2
        above = middle + ohm * law_of(kind, c, g, middle)[0] > v
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    inner = (low + high) / 2 if ohm else v
    current, slope = law_of(kind, c, g, inner)
    return current, slope / (1 + ohm * slope)


def polynomial_of(reach, g, square, cube, u):
    """Current, slope and integral of g u + square u^2 + cube u^3; beyond ``reach`` of its tangent there."""
    c = np.clip(u, -reach, reach)
    beyond = u - c
    current = g * c + square * c**2 + cube * c**3
    slope = g + 2 * square * c + 3 * cube * c**2
    integral = g * c**2 / 2 + square * c**3 / 3 + cube * c**4 / 4
    return current + slope * beyond, slope, integral + current * beyond + slope * beyond**2 / 2


def polynomial_currents(reach, series_ohm, g, square, cube, v):
    """Currents and slopes (n,) of cells of the polynomial law in series with a resistor."""
    numbers = (np.asarray(x, dtype=np.longdouble) for x in (reach, series_ohm, g, square, cube, v))
    reach, ohm, g, square, cube, v = numbers
    low, high = np.minimum(v, 0), np.maximum(v, 0)
    for _ in range(80 if ohm else 0):
        middle = (low + high) / 2
        above = middle + ohm * polynomial_of(reach, g, square, cube, middle)[0] > v
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    inner = (low + high) / 2 if ohm else v
    current, slope, _ = polynomial_of(reach, g, square, cube, inner)
    return current, slope / (1 + ohm * slope)
