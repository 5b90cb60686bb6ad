"""The command line as a whole: its commands, its help, and what becomes of an error."""

import sys
from importlib.metadata import version as package_version
from typing import Annotated

import typer

from rramsim.errors import RramsimError

from .array import ArrayCommand, netlist, solve
from .cite import cite
from .commands import CommandGroup
from .device import presets
from .fit import fit_device
from .study import init, run
from .trace import report, show

__all__ = ["app", "main"]

_BAD_INPUT = 2

app = typer.Typer(
    name="rramsim",
    cls=CommandGroup,
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


app.command()(run)
app.command()(init)
app.command()(show)
app.command()(report)
app.command()(presets)
app.command("fit-device")(fit_device)
app.command()(cite)
app.command(cls=ArrayCommand)(solve)
app.command(cls=ArrayCommand)(netlist)


def main() -> None:
    """Run the command line; every error that rramsim raises on purpose is one message and exit code 2."""
    try:
        app()
    except RramsimError as error:
        print(f"rramsim: {error}", file=sys.stderr)
        sys.exit(_BAD_INPUT)
