"""The list of all devices on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rramsim.cards import DEVICES
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.portrait import middle_figures
from rramsim.errors import SpecError
from rramsim.units import quantity

__all__ = ["offering_packages", "print_devices"]


def print_devices(console: Console) -> None:
    """Print a line for each device at hand."""
    packages = offering_packages()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("cell")
    for heading in ("window", "levels", "spread", "drift", "noise"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in DEVICES.names:
        offered = f" (package {packages[name]})" if name in packages else ""
        try:
            card = device(name)
            figures = _figures(card)
        except SpecError:  # a broken package hides no other device
            table.add_row(Text(name), Text(f"cannot be used: `rramsim presets {name}` says why{offered}"))
            continue
        title = Text(card.title or card.technology)
        title.append(offered, style="italic")
        table.add_row(Text(name), title, *figures)
    console.print("[bold]Devices[/bold]")
    console.print(table)
    console.print(
        "\nSpread and noise of a read are one standard deviation in the middle of the window. "
        "`rramsim presets NAME` prints a card."
    )


def offering_packages() -> dict[str, str]:
    """Package that offers each device which is not rramsim's own."""
    return {name: each.dist.name if each.dist else each.value for name, each in DEVICES.offered.items()}


def _figures(card: DeviceSpec) -> tuple[str, ...]:
    """Window, levels, spread, drift and noise of a device."""
    top, unit = quantity(card.g_max_siemens, "S").split()
    middle = middle_figures(card)
    return (
        f"{card.g_min_siemens / card.g_max_siemens * float(top):.3g} .. {top} {unit}",
        "-" if card.level_siemens is None else str(card.level_siemens.size),
        quantity(middle.spread_siemens, "S") if middle.spread_siemens else "-",
        "no" if card.relaxation.ideal and card.drift.ideal else "yes",
        f"{100 * middle.noise_siemens / middle.g_siemens:.2g} %" if middle.noise_siemens else "-",
    )
