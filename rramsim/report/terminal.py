"""Tables on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .text import TextTable

__all__ = ["print_table", "terminal"]


_WIDEST = 1000


def terminal() -> Console:
    """The terminal; lines of 100 characters where the output goes elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=100)


def print_table(console: Console, table: TextTable, *, wrap: bool = False) -> None:
    """Print a table below its title; ``wrap`` breaks long text in the last column, else no cell is broken."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(table.header):
        text = wrap and number == len(table.header) - 1
        drawn.add_column(heading, justify="left" if number == 0 or text else "right", no_wrap=not text)
    for row in table.rows:
        drawn.add_row(*row)
    console.print(f"\n[bold]{table.title}[/bold]", soft_wrap=True)
    width = console.width
    if not wrap:  # wider than the terminal, a table is printed whole nevertheless
        console.width = max(width, console.measure(drawn, options=console.options.update(max_width=_WIDEST)).maximum)
    console.print(drawn)
    console.width = width
