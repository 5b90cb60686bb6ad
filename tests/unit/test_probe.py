"""The null probe keeps nothing."""

import numpy as np

from rramsim.probe import NULL_PROBE


def test_null_probe():
    assert NULL_PROBE.active is False
    assert NULL_PROBE.within("layer0") is NULL_PROBE
    values = np.ones(3)
    NULL_PROBE.record("signal", values, "A")
    assert not any(values is kept for kept in vars(NULL_PROBE).values())
