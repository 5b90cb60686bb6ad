"""Figures are drawn from a trace alone, and show what it holds."""

import numpy as np
import pytest

import rramsim as rs
from rramsim.report.figures import FIGURES, accuracy_figure, cost_figure, schedule_figure, signal_figure
from rramsim.report.page import write_figures


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_accuracy(trace):
    left, right = accuracy_figure(trace).axes
    assert labels(left.yaxis) == list(trace["table/label"])
    means = left.containers[0].lines[0].get_xdata()
    np.testing.assert_allclose(means, 100 * trace["table/accuracy"])
    chips = sum(len(line.get_xdata()) for line in left.lines if line.get_marker() == "|" and line.get_markersize() == 9)
    assert chips == trace["points/accuracy"].size
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], trace["table/attention_kl"])


def test_cost(trace):
    figure = cost_figure(trace)
    for axes, by in zip(figure.axes, ("block", "component"), strict=True):
        names = labels(axes.yaxis)
        assert set(names) <= set(trace[f"cost/{by}"])
        energy, area = (np.array([bar.get_width() for bar in bars]) for bars in axes.containers)
        assert (np.diff(energy) >= 0).all()
        for shares, values in ((energy, trace["cost/energy"]), (area, trace["cost/area"])):
            by_hand = [100 * values[trace[f"cost/{by}"] == name].sum() / values.sum() for name in names]
            np.testing.assert_allclose(shares, by_hand)
            assert 97 < shares.sum() <= 100 + 1e-9  # what is left out is below half a percent each


def test_schedule(trace):
    (axes,) = schedule_figure(trace).axes
    assert labels(axes.yaxis) == list(trace["schedule/stage"])
    ends = [bar.get_x() + bar.get_width() for bars in axes.containers for bar in bars]
    assert max(ends) == pytest.approx(1e6 * trace["schedule/operand_finish"].max())
    vectors = [bars for bars in axes.containers if len(bars) == 17]
    assert len(vectors) == trace["schedule/stage"].size
    np.testing.assert_allclose([bar.get_x() for bar in vectors[3]], 1e6 * trace["schedule/start"][3])


def test_signals(trace):
    left, middle, right, *_ = signal_figure(trace).axes
    currents = trace["probe/layer0.attention/scores/column_current"]
    assert sum(bar.get_height() for bar in left.patches) == currents.size
    np.testing.assert_array_equal(middle.images[0].get_array(), trace["probe/layer0.attention/softmax/match"][0].T)
    assert right.images[0].get_array().shape == (17, 17)


def test_every_figure_has_a_caption():
    assert list(FIGURES) == ["accuracy", "cost", "schedule", "signals"]
    assert all(caption.endswith(".") for _, caption in FIGURES.values())


class TestFiles:
    def test_pictures(self, trace_path, tmp_path):
        paths = write_figures(trace_path, tmp_path / "new" / "folder")
        assert [path.name for path in paths] == [f"{name}.png" for name in FIGURES]
        assert sorted(tmp_path.glob("new/folder/*")) == sorted(paths)
        assert all(path.read_bytes().startswith(b"\x89PNG\r\n") for path in paths)

    def test_nothing_is_overwritten(self, altered, tmp_path):
        path = altered(signals=False)
        (tmp_path / "cost.png").write_bytes(b"precious")
        with pytest.raises(rs.TraceError, match=r"cost\.png: exists already"):
            write_figures(path, tmp_path)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["altered.h5", "cost.png"]

    def test_folder_is_a_file(self, altered, tmp_path):
        path = altered(signals=False)
        with pytest.raises(rs.TraceError, match=r"altered\.h5: the folder cannot be made"):
            write_figures(path, path)
