"""The command about devices: parse, call, print."""

import json
from pathlib import Path
from typing import Annotated

import typer

from rramsim.errors import SpecError

__all__ = ["presets"]


def presets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A preset or a card FILE.toml, for its whole card.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FIGURE", help="Draw its curves: .png, .svg or .pdf.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all its fields as JSON instead, for scripts.")] = False,
) -> None:
    """List all devices, or print the card of one: its figures, their source, and its curves.

    Among them are those that other packages offer. NAME may be the path of a card
    of your own, too. A figure is never overwritten: an existing file is refused.

    [bold]Examples[/bold]

      rramsim presets
      rramsim presets rram-wan-2022 --plot wan.png
      rramsim presets my.toml
    """
    from rramsim.cell.device import device
    from rramsim.cell.portrait import portrait
    from rramsim.files import check_targets, write_new_file
    from rramsim.report.terminal import terminal

    from .device_card import absence, one_line, print_card
    from .device_list import print_devices

    if name is None:
        if plot is not None or as_json:
            raise SpecError(f"{'--plot' if plot else '--json'}: give the NAME of a device")
        print_devices(terminal())
        return
    if plot is not None and as_json:
        raise SpecError("--json prints for scripts and --plot draws for people; give one of them")
    check_targets({plot: (".png", ".svg", ".pdf")})
    card = device(name)
    if as_json:
        typer.echo(json.dumps(card.model_dump(mode="json"), indent=2))
        return
    curves = portrait(card)
    print_card(terminal(), card, curves)
    if plot is not None:
        from rramsim.report.curves import device_figure
        from rramsim.report.style import picture

        figure = device_figure(
            curves, title=card.title or card.name, source=one_line(card.source), absent=absence(card)
        )
        write_new_file(plot, picture(figure, plot.suffix[1:]))
        typer.echo(f"\nfigure:  {plot}")
