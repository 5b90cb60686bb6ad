"""Word and bit lines as a resistive network, solved exactly."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.errors import ConvergenceError, SpecError
from rramsim.kernels.network import LANES, factor_ladders, solve_lanes, transfer_matrices
from rramsim.spec import NonNegative, Spec

__all__ = ["Network", "WireSpec", "transconductances"]

_TOLERANCE = 1e-12
_MAX_ITERATIONS = 5000


class WireSpec(Spec):
    """Resistances of the lines of an array and of the circuits at their ends, in ohm; zero is ideal and exact.

    Parameters
    ----------
    word_line_ohm
        One segment of a word line, from cell to cell.
    bit_line_ohm
        One segment of a bit line, from cell to cell.
    driver_ohm
        From the source of a word line to its first cell.
    sense_ohm
        From the last cell of a bit line to the virtual ground of its read circuit.
    """

    word_line_ohm: NonNegative = 0.0
    bit_line_ohm: NonNegative = 0.0
    driver_ohm: NonNegative = 0.0
    sense_ohm: NonNegative = 0.0

    @property
    def ideal(self) -> bool:
        """Whether no resistance is left, so that an array's transconductances are its conductances."""
        return not (self.word_line_ohm or self.bit_line_ohm or self.driver_ohm or self.sense_ohm)

    @property
    def transposed(self) -> "WireSpec":
        """The same array driven from its bit lines: word and bit lines, drivers and sense circuits swapped."""
        return WireSpec(
            word_line_ohm=self.bit_line_ohm,
            bit_line_ohm=self.word_line_ohm,
            driver_ohm=self.sense_ohm,
            sense_ohm=self.driver_ohm,
        )


def _checked_conductance(g: ArrayLike, what: str) -> NDArray[np.float64]:
    array = np.ascontiguousarray(g, dtype=np.float64)
    if array.ndim < 2 or 0 in array.shape:
        raise SpecError(f"{what}: an array of cells has at least one row and one column; got shape {array.shape}")
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise SpecError(
            f"{what}: conductances are finite and >= 0 siemens (0 is an open cell); got {array[place]} at index "
            f"{place}. A passive cell cannot have a negative or infinite conductance."
        )
    return array


def transconductances(g: ArrayLike, wires: WireSpec) -> NDArray[np.float64]:
    """Exact transconductance matrices of many arrays of one shape.

    Parameters
    ----------
    g
        (..., n_rows, n_columns) conductances, siemens.
    wires
        Resistances of the lines.

    Returns
    -------
    numpy.ndarray
        Same shape, siemens: ``i = v @ t`` for row voltages v and column currents i.

    Raises
    ------
    SpecError
        For negative or infinite conductances.
    ConvergenceError
        Where the iteration misses its tolerance (1e-12 in the energy norm).
    """
    cells = _checked_conductance(g, "transconductances")
    if wires.ideal:
        return cells
    n_rows, n_columns = cells.shape[-2:]
    if n_columns < n_rows:
        # Reciprocity: driving the columns and sensing the rows gives the transpose, in fewer solutions.
        mirrored = np.swapaxes(cells[..., ::-1, ::-1], -1, -2)
        return np.ascontiguousarray(np.swapaxes(transconductances(mirrored, wires.transposed), -1, -2)[..., ::-1, ::-1])
    flat = cells.reshape(-1, n_rows, n_columns)
    out = np.empty_like(flat)
    status = transfer_matrices(
        flat,
        wires.word_line_ohm,
        wires.driver_ohm,
        wires.bit_line_ohm,
        wires.sense_ohm,
        _TOLERANCE,
        _MAX_ITERATIONS,
        out,
    )
    if status < 0:
        raise _not_converged(flat[-1 - status], wires)
    return out.reshape(cells.shape)


def _not_converged(g: NDArray[np.float64], wires: WireSpec) -> ConvergenceError:
    coupling = g.mean() * (wires.word_line_ohm * g.shape[1] ** 2 + wires.bit_line_ohm * g.shape[0] ** 2)
    return ConvergenceError(
        f"the network of {g.shape[0]} x {g.shape[1]} cells missed the tolerance {_TOLERANCE:g} after {_MAX_ITERATIONS} "
        f"iterations; its coupling (mean conductance times line resistance) is {coupling:.3g}, and above 50 the lines "
        "carry hardly any voltage to the far cells. Check the unit of the conductances (siemens) and of the wires "
        "(ohm)."
    )


class Network:
    """A crossbar with resistive lines: row i is a word line and an input, column j a bit line and an output.

    A source drives each word line at column 0 through ``driver_ohm``; each bit line ends below the last row in a
    virtual ground behind ``sense_ohm``; the far ends are open.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances, siemens; 0 is an open cell.
    wires
        Resistances of the lines; none by default.

    Raises
    ------
    SpecError
        For negative, infinite or missing conductances.
    """

    def __init__(self, g: ArrayLike, wires: WireSpec | None = None) -> None:
        self.g = _checked_conductance(g, "Network")
        if self.g.ndim != 2:
            raise SpecError(f"Network: one array has the shape (n_rows, n_columns); got {self.g.shape}")
        self.wires = wires or WireSpec()

    @cached_property
    def _transconductance(self) -> NDArray[np.float64]:
        return transconductances(self.g, self.wires)

    def transconductance(self) -> NDArray[np.float64]:
        """The matrix t (n_rows, n_columns), siemens, with ``i == v @ t`` exactly."""
        return self._transconductance.copy()

    def currents(self, v: ArrayLike) -> NDArray[np.float64]:
        """Column currents, ampere, (..., n_columns) for row voltages v, volt, (..., n_rows)."""
        drive = self._checked_voltage(v)
        n_vectors = drive.size // self.g.shape[0]
        if n_vectors < min(self.g.shape) and not self.wires.ideal:
            word, bit = self.node_voltages(drive)
            return np.asarray(((word - bit) * self.g).sum(axis=-2))
        return np.asarray(drive @ self._transconductance)

    def node_voltages(self, v: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Voltages, volt, on both sides of every cell: word-line and bit-line nodes, (..., n_rows, n_columns) each."""
        drive = self._checked_voltage(v)
        n_rows, n_columns = self.g.shape
        flat = drive.reshape(-1, n_rows)
        word = np.empty((len(flat), n_rows, n_columns))
        bit = np.empty_like(word)
        ohm = (self.wires.word_line_ohm, self.wires.driver_ohm, self.wires.bit_line_ohm, self.wires.sense_ohm)
        lanes_shape = (n_rows, LANES * n_columns)
        cells, word_factor, bit_factor = np.empty(lanes_shape), np.empty_like(self.g), np.empty(lanes_shape)
        factor_ladders(self.g, *ohm, cells, word_factor, bit_factor)
        work, a, b = np.empty((4, *lanes_shape)), np.empty(lanes_shape), np.empty(lanes_shape)
        for first in range(0, len(flat), LANES):
            v_lanes = np.zeros((n_rows, LANES))
            count = min(LANES, len(flat) - first)
            v_lanes[:, :count] = flat[first : first + count].T
            status = solve_lanes(cells, word_factor, bit_factor, v_lanes, *ohm, _TOLERANCE, _MAX_ITERATIONS, work, a, b)
            if status < 0:
                raise _not_converged(self.g, self.wires)
            for out, nodes in ((word, a), (bit, b)):
                out[first : first + count] = np.moveaxis(nodes.reshape(n_rows, n_columns, LANES), -1, 0)[:count]
        shape = (*drive.shape[:-1], n_rows, n_columns)
        return word.reshape(shape), bit.reshape(shape)

    def _checked_voltage(self, v: ArrayLike) -> NDArray[np.float64]:
        drive = np.asarray(v, dtype=np.float64)
        if drive.ndim == 0 or drive.shape[-1] != self.g.shape[0]:
            raise SpecError(
                f"Network: one voltage for each of the {self.g.shape[0]} rows (the last axis); got shape {drive.shape}"
            )
        if not np.isfinite(drive).all():
            raise SpecError("Network: voltages are finite; got nan or infinity")
        return drive
