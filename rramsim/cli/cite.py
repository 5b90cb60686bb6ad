"""The command about references: parse, call, print."""

from typing import Annotated

import typer

__all__ = ["cite"]


def cite(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A device, macro, component table or study by its name, or the file of a card, a study or a trace.",
        ),
    ],
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print entries for BibTeX instead of a list.")] = False,
) -> None:
    """Print what to cite: the publications, programs and data behind the figures.

    rramsim itself is the first of them.

    [bold]Examples[/bold]

      rramsim cite rram-wan-2022
      rramsim cite my-study.toml
      rramsim cite digits-001.h5 --bibtex > references.bib
    """
    from rramsim.study.citing import cite as references_of

    citations = references_of(what)
    typer.echo(citations.bibtex if bibtex else citations.text)
