"""The figure of a sweep: every point in its place, whatever kind of values the key takes."""

import numpy as np
from helpers.drawn import labels
from helpers.swept import MODELS

from rramsim.report.sweep_figure import sweep_figure
from rramsim.report.sweep_points import sweeps


def names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_numbers(swept):
    left, right = sweep_figure(sweeps(swept)[0], "device.g_min_siemens").axes
    assert left.get_xscale() == right.get_xscale() == "log"  # a ratio of 100
    first = left.lines[0]
    np.testing.assert_allclose(first.get_xdata(), [1e-7, 1e-6, 1e-5])  # in order, whatever the order of the study
    np.testing.assert_allclose(first.get_ydata(), [0.015, 0.055, 0.035])
    assert names(left) == MODELS
    assert names(right) == ["false match", "missed match", "wrong max"]
    # 8 of 4 x 50 scores, 4 of them, and 2 of 4 x 10 vectors.
    assert [line.get_ydata()[0] for line in right.lines] == [0.04, 0.02, 0.05]


def test_names_and_zero(swept):
    two = sweeps(swept)[3]
    left, _ = sweep_figure(two, "sense.reference").axes
    assert labels(left.xaxis) == ["fixed", "line"]
    left, right = sweep_figure(two, "sense.reference_share").axes
    assert left.get_xscale() == "symlog"
    assert names(left)[2:] == ["sense.reference = fixed", "sense.reference = line"]
    assert [text.get_text() for text in right.texts] == ["no errors"]
    assert sweep_figure(sweeps(swept)[2], "format.fraction_bits").axes[0].get_xscale() == "linear"
