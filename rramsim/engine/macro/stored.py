"""Programmed macros in files: written once, studied again."""

import json
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.dac import ProgrammedDac
from rramsim.array.wired import ProgrammedArray
from rramsim.cell.cells import Drawn, ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.errors import SpecError
from rramsim.hdf5 import open_hdf5, write_hdf5
from rramsim.trace.provenance import provenance

from .converters import Converters
from .design import MacroRanges
from .product import ProgrammedMacro
from .programming import MacroSpec
from .rows import RowOfTiles
from .tile import ProgrammedTile, WriteCost

__all__ = ["UNITS", "load_macro", "save_macro"]

_FORMAT, _VERSION = "rramsim macro", 1
_DRAWN = ("wander", "exponent", "trap")

UNITS: dict[type, dict[str, str | None]] = {
    ProgrammedCells: {
        "spec": None,
        "g": "S",
        "pulses": "1",
        "joule": "J",
        "failed": "1",
        "writes_before": "1",
        "held": "1",
        "g_target": "S",
        "drawn": None,
    },
    ProgrammedArray: {
        "cells": None,
        "g": "S",
        "relative_noise": "1",
        "transconductance": "S",
        "noise_third": "S3",
        "row_power": "S",
    },
    ProgrammedAdc: {"spec": None, "signed": None, "offset_lsb": "1", "gain": "1", "levels": "1", "codes": "1"},
    ProgrammedDac: {"spec": None, "levels": "1"},
}
"""Unit of every field of what a file holds, a dataset of that name; None: it is no array and stands elsewhere."""


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
        _write_converters(file.create_group("edge"), macro.converters)
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
        spec = MacroSpec(**_of_one_kind(json.loads(file.attrs["spec"])))
        ranges = MacroRanges(**{name: _number(file, f"ranges/{name}") for name in MacroRanges._fields})
        converters = _read_converters(file["edge"], spec)
        columns = range(converters.n_column_tiles)
        rows = tuple(
            RowOfTiles(spec, converters, r, [_read_tile(file[f"tiles/{r}/{c}"], spec) for c in columns])
            for r in range(converters.n_row_tiles)
        )
        step = np.asarray(file["weight_step"][()])
        return ProgrammedMacro(spec, tuple(int(n) for n in file.attrs["shape"]), step, ranges, converters, rows)


_ADC_FIELDS = {"capacitor_mismatch", "comparator_spread_lsb", "curvature_lsb", "amplifier_gain", "stage_gain_spread"}
"""Errors of single kinds of converters; older files list all for every kind, those of others as 0."""


def _of_one_kind(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a specification whose converter has those of its kind alone, from a file that may be older."""
    adc = fields["adc"]
    if adc is None or adc["kind"] not in ADCS.embedded:
        return fields
    others = _ADC_FIELDS - ADCS.kind(adc["kind"]).model_fields.keys()
    return {**fields, "adc": {key: value for key, value in adc.items() if key not in others}}


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


def _write_fields(group: h5py.Group, thing: Any, kind: type) -> None:
    """The arrays of a dataclass, in the order of its fields."""
    for field in fields(kind):
        unit = UNITS[kind][field.name]
        if unit is not None:
            _write(group, field.name, getattr(thing, field.name), unit)


def _read_fields(group: h5py.Group, kind: type, **known: Any) -> Any:
    """A dataclass from what :func:`_write_fields` wrote, and the fields that are no arrays."""
    return kind(**known, **{name: _read(group, name) for name, unit in UNITS[kind].items() if unit is not None})


_COUNTS = ("n_row_tiles", "n_column_tiles", "n_per_tile")


def _write_converters(group: h5py.Group, converters: Converters) -> None:
    for name in _COUNTS:
        group.attrs[name] = getattr(converters, name)
    _write(group, "step_ampere", converters.step_ampere, "A")
    _write(group, "physical", converters.tile_set_of_matrix, "1")
    if converters.adc is not None:
        _write_fields(group.create_group("adc"), converters.adc, ProgrammedAdc)
    for (r, c), dac in converters.dacs.items():
        _write_fields(group.create_group(f"dacs/{r}/{c}"), dac, ProgrammedDac)


def _read_converters(group: h5py.Group, spec: MacroSpec) -> Converters:
    counts = {name: int(group.attrs[name]) for name in _COUNTS}
    adc = None
    if spec.adc is not None:
        adc = _read_fields(group["adc"], ProgrammedAdc, spec=spec.adc, signed=spec.signed_codes)
    dacs = {
        (r, c): _read_fields(group[f"dacs/{r}/{c}"], ProgrammedDac, spec=spec.dac)
        for r in range(counts["n_row_tiles"])
        for c in range(counts["n_column_tiles"])
        if not spec.dac.ideal
    }
    steps, tile_sets = (np.asarray(group[name][()]) for name in ("step_ampere", "physical"))
    return Converters(adc, dacs, steps, tile_set_of_matrix=tile_sets, **counts)


def _write_tile(group: h5py.Group, tile: ProgrammedTile) -> None:
    array = tile.checked_array
    for name in ("n_rows", "n_outputs"):
        group.attrs[name] = getattr(tile, name)
    for name, value in tile.write_cost._asdict().items():
        group.attrs[f"writing_{name}"] = value
    _write(group, "flipped", tile.flipped, "1")
    _write(group, "row_conductance", tile.row_conductance, "S")
    _write_fields(group.create_group("array"), array, ProgrammedArray)
    _write_fields(group.create_group("cells"), array.cells, ProgrammedCells)
    drawn = group.create_group("drawn")
    for name in _DRAWN:
        _write(drawn, name, array.cells.drawn.get(name), "1")


def _read_tile(group: h5py.Group, spec: MacroSpec) -> ProgrammedTile:
    drawn = {name: np.asarray(values[()]) for name, values in group["drawn"].items()}
    draws = Drawn({name: partial(drawn.__getitem__, name) for name in drawn})
    cells = _read_fields(group["cells"], ProgrammedCells, spec=spec.device, drawn=draws)
    array = _read_fields(group["array"], ProgrammedArray, cells=cells)
    cost = WriteCost(**{name: group.attrs[f"writing_{name}"].item() for name in WriteCost._fields})
    row_conductance = np.asarray(group["row_conductance"][()])
    n_rows, n_outputs = int(group.attrs["n_rows"]), int(group.attrs["n_outputs"])
    return ProgrammedTile(n_rows, n_outputs, array, _read(group, "flipped"), row_conductance, cost)
