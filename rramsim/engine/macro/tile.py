"""One tile of a macro: integers written into the cells of an array, and what its converters see of them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import BoolArray, FloatArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.errors import SpecError
from rramsim.rng import Streams

from .mapping import digits, flip_columns

if TYPE_CHECKING:
    from .programming import MacroSpec

__all__ = ["ProgrammedTile", "Writing"]


class Writing(NamedTuple):
    """What writing a tile took: pulses, their energy, cells that missed their target, and the time, row by row."""

    n_pulses: int
    joule: float
    n_failed: int
    second: float

    @classmethod
    def of(cls, cells: ProgrammedCells) -> "Writing":
        """Of cells (..., n_rows, n_columns); the rows of a tile are written one after another, all tiles at once."""
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
        Its cells and wires: columns in use come first, output by output, slice by slice, line by line, then the unit
        column; None where the cells are not kept.
    flipped
        (..., n_outputs, n_slices) columns that are stored inverted; None: none.
    row_conductance
        (..., n_rows) siemens: squared voltage times this is the power of a driven row's cells.
    writing
        What it took to write it.
    filled
        Which traps are filled, in the shape of the cells; None: each by chance at every read.
    """

    n_rows: int
    n_outputs: int
    array: ProgrammedArray | None
    flipped: BoolArray | None
    row_conductance: FloatArray
    writing: Writing
    filled: BoolArray | None = None

    @classmethod
    def written(
        cls, spec: "MacroSpec", codes: NDArray[np.int32], name: tuple[object, ...], rng: Streams, same: Streams | None
    ) -> "ProgrammedTile":
        """Write integers (..., n_rows, n_outputs); ``rng`` and ``same`` as in ``MacroSpec.program``."""
        n_rows, n_outputs = codes.shape[-2:]
        levels, flipped = digits(codes, spec.weight_bits, spec.widths, spec.signed), None
        if spec.flip:
            levels, flipped = flip_columns(levels, spec.widths)
        lowest = spec.device.g_min_siemens
        target = lowest + spec.unit_siemens[:, None] * levels
        target = target.reshape(*target.shape[:-3], -1)
        if spec.has_unit_column:
            unit = np.full((*target.shape[:-1], 1), lowest + spec.unit_level * spec.unit_siemens[0])
            target = np.concatenate([target, unit], axis=-1)
        beyond = [(0, 0)] * (target.ndim - 2) + [
            (0, spec.tile_rows - n_rows),
            (0, spec.tile_columns - target.shape[-1]),
        ]
        if spec.unused == "low":
            target = np.pad(target, beyond, constant_values=lowest)
        cells = spec.device.program(target, rng.child(*name), same and same.child(*name))
        writing = Writing.of(cells)
        if spec.unused == "open":
            cells = cells.rearranged(lambda each: np.pad(each, beyond))
        array = ProgrammedArray.wired(cells, spec.wires, spec.read_volt, driven_share=spec.driven_share)
        return cls(n_rows, n_outputs, array, flipped, array.row_conductance[..., :n_rows], writing)

    @property
    def kept(self) -> ProgrammedArray:
        """Its cells and wires; SpecError where the cells were not kept."""
        if self.array is None:
            raise SpecError(
                "macro: it was programmed with keep_cells=False, so its cells are gone; program it with keep_cells=True"
            )
        return self.array

    @property
    def without_cells(self) -> "ProgrammedTile":
        """The tile as what is known of it once its cells are forgotten."""
        return replace(self, array=None)

    def rewired(self, spec: "MacroSpec", filled: BoolArray | None = None) -> "ProgrammedTile":
        """The same cells at another time, or with traps in given states."""
        cells = replace(self.kept.cells, spec=spec.device)
        array = ProgrammedArray.wired(cells, spec.wires, spec.read_volt, filled=filled, driven_share=spec.driven_share)
        return replace(self, array=array, filled=filled, row_conductance=array.row_conductance[..., : self.n_rows])

    def channels(self, spec: "MacroSpec", values: FloatArray) -> FloatArray:
        """Values (..., rows, columns) by output, slice and line: (..., n_rows, n_outputs, n_slices, n_lines)."""
        n_columns = self.n_outputs * len(spec.widths) * spec.n_lines
        used = values[..., : self.n_rows, :n_columns]
        return used.reshape(*used.shape[:-1], self.n_outputs, len(spec.widths), spec.n_lines)

    def unit_column(self, spec: "MacroSpec", values: FloatArray) -> FloatArray:
        """Values of the unit column: (..., n_rows)."""
        return values[..., : self.n_rows, self.n_outputs * len(spec.widths) * spec.n_lines]
