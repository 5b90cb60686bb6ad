"""What is asked of a matrix product in crossbars: fields, their checks, and the numbers that follow from them."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from rramsim.activity import Inventory
from rramsim.array.adc.kinds import Adc
from rramsim.array.dac import DacSpec
from rramsim.array.wires import WireSpec
from rramsim.arrays import FloatArray, IntArray
from rramsim.cards import MACROS, CardSpec
from rramsim.cell.device import DeviceSpec
from rramsim.component_names import ComponentName
from rramsim.errors import SpecError
from rramsim.references import References
from rramsim.spec import FieldError, Positive

from .mapping import (
    Codes,
    Pulse,
    WeightCoding,
    input_pulses,
    magnitude_bits,
    outputs_per_tile,
    pulse_weights,
    slice_widths,
)

__all__ = ["MacroDesign", "MacroRanges"]

Width = Annotated[int, Field(ge=1, le=8)]
CellBits = Annotated[
    Annotated[Width, Tag("number")] | Annotated[tuple[Width, ...], Field(strict=False), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list | tuple) else "number"),
]


class MacroRanges(NamedTuple):
    """Full scales of a macro, found from data before it runs; None leaves the choice to the macro.

    Parameters
    ----------
    inputs
        Largest input; None: each input vector is scaled by its own largest element.
    weights
        Largest weight, or (n_out,) the largest of each column; None: of the matrix that is programmed.
    current_ampere
        Full scale of the converters; None: found as :class:`rramsim.AdcSpec` says.
    """

    inputs: float | None = None
    weights: float | FloatArray | None = None
    current_ampere: float | None = None

    def check(self, n_out: int) -> None:
        """Refuse what is no full scale of a macro with ``n_out`` outputs.

        Raises
        ------
        SpecError
            For numbers that are not finite or below 0, and for a current of 0; inputs and weights that are all 0 have a
            full scale of 0.
        """
        for name, value in self._asdict().items():
            if value is None:
                continue
            given = np.asarray(value, dtype=np.float64)
            fits = given.shape == () or (name == "weights" and given.shape == (n_out,))
            least = np.nextafter(0.0, 1.0) if name == "current_ampere" else 0.0
            if not fits or not (np.isfinite(given) & (given >= least)).all():
                each = f", or {n_out} of them, one for each output" if name == "weights" else ""
                got = str(given.tolist())[:60]
                raise SpecError(f"MacroRanges: {name} is a full scale, a finite number above 0{each}; got {got}")


class MacroDesign(CardSpec):
    """A matrix product in crossbars.

    A weight becomes an integer, the integer digits, each digit a cell; an input becomes an integer and drives its row
    pulse by pulse; each column current is converted, and a shift-and-add collects the codes of pulses and slices.

    ``MacroSpec(preset="isaac", ...)`` starts from a published macro and changes some fields.

    Parameters
    ----------
    name, title, source, note
        What the macro is, where its figures were published, and what the source does not give.
    references
        What ``rramsim.cite`` gives: keys of known references, or tables of the fields of :class:`rramsim.Reference`.
    device
        The cells; ideal by default.
    wires
        Resistances of every tile's lines, drivers and sense circuits; none by default.
    dac
        The drivers of the rows; ideal, one bit a pulse by default.
    adc
        The converters; None is an ideal converter of unlimited resolution.
    input_bits, weight_bits
        Widths, the sign included, 2 to 16 (1 to 16 for inputs without a sign).
    cell_bits
        Bits a cell holds, on levels equidistant in conductance, 1 to 8; or a list with a number for each slice, the
        least significant first.
    tile_rows, tile_columns
        Cells of a tile; larger matrices take several.
    weight_coding
        How negative weights are held. "differential": magnitudes on pairs of bit lines, subtracted before the
        converter. "separate": on pairs of bit lines, each converted, the codes subtracted. "offset": half of the range
        is added to every weight, and taken off the result.
    offset_from
        Offset only: how what was added is known. "digital": the inputs are counted; "unit column": each tile has one
        more column of equal cells, which measures their sum (ISAAC).
    invert_heavy_columns
        Offset only: columns whose digits sum up to more than half are stored inverted, which saves a bit of the
        converter (ISAAC).
    weight_scale_per
        One step for the whole matrix ("tensor"), or one for every output ("channel").
    unused_cells
        Cells of a tile that hold no weight. "absent": its lines end before them; "low": written to the lowest
        conductance; "open": their transistors are off, but the lines run on.
    signed_inputs
        False where inputs are never negative (probabilities); they then have all bits for their magnitude.
    accumulate
        "digital": every pulse is converted; "analog": the charges of the pulses of one input are weighed and collected,
        and converted once.
    accumulator_bits
        Width of the accumulator, in codes of the converter and the least pulse and slice; it saturates. None: wide
        enough.
    read_volt
        Voltage of a fully driven row; 0.2 V in the ISAAC cell of CiMLoop.
    read_second
        Length of a full read pulse; 10 ns by default in DNN+NeuroSim V1.4 (``readPulseWidth``).
    noise_model
        "moments": read noise is drawn for each conversion from the exact moments of its cells; "cells": for each cell
        and pulse, with a new solution of the wires: slow, to check the former.
    telegraph_vectors
        Random telegraph noise as slow states: drawn once for so many input vectors, after one another in time; None:
        fresh at every read, within the moments.
    nonlinear
        Cells with a curved I-V. "chord": by their conductance at the read voltage, exact without wires and for pulses
        of one height; "newton": every pulse solves the nonlinear network (:meth:`ProgrammedMacro.newton_cost` tells
        beforehand how long that takes).
    """

    shelf: ClassVar = MACROS

    name: str = "custom"
    title: str = ""
    source: str = ""
    references: References = ()
    note: str = ""
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    dac: DacSpec = Field(default_factory=DacSpec)
    adc: Adc | None = None
    input_bits: int = Field(default=8, ge=1, le=16)
    weight_bits: int = Field(default=8, ge=2, le=16)
    cell_bits: CellBits = 2
    tile_rows: int = Field(default=128, ge=1, le=4096)
    tile_columns: int = Field(default=128, ge=1, le=4096)
    weight_coding: WeightCoding = "differential"
    offset_from: Literal["digital", "unit column"] = "digital"
    invert_heavy_columns: bool = False
    weight_scale_per: Literal["tensor", "channel"] = "tensor"
    unused_cells: Literal["absent", "low", "open"] = "absent"
    signed_inputs: bool = True
    accumulate: Literal["digital", "analog"] = "digital"
    accumulator_bits: int | None = Field(default=None, ge=2, le=31)
    read_volt: Positive = 0.2
    read_second: Positive = 10e-9
    noise_model: Literal["moments", "cells"] = "moments"
    telegraph_vectors: int | None = Field(default=None, ge=1)
    nonlinear: Literal["chord", "newton"] = "chord"

    @model_validator(mode="after")
    def _check(self) -> "MacroDesign":
        self.wires.beside_cells(self.device.temperature.kelvin)
        if self.signed_inputs and self.input_bits < 2:
            raise ValueError("input_bits 1 with signed_inputs leaves no bit for the magnitude; take 2 or more")
        for key, usual in (("offset_from", "digital"), ("invert_heavy_columns", False)):
            if self.weight_coding != "offset" and getattr(self, key) != usual:
                raise ValueError(
                    f"{key} = {getattr(self, key)!r} belongs to weight_coding = 'offset'; got {self.weight_coding!r}"
                )
        if not self.outputs_per_tile:
            needed = len(self.widths) * self.n_lines + self.has_unit_column
            raise ValueError(
                f"tile_columns {self.tile_columns} cannot hold one weight: {self.weight_bits} weight bits on cells of "
                f"{self.cell_bits} bits, {self.weight_coding}, take {needed} columns"
            )
        if self.has_unit_column and self.unit_level == 0:
            raise ValueError(
                "invert_heavy_columns with a unit column takes cells of 2 bits or more: of 1-bit cells the unit column "
                "alone would carry the current of a column that is not inverted"
            )
        if self.accumulator_bits is not None and (self.adc is None or len(set(self.widths)) > 1):
            raise ValueError(
                "accumulator_bits adds up codes of a converter (macro.adc) from slices of equal width; codes of "
                "unequal slices are no multiples of one another"
            )
        if self.noise_model == "cells" and self.telegraph_vectors:
            raise ValueError(
                "noise_model = 'cells' draws every trap anew at each read; telegraph_vectors, for which traps keep "
                "their state, belongs to noise_model = 'moments'"
            )
        self._check_lossless()
        return self

    def _check_lossless(self) -> None:
        if self.adc is None or self.adc.full_scale_from != "lossless":
            return
        needed = max(1, int(np.ceil(np.log2(self._largest_code + 1)))) + self.signed_codes
        if self.adc.bits < needed:
            raise FieldError(
                "adc.bits",
                f"adc.full_scale_from = 'lossless' needs {needed} bits: {self.tile_rows} rows, {self.dac.bits} bit a "
                f"pulse and cells of {max(self.widths)} bits make sums up to {self._largest_code:g} steps; got bits = "
                f"{self.adc.bits}",
            )

    @property
    def _largest_code(self) -> float:
        """Largest sum of a tile's column, in steps of one level of a cell and of one level of the drivers."""
        tops = [(1 << width) - 1 for width in self.widths]
        left = 0.0 if self.weight_coding == "differential" else self.device.g_min_siemens / self.device.window_siemens
        share = 0.5 if self.invert_heavy_columns else 1.0
        pulses = self._pulse_sum if self.accumulate == "analog" else 1
        return max(self.tile_rows * self.dac.largest_level * pulses * top * (share + left) for top in tops)

    @property
    def pulse_weights(self) -> IntArray:
        """What each pulse of an input counts, in the order of :meth:`pulses`: (n_pulses,)."""
        return pulse_weights(self.input_bits, self.dac.bits, signed=self.signed_inputs, bipolar=self.dac.bipolar)

    @property
    def _pulse_sum(self) -> int:
        """Sum of what the pulses of an input count."""
        return int(np.abs(self.pulse_weights).sum())

    def pulses(self, codes: Codes) -> list[Pulse]:
        """Pulses that send input codes (..., n_in), the least significant first."""
        return input_pulses(codes, self.input_bits, self.dac.bits, signed=self.signed_inputs, bipolar=self.dac.bipolar)

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of each slice, the least significant first."""
        return slice_widths(magnitude_bits(self.weight_bits, self.weight_coding), self.cell_bits)

    @property
    def n_lines(self) -> int:
        """Bit lines of a slice."""
        return 1 if self.weight_coding == "offset" else 2

    @property
    def n_converted_lines(self) -> int:
        """Inputs of converters that a slice takes: the difference of its lines, each of them, or its only one."""
        return 2 if self.weight_coding == "separate" else 1

    @property
    def n_channels(self) -> int:
        """Inputs of converters that an output takes."""
        return len(self.widths) * self.n_converted_lines

    @property
    def has_unit_column(self) -> bool:
        """Whether every tile has a unit column."""
        return self.offset_from == "unit column"

    @property
    def unit_level(self) -> int:
        """Level of the cells of a unit column, on the scale of the first slice: it carries no more than any column."""
        top = (1 << self.widths[0]) - 1
        return top // 2 if self.invert_heavy_columns else top

    @property
    def outputs_per_tile(self) -> int:
        """Whole outputs that fit into a tile."""
        return outputs_per_tile(
            self.tile_columns, len(self.widths), self.weight_coding, unit_column=self.has_unit_column
        )

    def parts(self, n_in: int, n_out: int) -> Inventory:
        """Parts of the tiles that hold a matrix (n_in, n_out): whole tiles are built, used or not."""
        channels = self.tile_columns // (2 if self.weight_coding == "differential" else 1)
        shared = (self.adc.columns if self.adc else None) or channels
        per_tile = {
            ComponentName.CROSSBAR_CELL: self.tile_rows * self.tile_columns,
            self.dac.component: self.tile_rows,
            ComponentName.SAMPLE_HOLD: channels,
            ComponentName.SHIFT_ADD: 1,
            **({self.adc.component: -(-channels // shared)} if self.adc else {}),
        }
        n_tiles = -(-n_in // self.tile_rows) * -(-n_out // self.outputs_per_tile)
        return Inventory({name: count * n_tiles for name, count in per_tile.items()})

    def turns(self, n_out: int) -> dict[str, int]:
        """Uses of components that follow one another for one input vector: the columns of a converter take turns."""
        reads: dict[str, int] = {ComponentName.CROSSBAR_READ: len(self.pulse_weights)}
        if self.adc is None:
            return reads
        channels = min(n_out, self.outputs_per_tile) * self.n_channels + self.has_unit_column
        turns = min(self.adc.columns or channels, channels)
        return {**reads, self.adc.component: self.n_conversions * self.adc.turns(turns)}

    def write_second(self, n_in: int) -> float:
        """Time to write a matrix of n_in rows, second: the rows of a tile one after another, all tiles at once.

        Where writes are verified it is the longest time: a row takes as long as its slowest cell, which may take all
        pulses that the device allows.
        """
        n_rows = self.tile_rows if self.unused_cells == "low" else min(n_in, self.tile_rows)
        # Added up as a written tile adds up its rows, to the last bit.
        return float(np.full(n_rows, self.device.write.most_pulses * self.device.write.pulse_second).sum())

    @property
    def n_conversions(self) -> int:
        """Conversions that one input vector takes of one channel."""
        return 1 if self.accumulate == "analog" else len(self.pulse_weights)

    @property
    def unit_siemens(self) -> FloatArray:
        """Conductance of one step of a digit, for each slice: (n_slices,)."""
        return np.asarray(self.device.window_siemens / (2.0 ** np.array(self.widths) - 1))

    @property
    def slice_weights(self) -> FloatArray:
        """What one step of each slice counts: (n_slices,)."""
        return np.asarray(np.ldexp(1.0, np.cumsum((0, *self.widths[:-1]))))

    @property
    def step_volt(self) -> float:
        """Voltage of one level of the drivers; with pulse-width coding its share of a full pulse is meant."""
        return self.read_volt / self.dac.largest_level

    @property
    def on_or_off(self) -> bool:
        """Whether a pulse drives a row or does not, and currents are sums over the rows that are driven."""
        by_level = self.dac.bits > 1 or self.dac.noise > 0 or (self.dac.bipolar and self.signed_inputs)
        solved = self.noise_model == "cells" or (self.nonlinear == "newton" and not self.device.ohmic)
        return not by_level and not solved and self.accumulate == "digital"

    @property
    def collapses(self) -> bool:
        """Whether nothing between cells and sum is nonlinear, so that pulses and slices add up to one product."""
        plain = self.noise_model == "moments" and (self.nonlinear == "chord" or self.device.ohmic) and self.dac.ideal
        return self.adc is None and plain and not (self.has_unit_column and self.device.noisy)

    @property
    def driven_share(self) -> float:
        """Share of the rows that lift the bit lines together: half of all bits are 1; pulses of either sign cancel."""
        return 0.0 if self.dac.bipolar and self.signed_inputs else 0.5

    @property
    def signed_codes(self) -> bool:
        """Whether the converters see currents of either sign."""
        mixed = self.dac.bipolar or self.accumulate == "analog"
        return self.weight_coding == "differential" or (self.signed_inputs and mixed)

    def step_ampere(self, n_rows: int, current_ampere: float | None) -> FloatArray:
        """Step of the converters for each slice: (n_slices,) ampere.

        Parameters
        ----------
        n_rows
            Rows of the largest tile in use.
        current_ampere
            Full scale found by calibration; None: found as the converter says.
        """
        assert self.adc is not None  # noqa: S101  (asked for by those who have one)
        if self.adc.full_scale_from == "lossless":
            return np.asarray(self.step_volt * self.unit_siemens) / (
                self._pulse_sum if self.accumulate == "analog" else 1
            )
        device = self.device
        if current_ampere is None:
            low = 0.0 if self.weight_coding == "differential" else device.g_min_siemens
            share = 0.5 if self.invert_heavy_columns else 1.0
            current_ampere = self.adc.full_scale_ampere or self.read_volt * n_rows * (
                low + share * device.window_siemens
            )
        return np.full(len(self.widths), self.adc.ampere_per_code(current_ampere, signed=self.signed_codes))
