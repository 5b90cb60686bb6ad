"""The command line: parse, call, print."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated

import typer

from rramsim.cards import STUDIES
from rramsim.cli.array import netlist, solve
from rramsim.cli.device import presets
from rramsim.cli.fit import fit_device
from rramsim.errors import RramsimError, SpecError

__all__ = ["app", "main"]

BAD_INPUT, INTERRUPTED = 2, 130

app = typer.Typer(
    name="rramsim",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Simulate RRAM crossbars at device level: what do programming spread, stuck cells, read noise, IR drop, "
        "converters and a softmax computed in crossbars cost a real attention model?\n\n"
        "Start with [bold]rramsim run[/bold]: it runs the embedded study, a vision transformer on handwritten digits, "
        "prints a table, and writes a trace (HDF5) and a report (HTML).\n\n"
        "Exit codes: 0 done, 2 bad input or output, 130 interrupted."
    ),
)

StudyArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="STUDY.toml",
        help=f"A study file, or one that comes with rramsim: {', '.join(STUDIES.names)}. Without one, digits.",
        show_default=False,
    ),
]
TraceArgument = Annotated[Path, typer.Argument(metavar="TRACE", help="A trace that `rramsim run` wrote.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rramsim {package_version('rramsim')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    study: StudyArgument = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. macro.adc.bits=5; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The trace; by default a fresh name in this folder.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Processes; by default one per core. The result does not depend on it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run a study: print its tables, write its trace and its report.

    The trace is HDF5, the report is one HTML page beside it.
    Nothing is ever overwritten: without --out the names are fresh, with --out
    an existing file is refused.

    [bold]Examples[/bold]

      rramsim run
      rramsim run --set trials=20 --set device.preset=ideal
      rramsim run my-study.toml --out my-result.h5
      rramsim run softmax-limits
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from rramsim.files import check_writable, free_name
    from rramsim.report.contents import tables
    from rramsim.report.page import page_name, write_report
    from rramsim.report.terminal import print_table, terminal
    from rramsim.study.config import load_study
    from rramsim.study.run import n_points
    from rramsim.study.run import run as run_study
    from rramsim.trace.read import open_trace

    checked = load_study(study, settings or ())
    trace_path = out or free_name(Path(), study.stem if study else "digits")
    check_writable(trace_path)
    check_writable(page_name(trace_path))
    console = terminal()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with (
        _interruptible(trace_path),
        Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar,
    ):
        task = bar.add_task("writing and running chips", total=n_points(checked))

        def show(done: int, _total: int, label: str) -> None:
            bar.update(task, completed=done, description=f"done: {label}")

        trace_path = run_study(
            checked, trace_path, workers=workers or os.cpu_count() or 1, progress=show, fresh=out is None
        )
        bar.update(task, description="drawing the report")
        report_path = write_report(trace_path)
    with open_trace(trace_path) as trace:
        console.print(f"[bold]{escape(checked.title)}[/bold]; seed {checked.seed}")
        for table in tables(trace):
            print_table(console, table)
    print(f"\ntrace:  {trace_path}\nreport: {report_path}")


@contextmanager
def _interruptible(trace_path: Path) -> Iterator[None]:
    """Ctrl-C is an exception here, so that workers are ended and the terminal is tidied up."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt but the tidying up
        left = f"the trace {trace_path} is complete" if trace_path.exists() else "no file was written"
        print(f"rramsim: interrupted; {left}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    signal.signal(signal.SIGINT, before)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The file to write; it must not exist.")] = Path(
        "study.toml"
    ),
    study: Annotated[str, typer.Option(metavar="NAME", help=f"Which study: {', '.join(STUDIES.names)}.")] = "digits",
) -> None:
    """Write a commented study file to start from: the embedded study, every key with its meaning."""
    from rramsim.files import write_new_file
    from rramsim.study.config import study_text

    write_new_file(path, study_text(study).encode())
    print(f"{path}: written; run it with `rramsim run {path}`")


@app.command()
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


@app.command()
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


app.command()(presets)
app.command("fit-device")(fit_device)
app.command()(solve)
app.command()(netlist)


def main() -> None:
    """Run the command line; every error that rramsim raises on purpose is one message and exit code 2."""
    try:
        app()
    except RramsimError as error:
        print(f"rramsim: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
