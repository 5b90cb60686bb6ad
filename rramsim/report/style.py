"""How the pictures look: colours, axes, and files that have the same bytes for the same figure."""

import io
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "EMPTY", "GREY", "ORANGE", "PALE", "SERIES", "bare", "new_figure", "page_type", "picture", "ruled"]

BLUE, ORANGE, GREY = "#2b6cb0", "#c05621", "#4a5568"
PALE = "#e2e8f0"
"""Of grids, and of what stands behind."""
EMPTY = "#cbd5e0"
"""Of the places of a map that hold no value."""
SERIES = (BLUE, ORANGE, "#2f855a", "#6b46c1", GREY, "#b83280", "#975a16", "#0f766e")
"""Lines of one panel, in their order."""


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of a width and a height, inches, whose panels make room for what is written around them."""
    from matplotlib.figure import Figure  # tables on the terminal do without

    return Figure(figsize=(width, height), layout="constrained")


def bare(axes: "Axes") -> None:
    """Leave out the frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)


def ruled(axes: "Axes", axis: Any = "both") -> None:
    """Draw a pale grid behind everything, and no frame above and to the right.

    Parameters
    ----------
    axes
        The panel.
    axis
        "x", "y" or "both": the axis whose ticks the lines of the grid stand on.
    """
    bare(axes)
    axes.grid(axis=axis, color=PALE)
    axes.set_axisbelow(True)


def page_type() -> AbstractContextManager[None]:
    """The size of the type on a page: a context to draw figures in and to write them."""
    import matplotlib as mpl

    return mpl.rc_context({"font.size": 9})


def picture(figure: "Figure", kind: str = "png", *, name: str = "array") -> bytes:
    """A figure as a file; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        The figure.
    kind
        "png", "svg" or "pdf".
    name
        Tells the parts of one SVG from those of another on the same page.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    # A fixed salt and no date: nothing in the file says when it was written.
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {"Software": None})
    with mpl.rc_context({"svg.hashsalt": f"rramsim {name}", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=130, metadata=metadata)
    return buffer.getvalue()
