"""The crossbar macro against integers, a slow bit-serial oracle, and statistics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle
from reference import network

from rramsim.array.converters import AdcSpec
from rramsim.array.network import WireSpec
from rramsim.device.base import DeviceSpec, device
from rramsim.device.faults import StuckSpec
from rramsim.device.noise import ReadNoiseSpec
from rramsim.device.statistics import ProgrammingSpec
from rramsim.engine.macro import MacroRanges, MacroSpec
from rramsim.engine.mapping import quantize
from rramsim.errors import SpecError

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
    w_codes, w_step = quantize(w, spec.weight_bits, np.abs(w).max())
    return x_codes, w_codes, x_step * w_step


@st.composite
def specs(draw):
    """Any ideal macro: widths, slices, ragged tiles, signed and unsigned inputs, with and without leakage."""
    weight_bits, cell_bits = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    pairs = -(-(weight_bits - 1) // cell_bits)
    return MacroSpec(
        device=draw(st.sampled_from([DeviceSpec(), LEAKY])),
        input_bits=draw(st.integers(2, 12)),
        weight_bits=weight_bits,
        cell_bits=cell_bits,
        tile_rows=draw(st.integers(1, 6)),
        tile_columns=draw(st.integers(2 * pairs, 6 * pairs + 1)),
        signed_inputs=draw(st.booleans()),
    )


class TestIdeal:
    @given(specs(), SHAPES, st.integers(0, 999))
    def test_equals_the_integer_product(self, spec, shape, seed):
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        x_codes, w_codes, unit = codes_of(spec, x, w)
        expected = oracle.ideal_product(x_codes, w_codes)
        assert_allclose(spec.program(w)(x) / unit, expected, rtol=0, atol=1e-8)

    @given(specs(), SHAPES, st.integers(0, 999))
    @settings(max_examples=30)
    def test_any_tiling_gives_the_same(self, spec, shape, seed):
        x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
        whole = spec.model_copy(update={"tile_rows": 1024, "tile_columns": 1024})
        assert_allclose(spec.program(w)(x), whole.program(w)(x), rtol=1e-12, atol=1e-12)

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


def through_wires_by_hand(made):
    """Transconductances of every tile from the dense nodal oracle."""
    ohm = made.spec.wires.model_dump()
    return [[network.transconductance(tile.cells.g, **ohm) for tile in row] for row in made.tiles]


class TestAgainstTheOracle:
    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    @pytest.mark.parametrize("signed", [True, False])
    @pytest.mark.parametrize(
        ("input_bits", "weight_bits", "cell_bits", "adc_bits"),
        [(4, 5, 2, 4), (8, 8, 2, 6), (6, 8, 3, 8), (3, 4, 1, 10)],
    )
    def test_code_by_code(self, input_bits, weight_bits, cell_bits, adc_bits, signed, wires):
        spec = MacroSpec(
            device=ROUGH,
            wires=wires,
            adc=AdcSpec(bits=adc_bits),
            input_bits=input_bits,
            weight_bits=weight_bits,
            cell_bits=cell_bits,
            tile_rows=6,
            tile_columns=17,
            signed_inputs=signed,
        )
        x, w = problem(3, 10, 5, signed=signed)
        made = spec.program(w, rng=3)
        x_codes, _, unit = codes_of(spec, x, w)
        slow = oracle.bit_serial(made, x_codes)
        recorder = Recorder()
        done = made.apply(x, probe=recorder)
        # Float32 decides conversions near a tie: those may differ by one code, all others not at all.
        gap = np.abs(done.values / unit - slow.integers)
        assert (gap <= np.array(slow.allowance) * 1.001 + 1e-6 * np.abs(slow.integers) + 1e-6).all()
        assert len(slow.near) < 0.01 * len(slow.codes)
        for (n, k, tile_row, j, s), code in slow.codes.items():
            if tile_row == 0:
                assert recorder.signals["column_current"][k, n, j, s] == pytest.approx(
                    slow.currents[n, k, tile_row, j, s], rel=1e-5, abs=1e-10
                )
                if (n, k, tile_row, j, s) not in slow.near:
                    assert recorder.signals["adc_code"][k, n, j, s] == code

    def test_ideal_converter(self):
        spec = MacroSpec(device=ROUGH, wires=WIRES, tile_rows=4, tile_columns=18, input_bits=5)
        x, w = problem(3, 10, 5)
        made = spec.program(w, rng=1)
        x_codes, _, unit = codes_of(spec, x, w)
        assert_allclose(made(x) / unit, oracle.bit_serial(made, x_codes).integers, rtol=1e-10, atol=1e-9)

    def test_voltage_losses_are_those_of_the_circuit(self):
        """The product is that of the matrices which the nodal oracle finds for each tile's cells."""
        spec = MacroSpec(device=LEAKY, wires=WIRES, tile_rows=5, tile_columns=16, cell_bits=4, weight_bits=5)
        x, w = problem(4, 9, 10)
        made = spec.program(w, rng=2)
        lossy = through_wires_by_hand(made)
        x_codes, _, unit = codes_of(spec, x, w)
        expected = sum(
            x_codes[:, 5 * r : 5 * r + 5] @ np.concatenate([t[:, 0::2] - t[:, 1::2] for t in row], axis=1)
            for r, row in enumerate(lossy)
        )
        assert_allclose(made(x), expected / spec.unit_siemens * unit, rtol=1e-10, atol=1e-12)
        ideal = spec.model_copy(update={"wires": WireSpec()}).program(w, rng=2)
        assert np.abs(made(x) - ideal(x)).max() > 1e-3

    def test_bit_serial_tends_to_the_ideal_converter(self):
        """Error against the ideal converter halves with every bit (order 1 in the step of the converter)."""
        x, w = problem(40, 60, 10)
        spec = MacroSpec(device=ROUGH, tile_rows=30)
        exact = spec.program(w, rng=1)(x)
        errors = []
        for bits in range(4, 11):
            made = spec.model_copy(update={"adc": AdcSpec(bits=bits)}).program(w, rng=1)
            errors.append(np.sqrt(np.mean((made(x) - exact) ** 2)))
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert orders[2:].mean() == pytest.approx(1, abs=0.15)
        assert (np.diff(errors) < 0).all()

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
        slow = oracle.bit_serial(made, x_codes[:3])
        largest = np.abs(made.column_currents(x)).max()
        assert ranges.current_ampere == pytest.approx(largest)
        assert max(map(abs, slow.currents.values())) <= ranges.current_ampere * (1 + 1e-12)
        assert made.apply(x).errors == {"adc_saturation": 0}
        # A finer step than that of an array whose cells all conduct most.
        full = spec.model_copy(update={"adc": AdcSpec(bits=8)}).program(w, ranges=MacroRanges(ranges.inputs))
        assert np.std(made(x) - x @ w) < 0.7 * np.std(full(x) - x @ w)

    def test_saturation_is_counted(self):
        x, w = problem(20, 30, 8)
        spec = MacroSpec(adc=AdcSpec(bits=6, range="calibrated", coverage=0.9), tile_rows=16, device=LEAKY)
        ranges = spec.calibrate(w, x)
        made = spec.program(w, ranges=ranges)
        done = made.apply(x)
        x_codes, _, _ = codes_of(spec, x, w, ranges)
        slow = oracle.bit_serial(made, x_codes)
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


def noisy(relative, **settings):
    return MacroSpec(
        device=LEAKY.model_copy(update={"read_noise": ReadNoiseSpec(relative=relative)}),
        **{"tile_rows": 5, "tile_columns": 12, "input_bits": 5, "weight_bits": 5, **settings},
    )


def brute_force_reads(made, codes, n_reads, seed):
    """Integers (n_reads, n_out) of one vector, every cell's noise drawn anew at every read pulse; ideal converter."""
    rng, spec = np.random.default_rng(seed), made.spec
    slice_weight = 2.0 ** (spec.cell_bits * np.arange(-(-(spec.weight_bits - 1) // spec.cell_bits)))
    total = np.zeros((n_reads, made.shape[1]))
    for r, row in enumerate(made.tiles):
        part = codes[r * spec.tile_rows : (r + 1) * spec.tile_rows]
        for k in range(spec.input_bits):
            weight = -(2**k) if spec.signed_inputs and k == spec.input_bits - 1 else 2**k
            on = (part >> k & 1).astype(bool)
            sums = []
            for tile in row:
                t = tile.transconductance[on]
                t = t * (1 + spec.device.read_noise.relative * rng.standard_normal((n_reads, *t.shape)))
                current = t.sum(axis=1)
                sums.append(current[:, 0::2] - current[:, 1::2])
            digits = np.concatenate(sums, axis=1).reshape(n_reads, made.shape[1], -1)
            total += weight * (digits @ slice_weight)
    return total / spec.unit_siemens


class TestReadNoise:
    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=8)])
    def test_none_is_noiseless_bit_for_bit(self, adc):
        x, w = problem(5, 12, 7)
        quiet = MacroSpec(device=LEAKY, adc=adc).program(w)
        assert_array_equal(quiet(x, rng=1), quiet(x, rng=2))

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=8)])
    def test_fresh_for_every_vector_and_read(self, adc):
        x, w = problem(1, 12, 7)
        made = noisy(0.1, adc=adc).program(w)
        many = made(np.repeat(x, 5, axis=0), rng=1)
        assert len(np.unique(many[:, 0])) > 3
        assert_array_equal(made(x, rng=1), made(x, rng=1))
        assert (made(x, rng=1) != made(x, rng=2)).any()
        generator = np.random.default_rng(0)
        assert (made(x, generator) != made(x, generator)).any(), "a generator goes on"

    @pytest.mark.parametrize("signed", [True, False])
    @pytest.mark.parametrize("path", ["linear", "bit_serial"])
    def test_moments_against_brute_force(self, path, signed):
        """Mean and variance of 4000 reads against 4000 brute-force reads, 7 outputs, two moments, four cases.

        Each z is within 4.5: false alarm below 56 * 7e-6 = 4e-4, and the seeds are fixed.
        """
        n_reads = 4000
        spec = noisy(0.2, signed_inputs=signed, adc=None if path == "linear" else AdcSpec(bits=10))
        x, w = problem(1, 12, 7, seed=2, signed=signed)
        made = spec.program(w)
        codes, _, unit = codes_of(spec, x, w)
        expected = brute_force_reads(made, codes[0], n_reads, seed=5)
        found = made(np.repeat(x, n_reads, axis=0), rng=6) / unit
        variance = expected.var(axis=0)
        z_mean = (found.mean(axis=0) - expected.mean(axis=0)) / np.sqrt(2 * variance / n_reads)
        # Sheppard: a converter of step s adds s^2 / 12 to the variance, here below 1 % of it.
        z_variance = (found.var(axis=0) / variance - 1) / np.sqrt(4 / n_reads)
        if path == "bit_serial":
            z_variance -= 0.5 * np.sign(z_variance)
        assert np.abs(z_mean).max() < 4.5
        assert np.abs(z_variance).max() < 4.5

    def test_both_paths_have_the_same_moments(self):
        """Linear and bit-serial with the finest converter, 20 000 reads; |z| < 4.5, false alarm below 1e-4."""
        x, w = problem(1, 12, 7, seed=3)
        linear = noisy(0.2).program(w)(np.repeat(x, 20000, axis=0), rng=1)
        serial = noisy(0.2, adc=AdcSpec(bits=10)).program(w)(np.repeat(x, 20000, axis=0), rng=1)
        z = (linear.mean(axis=0) - serial.mean(axis=0)) / np.sqrt(2 * linear.var(axis=0) / 20000)
        assert np.abs(z).max() < 4.5
        assert_allclose(serial.var(axis=0), linear.var(axis=0), rtol=4.5 * np.sqrt(4 / 20000))

    def test_outputs_are_independent(self):
        """Correlations of the noise of different outputs: |r| < 4.5 / sqrt(n), 21 pairs, false alarm below 2e-4."""
        x, w = problem(1, 12, 7, seed=3)
        found = noisy(0.2).program(w)(np.repeat(x, 5000, axis=0), rng=1)
        correlation = np.corrcoef(found.T)
        assert np.abs(correlation - np.eye(7)).max() < 4.5 / np.sqrt(5000)


class TestProbe:
    @pytest.mark.parametrize("relative", [0.0, 0.05])
    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=6)])
    def test_watching_changes_nothing(self, adc, relative):
        x, w = problem(6, 12, 7)
        made = noisy(relative, adc=adc).program(w)
        recorder = Recorder()
        watched = made.apply(x, 1, recorder)
        alone = made.apply(x, 1)
        assert_array_equal(watched.values, alone.values)
        assert watched.activity == alone.activity
        assert watched.errors == alone.errors
        assert recorder.signals["column_current"].shape == (5, 6, 7, 2)
        assert recorder.units["column_current"] == "A"
        assert ("adc_code" in recorder.signals) == bool(adc)
        if adc:
            assert recorder.signals["adc_code"].shape == (5, 6, 7, 2)
            assert np.abs(recorder.signals["adc_code"]).max() <= 32


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
                for tile in made.tiles[i // 4]:
                    joule += pulses * 0.3**2 * 5e-9 * tile.cells.g[i % 4].sum()
        activity = made.apply(x).activity
        # A conversion for every vector, input bit, row of tiles, output and slice.
        conversions = 3 * 4 * 3 * 5 * 2
        assert activity.total("adc_6b") == activity.total("sample_hold") == activity.total("shift_add") == conversions
        # A pulse or none for every vector, input bit, row and column of tiles.
        assert activity.total("dac_1b") == 3 * 4 * 10 * 2
        assert activity.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)
        without = spec.model_copy(update={"adc": None}).program(w).apply(x).activity
        assert without.total("adc_6b") == 0
        assert without.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)

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
        cells = np.concatenate([tile.cells.g.ravel() for row in made.tiles for tile in row])
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
        g = [tile.cells.g for row in made.tiles for tile in row]
        assert len(g) == 4
        assert all((g[0] != other).any() for other in g[1:])

    def test_more_outputs_leave_the_other_tiles_alone(self):
        w = problem(1, 8, 6)[1]
        spec = MacroSpec(device=ROUGH, tile_rows=4, tile_columns=16)
        ranges = MacroRanges(weights=np.abs(w).max())
        few, many = spec.program(w[:, :4], 1, ranges), spec.program(w, 1, ranges)
        for r in range(2):
            for c in range(2):
                assert_array_equal(few.tiles[r][c].cells.g, many.tiles[r][c].cells.g)
