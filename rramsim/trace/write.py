"""The one writer of traces: the file appears whole, or not at all."""

import hashlib
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rramsim.errors import SpecError, TraceError

from .schema import DATASETS, FORMAT, FORMAT_VERSION, PROBE_GROUP

__all__ = [
    "ProbeRecorder",
    "check_targets",
    "check_writable",
    "free_name",
    "sigint_held",
    "write_hdf5",
    "write_new_file",
    "write_trace",
]


class ProbeRecorder:
    """A probe that keeps copies of the signals, by their path."""

    active = True

    def __init__(self, path: str = "", signals: dict[str, tuple[NDArray[Any], str]] | None = None) -> None:
        self._path = path
        self.signals = {} if signals is None else signals

    def record(self, name: str, values: NDArray[Any], unit: str = "1") -> None:
        """Keep a copy of ``values``."""
        self.signals[self._path + name] = (np.array(values), unit)

    def within(self, name: str) -> "ProbeRecorder":
        """The recorder of the signals below ``name``."""
        return ProbeRecorder(f"{self._path}{name}/", self.signals)


def free_name(folder: Path, stem: str) -> Path:
    """The first of ``stem-001.h5``, ``stem-002.h5``, ... that is taken neither by a trace nor by a report."""
    number = 1
    while True:
        path = folder / f"{stem}-{number:03d}.h5"
        if not path.exists() and not path.with_suffix(".html").exists():
            return path
        number += 1


def check_writable(path: Path) -> None:
    """Refuse, before any work is done, a file that exists or a folder that cannot be written.

    Raises
    ------
    TraceError
        Saying which, and what to do.
    """
    try:
        os.lstat(path)  # a link that leads nowhere is a name that is taken, too
    except FileNotFoundError:
        pass
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error.strerror or error}") from None
    else:
        raise TraceError(f"{path}: exists already and is never overwritten; choose another name, or remove it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise TraceError(f"{path}: its folder cannot be written: {error.strerror or error}") from None


def check_targets(targets: Mapping[Path | None, tuple[str, ...]]) -> None:
    """Refuse, before any work is done, files that cannot be written, or whose names do not say what they are.

    Parameters
    ----------
    targets
        For each file the endings that its name may have; a file that is not asked for is None.

    Raises
    ------
    SpecError
        For another ending.
    TraceError
        As of :func:`check_writable`.
    """
    for path, endings in targets.items():
        if path is not None:
            if path.suffix not in endings:
                raise SpecError(f"{path}: its name must end in {' or '.join(endings)}, which says what is written")
            check_writable(path)


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet: beside it under a temporary name, then renamed without overwriting."""
    check_writable(path)
    with sigint_held():
        temporary = None
        try:
            handle, name = tempfile.mkstemp(prefix=".rramsim-", dir=path.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o666 & ~_umask())
            _rename_new(temporary, path)
        except FileExistsError:
            raise TraceError(f"{path}: was created by another program meanwhile, and is not overwritten") from None
        except OSError as error:
            raise TraceError(f"{path}: cannot be written: {error.strerror or error}") from None
        finally:
            if temporary:
                temporary.unlink(missing_ok=True)


def _rename_new(old: Path, new: Path) -> None:
    """Rename a file; FileExistsError where the name is taken, which a plain rename would overwrite."""
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: take the name first
        with new.open("xb"):
            pass
        try:
            old.replace(new)
        except OSError:
            new.unlink()
            raise


@contextmanager
def sigint_held() -> Iterator[None]:
    """Keep Ctrl-C waiting; processes that start meanwhile never see one.

    The mask is what they inherit. It does not keep the signal from another thread, for which Python would then
    interrupt the main one: so the handler, too, only takes note until the end.
    """
    pressed = []
    main = current_thread() is main_thread()  # others have no handlers, and are not interrupted
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_trace(
    path: Path,
    attributes: Mapping[str, str | int],
    datasets: Mapping[str, Any],
    signals: Mapping[str, tuple[NDArray[Any], str]],
) -> None:
    """Write a trace.

    Parameters
    ----------
    path
        Must not exist.
    attributes
        Attributes of the root: study, seed, provenance.
    datasets
        Values by path; every path is registered in :data:`rramsim.trace.schema.DATASETS`.
    signals
        What a probe recorded: values and unit by path; the first axis of each is free, its meaning is in the docs.

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
            _write_dataset(file, name, values)
        for name, (values, unit) in signals.items():
            dataset = file.create_dataset(
                f"{PROBE_GROUP}/{name}", data=values, compression="gzip", compression_opts=4, shuffle=True
            )
            dataset.attrs["units"] = unit

    write_hdf5(path, fill)


def write_hdf5(path: Path, fill: Callable[[h5py.File], None]) -> None:
    """Write an HDF5 file that must not exist yet, with a digest of its content at its end.

    Parameters
    ----------
    path
        Must not exist.
    fill
        Puts attributes and datasets into the file.

    Raises
    ------
    TraceError
        If the file exists or cannot be written; nothing is left behind then.
    """
    check_writable(path)
    with h5py.File("content", "w", driver="core", backing_store=False, track_order=True) as file:
        fill(file)
        file.flush()
        content = file.id.get_file_image()
    # HDF5 readers do not look beyond the end that the file itself names, so a digest may follow.
    write_new_file(path, content + hashlib.sha256(content).digest())


def _write_dataset(file: h5py.File, name: str, values: Any) -> None:
    entry = DATASETS[name]
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
