"""Programmed macros in files: written once, studied again."""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rramsim.array.adc import ProgrammedAdc
from rramsim.array.dac import ProgrammedDac
from rramsim.array.wired import ProgrammedArray
from rramsim.cell.cells import Drawn, ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.errors import SpecError
from rramsim.hdf5 import open_hdf5, write_hdf5
from rramsim.trace.provenance import provenance

from .plane import Edge, RowOfTiles
from .product import ProgrammedMacro
from .programming import MacroRanges, MacroSpec
from .tile import ProgrammedTile, Writing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load_macro", "save_macro"]

_FORMAT, _VERSION = "rramsim macro", 1
_DRAWN = ("wander", "exponent", "trap")


def save_macro(macro: ProgrammedMacro, path: str | Path) -> None:
    """Write a programmed macro to an HDF5 file: cells, wires, converters and full scales.

    Parameters
    ----------
    macro
        What ``MacroSpec.program`` returned, its cells kept.
    path
        Name of the file, ending in ``.h5``; it must not exist.

    Raises
    ------
    SpecError
        For another ending, for a macro that did not keep its cells, and for a kind of device of one's own.
    TraceError
        If the file exists or cannot be written; nothing is left behind then.
    """
    path = Path(path)
    if path.suffix != ".h5":
        raise SpecError(f"{path}: its name must end in .h5, which says what is written")
    if any(tile.array is None for row in macro.rows for tile in row.tiles):
        raise SpecError("save_macro: the macro was programmed with keep_cells=False; there are no cells to write")
    kind = type(macro.spec.device)
    if kind is not DeviceSpec:
        raise SpecError(
            f"save_macro: the device is a {kind.__name__}, a kind of its own, which a file cannot bring back"
        )

    def fill(file: h5py.File) -> None:
        file.attrs["format"], file.attrs["format_version"] = _FORMAT, _VERSION
        file.attrs["spec"] = json.dumps(macro.spec.model_dump(mode="json"))
        file.attrs["provenance"] = json.dumps(provenance())
        file.attrs["shape"] = macro.shape
        _write(file, "weight_step", macro.weight_step, "1")
        for name, value in macro.ranges._asdict().items():
            _write(file.require_group("ranges"), name, value, "A" if name == "current_ampere" else "1")
        _write_edge(file.create_group("edge"), macro.edge)
        for row in macro.rows:
            for c, tile in enumerate(row.tiles):
                _write_tile(file.create_group(f"tiles/{row.number}/{c}"), tile)

    write_hdf5(path, fill)


def load_macro(path: str | Path) -> ProgrammedMacro:
    """Read a macro that :func:`save_macro` wrote: it gives the same results, bit for bit.

    Raises
    ------
    TraceError
        If the file is missing, damaged, no macro, or of a newer format.
    """
    with open_hdf5(Path(path), "macro", _FORMAT, _VERSION) as file:
        spec = MacroSpec(**json.loads(file.attrs["spec"]))
        ranges = MacroRanges(**{name: _number(file, f"ranges/{name}") for name in MacroRanges._fields})
        edge = _read_edge(file["edge"], spec)
        rows = tuple(
            RowOfTiles(spec, edge, r, [_read_tile(file[f"tiles/{r}/{c}"], spec) for c in range(edge.n_column_tiles)])
            for r in range(edge.n_row_tiles)
        )
        step = np.asarray(file["weight_step"][()])
        return ProgrammedMacro(spec, tuple(int(n) for n in file.attrs["shape"]), step, ranges, edge, rows)


def _write(group: h5py.Group, name: str, value: Any, units: str) -> None:
    """A number or an array; nothing where there is none."""
    if value is not None:
        array = np.asarray(value)
        compress = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if array.size > 1024 else {}
        group.create_dataset(name, data=array, **compress).attrs["units"] = units


def _number(file: h5py.File, name: str) -> Any:
    value = _read(file, name)
    return value if value is None or value.ndim else float(value)


def _read(group: h5py.Group, name: str) -> NDArray[Any] | None:
    return np.asarray(group[name][()]) if name in group else None


_UNITS = {"variance": "S2", "third": "S3", "deviation": "S", "joule": "J", "second": "s", "ampere": "A"}
_CELLS = ("pulses", "failed", "writes_before", "held", "flipped", "wander", "exponent", "trap")
_NUMBERS = (*_CELLS, "gain", "codes", "levels", "relative_noise")


def _units(name: str) -> str:
    """Unit of a field, from its name."""
    if name in _NUMBERS or name.endswith("lsb"):
        return "1"
    return next((unit for part, unit in _UNITS.items() if part in name), "S")


def _arrays(thing: Any, kind: type, apart: "Mapping[str, Any] | tuple[str, ...]" = ()) -> dict[str, Any]:
    """The fields of a dataclass that are arrays or None, by name."""
    return {field.name: getattr(thing, field.name) for field in fields(kind) if field.name not in apart}


def _write_all(group: h5py.Group, values: dict[str, Any]) -> None:
    for name, value in values.items():
        _write(group, name, value, _units(name))


def _read_all(group: h5py.Group, kind: type, known: dict[str, Any]) -> Any:
    """A dataclass from what :func:`_write_all` wrote, and the fields that are known."""
    names = [field.name for field in fields(kind) if field.name not in known]
    return kind(**known, **{name: _read(group, name) for name in names})


_ADC_APART = ("spec", "signed", "code_min", "code_max")


def _write_edge(group: h5py.Group, edge: Edge) -> None:
    for name in ("n_row_tiles", "n_column_tiles", "n_per_tile"):
        group.attrs[name] = getattr(edge, name)
    _write(group, "step_ampere", edge.step_ampere, "A")
    _write(group, "physical", edge.physical, "1")
    if edge.adc is not None:
        adc = group.create_group("adc")
        _write_all(adc, _arrays(edge.adc, ProgrammedAdc, _ADC_APART))
    for (r, c), dac in edge.dacs.items():
        _write_all(group.create_group(f"dacs/{r}/{c}"), _arrays(dac, ProgrammedDac, ("spec",)))


def _read_edge(group: h5py.Group, spec: MacroSpec) -> Edge:
    counts = {name: int(group.attrs[name]) for name in ("n_row_tiles", "n_column_tiles", "n_per_tile")}
    adc = None
    if spec.adc is not None:
        known = {"spec": spec.adc, "signed": spec.signed_codes}
        adc = _read_all(group["adc"], ProgrammedAdc, known)
    places = [(r, c) for r in range(counts["n_row_tiles"]) for c in range(counts["n_column_tiles"])]
    dacs = {
        (r, c): _read_all(group[f"dacs/{r}/{c}"], ProgrammedDac, {"spec": spec.dac})
        for r, c in places
        if not spec.dac.ideal
    }
    return Edge(adc, dacs, np.asarray(group["step_ampere"][()]), physical=np.asarray(group["physical"][()]), **counts)


def _write_tile(group: h5py.Group, tile: ProgrammedTile) -> None:
    assert tile.array is not None  # noqa: S101  (checked by save_macro)
    for name in ("n_rows", "n_outputs"):
        group.attrs[name] = getattr(tile, name)
    for name, value in tile.writing._asdict().items():
        group.attrs[f"writing_{name}"] = value
    _write_all(group, {"flipped": tile.flipped, "row_conductance": tile.row_conductance})
    _write_all(group.create_group("array"), _arrays(tile.array, ProgrammedArray, ("cells",)))
    cells = tile.array.cells
    _write_all(group.create_group("cells"), _arrays(cells, ProgrammedCells, ("spec", "drawn")))
    _write_all(group.create_group("drawn"), {name: cells.drawn.get(name) for name in _DRAWN})


def _read_tile(group: h5py.Group, spec: MacroSpec) -> ProgrammedTile:
    drawn = {name: np.asarray(values[()]) for name, values in group["drawn"].items()}
    draws = {name: (lambda held=held: held) for name, held in drawn.items()}
    cells = _read_all(group["cells"], ProgrammedCells, {"spec": spec.device, "drawn": Drawn(draws)})
    array = _read_all(group["array"], ProgrammedArray, {"cells": cells})
    writing = Writing(**{name: group.attrs[f"writing_{name}"].item() for name in Writing._fields})
    row_conductance = np.asarray(group["row_conductance"][()])
    n_rows, n_outputs = int(group.attrs["n_rows"]), int(group.attrs["n_outputs"])
    return ProgrammedTile(n_rows, n_outputs, array, _read(group, "flipped"), row_conductance, writing)
