"""What numba does not write by itself: sums over chosen rows of tables that stay in vector registers."""

import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._jit import COMPILED, part

__all__ = ["AT_A_TIME", "GROUP", "PATTERNS", "WIDTH", "add_chosen"]

WIDTH = 32
"""Columns that are worked on together: their sums stay in registers."""
GROUP = 4
"""Rows that share a table."""
PATTERNS = 1 << GROUP
"""Rows of a table: a sum for every choice of rows."""
AT_A_TIME = 8
"""Tables whose choices share a word of 64 bits."""


if not COMPILED:

    def _add_some(
        word: np.uint64,
        tables: NDArray[np.generic],
        first: int,
        before: NDArray[np.generic],
        source: int,
        sums: NDArray[np.generic],
        row: int,
    ) -> None:
        """Add the chosen rows of AT_A_TIME tables to a row of ``before``."""
        sums[row] = before[source]
        for group in range(AT_A_TIME):
            pattern = (int(word) >> 8 * group & 0xFF) // PATTERNS
            sums[row] += tables[first + group, pattern]

else:
    from llvmlite import ir

    @intrinsic
    def _add_some(typing, word, tables, first, before, source, sums, row):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """Add the chosen rows of AT_A_TIME tables to a row of ``before``.

        The WIDTH sums stay in vector registers all along; a loop in Python goes through memory.
        """
        kinds = (word, tables, first, before, source, sums, row)
        lane, size = (ir.FloatType(), 4) if tables.dtype == types.float32 else (ir.IntType(16), 2)
        lanes = 32 // size
        columns = range(0, WIDTH, lanes)

        def generate(context, b, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            word, _, first, _, source, _, row = arguments
            tables, before, sums = (context.make_array(kinds[k])(context, b, arguments[k]).data for k in (1, 3, 5))
            add, whole = b.fadd if size == 4 else b.add, word.type

            def at(array: ir.Value, place: ir.Value, column: int) -> ir.Value:
                address = b.gep(array, [b.add(place, whole(column))])
                return b.bitcast(address, ir.VectorType(lane, lanes).as_pointer())

            source, row = b.mul(source, whole(WIDTH)), b.mul(row, whole(WIDTH))
            held = [b.load(at(before, source, column), align=size) for column in columns]
            for group in range(AT_A_TIME):
                pattern = b.and_(b.lshr(word, whole(8 * group)), whole(0xFF))
                # A choice is PATTERNS times its number, so that the processor finds its row by itself.
                chosen = b.mul(pattern, whole(WIDTH // PATTERNS))
                place = b.add(b.mul(b.add(first, whole(group)), whole(PATTERNS * WIDTH)), chosen)
                rows = [b.load(at(tables, place, column), align=size) for column in columns]
                held = [add(total, value) for total, value in zip(held, rows, strict=True)]
            for total, column in zip(held, columns, strict=True):
                b.store(total, at(sums, row, column), align=size)
            return context.get_dummy_value()

        return types.void(*kinds), generate


@part
def add_chosen(
    chosen: NDArray[np.uint64],
    tables: NDArray[np.generic],
    before: NDArray[np.generic],
    sums: NDArray[np.generic],
) -> None:
    """Add the chosen row of every table.

    Parameters
    ----------
    chosen
        (n, >= n_groups / AT_A_TIME) uint64: byte k of word w is PATTERNS times the row of table AT_A_TIME w + k.
    tables
        (n_groups, PATTERNS, WIDTH) float32 or uint16, C-contiguous; n_groups a multiple of AT_A_TIME, and not 0.
    before
        (n, WIDTH), or (1, WIDTH) for all, of the same type, C-contiguous: what they are added to.
    sums
        Out: (n, WIDTH), of the same type, C-contiguous; may be ``before``.
    """
    for row in range(chosen.shape[0]):
        _add_some(chosen[row, 0], tables, 0, before, row if before.shape[0] > 1 else 0, sums, row)
        for k in range(1, tables.shape[0] // AT_A_TIME):
            _add_some(chosen[row, k], tables, k * AT_A_TIME, sums, row, sums, row)
