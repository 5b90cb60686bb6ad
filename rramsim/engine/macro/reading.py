"""Vectors that read one matrix of a macro: their pulses, the keys of their noise, and what makes codes of currents."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray, IntArray, Single

from .held import HeldMatrix
from .mapping import Codes, Digits, Pulse
from .noise import COLUMNS, UNIT_COLUMNS, ReadKeys
from .rows import ColumnSteps, RowOfTiles

__all__ = ["NOT_RECORDED", "Conversions", "Reading", "RowReading", "Transfer"]

NOT_RECORDED: Single = np.empty((0, 0), np.float32)
"""Inputs of converters that nobody asked for."""
_NO_TABLES = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32)


class Transfer(NamedTuple):
    """What makes codes of currents in steps, as the kernels take it.

    Parameters
    ----------
    low, high
        The least and the largest code.
    levels, codes
        (n_converters, m) transitions of each converter, steps, and (n_converters, m + 1) the codes between them; empty:
        the nearest code.
    converter
        (n_columns,) the converter of each column.
    limit
        The largest code of the accumulator; 0: it is wide enough.
    """

    low: int
    high: int
    levels: Single
    codes: NDArray[np.int32]
    converter: NDArray[np.int32]
    limit: int


class Conversions(NamedTuple):
    """What the converters of one row of tiles made of the pulses of some vectors.

    Parameters
    ----------
    sums
        (n, n_columns) codes of all pulses, weighed and added up; without a converter, currents in steps.
    n_saturated
        Conversions out of range.
    inputs
        (n * n_conversions, n_columns) what the converters saw, steps; empty where it was not recorded.
    """

    sums: FloatArray
    n_saturated: int
    inputs: Single


@dataclass(frozen=True)
class Reading:
    """Vectors that read one matrix.

    Parameters
    ----------
    macro
        The matrix held, or a stack of them.
    matrix
        Number of the matrix.
    codes
        (n, n_in) the vectors as integers.
    keys, batch
        Where the noise comes from, and the number of these vectors among the batches of the keys.
    """

    macro: HeldMatrix
    matrix: int
    codes: Codes
    keys: ReadKeys
    batch: int

    @cached_property
    def pulses(self) -> list[Pulse]:
        """Pulses of the vectors (n, n_in), the least significant first."""
        return self.macro.spec.pulses(self.codes)

    @property
    def n_vectors(self) -> int:
        """How many vectors read the matrix."""
        return len(self.codes)

    @property
    def weights(self) -> IntArray:
        """What each pulse counts."""
        return self.macro.pulse_weights

    @property
    def analog(self) -> bool:
        """Whether the pulses are collected before the converter."""
        return self.macro.spec.accumulate == "analog"

    @cached_property
    def conversion_weights(self) -> NDArray[np.int32]:
        """What each conversion counts: of all pulses, or of their weighed mean, which counts as their sum."""
        return np.ones(1, np.int32) if self.analog else self.weights.astype(np.int32)

    @cached_property
    def integers_per_code(self) -> FloatArray:
        """(n_slices,) what one code counts, in steps of a digit and of an input."""
        spec = self.macro.spec
        collected = float(np.abs(self.weights).sum()) if self.analog else 1.0
        return np.asarray(collected * self.macro.converters.step_ampere / (spec.step_volt * spec.unit_siemens))


@dataclass(frozen=True)
class RowReading(ABC):
    """One row of tiles as the vectors of a reading meet it; subclasses make conversions of it.

    Parameters
    ----------
    reading
        The vectors.
    row
        The row of tiles.
    kind
        Which of its columns are converted: ``COLUMNS`` of the weights, or ``UNIT_COLUMNS``.
    record
        Whether to record what the converters see.
    """

    reading: Reading
    row: RowOfTiles
    kind: int = COLUMNS
    record: bool = False

    @property
    def columns(self) -> ColumnSteps:
        """The columns in steps of their converters."""
        return self.row.unit_columns if self.kind == UNIT_COLUMNS else self.row.columns

    @property
    def key(self) -> NDArray[np.uint32]:
        """(4,) keys of the noise of the columns."""
        return self.reading.keys.of(self.row.number, self.reading.batch, self.kind)

    @property
    def levels(self) -> list[Digits]:
        """Levels of the drivers (n, n_rows) in each pulse."""
        return [pulse.levels[:, self.row.inputs] for pulse in self.reading.pulses]

    @property
    def transfer(self) -> Transfer:
        """What makes codes of the currents of the columns."""
        macro = self.reading.macro
        adc, bits = macro.converters.adc, macro.spec.accumulator_bits
        assert adc is not None  # noqa: S101  (asked for by those who have one)
        levels, codes = _NO_TABLES
        if adc.levels is not None and adc.codes is not None:
            levels, codes = adc.levels.astype(np.float32), adc.codes
        limit = 0 if bits is None else 2 ** (bits - 1) - 1
        converter = self.columns.converter[self.reading.matrix]
        return Transfer(adc.code_min, adc.code_max, levels, codes, converter, limit)

    @abstractmethod
    def conversions(self) -> Conversions:
        """Codes of all pulses, weighed and added up."""
