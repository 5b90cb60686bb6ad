"""Traps as slow states: how long they last, what they do to outputs, and batches in pieces.

Seeds are fixed. Statistical tests compare standard scores with 4.5: a single one is beyond that by chance with a
probability of 7e-6, so that a test of N scores would fail with another seed in 7e-6 N of all cases.
"""

import numpy as np
import pytest
from helpers.macros import (
    FINE,
    NORMAL,
    Z,
    cumulants_by_hand,
    integer_problem,
    many,
    noisy,
    programmed,
    recorded,
    standard_scores,
    trapped,
)
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.rng import Streams


class TestTelegraph:
    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize("first", [0, 4])
    def test_states_last_for_a_period(self, adc, first):
        x, w = integer_problem()
        macro = programmed(w, device=trapped(), adc=adc, telegraph_vectors=6)
        outputs = macro.apply(np.broadcast_to(x, (25, 12)), first_vector=first, rng=3).values
        period = (np.arange(25) + first) // 6
        for one in np.unique(period):
            assert np.ptp(outputs[period == one], axis=0).max() == 0
        starts = np.flatnonzero(np.diff(period)) + 1
        assert (outputs[starts] != outputs[starts - 1]).all()

    @pytest.mark.parametrize(("n", "fields"), [(600, {}), (200, {"adc": FINE, "tile_rows": 7, "tile_columns": 9})])
    def test_cumulants_over_the_states(self, n, fields):
        """Periods that have forgotten one another, vectors of one pulse: as reads with traps by chance; 12 scores."""
        x, w = integer_problem()
        fields = {"signed_inputs": False, "input_bits": 2, "dac": {"bits": 2}, "device": trapped(), **fields}
        expected = cumulants_by_hand(programmed(w, **fields), np.abs(x))
        assert (
            np.abs(standard_scores(many(programmed(w, telegraph_vectors=1, **fields), np.abs(x), n), expected)).max()
            < Z
        )

    def test_pulses_of_a_vector_meet_the_same_states(self):
        """So that the deviations of a cell in all of them add up, and not their squares: 500 periods, 4 scores."""
        x, w = integer_problem()
        macro = programmed(w, device=trapped(), telegraph_vectors=1)
        lines = macro.rows[0].tiles[0].channels(macro.spec, macro.rows[0].tiles[0].array.noise_variance).sum(axis=-1)
        variance = np.einsum("i,ios,s->o", x**2.0, lines, (np.array([1.0, 4.0]) / macro.spec.unit_siemens) ** 2)
        score = (many(macro, x, 500).var(axis=0) / variance - 1) / np.sqrt(2 / 500)
        assert np.abs(score).max() < Z

    def test_white_noise_on_top(self):
        """It is fresh for each vector, with the variance that is left once states are known; 4 scores."""
        x, w = integer_problem()
        device = trapped(1e3, relative_deviation=0.05)
        outputs = many(programmed(w, device=device, telegraph_vectors=10**6), x, 5000)
        macro = programmed(w, device=device, telegraph_vectors=10**6)
        states = device.telegraph.states(
            macro.rows[0].tiles[0].array.g.shape, [0.0], Streams(1).generator("telegraph", 0, 0)
        )
        tile = macro.rows[0].tiles[0].rewired(macro.spec, states[0])
        assert_allclose(tile.array.noise_deviation, 0.05 * tile.array.cells.g, rtol=1e-12)
        lines = tile.channels(macro.spec, tile.array.noise_variance).sum(axis=-1)
        weight = (np.array([1.0, 4.0]) / macro.spec.unit_siemens) ** 2
        driven = np.sum([(p.weight * p.levels.astype(float)) ** 2 for p in macro.spec.pulses(x)], axis=0)
        variance = np.einsum("i,ios,s->o", driven, lines, weight)
        score = (outputs.var(axis=0) / variance - 1) / np.sqrt(2 / 5000)
        assert np.abs(score).max() < Z

    def test_correlation_in_time(self):
        """exp(-dt / tau) for periods dt apart: 800 periods of 16 outputs, together to 4.5 standard errors."""
        x, w = integer_problem(12, 16)
        period = 2 * 3 * 10e-9
        macro = programmed(w, device=trapped(1.5 * period), telegraph_vectors=2)
        outputs = many(macro, x, 1600)[::2]
        z = (outputs - outputs.mean(axis=0)) / outputs.std(axis=0)
        for lag in (1, 2, 4):
            correlation = np.exp(-lag / 1.5)
            error = np.sqrt((1 + np.exp(-2 / 1.5)) / (1 - np.exp(-2 / 1.5)) / (16 * 800))
            assert abs((z[lag:] * z[:-lag]).mean() - correlation) < Z * error

    @pytest.mark.parametrize("adc", [None, FINE])
    @pytest.mark.parametrize("every", [1, 4, 50])
    def test_a_batch_in_pieces(self, adc, every):
        """Pieces of any length: states, white noise and the number of saturated conversions are those of the whole."""
        _, w = integer_problem()
        x = np.random.default_rng(2).integers(-3, 4, (23, 12))
        adc = adc and adc.but({"full_scale_ampere": 4e-5})
        macro = programmed(w, device=trapped(1e-7, relative_deviation=0.05), adc=adc, telegraph_vectors=every)
        whole, done = macro.apply(x, rng=5), []
        for start, stop in ((0, 3), (3, 4), (4, 17), (17, 23)):
            done.append(macro.apply(x[start:stop], first_vector=start, rng=5))
        pieces = np.concatenate([each.values for each in done])
        assert_allclose(pieces, whole.values, rtol=0, atol=0 if adc else 1e-12)
        if adc:
            assert whole.errors["adc_saturation"] == sum(each.errors["adc_saturation"] for each in done) > 0

    def test_one_matrix_meets_vectors_one_after_another(self):
        """Whatever axes they come in; no two see the same noise."""
        x, w = integer_problem()
        macro = programmed(w, device=trapped(1e3, relative_deviation=0.05), telegraph_vectors=2)
        inputs = np.broadcast_to(x, (2, 4, 12))
        outputs = macro(inputs, rng=5)
        assert_array_equal(outputs.reshape(8, -1), macro(inputs.reshape(8, 12), rng=5))
        assert np.unique(outputs).size == outputs.size

    def test_each_matrix_and_tile_has_its_own_traps(self):
        x, w = integer_problem(12, 1)
        macro = programmed(
            np.broadcast_to(np.tile(w, 3), (2, 12, 3)), device=trapped(), telegraph_vectors=3, tile_columns=4
        )
        assert macro.n_tiles == 3
        outputs = macro(np.broadcast_to(x, (9, 12)), rng=0)[:, ::3]
        assert np.unique(outputs).size == outputs.size

    def test_a_probe_sees_the_first_period(self):
        x, w = integer_problem()
        macro = programmed(w, device=trapped(), adc=FINE, telegraph_vectors=4)
        probed, signals = recorded(macro, np.broadcast_to(x, (10, 12)), 5)
        assert_array_equal(probed.values, many(macro, x, 10, 5))
        assert signals["column_current"].shape == (3, 4, 4, 2)

    def test_without_traps_there_are_no_periods(self):
        x, w = integer_problem()
        device = noisy(**NORMAL)
        with_periods = programmed(w, device=device, telegraph_vectors=4)
        assert_array_equal(many(with_periods, x, 10), many(programmed(w, device=device), x, 10))
