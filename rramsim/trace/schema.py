"""What a trace holds: groups of datasets, each described and given its values in one place; writer and docs follow it.

A trace is an HDF5 file. Its root attributes name the format, the study and where it came from; each group is a table or
a set of arrays whose axes carry names. A network study leaves all groups but ``sweep``, a softmax study that one.
Behind the end that HDF5 knows follows the SHA-256 of all bytes before (:mod:`rramsim.hdf5`): a trace is a record, and
one that was changed or damaged is refused. Format version 1.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FORMAT", "FORMAT_VERSION", "PROBE_GROUP", "Dataset", "DatasetGroup"]

FORMAT = "rramsim-trace"
FORMAT_VERSION = 1
PROBE_GROUP = "probe"

_TYPES = ("str", "bool", "int8", "int16", "int32", "int64", "float32", "float64")


@dataclass(frozen=True)
class Dataset:
    """One dataset of a trace.

    Parameters
    ----------
    path
        The group and the name in it.
    axes
        Names of the axes; those of one name in one group have one length.
    kind
        The NumPy type ("float64", "int32", "bool", ...), or "str" for text.
    unit
        The SI unit; "1" for a pure number, empty for text and where units stand in a dataset beside it.
    doc
        What the values mean.
    """

    path: str
    axes: tuple[str, ...]
    kind: str
    unit: str
    doc: str


@dataclass(frozen=True)
class DatasetGroup:
    """The datasets of one group of a trace, and where their values come from.

    Parameters
    ----------
    name
        The group: lower-case letters, digits and underscores.
    outcome
        Class of what a study leaves in memory; the group is written for an outcome of this class.
    datasets
        What the group holds; their paths begin with its name.
    values
        Gives, for an outcome, the values by name within the group.

    Raises
    ------
    ValueError
        For a name, a path, a type or axes that a trace cannot hold.
    """

    name: str
    outcome: type[Any]
    datasets: tuple[Dataset, ...]
    values: Callable[[Any], Mapping[str, Any]]

    def __post_init__(self) -> None:
        """Refuse what could not be written: no run should be lost by it."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"a group is named by lower-case letters, digits and underscores; got {self.name!r}")
        names = [entry.path.removeprefix(f"{self.name}/") for entry in self.datasets]
        for entry, name in zip(self.datasets, names, strict=True):
            if entry.path != f"{self.name}/{name}" or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"path {entry.path!r} is not {self.name}/NAME")
            if entry.kind not in _TYPES:
                raise ValueError(f"{entry.path}: type {entry.kind!r} is none of {', '.join(_TYPES)}")
            if not entry.axes:
                raise ValueError(f"{entry.path}: has no axes; a number stands in a dataset of one element")
            if taken := set(entry.axes) & set(names):
                raise ValueError(f"{entry.path}: axis {min(taken)!r} has the name of a dataset of the group")
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"group {self.name!r} holds each dataset once, and at least one; got {names}")

    def of(self, outcome: Any) -> dict[str, Any]:
        """Values by path, checked against the description.

        Raises
        ------
        ValueError
            For values that are not those of the description.
        """
        values = {f"{self.name}/{name}": value for name, value in self.values(outcome).items()}
        if values.keys() != {entry.path for entry in self.datasets}:
            wanted = ", ".join(entry.path for entry in self.datasets)
            raise ValueError(f"group {self.name!r} holds {wanted}; its values are those of {', '.join(values)}")
        lengths: dict[str, int] = {}
        for entry in self.datasets:
            shape = np.shape(np.asarray(values[entry.path], dtype=object if entry.kind == "str" else entry.kind))
            if len(shape) != len(entry.axes):
                raise ValueError(f"{entry.path}: has the axes {', '.join(entry.axes)}; got the shape {shape}")
            for axis, length in zip(entry.axes, shape, strict=True):
                if lengths.setdefault(axis, length) != length:
                    raise ValueError(f"{entry.path}: axis {axis!r} has the length {lengths[axis]}; got {length}")
        return values
