"""An array for tests of netlists, and the comparison of what two of its circuits give."""

import numpy as np
import pytest

import rramsim as rs
from rramsim.cell.conduction import CONDUCTION_LAWS

from . import networks

__all__ = ["ALL", "N_COLUMNS", "N_ROWS", "POLYNOMIAL", "G", "assert_solution", "conduction", "drive"]

N_ROWS, N_COLUMNS = 3, 4
G = np.random.default_rng(1).uniform(1e-6, 200e-6, (N_ROWS, N_COLUMNS))
G[1, 2] = 0.0
ALL = rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0)
POLYNOMIAL = networks.POLYNOMIAL.but({"most_volt": 0.8, "series_ohm": 100.0})


def conduction(**fields):
    """A law from its keys."""
    return CONDUCTION_LAWS.checked(fields)


def drive(n):
    return np.linspace(0.3, -0.1, n)


def assert_solution(names, expected, voltages, currents, rtol=1e-9):
    """Output currents, and the voltages of the nodes by their names, are those expected."""
    scale = max(np.abs(expected[0]).max(), 1e-8)  # beside nothing but rounding errors, ampere
    np.testing.assert_allclose(currents, expected[0], rtol=0, atol=rtol * scale)
    for side, nodes in zip(names, expected[1:], strict=True):
        for name, volt in zip(side.ravel(), nodes.ravel(), strict=True):
            if name:
                assert voltages[str(name)] == pytest.approx(volt, abs=rtol)
