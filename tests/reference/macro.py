"""The macro in plain Python: one vector, one pulse, one tile, one cell at a time, in float64."""

from bisect import bisect_right
from typing import NamedTuple

__all__ = ["Conversions", "convert", "ideal_product", "integer_of", "read_macro"]


class Conversions(NamedTuple):
    """What one matrix gave for vectors of input codes.

    ``integers`` and ``allowance`` are [vector][output]: the product in units of one step of input times one step of
    weight, and how far it may lie off where a current lies so near to a transition that single precision decides.
    ``codes`` and ``currents`` hold every conversion by (vector, pulse, row of tiles, output, slice, line), ``near``
    those near a transition; ``saturated`` counts the clipped ones.
    """

    integers: list
    allowance: list
    codes: dict
    currents: dict
    near: set
    saturated: int


def ideal_product(codes, weights):
    """Integers, digit by digit as on paper."""
    return [
        [sum(int(x) * int(row[j]) for x, row in zip(vector, weights, strict=True)) for j in range(len(weights[0]))]
        for vector in codes
    ]


def integer_of(cells, weight_bits, widths):
    """The weight whose digits are ``cells`` [slice][line]: a pair of lines, or one that holds it with the offset."""
    lines = [0] * len(cells[0])
    for s, digits in enumerate(cells):
        for line, digit in enumerate(digits):
            lines[line] += int(digit) << sum(widths[:s])
    return lines[0] - lines[1] if len(lines) == 2 else lines[0] - 2 ** (weight_bits - 1)


def pulses_of(number, spec):
    """(weight, level) of every pulse that sends one input code, the least significant first."""
    bits, each = spec.input_bits, spec.dac.bits
    top = 2**each - 1
    if not spec.signed_inputs:
        return [(2**k, number >> k & top) for k in range(0, bits, each)]
    if spec.dac.bipolar:
        sign = -1 if number < 0 else 1
        return [(2**k, sign * (abs(number) >> k & top)) for k in range(0, bits - 1, each)]
    # Python's integers are in two's complement of any width.
    low = number & (2 ** (bits - 1) - 1)
    return [*((2**k, low >> k & top) for k in range(0, bits - 1, each)), (-(2 ** (bits - 1)), number >> (bits - 1) & 1)]


def convert(adc, converter, x):
    """Code of an input in steps, the distance to the nearest transition, and whether it is out of range."""
    seen = adc.gain[converter] * x + adc.offset_lsb[converter]
    out = not adc.code_min <= round(seen) <= adc.code_max
    if adc.levels is None:
        return min(max(round(seen), adc.code_min), adc.code_max), abs(abs(seen - round(seen)) - 0.5), out
    levels = list(adc.levels[converter])
    return int(adc.codes[converter][bisect_right(levels, seen)]), min(abs(seen - level) for level in levels), out


class _Reader:
    def __init__(self, macro, guard):
        self.macro, self.spec, self.guard = macro, macro.spec, guard
        spec = self.spec
        self.tops = [2**width - 1 for width in spec.widths]
        self.window = spec.device.g_max_siemens - spec.device.g_min_siemens
        self.codes, self.currents, self.near, self.saturated = {}, {}, set(), 0

    def level(self, r, c, row, level):
        """What the driver of a row makes of a level, in steps."""
        if not self.macro.converters.dacs:
            return level
        own = self.macro.converters.dacs[r, c].levels[row][abs(level)]
        return own if level >= 0 else -own

    def column(self, r, c, column, drive):
        """Siemens of a physical column for the levels of the rows."""
        t = self.macro.rows[r].tiles[c].array.transconductance
        return sum(self.level(r, c, i, level) * t[i][column] for i, level in enumerate(drive) if level)

    def converted(self, place, siemens, channel, step_ampere, share):
        """A code through the converter of a channel; ``share``: what it counts in integers, for the allowance."""
        _, _, r, j, *_ = place
        spec, edge = self.spec, self.macro.converters
        c = j // spec.outputs_per_tile
        x = siemens * spec.read_volt / (2**spec.dac.bits - 1) / step_ampere
        self.currents[place] = x * step_ampere
        if edge.adc is None:
            return x, 0.0
        shared = spec.adc.columns
        converter = (r * edge.n_column_tiles + c) * edge.n_per_tile + (channel // shared if shared else 0)
        code, distance, out = convert(edge.adc, converter, x)
        self.codes[place] = code
        self.saturated += out
        allowance = 0.0
        if distance < self.guard:
            self.near.add(place)
            allowance = abs(share)
        return code, allowance

    def channel_siemens(self, r, j, s, line, drive):
        """Of output j, slice s: the pair, a line of it, or the one line."""
        spec, within = self.spec, j % self.spec.outputs_per_tile
        c, lines = j // spec.outputs_per_tile, 1 if spec.signed == "offset" else 2
        first = (within * len(self.tops) + s) * lines
        if spec.signed == "differential":
            return self.column(r, c, first, drive) - self.column(r, c, first + 1, drive)
        return self.column(r, c, first + line, drive)


def read_macro(macro, codes, guard=1e-4):
    """Read the tiles of one programmed matrix for the input codes [vector][row]; ``guard`` in steps of the converter.

    Uses the transconductances of the tiles, the tables of the converters and drivers, which columns are stored
    inverted, and the numbers of the spec: nothing else of the macro. No noise.
    """
    reader, spec, edge = _Reader(macro, guard), macro.spec, macro.converters
    n_in, n_out = macro.shape[-2:]
    step_volt = spec.read_volt / (2**spec.dac.bits - 1)
    lines = 2 if spec.signed == "separate" else 1
    shifts = [sum(spec.widths[:s]) for s in range(len(spec.widths))]
    limit = None if spec.accumulator_bits is None else 2 ** (spec.accumulator_bits - 1)
    integers, allowance = [[0.0] * n_out for _ in codes], [[0.0] * n_out for _ in codes]
    for n, vector in enumerate(codes):
        sent = [pulses_of(int(x), spec) for x in vector]
        weights = [weight for weight, _ in sent[0]]
        total = sum(map(abs, weights))
        accumulators = [0] * n_out
        for r in range(-(-n_in // spec.tile_rows)):
            rows = range(r * spec.tile_rows, min((r + 1) * spec.tile_rows, n_in))
            drives = [[sent[i][k][1] for i in rows] for k in range(len(weights))]

            def read(place, siemens, channel, step, value, drives=drives, weights=weights, total=total):
                """The codes of all pulses, weighed; ``value``: what one code of the least pulse counts."""
                if spec.accumulate == "analog":
                    mean = sum(w * siemens(drive) for w, drive in zip(weights, drives, strict=True)) / total
                    code, off = reader.converted((place[0], 0, *place[1:]), mean, channel, step, value * total)
                    return code * total, off
                running, off = 0, 0.0
                for k, (w, drive) in enumerate(zip(weights, drives, strict=True)):
                    key = (place[0], k, *place[1:])
                    code, more = reader.converted(key, siemens(drive), channel, step, value * w)
                    running, off = running + w * code, off + more
                    if limit is not None:
                        running = min(max(running, -limit), limit - 1)
                return running, off

            for j in range(n_out):
                c, within = j // spec.outputs_per_tile, j % spec.outputs_per_tile
                outputs = min(spec.outputs_per_tile, n_out - c * spec.outputs_per_tile)
                tile, per_input = macro.rows[r].tiles[c], -(2 ** (spec.weight_bits - 1))
                for s, top in enumerate(reader.tops):
                    unit = reader.window / top
                    value = edge.step_ampere[s] / (step_volt * unit) * 2 ** shifts[s]
                    flipped = tile.flipped is not None and tile.flipped[within][s]
                    sign = -1 if flipped else 1
                    per_input += 2 ** shifts[s] * ((top if flipped else 0) - sign * spec.device.g_min_siemens / unit)
                    for line in range(lines):
                        place = (n, r, j, s, line)
                        channel = (within * len(reader.tops) + s) * lines + line

                        def siemens(drive, place=place):
                            return reader.channel_siemens(place[1], place[2], place[3], place[4], drive)

                        found, off = read(place, siemens, channel, edge.step_ampere[s], value)
                        signed = sign * (1 - 2 * line)
                        allowance[n][j] += off
                        if limit is None:
                            integers[n][j] += signed * value * found
                        else:
                            grown = accumulators[j] + signed * found * 2 ** shifts[s]
                            accumulators[j] = min(max(grown, -limit), limit - 1)
                if spec.signed != "offset":
                    continue
                if spec.zero == "digital":
                    inputs = sum(int(vector[i]) for i in rows)
                else:
                    channel = outputs * len(reader.tops)
                    unit = reader.window / reader.tops[0]
                    full = spec.device.g_min_siemens + spec.unit_level * unit
                    value = edge.step_ampere[0] / (step_volt * full)

                    def siemens(drive, r=r, c=c, channel=channel):
                        return reader.column(r, c, channel, drive)

                    found, off = read((n, r, j, "unit"), siemens, channel, edge.step_ampere[0], value)
                    inputs = value * found
                    allowance[n][j] += abs(per_input) * off
                integers[n][j] += per_input * inputs
        if limit is not None:
            scale = edge.step_ampere[0] / (step_volt * reader.window / reader.tops[0])
            for j in range(n_out):
                integers[n][j] += scale * accumulators[j]
    return Conversions(integers, allowance, reader.codes, reader.currents, reader.near, reader.saturated)
