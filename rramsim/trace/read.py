"""Reading traces back; older format versions stay readable, newer or damaged files are refused."""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from rramsim.errors import TraceError
from rramsim.hdf5 import open_hdf5
from rramsim.references import Citations, Reference

from .schema import FORMAT, FORMAT_VERSION, PROBE_GROUP

if TYPE_CHECKING:
    import xarray

__all__ = ["Trace", "open_trace"]


def open_trace(path: str | Path) -> "Trace":
    """Open a trace for reading; a context manager, or call :meth:`Trace.close`.

    Raises
    ------
    TraceError
        If the file is missing, damaged, no trace, or of a newer format.
    """
    path = Path(path)
    return Trace(path, open_hdf5(path, "trace", FORMAT, FORMAT_VERSION))


class Trace:
    """An open trace.

    ``trace["table/accuracy"]`` is a NumPy array (text as ``str``); ``trace.attributes`` are the attributes of the root.

    Parameters
    ----------
    path
        The file, for messages.
    file
        The open file; :func:`open_trace` opens and checks it.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the root: title, seed, study, provenance, references."""
        return dict(self._file.attrs)

    @property
    def study(self) -> dict[str, Any]:
        """The study with every setting resolved; presets are spelled out, with their sources."""
        resolved: dict[str, Any] = json.loads(self._file.attrs["study"])
        return resolved

    @property
    def provenance(self) -> dict[str, str]:
        """Time, host and versions."""
        facts: dict[str, str] = json.loads(self._file.attrs["provenance"])
        return facts

    @property
    def references(self) -> Citations | None:
        """What the run rests on, as it was when it ran; None in a trace that was written before traces held it."""
        if "references" not in self._file.attrs:
            return None
        return Citations(tuple(Reference(**fields) for fields in json.loads(self._file.attrs["references"])))

    def __contains__(self, name: str) -> bool:
        return name in self._file

    def __getitem__(self, name: str) -> NDArray[Any]:
        dataset = self._dataset(name)
        if h5py.check_string_dtype(dataset.dtype):
            return np.array([text.decode() for text in dataset[()]], dtype=object)
        return np.asarray(dataset[()])

    def _dataset(self, name: str) -> h5py.Dataset:
        if not self._file:
            raise TraceError(f"{self.path}: is closed already; open it again")
        dataset = self._file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise TraceError(f"{self.path}: holds no dataset {name!r}; `rramsim show {self.path}` lists them")
        return dataset

    def unit(self, name: str) -> str:
        """SI unit of a dataset; ``"1"`` for a pure number."""
        return str(self._dataset(name).attrs["units"])

    def datasets(self, group: str = "/") -> list[tuple[str, tuple[int, ...], str]]:
        """Path, shape and unit of every dataset below a group, axes left out."""
        listed: list[tuple[str, tuple[int, ...], str]] = []

        def visit(_name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and not item.is_scale:
                listed.append((item.name.lstrip("/"), item.shape, str(item.attrs.get("units", ""))))

        if group.strip("/") == "" or group in self._file:
            self._file[group].visititems(visit)
        return listed

    @property
    def signals(self) -> list[str]:
        """Paths of the inner signals that a probe recorded."""
        return [name for name, _, _ in self.datasets(PROBE_GROUP)]

    def to_xarray(self, group: str) -> "xarray.Dataset":
        """A group such as ``"points"`` as an ``xarray.Dataset`` (needs the extra ``analysis``)."""
        try:
            import xarray
        except ImportError:
            raise TraceError("to_xarray needs xarray: pip install 'rramsim[analysis]'") from None
        variables = {}
        datasets = self.datasets(group)
        if not datasets:
            raise TraceError(f"{self.path}: holds no group {group!r}; `rramsim show {self.path}` lists all datasets")
        for name, _, unit in datasets:
            dataset = self._file[name]
            axes = [dim.label or f"{name}_axis{k}" for k, dim in enumerate(dataset.dims)]
            attributes = {"units": unit, "long_name": str(dataset.attrs.get("long_name", ""))}
            variables[name.removeprefix(f"{group}/")] = (axes, self[name], attributes)
        return xarray.Dataset(variables)
