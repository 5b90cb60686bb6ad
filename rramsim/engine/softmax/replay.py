"""A written softmax engine compiled into tables, and these replayed over many vectors."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rramsim.array.adc import ProgrammedAdc
from rramsim.array.cam import ProgrammedCam
from rramsim.array.lut import ProgrammedLut
from rramsim.array.sensing import SenseSpec
from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.kernels.softmax import compare_rows, replay_softmax, weigh_words
from rramsim.kernels.tables import BLOCK, EngineTable, Log, ReadTable, SearchTable, SumTable, new_work

__all__ = [
    "EngineParts",
    "compile_engine",
    "digital_subtract",
    "prefix_drives",
    "replay",
    "subtract_table",
    "sum_table",
]


_EXACT = 2.0**40
"""Cells of the sum are rounded to this share of a step: their sums are then exact, in any order."""


@dataclass(frozen=True)
class EngineParts:
    """What an engine is made of, as its tables see it.

    Parameters
    ----------
    search, select
        The two CAMs.
    subtract
        Reads of the first from its rows; without columns: the difference is a digital one.
    lookup
        The look-up table.
    total
        The sum.
    words
        What was to be stored.
    bitwise
        Whether the maximum is found bit by bit.
    counter_bits, flush, divider_bits
        See :class:`rramsim.SoftmaxSpec`.
    """

    search: ProgrammedCam
    select: ProgrammedCam
    subtract: ReadTable
    lookup: ProgrammedLut
    total: SumTable
    words: IntArray
    bitwise: bool
    counter_bits: int
    flush: bool
    divider_bits: int


def subtract_table(cam: ProgrammedCam, sense: SenseSpec, offset: FloatArray) -> ReadTable:
    """Rows of a CAM against one another: each true-bit column has a ternary digit, found by two comparators.

    Parameters
    ----------
    cam
        The written CAM.
    sense
        Its comparators. Their references are shares of the current between a conducting cell and one that does not: in
        ideal cells ("fixed"), or the difference of the medians of all written cells ("global") or of a column ("line").
    offset
        (bits, 2) offsets of the comparators for -1 and +1, as a share of the full signal.
    """
    volt, array = cam.spec.read_volt, cam.driven_rows
    full = volt * cam.spec.device.window_siemens
    current, variance = volt * array.transconductance[:, 0::2], volt**2 * array.noise_variance[:, 0::2]
    stored = (cam.words[:, None] >> np.arange(cam.bits)[::-1] & 1).astype(np.bool_)
    swing = np.full(cam.bits, full)
    # A column that holds one value alone has no swing to be measured.
    if sense.reference == "global" and stored.any() and not stored.all():
        swing[:] = np.median(current[stored]) - np.median(current[~stored])
    elif sense.reference == "line":
        for j in range(cam.bits):
            if stored[:, j].any() and not stored[:, j].all():
                swing[j] = np.median(current[stored[:, j], j]) - np.median(current[~stored[:, j], j])
    reference = sense.share * swing[:, None] * np.array([-1.0, 1.0])
    if sense.reference != "line":
        reference = reference + full * offset
    weight = 1 << np.arange(cam.bits, dtype=np.int64)[::-1]
    return ReadTable(current.copy(), variance.copy(), (sense.noise * full) ** 2, np.sort(reference, axis=1), weight, -1)


def digital_subtract() -> ReadTable:
    """No comparators: the difference follows from the row numbers."""
    none = np.empty((0, 0))
    return ReadTable(none, none, 0.0, none, np.empty(0, np.int64), 0)


def sum_table(
    array: ProgrammedArray | None, digits: IntArray, cell_bits: int, read_volt: float, adc: ProgrammedAdc | None
) -> SumTable:
    """The crossbar that adds up the exponentials, and its converters.

    Parameters
    ----------
    array
        The written cells (n_rows, n_columns + 1); the last column is that of leakage. None: without any error.
    digits
        (n_rows, n_columns) of the words.
    cell_bits
        Bits of a digit.
    read_volt
        Voltage of a driven row.
    adc
        Converters of the columns; None: unlimited resolution.
    """
    n_columns, top_digit = digits.shape[1], (1 << cell_bits) - 1
    cells, variance = digits.astype(np.float64), np.empty((0, 0))
    leak, unit = np.empty(0), 1.0
    if array is not None:
        unit = array.cells.spec.window_siemens / top_digit
        t = array.transconductance / unit
        cells = np.rint((t[:, :-1] - t[:, -1:]) * _EXACT) / _EXACT
        if array.cells.spec.noisy:
            noise = array.noise_variance / unit**2
            variance, leak = noise[:, :-1].copy(), noise[:, -1].copy()
    filled = np.zeros((len(cells), -(-n_columns // BLOCK) * BLOCK))
    filled[:, :n_columns] = cells
    weight: FloatArray = np.ldexp(1.0, np.arange(n_columns)[::-1] * cell_bits).astype(np.float64)
    none, no_codes = np.empty((n_columns, 0)), np.empty((n_columns, 0), np.int32)
    if adc is None:
        plain = (1, 1.0, np.ones(n_columns), np.zeros(n_columns), 0.0, 0, cells @ weight, 0.0, none, no_codes)
        return SumTable(filled, variance, leak, weight, *plain)
    spec = adc.spec
    full = {"lossless": float(adc.code_max), "full": float(len(cells) * top_digit)}.get(spec.range)
    if full is None and spec.full_scale_ampere is not None:
        full = spec.full_scale_ampere / (read_volt * unit)
    assert full is not None  # noqa: S101  (the specification refuses other ranges)
    levels, codes = (none, no_codes) if adc.levels is None or adc.codes is None else (adc.levels, adc.codes)
    step = full / adc.code_max
    quiet = replace(adc, spec=spec.but({"noise_lsb": 0.0}))
    idle = step * float(sum(w * quiet.convert(0.0, j) for j, w in enumerate(weight)))
    errors = (adc.gain, adc.offset_lsb, spec.noise_lsb**2, adc.code_max, cells @ weight, idle, levels, codes)
    return SumTable(filled, variance, leak, weight, 2, step, *errors)


def prefix_drives(cam: ProgrammedCam) -> FloatArray:
    """Search lines for all leading bits: for k = 1, 2, ... bits, all values of k bits."""
    bits = range(1, cam.bits + 1)
    return np.concatenate([cam.driven_lines(np.arange(1 << k) << (cam.bits - k), k) for k in bits])


def compile_engine(parts: EngineParts) -> EngineTable:
    """Compile all but the differences, which :func:`replay` adds for the maxima that it meets."""
    search = parts.search.table(parts.search.driven_lines(parts.search.words))
    select = parts.select.table(parts.select.driven_lines(np.arange(parts.select.n_rows)))
    prefix_rows = prefix_drives(parts.search) if parts.bitwise else np.empty((0, 2 * parts.search.bits))
    prefix = parts.search.table(prefix_rows) if parts.bitwise else _no_searches()
    n_rows, n_words = parts.search.n_rows, len(select.first)
    top = (1 << parts.counter_bits) - 1
    reads = parts.subtract.weight.size and (parts.subtract.noise > 0 or bool(parts.subtract.variance.any()))
    table = EngineTable(
        search=search,
        prefix=prefix,
        subtract=parts.subtract,
        known=np.zeros(n_rows, np.bool_),
        difference=np.empty((n_rows, n_rows), np.int16),
        difference_hazard=np.empty((n_rows, n_rows)),
        column_hazard=np.empty((n_rows, n_rows, parts.subtract.weight.size)),
        late_hazard=np.empty((n_rows, n_rows)),
        regular=np.empty(n_rows, np.int64),
        select=select,
        lookup=parts.lookup.table(),
        word=np.empty(n_words, np.int64),
        word_hazard=np.empty((n_words, parts.lookup.digits.shape[1])),
        answer=np.empty((4, n_words)),
        right=parts.words,
        sum=parts.total,
        counter_top=top,
        flush=parts.flush,
        divider_scale=float(1 << parts.divider_bits),
        noisy=True,
        ordered=not parts.bitwise and bool((np.diff(search.first) >= 0).all() and search.first[-1] < n_rows),
        linear=parts.total.mode == 0 or (parts.total.mode == 1 and parts.total.variance.size == 0),
        alone=_alone(select),
        nonzero=0,
    )
    weigh_words(table)
    nonzero = int(np.flatnonzero(table.word).max(initial=-1)) + 1
    hazards = (search.hazard, prefix.hazard, select.hazard, table.word_hazard)
    added = parts.total.variance.size > 0 or parts.total.noise > 0
    return table._replace(noisy=bool(reads or added or any(each.any() for each in hazards)), nonzero=nonzero)


def _alone(select: SearchTable) -> int:
    """Searches, from the first, each of which fires its own row and no other."""
    own = np.arange(len(select.first))
    alone = (select.first == own) & (np.diff(select.start) == 1)
    return int(np.flatnonzero(~alone).min(initial=len(own)))


def _no_searches() -> SearchTable:
    rows, zero, hazard = np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0)
    return SearchTable(rows, zero, rows, zero, rows, hazard, hazard)


def replay(table: EngineTable, vectors: NDArray[np.uint16], key: np.uint64, log: Log) -> Single:
    """Quotients (n_vectors, length) of rows (n_vectors, length); differences are compiled where they lack."""
    out, work = np.empty(vectors.shape, np.float32), new_work(table, vectors.shape[1])
    done = replay_softmax(table, vectors, 0, key, log, work, out)
    while done < 0:
        row = int(log.maximum[0, -1])
        compare_rows(table, row)
        table.known[row] = True
        done = replay_softmax(table, vectors, -1 - done, key, log, work, out)
    return out
