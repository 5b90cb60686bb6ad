"""What numba does not write by itself: sums of chosen rows of tables in vector registers, and the bits of a number."""

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._jit import part

__all__ = ["GROUP", "PATTERNS", "WIDTH", "add_chosen", "bits_of", "float_of"]

WIDTH = 32
"""Columns that are worked on together: their sums stay in registers."""
GROUP = 4
"""Rows that share a table."""
PATTERNS = 1 << GROUP
"""Rows of a table: a sum for every choice of rows."""


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]

    def bits_of(number: np.float32) -> np.uint32:
        """The bits of a number in single precision."""
        return np.float32(number).view(np.uint32)

    def float_of(bits: np.uint32) -> np.float32:
        """The number in single precision that has these bits."""
        return np.uint32(bits).view(np.float32)

    def add_chosen(chosen: NDArray[np.uint8], tables: NDArray[np.generic], sums: NDArray[np.generic]) -> None:
        """Add the chosen row of every table to the sums: see below."""
        for vector in range(len(chosen)):
            for group in range(len(tables)):
                sums[vector] += tables[group, chosen[vector, group] // PATTERNS]

else:
    from llvmlite import ir
    from numba.core import cgutils

    @intrinsic
    def bits_of(typing, number):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """The bits of a number in single precision."""

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            return builder.bitcast(arguments[0], ir.IntType(32))

        return types.uint32(types.float32), generate

    @intrinsic
    def float_of(typing, bits):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """The number in single precision that has these bits."""

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            return builder.bitcast(arguments[0], ir.FloatType())

        return types.float32(types.uint32), generate

    @intrinsic
    def _add_to_one(typing, kind, chosen, tables, sums, n_groups):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """Add up one vector; ``chosen``, ``tables`` and ``sums`` are addresses, ``kind`` an array of their type.

        LLVM keeps the sums of WIDTH columns in vector registers over all groups; a loop in Python goes through memory.
        """
        is_float = kind.dtype == types.float32
        lane, size = (ir.FloatType(), 4) if is_float else (ir.IntType(16), 2)
        lanes = 32 // size
        register = ir.VectorType(lane, lanes)

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            _, chosen, tables, sums, n_groups = arguments
            word, byte = ir.IntType(64), ir.IntType(8)
            offsets = range(0, WIDTH * size, 32)

            def at(address: ir.Value, offset: int, kind: ir.Type) -> ir.Value:
                return builder.inttoptr(builder.add(address, word(offset)), kind.as_pointer())

            def times(value: ir.Value, factor: int) -> ir.Value:
                return builder.mul(value, word(factor))

            held = [cgutils.alloca_once(builder, register) for _ in offsets]  # type: ignore[no-untyped-call]
            for place, offset in zip(held, offsets, strict=True):
                builder.store(builder.load(at(sums, offset, register), align=size), place)
            with cgutils.for_range(builder, n_groups) as loop:
                table = builder.add(tables, times(loop.index, PATTERNS * WIDTH * size))
                pattern = builder.zext(builder.load(at(builder.add(chosen, loop.index), 0, byte)), word)
                # A choice is stored as PATTERNS times its number, so that the processor finds its row by itself.
                row = builder.add(table, times(pattern, WIDTH * size // PATTERNS))
                add = builder.fadd if is_float else builder.add
                for place, offset in zip(held, offsets, strict=True):
                    builder.store(add(builder.load(place), builder.load(at(row, offset, register), align=size)), place)
            for place, offset in zip(held, offsets, strict=True):
                builder.store(builder.load(place), at(sums, offset, register), align=size)
            return context.get_dummy_value()

        return types.void(kind, types.intp, types.intp, types.intp, types.intp), generate

    @part
    def add_chosen(chosen: NDArray[np.uint8], tables: NDArray[np.generic], sums: NDArray[np.generic]) -> None:
        """Add the chosen row of every table to the sums.

        Parameters
        ----------
        chosen
            (n, >= n_groups) PATTERNS times the number of a row, uint8; the last axis contiguous.
        tables
            (n_groups, PATTERNS, WIDTH) float32 or uint16, C-contiguous.
        sums
            (n, WIDTH), of the same type, C-contiguous.
        """
        for vector in range(chosen.shape[0]):
            _add_to_one(  # type: ignore[call-arg]
                tables,
                chosen.ctypes.data + vector * chosen.strides[0],
                tables.ctypes.data,
                sums.ctypes.data + vector * sums.strides[0],
                tables.shape[0],
            )
