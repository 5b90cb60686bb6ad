"""Tables in Markdown on the standard output."""

import sys
from collections.abc import Iterable, Sequence

__all__ = ["as_factor", "show"]


def as_factor(ratio: float) -> str:
    """How many times as long: three digits."""
    if ratio < 1:
        return f"1 / {1 / ratio:.2f}"
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [list(headings), *map(list, rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(headings))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def show(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    sys.stdout.write(f"{title}:\n\n{markdown(headings, rows)}\n\n")
    sys.stdout.flush()
