"""Laws of the transformer's pieces, and that the injected product and softmax are the ones that are used."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramsim.model.layers import FloatCompute, RecordingCompute, layer_norm, relu, softmax

rows = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(2, 9)), elements=st.floats(-100, 100, allow_subnormal=False)
)


@given(rows)
def test_softmax_rows_are_probabilities(x):
    p = softmax(x)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)


@given(rows, st.floats(-1e3, 1e3))
def test_softmax_ignores_a_common_offset(x, offset):
    np.testing.assert_allclose(softmax(x + offset), softmax(x), rtol=1e-10, atol=1e-15)


@given(rows)
def test_softmax_ratios_are_exponentials_of_differences(x):
    p = softmax(x)
    np.testing.assert_allclose(p, p.max(axis=-1, keepdims=True) * np.exp(x - x.max(axis=-1, keepdims=True)), rtol=1e-13)


def test_softmax_survives_scores_whose_exponential_overflows():
    np.testing.assert_array_equal(softmax(np.array([1e4, 0.0, -1e4])), [1, 0, 0])


@given(rows, st.floats(-50, 50), st.floats(0.5, 50))
def test_layer_norm_ignores_offset_and_scale_of_a_row(x, offset, scale):
    one, zero = np.ones(x.shape[-1]), np.zeros(x.shape[-1])
    plain = layer_norm(x, one, zero, epsilon=1e-3)
    np.testing.assert_allclose(
        layer_norm(scale * x + offset, one, zero, epsilon=scale**2 * 1e-3), plain, rtol=1e-7, atol=1e-7
    )


@given(rows)
def test_layer_norm_rows_have_mean_zero_and_variance_below_one(x):
    y = layer_norm(x, np.ones(x.shape[-1]), np.zeros(x.shape[-1]))
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-10)
    np.testing.assert_allclose(y.var(axis=-1), x.var(axis=-1) / (x.var(axis=-1) + 1e-5), rtol=1e-6, atol=1e-12)


def test_layer_norm_of_a_constant_row_is_the_shift():
    np.testing.assert_array_equal(layer_norm(np.full((1, 3), 7.0), np.ones(3), np.array([1.0, 2, 3])), [[1, 2, 3]])


def test_relu():
    np.testing.assert_array_equal(relu(np.array([-1.0, 0, 2])), [0, 0, 2])


@pytest.fixture
def heads():
    generator = np.random.default_rng(1)
    return tuple(generator.standard_normal((2, 3, 5, 4)) for _ in range(3))


def test_attention_is_the_textbook_sum(heads):
    query, key, value = heads
    context = FloatCompute({}).attention("a", query, key, value)
    for batch, head, row in np.ndindex(2, 3, 5):
        weight = np.exp([query[batch, head, row] @ k for k in key[batch, head]])
        expected = sum(w * v for w, v in zip(weight / weight.sum(), value[batch, head], strict=True))
        np.testing.assert_allclose(context[batch, head, row], expected, rtol=1e-12)


def test_the_injected_product_and_softmax_do_all_the_work(heads):
    products, rows_seen = [], []

    def halved(x, w):
        products.append((x.shape, w.shape))
        return np.matmul(x, w) / 2

    def uniform(scores):
        rows_seen.append(scores)
        return np.full(scores.shape, 1 / scores.shape[-1])

    compute = FloatCompute({"m": np.eye(4)}, matmul=halved, softmax=uniform)
    np.testing.assert_array_equal(compute.matmul("m", np.ones((2, 4))), np.full((2, 4), 0.5))
    query, key, value = heads
    context = compute.attention("a", query, key, value)
    np.testing.assert_allclose(context, np.broadcast_to(value.mean(axis=2, keepdims=True) / 2, value.shape))
    assert products == [((2, 4), (4, 4)), ((2, 3, 5, 4), (2, 3, 4, 5)), ((2, 3, 5, 5), (2, 3, 5, 4))]
    np.testing.assert_allclose(rows_seen[0], query @ key.swapaxes(-1, -2) / 2)


def test_recording_changes_nothing_and_joins_batches(heads):
    query, key, value = heads
    inner = FloatCompute({"m": np.diag([1.0, 2, 3, 4])})
    recorded = RecordingCompute(inner)
    for half in (slice(0, 1), slice(1, 2)):
        np.testing.assert_array_equal(recorded.matmul("m", query[half]), inner.matmul("m", query[half]))
        np.testing.assert_array_equal(
            recorded.attention("a", query[half], key[half], value[half]),
            inner.attention("a", query[half], key[half], value[half]),
        )
    np.testing.assert_array_equal(recorded.inputs["m"], query)
    attention = recorded.attentions["a"]
    for given_array, recorded_array in zip(heads, attention[:3], strict=True):
        np.testing.assert_array_equal(recorded_array, given_array)
    np.testing.assert_allclose(attention.probabilities @ value, inner.attention("a", query, key, value))


def test_recordings_are_copies(heads):
    query, key, value = (array.copy() for array in heads)
    recorded = RecordingCompute(FloatCompute({"m": np.eye(4)}))
    recorded.matmul("m", query)
    recorded.attention("a", query, key, value)
    query[:] = 0
    np.testing.assert_array_equal(recorded.inputs["m"], heads[0])
    np.testing.assert_array_equal(recorded.attentions["a"].query, heads[0])


def test_recorded_probabilities_come_from_the_softmax_that_was_given(heads):
    recorded = RecordingCompute(FloatCompute({}), softmax=lambda x: np.full(x.shape, 0.2))
    recorded.attention("a", *heads)
    assert (recorded.attentions["a"].probabilities == 0.2).all()
