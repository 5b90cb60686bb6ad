"""The converters and drivers around the tiles of a macro, and which of them serves which column."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.dac import ProgrammedDac
from rramsim.arrays import FloatArray
from rramsim.rng import Streams

from .design import MacroDesign
from .mapping import spans

__all__ = ["Converters", "Indices"]

Indices = NDArray[np.intp]
"""Numbers of tiles, channels and converters."""


@dataclass(frozen=True)
class Converters:
    """The converters and drivers around the tiles of a macro.

    Parameters
    ----------
    adc
        All converters, those of a tile one after another; None: ideal ones.
    dacs
        Drivers by row and column of tiles; empty: ideal ones.
    step_ampere
        (n_slices,) step of the converters.
    n_row_tiles, n_column_tiles, n_per_tile
        Numbers of tiles, and of converters of a tile.
    tile_set_of_matrix
        (n_matrices,) which of the physical sets of tiles holds each matrix.
    """

    adc: ProgrammedAdc | None
    dacs: dict[tuple[int, int], ProgrammedDac]
    step_ampere: FloatArray
    n_row_tiles: int
    n_column_tiles: int
    n_per_tile: int
    tile_set_of_matrix: Indices

    @classmethod
    def built(
        cls, spec: MacroDesign, shape: tuple[int, ...], current_ampere: float | None, rng: Streams, n_tile_sets: int
    ) -> "Converters":
        """Converters and drivers for weights of one shape; their errors belong to the tiles, not to what they hold.

        Parameters
        ----------
        spec
            What is asked of the macro.
        shape
            (..., n_in, n_out) of the weights.
        current_ampere
            Full scale found by calibration; None: found as the converter says.
        rng
            For the errors of converters and drivers.
        n_tile_sets
            Physical sets of tiles, which the matrices take in turns: fewer than matrices where tiles are written again.
        """
        n_in, n_out = shape[-2:]
        n_rows, n_columns = len(list(spans(n_in, spec.tile_rows))), len(list(spans(n_out, spec.outputs_per_tile)))
        channels = min(n_out, spec.outputs_per_tile) * spec.n_channels + spec.has_unit_column
        per_tile = 1 if spec.adc is None or spec.adc.columns is None else -(-channels // spec.adc.columns)
        tile_set_of_matrix = np.arange(int(np.prod(shape[:-2]))) % n_tile_sets
        if spec.adc is None:
            steps, adc = spec.step_volt * spec.unit_siemens, None
        else:
            steps = spec.step_ampere(min(n_in, spec.tile_rows), current_ampere)
            number = n_tile_sets * n_rows * n_columns * per_tile
            adc = spec.adc.program(number, signed=spec.signed_codes, rng=rng.child("adc"))
        dacs = {
            (r, c): spec.dac.program(min(n_in, spec.tile_rows), rng=rng.child("dac", r, c))
            for r in range(n_rows)
            for c in range(n_columns)
            if not spec.dac.ideal
        }
        return cls(adc, dacs, steps, n_rows, n_columns, per_tile, tile_set_of_matrix)

    @property
    def n_tiles(self) -> int:
        """Tiles of one matrix."""
        return self.n_row_tiles * self.n_column_tiles

    def adc_numbers(self, spec: MacroDesign, r: int, tile: Indices, channel: Indices) -> Indices:
        """Numbers (n_matrices, ...) of the converters that serve channels of tiles in row r."""
        shared = spec.adc.columns if spec.adc else None
        within_tile = channel // shared if shared else np.zeros_like(channel)
        places = (r * self.n_column_tiles + tile) * self.n_per_tile + within_tile
        per_set = self.n_tiles * self.n_per_tile
        return self.tile_set_of_matrix.reshape(-1, *[1] * places.ndim) * per_set + places
