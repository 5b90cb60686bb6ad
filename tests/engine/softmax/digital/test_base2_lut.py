"""The unit in base 2 with tables."""

import numpy as np
import pytest
from helpers.digital_softmax import CODED


def test_narrow_multipliers_count_by_their_area():
    """8 x 15 bits for log2(e), 8 x 8 for the reciprocal."""
    activity = CODED["base2_lut"].program().apply(np.zeros((1, 10))).activity
    assert activity.total("multiplier") == pytest.approx(10 * (8 * 15 + 8 * 8) / 1024)
