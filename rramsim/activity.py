"""Counts that add: what the hardware did (Activity), what it is made of (Inventory); and what came out (Result).

Both count *components* by the names of the cost tables in ``data/components``: ``adc_8b`` in an Activity is the number
of conversions, in an Inventory the number of converters. Hardware counts; only ``rramsim.cost`` knows joules and area.
The one exception is the energy of the cells, which depends on the data: the arrays integrate it (joules).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from .arrays import FloatArray
from .rng import Seed

__all__ = ["Activity", "Inventory", "Result"]


class _Counts:
    """A sparse table ``(block, component) -> count`` that adds and scales.

    Parameters
    ----------
    counts
        Number of each component, by name; they belong to no block until :meth:`within` names one.
    """

    __slots__ = ("_table",)

    def __init__(self, counts: Mapping[str, float] | None = None) -> None:
        self._table: dict[tuple[str, str], float] = {("", name): n for name, n in (counts or {}).items() if n}

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, float]]) -> Self:
        """The table with rows of (block, component, count)."""
        counts = cls()
        for block, component, count in rows:
            counts._table[block, component] = counts._table.get((block, component), 0) + count
        return counts

    def rows(self) -> Iterator[tuple[str, str, float]]:
        """Rows of (block, component, count), sorted by name."""
        for (block, component), count in sorted(self._table.items()):
            yield block, component, count

    def within(self, block: str) -> Self:
        """These counts, all attributed to ``block``."""
        return self.from_rows((block, component, count) for _, component, count in self.rows())

    def total(self, component: str) -> float:
        """The count of one component over all blocks."""
        return sum(count for (_, name), count in self._table.items() if name == component)

    def __add__(self, other: Self) -> Self:
        return self.from_rows([*self.rows(), *other.rows()])

    def __mul__(self, factor: float) -> Self:
        return self.from_rows((block, component, count * factor) for block, component, count in self.rows())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Counts) and self._table == other._table

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inside = ", ".join(f"{block}/{component}: {count:g}" for block, component, count in self.rows())
        return f"{type(self).__name__}({inside})"


class Activity(_Counts):
    """How often each component was used; ``cell_read_joule`` and ``cell_write_joule`` are energies in joules."""

    __slots__ = ()


class Inventory(_Counts):
    """How many of each component were built."""

    __slots__ = ()


@dataclass(frozen=True)
class Result:
    """What came out of a piece of hardware.

    Parameters
    ----------
    values
        The output array.
    activity
        What the hardware did for it.
    errors
        How often each kind of error happened, by name (``false_match``, ``adc_saturation``, ...); found by comparing
        what the circuit did with what it should have done, never drawn.
    seed
        What gives these values again as ``rng``; None: nothing was drawn.
    """

    values: FloatArray
    activity: Activity
    errors: dict[str, int] = field(default_factory=dict)
    seed: Seed | None = None
