"""What a study leaves: the datasets of its trace, of rramsim's groups and of those of other packages."""

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rramsim.errors import TraceError
from rramsim.trace.schema import PROBE_GROUP, Dataset, DatasetGroup
from rramsim.trace.write import write_trace

from .groups import GROUPS
from .outcome import NetworkOutcome, SweepOutcome

__all__ = ["ENTRY_POINT", "Record", "Signals", "all_groups", "record"]

ENTRY_POINT = "rramsim.datasets"
"""Group of entry points under which other packages offer groups of datasets: the name of the group, and the object."""

Signals = dict[str, tuple[NDArray[Any], str]]
"""What a probe recorded: values and unit by path."""


@dataclass(frozen=True)
class Record:
    """A study that has run, whole, before it is written.

    Parameters
    ----------
    attributes
        Title, seed, study, provenance and references; of groups that failed, their names and errors.
    datasets
        Values by path.
    signals
        What the probe recorded.
    schema
        What each dataset is, by path.
    """

    attributes: Mapping[str, str | int]
    datasets: Mapping[str, Any]
    signals: Signals
    schema: Mapping[str, Dataset]

    def write(self, path: Path) -> Path:
        """Write the trace, a file that does not exist yet; see :func:`rramsim.trace.write.write_trace`."""
        write_trace(path, self.attributes, self.datasets, self.signals, self.schema)
        return path


def record(
    attributes: Mapping[str, str | int],
    outcome: NetworkOutcome | SweepOutcome,
    signals: Signals,
    groups: Iterable[DatasetGroup],
) -> Record:
    """What a study leaves, from its outcome.

    A group of another package that fails now is left out, with a warning and in the attribute ``failed_datasets`` of
    the trace: the run is not lost by it.

    Parameters
    ----------
    attributes
        Title, seed, study and provenance.
    outcome
        What ran.
    signals
        What the probe recorded.
    groups
        Of :func:`all_groups`.
    """
    datasets: dict[str, Any] = {}
    schema: dict[str, Dataset] = {}
    failed: dict[str, str] = {}
    for group in groups:
        if not isinstance(outcome, group.outcome):
            continue
        try:
            datasets |= group.of(outcome)
        except Exception as error:
            if group in GROUPS:
                raise
            failed[group.name] = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"datasets {group.name!r} of another package are left out of the trace: {failed[group.name]}",
                stacklevel=2,
            )
        else:
            schema |= {entry.path: entry for entry in group.datasets}
    if failed:
        attributes = {**attributes, "failed_datasets": json.dumps(failed)}
    return Record(attributes, datasets, signals, schema)


def all_groups() -> tuple[DatasetGroup, ...]:
    """Groups of datasets at hand: those of rramsim, then those that other packages offer.

    Raises
    ------
    TraceError
        For a group that cannot be loaded, is none, or has a name that is taken; it names the package.
    """
    taken = {**{group.name: "rramsim" for group in GROUPS}, PROBE_GROUP: "rramsim"}
    groups = list(GROUPS)
    for entry in sorted(entry_points(group=ENTRY_POINT), key=lambda each: (each.name, each.value)):
        package = _package(entry)
        if entry.name in taken:
            raise TraceError(
                f"datasets {entry.name!r} of the package {package} ({entry.value}): {taken[entry.name]} has a group of "
                "that name; choose another, or uninstall one of the packages"
            )
        groups.append(_loaded(entry, package))
        taken[entry.name] = f"the package {package}"
    return tuple(groups)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value.partition(":")[0].partition(".")[0]


def _loaded(entry: EntryPoint, package: str) -> DatasetGroup:
    at = f"datasets {entry.name!r} of the package {package} ({entry.value})"
    try:
        group = entry.load()
    except Exception as error:
        raise TraceError(f"{at} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(group, DatasetGroup):
        raise TraceError(f"{at}: is no rramsim.trace.schema.DatasetGroup; got {group!r}")
    if group.name != entry.name:
        raise TraceError(f"{at}: its group is called {group.name!r}; both names are one")
    outcomes = (NetworkOutcome, SweepOutcome)
    if group.outcome not in outcomes:
        allowed = " or ".join(f"{each.__module__}.{each.__name__}" for each in outcomes)
        raise TraceError(f"{at}: its outcome is {allowed}; got {group.outcome!r}")
    return group
