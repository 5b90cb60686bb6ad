"""Spread of written cells against the oracle and NumPy's polynomials, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from reference.kernels import ORACLES
from reference.spread import polyval_spread

from rramsim.kernels.spread import spread_cells

WAN = np.array([0.348e-6, 16.030e-6, -43.853e-6, 45.393e-6, -16.815e-6])


def case(n, coefficients=WAN, seed=0):
    """(target, normal, coefficients, reference, out) with some cells that would end below 0."""
    rng = np.random.default_rng(seed)
    target = rng.uniform(0, 40e-6, n)
    return (
        target,
        rng.standard_normal(n, dtype=np.float32),
        np.asarray(coefficients),
        40e-6,
        target * rng.uniform(0, 2, n),
    )


def spread(function, target, normal, coefficients, reference, out):
    cells = out.copy()
    function(target, normal, coefficients, reference, cells)
    return cells


@pytest.mark.parametrize("n", [0, 1, 2, 511, 512, 513, 1024, 1500])
@pytest.mark.parametrize(
    "coefficients", [[1e-6], [0.0], [-1e-6], [1e-6, -2e-6], WAN, np.linspace(-1e-6, 1e-6, 16)], ids=len
)
def test_bit_for_bit(n, coefficients):
    """Also at the ends of a block of 512 cells."""
    given = case(n, coefficients)
    cells = spread(spread_cells, *given)
    assert_array_equal(cells, spread(ORACLES[spread_cells], *given))
    assert_array_equal(cells, polyval_spread(*given))
    assert (cells >= 0).all()


def test_by_hand():
    """Sigma = 1 + 2 x at x = 0, 1/2, 1, 3/2; the last two cells: below 0, and a sigma below 0."""
    target, normal = np.array([0.0, 2.0, 4.0, 6.0, 4.0]), np.array([1, -1, 2, -2, -9], dtype=np.float32)
    out = np.array([10.0, 10.0, 10.0, 10.0, 10.0])
    spread_cells(target, normal, np.array([1.0, 2.0]), 4.0, out)
    assert_array_equal(out, [11.0, 8.0, 16.0, 2.0, 0.0])
    spread_cells(target[:1], normal[:1], np.array([-1.0]), 4.0, out[:1])
    assert out[0] == 11.0


def test_only_out_is_written():
    target, normal, coefficients, reference, out = case(600)
    before = target.copy(), normal.copy(), coefficients.copy()
    spread_cells(target, normal, coefficients, reference, out)
    for copy, given in zip(before, (target, normal, coefficients), strict=True):
        assert_array_equal(given, copy)


def test_a_part_of_an_array():
    """Cells of a larger array, as they are written in pieces."""
    given = case(700)
    whole = spread(spread_cells, *given)
    target, normal, coefficients, reference, out = given
    for piece in (slice(0, 300), slice(300, 700)):
        spread_cells(target[piece], normal[piece], coefficients, reference, out[piece])
    assert_array_equal(out, whole)


@pytest.mark.slow
def test_runs_without_compilation(compiled_and_plain):
    """The Python body gives the bits of the compiled one."""
    code = (
        "import numpy as np; from rramsim.kernels.spread import spread_cells;"
        "rng = np.random.default_rng(0); t = rng.random(1030); out = t.copy();"
        "n = rng.standard_normal(1030, dtype=np.float32);"
        "spread_cells(t, n, np.array([0.1, -0.3, 0.7]), 0.9, out); print(out.tobytes().hex())"
    )
    compiled, plain = compiled_and_plain(code)
    assert len(compiled) > 1030
    assert compiled == plain
