"""The arithmetic of the crossbar engine in digital logic."""

import numpy as np
from helpers.digital_softmax import CODED, FORMAT, counts
from numpy.testing import assert_array_equal

from rramsim.engine.softmax.digital.fixed_point import FixedPointSoftmaxSpec
from rramsim.engine.softmax.engine import SoftmaxSpec


def test_account_by_hand():
    """8 bits, 128 words of 8 bits, and the 32 bits of the sum."""
    unit = CODED["fixed_point"].program()
    uses = {"comparator": 20 / 4, "adder": 20 * (1 / 4 + 1), "register_bit": 20 * 48, "divider": 20}
    assert counts(unit.apply(np.zeros((2, 10))).activity) == uses
    parts = {"comparator": 1 / 4, "adder": 5 / 4, "register_bit": 8 + 128 * 8 + 32, "divider": 1}
    assert counts(unit.inventory) == parts
    assert unit.turns(10) == {"comparator": 10, "adder": 20, "register_bit": 10, "divider": 10}


def test_bits_are_those_of_the_crossbar_engine():
    scores, widths = np.random.default_rng(0).normal(scale=4, size=(50, 40)), {"lut_bits": 11, "divider_bits": 13}
    unit, engine = (spec(format=FORMAT, **widths).program() for spec in (FixedPointSoftmaxSpec, SoftmaxSpec))
    mask = scores < 5
    result, exact = unit.apply(scores, mask=mask), engine.apply(scores, mask=mask)
    assert_array_equal(result.values, exact.values)
    assert result.errors["score_saturation"] == exact.errors["score_saturation"]
