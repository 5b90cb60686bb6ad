"""One study from the file to the page: with its progress on the terminal, and Ctrl-C answered at any moment."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib.figure  # noqa: F401  (drawing needs it: an exception of Ctrl-C should not meet it half imported)
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rramsim.errors import TraceError
from rramsim.files import check_writable, free_name
from rramsim.report.contents import tables
from rramsim.report.page import page_name, write_report
from rramsim.report.terminal import print_table, terminal
from rramsim.study.run import compute, n_points
from rramsim.study.toml import load_study
from rramsim.trace.read import open_trace

__all__ = ["INTERRUPTED", "run_study"]

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def run_study(study: Path | None, settings: Sequence[str], out: Path | None, workers: int | None) -> None:
    """Run a study, write its trace and its report, and print its tables.

    Parameters
    ----------
    study
        The file of the study, or the name of one that comes with rramsim; None: digits.
    settings
        Changes of single keys, each ``KEY=VALUE``.
    out
        The trace; None: a fresh name in this folder.
    workers
        Number of processes; None: one for each core.

    Raises
    ------
    RramsimError
        If the study is refused, or a file exists or cannot be written.
    typer.Exit
        With the code 130, after Ctrl-C.
    """
    checked = load_study(study, settings)
    trace_path = out or free_name(Path(), study.stem if study else "digits")
    check_writable(trace_path)
    check_writable(page_name(trace_path))
    with _interruptible(trace_path), _progress(n_points(checked)) as (show, describe):
        record = compute(checked, workers=workers or os.cpu_count() or 1, progress=show)
        trace_path = _write(record.write, trace_path, fresh=out is None)
        describe("drawing the report")
        report_path = write_report(trace_path)
    console = terminal()
    with open_trace(trace_path) as trace:
        console.print(f"[bold]{escape(checked.title)}[/bold]; seed {checked.seed}")
        for table in tables(trace):
            print_table(console, table)
    print(f"\ntrace:  {trace_path}\nreport: {report_path}")


def _write(write: Callable[[Path], Path], path: Path, *, fresh: bool) -> Path:
    """Write a trace; where another program has taken a fresh name meanwhile, under the next one: no work is lost."""
    while True:
        try:
            return write(path)
        except TraceError:
            if not (fresh and path.exists()):
                raise
            path = free_name(path.parent, path.stem.rpartition("-")[0])


@contextmanager
def _progress(total: int) -> Iterator[tuple[Callable[[int, int, str], None], Callable[[str], None]]]:
    """A bar on stderr, where that is a terminal: what takes the points that are done, and what describes a step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("writing and running chips", total=total)

        def show(done: int, _total: int, label: str) -> None:
            bar.update(task, completed=done, description=f"done: {label}")

        def describe(step: str) -> None:
            bar.update(task, description=step)

        yield show, describe


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
