"""HDF5 files with a digest at their end: one that was cut short, damaged or changed is refused."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import h5py

from .errors import TraceError
from .files import check_writable, write_new_file

__all__ = ["file_format", "open_hdf5", "write_hdf5"]

_DIGEST_BYTES = 32


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


def file_format(path: Path) -> str:
    """What a file that rramsim wrote says that it is.

    Raises
    ------
    TraceError
        If the file is missing, damaged, or none of rramsim.
    """
    _check_whole(path, "file of rramsim")
    with h5py.File(path, "r") as file:
        return str(file.attrs["format"])


def open_hdf5(path: Path, kind: str, name: str, newest: int) -> h5py.File:
    """Open a file that rramsim wrote, whole and of a format that is known.

    Parameters
    ----------
    path
        The file.
    kind
        What it should be, for messages.
    name, newest
        Format of the file, and the newest version of it that can be read.

    Raises
    ------
    TraceError
        If the file is missing, damaged, of another kind, or of a newer version.
    """
    _check_whole(path, kind)
    file = h5py.File(path, "r")
    format_name, version = str(file.attrs["format"]), int(file.attrs["format_version"])
    if format_name == name and version <= newest:
        return file
    file.close()
    if format_name != name:
        raise TraceError(f"{path}: not a {kind}: it says that it is a {format_name!r}")
    raise TraceError(
        f"{path}: written in format version {version}; this rramsim reads up to {newest}. Upgrade rramsim."
    )


def _check_whole(path: Path, kind: str) -> None:
    """Refuse whatever is not, byte for byte, a file as it was written: the HDF5 library may crash on damaged files."""
    if os.path.lexists(path) and not os.path.isfile(path):
        raise TraceError(f"{path}: not a file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TraceError(f"{path}: no such file") from None
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content[:-_DIGEST_BYTES]).digest() == content[-_DIGEST_BYTES:]:
        return
    if not content.startswith(b"\x89HDF\r\n\x1a\n"):
        raise TraceError(f"{path}: not a {kind}: it does not begin like an HDF5 file")
    raise TraceError(
        f"{path}: an HDF5 file, but not a {kind} as rramsim wrote it: its digest is wrong, so it was cut short, "
        "damaged or changed, or another program wrote it"
    )
