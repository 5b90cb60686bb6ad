"""The report: one self-contained HTML page."""

import io
import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rramsim.trace.read import Trace, open_trace
from rramsim.trace.write import write_new_file

from .figures import FIGURES
from .tables import tables

__all__ = ["render", "write_report"]


def write_report(trace_path: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a trace.

    Parameters
    ----------
    trace_path
        The trace.
    out
        The page, a file that does not exist yet; by default beside the trace, with the ending ``.html``.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    TraceError
        If the trace cannot be read, or the page exists or cannot be written.
    """
    target = Path(out) if out else Path(trace_path).with_suffix(".html")
    with open_trace(trace_path) as trace:
        page = render(trace)
    write_new_file(target, page.encode())
    return target


def render(trace: Trace) -> str:
    """The page as text; everything it shows is inside."""
    environment = Environment(
        loader=PackageLoader("rramsim.report", "."),
        autoescape=select_autoescape(["jinja"]),
        undefined=StrictUndefined,
    )
    figures = [(caption, Markup(_svg(trace, name))) for name, (_, caption) in FIGURES.items() if _drawable(trace, name)]
    return environment.get_template("page.html.jinja").render(
        title=trace.attributes["title"],
        file_name=trace.path.name,
        seed=int(trace.attributes["seed"]),
        tables=tables(trace),
        figures=figures,
        study=json.dumps(trace.study, indent=2),
        provenance=trace.provenance,
        device=trace.study["device"],
    )


def _drawable(trace: Trace, name: str) -> bool:
    """Signals are drawn where the study probed any."""
    return name != "signals" or "probe/layer0.attention/softmax/match" in trace


def _svg(trace: Trace, name: str) -> str:
    draw, _ = FIGURES[name]
    buffer = io.StringIO()
    # A fixed salt and no date: the same trace gives the same page, byte for byte.
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": f"rramsim {name}", "svg.fonttype": "path", "font.size": 9}):
        draw(trace).savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
