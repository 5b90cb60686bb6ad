"""What an inference costs: counted work and parts, times the figures of a component table."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rramsim.activity import Activity, Inventory
from rramsim.component_names import CellEnergy
from rramsim.errors import SpecError

from .components import ComponentTable
from .pipeline import Schedule

__all__ = ["Budget", "Part", "budget"]

_JOULES = frozenset(CellEnergy)


@dataclass(frozen=True)
class Part:
    """What one component in one block adds to a budget.

    Parameters
    ----------
    block, component
        Names of both; empty for a sum over all.
    energy_joule
        Energy per inference.
    energy_share
        Fraction of the whole energy, 0 to 1.
    area_square_metre
        Area of all its parts.
    area_share
        Fraction of the whole area, 0 to 1.
    """

    block: str
    component: str
    energy_joule: float
    energy_share: float
    area_square_metre: float
    area_share: float


@dataclass(frozen=True)
class Budget:
    """What one inference costs, and how efficient that is.

    Parameters
    ----------
    energy_joule_per_inference
        Dynamic energy of one inference.
    latency_second
        Time from the arrival of an input to its result.
    interval_second
        Time per inference when inferences follow one another.
    area_square_metre
        Area of all parts.
    operations_per_inference
        Useful operations of one inference; a multiplication and its addition are two.
    parts
        Where energy and area go, by block and component, the largest energy first.
    """

    energy_joule_per_inference: float
    latency_second: float
    interval_second: float
    area_square_metre: float
    operations_per_inference: float
    parts: tuple[Part, ...]

    @property
    def inferences_per_second(self) -> float:
        """Inferences per second when they follow one another."""
        return 1.0 / self.interval_second

    @property
    def average_power_watt(self) -> float:
        """Power when inferences follow one another, watt."""
        return self.energy_joule_per_inference / self.interval_second

    @property
    def gops_per_second(self) -> float:
        """10^9 operations per second when inferences follow one another."""
        return self.operations_per_inference / self.interval_second / 1e9

    @property
    def gops_per_second_per_watt(self) -> float:
        """Computing efficiency: 10^9 operations per joule."""
        return self.operations_per_inference / self.energy_joule_per_inference / 1e9

    @property
    def gops_per_second_per_square_millimetre(self) -> float:
        """10^9 operations per second on each square millimetre."""
        return self.gops_per_second / (self.area_square_metre * 1e6)

    def by(self, what: Literal["block", "component"]) -> tuple[Part, ...]:
        """Sum the parts over all components of a block, or over all blocks of a component; the largest energy first."""
        if what not in ("block", "component"):
            raise SpecError(f"a budget is summed by block or by component; got {what!r}")
        rows = [
            (part.block if what == "block" else "", part.component if what == "component" else "", part)
            for part in self.parts
        ]
        return _parts((block, component, part.energy_joule, part.area_square_metre) for block, component, part in rows)


def budget(
    activity: Activity,
    inventory: Inventory,
    schedule: Schedule,
    n_inferences: int,
    operations_per_inference: float,
    components: ComponentTable,
) -> Budget:
    """Price what the hardware did.

    Parameters
    ----------
    activity
        Uses of each component during ``n_inferences`` inferences together; ``cell_read_joule`` and
        ``cell_write_joule`` are energies in joules.
    inventory
        Number of parts.
    schedule
        One inference in the pipeline.
    n_inferences
        At least 1.
    operations_per_inference
        Useful operations of one inference, more than 0; a multiplication and its addition are two.
    components
        Energy per use and area per part.

    Raises
    ------
    SpecError
        For a component that the table lacks, for counts without energy or area, or for numbers out of range.
    """
    if n_inferences < 1:
        raise SpecError(f"n_inferences is a number of at least 1; got {n_inferences!r}")
    if not (math.isfinite(operations_per_inference) and operations_per_inference > 0):
        raise SpecError(f"operations_per_inference is a number above 0; got {operations_per_inference!r}")
    rows = [
        (block, name, count * (1.0 if name in _JOULES else components[name].energy_joule) / n_inferences, 0.0)
        for block, name, count in activity.rows()
    ]
    rows += [(block, name, 0.0, count * components[name].area_square_metre) for block, name, count in inventory.rows()]
    energy = math.fsum(row[2] for row in rows)
    area = math.fsum(row[3] for row in rows)
    for total, counts in ((energy, "activity"), (area, "inventory")):
        if not (math.isfinite(total) and total > 0):
            raise SpecError(f"the {counts} adds up to {total!r}; a budget needs a finite sum above 0")
    return Budget(
        energy_joule_per_inference=energy,
        latency_second=schedule.latency_second,
        interval_second=schedule.interval_second,
        area_square_metre=area,
        operations_per_inference=operations_per_inference,
        parts=_parts(rows),
    )


def _parts(rows: Iterable[tuple[str, str, float, float]]) -> tuple[Part, ...]:
    """Rows of (block, component, joule, square metre), summed by name, with their shares, the largest energy first."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for block, component, energy, area in rows:
        before = sums.get((block, component), (0.0, 0.0))
        sums[block, component] = (before[0] + energy, before[1] + area)
    all_energy = math.fsum(energy for energy, _ in sums.values())
    all_area = math.fsum(area for _, area in sums.values())
    parts = [
        Part(block, component, energy, energy / all_energy, area, area / all_area)
        for (block, component), (energy, area) in sums.items()
    ]
    parts.sort(key=lambda part: (-part.energy_joule, -part.area_square_metre, part.block, part.component))
    return tuple(parts)
