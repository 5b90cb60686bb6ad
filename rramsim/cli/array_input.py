"""One array with its voltages, as the command line describes it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rramsim.array.network import Network
from rramsim.array.wires import WireSpec
from rramsim.arrays import FloatArray
from rramsim.cell.conduction import CONDUCTION_LAWS, ConductionSpec
from rramsim.errors import SpecError
from rramsim.spec import FieldError

from .array_options import BOTH_LINES, CELL_KEYS, CURVED_LAW, USE_KEYS, WIRE_KEYS
from .numbers import by, read_numbers
from .options import Key, flag, spelled

__all__ = ["ArrayInput", "read_array"]

Settings = Mapping[str, Any]
"""What the options say, by key."""


@dataclass(frozen=True)
class ArrayInput:
    """One array with the voltages of its inputs.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances, siemens.
    v
        (..., n_inputs) voltages, volt.
    wires
        The lines, and the circuits at their ends.
    conduction
        The I-V law of the cells.
    use
        How the array is driven and sensed: what ``Network`` takes beside these.
    names
        Where the conductances, and the voltages, come from, for people.
    """

    g: FloatArray
    v: FloatArray
    wires: WireSpec
    conduction: ConductionSpec
    use: dict[str, Any]
    names: tuple[str, str]

    def network(self, *, ideal: bool = False) -> Network:
        """The array, with its wires or without any."""
        return Network(self.g, WireSpec() if ideal else self.wires, conduction=self.conduction, **self.use)

    @property
    def output(self) -> str:
        """What an output is."""
        line = "word line" if self.use["inputs"] == "columns" else "bit line"
        return f"pair of {line}s" if self.use["pairs"] == "outputs" else line

    @property
    def n_vectors(self) -> int:
        """Vectors of voltages."""
        return int(self.v.size // self.v.shape[-1])


def read_array(conductances: Path, voltages: Path | None, volt: float | None, settings: Settings) -> ArrayInput:
    """Read and check all that describes an array.

    Parameters
    ----------
    conductances
        A file of conductances, siemens.
    voltages, volt
        A file of voltages, volt, or one voltage for all inputs.
    settings
        What the options of :func:`rramsim.cli.array_options.array_options` say, by their names.

    Raises
    ------
    SpecError
        For whatever is missing, cannot be read, or does not fit.
    """
    g = _conductances(conductances)
    wires = _wires(settings)
    use = {key.name: _choice(key, settings[key.name]) for key in USE_KEYS}
    conduction = _conduction(settings)
    lines, kind = g.shape[0 if use["inputs"] == "rows" else 1], use["inputs"]
    if use["pairs"] == "inputs":
        if lines % 2:
            raise SpecError(f"{conductances}: --pairs inputs needs an even number of input lines; got {lines}")
        lines //= 2
    v = _voltages(voltages, volt, lines, f"{conductances} has {lines} input{'s' if lines > 1 else ''} ({kind})")
    return ArrayInput(g, v, wires, conduction, use, (str(conductances), str(voltages or f"{volt:g} V")))


def _wires(settings: Settings) -> WireSpec:
    given: dict[str, Any] = {}
    for key in WIRE_KEYS:
        value = settings[key.name]
        if value is not None:
            given[key.name] = _per_line(f"{flag(key.name)} {value}", value) if key.form == "per line" else value
    both = given.pop("wire_ohm", None)
    if both is not None:
        if any(name in given for name in BOTH_LINES):
            raise SpecError(f"--wire-ohm is both {' and '.join(map(flag, BOTH_LINES))}; give it, or these")
        given |= dict.fromkeys(BOTH_LINES, both)
    return WireSpec(**given)


def _conduction(settings: Settings) -> ConductionSpec:
    if settings["law"] == CURVED_LAW:
        (laws,) = (key.choices for key in CELL_KEYS if key.name == "law")
        raise SpecError(
            f"--law {CURVED_LAW}: its coefficients are curves of the conductance, which no option can hold; here "
            f"allowed are {', '.join(laws)}. In Python: "
            "rramsim.Network(g, wires, conduction=rramsim.PolynomialConductionSpec(...))"
        )
    given = {key.name: value for key in CELL_KEYS if (value := settings[key.name]) is not None}
    try:
        law = CONDUCTION_LAWS.checked(given)
    except FieldError as error:
        raise SpecError(f"{flag('law')}: {error}") from None
    assert isinstance(law, ConductionSpec)  # noqa: S101  (its family)
    return law


def _choice(key: Key, given: str) -> str:
    """The value that is meant, as Python has it."""
    for choice in key.choices:
        if spelled(choice) == spelled(given):
            return choice
    raise SpecError(f"{flag(key.name)} {spelled(given)}: allowed are {', '.join(map(spelled, key.choices))}")


def _per_line(option: str, text: str) -> float | tuple[float, ...]:
    """A resistance: a number, or one for each line from a file."""
    try:
        ohm = float(text)
    except ValueError:
        pass
    else:
        if not 0 <= ohm < math.inf:
            raise SpecError(f"{option}: a resistance is finite and at least 0 ohm")
        return ohm
    if Path(text).suffix not in (".npy", ".csv"):
        raise SpecError(f"{option}: give a number, ohm, or a .npy or .csv file with one number for each line")
    values = read_numbers(Path(text))
    if values.ndim > 1 and max(values.shape) < values.size:
        raise SpecError(f"{option}: one number for each line is expected; the file holds {by(values.shape)}")
    wrong = np.flatnonzero(~(np.isfinite(values.ravel()) & (values.ravel() >= 0)))
    if wrong.size:
        got = f"line {wrong[0]} (counted from 0) has {values.ravel()[wrong[0]]:g} ohm"
        raise SpecError(f"{option}: {got}; a resistance is finite and at least 0 ohm")
    return tuple(float(each) for each in values.ravel())


def _conductances(path: Path) -> FloatArray:
    g = read_numbers(path)
    if g.ndim != 2 or 0 in g.shape:
        raise SpecError(f"{path}: one array has the shape (rows, columns), at least 1 x 1; got {by(g.shape)}")
    wrong = np.argwhere(~(np.isfinite(g) & (g >= 0)))
    if len(wrong):
        i, j = wrong[0]
        value = g[i, j]
        why = "every cell needs a conductance" if np.isnan(value) else "a passive cell cannot have that"
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise SpecError(
            f"{path}: row {i}, column {j} (counted from 0): got {value:g} S{more}; conductances are finite and "
            f"at least 0 (an open cell): {why}"
        )
    return g


def _voltages(path: Path | None, volt: float | None, count: int, expected: str) -> FloatArray:
    """The voltages of so many inputs, from a file or all the same."""
    if (path is None) == (volt is None):
        raise SpecError("give the voltages of the inputs either as a file V or by --volt, the same for all")
    if path is None:
        v = np.full(count, volt)
        if not np.isfinite(v).all():
            raise SpecError(f"--volt {volt}: voltages are finite")
        return v
    v = read_numbers(path)
    if path.suffix == ".csv" and v.size == len(v) == count:
        v = v[:, 0]  # one column is one vector
    elif path.suffix == ".csv" and len(v) == 1:
        v = v[0]
    if v.ndim == 0 or v.shape[-1] != count or v.size == 0:
        raise SpecError(f"{path}: got {by(v.shape)} voltages, but {expected}; the last axis goes over the inputs")
    wrong = np.argwhere(~np.isfinite(v))
    if len(wrong):
        place = ", ".join(map(str, wrong[0]))
        raise SpecError(f"{path}: index {place} (counted from 0): got {v[tuple(wrong[0])]:g} V; voltages are finite")
    return v
