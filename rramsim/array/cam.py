"""Content-addressable memory: words in complementary cells, searched in parallel by the currents of the match lines."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import ndtr

from rramsim.device.base import DeviceSpec
from rramsim.device.cells import ProgrammedCells
from rramsim.rng import RandomSource, as_streams
from rramsim.spec import Positive, Spec, word_bits

from .mvm import ProgrammedArray
from .wires import WireSpec

__all__ = ["CamSpec", "MatchSets", "ProgrammedCam"]

_REACH = 9.0
"""Standard deviations beyond which noise is taken never to flip a sense amplifier (probability below 1e-18)."""


@dataclass(frozen=True)
class MatchSets:
    """Which rows fired in each of many searches.

    Parameters
    ----------
    ids
        (n_searches,) index of each search's set of rows.
    table
        (n_sets, n_rows) bool: the rows of each set. Set k < 2^bits is the answer to code k without noise.
    """

    ids: NDArray[np.int64]
    table: NDArray[np.bool_]


class CamSpec(Spec):
    """A CAM of two complementary cells per bit, sensed by the current of each match line.

    A stored 1 is a conducting cell on the first line of its pair and a non-conducting one on the second; a stored 0 the
    other way round. A search drives, for every bit, the line whose cells conduct where the stored bit differs. A row
    without a differing bit carries only the leakage of its non-conducting cells; a sense amplifier per row fires where
    the current stays below a reference midway between the currents, in ideal cells, of a match and of one differing
    bit.

    Parameters
    ----------
    device
        The cells; ideal by default.
    wires
        ``word_line_ohm`` is a segment of a match line, ``bit_line_ohm`` one of a search line; ``driver_ohm`` feeds each
        search line, ``sense_ohm`` ends each match line.
    bank_rows
        Rows that share drivers; each bank's search lines are driven anew, since along many rows of low-resistance cells
        they starve.
    read_volt
        Voltage of a driven search line.
    """

    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2

    def program(self, words: ArrayLike, bits: int, rng: RandomSource = 0) -> "ProgrammedCam":
        """Write the words, integers of ``bits`` bits, one a row."""
        stored = word_bits(np.asarray(words), bits)
        conducting = np.stack([stored, ~stored], axis=-1).reshape(len(stored), -1)
        g_target = np.where(conducting, self.device.g_max_siemens, self.device.g_min_siemens)
        return ProgrammedCam(self, bits, self.device.program(g_target, rng))


@dataclass(frozen=True)
class ProgrammedCam:
    """A written CAM.

    Parameters
    ----------
    spec
        What was asked.
    bits
        Width of the words.
    cells
        Conductances (n_rows, 2 bits), rows in the order of the words.
    """

    spec: CamSpec
    bits: int
    cells: ProgrammedCells

    @property
    def n_rows(self) -> int:
        """Words stored."""
        return len(self.cells.g)

    @property
    def banks(self) -> list[ProgrammedCells]:
        """The cells of each bank, (rows of the bank, 2 bits)."""
        step = self.spec.bank_rows
        return [self.cells.part(slice(start, start + step)) for start in range(0, self.n_rows, step)]

    @property
    def reference_ampere(self) -> float:
        """Reference of the sense amplifiers: midway between a match and one differing bit, in ideal cells."""
        device = self.spec.device
        match = self.bits * device.g_min_siemens
        return self.spec.read_volt * (match + 0.5 * device.window_siemens)

    @cached_property
    def _search_lines(self) -> NDArray[np.float64]:
        """(2^bits, 2 bits): 1 where the search for a code drives a line."""
        asked = word_bits(np.arange(1 << self.bits), self.bits)
        return np.stack([~asked, asked], axis=-1).reshape(len(asked), -1).astype(np.float64)

    @cached_property
    def _match_lines(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Current of every match line for every code, ampere, and the standard deviation of its read noise."""
        wires = self.spec.wires.model_copy(
            update={"word_line_ohm": self.spec.wires.bit_line_ohm, "bit_line_ohm": self.spec.wires.word_line_ohm}
        )
        arrays = [
            ProgrammedArray.wired(bank.rearranged(np.transpose), wires, self.spec.read_volt) for bank in self.banks
        ]
        drive, volt = self._search_lines, self.spec.read_volt
        current = np.concatenate([drive @ (volt * array.transconductance) for array in arrays], axis=-1)
        variance = np.concatenate([drive @ (volt * array.noise_deviation) ** 2 for array in arrays], axis=-1)
        return current, np.sqrt(variance)

    def match_currents(self) -> NDArray[np.float64]:
        """Match-line currents, ampere: (2^bits codes searched, n_rows), without noise."""
        return self._match_lines[0].copy()

    @cached_property
    def fired(self) -> NDArray[np.bool_]:
        """Rows that fire for every code, without noise: (2^bits, n_rows)."""
        return self._match_lines[0] < self.reference_ampere

    @cached_property
    def _flips(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Sense amplifiers within reach of the noise: offsets by code, their rows, and their flip probabilities."""
        current, deviation = self._match_lines
        distance = np.abs(current - self.reference_ampere)
        near = distance < _REACH * deviation
        with np.errstate(divide="ignore", invalid="ignore"):
            probability = ndtr(-distance / deviation)
        offsets = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
        return offsets, np.nonzero(near)[1], probability[near]

    def search(self, codes: NDArray[np.int64], rng: RandomSource = 0) -> MatchSets:
        """Search for many codes (n_searches,), each with fresh read noise."""
        offsets, rows, probability = self._flips
        table, ids = self.fired, codes
        n_near = np.diff(offsets)[codes]
        if n_near.any():
            # One uniform number for each search and each amplifier that could flip at all.
            which = np.repeat(np.arange(codes.size), n_near)
            first = np.repeat(np.cumsum(n_near) - n_near, n_near)
            near = offsets[codes][which] + np.arange(which.size) - first
            flips = as_streams(rng).generator("search").random(which.size) < probability[near]
            hit, inverse = np.unique(which[flips], return_inverse=True)
            extra = self.fired[codes[hit]]
            extra[inverse, rows[near[flips]]] ^= True
            table = np.concatenate([table, extra])
            ids = codes.copy()
            ids[hit] = len(self.fired) + np.arange(hit.size)
        return MatchSets(ids, table)

    @cached_property
    def search_watt(self) -> NDArray[np.float64]:
        """Power of the cells during the search for each code, watt: V^2 times the driven conductances."""
        return np.asarray(self.spec.read_volt**2 * (self._search_lines @ self.driven_rows.g.sum(axis=0)))

    @cached_property
    def driven_rows(self) -> ProgrammedArray:
        """The same cells driven from the match lines and sensed on the search lines, (n_rows, 2 bits).

        Each bank has search lines of its own; the currents of all banks are added at the sense circuits.
        """
        arrays = [ProgrammedArray.wired(bank, self.spec.wires, self.spec.read_volt) for bank in self.banks]
        noise = [array.relative_noise for array in arrays if array.relative_noise is not None]
        return ProgrammedArray(
            self.cells,
            np.concatenate([array.g for array in arrays]),
            np.concatenate(noise) if noise else None,
            np.concatenate([array.transconductance for array in arrays]),
        )
