"""From pulses to integers: against the oracle code by code, and what noise adds to the currents."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.compiled import COMPILED
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.convert import GROUP, WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses

KEY = np.array([0x12345678, 0x9ABCDEF0, 3, 0xFFFFFFFF], dtype=np.uint32)
NOTHING = np.empty(0, np.float32)


def packed(levels):
    patterns = np.empty((levels.shape[0] * levels.shape[1], -(-levels.shape[2] // GROUP)), np.uint8)
    pack_pulses(levels, patterns)
    return patterns


def quiet_case(seed, n=3, n_pulses=4, n_rows=7, n_blocks=1, low=-20, high=19, **changes):
    """Arguments of :func:`bit_serial` by name; currents of some steps, a few of them beyond low .. high."""
    rng, n_columns = np.random.default_rng(seed), n_blocks * WIDTH
    case = SimpleNamespace(
        pulses=rng.integers(0, 2, (n_pulses, n, n_rows)).astype(np.int16),
        t=rng.normal(scale=18.0 / np.sqrt(max(n_rows, 1)), size=(n_rows, n_columns)).astype(np.float32),
        base=rng.normal(size=n_columns).astype(np.float32),
        variance=np.empty((0, 0), np.uint16),
        variance_scale=NOTHING,
        variance_base=NOTHING,
        key=KEY,
        weights=(2 ** np.arange(n_pulses)).astype(np.int32),
        low=low,
        high=high,
        levels=np.empty((0, 0), np.float32),
        codes=np.empty((0, 0), np.int32),
        converter=np.empty(0, np.int32),
        limit=0,
        first_vector=0,
    )
    vars(case).update(changes)
    return case


def noisy_case(seed, n_rows=7, n_blocks=1, **changes):
    rng, n_columns = np.random.default_rng(seed + 1), n_blocks * WIDTH
    noise = {
        "variance": rng.integers(0, 65535 // max(n_rows, 1), (n_rows, n_columns)).astype(np.uint16),
        "variance_scale": rng.uniform(1e-5, 1e-4, n_columns).astype(np.float32),
        "variance_base": rng.uniform(0, 0.1, n_columns).astype(np.float32),
    }
    return quiet_case(seed, n_rows=n_rows, n_blocks=n_blocks, **noise | changes)


def run(case, kernel=bit_serial, blocks=None, kind=np.float32):
    """(totals, currents, clipped); columns of blocks that are left out hold their number and infinite currents."""
    n_pulses, n, _ = case.pulses.shape
    first, last = blocks or (0, case.t.shape[1] // WIDTH)
    totals = np.tile(np.arange(case.t.shape[1], dtype=float), (n, 1))
    currents = np.full((n * n_pulses, case.t.shape[1]), np.inf, kind)
    arguments = {name: value for name, value in vars(case).items() if name != "pulses"}
    clipped = kernel(packed(case.pulses), *arguments.values(), first, last, totals, currents)
    return totals, currents, clipped


def far_from_ties(case, currents):
    """(n, n_columns) where no current of a vector is within 5e-3 steps of a transition, nor 1e-3 where it is quiet."""
    n_pulses, n, _ = case.pulses.shape
    distance = np.abs(currents - np.floor(currents) - 0.5)
    for converter, levels in enumerate(case.levels):
        columns = case.converter == converter
        to_level = np.abs(currents[:, columns, None] - levels).min(-1)
        distance[:, columns] = to_level.clip(max=distance[:, columns])
    return distance.reshape(n, n_pulses, -1).min(1) > (5e-3 if case.variance_scale.size else 1e-3)


def assert_as_the_oracle(case):
    totals, currents, clipped = run(case)
    expected_totals, expected_currents, expected_clipped = run(case, ORACLES[bit_serial], kind=np.float64)
    assert_allclose(currents, expected_currents, rtol=0, atol=5e-3 if case.variance_scale.size else 2e-5)
    far = far_from_ties(case, expected_currents)
    assert far.mean() > 0.8
    assert_array_equal(totals[far], expected_totals[far])
    assert abs(clipped - expected_clipped) <= (~far).sum() * len(case.weights)
    if far.all():
        assert clipped == expected_clipped
    # The currents decide all.
    converted = np.tile(np.arange(totals.shape[1], dtype=float), (len(totals), 1))
    steps = (case.weights, case.low, case.high, case.levels, case.codes, case.converter, case.limit, converted)
    assert convert_currents(currents, *steps) == clipped
    assert_array_equal(converted, totals)
    return clipped


class TestPulses:
    @pytest.mark.parametrize("n_rows", [0, 1, 3, 4, 5, 8, 31, 64])
    def test_against_the_oracle(self, n_rows):
        levels = np.random.default_rng(n_rows).integers(0, 2, (3, 5, n_rows)).astype(np.int16)
        expected = np.empty((15, -(-n_rows // GROUP)), np.uint8)
        ORACLES[pack_pulses](levels, expected)
        assert_array_equal(packed(levels), expected)

    def test_by_hand(self):
        levels = np.array([[[1, 0, 0, 0, 1], [0, 1, 1, 1, 0]], [[0, 0, 0, 1, 0], [1, 1, 1, 1, 1]]], dtype=np.int16)
        assert_array_equal(packed(levels), 16 * np.array([[1, 1], [8, 0], [14, 0], [15, 1]]))


class TestSums:
    @pytest.mark.parametrize("n_pulses", [1, 2, 3, 8])
    @pytest.mark.parametrize("n_rows", [1, 4, 6, 31, 33, 67])
    def test_against_the_oracle(self, n_rows, n_pulses):
        """Rows that do not fill a group, a word of groups, or a batch of tables."""
        assert assert_as_the_oracle(quiet_case(n_rows, n_rows=n_rows, n_pulses=n_pulses)) > 0

    def test_no_rows(self):
        assert_as_the_oracle(quiet_case(1, n_rows=0))

    def test_several_blocks(self):
        assert_as_the_oracle(quiet_case(2, n_rows=9, n_blocks=3))

    def test_many_vectors(self):
        """More than are kept between two tables."""
        case = quiet_case(3, n=1100 if COMPILED else 260, n_pulses=1 if COMPILED else 5, n_rows=5)
        totals, currents, _ = run(case)
        driven = case.pulses.swapaxes(0, 1).reshape(len(currents), -1)
        assert_allclose(currents, driven @ case.t + case.base, atol=2e-5)
        codes = np.clip(np.rint(currents), case.low, case.high).reshape(*case.pulses.shape[1::-1], -1)
        assert_array_equal(totals, np.arange(WIDTH) + np.tensordot(case.weights, codes, (0, 1)))

    def test_weights_of_either_sign(self):
        assert_as_the_oracle(quiet_case(4, weights=np.array([3, -7, 1, -128], np.int32)))

    @given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 70), n_pulses=st.integers(1, 5))
    def test_whole_numbers_are_exact(self, seed, n_rows, n_pulses):
        """Currents that are whole numbers within the range: the product of integers."""
        rng = np.random.default_rng(seed)
        t = rng.integers(-3, 4, (n_rows, WIDTH)).astype(np.float32)
        weights = rng.integers(-9, 10, n_pulses).astype(np.int32)
        case = quiet_case(
            seed, n=2, n_rows=n_rows, n_pulses=n_pulses, t=t, base=0 * t[0], weights=weights, low=-210, high=210
        )
        totals, _, clipped = run(case)
        assert clipped == 0
        codes = np.tensordot(weights, case.pulses.astype(int), 1)
        assert_array_equal(totals - np.arange(WIDTH), codes @ t.astype(int))

    def test_nobody_looks(self):
        case = quiet_case(5)
        totals, _, clipped = run(case)
        unobserved = np.tile(np.arange(WIDTH, dtype=float), (3, 1))
        arguments = [value for name, value in vars(case).items() if name != "pulses"]
        assert bit_serial(packed(case.pulses), *arguments, 0, 1, unobserved, np.empty((0, 0), np.float32)) == clipped
        assert_array_equal(unobserved, totals)


class TestConversion:
    def test_by_hand(self):
        """Codes -8 .. 7: ties go to the even code; what does not fit is clipped and counted."""
        sums = np.array([[0.5, 1.5, 2.5], [-0.5, -1.5, 7.4], [7.6, -8.4, -8.6]], np.float32)
        nothing = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32), np.empty(0, np.int32)
        out = np.full((3, 3), 100.0)
        assert convert_currents(sums, np.array([10], np.int32), -8, 7, *nothing, 0, out) == 2
        assert_array_equal(out, [[100, 120, 120], [100, 80, 170], [170, 20, 20]])
        out = np.zeros((1, 3))
        assert convert_currents(sums, np.array([1, 10, 100], np.int32), -8, 7, *nothing, 0, out) == 2
        assert_array_equal(out, [[0 + 0 + 700, 2 - 20 - 800, 2 + 70 - 800]])

    @pytest.mark.parametrize("limit", [1, 40, 120])
    def test_the_running_total_saturates(self, limit):
        case = quiet_case(6, n=6, weights=np.array([1, 2, 4, -8], np.int32), limit=limit)
        assert_as_the_oracle(case)
        total = run(case)[0] - np.arange(WIDTH)
        assert total.max() == limit
        assert total.min() == -limit - 1

    def test_it_saturates_after_every_pulse(self):
        """7 + 7 - 7 in 4 bits is 0, not 7."""
        sums = np.array([[7.0], [7.0], [-7.0]], np.float32)
        nothing = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32), np.empty(0, np.int32)
        out = np.zeros((1, 1))
        convert_currents(sums, np.ones(3, np.int32), -8, 7, *nothing, 7, out)
        assert out[0, 0] == 0

    @pytest.mark.parametrize("codes", ["rising", "any"])
    @pytest.mark.parametrize("limit", [0, 30])
    def test_tables_of_transitions(self, codes, limit):
        """Three converters, whose transitions are up to two steps off, some in the same place."""
        rng = np.random.default_rng(7)
        levels = np.sort(np.arange(-20, 19) + 0.5 + rng.uniform(-2, 2, (3, 39)), -1).astype(np.float32)
        levels[1, 5:8] = levels[1, 5]
        table = np.tile(np.arange(-20, 20), (3, 1)) if codes == "rising" else rng.integers(-50, 50, (3, 40))
        changes = {"converter": rng.integers(0, 3, 2 * WIDTH).astype(np.int32), "limit": limit}
        case = quiet_case(8, n=4, n_blocks=2, levels=levels, codes=table.astype(np.int32), **changes)
        assert assert_as_the_oracle(case) > 0

    def test_tables_that_lie_elsewhere(self):
        """Fewer transitions than codes of the range, and all far from the staircase."""
        levels = np.array([[-3.25, 11.0, 12.5]], np.float32)
        codes = np.array([[5, -7, 0, 2]], np.int32)
        case = quiet_case(9, levels=levels, codes=codes, converter=np.zeros(WIDTH, np.int32))
        assert_as_the_oracle(case)

    def test_a_current_on_a_transition_is_above_it(self):
        levels, codes = np.array([[-0.5, 0.5]], np.float32), np.array([[-1, 0, 1]], np.int32)
        sums = np.array([[-0.5, 0.5, 0.25]], np.float32)
        out = np.zeros((1, 3))
        convert_currents(sums, np.ones(1, np.int32), -1, 1, levels, codes, np.zeros(3, np.int32), 0, out)
        assert_array_equal(out, [[0, 1, 0]])

    def test_a_table_of_the_staircase_changes_nothing(self):
        case = quiet_case(10)
        levels = np.arange(-20, 19, dtype=np.float32)[None] + np.float32(0.5)
        table = {"levels": levels, "codes": np.arange(-20, 20, dtype=np.int32)[None]}
        tabled = quiet_case(10, **table, converter=np.zeros(WIDTH, np.int32))
        for plain, by_table in zip(run(case), run(tabled), strict=True):
            assert_array_equal(by_table, plain)


class TestNoise:
    @pytest.mark.parametrize("n_pulses", [1, 3, 4])
    def test_currents_get_root_variance_times_number(self, n_pulses):
        case = noisy_case(11, n=5, n_pulses=n_pulses, n_rows=37, n_blocks=2, first_vector=3)
        quiet = quiet_case(11, n=5, n_pulses=n_pulses, n_rows=37, n_blocks=2)
        currents, quiet_currents = run(case)[1], run(quiet)[1]
        normal = np.empty_like(currents)
        hashed_normals(case.key, n_pulses, 3, normal)
        driven = case.pulses.swapaxes(0, 1).reshape(len(currents), -1)
        units = driven.astype(int) @ case.variance.astype(int)
        deviation = np.sqrt(units * case.variance_scale.astype(float) + case.variance_base)
        assert deviation.max() > 0.8
        assert_allclose(currents, quiet_currents + deviation * normal, atol=1e-5)

    @pytest.mark.parametrize("n_pulses", [1, 3, 8])
    def test_against_the_oracle(self, n_pulses):
        assert_as_the_oracle(noisy_case(12, n=5, n_pulses=n_pulses, n_rows=10, n_blocks=2, first_vector=9))

    def test_largest_variance(self):
        """Sums up to the last unit of 16 bits."""
        variance = np.full((3, WIDTH), 21845, np.uint16)
        case = noisy_case(13, n_rows=3, variance=variance, pulses=np.ones((1, 2, 3), np.int16))
        case.weights = case.weights[:1]
        assert_as_the_oracle(case)

    def test_noise_of_the_converter_alone(self):
        case = noisy_case(14, variance=np.empty((0, 0), np.uint16))
        assert_as_the_oracle(case)
        quiet_cells = noisy_case(14, variance=np.zeros((7, WIDTH), np.uint16))
        assert_array_equal(run(case)[1], run(quiet_cells)[1])

    def test_no_variance_no_noise(self):
        zero = np.zeros(WIDTH, np.float32)
        case = noisy_case(15, variance=np.zeros((7, WIDTH), np.uint16), variance_base=zero)
        for noiseless, quiet in zip(run(case), run(quiet_case(15)), strict=True):
            assert_array_equal(noiseless, quiet)

    def test_blocks_may_be_done_apart(self):
        case = noisy_case(16, n_blocks=4, n_rows=9)
        totals, currents, clipped = run(case)
        runs = {blocks: run(case, blocks=blocks) for blocks in ((0, 1), (1, 3), (3, 4))}
        assert sum(some_clipped for _, _, some_clipped in runs.values()) == clipped
        for blocks, (some_totals, some_currents, _) in runs.items():
            columns = slice(*(WIDTH * block for block in blocks))
            assert_array_equal(some_totals[:, columns], totals[:, columns])
            assert_array_equal(some_currents[:, columns], currents[:, columns])
            untouched = np.delete(np.arange(4 * WIDTH), columns)
            assert_array_equal(some_totals[:, untouched], np.tile(untouched, (3, 1)))
            assert np.isinf(some_currents[:, untouched]).all()

    @pytest.mark.parametrize("n_pulses", [3, 4])
    def test_a_batch_may_be_cut(self, n_pulses):
        n = 700 if COMPILED else 350
        case = noisy_case(17, n=n, n_pulses=n_pulses, n_rows=5)
        totals, currents, clipped = run(case)
        starts = [0, 1, 30, n]
        parts = []
        for start, stop in pairwise(starts):
            some = noisy_case(17, n=n, n_pulses=n_pulses, n_rows=5, first_vector=start)
            some.pulses = some.pulses[:, start:stop]
            parts.append(run(some))
        assert_array_equal(np.concatenate([part[0] for part in parts]), totals)
        assert_array_equal(np.concatenate([part[1] for part in parts]), currents)
        assert sum(part[2] for part in parts) == clipped
