"""The softmax engine in integers, and as circuits, one score, row and column at a time."""

import math
import statistics
from collections import Counter
from fractions import Fraction

from . import network

__all__ = ["KINDS", "divide", "encode", "fixed_point", "parts_of", "star", "words"]

KINDS = (
    "score_saturation",
    "false_match",
    "missed_match",
    "multiple_match",
    "wrong_max",
    "wrong_difference",
    "wrong_bit",
    "wrong_exponential",
    "counter_saturation",
    "wrong_sum",
)


def encode(score, integer_bits, fraction_bits):
    """Offset binary, nearest with ties to even, saturating."""
    half = 2 ** (integer_bits + fraction_bits - 1)
    # Exact: a float is a fraction, and Python rounds fractions to even.
    return min(max(round(Fraction(score) * 2**fraction_bits), -half), half - 1) + half


def words(bits, fraction_bits, lut_bits):
    """The exponentials that are stored, by magnitude of the difference."""
    return [round(math.exp(-d / 2**fraction_bits) * (2**lut_bits - 1)) for d in range(2 ** (bits - 1))]


def divide(exponential, total, divider_bits):
    """Nearest multiple of 2^-divider_bits, ties up, at most 1; 0 where the sum is 0."""
    if total <= 0:
        return 0.0
    quotient = (Fraction(exponential) * 2**divider_bits / Fraction(total) + Fraction(1, 2)).__floor__()
    return min(quotient, 2**divider_bits) / 2**divider_bits


def parts_of(elements, spec):
    """The scores that take part, cut where the histogram is read out."""
    most = 2**spec.counter_bits - 1
    length = most if spec.overflow == "flush" and spec.sum_by == "counters" else len(elements)
    return [elements[k : k + length] for k in range(0, len(elements), length or 1)]


def fixed_point(codes, spec):
    """What an engine without any error makes of one vector of score codes, in integers until the end.

    ``codes`` are None where a score takes no part. ``spec`` says how wide everything is; of its converters only the
    width counts, and their range is the lossless one. Returns ``probability``, ``sum`` and ``errors``.
    """
    stored = words(spec.format.bits, spec.format.fraction_bits, spec.lut_bits)
    errors = dict.fromkeys(KINDS, 0)
    largest = max((code for code in codes if code is not None), default=0)
    magnitudes = [None if code is None else min(largest - code, len(stored) - 1) for code in codes]
    total, most, digit = 0, 2**spec.counter_bits - 1, 2**spec.lut_cell_bits
    for part in parts_of([m for m in magnitudes if m is not None], spec):
        counts = Counter(part)
        if spec.sum_by == "adder":
            total += sum(n * stored[m] for m, n in counts.items())
            continue
        errors["counter_saturation"] += sum(n > most for n in counts.values())
        counts = {m: min(n, most) for m, n in counts.items()}
        value = 0
        for plane in range(spec.counter_bits):
            for column in range(-(-spec.lut_bits // spec.lut_cell_bits)):
                cells = sum(stored[m] // digit**column % digit for m, n in counts.items() if n >> plane & 1)
                if spec.sum_adc is not None:
                    cells = min(cells, 2**spec.sum_adc.bits - 1)
                value += 2**plane * digit**column * cells
        errors["wrong_sum"] += value != sum(n * stored[m] for m, n in counts.items())
        total += value
    values = [0.0 if m is None else divide(stored[m], total, spec.divider_bits) for m in magnitudes]
    return {"probability": values, "sum": total, "errors": errors}


class Crossbars:
    """The engine's four arrays, read through the dense nodal oracle, bank by bank."""

    def __init__(self, engine):
        self.engine, self.spec, self.bits = engine, engine.spec, engine.spec.format.bits
        self.volt = engine.spec.read_volt
        self.ohm = engine.spec.wires.model_dump()
        # A CAM's match lines are its word lines when its rows are driven, and its bit lines when they are searched.
        self.searched_ohm = {
            **self.ohm,
            "word_line_ohm": self.ohm["bit_line_ohm"],
            "bit_line_ohm": self.ohm["word_line_ohm"],
        }
        self.window = engine.spec.device.g_max_siemens - engine.spec.device.g_min_siemens
        self.references = self.comparators() if engine.spec.subtract == "array" else None
        self.known = {}

    def banks(self, cells):
        return [cells[k : k + self.spec.bank_rows] for k in range(0, len(cells), self.spec.bank_rows)]

    def column_currents(self, cells, factors):
        """Currents of all columns, with the read voltage times so much on each row; those of all banks are added."""
        total = [0.0] * cells.shape[1]
        for number, bank in enumerate(self.banks(cells)):
            part = factors[number * self.spec.bank_rows :][: len(bank)]
            if any(part):
                currents = network.solve(bank, [self.volt * factor for factor in part], **self.ohm).currents
                total = [a + b for a, b in zip(total, currents, strict=True)]
        return total

    def search(self, name, code, n_known=None):
        """The rows of a CAM that fire in a search for the leading bits of a code, as a set."""
        if (name, code, n_known) not in self.known:
            self.known[name, code, n_known] = self.search_anew(getattr(self.engine, name), code, n_known)
        return self.known[name, code, n_known]

    def search_anew(self, cam, code, n_known):
        drive = []
        for place in range(self.bits):
            bit = code >> (self.bits - 1 - place) & 1
            driven = n_known is None or place < n_known
            drive += [self.volt * (driven and not bit), self.volt * (driven and bit)]
        signals = []
        for bank in self.banks(cam.cells.g):
            signals += list(network.solve(bank.T, drive, **self.searched_ohm).currents)
        sense = self.spec.sense
        if sense.kind == "precharge":
            farad = 2 * self.bits * sense.cell_farad + sense.mux_farad
            second = cam.strobe_second
            signals = [
                sense.precharge_volt * (1 - math.exp(-current / self.volt * second / farad)) for current in signals
            ]
        return {row for row, signal in enumerate(signals) if signal < cam.reference[row]}

    def comparators(self):
        """Both references of each bit of the difference, ampere, ascending."""
        sense, cells, n_rows = self.spec.column_sense, self.engine.cam_sub.cells.g, 2**self.bits
        full, each = self.volt * self.window, range(n_rows)
        alone = [self.column_currents(cells, [float(row == other) for other in each])[0::2] for row in each]
        # Row k stores the code n_rows - 1 - k.
        ones = [[n_rows - 1 - k >> (self.bits - 1 - j) & 1 for j in range(self.bits)] for k in range(n_rows)]

        def swing(columns):
            high = [alone[k][j] for k in range(n_rows) for j in columns if ones[k][j]]
            low = [alone[k][j] for k in range(n_rows) for j in columns if not ones[k][j]]
            return statistics.median(high) - statistics.median(low)

        references = []
        for j in range(self.bits):
            if sense.reference == "line":
                ampere = sense.reference_share * swing([j])
                references.append(sorted([-ampere, ampere]))
                continue
            ampere = sense.reference_share * (full if sense.reference == "fixed" else swing(range(self.bits)))
            low, high = self.engine.comparators[j]
            references.append(sorted([-ampere + full * low, ampere + full * high]))
        return references

    def maximum(self, fired):
        """The row of the maximum from the sets of rows that the searches of a vector fired."""
        every_row = set().union(*fired)
        if self.spec.maximum == "sweep":
            return min(every_row, default=2**self.bits - 1)
        value = 0
        for k in range(1, self.bits + 1):
            trial = 2 * value + 1
            met = self.search("cam_sub", trial << (self.bits - k), k) & every_row
            value = trial if met else trial - 1
        return 2**self.bits - 1 - value

    def subtract(self, rows, max_row):
        """Rows of the score at +V, the row of the maximum at -V; a ternary digit from every true bit line."""
        n_rows = 2**self.bits
        if self.references is None:
            return max_row - min(rows, default=n_rows - 1)
        v = [float((row in rows) - (row == max_row)) for row in range(n_rows)]
        value = 0
        currents = self.column_currents(self.engine.cam_sub.cells.g, v)[0::2]
        for current, (low, high) in zip(currents, self.references, strict=True):
            value = 2 * value + int(current > low) + int(current > high) - 1
        return value

    def look_up(self, rows):
        lut, value = self.engine.lut, 0
        currents = self.column_currents(lut.cells.g, [float(row in rows) for row in range(len(lut.cells.g))])
        for current, references in zip(currents, lut.reference_ampere, strict=True):
            value = (value << self.spec.lut_cell_bits) + sum(bool(current > reference) for reference in references)
        return value

    def convert(self, cells, column):
        """What a converter makes of so many steps of a cell, in these steps."""
        adc = self.engine.adc
        if adc is None:
            return cells
        top, top_digit = 2**adc.spec.bits - 1, 2**self.spec.lut_cell_bits - 1
        full = {"lossless": top, "full": 2 ** (self.bits - 1) * top_digit}.get(adc.spec.full_scale_from)
        if full is None:
            full = adc.spec.full_scale_ampere / (self.volt * self.window / top_digit)
        steps = adc.gain[column] * cells * top / full + adc.offset_lsb[column]
        if adc.levels is None:
            return min(max(round(steps), 0), top) * full / top
        return int(adc.codes[column][sum(steps >= level for level in adc.levels[column])]) * full / top

    def add_up(self, counts, n_scores):
        """The histogram of so many scores, bit by bit, column by column."""
        total, unit = 0.0, self.volt * self.window / (2**self.spec.lut_cell_bits - 1)
        for plane in range(min(n_scores, 2**self.spec.counter_bits - 1).bit_length()):
            v = [float(count >> plane & 1) for count in counts]
            *currents, leakage = self.column_currents(self.engine.vmm.cells.g, v)
            for column, current in enumerate(reversed(currents)):
                cells = self.convert((current - leakage) / unit, len(currents) - 1 - column)
                total += 2**plane * 2 ** (self.spec.lut_cell_bits * column) * cells
        return float(total)


def star(engine, scores, mask=None):
    """Everything the engine does to the vectors of ``scores``, without noise.

    Returns a dict: ``score_code``, ``match``, ``difference``, ``selected``, ``exponential``, ``probability``
    [vector][element], what fires as sets of rows; ``max_row``, ``histogram``, ``sum`` [vector]; ``errors`` by kind.
    """
    arrays, errors = Crossbars(engine), Counter(dict.fromkeys(KINDS, 0))
    names = ("score_code", "match", "difference", "selected", "exponential", "probability")
    out = {name: [] for name in (*names, "max_row", "histogram", "sum")}
    for n, vector in enumerate(scores):
        present = [score > -math.inf and (mask is None or bool(mask[n][k])) for k, score in enumerate(vector)]
        for name, values in _one_vector(arrays, vector, present, errors).items():
            out[name].append(values)
    return {**out, "errors": {kind: int(count) for kind, count in errors.items()}}


def _one_vector(arrays, vector, present, errors):
    spec, n_rows = arrays.spec, 2**arrays.bits
    form, stored = spec.format, words(arrays.bits, spec.format.fraction_bits, spec.lut_bits)
    lowest = -(2.0 ** (form.integer_bits - 1))
    highest = -lowest - 2.0**-form.fraction_bits

    def count_matches(rows, right):
        errors["false_match"] += len(rows - {right})
        errors["missed_match"] += right not in rows
        errors["multiple_match"] += len(rows) > 1
        return rows

    places = [k for k, takes_part in enumerate(present) if takes_part]
    length, codes, fired = len(vector), [-1] * len(vector), [set() for _ in vector]
    for k in places:
        codes[k] = encode(vector[k], form.integer_bits, form.fraction_bits)
        errors["score_saturation"] += not lowest <= vector[k] <= highest
        fired[k] = count_matches(arrays.search("cam_sub", codes[k]), n_rows - 1 - codes[k])
    max_row = arrays.maximum(fired) if places else -1
    errors["wrong_max"] += bool(places) and n_rows - 1 - max_row != max(codes)
    differences, exponentials, selected = [0] * length, [0] * length, [set() for _ in vector]
    for k in places:
        differences[k] = arrays.subtract(fired[k], max_row)
        errors["wrong_difference"] += differences[k] != codes[k] - (n_rows - 1 - max_row)
        magnitude = min(abs(differences[k]), len(stored) - 1)
        selected[k] = count_matches(arrays.search("cam_exp", magnitude), magnitude)
        exponentials[k] = arrays.look_up(selected[k])
        errors["wrong_bit"] += (exponentials[k] ^ stored[magnitude]).bit_count()
        errors["wrong_exponential"] += exponentials[k] != stored[magnitude]
    total, histogram = 0.0, [0] * len(stored)
    for part in parts_of(places, spec):
        counts = [sum(row in selected[k] for k in part) for row in range(len(stored))]
        if spec.sum_by == "adder":
            total, histogram = float(sum(exponentials)), counts
            continue
        errors["counter_saturation"] += sum(count >= 2**spec.counter_bits for count in counts)
        counts = [min(count, 2**spec.counter_bits - 1) for count in counts]
        value = arrays.add_up(counts, len(part))
        errors["wrong_sum"] += abs(value - sum(n * word for n, word in zip(counts, stored, strict=True))) > 0.5
        total += value
        histogram = [a + b for a, b in zip(histogram, counts, strict=True)]
    return {
        "score_code": codes,
        "match": fired,
        "max_row": max_row,
        "difference": differences,
        "selected": selected,
        "exponential": exponentials,
        "histogram": histogram,
        "sum": total,
        "probability": [
            divide(word, total, spec.divider_bits) if takes_part else 0.0
            for word, takes_part in zip(exponentials, present, strict=True)
        ],
    }
