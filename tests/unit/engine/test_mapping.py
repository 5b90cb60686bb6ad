"""Integers to digits and tiles, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.engine.mapping import digits, n_slices, outputs_per_tile, quantize, spans

BITS = st.integers(2, 12)
CELL_BITS = st.integers(1, 4)


def integers(bits, shape, seed):
    top = (1 << (bits - 1)) - 1
    made = np.random.default_rng(seed).integers(-top, top, shape, endpoint=True).astype(np.int32)
    made.flat[:2] = [top, -top][: made.size]
    return made


@given(BITS, CELL_BITS, st.tuples(st.integers(1, 4), st.integers(1, 5)), st.integers(0, 999))
def test_digits_give_the_weight_back(bits, cell_bits, shape, seed):
    weights = integers(bits, shape, seed)
    made = digits(weights, bits, cell_bits)
    slices = n_slices(bits, cell_bits)
    assert made.shape == (*shape, slices, 2)
    assert made.min() >= 0
    assert made.max() < 1 << cell_bits
    assert not np.minimum(made[..., 0], made[..., 1]).any(), "one cell of each pair is off"
    back = ((made[..., 0] - made[..., 1]).astype(np.int64) * 2 ** (cell_bits * np.arange(slices))).sum(axis=-1)
    assert_array_equal(back, weights)


def test_digits_by_hand():
    assert_array_equal(
        digits(np.array([[0b1101101, -6, 0]], dtype=np.int32), 8, 2)[0, 0], [[1, 0], [3, 0], [2, 0], [1, 0]]
    )
    assert_array_equal(digits(np.array([[-6]], dtype=np.int32), 4, 2)[0, 0], [[0, 2], [0, 1]])


@pytest.mark.parametrize(
    ("weight_bits", "cell_bits", "slices"),
    [(8, 1, 7), (8, 2, 4), (8, 3, 3), (8, 4, 2), (2, 4, 1), (5, 4, 1), (6, 4, 2)],
)
def test_n_slices(weight_bits, cell_bits, slices):
    assert n_slices(weight_bits, cell_bits) == slices
    assert outputs_per_tile(2 * slices, weight_bits, cell_bits) == 1
    assert outputs_per_tile(2 * slices - 1, weight_bits, cell_bits) == 0
    assert outputs_per_tile(2 * slices * 5 + 1, weight_bits, cell_bits) == 5


@given(st.integers(0, 300), st.integers(1, 70))
def test_spans_cover_once(length, step):
    found = list(spans(length, step))
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(length))
    assert all(part.stop - part.start == step for part in found[:-1])


@given(BITS, st.booleans(), st.floats(1e-6, 1e6), st.integers(0, 999))
def test_quantize_is_nearest_within_full_scale(bits, signed, full_scale, seed):
    x = np.random.default_rng(seed).uniform(-1 if signed else 0, 1, 50) * full_scale
    codes, step = quantize(x, bits, full_scale, signed=signed)
    assert codes.dtype == np.int32
    assert_allclose(codes * step, x, atol=0.5000001 * step)
    ends, _ = quantize(np.array([-9.0, 9.0]) * full_scale, bits, full_scale, signed=signed)
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    assert_array_equal(ends, [-top if signed else 0, top])
    assert top * step == pytest.approx(full_scale)


@given(BITS, st.integers(0, 999))
def test_quantize_keeps_integers(bits, seed):
    codes = integers(bits, (7,), seed)
    top = (1 << (bits - 1)) - 1
    again, step = quantize(codes * 0.3, bits, top * 0.3)
    assert_array_equal(again, codes)
    assert step == pytest.approx(0.3)


def test_quantize_of_zeros():
    codes, step = quantize(np.zeros((2, 3)), 8, np.zeros((2, 1)))
    assert not codes.any()
    assert np.isfinite(step).all()
    assert step.min() > 0


def test_quantize_row_by_row():
    """Every vector may have its own full scale."""
    x = np.array([[1.0, -0.5], [100.0, 51.0]])
    codes, step = quantize(x, 8, np.abs(x).max(axis=-1, keepdims=True))
    assert_array_equal(codes, [[127, -64], [127, 65]])
    assert step.shape == (2, 1)
