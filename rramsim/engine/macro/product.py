"""A matrix held in crossbars: how it multiplies, what it counts, what it is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.activity import Activity, Inventory, Result
from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.errors import SpecError
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.threads import product

from .mapping import Pulse, input_pulses, pulse_weights, quantize
from .plane import Edge, RowOfTiles
from .reading import Batch, ReadKeys, column_siemens, cumulant_noise
from .tile import Writing

if TYPE_CHECKING:
    from .programming import MacroRanges, MacroSpec

__all__ = ["NewtonCost", "ProgrammedMacro", "checked_inputs"]


class NewtonCost(NamedTuple):
    """Nonlinear solutions that some input vectors take, and the seconds they will take on one thread."""

    n_solutions: int
    second: float


def checked_inputs(x: ArrayLike, n_in: int) -> FloatArray:
    """Input vectors (..., n_in); SpecError for others."""
    inputs = np.asarray(x, dtype=np.float64)
    if inputs.ndim == 0 or inputs.shape[-1] != n_in:
        raise SpecError(f"macro: inputs have the shape (..., {n_in}); got {inputs.shape}")
    if not np.isfinite(inputs).all():
        raise SpecError("macro: inputs are finite numbers; got nan or infinity")
    return inputs


@dataclass(frozen=True)
class ProgrammedMacro:
    """A matrix held in crossbars; call it, or :meth:`apply` it for the activity as well.

    Parameters
    ----------
    spec
        What was asked.
    shape
        (..., n_in, n_out); leading axes are independent matrices.
    weight_step
        What one integer step of a weight stands for: a number, or (n_out,) one for each output.
    ranges
        Full scales in force.
    edge
        Converters and drivers.
    rows
        The rows of tiles; ``macro.rows[r].tiles[c].array`` are the cells and wires of one.
    """

    spec: "MacroSpec"
    shape: tuple[int, ...]
    weight_step: FloatArray
    ranges: "MacroRanges"
    edge: Edge
    rows: tuple[RowOfTiles, ...]

    def __call__(self, x: ArrayLike, rng: RandomSource = 0) -> FloatArray:
        """The product ``x @ weights``, (..., n_vectors, n_in) to (..., n_vectors, n_out), or of a single vector."""
        return self.apply(x, rng).values

    def apply(self, x: ArrayLike, rng: RandomSource = 0, probe: Probe = NULL_PROBE, *, first_vector: int = 0) -> Result:
        """The product, what the hardware did for it, and the conversions that saturated.

        Parameters
        ----------
        x
            (..., n_vectors, n_in), or (n_in,); leading axes as those of the weights, or none: then for every matrix.
        rng
            For the noise of reads and converters: the same streams or seed give the same noise again, a generator goes
            on.
        probe
            Receives ``column_current`` (ampere; pulse, ..., vector, output, slice, and the two lines where they are
            converted separately) of the first row of tiles, with gain, offset and noise of the converters, and
            ``adc_code``.
        first_vector
            Number of the first vector: a batch that is cut into pieces gets the noise of the whole, where each piece
            is given the number of its first vector and the same ``rng``.
        """
        inputs = checked_inputs(x, self.shape[-2])
        if inputs.ndim == 1:
            single = self.apply(inputs[None], rng, probe, first_vector=first_vector)
            return replace(single, values=single.values[..., 0, :])
        codes, step = self._input_codes(self._for_every_matrix(inputs))
        integers, errors = self.integers(codes, as_streams(rng), probe, first_vector)
        return Result(integers * (self.weight_step * step), self._activity(codes), errors)

    def _for_every_matrix(self, inputs: FloatArray) -> FloatArray:
        """Inputs with the leading axes of the matrices, repeated where they had none."""
        try:
            leading = np.broadcast_shapes(inputs.shape[:-2], self.shape[:-2])
        except ValueError:
            raise SpecError(
                f"macro: leading axes {inputs.shape[:-2]} of the inputs do not fit {self.shape[:-2]} of the matrices"
            ) from None
        return np.broadcast_to(inputs, leading + inputs.shape[-2:])

    def _input_codes(self, x: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
        full_scale: float | FloatArray | None = self.ranges.inputs
        if full_scale is None:
            full_scale = np.abs(x).max(axis=-1, keepdims=True)
        return quantize(x, self.spec.input_bits, full_scale, signed=self.spec.signed_inputs)

    def _pulses(self, codes: NDArray[np.int32]) -> list[Pulse]:
        spec = self.spec
        return input_pulses(codes, spec.input_bits, spec.dac.bits, signed=spec.signed_inputs, bipolar=spec.dac.bipolar)

    @cached_property
    def _pulse_weights(self) -> IntArray:
        spec = self.spec
        return pulse_weights(spec.input_bits, spec.dac.bits, signed=spec.signed_inputs, bipolar=spec.dac.bipolar)

    @property
    def n_matrices(self) -> int:
        """Independent matrices held (the product of the leading axes)."""
        return int(np.prod(self.shape[:-2], dtype=int))

    @property
    def n_tiles(self) -> int:
        """Tiles of one matrix."""
        return self.edge.n_row_tiles * self.edge.n_column_tiles

    # ---- integers ----

    def integers(
        self, codes: NDArray[np.int32], streams: Streams, probe: Probe, first: int
    ) -> tuple[FloatArray, dict[str, int]]:
        """Products of input codes (..., n, n_in) in integers (..., n, n_out), and the errors; see :meth:`apply`."""
        if not codes.size:
            errors = {} if self.edge.adc is None else {"adc_saturation": 0}
            return np.zeros((*codes.shape[:-1], self.shape[-1])), errors
        every = self.spec.telegraph_vectors
        if every and not self.spec.device.telegraph.ideal:
            return self._in_telegraph_states(codes, streams, probe, first, every)
        leading, n = codes.shape[:-2], codes.shape[-2]
        if self.n_matrices == 1:
            matrices, batches = np.zeros(1, dtype=np.intp), codes.reshape(1, -1, codes.shape[-1])
        else:
            matrices = np.broadcast_to(np.arange(self.n_matrices).reshape(self.shape[:-2]), leading).ravel()
            batches = codes.reshape(-1, *codes.shape[-2:])
        out = np.empty((*batches.shape[:-1], self.shape[-1]))
        keys = ReadKeys(streams, len(batches), first)
        seen, saturated = [], 0
        for number, matrix in enumerate(matrices):
            batch = Batch(self, int(matrix), self._pulses(batches[number]), keys, number, look=probe.active)
            if not self._collapses or probe.active:
                out[number] = batch.integers()
                saturated += batch.clipped
                seen.append(batch.seen)
            if self._collapses:
                out[number] = self._collapsed(int(matrix), batches[number], keys, number)
        if probe.active:
            self._show(probe, np.stack(seen), matrices, (*leading, n))
        errors = {} if self.edge.adc is None else {"adc_saturation": saturated}
        return out.reshape(*leading, n, self.shape[-1]), errors

    @property
    def _collapses(self) -> bool:
        """Whether nothing between cells and sum is nonlinear, so that pulses and slices add up to one product."""
        spec = self.spec
        plain = spec.noise == "moments" and (spec.nonlinear == "chord" or spec.device.ohmic) and spec.dac.ideal
        return self.edge.adc is None and plain and not (spec.has_unit_column and spec.device.noisy)

    def _collapsed(self, matrix: int, codes: NDArray[np.int32], keys: ReadKeys, number: int) -> FloatArray:
        """The product in double precision; the noise keeps its exact cumulants."""
        out = np.zeros((len(codes), self.shape[-1]))
        for row in self.rows:
            first = row.number * self.spec.tile_rows
            part = np.ascontiguousarray(codes[:, first : first + row.n_rows], dtype=np.float64)
            out += product(part, row.matrix[matrix])
            variance, third = row.matrix_noise
            if variance is not None:
                pulses = self._pulses(codes[:, first : first + row.n_rows])
                weighed = np.stack([pulse.weight * pulse.levels.astype(np.float64) for pulse in pulses])
                powers = [(weighed**p).sum(axis=0) for p in (2, 3)]
                normal = keys.normals(keys.of(row.number, number), len(out), 1, out.shape[1])
                skew = None if third is None else product(powers[1], third[matrix])
                out += cumulant_noise(product(powers[0], variance[matrix]), skew, normal)
        return out

    def _in_telegraph_states(
        self, codes: NDArray[np.int32], streams: Streams, probe: Probe, first: int, every: int
    ) -> tuple[FloatArray, dict[str, int]]:
        """Traps keep their state for ``every`` vectors and then go on in time."""
        if self.n_matrices == 1 and codes.ndim > 2:  # it meets one vector after another
            flat = self.integers(codes.reshape(-1, codes.shape[-1]), streams, probe, first)
            return flat[0].reshape(*codes.shape[:-1], self.shape[-1]), flat[1]
        n = codes.shape[-2]
        out = np.empty((*codes.shape[:-1], self.shape[-1]))
        errors: dict[str, int] = {}
        second = every * len(self._pulse_weights) * self.spec.read_second
        periods = range(first // every, -(-(first + n) // every))
        for period, macro in zip(periods, self._telegraph_macros(periods, second, streams), strict=True):
            start, stop = max(period * every - first, 0), min((period + 1) * every - first, n)
            part = macro.integers(codes[..., start:stop, :], streams, probe, first + start)
            out[..., start:stop, :] = part[0]
            for name, count in part[1].items():
                errors[name] = errors.get(name, 0) + count
            probe = NULL_PROBE  # it has seen the first period
        return out, errors

    def _telegraph_macros(self, periods: range, second: float, streams: Streams) -> Iterator["ProgrammedMacro"]:
        """The macro in the states of one period after another."""
        spec = self.spec.but({"telegraph_vectors": None})
        times = np.arange(periods.stop) * second
        states = {
            (row.number, c): self.spec.device.telegraph.states(
                array.g.shape, times, streams.generator("telegraph", row.number, c)
            )
            for row in self.rows
            for c, array in enumerate(row.arrays)
        }
        for period in periods:
            rows = tuple(
                RowOfTiles(
                    spec,
                    self.edge,
                    row.number,
                    [tile.rewired(spec, states[row.number, c][period]) for c, tile in enumerate(row.tiles)],
                )
                for row in self.rows
            )
            yield replace(self, spec=spec, rows=rows)

    def _show(self, probe: Probe, seen: Single, matrices: NDArray[np.intp], leading: tuple[int, ...]) -> None:
        """Hand column currents and codes of the first row of tiles to a probe."""
        spec, n_slices = self.spec, len(self.spec.widths)
        lines, n_out = spec.n_channels // n_slices, self.shape[-1]
        used = seen[..., : n_slices * lines * n_out]
        shape = (int(np.prod(leading)), -1, n_slices, lines, n_out)

        def arranged(values: NDArray[np.generic]) -> NDArray[np.generic]:
            each = np.moveaxis(values.reshape(shape), (1, 4), (0, 2))  # pulse, vector, output, slice, line
            each = each if lines > 1 else each[..., 0]
            return each.reshape(each.shape[0], *leading, *each.shape[2:])

        step = np.repeat(self.edge.step_ampere, lines * n_out)
        probe.record("column_current", arranged(used * step.astype(np.float32)), "A")
        adc = self.edge.adc
        if adc is None:
            return
        codes = np.clip(np.rint(used), adc.code_min, adc.code_max)
        if adc.levels is not None and adc.codes is not None:
            converters = self.rows[0].plane.converter[matrices, None, : used.shape[-1]]
            for converter in np.unique(converters):
                own = np.broadcast_to(converters == converter, used.shape)
                found = np.searchsorted(adc.levels[converter].astype(np.float32), used[own], side="right")
                codes[own] = adc.codes[converter][found]
        probe.record("adc_code", arranged(codes.astype(np.int16)))

    def column_currents(self, x: ArrayLike) -> FloatArray:
        """Noise-free currents of all columns, ampere, for all pulses and vectors: one flat array."""
        codes, _ = self._input_codes(self._for_every_matrix(np.asarray(x, dtype=np.float64)))
        pulses = self._pulses(codes)
        if self.spec.accumulate == "analog":
            collected = sum(pulse.weight * pulse.levels.astype(np.float64) for pulse in pulses)
            pulses = [Pulse(1, collected / np.abs(self._pulse_weights).sum())]
        seen = []
        for row in self.rows:
            first = row.number * self.spec.tile_rows
            parts = [row.cumulants[0]]
            if self.spec.has_unit_column:
                parts.append(row.unit_values[0])
            for part in parts:
                t = self.spec.step_volt * part.reshape(*self.shape[:-2], row.n_rows, -1)
                inputs = slice(first, first + row.n_rows)
                seen += [(pulse.levels[..., inputs].astype(np.float64) @ t).ravel() for pulse in pulses]
        return np.concatenate(seen)

    def newton_cost(self, n_vectors: int) -> NewtonCost:
        """What ``n_vectors`` input vectors will take with ``nonlinear="newton"``; one solution is timed for it."""
        array = self.rows[0].arrays[0]
        g = np.ascontiguousarray(array.cells.conductance().reshape(-1, *array.g.shape[-2:])[0])
        drive = (np.arange(len(g)) + 1) % 2 * float(self.spec.dac.largest_level)
        second = np.inf
        for _ in range(2):  # the first may compile
            start = perf_counter()
            column_siemens(self.spec, g, drive[None].astype(np.float64))
            second = min(second, perf_counter() - start)
        lengths = self.spec.dac.largest_level if self.spec.dac.coding == "pulse width" else 1
        number = n_vectors * len(self._pulse_weights) * lengths * self.n_tiles * self.n_matrices
        number *= 1 + self.spec.has_unit_column  # unit columns are solved for apart
        return NewtonCost(number, number * second)

    def later(self, time_second: float) -> "ProgrammedMacro":
        """The same cells, read ``time_second`` after they were written."""
        device = self.spec.device.but({"read_after_second": self.spec.device.checked_time(time_second)})
        spec = self.spec.but({"device": device})
        rows = tuple(RowOfTiles(spec, self.edge, row.number, [t.rewired(spec) for t in row.tiles]) for row in self.rows)
        return replace(self, spec=spec, rows=rows)

    # ---- parts and events ----

    @property
    def _channels(self) -> int:
        """Inputs of converters of one row of tiles."""
        return self.shape[-1] * self.spec.n_channels + self.spec.has_unit_column * self.edge.n_column_tiles

    @property
    def _channels_of_a_tile(self) -> int:
        spec = self.spec
        return min(self.shape[-1], spec.outputs_per_tile) * spec.n_channels + spec.has_unit_column

    @property
    def inventory(self) -> Inventory:
        """Parts of one matrix's tiles: whole tiles are built, used or not."""
        spec = self.spec
        channels = spec.tile_columns // (2 if spec.signed == "differential" else 1)
        shared = (spec.adc.columns if spec.adc else None) or channels
        per_tile = {
            "crossbar_cell": spec.tile_rows * spec.tile_columns,
            spec.dac.component: spec.tile_rows,
            "sample_hold": channels,
            "shift_add": 1,
            **({spec.adc.component: -(-channels // shared)} if spec.adc else {}),
        }
        return Inventory({name: count * self.n_tiles for name, count in per_tile.items()})

    @property
    def n_conversions(self) -> int:
        """Conversions that one input vector takes of one channel."""
        return 1 if self.spec.accumulate == "analog" else len(self._pulse_weights)

    @property
    def serial(self) -> dict[str, int]:
        """Uses of components that follow one another for one input vector: the columns of a converter take turns."""
        reads = {"crossbar_read": len(self._pulse_weights)}
        if self.spec.adc is None:
            return reads
        turns = min(self.spec.adc.columns or self._channels_of_a_tile, self._channels_of_a_tile)
        return {**reads, self.spec.adc.component: self.n_conversions * turns}

    def _activity(self, codes: NDArray[np.int32]) -> Activity:
        spec = self.spec
        n_vectors, n_pulses = codes[..., 0].size, len(self._pulse_weights)
        channels = n_vectors * self._channels * self.edge.n_row_tiles
        # Squared voltage times length of the pulses of each row, in those of a full pulse.
        power = 2 if spec.dac.coding == "amplitude" else 1
        full = float(spec.dac.largest_level) ** power
        pulses = np.zeros(codes.shape)
        for pulse in self._pulses(codes):
            pulses += np.abs(pulse.levels.astype(np.int32)) ** power / full
        joule = 0.0
        for row in self.rows:
            first = row.number * spec.tile_rows
            power_of_row = np.sum([tile.row_conductance for tile in row.tiles], axis=0)
            joule += float(np.sum(pulses[..., first : first + row.n_rows].sum(axis=-2) * power_of_row))
        counts: dict[str, float] = {
            spec.dac.component: n_vectors * n_pulses * self.shape[-2] * self.edge.n_column_tiles,
            "sample_hold": channels * n_pulses,
            "shift_add": channels * self.n_conversions,
            "cell_read_joule": joule * spec.read_volt**2 * spec.read_second,
        }
        if spec.adc:
            counts[spec.adc.component] = channels * self.n_conversions
        return Activity(counts)

    @property
    def _writings(self) -> list[Writing]:
        return [tile.writing for row in self.rows for tile in row.tiles]

    @property
    def write_activity(self) -> Activity:
        """What writing all matrices took: the pulses of every cell, and their energy."""
        each = self._writings
        return Activity({"write_driver": sum(w.n_pulses for w in each), "cell_write_joule": sum(w.joule for w in each)})

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        if not self.spec.device.write.verified:
            return {}
        return {"write_failure": sum(writing.n_failed for writing in self._writings)}

    @property
    def write_second(self) -> float:
        """Time to write one matrix: the rows of a tile one after another, all tiles and columns at once."""
        return max(writing.second for writing in self._writings)
