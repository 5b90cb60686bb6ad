"""The softmax in floating point."""

import numpy as np
from helpers.digital_softmax import counts
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax as float_softmax

from rramsim.engine.softmax.digital.floating import FloatSoftmaxSpec


def test_exact():
    scores = np.random.default_rng(0).normal(scale=3, size=(50, 128))
    assert_allclose(FloatSoftmaxSpec().program()(scores), float_softmax(scores, axis=-1), rtol=1e-13)
    huge = FloatSoftmaxSpec().program()([[1e308, -1e308, 1e308]])
    assert_array_equal(huge, [[0.5, 0.0, 0.5]])


def test_account_by_hand():
    unit = FloatSoftmaxSpec(exp_operations=7).program()
    assert counts(unit.apply(np.zeros((2, 10))).activity) == {"vector_lane": 20 * 10, "divider": 20}
    assert counts(unit.inventory) == {"vector_lane": 1, "divider": 1}
