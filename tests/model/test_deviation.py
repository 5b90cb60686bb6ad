"""How far probabilities are from the exact ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from rramsim.model.deviation import compare
from rramsim.model.score import attention_kl


class TestCompare:
    SCORES = np.array([[1.0, 3.0, -np.inf, 0.0], [2.0, -np.inf, -np.inf, -np.inf]], np.float32)

    def test_exact(self):
        deviation = compare(self.SCORES, softmax(self.SCORES, axis=-1), {"false_match": 3})
        assert (deviation.agreement, deviation.elements, deviation.vectors, deviation.errors) == (
            1.0,
            4,
            2,
            {"false_match": 3},
        )
        assert max(deviation.max_error, deviation.kl) < 1e-6

    def test_by_hand(self):
        exact = softmax(self.SCORES.astype(float), axis=-1)
        values = np.array([[0.5, 0.5, 0.0, 0.0], [0.75, 0.0, 0.0, 0.0]])
        deviation = compare(self.SCORES, values, {})
        error = [*np.abs(values - exact)[0, [0, 1, 3]], 0.25]
        assert_allclose([deviation.mean_error, deviation.max_error], [np.mean(error), max(error)])
        assert_allclose(deviation.kl, attention_kl(exact[0, [0, 1, 3]], values[0, [0, 1, 3]]) / 2)
        assert deviation.agreement == 1.0  # one of two that are largest will do

    @pytest.mark.parametrize(("first", "agreement"), [([0.6, 0.4, 0, 0], 0.5), ([0, 0, 0, 0], 0.5), ([0, 1, 0, 0], 1)])
    def test_agreement(self, first, agreement):
        assert compare(self.SCORES, np.array([first, [1, 0, 0, 0]]), {}).agreement == agreement
