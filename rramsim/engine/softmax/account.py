"""What a softmax engine did: its errors and its activity; and what it is made of."""

import numpy as np

from rramsim.activity import Activity, Inventory
from rramsim.arrays import FloatArray, IntArray
from rramsim.component_names import CellEnergy, ComponentFamily, ComponentName
from rramsim.kernels.tables import (
    COUNTER_SATURATION,
    FALSE_MATCH,
    MISSED_MATCH,
    MULTIPLE_MATCH,
    SUM_READS,
    WRONG_BIT,
    WRONG_DIFFERENCE,
    WRONG_EXPONENTIAL,
    WRONG_MAX,
    WRONG_SUM,
    EngineTable,
    Log,
    SearchTable,
)

from .circuits import TABLE_BITS
from .compile import prefix_drives
from .design import SoftmaxDesign
from .held import HeldSoftmax

__all__ = ["activity", "error_counts", "inventory", "turns"]


def error_counts(table: EngineTable, log: Log) -> dict[str, int]:
    """Errors by kind: those of single scores, and those of the tables as often as they were replayed."""
    tally = [int(n) for n in log.tally]
    for search, counts in ((table.search, log.score_searches[0]), (table.select, log.magnitude_searches[0])):
        n_fired, hit = np.diff(search.start), _hits(search)
        tally[FALSE_MATCH] += int(counts @ (n_fired - hit))
        tally[MISSED_MATCH] += int(counts @ (1 - hit))
        tally[MULTIPLE_MATCH] += int(counts @ (n_fired > 1))
    lookups, wrong_bits = log.magnitude_searches[0] - log.changed_words, table.word ^ table.right_word
    tally[WRONG_BIT] += int(lookups @ np.bitwise_count(wrong_bits))
    tally[WRONG_EXPONENTIAL] += int(lookups @ (wrong_bits != 0))
    return {
        "false_match": tally[FALSE_MATCH],
        "missed_match": tally[MISSED_MATCH],
        "multiple_match": tally[MULTIPLE_MATCH],
        "wrong_max": tally[WRONG_MAX],
        "wrong_difference": tally[WRONG_DIFFERENCE],
        "wrong_bit": tally[WRONG_BIT],
        "wrong_exponential": tally[WRONG_EXPONENTIAL],
        "counter_saturation": tally[COUNTER_SATURATION],
        "wrong_sum": tally[WRONG_SUM],
    }


def _hits(search: SearchTable) -> IntArray:
    """1 for each search that fires the row of its number, else 0."""
    fired_by = np.repeat(np.arange(len(search.first)), np.diff(search.start))
    return np.bincount(fired_by[search.row == fired_by], minlength=len(search.first))


def _times_driven(search: SearchTable, counts: IntArray, n_rows: int) -> IntArray:
    """How often each row was driven after searches that fired as in their table."""
    fired_by = np.repeat(np.arange(len(search.first)), np.diff(search.start))
    return np.bincount(search.row, counts[fired_by], minlength=n_rows).astype(np.int64)


def _joule(engine: HeldSoftmax, table: EngineTable, log: Log) -> float:
    """Energy of the cells and match lines."""
    spec, sub, exp = engine.spec, engine.cam_sub, engine.cam_exp
    joule = float(log.score_searches.sum(axis=0) @ sub.stored_search_joule(spec.read_second))
    joule += float(log.magnitude_searches.sum(axis=0) @ exp.stored_search_joule(spec.read_second))
    per_square_volt = 0.0
    if spec.subtract == "array":
        driven = (
            _times_driven(table.search, log.score_searches[0], sub.n_rows) + log.subtract_drives + log.maximum[1, :-1]
        )
        per_square_volt += float(driven @ sub.driven_rows.row_conductance)
    if spec.maximum == "bitwise":
        joule += float(_prefix_counts(log.maximum[0, :-1]) @ sub.search_joule(prefix_drives(sub), spec.read_second))
    driven = _times_driven(table.select, log.magnitude_searches[0], exp.n_rows) + log.lookup_drives
    per_square_volt += float(driven @ engine.lut.array.row_conductance)
    if spec.sum_by == "counters":
        driven = _times_driven(table.select, log.magnitude_sums, exp.n_rows) + log.sum_drives
        per_square_volt += float(driven @ engine.vmm.row_conductance)
    return joule + spec.read_volt**2 * spec.read_second * per_square_volt


def _prefix_counts(maxima: IntArray) -> FloatArray:
    """How often each leading bits were searched for.

    Parameters
    ----------
    maxima
        (n_rows,) vectors whose maximum was the score of each row.
    """
    bits = int(maxima.size).bit_length() - 1
    value = np.arange(maxima.size)[::-1]
    counts = np.zeros(2 * maxima.size - 2)
    for k in range(1, bits + 1):
        # One more bit, taken to be 1, behind those that are known.
        np.add.at(counts, (1 << k) - 2 + ((value >> (bits - k)) | 1), maxima)
    return counts


def _planes(spec: SoftmaxDesign, length: int) -> int:
    """Bits of the counters that ``length`` scores can set: the reads of one sum."""
    return min(spec.counter_bits, int(length).bit_length())


def _sum_reads(spec: SoftmaxDesign, length: int) -> int:
    """Reads of the crossbar of the sum for one vector."""
    if spec.sum_by == "adder":
        return 0
    top = (1 << spec.counter_bits) - 1
    if spec.overflow == "saturate" or length <= top:
        return _planes(spec, length)
    return length // top * spec.counter_bits + _planes(spec, length % top)


def _amplifiers(spec: SoftmaxDesign) -> dict[str, int]:
    """Sense amplifiers of each step."""
    subtract = 2 * spec.format.bits if spec.subtract == "array" else 0
    lookup = spec.n_columns * ((1 << spec.lut_cell_bits) - 1)
    return {"search": spec.n_scores, "select": spec.n_magnitudes, "subtract": subtract, "lookup": lookup}


def activity(engine: HeldSoftmax, table: EngineTable, log: Log, length: int) -> Activity:
    """What the engine did; scores that take no part cost nothing."""
    spec, bits = engine.spec, engine.spec.format.bits
    n_vectors, n_scores = int(log.maximum[0, :-1].sum()), int(log.maximum[1, :-1].sum())
    n_rows, n_magnitudes, n_columns = engine.cam_sub.n_rows, engine.cam_exp.n_rows, engine.lut.digits.shape[1]
    reads = int(log.tally[SUM_READS]) if spec.sum_by == "counters" else 0
    prefixes = n_vectors * bits if spec.maximum == "bitwise" else 0
    in_array, counted = spec.subtract == "array", spec.sum_by == "counters"
    counts: dict[str, float] = {
        ComponentFamily.DAC.of_bits(1): (n_scores + prefixes) * bits * engine.cam_sub.n_banks
        + n_scores * bits * engine.cam_exp.n_banks
        + n_scores * 2 * in_array
        + reads * n_magnitudes,
        ComponentName.SENSE_AMPLIFIER: n_scores * sum(_amplifiers(spec).values()) + prefixes * n_rows,
        ComponentName.REGISTER_BIT: n_scores * n_rows,
        ComponentName.PRIORITY_ENCODER: n_vectors * (not prefixes) + n_scores * (not in_array),
        # A difference in the array is put together digit by digit.
        ComponentName.ADDER: n_scores * (bits if in_array else 1) * bits / TABLE_BITS
        + n_scores * (not counted) * _adder_bits(spec, length) / TABLE_BITS,
        ComponentName.COUNTER: n_scores * counted * spec.counter_bits / TABLE_BITS,
        ComponentName.SAMPLE_HOLD: reads * (n_columns + 1),
        ComponentName.SHIFT_ADD: reads * n_columns,
        ComponentName.DIVIDER: n_scores,
        CellEnergy.READ: _joule(engine, table, log),
        **_sum_adc(spec, reads * n_columns),
    }
    return Activity(counts)


def _adder_bits(spec: SoftmaxDesign, length: int) -> int:
    """Width of a digital sum."""
    return spec.lut_bits + int(length).bit_length()


def _sum_adc(spec: SoftmaxDesign, count: int) -> dict[str, int]:
    """So many converters, or conversions, behind the sum; none where its resolution is unlimited."""
    return {} if spec.sum_adc is None or spec.sum_by == "adder" else {spec.sum_adc.component: count}


def inventory(spec: SoftmaxDesign) -> Inventory:
    """Parts of one engine, for vectors of any length."""
    bits, n_rows, n_magnitudes, n_columns = spec.format.bits, spec.n_scores, spec.n_magnitudes, spec.n_columns
    in_array, counted = spec.subtract == "array", spec.sum_by == "counters"
    adder = bits / TABLE_BITS + (not counted) * _adder_bits(spec, 1 << spec.counter_bits) / TABLE_BITS
    n_lines = 2 * bits * sum(-(-rows // spec.bank_rows) for rows in (n_rows, n_magnitudes))
    parts: dict[str, float] = {
        # Two cells a bit in either CAM; the sum has one column more, of leakage.
        ComponentName.CROSSBAR_CELL: 2 * bits * (n_rows + n_magnitudes)
        + n_magnitudes * (n_columns + (n_columns + 1) * counted),
        ComponentFamily.DAC.of_bits(1): n_lines + n_rows * in_array + n_magnitudes * counted,
        ComponentName.SENSE_AMPLIFIER: sum(_amplifiers(spec).values()),
        ComponentName.REGISTER_BIT: n_rows,
        ComponentName.PRIORITY_ENCODER: (spec.maximum == "sweep") or not in_array,
        ComponentName.ADDER: adder,
        ComponentName.COUNTER: n_magnitudes * counted * spec.counter_bits / TABLE_BITS,
        ComponentName.SAMPLE_HOLD: (n_columns + 1) * counted,
        ComponentName.SHIFT_ADD: counted,
        ComponentName.DIVIDER: 1,
        **_sum_adc(spec, 1),
    }
    return Inventory({name: float(count) for name, count in parts.items()})


def turns(spec: SoftmaxDesign, length: int) -> dict[str, int]:
    """Uses of components that follow one another for one vector of ``length`` scores.

    Search of every score, and the maximum; then difference, search and look-up of every score; then the sum; then the
    divisions.
    """
    reads, n_columns = _sum_reads(spec, length), spec.n_columns
    in_array = spec.subtract == "array"
    return {
        ComponentName.CAM_SEARCH: 2 * length + (spec.format.bits if spec.maximum == "bitwise" else 0),
        ComponentName.PRIORITY_ENCODER: (spec.maximum == "sweep") + length * (not in_array),
        ComponentName.LUT_READ: length * (1 + in_array),
        ComponentName.ADDER: length * (spec.sum_by == "adder"),
        ComponentName.CROSSBAR_READ: reads,
        **_sum_adc(spec, reads * (spec.sum_adc.turns(n_columns) if spec.sum_adc else 0)),
        ComponentName.DIVIDER: length,
    }
