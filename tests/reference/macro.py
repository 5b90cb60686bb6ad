"""The bit-serial macro in plain Python: one vector, one bit, one tile, one cell at a time, in float64."""

from typing import NamedTuple

__all__ = ["Conversions", "bit_serial", "ideal_product"]


class Conversions(NamedTuple):
    """What one matrix gave for vectors of input codes.

    ``integers`` and ``allowance`` are [vector][output]: the product in units of one step of input times one step of
    weight, and how far it may lie off where a current lies so near to a tie of the converter that float32 decides.
    ``codes`` and ``currents`` hold every conversion by (vector, input bit, row of tiles, output, slice), ``near`` those
    near a tie; ``saturated`` counts the clipped ones.
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


def bit_serial(macro, codes, guard=1e-4):
    """Read the tiles of one programmed matrix for the input codes [vector][row]; ``guard`` in codes of the converter.

    Uses the programmed tiles' transconductances and the numbers of the spec, and nothing else of the macro.
    """
    spec, (n_in, n_out) = macro.spec, macro.shape
    n_slices = (spec.weight_bits - 1 + spec.cell_bits - 1) // spec.cell_bits
    outputs_per_tile = spec.tile_columns // 2 // n_slices
    window = spec.device.g_max_siemens - spec.device.g_min_siemens
    unit_ampere = spec.read_volt * window / (2**spec.cell_bits - 1)
    integers = [[0.0] * n_out for _ in codes]
    allowance = [[0.0] * n_out for _ in codes]
    seen, currents, near, saturated = {}, {}, set(), 0
    for n, vector in enumerate(codes):
        for tile_row in range(-(-n_in // spec.tile_rows)):
            first = tile_row * spec.tile_rows
            rows = range(first, min(first + spec.tile_rows, n_in))
            if spec.adc:
                full_scale = macro.ranges.current_ampere or spec.read_volt * window * len(rows)
                step = full_scale / (2 ** (spec.adc.bits - 1) - 1)
            for k in range(spec.input_bits):
                sign = -1 if spec.signed_inputs and k == spec.input_bits - 1 else 1
                for j in range(n_out):
                    t = macro.tiles[tile_row][j // outputs_per_tile].transconductance
                    for s in range(n_slices):
                        column = 2 * (j % outputs_per_tile * n_slices + s)
                        current = 0.0
                        for i in rows:
                            # Python's integers are in two's complement of any width.
                            if int(vector[i]) >> k & 1:
                                current += spec.read_volt * (t[i - first, column] - t[i - first, column + 1])
                        place, weight = (n, k, tile_row, j, s), sign * 2**k * 2 ** (spec.cell_bits * s)
                        currents[place] = current
                        if not spec.adc:
                            integers[n][j] += weight * current / unit_ampere
                            continue
                        code = round(current / step)
                        if abs(abs(current / step - code) - 0.5) < guard:
                            near.add(place)
                            allowance[n][j] += abs(weight) * step / unit_ampere
                        top = 2 ** (spec.adc.bits - 1) - 1
                        if not -top - 1 <= code <= top:
                            saturated += 1
                            code = min(max(code, -top - 1), top)
                        seen[place] = code
                        integers[n][j] += weight * code * step / unit_ampere
    return Conversions(integers, allowance, seen, currents, near, saturated)
