"""Rows that are driven by levels, analog sums, skew noise, solved networks: currents first, then conversions."""

import numpy as np

from rramsim.arrays import FloatArray, Single
from rramsim.kernels.convert import convert_currents
from rramsim.threads import product

from .converters import Indices
from .noise import DRIVERS, UNIT_COLUMNS, cumulant_noise
from .reading import Conversions, RowReading
from .solving import column_siemens

__all__ = ["CurrentReading"]

Moments = tuple[FloatArray, FloatArray, FloatArray | None]
"""Mean, variance and third cumulant of currents in steps; None: the noise is symmetric."""


class CurrentReading(RowReading):
    """A row of tiles whose column currents are known before they are converted, or are not converted at all."""

    def conversions(self) -> Conversions:
        """Codes of all pulses, weighed and added up; without a converter, the currents as they are."""
        currents, weights = self.currents(), self.reading.conversion_weights
        inputs = currents.astype(np.float32)  # what converters take is in single precision
        sums, n_saturated = np.zeros((self.reading.n_vectors, currents.shape[-1])), 0
        if self.reading.macro.converters.adc is not None:
            n_saturated = convert_currents(inputs, weights, *self.transfer, sums)
        else:
            sums += np.tensordot(weights, currents.reshape(len(sums), len(weights), -1), (0, 1))
        return Conversions(sums, n_saturated, inputs)

    def currents(self) -> FloatArray:
        """(n * n_conversions, n_columns) what the converters see, with noise, steps."""
        reading, columns = self.reading, self.columns
        n, n_conversions = reading.n_vectors, len(reading.conversion_weights)
        total, variance, third = self._collected(self._pulse_moments()) if reading.analog else self._pulse_moments()
        shape = (n * n_conversions, total.shape[-1])
        total = total.reshape(shape)
        variance = variance.reshape(shape) + columns.converter_variance[reading.matrix]
        if variance.any():
            normal = reading.keys.normals(self.key, n, n_conversions, shape[-1])
            total += cumulant_noise(variance, None if third is None else third.reshape(shape), normal)
        return np.asarray(total + columns.offset[reading.matrix], dtype=np.float64)

    def _pulse_moments(self) -> Moments:
        """Currents of single pulses, each (n, n_pulses, n_columns)."""
        spec, columns = self.reading.macro.spec, self.columns
        n, n_pulses = self.reading.n_vectors, len(self.reading.pulses)
        total = np.zeros((n, n_pulses, columns.per_level.shape[-1]))
        variance = np.zeros_like(total)
        third = None if columns.third is None else np.zeros_like(total)
        for c in range(len(self.row.tiles)):
            places = self._columns_of_tile(c)
            drive = self._drive(c)
            flat = drive.reshape(n * n_pulses, -1)
            if spec.noise_model == "cells" or spec.nonlinear == "newton":
                total[..., places] = self._solved(c, drive)
            else:
                total[..., places] = self._summed(flat, columns.per_level, places).reshape(n, n_pulses, -1)
            if columns.variance is not None:
                variance[..., places] = self._summed(flat**2, columns.variance, places).reshape(n, n_pulses, -1)
            if third is not None and columns.third is not None:
                third[..., places] = self._summed(flat**3, columns.third, places).reshape(n, n_pulses, -1)
        return total, variance, third

    def _collected(self, pulses: Moments) -> Moments:
        """The weighed means of the pulses of each vector, each (n, n_columns): what an analog sum hands over."""
        weights = self.reading.weights
        share = weights / np.abs(weights).sum()
        total, variance = (np.einsum("k,nkc->nc", share**p, x) for p, x in zip((1, 2), pulses[:2], strict=True))
        third = None if pulses[2] is None else np.einsum("k,nkc->nc", share**3, pulses[2])
        return total, variance, third

    def _summed(self, drive: FloatArray, values: Single, places: Indices) -> FloatArray:
        """Sums over the rows: drives (..., n_rows) times values of some columns."""
        return product(drive, np.ascontiguousarray(values[self.reading.matrix][:, places], dtype=np.float64))

    def _columns_of_tile(self, c: int) -> Indices:
        """Which columns belong to tile c: by slice, line and output."""
        if self.kind == UNIT_COLUMNS:
            return np.array([c])
        macro = self.reading.macro
        outputs = np.flatnonzero(self.row.tile_of_output == c)
        return (np.arange(macro.spec.n_channels)[:, None] * macro.shape[-1] + outputs).ravel()

    def _drive(self, c: int) -> FloatArray:
        """(n, n_pulses, n_rows) levels of the drivers of tile c, in steps."""
        reading, row = self.reading, self.row
        spec, dacs = reading.macro.spec, reading.macro.converters.dacs
        levels = np.stack(self.levels, axis=1)
        if spec.on_or_off or not dacs:
            drive = levels.astype(np.float64)
        else:
            heights = dacs[row.number, c].levels
            drive = np.sign(levels) * heights[np.arange(row.n_rows), np.abs(levels)]
        if spec.dac.noise:
            key = reading.keys.of(row.number * len(row.tiles) + c, reading.batch, DRIVERS)
            normal = reading.keys.normals(key, len(drive), len(reading.pulses), row.n_rows).reshape(drive.shape)
            drive = drive + (levels != 0) * spec.dac.noise * spec.dac.largest_level * normal
        return np.ascontiguousarray(drive)

    def _solved(self, c: int, drive: FloatArray) -> FloatArray:
        """(n, n_pulses, columns of tile c) by solutions for single pulses: of curved cells, or with fresh noise."""
        reading, row, tile = self.reading, self.row, self.row.tiles[c]
        spec, array = reading.macro.spec, tile.checked_array
        index = np.unravel_index(reading.matrix, array.g.shape[:-2]) if array.g.ndim > 2 else ()
        cells = array.cells.part(index) if index else array.cells
        driven = np.pad(drive, [(0, 0), (0, 0), (0, cells.g.shape[0] - row.n_rows)])
        if spec.noise_model == "cells":
            siemens = np.empty((*drive.shape[:2], cells.g.shape[1]))
            streams = reading.keys.streams.child("cells", row.number, c, self.kind, reading.batch)
            for vector, pulse in np.ndindex(*drive.shape[:2]):
                g = cells.read(rng=streams.child(reading.keys.first_vector + vector, pulse))
                siemens[vector, pulse] = column_siemens(spec, g, driven[vector, pulse][None])[0]
        else:
            filled = None if tile.filled is None else tile.filled[index]
            flat = column_siemens(spec, cells.cumulants(filled=filled).mean, driven.reshape(-1, driven.shape[-1]))
            siemens = flat.reshape(*drive.shape[:2], -1)
        if self.kind == UNIT_COLUMNS:
            values = tile.unit_column(spec, siemens[:, :, None])
        else:
            lines = np.moveaxis(tile.channels(spec, siemens[:, :, None])[:, :, 0], 2, -1)
            lines = lines[..., :1, :] - lines[..., 1:, :] if spec.weight_coding == "differential" else lines
            values = lines.reshape(*lines.shape[:2], -1)
        return values * self._steps_per_siemens(self._columns_of_tile(c))

    def _steps_per_siemens(self, places: Indices) -> FloatArray:
        """(columns,) steps that a siemens makes at one level of the drivers."""
        macro = self.reading.macro
        spec, converters = macro.spec, macro.converters
        per_slice = spec.n_converted_lines * macro.shape[-1]
        step = converters.step_ampere[:1] if self.kind == UNIT_COLUMNS else converters.step_ampere[places // per_slice]
        gain = 1.0
        if converters.adc is not None:
            gain = converters.adc.gain[self.columns.converter[self.reading.matrix][places]]
        return np.asarray(spec.step_volt / step * gain)
