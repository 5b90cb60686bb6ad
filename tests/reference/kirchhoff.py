"""Kirchhoff's current law of a circuit, and Newton's steps to the potentials that obey it.

Zero resistances merge the nodes at their ends. The currents that leave a node are summed in extended precision, element
by element, and Newton's steps in float64 are repeated against that sum, so that the oracle is exact to the last digits
of float64.
"""

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.csgraph import connected_components

from .conduction import polynomial_of

__all__ = ["System", "by_conductance", "cell_law"]


def cell_law(law, g, u):
    """Current, slope and integral of cells of conductance g at voltages u."""
    if law is None or law.law == "linear":
        return g * u, g * np.ones_like(u), g * u * u / 2
    if law.law == "sinh":
        scale = np.longdouble(law.sinh_volt)
        return g * scale * np.sinh(u / scale), g * np.cosh(u / scale), g * scale**2 * (np.cosh(u / scale) - 1)
    if law.law == "polynomial":
        square, cube = (np.where(g > 0, figure(curve, g)[0], 0) for curve in polynomial_curves(law))
        return polynomial_of(law.most_volt, g, square, cube, u)
    c = np.longdouble(law.cubic_per_square_volt)
    return g * (u + c * u**3), g * (1 + 3 * c * u**2), g * (u**2 / 2 + c * u**4 / 4)


def by_conductance(law, g, u):
    """Derivative of the current of cells by their conductance."""
    if law is None or law.law != "polynomial":
        return cell_law(law, np.ones_like(u), u)[0]
    square, cube = (figure(curve, g)[1] for curve in polynomial_curves(law))
    return u + square * u**2 + cube * u**3


def polynomial_curves(law):
    return law.square_ampere_per_square_volt, law.cube_ampere_per_cubic_volt


def figure(curve, g):
    """A polynomial of g / reference, of its log10, or a number: its value and its derivative by g."""
    if isinstance(curve, float):
        return np.full_like(g, curve), np.zeros_like(g)
    reference = np.longdouble(curve.reference_siemens)
    u, by_g = g / reference, 1 / reference
    if curve.variable == "log10":
        # An open cell counts as 1e-12 of the reference.
        there = u > 1e-12
        u, by_g = np.log10(np.where(there, u, 1e-12)), np.where(there, 1, 0) / (np.where(there, g, 1) * np.log(10))
    value = sum(c * u**k for k, c in enumerate(curve.coefficients))
    return value, sum(k * c * u ** (k - 1) for k, c in enumerate(curve.coefficients) if k) * by_g


class System:
    """Kirchhoff's current law of a circuit after its merged nodes are one: F(x) = 0 for the unknown potentials x."""

    def __init__(self, circuit, sparse=False, injected=()):
        """``injected`` are pairs of nodes and of the ampere that enter there from outside."""
        self.circuit, self.sparse = circuit, sparse
        pairs, ohm = circuit.resistors
        self.linear = circuit.law is None or circuit.law.law == "linear"
        short = pairs[ohm == 0]
        place = self._components(circuit.n_nodes, short)
        self.resistors, self.siemens = place[pairs[ohm > 0]], 1 / ohm[ohm > 0]
        self.cells, self.g = place[circuit.cells.reshape(-1, 2)], circuit.g.ravel().astype(np.longdouble)
        self.place = place
        # Nothing flows into what is connected to no fixed potential: it sits at 0 V.
        self.x = np.zeros(place.max() + 1, dtype=np.longdouble)
        known = np.zeros(len(self.x), dtype=bool)
        known[place[list(circuit.fixed)]] = True
        self.hold(circuit.fixed)
        self.injected = np.zeros(len(self.x), dtype=np.longdouble)
        for nodes, ampere in injected:
            np.add.at(self.injected, place[nodes], ampere)
        islands = self._components(len(known), np.concatenate([self.resistors, self.cells[self.g > 0]]))
        known |= ~np.isin(islands, islands[known])
        self.unknown = np.flatnonzero(~known)
        self.number = np.full(len(known), -1)
        self.number[self.unknown] = np.arange(len(self.unknown))
        self.inverse = None

    def hold(self, fixed):
        """Other potentials for the same fixed nodes."""
        for node, volt in fixed.items():
            self.x[self.place[node]] = volt

    @staticmethod
    def _components(count, edges):
        graph = scipy.sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
        return connected_components(graph, directed=False)[1]

    def across(self, edges, x):
        return x[edges[:, 0]] - x[edges[:, 1]]

    def leaving(self, x):
        """Sum of the currents that leave every node."""
        total = -self.injected
        through = self.siemens * self.across(self.resistors, x)
        cells = cell_law(self.circuit.law, self.g, self.across(self.cells, x))[0]
        for edges, current in ((self.resistors, through), (self.cells, cells)):
            np.add.at(total, edges[:, 0], current)
            np.subtract.at(total, edges[:, 1], current)
        return total

    def content(self, x):
        """What the solution minimises; it is convex, since no law falls."""
        resistors = self.siemens * self.across(self.resistors, x) ** 2 / 2
        cells = cell_law(self.circuit.law, self.g, self.across(self.cells, x))[2]
        return resistors.sum() + cells.sum() - self.injected @ x

    def jacobian(self, x):
        """Derivative of what leaves the unknown nodes by their potentials, sparse float64."""
        slopes = cell_law(self.circuit.law, self.g, self.across(self.cells, x))[1]
        edges = self.number[np.concatenate([self.resistors, self.cells])]
        values = np.concatenate([self.siemens, slopes]).astype(float)
        rows = np.concatenate([edges[:, 0], edges[:, 1], edges[:, 0], edges[:, 1]])
        columns = np.concatenate([edges[:, 0], edges[:, 1], edges[:, 1], edges[:, 0]])
        values = np.concatenate([values, values, -values, -values])
        inside = (rows >= 0) & (columns >= 0)
        shape = (len(self.unknown), len(self.unknown))
        return scipy.sparse.coo_matrix((values[inside], (rows[inside], columns[inside])), shape=shape).tocsc()

    def factor(self, x):
        """The function b -> J^-1 b."""
        matrix = self.jacobian(x)
        if self.sparse:
            factors = scipy.sparse.linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
            return factors.solve
        factors = scipy.linalg.lu_factor(matrix.toarray())
        return lambda b: scipy.linalg.lu_solve(factors, b)

    def solve(self):
        """Potentials of all places: Newton's method with halved steps, then on one factor until nothing changes."""
        x, last = self.x.copy(), np.inf
        scale = np.abs(x).max()
        if not len(self.unknown) or not (scale or self.injected.any()):
            return x
        for _ in range(200):
            if self.inverse is None or (not self.linear and last > 1e-9 * scale):
                self.inverse = self.factor(x)
            step = np.zeros_like(x)
            step[self.unknown] = -self.inverse(self.leaving(x)[self.unknown].astype(float))
            size = np.abs(step).max()
            if size < 1e-9 * scale:
                if size >= last / 2 or size <= 1e-19 * scale:
                    return x + step * (size < last)
            elif not self.linear:
                while self.content(x + step) > self.content(x):
                    step /= 2
            x, last = x + step, size
            scale = max(scale, np.abs(x).max())
        raise AssertionError(f"the oracle does not converge: last step {last:.3g} V of {scale:.3g} V")

    def cell_currents(self, x):
        """(n_rows, n_columns), from word to bit line."""
        current = cell_law(self.circuit.law, self.g, self.across(self.cells, x))[0]
        return current.reshape(self.circuit.g.shape)
