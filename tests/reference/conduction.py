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


def formula_currents(formula, what, reach, series_ohm, polarity, parameters, g, v):
    """Currents and slopes of cells of a law that is given as functions, by bisection; what = 2: by the conductance."""

    def alone(u, x):
        w = np.clip(u, -reach, reach)
        slope = formula.slope(polarity * w, x, parameters)
        return polarity * formula.current(polarity * w, x, parameters) + slope * (u - w), slope

    current, slope = np.zeros(g.size), np.zeros(g.size)
    for k, (x, volt) in enumerate(zip(g, v, strict=True)):
        if x <= 0.0:
            current[k] = polarity * formula.by_conductance(polarity * volt, x, parameters) if what == 2 else 0.0
            continue
        low, high = min(volt, 0.0), max(volt, 0.0)
        for _ in range(200):
            middle = 0.5 * (low + high)
            if middle + series_ohm * alone(middle, x)[0] > volt:
                high = middle
            else:
                low = middle
        inner = 0.5 * (low + high) if series_ohm else volt
        i, d = alone(inner, x)
        if what == 2:
            i = polarity * formula.by_conductance(polarity * inner, x, parameters) / (1.0 + series_ohm * d)
        current[k], slope[k] = i, d / (1.0 + series_ohm * d)
    return current, slope
