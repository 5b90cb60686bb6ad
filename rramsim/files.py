"""Files that appear whole or not at all, and never in place of another."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import SpecError, TraceError
from .interrupts import sigint_held

__all__ = ["check_targets", "check_writable", "free_name", "write_new_file"]


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
