"""What happens inside: the signals that a probe recorded of the first layer."""

from functools import partial
from typing import TYPE_CHECKING

from rramsim.report.chapter import Chapter, Drawing, Drawings
from rramsim.report.style import BLUE, bare, new_figure
from rramsim.trace.read import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SIGNALS", "signal_figure"]


def signal_figure(trace: Trace) -> "Figure":
    """Inner signals of the probed images: column currents against codes, match lines, probabilities."""
    figure = new_figure(10, 3.6)
    left, middle, right = figure.subplots(1, 3)
    current = 1e6 * trace["probe/layer0.attention/scores/column_current"].ravel()
    left.hist(current, bins=80, color=BLUE)
    left.set_yscale("log")
    left.set_xlabel("current of a bit-line pair (uA)")
    left.set_ylabel("conversions")
    left.set_title("Q K$^T$ in layer 0", fontsize="medium")
    match, probability = (trace[f"probe/layer0.attention/softmax/{name}"] for name in ("match", "probability"))
    length = probability.shape[-1]
    middle.imshow(match.reshape(-1, length, match.shape[-1])[0].T, aspect="auto", interpolation="nearest", cmap="Blues")
    middle.set_xlabel("token")
    middle.set_ylabel("row of the CAM/SUB crossbar")
    middle.set_title("match lines that fired", fontsize="medium")
    image = right.imshow(probability.reshape(-1, length)[:length], cmap="viridis")
    right.set_xlabel("key token")
    right.set_ylabel("query token")
    right.set_title("attention of head 0", fontsize="medium")
    figure.colorbar(image, ax=right, shrink=0.8)
    for axes in (left, middle):
        bare(axes)
    return figure


def _drawings(trace: Trace) -> Drawings:
    caption = "Inner signals of the first probed image, from the trace."
    return {"signals": Drawing(partial(signal_figure, trace), caption)}


SIGNALS = Chapter("probe/layer0.attention/softmax/match", drawings=_drawings)
"""The inner signals of one image, where the study probed any."""
