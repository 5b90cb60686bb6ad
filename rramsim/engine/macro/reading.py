"""From pulses on the rows of a macro to integers: currents, noise, conversion, shift-and-add."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rramsim.array.network import Network
from rramsim.array.reduction import transconductances
from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.kernels.convert import GROUP, WIDTH, bit_serial, convert_currents, hashed_normals, pack_pulses
from rramsim.rng import Streams
from rramsim.threads import product, run_slices, thread_count

from .mapping import Pulse
from .plane import Plane, RowOfTiles

if TYPE_CHECKING:
    from .product import ProgrammedMacro
    from .programming import MacroSpec

__all__ = ["Batch", "ReadKeys", "column_siemens", "cumulant_noise"]


_WORTH_A_THREAD = 10**7
"""Cells that conduct, over all pulses, below which a thread costs more than it saves."""
_NO_LEVELS = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32)
_UNSEEN = np.empty((0, 0), np.float32)
_QUIET = np.empty((0, 0), np.uint16), np.empty(0, np.float32), np.empty(0, np.float32)


@dataclass(frozen=True)
class ReadKeys:
    """Where the noise of reads comes from: numbers of the kernels by row of tiles, batch, and kind of column.

    Parameters
    ----------
    streams
        Of the reads.
    n_batches
        Batches, each of one matrix.
    first_vector
        Number of the first vector of each.
    """

    streams: Streams
    n_batches: int
    first_vector: int

    def of(self, row: int, batch: int, kind: int = 0) -> NDArray[np.uint32]:
        """(4,) keys; kinds are 0: columns, 1: unit columns, 2: drivers."""
        every = self.streams.generator("read", row, kind).integers(0, 2**32, (self.n_batches, 4), dtype=np.uint32)
        return np.ascontiguousarray(every[batch])

    def normals(self, key: NDArray[np.uint32], n_vectors: int, n_pulses: int, n_columns: int) -> FloatArray:
        """Standard normal numbers (n_vectors * n_pulses, n_columns), those that the fused kernel would draw."""
        out = np.empty((n_vectors * n_pulses, n_columns + -n_columns % WIDTH), np.float32)
        hashed_normals(key, n_pulses, self.first_vector, out)
        return out[:, :n_columns].astype(np.float64)


def cumulant_noise(variance: FloatArray, third: FloatArray | None, normal: FloatArray) -> FloatArray:
    """Numbers of mean 0 with these variances and third cumulants, from standard normal ones.

    With the skewness s, b = sqrt(2) sin(arcsin(s / sqrt(8)) / 3) and a^2 = 1 - 2 b^2, the number a z + b (z^2 - 1) has
    exactly the cumulants 0, 1 and s (6 a^2 b + 8 b^3 = s), for every s within +-sqrt(8).
    """
    deviation = np.sqrt(variance)
    if third is None:
        return np.asarray(deviation * normal)
    skewness = np.divide(third, deviation**3, out=np.zeros_like(deviation), where=deviation > 0)
    b = np.sqrt(2.0) * np.sin(np.arcsin(np.clip(skewness / np.sqrt(8.0), -1.0, 1.0)) / 3.0)
    return np.asarray(deviation * (np.sqrt(1.0 - 2.0 * b**2) * normal + b * (normal**2 - 1.0)))


@dataclass
class Batch:
    """Vectors that meet one matrix.

    Parameters
    ----------
    macro
        What holds it.
    matrix
        Number of the matrix.
    pulses
        Of the vectors (n, n_in), the least significant first.
    keys, number
        Where its noise comes from.
    look
        Whether to keep what the converters of the first row of tiles saw.
    """

    macro: "ProgrammedMacro"
    matrix: int
    pulses: list[Pulse]
    keys: ReadKeys
    number: int
    look: bool = False
    clipped: int = 0
    seen: Single = field(default_factory=lambda: _UNSEEN)

    @property
    def n_vectors(self) -> int:
        """Vectors of the batch."""
        return len(self.pulses[0].levels)

    @cached_property
    def weights(self) -> IntArray:
        """What each pulse counts."""
        return np.array([pulse.weight for pulse in self.pulses])

    @property
    def analog(self) -> bool:
        """Whether the pulses are collected before the converter."""
        return self.macro.spec.accumulate == "analog"

    @cached_property
    def converted_weights(self) -> NDArray[np.int32]:
        """What each conversion counts: of all pulses, or of their weighed mean, which counts as their sum."""
        return np.ones(1, np.int32) if self.analog else self.weights.astype(np.int32)

    def integers(self) -> FloatArray:
        """(n, n_out) products in integers of inputs and weights."""
        macro, spec = self.macro, self.macro.spec
        out = np.zeros((self.n_vectors, macro.shape[-1]))
        saturating = np.zeros_like(out)
        for row in macro.rows:
            sums = self._sums(row, row.plane, kind=0)
            sums = sums[:, : len(spec.widths) * (spec.n_channels // len(spec.widths)) * out.shape[1]]
            lines = sums.reshape(len(out), len(spec.widths), -1, out.shape[1])
            if spec.accumulator_bits is None:
                self._add(out, lines, row)
            else:
                self._add_saturating(saturating, lines, row)
            if spec.signed == "offset":
                out += row.per_input[self.matrix % len(row.per_input)] * self._inputs(row)
        out += self._per_code[0] * saturating
        return out

    @cached_property
    def _per_code(self) -> FloatArray:
        """(n_slices,) what one code counts, in steps of a digit and of an input."""
        spec = self.macro.spec
        collected = float(np.abs(self.weights).sum()) if self.analog else 1.0
        return np.asarray(collected * self.macro.edge.step_ampere / (spec.step_volt * spec.unit_siemens))

    def _add(self, out: FloatArray, lines: FloatArray, row: RowOfTiles) -> None:
        """Digital shift-and-add of all slices of one row of tiles."""
        weight = self.macro.spec.slice_weights * self._per_code
        sign = row.sign[self.matrix % len(row.sign)]
        for s in range(lines.shape[1]):
            value = lines[:, s, 0] - lines[:, s, 1] if lines.shape[2] == 2 else lines[:, s, 0]
            out += weight[s] * sign[s] * value

    def _add_saturating(self, total: FloatArray, lines: FloatArray, row: RowOfTiles) -> None:
        """The same in an accumulator of limited width, slice by slice, the positive line first."""
        spec = self.macro.spec
        assert spec.accumulator_bits is not None  # noqa: S101
        top = 2.0 ** (spec.accumulator_bits - 1)
        sign = row.sign[self.matrix % len(row.sign)]
        for s in range(lines.shape[1]):
            for line in range(lines.shape[2]):
                added = (1 - 2 * line) * sign[s] * spec.slice_weights[s] * lines[:, s, line]
                np.clip(total + added, -top, top - 1, out=total)

    def _inputs(self, row: RowOfTiles) -> FloatArray:
        """(n, n_out) sum of the inputs of a row of tiles, as the hardware knows it."""
        spec = self.macro.spec
        if not spec.has_unit_column:
            levels = sum(pulse.weight * pulse.levels[:, self._rows(row)].sum(axis=1) for pulse in self.pulses)
            return np.asarray(levels, dtype=np.float64)[:, None]
        sums = self._sums(row, row.unit_plane, kind=1)[:, : len(row.tiles)]
        return np.asarray(sums * self._per_code[0] / row.unit_steps)[:, row.tile_of_output]

    def _rows(self, row: RowOfTiles) -> slice:
        first = row.number * self.macro.spec.tile_rows
        return slice(first, first + row.n_rows)

    def _sums(self, row: RowOfTiles, plane: Plane, kind: int) -> FloatArray:
        """(n, n_columns) codes of all pulses, added up; without a converter, currents in steps."""
        look = self.look and row.number == 0 and kind == 0
        key = self.keys.of(row.number, self.number, kind)
        out = np.zeros((self.n_vectors, plane.t.shape[-1]))
        if self.macro.spec.on_or_off and plane.third is None and self.macro.edge.adc is not None:
            seen = np.empty((self.n_vectors * len(self.pulses), out.shape[1]), np.float32) if look else _UNSEEN
            self._fused(row, plane, key, out, seen)
        else:
            currents = self._currents(row, plane, kind, key)
            seen = currents.astype(np.float32)
            self._convert(currents, seen, plane, out)
        if look:
            self.seen = seen
        return out

    def _fused(
        self,
        row: RowOfTiles,
        plane: Plane,
        key: NDArray[np.uint32],
        out: FloatArray,
        seen: Single,
    ) -> None:
        """Rows that are on or off: all in one kernel."""
        m = self.matrix
        levels = np.stack([pulse.levels[:, self._rows(row)] for pulse in self.pulses])
        patterns = np.empty((self.n_vectors * len(levels), -(-row.n_rows // GROUP)), np.uint8)
        pack_pulses(levels, patterns)
        variance, unit, fixed = _QUIET
        if plane.noisy:
            variance, unit, fixed = (*(each[m] for each in plane.sixteen_bits), plane.fixed[m])
        blocks = out.shape[1] // WIDTH
        threads = thread_count() if patterns.size * GROUP * out.shape[1] > _WORTH_A_THREAD else 1
        clipped = []

        def convert(first: int, last: int) -> None:
            clipped.append(
                bit_serial(
                    patterns,
                    plane.t[m],
                    plane.base[m],
                    variance,
                    unit,
                    fixed,
                    key,
                    self.converted_weights,
                    *self._transfer(plane),
                    self.keys.first_vector,
                    first,
                    last,
                    out,
                    seen,
                )
            )

        run_slices(convert, blocks, threads)
        self.clipped += sum(clipped)

    def _transfer(self, plane: Plane) -> tuple[int, int, Single, NDArray[np.int32], NDArray[np.int32], int]:
        """Least and largest code, tables of transitions and who uses them, and the limit of the accumulator."""
        adc, bits = self.macro.edge.adc, self.macro.spec.accumulator_bits
        assert adc is not None  # noqa: S101
        levels, codes = _NO_LEVELS
        if adc.levels is not None and adc.codes is not None:
            levels, codes = adc.levels.astype(np.float32), adc.codes
        limit = 0 if bits is None else 2 ** (bits - 1) - 1
        return adc.code_min, adc.code_max, levels, codes, plane.converter[self.matrix], limit

    def _convert(self, currents: FloatArray, seen: Single, plane: Plane, out: FloatArray) -> None:
        """Converters take their input in single precision; without one it is added up as it is."""
        weights = self.converted_weights
        if self.macro.edge.adc is not None:
            self.clipped += convert_currents(seen, weights, *self._transfer(plane), out)
        else:
            out += np.tensordot(weights, currents.reshape(len(out), len(weights), -1), (0, 1))

    # ---- currents that are no sum over rows that are on or off ----

    def _currents(self, row: RowOfTiles, plane: Plane, kind: int, key: NDArray[np.uint32]) -> FloatArray:
        """(n * n_conversions, n_columns) what the converters see, steps."""
        spec, n = self.macro.spec, self.n_vectors
        n_pulses, n_columns = len(self.pulses), plane.t.shape[-1]
        total = np.zeros((n, n_pulses, n_columns))
        variance = np.zeros_like(total)
        third = None if plane.third is None else np.zeros_like(total)
        for c in range(len(row.tiles)):
            columns = self._columns(row, c, kind)
            drive = self._drive(row, c)
            flat = drive.reshape(n * n_pulses, -1)
            if spec.noise == "cells" or spec.nonlinear == "newton":
                total[..., columns] = self._solved(row, plane, c, kind, drive)
            else:
                total[..., columns] = self._times(flat, plane.t, columns).reshape(n, n_pulses, -1)
            if plane.variance is not None:
                variance[..., columns] = self._times(flat**2, plane.variance, columns).reshape(n, n_pulses, -1)
            if third is not None and plane.third is not None:
                third[..., columns] = self._times(flat**3, plane.third, columns).reshape(n, n_pulses, -1)
        if self.analog:
            share = self.weights / np.abs(self.weights).sum()
            total, variance = (np.einsum("k,nkc->nc", share**p, x) for p, x in ((1, total), (2, variance)))
            third = None if third is None else np.einsum("k,nkc->nc", share**3, third)
        shape = (n * len(self.converted_weights), n_columns)
        total, variance = total.reshape(shape), variance.reshape(shape) + plane.fixed[self.matrix]
        if variance.any():
            normal = self.keys.normals(key, n, len(self.converted_weights), n_columns)
            total += cumulant_noise(variance, None if third is None else third.reshape(shape), normal)
        return np.asarray(total + plane.base[self.matrix], dtype=np.float64)

    def _times(self, drive: FloatArray, values: Single, columns: NDArray[np.intp]) -> FloatArray:
        return product(drive, np.ascontiguousarray(values[self.matrix][:, columns], dtype=np.float64))

    def _columns(self, row: RowOfTiles, c: int, kind: int) -> NDArray[np.intp]:
        """Which columns of a plane belong to tile c: by slice, line and output."""
        if kind == 1:
            return np.array([c])
        spec, n_out = self.macro.spec, self.macro.shape[-1]
        outputs = np.flatnonzero(row.tile_of_output == c)
        return (np.arange(spec.n_channels)[:, None] * n_out + outputs).ravel()

    def _drive(self, row: RowOfTiles, c: int) -> FloatArray:
        """(n, n_pulses, n_rows) levels of the drivers of tile c, in steps."""
        spec, edge = self.macro.spec, self.macro.edge
        levels = np.stack([pulse.levels[:, self._rows(row)] for pulse in self.pulses], axis=1)
        if spec.on_or_off or not edge.dacs:
            drive = levels.astype(np.float64)
        else:
            own = edge.dacs[row.number, c].levels
            drive = np.sign(levels) * own[np.arange(row.n_rows), np.abs(levels)]
        if spec.dac.noise:
            key = self.keys.of(row.number * len(row.tiles) + c, self.number, 2)
            normal = self.keys.normals(key, len(drive), len(self.pulses), row.n_rows).reshape(drive.shape)
            drive = drive + (levels != 0) * spec.dac.noise * spec.dac.largest_level * normal
        return np.ascontiguousarray(drive)

    def _solved(self, row: RowOfTiles, plane: Plane, c: int, kind: int, drive: FloatArray) -> FloatArray:
        """(n, n_pulses, columns of tile c) by solutions for single pulses: of curved cells, or with fresh noise."""
        spec, tile = self.macro.spec, row.tiles[c]
        array = tile.kept
        index = np.unravel_index(self.matrix, array.g.shape[:-2]) if array.g.ndim > 2 else ()
        cells = array.cells.part(index) if index else array.cells
        driven = np.pad(drive, [(0, 0), (0, 0), (0, cells.g.shape[0] - row.n_rows)])
        if spec.noise == "cells":
            siemens = np.empty((*drive.shape[:2], cells.g.shape[1]))
            for vector, pulse in np.ndindex(*drive.shape[:2]):
                own = self.keys.streams.child("cells", row.number, c, kind, self.number)
                g = cells.read(own.child(self.keys.first_vector + vector, pulse))
                siemens[vector, pulse] = column_siemens(spec, g, driven[vector, pulse][None])[0]
        else:
            filled = None if tile.filled is None else tile.filled[index]
            flat = column_siemens(spec, cells.cumulants(filled=filled).mean, driven.reshape(-1, driven.shape[-1]))
            siemens = flat.reshape(*drive.shape[:2], -1)
        if kind == 1:
            values = tile.unit_column(spec, siemens[:, :, None])
        else:
            lines = np.moveaxis(tile.channels(spec, siemens[:, :, None])[:, :, 0], 2, -1)
            lines = lines[..., :1, :] - lines[..., 1:, :] if spec.signed == "differential" else lines
            values = lines.reshape(*lines.shape[:2], -1)
        return values * self._per_siemens(plane, self._columns(row, c, kind), kind)

    def _per_siemens(self, plane: Plane, columns: NDArray[np.intp], kind: int) -> FloatArray:
        """(columns,) steps that a siemens makes at one level of the drivers."""
        spec, edge = self.macro.spec, self.macro.edge
        per_slice = spec.n_channels // len(spec.widths) * self.macro.shape[-1]
        step = edge.step_ampere[columns // per_slice] if kind == 0 else edge.step_ampere[:1]
        gain = 1.0 if edge.adc is None else edge.adc.gain[plane.converter[self.matrix][columns]]
        return np.asarray(spec.step_volt / step * gain)


def column_siemens(spec: "MacroSpec", g: FloatArray, drive: FloatArray) -> FloatArray:
    """Column currents over the voltage of one level, from cells and wires as they are.

    Parameters
    ----------
    spec
        Wires, I-V law, and coding of the drivers.
    g
        (n_rows, n_columns) conductances at small voltage, siemens.
    drive
        (n, n_rows) levels of the drivers.

    Returns
    -------
    numpy.ndarray
        (n, n_columns) siemens.
    """
    conduction, volt = spec.device.conduction, spec.read_volt
    if spec.device.ohmic:
        return product(drive, transconductances(g, spec.wires))
    if spec.nonlinear == "chord":
        return product(drive, transconductances(conduction.current(g, volt) / volt, spec.wires))
    network = Network(g, spec.wires, conduction=conduction)
    if spec.dac.coding == "amplitude":
        return network.currents(drive * spec.step_volt) / spec.step_volt
    # Pulses of one height and of many lengths: the rows that are still on, from one end of a pulse to the next.
    total = np.zeros((len(drive), g.shape[1]))
    for number, lengths in enumerate(np.abs(drive)):
        ends = np.unique(lengths[lengths > 0])
        still_on = np.sign(drive[number]) * (lengths >= ends[:, None]) * volt
        if ends.size:
            total[number] = np.diff(ends, prepend=0.0) @ network.currents(still_on) / volt
    return total
