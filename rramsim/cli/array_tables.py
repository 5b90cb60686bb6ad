"""One solved array, and what is said of it: its tables, and its heat maps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rramsim.array.solution import Solution
from rramsim.report.heatmap import output_errors, voltage_figure
from rramsim.report.style import picture
from rramsim.report.text import TextTable
from rramsim.units import quantity

from .array_input import ArrayInput

__all__ = ["SolvedArray", "array_table", "coupling_meaning", "current_table", "heat_maps", "solved_array"]

_NAMED = 16
"""Up to so many output currents are printed one by one."""

Row = tuple[str, str]


class SolvedArray(NamedTuple):
    """An array with its solutions.

    Parameters
    ----------
    array
        What was solved.
    solution, ideal
        The solution with the wires, and that without any.
    """

    array: ArrayInput
    solution: Solution
    ideal: Solution


def solved_array(array: ArrayInput) -> SolvedArray:
    """Solve an array with its wires and without any."""
    return SolvedArray(array, array.network().solve(array.v), array.network(ideal=True).solve(array.v))


def array_table(solved: SolvedArray) -> TextTable:
    """The array in figures: its cells, its IR drop, and how exact the solution is."""
    array = solved.array
    rows = [*_cells(array), *_evidence(solved), *_losses(solved)]
    if array.wires.word_line_farad or array.wires.bit_line_farad or array.wires.cell_farad:
        seconds = array.network().settling_time(0.01)
        rows.append(("settled to 1 %", f"after {quantity(float(np.max(seconds)), 's')}, the slowest output"))
    return TextTable("Array", ("figure", "value"), rows)


def _cells(array: ArrayInput) -> list[Row]:
    n_rows, n_columns = array.g.shape
    closed = array.g[array.g > 0]
    rows = [("cells", f"{n_rows} x {n_columns}, {array.use['inputs']} driven")]
    if closed.size:
        rows.append(("conductances", f"{quantity(closed.min(), 'S')} to {quantity(closed.max(), 'S')}"))
    if closed.size < array.g.size:
        rows.append(("open cells", str(array.g.size - closed.size)))
    if array.n_vectors > 1:
        rows.append(("input vectors", str(array.n_vectors)))
    return rows


def _evidence(solved: SolvedArray) -> list[Row]:
    evidence = solved.solution.evidence
    of_several = ", the largest" if solved.array.n_vectors > 1 else ""
    return [
        ("coupling x", f"{evidence.coupling:.3g}: {coupling_meaning(evidence.coupling)}"),
        ("iterations", str(evidence.iterations)),
        ("Kirchhoff residual", f"{evidence.residual:.1e} of the largest voltage"),
        ("power in", quantity(float(solved.solution.power_watt.max()), "W") + of_several),
        ("power balance error", f"{evidence.power_error:.1e}"),
    ]


def _losses(solved: SolvedArray) -> list[Row]:
    """The output and the cell that lose most."""
    array, solution, ideal = solved

    def vector(place: Sequence[np.intp]) -> str:
        return f", vector {', '.join(map(str, place))}" if place else ""

    errors, measure = output_errors(solution.currents, ideal.currents)
    worst = np.unravel_index(np.argmin(errors), errors.shape)
    loss = f"{100 * max(0.0, -errors[worst]):.3g} % of {measure}"
    rows = [("largest output loss", f"{loss}: {array.output} {worst[-1]}{vector(worst[:-1])}")]
    across, full = solution.word - solution.bit, ideal.word - ideal.bit
    lost = np.where(array.g > 0, np.copysign(1.0, full) * (full - across), -np.inf)
    place = np.unravel_index(np.argmax(lost), lost.shape)
    if np.isfinite(lost[place]):
        share = f" ({100 * lost[place] / abs(full[place]):.3g} %)" if full[place] else ""
        where = f"row {place[-2]}, column {place[-1]}{vector(place[:-2])}"
        rows.append(("largest cell loss", f"{quantity(float(lost[place]), 'V')}{share}: {where}"))
    return rows


def coupling_meaning(coupling: float) -> str:
    """What the coupling says of an array: while it is small, it is the share that the farthest cell loses."""
    if coupling == 0:
        return "the segments have no resistance"
    if coupling < 0.005:
        return "IR drop along the lines can be forgotten"
    if coupling < 0.05:
        return f"small; the lines take about {100 * coupling:.2g} % from the farthest cell"
    if coupling < 0.5:
        return "IR drop matters: the far cells lose a good part of their voltage"
    if coupling < 50:
        return "strong: the array does something else than a matrix product"
    return "the wires carry hardly any voltage to the far cells; check the units (siemens, ohm)"


def current_table(solved: SolvedArray) -> TextTable:
    """The output currents, one by one or in short, with and without wires."""
    array, solution, ideal = solved
    errors, measure = output_errors(solution.currents, ideal.currents)
    columns = (solution.currents, ideal.currents, errors)
    if errors.ndim == 1 and errors.size <= _NAMED:
        first, lines = array.output, [(str(k), *line) for k, line in enumerate(zip(*columns, strict=True))]
    else:
        kinds = {"smallest": "min", "mean": "mean", "largest": "max"}
        first, lines = "of all", [(name, *(getattr(each, f)() for each in columns)) for name, f in kinds.items()]
    rows = [(name, quantity(float(a), "A"), quantity(float(b), "A"), f"{100 * e:.3g} %") for name, a, b, e in lines]
    title = f"Output currents ({errors.shape[-1]} outputs); errors relative to {measure}"
    return TextTable(title, (first, "current", "without wires", "error"), rows)


def heat_maps(solved: SolvedArray, ending: str) -> bytes:
    """Heat maps of the first solution, as a file that ends in ``.png``, ``.svg`` or ``.pdf``."""
    array, solution, ideal = solved
    first = (0,) * (array.v.ndim - 1)
    n_rows, n_columns = array.g.shape
    title = f"{n_rows} x {n_columns} cells, coupling {solution.evidence.coupling:.3g}"
    if array.n_vectors > 1:
        title += f"; the first of {array.n_vectors} input vectors"
    figure = voltage_figure(
        solution.word[first],
        solution.bit[first],
        (ideal.word - ideal.bit)[first],
        solution.currents[first],
        ideal.currents[first],
        title=title,
        output=array.output,
    )
    return picture(figure, ending[1:])
