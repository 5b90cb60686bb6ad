"""The report: one self-contained HTML page."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rramsim.errors import TraceError
from rramsim.files import check_writable, write_new_file
from rramsim.trace.read import Trace, open_trace

from .figures import drawings
from .tables import TextTable, tables

__all__ = ["page_name", "render", "write_figures", "write_report"]

Picture = tuple[str, Markup]
"""Caption and SVG."""


def page_name(trace_path: Path) -> Path:
    """The page beside a trace: the same name with the ending ``.html``.

    Raises
    ------
    TraceError
        If the trace has that name itself.
    """
    page = trace_path.with_suffix(".html")
    if page == trace_path:
        raise TraceError(f"{trace_path}: a trace cannot end in .html: its report would take the same name")
    return page


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
    with open_trace(trace_path) as trace:
        target = page_name(trace.path) if out is None else Path(out)
        check_writable(target)
        page = render(trace)
    write_new_file(target, page.encode())
    return target


def write_figures(trace_path: str | Path, folder: str | Path) -> list[Path]:
    """Write every figure of a trace as a PNG file of its own, none of which may exist yet.

    Parameters
    ----------
    trace_path
        The trace.
    folder
        Made where it is missing.

    Raises
    ------
    TraceError
        If the trace cannot be read, or a file exists or cannot be written.
    """
    with open_trace(trace_path) as trace:
        paths = {name: Path(folder) / f"{name}.png" for name in drawings(trace)}
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TraceError(f"{folder}: the folder cannot be made: {error.strerror or error}") from None
        for path in paths.values():
            check_writable(path)
        pictures = {path: _picture(trace, name, "png") for name, path in paths.items()}
    for path, content in pictures.items():
        write_new_file(path, content)
    return list(pictures)


def render(trace: Trace) -> str:
    """The page as text; everything it shows is inside."""
    environment = Environment(
        loader=PackageLoader("rramsim.report", "."),
        autoescape=select_autoescape(["jinja"]),
        undefined=StrictUndefined,
    )
    figures = {name: (text, Markup(_svg(trace, name))) for name, (_, text) in drawings(trace).items()}  # noqa: S704  (our own SVG)
    swept = "sweep" in trace
    return environment.get_template("page.html.jinja").render(
        title=trace.attributes["title"],
        file_name=trace.path.name,
        seed=int(trace.attributes["seed"]),
        swept=swept,
        sections=_sections(tables(trace), figures),
        study=json.dumps(trace.study, indent=2),
        provenance=trace.provenance,
        device=(trace.study["softmax"] if swept else trace.study)["device"],
    )


def _sections(found: Sequence[TextTable], figures: Mapping[str, Picture]) -> list[tuple[TextTable, list[Picture]]]:
    """Each table with the figures behind it: those that it names, and behind the last table those that none names."""
    named = {name for table in found for name in table.figures}
    rest = [picture for name, picture in figures.items() if name not in named]
    sections = [(table, [figures[name] for name in table.figures]) for table in found]
    sections[-1][1].extend(rest)
    return sections


def _picture(trace: Trace, name: str, kind: str) -> bytes:
    import matplotlib as mpl

    draw, _ = drawings(trace)[name]
    buffer = io.BytesIO()
    # A fixed salt and no date: the same trace gives the same picture, byte for byte.
    with mpl.rc_context({"svg.hashsalt": f"rramsim {name}", "svg.fonttype": "path", "font.size": 9}):
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        draw(trace).savefig(buffer, format=kind, dpi=130, metadata=metadata)
    return buffer.getvalue()


def _svg(trace: Trace, name: str) -> str:
    text = _picture(trace, name, "svg").decode()
    return text[text.index("<svg") :]
