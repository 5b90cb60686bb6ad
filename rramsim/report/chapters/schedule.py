"""When each stage works: the pipeline of one inference."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rramsim.report.chapter import Chapter, Drawing, Drawings
from rramsim.report.style import BLUE, ORANGE, PALE, bare, new_figure
from rramsim.trace.read import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SCHEDULE", "schedule_figure"]


def schedule_figure(trace: Trace) -> "Figure":
    """When each token vector is in each stage, vector-grained; the operand-grained span in grey behind."""
    start, finish = 1e6 * trace["schedule/start"], 1e6 * trace["schedule/finish"]
    slow_start, slow_finish = 1e6 * trace["schedule/operand_start"], 1e6 * trace["schedule/operand_finish"]
    stages = trace["schedule/stage"]
    place = np.arange(len(stages))[::-1]
    figure = new_figure(10, 0.3 * len(stages) + 1.3)
    axes = figure.subplots()
    span = slow_finish[:, -1] - slow_start[:, 0]
    axes.barh(place, span, left=slow_start[:, 0], height=0.8, color=PALE, label="operand-grained")
    for row, begin, end in zip(place, start, finish, strict=True):
        at = np.full(begin.size, row)
        axes.barh(at, end - begin, left=begin, height=0.55, color=BLUE, edgecolor="white", linewidth=0.3)
    setup = 1e6 * trace["schedule/setup"]
    axes.barh(
        place, setup, left=start[:, 0] - setup, height=0.2, color=ORANGE, label="writing keys and values, or once"
    )
    axes.barh([0], [0], color=BLUE, label="vector-grained, a bar for each token")
    axes.set_yticks(place, stages)
    axes.set_xlabel("time (us)")
    axes.legend(frameon=False, loc="upper right")
    bare(axes)
    return figure


def _drawings(trace: Trace) -> Drawings:
    return {"schedule": Drawing(partial(schedule_figure, trace), "The pipeline of one inference, token by token.")}


SCHEDULE = Chapter("schedule", drawings=_drawings)
"""The pipeline of one inference."""
