"""Read noise of a macro against sums over its cells and against every cell drawn.

Seeds are fixed. Statistical tests compare standard scores with 4.5: a single one is beyond that by chance with a
probability of 7e-6, so that a test of N scores would fail with another seed in 7e-6 N of all cases.
"""

import numpy as np
import pytest
from helpers.macros import (
    FINE,
    HEAVY_WIRES,
    LOGNORMAL,
    NORMAL,
    Z,
    cumulants_by_hand,
    integer_problem,
    many,
    noisy,
    programmed,
    recorded,
    standard_scores,
)
from numpy.testing import assert_array_equal
from scipy import stats

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.wires import WireSpec
from rramsim.rng import Streams

MODES = [
    pytest.param({"adc": None}, id="no converter"),
    pytest.param({"adc": FINE}, id="digital"),
    pytest.param({"adc": FINE, "weight_coding": "separate"}, id="separate"),
    pytest.param({"adc": FINE, "accumulate": "analog"}, id="analog"),
    pytest.param({"adc": FINE, "dac": {"bits": 2}}, id="levels"),
    pytest.param({"adc": FINE, "dac": {"bits": 2, "bipolar": True, "coding": "pulse width"}}, id="polarities"),
    pytest.param({"adc": FINE, "tile_rows": 7, "tile_columns": 9}, id="tiles"),
]


class TestReadNoise:
    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("law", [NORMAL, LOGNORMAL])
    @pytest.mark.parametrize("fields", MODES)
    def test_cumulants_of_the_outputs(self, law, fields):
        """20 000 reads: mean, variance and third cumulant of 4 outputs against sums over the cells; 12 scores."""
        x, w = integer_problem()
        macro = programmed(w, device=noisy(**law), **fields)
        expected = cumulants_by_hand(macro, x)
        assert (np.abs(expected[2]).max() > 0) == (law is LOGNORMAL)
        assert np.abs(standard_scores(many(macro, x, 20_000), expected)).max() < Z

    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("law", [NORMAL, LOGNORMAL])
    @pytest.mark.parametrize("fields", MODES)
    def test_every_cell_drawn(self, law, fields):
        """The brute force, 200 reads, has the same cumulants: 12 scores."""
        x, w = integer_problem()
        moments = programmed(w, device=noisy(**law), **fields)
        macro = programmed(w, device=noisy(**law), noise_model="cells", **fields)
        assert np.abs(standard_scores(many(macro, x, 200), cumulants_by_hand(moments, x))).max() < Z

    @pytest.mark.parametrize("law", [{"relative_deviation": 0.05}, {"law": "lognormal", "relative_deviation": 0.4}])
    def test_behind_wires(self, law):
        """At a coupling of 0.5, 1000 reads of 8 outputs with every cell drawn and the network solved.

        Standard deviations agree in the mean over the outputs to 4.5 / sqrt(2 * 8 * 1000) = 3.6 % by chance and 2 %
        for what the weights leave out in so small an array; means to their scatter and a share r^2 / 20 of the signal,
        by which wires bend it; skewness to 30 %. Without weights the noise would be 40 % larger. By moments, with a
        converter and without, all is as the cells and weights say: 48 scores.
        """
        rng = np.random.default_rng(1)
        w, x = rng.integers(1, 8, (16, 8)), rng.permutation(16) % 2
        fields = {
            "device": noisy(**law),
            "wires": HEAVY_WIRES,
            "tile_columns": 48,
            "signed_inputs": False,
            "input_bits": 1,
        }
        macro = programmed(w, **fields)
        expected, (_, plain, _) = (
            cumulants_by_hand(macro, x),
            cumulants_by_hand(programmed(w, **{**fields, "wires": WireSpec()}), x),
        )
        drawn = many(programmed(w, noise_model="cells", **fields), x, 1000)
        deviation = np.sqrt(expected[1])
        assert abs((drawn.std(axis=0) / deviation).mean() - 1) < 0.036 + 0.02
        bent = law["relative_deviation"] ** 2 / 20 * np.abs(expected[0])
        assert (np.abs(drawn.mean(axis=0) - expected[0]) < Z * deviation / np.sqrt(1000) + bent).all()
        if law.get("law") == "lognormal":
            ratio = stats.skew(drawn).mean() / (expected[2] / deviation**3).mean()
            assert abs(ratio - 1) < 0.3
        assert (np.sqrt(plain) / deviation).mean() > 1.4
        for adc in (None, FINE):
            assert np.abs(standard_scores(many(programmed(w, adc=adc, **fields), x, 20_000), expected)).max() < Z

    def test_outputs_pulses_slices_and_vectors_are_independent(self):
        """Column currents of 20 000 vectors: 276 pairs of columns; and each with itself 1 to 3 vectors later, 72."""
        x, w = integer_problem()
        macro = programmed(w, device=noisy(**NORMAL), adc=FINE, tile_columns=9)
        _, signals = recorded(macro, np.broadcast_to(np.abs(x) - 4 * (x % 2 == 0), (20_000, 12)), 3)
        currents = np.moveaxis(signals["column_current"], 1, 0).reshape(20_000, -1)
        assert currents.shape[1] == 3 * 4 * 2
        off = np.corrcoef(currents.T)[np.triu_indices(24, 1)]
        assert np.abs(off).max() < Z / np.sqrt(20_000)
        z = (currents - currents.mean(axis=0)) / currents.std(axis=0)
        for lag in (1, 2, 3):
            assert np.abs((z[lag:] * z[:-lag]).mean(axis=0)).max() < Z / np.sqrt(20_000)

    @pytest.mark.parametrize("adc", [None, FINE])
    def test_matrices_and_reads_are_independent(self, adc):
        """One matrix twice, and one read with another seed; 2 x 4 scores."""
        x, w = integer_problem()
        macro = programmed(np.stack([w, w]), device=noisy(**NORMAL), adc=adc)
        one, other = macro(np.broadcast_to(x, (5000, 12)), rng=1)
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
        macro = programmed(w, device=noisy(**NORMAL), noise_model=noise, **fields)
        assert macro.n_tiles == 4
        outputs = np.concatenate(many(macro, x, n), axis=1)
        expected = cumulants_by_hand(programmed(w[0], device=noisy(**NORMAL), **fields), x)[1]
        assert np.abs(outputs.var(axis=0) / np.tile(expected, 2) - 1).max() < Z * np.sqrt(2 / n)
        assert np.abs(np.corrcoef(outputs.T)[np.triu_indices(4, 1)]).max() < Z / np.sqrt(n)

    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=14, full_scale_from="fixed", full_scale_ampere=1.5e-4)])
    def test_skewness_of_inverted_columns(self, adc):
        """Is that of the current with its sign turned: 20 000 reads, 6 scores."""
        x, w = np.ones(8, dtype=np.int32), np.tile([[-7, 7]], (8, 1))
        fields = {
            "weight_coding": "offset",
            "invert_heavy_columns": True,
            "cell_bits": 4,
            "signed_inputs": False,
            "input_bits": 1,
        }
        macro = programmed(w, device=noisy(**LOGNORMAL), adc=adc, **fields)
        tile, unit = macro.rows[0].tiles[0], macro.spec.unit_siemens[0]
        sign = np.where(tile.flipped[:, 0], -1.0, 1.0)
        assert_array_equal(sign, [1.0, -1.0])
        moments = [tile.array.noise_variance.sum(axis=0) / unit**2, sign * tile.array.noise_third.sum(axis=0) / unit**3]
        assert np.abs(standard_scores(many(macro, x, 20_000), [x @ w, *moments])).max() < Z

    @pytest.mark.parametrize("adc", [None, FINE])
    def test_one_rng_gives_one_result(self, adc):
        x, w = integer_problem()
        macro = programmed(w, device=noisy(**NORMAL), adc=adc)
        assert_array_equal(many(macro, x, 5, 4), many(macro, x, 5, Streams(4)))
        going_on = np.random.default_rng(0)
        assert (many(macro, x, 5, going_on) != many(macro, x, 5, going_on)).any()

    @pytest.mark.parametrize("flip", [False, True])
    @pytest.mark.parametrize("adc", [None, SarAdcSpec(bits=14, full_scale_from="fixed", full_scale_ampere=1.5e-4)])
    def test_a_unit_column_is_common_to_a_tile(self, flip, adc):
        """Covariances of all pairs of 6 outputs in 3 tiles by 2: what the columns and their tile's unit column add.

        20 000 reads, 21 scores.
        """
        x, w = integer_problem(12, 6, seed=4)
        fields = {
            "weight_coding": "offset",
            "offset_from": "unit column",
            "invert_heavy_columns": flip,
            "tile_columns": 5,
            "tile_rows": 7,
        }
        macro = programmed(w, device=noisy(relative_deviation=0.05), adc=adc, **fields)
        expected = np.zeros((6, 6))
        for row in macro.rows:
            pulses = macro.spec.pulses(x[7 * row.number :][: row.n_rows])
            driven = np.sum([(pulse.weight * pulse.levels.astype(float)) ** 2 for pulse in pulses], axis=0)
            for c, tile in enumerate(row.tiles):
                variance = driven @ tile.array.noise_variance
                columns = (variance[:4].reshape(2, 2) * (np.array([1, 4]) / macro.spec.unit_siemens) ** 2).sum(axis=1)
                unit = macro.spec.device.g_min_siemens + macro.spec.unit_level * macro.spec.unit_siemens[0]
                pair = slice(2 * c, 2 * c + 2)
                common = np.broadcast_to(row.offset_per_input[0], 6)[pair] / unit
                expected[pair, pair] += np.diag(columns) + np.outer(common, common) * variance[4]
        covariance = np.cov(many(macro, x, 20_000).T)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((covariance - expected) / error).max() < Z
        assert abs(expected[0, 1]) > 10 * error[0, 1]

    @pytest.mark.parametrize("signed", ["differential", "separate"])
    @pytest.mark.parametrize("accumulate", ["digital", "analog"])
    def test_noise_of_the_converters_alone(self, signed, accumulate):
        """Codes of 1.2 steps of noise and 1/12 for rounding, weighed by pulses and slices; 20 000 reads, 12 scores.

        An offset, which a difference of codes does not see, keeps lines at 0 A from being cut off.
        """
        x, w = integer_problem()
        offset = 20.0 if signed == "separate" else 0.0
        adc = SarAdcSpec(bits=9, full_scale_from="fixed", full_scale_ampere=1e-4, noise_lsb=1.2, offset_lsb=offset)
        macro = programmed(w, adc=adc, weight_coding=signed, accumulate=accumulate, tile_rows=6)
        per_code = 1e-4 / adc.code_range(signed=macro.spec.signed_codes)[1] / (0.2 * macro.spec.unit_siemens[0])
        pulses = np.array([1.0, 2.0, -4.0])
        weight = np.square(pulses).sum() if accumulate == "digital" else np.abs(pulses).sum() ** 2
        lines = 2 if signed == "separate" else 1
        variance = 2 * weight * (1 + 4**2) * lines * per_code**2 * (1.2**2 + 1 / 12)
        done = macro.apply(np.broadcast_to(x, (20_000, 12)), rng=2)
        assert done.errors == {"adc_saturation": 0}
        assert np.abs(standard_scores(done.values, [x @ w, np.full(4, variance), np.zeros(4)])).max() < Z

    def test_no_converter_noise_beyond_what_is_asked(self):
        x, w = integer_problem()
        assert np.ptp(many(programmed(w, adc=FINE), x, 50), axis=0).max() == 0

    @pytest.mark.parametrize("rows", [128, 3000, 4096])
    def test_variances_fit_into_16_bits(self, rows):
        """Equal cells, all driven, in units of which half a one is lost or won in each row; 2000 reads, 8 scores."""
        adc = SarAdcSpec(bits=14, full_scale_from="fixed", full_scale_ampere=2e-5 * rows)
        one_bit = {"signed_inputs": False, "input_bits": 1, "adc": adc}
        macro = programmed(np.full((rows, 8), 7), device=noisy(relative_deviation=0.2), tile_rows=4096, **one_bit)
        outputs, x = macro(np.ones((2000, rows)), rng=0), np.ones(rows, dtype=np.int32)
        ratio = outputs.var(axis=0) / cumulants_by_hand(macro, x)[1]
        assert np.abs(ratio - 1).max() < Z * np.sqrt(2 / 2000) + rows / 2 / 63_000
