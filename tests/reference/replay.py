"""The tables of a softmax engine, followed one score at a time without noise."""

import math

from .softmax import divide, encode

__all__ = ["compare", "encode_rows", "replay", "searched", "word_of"]


def encode_rows(scores, unmasked, fraction_bits, bits):
    """Row of each score, 2^bits where it takes no part; scores out of range; scores that are none."""
    rows, saturated, bad = [], 0, 0
    for k, score in enumerate(map(float, scores)):
        if score == -math.inf or (len(unmasked) and not unmasked[k]):
            rows.append(2**bits)
        elif math.isnan(score) or score == math.inf:
            bad += 1
            rows.append(None)
        else:
            rows.append(2**bits - 1 - encode(score, bits - fraction_bits, fraction_bits))
            low = -(2.0 ** (bits - 1 - fraction_bits))
            saturated += not low <= score <= -low - 2.0**-fraction_bits
    return rows, saturated, bad


def searched(table, search):
    """Rows that one search fires."""
    return {int(row) for row in table.row[table.start[search] : table.start[search + 1]]}


def _read(table, rows, against=None):
    word = 0
    for j, weight in enumerate(table.weight):
        current = sum(table.current[row, j] for row in sorted(rows))
        if against is not None:
            current -= table.current[against, j]
        word += int(weight) * (sum(current > reference for reference in table.reference[j]) + table.lowest)
    return word


def word_of(engine, m):
    """What the look-up table reads for a magnitude."""
    return _read(engine.lookup, searched(engine.select, m))


def compare(engine, max_row):
    """Difference of the score of each row from a maximum."""
    last = engine.compiled.size - 1
    fired = [searched(engine.search, row) for row in range(engine.compiled.size)]
    if engine.subtract.weight.size == 0:
        return [max_row - min(min(rows, default=last), last) for rows in fired]
    return [_read(engine.subtract, rows, max_row) for rows in fired]


def _sum(engine, counts):
    """The histogram, a dict of rows, bit by bit and column by column."""
    total, value = engine.sum, 0.0
    for plane in range(max(counts.values(), default=0).bit_length()):
        for j, weight in enumerate(total.weight):
            cells = sum(total.cells[row, j] for row, count in counts.items() if count >> plane & 1)
            if total.mode == 2:
                cells = min(max(round(cells / total.step), 0), total.top) * total.step
            value += 2.0**plane * weight * cells
    return value


def replay(engine, vectors):
    """Quotients of vectors of rows, with converters that are ideal, if any."""
    n_rows, out = engine.compiled.size, []
    for vector in vectors:
        present = [int(row) for row in vector if row < n_rows]
        if not present:
            out.append([0.0] * len(vector))
            continue
        max_row = min(set().union(*(searched(engine.search, row) for row in present)), default=n_rows - 1)
        difference = compare(engine, max_row)
        length = engine.counter_top if engine.flush else len(present)
        words, total, added = {}, 0.0, 0
        for first in range(0, len(present), length):
            counts = {}
            for row in present[first : first + length]:
                m = min(abs(difference[row]), engine.word.size - 1)
                words[row] = word_of(engine, m)
                added += words[row]
                for each in searched(engine.select, m):
                    counts[each] = min(counts.get(each, 0) + 1, engine.counter_top)
            total += _sum(engine, counts)
        total = float(added) if engine.sum.mode == 0 else total
        bits = int(engine.divider_scale).bit_length() - 1
        out.append([divide(words[int(row)], total, bits) if row < n_rows else 0.0 for row in vector])
    return out
