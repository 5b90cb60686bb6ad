"""Conversion and shift-and-add against the oracle, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.convert import convert_and_add

NONE = np.empty((0, 0, 0), dtype=np.float32)


def both(currents, deviation, normal, step, code_max, slice_weight):
    """(out, clipped) of the kernel and of its oracle, added to the same numbers."""
    made = []
    for convert in (convert_and_add, ORACLES[convert_and_add]):
        out = np.arange(currents.shape[0] * currents.shape[1], dtype=np.float64).reshape(currents.shape[:2])
        made.append((out, convert(currents, deviation, normal, step, code_max, slice_weight, out)))
    return made


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("code_max", [7, 127, 511])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 4), (40, 1, 7)])
def test_bit_for_bit(shape, code_max, noisy):
    rng = np.random.default_rng(code_max)
    currents = rng.normal(scale=1e-4, size=shape).astype(np.float32)
    deviation = rng.uniform(0, 2e-5, size=shape).astype(np.float32) if noisy else NONE
    normal = rng.standard_normal(shape, dtype=np.float32) if noisy else NONE
    weight = 4.0 ** np.arange(shape[-1]) * 0.37
    (out, clipped), (expected, expected_clipped) = both(
        currents, deviation, normal, 1.3e-4 / code_max, code_max, weight
    )
    # The kernel sums the slices first: the last bit of a sum may differ.
    np.testing.assert_allclose(out, expected, rtol=1e-14, atol=1e-14)
    assert clipped == expected_clipped
    if shape[0] > 1:
        assert 0 < clipped < currents.size


def test_by_hand():
    """Step 1 A, codes -8 .. 7: ties go to the even code, and what does not fit is clipped and counted."""
    currents = np.array([[[0.5, 1.5, 2.5]], [[-0.5, -1.5, 7.4]], [[7.6, -8.4, -8.6]]], dtype=np.float32)
    out = np.zeros((3, 1))
    assert convert_and_add(currents, NONE, NONE, 1.0, 7, np.array([1.0, 10.0, 100.0]), out) == 2
    assert_array_equal(out[:, 0], [0 + 20 + 200, 0 - 20 + 700, 7 - 80 - 800])


def test_adds_to_what_is_there():
    out = np.array([[5.0]])
    convert_and_add(np.full((1, 1, 1), 3, dtype=np.float32), NONE, NONE, 1.0, 7, np.array([2.0]), out)
    assert out[0, 0] == 11.0


def test_noise_is_deviation_times_normal():
    currents, ones = np.zeros((1, 1, 2), dtype=np.float32), np.ones((1, 1, 2), dtype=np.float32)
    out = np.zeros((1, 1))
    normal = np.array([[[2.0, -3.0]]], dtype=np.float32)
    convert_and_add(currents, ones, normal, 0.5, 127, np.array([1.0, 100.0]), out)
    assert out[0, 0] == 4 - 600
