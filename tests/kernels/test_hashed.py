"""Normal numbers found by their place: against the oracle, the law of the transformation, statistics, the hash."""

import numpy as np
import pytest
from helpers.compiled import COMPILED
from helpers.normal_law import assert_moments_and_distribution, assert_tails
from numpy.testing import assert_allclose, assert_array_equal
from reference import convert as reference
from reference.kernels import ORACLES
from scipy import stats

from rramsim.kernels import _hashed
from rramsim.kernels.convert import WIDTH, hashed_normals

KEY = np.array([0x12345678, 0x9ABCDEF0, 3, 0xFFFFFFFF], dtype=np.uint32)


class TestNumbers:
    @pytest.mark.parametrize("n_pulses", [1, 2, 3, 8])
    def test_against_the_oracle(self, n_pulses):
        """Squared radii to 2e-4 and angles to 2e-4; small radii, of which few are drawn, less."""
        out, expected = np.empty((4 * n_pulses, 2 * WIDTH), np.float32), np.empty((4 * n_pulses, 2 * WIDTH))
        for kernel, numbers in ((hashed_normals, out), (ORACLES[hashed_normals], expected)):
            kernel(KEY, n_pulses, 2**32 - 2 if n_pulses == 8 else 7, numbers)
        assert_allclose(out, expected, atol=5e-3, rtol=0)
        assert np.abs(out - expected).mean() < 1e-4
        pairs = [numbers.astype(float).reshape(4, n_pulses, -1)[:, : n_pulses // 2 * 2] for numbers in (out, expected)]
        compiled, exact = (pair[:, ::2] + 1j * pair[:, 1::2] for pair in pairs)
        assert_allclose(np.abs(compiled) ** 2, np.abs(exact) ** 2, atol=2e-4, rtol=2e-4)
        assert_allclose(np.angle(compiled / exact), 0, atol=2e-4)

    def test_numbers_repeat(self):
        first, second = np.empty((8, WIDTH), np.float32), np.zeros((8, WIDTH), np.float32)
        for out in (first, second):
            hashed_normals(KEY, 4, 0, out)
        assert_array_equal(first, second)

    @pytest.mark.slow
    def test_without_the_compiler(self, compiled_and_plain):
        """The numbers of the Python bodies, which round more often."""
        code = (
            "import numpy as np; from rramsim.kernels.convert import hashed_normals;"
            "out = np.empty((30, 64), np.float32); hashed_normals(np.arange(4, dtype=np.uint32), 5, 9, out);"
            "print(out.tobytes().hex())"
        )
        compiled, plain = (np.frombuffer(bytes.fromhex(out), np.float32) for out in compiled_and_plain(code))
        assert_allclose(compiled, plain, atol=2e-5)


def chebyshev(low, high, n=2000):
    nodes = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return low + (high - low) * (nodes + 1) / 2


class TestLaw:
    """The transformation of bits, for all bits there are.

    Its constants are private to the kernels: no public function shows their errors apart from those of rounding.
    """

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
        """Moments of all 2^32 numbers: those of a normal number to 2e-5, the sixth to 1e-4; no square is negative."""
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
    """Largest correlation of any two columns, in units that make it a normal number; and how many pairs there are."""
    r = np.corrcoef(x.T)
    return np.abs(r[np.triu_indices(len(r), 1)]).max() * np.sqrt(len(x)), len(r) * (len(r) - 1) // 2


class TestStatistics:
    """Each test fails falsely with the probability 1e-4, or what it states."""

    def test_distribution(self, many):
        assert_moments_and_distribution(many)

    @pytest.mark.parametrize("limit", [2.0, 3.0, 4.0])
    def test_tails(self, many, limit):
        assert_tails(many, limit)

    @pytest.mark.parametrize("power", [1, 2])
    @pytest.mark.parametrize("between", ["columns", "pulses", "vectors", "pulses and columns"])
    def test_correlation(self, many, between, power):
        """Correlation of any two columns, pulses (two of which share a radius and an angle), neighbouring vectors."""
        x = {
            "columns": many.reshape(-1, N_COLUMNS),
            "pulses": many.swapaxes(1, 2).reshape(-1, N_PULSES),
            "vectors": many.reshape(-1, 64, N_PULSES * N_COLUMNS).swapaxes(1, 2).reshape(-1, 64),
            "pulses and columns": many.reshape(N_VECTORS, -1)[:, ::3],
        }[between]
        largest, pairs = largest_correlation(x**power)
        # Squares have longer tails than normal numbers.
        assert largest < stats.norm.isf(0.5e-4 / pairs) * (1 if power == 1 else 1.1)

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
        largest, pairs = largest_correlation(numbers.reshape(129, -1).T.astype(float))
        assert largest < stats.norm.isf(0.5e-4 / pairs)


class TestHash:
    """The words, of the oracle that the kernel agrees with."""

    def test_bits_are_balanced(self):
        """Bits of the words of one vector, one after another; |z| < 5 for each of 32 bits and each of 496 pairs."""
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
