"""Content-addressable memory: words in complementary cells, searched in parallel, a sense amplifier on every row."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.special import ndtr

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.kernels.search import replay_searches
from rramsim.kernels.tables import REACH, SearchTable
from rramsim.rng import RandomSource, Seed, as_streams
from rramsim.spec import Positive, Spec

from .sensing import SenseSpec, best_reference
from .wired import ProgrammedArray
from .wires import WireSpec
from .words import checked_words, word_bits

__all__ = ["SIGNALS_AT_ONCE", "CamSpec", "LineCurrents", "LineSignals", "Margin", "ProgrammedCam"]


SIGNALS_AT_ONCE = 2**20
"""Signals of match lines that are worked out at a time."""


class CamSpec(Spec):
    """A CAM of two complementary cells per bit.

    A stored 1 is a conducting cell on the first line of its pair and a non-conducting one on the second; a stored 0 the
    other way round. A search drives, for every bit, the line whose cells conduct where the stored bit differs. A row
    without a differing bit carries only the leakage of its non-conducting cells; its sense amplifier fires where the
    signal of the match line stays below a reference.

    Parameters
    ----------
    device
        The cells; ideal by default.
    wires
        ``word_line_ohm`` is a segment of a match line, ``bit_line_ohm`` one of a search line; ``driver_ohm`` feeds each
        search line, ``sense_ohm`` ends each match line; ``driver_end`` is the end, or both, at which search lines are
        driven.
    bank_rows
        Rows that share drivers; each bank's search lines are driven anew, since along many rows of low-resistance cells
        they starve.
    read_volt
        Voltage of a driven search line.
    sense
        The sense amplifiers of the match lines.
    """

    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2
    sense: SenseSpec = Field(default_factory=SenseSpec)

    @model_validator(mode="after")
    def _check_temperature(self) -> Self:
        self.wires.beside_cells(self.device.temperature.kelvin)
        return self

    def program(self, words: ArrayLike, bits: int, *, rng: RandomSource = None) -> "ProgrammedCam":
        """Write the words, integers of ``bits`` bits, one a row.

        Parameters
        ----------
        words
            (n_rows,) integers.
        bits
            Width of the words.
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the CAM keeps as ``seed``.

        Raises
        ------
        RangeError
            For words that do not fit into so many bits, or none at all.
        """
        streams, stored = as_streams(rng), checked_words(words, bits, f"a CAM of {bits} bits stores")
        digits = word_bits(stored, bits)
        conducting = np.stack([digits, ~digits], axis=-1).reshape(len(stored), -1)
        g_target = np.where(conducting, self.device.g_max_siemens, self.device.g_min_siemens)
        offset = streams.generator("offset").standard_normal(len(stored))
        cells = self.device.program(g_target, rng=streams)
        return ProgrammedCam(self, bits, stored, cells, self.sense.offset_spread * offset, streams.repeated_by)


class LineCurrents(NamedTuple):
    """Currents of match lines and the standard deviation of their read noise, ampere, (n_searches, n_rows) each."""

    ampere: FloatArray
    deviation_ampere: FloatArray


class LineSignals(NamedTuple):
    """What sense amplifiers compare and its standard deviation, ampere or volt, (n_searches, n_rows) each."""

    signal: FloatArray
    deviation: FloatArray


class Margin(NamedTuple):
    """Signals that must be told apart.

    Parameters
    ----------
    match
        (n_rows, 1) of each row where its own word is searched.
    one_off
        (n_rows, bits) of each row where one bit of its word differs.
    """

    match: FloatArray
    one_off: FloatArray


@dataclass(frozen=True)
class ProgrammedCam:
    """A written CAM.

    Parameters
    ----------
    spec
        What was asked.
    bits
        Width of the words.
    words
        (n_rows,) the words.
    cells
        Conductances (n_rows, 2 bits), rows in the order of the words.
    offset
        (n_rows,) offset of each sense amplifier, as a share of the full signal.
    seed
        What its writing drew from: as ``rng`` it gives this CAM again.
    """

    spec: CamSpec
    bits: int
    words: IntArray
    cells: ProgrammedCells
    offset: FloatArray
    seed: Seed | None = None

    def at(self, time_second: float) -> "ProgrammedCam":
        """The CAM with its cells ``time_second`` after they were written; see :meth:`ProgrammedCells.at`."""
        cells = self.cells.at(time_second)
        return replace(self, spec=self.spec.but({"device": cells.spec}), cells=cells)

    @property
    def n_rows(self) -> int:
        """Words stored."""
        return len(self.words)

    @property
    def n_banks(self) -> int:
        """Sets of search lines."""
        return -(-self.n_rows // self.spec.bank_rows)

    @cached_property
    def _banks(self) -> list[ProgrammedArray]:
        """The cells of each bank seen from its search lines: (2 bits, rows of the bank)."""
        wires = self.spec.wires
        turned = wires.but(
            {
                "word_line_ohm": wires.bit_line_ohm,
                "bit_line_ohm": wires.word_line_ohm,
                "word_line_farad": wires.bit_line_farad,
                "bit_line_farad": wires.word_line_farad,
            }
        )
        banks = self.cells.banks(self.spec.bank_rows)
        return [ProgrammedArray.wired(bank.rearranged(np.transpose), turned, self.spec.read_volt) for bank in banks]

    def driven_lines(self, codes: ArrayLike, known_bits: int | None = None) -> FloatArray:
        """(n_codes, 2 bits): 1 where the search for a code drives a line.

        Parameters
        ----------
        codes
            (n_codes,) integers.
        known_bits
            Leading bits that are searched; those behind them are left out, and match whatever is stored. None: all.
        """
        digits = word_bits(np.asarray(codes, dtype=np.int64), self.bits)
        lines = np.stack([~digits, digits], axis=-1).astype(np.float64)
        lines[:, self.bits if known_bits is None else known_bits :] = 0.0
        return lines.reshape(len(digits), -1)

    def line_currents(self, drive: FloatArray) -> LineCurrents:
        """Current of every match line, ampere, and the standard deviation of its read noise: (n_searches, n_rows) each.

        Parameters
        ----------
        drive
            (n_searches, 2 bits) which search lines are driven; see :meth:`driven_lines`.
        """
        volt = self.spec.read_volt
        current = np.concatenate([drive @ (volt * bank.transconductance) for bank in self._banks], axis=-1)
        if not self.cells.spec.noisy:
            return LineCurrents(current, np.zeros(current.shape))
        variance = np.concatenate([drive @ (volt**2 * bank.noise_variance) for bank in self._banks], axis=-1)
        return LineCurrents(current, np.sqrt(variance))

    def match_currents(self) -> FloatArray:
        """Match-line currents, ampere: (2^bits codes searched, n_rows), without noise."""
        return self.line_currents(self.driven_lines(np.arange(1 << self.bits))).ampere

    @property
    def full_signal(self) -> float:
        """What offsets and noise are shares of: ampere, or volt where lines are precharged."""
        sense, device = self.spec.sense, self.spec.device
        return sense.precharge_volt if sense.kind == "precharge" else self.spec.read_volt * device.window_siemens

    def line_signals(self, drive: FloatArray) -> LineSignals:
        """What the sense amplifiers compare: signal of every match line, and its standard deviation.

        Signals are currents, ampere, or the voltages that precharged lines have lost, volt; below the reference where
        a row matches. The noise of a precharged line is that of small deviations of its cells.

        Parameters
        ----------
        drive
            (n_searches, 2 bits) which search lines are driven; see :meth:`driven_lines`.
        """
        signal, deviation = self.line_currents(drive)
        sense = self.spec.sense
        if sense.kind == "precharge":
            rate = signal / (self.spec.read_volt * self.line_farad)
            left = sense.precharge_volt * np.exp(-rate * self.strobe_second)
            deviation = left * self.strobe_second * deviation / (self.spec.read_volt * self.line_farad)
            signal = sense.precharge_volt - left
        return LineSignals(signal, np.hypot(deviation, sense.noise * self.full_signal))

    @property
    def line_farad(self) -> float:
        """Capacitance of a precharged match line with the circuits at its end."""
        return 2 * self.bits * self.spec.sense.cell_farad + self.spec.sense.mux_farad

    def _sides(self, signals: FloatArray) -> Margin:
        """Signals of each row in a match (n_rows, 1) and one bit off (n_rows, bits), from those of all codes."""
        rows = np.arange(self.n_rows)[:, None]
        near = self.words[:, None] ^ (1 << np.arange(self.bits))
        return Margin(signals[self.words[:, None], rows], signals[near, rows])

    def margin_currents(self) -> Margin:
        """Match-line currents that must be told apart, ampere."""
        return self._sides(self.match_currents())

    @property
    def _ideal_siemens(self) -> tuple[float, float]:
        """What a match line of ideal cells conducts in a match, and with one differing bit."""
        match = self.bits * self.spec.device.g_min_siemens
        return match, match + self.spec.device.window_siemens

    @cached_property
    def strobe_second(self) -> float:
        """Time of the strobe of a precharged line; from the written cells, where its reference is."""
        volt, sense, ends = self.spec.read_volt, self.spec.sense, self._ideal_siemens
        if sense.reference != "fixed" and sense.strobe_second is None:
            match_current, miss_current = self.margin_currents()
            written = float(match_current.max() / volt), float(miss_current.min() / volt)
            ends = written if written[0] < written[1] else ends
        return sense.strobe(self.line_farad, *ends)

    @cached_property
    def reference(self) -> FloatArray:
        """(n_rows,) signals below which a row fires, the offset of its amplifier included: ampere or volt."""
        sense, offset = self.spec.sense, self.offset * self.full_signal
        if sense.reference == "fixed":
            ends = np.array(self._ideal_siemens)
            if sense.kind == "current":
                low, high = self.spec.read_volt * ends
            else:
                low, high = sense.precharge_volt * -np.expm1(-ends / self.line_farad * self.strobe_second)
            return np.asarray(low + sense.reference_share * (high - low) + offset)
        match, one_off = self._sides(self.line_signals(self.driven_lines(np.arange(1 << self.bits)))[0])
        if sense.reference == "line":
            return best_reference(match, one_off, sense.reference_share)
        match, one_off = (each - offset[:, None] for each in (match, one_off))
        return np.asarray(best_reference(match.ravel(), one_off.ravel(), sense.reference_share) + offset)

    @cached_property
    def fired(self) -> BoolArray:
        """Rows that fire for every code, without noise: (2^bits, n_rows)."""
        return self.line_signals(self.driven_lines(np.arange(1 << self.bits)))[0] < self.reference

    @cached_property
    def _all_codes(self) -> SearchTable:
        """What the search for each code does."""
        return self.table(self.driven_lines(np.arange(1 << self.bits)))

    def apply(self, codes: ArrayLike, *, rng: RandomSource = None) -> BoolArray:
        """Rows that fire (n_searches, n_rows) in searches for codes (n_searches,), each with noise of its own.

        Parameters
        ----------
        codes
            (n_searches,) integers of ``bits`` bits.
        rng
            Streams, a generator, or a seed, which gives the same noise again; None: fresh noise.

        Raises
        ------
        RangeError
            For codes that are not integers of ``bits`` bits.
        """
        searched = checked_words(codes, self.bits, "searches are for", least=0)
        fired, rows = np.zeros((searched.size, self.n_rows), np.bool_), np.empty(self.n_rows + 1, np.int32)
        key = as_streams(rng).generator("search").integers(2**64, dtype=np.uint64)
        replay_searches(self._all_codes, searched, key, rows, np.zeros(1, np.uint64), np.zeros(1), fired)
        return fired

    def table(self, drive: FloatArray) -> SearchTable:
        """What each search does, ready to be replayed: the rows that fire, and those whose noise can change that.

        A row whose signal lies further than REACH standard deviations from its reference never flips.
        """
        step = max(SIGNALS_AT_ONCE // self.n_rows, 1)
        parts = [self._table_part(drive[start : start + step]) for start in range(0, len(drive), step)]
        first, n_rows, row, n_near, near, hazard, total = (np.concatenate(each) for each in zip(*parts, strict=True))
        start, near_start = (np.concatenate([[0], np.cumsum(n)]) for n in (n_rows, n_near))
        return SearchTable(first, start, row, near_start, near, hazard, total)

    def _table_part(self, drive: FloatArray) -> tuple[NDArray[np.generic], ...]:
        """Columns of the table for some of the searches."""
        signal, deviation = self.line_signals(drive)
        fired = signal < self.reference
        distance = np.abs(signal - self.reference)
        close = distance < REACH * deviation
        search, near = np.nonzero(close)
        hazard = -np.log1p(-ndtr(-distance[close] / deviation[close]))
        # Hazards add up along the rows of a search, and begin anew with each.
        total = np.bincount(search, hazard, minlength=len(drive)).astype(np.float64)  # also where there are none
        n_near = close.sum(axis=1)
        before = np.repeat(np.cumsum(total) - total, n_near)
        first = np.where(fired.any(axis=1), fired.argmax(axis=1), self.n_rows)
        rows = np.nonzero(fired)[1]
        added = np.maximum(np.cumsum(hazard) - before, 0.0)
        return (
            first.astype(np.int32),
            fired.sum(axis=1),
            rows.astype(np.int32),
            n_near,
            near.astype(np.int32),
            added,
            total,
        )

    def search_joule(self, drive: FloatArray, read_second: float) -> FloatArray:
        """Energy of the match lines in each search (n_searches,), joule.

        That of their currents during the pulse, or what charges the lines again.
        """
        step, sense = max(SIGNALS_AT_ONCE // self.n_rows, 1), self.spec.sense
        energy = []
        for start in range(0, len(drive), step):
            part = drive[start : start + step]
            if sense.kind == "precharge":
                energy.append(self.line_farad * sense.precharge_volt * self.line_signals(part)[0].sum(axis=1))
            else:
                energy.append(self.spec.read_volt * read_second * self.line_currents(part)[0].sum(axis=1))
        return np.concatenate(energy)

    def stored_search_joule(self, read_second: float) -> FloatArray:
        """Energy of the match lines in the search for the word of each row (n_rows,), joule."""
        per_search = self._stored_search
        return read_second * per_search if self.spec.sense.kind == "current" else per_search

    @cached_property
    def _stored_search(self) -> FloatArray:
        """Power of the match lines in the search for the word of each row, watt; energy of precharged lines, joule."""
        return self.search_joule(self.driven_lines(self.words), 1.0)

    @cached_property
    def driven_rows(self) -> ProgrammedArray:
        """The cells driven from the match lines and sensed on the search lines, (n_rows, 2 bits).

        Each bank has search lines of its own; the currents of all banks are added at the sense circuits. Noise is that
        of few rows driven at a time.
        """
        spec = self.spec
        return ProgrammedArray.banked(self.cells, spec.wires, spec.read_volt, spec.bank_rows, driven_share=0.0)
