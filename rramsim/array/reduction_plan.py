"""How an array is merged from its tiles, and a tile from its blocks of 2 x 2 cells: the lists that the kernels read."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, permutations
from typing import NamedTuple

import numpy as np

from rramsim.arrays import IntArray
from rramsim.kernels.reduction import TILE

__all__ = ["TILE_WEIGHTS", "InnerMerges", "MergePlan", "inner_merges", "plan_merges", "port_orders"]

TILE_WEIGHTS = 4 * TILE * (4 * TILE - 1) // 2
"""Weights between the ports of a tile."""


@dataclass(frozen=True)
class MergePlan:
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
        (n_tiles,) the order in which the ports of each tile are eliminated, a row of ``port_orders()``.
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
        self.graphs: list[list[_Graph]] = []
        self.slots: dict[tuple[int, int, int], int] = {}
        self.halves = (0, 0)
        self.order_of_tile = np.zeros(self.down * self.across, dtype=np.int64)

    def emit(self, block: _Block, levels: dict[str, int], slot: tuple[int, int, int]) -> _Graph:
        """Write the merges of a block whose ports are eliminated at these levels."""
        if not block.children:
            return _Graph(block, levels)
        if len(block.children) == 1:
            return self.emit(block.children[0], levels, slot)
        first_side, second_side = ("R", "L") if block.side_by_side else ("B", "T")
        half, depth, _ = slot
        one = self.emit(block.children[0], {**levels, first_side: block.level}, (half, depth + 1, 0))
        first = len(self.ops)
        other_half = 1 if self.apart and depth == 0 else half
        two = self.emit(block.children[1], {**levels, second_side: block.level}, (other_half, depth + 1, 1))
        if depth == 0:
            self.halves = (first, len(self.ops))
        return self.merge(block, levels, slot, [one, two], (first_side, second_side))

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
        self.graphs.append([graph, *parts])
        return graph

    def child(self, part: _Graph, place: dict[str, int], closing: bool) -> list[int]:
        """Kind, tile or (later) place, stride and runs of a child."""
        if part.slot is None:
            # Ports that lead nowhere, eliminated at once, come first.
            names = sorted("LRTB", key=part.levels.__getitem__)
            tile = part.block.rows[0] * self.across + part.block.columns[0]
            self.order_of_tile[tile] = port_orders()[0].index("".join(names))
            # Rows fill up a tile from below.
            starts = [
                TILE * k + (TILE - self.length(part.block, name) if name in "LR" else 0) for k, name in enumerate(names)
            ]
            op = [0, tile * TILE_WEIGHTS, 0]
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

    def plan(self, keep_far: bool, keep_top: bool) -> MergePlan:
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
        for op, (parent, *parts) in zip(self.ops, self.graphs, strict=True):
            op[0] = places[parent.slot]  # type: ignore[index]
            for k, part in enumerate(parts):
                if part.slot is not None:
                    op[6 + 15 * k + 1] = places[part.slot] + part.n_shared * (part.stride + 1)
        return MergePlan(
            np.array(self.ops), self.halves, sum(self.slots.values()), self.down * self.across, self.order_of_tile
        )


@lru_cache(maxsize=64)
def plan_merges(n_rows: int, n_columns: int, keep_far: bool, keep_top: bool, apart: bool) -> MergePlan:
    """The merges of an array of this shape.

    Parameters
    ----------
    n_rows, n_columns
        Cells of the array.
    keep_far, keep_top
        Whether the input lines, or the output lines, have second terminals.
    apart
        Whether the halves of the array have memory of their own, so that they can be merged side by side.
    """
    return _Planner(n_rows, n_columns, apart).plan(keep_far, keep_top)


@lru_cache(maxsize=1)
def port_orders() -> tuple[list[str], IntArray]:
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


class InnerMerges(NamedTuple):
    """The merges within a tile, as the kernels read them.

    Parameters
    ----------
    corners
        (16,) places of the blocks of 2 x 2 cells.
    ops
        (n_ops, 8) merges, children before parents.
    maps
        Ports of the children in the graphs of their parents.
    size
        Numbers that the graphs take.
    """

    corners: IntArray
    ops: IntArray
    maps: IntArray
    size: int


@lru_cache(maxsize=1)
def inner_merges() -> InnerMerges:
    """How a tile is merged from its blocks of 2 x 2 cells.

    A graph of k ports is a packed lower triangle; its ports are L, R, T, B. Levels of merges take turns in two halves
    of the memory, as the children are no longer needed then.
    """
    half = TILE // 2
    turn, used = 0, [0, 0]
    largest = max(TILE_WEIGHTS, half * half * 28)

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
    size = largest + max(used[1], 2 * 276)
    return InnerMerges(np.array(corners), np.array(ops), np.array(maps, dtype=np.int64), size)
