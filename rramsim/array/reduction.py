"""The transconductance matrix of an array by hierarchical terminal reduction, exact and without a subtraction."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rramsim.arrays import FloatArray, IntArray
from rramsim.errors import SpecError
from rramsim.kernels.reduction import HUGE, LANES, TILE, merge_blocks, reduce_tiles
from rramsim.threads import run_slices, scratch, thread_count

from .wires import Lines, WireSpec, power_of_four

__all__ = ["checked_conductance", "checked_dtype", "reduce_arrays", "transconductances"]


_PACKED = 4 * TILE * (4 * TILE - 1) // 2
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
    keep_far, keep_top = bool(lines.input_far.any()), bool(lines.output_near.any())
    # Relative to about the largest cell; a wire without resistance conducts without measure, but finitely.
    ohm = np.concatenate((lines.input_segment, lines.input_near, lines.output_segment, lines.output_far)) * siemens
    wires = (1.0 / np.maximum(ohm, 1.0 / HUGE)).astype(dtype)
    ends = (np.concatenate((lines.input_far, lines.output_near)) / siemens).astype(dtype)
    edges = (n_inputs, 2 * n_inputs, 2 * n_inputs + n_outputs)
    left, first_left, below, last_below = (wires[each] for each in map(slice, (0, *edges), (*edges, len(wires))))
    far = ends[: n_inputs if keep_far else 0]
    top = ends[n_inputs : len(ends) if keep_top else n_inputs]
    one_array = n_arrays == 1 and threads > 1 and n_inputs * n_outputs >= _WORTH_A_THREAD
    plan = _plan(n_inputs, n_outputs, keep_far, keep_top, one_array)
    t = np.empty(g.shape, dtype=dtype)

    corners, merges, maps, inner_size = _inner_merges()
    sizes = (LANES * (inner_size + 45 * TILE * TILE), plan.n_tiles * _PACKED, plan.size)

    def reduce_inner(k: int, start: int, stop: int, lanes: NDArray[Any], tiles: NDArray[Any]) -> None:
        cells = (g[k] / siemens).astype(dtype, copy=False)
        orders = _orders()[1], plan.order_of_tile
        inner = corners, merges, maps, inner_size
        reduce_tiles(cells, left, first_left, below, last_below, *inner, *orders, start, stop, lanes, tiles)

    def take(k: int, work: NDArray[Any]) -> None:
        last = plan.ops[-1]
        graph = work[last[0] : last[0] + last[1] * last[2]].reshape(last[1], last[2])
        np.multiply(graph[last[4] : last[4] + n_outputs, last[5] : last[1]].T, siemens, out=t[k])

    def reduce_some(start: int, stop: int) -> None:
        lanes, tiles, work = _scratch(dtype, sizes)
        for k in range(start, stop):
            reduce_inner(k, 0, plan.n_tiles, lanes, tiles)
            merge_blocks(plan.ops, 0, len(plan.ops), tiles, far, top, work)
            take(k, work)

    if not one_array:
        run_slices(reduce_some, n_arrays, threads)
        return t
    _, tiles, work = _scratch(dtype, sizes)
    run_slices(
        lambda start, stop: reduce_inner(0, start, stop, np.empty(sizes[0], dtype=dtype), tiles), plan.n_tiles, threads
    )
    parts = (0, *plan.halves)

    def merge_halves(start: int, stop: int) -> None:
        merge_blocks(plan.ops, parts[start], parts[stop], tiles, far, top, work)

    run_slices(merge_halves, 2, threads)
    merge_blocks(plan.ops, plan.halves[1], len(plan.ops), tiles, far, top, work)
    take(0, work)
    return t


def _scratch(dtype: np.dtype[Any], sizes: tuple[int, ...]) -> list[NDArray[Any]]:
    """Uninitialised arrays of these sizes."""
    buffer = scratch(dtype, sum(sizes))
    return [buffer[start:stop] for start, stop in pairwise(accumulate(sizes, initial=0))]


@dataclass(frozen=True)
class _Plan:
    """The order in which the tiles of an array of one shape are merged, as the kernels read it.

    Parameters
    ----------
    ops
        (n_ops, 36) merges, children before parents: those of the first half of the array, of the second, the last.
    halves
        How many merges finish the first half, and both.
    size
        Numbers that the graphs take.
    n_tiles
        Tiles of the array.
    order_of_tile
        (n_tiles,) the order in which the ports of each tile are eliminated, a row of ``_orders()``.
    """

    ops: IntArray
    halves: tuple[int, int]
    size: int
    n_tiles: int
    order_of_tile: IntArray


@dataclass
class _Block:
    """A rectangle of tiles and the smaller ones that it is made of: none (a tile), one (it is that one) or two."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    children: tuple["_Block", ...] = ()
    level: int = 0
    side_by_side: bool = True


@dataclass
class _Graph:
    """Where a block's graph stands: its ports left, in the order in which they are eliminated later."""

    block: _Block
    levels: dict[str, int]
    slot: tuple[int, int, int] | None = None
    n_shared: int = 0
    stride: int = 0

    @property
    def ports(self) -> list[str]:
        return sorted((name for name, level in self.levels.items() if level != _NEVER), key=self.levels.__getitem__)


_GROUND, _SOURCE, _NEVER = 10**6, 10**6 + 1, -1
"""When the virtual grounds and the sources would be eliminated; and the mark of ports that lead nowhere."""


def _tree(down: int, across: int) -> _Block:
    """Merge neighbours into squares or halves of squares until one block is left."""
    grid = [[_Block((i, i + 1), (j, j + 1)) for j in range(across)] for i in range(down)]
    level, height, width = 0, 1, 1
    while len(grid) * len(grid[0]) > 1:
        level += 1
        side_by_side = len(grid[0]) > 1 and (len(grid) == 1 or width <= height)
        if side_by_side:
            width *= 2
            parts = [[tuple(row[j : j + 2]) for j in range(0, len(row), 2)] for row in grid]
        else:
            height *= 2
            columns = range(len(grid[0]))
            parts = [[tuple(row[j] for row in grid[i : i + 2]) for j in columns] for i in range(0, len(grid), 2)]
        grid = [[_joined(part, level, side_by_side) for part in row] for row in parts]
    return grid[0][0]


def _joined(part: tuple[_Block, ...], level: int, side_by_side: bool) -> _Block:
    first, last = part[0], part[-1]
    return _Block((first.rows[0], last.rows[1]), (first.columns[0], last.columns[1]), part, level, side_by_side)


class _Planner:
    """Writes down the merges of an array, children before parents.

    Graphs that exist at the same time have slots of their own, by (half of the array, depth, which child).
    """

    def __init__(self, n_rows: int, n_columns: int, apart: bool) -> None:
        self.n_rows, self.n_columns, self.apart = n_rows, n_columns, apart
        self.down, self.across = -(-n_rows // TILE), -(-n_columns // TILE)
        self.ops: list[list[int]] = []
        self.children: list[list[_Graph]] = []
        self.slots: dict[tuple[int, int, int], int] = {}
        self.halves = (0, 0)
        self.order_of_tile = np.zeros(self.down * self.across, dtype=np.int64)

    def emit(self, block: _Block, levels: dict[str, int], slot: tuple[int, int, int]) -> _Graph:
        """Write the merges of a block whose ports are eliminated at these levels."""
        if not block.children:
            return _Graph(block, levels)
        if len(block.children) == 1:
            return self.emit(block.children[0], levels, slot)
        mine, theirs = ("R", "L") if block.side_by_side else ("B", "T")
        half, depth, _ = slot
        one = self.emit(block.children[0], {**levels, mine: block.level}, (half, depth + 1, 0))
        first = len(self.ops)
        other_half = 1 if self.apart and depth == 0 else half
        two = self.emit(block.children[1], {**levels, theirs: block.level}, (other_half, depth + 1, 1))
        if depth == 0:
            self.halves = (first, len(self.ops))
        return self.merge(block, levels, slot, [one, two], (mine, theirs))

    def merge(
        self,
        block: _Block,
        levels: dict[str, int],
        slot: tuple[int, int, int],
        parts: list[_Graph],
        interface: tuple[str, ...] = (),
    ) -> _Graph:
        """Write one merge; a single part only loses its ports that lead nowhere."""
        places: list[dict[str, int]] = [{} for _ in parts]
        n = 0
        for part, place in zip(parts, places, strict=True):
            for name in "RT":
                ends_here = (
                    part.slot is None if part.levels[name] == _NEVER else len(parts) == 1 and levels[name] == _NEVER
                )
                if ends_here:
                    place[name] = n
                    n += self.length(part.block, name)
        for place, name in zip(places, interface, strict=False):
            place[name] = n
        n += self.length(parts[0].block, interface[0]) if interface else 0
        graph = _Graph(block, levels, slot, n)
        first_ground = first_source = None
        for name in graph.ports:
            if levels[name] == _GROUND:
                first_ground = n
            if levels[name] == _SOURCE:
                first_source = n
            for part, place in zip(parts, places, strict=True):
                if name not in place and part.levels[name] != _NEVER:
                    place[name] = n
                    n += self.length(part.block, name)
        first_source = n if first_source is None else first_source
        first_ground = first_source if first_ground is None else first_ground
        graph.stride = 8 * ((n + 7) // 8 | 1)
        closing = len(parts) == 1 and parts[0].slot is not None
        op = [0, n, graph.stride, graph.n_shared, first_ground, first_source]
        for part, place in zip(parts, places, strict=True):
            op += self.child(part, place, closing)
        op += [-1] + [0] * 14 if len(parts) == 1 else []
        self.slots[slot] = max(self.slots.get(slot, 0), n * graph.stride)
        self.ops.append(op)
        self.children.append([graph, *parts])
        return graph

    def child(self, part: _Graph, place: dict[str, int], closing: bool) -> list[int]:
        """Kind, tile or (later) place, stride and runs of a child."""
        if part.slot is None:
            # Ports that lead nowhere, eliminated at once, come first.
            names = sorted("LRTB", key=part.levels.__getitem__)
            tile = part.block.rows[0] * self.across + part.block.columns[0]
            self.order_of_tile[tile] = _orders()[0].index("".join(names))
            # Rows fill up a tile from below.
            starts = [
                TILE * k + (TILE - self.length(part.block, name) if name in "LR" else 0) for k, name in enumerate(names)
            ]
            op = [0, tile * _PACKED, 0]
        else:
            names = part.ports
            starts = list(accumulate((self.length(part.block, name) for name in names), initial=0))[: len(names)]
            op = [2 if closing else 1, 0, part.stride]
        runs = [[start, self.length(part.block, name), place[name]] for name, start in zip(names, starts, strict=True)]
        runs += [[0, 0, 0]] * (4 - len(runs))
        return op + [number for run in runs for number in run]

    def length(self, block: _Block, name: str) -> int:
        """Ports of a block on one side: its rows or its columns, without those that only fill up a tile."""
        if name in "LR":
            return int(block.rows[1] * TILE - max(block.rows[0] * TILE, self.down * TILE - self.n_rows))
        return int(min(block.columns[1] * TILE, self.n_columns) - block.columns[0] * TILE)

    def plan(self, keep_far: bool, keep_top: bool) -> _Plan:
        """All merges of the array."""
        root = _tree(self.down, self.across)
        levels = {"L": _SOURCE, "R": _GROUND - 2 if keep_far else _NEVER, "B": _GROUND}
        levels["T"] = _GROUND - 1 if keep_top else _NEVER
        graph = self.emit(root, levels, (0, 0, 0))
        if graph.slot is None:
            graph = self.merge(root, levels, (0, 0, 0), [graph])
        if keep_far or keep_top:
            graph = self.merge(root, {**levels, "R": _NEVER, "T": _NEVER}, (0, 0, 1), [graph])
        places = dict(zip(self.slots, accumulate(self.slots.values(), initial=0), strict=False))
        for op, (own, *parts) in zip(self.ops, self.children, strict=True):
            op[0] = places[own.slot]  # type: ignore[index]
            for k, part in enumerate(parts):
                if part.slot is not None:
                    op[6 + 15 * k + 1] = places[part.slot] + part.n_shared * (part.stride + 1)
        return _Plan(
            np.array(self.ops), self.halves, sum(self.slots.values()), self.down * self.across, self.order_of_tile
        )


@lru_cache(maxsize=64)
def _plan(n_rows: int, n_columns: int, keep_far: bool, keep_top: bool, apart: bool) -> _Plan:
    return _Planner(n_rows, n_columns, apart).plan(keep_far, keep_top)


@lru_cache(maxsize=1)
def _orders() -> tuple[list[str], IntArray]:
    """Every order of the ports L, R, T, B of a tile, and where it puts the weights: from lower to upper triangle."""
    names = ["".join(each) for each in permutations("LRTB")]
    n_ports = 4 * TILE
    p, q = np.tril_indices(n_ports, -1)
    places = []
    for order in names:
        port = np.concatenate([TILE * order.index(name) + np.arange(TILE) for name in "LRTB"])
        low, high = np.minimum(port[p], port[q]), np.maximum(port[p], port[q])
        places.append(low * (2 * n_ports - 1 - low) // 2 + high - low - 1)
    return names, np.array(places)


@lru_cache(maxsize=1)
def _inner_merges() -> tuple[IntArray, IntArray, IntArray, int]:
    """How a tile is merged from its blocks of 2 x 2 cells: their places, merges, maps of ports, and numbers in all.

    A graph of k ports is a packed lower triangle; its ports are L, R, T, B. Levels of merges take turns in two halves
    of the memory, as the children are no longer needed then.
    """
    half = TILE // 2
    turn, used = 0, [0, 0]
    largest = max(_PACKED, half * half * 28)

    def allocate(n_ports: int) -> int:
        used[turn] += n_ports * (n_ports - 1) // 2
        return int(turn * largest + used[turn] - n_ports * (n_ports - 1) // 2)

    grid = [[(allocate(8), 2, 2) for _ in range(half)] for _ in range(half)]
    corners = [place for row in grid for place, _, _ in row]
    ops: list[list[int]] = []
    maps: list[int] = []
    side_by_side = True
    while len(grid) * len(grid[0]) > 1:
        if side_by_side:
            pairs = [[(row[j], row[j + 1]) for j in range(0, len(row), 2)] for row in grid]
        else:
            pairs = [list(zip(grid[i], grid[i + 1], strict=True)) for i in range(0, len(grid), 2)]
        grid = []
        turn = 1 - turn
        used[turn] = 0
        for row in pairs:
            grid.append([])
            for (one, height, width), (two, _, _) in row:
                h, w = (height, 2 * width) if side_by_side else (2 * height, width)
                shared = list(range(height if side_by_side else width))
                left, right, top, bottom = np.split(len(shared) + np.arange(2 * h + 2 * w), [h, 2 * h, 2 * h + w])
                if side_by_side:
                    to_one = [*left, *shared, *top[:width], *bottom[:width]]
                    to_two = [*shared, *right, *top[width:], *bottom[width:]]
                else:
                    to_one = [*left[:height], *right[:height], *top, *shared]
                    to_two = [*left[height:], *right[height:], *shared, *bottom]
                place, ports = allocate(2 * h + 2 * w), 2 * height + 2 * width
                ops.append([one, ports, two, ports, place, len(shared), 2 * h + 2 * w, len(maps)])
                maps += to_one + to_two
                grid[-1].append((place, h, w))
        side_by_side = not side_by_side
    return np.array(corners), np.array(ops), np.array(maps, dtype=np.int64), largest + max(used[1], 2 * 276)
