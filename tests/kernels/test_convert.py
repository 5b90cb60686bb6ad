"""Pulses to codes: the compiled kernels against their slow twins, and the law of the noise that is hashed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES
from scipy import stats

from rramsim.kernels import convert
from rramsim.kernels.convert import WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses

QUIET = np.empty((0, 0), np.uint16), np.empty(0, np.float32), np.empty(0, np.float32)
NO_LEVELS = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32)
KEY = np.array([1, 20, 300, 4000], np.uint32)


class Tile:
    """A tile, pulses on its rows, and converters; integers where nothing is to be rounded."""

    def __init__(self, n=3, n_pulses=5, n_rows=9, blocks=2, seed=0, *, whole=True):
        rng = np.random.default_rng(seed)
        self.n, self.n_pulses, self.columns = n, n_pulses, blocks * WIDTH
        self.levels = rng.integers(0, 2, (n_pulses, n, n_rows)).astype(np.int16)
        self.patterns = np.empty((n * n_pulses, -(-n_rows // 4)), np.uint8)
        pack_pulses(self.levels, self.patterns)
        t = rng.normal(scale=6.0, size=(n_rows, self.columns))
        self.t = (np.rint(t) if whole else t).astype(np.float32)
        self.base = rng.integers(-3, 4, self.columns).astype(np.float32)
        self.variance = rng.integers(0, 6000, (n_rows, self.columns)).astype(np.uint16)
        self.unit = rng.uniform(1e-5, 1e-4, self.columns).astype(np.float32)
        self.fixed = rng.uniform(0, 0.1, self.columns).astype(np.float32)
        self.weights = (rng.choice([-1, 1], n_pulses) * 2 ** rng.integers(0, 5, n_pulses)).astype(np.int32)
        self.converter = rng.integers(0, 3, self.columns).astype(np.int32)
        # Three converters: early, late, and one whose codes fold.
        steps = np.sort(rng.uniform(-9, 9, (3, 17)), axis=1).astype(np.float32)
        folded = np.tile(np.arange(-8, 10, dtype=np.int32), (3, 1)).clip(-8, 7)
        folded[2, 6:9] = folded[2, 8:5:-1]
        self.tables = steps, folded

    def run(self, kernel, *, noisy=False, tables=False, limit=0, first=0, blocks=None, look=True):
        noise = (self.variance, self.unit, self.fixed) if noisy else QUIET
        levels = self.tables if tables else NO_LEVELS
        out = np.ones((self.n, self.columns))
        seen = np.full((self.n * self.n_pulses, self.columns) if look else (0, 0), np.nan, np.float32)
        blocks = blocks or (0, self.columns // WIDTH)
        steps = (-8, 7, *levels, self.converter, limit, first, *blocks)
        clipped = kernel(self.patterns, self.t, self.base, *noise, KEY, self.weights, *steps, out, seen)
        return out, seen, clipped


class TestPacking:
    @pytest.mark.parametrize("n_rows", [1, 3, 4, 5, 8, 11])
    def test_against_the_oracle(self, n_rows):
        levels = np.random.default_rng(n_rows).integers(0, 2, (3, 4, n_rows)).astype(np.int16)
        found, expected = np.full((2, 12, -(-n_rows // 4)), 255, np.uint8)
        pack_pulses(levels, found)
        ORACLES[pack_pulses](levels, expected)
        assert_array_equal(found, expected)


class TestBitSerial:
    @pytest.mark.parametrize("tables", [False, True])
    @pytest.mark.parametrize("limit", [0, 20])
    @pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 5, 9, 2), (2, 4, 8, 1), (5, 3, 2, 3), (2, 8, 30, 1)])
    def test_integers_are_exact(self, shape, limit, tables):
        tile = Tile(*shape, seed=sum(shape))
        found, expected = (tile.run(each, tables=tables, limit=limit) for each in (bit_serial, ORACLES[bit_serial]))
        for one, other in zip(found, expected, strict=True):
            assert_array_equal(one, other)

    def test_fractions_but_for_ties(self):
        tile = Tile(4, 6, 30, 2, whole=False)
        (found, seen, clipped), (expected, right, other) = (tile.run(e) for e in (bit_serial, ORACLES[bit_serial]))
        assert_allclose(seen, right, rtol=0, atol=2e-5)
        near_tie = np.abs(np.abs(right - np.rint(right)) - 0.5) < 1e-4
        sure = ~near_tie.reshape(4, 6, -1).any(axis=1)
        assert sure.mean() > 0.98
        assert_array_equal(found[sure], expected[sure])
        assert abs(clipped - other) <= near_tie.sum()

    def test_blocks_that_are_not_asked_for(self):
        tile = Tile(blocks=4)
        out, seen, _ = tile.run(bit_serial, blocks=(1, 3))
        whole, everything, _ = tile.run(bit_serial)
        inner, outer = np.r_[WIDTH : 3 * WIDTH], np.r_[0:WIDTH, 3 * WIDTH : 4 * WIDTH]
        assert_array_equal(out[:, inner], whole[:, inner])
        assert_array_equal(seen[:, inner], everything[:, inner])
        assert (out[:, outer] == 1).all()
        assert np.isnan(seen[:, outer]).all()

    @pytest.mark.parametrize("noisy", [False, True])
    def test_more_vectors_than_are_kept_at_once(self, noisy, monkeypatch):
        """The 1024 pulses that share a table are no edge of anything."""
        many = Tile(140, 8, 5, 1)
        assert many.n * many.n_pulses > convert._AT_ONCE
        (found, seen, clipped), (expected, right, other) = (
            many.run(each, noisy=noisy) for each in (bit_serial, ORACLES[bit_serial])
        )
        assert_allclose(seen, right, rtol=0, atol=1e-3 if noisy else 0)
        if not noisy:
            assert_array_equal(found, expected)
            assert clipped == other

    def test_looking_changes_nothing(self):
        tile = Tile(whole=False)
        assert_array_equal(tile.run(bit_serial, noisy=True)[0], tile.run(bit_serial, noisy=True, look=False)[0])

    def test_no_read_noise_but_that_of_the_converters(self):
        tile = Tile()
        tile.variance = tile.variance[:0]
        noise = tile.run(bit_serial, noisy=True)[1] - tile.run(bit_serial)[1]
        normal = np.empty(noise.shape, np.float32)
        hashed_normals(KEY, tile.n_pulses, 0, normal)
        assert_allclose(noise, np.sqrt(tile.fixed) * normal, rtol=0, atol=1e-5)

    @pytest.mark.parametrize("shape", [(3, 5, 9, 2), (2, 1, 4, 1), (2, 8, 17, 1)])
    def test_noise_is_the_square_root_of_the_variance_times_hashed_numbers(self, shape):
        tile = Tile(*shape)
        (_, quiet, _), (_, noisy, _) = tile.run(bit_serial), tile.run(bit_serial, noisy=True, first=7)
        normal = np.empty(quiet.shape, np.float32)
        hashed_normals(KEY, tile.n_pulses, 7, normal)
        driven = np.moveaxis(tile.levels, 0, 1).reshape(len(quiet), -1).astype(float)
        variance = driven @ tile.variance.astype(float) * tile.unit + tile.fixed
        assert_allclose(noisy - quiet, np.sqrt(variance) * normal, rtol=0, atol=3e-5)

    def test_a_batch_in_pieces(self):
        tile = Tile(6, 3, whole=False)
        whole = tile.run(bit_serial, noisy=True)[1]
        parts = []
        for start in (0, 2):
            some = Tile(6, 3, whole=False)
            some.n = 2 if start == 0 else 4
            some.patterns = tile.patterns[3 * start : 3 * (start + some.n)].copy()
            parts.append(some.run(bit_serial, noisy=True, first=start)[1])
        assert_array_equal(np.concatenate(parts), whole)


class TestConvertCurrents:
    @pytest.mark.parametrize("tables", [False, True])
    @pytest.mark.parametrize("limit", [0, 20])
    def test_the_same_as_of_driven_rows(self, tables, limit):
        tile = Tile(whole=False)
        expected, seen, clipped = tile.run(bit_serial, tables=tables, limit=limit)
        levels = tile.tables if tables else NO_LEVELS
        for each in (convert_currents, ORACLES[convert_currents]):
            out = np.ones_like(expected)
            assert each(seen, tile.weights, -8, 7, *levels, tile.converter, limit, out) == clipped
            assert_array_equal(out, expected)

    @given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=8), st.integers(0, 2))
    @settings(max_examples=60)
    def test_any_currents(self, currents, place):
        tile = Tile()
        sums = np.array(currents, np.float32)[:, None]
        for levels in (NO_LEVELS, tile.tables):
            found, expected = np.zeros((2, len(sums), 1))
            steps = (np.ones(1, np.int32), -8, 7, *levels, np.array([place], np.int32), 0)
            one, other = (
                f(sums, *steps, o) for f, o in ((convert_currents, found), (ORACLES[convert_currents], expected))
            )
            assert_array_equal(found, expected)
            assert one == other


@pytest.fixture(scope="module")
def many():
    """2^21 numbers of 8 pulses; in the plain kernels it would take an hour."""
    if not hasattr(hashed_normals, "py_func"):
        pytest.skip("too many numbers for the kernels without the compiler")
    out = np.empty((1 << 16, WIDTH), np.float32)
    hashed_normals(np.array([7, 8, 9, 10], np.uint32), 8, 0, out)
    return out.astype(np.float64)


class TestNumbers:
    @pytest.mark.parametrize("n_pulses", [1, 2, 5])
    def test_against_the_oracle(self, n_pulses):
        """To the polynomials, whose errors are below 1e-4."""
        found, expected = np.empty((2, 3 * n_pulses, 2 * WIDTH), np.float32)
        hashed_normals(KEY, n_pulses, 5, found)
        ORACLES[hashed_normals](KEY, n_pulses, 5, expected)
        assert_allclose(found, expected, rtol=2e-4, atol=3e-4)

    def test_polynomials(self):
        m, a = np.linspace(0, 1, 10001), np.linspace(-np.pi / 2, np.pi / 2, 10001)
        power = np.polynomial.polynomial.polyval
        assert np.abs(power(m, convert._LN) + 2 * np.log1p(m)).max() < 3.1e-6
        assert np.abs(a * power(a**2, convert._SIN) - np.sin(a)).max() < 1.1e-4
        assert np.abs(power(a**2, convert._COS) - np.cos(a)).max() < 8e-6

    def test_standard_normal(self, many):
        """Four moments and two tails within 4.5 standard errors (false alarm below 5e-5), and Kolmogorov's test."""
        x, n = many.ravel(), many.size
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
            assert abs((x**power).mean() - mean) < 4.5 * np.sqrt(variance / n)
        for limit in (3.0, 4.0):
            p = 2 * stats.norm.sf(limit)
            assert abs((np.abs(x) > limit).sum() - n * p) < 4.5 * np.sqrt(n * p)
        assert stats.kstest(x[: 1 << 19], "norm").pvalue > 1e-4

    def test_independent(self, many):
        """Columns, pulses and neighbours: |r| < 5 / sqrt(n), some 600 pairs, false alarm below 4e-4; squares too."""
        for values in (many, many**2):
            pulses = values.reshape(-1, 8, WIDTH)
            for table in (values, pulses[:, :, 0], pulses[:, :, 17]):
                r = np.corrcoef(table.T) - np.eye(table.shape[1])
                assert np.abs(r).max() < 5 / np.sqrt(len(table))
            assert abs(np.corrcoef(values[:-8].ravel(), values[8:].ravel())[0, 1]) < 5 / np.sqrt(values.size)

    def test_keys_that_differ_in_one_bit(self):
        """Correlations of 64 keys' numbers with those of the first: |r| < 5 / sqrt(n), false alarm below 4e-5."""
        if not hasattr(hashed_normals, "py_func"):
            pytest.skip("too many numbers for the kernels without the compiler")
        found = []
        for place in [None, *np.ndindex(4, 16)]:
            key = KEY.copy()
            if place:
                key[place[0]] ^= np.uint32(1 << 2 * place[1])
            out = np.empty((512, WIDTH), np.float32)
            hashed_normals(key, 4, 0, out)
            found.append(out.ravel().astype(float))
        r = np.corrcoef(found)[0, 1:]
        assert np.abs(r).max() < 5 / np.sqrt(512 * WIDTH)
