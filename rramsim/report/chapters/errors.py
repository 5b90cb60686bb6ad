"""What went wrong inside: errors that the circuits made, by kind."""

from rramsim.report.chapter import Chapter
from rramsim.report.text import TextTable
from rramsim.trace.read import Trace

__all__ = ["ERRORS", "error_table"]


def error_table(trace: Trace) -> TextTable:
    """Errors that the circuits made, mean over the trials, for the lines that made any."""
    counts, variants = trace["errors/count"], trace["points/variant"]
    mean = {name: counts[variants == name].mean(axis=0) for name in trace["table/variant"]}
    guilty = [name for name, values in mean.items() if values.any()]
    rows = [
        (kind.replace("_", " "), *(f"{mean[name][k]:,.1f}" for name in guilty))
        for k, kind in enumerate(trace["errors/kind"])
    ]
    header = ("kind of error", *(name.replace("_", " ") for name in guilty))
    return TextTable("Errors counted in the circuits, mean over trials", header, rows)


def _tables(trace: Trace) -> list[TextTable]:
    return [error_table(trace)]


ERRORS = Chapter("errors", tables=_tables)
"""The errors of the circuits of a network, line by line."""
