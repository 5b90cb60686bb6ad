"""The command that fits a device to measured cells: parse, call, print."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["fit_device"]


def fit_device(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA.csv",
            help="Measured cells, with a header: target_siemens, read_siemens, and if there are time_second, cycle, "
            "cell.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="CARD.toml", help="The card; by default it is printed.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the device; by default that of the card.", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option(help="What the cell is.", show_default=False)] = "",
    source: Annotated[
        str, typer.Option(help="Where the data come from; by default the name of the file.", show_default=False)
    ] = "",
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FIGURE", help="Draw data and fit: .png, .svg or .pdf.", show_default=False),
    ] = None,
) -> None:
    """Fit a device to measured cells, and write its card.

    The card is used by its path wherever a preset is named. Without --out it is
    printed, with how well it fits in its comments. Too few data are refused.
    Nothing is ever overwritten: an existing file is refused.

    [bold]Examples[/bold]

      rramsim fit-device cells.csv -o mine.toml --plot mine.png
      rramsim presets mine.toml
      rramsim run --set device.preset=mine.toml
    """
    from rramsim.cell.fitting.fit import fit_device as fit_cells
    from rramsim.files import check_targets, write_new_file

    check_targets({out: (".toml",), plot: (".png", ".svg", ".pdf")})
    fit = fit_cells(str(data), name=name or (out.stem if out else "measured"), title=title, source=source)
    card, image = fit.to_toml(), b""
    if plot:
        from rramsim.report.curves import fit_figure
        from rramsim.report.style import picture

        retention = None if fit.retention is None else fit.retention.series()
        figure = fit_figure(fit.levels.series(), retention, title=fit.device.title or fit.device.name)
        image = picture(figure, plot.suffix[1:])
    typer.echo("\n".join(fit.report()) if out else card, nl=out is not None)
    if out:
        write_new_file(out, card.encode())
        typer.echo(f"\ncard:    {out}; use it with `rramsim presets {out}`")
    if plot:
        write_new_file(plot, image)
        typer.echo(f"figure:  {plot}" if out else f"# figure: {plot}")
