"""What an array of cells and lines does, from Kirchhoff's current law of its circuit: solutions and their derivatives.

One solver serves every option of an array; see :mod:`reference.circuit` and :mod:`reference.kirchhoff`.
"""

from typing import NamedTuple

import numpy as np
import scipy.linalg

from .circuit import GROUND, OPEN, Chain, Circuit, currents_along, lines_of
from .kirchhoff import System, by_conductance, cell_law

__all__ = [
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
