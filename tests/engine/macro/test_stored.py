"""Programmed macros written to files and read back."""

import json
from dataclasses import fields

import h5py
import numpy as np
import pytest
from helpers.macros import SCHEMES, TILES, WINDOW, WIRES, problem
from numpy.testing import assert_array_equal

import rramsim as rs
from rramsim.array.adc.pipeline import PipelineAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.array.wires import WireSpec
from rramsim.cards import presets
from rramsim.cell.device import DeviceSpec, device
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.macro.restored import RENAMED, read_macro
from rramsim.engine.macro.stored import UNITS
from rramsim.errors import RangeError, SpecError, TraceError
from rramsim.hdf5 import write_hdf5
from rramsim.trace.write import write_trace

UNUSED = {"separate": "low", "offset": "open"}
"""Cells beyond the matrix, in some schemes."""
DEVICES = {
    "ideal": DeviceSpec(),
    "spread": DeviceSpec(**WINDOW, programming={"spread_siemens": (1e-6, 1e-6)}, stuck={"on_fraction": 0.1}),
    "verified": DeviceSpec(
        **WINDOW,
        programming={"spread_siemens": 2e-6},
        write={"tolerance_siemens": 1e-6, "most_pulses": 5},
        endurance={"writes": 100.0, "writes_log": 3.0},
    ),
    "relaxation": DeviceSpec(
        **WINDOW, relaxation={"spread_siemens_per_ln": 1e-7}, read_noise={"relative_deviation": 0.05}
    ),
    "drift": DeviceSpec(
        **WINDOW,
        drift={"exponent": 0.05, "exponent_spread": 0.01},
        read_noise={"law": "lognormal", "relative_deviation": 0.2, "integration_second": 1e-3},
        stuck={"on_fraction": 0.1, "dead_row_fraction": 0.1},
    ),
    "telegraph": DeviceSpec(**WINDOW, telegraph={"trap_share": 0.5, "amplitude": 0.2, "amplitude_log": 0.5}),
    "curved": DeviceSpec(**WINDOW, conduction={"law": "sinh", "sinh_volt": 0.2}, drift={"exponent": 0.05}),
}
CONVERTERS = {
    "ideal": {},
    "adc": {"adc": SarAdcSpec(bits=6, noise_lsb=0.2, gain_spread=0.1, offset_spread_lsb=0.5, columns=2)},
    "tables": {"adc": SarAdcSpec(bits=6, capacitor_mismatch=0.1)},
    "pipeline": {"adc": PipelineAdcSpec(bits=6, comparator_spread_lsb=0.3, columns=1)},
    "drivers": {"adc": SarAdcSpec(bits=6), "dac": DacSpec(level_spread=0.1)},
    "levels": {"dac": DacSpec(bits=2, inl_lsb=(0.0, 0.3, 0.0), level_spread=0.05, noise=0.01)},
}


def scheme_fields(scheme):
    return {**SCHEMES[scheme], "unused_cells": UNUSED.get(scheme, "absent")}


def again(macro, folder):
    macro.save(folder / "macro.h5")
    return read_macro(folder / "macro.h5")


def assert_same(one, other, x, rng=5):
    """In all that can be asked of a macro."""
    a, b = one.apply(x, rng=rng), other.apply(x, rng=rng)
    assert_array_equal(b.values, a.values)
    assert (b.activity, b.errors) == (a.activity, a.errors)
    assert (other.spec, other.shape) == (one.spec, one.shape)
    assert other.inventory == one.inventory
    assert (other.write_activity, other.write_errors) == (one.write_activity, one.write_errors)
    assert other.write_second == one.write_second


class TestSameBits:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("cells", DEVICES)
    def test_at_once_and_later(self, scheme, cells, tmp_path):
        x, w = problem()
        spec = MacroSpec(device=DEVICES[cells], wires=WIRES, **TILES, **scheme_fields(scheme), **CONVERTERS["adc"])
        macro = spec.program(w, rng=3)
        loaded = again(macro, tmp_path)
        assert_same(macro, loaded, x)
        assert_same(macro.at(1e4), loaded.at(1e4), x)

    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("converters", CONVERTERS)
    def test_converters_and_drivers(self, scheme, converters, tmp_path):
        x, w = problem()
        macro = MacroSpec(device=DEVICES["spread"], **TILES, **scheme_fields(scheme), **CONVERTERS[converters]).program(
            w, rng=3
        )
        assert_same(macro, again(macro, tmp_path), x)

    @pytest.mark.parametrize("how", [{"noise_model": "cells"}, {"telegraph_vectors": 2}, {"nonlinear": "newton"}])
    def test_what_needs_the_cells(self, how, tmp_path):
        x, w = problem()
        parts = {key: getattr(DEVICES[cells], key) for cells, key in (("telegraph",) * 2, ("curved", "conduction"))}
        macro = MacroSpec(device=DeviceSpec(**WINDOW, **parts), wires=WIRES, **TILES, **how).program(w, rng=3)
        assert_same(macro, again(macro, tmp_path), x[:4])

    @pytest.mark.parametrize(
        "fields", [{}, {"weight_scale_per": "channel"}, {"cell_bits": (1, 2)}, {"accumulate": "analog"}]
    )
    def test_stacked_matrices_with_ranges(self, fields, tmp_path):
        """Every matrix, with rewritten tiles and calibrated converters."""
        x, w = problem(leading=(2, 3))
        spec = MacroSpec(
            **{
                **TILES,
                "cell_bits": 2,
                "adc": SarAdcSpec(bits=6, full_scale_from="calibrated", gain_spread=0.1),
                **fields,
            }
        )
        ranges = spec.calibrate(w, np.broadcast_to(x, (2, 3, *x.shape)), coverage=0.9)
        macro = spec.program(w, ranges=ranges, cell_rng=7, rng=3)
        loaded = again(macro, tmp_path)
        assert_same(macro, loaded, x)
        assert_array_equal(loaded.weight_step, macro.weight_step)
        assert loaded.ranges.inputs == ranges.inputs
        assert loaded.ranges.current_ampere == ranges.current_ampere
        assert_array_equal(loaded.ranges.weights, ranges.weights)

    def test_ranges_that_are_left_open(self, tmp_path):
        _, w = problem()
        assert again(MacroSpec(**TILES).program(w, rng=0), tmp_path).ranges == MacroRanges()

    def test_an_older_file_has_older_names(self, tmp_path):
        x, w = problem()
        device = DeviceSpec(
            **WINDOW,
            fitted_from_to_siemens=(1e-6, 5e-5),
            fitted_until_second=1e6,
            write={"volt": 2.0, "pulse_second": 1e-7},
            relaxation={"times_second": [60.0], "total_siemens": [2e-6]},
            read_noise={"relative_deviation": 0.02},
            telegraph={"trap_share": 0.3, "amplitude": 0.1},
            temperature={"kelvin": 320.0, "change_per_kelvin": 1e-3},
        )
        wires = WireSpec(word_line_ohm=2.0, bit_line_ohm=1.0, change_per_kelvin=0.004)
        macro = MacroSpec(**{**TILES, "device": device, "adc": SarAdcSpec(), "wires": wires}).program(w, rng=3)
        macro.save(tmp_path / "macro.h5")
        older_names = {name: old for names in RENAMED.values() for old, name in names.items()}

        def of_before(fields):
            if not isinstance(fields, dict):
                return fields
            names = {**older_names, "change_per_kelvin": f"{'conductance' if 'kelvin' in fields else 'ohm'}_per_kelvin"}
            return {names.get(key, key): of_before(value) for key, value in fields.items()}

        def fill(older):
            with h5py.File(tmp_path / "macro.h5") as file:
                for name in file:
                    file.copy(name, older)
                older.attrs.update(file.attrs)
            spec = of_before(json.loads(older.attrs["spec"]))
            spec["wires"]["temperature_kelvin"] = 300.0
            older.attrs["spec"] = json.dumps(spec)

        write_hdf5(tmp_path / "older.h5", fill)
        loaded = read_macro(tmp_path / "older.h5")
        assert loaded.spec == macro.spec
        assert_same(macro, loaded, x)

    @pytest.mark.parametrize("how", ["tables", "pipeline"])
    def test_an_older_file_lists_errors_of_all_kinds_of_converters(self, how, tmp_path):
        x, w = problem()
        macro = MacroSpec(**TILES, **CONVERTERS[how]).program(w, rng=3)
        macro.save(tmp_path / "macro.h5")
        none = {"capacitor_mismatch": 0.0, "comparator_spread_lsb": 0.0, "curvature_lsb": 0.0}
        none |= {"amplifier_gain": None, "stage_gain_spread": 0.0}

        def fill(older):
            with h5py.File(tmp_path / "macro.h5") as file:
                for name in file:
                    file.copy(name, older)
                older.attrs.update(file.attrs)
            spec = json.loads(older.attrs["spec"])
            older.attrs["spec"] = json.dumps({**spec, "adc": {**none, **spec["adc"]}})

        write_hdf5(tmp_path / "older.h5", fill)
        assert_same(macro, rs.load(tmp_path / "older.h5"), x)

    @pytest.mark.parametrize("preset", presets("macros"))
    def test_published_macros(self, preset, tmp_path):
        spec = MacroSpec(preset=preset)
        x, w = problem(n_in=20)
        x = x if spec.signed_inputs else np.abs(x)
        macro = spec.program(w, ranges=spec.calibrate(w, x), rng=1)
        assert_same(macro, again(macro, tmp_path), x)

    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("preset", presets())
    def test_published_devices(self, preset, tmp_path):
        """Their spec comes back whole, all curves in it."""
        x, w = problem(n_in=3, n_out=2)
        cells = device(preset)
        fields = {key: value for key, value in TILES.items() if key != "weight_bits"}
        low, high = cells.fitted_from_to_siemens or (0.0, np.inf)
        if low > cells.g_min_siemens or high < cells.g_max_siemens:
            window = {"g_min_siemens": max(low, cells.g_min_siemens), "g_max_siemens": min(high, cells.g_max_siemens)}
            cells = device(preset, **window)
        macro = MacroSpec(device=cells, weight_bits=4, **fields).program(w, rng=1)
        assert_same(macro, again(macro, tmp_path), x)

    def test_twice(self, tmp_path):
        """What was loaded, aged and saved again is what it was."""
        x, w = problem()
        macro = MacroSpec(device=DEVICES["drift"], **TILES).program(w, rng=0).at(100.0)
        once = again(macro, tmp_path)
        once.at(1e4).save(tmp_path / "aged.h5")
        assert_same(read_macro(tmp_path / "aged.h5"), macro.at(1e4), x)

    def test_a_loaded_macro_forgets_no_limit(self, tmp_path):
        _, w = problem()
        cells = DeviceSpec(**WINDOW, drift={"exponent": 0.05}, fitted_until_second=1e5)
        with pytest.raises(RangeError, match="its source gives no figure after 100000 s"):
            again(MacroSpec(device=cells, **TILES).program(w, rng=0), tmp_path).at(1e6)

    def test_by_the_names_of_the_package(self, tmp_path):
        x, w = problem()
        macro = rs.MacroSpec(**TILES).program(w, rng=0)
        macro.save(str(tmp_path / "macro.h5"))
        assert_same(macro, rs.load(str(tmp_path / "macro.h5")), x)


class TestFile:
    @pytest.mark.parametrize("kind", UNITS)
    def test_every_field_has_a_unit(self, kind):
        """Or is known to be no array: nothing that a macro holds is left out, and no unit is guessed."""
        assert list(UNITS[kind]) == [field.name for field in fields(kind)]

    def test_any_reader_opens_it(self, tmp_path):
        """Every dataset says its unit; the matrix can be found from cells and slices alone."""
        _, w = problem(n_in=7, n_out=1)
        cells = DeviceSpec(
            **WINDOW, relaxation={"spread_siemens_per_ln": 1e-7}, read_noise={"relative_deviation": 0.05}
        )
        macro = MacroSpec(device=cells, **TILES, **CONVERTERS["adc"], dac=DacSpec(level_spread=0.1)).program(w, rng=0)
        macro.save(tmp_path / "macro.h5")
        units = {}
        with h5py.File(tmp_path / "macro.h5") as file:
            file.visititems(
                lambda name, item: units.update({name: item.attrs["units"]} if hasattr(item, "dtype") else {})
            )
            spec = json.loads(file.attrs["spec"])
            assert (spec["tile_rows"], spec["device"]["g_min_siemens"]) == (7, 2e-6)
            assert json.loads(file.attrs["provenance"])["rramsim"]
            g = file["tiles/0/0/cells/g"][()]
        levels = ((g - 2e-6) / 16e-6).reshape(7, 2, 2)
        integers = (levels[..., 0] - levels[..., 1]) @ [1, 4]
        assert np.abs(integers * macro.weight_step - w[:, 0]).max() <= macro.weight_step / 2 * (1 + 1e-9)
        expected = {
            "tiles/0/0/cells/g": "S",
            "tiles/0/0/cells/g_target": "S",
            "tiles/0/0/drawn/wander": "1",
            "tiles/0/0/array/transconductance": "S",
            "tiles/0/0/array/relative_noise": "1",
            "tiles/0/0/row_conductance": "S",
            "edge/adc/gain": "1",
            "edge/adc/offset_lsb": "1",
            "edge/dacs/0/0/levels": "1",
            "edge/step_ampere": "A",
            "weight_step": "1",
        }
        assert {name: units[name] for name in expected} == expected
        assert set(units.values()) <= {"1", "S", "S3", "A", "J", "s"}

    def test_units_of_the_rest(self, tmp_path):
        """Energies of verified writes, third cumulants, exponents, full scales."""
        x, w = problem()
        for cells, path, unit in (
            ("verified", "tiles/0/0/cells/joule", "J"),
            ("verified", "tiles/0/0/cells/pulses", "1"),
            ("drift", "tiles/0/0/array/noise_third", "S3"),
            ("drift", "tiles/0/0/drawn/exponent", "1"),
            ("telegraph", "tiles/0/0/drawn/trap", "1"),
        ):
            macro = MacroSpec(device=DEVICES[cells], **TILES).program(w, rng=0)
            macro.save(tmp_path / f"{cells}{unit}.h5")
            with h5py.File(tmp_path / f"{cells}{unit}.h5") as file:
                assert file[path].attrs["units"] == unit
            (tmp_path / f"{cells}{unit}.h5").unlink()
        spec = MacroSpec(adc=SarAdcSpec(bits=6, full_scale_from="calibrated"), **TILES)
        spec.program(w, ranges=spec.calibrate(w, x), rng=0).save(tmp_path / "calibrated.h5")
        with h5py.File(tmp_path / "calibrated.h5") as file:
            assert file["ranges/current_ampere"].attrs["units"] == "A"
            assert file["ranges/inputs"].attrs["units"] == "1"


@pytest.fixture
def macro():
    return MacroSpec(device=DEVICES["relaxation"], **TILES).program(problem()[1], rng=0)


@pytest.fixture
def path(macro, tmp_path):
    macro.save(tmp_path / "macro.h5")
    return tmp_path / "macro.h5"


class TestRefused:
    def test_a_file_that_exists(self, macro, path, tmp_path):
        before = path.read_bytes()
        with pytest.raises(TraceError, match="exists already and is never overwritten"):
            macro.save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["macro", "macro.hdf5", "macro.npz", "macro.H5"])
    def test_another_ending(self, macro, tmp_path, name):
        with pytest.raises(SpecError, match=r"its name must end in \.h5, which says what is written"):
            macro.save(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_forgotten_cells(self, tmp_path):
        macro = MacroSpec(**TILES).program(problem()[1], keep_cells=False, rng=0)
        with pytest.raises(SpecError, match="keep_cells=False; there are no cells to write"):
            macro.save(tmp_path / "macro.h5")
        assert not list(tmp_path.iterdir())

    def test_a_kind_of_device_of_ones_own(self, tmp_path):
        class Wire(DeviceSpec):
            """A cell that obeys nobody."""

        macro = MacroSpec(device=Wire(), **TILES).program(problem()[1], rng=0)
        with pytest.raises(SpecError, match="the device is a Wire, a kind of its own"):
            macro.save(tmp_path / "macro.h5")
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_not_there(self, macro, tmp_path):
        with pytest.raises(TraceError, match="its folder cannot be written"):
            macro.save(tmp_path / "nowhere" / "macro.h5")
        assert not list(tmp_path.iterdir())

    def test_nothing_is_left_of_an_attempt(self, macro, tmp_path, monkeypatch):
        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(TraceError, match="cannot be written: No space left on device"):
            macro.save(tmp_path / "macro.h5")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.9, 0.9999])
    def test_a_flipped_byte(self, path, share):
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 0x10
        path.write_bytes(content)
        with pytest.raises(TraceError, match="not a macro"):
            read_macro(path)

    def test_a_file_cut_short(self, path):
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(TraceError, match="an HDF5 file, but not a macro as rramsim wrote it: its digest is wrong"):
            read_macro(path)

    def test_a_trace(self, tmp_path):
        write_trace(tmp_path / "trace.h5", {"title": "", "seed": 0, "study": "{}", "provenance": "{}"}, {}, {}, {})
        with pytest.raises(TraceError, match="not a macro: it says that it is a 'rramsim-trace'"):
            read_macro(tmp_path / "trace.h5")

    def test_no_trace(self, path):
        with pytest.raises(TraceError, match="not a trace: it says that it is a 'rramsim macro'"):
            rs.open_trace(path)

    def test_a_newer_version(self, tmp_path):
        def fill(file):
            file.attrs["format"], file.attrs["format_version"] = "rramsim macro", 2

        write_hdf5(tmp_path / "newer.h5", fill)
        with pytest.raises(TraceError, match=r"format version 2; this rramsim reads up to 1\. Upgrade rramsim"):
            read_macro(tmp_path / "newer.h5")

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(TraceError, match="no such file"):
            read_macro(tmp_path / "none.h5")
        with pytest.raises(TraceError, match="not a file"):
            read_macro(tmp_path)
