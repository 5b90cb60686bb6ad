"""The commands about a study: run one, or write one to start from."""

from pathlib import Path
from typing import Annotated

import typer

from rramsim.cards import STUDIES

__all__ = ["init", "run"]


def run(
    study: Annotated[
        Path | None,
        typer.Argument(
            metavar="STUDY.toml",
            help=f"A study file, or one that comes with rramsim: {', '.join(STUDIES.names)}. Without one, digits.",
            show_default=False,
        ),
    ] = None,
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
    from .study_run import run_study

    run_study(study, settings or (), out, workers)


def init(
    path: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The file to write; it must not exist.")] = Path(
        "study.toml"
    ),
    study: Annotated[str, typer.Option(metavar="NAME", help=f"Which study: {', '.join(STUDIES.names)}.")] = "digits",
) -> None:
    """Write a commented study file to start from: the embedded study, every key with its meaning."""
    from rramsim.files import write_new_file
    from rramsim.study.toml import study_text

    write_new_file(path, study_text(study).encode())
    print(f"{path}: written; run it with `rramsim run {path}`")
