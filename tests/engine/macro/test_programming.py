"""The macro against integers, a slow oracle of one cell at a time, ngspice, and the theory of its errors."""

import numpy as np
import pytest
from helpers.peers import run_ngspice
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle
from reference import network

from rramsim.array.converters import AdcSpec, DacSpec
from rramsim.array.network import Network, WireSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.faults import StuckSpec
from rramsim.cell.statistics import ProgrammingSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.mapping import quantize
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError
from rramsim.threads import limit_threads

LEAKY = DeviceSpec(g_min_siemens=2e-6, g_max_siemens=50e-6)
ROUGH = DeviceSpec(
    g_min_siemens=2e-6,
    g_max_siemens=50e-6,
    programming=ProgrammingSpec(spread_siemens=(0.5e-6, 2e-6)),
    stuck=StuckSpec(on_fraction=0.02, off_fraction=0.05),
)
WIRES = WireSpec(word_line_ohm=5.0, bit_line_ohm=3.0, driver_ohm=200.0, sense_ohm=100.0)
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 6))


class Recorder:
    active = True

    def __init__(self):
        self.signals, self.units = {}, {}

    def record(self, name, values, unit="1"):
        self.signals[name], self.units[name] = np.array(values), unit


def problem(n_vectors, n_in, n_out, seed=0, *, signed=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_vectors, n_in)) if signed else rng.random((n_vectors, n_in))
    return x, rng.normal(size=(n_in, n_out))


def codes_of(spec, x, w, ranges=None):
    """Integer inputs and weights, and what one unit of their product stands for."""
    ranges = ranges or MacroRanges()
    full_scale = np.abs(x).max(axis=-1, keepdims=True) if ranges.inputs is None else ranges.inputs
    x_codes, x_step = quantize(x, spec.input_bits, full_scale, signed=spec.signed_inputs)
    largest = np.abs(w).max(axis=0) if spec.scale == "channel" else np.abs(w).max()
    w_codes, w_step = quantize(w, spec.weight_bits, largest)
    return x_codes, w_codes, x_step * w_step


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
        signed=signed,
        flip=flip,
        zero="unit column" if unit else "digital",
        scale=draw(st.sampled_from(["tensor", "channel"])),
        unused=draw(st.sampled_from(["absent", "low", "open"])),
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
        assert_allclose(spec.program(w)(x) / unit, expected, rtol=0, atol=1e-6)

    @given(specs(), SHAPES, st.integers(0, 999))
    @settings(max_examples=60)
    def test_lossless_converters_round_nothing(self, spec, shape, seed):
        """Where every sum is a code of its own, the integers come out exactly."""
        changes = {"adc": AdcSpec(bits=14, range="lossless"), "accumulate": "digital"}
        if spec.signed != "differential":
            changes["device"] = DeviceSpec()
        spec = spec.but(changes)
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        found = spec.program(w).apply(x)
        assert_allclose(found.values / unit, oracle.ideal_product(x_codes, w_codes), rtol=0, atol=1e-8)
        assert found.errors == {"adc_saturation": 0}

    def test_lossless_integers_to_the_bit(self):
        spec = MacroSpec(preset="isaac", input_bits=8, weight_bits=8, tile_rows=32)
        rng = np.random.default_rng(0)
        x, w = rng.integers(-127, 128, (20, 100)), rng.integers(-127, 128, (100, 30))
        x[:, 0], w[0] = 127, 127
        ideal = spec.but({"device": DeviceSpec()})
        made = ideal.program(w, ranges=MacroRanges(inputs=127.0, weights=127.0))
        assert_array_equal(made(x), (x @ w).astype(float))

    @given(specs(), SHAPES, st.integers(0, 999))
    @settings(max_examples=30)
    def test_any_tiling_gives_the_same(self, spec, shape, seed):
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        whole = spec.but({"tile_rows": 1024, "tile_columns": 1024})
        assert_allclose(spec.program(w)(x), whole.program(w)(x), rtol=1e-9, atol=1e-9)

    def test_close_to_the_float_product(self):
        """Quantisation error of 12 bits: at most half a step of each factor, rows add up."""
        x, w = problem(20, 64, 10)
        spec = MacroSpec(input_bits=12, weight_bits=12)
        bound = 64 * (np.abs(x).max() * np.abs(w).max()) * (1 / 2047 + 0.25 / 2047**2)
        assert np.abs(spec.program(w)(x) - x @ w).max() < bound

    def test_full_adc_of_enough_bits_is_exact(self):
        """Seven rows of 1-bit cells make seven codes and no more: 4 bits hold them all."""
        spec = MacroSpec(cell_bits=1, weight_bits=4, input_bits=4, tile_rows=7, adc=AdcSpec(bits=4))
        x, w = problem(30, 21, 5)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        done = spec.program(w).apply(x)
        assert_allclose(done.values / unit, oracle.ideal_product(x_codes, w_codes), atol=1e-9)
        assert done.errors == {"adc_saturation": 0}

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=10)])
    def test_zeros(self, adc):
        spec = MacroSpec(adc=adc)
        assert not spec.program(np.zeros((3, 4)))(np.ones((2, 3))).any()
        assert not spec.program(np.ones((3, 4)))(np.zeros((2, 3))).any()


class TestShapes:
    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6)])
    def test_single_vector(self, adc):
        x, w = problem(3, 5, 4)
        made = MacroSpec(adc=adc).program(w)
        assert_allclose(made(x[1]), made(x)[1], rtol=1e-12)
        assert made(x[1]).shape == (4,)

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6)])
    def test_more_batches_of_vectors(self, adc):
        x, w = problem(6, 5, 4)
        made = MacroSpec(adc=adc).program(w)
        assert_array_equal(made(x.reshape(2, 3, 5)), made(x).reshape(2, 3, 4))

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6)])
    def test_stacked_matrices_are_independent(self, adc):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 5, 6))
        spec, ranges = MacroSpec(adc=adc, tile_rows=3, tile_columns=20), MacroRanges(weights=np.abs(w).max())
        made = spec.program(w, ranges=ranges)
        assert made.n_matrices == 6
        for place in np.ndindex(2, 3):
            assert_allclose(made(x)[place], spec.program(w[place], ranges=ranges)(x[place]), rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6)])
    def test_one_input_for_stacked_matrices(self, adc):
        """Inputs without the leading axes of the weights are meant for every matrix."""
        x, w = problem(4, 5, 6)
        stacked = MacroSpec(adc=adc).program(np.stack([w, w]))
        assert_allclose(stacked(x), np.stack([stacked(np.stack([x, x]))[0]] * 2), rtol=1e-12)
        assert stacked(x[0]).shape == (2, 6)

    def test_inputs_that_do_not_fit(self):
        made = MacroSpec().program(np.ones((5, 4)))
        for shape in [(), (4,), (2, 4)]:
            with pytest.raises(SpecError, match=r"inputs have the shape \(\.\.\., 5\)"):
                made(np.ones(shape))
        with pytest.raises(SpecError, match="leading axes"):
            MacroSpec(adc=AdcSpec()).program(np.ones((2, 5, 4)))(np.ones((3, 7, 5)))
        with pytest.raises(SpecError, match="finite"):
            made(np.full((2, 5), np.nan))

    @pytest.mark.parametrize("w", [np.ones(3), np.ones((0, 3)), np.array([[1.0, np.nan]]), np.array([[np.inf]])])
    def test_weights_that_do_not_fit(self, w):
        with pytest.raises(SpecError, match=r"finite numbers of shape \(\.\.\., n_in, n_out\)"):
            MacroSpec().program(w)

    def test_a_tile_holds_at_least_one_weight(self):
        with pytest.raises(
            SpecError, match=r"tile_columns 13 cannot hold one weight: 8 weight bits .* take 14 columns"
        ):
            MacroSpec(weight_bits=8, cell_bits=1, tile_columns=13)


SCHEMES = {
    "differential": {},
    "separate": {"signed": "separate"},
    "offset": {"signed": "offset"},
    "unit column": {"signed": "offset", "zero": "unit column"},
    "flip": {"signed": "offset", "flip": True},
    "flip and unit column": {"signed": "offset", "flip": True, "zero": "unit column"},
}
CONVERTERS = {
    "plain": AdcSpec(bits=6),
    "own errors": AdcSpec(bits=6, columns=3, gain_spread=0.03, offset_spread_lsb=0.7, gain_error=-0.02, offset_lsb=0.2),
    "capacitors": AdcSpec(bits=6, columns=2, capacitor_mismatch=0.08),
    "widths": AdcSpec(bits=7, dnl_spread_lsb=0.3, inl_lsb=(0.0, 1.5, 0.0)),
    "pipeline": AdcSpec(kind="pipeline", bits=6, stage_gain_spread=0.03, comparator_spread_lsb=4.0),
    "none": None,
}
WAYS = {
    "bit-serial": {},
    "levels": {"dac": DacSpec(bits=2, level_spread=0.05, inl_lsb=(0.0, 0.1, 0.0))},
    "both polarities": {"dac": DacSpec(bits=1, bipolar=True)},
    "drivers": {"dac": DacSpec(level_spread=0.05)},
    "analog": {"accumulate": "analog"},
    "saturating": {"accumulator_bits": 9},
    "no sign": {"signed_inputs": False},
    "cells beyond": {"unused": "low"},
    "lines beyond": {"unused": "open"},
}


SMALL = {"device": ROUGH, "wires": WIRES, "tile_rows": 6, "tile_columns": 13, "input_bits": 4, "weight_bits": 5}


def compare(spec, seed=0, shape=(2, 10, 4)):
    """All integers of a macro against the oracle, and how many of them a near tie leaves open."""
    x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
    made = spec.program(w, rng=3)
    x_codes, _, unit = codes_of(spec, x, w)
    slow, done = oracle.read_macro(made, x_codes), made.apply(x)
    gap = np.abs(done.values / unit - slow.integers)
    scale = np.abs(slow.integers).max() + 1
    assert (gap <= np.array(slow.allowance) * 1.001 + 2e-6 * scale).all()
    if spec.adc:
        assert len(slow.near) <= 0.02 * len(slow.codes) + 1
        assert abs(done.errors["adc_saturation"] - slow.saturated) <= len(slow.near)
    return made, x, slow


class TestAgainstTheOracle:
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("converter", CONVERTERS)
    def test_schemes_and_converters(self, scheme, converter):
        fields = {
            "device": ROUGH,
            "wires": WIRES,
            "tile_rows": 6,
            "tile_columns": 13,
            "input_bits": 4,
            "weight_bits": 5,
        }
        compare(MacroSpec(**fields, **SCHEMES[scheme], adc=CONVERTERS[converter]))

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("scheme", ["differential", "separate", "flip and unit column"])
    def test_ways_to_drive_and_to_add_up(self, scheme, way):
        fields = {
            "device": ROUGH,
            "wires": WIRES,
            "tile_rows": 6,
            "tile_columns": 13,
            "input_bits": 4,
            "weight_bits": 5,
        }
        compare(MacroSpec(**fields | SCHEMES[scheme] | {"adc": AdcSpec(bits=7)} | WAYS[way]), seed=1)

    @pytest.mark.parametrize(
        ("input_bits", "weight_bits", "cell_bits", "adc_bits"),
        [(4, 5, 2, 4), (8, 8, 2, 6), (6, 8, 3, 8), (3, 4, 1, 10), (5, 9, (3, 1, 4), 9), (4, 9, 8, 12)],
    )
    def test_widths(self, input_bits, weight_bits, cell_bits, adc_bits):
        fields = {"input_bits": input_bits, "weight_bits": weight_bits, "cell_bits": cell_bits}
        compare(
            MacroSpec(device=ROUGH, wires=WIRES, adc=AdcSpec(bits=adc_bits), tile_rows=6, tile_columns=17, **fields)
        )

    def test_codes_that_a_probe_sees(self):
        spec = MacroSpec(device=ROUGH, wires=WIRES, adc=AdcSpec(bits=6), tile_rows=6, tile_columns=17, input_bits=5)
        made, x, slow = compare(spec)
        recorder = Recorder()
        made.apply(x, probe=recorder)
        for (n, k, r, j, s, _), code in slow.codes.items():
            if r == 0:
                current = slow.currents[n, k, r, j, s, 0]
                assert recorder.signals["column_current"][k, n, j, s] == pytest.approx(current, rel=1e-5, abs=1e-10)
                if (n, k, r, j, s, 0) not in slow.near:
                    assert recorder.signals["adc_code"][k, n, j, s] == code

    def test_currents_are_those_of_the_nodal_oracle(self):
        """The product is that of the matrices which dense nodal analysis finds for each tile's cells."""
        spec = MacroSpec(device=LEAKY, wires=WIRES, tile_rows=5, tile_columns=16, cell_bits=4, weight_bits=5)
        x, w = problem(4, 9, 10)
        made = spec.program(w, rng=2)
        ohm = WIRES.model_dump()
        x_codes, _, unit = codes_of(spec, x, w)
        expected = 0.0
        for row in made.rows:
            lossy = [network.transconductance(tile.array.cells.g, **ohm) for tile in row.tiles]
            matrix = np.concatenate([t[:, 0::2] - t[:, 1::2] for t in lossy], axis=1)
            expected = expected + x_codes[:, 5 * row.number : 5 * row.number + 5] @ matrix
        assert_allclose(made(x), expected / spec.unit_siemens[0] * unit, rtol=1e-10, atol=1e-12)
        ideal = spec.but({"wires": WireSpec()}).program(w, rng=2)
        assert np.abs(made(x) - ideal(x)).max() > 1e-3

    @pytest.mark.ngspice
    def test_a_pulse_in_ngspice(self, tmp_path):
        """The circuit simulator's currents of one tile and pulse, through the converter, are the codes."""
        spec = MacroSpec(device=ROUGH, wires=WIRES, adc=AdcSpec(bits=7), tile_rows=8, tile_columns=16, input_bits=3)
        x, w = problem(1, 8, 2)
        made = spec.program(w, rng=4)
        recorder = Recorder()
        made.apply(x, probe=recorder)
        pulse = codes_of(spec, x, w)[0][0] & 1
        volt = spec.read_volt * pulse
        net = Network(made.rows[0].tiles[0].array.cells.g, WIRES)
        printed = run_ngspice(net.to_spice(volt), tmp_path)
        current = np.array([printed[f"i_{j}"] for j in range(net.n_outputs)])
        pairs = (current[0::2] - current[1::2]).reshape(2, -1)
        assert_allclose(recorder.signals["column_current"][0, 0], pairs, rtol=1e-5, atol=1e-11)
        codes = np.clip(np.rint(pairs / made.converters.step_ampere), -64, 63)
        assert_array_equal(recorder.signals["adc_code"][0, 0], codes)


class TestConvergence:
    def test_bit_serial_tends_to_the_ideal_converter(self):
        """Error against the ideal converter halves with every bit (order 1 in the step of the converter)."""
        x, w = problem(40, 60, 10)
        spec = MacroSpec(device=ROUGH, tile_rows=30)
        exact = spec.program(w, rng=1)(x)
        errors = []
        for bits in range(4, 11):
            made = spec.but({"adc": AdcSpec(bits=bits)}).program(w, rng=1)
            errors.append(np.sqrt(np.mean((made(x) - exact) ** 2)))
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert orders[2:].mean() == pytest.approx(1, abs=0.15)
        assert (np.diff(errors) < 0).all()

    def test_more_rows_of_tiles_add_rounding(self):
        """With one step in ampere, rounding errors of n rows of tiles are independent: they grow as sqrt(n)."""
        x, w = problem(60, 128, 12)
        fixed = AdcSpec(bits=11, range="fixed", full_scale_ampere=0.2 * 50e-6 * 32)
        errors = []
        for rows in (128, 64, 32, 16, 8):
            spec = MacroSpec(device=ROUGH, tile_rows=rows)
            found = spec.but({"adc": fixed}).program(w, rng=1)(x)
            errors.append(np.std(found - spec.program(w, rng=1)(x)))
        assert_allclose(np.array(errors[1:]) / errors[:-1], np.sqrt(2), rtol=0.12)

    def test_fewer_bits_a_cell_err_less(self):
        """A spread sigma of the conductance is sigma / unit of a digit, and unit doubles with every bit taken away.

        The slice of the highest weight decides: error ~ 2^(top shift) (2^b - 1), 96, 192, 240 and 127 for 1, 2, 4 and 7
        bits a cell of 7 bits in all, with the lower slices added in squares.
        """
        x, w = problem(40, 64, 40)
        spread = DeviceSpec(g_min_siemens=10e-6, programming=ProgrammingSpec(spread_siemens=1e-6))
        found, expected = [], []
        for cell_bits in (1, 2, 4, 7):
            spec = MacroSpec(device=spread, cell_bits=cell_bits)
            ideal = spec.but({"device": DeviceSpec()})
            found.append(np.std(spec.program(w, rng=1)(x) - ideal.program(w)(x)))
            expected.append(np.sqrt(np.sum((spec.slice_weights / spec.unit_siemens) ** 2)))
        assert_allclose(np.array(found) / found[0], np.array(expected) / expected[0], rtol=0.08)

    def test_finer_cells_need_no_change(self):
        """Without an ADC the number of bits a cell holds is invisible."""
        x, w = problem(5, 20, 6)
        results = [MacroSpec(device=LEAKY, cell_bits=bits).program(w)(x) for bits in (1, 2, 3, 4)]
        for one in results[1:]:
            assert_allclose(one, results[0], rtol=1e-10, atol=1e-10)


class TestRange:
    def test_calibrated_needs_a_calibration(self):
        spec = MacroSpec(adc=AdcSpec(range="calibrated"))
        with pytest.raises(SpecError, match=r"needs ranges with current_ampere; find them with MacroSpec\.calibrate"):
            spec.program(np.ones((3, 4)))
        assert spec.program(np.ones((3, 4)), ranges=MacroRanges(current_ampere=1e-5)).ranges.current_ampere == 1e-5

    def test_full_scale_covers_the_calibration_inputs(self):
        x, w = problem(50, 30, 8)
        spec = MacroSpec(adc=AdcSpec(bits=8, range="calibrated"), tile_rows=16)
        ranges = spec.calibrate(w, x)
        assert ranges.inputs == np.abs(x).max()
        assert ranges.weights == np.abs(w).max()
        made = spec.program(w, ranges=ranges)
        x_codes, _, _ = codes_of(spec, x, w, ranges)
        slow = oracle.read_macro(made, x_codes[:3])
        largest = np.abs(made.column_currents(x)).max()
        assert ranges.current_ampere == pytest.approx(largest)
        assert max(map(abs, slow.currents.values())) <= ranges.current_ampere * (1 + 1e-12)
        assert made.apply(x).errors == {"adc_saturation": 0}
        # A finer step than that of an array whose cells all conduct most.
        full = spec.but({"adc": AdcSpec(bits=8)}).program(w, ranges=MacroRanges(ranges.inputs))
        assert np.std(made(x) - x @ w) < 0.7 * np.std(full(x) - x @ w)

    def test_saturation_is_counted(self):
        x, w = problem(20, 30, 8)
        spec = MacroSpec(adc=AdcSpec(bits=6, range="calibrated", coverage=0.9), tile_rows=16, device=LEAKY)
        ranges = spec.calibrate(w, x)
        made = spec.program(w, ranges=ranges)
        done = made.apply(x)
        x_codes, _, _ = codes_of(spec, x, w, ranges)
        slow = oracle.read_macro(made, x_codes)
        assert abs(done.errors["adc_saturation"] - slow.saturated) <= len(slow.near)
        # By definition about a tenth lies beyond full scale; codes reach half a step further.
        n_conversions = 20 * 8 * 8 * 4 * 2
        assert 0.02 * n_conversions < done.errors["adc_saturation"] < 0.1 * n_conversions

    def test_coverage_of_inputs(self):
        x, w = problem(500, 30, 8)
        ranges = MacroSpec().calibrate(w, x, coverage=0.9)
        assert np.mean(np.abs(x) <= ranges.inputs) == pytest.approx(0.9, abs=1e-3)
        assert ranges.current_ampere is None

    def test_calibration_sees_no_errors(self):
        """Full scales are found on ideal cells: the same for every chip."""
        x, w = problem(10, 30, 8)
        adc = AdcSpec(range="calibrated")
        rough = MacroSpec(device=ROUGH, wires=WIRES, adc=adc).calibrate(w, x)
        assert rough == MacroSpec(device=LEAKY, adc=adc).calibrate(w, x)

    def test_calibration_on_nothing_but_zeros(self):
        """A matrix of zeros has no currents; its macro gives zeros."""
        spec = MacroSpec(adc=AdcSpec(range="calibrated"))
        x = np.ones((2, 3))
        made = spec.program(np.zeros((3, 4)), ranges=spec.calibrate(np.zeros((3, 4)), x))
        assert_array_equal(made(x), np.zeros((2, 4)))

    def test_fixed_input_range_saturates_inputs(self):
        made = MacroSpec().program(np.eye(2), ranges=MacroRanges(inputs=1.0))
        assert_allclose(made([[5.0, -0.5]]), [[1.0, -64 / 127]], rtol=1e-12)

    @pytest.mark.parametrize(
        ("ranges", "wanted"),
        [
            (MacroRanges(inputs=-1.0), r"inputs is a full scale, a finite number above 0; got -1\.0"),
            (MacroRanges(inputs=np.nan), "inputs is a full scale.*got nan"),
            (MacroRanges(weights=np.inf), "weights is a full scale, a finite number above 0, or 4 of them.*got inf"),
            (MacroRanges(weights=np.ones(3)), r"weights is a full scale.*4 of them, one for each output; got \[1\.0"),
            (MacroRanges(current_ampere=0.0), "current_ampere is a full scale"),
            (MacroRanges(current_ampere=np.ones(4)), "current_ampere is a full scale"),
        ],
    )
    def test_full_scales_that_are_none(self, ranges, wanted):
        with pytest.raises(SpecError, match=wanted):
            MacroSpec().program(np.ones((3, 4)), ranges=ranges)

    @pytest.mark.parametrize(
        ("inputs", "coverage", "wanted"),
        [
            (np.ones((2, 5)), 1.0, r"inputs have the shape \(\.\.\., 3\); got \(2, 5\)"),
            ([[1.0, np.nan, 0.0]], 1.0, "finite"),
            (np.ones((0, 3)), 1.0, "some inputs"),
            (np.ones((2, 3)), 0.0, "coverage = 0"),
            (np.ones((2, 3)), 1.5, "coverage = 1.5"),
        ],
    )
    def test_calibration_on_what_is_none(self, inputs, coverage, wanted):
        with pytest.raises(SpecError, match=wanted):
            MacroSpec().calibrate(np.ones((3, 4)), inputs, coverage=coverage)


class TestAccounting:
    def test_activity_by_hand(self):
        """3 vectors, 10 x 5 weights of 2 slices, tiles of 4 rows and 3 outputs: 3 x 2 tiles."""
        spec = MacroSpec(
            device=ROUGH,
            adc=AdcSpec(bits=6),
            input_bits=4,
            weight_bits=5,
            tile_rows=4,
            tile_columns=13,
            read_volt=0.3,
            read_second=5e-9,
        )
        x, w = problem(3, 10, 5)
        made = spec.program(w)
        x_codes, _, _ = codes_of(spec, x, w)
        assert made.n_tiles == 6
        joule = 0.0
        for vector in x_codes:
            for i, code in enumerate(vector):
                pulses = (int(code) & 0b1111).bit_count()
                for tile in made.rows[i // 4].tiles:
                    joule += pulses * 0.3**2 * 5e-9 * tile.array.cells.g[i % 4].sum()
        activity = made.apply(x).activity
        # A conversion for every vector, input bit, row of tiles, output and slice.
        conversions = 3 * 4 * 3 * 5 * 2
        assert activity.total("adc_6b") == activity.total("sample_hold") == activity.total("shift_add") == conversions
        # A pulse or none for every vector, input bit, row and column of tiles.
        assert activity.total("dac_1b") == 3 * 4 * 10 * 2
        assert activity.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)
        without = spec.but({"adc": None}).program(w).apply(x).activity
        assert without.total("adc_6b") == 0
        assert without.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)

    @pytest.mark.parametrize(
        ("fields", "channels", "conversions", "pulses"),
        [
            ({"signed": "separate"}, 5 * 2 * 2, 4, 4),
            ({"signed": "offset"}, 5 * 3, 4, 4),
            ({"signed": "offset", "zero": "unit column"}, 5 * 3 + 2, 4, 4),
            ({"accumulate": "analog"}, 5 * 2, 1, 4),
            ({"dac": DacSpec(bits=2)}, 5 * 2, 3, 3),
            ({"dac": DacSpec(bits=3, bipolar=True)}, 5 * 2, 1, 1),
        ],
    )
    def test_activity_of_other_ways(self, fields, channels, conversions, pulses):
        """Channels of a row of tiles times vectors, 3 rows of tiles, and conversions; 2 columns of tiles."""
        columns = {"separate": 13, "offset": 10 if "zero" in fields else 9}.get(fields.get("signed"), 13)
        spec = MacroSpec(adc=AdcSpec(bits=6), input_bits=4, weight_bits=5, tile_rows=4, tile_columns=columns, **fields)
        x, w = problem(3, 10, 5)
        made = spec.program(w)
        activity = made.apply(x).activity
        assert made.converters.n_column_tiles == 2
        assert activity.total("adc_6b") == activity.total("shift_add") == 3 * 3 * channels * conversions
        assert activity.total("sample_hold") == 3 * 3 * channels * pulses
        assert activity.total(spec.dac.component) == 3 * pulses * 10 * 2
        assert made.serial["crossbar_read"] == pulses

    def test_energy_of_heights_and_lengths(self):
        """Half the height is a quarter of the energy, half the length is half of it."""
        found = {}
        for coding in ("amplitude", "pulse width"):
            spec = MacroSpec(dac=DacSpec(bits=2, coding=coding), input_bits=2, signed_inputs=False, read_second=1e-8)
            made = spec.program(np.ones((1, 1)), ranges=MacroRanges(inputs=3.0))
            full, less = (made.apply([[x]]).activity.total("cell_read_joule") for x in (3.0, 1.0))
            found[coding] = less / full
        assert found == {"amplitude": pytest.approx(1 / 9), "pulse width": pytest.approx(1 / 3)}

    def test_energy_behind_wires_is_that_of_the_cells(self):
        """Within 2 % of the node voltages' for inputs whose bits are on half of the time."""
        wires = WireSpec(word_line_ohm=5.0, bit_line_ohm=5.0, driver_ohm=50.0, sense_ohm=50.0)
        spec = MacroSpec(wires=wires, device=LEAKY, tile_rows=32, tile_columns=32, input_bits=4, signed_inputs=False)
        rng = np.random.default_rng(0)
        x, w = rng.integers(0, 16, (40, 32)), rng.normal(size=(32, 4))
        made = spec.program(w, ranges=MacroRanges(inputs=15.0))
        g, joule = made.rows[0].tiles[0].array.cells.g, 0.0
        for k in range(4):
            word, bit = Network(g, wires).node_voltages(0.2 * (x >> k & 1))
            joule += float((g * (word - bit) ** 2).sum()) * spec.read_second
        assert made.apply(x).activity.total("cell_read_joule") == pytest.approx(joule, rel=0.02)

    def test_converters_that_serve_few_columns(self):
        made = MacroSpec(adc=AdcSpec(bits=5, columns=4), tile_rows=8, tile_columns=18).program(np.ones((20, 5)))
        assert made.inventory.total("adc_5b") == 9 * 3
        assert made.serial["adc_5b"] == 8 * 4

    def test_activity_of_stacked_matrices_adds_up(self):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 5, 6))
        spec, ranges = MacroSpec(adc=AdcSpec(), tile_rows=3), MacroRanges(weights=np.abs(w).max())
        together = spec.program(w, ranges=ranges).apply(x).activity
        apart = [spec.program(w[k], ranges=ranges).apply(x[k]).activity for k in range(2)]
        for name in ("adc_8b", "dac_1b", "sample_hold", "shift_add"):
            assert together.total(name) == sum(each.total(name) for each in apart)
        assert together.total("cell_read_joule") == pytest.approx(sum(e.total("cell_read_joule") for e in apart))

    def test_writing(self):
        made = MacroSpec(device=device("rram-intel-22nm"), tile_rows=8, tile_columns=16).program(problem(1, 20, 6)[1])
        cells = np.concatenate([tile.array.cells.g.ravel() for row in made.rows for tile in row.tiles])
        activity = made.write_activity
        assert activity.total("write_driver") == cells.size == 20 * 6 * 4 * 2
        assert activity.total("cell_write_joule") == pytest.approx(2.0**2 * 50e-9 * cells.sum())
        assert made.write_second == pytest.approx(8 * 50e-9)

    def test_inventory(self):
        made = MacroSpec(adc=AdcSpec(bits=5), tile_rows=8, tile_columns=18).program(np.ones((20, 5)))
        parts = {name: count for _, name, count in made.inventory.rows()}
        assert made.n_tiles == 9
        assert parts["crossbar_cell"] == 9 * 8 * 18
        assert parts["dac_1b"] == 9 * 8
        assert parts["adc_5b"] == parts["shift_add"] == 9
        assert parts["sample_hold"] == 9 * 9

    def test_serial(self):
        made = MacroSpec(adc=AdcSpec(bits=5), tile_rows=8, tile_columns=18).program(np.ones((20, 5)))
        assert made.serial == {"crossbar_read": 8, "adc_5b": 8 * 2 * 4}
        assert MacroSpec().program(np.ones((20, 5))).serial == {"crossbar_read": 8}


class TestStreams:
    def test_same_seed_same_chip(self):
        x, w = problem(3, 20, 6)
        spec = MacroSpec(device=ROUGH, tile_rows=8, tile_columns=16)
        assert_array_equal(spec.program(w, 1)(x), spec.program(w, 1)(x))
        assert (spec.program(w, 1)(x) != spec.program(w, 2)(x)).any()

    def test_tiles_differ(self):
        """Equal weights in different tiles get errors of their own."""
        made = MacroSpec(device=ROUGH, tile_rows=4, tile_columns=8).program(np.ones((8, 2)))
        g = [tile.array.cells.g for row in made.rows for tile in row.tiles]
        assert len(g) == 4
        assert all((g[0] != other).any() for other in g[1:])

    def test_more_outputs_leave_the_other_tiles_alone(self):
        w = problem(1, 8, 6)[1]
        spec = MacroSpec(device=ROUGH, tile_rows=4, tile_columns=16)
        ranges = MacroRanges(weights=np.abs(w).max())
        few, many = spec.program(w[:, :4], 1, ranges), spec.program(w, 1, ranges)
        for r in range(2):
            for c in range(2):
                assert_array_equal(few.rows[r].tiles[c].array.cells.g, many.rows[r].tiles[c].array.cells.g)


class TestOrder:
    def test_matrices_of_a_stack_in_any_order(self):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(3, 4, 20)), rng.normal(size=(3, 20, 6))
        spec = MacroSpec(adc=AdcSpec(bits=6), tile_rows=8)
        ranges = MacroRanges(weights=np.abs(w).max())
        forward, back = spec.program(w, ranges=ranges)(x), spec.program(w[::-1], ranges=ranges)(x[::-1])
        assert_array_equal(forward, back[::-1])

    @pytest.mark.parametrize("threads", [1, 3])
    def test_progress_is_told_of_every_tile(self, threads, capsys):
        """In their order, and nothing is printed; 3 by 3 tiles."""
        x, w = problem(3, 20, 6)
        spec, told = MacroSpec(device=ROUGH, tile_rows=8, tile_columns=16), []
        with limit_threads(threads):
            macro = spec.program(w, 1, progress=lambda *news: told.append(news))
        assert told == [(n, 9) for n in range(1, 10)]
        assert_array_equal(macro(x), spec.program(w, 1)(x))
        assert capsys.readouterr() == ("", "")


class TestScales:
    def test_a_step_for_each_output(self):
        x, w = problem(20, 30, 3)
        w *= [1.0, 0.01, 100.0]
        tensor, channel = (MacroSpec(scale=scale).program(w)(x) for scale in ("tensor", "channel"))
        error = [np.abs(found - x @ w).max(axis=0) / np.abs(x @ w).max(axis=0) for found in (tensor, channel)]
        assert error[0][1] > 0.5
        assert error[1].max() < 0.05

    def test_ranges_of_channels(self):
        x, w = problem(20, 30, 3)
        spec = MacroSpec(scale="channel", adc=AdcSpec(range="calibrated"))
        ranges = spec.calibrate(w, x)
        assert_array_equal(ranges.weights, np.abs(w).max(axis=0))
        assert spec.program(w, ranges=ranges)(x).shape == (20, 3)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"input_bits": 1}, "input_bits 1 with signed_inputs leaves no bit for the magnitude"),
        ({"flip": True}, "flip = True belongs to signed = 'offset'; got 'differential'"),
        ({"zero": "unit column", "signed": "separate"}, "zero = 'unit column' belongs to signed = 'offset'"),
        ({"signed": "offset", "zero": "unit column", "flip": True, "cell_bits": 1}, "takes cells of 2 bits or more"),
        ({"cell_bits": (2, 2)}, r"cell_bits"),
        ({"cell_bits": 9}, "at most 8"),
        ({"accumulator_bits": 12}, "accumulator_bits adds up codes of a converter"),
        ({"accumulator_bits": 12, "adc": AdcSpec(), "cell_bits": (4, 3)}, "from slices of equal width"),
        ({"adc": AdcSpec(range="lossless")}, r"'lossless' needs 10 bits: 128 rows, 1 bit a pulse and cells of 2 bits"),
        ({"preset": "isaak"}, "did you mean 'isaac'"),
        ({"telegraph_vectors": 0}, "at least 1"),
    ],
)
def test_bad_macros(fields, wanted):
    with pytest.raises(SpecError, match=wanted):
        MacroSpec(**fields)
