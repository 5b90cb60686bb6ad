"""From pulses to integers: against the oracle code by code, and the noise, number by number and as a law."""

import os
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import convert as reference
from reference.kernels import ORACLES
from scipy import stats

from rramsim.kernels import _hashed
from rramsim.kernels.convert import GROUP, WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses

KEY = np.array([0x12345678, 0x9ABCDEF0, 3, 0xFFFFFFFF], dtype=np.uint32)
NOTHING = np.empty(0, np.float32)
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


def packed(levels):
    patterns = np.empty((levels.shape[0] * levels.shape[1], -(-levels.shape[2] // GROUP)), np.uint8)
    pack_pulses(levels, patterns)
    return patterns


def case(seed, n=3, n_pulses=4, n_rows=7, n_blocks=1, low=-20, high=19, **changes):
    """Arguments of :func:`bit_serial` by name; currents of some steps, a few of them beyond low .. high."""
    rng, n_columns = np.random.default_rng(seed), n_blocks * WIDTH
    made = SimpleNamespace(
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
    vars(made).update(changes)
    return made


def noisy(seed, n_rows=7, n_blocks=1, **changes):
    rng, n_columns = np.random.default_rng(seed + 1), n_blocks * WIDTH
    noise = {
        "variance": rng.integers(0, 65535 // max(n_rows, 1), (n_rows, n_columns)).astype(np.uint16),
        "variance_scale": rng.uniform(1e-5, 1e-4, n_columns).astype(np.float32),
        "variance_base": rng.uniform(0, 0.1, n_columns).astype(np.float32),
    }
    return case(seed, n_rows=n_rows, n_blocks=n_blocks, **noise | changes)


def run(made, kernel=bit_serial, blocks=None, kind=np.float32):
    """(totals, seen, clipped)."""
    n_pulses, n, _ = made.pulses.shape
    first, last = blocks or (0, made.t.shape[1] // WIDTH)
    out = np.tile(np.arange(made.t.shape[1], dtype=float), (n, 1))
    seen = np.full((n * n_pulses, made.t.shape[1]), np.inf, kind)
    arguments = {name: value for name, value in vars(made).items() if name != "pulses"}
    clipped = kernel(packed(made.pulses), *arguments.values(), first, last, out, seen)
    return out, seen, clipped


def far_from_ties(made, seen):
    """(n, n_columns) where no current of a vector is within 5e-3 steps of a transition, nor 1e-3 where it is quiet."""
    n_pulses, n, _ = made.pulses.shape
    distance = np.abs(seen - np.floor(seen) - 0.5)
    for converter, own in enumerate(made.levels):
        columns = made.converter == converter
        distance[:, columns] = np.abs(seen[:, columns, None] - own).min(-1).clip(max=distance[:, columns])
    return distance.reshape(n, n_pulses, -1).min(1) > (5e-3 if made.variance_scale.size else 1e-3)


def assert_as_the_oracle(made):
    out, seen, clipped = run(made)
    expected, expected_seen, expected_clipped = run(made, ORACLES[bit_serial], kind=np.float64)
    assert_allclose(seen, expected_seen, rtol=0, atol=5e-3 if made.variance_scale.size else 2e-5)
    far = far_from_ties(made, expected_seen)
    assert far.mean() > 0.8
    assert_array_equal(out[far], expected[far])
    assert abs(clipped - expected_clipped) <= (~far).sum() * len(made.weights)
    if far.all():
        assert clipped == expected_clipped
    # What was seen decides all.
    again = np.tile(np.arange(out.shape[1], dtype=float), (len(out), 1))
    steps = (made.weights, made.low, made.high, made.levels, made.codes, made.converter, made.limit, again)
    assert convert_currents(seen, *steps) == clipped
    assert_array_equal(again, out)
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
        assert assert_as_the_oracle(case(n_rows, n_rows=n_rows, n_pulses=n_pulses)) > 0

    def test_no_rows(self):
        assert_as_the_oracle(case(1, n_rows=0))

    def test_several_blocks(self):
        assert_as_the_oracle(case(2, n_rows=9, n_blocks=3))

    def test_many_vectors(self):
        """More than are kept between two tables."""
        made = case(3, n=1100 if COMPILED else 260, n_pulses=1 if COMPILED else 5, n_rows=5)
        out, seen, _ = run(made)
        driven = made.pulses.swapaxes(0, 1).reshape(len(seen), -1)
        assert_allclose(seen, driven @ made.t + made.base, atol=2e-5)
        codes = np.clip(np.rint(seen), made.low, made.high).reshape(*made.pulses.shape[1::-1], -1)
        assert_array_equal(out, np.arange(WIDTH) + np.tensordot(made.weights, codes, (0, 1)))

    def test_weights_of_either_sign(self):
        assert_as_the_oracle(case(4, weights=np.array([3, -7, 1, -128], np.int32)))

    @given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 70), n_pulses=st.integers(1, 5))
    def test_whole_numbers_are_exact(self, seed, n_rows, n_pulses):
        """Currents that are whole numbers within the range: the product of integers."""
        rng = np.random.default_rng(seed)
        t = rng.integers(-3, 4, (n_rows, WIDTH)).astype(np.float32)
        weights = rng.integers(-9, 10, n_pulses).astype(np.int32)
        made = case(
            seed, n=2, n_rows=n_rows, n_pulses=n_pulses, t=t, base=0 * t[0], weights=weights, low=-210, high=210
        )
        out, _, clipped = run(made)
        assert clipped == 0
        codes = np.tensordot(weights, made.pulses.astype(int), 1)
        assert_array_equal(out - np.arange(WIDTH), codes @ t.astype(int))

    def test_nobody_looks(self):
        made = case(5)
        out, _, clipped = run(made)
        other = np.tile(np.arange(WIDTH, dtype=float), (3, 1))
        arguments = [value for name, value in vars(made).items() if name != "pulses"]
        assert bit_serial(packed(made.pulses), *arguments, 0, 1, other, np.empty((0, 0), np.float32)) == clipped
        assert_array_equal(other, out)


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
        made = case(6, n=6, weights=np.array([1, 2, 4, -8], np.int32), limit=limit)
        assert_as_the_oracle(made)
        total = run(made)[0] - np.arange(WIDTH)
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
        own = np.tile(np.arange(-20, 20), (3, 1)) if codes == "rising" else rng.integers(-50, 50, (3, 40))
        changes = {"converter": rng.integers(0, 3, 2 * WIDTH).astype(np.int32), "limit": limit}
        made = case(8, n=4, n_blocks=2, levels=levels, codes=own.astype(np.int32), **changes)
        assert assert_as_the_oracle(made) > 0

    def test_tables_that_lie_elsewhere(self):
        """Fewer transitions than codes of the range, and all far from the staircase."""
        levels = np.array([[-3.25, 11.0, 12.5]], np.float32)
        codes = np.array([[5, -7, 0, 2]], np.int32)
        made = case(9, levels=levels, codes=codes, converter=np.zeros(WIDTH, np.int32))
        assert_as_the_oracle(made)

    def test_a_current_on_a_transition_is_above_it(self):
        levels, codes = np.array([[-0.5, 0.5]], np.float32), np.array([[-1, 0, 1]], np.int32)
        sums = np.array([[-0.5, 0.5, 0.25]], np.float32)
        out = np.zeros((1, 3))
        convert_currents(sums, np.ones(1, np.int32), -1, 1, levels, codes, np.zeros(3, np.int32), 0, out)
        assert_array_equal(out, [[0, 1, 0]])

    def test_a_table_of_the_staircase_changes_nothing(self):
        made = case(10)
        levels = np.arange(-20, 19, dtype=np.float32)[None] + np.float32(0.5)
        table = {"levels": levels, "codes": np.arange(-20, 20, dtype=np.int32)[None]}
        other = case(10, **table, converter=np.zeros(WIDTH, np.int32))
        for one, two in zip(run(made), run(other), strict=True):
            assert_array_equal(one, two)


class TestNoise:
    @pytest.mark.parametrize("n_pulses", [1, 2, 3, 8])
    def test_numbers_against_the_oracle(self, n_pulses):
        """Squared radii to 2e-4 and angles to 2e-4; small radii, of which few are drawn, less."""
        out, expected = np.empty((4 * n_pulses, 2 * WIDTH), np.float32), np.empty((4 * n_pulses, 2 * WIDTH))
        for kernel, numbers in ((hashed_normals, out), (ORACLES[hashed_normals], expected)):
            kernel(KEY, n_pulses, 2**32 - 2 if n_pulses == 8 else 7, numbers)
        assert_allclose(out, expected, atol=5e-3, rtol=0)
        assert np.abs(out - expected).mean() < 1e-4
        pairs = [made.astype(float).reshape(4, n_pulses, -1)[:, : n_pulses // 2 * 2] for made in (out, expected)]
        cosine, sine = (made[:, ::2] + 1j * made[:, 1::2] for made in pairs)
        assert_allclose(np.abs(cosine) ** 2, np.abs(sine) ** 2, atol=2e-4, rtol=2e-4)
        assert_allclose(np.angle(cosine / sine), 0, atol=2e-4)

    def test_twice_the_same(self):
        one, two = np.empty((8, WIDTH), np.float32), np.zeros((8, WIDTH), np.float32)
        for out in (one, two):
            hashed_normals(KEY, 4, 0, out)
        assert_array_equal(one, two)

    @pytest.mark.parametrize("n_pulses", [1, 3, 4])
    def test_currents_get_root_variance_times_number(self, n_pulses):
        made = noisy(11, n=5, n_pulses=n_pulses, n_rows=37, n_blocks=2, first_vector=3)
        quiet = case(11, n=5, n_pulses=n_pulses, n_rows=37, n_blocks=2)
        seen, still = run(made)[1], run(quiet)[1]
        normal = np.empty_like(seen)
        hashed_normals(made.key, n_pulses, 3, normal)
        driven = made.pulses.swapaxes(0, 1).reshape(len(seen), -1)
        units = driven.astype(int) @ made.variance.astype(int)
        deviation = np.sqrt(units * made.variance_scale.astype(float) + made.variance_base)
        assert deviation.max() > 0.8
        assert_allclose(seen, still + deviation * normal, atol=1e-5)

    @pytest.mark.parametrize("n_pulses", [1, 3, 8])
    def test_against_the_oracle(self, n_pulses):
        assert_as_the_oracle(noisy(12, n=5, n_pulses=n_pulses, n_rows=10, n_blocks=2, first_vector=9))

    def test_largest_variance(self):
        """Sums up to the last unit of 16 bits."""
        variance = np.full((3, WIDTH), 21845, np.uint16)
        made = noisy(13, n_rows=3, variance=variance, pulses=np.ones((1, 2, 3), np.int16))
        made.weights = made.weights[:1]
        assert_as_the_oracle(made)

    def test_noise_of_the_converter_alone(self):
        made = noisy(14, variance=np.empty((0, 0), np.uint16))
        assert_as_the_oracle(made)
        other = noisy(14, variance=np.zeros((7, WIDTH), np.uint16))
        assert_array_equal(run(made)[1], run(other)[1])

    def test_no_variance_no_noise(self):
        zero = np.zeros(WIDTH, np.float32)
        made = noisy(15, variance=np.zeros((7, WIDTH), np.uint16), variance_base=zero)
        for one, two in zip(run(made), run(case(15)), strict=True):
            assert_array_equal(one, two)

    def test_blocks_may_be_done_apart(self):
        made = noisy(16, n_blocks=4, n_rows=9)
        out, seen, clipped = run(made)
        apart = [run(made, blocks=each) for each in ((0, 1), (1, 3), (3, 4))]
        assert sum(each[2] for each in apart) == clipped
        for (one, look, _), blocks in zip(apart, ((0, 1), (1, 3), (3, 4)), strict=True):
            columns = slice(*(WIDTH * block for block in blocks))
            assert_array_equal(one[:, columns], out[:, columns])
            assert_array_equal(look[:, columns], seen[:, columns])
            untouched = np.delete(np.arange(4 * WIDTH), columns)
            assert_array_equal(one[:, untouched], np.tile(untouched, (3, 1)))
            assert np.isinf(look[:, untouched]).all()

    @pytest.mark.parametrize("n_pulses", [3, 4])
    def test_a_batch_may_be_cut(self, n_pulses):
        n = 700 if COMPILED else 350
        made = noisy(17, n=n, n_pulses=n_pulses, n_rows=5)
        whole = run(made)
        starts = [0, 1, 30, n]
        parts = []
        for start, stop in pairwise(starts):
            made = noisy(17, n=n, n_pulses=n_pulses, n_rows=5, first_vector=start)
            made.pulses = made.pulses[:, start:stop]
            parts.append(run(made))
        assert_array_equal(np.concatenate([each[0] for each in parts]), whole[0])
        assert_array_equal(np.concatenate([each[1] for each in parts]), whole[1])
        assert sum(each[2] for each in parts) == whole[2]

    @pytest.mark.slow
    def test_without_the_compiler(self, compiled_and_plain):
        """The numbers of the Python bodies, which round more often."""
        code = (
            "import numpy as np; from rramsim.kernels.convert import hashed_normals;"
            "out = np.empty((30, 64), np.float32); hashed_normals(np.arange(4, dtype=np.uint32), 5, 9, out);"
            "print(out.tobytes().hex())"
        )
        one, two = (np.frombuffer(bytes.fromhex(out), np.float32) for out in compiled_and_plain(code))
        assert_allclose(one, two, atol=2e-5)


def chebyshev(low, high, n=2000):
    nodes = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return low + (high - low) * (nodes + 1) / 2


class TestLaw:
    """The transformation of bits, for all bits there are."""

    @pytest.mark.parametrize(
        ("name", "function", "powers", "ends", "bound"),
        [
            ("_LN", lambda t: 2 * (t - 1) * np.log(2) - 2 * np.log(t), range(5), (1, 2), 1.4e-4),
            ("_SIN", np.sin, (1, 3, 5), (-np.pi / 2, np.pi / 2), 7e-5),
            ("_COS", np.cos, (0, 2, 4, 6), (-np.pi / 2, np.pi / 2), 7e-6),
        ],
    )
    def test_polynomials(self, name, function, powers, ends, bound):
        """Least squares at the Chebyshev nodes, and the errors that are stated."""
        coefficients, nodes = getattr(_hashed, name), chebyshev(*ends)
        fitted, *_ = np.linalg.lstsq(np.stack([nodes**k for k in powers], 1), function(nodes), rcond=None)
        assert_allclose(coefficients, fitted, rtol=1e-6)
        x = np.linspace(*ends, 100_001)
        error = np.abs(sum(c * x**k for c, k in zip(coefficients, powers, strict=True)) - function(x)).max()
        assert 0.9 * bound < error < bound

    def test_moments(self):
        """Of all 2^32 numbers, to 2e-5 of what a normal number has, the sixth to 1e-4; no square is negative."""
        whole = np.arange(1, 2**21, 2).astype(np.float32)
        mantissa, _ = np.frexp(whole.astype(float))
        bits = whole.view(np.int32) - _hashed._TOP
        square = bits * _hashed._OCTAVE + np.polynomial.polynomial.polyval(2 * mantissa, _hashed._LN)
        assert square.min() > 5e-5
        assert_allclose(square, -2 * np.log(whole.astype(float) / 2**21), atol=1.4e-4)
        angle = _hashed._FIRST + np.arange(2048) * _hashed._STEP
        cosine = np.polynomial.polynomial.polyval(angle**2, _hashed._COS)
        sine = angle * np.polynomial.polynomial.polyval(angle**2, _hashed._SIN)
        for power, normal, error in ((2, 1, 2e-5), (4, 3, 2e-5), (6, 15, 1e-4)):
            radius = np.mean(square ** (power // 2))
            assert_allclose([radius * np.mean(side**power) for side in (cosine, sine)], normal, rtol=error)
        # The cosine has a sign of its own; the sine as many angles on either side.
        assert abs(np.mean(sine)) < 1e-12
        assert abs(np.mean(sine**3)) < 1e-12


N_VECTORS, N_PULSES, N_COLUMNS = 2048, 8, 64


@pytest.fixture(scope="module")
def many():
    """(vectors, pulses, columns): a million numbers."""
    out = np.empty((N_VECTORS * N_PULSES, N_COLUMNS), np.float32)
    hashed_normals(np.array([5, 6, 7, 8], np.uint32), N_PULSES, 0, out)
    return out.reshape(N_VECTORS, N_PULSES, N_COLUMNS).astype(float)


def largest_correlation(x):
    """Of any two columns, in units that make it a normal number."""
    r = np.corrcoef(x.T)
    return np.abs(r[np.triu_indices(len(r), 1)]).max() * np.sqrt(len(x)), len(r) * (len(r) - 1) // 2


class TestStatistics:
    """Each test fails falsely with the probability 1e-4, or what it states."""

    def test_distribution(self, many):
        """|z| < 4.5 for the first four moments, 7e-6 each."""
        values = many.ravel()
        assert stats.kstest(values, "norm").pvalue > 1e-4
        for power, mean, deviation in [(1, 0, 1), (2, 1, np.sqrt(2)), (3, 0, np.sqrt(15)), (4, 3, np.sqrt(96))]:
            assert abs(np.mean(values**power) - mean) < 4.5 * deviation / np.sqrt(values.size)

    @pytest.mark.parametrize("limit", [2.0, 3.0, 4.0])
    def test_tails(self, many, limit):
        """Numbers beyond: Poisson, |z| < 4.5."""
        expected = 2 * stats.norm.sf(limit) * many.size
        assert abs((np.abs(many) > limit).sum() - expected) < 4.5 * np.sqrt(expected)

    @pytest.mark.parametrize("power", [1, 2])
    @pytest.mark.parametrize("between", ["columns", "pulses", "vectors", "pulses and columns"])
    def test_correlation(self, many, between, power):
        """Of any two columns, pulses (two of which share a radius and an angle), neighbouring vectors."""
        x = {
            "columns": many.reshape(-1, N_COLUMNS),
            "pulses": many.swapaxes(1, 2).reshape(-1, N_PULSES),
            "vectors": many.reshape(-1, 64, N_PULSES * N_COLUMNS).swapaxes(1, 2).reshape(-1, 64),
            "pulses and columns": many.reshape(N_VECTORS, -1)[:, ::3],
        }[between]
        found, pairs = largest_correlation(x**power)
        # Squares have longer tails than normal numbers.
        assert found < stats.norm.isf(0.5e-4 / pairs) * (1 if power == 1 else 1.1)

    def test_correlation_along_vectors(self, many):
        """A spectrum of the numbers of each column, pulse by pulse: no line stands out."""
        power = np.abs(np.fft.rfft(many.reshape(-1, N_COLUMNS), axis=0)[1:-1]) ** 2 / (N_VECTORS * N_PULSES)
        assert power.max() < -np.log(1e-4 / power.size)
        assert abs(power.mean() - 1) < 4.5 / np.sqrt(power.size)

    def test_sums_of_many(self, many):
        """Sums over columns, over pulses, and over vectors are as wide as independent numbers make them."""
        for axis in range(3):
            sums = many.sum(axis).ravel() / np.sqrt(many.shape[axis])
            assert abs(np.mean(sums**2) - 1) < 4.5 * np.sqrt(2 / sums.size)

    def test_every_bit_of_the_keys_matters(self):
        """Keys that differ in one bit: numbers without correlation; all 8256 pairs of 129 keys."""
        n = 2048 if COMPILED else 512
        numbers = np.empty((129, n * 2, WIDTH), np.float32)
        for bit, out in enumerate(numbers):
            key = KEY.copy()
            if bit:
                key[(bit - 1) // 32] ^= np.uint32(1 << (bit - 1) % 32)
            hashed_normals(key, n, 0, out)
        found, pairs = largest_correlation(numbers.reshape(129, -1).T.astype(float))
        assert found < stats.norm.isf(0.5e-4 / pairs)


class TestHash:
    """The words, of the oracle that the kernel agrees with."""

    def test_bits_are_balanced(self):
        """Of the words of one vector, one after another; |z| < 5 for each of 32 bits and each of 496 pairs."""
        for vector in (0, 1, 77):
            h = reference.words(KEY, vector, np.arange(1 << 16))
            bits = (h[:, None] >> np.arange(32, dtype=np.uint64) & np.uint64(1)).astype(float) * 2 - 1
            together = bits.T @ bits / np.sqrt(len(bits))
            assert np.abs(together[np.triu_indices(32, 1)]).max() < 5
            assert np.abs(bits.sum(0)).max() / np.sqrt(len(bits)) < 5

    def test_bytes_are_even(self):
        """Chi-square of each byte, 1e-4 each."""
        h = reference.words(KEY, 3, np.arange(1 << 16))
        for shift in range(0, 32, 8):
            counts = np.bincount((h >> np.uint64(shift) & np.uint64(0xFF)).astype(int), minlength=256)
            assert stats.chisquare(counts).pvalue > 1e-4

    def test_no_word_twice(self):
        """For one vector the hash is a permutation."""
        assert len(np.unique(reference.words(KEY, 3, np.arange(1 << 18)))) == 1 << 18

    @pytest.mark.parametrize("what", ["number", "vector", 0, 1, 2, 3])
    def test_avalanche(self, what):
        """One bit of what goes in changes each bit that comes out half of the time: |z| < 5.5 of each of 32 x 32."""
        n, rng = 1 << 14, np.random.default_rng(1)
        inputs = dict(zip([0, 1, 2, 3, "number", "vector"], rng.integers(0, 2**32, (6, n), np.uint64), strict=True))

        def hashed(inputs):
            keys = reference.vector_keys([inputs[k] for k in range(4)], inputs["vector"])
            return reference.mixed(inputs["number"], *keys)

        before = hashed(inputs)
        for bit in range(32):
            after = hashed(inputs | {what: inputs[what] ^ np.uint64(1 << bit)})
            flips = ((before ^ after)[:, None] >> np.arange(32, dtype=np.uint64) & np.uint64(1)).sum(0)
            assert np.abs(flips - n / 2).max() < 5.5 * np.sqrt(n) / 2
