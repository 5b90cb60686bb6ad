"""A command: how many inputs each point of a trace names wrongly."""

from pathlib import Path
from typing import Annotated

import typer


def misses(trace: Annotated[Path, typer.Argument(help="A trace with the datasets of this package.")]) -> None:
    """Print how many inputs each point of a trace names wrongly."""
    import rramsim as rs

    with rs.open_trace(trace) as opened:
        for variant, wrong in zip(opened["points/variant"], opened["misses/wrong"], strict=True):
            typer.echo(f"{variant}: {wrong}")
