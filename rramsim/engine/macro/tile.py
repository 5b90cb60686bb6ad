"""One tile of a macro: integers written into the cells of an array, and what its converters see of them."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import BoolArray, FloatArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.errors import SpecError
from rramsim.rng import Streams

from .design import MacroDesign
from .mapping import Codes, digits, flip_columns

__all__ = ["ProgrammedTile", "WriteCost"]


class WriteCost(NamedTuple):
    """What writing a tile took: pulses, their energy, cells that missed their target, and the time, row by row."""

    n_pulses: int
    joule: float
    n_failed: int
    second: float

    @classmethod
    def of(cls, cells: ProgrammedCells) -> "WriteCost":
        """What cells (..., n_rows, n_columns) took; rows of a tile are written one after another, all tiles at once."""
        # A row takes as long as the cell that needs most pulses.
        rows = cells.write_second.max(axis=-1).sum(axis=-1)
        return cls(cells.n_pulses, cells.write_joule, cells.n_failed, float(rows.max()))


@dataclass(frozen=True)
class ProgrammedTile:
    """A written tile (of every matrix of a stack).

    Parameters
    ----------
    n_rows, n_outputs
        Rows and outputs in use.
    array
        Cells and wires: columns in use come first, output by output, slice by slice, line by line, then the unit
        column; None where the cells were forgotten.
    flipped
        (..., n_outputs, n_slices) columns that are stored inverted; None: none.
    row_conductance
        (..., n_rows) siemens: squared voltage times this is the power of a driven row's cells.
    write_cost
        What it took to write it.
    filled
        Which traps are filled, in the shape of the cells; None: each by chance at every read.
    """

    n_rows: int
    n_outputs: int
    array: ProgrammedArray | None
    flipped: BoolArray | None
    row_conductance: FloatArray
    write_cost: WriteCost
    filled: BoolArray | None = None

    @classmethod
    def written(
        cls,
        spec: MacroDesign,
        codes: Codes,
        name: tuple[object, ...],
        rng: Streams,
        cell_streams: Streams | None,
    ) -> "ProgrammedTile":
        """Write weights into a tile.

        Parameters
        ----------
        spec
            What is asked of the macro.
        codes
            (..., n_rows, n_outputs) weights as integers.
        name
            Name of the tile among the streams.
        rng
            For the errors of writing.
        cell_streams
            Where the first axis of ``codes`` is the same tile written again and again: the streams of its cells.
        """
        n_rows, n_outputs = codes.shape[-2:]
        target, flipped = _targets(spec, codes)
        beyond = [(0, 0)] * (target.ndim - 2) + [
            (0, spec.tile_rows - n_rows),
            (0, spec.tile_columns - target.shape[-1]),
        ]
        if spec.unused_cells == "low":
            target = np.pad(target, beyond, constant_values=spec.device.g_min_siemens)
        cells = spec.device.program(target, cell_rng=cell_streams and cell_streams.child(*name), rng=rng.child(*name))
        cost = WriteCost.of(cells)
        if spec.unused_cells == "open":
            cells = cells.rearranged(lambda each: np.pad(each, beyond))
        array = ProgrammedArray.wired(cells, spec.wires, spec.read_volt, driven_share=spec.driven_share)
        return cls(n_rows, n_outputs, array, flipped, array.row_conductance[..., :n_rows], cost)

    @property
    def checked_array(self) -> ProgrammedArray:
        """Cells and wires; SpecError where the cells were forgotten."""
        if self.array is None:
            raise SpecError(
                "macro: it was programmed with keep_cells=False, so its cells are gone; program it with keep_cells=True"
            )
        return self.array

    @property
    def without_cells(self) -> "ProgrammedTile":
        """The tile as what is known of it once its cells are forgotten."""
        return replace(self, array=None)

    def rewired(self, spec: MacroDesign, filled: BoolArray | None = None) -> "ProgrammedTile":
        """The tile at the time of the read of ``spec.device``, or with traps in given states."""
        cells = replace(self.checked_array.cells, spec=spec.device)
        array = ProgrammedArray.wired(cells, spec.wires, spec.read_volt, filled=filled, driven_share=spec.driven_share)
        return replace(self, array=array, filled=filled, row_conductance=array.row_conductance[..., : self.n_rows])

    def channels(self, spec: MacroDesign, values: FloatArray) -> FloatArray:
        """Values (..., rows, columns) by output, slice and line: (..., n_rows, n_outputs, n_slices, n_lines)."""
        n_columns = self.n_outputs * len(spec.widths) * spec.n_lines
        used = values[..., : self.n_rows, :n_columns]
        return used.reshape(*used.shape[:-1], self.n_outputs, len(spec.widths), spec.n_lines)

    def unit_column(self, spec: MacroDesign, values: FloatArray) -> FloatArray:
        """Values of the unit column: (..., n_rows)."""
        return values[..., : self.n_rows, self.n_outputs * len(spec.widths) * spec.n_lines]


def _targets(spec: MacroDesign, codes: Codes) -> tuple[FloatArray, BoolArray | None]:
    """Conductances (..., n_rows, columns in use) that hold integers, and which columns they invert."""
    levels, flipped = digits(codes, spec.weight_bits, spec.widths, spec.weight_coding), None
    if spec.invert_heavy_columns:
        levels, flipped = flip_columns(levels, spec.widths)
    lowest = spec.device.g_min_siemens
    target = lowest + spec.unit_siemens[:, None] * levels
    target = target.reshape(*target.shape[:-3], -1)
    if spec.has_unit_column:
        unit = np.full((*target.shape[:-1], 1), lowest + spec.unit_level * spec.unit_siemens[0])
        target = np.concatenate([target, unit], axis=-1)
    return target, flipped
