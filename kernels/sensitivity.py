"""How far the noise of each cell reaches the current of its own output line.

A small change dg of a cell's conductance changes the current of its column by u v dg. v is the voltage across the cell;
u is what it would be if 1 V drove the column from its read circuit and all sources were at 0 V (Director and Rohrer,
IEEE Trans. Circuit Theory 16, 1969). v depends on which rows are driven. If each is, at 1 V, with probability s, and
independently, then the mean of v^2 is s^2 a^2 + s (1 - s) (o^2 + ...): a is the voltage across the cell where all rows
are driven, o where its own row is, and the dots stand for each of the other rows alone, which hardly moves it. With ::

    W^2 = u^2 (s a^2 + (1 - s) o^2)

a cell of deviation sigma adds (W sigma)^2 to the variance of the current where its row is driven and nothing elsewhere:
in the mean that is right, although a cell whose row is not driven is noisy, too, where the bit line lifts it.

For u and o one line is driven. It sees each crossing line as one resistor behind the cell between them, that of the
crossing line from this cell to its ends; left out is what returns by way of a third line. For a all lines matter: the
voltages of the input and of the output lines follow from one another in turn and rise from 0 V to the solution.

Lines begin at their near end (source or read circuit), index 0. The recurrences along them do not subtract, so that
resistances may be 0.
"""

import numpy as np
from numpy.typing import NDArray

from ._jit import fused_kernel, part, summing_part

__all__ = ["WEIGHT_PLANES", "smallest", "weigh_noise"]

Array = NDArray[np.float64]

WEIGHT_PLANES = 11
"""Planes of the size of an array that the weights take to work in."""

_TOLERANCE = 1e-3
"""What may be missing of the voltages of the output lines; the weights miss less than half of it."""

_MOST_SWEEPS = 100
"""Where the tolerance needs more, next to nothing is left of the signal."""


@part
def _pass_inwards(cells: Array, ohm: Array, after: Array, ratio: Array, before: Array) -> None:
    for q in range(cells.size):
        siemens = cells[q] + after[q]
        divider = 1.0 / (1.0 + ohm[q] * siemens)
        ratio[q] = divider
        before[q] = siemens * divider


@part
def _look_outwards(g: Array, near: Array, segment: Array, far: Array, ratio: Array, after: Array) -> None:
    """Along lines side by side, whose nodes are the rows of ``g``, conductances to 0 V.

    ``ratio`` is the voltage of a node over that of the node before it; ``after`` the conductance beyond a node.
    """
    n = g.shape[0]
    last = after[n - 1]
    for q in range(last.size):
        last[q] = far[q]
    for k in range(n - 1, 0, -1):
        _pass_inwards(g[k], segment, after[k], ratio[k], after[k - 1])
    _pass_inwards(g[0], near, after[0], ratio[0], np.empty(near.size))


@part
def _divide(cells: Array, behind: Array, segment: Array, ohm: Array, share: Array) -> None:
    for q in range(cells.size):
        total = 1.0 + ohm[q] * share[q]
        share[q] = total / (total + ohm[q] * cells[q])
        ohm[q] = segment[q] + ohm[q] / (1.0 + behind[q] * ohm[q])


@part
def _share_of_cells(g: Array, behind: Array, near: Array, segment: Array, share: Array) -> None:
    """Share of a voltage that is left to each cell ``g`` in series with its line.

    ``behind`` are the conductances from the nodes of the line to 0 V: those of the cells, with what they lead to.
    ``share`` holds the conductances after the nodes, and gets the shares.
    """
    ohm = near.copy()
    for k in range(g.shape[0]):
        _divide(g[k], behind[k], segment, ohm, share[k])


@part
def _gather(here: Array, after: Array, ratio: Array) -> None:
    for q in range(here.size):
        here[q] += ratio[q] * after[q]


@part
def _spread(before: Array, ratio: Array, ohm: Array, here: Array) -> None:
    for q in range(here.size):
        here[q] = ratio[q] * (before[q] + ohm[q] * here[q])


@part
def _settle(ratio: Array, near: Array, segment: Array, far: Array, volt: float, nodes: Array) -> None:
    """Voltages of lines with ``volt`` at their ends; ``nodes`` holds the currents that enter there, and gets them."""
    n = nodes.shape[0]
    ends, last = np.empty(near.size), nodes[n - 1]
    for q in range(last.size):
        ends[q] = volt
        last[q] += far[q] * volt
    for k in range(n - 2, -1, -1):
        _gather(nodes[k], nodes[k + 1], ratio[k + 1])
    _spread(ends, ratio[0], near, nodes[0])
    for k in range(1, n):
        _spread(nodes[k - 1], ratio[k], segment, nodes[k])


@part
def _drive_alone(g: Array, near: Array, segment: Array, far: Array, ratio: Array, after: Array, nodes: Array) -> None:
    """Voltages ``nodes`` of lines that 1 V drives, each alone.

    ``g``, ``ratio`` and ``after`` are those of :func:`_look_outwards`; ``after`` may be ``nodes``.
    """
    _look_outwards(g, near, segment, far, ratio, after)
    nodes[:] = 0.0
    _settle(ratio, near, segment, far, 1.0, nodes)


@part
def _turn_four(x0: Array, x1: Array, x2: Array, x3: Array, first: int, out: Array) -> None:
    for j in range(x0.size):
        row = out[j, first : first + 4]
        row[0] = x0[j]
        row[1] = x1[j]
        row[2] = x2[j]
        row[3] = x3[j]


@part
def _turn(x: Array, out: Array) -> None:
    """Transpose a plane."""
    n = x.shape[0] // 4 * 4
    for i in range(0, n, 4):
        _turn_four(x[i], x[i + 1], x[i + 2], x[i + 3], i, out)
    for i in range(n, x.shape[0]):
        for j in range(x.shape[1]):
            out[j, i] = x[i, j]


@part
def _multiply_row(x: Array, y: Array, out: Array) -> None:
    for q in range(out.size):
        out[q] = x[q] * y[q]


@summing_part
def _add(x: Array) -> float:
    total = 0.0
    for q in range(x.size):
        total += x[q]
    return total


@part
def _total(x: Array) -> float:
    total = 0.0
    for k in range(x.shape[0]):
        total += _add(x[k])
    return total


@part
def _multiply(x: Array, y: Array, out: Array) -> None:
    for k in range(x.shape[0]):
        _multiply_row(x[k], y[k], out[k])


@part
def _combine(
    driven_share: float,
    sensed: Array,
    alone: Array,
    inputs: Array,
    outputs: Array,
    weight: Array,
    square: Array,
) -> None:
    """Weights of the cells of a row, and their mean squared voltages.

    ``sensed``: voltages across the cells where 1 V drives their output line alone, ``alone``: where it drives their
    input line alone; ``inputs`` and ``outputs``: those of their lines where it drives all input lines.
    """
    for q in range(weight.size):
        together = inputs[q] - outputs[q]
        square[q] = min(driven_share * together * together + (1.0 - driven_share) * alone[q] * alone[q], 1.0)
        weight[q] = min(sensed[q] * np.sqrt(square[q]), 1.0)


@fused_kernel
def weigh_noise(
    g: Array,
    in_near: Array,
    in_segment: Array,
    in_far: Array,
    out_near: Array,
    out_segment: Array,
    out_far: Array,
    driven_share: float,
    start: int,
    stop: int,
    work: Array,
    weight: Array,
    square: Array,
) -> None:
    """Weights of the noise of the cells of many arrays, 0 to 1.

    Parameters
    ----------
    g
        (n_arrays, n_inputs, n_outputs) siemens, turned so that input lines are driven beside output 0 and output lines
        sensed beside input 0.
    in_near, in_segment, in_far
        (n_inputs,) ohm from the source to the first cell, ohm of a segment, and siemens from the last cell to a second
        terminal; 0 where there is none.
    out_near, out_segment, out_far
        (n_outputs,) likewise, from the read circuit.
    driven_share
        Share of the rows that are driven, 0 (a single one) to 1.
    start, stop
        Arrays to do.
    work
        (``WEIGHT_PLANES`` * n_inputs * n_outputs,) at least.
    weight
        Out: like ``g``.
    square
        Out: like ``g``, the mean squared voltage of each cell for each row driven with 1 V, 0 to 1.
    """
    n_inputs, n_outputs = g.shape[1], g.shape[2]
    half = 6 * n_inputs * n_outputs
    planes = work[:half].reshape(6, n_inputs, n_outputs)
    turned_planes = work[half : half + 5 * n_inputs * n_outputs].reshape(5, n_outputs, n_inputs)
    # With an input line in every row; the other planes are transposed, so that loops run across the lines.
    out_ratio, share, alone, sensed, outputs, inputs = planes[0], planes[1], planes[2], planes[3], planes[4], planes[5]
    turned, in_ratio, in_share = turned_planes[0], turned_planes[1], turned_planes[2]
    turned_inputs, behind = turned_planes[3], turned_planes[4]
    for n in range(start, stop):
        cells = g[n]
        _turn(cells, turned)
        # One input line, each of its cells in series with an output line.
        _look_outwards(cells, out_near, out_segment, out_far, out_ratio, share)
        _share_of_cells(cells, cells, out_near, out_segment, share)
        _multiply(cells, share, inputs)
        _turn(inputs, behind)
        _drive_alone(behind, in_near, in_segment, in_far, in_ratio, in_share, turned_inputs)
        _turn(turned_inputs, alone)
        _multiply(alone, share, alone)
        # One output line, each of its cells in series with an input line.
        _share_of_cells(turned, behind, in_near, in_segment, in_share)
        _turn(in_share, share)
        _multiply(cells, share, inputs)
        _drive_alone(inputs, out_near, out_segment, out_far, sensed, outputs, outputs)
        _multiply(outputs, share, sensed)
        # All input lines.
        _look_outwards(turned, in_near, in_segment, in_far, in_ratio, in_share)
        outputs[:] = 0.0
        before, change = 0.0, 0.0
        for _ in range(_MOST_SWEEPS):
            _turn(outputs, turned_inputs)
            _multiply(turned_inputs, turned, turned_inputs)
            _settle(in_ratio, in_near, in_segment, in_far, 1.0, turned_inputs)
            _turn(turned_inputs, inputs)
            _multiply(inputs, cells, outputs)
            _settle(out_ratio, out_near, out_segment, out_far, 0.0, outputs)
            # What each sweep adds falls by about the same factor each time, and so does the sum of all that follow.
            total = _total(outputs)
            last, change, before = change, total - before, total
            if change * change <= _TOLERANCE * total * (last - change):
                break
        for i in range(n_inputs):
            _combine(driven_share, sensed[i], alone[i], inputs[i], outputs[i], weight[n, i], square[n, i])


def smallest() -> None:
    """Weigh the noise of one cell."""
    one, line = np.ones((1, 1, 1)), np.ones(1)
    weigh_noise(one, *(line,) * 6, 0.5, 0, 1, np.empty(WEIGHT_PLANES), one.copy(), one.copy())
