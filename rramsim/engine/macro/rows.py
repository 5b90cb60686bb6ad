"""One row of a macro's tiles side by side: what a driven row of cells adds to each column."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.kernels.convert import WIDTH

from .converters import Converters, Indices
from .design import MacroDesign
from .tile import ProgrammedTile

__all__ = ["ColumnCumulants", "ColumnSteps", "RowOfTiles"]

_LARGEST_SUM = 63000.0
"""Variances are summed up in 16 bits, with room for what rounding adds: half a unit for each of at most 4096 rows."""


class ColumnCumulants(NamedTuple):
    """What driven rows add to columns: mean (siemens), variance (siemens^2) and third cumulant (siemens^3).

    All have one shape, (n_matrices, rows, ...columns). Variance None: no noise; third None: noise that is symmetric.
    """

    mean: FloatArray
    variance: FloatArray | None
    third: FloatArray | None

    @property
    def flat(self) -> "ColumnCumulants":
        """The columns along one axis: (n_matrices, rows, n_columns)."""
        shape = (*self.mean.shape[:2], -1)
        variance, third = (None if x is None else x.reshape(shape) for x in (self.variance, self.third))
        return ColumnCumulants(self.mean.reshape(shape), variance, third)


@dataclass(frozen=True)
class ColumnSteps:
    """Columns of one row of tiles in steps of their converters, of every matrix, as the kernels read them.

    The number of columns is padded to a multiple of WIDTH.

    Parameters
    ----------
    per_level
        (n_matrices, n_rows, n_columns) what one level of a row's driver adds to each column, steps.
    offset
        (n_matrices, n_columns) what the converter adds, steps.
    variance, third
        (n_matrices, n_rows, n_columns) second and third cumulants of what a row adds, per level squared and cubed;
        None: not noisy, or not skew.
    converter_variance
        (n_matrices, n_columns) variance of the converter's own noise.
    converter
        (n_matrices, n_columns) number of the converter.
    """

    per_level: Single
    offset: Single
    variance: Single | None
    third: Single | None
    converter_variance: Single
    converter: NDArray[np.int32]

    @property
    def noisy(self) -> bool:
        """Whether two conversions of one current may differ."""
        return self.variance is not None or bool(self.converter_variance.any())

    @cached_property
    def sixteen_bits(self) -> tuple[NDArray[np.uint16], Single]:
        """Variances as the fused kernel takes them: integers (n_matrices, n_rows, n_columns), units of columns."""
        shape = (len(self.per_level), 0, self.per_level.shape[-1])
        if self.variance is None:
            return np.empty(shape, np.uint16), np.zeros((shape[0], shape[2]), np.float32)
        sums = self.variance.sum(axis=1, dtype=np.float64)
        unit = np.maximum(sums / _LARGEST_SUM, np.finfo(np.float32).tiny).astype(np.float32)
        return np.rint(self.variance / unit[:, None]).astype(np.uint16), unit


class RowOfTiles:
    """Tiles side by side, which share their inputs.

    Parameters
    ----------
    spec, converters
        What is asked of the macro, and what is around its tiles.
    number
        Which row of tiles.
    tiles
        The tiles from left to right.
    """

    def __init__(self, spec: MacroDesign, converters: Converters, number: int, tiles: list[ProgrammedTile]) -> None:
        self.spec, self.converters, self.number = spec, converters, number
        self.tiles = tuple(tiles)

    def forget_cells(self) -> None:
        """Keep what products need, and let the cells go."""
        _ = self.columns
        if self.spec.adc is None:
            _ = self.effective_weights, self.effective_noise
        if self.spec.has_unit_column:
            _ = self.unit_columns
        self.tiles = tuple(tile.without_cells for tile in self.tiles)

    def rewired(self, spec: MacroDesign, filled: list[BoolArray] | None = None) -> "RowOfTiles":
        """The row at another time, or with traps in given states, tile by tile; see ``ProgrammedTile.rewired``."""
        states: Sequence[BoolArray | None] = filled or [None] * len(self.tiles)
        tiles = [tile.rewired(spec, each) for tile, each in zip(self.tiles, states, strict=True)]
        return RowOfTiles(spec, self.converters, self.number, tiles)

    @property
    def n_rows(self) -> int:
        """Rows in use."""
        return self.tiles[0].n_rows

    @property
    def inputs(self) -> slice:
        """Which inputs of the matrix drive its rows."""
        first = self.number * self.spec.tile_rows
        return slice(first, first + self.n_rows)

    @cached_property
    def tile_of_output(self) -> Indices:
        """(n_out,) the tile of each output."""
        return np.repeat(np.arange(len(self.tiles)), [tile.n_outputs for tile in self.tiles])

    @property
    def arrays(self) -> list[ProgrammedArray]:
        """The arrays of the tiles; SpecError where their cells were forgotten."""
        return [tile.checked_array for tile in self.tiles]

    def _joined(self, values: list[FloatArray]) -> FloatArray:
        """Values of the cells of every tile as (n_matrices, rows, n_slices, n_lines, n_out)."""
        parts = [tile.channels(self.spec, each) for tile, each in zip(self.tiles, values, strict=True)]
        joined = np.concatenate(parts, axis=-3)
        return np.moveaxis(joined.reshape(-1, *joined.shape[-4:]), 2, -1)

    def _converted_lines(self, values: list[FloatArray], *, added: bool = False) -> FloatArray:
        """Values of the cells as the converters see their lines: the negative line of a pair is taken off, or added."""
        joined = self._joined(values)
        if self.spec.weight_coding != "differential":
            return joined
        return joined[..., :1, :] + joined[..., 1:, :] if added else joined[..., :1, :] - joined[..., 1:, :]

    @property
    def _noisy(self) -> bool:
        return self.spec.device.noisy and self.spec.noise_model == "moments"

    @property
    def _skew(self) -> bool:
        return self._noisy and any(array.noise_third is not None for array in self.arrays)

    def _noise(self, power: int) -> list[FloatArray]:
        """Second or third cumulants of every tile's cells."""
        if power == 2:
            return [array.noise_variance for array in self.arrays]
        return [np.zeros(a.g.shape) if a.noise_third is None else a.noise_third for a in self.arrays]

    @property
    def cumulants(self) -> ColumnCumulants:
        """What a driven row adds to columns: (n_matrices, rows, n_slices, converted lines of a slice, n_out)."""
        mean = self._converted_lines([array.transconductance for array in self.arrays])
        variance = self._converted_lines(self._noise(2), added=True) if self._noisy else None
        third = self._converted_lines(self._noise(3)) if self._skew else None
        return ColumnCumulants(mean, variance, third)

    def _places(self) -> tuple[Indices, Indices]:
        """Tile, and channel within the tile, of every column (n_slices, converted lines of a slice, n_out)."""
        first = np.searchsorted(self.tile_of_output, np.arange(len(self.tiles)))
        within = np.arange(self.tile_of_output.size) - first[self.tile_of_output]
        n_slices, lines = len(self.spec.widths), self.spec.n_converted_lines
        slices, line = np.arange(n_slices)[:, None, None], np.arange(lines)[:, None]
        channel = (within * n_slices + slices) * lines + line
        return np.broadcast_to(self.tile_of_output, channel.shape), channel

    @cached_property
    def columns(self) -> ColumnSteps:
        """All columns, slice by slice."""
        tile, channel = self._places()
        steps = np.broadcast_to(self.converters.step_ampere[:, None, None], channel.shape)
        return self._in_steps(self.cumulants.flat, tile.ravel(), channel.ravel(), steps.ravel())

    @cached_property
    def unit_columns(self) -> ColumnSteps:
        """The unit columns, a column for each tile."""
        tiles = np.arange(len(self.tiles))
        channel = np.array([tile.n_outputs * self.spec.n_channels for tile in self.tiles])
        steps = np.full(len(tiles), self.converters.step_ampere[0])
        return self._in_steps(self.unit_cumulants, tiles, channel, steps)

    @cached_property
    def unit_cumulants(self) -> ColumnCumulants:
        """What a driven row adds to the unit columns: (n_matrices, rows, n_tiles)."""

        def joined(values: list[FloatArray]) -> FloatArray:
            each = [tile.unit_column(self.spec, value) for tile, value in zip(self.tiles, values, strict=True)]
            return np.stack(each, axis=-1).reshape(-1, self.n_rows, len(self.tiles))

        variance = joined(self._noise(2)) if self._noisy else None
        third = joined(self._noise(3)) if self._skew else None
        return ColumnCumulants(joined([array.transconductance for array in self.arrays]), variance, third)

    def _in_steps(
        self, cumulants: ColumnCumulants, tile: Indices, channel: Indices, step_ampere: FloatArray
    ) -> ColumnSteps:
        """Siemens (n_matrices, rows, columns) to steps, with gain, offset and drivers of single tiles taken in."""
        spec, adc = self.spec, self.converters.adc
        converter = self.converters.adc_numbers(spec, self.number, tile, channel)
        factor = (spec.step_volt / step_ampere) * (1.0 if adc is None else adc.gain[converter])
        offset = np.zeros(converter.shape) if adc is None else adc.offset_lsb[converter]
        gains = self._driver_gains(tile) * np.broadcast_to(factor, converter.shape)[:, None, :]
        converter_variance = 0.0 if spec.adc is None else spec.adc.noise_lsb**2
        padding = -tile.size % WIDTH

        def padded(x: NDArray[Any]) -> NDArray[Any]:
            return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padding)])

        def scaled(x: FloatArray, power: int) -> Single:
            return padded((x * gains**power).astype(np.float32))

        mean, variance, third = cumulants
        return ColumnSteps(
            scaled(mean, 1),
            padded(offset.astype(np.float32)),
            None if variance is None else scaled(variance, 2),
            None if third is None else scaled(third, 3),
            padded(np.full(offset.shape, converter_variance, np.float32)),
            padded(converter.astype(np.int32)),
        )

    def _driver_gains(self, tile: Indices) -> FloatArray:
        """(1, rows, columns) what the drivers make of a pulse that is on, where this does not depend on its level."""
        if not self.converters.dacs or not self.spec.on_or_off:
            return np.ones((1, 1, 1))
        gains = [self.converters.dacs[self.number, c].levels[: self.n_rows, 1] for c in range(len(self.tiles))]
        return np.asarray(np.stack(gains, axis=-1)[None][..., tile], dtype=np.float64)

    # Without a converter.

    @cached_property
    def flipped(self) -> BoolArray | None:
        """(n_matrices, n_slices, n_out) columns that are stored inverted; None: none."""
        parts = [tile.flipped for tile in self.tiles if tile.flipped is not None]
        if not parts:
            return None
        joined = np.concatenate(parts, axis=-2)
        return np.swapaxes(joined.reshape(-1, *joined.shape[-2:]), 1, 2)

    @cached_property
    def sign(self) -> FloatArray:
        """(n_matrices or 1, n_slices, n_out or 1): -1 for columns that are stored inverted."""
        if self.flipped is None:
            return np.ones((1, len(self.spec.widths), 1))
        return np.where(self.flipped, -1.0, 1.0)

    @cached_property
    def offset_per_input(self) -> FloatArray:
        """(n_matrices or 1, n_out): what one step of any input adds to an output besides its column currents."""
        spec = self.spec
        if spec.weight_coding != "offset":
            return np.zeros((1, 1))
        lowest = spec.device.g_min_siemens / spec.unit_siemens
        tops = 2.0 ** np.array(spec.widths) - 1
        each = -lowest[:, None] * self.sign
        if self.flipped is not None:
            each = each + tops[:, None] * self.flipped
        added = np.einsum(
            "s,mso->mo", spec.slice_weights, np.broadcast_to(each, (len(each), len(tops), each.shape[-1]))
        )
        return np.asarray(added - 2.0 ** (spec.weight_bits - 1))

    @cached_property
    def effective_weights(self) -> FloatArray:
        """(n_matrices, rows, n_out): all slices added up, without a converter, in integers of the weights."""
        weight = (self.spec.slice_weights / self.spec.unit_siemens)[:, None]
        total = (self._signed(self.cumulants.mean) * weight * self.sign[:, None]).sum(axis=2)
        if self.spec.has_unit_column:
            counted = self.unit_cumulants.mean / (self.unit_steps * self.spec.unit_siemens[0])
            total += self.offset_per_input[:, None] * counted[..., self.tile_of_output]
        else:
            total += self.offset_per_input[:, None]
        return np.asarray(total)

    def _signed(self, values: FloatArray) -> FloatArray:
        """Lines that are converted separately, subtracted: (n_matrices, rows, n_slices, n_out)."""
        return values[..., 0, :] - values[..., 1, :] if values.shape[-2] > 1 else values[..., 0, :]

    @cached_property
    def effective_noise(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Second and third cumulants of :attr:`effective_weights`, the unit columns apart."""
        weight = (self.spec.slice_weights / self.spec.unit_siemens)[:, None]
        _, variance, third = self.cumulants
        second = None if variance is None else (variance.sum(axis=3) * weight**2).sum(axis=2)
        skew = None if third is None else (self._signed(third) * weight**3 * self.sign[:, None]).sum(axis=2)
        return second, skew

    @property
    def unit_steps(self) -> float:
        """Conductance of a cell of the unit columns, in steps of a digit of the first slice."""
        return float(self.spec.device.g_min_siemens / self.spec.unit_siemens[0] + self.spec.unit_level)
