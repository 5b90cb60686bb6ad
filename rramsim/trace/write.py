"""The one writer of traces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rramsim.hdf5 import write_hdf5

from .schema import FORMAT, FORMAT_VERSION, PROBE_GROUP, Dataset

__all__ = ["write_trace"]


def write_trace(
    path: Path,
    attributes: Mapping[str, str | int],
    datasets: Mapping[str, Any],
    signals: Mapping[str, tuple[NDArray[Any], str]],
    schema: Mapping[str, Dataset],
) -> None:
    """Write a trace.

    Parameters
    ----------
    path
        Must not exist.
    attributes
        Attributes of the root: study, seed, provenance, references.
    datasets
        Values by path.
    signals
        What a probe recorded: values and unit by path; the first axis of each is free, its meaning is in the docs.
    schema
        What each dataset is, by path.

    Raises
    ------
    TraceError
        If the file exists or cannot be written; nothing is left behind then.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        for key, value in attributes.items():
            file.attrs[key] = value
        for name, values in datasets.items():
            _write_dataset(file, schema[name], values)
        for name, (values, unit) in signals.items():
            dataset = file.create_dataset(
                f"{PROBE_GROUP}/{name}", data=values, compression="gzip", compression_opts=4, shuffle=True
            )
            dataset.attrs["units"] = unit

    write_hdf5(path, fill)


def _write_dataset(file: h5py.File, entry: Dataset, values: Any) -> None:
    name = entry.path
    if entry.kind == "str":
        dataset = file.create_dataset(name, data=list(values), dtype=h5py.string_dtype())
    else:
        array = np.asarray(values, dtype=entry.kind)
        compress = {"compression": "gzip", "shuffle": True} if array.size > 1024 else {}
        dataset = file.create_dataset(name, data=array, **compress)
    dataset.attrs["units"] = entry.unit
    dataset.attrs["long_name"] = entry.doc
    group = dataset.parent
    for axis, label in enumerate(entry.axes):
        if label not in group:
            scale = group.create_dataset(label, data=np.arange(dataset.shape[axis], dtype=np.int32))
            scale.make_scale(label)
        dataset.dims[axis].attach_scale(group[label])
        dataset.dims[axis].label = label
