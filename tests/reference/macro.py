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
    shifted = adc.gain[converter] * x + adc.offset_lsb[converter]
    out = not adc.code_min <= round(shifted) <= adc.code_max
    if adc.levels is None:
        return min(max(round(shifted), adc.code_min), adc.code_max), abs(abs(shifted - round(shifted)) - 0.5), out
    levels = list(adc.levels[converter])
    return (
        int(adc.codes[converter][bisect_right(levels, shifted)]),
        min(abs(shifted - level) for level in levels),
        out,
    )


class _Reader:
    def __init__(self, macro, guard):
        self.macro, self.spec, self.guard = macro, macro.spec, guard
        spec = self.spec
        self.tops = [2**width - 1 for width in spec.widths]
        self.window = spec.device.g_max_siemens - spec.device.g_min_siemens
        self.step_volt = spec.read_volt / (2**spec.dac.bits - 1)
        self.limit = None if spec.accumulator_bits is None else 2 ** (spec.accumulator_bits - 1)
        self.codes, self.currents, self.near, self.saturated = {}, {}, set(), 0

    def level(self, r, c, row, level):
        """What the driver of a row makes of a level, in steps."""
        if not self.macro.converters.dacs:
            return level
        height = self.macro.converters.dacs[r, c].levels[row][abs(level)]
        return height if level >= 0 else -height

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
        """Siemens of output j, slice s: of the pair, of a line of it, or of the one line."""
        spec, within = self.spec, j % self.spec.outputs_per_tile
        c, lines = j // spec.outputs_per_tile, 1 if spec.weight_coding == "offset" else 2
        first = (within * len(self.tops) + s) * lines
        if spec.weight_coding == "differential":
            return self.column(r, c, first, drive) - self.column(r, c, first + 1, drive)
        return self.column(r, c, first + line, drive)

    def collected(self, pulses, place, siemens, channel, step_ampere, value):
        """The codes of all pulses (weight, drive), weighed; ``value``: what one code of the least pulse counts."""
        n, *column = place
        if self.spec.accumulate == "analog":
            total = sum(abs(weight) for weight, _ in pulses)
            mean = sum(weight * siemens(drive) for weight, drive in pulses) / total
            code, off = self.converted((n, 0, *column), mean, channel, step_ampere, value * total)
            return code * total, off
        running, off = 0, 0.0
        for k, (weight, drive) in enumerate(pulses):
            code, more = self.converted((n, k, *column), siemens(drive), channel, step_ampere, value * weight)
            running, off = running + weight * code, off + more
            if self.limit is not None:
                running = min(max(running, -self.limit), self.limit - 1)
        return running, off

    def add_slices(self, total, pulses, n, r, j):
        """Add the codes of all slices and lines of output j to its total; what else a step of an input counts."""
        spec, tops = self.spec, self.tops
        tile, lines = self.macro.rows[r].tiles[j // spec.outputs_per_tile], 2 if spec.weight_coding == "separate" else 1
        within, per_input = j % spec.outputs_per_tile, -(2 ** (spec.weight_bits - 1))
        for s, top in enumerate(tops):
            unit, shift, step = self.window / top, sum(spec.widths[:s]), self.macro.converters.step_ampere[s]
            value = step / (self.step_volt * unit) * 2**shift
            flipped = tile.flipped is not None and tile.flipped[within][s]
            sign = -1 if flipped else 1
            per_input += 2**shift * ((top if flipped else 0) - sign * spec.device.g_min_siemens / unit)
            for line in range(lines):

                def siemens(drive, s=s, line=line):
                    return self.channel_siemens(r, j, s, line, drive)

                channel = (within * len(tops) + s) * lines + line
                code, off = self.collected(pulses, (n, r, j, s, line), siemens, channel, step, value)
                signed = sign * (1 - 2 * line)
                total.allowance += off
                if self.limit is None:
                    total.integer += signed * value * code
                else:
                    grown = total.accumulator + signed * code * 2**shift
                    total.accumulator = min(max(grown, -self.limit), self.limit - 1)
        return per_input

    def inputs_by_unit_column(self, pulses, n, r, j):
        """The sum of the inputs of a row of tiles as the unit column of output j's tile tells it, and the allowance."""
        spec, step = self.spec, self.macro.converters.step_ampere[0]
        c = j // spec.outputs_per_tile
        channel = min(spec.outputs_per_tile, self.macro.shape[-1] - c * spec.outputs_per_tile) * len(self.tops)
        full = spec.device.g_min_siemens + spec.unit_level * self.window / self.tops[0]
        value = step / (self.step_volt * full)

        def siemens(drive):
            return self.column(r, c, channel, drive)

        code, off = self.collected(pulses, (n, r, j, "unit"), siemens, channel, step, value)
        return value * code, off


class _Total:
    """What an output has come to."""

    def __init__(self):
        self.integer, self.allowance, self.accumulator = 0.0, 0.0, 0


def read_macro(macro, codes, guard=1e-4):
    """Read the tiles of one programmed matrix for the input codes [vector][row]; ``guard`` in steps of the converter.

    Uses the transconductances of the tiles, the tables of the converters and drivers, which columns are stored
    inverted, and the numbers of the spec: nothing else of the macro. No noise.
    """
    reader, spec = _Reader(macro, guard), macro.spec
    n_in, n_out = macro.shape[-2:]
    totals = [[_Total() for _ in range(n_out)] for _ in codes]
    for n, vector in enumerate(codes):
        sent = [pulses_of(int(x), spec) for x in vector]
        for r in range(-(-n_in // spec.tile_rows)):
            rows = range(r * spec.tile_rows, min((r + 1) * spec.tile_rows, n_in))
            pulses = [(weight, [sent[i][k][1] for i in rows]) for k, (weight, _) in enumerate(sent[0])]
            for j, total in enumerate(totals[n]):
                per_input = reader.add_slices(total, pulses, n, r, j)
                if spec.weight_coding == "offset":
                    inputs, off = sum(int(vector[i]) for i in rows), 0.0
                    if spec.offset_from == "unit column":
                        inputs, off = reader.inputs_by_unit_column(pulses, n, r, j)
                    total.integer += per_input * inputs
                    total.allowance += abs(per_input) * off
        for total in totals[n]:
            scale = macro.converters.step_ampere[0] / (reader.step_volt * reader.window / reader.tops[0])
            total.integer += scale * total.accumulator
    integers, allowance = ([[getattr(each, key) for each in row] for row in totals] for key in ("integer", "allowance"))
    return Conversions(integers, allowance, reader.codes, reader.currents, reader.near, reader.saturated)
