"""Numbers in files: .npy of NumPy, and .csv that people write."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError

__all__ = ["archive", "by", "number_file", "read_numbers"]


def by(shape: Sequence[int]) -> str:
    """A shape in words: ``by((6, 4))`` is ``"6 x 4"``."""
    return " x ".join(map(str, shape)) or "one number"


def read_numbers(path: Path) -> FloatArray:
    """The numbers of a .npy or .csv file; a .csv gives rows and columns.

    Raises
    ------
    SpecError
        If the file is missing, cannot be read, or holds anything but real numbers.
    """
    if path.suffix not in (".npy", ".csv"):
        raise SpecError(f"{path}: numbers are read from .npy (NumPy) or .csv (comma-separated) files")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}") from None
    return _from_npy(path, content) if path.suffix == ".npy" else _from_csv(path, content)


def _from_npy(path: Path, content: bytes) -> FloatArray:
    try:
        values = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise SpecError(f"{path}: not a NumPy array file: {' '.join(str(error).split())}") from None
    if values.dtype.kind not in "fiub":
        raise SpecError(f"{path}: holds {values.dtype} values; real numbers are expected")
    return np.array(values, dtype=np.float64, order="C")


def _from_csv(path: Path, content: bytes) -> FloatArray:
    """Numbers separated by commas; empty lines, and what follows a #, are left out."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SpecError(f"{path}: cannot be read as a text file (UTF-8)") from None
    rows: list[list[float]] = []
    first = 0
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        words = [word.strip() for word in text.split(",")]
        for place, word in enumerate(words, 1):
            try:
                float(word)
            except ValueError:
                raise SpecError(f"{path}, line {number}, value {place}: {word!r} is not a number") from None
        if rows and len(words) != len(rows[0]):
            raise SpecError(f"{path}, line {number}: {len(words)} values, but line {first} has {len(rows[0])}")
        first = first or number
        rows.append([float(word) for word in words])
    if not rows:
        raise SpecError(f"{path}: holds no numbers")
    return np.array(rows)


def number_file(values: FloatArray, ending: str) -> bytes:
    """Numbers as the content of a file that ends in ``.csv``, a row on each line, or in ``.npy``."""
    if ending == ".csv":
        return "".join(",".join(map(repr, row)) + "\n" for row in np.atleast_2d(values).tolist()).encode()
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def archive(**arrays: FloatArray) -> bytes:
    """Arrays by name as the content of a .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
