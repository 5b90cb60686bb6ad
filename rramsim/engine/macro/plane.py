"""One row of a macro's tiles side by side, as the kernels read it: all column currents in steps of their converters."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rramsim.array.adc import ProgrammedAdc
from rramsim.array.dac import ProgrammedDac
from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.kernels.convert import WIDTH
from rramsim.rng import Streams

from .mapping import spans
from .tile import ProgrammedTile

if TYPE_CHECKING:
    from .programming import MacroSpec

__all__ = ["Edge", "Plane", "RowOfTiles"]

Integers = NDArray[np.intp]

_LARGEST_SUM = 63000.0
"""Variances are summed up in 16 bits, with room for what rounding adds: half a unit for each of at most 4096 rows."""


@dataclass(frozen=True)
class Edge:
    """The converters around the tiles of a macro.

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
    physical
        (n_matrices,) which of the physical sets of tiles holds each matrix.
    """

    adc: ProgrammedAdc | None
    dacs: dict[tuple[int, int], ProgrammedDac]
    step_ampere: FloatArray
    n_row_tiles: int
    n_column_tiles: int
    n_per_tile: int
    physical: NDArray[np.intp]

    @classmethod
    def built(
        cls,
        spec: "MacroSpec",
        shape: tuple[int, ...],
        current_ampere: float | None,
        rng: Streams,
        *,
        rewritten: bool,
    ) -> "Edge":
        """Converters and drivers for weights of this shape; their errors belong to the tiles, not to what they hold."""
        n_in, n_out = shape[-2:]
        n_rows, n_columns = len(list(spans(n_in, spec.tile_rows))), len(list(spans(n_out, spec.outputs_per_tile)))
        channels = min(n_out, spec.outputs_per_tile) * spec.n_channels + spec.has_unit_column
        per_tile = 1 if spec.adc is None or spec.adc.columns is None else -(-channels // spec.adc.columns)
        n_matrices, n_sets = int(np.prod(shape[:-2])), int(np.prod(shape[:-2][rewritten:]))
        physical = np.arange(n_matrices) % n_sets
        if spec.adc is None:
            steps, adc = spec.step_volt * spec.unit_siemens, None
        else:
            steps = spec.step_ampere(min(n_in, spec.tile_rows), current_ampere)
            number = n_sets * n_rows * n_columns * per_tile
            adc = spec.adc.build(number, signed=spec.signed_codes, rng=rng.child("adc"))
        dacs = {
            (r, c): spec.dac.build(min(n_in, spec.tile_rows), rng=rng.child("dac", r, c))
            for r in range(n_rows)
            for c in range(n_columns)
            if not spec.dac.ideal
        }
        return cls(adc, dacs, steps, n_rows, n_columns, per_tile, physical)

    def converters(
        self, spec: "MacroSpec", r: int, tile: NDArray[np.intp], channel: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """Numbers (n_matrices, ...) of the converters of channels of tiles in row r."""
        shared = spec.adc.columns if spec.adc else None
        own = channel // shared if shared else np.zeros_like(channel)
        places = (r * self.n_column_tiles + tile) * self.n_per_tile + own
        per_set = self.n_row_tiles * self.n_column_tiles * self.n_per_tile
        return self.physical.reshape(-1, *[1] * places.ndim) * per_set + places


@dataclass(frozen=True)
class Plane:
    """Columns of one row of tiles for every matrix; n_columns is padded to a multiple of WIDTH.

    Parameters
    ----------
    t
        (n_matrices, n_rows, n_columns) what one level of a row's driver adds to each column, steps.
    base
        (n_matrices, n_columns) what the converter adds, steps.
    variance, third
        (n_matrices, n_rows, n_columns) second and third cumulants of what a row adds, per level squared and cubed;
        None: not noisy, or not skew.
    fixed
        (n_matrices, n_columns) variance of the converter itself.
    converter
        (n_matrices, n_columns) number of the converter.
    """

    t: Single
    base: Single
    variance: Single | None
    third: Single | None
    fixed: Single
    converter: NDArray[np.int32]

    @property
    def noisy(self) -> bool:
        """Whether two conversions of one current may differ."""
        return self.variance is not None or bool(self.fixed.any())

    @cached_property
    def sixteen_bits(self) -> tuple[NDArray[np.uint16], Single]:
        """Variances as the fused kernel takes them: integers (n_matrices, n_rows, n_columns), units of columns."""
        shape = (len(self.t), 0, self.t.shape[-1])
        if self.variance is None:
            return np.empty(shape, np.uint16), np.zeros((shape[0], shape[2]), np.float32)
        sums = self.variance.sum(axis=1, dtype=np.float64)
        unit = np.maximum(sums / _LARGEST_SUM, np.finfo(np.float32).tiny).astype(np.float32)
        return np.rint(self.variance / unit[:, None]).astype(np.uint16), unit


Cumulants = tuple[FloatArray, FloatArray | None, FloatArray | None]


class RowOfTiles:
    """Tiles side by side, which share their inputs.

    Parameters
    ----------
    spec, edge
        Of the macro.
    number
        Which row of tiles.
    tiles
        From left to right.
    """

    def __init__(self, spec: "MacroSpec", edge: Edge, number: int, tiles: list[ProgrammedTile]) -> None:
        self.spec, self.edge, self.number = spec, edge, number
        self.tiles = tuple(tiles)

    def forget_cells(self) -> None:
        """Keep what products need, and let the cells go."""
        _ = self.plane
        if self.spec.adc is None:
            _ = self.matrix, self.matrix_noise
        if self.spec.has_unit_column:
            _ = self.unit_plane
        self.tiles = tuple(tile.without_cells for tile in self.tiles)

    @property
    def n_rows(self) -> int:
        """Rows in use."""
        return self.tiles[0].n_rows

    @cached_property
    def tile_of_output(self) -> NDArray[np.intp]:
        """(n_out,) the tile of each output."""
        return np.repeat(np.arange(len(self.tiles)), [tile.n_outputs for tile in self.tiles])

    @property
    def arrays(self) -> list[ProgrammedArray]:
        """The arrays of the tiles; SpecError where the cells were not kept."""
        return [tile.kept for tile in self.tiles]

    def _joined(self, values: list[FloatArray]) -> FloatArray:
        """Values of the cells of every tile as (n_matrices, rows, n_slices, n_lines, n_out)."""
        parts = [tile.channels(self.spec, each) for tile, each in zip(self.tiles, values, strict=True)]
        joined = np.concatenate(parts, axis=-3)
        return np.moveaxis(joined.reshape(-1, *joined.shape[-4:]), 2, -1)

    def _columns(self, values: list[FloatArray], *, added: bool = False) -> FloatArray:
        """Values of the cells as the converters see their lines: the negative line of a pair is taken off, or added."""
        joined = self._joined(values)
        if self.spec.signed != "differential":
            return joined
        return joined[..., :1, :] + joined[..., 1:, :] if added else joined[..., :1, :] - joined[..., 1:, :]

    @property
    def _noisy(self) -> bool:
        return self.spec.device.noisy and self.spec.noise == "moments"

    @property
    def _skew(self) -> bool:
        return self._noisy and any(array.noise_third is not None for array in self.arrays)

    def _noise(self, power: int) -> list[FloatArray]:
        """Second or third cumulants of every tile's cells."""
        if power == 2:
            return [array.noise_variance for array in self.arrays]
        return [np.zeros(a.g.shape) if a.noise_third is None else a.noise_third for a in self.arrays]

    @property
    def cumulants(self) -> Cumulants:
        """What a driven row adds to the converters' columns: mean (siemens), variance and third cumulant.

        Each is (n_matrices, rows, n_slices, n_channels of a slice, n_out), or None where there is none.
        """
        mean = self._columns([array.transconductance for array in self.arrays])
        variance = self._columns(self._noise(2), added=True) if self._noisy else None
        return mean, variance, self._columns(self._noise(3)) if self._skew else None

    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Tile, and channel within the tile, of every column (n_slices, n_channels of a slice, n_out)."""
        first = np.searchsorted(self.tile_of_output, np.arange(len(self.tiles)))
        within = np.arange(self.tile_of_output.size) - first[self.tile_of_output]
        n_slices = len(self.spec.widths)
        lines = self.spec.n_channels // n_slices
        slices, line = np.arange(n_slices)[:, None, None], np.arange(lines)[:, None]
        channel = (within * n_slices + slices) * lines + line
        return np.broadcast_to(self.tile_of_output, channel.shape), channel

    @cached_property
    def plane(self) -> Plane:
        """All columns, slice by slice."""
        tile, channel = self._places()
        steps = np.broadcast_to(self.edge.step_ampere[:, None, None], channel.shape)
        mean, variance, third = (None if x is None else x.reshape(*x.shape[:2], -1) for x in self.cumulants)
        assert mean is not None  # noqa: S101
        return self._plane((mean, variance, third), tile.ravel(), channel.ravel(), steps.ravel())

    @cached_property
    def unit_plane(self) -> Plane:
        """The unit columns, a column for each tile."""
        tiles = np.arange(len(self.tiles))
        channel = np.array([tile.n_outputs * self.spec.n_channels for tile in self.tiles])
        return self._plane(self.unit_values, tiles, channel, np.full(len(tiles), self.edge.step_ampere[0]))

    @cached_property
    def unit_values(self) -> Cumulants:
        """Transconductances of the unit columns (n_matrices, rows, n_tiles), siemens; second and third cumulants."""

        def of(values: list[FloatArray]) -> FloatArray:
            each = [tile.unit_column(self.spec, value) for tile, value in zip(self.tiles, values, strict=True)]
            return np.stack(each, axis=-1).reshape(-1, self.n_rows, len(self.tiles))

        variance = of(self._noise(2)) if self._noisy else None
        third = of(self._noise(3)) if self._skew else None
        return of([array.transconductance for array in self.arrays]), variance, third

    def _plane(
        self,
        values: Cumulants,
        tile: NDArray[np.intp],
        channel: NDArray[np.intp],
        step_ampere: FloatArray,
    ) -> Plane:
        """Siemens (n_matrices, rows, columns) to steps, with gain, offset and drivers of single tiles taken in."""
        spec, adc = self.spec, self.edge.adc
        converter = self.edge.converters(spec, self.number, tile, channel)
        factor = (spec.step_volt / step_ampere) * (1.0 if adc is None else adc.gain[converter])
        base = np.zeros(converter.shape) if adc is None else adc.offset_lsb[converter]
        rows = self._driver_gains(tile) * np.broadcast_to(factor, converter.shape)[:, None, :]
        noise = 0.0 if spec.adc is None else spec.adc.noise_lsb**2
        padding = -tile.size % WIDTH

        def padded(x: NDArray[Any]) -> NDArray[Any]:
            return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padding)])

        def scaled(x: FloatArray, power: int) -> Single:
            return padded((x * rows**power).astype(np.float32))

        _, variance, third = values
        return Plane(
            scaled(values[0], 1),
            padded(base.astype(np.float32)),
            None if variance is None else scaled(variance, 2),
            None if third is None else scaled(third, 3),
            padded(np.full(base.shape, noise, np.float32)),
            padded(converter.astype(np.int32)),
        )

    def _driver_gains(self, tile: NDArray[np.intp]) -> FloatArray:
        """(1, rows, columns) what the drivers make of a pulse that is on, where this does not depend on its level."""
        if not self.edge.dacs or not self.spec.on_or_off:
            return np.ones((1, 1, 1))
        gains = [self.edge.dacs[self.number, c].levels[: self.n_rows, 1] for c in range(len(self.tiles))]
        return np.asarray(np.stack(gains, axis=-1)[None][..., tile], dtype=np.float64)

    # ---- with an ideal converter ----

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
    def per_input(self) -> FloatArray:
        """(n_matrices or 1, n_out): what one step of any input adds to an output besides its column currents."""
        spec = self.spec
        if spec.signed != "offset":
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
    def matrix(self) -> FloatArray:
        """(n_matrices, rows, n_out): all slices added up, without a converter, in integers of the weights."""
        weight = (self.spec.slice_weights / self.spec.unit_siemens)[:, None]
        total = (self._signed(self.cumulants[0]) * weight * self.sign[:, None]).sum(axis=2)
        if self.spec.has_unit_column:
            counted = self.unit_values[0] / (self.unit_steps * self.spec.unit_siemens[0])
            total += self.per_input[:, None] * counted[..., self.tile_of_output]
        else:
            total += self.per_input[:, None]
        return np.asarray(total)

    def _signed(self, values: FloatArray) -> FloatArray:
        """Lines that are converted separately, subtracted: (n_matrices, rows, n_slices, n_out)."""
        return values[..., 0, :] - values[..., 1, :] if values.shape[-2] > 1 else values[..., 0, :]

    @cached_property
    def matrix_noise(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Second and third cumulants of :attr:`matrix`, the unit columns apart."""
        weight = (self.spec.slice_weights / self.spec.unit_siemens)[:, None]
        _, variance, third = self.cumulants
        second = None if variance is None else (variance.sum(axis=3) * weight**2).sum(axis=2)
        skew = None if third is None else (self._signed(third) * weight**3 * self.sign[:, None]).sum(axis=2)
        return second, skew

    @property
    def unit_steps(self) -> float:
        """Conductance of a cell of the unit columns, in steps of a digit of the first slice."""
        return float(self.spec.device.g_min_siemens / self.spec.unit_siemens[0] + self.spec.unit_level)
