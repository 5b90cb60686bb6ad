"""Programmed macros out of files: bit for bit what was written."""

import json
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
from rramsim.cell.conduction import CONDUCTION_LAWS
from rramsim.cell.spread import SPREAD_LAWS
from rramsim.hdf5 import open_hdf5
from rramsim.rng import Seed, Streams

from .converters import Converters
from .design import MacroRanges
from .product import ProgrammedMacro
from .programming import MacroSpec
from .rows import RowOfTiles
from .stored import COUNTS, FORMAT, FORMAT_VERSION, UNITS
from .tile import ProgrammedTile, WriteCost

__all__ = ["RENAMED", "read_macro"]


def read_macro(path: str | Path) -> ProgrammedMacro:
    """Read a macro that :meth:`rramsim.ProgrammedMacro.save` wrote: it gives the same results, bit for bit.

    Raises
    ------
    TraceError
        If the file is missing, damaged, no macro, or of a newer format.
    """
    with open_hdf5(Path(path), "macro", FORMAT, FORMAT_VERSION) as file:
        spec = MacroSpec(**_of_one_kind(_with_names_of_today(json.loads(file.attrs["spec"]))))
        ranges = MacroRanges(**{name: _number(file, f"ranges/{name}") for name in MacroRanges._fields})
        converters = _read_converters(file["edge"], spec)
        columns = range(converters.n_column_tiles)
        rows = tuple(
            RowOfTiles(spec, converters, r, [_read_tile(file[f"tiles/{r}/{c}"], spec) for c in columns])
            for r in range(converters.n_row_tiles)
        )
        step = np.asarray(file["weight_step"][()])
        shape = tuple(int(n) for n in file.attrs["shape"])
        return ProgrammedMacro(spec, shape, step, ranges, converters, rows, _seed(file))


_ADC_FIELDS = {"capacitor_mismatch", "comparator_spread_lsb", "curvature_lsb", "amplifier_gain", "stage_gain_spread"}
"""Errors of single kinds of converters; older files list all for every kind, those of others as 0."""


_USUAL_KELVIN = 300.0
RENAMED: dict[tuple[str, ...], dict[str, str]] = {
    (): {
        "signed": "weight_coding",
        "zero": "offset_from",
        "flip": "invert_heavy_columns",
        "scale": "weight_scale_per",
        "unused": "unused_cells",
        "noise": "noise_model",
    },
    ("adc",): {"range": "full_scale_from"},
    ("wires",): {"ohm_per_kelvin": "change_per_kelvin"},
    ("device",): {"fitted_siemens": "fitted_from_to_siemens", "fitted_second": "fitted_until_second"},
    ("device", "write"): {"second": "pulse_second"},
    ("device", "relaxation"): {"second": "times_second"},
    ("device", "read_noise"): {"relative": "relative_deviation"},
    ("device", "telegraph"): {"share": "trap_share"},
    ("device", "temperature"): {"conductance_per_kelvin": "change_per_kelvin"},
}
"""Fields by their place, with the names that they have in older files and those of today."""


def _with_names_of_today(fields: Any, place: tuple[str, ...] = ()) -> Any:
    if not isinstance(fields, dict):
        return fields
    if place == ("wires",) and "ohm_per_kelvin" in fields and fields["temperature_kelvin"] == _USUAL_KELVIN:
        fields = {
            **fields,
            "temperature_kelvin": None,
        }  # the default of before; today that is the temperature of the cells
    names = RENAMED.get(place, {})
    return {names.get(key, key): _with_names_of_today(value, (*place, key)) for key, value in fields.items()}


def _of_one_kind(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a specification whose parts have those of their kind alone, from a file that may be older."""
    device = dict(fields["device"])
    for name, laws in (
        ("programming", SPREAD_LAWS),
        ("device_to_device", SPREAD_LAWS),
        ("conduction", CONDUCTION_LAWS),
    ):
        law = device[name]
        if law["law"] in laws.embedded:
            keys = laws.kind(law["law"]).model_fields.keys()
            device[name] = {key: value for key, value in law.items() if key in keys}
    fields = {**fields, "device": device}
    adc = fields["adc"]
    if adc is None or adc["kind"] not in ADCS.embedded:
        return fields
    others = _ADC_FIELDS - ADCS.kind(adc["kind"]).model_fields.keys()
    return {**fields, "adc": {key: value for key, value in adc.items() if key not in others}}


def _number(file: h5py.File, name: str) -> Any:
    value = _read(file, name)
    return value if value is None or value.ndim else float(value)


def _read(group: h5py.Group, name: str) -> NDArray[Any] | None:
    return np.asarray(group[name][()]) if name in group else None


def _seed(file: h5py.File) -> Seed | None:
    """What repeats the writing; None in a file of before it was stored."""
    if "seed" not in file.attrs:
        return None
    stored = json.loads(file.attrs["seed"])
    return Streams(stored["seed"], tuple(stored["path"])).repeated_by


def _read_fields(group: h5py.Group, kind: type, **known: Any) -> Any:
    """A dataclass from what stands in a group, and the fields that are no arrays."""
    return kind(**known, **{name: _read(group, name) for name, unit in UNITS[kind].items() if unit is not None})


def _read_converters(group: h5py.Group, spec: MacroSpec) -> Converters:
    counts = {name: int(group.attrs[name]) for name in COUNTS}
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


def _read_tile(group: h5py.Group, spec: MacroSpec) -> ProgrammedTile:
    drawn = {name: np.asarray(values[()]) for name, values in group["drawn"].items()}
    draws = Drawn({name: partial(drawn.__getitem__, name) for name in drawn})
    cells = _read_fields(group["cells"], ProgrammedCells, spec=spec.device, drawn=draws)
    array = _read_fields(group["array"], ProgrammedArray, cells=cells)
    cost = WriteCost(**{name: group.attrs[f"writing_{name}"].item() for name in WriteCost._fields})
    row_conductance = np.asarray(group["row_conductance"][()])
    n_rows, n_outputs = int(group.attrs["n_rows"]), int(group.attrs["n_outputs"])
    return ProgrammedTile(n_rows, n_outputs, array, _read(group, "flipped"), row_conductance, cost)
