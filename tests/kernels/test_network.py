"""Kernels of the network against the dense nodal oracle."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.network import LANES, factor_ladders, solve_lanes, transfer_matrices

OHM = {"word_line_ohm": 2.5, "driver_ohm": 60.0, "bit_line_ohm": 1.5, "sense_ohm": 200.0}
ORDER = tuple(OHM)
"""The order in which the kernels take the resistances."""
ZEROS = [dict(zip(ORDER, values, strict=True)) for values in itertools.product([0.0, 30.0], repeat=4)]


def cells(shape, seed=0, open_share=0.2):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < open_share, 0.0, 10.0 ** rng.uniform(-6, -3, shape))


def factored(g, ohm):
    lanes, word = np.empty((len(g), LANES * g.shape[1])), np.empty_like(g)
    bit = np.empty_like(lanes)
    factor_ladders(g, *(ohm[name] for name in ORDER), lanes, word, bit)
    return lanes, word, bit


def solved(g, v, ohm, tolerance=1e-12, max_iterations=1000):
    """Node voltages (n_rows, n_columns, LANES) for the drive vectors v (n_rows, LANES), and the status."""
    shape = (len(g), LANES * g.shape[1])
    # What the arrays held before must not matter.
    work, a, b = np.full((4, *shape), np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    resistances = [ohm[name] for name in ORDER]
    status = solve_lanes(*factored(g, ohm), v, *resistances, tolerance, max_iterations, work, a, b)
    return a.reshape(*g.shape, LANES), b.reshape(*g.shape, LANES), status


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (4, 7)])
@pytest.mark.parametrize("ohm", [*ZEROS, OHM])
def test_factor_ladders(shape, ohm):
    g = cells(shape)
    lanes, word, bit = factored(g, ohm)
    expected_word, expected_bit = ORACLES[factor_ladders](g, **ohm)
    assert_allclose(word, expected_word, rtol=1e-13)
    assert_array_equal(lanes.reshape(*shape, LANES), np.repeat(g[..., None], LANES, axis=-1))
    assert_allclose(bit.reshape(*shape, LANES), np.repeat(expected_bit[..., None], LANES, axis=-1), rtol=1e-13)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (4, 7), (7, 4)])
@pytest.mark.parametrize("ohm", [ZEROS[0], OHM])
def test_solve_lanes(shape, ohm):
    g, v = cells(shape), np.random.default_rng(1).normal(size=(shape[0], LANES))
    a, b, status = solved(g, v, ohm)
    assert status >= 0
    for lane in range(LANES):
        expected = ORACLES[solve_lanes](g, v[:, lane], **ohm)
        assert_allclose(a[..., lane], expected.word, rtol=1e-12, atol=1e-13)
        assert_allclose(b[..., lane], expected.bit, rtol=1e-12, atol=1e-13)


def test_a_lane_does_not_depend_on_its_companions():
    g, v = cells((5, 6)), np.random.default_rng(1).normal(size=(5, LANES))
    a, b, _ = solved(g, v, OHM)
    for lane in range(LANES):
        alone = np.zeros_like(v)
        alone[:, lane] = v[:, lane]
        a_alone, b_alone, _ = solved(g, alone, OHM)
        assert_array_equal(a_alone[..., lane], a[..., lane])
        assert_array_equal(b_alone[..., lane], b[..., lane])
        assert not np.delete(a_alone, lane, axis=-1).any()


def test_status_tells_success():
    g, v = cells((12, 12), open_share=0), np.ones((12, LANES))
    *_, enough = solved(g, v, OHM)
    assert enough > 2
    assert solved(g, v, OHM, max_iterations=enough)[-1] == enough
    assert solved(g, v, OHM, max_iterations=enough - 1)[-1] == -1


def test_the_tolerance_is_kept():
    """The error in the energy norm, relative to the energy of the solution, stays below what was asked."""
    g, v = cells((12, 12), open_share=0), np.random.default_rng(2).normal(size=(12, LANES))
    exact = [ORACLES[solve_lanes](g, v[:, lane], **OHM) for lane in range(LANES)]
    for tolerance in (1e-2, 1e-4, 1e-8):
        a, _, _ = solved(g, v, OHM, tolerance=tolerance)
        for lane in range(LANES):
            error = np.abs(a[..., lane] - exact[lane].word).max() / np.abs(v[:, lane]).max()
            assert error < tolerance


@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 1, 5), (2, 5, 1), (3, 4, 6), (2, 6, 4), (1, 9, 9)])
@pytest.mark.parametrize("ohm", [ZEROS[0], ZEROS[6], OHM])
def test_transfer_matrices(shape, ohm):
    g, out = cells(shape), np.full(shape, np.nan)
    status = transfer_matrices(g, *(ohm[name] for name in ORDER), 1e-12, 1000, out)
    assert status >= 0
    for one, t in zip(g, out, strict=True):
        assert_allclose(t, ORACLES[transfer_matrices](one, **ohm), rtol=1e-12, atol=1e-13 * one.max(initial=0))


def test_transfer_matrices_names_the_array_that_failed():
    g = np.zeros((3, 8, 8))
    g[1] = 10.0
    out = np.empty_like(g)
    assert transfer_matrices(g, *OHM.values(), 1e-12, 2, out) == -2
