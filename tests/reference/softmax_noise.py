"""The softmax engine by brute force: a new normal number for whatever is noisy, in every use; without wires."""

import numpy as np

from .softmax import parts_of, words

__all__ = ["noisy"]


def noisy(engine, scores, n_runs, rng):
    """One vector of scores (length,) so many times.

    Each row's amplifier in each search, each column of each difference and each look-up, each column of each read of
    the sum and each conversion has its own noise. Returns the errors by kind (n_runs,), and ``max_row`` (n_runs,),
    ``difference``, ``exponential``, ``probability`` (n_runs, length).
    """
    spec, circuits = engine.spec, Circuits(engine, rng)
    n_rows, lut = 2**spec.format.bits, engine.lut
    stored = np.array(words(spec.format.bits, spec.format.fraction_bits, spec.lut_bits))
    right_row = n_rows - 1 - spec.format.encode(scores)
    rows = np.broadcast_to(right_row, (n_runs, len(right_row)))
    fired = circuits.search(engine.cam_sub, n_rows - 1 - rows)
    max_row = circuits.maximum(fired)
    difference = circuits.difference(fired, max_row)
    magnitude = np.minimum(np.abs(difference), len(stored) - 1)
    selected = circuits.search(engine.cam_exp, magnitude)
    digits = circuits.read(
        selected @ (spec.read_volt * lut.array.transconductance),
        selected @ (spec.read_volt**2 * lut.array.noise_variance),
        lut.reference_ampere,
    )
    weight = 1 << spec.lut_cell_bits * np.arange(digits.shape[-1])[::-1]
    word = digits @ weight
    total, wrong_sum = circuits.total(selected, word, weight, stored)
    steps = 2**spec.divider_bits
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.floor(word * steps / total[:, None] + 0.5) / steps
    errors = {kind: count + _matches(selected, magnitude)[kind] for kind, count in _matches(fired, rows).items()}
    return {
        **errors,
        "wrong_max": (max_row != right_row.min()).astype(int),
        "wrong_difference": (difference != max_row[:, None] - rows).sum(axis=1),
        "wrong_bit": np.bitwise_count(word ^ stored[magnitude]).sum(axis=1),
        "wrong_exponential": (word != stored[magnitude]).sum(axis=1),
        "wrong_sum": wrong_sum,
        "max_row": max_row,
        "difference": difference,
        "exponential": word,
        "probability": np.where(total[:, None] > 0, np.minimum(quotient, 1.0), 0.0),
    }


def _matches(fired, right):
    """Errors of searches (n_runs, length) that fired rows (n_runs, length, n_rows), one of which is right."""
    hit = np.take_along_axis(fired, right[..., None], axis=-1)[..., 0]
    number = fired.sum(axis=-1)
    counts = {"false_match": number - hit, "missed_match": ~hit, "multiple_match": number > 1}
    return {kind: count.sum(axis=1) for kind, count in counts.items()}


class Circuits:
    """The circuits of an engine, with noise of their own in each use."""

    def __init__(self, engine, rng):
        self.engine, self.spec, self.rng = engine, engine.spec, rng
        self.full = self.spec.read_volt * self.spec.device.window_siemens

    def search(self, cam, codes, n_known=None):
        """Rows (..., n_rows) that fire in searches of a CAM for the leading bits of codes (...)."""
        spec, volt = self.spec, self.spec.read_volt
        signal, deviation = cam.line_currents(cam.driven_lines(codes.ravel(), n_known))
        top = self.full
        if spec.sense.kind == "precharge":
            # Volt that are lost until the strobe; small deviations.
            top, per_ampere = spec.sense.precharge_volt, cam.strobe_second / (volt * cam.line_farad)
            left = top * np.exp(-signal * per_ampere)
            signal, deviation = top - left, left * per_ampere * deviation
        deviation = np.hypot(deviation, spec.sense.noise * top)
        signal = signal + deviation * self.rng.standard_normal(signal.shape)
        return (signal < cam.reference).reshape(*codes.shape, -1)

    def read(self, current, variance, references):
        """How many references are below currents (n_runs, length, n_columns)."""
        variance = variance + (self.spec.column_sense.noise * self.full) ** 2
        current = current + np.sqrt(variance) * self.rng.standard_normal(current.shape)
        return (current[..., None] > references).sum(axis=-1)

    def maximum(self, fired):
        """Row of the maximum (n_runs,) from the rows that all searches fired."""
        n_rows, bits, met = fired.shape[-1], self.spec.format.bits, fired.any(axis=1)
        if self.spec.maximum == "sweep":
            return np.where(met.any(axis=1), met.argmax(axis=1), n_rows - 1)
        value = np.zeros(len(fired), np.int64)
        for k in range(1, bits + 1):
            value = 2 * value + 1
            value -= ~(self.search(self.engine.cam_sub, value << (bits - k), k) & met).any(axis=1)
        return n_rows - 1 - value

    def difference(self, fired, max_row):
        """Difference (n_runs, length) of the rows that fired from that of the maximum."""
        engine, spec, bits, n_rows = self.engine, self.spec, self.spec.format.bits, fired.shape[-1]
        if spec.subtract == "cmos":
            return max_row[:, None] - np.where(fired.any(axis=-1), fired.argmax(axis=-1), n_rows - 1)
        array, volt = engine.cam_sub.driven_rows, spec.read_volt
        current, variance = volt * array.transconductance[:, 0::2], volt**2 * array.noise_variance[:, 0::2]
        ones = np.arange(n_rows)[::-1, None] >> np.arange(bits)[::-1] & 1 == 1
        swing = {"fixed": self.full, "global": np.median(current[ones]) - np.median(current[~ones])}
        references = spec.column_sense.reference_share * swing[spec.column_sense.reference] * np.array([-1, 1])
        digits = self.read(
            fired @ current - current[max_row][:, None],
            fired @ variance + variance[max_row][:, None],
            np.sort(references + self.full * engine.comparators, axis=1),
        )
        return (digits - 1) @ (1 << np.arange(bits)[::-1])

    def total(self, selected, word, weight, stored):
        """Sum (n_runs,) of the exponentials, and its wrong reads, from rows (n_runs, length, n_magnitudes) or words."""
        n_runs, length, _ = selected.shape
        total, wrong = np.zeros(n_runs), np.zeros(n_runs, int)
        if self.spec.sum_by == "adder":
            return word.sum(axis=1).astype(float), wrong
        for part in parts_of(list(range(length)), self.spec):
            counts = np.minimum(selected[:, part].sum(axis=1), 2**self.spec.counter_bits - 1)
            value = self.read_out(counts, len(part), weight)
            wrong += np.abs(value - counts @ stored) > 0.5
            total += value
        return total, wrong

    def read_out(self, counts, n_scores, weight):
        """Sum of histograms (n_runs, n_magnitudes), bit by bit."""
        spec, adc, vmm, total = self.spec, self.engine.adc, self.engine.vmm, np.zeros(len(counts))
        unit = spec.device.window_siemens / (2**spec.lut_cell_bits - 1)
        for plane in range(min(n_scores, 2**spec.counter_bits - 1).bit_length()):
            driven = (counts >> plane & 1).astype(float)
            cells, variance = driven @ vmm.transconductance / unit, driven @ vmm.noise_variance / unit**2
            cells = cells + np.sqrt(variance) * self.rng.standard_normal(cells.shape)
            cells = cells[:, :-1] - cells[:, -1:]
            if adc is not None:
                # Lossless: a step of the converter is one of a cell.
                steps = adc.gain * cells + adc.offset_lsb + adc.spec.noise_lsb * self.rng.standard_normal(cells.shape)
                cells = np.clip(np.rint(steps), 0, 2**adc.spec.bits - 1)
            total += 2.0**plane * (cells @ weight)
        return total
