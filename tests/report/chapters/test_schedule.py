"""The pipeline: a bar for each token vector in each stage."""

import numpy as np
import pytest
from helpers.drawn import labels

from rramsim.report.chapters.schedule import schedule_figure


def test_figure(trace):
    (axes,) = schedule_figure(trace).axes
    assert labels(axes.yaxis) == list(trace["schedule/stage"])
    ends = [bar.get_x() + bar.get_width() for bars in axes.containers for bar in bars]
    assert max(ends) == pytest.approx(1e6 * trace["schedule/operand_finish"].max())
    vectors = [bars for bars in axes.containers if len(bars) == 17]
    assert len(vectors) == trace["schedule/stage"].size
    np.testing.assert_allclose([bar.get_x() for bar in vectors[3]], 1e6 * trace["schedule/start"][3])
