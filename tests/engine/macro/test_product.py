"""Products of programmed macros: integers, shapes, convergence to ideal converters, later times, published macros."""

import numpy as np
import pytest
from helpers.macros import LEAKY, ROUGH, SCHEMES, TILES, WIRES, codes_of, integers_per_code, problem
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.cards import presets
from rramsim.cell.device import DeviceSpec
from rramsim.cell.spread import GaussianSpreadSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import RangeError, SpecError

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 6))


@st.composite
def specs(draw):
    """Any macro without errors: signs, widths, slices, drivers, ragged tiles, unused cells, leaky or not."""
    weight_bits, signed = draw(st.integers(2, 10)), draw(st.sampled_from(["differential", "separate", "offset"]))
    digits = weight_bits - (signed != "offset")
    if draw(st.booleans()):
        cell_bits, n_slices = draw(st.integers(1, 8)), 0
        n_slices = -(-digits // cell_bits)
    else:
        cell_bits = tuple(draw(st.lists(st.integers(1, 4), min_size=digits, max_size=digits)))
        n_slices = len(cell_bits)
    flip = signed == "offset" and draw(st.booleans())
    first = cell_bits if isinstance(cell_bits, int) else cell_bits[0]
    unit = signed == "offset" and (first > 1 or not flip) and draw(st.booleans())
    needed = n_slices * (1 if signed == "offset" else 2) + unit
    signed_inputs = draw(st.booleans())
    return MacroSpec(
        device=draw(st.sampled_from([DeviceSpec(), LEAKY])),
        dac=DacSpec(bits=draw(st.integers(1, 4)), bipolar=draw(st.booleans())),
        input_bits=draw(st.integers(2 if signed_inputs else 1, 10)),
        weight_bits=weight_bits,
        cell_bits=cell_bits,
        weight_coding=signed,
        invert_heavy_columns=flip,
        offset_from="unit column" if unit else "digital",
        weight_scale_per=draw(st.sampled_from(["tensor", "channel"])),
        unused_cells=draw(st.sampled_from(["absent", "low", "open"])),
        accumulate=draw(st.sampled_from(["digital", "analog"])),
        tile_rows=draw(st.integers(1, 6)),
        tile_columns=draw(st.integers(needed, 3 * needed + 1)),
        signed_inputs=signed_inputs,
    )


class TestIdeal:
    @given(specs(), SHAPES, st.integers(0, 999))
    def test_equals_the_integer_product(self, spec, shape, seed):
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        expected = oracle.ideal_product(x_codes, w_codes)
        assert_allclose(spec.program(w, rng=0)(x, rng=0) / unit, expected, rtol=0, atol=1e-6)

    @given(specs(), SHAPES, st.integers(0, 999))
    @settings(max_examples=examples(60))
    def test_lossless_converters_round_nothing(self, spec, shape, seed):
        """Where every sum is a code of its own, the integers come out exactly."""
        changes = {"adc": SarAdcSpec(bits=14, full_scale_from="lossless"), "accumulate": "digital"}
        if spec.weight_coding != "differential":
            changes["device"] = DeviceSpec()
        spec = spec.but(changes)
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        result = spec.program(w, rng=0).apply(x, rng=0)
        assert_allclose(result.values / unit, oracle.ideal_product(x_codes, w_codes), rtol=0, atol=1e-8)
        assert result.errors == {"adc_saturation": 0}

    def test_lossless_integers_to_the_bit(self):
        spec = MacroSpec(preset="isaac", input_bits=8, weight_bits=8, tile_rows=32)
        rng = np.random.default_rng(0)
        x, w = rng.integers(-127, 128, (20, 100)), rng.integers(-127, 128, (100, 30))
        x[:, 0], w[0] = 127, 127
        ideal = spec.but({"device": DeviceSpec()})
        macro = ideal.program(w, ranges=MacroRanges(inputs=127.0, weights=127.0), rng=0)
        assert_array_equal(macro(x, rng=0), (x @ w).astype(float))

    @given(specs(), SHAPES, st.integers(0, 999))
    @settings(max_examples=examples(30))
    def test_any_tiling_gives_the_same(self, spec, shape, seed):
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        # One tile for every shape: at most 9 rows, and 6 outputs of 10 slices on two lines beside a unit column.
        whole = spec.but({"tile_rows": 9, "tile_columns": 6 * 20 + 1})
        assert_allclose(spec.program(w, rng=0)(x, rng=0), whole.program(w, rng=0)(x, rng=0), rtol=1e-9, atol=1e-9)

    def test_close_to_the_float_product(self):
        """Quantisation error of 12 bits: at most half a step of each factor, rows add up."""
        x, w = problem(20, 64, 10)
        spec = MacroSpec(input_bits=12, weight_bits=12)
        bound = 64 * (np.abs(x).max() * np.abs(w).max()) * (1 / 2047 + 0.25 / 2047**2)
        assert np.abs(spec.program(w, rng=0)(x, rng=0) - x @ w).max() < bound

    def test_full_adc_of_enough_bits_is_exact(self):
        """Seven rows of 1-bit cells make seven codes and no more: 4 bits hold them all."""
        spec = MacroSpec(cell_bits=1, weight_bits=4, input_bits=4, tile_rows=7, adc=SarAdcSpec(bits=4))
        x, w = problem(30, 21, 5)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        done = spec.program(w, rng=0).apply(x, rng=0)
        assert_allclose(done.values / unit, oracle.ideal_product(x_codes, w_codes), atol=1e-9)
        assert done.errors == {"adc_saturation": 0}

    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=10)])
    def test_zeros(self, adc):
        spec = MacroSpec(adc=adc)
        assert not spec.program(np.zeros((3, 4)), rng=0)(np.ones((2, 3)), rng=0).any()
        assert not spec.program(np.ones((3, 4)), rng=0)(np.zeros((2, 3)), rng=0).any()


class TestShapes:
    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=6)])
    def test_single_vector(self, adc):
        x, w = problem(3, 5, 4)
        macro = MacroSpec(adc=adc).program(w, rng=0)
        assert_allclose(macro(x[1], rng=0), macro(x, rng=0)[1], rtol=1e-12)
        assert macro(x[1], rng=0).shape == (4,)

    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=6)])
    def test_more_batches_of_vectors(self, adc):
        x, w = problem(6, 5, 4)
        macro = MacroSpec(adc=adc).program(w, rng=0)
        assert_array_equal(macro(x.reshape(2, 3, 5), rng=0), macro(x, rng=0).reshape(2, 3, 4))

    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=6)])
    def test_stacked_matrices_are_independent(self, adc):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 5, 6))
        spec, ranges = MacroSpec(adc=adc, tile_rows=3, tile_columns=20), MacroRanges(weights=np.abs(w).max())
        macro = spec.program(w, ranges=ranges, rng=0)
        assert macro.n_matrices == 6
        for place in np.ndindex(2, 3):
            assert_allclose(
                macro(x, rng=0)[place],
                spec.program(w[place], ranges=ranges, rng=0)(x[place], rng=0),
                rtol=1e-12,
                atol=1e-14,
            )

    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=6)])
    def test_one_input_for_stacked_matrices(self, adc):
        """Inputs without the leading axes of the weights are meant for every matrix."""
        x, w = problem(4, 5, 6)
        stacked = MacroSpec(adc=adc).program(np.stack([w, w]), rng=0)
        assert_allclose(stacked(x, rng=0), np.stack([stacked(np.stack([x, x]), rng=0)[0]] * 2), rtol=1e-12)
        assert stacked(x[0], rng=0).shape == (2, 6)

    def test_inputs_that_do_not_fit(self):
        macro = MacroSpec().program(np.ones((5, 4)), rng=0)
        for shape in [(), (4,), (2, 4)]:
            with pytest.raises(SpecError, match=r"inputs have the shape \(\.\.\., 5\)"):
                macro(np.ones(shape), rng=0)
        with pytest.raises(SpecError, match="leading axes"):
            MacroSpec(adc=SarAdcSpec()).program(np.ones((2, 5, 4)), rng=0)(np.ones((3, 7, 5)), rng=0)
        with pytest.raises(SpecError, match="finite"):
            macro(np.full((2, 5), np.nan), rng=0)


class TestConvergence:
    def test_bit_serial_tends_to_the_ideal_converter(self):
        """Error against the ideal converter halves with every bit (order 1 in the step of the converter)."""
        x, w = problem(40, 60, 10)
        spec = MacroSpec(device=ROUGH, tile_rows=30)
        exact = spec.program(w, rng=1)(x, rng=0)
        errors = []
        for bits in range(4, 11):
            macro = spec.but({"adc": SarAdcSpec(bits=bits)}).program(w, rng=1)
            errors.append(np.sqrt(np.mean((macro(x, rng=0) - exact) ** 2)))
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert orders[2:].mean() == pytest.approx(1, abs=0.15)
        assert (np.diff(errors) < 0).all()

    def test_more_rows_of_tiles_add_rounding(self):
        """With one step in ampere, rounding errors of n rows of tiles are independent: they grow as sqrt(n)."""
        x, w = problem(60, 128, 12)
        fixed = SarAdcSpec(bits=11, full_scale_from="fixed", full_scale_ampere=0.2 * 50e-6 * 32)
        errors = []
        for rows in (128, 64, 32, 16, 8):
            spec = MacroSpec(device=ROUGH, tile_rows=rows)
            values = spec.but({"adc": fixed}).program(w, rng=1)(x, rng=0)
            errors.append(np.std(values - spec.program(w, rng=1)(x, rng=0)))
        assert_allclose(np.array(errors[1:]) / errors[:-1], np.sqrt(2), rtol=0.12)

    def test_fewer_bits_a_cell_err_less(self):
        """A spread sigma of the conductance is sigma / unit of a digit, and unit doubles with every bit taken away.

        The slice of the highest weight decides: error ~ 2^(top shift) (2^b - 1), 96, 192, 240 and 127 for 1, 2, 4 and 7
        bits a cell of 7 bits in all, with the lower slices added in squares.
        """
        x, w = problem(40, 64, 40)
        spread = DeviceSpec(g_min_siemens=10e-6, programming=GaussianSpreadSpec(spread_siemens=1e-6))
        errors, expected = [], []
        for cell_bits in (1, 2, 4, 7):
            spec = MacroSpec(device=spread, cell_bits=cell_bits)
            ideal = spec.but({"device": DeviceSpec()})
            errors.append(np.std(spec.program(w, rng=1)(x, rng=0) - ideal.program(w, rng=0)(x, rng=0)))
            expected.append(np.sqrt(np.sum((spec.slice_weights / spec.unit_siemens) ** 2)))
        assert_allclose(np.array(errors) / errors[0], np.array(expected) / expected[0], rtol=0.08)

    def test_finer_cells_need_no_change(self):
        """Without an ADC the number of bits a cell holds is invisible."""
        x, w = problem(5, 20, 6)
        results = [MacroSpec(device=LEAKY, cell_bits=bits).program(w, rng=0)(x, rng=0) for bits in (1, 2, 3, 4)]
        for one in results[1:]:
            assert_allclose(one, results[0], rtol=1e-10, atol=1e-10)


class TestScales:
    def test_a_step_for_each_output(self):
        x, w = problem(20, 30, 3)
        w *= [1.0, 0.01, 100.0]
        tensor, channel = (
            MacroSpec(weight_scale_per=scale).program(w, rng=0)(x, rng=0) for scale in ("tensor", "channel")
        )
        error = [np.abs(values - x @ w).max(axis=0) / np.abs(x @ w).max(axis=0) for values in (tensor, channel)]
        assert error[0][1] > 0.5
        assert error[1].max() < 0.05


AGING = {
    "relaxation": {"shift_siemens_per_ln": -2e-7, "spread_siemens_per_ln": 3e-7},
    "drift": {"exponent": 0.05, "exponent_spread": 0.02},
    "noise": {"drift": {"exponent": 0.05}, "read_noise": {"relative_deviation": 0.02, "integration_second": 1e-3}},
    "traps": {"telegraph": {"trap_share": 0.5, "amplitude": 0.2}, "drift": {"exponent": 0.05}},
}


def aging(kind, **more):
    parts = AGING[kind] if kind in ("noise", "traps") else {kind: AGING[kind]}
    stuck = {"on_fraction": 0.05, "off_fraction": 0.05}
    return DeviceSpec(g_min_siemens=2e-6, g_max_siemens=50e-6, stuck=stuck, **{**parts, **more})


class TestLater:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("kind", AGING)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=6, capacitor_mismatch=0.05)])
    def test_as_if_programmed_to_be_read_then(self, kind, scheme, adc):
        """Bit for bit, since cells and draws are the same."""
        x, w = problem()
        fields = {"wires": WIRES, "adc": adc, **TILES, **SCHEMES[scheme]}
        now = MacroSpec(device=aging(kind), **fields).program(w, rng=3)
        then = MacroSpec(device=aging(kind, read_after_second=1e4), **fields).program(w, rng=3)
        later = now.at(1e4)
        assert later.spec == then.spec
        assert_array_equal(later(x, rng=1), then(x, rng=1))
        assert later.apply(x, rng=0).activity == then.apply(x, rng=0).activity
        assert (later(x, rng=1) != now(x, rng=1)).any()

    def test_back_and_forth(self):
        x, w = problem()
        now = MacroSpec(device=aging("relaxation"), **TILES).program(w, rng=0)
        assert_array_equal(now.at(100.0).at(1e4)(x, rng=0), now.at(1e4)(x, rng=0))
        assert_array_equal(now.at(100.0).at(0.0)(x, rng=0), now(x, rng=0))

    def test_no_time_beyond_the_fit(self):
        _, w = problem()
        now = MacroSpec(device=aging("drift", fitted_until_second=1e5), **TILES).program(w, rng=0)
        now.at(1e5)
        with pytest.raises(RangeError, match="its source gives no figure after 100000 s"):
            now.at(2e5)
        with pytest.raises(RangeError, match="a time after the write is at least 0 s; got -1"):
            now.at(-1.0)


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
    codes, weight = 0.0, np.square(integers_per_code(macro))
    if spec.adc.full_scale_from != "lossless" or (spec.device.g_min_siemens and spec.weight_coding != "differential"):
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
    ranges = spec.calibrate(w, x) if spec.adc.full_scale_from == "calibrated" else None
    macro, exact = spec.program(w, ranges=ranges, rng=1), x @ w
    assert macro.n_tiles > 1
    outputs = macro(x, rng=2)
    r = np.corrcoef(outputs.ravel(), exact.ravel())[0, 1]
    return 1 / r**2 - 1, (outputs * exact).sum() / np.square(exact).sum(), error_variance(macro, x, w) / exact.var()


class TestPresets:
    @pytest.mark.parametrize("preset", presets("macros"))
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
