"""A written softmax engine compiled into the tables that the kernel replays."""

from dataclasses import replace

import numpy as np

from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.cam import ProgrammedCam
from rramsim.arrays import FloatArray
from rramsim.kernels.softmax import weigh_words
from rramsim.kernels.tables import BLOCK, EngineTable, ReadTable, SearchTable, SumTable

from .design import Step
from .held import HeldSoftmax

__all__ = ["compile_engine", "prefix_drives"]

_EXACT = 2.0**40
"""Cells of the sum are rounded to this share of a step: their sums are then exact, in any order."""


def compile_engine(engine: HeldSoftmax, perfect: HeldSoftmax) -> EngineTable:
    """Compile all but the differences, which are compiled for each row of the maximum when a vector first meets it.

    Parameters
    ----------
    engine
        The written engine.
    perfect
        The engine without any error, which takes the place of ``engine`` in the steps that ``engine.spec`` lists as
        ``perfect_steps``.
    """
    spec = engine.spec

    def crossbars(step: Step) -> HeldSoftmax:
        return perfect if step in spec.perfect_steps else engine

    score_cam, magnitude_cam = crossbars("search").cam_sub, crossbars("exponential").cam_exp
    lut, n_rows = crossbars("lookup").lut, score_cam.n_rows
    search = score_cam.table(score_cam.driven_lines(score_cam.words))
    prefix = score_cam.table(prefix_drives(score_cam)) if spec.maximum == "bitwise" else _no_searches()
    subtract = _subtract_table(crossbars("subtract")) if spec.subtract == "array" else _no_reads()
    select = magnitude_cam.table(magnitude_cam.driven_lines(np.arange(magnitude_cam.n_rows)))
    total = _sum_table(engine, perfect="sum" in spec.perfect_steps)
    n_words = len(select.first)
    table = EngineTable(
        search=search,
        prefix=prefix,
        subtract=subtract,
        compiled=np.zeros(n_rows, np.bool_),
        difference=np.empty((n_rows, n_rows), np.int16),
        difference_hazard=np.empty((n_rows, n_rows)),
        column_hazard=np.empty((n_rows, n_rows, subtract.weight.size)),
        hazard_after_search=np.empty((n_rows, n_rows)),
        regular_end=np.empty(n_rows, np.int64),
        select=select,
        lookup=lut.table(),
        word=np.empty(n_words, np.int64),
        word_hazard=np.empty((n_words, lut.digits.shape[1])),
        by_magnitude=np.empty((4, n_words)),
        right_word=spec.exponentials,
        sum=total,
        counter_top=(1 << spec.counter_bits) - 1,
        flush=spec.overflow == "flush",
        divider_scale=float(1 << spec.divider_bits),
        noisy=True,
        ordered=spec.maximum == "sweep" and bool((np.diff(search.first) >= 0).all() and search.first[-1] < n_rows),
        linear=total.mode == 0 or (total.mode == 1 and total.variance.size == 0),
        n_selected_alone=_count_selected_alone(select),
        n_nonzero=0,
    )
    weigh_words(table)
    n_nonzero = int(np.flatnonzero(table.word).max(initial=-1)) + 1
    return table._replace(noisy=_noisy(table), n_nonzero=n_nonzero)


def prefix_drives(cam: ProgrammedCam) -> FloatArray:
    """Search lines for all leading bits: for k = 1, 2, ... bits, all values of k bits."""
    bits = range(1, cam.bits + 1)
    return np.concatenate([cam.driven_lines(np.arange(1 << k) << (cam.bits - k), k) for k in bits])


def _no_searches() -> SearchTable:
    rows, zero, hazard = np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0)
    return SearchTable(rows, zero, rows, zero, rows, hazard, hazard)


def _count_selected_alone(select: SearchTable) -> int:
    """Number of searches, from the first on, each of which fires the row of its number and no other."""
    row = np.arange(len(select.first))
    alone = (select.first == row) & (np.diff(select.start) == 1)
    return int(np.flatnonzero(~alone).min(initial=len(row)))


def _noisy(table: EngineTable) -> bool:
    """Whether any sense amplifier is within reach of its noise, or the sum has noise."""
    subtract, total = table.subtract, table.sum
    hazards = (table.search.hazard, table.prefix.hazard, table.select.hazard, table.word_hazard)
    compared = bool(subtract.weight.size) and (subtract.noise > 0 or bool(subtract.variance.any()))
    added = total.variance.size > 0 or total.noise > 0
    return bool(compared or added or any(hazard.any() for hazard in hazards))


def _subtract_table(engine: HeldSoftmax) -> ReadTable:
    """Rows of the first CAM against one another: each true-bit column has a ternary digit, found by two comparators.

    The references of the comparators are shares of the current between a conducting cell and one that does not: in
    ideal cells ("fixed"), or the difference of the medians of all written cells ("global") or of a column ("line").
    """
    cam, sense = engine.cam_sub, engine.spec.column_sense
    array, volt = cam.driven_rows, cam.spec.read_volt
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
    reference = sense.reference_share * swing[:, None] * np.array([-1.0, 1.0])
    if sense.reference != "line":
        reference = reference + full * engine.comparators
    weight = 1 << np.arange(cam.bits, dtype=np.int64)[::-1]
    return ReadTable(current.copy(), variance.copy(), (sense.noise * full) ** 2, np.sort(reference, axis=1), weight, -1)


def _no_reads() -> ReadTable:
    """No comparators: the difference follows from the row numbers."""
    none = np.empty((0, 0))
    return ReadTable(none, none, 0.0, none, np.empty(0, np.int64), 0)


def _sum_table(engine: HeldSoftmax, *, perfect: bool) -> SumTable:
    """The crossbar that adds up the exponentials, and its converters; perfect: cells and currents are the digits."""
    spec, digits = engine.spec, engine.spec.exponential_digits.astype(np.float64)
    n_columns, empty = digits.shape[1], np.empty((0, 0))
    cells, variance, leak_variance = (digits, empty, np.empty(0)) if perfect else _sum_cells(engine)
    filled = np.zeros((len(cells), -(-n_columns // BLOCK) * BLOCK))
    filled[:, :n_columns] = cells
    weight: FloatArray = np.ldexp(1.0, np.arange(n_columns)[::-1] * spec.lut_cell_bits).astype(np.float64)
    table = SumTable(
        cells=filled,
        variance=variance,
        leak_variance=leak_variance,
        weight=weight,
        mode=1,
        step=1.0,
        gain=np.ones(n_columns),
        offset=np.zeros(n_columns),
        noise=0.0,
        top=0,
        linear=cells @ weight,
        idle=0.0,
        level=np.empty((n_columns, 0)),
        code=np.empty((n_columns, 0), np.int32),
    )
    if not perfect and engine.adc is not None:
        table = _converted(table, engine.adc, _full_scale(engine, engine.adc))
    return table._replace(mode=0) if spec.sum_by == "adder" else table


def _digit_siemens(engine: HeldSoftmax) -> float:
    """Conductance of one step of a digit."""
    return engine.vmm.cells.spec.window_siemens / ((1 << engine.spec.lut_cell_bits) - 1)


def _sum_cells(engine: HeldSoftmax) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cells less those of the column of leakage, variance of both, in steps of a digit; no variance without noise."""
    unit, array = _digit_siemens(engine), engine.vmm
    t = array.transconductance / unit
    cells = np.rint((t[:, :-1] - t[:, -1:]) * _EXACT) / _EXACT
    if not array.cells.spec.noisy:
        return cells, np.empty((0, 0)), np.empty(0)
    noise = array.noise_variance / unit**2
    return cells, noise[:, :-1].copy(), noise[:, -1].copy()


def _full_scale(engine: HeldSoftmax, adc: ProgrammedAdc) -> float:
    """Current of the largest code, in steps of a digit."""
    spec, n_rows = adc.spec, engine.cam_exp.n_rows
    if spec.full_scale_from == "lossless":
        return float(adc.code_max)
    if spec.full_scale_from == "full":
        return float(n_rows * ((1 << engine.spec.lut_cell_bits) - 1))
    assert spec.full_scale_ampere is not None  # noqa: S101  (the specification refuses other ranges)
    return spec.full_scale_ampere / (engine.spec.read_volt * _digit_siemens(engine))


def _converted(table: SumTable, adc: ProgrammedAdc, full_scale: float) -> SumTable:
    """A sum behind converters whose largest code is ``full_scale`` steps of a digit."""
    step = full_scale / adc.code_max
    quiet = replace(adc, spec=adc.spec.but({"noise_lsb": 0.0}))
    levels, codes = (table.level, table.code) if adc.levels is None or adc.codes is None else (adc.levels, adc.codes)
    return table._replace(
        mode=2,
        step=step,
        gain=adc.gain,
        offset=adc.offset_lsb,
        noise=adc.spec.noise_lsb**2,
        top=adc.code_max,
        idle=step * float(sum(w * quiet.apply(0.0, j) for j, w in enumerate(table.weight))),
        level=levels,
        code=codes,
    )
