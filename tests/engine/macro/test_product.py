"""Products of programmed macros: pieces of a batch, threads, later times, probes, published macros."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import rramsim as rs
from rramsim.array.converters import AdcSpec, DacSpec
from rramsim.array.wires import WireSpec
from rramsim.cards import macro_presets
from rramsim.cell.device import DeviceSpec
from rramsim.engine.macro import fused
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import RangeError, SpecError
from rramsim.threads import limit_threads, run_slices, thread_count

NOISY = DeviceSpec(
    g_min_siemens=2e-6,
    g_max_siemens=50e-6,
    programming={"spread_siemens": 1e-6},
    read_noise={"relative": 0.05},
)
SKEW = NOISY.but({"read_noise": rs.ReadNoiseSpec(law="lognormal", relative=0.3)})
WIRES = WireSpec(word_line_ohm=5.0, bit_line_ohm=3.0, driver_ohm=200.0, sense_ohm=100.0)
TILES = {"tile_rows": 7, "tile_columns": 9, "input_bits": 3, "weight_bits": 4}
SCHEMES = {
    "differential": {"signed": "differential"},
    "separate": {"signed": "separate"},
    "offset": {"signed": "offset"},
    "unit column": {"signed": "offset", "zero": "unit column"},
    "flip": {"signed": "offset", "zero": "unit column", "flip": True},
}


class Recorder:
    active = True

    def __init__(self):
        self.signals, self.units = {}, {}

    def record(self, name, values, unit="1"):
        self.signals[name], self.units[name] = np.array(values), unit


def problem(n_vectors=23, n_in=12, n_out=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_vectors, n_in)), rng.normal(size=(n_in, n_out))


PATHS = {
    "fused": {"adc": AdcSpec(bits=6, noise_lsb=0.3)},
    "skew": {"adc": AdcSpec(bits=6), "device": SKEW},
    "levels": {"adc": AdcSpec(bits=6), "dac": DacSpec(bits=2, noise=0.02, level_spread=0.02)},
    "analog": {"adc": AdcSpec(bits=6, noise_lsb=0.3), "accumulate": "analog"},
    "cells": {"adc": AdcSpec(bits=6), "noise": "cells"},
    "unit column": {"signed": "offset", "zero": "unit column"},
    "ideal converter": {},
}


class TestPieces:
    @pytest.mark.parametrize("path", PATHS)
    def test_of_a_batch(self, path):
        """Of any length, with the noise of the whole; sums in double precision may differ in their last bit."""
        x, w = problem()
        macro = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]}).program(w)
        whole = macro.apply(x, 5)
        pieces = [macro.apply(x[a:b], 5, first_vector=a).values for a, b in ((0, 1), (1, 9), (9, 23))]
        assert_allclose(np.concatenate(pieces), whole.values, rtol=0, atol=0 if macro.spec.adc else 1e-13)
        assert (macro.apply(x, 5, first_vector=1).values != whole.values).any()

    @pytest.mark.parametrize("path", ["fused", "ideal converter"])
    def test_of_stacked_matrices(self, path):
        x, w = problem()
        stacked = np.stack([w, -w])
        macro = MacroSpec(**{"device": NOISY, **TILES, **PATHS[path]}).program(stacked)
        whole = macro(x, 5)
        pieces = [macro.apply(x[a:b], 5, first_vector=a).values for a, b in ((0, 9), (9, 23))]
        assert_allclose(np.concatenate(pieces, axis=-2), whole, rtol=0, atol=0 if macro.spec.adc else 1e-13)

    @pytest.mark.parametrize("path", PATHS)
    def test_work_on_any_number_of_threads(self, path, monkeypatch):
        """Bit for bit; several blocks of columns, and no work too small for a thread."""
        x, w = problem(n_out=40)
        monkeypatch.setattr(fused, "run_slices", lambda work, count, threads: run_slices(work, count, thread_count()))
        spec, found = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]}), []
        for threads in (1, 3):
            with limit_threads(threads):
                found.append(spec.program(w, 2).apply(x[:5], 5))
        assert_array_equal(found[0].values, found[1].values)
        assert found[0].errors == found[1].errors

    @pytest.mark.parametrize("path", PATHS)
    def test_no_vectors(self, path):
        x, w = problem()
        macro = MacroSpec(**{"device": NOISY, **TILES, **PATHS[path]}).program(w)
        done = macro.apply(x[:0])
        assert done.values.shape == (0, 4)
        assert not any(done.errors.values())


class TestForgottenCells:
    @pytest.mark.parametrize("path", [path for path in PATHS if path != "cells"])
    def test_products_are_the_same(self, path):
        x, w = problem()
        spec = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]})
        kept, forgotten = spec.program(w), spec.program(w, keep_cells=False)
        one, other = (macro.apply(x, 5, Recorder()) for macro in (kept, forgotten))
        assert_array_equal(other.values, one.values)
        assert other.activity == one.activity
        assert other.errors == one.errors
        assert forgotten.write_activity == kept.write_activity

    def test_what_needs_them_says_so(self):
        x, w = problem()
        macro = MacroSpec(**TILES).program(w, keep_cells=False)
        for ask in (lambda: macro.later(1.0), lambda: macro.column_currents(x), lambda: macro.newton_cost(1)):
            with pytest.raises(SpecError, match="programmed with keep_cells=False, so its cells are gone"):
                ask()


AGING = {
    "relaxation": {"shift_siemens_per_ln": -2e-7, "spread_siemens_per_ln": 3e-7},
    "drift": {"exponent": 0.05, "exponent_spread": 0.02},
    "noise": {"drift": {"exponent": 0.05}, "read_noise": {"relative": 0.02, "integration_second": 1e-3}},
    "traps": {"telegraph": {"share": 0.5, "amplitude": 0.2}, "drift": {"exponent": 0.05}},
}


def aging(kind, **more):
    parts = AGING[kind] if kind in ("noise", "traps") else {kind: AGING[kind]}
    stuck = {"on_fraction": 0.05, "off_fraction": 0.05}
    return DeviceSpec(g_min_siemens=2e-6, g_max_siemens=50e-6, stuck=stuck, **{**parts, **more})


class TestLater:
    @pytest.mark.parametrize("kind", AGING)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6, capacitor_mismatch=0.05)])
    def test_as_if_programmed_to_be_read_then(self, kind, scheme, adc):
        """The same cells of the same draws: bit for bit."""
        x, w = problem()
        fields = {"wires": WIRES, "adc": adc, **TILES, **SCHEMES[scheme]}
        now = MacroSpec(device=aging(kind), **fields).program(w, 3)
        then = MacroSpec(device=aging(kind, read_after_second=1e4), **fields).program(w, 3)
        later = now.later(1e4)
        assert later.spec == then.spec
        assert_array_equal(later(x, 1), then(x, 1))
        assert later.apply(x).activity == then.apply(x).activity
        assert (later(x, 1) != now(x, 1)).any()

    def test_back_and_forth(self):
        x, w = problem()
        now = MacroSpec(device=aging("relaxation"), **TILES).program(w)
        assert_array_equal(now.later(100.0).later(1e4)(x), now.later(1e4)(x))
        assert_array_equal(now.later(100.0).later(0.0)(x), now(x))

    def test_no_time_beyond_the_fit(self):
        _, w = problem()
        now = MacroSpec(device=aging("drift", fitted_second=1e5), **TILES).program(w)
        now.later(1e5)
        with pytest.raises(RangeError, match="its source gives no figure after 100000 s"):
            now.later(2e5)
        with pytest.raises(RangeError, match="a time after the write is at least 0 s; got -1"):
            now.later(-1.0)


def weights_of(macro):
    """What codes, or currents in steps, of each pulse and slice count in the result of one row of tiles."""
    spec = macro.spec
    pulses = macro.pulse_weights.astype(float)
    if spec.accumulate == "analog":
        pulses = np.abs(pulses).sum(keepdims=True)
    slices = 2.0 ** np.cumsum((0, *spec.widths[:-1]))
    return np.multiply.outer(pulses, slices * macro.converters.step_ampere / (spec.step_volt * spec.unit_siemens))


CONVERTERS = {
    "ideal": AdcSpec(bits=8),
    "coarse": AdcSpec(bits=4),
    "tables": AdcSpec(bits=5, capacitor_mismatch=0.2, gain_spread=0.1, offset_spread_lsb=0.5, columns=2, noise_lsb=0.3),
    "pipeline": AdcSpec(kind="pipeline", bits=5, comparator_spread_lsb=0.4, stage_gain_spread=0.02, columns=1),
    None: None,
}


class TestProbe:
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("adc", CONVERTERS)
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2)}, {"device": SKEW}])
    def test_signals(self, scheme, adc, fields):
        """Shapes, units, codes of the currents; and probing changes nothing."""
        x, w = problem(7)
        seen, macro = (
            Recorder(),
            MacroSpec(**{"device": NOISY, **TILES, **SCHEMES[scheme], "adc": CONVERTERS[adc], **fields}).program(w),
        )
        probed, plain = macro.apply(x, 4, seen), macro.apply(x, 4)
        assert_array_equal(probed.values, plain.values)
        assert (probed.activity, probed.errors) == (plain.activity, plain.errors)
        n_pulses = len(weights_of(macro))
        shape = (n_pulses, 7, 4, 2) + ((2,) if scheme == "separate" else ())
        assert set(seen.signals) == {"column_current", "adc_code"} if adc else {"column_current"}
        assert seen.units["column_current"] == "A"
        assert seen.signals["column_current"].shape == shape
        if adc:
            codes, built = seen.signals["adc_code"], macro.converters.adc
            assert (codes.shape, codes.dtype, seen.units["adc_code"]) == (shape, np.int16, "1")
            assert built.code_min <= codes.min() < codes.max() <= built.code_max
            if built.levels is None:
                steps = seen.signals["column_current"] / macro.converters.step_ampere[0]
                near = np.clip(np.rint(steps), built.code_min, built.code_max)
                assert_array_equal(codes, near)

    @pytest.mark.parametrize("scheme", ["differential", "separate"])
    @pytest.mark.parametrize("adc", CONVERTERS)
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2)}, {"device": SKEW}])
    def test_signals_make_up_the_result(self, scheme, adc, fields):
        """One row of tiles, three matrices with converters of their own: codes, or currents, weighed and added up."""
        rng = np.random.default_rng(3)
        x, w = rng.normal(size=(3, 2, 5, 7)), rng.normal(size=(3, 1, 7, 4))
        fields = {**TILES, **SCHEMES[scheme], "adc": CONVERTERS[adc], **fields}
        macro, seen = MacroSpec(**fields).program(w, ranges=MacroRanges(1.0, 1.0)), Recorder()
        values = macro.apply(x, 4, seen).values / (macro.weight_step / 3)
        step = macro.converters.step_ampere.reshape(-1, *[1] * (scheme == "separate"))
        codes = seen.signals["adc_code"].astype(float) if adc else seen.signals["column_current"] / step
        if scheme == "separate":
            codes = codes[..., 0] - codes[..., 1]
        assert codes.shape[1:] == (3, 2, 5, 4, 2)
        if fields.get("device") is SKEW and not adc:
            return  # noise of the sum is drawn for the sum
        assert_allclose(np.einsum("pabvos,ps->abvo", codes, weights_of(macro)), values, rtol=1e-5, atol=1e-4)

    def test_a_single_vector(self):
        x, w = problem()
        macro, seen = MacroSpec(adc=AdcSpec(bits=6), **TILES).program(w), Recorder()
        macro.apply(x[0], 0, seen)
        assert seen.signals["adc_code"].shape == (3, 1, 4, 2)

    @pytest.mark.parametrize("scheme", ["differential", "separate", "offset"])
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2, bipolar=True)}])
    def test_currents_for_a_calibration(self, scheme, fields):
        """All of one row of tiles, in any order; an ideal converter sees the same."""
        x, w = problem(7, n_in=7)
        macro, seen = (
            MacroSpec(wires=WIRES, adc=AdcSpec(bits=8), **TILES, **SCHEMES[scheme], **fields).program(w),
            Recorder(),
        )
        macro.apply(x, 0, seen)
        found = np.sort(macro.column_currents(x))
        assert_allclose(found, np.sort(seen.signals["column_current"].ravel()), rtol=1e-5, atol=1e-12)

    def test_currents_of_one_cell_by_hand(self):
        """Level 3 of 3, 50 uS, 0.2 V: 10 uA in the pulses of the bits that are on; nothing else."""
        spec = MacroSpec(device=DeviceSpec(g_max_siemens=50e-6), input_bits=4, weight_bits=3, signed_inputs=False)
        macro, seen = spec.program([[3.0, 0.0, -3.0]], ranges=MacroRanges(15.0, 3.0)), Recorder()
        macro.apply([[13.0]], 0, seen)
        bits = np.array([1.0, 0.0, 1.0, 1.0])
        assert_allclose(seen.signals["column_current"][:, 0, :, 0], np.outer(bits, [1e-5, 0, -1e-5]), rtol=1e-6)


def error_variance(macro, x, w):
    """Mean square of what a macro's outputs may be off: rounding, converters, cells; in units of the outputs.

    Rounding to steps of d has the variance d^2 / 12: of inputs and weights, by which the other is multiplied; and of
    codes, which are weighed by their pulses and slices and added up over tiles and lines (less where a current is below
    a step; a lossless converter rounds nothing but what cells at their lowest conductance leak). A cell off by sigma
    changes its output by sigma / unit steps of its slice, for every step of the input.
    """
    spec, full_scale = macro.spec, macro.ranges.inputs or np.abs(x).max(axis=-1, keepdims=True)
    x_step = full_scale / (2 ** (spec.input_bits - spec.signed_inputs) - 1)
    rounding = np.mean(np.square(x_step)) / 12 * np.square(w).sum(axis=0).mean()
    rounding += macro.weight_step**2 / 12 * np.square(x).sum(axis=1).mean()
    codes, weight = 0.0, np.square(weights_of(macro))
    if spec.adc.range != "lossless" or (spec.device.g_min_siemens and spec.signed != "differential"):
        codes = macro.converters.n_row_tiles * spec.n_channels / len(spec.widths) * weight.sum() / 12
        if spec.has_unit_column:
            offset = np.abs(macro.rows[0].offset_per_input).max() / spec.unit_level
            codes += macro.converters.n_row_tiles * offset**2 * weight[:, 0].sum() / 12
    levels = np.linspace(spec.device.g_min_siemens, spec.device.g_max_siemens, 33)
    sigma = np.mean(spec.device.sigma(levels) ** 2)
    slices = np.square(2.0 ** np.cumsum((0, *spec.widths[:-1])) / spec.unit_siemens).sum()
    cells = spec.n_lines * sigma * slices * np.square(x / x_step).sum(axis=1).mean()
    return rounding + (codes + cells) * np.mean(np.square(x_step)) * macro.weight_step**2


def measured(spec, x, w):
    """Error over signal, and the slope of a macro's outputs over the exact ones; with the error expected."""
    ranges = spec.calibrate(w, x) if spec.adc.range == "calibrated" else None
    macro, exact = spec.program(w, 1, ranges), x @ w
    assert macro.n_tiles > 1
    found = macro(x, 2)
    r = np.corrcoef(found.ravel(), exact.ravel())[0, 1]
    return 1 / r**2 - 1, (found * exact).sum() / np.square(exact).sum(), error_variance(macro, x, w) / exact.var()


class TestPresets:
    @pytest.mark.parametrize("preset", macro_presets())
    def test_runs(self, preset):
        """Correlation r with the exact product: 1 / r^2 - 1 is error over signal, at most 1.5 times what is expected.

        1.5 times, as an error is uniform only where many steps are in use, and all are those of one sample.
        """
        spec, rng = MacroSpec(preset=preset), np.random.default_rng(0)
        w = rng.normal(size=(300, 12))
        x = rng.normal(size=(64, 300)) if spec.signed_inputs else rng.random((64, 300))
        error, slope, expected = measured(spec, x, w)
        assert error < 1.5 * expected
        assert abs(slope - 1) < 0.05 + 2 * np.sqrt(expected / 768)

    def test_isaac_rounds_nothing_but_inputs_and_weights(self):
        """On cells that do not leak: 16 bits each, error over signal of some 1e-9, within 20 %."""
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(64, 200)), rng.normal(size=(200, 12))
        spec = MacroSpec(preset="isaac", device={"g_min_siemens": 0.0})
        error, slope, expected = measured(spec, x, w)
        assert_allclose(error, expected, rtol=0.2)
        assert expected < 1e-8
        assert abs(slope - 1) < 1e-5

    def test_fields_of_a_preset(self):
        """Some are changed, one by one in tables; the rest stays."""
        spec = MacroSpec(preset="star", adc={"bits": 7}, input_bits=4)
        assert (spec.adc.bits, spec.adc.kind, spec.input_bits, spec.weight_bits) == (7, "flash", 4, 8)
