"""The noise of the softmax engine: the law of brute force, and random numbers of its own."""

import numpy as np
import pytest
from helpers.softmax import LEAKY, NOISES, NOISY, SMALL, SPREAD, THERMAL, lossless, watch
from numpy.testing import assert_array_equal
from reference import softmax as oracle
from reference.softmax_noise import noisy
from scipy import stats

from rramsim.array.sensing import SenseSpec
from rramsim.cell.noise import ReadNoiseSpec


def chance_of(one, other):
    """p-value that rows of both have one law: chi-square of how often each occurs; those below 20 are put together."""
    which = np.zeros(len(one) + len(other), int)
    for column in np.concatenate([one.reshape(len(one), -1), other.reshape(len(other), -1)]).T:
        _, value = np.unique(column, return_inverse=True)
        _, which = np.unique(which * (value.max() + 1) + value, return_inverse=True)
    counts = np.stack([np.bincount(half, minlength=which.max() + 1) for half in np.split(which, [len(one)])])
    rare = counts.sum(axis=0) < 20
    table = np.concatenate([counts[:, ~rare], counts[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    return 1.0 if table.shape[1] < 2 else stats.chi2_contingency(table, correction=False).pvalue


class TestLawOfTheNoise:
    """17 variants, 2 vectors; 4 chi-square tests, p > 1e-5, and 9 z below 4.5 of each: false alarm below 0.4 %."""

    N = 20_000

    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("variant", NOISES)
    @pytest.mark.parametrize("scores", [[0.5, -1.0, 1.5], [1.0, 1.0, -0.5, 0.5]])
    def test_outcomes_are_those_of_brute_force(self, variant, scores):
        engine, n = NOISY.but(**NOISES[variant]).program(rng=3), self.N
        slow = noisy(engine, np.array(scores), n, np.random.default_rng(1))
        batch = np.tile(scores, (n, 1))
        done = engine.apply(batch, rng=2)
        assert chance_of(done.values, slow["probability"]) > 1e-5
        for kind in oracle.KINDS:
            if kind in slow:
                mean, variance = slow[kind].mean(), slow[kind].var()
                # What never happened may have a rate of some 1 / n.
                gap = abs(done.errors[kind] / n - mean)
                assert gap < 4.5 * np.sqrt(2 * max(variance, 2 / n) / n), kind
        _, signals = watch(engine, batch, 4)
        for name in ("max_row", "difference", "exponential"):
            assert chance_of(signals[name], slow[name]) > 1e-5, name

    def test_the_test_tells_laws_apart(self):
        """By a fifth more noise, and by equal scores that share theirs."""
        scores = np.array([1.0, 1.0, -0.5, 0.5])
        slow = noisy(NOISY.program(rng=3), scores, self.N, np.random.default_rng(1))
        louder = NOISY.but(sense=SenseSpec(noise=0.24, offset_spread=0.1)).program(rng=3)
        assert chance_of(louder(np.tile(scores, (self.N, 1)), rng=0), slow["probability"]) < 1e-5
        shared = slow["probability"][:, [0, 0, 2, 3]]
        assert chance_of(shared, slow["probability"]) < 1e-5

    @pytest.mark.parametrize("variant", ["sweep, array, counters", "small counters", "bitwise", "adder"])
    def test_masked_scores_have_no_part_in_it(self, variant):
        engine = NOISY.but(**NOISES[variant]).program(rng=3)
        scores, mask = np.array([2.0, 0.5, -1.0, 3.0, 1.5]), np.array([False, True, True, False, True])
        slow = noisy(engine, scores[mask], self.N, np.random.default_rng(1))
        done = engine.apply(np.tile(scores, (self.N, 1)), mask=mask, rng=2)
        assert not done.values[:, ~mask].any()
        assert chance_of(done.values[:, mask], slow["probability"]) > 1e-5

    def test_kinds_of_errors_occur(self):
        slow = noisy(NOISY.program(rng=3), np.array([1.0, 1.0, -0.5, 0.5]), self.N, np.random.default_rng(1))
        for kind in oracle.KINDS:
            if kind in slow:
                assert 0.02 < slow[kind].mean() < 4, kind

    def test_long_vectors(self):
        """Each of 200 scores on its own: six |z| < 4.5, and the laws of two sums, p > 1e-5: false alarm 6e-5."""
        sense = SenseSpec(noise=0.12, offset_spread=0.05)
        spec = NOISY.but(counter_bits=5, divider_bits=16, sense=sense)
        engine, n = spec.program(rng=3), 400
        scores = np.random.default_rng(0).normal(scale=1.5, size=200)
        slow = noisy(engine, scores, n, np.random.default_rng(1))
        done = engine.apply(np.tile(scores, (n, 1)), rng=2)
        for kind in ("false_match", "missed_match", "multiple_match", "wrong_difference", "wrong_bit", "wrong_sum"):
            z = (done.errors[kind] / n - slow[kind].mean()) / np.sqrt(2 * slow[kind].var() / n)
            assert abs(z) < 4.5, kind
        for power in (1, 2):
            one, other = ((values**power).sum(axis=1) for values in (done.values, slow["probability"]))
            assert min(one.std(), other.std()) > 0
            assert stats.ks_2samp(one, other).pvalue > 1e-5


class TestNoise:
    SCORES = np.tile([0.5, -1.0, 2.0, -3.0], (1000, 1))

    @pytest.mark.parametrize("variant", NOISES)
    def test_noise_is_repeatable_and_fresh(self, variant):
        spec = NOISY.but(**NOISES[variant])
        one, other = spec.program(rng=3).apply(self.SCORES, rng=1), spec.program(rng=3).apply(self.SCORES, rng=1)
        assert_array_equal(one.values, other.values)
        assert (one.errors, one.activity) == (other.errors, other.activity)
        assert (spec.program(rng=3)(self.SCORES, rng=2) != one.values).any()
        assert len(np.unique(one.values, axis=0)) > 5

    @pytest.mark.parametrize(
        "changes",
        [
            {"sum_adc": lossless(4, noise_lsb=0.6)},
            {"device": LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=0.02)}), "divider_bits": 16},
        ],
    )
    def test_noise_of_the_sum_alone_follows_the_seed(self, changes):
        engine = SMALL.but(**changes).program(rng=0)
        assert len(np.unique(engine(self.SCORES, rng=1), axis=0)) > 5
        assert (engine(self.SCORES, rng=1) != engine(self.SCORES, rng=2)).any()

    @pytest.mark.parametrize("variant", NOISES)
    def test_watching_changes_nothing(self, variant):
        engine = NOISY.but(**NOISES[variant]).program(rng=3)
        (watched, _), alone = watch(engine, self.SCORES, 1), engine.apply(self.SCORES, rng=1)
        assert_array_equal(watched.values, alone.values)
        assert watched.errors == alone.errors
        for _, name, count in alone.activity.rows():
            assert watched.activity.total(name) == pytest.approx(count, rel=1e-12, abs=0), name

    def test_what_was_done_before_does_not_matter(self):
        engine = NOISY.program(rng=3)
        engine.apply(np.random.default_rng(0).normal(scale=2, size=(50, 7)), rng=9)
        assert_array_equal(engine(self.SCORES, rng=1), NOISY.program(rng=3)(self.SCORES, rng=1))

    def test_vectors_do_not_depend_on_those_behind_them(self):
        engine = NOISY.but(sum_adc=THERMAL).program(rng=3)
        scores = np.random.default_rng(0).normal(scale=2, size=(60, 6))
        values, other = engine(scores, rng=1), scores.copy()
        other[30:] = 0.25
        assert_array_equal(engine(scores[:30], rng=1), values[:30])
        assert_array_equal(engine(other, rng=1)[:30], values[:30])
        # Nor on those before them.
        other = scores.copy()
        other[:30] = -1.0
        assert_array_equal(engine(other, rng=1)[30:], values[30:])

    def test_a_generator_goes_on(self):
        engine, generator = NOISY.program(rng=0), np.random.default_rng(0)
        assert (engine(self.SCORES, rng=generator) != engine(self.SCORES, rng=generator)).any()
        assert_array_equal(
            engine(self.SCORES, rng=np.random.default_rng(5)), engine(self.SCORES, rng=np.random.default_rng(5))
        )

    def test_equal_scores_have_noise_of_their_own(self):
        values = NOISY.program(rng=3)(np.zeros((200, 4)), rng=1)
        assert (values != values[:, :1]).any()

    def test_without_noise_no_random_numbers(self):
        scores = np.random.default_rng(0).normal(scale=2, size=(4, 6))
        spec = SMALL.but(device=LEAKY.but({"programming": SPREAD}))
        results = [spec.program(rng=3).apply(scores, rng=rng) for rng in (0, 1, np.random.default_rng(5))]
        for other in results[1:]:
            assert_array_equal(other.values, results[0].values)
            assert other.errors == results[0].errors
        # As the noise goes to zero its path goes to the same values.
        quiet = LEAKY.but({"programming": SPREAD, "read_noise": ReadNoiseSpec(relative_deviation=1e-9)})
        nearly = spec.but(device=quiet, sense=SenseSpec(noise=1e-9), column_sense=SenseSpec(noise=1e-9))
        done = nearly.program(rng=3).apply(scores, rng=1)
        assert_array_equal(done.values, results[0].values)
        assert done.errors == results[0].errors
