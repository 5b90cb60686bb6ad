"""What a report says in words: tables of text and short notes, for the terminal and the page alike."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Note", "TextTable", "device_note", "percent"]


class TextTable(NamedTuple):
    """A table of text; the first column is left-aligned, the others are numbers. On the page, figures follow it.

    Parameters
    ----------
    title
        The heading.
    header
        The names of the columns.
    rows
        The lines, each with a text for every column.
    figures
        Names of the figures that follow the table on the page.
    """

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: tuple[str, ...] = ()


class Note(NamedTuple):
    """A paragraph with a heading of its own, below the tables and figures."""

    title: str
    text: str


def percent(share: float) -> str:
    """A share with two decimals: ``percent(0.1234)`` is ``"12.34 %"``."""
    return f"{100 * share:.2f} %"


def device_note(title: str, device: Mapping[str, Any]) -> Note:
    """What a device is and where its figures come from.

    Parameters
    ----------
    title
        The heading.
    device
        The fields of the device, as the study of a trace holds them.
    """
    return Note(title, f"{device['title'] or device['name']}. {device['source']} {device['note']}")
