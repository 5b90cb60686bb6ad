"""Drivers of a macro: their noise and levels, common to all columns of a tile.

Seeds are fixed. Statistical tests compare standard scores with 4.5: a single one is beyond that by chance with a
probability of 7e-6, so that a test of N scores would fail with another seed in 7e-6 N of all cases.
"""

import numpy as np
import pytest
from helpers.macros import FINE, Z, integer_problem, many, programmed, recorded
from numpy.testing import assert_allclose, assert_array_equal


class TestDrivers:
    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize(
        "dac", [{}, {"bits": 2}, {"bits": 2, "bipolar": True}, {"bits": 2, "coding": "pulse width"}]
    )
    @pytest.mark.parametrize("accumulate", ["digital", "analog"])
    def test_noise_is_common_to_a_row(self, adc, dac, accumulate):
        """Covariances of all pairs of outputs, from the weights: 20 000 reads, 10 scores.

        Fresh at each pulse that is not 0, a share of the full one; drivers of a tile serve its columns alone.
        """
        x, w = integer_problem()
        fields = {"tile_rows": 7, "tile_columns": 9, "accumulate": accumulate, "adc": adc}
        macro = programmed(w, dac={"noise": 0.04, **dac}, **fields)
        expected = np.zeros((4, 4))
        for pulse in macro.spec.pulses(x):
            driven = (pulse.levels != 0) * (0.04 * macro.spec.dac.largest_level * pulse.weight) ** 2
            expected += np.einsum("i,ij,ik->jk", driven, w, w)
        expected *= np.kron(np.eye(2), np.ones((2, 2)))
        outputs = many(macro, x, 20_000)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((np.cov(outputs.T) - expected) / error)[np.triu_indices(4)].max() < Z
        assert np.abs((outputs.mean(axis=0) - x @ w) / np.sqrt(np.diag(expected) / 20_000)).max() < Z

    def test_pulses_are_independent(self):
        """Equal rows in each of 3 pulses; 3 pairs of one column's currents, 20 000 vectors."""
        macro = programmed([[7.0]] * 6, dac={"noise": 0.1}, signed_inputs=False)
        _, signals = recorded(macro, np.full((20_000, 6), 7.0), 3)
        r = np.corrcoef(signals["column_current"][..., 0, 0])[np.triu_indices(3, 1)]
        assert np.abs(r).max() < Z / np.sqrt(20_000)

    @pytest.mark.parametrize(("zero", "offset"), [("unit column", 0), ("digital", 8)])
    def test_a_unit_column_sees_the_same_pulses(self, zero, offset):
        """So it takes off what the offset adds, with its noise; counted inputs do not. 10 scores."""
        x, w = integer_problem()
        macro = programmed(w, dac={"noise": 0.05}, weight_coding="offset", offset_from=zero)
        driven = np.sum([(p.levels != 0) * (0.05 * p.weight) ** 2 for p in macro.spec.pulses(x)], axis=0)
        expected = np.einsum("i,ij,ik->jk", driven, w + offset, w + offset)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
        assert np.abs((np.cov(many(macro, x, 20_000).T) - expected) / error)[np.triu_indices(4)].max() < Z

    @pytest.mark.parametrize("bits", [1, 2])
    @pytest.mark.parametrize("adc", [None, FINE])
    def test_levels_of_each_driver(self, bits, adc):
        """What each level really is counts, also with a sign; for every vector the same."""
        _, w = integer_problem()
        x = np.random.default_rng(1).integers(-3, 4, (20, 12))
        dac = {"bits": bits, "level_spread": 0.1, "inl_lsb": [0.0, 0.2, -0.1]}
        macro = programmed(w, dac=dac, tile_rows=7, tile_columns=9, adc=adc)
        expected = np.zeros((20, 4))
        for (r, c), dac in macro.converters.dacs.items():
            rows, outputs = slice(7 * r, 7 * r + 7), slice(2 * c, 2 * c + 2)
            for pulse in macro.spec.pulses(x[:, rows]):
                level = dac.levels[np.arange(len(w[rows])), pulse.levels]
                expected[:, outputs] += pulse.weight * level @ w[rows, outputs]
        assert_allclose(macro(x, rng=0), expected, atol=1e-4 if adc is None else 0.42)
        assert_array_equal(macro(x, rng=1), macro(x, rng=2))

    def test_spread_over_chips(self):
        """Full pulses of a row: common to all columns, different on each chip. 300 chips, 10 scores."""
        x, w = integer_problem()
        outputs = [programmed(w, chip, dac={"level_spread": 0.1}, adc=FINE)(x, rng=0) for chip in range(300)]
        expected = 0.1**2 * np.einsum("i,ij,ik->jk", x.astype(float) ** 2, w, w)
        error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 300)
        assert np.abs((np.cov(np.transpose(outputs)) - expected) / error)[np.triu_indices(4)].max() < Z
