"""Scores and masks: every shape and type that is taken, and every one that is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rramsim.engine.softmax.scores import checked_scores, taking_part
from rramsim.errors import SpecError


def test_single_precision_stays_and_everything_else_is_double():
    assert checked_scores(np.zeros((2, 3), np.float32), None)[0].dtype == np.float32
    for scores in (np.zeros((2, 3)), np.zeros((2, 3), np.int8), np.zeros((2, 3), np.float16), [[0, 1], [2, 3]]):
        assert checked_scores(scores, None)[0].dtype == np.float64


def test_a_view_becomes_contiguous():
    scores = np.arange(12.0).reshape(3, 4)
    x, _ = checked_scores(scores.T, None)
    assert x.flags.c_contiguous
    assert_array_equal(x, scores.T)


@pytest.mark.parametrize("shape", [(), (3,), (2, 1), (4, 1, 3), (4, 2, 3)])
def test_masks_are_broadcast(shape):
    mask = np.random.default_rng(0).random(shape) < 0.5
    assert_array_equal(checked_scores(np.zeros((4, 2, 3)), mask)[1], np.broadcast_to(mask, (4, 2, 3)))


def test_without_a_mask_all_but_minus_infinity_take_part():
    x, unmasked = checked_scores([[0.0, -np.inf], [1.0, 2.0]], None)
    assert unmasked.size == 0
    assert_array_equal(taking_part(x, unmasked), [[True, False], [True, True]])


def test_what_is_masked_may_be_anything():
    x, unmasked = checked_scores([0.0, np.nan, np.inf], [True, False, False])
    assert_array_equal(taking_part(x, unmasked), [True, False, False])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_plus_infinity_are_refused_where_they_take_part(bad):
    x, unmasked = checked_scores([0.0, bad, bad], [True, True, False])
    with pytest.raises(SpecError, match="1 of 3 scores are nan or plus infinity"):
        taking_part(x, unmasked)


@pytest.mark.parametrize("scores", [3.0, [], np.zeros((2, 0)), ["a"], [1j], [True], [[1.0], [1.0, 2.0]]])
def test_what_is_no_array_of_vectors_is_refused(scores):
    with pytest.raises(SpecError, match=r"\(..., length\)"):
        checked_scores(scores, None)


@pytest.mark.parametrize("mask", [np.ones((2, 3)), np.ones(4, bool), np.ones((5, 2, 3), bool), [0, 1, 1]])
def test_wrong_masks_are_refused(mask):
    with pytest.raises(SpecError, match=r"a mask is bool, .* broadcast to \(2, 3\); got"):
        checked_scores(np.zeros((2, 3)), mask)
