"""Scores, against numbers worked out by hand and against SciPy."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rramsim.errors import SpecError
from rramsim.model.layers import softmax
from rramsim.model.score import accuracy, agreement, attention_kl, confidence_interval

scores = hnp.arrays(np.float64, (3, 5), elements=st.floats(-5, 5))


def test_accuracy_counts_right_answers():
    assert accuracy(np.array([[1.0, 2], [3, 0], [0, 1], [5, 4]]), np.array([1, 0, 0, 0])) == 0.75


def test_agreement_does_not_care_who_is_right():
    assert agreement(np.array([[1.0, 2], [3, 0]]), np.array([[0.0, 9], [0, 9]])) == 0.5


@pytest.mark.parametrize("count", [0, 3])
def test_accuracy_needs_a_label_for_each_image(count):
    with pytest.raises(SpecError, match="one label for each"):
        accuracy(np.zeros((count, 2)), np.zeros(2, dtype=int) if count else np.zeros(0, dtype=int))


def test_agreement_needs_equal_shapes():
    with pytest.raises(SpecError, match="equal shapes"):
        agreement(np.zeros((2, 3)), np.zeros((3, 3)))


@given(scores, scores)
def test_kl_is_scipys_and_never_negative(x, y):
    p, q = softmax(x), softmax(y)
    expected = np.mean([stats.entropy(a, b) for a, b in zip(p, q, strict=True)])
    assert attention_kl(p, q, floor=1e-300) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert attention_kl(p, q) >= 0


@given(scores)
def test_kl_of_equal_rows_is_zero(x):
    p = softmax(x)
    assert attention_kl(p, p) == pytest.approx(0, abs=1e-14)


def test_kl_floors_and_renormalises_the_hardware_row():
    floor = 2.0**-10
    p, q = np.array([0.5, 0.5, 0.0]), np.array([1.0, 0.0, 0.0])
    raised = np.array([1, floor, floor]) / (1 + 2 * floor)
    assert attention_kl(p, q, floor) == pytest.approx(0.5 * np.log(0.5 / raised[0]) + 0.5 * np.log(0.5 / raised[1]))
    assert attention_kl(p, 3 * q, 3 * floor) == pytest.approx(attention_kl(p, q, floor))


def test_kl_refuses_what_it_cannot_compare():
    p = np.full((2, 2), 0.5)
    with pytest.raises(SpecError, match="one shape"):
        attention_kl(p, p[:1])
    with pytest.raises(SpecError, match="one shape"):
        attention_kl(p[:0], p[:0])
    with pytest.raises(SpecError, match="floor"):
        attention_kl(p, p, floor=0)


def test_interval_is_students():
    values = [0.90, 0.92, 0.94, 0.96]
    mean, low, high = confidence_interval(values, 0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean == pytest.approx(0.93)
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_interval_stays_between_zero_and_one():
    assert confidence_interval([1.0, 0.98])[2] == 1
    assert confidence_interval([0.0, 0.02])[1] == 0
    assert confidence_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


def test_one_trial_has_no_interval():
    mean, low, high = confidence_interval([0.7])
    assert mean == 0.7
    assert np.isnan([low, high]).all()


def test_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(0)
    trials = generator.normal(0.5, 0.01, size=(600, 4))
    covered = [low <= 0.5 <= high for _, low, high in map(confidence_interval, trials)]
    assert abs(np.mean(covered) - 0.95) < 0.03


@pytest.mark.parametrize(("values", "level"), [([], 0.95), ([0.1, 0.2], 0), ([0.1, 0.2], 1), ([[0.1]], 0.9)])
def test_interval_refuses_nonsense(values, level):
    with pytest.raises(SpecError):
        confidence_interval(values, level)
