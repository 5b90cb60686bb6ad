"""Measured cells: reading a table of writes and reads, and refusing what cannot be one."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.errors import SpecError

__all__ = ["COLUMNS", "Measured", "MeasuredData", "read_measured"]

MeasuredData = str | PathLike[str] | ArrayLike | Any
"""Path of a CSV file; a mapping (dict, data frame) or a structured array of columns; or a 2-D array."""

COLUMNS = ("target_siemens", "read_siemens", "time_second", "cycle", "cell")
"""Columns of a table of measured cells, in the order of a 2-D array; the first two are needed."""

_UNITS = {"millisiemens": 1e3, "microsiemens": 1e6, "nanosiemens": 1e9}
_ALIASES = {f"{what}_{unit}": (f"{what}_siemens", per) for what in ("target", "read") for unit, per in _UNITS.items()}
_IDENTITIES = ("cycle", "cell")
_MOST_SIEMENS = 0.1
"""No memory cell conducts more; such a number is one in another unit."""
_LEAST_SIEMENS = 1e-12
_NOTHING_SIEMENS = 1e-24
_HELP = "allowed are " + ", ".join(COLUMNS) + " (the first two are needed; _microsiemens for _siemens will do)"


@dataclass(frozen=True)
class Measured:
    """Reads of written cells, checked; arrays of shape (n_reads,).

    Parameters
    ----------
    target, read
        Conductances asked for and read, siemens.
    time
        Time of each read since the write, second; None: not given.
    cycle, cell
        Which write, and of which cell, as numbers from 0; None: not given.
    origin
        Name of the file, or what else the table came as.
    unused
        Columns of the table that have no meaning here.
    """

    target: FloatArray
    read: FloatArray
    time: FloatArray | None
    cycle: IntArray | None
    cell: IntArray | None
    origin: str
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """Columns as they were given, and how to name a place in them."""

    columns: dict[str, Any]
    origin: str
    lines: Sequence[int] | None = None

    def place(self, row: int, column: str) -> str:
        """Where a value stands."""
        at = f"row {row} (counted from 0)" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.origin}, {at}, column {column}"


def read_measured(data: MeasuredData) -> Measured:
    """Read and check a table of measured cells.

    Parameters
    ----------
    data
        Path of a CSV file with a header; a mapping or a structured array of columns; or a 2-D array whose 2 to 5
        columns are those of ``COLUMNS``.

    Raises
    ------
    SpecError
        For a table that is not one of measured cells, with the place of what is wrong.
    """
    table = _from_csv(Path(data)) if isinstance(data, str | PathLike) else _from_columns(data)
    given, unused = _named(table)
    numbers = {name: _numbers(table, *given[name]) for name in given if given[name][0] not in _IDENTITIES}
    codes = {name: _codes(table, name) for name in _IDENTITIES if name in given}
    lengths = {name: len(each) for name, each in {**numbers, **codes}.items()}
    if len(set(lengths.values())) > 1:
        raise SpecError(f"{table.origin}: all columns are of one length; got {lengths}")
    if not next(iter(lengths.values())):
        raise SpecError(f"{table.origin}: got a table without rows; a spread needs at least 8 writes at each target")
    for name in ("target_siemens", "read_siemens"):
        _check(table, given[name][0], numbers[name], numbers[name] > _MOST_SIEMENS, _too_much(name, given[name][1]))
        # A picosiemens of a picosiemens is nothing that was measured, and its square no number.
        numbers[name] = np.where(numbers[name] < _NOTHING_SIEMENS, 0.0, numbers[name])
    measured = Measured(
        target=numbers["target_siemens"],
        read=numbers["read_siemens"],
        time=numbers.get("time_second"),
        cycle=codes.get("cycle"),
        cell=codes.get("cell"),
        origin=table.origin,
        unused=unused,
    )
    _check_together(measured)
    return measured


def _too_much(name: str, per: float) -> str:
    why = f"a conductance is at most {_MOST_SIEMENS:g} S: no memory cell conducts more"
    return why + (f" (is it in microsiemens? then name the column {name[:-7]}microsiemens)" if per == 1 else "")


def _check_together(measured: Measured) -> None:
    """Refuse what the columns say together and cannot mean."""
    origin, target, time = measured.origin, measured.target, measured.time
    if target.max() < _LEAST_SIEMENS:
        raise SpecError(
            f"{origin}: got targets up to {target.max():g} S; the largest is at least {_LEAST_SIEMENS:g} S, "
            "since no circuit senses less: check the unit"
        )
    if target.min() == target.max():
        raise SpecError(
            f"{origin}: got the one target {target[0]:g} S; at least two are needed, since the range of the "
            "targets becomes the window of the device, and a cell without a window stores nothing"
        )
    if measured.cell is None:
        if measured.cycle is not None and measured.cycle.any():
            raise SpecError(
                f"{origin}: got cycle without cell; cycle counts the writes of a cell, so give the column cell, too "
                "(the same in all rows for a single cell)"
            )
        if time is not None and time.min() != time.max():
            raise SpecError(
                f"{origin}: got reads at {time.min():g} to {time.max():g} s without cell; give the column "
                "cell, too, since what time does is seen only in one cell followed from read to read"
            )
    if time is not None and time.min() == 0 < time.max():
        raise SpecError(
            f"{origin}: got reads at 0 s and up to {time.max():g} s; with more than one time all are above 0, "
            "since relaxation and drift go with the logarithm of the time since the write"
        )


def _from_csv(path: Path) -> _Table:
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; a CSV file of measured cells is needed") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SpecError(
            f"{path}: cannot be read as text (UTF-8); measured cells are a CSV file with a header"
        ) from None
    numbers = [n for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    written = [lines[n - 1] for n in numbers]
    try:
        header = next(csv.reader(written[:1], skipinitialspace=True, strict=True), [])
        values = _only_numbers(written[1:], len(header))
        rows = [header] if values is not None else list(csv.reader(written, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise SpecError(f"{path}: cannot be read as CSV: {error}; values are separated by commas") from None
    if not rows:
        raise SpecError(f"{path}: got an empty file; {_HELP}")
    if len(rows) != len(numbers) and values is None:
        raise SpecError(f"{path}: got a quoted value that goes on in the next line; each line is one read")
    header = [name.strip() for name in rows[0]]
    for name in header:
        if header.count(name) > 1:
            raise SpecError(f"{path}, line {numbers[0]}: got the column {name!r} twice; each column stands once")
    if len(header) == 1:
        raise SpecError(
            f"{path}, line {numbers[0]}: got one column, {header[0]!r}; columns are separated by commas, and {_HELP}"
        )
    if set(map(len, rows)) != {len(header)}:
        n, row = next((n, row) for n, row in zip(numbers, rows, strict=True) if len(row) != len(header))
        raise SpecError(f"{path}, line {n}: got {len(row)} values; the header has {len(header)} columns")
    columns: Any = list(zip(*rows[1:], strict=True)) if values is None else values.T
    columns = columns if len(columns) else [()] * len(header)
    return _Table(dict(zip(header, columns, strict=True)), str(path), numbers[1:])


def _only_numbers(lines: list[str], n_columns: int) -> FloatArray | None:
    """All values at once, which is fast; None where some are no numbers, or are missing."""
    if not lines:
        return None
    try:
        values = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    return values if values.shape[1] == n_columns else None


def _from_columns(data: Any) -> _Table:
    origin = "the data"
    if hasattr(data, "keys"):
        return _Table({str(key): data[key] for key in data.keys()}, origin)  # noqa: SIM118  (data frames, too)
    try:
        table = np.asarray(data)
    except ValueError:
        raise SpecError(f"{origin}: got rows of different lengths; every row has the same columns") from None
    if table.dtype.names:
        return _Table({name: table[name].reshape(-1) for name in table.dtype.names}, origin)
    if table.ndim != 2 or not 2 <= table.shape[1] <= len(COLUMNS):
        raise SpecError(
            f"{origin}: got an array of the shape {table.shape}; allowed are (n_reads, 2) to (n_reads, 5) with the "
            f"columns {', '.join(COLUMNS)}, a mapping of columns, or the path of a CSV file"
        )
    return _Table(dict(zip(COLUMNS, table.T, strict=False)), origin)


def _named(table: _Table) -> tuple[dict[str, tuple[str, float]], tuple[str, ...]]:
    """For each column its name in the table and its unit per siemens; and the columns that have no meaning."""
    given: dict[str, tuple[str, float]] = {}
    unused = []
    for name in table.columns:
        meant, per = _ALIASES.get(name, (name, 1.0))
        if meant in given:
            raise SpecError(
                f"{table.origin}: got the columns {given[meant][0]} and {name}; they say the same, give one"
            )
        if meant in COLUMNS:
            given[meant] = (name, per)
        elif close := get_close_matches(name, [*COLUMNS, *_ALIASES], n=1, cutoff=0.75):
            raise SpecError(f"{table.origin}: got the column {name!r}; did you mean {close[0]!r}? {_HELP.capitalize()}")
        else:
            unused.append(name)
    missing = [name for name in COLUMNS[:2] if name not in given]
    if missing:
        got = ", ".join(table.columns) or "none"
        raise SpecError(f"{table.origin}: got the columns {got}; {' and '.join(missing)} missing: {_HELP}")
    return given, tuple(unused)


def _numbers(table: _Table, column: str, per: float) -> FloatArray:
    """A column of numbers, finite and at least 0, in SI."""
    raw = table.columns[column]
    raw = raw if hasattr(raw, "__len__") else [raw]
    if np.asarray(raw[:1]).dtype.kind in "mMc":  # they would be cast, with something lost
        raise SpecError(f"{table.origin}: column {column} holds dates or complex numbers; real ones are needed")
    try:
        values = np.array(raw, dtype=np.float64).reshape(-1)
    except (ValueError, TypeError):
        for row, value in enumerate(raw):
            try:
                float(value)
            except (ValueError, TypeError):
                raise SpecError(f"{table.place(row, column)}: got {value!r}; a number is needed") from None
        raise SpecError(f"{table.origin}: column {column} holds no numbers") from None
    what = "a time since the write" if column == "time_second" else "the conductance of a passive cell"
    _check(table, column, values, ~(np.isfinite(values) & (values >= 0)), f"{what} is finite and at least 0")
    return np.asarray(values / per if per != 1 else values)


def _check(table: _Table, column: str, values: FloatArray, wrong: BoolArray, why: str) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        more = f" (and {rows.size - 1} more)" if rows.size > 1 else ""
        raise SpecError(f"{table.place(int(rows[0]), column)}: got {values[rows[0]]:g}{more}; {why}")


def _codes(table: _Table, column: str) -> IntArray:
    """A column of names or numbers, as numbers from 0."""
    why = f"every read needs a {column}, a number or a name"
    try:
        values = np.asarray(table.columns[column]).reshape(-1)
        if values.dtype.kind in "iufb":
            numbers = values.astype(np.float64)
            _check(table, column, numbers, ~np.isfinite(numbers), why)
            return np.asarray(np.unique(numbers, return_inverse=True)[1], dtype=np.int64)
        names = values.tolist()
        known: dict[Any, int] = {}
        codes = np.fromiter((known.setdefault(name, len(known)) for name in names), dtype=np.int64, count=len(names))
    except (TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{table.origin}, column {column}: {why}") from None
    wrong = [name for name in known if name is None or str(name).strip().lower() in ("", "nan")]
    if wrong:
        row = int(np.flatnonzero(codes == known[wrong[0]])[0])
        raise SpecError(f"{table.place(row, column)}: got {wrong[0]!r}; {why}")
    return codes
