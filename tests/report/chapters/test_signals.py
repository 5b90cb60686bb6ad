"""The inner signals of a probed image: what was recorded is what is drawn."""

import numpy as np

from rramsim.report.chapters.signals import signal_figure


def test_figure(trace):
    left, middle, right, *_ = signal_figure(trace).axes
    currents = trace["probe/layer0.attention/scores/column_current"]
    assert sum(bar.get_height() for bar in left.patches) == currents.size
    np.testing.assert_array_equal(middle.images[0].get_array(), trace["probe/layer0.attention/softmax/match"][0].T)
    assert right.images[0].get_array().shape == (17, 17)
