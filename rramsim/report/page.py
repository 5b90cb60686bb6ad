"""The report: one self-contained HTML page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rramsim.errors import TraceError
from rramsim.files import check_writable, write_new_file
from rramsim.trace.read import Trace, open_trace

from .chapter import Drawing
from .contents import drawings, leads, notes, tables
from .style import page_type, picture
from .text import TextTable

__all__ = ["page_name", "render", "write_figures", "write_report"]


class Picture(NamedTuple):
    """A figure as the page holds it: its caption and its SVG."""

    caption: str
    svg: Markup


Section = tuple[TextTable, list[Picture]]
"""A table, and what follows it."""


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
        pictures = {paths[name]: _drawn(name, drawing, "png") for name, drawing in drawings(trace).items()}
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
    pictures = {name: Picture(each.caption, Markup(_svg(name, each))) for name, each in drawings(trace).items()}  # noqa: S704  (our own SVG)
    return environment.get_template("page.html.jinja").render(
        title=trace.attributes["title"],
        file_name=trace.path.name,
        seed=int(trace.attributes["seed"]),
        leads=[Markup(lead) for lead in leads(trace)],  # noqa: S704  (our own words)
        sections=_sections(tables(trace), pictures),
        notes=notes(trace),
        references=trace.references,
        study=json.dumps(trace.study, indent=2),
        provenance=trace.provenance,
    )


def _sections(all_tables: Sequence[TextTable], pictures: Mapping[str, Picture]) -> list[Section]:
    """Each table with the pictures behind it: those that it names, and behind the last those that no table names."""
    named = {name for table in all_tables for name in table.figures}
    rest = [picture for name, picture in pictures.items() if name not in named]
    sections = [(table, [pictures[name] for name in table.figures]) for table in all_tables]
    sections[-1][1].extend(rest)
    return sections


def _drawn(name: str, drawing: Drawing, kind: str) -> bytes:
    with page_type():
        return picture(drawing.draw(), kind, name=name)


def _svg(name: str, drawing: Drawing) -> str:
    text = _drawn(name, drawing, "svg").decode()
    return text[text.index("<svg") :]
