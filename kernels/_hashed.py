"""Normal numbers found by their place: a hash and the transformation of Box and Muller, in vector registers."""

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._jit import COMPILED, part
from ._simd import WIDTH

__all__ = ["add_noise", "vector_keys"]

_SHIFTS, _FACTORS = (16, 15, 15), (0x21F0AAAD, 0xF35A2D97)
"""A hash of two rounds with hardly a bias: https://github.com/skeeto/hash-prospector/issues/12."""
_WORD = np.uint64(0xFFFFFFFF)

_LN = (2.0872252, -4.22766685, 2.91038966, -0.881005466, 0.110918626)
"""2 (t - 1) ln 2 - 2 ln t on 1 .. 2: least squares at the Chebyshev nodes, to 1.4e-4."""
_SIN = (0.999694884, -0.165670037, 0.00751339132)
"""sin a on -pi/2 .. pi/2 in odd powers, likewise, to 7e-5."""
_COS = (0.999993265, -0.499912113, 0.0414873809, -0.00127111038)
"""cos a likewise in even powers, to 7e-6."""

_TOP = 148 << 23
"""The bits of 2^21 in single precision."""
_OCTAVE = -2.0 * np.log(2.0) / 2.0**23
"""What a step of the bits of t 2^k changes -2 ln (t 2^k) by, but for what _LN adds."""
_STEP, _FIRST = np.pi / 2048, -np.pi / 2 + np.pi / 4096
"""Angles of half a turn."""
_ODD, _MANTISSA, _ONE, _ANGLE, _SIGN = 1, 0x007FFFFF, 0x3F800000, 0x7FF, 0x80000000
_TO_RADIUS, _TO_SIGN = 11, 20


@part
def _mixed(word: np.uint32, first: np.uint32, second: np.uint32) -> np.uint32:
    """One of 2^32 words by its number, shuffled by two keys."""
    h = (np.uint64(word) + np.uint64(first)) & _WORD
    h = ((h ^ (h >> np.uint64(_SHIFTS[0]))) * np.uint64(_FACTORS[0]) & _WORD) ^ np.uint64(second)
    h = (h ^ (h >> np.uint64(_SHIFTS[1]))) * np.uint64(_FACTORS[1]) & _WORD
    return np.uint32(h ^ (h >> np.uint64(_SHIFTS[2])))


@part
def vector_keys(key: NDArray[np.uint32], first_vector: int, keys: NDArray[np.uint32]) -> None:
    """Two keys for each vector, in which every bit of all four takes part."""
    for vector in range(keys.shape[0]):
        number = np.uint32((first_vector + vector) & 0xFFFFFFFF)
        keys[vector, 0] = _mixed(_mixed(number, key[0], key[1]), key[2], key[3])
        keys[vector, 1] = _mixed(_mixed(number, key[3], key[2]), key[1], key[0])


if not COMPILED:

    def _power_series(x: NDArray[np.float32], coefficients: tuple[float, ...]) -> NDArray[np.float32]:
        value = np.full_like(x, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            value = value * x + np.float32(coefficient)
        return value

    def _add_pair(
        keys: NDArray[np.uint32],
        vector: int,
        start: int,
        scale: NDArray[np.float32],
        variance: NDArray[np.uint16],
        sums: NDArray[np.float32],
        rows: tuple[int, int],
    ) -> None:
        """Add noise to two rows of sums, which share words and radii."""
        u32, f32 = np.uint32, np.float32
        h = np.arange(start, start + WIDTH, dtype=u32) + keys[vector, 0]
        h = (h ^ h >> u32(_SHIFTS[0])) * u32(_FACTORS[0]) ^ keys[vector, 1]
        h = (h ^ h >> u32(_SHIFTS[1])) * u32(_FACTORS[1])
        h = h ^ h >> u32(_SHIFTS[2])
        # An odd number of 21 bits for the radius, 11 bits for half a turn, and one for which half.
        bits = (h >> u32(_TO_RADIUS) | u32(_ODD)).astype(f32).view(u32)
        t = (bits & u32(_MANTISSA) | u32(_ONE)).view(f32)
        square = (bits.view(np.int32) - np.int32(_TOP)).astype(f32) * f32(_OCTAVE) + _power_series(t, _LN)
        a = (h & u32(_ANGLE)).astype(f32) * f32(_STEP) + f32(_FIRST)
        sine = a * _power_series(a * a, _SIN)
        cosine = (_power_series(a * a, _COS).view(u32) ^ (h << u32(_TO_SIGN) & u32(_SIGN))).view(f32)
        for row, direction in zip(rows, (cosine, sine), strict=True):
            sums[row] += np.sqrt((variance[row].astype(f32) * scale[0] + scale[1]) * square) * direction

else:
    from llvmlite import ir

    _LANES = 16
    """Columns in work at a time: enough to keep the processor busy, and few enough for its registers."""
    _FLOATS, _INTEGERS = (ir.VectorType(kind, _LANES) for kind in (ir.FloatType(), ir.IntType(32)))

    def _number(value: float) -> ir.Value:
        return _FLOATS([float(value)] * _LANES)

    def _integer(value: int) -> ir.Value:
        return _INTEGERS([value] * _LANES)

    def _vector(b: ir.IRBuilder, array: ir.Value, row: ir.Value, column: int) -> ir.Value:
        """Address of columns of a row."""
        place = b.add(b.mul(row, row.type(WIDTH)), row.type(column))
        return b.bitcast(b.gep(array, [place]), ir.VectorType(array.type.pointee, _LANES).as_pointer())

    def _splat(b: ir.IRBuilder, word: ir.Value) -> ir.Value:
        """A word in every lane."""
        first = b.insert_element(_INTEGERS(ir.Undefined), word, ir.IntType(32)(0))
        return b.shuffle_vector(first, first, _integer(0))

    def _fused(b: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        return b.fadd(b.fmul(x, y, flags=["contract"]), z, flags=["contract"])

    def _polynomial(b: ir.IRBuilder, x: ir.Value, coefficients: tuple[float, ...]) -> ir.Value:
        value = _number(coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            value = _fused(b, value, x, _number(coefficient))
        return value

    def _words(b: ir.IRBuilder, start: ir.Value, first: ir.Value, second: ir.Value, column: int) -> ir.Value:
        def fold(h: ir.Value, shift: int) -> ir.Value:
            return b.xor(h, b.lshr(h, _integer(shift)))

        number = b.add(_splat(b, b.trunc(start, ir.IntType(32))), _INTEGERS(list(range(column, column + _LANES))))
        h = b.add(number, _splat(b, first))
        h = b.xor(b.mul(fold(h, _SHIFTS[0]), _integer(_FACTORS[0])), _splat(b, second))
        h = b.mul(fold(h, _SHIFTS[1]), _integer(_FACTORS[1]))
        return fold(h, _SHIFTS[2])

    def _polar(b: ir.IRBuilder, h: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
        """Squared radius and direction."""
        # An odd number of 21 bits for the radius, 11 bits for half a turn, and one for which half.
        odd = b.or_(b.lshr(h, _integer(_TO_RADIUS)), _integer(_ODD))
        bits = b.bitcast(b.sitofp(odd, _FLOATS), _INTEGERS)
        t = b.bitcast(b.or_(b.and_(bits, _integer(_MANTISSA)), _integer(_ONE)), _FLOATS)
        octaves = b.sitofp(b.sub(bits, _integer(_TOP)), _FLOATS)
        square = _fused(b, octaves, _number(_OCTAVE), _polynomial(b, t, _LN))
        a = _fused(b, b.sitofp(b.and_(h, _integer(_ANGLE)), _FLOATS), _number(_STEP), _number(_FIRST))
        q = b.fmul(a, a)
        sine = b.fmul(a, _polynomial(b, q, _SIN))
        sign = b.and_(b.shl(h, _integer(_TO_SIGN)), _integer(_SIGN))
        cosine = b.bitcast(b.xor(b.bitcast(_polynomial(b, q, _COS), _INTEGERS), sign), _FLOATS)
        return square, cosine, sine

    @intrinsic
    def _add_pair(typing, keys, vector, start, scale, variance, sums, rows):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """Add noise to two rows of sums, which share words and radii.

        In vectors, side by side: in a loop in Python the processor waits for each result before it begins the next.
        """
        kinds = (keys, vector, start, scale, variance, sums, rows)

        def generate(context, b, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            name, kind = f"llvm.sqrt.v{_LANES}f32", ir.FunctionType(_FLOATS, [_FLOATS])
            root = cgutils.get_or_insert_function(b.module, kind, name)  # type: ignore[no-untyped-call]
            keys, scale, variance, sums = (
                context.make_array(kinds[k])(context, b, arguments[k]).data for k in (0, 3, 4, 5)
            )
            vector, start = arguments[1], arguments[2]
            rows = cgutils.unpack_tuple(b, arguments[6])  # type: ignore[no-untyped-call]
            word = vector.type
            key = [b.load(b.gep(keys, [b.add(b.mul(vector, word(2)), word(k))])) for k in range(2)]
            for column in range(0, WIDTH, _LANES):
                square, *directions = _polar(b, _words(b, start, key[0], key[1], column))
                unit, fixed = (b.load(_vector(b, scale, word(k), column), align=4) for k in range(2))
                for row, direction in zip(rows, directions, strict=True):
                    units = b.zext(b.load(_vector(b, variance, row, column), align=2), _INTEGERS)
                    now = _fused(b, b.sitofp(units, _FLOATS), unit, fixed)
                    deviation = b.call(root, [b.fmul(now, square)])
                    total = _vector(b, sums, row, column)
                    b.store(_fused(b, deviation, direction, b.load(total, align=4)), total, align=4)
            return context.get_dummy_value()

        return types.void(*kinds), generate


@part
def add_noise(
    keys: NDArray[np.uint32],
    start: int,
    scale: NDArray[np.float32],
    variance: NDArray[np.uint16],
    sums: NDArray[np.float32],
) -> None:
    """Add noise to the sums of vectors in WIDTH columns; two pulses of a vector share the words of the hash.

    Parameters
    ----------
    keys
        (n, 2) uint32, two for each vector.
    start
        Number of the first word.
    scale
        (2, WIDTH) float32: unit of the variances, and what is added to them.
    variance
        (n * n_pulses + 1, WIDTH) uint16, vector by vector and pulse by pulse; the last row stands for nothing.
    sums
        Likewise, float32, added to.
    """
    none = sums.shape[0] - 1
    n_pulses = none // max(keys.shape[0], 1)
    for vector in range(keys.shape[0]):
        for p in range(0, n_pulses, 2):
            row = vector * n_pulses + p
            rows = row, row + 1 if p + 1 < n_pulses else none
            _add_pair(keys, vector, start + p // 2 * WIDTH, scale, variance, sums, rows)
