"""The transconductance matrix of an array: reduced when it is first asked for, or updated where few cells changed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.threads import thread_count

from .reduction import reduce_arrays
from .solution import Circuit, updated_transconductance

__all__ = ["LineMatrix", "changed_cells"]

_MOST_UPDATES = 12
"""Changed cells up to which the low-rank update is faster than a new reduction."""


@dataclass(frozen=True)
class LineMatrix:
    """Transconductances from input lines to output lines of linear cells, (n_input_lines, n_output_lines) siemens.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances of the cells as they were given, siemens.
    circuit
        The array as a circuit, all of its lines selected.
    ideal
        Whether no line has any resistance.
    origin
        The matrix of an array of which few cells differ, from which this one is updated; None: it is reduced.
    """

    g: FloatArray
    circuit: Circuit
    ideal: bool
    origin: "LineMatrix | None" = None

    @cached_property
    def double(self) -> FloatArray:
        """The matrix in double precision, in the order of the array."""
        if self.origin is None:
            return self.reduced(np.dtype(np.float64))
        lines = self.origin.circuit.lines
        updated = updated_transconductance(self.origin.circuit, lines.turned(self.origin.double), self.circuit.g)
        return np.ascontiguousarray(lines.turned(updated))

    def reduced(self, dtype: np.dtype[Any], circuit: Circuit | None = None) -> NDArray[Any]:
        """The matrix in this precision, or that of a circuit with other lines selected, by a reduction."""
        circuit = circuit or self.circuit
        if self.ideal:
            t = circuit.g.astype(dtype)
        else:
            t = reduce_arrays(circuit.g[None], circuit.lines, dtype, thread_count())[0]
        return np.ascontiguousarray(circuit.lines.turned(t))

    def changed(self, g: FloatArray, circuit: Circuit) -> "LineMatrix":
        """The matrix of these cells, and their circuit, instead: an update where few differ from the origin."""
        origin = self.origin or self
        few = (origin.g != g).sum() <= _MOST_UPDATES
        return LineMatrix(g, circuit, self.ideal, origin if few else None)


def changed_cells(g: FloatArray, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> FloatArray:
    """A copy of the conductances (n_rows, n_columns) with other ones, siemens, in cells (k,) of these rows and columns.

    Raises
    ------
    SpecError
        For cells that are not in the array.
    """
    at = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(values, dtype=np.float64))
    row, column, value = (np.atleast_1d(x) for x in at)
    whole = row.dtype.kind in "iu" and column.dtype.kind in "iu"
    n_rows, n_columns = g.shape
    if not (whole and ((row >= 0) & (row < n_rows) & (column >= 0) & (column < n_columns)).all()):
        raise SpecError(f"Network.with_cells: cells have whole-numbered indices within {n_rows} x {n_columns}")
    cells = g.copy()
    cells[row, column] = value
    return cells
