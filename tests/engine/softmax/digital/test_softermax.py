"""Softermax: its published formats, its running sum, and what the order of the scores does to it."""

import math

import numpy as np
import pytest
from helpers.digital_softmax import FORMAT, UNITS
from helpers.softmax import watch
from numpy.testing import assert_array_equal

from rramsim.engine.softmax.digital.softermax import SoftermaxSpec


def test_base_two():
    spec = SoftermaxSpec(scale_by_log2e=False)
    assert_array_equal(spec.program()([[3.0, 2.0, 1.0, 1.0]]), [[0.5, 0.25, 0.125, 0.125]])
    assert abs(SoftermaxSpec().program()([[1.0, 0.0]])[0, 0] - 1 / (1 + math.exp(-1))) < 0.03


def test_published_formats():
    """UQ(1, 15) and UQ(10, 6)."""
    _, signals = watch(SoftermaxSpec(scale_by_log2e=False).program(), [[4.0, 3.0]])
    assert_array_equal(signals["exponential"], [[2**15, 2**14]])
    assert_array_equal(signals["sum"], [96])


def test_running_sum_saturates():
    spec = SoftermaxSpec(scale_by_log2e=False, output_bits=15)
    done = spec.program().apply(np.zeros((2, 1100)))
    assert done.errors == {"score_saturation": 0, "sum_saturation": 2}
    assert (done.values > 1 / 1100).all()
    assert spec.program().apply(np.zeros((2, 1000))).errors["sum_saturation"] == 0


def test_a_whole_shift_changes_nothing():
    """The maximum is an integer, in base 2."""
    scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(size=(20, 30))))
    engine = SoftermaxSpec(format=FORMAT, scale_by_log2e=False).program()
    assert_array_equal(engine(scores), engine(scores + 3))


def test_order_matters():
    """The running sum is rounded after each slice: equal values may get another result in another order."""
    scores = np.random.default_rng(0).normal(scale=3, size=(20, 50))
    engine = UNITS["softermax"].program()
    assert (engine(scores[:, ::-1]) != engine(scores)[:, ::-1]).any()


def test_lanes_work_at_once():
    narrow, wide = (SoftermaxSpec(lanes=lanes).program() for lanes in (1, 16))
    assert wide.turns(128)["comparator"] == 8
    assert narrow.turns(128)["comparator"] == 128
    assert wide.inventory.total("comparator") == 16 * narrow.inventory.total("comparator")
    # Two in each lane, and one for the running sum of them all.
    assert wide.inventory.total("shift_add") == 2 * 16 + 1
    one, other = (unit.apply(np.zeros((1, 64))).activity.total("multiplier") for unit in (narrow, wide))
    assert one == pytest.approx(other)
