"""The methods that rramsim is compared with, each as fast as it goes here, and a reference better than all of them.

One circuit for all: word lines are rows, driven at column 0; bit lines are columns, sensed below the last row; one
segment lies between two cells, between a driver and the first cell and between the last cell and the virtual ground.
``ohm`` is the resistance of every segment, ``g`` has the conductances (n_rows, n_columns) and v (..., n_rows) volts.
"""

import logging
from collections.abc import Callable

import numba
import numpy as np
import scipy.sparse
from scipy.sparse.linalg import SuperLU, splu

__all__ = [
    "Circuit",
    "badcrossbar_currents",
    "best_factor",
    "fixed_point",
    "fixed_point_numpy",
    "linear",
    "plain_splu",
    "reference",
    "sinh",
]

Array = np.ndarray
Law = Callable[[Array, Array], tuple[Array, Array]]
"""Current and slope of cells of conductance g at the voltage v."""

_SIDE_BY_SIDE = 16
"""Right-hand sides that SuperLU solves at once: with more, a vector takes longer again."""
_MOST_ITERATIONS = 5000


def linear(g: Array, v: Array) -> tuple[Array, Array]:
    """Ohm's law."""
    return g * v, g


def sinh(volt: float) -> Law:
    """i = g V0 sinh(v / V0)."""
    return lambda g, v: (g * volt * np.sinh(v / volt), g * np.cosh(v / volt))


def badcrossbar_currents() -> Callable[[Array, Array, float], Array] | None:
    """The function of badcrossbar, which returns the output currents alone; None where it is not installed."""
    try:
        import badcrossbar
    except ImportError:
        return None
    logging.getLogger("badcrossbar").setLevel(logging.WARNING)  # it reports every step on the standard output

    def currents(g: Array, v: Array, ohm: float) -> Array:
        drive = np.atleast_2d(v).T
        return badcrossbar.compute(drive, 1 / g, r_i=ohm, node_voltages=False, all_currents=False).currents.output

    return currents


def plain_splu(g: Array, v: Array, ohm: float) -> Array:
    """Output currents as one writes it at first: matrix from coordinates, `splu` in symmetric mode, one `solve`."""
    shape, cells = g.shape, g.size
    word = np.arange(cells).reshape(shape)
    bit = word + cells
    word_sum, bit_sum = g + 2 / ohm, g + 2 / ohm
    word_sum[:, -1] -= 1 / ohm
    bit_sum[0] -= 1 / ohm
    along, down = (word[:, 1:].ravel(), word[:, :-1].ravel()), (bit[1:].ravel(), bit[:-1].ravel())
    one = [word.ravel(), bit.ravel(), word.ravel(), bit.ravel(), *along, *down]
    other = [word.ravel(), bit.ravel(), bit.ravel(), word.ravel(), *along[::-1], *down[::-1]]
    segments = [np.full(len(place), -1 / ohm) for place in (*along, *down)]
    values = [word_sum.ravel(), bit_sum.ravel(), -g.ravel(), -g.ravel(), *segments]
    entries = (np.concatenate(values), (np.concatenate(one), np.concatenate(other)))
    matrix = scipy.sparse.csc_matrix(entries, shape=(2 * cells, 2 * cells))
    factored = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    injected = np.zeros((2 * cells, len(v)))
    injected[: cells : shape[1]] = v.T / ohm
    return factored.solve(injected)[-shape[1] :].T / ohm


class Circuit:
    """Kirchhoff's current law as a sparse matrix, factored by SuperLU.

    The pattern of the matrix belongs to the shape of the array: it is made once, outside of what is timed.
    """

    def __init__(self, shape: tuple[int, int], ohm: float) -> None:
        self.shape, self.ohm = shape, ohm
        self._cells = cells = shape[0] * shape[1]
        word = np.arange(cells).reshape(shape)
        bit = word + cells
        places, values = [], []

        def branch(one: Array, other: Array, siemens: float) -> None:
            for row, column, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
                places.append(np.stack([row.ravel(), column.ravel()]))
                values.append(np.full(row.size, sign * siemens))

        branch(word[:, 1:], word[:, :-1], 1 / ohm)
        branch(bit[1:], bit[:-1], 1 / ohm)
        branch(word, bit, 0.0)
        for ends in (word[:, 0], bit[-1]):
            places.append(np.stack([ends, ends]))
            values.append(np.full(ends.size, 1 / ohm))
        entries = (np.concatenate(values), tuple(np.concatenate(places, axis=1)))
        self._wires = scipy.sparse.coo_matrix(entries, shape=(2 * cells, 2 * cells)).tocsc()
        self._wires.sort_indices()
        order = np.repeat(np.arange(2 * cells), np.diff(self._wires.indptr)) * (2 * cells) + self._wires.indices
        w, b = word.ravel(), bit.ravel()
        of_cells = [(w, w), (b, b), (w, b), (b, w)]
        self._places = [np.searchsorted(order, column * (2 * cells) + row) for row, column in of_cells]

    def factor(self, slope: Array) -> SuperLU:
        """Factor the matrix of these cells: symmetric mode and minimum degree, which suit it best.

        Panels of one column are the fastest by a quarter, since the supernodes of this matrix are small.
        """
        data, cells = self._wires.data.copy(), slope.ravel()
        for place, sign in zip(self._places, (1, 1, -1, -1), strict=True):
            data[place] += sign * cells
        matrix = scipy.sparse.csc_matrix((data, self._wires.indices, self._wires.indptr), shape=self._wires.shape)
        return splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            relax=4,
            panel_size=1,
            options={"SymmetricMode": True},
        )

    def currents(self, factored: SuperLU, v: Array) -> Array:
        """Output currents (n_vectors, n_columns) for the voltages (n_vectors, n_rows)."""
        n_columns = self.shape[1]
        out = np.empty((len(v), n_columns))
        for first in range(0, len(v), _SIDE_BY_SIDE):
            some = slice(first, first + _SIDE_BY_SIDE)
            injected = np.zeros((2 * self._cells, len(v[some])), order="F")
            injected[: self._cells : n_columns] = v[some].T / self.ohm
            out[some] = factored.solve(injected)[-n_columns:].T / self.ohm
        return out

    def missing(self, current: Array, word: Array, bit: Array, v: Array) -> Array:
        """What Kirchhoff's law lacks at every node, (2 * cells, n_vectors), by differences along the lines."""
        along = -np.diff(word, axis=-1, prepend=v[..., None]) / self.ohm
        down = -np.diff(bit, axis=-2, append=np.zeros_like(bit[..., :1, :])) / self.ohm
        at_word, at_bit = along - current, current - down
        at_word[..., :-1] -= along[..., 1:]
        at_bit[..., 1:, :] += down[..., :-1, :]
        return np.concatenate([side.reshape(len(v), -1) for side in (at_word, at_bit)], axis=1).T

    def nodes(self, x: Array) -> tuple[Array, Array]:
        """A solution (2 * cells, n_vectors) as voltages of word and bit lines, (n_vectors, n_rows, n_columns)."""
        return x[: self._cells].T.reshape(-1, *self.shape), x[self._cells :].T.reshape(-1, *self.shape)

    def newton(self, g: Array, v: Array, law: Law, *, tolerance: float, reuse: bool = False) -> tuple[Array, Array]:
        """Node voltages for one vector v (n_rows,) by Newton's method.

        It starts from the linear circuit of the chords at the full voltages, and ends when the currents that
        Kirchhoff's law lacks add up to less than the tolerance times the output current; so no factor is made only to
        find that the last step was small.

        Parameters
        ----------
        reuse
            Whether to keep a factor as long as every step with it leaves a tenth of the error, or less: more steps,
            fewer factors.
        """
        drive = np.ascontiguousarray(np.broadcast_to(v[:, None], self.shape))
        with np.errstate(invalid="ignore", divide="ignore"):
            chord = np.where(drive != 0, law(g, drive)[0] / drive, g)
        factored = self.factor(chord)
        injected = np.zeros(2 * self._cells)
        injected[: self._cells : self.shape[1]] = v / self.ohm
        x = factored.solve(injected)
        last = 0.0  # the chords are no Jacobian: the first step has a factor of its own
        for _ in range(_MOST_ITERATIONS):
            word, bit = (side[0] for side in self.nodes(x[:, None]))
            current, slope = law(g, word - bit)
            missing = self.missing(current[None], word[None], bit[None], v[None])[:, 0]
            error = np.abs(missing).sum()
            if error < tolerance * abs(current.sum()):
                return word, bit
            if not reuse or error > 0.1 * last:
                factored = self.factor(slope)
            x = x + factored.solve(missing)
            last = error
        raise RuntimeError("Newton's method did not converge")


def reference(circuit: Circuit, g: Array, v: Array, law: Law = linear) -> Array:
    """Output currents for v (n_vectors, n_rows; one vector with a law) to rounding, refined in extended precision."""
    word = np.zeros((len(v), *g.shape), dtype=np.longdouble)
    bit = word.copy()
    if law is linear:
        factored = circuit.factor(g)
    else:
        word[0], bit[0] = circuit.newton(g, v[0], law, tolerance=1e-9)
        factored = circuit.factor(law(g, (word - bit)[0].astype(np.float64))[1])
    cells, drive = g.astype(np.longdouble), v.astype(np.longdouble)
    for _ in range(3):
        missing = circuit.missing(law(cells, word - bit)[0], word, bit, drive).astype(np.float64)
        some = [missing[:, k : k + _SIDE_BY_SIDE] for k in range(0, len(v), _SIDE_BY_SIDE)]
        change_word, change_bit = circuit.nodes(np.concatenate([factored.solve(each) for each in some], axis=1))
        word += change_word
        bit += change_bit
    return law(cells, word - bit)[0].sum(axis=-2).astype(np.float64)


# The fixed-point iteration of CrossSim: from the voltages of the cells follow their currents, from these the currents
# of the segments (sums along the lines) and the drops to every cell (sums of those), and from the drops the voltages.


def _drop(current: Array, ohm: float) -> Array:
    """Voltage lost between the source and the virtual ground in the lines of every cell."""
    along = np.cumsum(current[:, ::-1], axis=1)[:, ::-1]
    down = np.cumsum(current, axis=0)
    return ohm * (np.cumsum(along, axis=1) + np.cumsum(down[::-1], axis=0)[::-1])


def fixed_point_numpy(g: Array, v: Array, ohm: float, factor: float, tolerance: float) -> Array | None:
    """The iteration in NumPy, as in CrossSim, until no cell's voltage is off by more than tolerance * max |v|."""
    full = np.repeat(v[:, None], g.shape[1], axis=1)
    stop, cell = tolerance * np.abs(v).max(), full.copy()
    for _ in range(_MOST_ITERATIONS):
        error = full - _drop(g * cell, ohm) - cell
        cell += factor * error
        worst = np.abs(error).max()
        if worst < stop:
            return (g * cell).sum(axis=0)
        if not worst < 1e3 * np.abs(v).max():
            return None
    return None


def fixed_point(g: Array, v: Array, ohm: float, factor: float, tolerance: float) -> Array | None:
    """The iteration compiled by numba; None where it does not converge."""
    cell, out = np.empty_like(g), np.empty(g.shape[1])
    return out if _iterate(g, v, ohm, factor, tolerance, cell, out) > 0 else None


def best_factor(g: Array, v: Array, ohm: float, tolerance: float) -> float:
    """The relaxation factor with the fewest iterations, of 25 around the best one in theory."""
    x = np.ones(g.shape)
    largest = 0.0
    for _ in range(30):  # power iteration: the eigenvalues of the map from voltages to drops are positive
        x = _drop(g * x, ohm)
        largest = float(np.linalg.norm(x))
        x /= largest
    candidates = 2 / (2 + largest) * np.linspace(0.7, 1.3, 25)
    cell, out = np.empty_like(g), np.empty(g.shape[1])
    counts = [_iterate(g, v, ohm, factor, tolerance, cell, out) for factor in candidates]
    best = min((count, abs(k - 12), k) for k, count in enumerate(counts) if count > 0 or k == 12)
    return float(candidates[best[2]])


_compiled = numba.njit(fastmath=True, error_model="numpy", cache=True)


@_compiled
def _sum_down(g: Array, cell: Array, column: Array, below: Array) -> float:
    """The currents of one row of cells join the bit lines; returns what the word line delivers."""
    total = 0.0
    for j in range(g.size):
        current = g[j] * cell[j]
        total += current
        column[j] += current
        below[j] = column[j]
    return total


@_compiled
def _drop_along(g: Array, cell: Array, total: float, ohm: float, drop: Array) -> None:
    carried, lost = total, 0.0
    for j in range(g.size):
        lost += ohm * carried
        carried -= g[j] * cell[j]
        drop[j] = lost


@_compiled
def _drop_along_four(g: Array, cell: Array, totals: Array, ohm: float, drop: Array) -> None:
    """Four word lines side by side: one alone waits at every cell for the sum of the cell before."""
    g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
    u0, u1, u2, u3 = cell[0], cell[1], cell[2], cell[3]
    d0, d1, d2, d3 = drop[0], drop[1], drop[2], drop[3]
    c0, c1, c2, c3 = totals[0], totals[1], totals[2], totals[3]
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for j in range(g0.size):
        s0 += ohm * c0
        s1 += ohm * c1
        s2 += ohm * c2
        s3 += ohm * c3
        c0 -= g0[j] * u0[j]
        c1 -= g1[j] * u1[j]
        c2 -= g2[j] * u2[j]
        c3 -= g3[j] * u3[j]
        d0[j], d1[j], d2[j], d3[j] = s0, s1, s2, s3


@_compiled
def _correct(drive: float, drop: Array, below: Array, ohm: float, factor: float, rise: Array, cell: Array) -> float:
    """Relax one row of cells; returns its largest error."""
    worst = 0.0
    for j in range(cell.size):
        rise[j] += ohm * below[j]
        error = drive - drop[j] - rise[j] - cell[j]
        cell[j] += factor * error
        worst = max(worst, abs(error))
    return worst


@_compiled
def _iterate(g: Array, v: Array, ohm: float, factor: float, tolerance: float, cell: Array, out: Array) -> int:
    """Iterations until the tolerance is met, with the output currents in ``out``; 0 where it is missed."""
    n_rows, n_columns = g.shape
    below, drop = np.empty((n_rows, n_columns)), np.empty((4, n_columns))
    column, rise, totals = np.empty(n_columns), np.empty(n_columns), np.empty(n_rows)
    most = np.abs(v).max()
    for i in range(n_rows):
        cell[i] = v[i]
    for iteration in range(_MOST_ITERATIONS):
        column[:] = 0.0
        for i in range(n_rows):
            totals[i] = _sum_down(g[i], cell[i], column, below[i])
        rise[:] = 0.0
        worst = 0.0
        stop = n_rows
        while stop > 0:
            start = stop - 4 if stop >= 4 else stop - 1
            if stop >= 4:
                _drop_along_four(g[start:stop], cell[start:stop], totals[start:stop], ohm, drop)
            else:
                _drop_along(g[start], cell[start], totals[start], ohm, drop[0])
            for i in range(stop - 1, start - 1, -1):
                worst = max(worst, _correct(v[i], drop[i - start], below[i], ohm, factor, rise, cell[i]))
            stop = start
        if worst < tolerance * most:
            out[:] = 0.0
            for i in range(n_rows):
                _sum_down(g[i], cell[i], out, below[i])
            return iteration + 1
        if worst > 1e3 * most:
            return 0
    return 0
