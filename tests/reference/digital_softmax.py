"""Digital softmax units, written out score by score in fractions.

Each function gives the probabilities of one vector of signed codes, as the unit that ``spec`` describes.
"""

import math
from fractions import Fraction

__all__ = ["base2_lut", "code_of", "fixed_point", "hybrid", "ibert", "softermax"]

LOG2E = 23637
"""round(2^14 log2 e)."""


def half_up(number):
    return math.floor(Fraction(number) + Fraction(1, 2))


def code_of(score, form):
    """Signed code: nearest, ties to even, saturating."""
    half = 2 ** (form.bits - 1)
    return max(-half, min(half - 1, round(Fraction(float(score)) * 2**form.fraction_bits)))


def fixed_point(spec, codes):
    size = 2 ** (spec.format.bits - 1)
    words = []
    for code in codes:
        distance = min(max(codes) - code, size - 1) / 2**spec.format.fraction_bits
        words.append(round(math.exp(-distance) * (2**spec.lut_bits - 1)))
    scale = 2**spec.divider_bits
    return [half_up(Fraction(word * scale, sum(words))) / scale for word in words]


def line(function, x, n_segments, bits):
    """Line between the rounded values at the ends of the segment that x is in, rounded down."""
    segment = math.floor(x * n_segments)
    left, right = (round(function((segment + k) / n_segments) * 2**bits) for k in (0, 1))
    return left + math.floor((right - left) * (x * n_segments - segment))


def softermax(spec, codes):
    """The online algorithm: scores of a slice share the maximum so far; words of 15, sums of 6 fraction bits.

    A code of None has a place in its slice, but takes no part.
    """
    fraction = spec.format.fraction_bits
    scale = Fraction(LOG2E, 2**14) if spec.scale_by_log2e else Fraction(1)
    x = [None if code is None else Fraction(half_up(code * scale), 2**fraction) for code in codes]
    pieces = 2 ** min(spec.segment_bits, fraction)
    maximum, total, words, maxima = None, 0, [], []
    for start in range(0, len(x), spec.lanes):
        part = [score for score in x[start : start + spec.lanes] if score is not None]
        if not part:
            continue
        new = max([math.ceil(score) for score in part] + ([] if maximum is None else [maximum]))
        total = total if maximum is None else math.floor(Fraction(total, 2 ** (new - maximum)))
        maximum, slice_sum = new, 0
        for score in part:
            power = line(lambda t: 2.0**t, score - math.floor(score), pieces, 15)
            words.append(math.floor(Fraction(power, 2 ** (maximum - math.floor(score)))))
            maxima.append(maximum)
            slice_sum += words[-1]
        total = min(total + half_up(Fraction(slice_sum, 2**9)), 2**16 - 1)
    exponent = total.bit_length() - 1
    mantissa = Fraction(total, 2**exponent) - 1
    reciprocal = line(lambda t: 1 / (1 + t), mantissa, 2**spec.segment_bits, spec.reciprocal_bits)
    inverse = Fraction(reciprocal, 2**spec.reciprocal_bits) / 2**exponent * 2**6
    results = []
    for word, at in zip(words, maxima, strict=True):
        value = Fraction(math.floor(Fraction(word, 2 ** (maximum - at))), 2**15) * inverse
        results.append(min(half_up(value * 2**spec.output_bits), 2**spec.output_bits) / 2**spec.output_bits)
    return results


def ibert(spec, codes):
    """quant_modules.py of I-BERT, one score at a time."""
    scale = Fraction(1, 2**spec.format.fraction_bits)
    x0 = math.floor(Fraction(-0.6931) / scale)
    b = math.floor(Fraction(0.96963238 / 0.35815147) / scale)
    c = math.floor(Fraction(1.0 / 0.35815147) / scale**2)
    ratio = (2**15 - 1) / (c * 2**30)
    mantissa, exponent = math.frexp(ratio)
    dyadic = Fraction(round(mantissa * 2**31), 2**31) * Fraction(2) ** exponent
    words = []
    for code in codes:
        x = max(code - max(codes), 30 * x0)
        q = math.floor(Fraction(x, x0))
        r = x - x0 * q
        exponential = max((r * (r + b) + c) * 2 ** (30 - q), 0)
        words.append(half_up(exponential * dyadic))
    factor = math.floor(Fraction(2**32, sum(words)))
    return [math.floor(Fraction(w * factor, 2 ** (32 - spec.output_bits))) / 2**spec.output_bits for w in words]


def hybrid(spec, codes):
    unit = 2 ** (spec.format.fraction_bits + spec.guard_bits)
    top = 2**spec.lut_bits - 1

    def exponential(places):
        return round(math.exp(-places / unit) * top)

    distances = [(max(codes) - code) * 2**spec.guard_bits for code in codes]
    total = sum(exponential(places) for places in distances)
    exponent = total.bit_length() - 1
    n = 2**spec.log_bits
    interval = math.floor((Fraction(total, 2**exponent) - 1) * n)
    coarse, fine = exponent * math.log(2) - math.log(top), math.log1p((interval + 0.5) / n)
    logarithm = max(round(coarse * unit) + round(fine * unit), 0)
    return [exponential(places + logarithm) / top for places in distances]


def base2_lut(spec, codes):
    words = []
    for code in codes:
        power = Fraction((max(codes) - code) * LOG2E, 2 ** (14 + spec.format.fraction_bits))
        places = half_up(power * 2**spec.index_bits)
        whole, index = divmod(places, 2**spec.index_bits)
        word = round(2.0 ** (-index / 2**spec.index_bits) * (2**spec.lut_bits - 1))
        words.append(math.floor(Fraction(word, 2**whole)))
    exponent = sum(words).bit_length() - 1
    n = 2**spec.reciprocal_index_bits
    interval = math.floor((Fraction(sum(words), 2**exponent) - 1) * n)
    reciprocal = round(2**spec.reciprocal_bits / (1 + (interval + 0.5) / n))
    scale = 2**spec.divider_bits
    shift = 2 ** (exponent + spec.reciprocal_bits)
    return [min(half_up(Fraction(word * reciprocal * scale, shift)), scale) / scale for word in words]
