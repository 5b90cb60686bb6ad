"""Programmed macros in files: how they are written, and the unit of everything in them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.dac import ProgrammedDac
from rramsim.array.wired import ProgrammedArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.errors import SpecError
from rramsim.hdf5 import write_hdf5
from rramsim.rng import Seed, as_streams
from rramsim.trace.provenance import provenance

from .converters import Converters
from .held import HeldMatrix
from .tile import ProgrammedTile

__all__ = ["COUNTS", "FORMAT", "FORMAT_VERSION", "UNITS", "write_macro"]

FORMAT, FORMAT_VERSION = "rramsim macro", 1
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
        "seed": None,
    },
    ProgrammedArray: {
        "cells": None,
        "g": "S",
        "relative_noise": "1",
        "transconductance": "S",
        "noise_third": "S3",
        "row_power": "S",
    },
    ProgrammedAdc: {
        "spec": None,
        "signed": None,
        "offset_lsb": "1",
        "gain": "1",
        "levels": "1",
        "codes": "1",
        "seed": None,
    },
    ProgrammedDac: {"spec": None, "levels": "1", "seed": None},
}
"""Unit of every field of what a file holds, a dataset of that name; None: it is no array and stands elsewhere."""


def write_macro(macro: HeldMatrix, path: str | Path) -> None:
    """Write a programmed macro; see :meth:`rramsim.ProgrammedMacro.save`."""
    path = Path(path)
    if path.suffix != ".h5":
        raise SpecError(f"{path}: its name must end in .h5, which says what is written")
    if any(tile.array is None for row in macro.rows for tile in row.tiles):
        raise SpecError("save: the macro was programmed with keep_cells=False; there are no cells to write")
    kind = type(macro.spec.device)
    if kind is not DeviceSpec:
        raise SpecError(f"save: the device is a {kind.__name__}, a kind of its own, which a file cannot bring back")

    def fill(file: h5py.File) -> None:
        file.attrs["format"], file.attrs["format_version"] = FORMAT, FORMAT_VERSION
        file.attrs["spec"] = json.dumps(macro.spec.model_dump(mode="json"))
        file.attrs["provenance"] = json.dumps(provenance())
        file.attrs["shape"] = macro.shape
        _write_seed(file, macro.seed)
        _write(file, "weight_step", macro.weight_step, "1")
        for name, value in macro.ranges._asdict().items():
            _write(file.require_group("ranges"), name, value, "A" if name == "current_ampere" else "1")
        _write_converters(file.create_group("edge"), macro.converters)
        for row in macro.rows:
            for c, tile in enumerate(row.tiles):
                _write_tile(file.create_group(f"tiles/{row.number}/{c}"), tile)

    write_hdf5(path, fill)


def _write_seed(file: h5py.File, seed: Seed | None) -> None:
    """What repeats the writing, as text: a seed may have more digits than a number of HDF5 holds."""
    if seed is not None:
        streams = as_streams(seed)
        file.attrs["seed"] = json.dumps({"seed": streams.seed, "path": streams.path})


def _write(group: h5py.Group, name: str, value: Any, units: str) -> None:
    """A number or an array; nothing where there is none."""
    if value is not None:
        array = np.asarray(value)
        compress = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if array.size > 1024 else {}
        group.create_dataset(name, data=array, **compress).attrs["units"] = units


def _write_fields(group: h5py.Group, thing: Any, kind: type) -> None:
    """The arrays of a dataclass, in the order of its fields."""
    for field in fields(kind):
        unit = UNITS[kind][field.name]
        if unit is not None:
            _write(group, field.name, getattr(thing, field.name), unit)


COUNTS = ("n_row_tiles", "n_column_tiles", "n_per_tile")
"""Attributes of the edge: how many tiles there are."""


def _write_converters(group: h5py.Group, converters: Converters) -> None:
    for name in COUNTS:
        group.attrs[name] = getattr(converters, name)
    _write(group, "step_ampere", converters.step_ampere, "A")
    _write(group, "physical", converters.tile_set_of_matrix, "1")
    if converters.adc is not None:
        _write_fields(group.create_group("adc"), converters.adc, ProgrammedAdc)
    for (r, c), dac in converters.dacs.items():
        _write_fields(group.create_group(f"dacs/{r}/{c}"), dac, ProgrammedDac)


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
