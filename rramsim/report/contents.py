"""The contents of a report: the chapters that a trace has data for, in the order of reading."""

from rramsim.trace.read import Trace

from .chapter import Chapter, Drawings
from .chapters.accuracy import ACCURACY
from .chapters.cost import COST
from .chapters.errors import ERRORS
from .chapters.schedule import SCHEDULE
from .chapters.signals import SIGNALS
from .chapters.sweeps import SWEEPS
from .text import Note, TextTable

__all__ = ["CHAPTERS", "chapters", "drawings", "leads", "notes", "tables"]

CHAPTERS = (ACCURACY, COST, ERRORS, SCHEDULE, SIGNALS, SWEEPS)
"""All chapters, in the order of reading."""


def chapters(trace: Trace) -> list[Chapter]:
    """The chapters that a trace has data for."""
    return [chapter for chapter in CHAPTERS if chapter.needs in trace]


def leads(trace: Trace) -> list[str]:
    """The paragraphs for the head of the page."""
    return [chapter.lead for chapter in chapters(trace) if chapter.lead]


def tables(trace: Trace) -> list[TextTable]:
    """All tables of a trace."""
    return [table for chapter in chapters(trace) for table in chapter.tables(trace)]


def drawings(trace: Trace) -> Drawings:
    """All figures of a trace by name, none of them drawn yet."""
    return {name: drawing for chapter in chapters(trace) for name, drawing in chapter.drawings(trace).items()}


def notes(trace: Trace) -> list[Note]:
    """What is said below all tables and figures."""
    return [note for chapter in chapters(trace) for note in chapter.notes(trace)]
