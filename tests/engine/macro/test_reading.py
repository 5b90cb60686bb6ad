"""Noise, slow states, curved cells and drivers of a macro, against brute force, closed forms and solutions by hand.

Seeds are fixed. Statistical tests compare standard scores with 4.5: a single one is beyond that by chance with a
probability of 7e-6, so that a test of N scores would fail with another seed in 7e-6 N of all cases.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.array.converters import AdcSpec, DacSpec
from rramsim.array.network import Network
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec
from rramsim.engine.macro import solving
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.mapping import input_pulses
from rramsim.engine.macro.noise import ReadKeys, cumulant_noise
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError
from rramsim.rng import Streams

Z = 4.5
NORMAL = {"relative": 0.08}
LOGNORMAL = {"law": "lognormal", "relative": 0.6}
FINE = AdcSpec(bits=14, range="fixed", full_scale_ampere=3e-4)
"""Steps of 0.2 uS at 0.2 V: far below the noise of these cells."""
WIRES = WireSpec(word_line_ohm=80.0, bit_line_ohm=80.0, driver_ohm=80.0, sense_ohm=80.0)


class Recorder:
    active = True

    def __init__(self):
        self.signals = {}

    def record(self, name, values, unit="1"):
        self.signals[name] = np.array(values)


def noisy(**noise):
    return DeviceSpec(g_min_siemens=2e-6, g_max_siemens=50e-6, read_noise=noise)


def problem(n_in=12, n_out=4, seed=0, *, input_bits=3, weight_bits=4):
    """Integers: one input vector and weights."""
    rng = np.random.default_rng(seed)
    top = [2 ** (bits - 1) - 1 for bits in (input_bits, weight_bits)]
    return rng.integers(-top[0], top[0] + 1, n_in), rng.integers(-top[1], top[1] + 1, (n_in, n_out))


def programmed(w, rng=0, **fields):
    """A macro whose steps of inputs and weights are 1, so that it gives integers."""
    spec = MacroSpec(**{"input_bits": 3, "weight_bits": 4, "tile_rows": 64, **fields})
    tops = [2 ** (spec.input_bits - spec.signed_inputs) - 1, 2 ** (spec.weight_bits - 1) - 1]
    return spec.program(w, rng, MacroRanges(inputs=float(tops[0]), weights=float(tops[1])))


def pulses_of(spec, x):
    return input_pulses(x, spec.input_bits, spec.dac.bits, signed=spec.signed_inputs, bipolar=spec.dac.bipolar)


def by_hand(macro, x):
    """Mean, variance and third cumulant of the integers (n_out,) of one vector, from the cells of every tile.

    For pairs of lines; sums over tiles, pulses, rows, slices and lines of what each cell contributes.
    """
    spec, found = macro.spec, np.zeros((3, macro.shape[-1]))
    weight = 2.0 ** np.cumsum((0, *spec.widths[:-1])) / spec.unit_siemens
    for row in macro.rows:
        for c, tile in enumerate(row.tiles):
            outputs = np.flatnonzero(row.tile_of_output == c)
            third = tile.array.noise_third
            third = np.zeros(tile.array.g.shape) if third is None else third
            for k, values in enumerate((tile.array.transconductance, tile.array.noise_variance, third)):
                cells = values[: tile.n_rows, : outputs.size * weight.size * 2]
                cells = cells.reshape(tile.n_rows, outputs.size, weight.size, 2)
                lines = cells[..., 0] + (-1) ** (k + 1) * cells[..., 1]
                first = row.number * spec.tile_rows
                for pulse in pulses_of(spec, x[first : first + tile.n_rows]):
                    driven = (pulse.weight * pulse.levels.astype(float)) ** (k + 1)
                    found[k, outputs] += np.einsum("i,ios,s->o", driven, lines, weight ** (k + 1))
    return found


def scores(samples, expected):
    """Standard scores (3, n_out) of the first three central moments of samples (n, n_out)."""
    centred = samples - expected[0]
    powers = [centred, centred**2, centred**3]
    moments = [np.zeros(samples.shape[1]), expected[1], expected[2]]
    root = np.sqrt(len(samples))
    return np.array([(p.mean(axis=0) - m) / p.std(axis=0) * root for p, m in zip(powers, moments, strict=True)])


def many(macro, x, n, rng=1):
    return macro(np.broadcast_to(x, (n, x.size)), rng)


class TestCumulantNoise:
    @given(st.floats(-1, 1), st.floats(-30, 5))
    def test_exact_cumulants(self, share, decades):
        """By Gauss's rule over the normal law, exact for polynomials of this order; up to the limit of the skewness."""
        skewness, deviation = share * np.sqrt(8.0), 10.0**decades
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        made = cumulant_noise(np.full(20, deviation**2), np.full(20, skewness * deviation**3), nodes) / deviation
        moments = [(weights * made**power).sum() / weights.sum() for power in (1, 2, 3)]
        assert_allclose(moments, [0.0, 1.0, skewness], atol=1e-12)

    def test_beyond_the_limit_only_the_third_is_given_up(self):
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        for sign in (-1, 1):
            made = cumulant_noise(np.ones(20), np.full(20, sign * 50.0), nodes)
            assert_allclose((weights * made**2).sum() / weights.sum(), 1.0)
            assert_allclose((weights * made**3).sum() / weights.sum(), sign * np.sqrt(8.0))

    def test_without_skewness(self):
        normal = np.random.default_rng(0).standard_normal(50)
        assert_array_equal(cumulant_noise(np.full(50, 4.0), None, normal), 2.0 * normal)
        assert_allclose(cumulant_noise(np.full(50, 4.0), np.zeros(50), normal), 2.0 * normal, rtol=1e-15)

    def test_without_variance(self):
        assert not cumulant_noise(np.zeros(5), None, np.ones(5)).any()
        assert not cumulant_noise(np.zeros(5), np.zeros(5), np.ones(5)).any()


class TestReadKeys:
    def test_each_has_its_own(self):
        keys = ReadKeys(Streams(3), 4, 0)
        found = {tuple(keys.of(row, batch, kind)) for row in range(3) for batch in range(4) for kind in range(3)}
        assert len(found) == 36

    def test_they_do_not_depend_on_the_number_of_batches(self):
        assert_array_equal(ReadKeys(Streams(3), 2, 0).of(1, 1), ReadKeys(Streams(3), 9, 5).of(1, 1))

    @pytest.mark.parametrize("first", [0, 7])
    def test_numbers_by_vector(self, first):
        """Those of a vector do not depend on which others are asked for, nor on the number of columns."""
        key = ReadKeys(Streams(3), 1, 0).of(0, 0)
        whole = ReadKeys(Streams(3), 1, 0).normals(key, 12, 3, 70)
        part = ReadKeys(Streams(3), 1, first).normals(key, 5, 3, 40)
        assert_array_equal(part, whole[3 * first : 3 * (first + 5), :40])

    def test_standard_normal_and_independent(self):
        """Kolmogorov-Smirnov on 10^5 numbers; 2 x 2016 pairs of columns and of vectors."""
        keys = ReadKeys(Streams(5), 2, 0)
        drawn = keys.normals(keys.of(0, 0), 1000, 2, 64)
        assert stats.kstest(drawn.ravel(), stats.norm.cdf).pvalue > 1e-4
        for several in (drawn, keys.normals(keys.of(1, 0), 32, 2, 2048).T):
            off = np.corrcoef(several.T)[np.triu_indices(64, 1)]
            assert np.abs(off).max() < Z / np.sqrt(len(several))
        other = keys.normals(keys.of(0, 1), 1000, 2, 64)
        assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < Z / np.sqrt(drawn.size)


MODES = [
    pytest.param({"adc": None}, id="no converter"),
    pytest.param({"adc": FINE}, id="digital"),
    pytest.param({"adc": FINE, "signed": "separate"}, id="separate"),
    pytest.param({"adc": FINE, "accumulate": "analog"}, id="analog"),
    pytest.param({"adc": FINE, "dac": {"bits": 2}}, id="levels"),
    pytest.param({"adc": FINE, "dac": {"bits": 2, "bipolar": True, "coding": "pulse width"}}, id="polarities"),
    pytest.param({"adc": FINE, "tile_rows": 7, "tile_columns": 9}, id="tiles"),
]


class TestReadNoise:
    @pytest.mark.parametrize("law", [NORMAL, LOGNORMAL])
    @pytest.mark.parametrize("fields", MODES)
    def test_cumulants_of_the_outputs(self, law, fields):
        """20 000 reads: mean, variance and third cumulant of 4 outputs against sums over the cells; 12 scores."""
        x, w = problem()
        macro = programmed(w, device=noisy(**law), **fields)
        expected = by_hand(macro, x)
        assert (np.abs(expected[2]).max() > 0) == (law is LOGNORMAL)
        assert np.abs(scores(many(macro, x, 20_000), expected)).max() < Z

    @pytest.mark.parametrize("law", [NORMAL, LOGNORMAL])
    @pytest.mark.parametrize("fields", MODES)
    def test_every_cell_drawn(self, law, fields):
        """The brute force, 200 reads, has the same cumulants: 12 scores."""
        x, w = problem()
        moments = programmed(w, device=noisy(**law), **fields)
        macro = programmed(w, device=noisy(**law), noise="cells", **fields)
        assert np.abs(scores(many(macro, x, 200), by_hand(moments, x))).max() < Z

    @pytest.mark.parametrize("law", [{"relative": 0.05}, {"law": "lognormal", "relative": 0.4}])
    def test_behind_wires(self, law):
        """At a coupling of 0.5, 1000 reads of 8 outputs with every cell drawn and the network solved.

        Standard deviations agree in the mean over the outputs to 4.5 / sqrt(2 * 8 * 1000) = 3.6 % by chance and 2 %
        for what the weights leave out in so small an array; means to their scatter and a share r^2 / 20 of the signal,
        by which wires bend it; skewness to 30 %. Without weights the noise would be 40 % larger. By moments, with a
        converter and without, all is as the cells and weights say: 48 scores.
        """
        rng = np.random.default_rng(1)
        w, x = rng.integers(1, 8, (16, 8)), rng.permutation(16) % 2
        fields = {"device": noisy(**law), "wires": WIRES, "tile_columns": 48, "signed_inputs": False, "input_bits": 1}
        macro = programmed(w, **fields)
        expected, (_, plain, _) = by_hand(macro, x), by_hand(programmed(w, **{**fields, "wires": WireSpec()}), x)
        drawn = many(programmed(w, noise="cells", **fields), x, 1000)
        deviation = np.sqrt(expected[1])
        assert abs((drawn.std(axis=0) / deviation).mean() - 1) < 0.036 + 0.02
        bent = law["relative"] ** 2 / 20 * np.abs(expected[0])
        assert (np.abs(drawn.mean(axis=0) - expected[0]) < Z * deviation / np.sqrt(1000) + bent).all()
        if law.get("law") == "lognormal":
            ratio = stats.skew(drawn).mean() / (expected[2] / deviation**3).mean()
            assert abs(ratio - 1) < 0.3
        assert (np.sqrt(plain) / deviation).mean() > 1.4
        for adc in (None, FINE):
            assert np.abs(scores(many(programmed(w, adc=adc, **fields), x, 20_000), expected)).max() < Z

    def test_outputs_pulses_slices_and_vectors_are_independent(self):
        """Column currents of 20 000 vectors: 276 pairs of columns; and each with itself 1 to 3 vectors later, 72."""
        x, w = problem()
        macro, seen = programmed(w, device=noisy(**NORMAL), adc=FINE, tile_columns=9), Recorder()
        macro.apply(np.broadcast_to(np.abs(x) - 4 * (x % 2 == 0), (20_000, 12)), 3, seen)
        currents = np.moveaxis(seen.signals["column_current"], 1, 0).reshape(20_000, -1)
        assert currents.shape[1] == 3 * 4 * 2
        off = np.corrcoef(currents.T)[np.triu_indices(24, 1)]
        assert np.abs(off).max() < Z / np.sqrt(20_000)
        z = (currents - currents.mean(axis=0)) / currents.std(axis=0)
        for lag in (1, 2, 3):
            assert np.abs((z[lag:] * z[:-lag]).mean(axis=0)).max() < Z / np.sqrt(20_000)

    @pytest.mark.parametrize("adc", [None, FINE])
    def test_matrices_and_reads_are_independent(self, adc):
        """The same matrix twice, and the same read with another seed; 2 x 4 scores."""
        x, w = problem()
        macro = programmed(np.stack([w, w]), device=noisy(**NORMAL), adc=adc)
        one, other = macro(np.broadcast_to(x, (5000, 12)), 1)
        again = many(macro, x, 5000, 2)[0]
        for b in (other, again):
            r = [np.corrcoef(one[:, j], b[:, j])[0, 1] for j in range(4)]
            assert np.abs(r).max() < Z / np.sqrt(5000)

    @pytest.mark.parametrize(("noise", "n"), [("moments", 5000), ("cells", 300)])
    @pytest.mark.parametrize("adc", [None, FINE])
    def test_tiles_are_independent(self, noise, n, adc):
        """2 by 2 equal tiles of 2 matrices: noise of tiles above one another adds up in squares; 4 + 6 scores."""
        fields = {"tile_rows": 4, "tile_columns": 4, "signed_inputs": False, "input_bits": 1, "adc": adc}
        w, x = np.full((2, 8, 2), 7), np.ones(8, dtype=np.int32)
        macro = programmed(w, device=noisy(**NORMAL), noise=noise, **fields)
        assert macro.n_tiles == 4
        found = np.concatenate(many(macro, x, n), axis=1)
        expected = by_hand(programmed(w[0], device=noisy(**NORMAL), **fields), x)[1]
        assert np.abs(found.var(axis=0) / np.tile(expected, 2) - 1).max() < Z * np.sqrt(2 / n)
        assert np.abs(np.corrcoef(found.T)[np.triu_indices(4, 1)]).max() < Z / np.sqrt(n)

    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=14, range="fixed", full_scale_ampere=1.5e-4)])
    def test_skewness_of_inverted_columns(self, adc):
        """Is that of the current with its sign turned: 20 000 reads, 6 scores."""
        x, w = np.ones(8, dtype=np.int32), np.tile([[-7, 7]], (8, 1))
        fields = {"signed": "offset", "flip": True, "cell_bits": 4, "signed_inputs": False, "input_bits": 1}
        macro = programmed(w, device=noisy(**LOGNORMAL), adc=adc, **fields)
        tile, unit = macro.rows[0].tiles[0], macro.spec.unit_siemens[0]
        sign = np.where(tile.flipped[:, 0], -1.0, 1.0)
        assert_array_equal(sign, [1.0, -1.0])
        moments = [tile.array.noise_variance.sum(axis=0) / unit**2, sign * tile.array.noise_third.sum(axis=0) / unit**3]
        assert np.abs(scores(many(macro, x, 20_000), [x @ w, *moments])).max() < Z

    @pytest.mark.parametrize("adc", [None, FINE])
    def test_one_rng_gives_one_result(self, adc):
        x, w = problem()
        macro = programmed(w, device=noisy(**NORMAL), adc=adc)
        assert_array_equal(many(macro, x, 5, 4), many(macro, x, 5, Streams(4)))
        going_on = np.random.default_rng(0)
        assert (many(macro, x, 5, going_on) != many(macro, x, 5, going_on)).any()

    @pytest.mark.parametrize("flip", [False, True])
    @pytest.mark.parametrize("adc", [None, AdcSpec(bits=14, range="fixed", full_scale_ampere=1.5e-4)])
    def test_a_unit_column_is_common_to_a_tile(self, flip, adc):
        """Covariances of all pairs of 6 outputs in 3 tiles by 2: what the columns and their tile's unit column add.

        20 000 reads, 21 scores.
        """
        x, w = problem(12, 6, seed=4)
        fields = {"signed": "offset", "zero": "unit column", "flip": flip, "tile_columns": 5, "tile_rows": 7}
        macro = programmed(w, device=noisy(relative=0.05), adc=adc, **fields)
        expected = np.zeros((6, 6))
        for row in macro.rows:
            pulses = pulses_of(macro.spec, x[7 * row.number :][: row.n_rows])
            driven = np.sum([(pulse.weight * pulse.levels.astype(float)) ** 2 for pulse in pulses], axis=0)
            for c, tile in enumerate(row.tiles):
                variance = driven @ tile.array.noise_variance
                own = (variance[:4].reshape(2, 2) * (np.array([1, 4]) / macro.spec.unit_siemens) ** 2).sum(axis=1)
                unit = macro.spec.device.g_min_siemens + macro.spec.unit_level * macro.spec.unit_siemens[0]
                pair = slice(2 * c, 2 * c + 2)
                common = np.broadcast_to(row.offset_per_input[0], 6)[pair] / unit
                expected[pair, pair] += np.diag(own) + np.outer(common, common) * variance[4]
        found = np.cov(many(macro, x, 20_000).T)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((found - expected) / error).max() < Z
        assert abs(expected[0, 1]) > 10 * error[0, 1]

    @pytest.mark.parametrize("signed", ["differential", "separate"])
    @pytest.mark.parametrize("accumulate", ["digital", "analog"])
    def test_noise_of_the_converters_alone(self, signed, accumulate):
        """Codes of 1.2 steps of noise and 1/12 for rounding, weighed by pulses and slices; 20 000 reads, 12 scores.

        An offset, which a difference of codes does not see, keeps lines at 0 A from being cut off.
        """
        x, w = problem()
        offset = 20.0 if signed == "separate" else 0.0
        adc = AdcSpec(bits=9, range="fixed", full_scale_ampere=1e-4, noise_lsb=1.2, offset_lsb=offset)
        macro = programmed(w, adc=adc, signed=signed, accumulate=accumulate, tile_rows=6)
        per_code = 1e-4 / adc.code_range(signed=macro.spec.signed_codes)[1] / (0.2 * macro.spec.unit_siemens[0])
        pulses = np.array([1.0, 2.0, -4.0])
        weight = np.square(pulses).sum() if accumulate == "digital" else np.abs(pulses).sum() ** 2
        lines = 2 if signed == "separate" else 1
        variance = 2 * weight * (1 + 4**2) * lines * per_code**2 * (1.2**2 + 1 / 12)
        done = macro.apply(np.broadcast_to(x, (20_000, 12)), 2)
        assert done.errors == {"adc_saturation": 0}
        assert np.abs(scores(done.values, [x @ w, np.full(4, variance), np.zeros(4)])).max() < Z

    def test_no_converter_noise_beyond_what_is_asked(self):
        x, w = problem()
        assert np.ptp(many(programmed(w, adc=FINE), x, 50), axis=0).max() == 0

    @pytest.mark.parametrize("rows", [128, 3000, 4096])
    def test_variances_fit_into_16_bits(self, rows):
        """Of equal cells, all driven, in units of which half a one is lost or won in each row; 2000 reads, 8 scores."""
        adc = AdcSpec(bits=14, range="fixed", full_scale_ampere=2e-5 * rows)
        one_bit = {"signed_inputs": False, "input_bits": 1, "adc": adc}
        macro = programmed(np.full((rows, 8), 7), device=noisy(relative=0.2), tile_rows=4096, **one_bit)
        found, x = macro(np.ones((2000, rows))), np.ones(rows, dtype=np.int32)
        ratio = found.var(axis=0) / by_hand(macro, x)[1]
        assert np.abs(ratio - 1).max() < Z * np.sqrt(2 / 2000) + rows / 2 / 63_000


SCHEMES = [
    {"signed": "differential"},
    {"signed": "separate"},
    {"signed": "offset"},
    {"signed": "offset", "zero": "unit column"},
    {"signed": "offset", "flip": True, "zero": "unit column"},
]


class TestTwoPaths:
    """Rows that are on or off go through one kernel; the other path must see the same currents."""

    def both(self, monkeypatch, w, x, **fields):
        found = []
        for fused in (True, False):
            if not fused:
                monkeypatch.setattr(MacroSpec, "on_or_off", False)
            macro, seen = programmed(w, 7, **fields), Recorder()
            steps = seen.signals, macro.converters.step_ampere
            found.append((macro.apply(x, 5, seen), *steps))
        return found

    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_lossless_codes_are_the_same_bits(self, monkeypatch, scheme):
        device = DeviceSpec() if scheme["signed"] != "differential" else DeviceSpec(g_min_siemens=2e-6)
        _, w = problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        one, other = self.both(
            monkeypatch,
            w,
            x,
            device=device,
            adc={"bits": 8, "range": "lossless"},
            tile_rows=7,
            tile_columns=9,
            **scheme,
        )
        assert_array_equal(one[0].values, other[0].values)
        assert_allclose(one[0].values, x @ w, atol=1e-9)
        assert_array_equal(one[1]["adc_code"], other[1]["adc_code"])

    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize(
        "errors",
        [
            {"gain_spread": 0.03, "offset_spread_lsb": 0.7, "columns": 3},
            {"capacitor_mismatch": 0.1, "noise_lsb": 0.5, "columns": 2},
        ],
    )
    def test_the_same_currents(self, monkeypatch, scheme, errors):
        """With noise, wires, converters of all kinds of errors, drivers of unequal levels: to single precision.

        Codes are the same but where a current lies on a transition.
        """
        _, w = problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        fields = {
            "device": DeviceSpec(**noisy(**NORMAL).model_dump() | {"programming": {"spread_siemens": 1e-6}}),
            "wires": WIRES,
            "adc": AdcSpec(bits=6, **errors),
            "dac": DacSpec(level_spread=0.05),
            "tile_rows": 16,
            "tile_columns": 16,
        }
        one, other = self.both(monkeypatch, w, x, **fields, **scheme)
        steps = one[2][0]
        assert_allclose(one[1]["column_current"], other[1]["column_current"], rtol=1e-5, atol=1e-3 * steps)
        differ = one[1]["adc_code"] != other[1]["adc_code"]
        assert differ.mean() < 2e-3
        assert np.abs(one[1]["adc_code"] - other[1]["adc_code"]).max() <= 1
        same = (one[0].values == other[0].values).mean()
        assert same > 0.97
        assert abs(one[0].errors["adc_saturation"] - other[0].errors["adc_saturation"]) <= 1

    def test_a_saturating_accumulator(self, monkeypatch):
        _, w = problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        adc = {"bits": 9, "range": "lossless"}
        one, other = self.both(monkeypatch, w, x, adc=adc, accumulator_bits=7)
        assert_array_equal(one[0].values, other[0].values)
        assert (one[0].values != x @ w).any()


def trapped(tau=1e-12, **noise):
    """Every cell has a trap, filled 0.3 of the time, which takes 0.2 of its conductance."""
    trap = {"share": 1.0, "amplitude": 0.2, "occupancy": 0.3, "correlation_second": tau}
    return DeviceSpec(g_min_siemens=2e-6, g_max_siemens=50e-6, telegraph=trap, read_noise=noise)


class TestTelegraph:
    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize("first", [0, 4])
    def test_states_last_for_a_period(self, adc, first):
        x, w = problem()
        macro = programmed(w, device=trapped(), adc=adc, telegraph_vectors=6)
        found = macro.apply(np.broadcast_to(x, (25, 12)), 3, first_vector=first).values
        period = (np.arange(25) + first) // 6
        for one in np.unique(period):
            assert np.ptp(found[period == one], axis=0).max() == 0
        starts = np.flatnonzero(np.diff(period)) + 1
        assert (found[starts] != found[starts - 1]).all()

    @pytest.mark.parametrize(("n", "fields"), [(600, {}), (200, {"adc": FINE, "tile_rows": 7, "tile_columns": 9})])
    def test_cumulants_over_the_states(self, n, fields):
        """Periods that have forgotten one another, vectors of one pulse: as reads with traps by chance; 12 scores."""
        x, w = problem()
        fields = {"signed_inputs": False, "input_bits": 2, "dac": {"bits": 2}, "device": trapped(), **fields}
        expected = by_hand(programmed(w, **fields), np.abs(x))
        assert np.abs(scores(many(programmed(w, telegraph_vectors=1, **fields), np.abs(x), n), expected)).max() < Z

    def test_pulses_of_a_vector_meet_the_same_states(self):
        """So that the deviations of a cell in all of them add up, and not their squares: 500 periods, 4 scores."""
        x, w = problem()
        macro = programmed(w, device=trapped(), telegraph_vectors=1)
        lines = macro.rows[0].tiles[0].channels(macro.spec, macro.rows[0].tiles[0].array.noise_variance).sum(axis=-1)
        variance = np.einsum("i,ios,s->o", x**2.0, lines, (np.array([1.0, 4.0]) / macro.spec.unit_siemens) ** 2)
        score = (many(macro, x, 500).var(axis=0) / variance - 1) / np.sqrt(2 / 500)
        assert np.abs(score).max() < Z

    def test_white_noise_on_top(self):
        """It is fresh for each vector, with the variance that is left once states are known; 4 scores."""
        x, w = problem()
        device = trapped(1e3, relative=0.05)
        found = many(programmed(w, device=device, telegraph_vectors=10**6), x, 5000)
        macro = programmed(w, device=device, telegraph_vectors=10**6)
        states = device.telegraph.states(
            macro.rows[0].tiles[0].array.g.shape, [0.0], Streams(1).generator("telegraph", 0, 0)
        )
        tile = macro.rows[0].tiles[0].rewired(macro.spec, states[0])
        assert_allclose(tile.array.noise_deviation, 0.05 * tile.array.cells.g, rtol=1e-12)
        lines = tile.channels(macro.spec, tile.array.noise_variance).sum(axis=-1)
        weight = (np.array([1.0, 4.0]) / macro.spec.unit_siemens) ** 2
        driven = np.sum([(p.weight * p.levels.astype(float)) ** 2 for p in pulses_of(macro.spec, x)], axis=0)
        variance = np.einsum("i,ios,s->o", driven, lines, weight)
        score = (found.var(axis=0) / variance - 1) / np.sqrt(2 / 5000)
        assert np.abs(score).max() < Z

    def test_correlation_in_time(self):
        """exp(-dt / tau) for periods dt apart: 800 periods of 16 outputs, together to 4.5 standard errors."""
        x, w = problem(12, 16)
        period = 2 * 3 * 10e-9
        macro = programmed(w, device=trapped(1.5 * period), telegraph_vectors=2)
        found = many(macro, x, 1600)[::2]
        z = (found - found.mean(axis=0)) / found.std(axis=0)
        for lag in (1, 2, 4):
            kept = np.exp(-lag / 1.5)
            error = np.sqrt((1 + np.exp(-2 / 1.5)) / (1 - np.exp(-2 / 1.5)) / (16 * 800))
            assert abs((z[lag:] * z[:-lag]).mean() - kept) < Z * error

    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize("every", [1, 4, 50])
    def test_a_batch_in_pieces(self, adc, every):
        """Of any length: states and white noise are those of the whole; so is the number of saturated conversions."""
        _, w = problem()
        x = np.random.default_rng(2).integers(-3, 4, (23, 12))
        adc = adc and adc.but({"full_scale_ampere": 4e-5})
        macro = programmed(w, device=trapped(1e-7, relative=0.05), adc=adc, telegraph_vectors=every)
        whole, done = macro.apply(x, 5), []
        for start, stop in ((0, 3), (3, 4), (4, 17), (17, 23)):
            done.append(macro.apply(x[start:stop], 5, first_vector=start))
        pieces = np.concatenate([each.values for each in done])
        assert_allclose(pieces, whole.values, rtol=0, atol=0 if adc else 1e-12)
        if adc:
            assert whole.errors["adc_saturation"] == sum(each.errors["adc_saturation"] for each in done) > 0

    def test_one_matrix_meets_vectors_one_after_another(self):
        """Whatever axes they come in; no two see the same noise."""
        x, w = problem()
        macro = programmed(w, device=trapped(1e3, relative=0.05), telegraph_vectors=2)
        inputs = np.broadcast_to(x, (2, 4, 12))
        found = macro(inputs, 5)
        assert_array_equal(found.reshape(8, -1), macro(inputs.reshape(8, 12), 5))
        assert np.unique(found).size == found.size

    def test_each_matrix_and_tile_has_its_own_traps(self):
        x, w = problem(12, 1)
        macro = programmed(
            np.broadcast_to(np.tile(w, 3), (2, 12, 3)), device=trapped(), telegraph_vectors=3, tile_columns=4
        )
        assert macro.n_tiles == 3
        found = macro(np.broadcast_to(x, (9, 12)))[:, ::3]
        assert np.unique(found).size == found.size

    def test_a_probe_sees_the_first_period(self):
        x, w = problem()
        macro, seen = programmed(w, device=trapped(), adc=FINE, telegraph_vectors=4), Recorder()
        probed = macro.apply(np.broadcast_to(x, (10, 12)), 5, seen)
        assert_array_equal(probed.values, many(macro, x, 10, 5))
        assert seen.signals["column_current"].shape == (3, 4, 4, 2)

    def test_no_slow_states_of_single_cells(self):
        with pytest.raises(SpecError, match="noise = 'cells' draws every trap anew at each read"):
            MacroSpec(noise="cells", telegraph_vectors=3)

    def test_without_traps_there_are_no_periods(self):
        x, w = problem()
        device = noisy(**NORMAL)
        with_periods = programmed(w, device=device, telegraph_vectors=4)
        assert_array_equal(many(with_periods, x, 10), many(programmed(w, device=device), x, 10))


LAWS = [
    pytest.param({"law": "sinh", "sinh_volt": 0.15}, id="sinh"),
    pytest.param({"law": "cubic", "cubic_per_square_volt": 20.0}, id="cubic"),
    pytest.param({"law": "sinh", "sinh_volt": 0.15, "series_ohm": 3000.0}, id="series"),
]


def curved(conduction=LAWS[0].values[0], **parts):
    return DeviceSpec(
        g_min_siemens=2e-6,
        g_max_siemens=50e-6,
        programming={"spread_siemens": 1e-6},
        conduction=conduction,
        **parts,
    )


def solved_by_hand(macro, x):
    """Integers (n, n_out) of pairs of lines: every pulse of every vector through ``Network``, tile by tile.

    Pulses of many lengths are taken step by step of the driver: in step k the rows of level k and above are on.
    """
    spec, found = macro.spec, np.zeros((len(x), macro.shape[-1]))
    top = spec.dac.largest_level
    weight = 2.0 ** np.cumsum((0, *spec.widths[:-1])) / spec.unit_siemens
    for row in macro.rows:
        for c, tile in enumerate(row.tiles):
            outputs = np.flatnonzero(row.tile_of_output == c)
            net = Network(tile.array.cells.g, spec.wires, conduction=spec.device.conduction)
            first = row.number * spec.tile_rows
            every = [(n, p) for n in range(len(x)) for p in pulses_of(spec, x[n, first : first + tile.n_rows])]
            for n, pulse in every:
                level = pulse.levels.astype(float)
                if spec.dac.coding == "amplitude":
                    ampere = net.currents(spec.read_volt * level / top)
                else:
                    steps = [np.sign(level) * (np.abs(level) >= k) * spec.read_volt for k in range(1, top + 1)]
                    ampere = np.mean([net.currents(v) for v in steps], axis=0)
                cells = ampere[: outputs.size * weight.size * 2].reshape(outputs.size, weight.size, 2)
                siemens = (cells[..., 0] - cells[..., 1]) / spec.read_volt * top
                found[n, outputs] += pulse.weight * siemens @ weight
    return found


class TestCurvedCells:
    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize(
        "dac",
        [{}, {"bits": 2, "coding": "pulse width"}, {"bits": 2, "coding": "pulse width", "level_spread": 0.1}],
    )
    def test_without_wires_the_chord_is_exact(self, law, scheme, dac):
        """For pulses of one height."""
        _, w = problem()
        x = np.random.default_rng(1).integers(-3, 4, (9, 12))
        fields = {"device": curved(law), "dac": dac, "tile_rows": 7, "tile_columns": 9, **scheme}
        chord, newton = (programmed(w, nonlinear=how, **fields)(x) for how in ("chord", "newton"))
        assert_allclose(newton, chord, rtol=1e-5, atol=2e-5 * np.abs(chord).max())

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize(
        "dac",
        [
            {},
            {"bits": 2},
            {"bits": 2, "bipolar": True},
            {"bits": 2, "coding": "pulse width"},
            {"bits": 2, "coding": "pulse width", "bipolar": True},
        ],
    )
    def test_with_wires_by_hand(self, law, dac):
        _, w = problem()
        x = np.random.default_rng(1).integers(-3, 4, (3, 12))
        fields = {"device": curved(law), "dac": dac, "wires": WIRES, "tile_rows": 7, "tile_columns": 12}
        macro = programmed(w, nonlinear="newton", **fields)
        expected, found = solved_by_hand(macro, x), macro(x)
        assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        chord = programmed(w, **fields)(x)
        assert np.abs(chord - expected).max() > 0.01 * np.abs(expected).max()

    def test_pulses_of_many_heights(self):
        """One cell: level k of 3 conducts sinh(k v / 3 V0) / sinh(v / V0) instead of k / 3; the chord does not know."""
        device = DeviceSpec(conduction={"law": "sinh", "sinh_volt": 0.1})
        fields = {"device": device, "dac": {"bits": 2}, "signed_inputs": False, "input_bits": 2, "weight_bits": 3}
        x = np.arange(4.0)[:, None]
        chord, newton = (programmed([[3.0]], nonlinear=how, **fields)(x)[:, 0] for how in ("chord", "newton"))
        at_read_volt = np.sinh(2.0) / 2.0
        assert_allclose(chord, 3 * at_read_volt * x[:, 0], rtol=1e-6)
        assert_allclose(newton, 3 * at_read_volt * 3 * np.sinh(2.0 * x[:, 0] / 3) / np.sinh(2.0), rtol=1e-6, atol=1e-9)

    def test_stacked_matrices(self):
        rng = np.random.default_rng(0)
        w, x = rng.integers(-7, 8, (2, 2, 5, 3)), rng.integers(-3, 4, (2, 2, 4, 5))
        fields = {"device": DeviceSpec(conduction=LAWS[0].values[0]), "wires": WIRES, "nonlinear": "newton"}
        found = programmed(w, **fields)(x)
        for place in np.ndindex(2, 2):
            assert_allclose(found[place], programmed(w[place], **fields)(x[place]), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("every", [None, 3])
    def test_noise_and_states_are_those_of_the_chord(self, every):
        """Read noise on top, and traps: by chance in the mean, or in given states; through the same converters."""
        x, w = problem()
        device = curved(telegraph=trapped().telegraph.model_dump(), read_noise=NORMAL)
        adc = FINE.but({"gain_spread": 0.1, "columns": 1})
        fields = {"device": device, "telegraph_vectors": every, "dac": {"bits": 2, "coding": "pulse width"}, "adc": adc}
        chord, newton = (many(programmed(w, nonlinear=how, **fields), x, 12) for how in ("chord", "newton"))
        assert np.ptp(chord) > 1
        assert_allclose(newton, chord, atol=0.1)

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"dac": {"bits": 2}, "signed": "separate"},
            {"dac": {"bits": 2, "coding": "pulse width"}, "signed_inputs": False},
            {"signed": "offset", "zero": "unit column"},
        ],
    )
    def test_the_cost_is_told_beforehand(self, monkeypatch, fields):
        """The number of solutions; where lengths differ, of vectors whose every pulse has all of them."""
        _, w = problem()
        x = np.tile([0, 1, 2, 3], (5, 3))
        if fields.get("dac", {}).get("coding"):
            x += 4 * x[:, ::-1]
        macro = programmed(w, nonlinear="newton", device=curved(), tile_rows=7, tile_columns=9, input_bits=4, **fields)
        cost, solved = macro.newton_cost(5), []

        class Counted(Network):
            def currents(self, v):
                solved.append(len(v))
                return super().currents(v)

        monkeypatch.setattr(solving, "Network", Counted)
        macro(x)
        assert cost.n_solutions == sum(solved) > 0
        assert cost.second > 0

    def test_ohmic_cells_need_no_newton(self):
        _, w = problem()
        x = np.random.default_rng(1).integers(-3, 4, (9, 12))
        fields = {"device": noisy(), "wires": WIRES, "adc": FINE}
        assert_array_equal(programmed(w, nonlinear="newton", **fields)(x), programmed(w, **fields)(x))


class TestDrivers:
    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize(
        "dac", [{}, {"bits": 2}, {"bits": 2, "bipolar": True}, {"bits": 2, "coding": "pulse width"}]
    )
    @pytest.mark.parametrize("accumulate", ["digital", "analog"])
    def test_noise_is_common_to_a_row(self, adc, dac, accumulate):
        """Covariances of all pairs of outputs, from the weights: 20 000 reads, 10 scores.

        Fresh at each pulse that is not 0, a share of the full one; drivers of a tile serve its columns alone.
        """
        x, w = problem()
        fields = {"tile_rows": 7, "tile_columns": 9, "accumulate": accumulate, "adc": adc}
        macro = programmed(w, dac={"noise": 0.04, **dac}, **fields)
        expected = np.zeros((4, 4))
        for pulse in pulses_of(macro.spec, x):
            driven = (pulse.levels != 0) * (0.04 * macro.spec.dac.largest_level * pulse.weight) ** 2
            expected += np.einsum("i,ij,ik->jk", driven, w, w)
        expected *= np.kron(np.eye(2), np.ones((2, 2)))
        found = many(macro, x, 20_000)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((np.cov(found.T) - expected) / error)[np.triu_indices(4)].max() < Z
        assert np.abs((found.mean(axis=0) - x @ w) / np.sqrt(np.diag(expected) / 20_000)).max() < Z

    def test_pulses_are_independent(self):
        """The same rows in each of 3 pulses; 3 pairs of one column's currents, 20 000 vectors."""
        macro, seen = programmed([[7.0]] * 6, dac={"noise": 0.1}, signed_inputs=False), Recorder()
        macro.apply(np.full((20_000, 6), 7.0), 3, seen)
        r = np.corrcoef(seen.signals["column_current"][..., 0, 0])[np.triu_indices(3, 1)]
        assert np.abs(r).max() < Z / np.sqrt(20_000)

    @pytest.mark.parametrize(("zero", "seen"), [("unit column", 0), ("digital", 8)])
    def test_a_unit_column_sees_the_same_pulses(self, zero, seen):
        """So it takes off what the offset adds, with its noise; counted inputs do not. 10 scores."""
        x, w = problem()
        macro = programmed(w, dac={"noise": 0.05}, signed="offset", zero=zero)
        driven = np.sum([(p.levels != 0) * (0.05 * p.weight) ** 2 for p in pulses_of(macro.spec, x)], axis=0)
        expected = np.einsum("i,ij,ik->jk", driven, w + seen, w + seen)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((np.cov(many(macro, x, 20_000).T) - expected) / error)[np.triu_indices(4)].max() < Z

    @pytest.mark.parametrize("bits", [1, 2])
    @pytest.mark.parametrize("adc", [None, FINE])
    def test_levels_of_each_driver(self, bits, adc):
        """What each level really is counts, also with a sign; for every vector the same."""
        _, w = problem()
        x = np.random.default_rng(1).integers(-3, 4, (20, 12))
        dac = {"bits": bits, "level_spread": 0.1, "inl_lsb": [0.0, 0.2, -0.1]}
        macro = programmed(w, dac=dac, tile_rows=7, tile_columns=9, adc=adc)
        expected = np.zeros((20, 4))
        for (r, c), dac in macro.converters.dacs.items():
            rows, outputs = slice(7 * r, 7 * r + 7), slice(2 * c, 2 * c + 2)
            for pulse in pulses_of(macro.spec, x[:, rows]):
                level = dac.levels[np.arange(len(w[rows])), pulse.levels]
                expected[:, outputs] += pulse.weight * level @ w[rows, outputs]
        assert_allclose(macro(x), expected, atol=1e-4 if adc is None else 0.42)
        assert_array_equal(macro(x, 1), macro(x, 2))

    def test_spread_over_chips(self):
        """Of a row's full pulse: common to all columns, different on each chip. 300 chips, 10 scores."""
        x, w = problem()
        found = [programmed(w, chip, dac={"level_spread": 0.1}, adc=FINE)(x) for chip in range(300)]
        expected = 0.1**2 * np.einsum("i,ij,ik->jk", x.astype(float) ** 2, w, w)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 300)
        assert np.abs((np.cov(np.transpose(found)) - expected) / error)[np.triu_indices(4)].max() < Z
