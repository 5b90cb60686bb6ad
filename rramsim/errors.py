"""The errors that rramsim raises on purpose; each message says what was given, what is allowed, and why."""

from collections.abc import Sequence

__all__ = ["ConvergenceError", "RangeError", "RramsimError", "SpecError", "TraceError"]


class RramsimError(Exception):
    """Base class: catching it catches every error that rramsim raises on purpose."""


class SpecError(RramsimError, ValueError):
    """A specification, a study file or an argument asks for something that is not allowed.

    Parameters
    ----------
    message
        What was given, what is allowed, and why.
    problems
        Every problem of a specification as (path of keys, sentence).
    """

    def __init__(self, message: str, problems: Sequence[tuple[tuple[str | int, ...], str]] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems)


class RangeError(RramsimError, ValueError):
    """A value lies outside the range in which a device or a published fit is defined."""


class ConvergenceError(RramsimError, ArithmeticError):
    """An iterative solution missed its tolerance; nothing is returned in that case."""


class TraceError(RramsimError, OSError):
    """A trace file is missing, damaged, of a newer format, or cannot be written."""
