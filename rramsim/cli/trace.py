"""The commands about a trace: print it, or write its report."""

from pathlib import Path
from typing import Annotated

import typer

from rramsim.errors import SpecError

__all__ = ["report", "show"]

TraceArgument = Annotated[Path, typer.Argument(metavar="TRACE", help="A trace that `rramsim run` wrote.")]


def show(trace_path: TraceArgument) -> None:
    """Print a trace: where it came from, its tables, and every dataset it holds."""
    from rich.markup import escape

    from rramsim.report.contents import tables
    from rramsim.report.terminal import print_table, terminal
    from rramsim.trace.read import open_trace

    console = terminal()
    with open_trace(trace_path) as trace:
        console.print(f"[bold]{escape(trace.attributes['title'])}[/bold]; seed {trace.attributes['seed']}")
        console.print(escape(", ".join(f"{key} {value}" for key, value in trace.provenance.items())))
        for table in tables(trace):
            print_table(console, table)
        console.print("[bold]datasets[/bold]")
        for path, shape, unit in trace.datasets():
            console.print(f"  {path}  {'x'.join(map(str, shape))}  {unit if unit != '1' else ''}")


def report(
    trace_path: TraceArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The page; by default beside the trace.", show_default=False),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the figures as PNG files there instead.", show_default=False),
    ] = None,
) -> None:
    """Write the report of a trace: one self-contained HTML page with its tables and plots."""
    from rramsim.report.page import write_figures, write_report

    if out is not None and figures is not None:
        raise SpecError("report: --out names the page and --figures asks for pictures instead of it; give one of them")
    if figures is not None:
        for path in write_figures(trace_path, figures):
            print(f"figure: {path}")
    else:
        print(f"report: {write_report(trace_path, out)}")
