"""The transconductance matrix of an array by hierarchical terminal reduction, exact and without a subtraction."""

from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.kernels.reduction import HUGE, LANES, TILE, merge_blocks, reduce_tiles
from rramsim.threads import run_slices, scratch, thread_count

from .reduction_plan import TILE_WEIGHTS, MergePlan, inner_merges, plan_merges, port_orders
from .wires import Lines, WireSpec, power_of_four

__all__ = ["checked_conductance", "checked_dtype", "reduce_arrays", "transconductances"]

_WORTH_A_THREAD = 256 * 256
"""Cells of one array above which its halves are reduced side by side."""


def transconductances(
    g: ArrayLike, wires: WireSpec, *, dtype: DTypeLike = np.float64, threads: int | None = None
) -> NDArray[Any]:
    """Exact transconductance matrices of many arrays of one shape, whose rows are the inputs.

    Parameters
    ----------
    g
        (..., n_rows, n_columns) conductances, siemens.
    wires
        Resistances of the lines.
    dtype
        float64, or float32 for less time and half the memory at an error of about 1e-6.
    threads
        At most so many; by default one per core. The result does not depend on it.

    Returns
    -------
    numpy.ndarray
        Same shape, siemens: ``i = v @ t`` for row voltages v and column currents i.

    Raises
    ------
    SpecError
        For negative or infinite conductances, or a list of resistances that does not fit.
    """
    cells, kind = checked_conductance(g, "transconductances"), checked_dtype(dtype)
    if wires.ideal:
        return cells.astype(kind)
    n_rows, n_columns = cells.shape[-2:]
    lines = Lines.of(wires, n_rows, n_columns, siemens=power_of_four(float(cells.max())))
    flat = np.ascontiguousarray(cells.reshape(-1, n_rows, n_columns)[:, :: lines.rows, :: lines.columns])
    t = reduce_arrays(flat, lines, kind, thread_count() if threads is None else threads)
    return np.ascontiguousarray(t[:, :: lines.rows, :: lines.columns]).reshape(cells.shape)


def checked_conductance(g: ArrayLike, what: str) -> FloatArray:
    """The conductances as float64, C-contiguous, if they can be those of passive cells; ``what`` asks for them."""
    array = np.ascontiguousarray(g, dtype=np.float64)
    if array.ndim < 2 or 0 in array.shape:
        raise SpecError(f"{what}: an array of cells has at least one row and one column; got shape {array.shape}")
    if not (array.min() >= 0 and array.max() < np.inf):
        place = tuple(int(k) for k in np.argwhere(~(np.isfinite(array) & (array >= 0)))[0])
        raise SpecError(
            f"{what}: conductances are finite and >= 0 siemens (0 is an open cell); got {array[place]} at index "
            f"{place}. A passive cell cannot have a negative or infinite conductance."
        )
    return array


def checked_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The type of a matrix, if the kernels have it."""
    kind = np.dtype(dtype)
    if kind not in (np.float64, np.float32):
        raise SpecError(f"transconductances are float64 or float32; got {kind}, which does not hold conductances well")
    return kind


def reduce_arrays(g: FloatArray, lines: Lines, dtype: np.dtype[Any], threads: int) -> NDArray[Any]:
    """Transconductances (n_arrays, n_inputs, n_outputs) of circuits that share their lines."""
    n_arrays, n_inputs, n_outputs = g.shape
    siemens = power_of_four(float(g.max()))
    wires = _relative_wires(lines, siemens, dtype)
    one_array = n_arrays == 1 and threads > 1 and n_inputs * n_outputs >= _WORTH_A_THREAD
    plan = plan_merges(n_inputs, n_outputs, wires.far.size > 0, wires.top.size > 0, one_array)
    inner, (_, orders) = inner_merges(), port_orders()
    sizes = (LANES * (inner.size + 45 * TILE * TILE), plan.n_tiles * TILE_WEIGHTS, plan.size)
    t = np.empty(g.shape, dtype=dtype)

    def reduce_some_tiles(k: int, start: int, stop: int, lanes: NDArray[Any], tiles: NDArray[Any]) -> None:
        cells = (g[k] / siemens).astype(dtype, copy=False)
        reduce_tiles(cells, *wires.inside, *inner, orders, plan.order_of_tile, start, stop, lanes, tiles)

    def merge(first: int, last: int, tiles: NDArray[Any], work: NDArray[Any]) -> None:
        merge_blocks(plan.ops, first, last, tiles, wires.far, wires.top, work)

    def reduce_some_arrays(start: int, stop: int) -> None:
        lanes, tiles, work = _scratch(dtype, sizes)
        for k in range(start, stop):
            reduce_some_tiles(k, 0, plan.n_tiles, lanes, tiles)
            merge(0, len(plan.ops), tiles, work)
            np.multiply(_last_weights(plan, work, n_outputs), siemens, out=t[k])

    if not one_array:
        run_slices(reduce_some_arrays, n_arrays, threads)
        return t
    _, tiles, work = _scratch(dtype, sizes)
    run_slices(
        lambda start, stop: reduce_some_tiles(0, start, stop, np.empty(sizes[0], dtype=dtype), tiles),
        plan.n_tiles,
        threads,
    )
    edges = (0, *plan.halves)
    run_slices(lambda start, stop: merge(edges[start], edges[stop], tiles, work), 2, threads)
    merge(plan.halves[1], len(plan.ops), tiles, work)
    np.multiply(_last_weights(plan, work, n_outputs), siemens, out=t[0])
    return t


class _RelativeWires(NamedTuple):
    """Conductances of wires relative to a cell, as the kernels take them.

    Parameters
    ----------
    inside
        (n_inputs,) of the wires left of a cell, and left of the first; (n_outputs,) of those below a cell, and below
        the last.
    far, top
        (n_inputs,) and (n_outputs,) to second terminals of the lines; of size 0 where no line has one.
    """

    inside: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
    far: NDArray[Any]
    top: NDArray[Any]


def _relative_wires(lines: Lines, siemens: float, dtype: np.dtype[Any]) -> _RelativeWires:
    """The wires relative to a cell of so many siemens; those without resistance conduct ``HUGE``."""
    far, top = lines.input_far, lines.output_near
    n_inputs, n_outputs = len(far), len(top)
    # All at once: for a small array the calls of NumPy count.
    ohm = np.concatenate((lines.input_segment, lines.input_near, lines.output_segment, lines.output_far)) * siemens
    wires = (1.0 / np.maximum(ohm, 1.0 / HUGE)).astype(dtype)
    ends = (np.concatenate((far, top)) / siemens).astype(dtype)
    outputs, last = 2 * n_inputs, 2 * n_inputs + n_outputs
    return _RelativeWires(
        (wires[:n_inputs], wires[n_inputs:outputs], wires[outputs:last], wires[last:]),
        ends[: n_inputs if far.any() else 0],
        ends[n_inputs : len(ends) if top.any() else n_inputs],
    )


def _last_weights(plan: MergePlan, work: NDArray[Any], n_outputs: int) -> NDArray[Any]:
    """Weights (n_inputs, n_outputs) of the last graph between the sources and the virtual grounds."""
    place, n_nodes, stride, _, first_ground, first_source = plan.ops[-1, :6].tolist()
    graph = work[place : place + n_nodes * stride].reshape(n_nodes, stride)
    return graph[first_ground : first_ground + n_outputs, first_source:n_nodes].T


def _scratch(dtype: np.dtype[Any], sizes: tuple[int, ...]) -> list[NDArray[Any]]:
    """Uninitialised arrays of these sizes."""
    buffer = scratch(dtype, sum(sizes))
    return [buffer[start:stop] for start, stop in pairwise(accumulate(sizes, initial=0))]
