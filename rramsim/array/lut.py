"""Look-up table: the match lines of a CAM are its word lines; every column is sensed as one bit."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from rramsim.device.base import DeviceSpec
from rramsim.device.cells import ProgrammedCells
from rramsim.rng import RandomSource, as_streams
from rramsim.spec import Positive, Spec, word_bits

from .cam import MatchSets
from .mvm import ProgrammedArray
from .wires import WireSpec

__all__ = ["LutSpec", "ProgrammedLut"]


class LutSpec(Spec):
    """A table of words in binary cells.

    Rows that fire are driven; a column reads 1 where its current exceeds a reference of half the current step of a cell
    above the leakage of one driven row. Several rows at once add their currents; no row at all reads 0.

    Parameters
    ----------
    device, wires
        The cells and the lines of the array.
    read_volt
        Voltage of a driven row.
    """

    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    read_volt: Positive = 0.2

    def program(self, words: ArrayLike, bits: int, rng: RandomSource = 0) -> "ProgrammedLut":
        """Write the words, integers of ``bits`` bits, one a row."""
        stored = word_bits(np.asarray(words), bits)
        g_target = np.where(stored, self.device.g_max_siemens, self.device.g_min_siemens)
        cells = self.device.program(g_target, rng)
        return ProgrammedLut(self, ProgrammedArray.wired(cells, self.wires, self.read_volt))


@dataclass(frozen=True)
class ProgrammedLut:
    """A written table.

    Parameters
    ----------
    spec
        What was asked.
    array
        The written cells, (n_rows, bits), most significant bit first.
    """

    spec: LutSpec
    array: ProgrammedArray

    @property
    def cells(self) -> ProgrammedCells:
        """The written cells."""
        return self.array.cells

    @cached_property
    def reference_ampere(self) -> float:
        """Reference of the column sense amplifiers."""
        device = self.spec.device
        return self.spec.read_volt * 0.5 * (device.g_min_siemens + device.g_max_siemens)

    def read(self, rows: MatchSets, rng: RandomSource = 0) -> NDArray[np.int64]:
        """The words (n_reads,) that come out where the given sets of rows are driven, each read with fresh noise."""
        driven = rows.table.astype(np.float64)
        current = (driven @ (self.spec.read_volt * self.array.transconductance))[rows.ids]
        if self.cells.spec.noisy:
            deviation = np.sqrt(driven @ (self.spec.read_volt * self.array.noise_deviation) ** 2)
            current += deviation[rows.ids] * as_streams(rng).generator("read").standard_normal(current.shape)
        bits = current > self.reference_ampere
        return np.asarray(bits @ (1 << np.arange(bits.shape[-1] - 1, -1, -1)))
