"""The crossbar macro: a matrix product by tiles of differential, bit-sliced cells and bit-serial inputs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from rramsim.activity import Activity, Inventory, Result
from rramsim.array.converters import AdcSpec
from rramsim.array.mvm import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.device.base import DeviceSpec
from rramsim.errors import SpecError
from rramsim.kernels.convert import convert_and_add
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.spec import Positive, Spec

from .mapping import digits, n_slices, outputs_per_tile, quantize, spans

__all__ = ["MacroRanges", "MacroSpec", "ProgrammedMacro"]

FloatArray = NDArray[np.float64]


class MacroRanges(NamedTuple):
    """Full scales of a macro, found from data before it runs; None leaves the choice to the macro.

    Parameters
    ----------
    inputs
        Largest input; None: each input vector is scaled by its own largest element.
    weights
        Largest weight; None: of the matrix that is programmed.
    current_ampere
        Full scale of the converters; None: found as :class:`rramsim.AdcSpec` says.
    """

    inputs: float | None = None
    weights: float | None = None
    current_ampere: float | None = None


class MacroSpec(Spec):
    """A matrix product in crossbars.

    A signed weight is a sign and a magnitude; the magnitude's digits of ``cell_bits`` bits are cells side by side in a
    row, each as a differential pair of bit lines whose currents are subtracted before the converter. An input is
    applied bit by bit (two's complement; plain binary where ``signed_inputs`` is false) as a read voltage on its row.

    Parameters
    ----------
    device
        The cells; ideal by default.
    wires
        Resistances of every tile's lines; none by default.
    adc
        The converters; None is an ideal converter of unlimited resolution.
    input_bits, weight_bits
        Widths, the sign included, 2 to 12.
    cell_bits
        Bits a cell holds, on levels equidistant in conductance, 1 to 4.
    tile_rows, tile_columns
        Cells of a tile; larger matrices take several.
    signed
        How negative weights are held; ``"differential"`` is the one way so far.
    signed_inputs
        False where inputs are never negative (probabilities); they then have all bits for their magnitude.
    read_volt
        Voltage of a driven row; 0.2 V in the ISAAC cell of CiMLoop.
    read_second
        Length of a read pulse; 10 ns by default in DNN+NeuroSim V1.4 (``readPulseWidth``).
    """

    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    adc: AdcSpec | None = None
    input_bits: int = Field(default=8, ge=2, le=12)
    weight_bits: int = Field(default=8, ge=2, le=12)
    cell_bits: int = Field(default=2, ge=1, le=4)
    tile_rows: int = Field(default=128, ge=1, le=1024)
    tile_columns: int = Field(default=128, ge=2, le=1024)
    signed: Literal["differential"] = "differential"
    signed_inputs: bool = True
    read_volt: Positive = 0.2
    read_second: Positive = 10e-9

    @model_validator(mode="after")
    def _check(self) -> "MacroSpec":
        if not outputs_per_tile(self.tile_columns, self.weight_bits, self.cell_bits):
            needed = 2 * n_slices(self.weight_bits, self.cell_bits)
            raise ValueError(
                f"tile_columns {self.tile_columns} cannot hold one weight: {self.weight_bits} weight bits on "
                f"{self.cell_bits}-bit differential cells take {needed} columns"
            )
        return self

    @property
    def unit_siemens(self) -> float:
        """Conductance of one step of a digit."""
        return self.device.window_siemens / ((1 << self.cell_bits) - 1)

    def program(
        self,
        weights: ArrayLike,
        rng: RandomSource = 0,
        ranges: MacroRanges | None = None,
        rewritten: RandomSource | None = None,
    ) -> "ProgrammedMacro":
        """Write a matrix.

        Parameters
        ----------
        weights
            (..., n_in, n_out); leading axes are independent matrices on their own tiles.
        rng
            Streams, a generator, or a seed, for the errors of writing.
        ranges
            Full scales; see :class:`MacroRanges`.
        rewritten
            Where the first axis of ``weights`` is not more matrices but the same tiles written again and again: the
            streams of these tiles; see :meth:`rramsim.DeviceSpec.program`.

        Raises
        ------
        SpecError
            For weights that are not finite, and for an ADC whose range is to be calibrated but was not.
        """
        ranges = ranges or MacroRanges()
        if self.adc and self.adc.range == "calibrated" and ranges.current_ampere is None:
            raise SpecError(
                "MacroSpec: adc.range is 'calibrated', so program() needs ranges with current_ampere; "
                "find them with MacroSpec.calibrate(weights, inputs)"
            )
        w = np.asarray(weights, dtype=np.float64)
        if w.ndim < 2 or 0 in w.shape or not np.isfinite(w).all():
            raise SpecError(f"MacroSpec: weights are finite numbers of shape (..., n_in, n_out); got shape {w.shape}")
        full_scale = float(np.abs(w).max()) if ranges.weights is None else ranges.weights
        codes, step = quantize(w, self.weight_bits, full_scale)
        levels = digits(codes, self.weight_bits, self.cell_bits)
        g_target: FloatArray = self.device.g_min_siemens + self.unit_siemens * levels.astype(np.float64)
        streams = as_streams(rng)
        n_in, n_out = w.shape[-2:]
        same = None if rewritten is None else as_streams(rewritten)
        width = outputs_per_tile(self.tile_columns, self.weight_bits, self.cell_bits)
        tiles = tuple(
            tuple(
                self._program_tile(g_target[..., rows, columns, :, :], ("tile", r, c), streams, same)
                for c, columns in enumerate(spans(n_out, width))
            )
            for r, rows in enumerate(spans(n_in, self.tile_rows))
        )
        return ProgrammedMacro(self, (n_in, n_out), float(step), ranges, tiles)

    def _program_tile(
        self, g_target: FloatArray, name: tuple[object, ...], rng: Streams, rewritten: Streams | None
    ) -> ProgrammedArray:
        in_columns = g_target.reshape(*g_target.shape[:-3], -1)
        cells = self.device.program(in_columns, rng.child(*name), rewritten and rewritten.child(*name))
        return ProgrammedArray.wired(cells, self.wires, self.read_volt)

    def calibrate(self, weights: ArrayLike, inputs: ArrayLike, *, coverage: float = 1.0) -> MacroRanges:
        """Full scales from representative data, on cells and wires without any error.

        Parameters
        ----------
        weights
            (..., n_in, n_out).
        inputs
            (..., n_vectors, n_in), with the same leading axes.
        coverage
            Share of the inputs that their full scale covers.
        """
        x, w = np.asarray(inputs, dtype=np.float64), np.asarray(weights, dtype=np.float64)
        ranges = MacroRanges(float(np.quantile(np.abs(x), coverage)), float(np.abs(w).max()))
        if self.adc is None or self.adc.range == "full":
            return ranges
        ideal = self.model_copy(update={"device": self.device.without_errors, "wires": WireSpec(), "adc": None})
        currents = ideal.program(w, ranges=ranges).column_currents(x)
        return ranges._replace(current_ampere=self.adc.full_scale(currents))


@dataclass(frozen=True)
class ProgrammedMacro:
    """A matrix held in crossbars; call it, or :meth:`apply` it for the activity as well.

    Parameters
    ----------
    spec
        What was asked.
    shape
        (n_in, n_out).
    weight_step
        What one integer step of a weight stands for.
    ranges
        Full scales in force.
    tiles
        The programmed tiles, by row tile and column tile.
    """

    spec: MacroSpec
    shape: tuple[int, int]
    weight_step: float
    ranges: MacroRanges
    tiles: tuple[tuple[ProgrammedArray, ...], ...]

    def __call__(self, x: ArrayLike, rng: RandomSource = 0) -> FloatArray:
        """The product ``x @ weights``, (..., n_vectors, n_in) to (..., n_vectors, n_out), or of a single vector."""
        return self.apply(x, rng).values

    def apply(self, x: ArrayLike, rng: RandomSource = 0, probe: Probe = NULL_PROBE) -> Result:
        """The product, what the hardware did for it, and the conversions that saturated.

        Parameters
        ----------
        x
            (..., n_vectors, n_in), or (n_in,); leading axes as those of the weights, or none: then for every matrix.
        rng
            For read noise: the same streams or seed give the same noise again, a generator goes on.
        probe
            Receives ``column_current`` (ampere; input bit, ..., vector, output, slice) of the first row of tiles, and
            ``adc_code``.
        """
        inputs = np.asarray(x, dtype=np.float64)
        if inputs.ndim == 0 or inputs.shape[-1] != self.shape[0]:
            raise SpecError(f"macro: inputs have the shape (..., {self.shape[0]}); got {inputs.shape}")
        if not np.isfinite(inputs).all():
            raise SpecError("macro: inputs are finite numbers; got nan or infinity")
        if inputs.ndim == 1:
            single = self.apply(inputs[None], rng, probe)
            return replace(single, values=single.values[..., 0, :])
        codes, step = self._input_codes(self._for_every_matrix(inputs))
        streams = as_streams(rng)
        if self.spec.adc:
            integers, saturated = self._bit_serial(codes, streams, probe)
            errors = {"adc_saturation": saturated}
        else:
            integers, errors = self._linear(codes, streams), {}
            if probe.active:  # the one product has no column currents to show; a second pass has
                self._bit_serial(codes, streams, probe)
        return Result(integers * (self.weight_step * step), self._activity(codes), errors)

    def _for_every_matrix(self, inputs: FloatArray) -> FloatArray:
        """Inputs with the leading axes of the matrices, repeated where they had none."""
        matrices = self.tiles[0][0].cells.g.shape[:-2]
        try:
            leading = np.broadcast_shapes(inputs.shape[:-2], matrices)
        except ValueError:
            raise SpecError(
                f"macro: leading axes {inputs.shape[:-2]} of the inputs do not fit {matrices} of the matrices"
            ) from None
        return np.broadcast_to(inputs, leading + inputs.shape[-2:])

    def _input_codes(self, x: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
        full_scale: float | FloatArray | None = self.ranges.inputs
        if full_scale is None:
            full_scale = np.abs(x).max(axis=-1, keepdims=True)
        return quantize(x, self.spec.input_bits, full_scale, signed=self.spec.signed_inputs)

    def _bit_weights(self) -> NDArray[np.int64]:
        weights = 1 << np.arange(self.spec.input_bits)
        if self.spec.signed_inputs:
            weights[-1] = -weights[-1]
        return weights

    def _bits(self, codes: NDArray[np.int32]) -> list[NDArray[np.bool_]]:
        return [(codes >> k) & 1 == 1 for k in range(self.spec.input_bits)]

    @cached_property
    def _slice_weights(self) -> FloatArray:
        shifts = self.spec.cell_bits * np.arange(n_slices(self.spec.weight_bits, self.spec.cell_bits))
        return np.ldexp(1.0, shifts)

    def _differential(self, row_of_tiles: tuple[ProgrammedArray, ...]) -> FloatArray:
        """Transconductances of the bit-line pairs of one row of tiles: (..., rows, n_out, n_slices), siemens."""
        return self._by_output([t.transconductance[..., 0::2] - t.transconductance[..., 1::2] for t in row_of_tiles])

    def _variance(self, row_of_tiles: tuple[ProgrammedArray, ...]) -> FloatArray:
        """Variance of the read noise of the pairs, siemens squared, shaped as :meth:`_differential`."""
        return self._by_output(
            [t.noise_deviation[..., 0::2] ** 2 + t.noise_deviation[..., 1::2] ** 2 for t in row_of_tiles]
        )

    def _by_output(self, pairs: list[FloatArray]) -> FloatArray:
        """Join the pairs of tiles side by side: (..., rows, n_out, n_slices)."""
        joined = np.concatenate(pairs, axis=-1)
        return joined.reshape(*joined.shape[:-1], self.shape[1], -1)

    @property
    def _noisy(self) -> bool:
        return self.spec.device.noisy

    def _linear(self, codes: NDArray[np.int32], streams: Streams) -> FloatArray:
        """With an ideal converter all bits and slices add up to one product; the noise keeps its exact moments."""
        total: FloatArray | None = None
        for r, rows in enumerate(spans(self.shape[0], self.spec.tile_rows)):
            part = codes[..., rows].astype(np.float64) @ (self._differential(self.tiles[r]) @ self._slice_weights)
            if self._noisy:
                power = sum(bits[..., rows] * 4.0**k for k, bits in enumerate(self._bits(codes)))
                variance = power @ (self._variance(self.tiles[r]) @ self._slice_weights**2)
                part += np.sqrt(variance) * streams.generator("read", r).standard_normal(part.shape)
            total = part if total is None else total + part
        assert total is not None  # noqa: S101  (a matrix has at least one row)
        return total / self.spec.unit_siemens

    def _bit_serial(self, codes: NDArray[np.int32], streams: Streams, probe: Probe) -> tuple[FloatArray, int]:
        """Bit by bit, tile by tile, each column current through its converter; shift-and-add of the codes."""
        adc, volt = self.spec.adc, self.spec.read_volt
        out = np.zeros((*codes.shape[:-1], self.shape[1]))
        flat_out = out.reshape(-1, self.shape[1])
        saturated = 0
        unit_ampere = volt * self.spec.unit_siemens
        for r, rows in enumerate(spans(self.shape[0], self.spec.tile_rows)):
            t = (volt * self._differential(self.tiles[r])).astype(np.float32)
            t = t.reshape(*t.shape[:-2], -1)
            variance = None
            if self._noisy:
                variance = (volt**2 * self._variance(self.tiles[r])).astype(np.float32).reshape(t.shape)
            generator = streams.generator("read", r)
            full_scale = self._full_scale(rows)
            step = adc.ampere_per_code(full_scale) if adc else 1.0
            currents_seen, codes_seen = [], []
            for weight, bits in zip(self._bit_weights(), self._bits(codes[..., rows]), strict=True):
                drive = bits.astype(np.float32)
                currents = (drive @ t).reshape(-1, self.shape[1], len(self._slice_weights))
                deviation = normal = np.empty((0, 0, 0), dtype=np.float32)
                if variance is not None:
                    deviation = np.sqrt(drive @ variance).reshape(currents.shape)
                    normal = generator.standard_normal(currents.shape, dtype=np.float32)
                if adc:
                    slice_weight = self._slice_weights * (weight * step / unit_ampere)
                    saturated += convert_and_add(
                        currents, deviation, normal, step, adc.code_max, slice_weight, flat_out
                    )
                if probe.active and r == 0:
                    noisy = currents + deviation * normal if variance is not None else currents
                    currents_seen.append(noisy.reshape(*codes.shape[:-1], *currents.shape[1:]))
                    if adc:
                        codes_seen.append(np.clip(np.rint(currents_seen[-1] / step), -adc.code_max - 1, adc.code_max))
            if currents_seen:
                probe.record("column_current", np.stack(currents_seen), "A")
            if codes_seen:
                probe.record("adc_code", np.stack(codes_seen).astype(np.int16))
        return out, saturated

    def _full_scale(self, rows: slice) -> float:
        if self.ranges.current_ampere is not None:
            return self.ranges.current_ampere
        return float(self.spec.read_volt * self.spec.device.window_siemens * (rows.stop - rows.start))

    def column_currents(self, x: ArrayLike) -> FloatArray:
        """Noise-free currents of all bit-line pairs, ampere, for all input bits and vectors: one flat array."""
        codes, _ = self._input_codes(np.asarray(x, dtype=np.float64))
        seen = []
        for r, rows in enumerate(spans(self.shape[0], self.spec.tile_rows)):
            t = self.spec.read_volt * self._differential(self.tiles[r])
            t = t.reshape(*t.shape[:-2], -1)
            seen += [(bits.astype(np.float64) @ t).ravel() for bits in self._bits(codes[..., rows])]
        return np.concatenate(seen)

    @property
    def n_matrices(self) -> int:
        """Independent matrices held (the product of the leading axes)."""
        return int(np.prod(self.tiles[0][0].cells.g.shape[:-2], dtype=int))

    @property
    def n_tiles(self) -> int:
        """Tiles of one matrix."""
        return len(self.tiles) * len(self.tiles[0])

    @property
    def inventory(self) -> Inventory:
        """Parts of one matrix's tiles: whole tiles are built, used or not; a converter serves the pairs of one tile."""
        spec = self.spec
        per_tile = {
            "crossbar_cell": spec.tile_rows * spec.tile_columns,
            "dac_1b": spec.tile_rows,
            "sample_hold": spec.tile_columns // 2,
            "shift_add": 1,
            **({spec.adc.component: 1} if spec.adc else {}),
        }
        return Inventory({name: count * self.n_tiles for name, count in per_tile.items()})

    @property
    def serial(self) -> dict[str, int]:
        """Uses of components that follow one another for one input vector: a tile's pairs share one converter."""
        pairs = max(tile.cells.g.shape[-1] for tile in self.tiles[0]) // 2
        reads = {"crossbar_read": self.spec.input_bits}
        return {**reads, self.spec.adc.component: self.spec.input_bits * pairs} if self.spec.adc else reads

    def _activity(self, codes: NDArray[np.int32]) -> Activity:
        spec = self.spec
        n_vectors = codes[..., 0].size
        conversions = n_vectors * spec.input_bits * self.shape[1] * len(self._slice_weights) * len(self.tiles)
        joule = 0.0
        pulses: FloatArray = np.asarray(np.sum(self._bits(codes), axis=0, dtype=np.float64))
        for r, rows in enumerate(spans(self.shape[0], spec.tile_rows)):
            row_conductance = sum(tile.row_conductance for tile in self.tiles[r])
            joule += float(np.sum(pulses[..., rows].sum(axis=-2) * row_conductance))
        counts: dict[str, float] = {
            "dac_1b": n_vectors * spec.input_bits * self.shape[0] * len(self.tiles[0]),
            "sample_hold": conversions,
            "shift_add": conversions,
            "cell_read_joule": joule * spec.read_volt**2 * spec.read_second,
        }
        if spec.adc:
            counts[spec.adc.component] = conversions
        return Activity(counts)

    @property
    def write_activity(self) -> Activity:
        """What writing all matrices took: the pulses of every cell, and their energy."""
        cells = [tile.cells for row in self.tiles for tile in row]
        joule = sum(each.write_joule for each in cells)
        return Activity({"write_driver": sum(each.n_pulses for each in cells), "cell_write_joule": joule})

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        cells = [tile.cells for row in self.tiles for tile in row]
        return {"write_failure": sum(each.n_failed for each in cells)} if self.spec.device.write.verified else {}

    @property
    def write_second(self) -> float:
        """Time to write one matrix: the rows of a tile one after another, all tiles and columns at once."""
        # A row takes as long as the cell that needs most pulses.
        rows = [tile.cells.write_second.max(axis=-1).sum(axis=-1) for row in self.tiles for tile in row]
        return float(max(each.max() for each in rows))
