"""Fixed-point softmax in integers, and the STAR engine as a circuit: one score, one row, one column at a time."""

import math
from collections import Counter
from fractions import Fraction

from . import network

__all__ = ["encode", "fixed_point", "star", "words"]


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


def fixed_point(codes, bits, fraction_bits, lut_bits, counter_bits, divider_bits, sum_adc_bits=None):
    """Probabilities of one vector of score codes as the engine must give without any error: integers until the end."""
    stored, largest = words(bits, fraction_bits, lut_bits), max(codes)
    magnitudes = [min(largest - code, len(stored) - 1) for code in codes]
    counts = {m: min(n, 2**counter_bits - 1) for m, n in Counter(magnitudes).items()}
    total = 0
    for plane in range(counter_bits):
        for column in range(lut_bits):
            cells = sum(1 for m, n in counts.items() if n >> plane & 1 and stored[m] >> column & 1)
            if sum_adc_bits is not None:
                cells = min(cells, 2**sum_adc_bits - 1)
            total += 2**plane * 2**column * cells
    return [divide(stored[m], total, divider_bits) for m in magnitudes]


class Crossbars:
    """The engine's four arrays, read through the dense nodal oracle."""

    def __init__(self, engine):
        self.spec = engine.spec
        self.volt = engine.spec.read_volt
        self.ohm = engine.spec.wires.model_dump()
        # A CAM's match lines are its word lines when its rows are driven, and its bit lines when they are searched.
        self.searched_ohm = {
            **self.ohm,
            "word_line_ohm": self.ohm["bit_line_ohm"],
            "bit_line_ohm": self.ohm["word_line_ohm"],
        }
        device = engine.spec.device
        self.off, self.window = device.g_min_siemens, device.g_max_siemens - device.g_min_siemens
        self.sub, self.exp = engine.cam_sub.cells.g, engine.cam_exp.cells.g
        self.lut, self.vmm = engine.lut.cells.g, engine.vmm.cells.g
        self.bits = engine.spec.format.bits

    def banks(self, cells):
        return [cells[k : k + self.spec.bank_rows] for k in range(0, len(cells), self.spec.bank_rows)]

    def search(self, cells, code):
        """The rows whose match line stays below the reference, as a set."""
        drive = []
        for k in range(self.bits - 1, -1, -1):
            drive += [0.0, self.volt] if code >> k & 1 else [self.volt, 0.0]
        reference = self.volt * (self.bits * self.off + self.window / 2)
        currents = []
        for bank in self.banks(cells):
            currents += list(network.solve(bank.T, drive, **self.searched_ohm).currents)
        return {row for row, current in enumerate(currents) if current < reference}

    def subtract(self, rows, max_row):
        """Rows of the score at +V, the row of the maximum at -V; a ternary digit from every true bit line."""
        v = [self.volt * ((row in rows) - (row == max_row)) for row in range(len(self.sub))]
        currents = [0.0] * (2 * self.bits)
        for number, bank in enumerate(self.banks(self.sub)):
            part = v[number * self.spec.bank_rows :][: len(bank)]
            currents = [a + b for a, b in zip(currents, network.solve(bank, part, **self.ohm).currents, strict=True)]
        threshold, value = self.volt * self.window / 2, 0
        for current in currents[0::2]:
            value = 2 * value + (current > threshold) - (current < -threshold)
        return value

    def look_up(self, rows):
        v = [self.volt * (row in rows) for row in range(len(self.lut))]
        reference, value = self.volt * (self.off + self.window / 2), 0
        for current in network.solve(self.lut, v, **self.ohm).currents:
            value = 2 * value + int(current > reference)
        return value

    def add_up(self, counts):
        total = 0.0
        for plane in range(self.spec.counter_bits):
            v = [self.volt * (count >> plane & 1) for count in counts]
            if not any(v):
                continue
            *currents, leakage = network.solve(self.vmm, v, **self.ohm).currents
            for column, current in enumerate(currents):
                cells = (current - leakage) / (self.volt * self.window)
                if self.spec.sum_adc_bits is not None:
                    cells = min(max(round(cells), 0), 2**self.spec.sum_adc_bits - 1)
                total += 2**plane * 2 ** (self.spec.lut_bits - 1 - column) * cells
        return total


def star(engine, scores):
    """Everything the engine does to the vectors of ``scores``, without read noise.

    Returns a dict: ``probability``, ``difference``, ``exponential`` [vector][element]; ``max_row``, ``sum`` [vector];
    ``errors`` by kind.
    """
    spec, arrays = engine.spec, Crossbars(engine)
    n_rows, n_magnitudes = len(arrays.sub), len(arrays.exp)
    stored = words(arrays.bits, spec.format.fraction_bits, spec.lut_bits)
    lowest = -(2.0 ** (spec.format.integer_bits - 1))
    highest = -lowest - 2.0**-spec.format.fraction_bits
    errors = Counter()
    out = {"probability": [], "difference": [], "exponential": [], "max_row": [], "sum": [], "match": []}

    def count_matches(rows, right):
        errors["false_match"] += len(rows - {right})
        errors["missed_match"] += right not in rows

    searches = {}
    for vector in scores:
        codes = [encode(score, spec.format.integer_bits, spec.format.fraction_bits) for score in vector]
        errors["score_saturation"] += sum(not lowest <= score <= highest for score in vector)
        fired = []
        for code in codes:
            if code not in searches:
                searches[code] = arrays.search(arrays.sub, code)
            fired.append(searches[code])
            count_matches(searches[code], n_rows - 1 - code)
        seen = set().union(*fired)
        max_row = min(seen) if seen else n_rows - 1
        errors["wrong_max"] += n_rows - 1 - max_row != max(codes)
        differences, exponentials, counts = [], [], [0] * n_magnitudes
        for code, rows in zip(codes, fired, strict=True):
            difference = arrays.subtract(rows, max_row)
            errors["wrong_difference"] += difference != code - (n_rows - 1 - max_row)
            magnitude = min(abs(difference), n_magnitudes - 1)
            selected = arrays.search(arrays.exp, magnitude)
            count_matches(selected, magnitude)
            exponential = arrays.look_up(selected)
            errors["wrong_exponential"] += exponential != stored[magnitude]
            for row in selected:
                counts[row] = min(counts[row] + 1, 2**spec.counter_bits - 1)
            differences.append(difference)
            exponentials.append(exponential)
        total = arrays.add_up(counts)
        errors["wrong_sum"] += abs(total - sum(n * word for n, word in zip(counts, stored, strict=True))) > 0.5
        out["match"].append(fired)
        out["max_row"].append(max_row)
        out["difference"].append(differences)
        out["exponential"].append(exponentials)
        out["sum"].append(total)
        out["probability"].append([divide(exponential, total, spec.divider_bits) for exponential in exponentials])
    return {**out, "errors": {kind: int(count) for kind, count in errors.items()}}
