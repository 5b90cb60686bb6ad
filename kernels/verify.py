"""Kirchhoff's laws on a solved array."""

import numpy as np

from ._jit import fused_table_kernel, fused_table_part, inlined_part, summing_part
from ._ladders import dot
from .circuit import Array, LineTable

__all__ = ["smallest", "verify"]


@fused_table_part
def _note_worst(n: int, before: Array, ohm: Array, flow: Array, here: Array, worst: Array) -> None:
    for j in range(n):
        gap = abs(before[j] - ohm[j] * flow[j] - here[j])
        worst[j] = max(worst[j], gap)


@summing_part
def _heat(n: int, ohm: Array, flow: Array) -> float:
    total = 0.0
    for j in range(n):
        total += ohm[j] * flow[j] * flow[j]
    return total


@inlined_part
def _balance_floating(n: int, current: Array, a: Array, b: Array, along: Array) -> float:
    """Currents along a line that nothing enters; what their sum lacks of zero, in volts across cells that conduct."""
    flow, largest, across = 0.0, 0.0, 0.0
    for j in range(n):
        along[j] = flow
        flow -= current[j]
        if current[j] != 0.0:
            largest = max(largest, abs(current[j]))
            across = max(across, abs(a[j] - b[j]))
    return abs(flow) / largest * across if largest > 0.0 else 0.0


@inlined_part
def _add_flows(n: int, current: Array, near: float, segment: float, far: float, along: Array) -> None:
    """Currents along an input line from those of its cells."""
    if far > 0.0:
        total = 0.0
        moment = 0.0
        for j in range(n):
            total += current[j]
            moment += current[j] * (n - 1 - j)
        flow = (moment * segment + total / far) / (near + (n - 1) * segment + 1.0 / far)
        for j in range(n):
            along[j] = flow
            flow -= current[j]
        along[n] = flow
    else:
        flow = 0.0
        for j in range(n - 1, -1, -1):
            flow += current[j]
            along[j] = flow


@inlined_part
def _check_inputs(
    n_columns: int,
    cells: Array,
    current: Array,
    a: Array,
    b: Array,
    volt: Array,
    lines: LineTable,
    with_power: bool,
    along: Array,
    worst: Array,
    ohm: Array,
) -> tuple[float, float, float]:
    """The input lines: largest violation at their ends, power of the sources, power in lines and cells.

    The largest violations along them go into ``worst``, column by column.
    """
    near, segment, far = lines.near, lines.segment, lines.far
    most = 0.0
    given = 0.0
    heat = 0.0
    for i in range(current.shape[0]):
        i_row, a_row, b_row, flow = current[i], a[i], b[i], along[i]
        flow[n_columns] = 0.0
        if lines.floating[i]:
            most = max(most, _balance_floating(n_columns, i_row, a_row, b_row, flow))
        else:
            _add_flows(n_columns, i_row, near[i], segment[i], far[i], flow)
            gap = abs(volt[i] - near[i] * flow[0] - a_row[0])
            if gap > most:
                # Behind a large resistance it is the missing current that moves the line.
                siemens = 0.0
                for j in range(n_columns):
                    siemens += cells[i, j]
                most = max(most, gap / (1.0 + near[i] * siemens))
            heat += near[i] * flow[0] * flow[0]
        for j in range(n_columns):
            ohm[j] = segment[i]
        _note_worst(n_columns - 1, a_row, ohm, flow[1:], a_row[1:], worst)
        if with_power:
            heat += _heat(n_columns - 1, ohm, flow[1:])
            heat += dot(n_columns, i_row, a_row) - dot(n_columns, i_row, b_row)
        if far[i] > 0.0:
            last = flow[n_columns]
            most = max(most, abs(a_row[n_columns - 1] - last / far[i] - volt[i]))
            heat += last * last / far[i]
        given += volt[i] * (flow[0] - flow[n_columns])
    return most, given, heat


@inlined_part
def _check_outputs(
    n_columns: int,
    cells: Array,
    current: Array,
    b: Array,
    lines: LineTable,
    down: Array,
    worst: Array,
    most: float,
    heat: float,
) -> tuple[float, float]:
    """The output lines: ``most``, or their largest violation if that is more, and ``heat`` with their power."""
    bottom, out_segment, top = lines.bottom, lines.out_segment, lines.top
    n_rows = current.shape[0]
    for j in range(n_columns):
        down[0, j] = 0.0
        if top[j] > 0.0:
            total = 0.0
            moment = 0.0
            for i in range(n_rows):
                total += current[i, j]
                moment += current[i, j] * (n_rows - 1 - i)
            upward = (moment * out_segment[j] + total * bottom[j]) / (
                bottom[j] + (n_rows - 1) * out_segment[j] + 1.0 / top[j]
            )
            most = max(most, abs(b[0, j] - upward / top[j]))
            heat += upward * upward / top[j]
            down[0, j] = -upward
    for i in range(n_rows):
        i_row, above, flow = current[i], down[i], down[i + 1]
        for j in range(n_columns):
            flow[j] = above[j] + i_row[j]
        if i < n_rows - 1:
            _note_worst(n_columns, b[i], out_segment, flow, b[i + 1], worst)
        heat += _heat(n_columns, bottom if i == n_rows - 1 else out_segment, flow)
    for j in range(n_columns):
        most = max(most, worst[j])
        gap = abs(b[n_rows - 1, j] - bottom[j] * down[n_rows, j])
        if gap > most:
            siemens = 0.0
            for i in range(n_rows):
                siemens += cells[i, j]
            most = max(most, gap / (1.0 + bottom[j] * siemens))
    return most, heat


@fused_table_kernel
def verify(
    n_columns: int,
    cells: Array,
    current: Array,
    a: Array,
    b: Array,
    volt: Array,
    lines: LineTable,
    with_power: bool,
    along: Array,
    down: Array,
    worst: Array,
    ohm: Array,
) -> tuple[float, float, float]:
    """Kirchhoff's laws on a solution: the currents of the lines follow from the cells, and the voltages must agree.

    Parameters
    ----------
    n_columns
        N; rows may be longer.
    cells, current
        (M, N) slopes of the cells, siemens, and their currents, ampere.
    a, b, volt
        Voltages of the nodes (M, N) and of the sources (M,).
    lines
        The lines; at a floating one no current enters, whatever its voltage.
    with_power
        Whether the powers and the currents of the output lines are wanted; if not, the powers are 0 and the voltage law
        is checked on the input lines alone, which are those that were solved by iteration.
    along, down
        Out: (M, N + 1) and (M + 1, N) ampere along the lines, in the direction of the index: [i, 0] enters at the near
        end, [i, N] leaves at the far end.
    worst, ohm
        (N,) rows to work in.

    Returns
    -------
    tuple of float
        The largest violation of the voltage law, volt; watts from the sources; watts in cells and lines.
    """
    for j in range(n_columns):
        worst[j] = 0.0
    most, given, heat = _check_inputs(n_columns, cells, current, a, b, volt, lines, with_power, along, worst, ohm)
    if not with_power:
        # The output lines were solved directly, without an iteration that could have missed.
        for j in range(n_columns):
            most = max(most, worst[j])
        return most if np.isfinite(given) else np.inf, 0.0, 0.0
    most, heat = _check_outputs(n_columns, cells, current, b, lines, down, worst, most, heat)
    # No comparison is true of what is no number, and a sum keeps it.
    return most if np.isfinite(given + heat) else np.inf, given, heat


def smallest() -> None:
    """Run the check once, on one cell."""
    cell, line = np.ones((1, 1)), np.ones(1)
    lines = LineTable(line, line, line, line, line, line, np.zeros(1, np.int64))
    flows = np.empty((1, 2)), np.empty((2, 1)), np.empty(1), np.empty(1)
    verify(1, cell, cell, cell, cell, line, lines, True, *flows)
