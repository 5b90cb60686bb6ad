"""One curve of a figure or a table, as plain arrays."""

from typing import NamedTuple

from .arrays import FloatArray

__all__ = ["Series"]


class Series(NamedTuple):
    """One curve: values against a variable, with the name under which people see it.

    Parameters
    ----------
    label
        Name of the curve.
    x, y
        (n,) variable and values, in SI.
    deviation
        (n,) standard deviation around y, for a band or for error bars; None: there is none.
    sampled
        Whether the points stand for themselves, such as those of cells that were drawn, and make no line.
    """

    label: str
    x: FloatArray
    y: FloatArray
    deviation: FloatArray | None = None
    sampled: bool = False
