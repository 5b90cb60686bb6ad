"""The crossbar as a list of circuit elements: nodes, resistors, cells, fixed potentials; and Kirchhoff's current law.

Every option of an array is a matter of which elements stand in the list (``Circuit.of``); one solver serves them all.
Zero resistances merge the nodes at their ends. The currents that leave a node are summed in extended precision, element
by element, and Newton's steps in float64 are repeated against that sum, so that the oracle is exact to the last digits
of float64.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.csgraph import connected_components

from .conduction import polynomial_of

__all__ = [
    "Circuit",
    "Solution",
    "elmore_delay",
    "known_solution",
    "sensitivity",
    "solve",
    "solve_lines",
    "solve_sparse",
    "transconductance",
    "violations",
]

GROUND = 0
OPEN = -1


class Solution(NamedTuple):
    """Solution for one drive vector: currents of outputs, voltages of word- and bit-line nodes, and what follows.

    Attributes
    ----------
    currents
        (n_outputs,) ampere into the virtual ground.
    word, bit, cell_currents
        (n_rows, n_columns) each.
    word_line_currents, bit_line_currents
        (n_rows, n_columns + 1) and (n_rows + 1, n_columns): towards the larger index; nan where a line without any
        resistance has a terminal at both ends, so that nothing says how they share the current.
    input_currents
        One per input line.
    power_watt
        What the sources deliver.
    """

    currents: np.ndarray
    word: np.ndarray
    bit: np.ndarray
    cell_currents: np.ndarray
    word_line_currents: np.ndarray
    bit_line_currents: np.ndarray
    input_currents: np.ndarray
    power_watt: float


class Chain(NamedTuple):
    """Lines of one family: from the near terminal through the nodes of the cells to the far terminal.

    ``nodes`` (n_lines, n + 2) are numbers of nodes, OPEN at an end without a terminal; ``ohm`` (n_lines, n + 1) is what
    lies between one and the next.
    """

    nodes: np.ndarray
    ohm: np.ndarray


class Circuit(NamedTuple):
    """What is connected to what: node 0 is the ground, then the sources, then the nodes of the lines.

    Attributes
    ----------
    word, bit
        (n_rows, n_columns) numbers of the nodes at both sides of each cell.
    words, bits
        The lines as chains of nodes and resistances.
    resistors
        (count, 2) nodes and (count,) ohm: those of the chains and those in series with the cells.
    cells, g, law
        (n_rows, n_columns, 2) nodes of each cell, its conductance (0 also where it is cut off), its conduction law.
    fixed
        Potentials by node: the ground and every connected source.
    n_nodes
        Their number.
    """

    word: np.ndarray
    bit: np.ndarray
    words: Chain
    bits: Chain
    resistors: tuple[np.ndarray, np.ndarray]
    cells: np.ndarray
    g: np.ndarray
    law: Any
    fixed: dict[int, float]
    n_nodes: int

    @classmethod
    def of(
        cls,
        g,
        v,
        *,
        word_line_ohm=0.0,
        bit_line_ohm=0.0,
        driver_ohm=0.0,
        sense_ohm=0.0,
        end_segments=False,
        driver_end="near",
        sense_end="far",
        inputs="rows",
        unselected="grounded",
        selected=None,
        conduction=None,
        temperature_kelvin=300.0,
        ohm_per_kelvin=0.00451,
        **_farad,
    ):
        """The circuit of an array with one voltage ``v`` and one mark ``selected`` for every input line."""
        n_rows, n_columns = g.shape
        n_inputs, n_outputs = (n_rows, n_columns) if inputs == "rows" else (n_columns, n_rows)
        v = np.array(v, dtype=float)
        if selected is None:
            selected = np.ones(n_inputs, dtype=bool) if unselected == "grounded" else v != 0
        selected = np.asarray(selected, dtype=bool)
        source = 1 + np.arange(n_inputs)
        word = (1 + n_inputs + np.arange(g.size)).reshape(g.shape)
        bit = word + g.size
        n_nodes = 1 + n_inputs + 2 * g.size

        v[~selected] = 0.0
        connected = np.where(~selected & (unselected == "floating"), OPEN, source)
        if unselected == "cut off":
            g = np.where(selected[:, None] if inputs == "rows" else selected, g, 0.0)
        input_side = (connected, np.broadcast_to(driver_ohm, n_inputs), driver_end)
        output_side = (np.full(n_outputs, GROUND), np.broadcast_to(sense_ohm, n_outputs), sense_end)
        word_side, bit_side = (input_side, output_side) if inputs == "rows" else (output_side, input_side)
        warmth = 1 + ohm_per_kelvin * (temperature_kelvin - 300.0)
        words = chain(word, warmth * np.broadcast_to(word_line_ohm, n_rows), *word_side, end_segments)
        bits = chain(bit.T, warmth * np.broadcast_to(bit_line_ohm, n_columns), *bit_side, end_segments)

        fixed = {GROUND: 0.0} | {int(k): volt for k, volt in zip(connected, v, strict=True) if k != OPEN}
        return cls.assembled(word, bit, words, bits, g, conduction, fixed, n_nodes)

    @classmethod
    def assembled(cls, word, bit, words, bits, g, law, fixed, n_nodes):
        """From the lines and the cells; resistors in series with the cells have nodes of their own."""
        pairs, ohms = [], []
        for lines in (words, bits):
            there = (lines.nodes[:, :-1] != OPEN) & (lines.nodes[:, 1:] != OPEN)
            pairs.append(np.stack([lines.nodes[:, :-1][there], lines.nodes[:, 1:][there]], axis=-1))
            ohms.append(lines.ohm[there])
        inner = bit
        if law is not None and law.series_ohm > 0:
            inner = n_nodes + np.arange(g.size).reshape(g.shape)
            n_nodes += g.size
            pairs.append(np.stack([inner.ravel(), bit.ravel()], axis=-1))
            ohms.append(np.full(g.size, law.series_ohm))
        resistors = (np.concatenate(pairs), np.concatenate(ohms))
        return cls(word, bit, words, bits, resistors, np.stack([word, inner], axis=-1), g, law, fixed, n_nodes)


def chain(nodes, segment_ohm, terminal, terminal_ohm, ends, end_segments):
    """The chain of ``nodes`` (n_lines, n) with the ``terminal`` (n_lines,) at the near or the far end or at both."""
    n_lines, n = nodes.shape
    end_ohm = terminal_ohm + (segment_ohm if end_segments else 0.0)
    near = terminal if ends in ("near", "both") else np.full(n_lines, OPEN)
    far = terminal if ends in ("far", "both") else np.full(n_lines, OPEN)
    ohm = np.stack([end_ohm] + [segment_ohm] * (n - 1) + [end_ohm], axis=1).astype(np.longdouble)
    return Chain(np.concatenate([near[:, None], nodes, far[:, None]], axis=1), ohm)


def currents_along(lines, leaving):
    """Currents of chains towards the larger index, (n_lines, n + 1); ``leaving`` (n_lines, n) leaves them at the nodes.

    Kirchhoff's current law gives all of them but one. That one is 0 at an open end; between two terminals, which are at
    the same potential, the voltages along the line add up to 0.
    """
    along = np.zeros(lines.ohm.shape, dtype=np.longdouble)
    along[:, 1:] = -np.cumsum(leaving, axis=1)
    for k, (nodes, ohm) in enumerate(zip(lines.nodes, lines.ohm, strict=True)):
        if nodes[0] == OPEN:
            continue
        if nodes[-1] == OPEN:
            along[k] -= along[k, -1]
        else:
            along[k] -= (ohm @ along[k]) / ohm.sum() if ohm.any() else np.nan
    return along


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
        """Potentials of all places: Newton's method with halved steps, then the same factors until nothing changes."""
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


def combined(of_lines, pairs, axis=0):
    """Differences of interleaved output lines, if they are paired."""
    if pairs != "outputs":
        return of_lines
    moved = np.moveaxis(of_lines, axis, 0)
    return np.moveaxis(moved[0::2] - moved[1::2], 0, axis)


def drive(v, options):
    """Voltages and options of the lines for those of their pairs; and what they say of inputs and outputs."""
    pairs = options.pop("pairs", "none")
    v = np.asarray(v, dtype=float)
    if pairs == "inputs":
        v = np.stack([v, -v], axis=-1).reshape(-1)
        if options.get("selected") is not None:
            options["selected"] = np.repeat(options["selected"], 2)
    return v, options, pairs, 0 if options.get("inputs", "rows") == "rows" else 1


def solve(g, v, *, sparse=False, **options):
    """The solution for one drive vector ``v``; the options are the fields of WireSpec and the arguments of Network.

    ``input_currents`` has one entry for every line, also where these are paired.
    """
    g = np.asarray(g, dtype=float)
    v, options, pairs, axis = drive(v, options)
    circuit = Circuit.of(g, v, **options)
    return solution_of(System(circuit, sparse), len(v), pairs, axis)


def solution_of(system, n_inputs, pairs="none", axis=0, word_source=0.0, bit_source=0.0):
    """Everything about the potentials of a circuit; ampere that enter its nodes from outside belong to its lines."""
    circuit, x = system.circuit, system.solve()
    through = system.cell_currents(x)
    from_words, into_bits = through - word_source, through + bit_source
    # Driven bit lines: current leaves the outputs, the word lines, and the cells point the other way.
    arriving, into = (
        (into_bits.sum(axis=0), from_words.sum(axis=1))
        if axis == 0
        else (-from_words.sum(axis=1), -into_bits.sum(axis=0))
    )
    volts = np.array([circuit.fixed.get(1 + k, 0.0) for k in range(n_inputs)])
    return Solution(
        combined(arriving, pairs).astype(float),
        x[system.place[circuit.word]].astype(float),
        x[system.place[circuit.bit]].astype(float),
        through.astype(float),
        currents_along(circuit.words, from_words).astype(float),
        currents_along(circuit.bits, -into_bits.T).T.astype(float),
        into.astype(float),
        float(volts @ into),
    )


def solve_sparse(g, v, **options):
    """Solution of an array too large for a dense matrix, by a sparse LU, refined as that of :func:`solve`."""
    return solve(g, v, sparse=True, **options)


def solve_lines(
    g, v, near, segment, far, bottom, out_segment, top, floating=None, word_source=0.0, bit_source=0.0, law=None
):
    """Solution for lines as the kernels take them: one number each, and ampere that enter the nodes from outside.

    Resistances in ohm, but the second terminals ``far`` and ``top`` in siemens, 0 where there is none.
    """
    g = np.asarray(g, dtype=float)
    n_rows, n_columns = g.shape
    source = 1 + np.arange(n_rows)
    word = (1 + n_rows + np.arange(g.size)).reshape(g.shape)
    bit = word + g.size
    connected = np.where(np.zeros(n_rows) if floating is None else floating, OPEN, source)
    ground = np.full(n_columns, GROUND)
    words, bits = lines_of(word, bit, near, segment, far, bottom, out_segment, top, connected, ground)
    fixed = {GROUND: 0.0} | {int(k): volt for k, volt in zip(connected, v, strict=True) if k != OPEN}
    circuit = Circuit.assembled(word, bit, words, bits, g, law, fixed, 1 + n_rows + 2 * g.size)
    system = System(circuit, injected=[(word, word_source), (bit, bit_source)])
    return solution_of(system, n_rows, word_source=word_source, bit_source=bit_source)


def lines_of(word, bit, near, segment, far, bottom, out_segment, top, source, ground):
    """Input lines from ``source`` by near and far back to it; output lines from top to bottom, each at ``ground``."""

    def linked(nodes, first, first_ohm, ohm, last, last_ohm):
        between = np.repeat(np.reshape(ohm, (-1, 1)), nodes.shape[1] - 1, axis=1)
        ohms = np.concatenate([np.reshape(first_ohm, (-1, 1)), between, np.reshape(last_ohm, (-1, 1))], axis=1)
        return Chain(np.concatenate([first[:, None], nodes, last[:, None]], axis=1), ohms.astype(np.longdouble))

    def second(terminal, siemens):
        there = np.asarray(siemens) > 0
        return np.where(there, terminal, OPEN), 1 / np.where(there, siemens, 1).astype(np.longdouble)

    words = linked(word, source, near, segment, *second(source, far))
    return words, linked(bit.T, *second(ground, top), out_segment, ground, bottom)


def violations(cells, current, a, b, v, near, segment, far, bottom, out_segment, top, floating):
    """What is wrong about a solution, when the currents of the lines follow from those of the cells.

    Returns the largest violation of the voltage law, watts from the sources, watts in cells and lines, and the currents
    along and down the lines. Beside a terminal the voltage is measured by what the current that misses there moves: the
    resistance to the terminal in parallel with the cells of the line. Where a source is disconnected, nothing enters or
    leaves; what the currents of the cells lack of zero is a share of the largest, and as such of the voltage across the
    cells.
    """
    n_rows, n_columns = current.shape
    every = np.arange(1 + n_rows + 2 * current.size)
    word = every[1 + n_rows :][: current.size].reshape(current.shape)
    connected = np.where(floating, OPEN, every[1 : 1 + n_rows])
    ground = np.full(n_columns, GROUND)
    through = current.astype(np.longdouble)
    lines = lines_of(word, word + current.size, near, segment, far, bottom, out_segment, top, connected, ground)
    volts = np.concatenate([[0.0], v, a.ravel(), b.ravel()]).astype(np.longdouble)
    most, heat, flows = 0.0, (through * (a - b)).sum(), []
    slopes = cells.sum(axis=1), cells.sum(axis=0)
    for (nodes, ohm), leaving, slope in zip(lines, (through, -through.T), slopes, strict=True):
        along = currents_along(Chain(nodes, ohm), leaving)
        there = (nodes[:, :-1] != OPEN) & (nodes[:, 1:] != OPEN)
        gap = np.where(there, np.abs(volts[nodes[:, :-1]] - volts[nodes[:, 1:]] - ohm * along), 0)
        # The terminal that every line has; its second is a conductance, never far from the line.
        terminal = 0 if slope is slopes[0] else -1
        gap[:, terminal] /= 1 + ohm[:, terminal] * slope
        most = max(most, gap.max())
        heat += np.where(there, ohm * along**2, 0).sum()
        flows.append(along)
    along, down = flows[0], flows[1].T
    for i in np.flatnonzero(floating):
        along[i, -1] = 0
        if through[i].any():
            across = np.abs(a[i] - b[i])[through[i] != 0].max()
            most = max(most, abs(through[i].sum()) / np.abs(through[i]).max() * across)
    given = (v * (along[:, 0] - along[:, -1]))[~np.asarray(floating, dtype=bool)].sum()
    return float(most), float(given), float(heat), along.astype(float), down.astype(float)


def transconductance(g, **options):
    """Output currents for 1 V on one input after another, the others at 0 V: (n_inputs, n_outputs), linear cells.

    All lines count as selected unless the options say otherwise.
    """
    g = np.asarray(g, dtype=float)
    lines = g.shape[0 if options.get("inputs", "rows") == "rows" else 1]
    n_inputs = lines // 2 if options.get("pairs") == "inputs" else lines
    if options.get("selected") is None:
        options["selected"] = np.ones(n_inputs, dtype=bool)
    system, rows = None, []
    for unit in np.eye(n_inputs):
        v, line_options, pairs, axis = drive(unit, dict(options))
        circuit = Circuit.of(g, v, **line_options)
        system = system or System(circuit)
        system.hold(circuit.fixed)
        arriving = system.cell_currents(system.solve()).sum(axis=axis) * (1 if axis == 0 else -1)
        rows.append(combined(arriving, pairs))
    return np.array(rows).astype(float)


def sensitivity(g, v, **options):
    """Derivative of every output current by every conductance, (n_outputs, n_rows, n_columns).

    The derivative of the potentials by each conductance in turn, from that of Kirchhoff's current law.
    """
    g = np.asarray(g, dtype=float)
    v, options, pairs, axis = drive(v, options)
    circuit = Circuit.of(g, v, **options)
    system = System(circuit)
    x = system.solve()
    # None flows where a cell is cut off.
    across = system.across(system.cells, x)
    slope = cell_law(circuit.law, system.g, across)[1]
    unit = by_conductance(circuit.law, system.g, across)
    unit = unit * (Circuit.of(np.ones_like(g), v, **options).g.ravel() > 0)
    injected = np.zeros((len(x), g.size), dtype=np.longdouble)
    every = np.arange(g.size)
    injected[system.cells[:, 0], every] -= unit
    injected[system.cells[:, 1], every] += unit
    dx = np.zeros((len(x), g.size), dtype=np.longdouble)
    if len(system.unknown):
        matrix = system.jacobian(x).toarray().astype(np.longdouble)
        factors = scipy.linalg.lu_factor(matrix.astype(float))
        solution = np.zeros((len(system.unknown), g.size), dtype=np.longdouble)
        for _ in range(4):
            rest = injected[system.unknown] - matrix @ solution
            solution += scipy.linalg.lu_solve(factors, rest.astype(float))
        dx[system.unknown] = solution
    through = slope[:, None] * (dx[system.cells[:, 0]] - dx[system.cells[:, 1]])
    through[every, every] += unit
    by_line = through.reshape(*g.shape, g.size).sum(axis=axis) * (1 if axis == 0 else -1)
    return combined(by_line, pairs).reshape(-1, *g.shape).astype(float)


def elmore_delay(g, v=None, *, word_line_farad=0.0, bit_line_farad=0.0, cell_farad=0.0, **options):
    """First moment of each output current after a step of all inputs, seconds; nan where none flows in the end.

    With conductances G (in the end, where they depend on the voltage) and capacitances C, the potentials settle at
    G x = b; the first moment of what is missing is G y = C x, and the delay of a current is its value in y over that
    in x.
    """
    g = np.asarray(g, dtype=float)
    if v is None:
        lines = g.shape[0 if options.get("inputs", "rows") == "rows" else 1]
        v = np.ones(lines // 2 if options.get("pairs") == "inputs" else lines)
    v, options, pairs, axis = drive(v, options)
    circuit = Circuit.of(g, v, **options)
    system = System(circuit)
    x = system.solve()
    current = system.cell_currents(x)
    slope = cell_law(circuit.law, system.g, system.across(system.cells, x))[1]
    settled = System(circuit._replace(g=slope.reshape(g.shape).astype(float), law=None))
    charge = np.zeros(circuit.n_nodes, dtype=np.longdouble)
    volts = x[settled.place]
    across = cell_farad * (volts[circuit.word] - volts[circuit.bit])
    charge[circuit.word] = word_line_farad * volts[circuit.word] + across
    charge[circuit.bit] = bit_line_farad * volts[circuit.bit] - across
    total = np.zeros_like(x)
    np.add.at(total, settled.place, charge)
    y = np.zeros_like(x)
    if len(settled.unknown):
        inverse = settled.factor(x)
        for _ in range(6):
            y[settled.unknown] += inverse((total - settled.leaving(y))[settled.unknown].astype(float))
    # What leaves each output line at its terminals: it comes through the cells and from the charge of the nodes.
    sign = 1 if axis == 0 else -1
    output_nodes = circuit.bit if axis == 0 else circuit.word
    moment = (sign * settled.cell_currents(y) + charge[output_nodes]).sum(axis=axis)
    current = (sign * current).sum(axis=axis)
    moment, current = combined(moment, pairs), combined(current, pairs)
    return np.divide(moment, current, out=np.full_like(moment, np.nan), where=current != 0).astype(float)


def known_solution(cell_currents, v, *, inputs="rows", **wires):
    """A circuit of any size whose solution is known: the conductances that let chosen currents flow in the cells.

    The currents of the lines follow from those of the cells, the voltages from those of the lines, and the conductances
    from both. Returns g and the word and bit voltages; g is positive where the voltages suffice for the currents.
    """
    shape = np.shape(cell_currents)
    circuit = Circuit.of(np.ones(shape), v, inputs=inputs, **wires)
    through = np.asarray(cell_currents, dtype=np.longdouble)
    volts = np.zeros(circuit.n_nodes, dtype=np.longdouble)
    for node, volt in circuit.fixed.items():
        volts[node] = volt
    for lines, leaving in ((circuit.words, through), (circuit.bits, -through.T)):
        drops = np.where(lines.ohm > 0, lines.ohm * currents_along(lines, leaving), 0)
        fall = np.cumsum(drops, axis=1)
        near, far = lines.nodes[:, 0], lines.nodes[:, -1]
        start = np.where(near == OPEN, volts[far] + fall[:, -1], volts[near])
        volts[lines.nodes[:, 1:-1]] = start[:, None] - fall[:, :-1]
    word, bit = volts[circuit.word], volts[circuit.bit]
    g = (through / (word - bit)).astype(float)
    assert (g >= 0).all(), "the drive is too weak for the currents"
    return g, word.astype(float), bit.astype(float)
