"""A chapter: what a report says of one subject, where the trace holds it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rramsim.trace.read import Trace

from .text import Note, TextTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Chapter", "Drawing", "Drawings"]


class Drawing(NamedTuple):
    """A figure that is drawn when it is wanted, and its caption."""

    draw: Callable[[], "Figure"]
    caption: str


Drawings = Mapping[str, Drawing]
"""Figures by name: the name is that of a file, too."""


def _nothing(_trace: Trace) -> tuple[()]:
    return ()


def _no_drawings(_trace: Trace) -> Drawings:
    return {}


@dataclass(frozen=True)
class Chapter:
    """What a report says of one subject.

    Parameters
    ----------
    needs
        The group or dataset without which a trace has nothing for the chapter.
    lead
        A paragraph for the head of the page; empty: none.
    tables
        Gives the tables of a trace, in the order of reading.
    drawings
        Gives the figures of a trace. One that a table names follows it on the page, others follow the last table.
    notes
        Gives what is said of a trace below its tables and figures.
    """

    needs: str
    lead: str = ""
    tables: Callable[[Trace], Sequence[TextTable]] = _nothing
    drawings: Callable[[Trace], Drawings] = _no_drawings
    notes: Callable[[Trace], Sequence[Note]] = _nothing
