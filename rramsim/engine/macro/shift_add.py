"""From conversions to products: how each row of tiles is converted, and the shift-and-add of its codes."""

from typing import NamedTuple

import numpy as np

from rramsim.arrays import FloatArray, Single

from .currents import CurrentReading
from .fused import FusedReading
from .noise import COLUMNS, UNIT_COLUMNS
from .reading import NOT_RECORDED, Conversions, Reading, RowReading
from .rows import RowOfTiles

__all__ = ["Products", "row_reading", "shift_and_add"]


class Products(NamedTuple):
    """Products of the vectors of one reading.

    Parameters
    ----------
    integers
        (n, n_out) in integers of inputs and weights.
    n_saturated
        Conversions out of range.
    converter_inputs
        (n * n_conversions, n_columns) what the converters of the first row of tiles saw, steps; empty where it was not
        recorded.
    """

    integers: FloatArray
    n_saturated: int
    converter_inputs: Single


def row_reading(reading: Reading, row: RowOfTiles, kind: int = COLUMNS, *, record: bool = False) -> RowReading:
    """The reading of one row of tiles, in one kernel where that is possible; parameters as of :class:`RowReading`."""
    macro = reading.macro
    columns = row.unit_columns if kind == UNIT_COLUMNS else row.columns
    fused = macro.spec.on_or_off and columns.third is None and macro.converters.adc is not None
    return (FusedReading if fused else CurrentReading)(reading, row, kind, record)


def shift_and_add(reading: Reading, *, record: bool = False) -> Products:
    """Products of some vectors, row of tiles by row of tiles; ``record``: with what the first row's converters saw."""
    macro, spec = reading.macro, reading.macro.spec
    integers = np.zeros((reading.n_vectors, macro.shape[-1]))
    accumulator = np.zeros_like(integers)
    n_saturated, converter_inputs = 0, NOT_RECORDED
    for row in macro.rows:
        first = record and row.number == 0
        conversions = row_reading(reading, row, record=first).conversions()
        n_saturated += conversions.n_saturated
        if first:
            converter_inputs = conversions.inputs
        lines = _by_line(reading, conversions)
        if spec.accumulator_bits is None:
            _add(integers, lines, reading, row)
        else:
            _add_saturating(accumulator, lines, reading, row)
        if spec.weight_coding == "offset":
            inputs, saturated = _summed_inputs(reading, row)
            integers += row.offset_per_input[reading.matrix % len(row.offset_per_input)] * inputs
            n_saturated += saturated
    integers += reading.integers_per_code[0] * accumulator
    return Products(integers, n_saturated, converter_inputs)


def _by_line(reading: Reading, conversions: Conversions) -> FloatArray:
    """Sums of codes (n, n_slices, converted lines of a slice, n_out), without the columns that pad them."""
    spec, n_out = reading.macro.spec, reading.macro.shape[-1]
    used = conversions.sums[:, : spec.n_channels * n_out]
    return used.reshape(len(used), len(spec.widths), spec.n_converted_lines, n_out)


def _add(total: FloatArray, lines: FloatArray, reading: Reading, row: RowOfTiles) -> None:
    """Add all slices of one row of tiles to integers (n, n_out)."""
    weight = reading.macro.spec.slice_weights * reading.integers_per_code
    sign = row.sign[reading.matrix % len(row.sign)]
    for s in range(lines.shape[1]):
        value = lines[:, s, 0] - lines[:, s, 1] if lines.shape[2] == 2 else lines[:, s, 0]
        total += weight[s] * sign[s] * value


def _add_saturating(total: FloatArray, lines: FloatArray, reading: Reading, row: RowOfTiles) -> None:
    """Add codes to an accumulator (n, n_out) of limited width, slice by slice, the positive line first."""
    spec = reading.macro.spec
    assert spec.accumulator_bits is not None  # noqa: S101
    top = 2.0 ** (spec.accumulator_bits - 1)
    sign = row.sign[reading.matrix % len(row.sign)]
    for s in range(lines.shape[1]):
        for line in range(lines.shape[2]):
            added = (1 - 2 * line) * sign[s] * spec.slice_weights[s] * lines[:, s, line]
            np.clip(total + added, -top, top - 1, out=total)


def _summed_inputs(reading: Reading, row: RowOfTiles) -> tuple[FloatArray, int]:
    """Sum of the inputs of a row of tiles as the hardware knows it, (n, n_out), and conversions out of range."""
    if not reading.macro.spec.has_unit_column:
        levels = sum(pulse.weight * pulse.levels[:, row.inputs].sum(axis=1) for pulse in reading.pulses)
        return np.asarray(levels, dtype=np.float64)[:, None], 0
    conversions = row_reading(reading, row, UNIT_COLUMNS).conversions()
    by_tile = conversions.sums[:, : len(row.tiles)] * reading.integers_per_code[0] / row.unit_steps
    return np.asarray(by_tile)[:, row.tile_of_output], conversions.n_saturated
