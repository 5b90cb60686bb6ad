"""Spread of written cells with NumPy, one cell at a time."""

import numpy as np

__all__ = ["spread_cells"]


def spread_cells(target, normal, coefficients, reference_siemens, out):
    """The contract of the kernel: sigma by Horner's rule at x = target / reference, never below 0; no cell below 0."""
    for k, g_target in enumerate(target):
        x = g_target / reference_siemens
        sigma = 0.0
        for power in reversed(range(len(coefficients))):
            sigma = sigma * x + coefficients[power]
        out[k] = max(out[k] + max(sigma, 0.0) * normal[k], 0.0)


def polyval_spread(target, normal, coefficients, reference_siemens, out):
    """The formula as one writes it with NumPy: its own polynomials, whole arrays."""
    sigma = np.polynomial.polynomial.polyval(target / reference_siemens, coefficients)
    return np.maximum(out + np.maximum(sigma, 0.0) * normal, 0.0)
