"""Look-up table: the match lines of a CAM are its word lines; every column is sensed as a digit of the word."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, field_validator, model_validator

from rramsim.arrays import FloatArray, IntArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.kernels.tables import ReadTable
from rramsim.rng import RandomSource, Seed, as_streams
from rramsim.spec import Positive, Spec

from .sensing import SenseSpec, best_reference
from .wired import ProgrammedArray
from .wires import WireSpec
from .words import digit_conductances, word_digits

__all__ = ["LutSpec", "ProgrammedLut"]


class LutSpec(Spec):
    """A table of words.

    Rows that fire are driven. The sense amplifiers of a column find its digit: how many of their references its current
    exceeds. Several rows at once add their currents; no row at all reads 0.

    Parameters
    ----------
    device, wires
        The cells and the lines of the array.
    bank_rows
        Rows that share a segment of the bit lines; the currents of all segments are added at the sense amplifiers.
    read_volt
        Voltage of a driven row.
    cell_bits
        Bits that a cell holds, 1 to 4; a column takes 2^cell_bits - 1 sense amplifiers.
    sense
        The sense amplifiers of the columns, which compare currents.
    """

    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2
    cell_bits: int = Field(default=1, ge=1, le=4)
    sense: SenseSpec = Field(default_factory=SenseSpec)

    @model_validator(mode="after")
    def _check_temperature(self) -> Self:
        self.wires.beside_cells(self.device.temperature.kelvin)
        return self

    @field_validator("sense")
    @classmethod
    def _compares_currents(cls, sense: SenseSpec) -> SenseSpec:
        if sense.kind != "current":
            raise ValueError(f"columns are sensed by their current; got sense.kind = {sense.kind!r}")
        return sense

    def program(self, words: ArrayLike, bits: int, *, rng: RandomSource = None) -> "ProgrammedLut":
        """Write the words, integers of ``bits`` bits, one a row.

        Parameters
        ----------
        words
            (n_rows,) integers.
        bits
            Width of the words.
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the table keeps as ``seed``.

        Raises
        ------
        RangeError
            For words that do not fit into so many bits, or none at all.
        """
        streams, digits = as_streams(rng), word_digits(words, bits, self.cell_bits)
        cells = self.device.program(digit_conductances(self.device, digits, self.cell_bits), rng=streams)
        normal = streams.generator("offset").standard_normal((digits.shape[1], (1 << self.cell_bits) - 1))
        return ProgrammedLut(self, digits, self.lines_of(cells), self.sense.offset_spread * normal, streams.repeated_by)

    def lines_of(self, cells: ProgrammedCells) -> ProgrammedArray:
        """The array of written cells (n_rows, n_columns): one row is driven at a time."""
        return ProgrammedArray.banked(cells, self.wires, self.read_volt, self.bank_rows, driven_share=0.0)


@dataclass(frozen=True)
class ProgrammedLut:
    """A written table.

    Parameters
    ----------
    spec
        What was asked.
    digits
        (n_rows, n_columns) of the words, most significant first.
    array
        The written cells, (n_rows, n_columns).
    offset
        (n_columns, 2^cell_bits - 1) offset of each sense amplifier, as a share of the full signal.
    seed
        What its writing drew from: as ``rng`` it gives this table again.
    """

    spec: LutSpec
    digits: IntArray
    array: ProgrammedArray
    offset: FloatArray
    seed: Seed | None = None

    def at(self, time_second: float) -> "ProgrammedLut":
        """The table with its cells ``time_second`` after they were written; see :meth:`ProgrammedCells.at`."""
        cells = self.cells.at(time_second)
        spec = self.spec.but({"device": cells.spec})
        return replace(self, spec=spec, array=spec.lines_of(cells))

    @property
    def cells(self) -> ProgrammedCells:
        """The written cells."""
        return self.array.cells

    @property
    def full_ampere(self) -> float:
        """What offsets and noise are shares of: the current of a cell over its whole window."""
        return self.spec.read_volt * self.spec.device.window_siemens

    @cached_property
    def row_currents(self) -> FloatArray:
        """Current of every column where a row alone is driven, ampere: (n_rows, n_columns)."""
        return np.asarray(self.spec.read_volt * self.array.transconductance)

    @cached_property
    def reference_ampere(self) -> FloatArray:
        """(n_columns, 2^cell_bits - 1) references of the sense amplifiers in ascending order, offsets included."""
        sense, offset = self.spec.sense, self.offset * self.full_ampere
        top, device = (1 << self.spec.cell_bits) - 1, self.spec.device
        g = device.g_min_siemens + (np.arange(top) + sense.reference_share) / top * device.window_siemens
        reference = np.tile(self.spec.read_volt * g, (len(offset), 1))
        every = list(range(len(offset)))
        columns: list[list[int]] = {"fixed": [], "global": [every], "line": [[j] for j in every]}[sense.reference]
        for column in columns:
            current, digits = self.row_currents[:, column], self.digits[:, column]
            for k in range(top):
                low, high = current[digits <= k], current[digits > k]
                if low.size and high.size:
                    reference[column, k] = best_reference(low, high, sense.reference_share)
                    if sense.reference == "line":
                        # The reference of a line is found through its amplifier, whose offset it takes away.
                        offset[column, k] = 0.0
        return np.sort(reference + offset, axis=1)

    def table(self) -> ReadTable:
        """What each row adds to the columns, ready to be replayed."""
        weights = 1 << (np.arange(self.digits.shape[1])[::-1] * self.spec.cell_bits)
        variance = self.spec.read_volt**2 * self.array.noise_variance
        noise = (self.spec.sense.noise * self.full_ampere) ** 2
        return ReadTable(self.row_currents, variance, noise, self.reference_ampere, weights.astype(np.int64), 0)

    def apply(self, rows: ArrayLike, *, rng: RandomSource = None) -> IntArray:
        """The words (n_reads,) that come out where rows are driven, each read with noise of its own.

        Parameters
        ----------
        rows
            (n_reads, n_rows) which rows are driven, bool.
        rng
            Streams, a generator, or a seed, which gives the same noise again; None: fresh noise.
        """
        table, driven = self.table(), np.asarray(rows, dtype=np.float64)
        current, variance = driven @ table.current, driven @ table.variance + table.noise
        if variance.any():
            current = current + np.sqrt(variance) * as_streams(rng).generator("read").standard_normal(current.shape)
        digits = (current[..., None] > table.reference).sum(axis=-1)
        return np.asarray(digits @ table.weight)
