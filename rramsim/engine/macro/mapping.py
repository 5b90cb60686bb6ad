"""Integers only: numbers to integers, integers to digits of cells and pulses of inputs, matrices to tiles."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.errors import SpecError

__all__ = [
    "Codes",
    "Digits",
    "Pulse",
    "WeightCoding",
    "columns_per_output",
    "digits",
    "flip_columns",
    "input_pulses",
    "magnitude_bits",
    "outputs_per_tile",
    "pulse_weights",
    "quantize",
    "slice_widths",
    "spans",
    "unflip_columns",
]

WeightCoding = Literal["differential", "separate", "offset"]
"""How cells, which hold no negative numbers, hold signed weights.

``"differential"`` and ``"separate"``: the magnitude on the positive or on the negative bit line of a pair, and nothing
on the other; ``"offset"``: ``weight + 2^(weight_bits - 1)`` on one line.
"""

Codes = NDArray[np.int32]
"""Inputs and weights as integers."""
Digits = NDArray[np.int16]
"""Levels of cells and of drivers."""


class Pulse(NamedTuple):
    """One of the pulses that make up an input.

    Parameters
    ----------
    weight
        What one level counts for in the input.
    levels
        (..., n_in): the converter's level at every row.
    """

    weight: int
    levels: Digits


def quantize(
    x: FloatArray, bits: int, full_scale: float | FloatArray, *, signed: bool = True
) -> tuple[Codes, FloatArray]:
    """Integers nearest to ``x`` on a scale whose largest code stands for ``full_scale``.

    Parameters
    ----------
    x
        Numbers; those beyond full scale saturate.
    bits
        Width of the codes: -(2^(bits-1) - 1) .. 2^(bits-1) - 1 when signed (2 to 16 bits), 0 .. 2^bits - 1 otherwise
        (1 to 16 bits).
    full_scale
        > 0 (0 is taken as 1: nothing but zeros), broadcast against ``x``: of the tensor, or of every channel.

    Returns
    -------
    codes, step
        ``x`` is close to ``codes * step``; ``step`` has the shape of ``full_scale``.
    """
    fewest = 2 if signed else 1
    if not fewest <= bits <= 16:
        why = ", one of which is the sign" if signed else ""
        raise SpecError(f"quantize: codes have {fewest} to 16 bits{why}; got {bits}")
    largest = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    step = np.asarray(np.where(np.asarray(full_scale) > 0, full_scale, 1.0) / largest)
    codes = np.clip(np.rint(x / step), -largest if signed else 0, largest)
    return codes.astype(np.int32), step


def slice_widths(total_bits: int, cell_bits: int | tuple[int, ...]) -> tuple[int, ...]:
    """Bits that each cell of a number holds, least significant first.

    Parameters
    ----------
    total_bits
        Bits of the number.
    cell_bits
        Bits of every cell: as many cells as the number needs, the last of which may be used in part. Or the widths
        one by one.

    Raises
    ------
    ValueError
        For given widths that hold less than the number.
    """
    if isinstance(cell_bits, int):
        return (cell_bits,) * -(-total_bits // cell_bits)
    if sum(cell_bits) < total_bits:
        raise ValueError(
            f"cell_bits {cell_bits} hold {sum(cell_bits)} bits; {total_bits} are needed, or the top of the weights "
            "would be lost"
        )
    return cell_bits


def magnitude_bits(weight_bits: int, weight_coding: WeightCoding) -> int:
    """Bits of a weight that one line holds; in a pair of lines, the line that is chosen is the sign."""
    return weight_bits if weight_coding == "offset" else weight_bits - 1


def columns_per_output(n_slices: int, weight_coding: WeightCoding) -> int:
    """Columns that the weights of one output take."""
    return n_slices if weight_coding == "offset" else 2 * n_slices


def outputs_per_tile(tile_columns: int, n_slices: int, weight_coding: WeightCoding, *, unit_column: bool) -> int:
    """Whole outputs that fit into the columns of a tile, one of which may be a unit column; 0 where not one does."""
    return (tile_columns - unit_column) // columns_per_output(n_slices, weight_coding)


def _shifts(widths: tuple[int, ...]) -> list[int]:
    """Binary place of the lowest bit of every slice."""
    return [sum(widths[:s]) for s in range(len(widths))]


def digits(codes: Codes, weight_bits: int, widths: tuple[int, ...], weight_coding: WeightCoding) -> Digits:
    """Digits of signed integers, as cells hold them.

    Parameters
    ----------
    codes
        (..., n_in, n_out) of magnitude below 2^(weight_bits - 1); the offset also holds -2^(weight_bits - 1) itself.
    weight_bits
        Width of the codes, the sign included.
    widths
        Bits of every slice, 1 to 15, from :func:`slice_widths` of :func:`magnitude_bits`.

    Returns
    -------
    numpy.ndarray
        (..., n_in, n_out, n_slices, n_lines): digits 0 .. 2^width - 1, least significant slice first. The last axis is
        the positive and the negative bit line (one of the two digits is 0), or the one line of ``"offset"``.
    """
    offset = weight_coding == "offset"
    lines = [codes + (1 << (weight_bits - 1))] if offset else [np.maximum(codes, 0), np.maximum(-codes, 0)]
    levels = np.empty((*codes.shape, len(widths), len(lines)), dtype=np.int16)
    # Slice by slice: nothing larger than the codes is needed on the way.
    for line, each in enumerate(lines):
        magnitudes = each.astype(np.uint16)
        for s, (width, shift) in enumerate(zip(widths, _shifts(widths), strict=True)):
            levels[..., s, line] = (magnitudes >> shift) & ((1 << width) - 1)
    return levels


def flip_columns(digits: Digits, widths: tuple[int, ...]) -> tuple[Digits, BoolArray]:
    """Store the heavy columns of a tile inverted, which spares the converter one bit.

    The encoding of ISAAC (A. Shafiee et al., ISCA 2016): where the digits of a column sum to more than half of what
    its rows can hold, each becomes 2^width - 1 - digit. No sum of a column, under any inputs of one bit, then exceeds
    half of the largest.

    Parameters
    ----------
    digits
        (..., rows, n_out, n_slices, 1): ``"offset"`` digits in the rows of one tile.
    widths
        Bits of every slice.

    Returns
    -------
    digits, flipped
        The digits to store, and (..., n_out, n_slices) which columns they invert.
    """
    most = digits.shape[-4] * ((1 << np.array(widths)) - 1)
    flipped = 2 * digits[..., 0].sum(axis=-3, dtype=np.int64) > most
    return unflip_columns(digits, flipped, widths), flipped


def unflip_columns(digits: Digits, flipped: BoolArray, widths: tuple[int, ...]) -> Digits:
    """Invert the columns that are ``flipped``, (..., n_out, n_slices): the way back from :func:`flip_columns`."""
    top = ((1 << np.array(widths)) - 1).astype(digits.dtype)
    return np.where(flipped[..., None, :, :, None], top[:, None] - digits, digits)


def pulse_weights(input_bits: int, dac_bits: int, *, signed: bool, bipolar: bool) -> IntArray:
    """Weights of the pulses that :func:`input_pulses` makes, in their order; as many as there are pulses."""
    weights = [1 << shift for shift in _shifts(slice_widths(input_bits - signed, dac_bits))]
    if signed and not bipolar:
        weights.append(-(1 << (input_bits - 1)))
    return np.array(weights, dtype=np.int64)


def input_pulses(codes: Codes, input_bits: int, dac_bits: int, *, signed: bool, bipolar: bool) -> list[Pulse]:
    """Pulses that make up integers: ``codes`` is the sum of ``weight * levels``.

    Inputs that are not signed are applied in digits of ``dac_bits``. Signed ones are applied in two's complement, the
    sign bit as a pulse of its own; or, where the converter drives both polarities, as digits of the magnitude that
    bear the sign of the number.

    Parameters
    ----------
    codes
        (..., n_in), within ``input_bits``; in sign and magnitude above -2^(input_bits - 1).
    input_bits
        Width of the codes, the sign included, 1 to 16. (One signed bit is a lone sign bit, and bipolar no pulse.)
    dac_bits
        Width of a digit, 1 to 15; the last digit may be narrower.
    signed
        Whether codes may be negative.
    bipolar
        Whether levels may be negative.

    Returns
    -------
    list of Pulse
        Least significant first, levels 0 .. 2^dac_bits - 1 (their negatives too when bipolar), the sign bit last.
    """
    # In two's complement the bits below the sign bit are a number of their own, >= 0.
    magnitudes = (np.abs(codes) if bipolar else codes & ((1 << (input_bits - signed)) - 1)).astype(np.uint16)
    signs = np.sign(codes).astype(np.int16)
    pulses = []
    for weight in pulse_weights(input_bits, dac_bits, signed=signed, bipolar=bipolar).tolist():
        if weight < 0:
            levels = (codes < 0).astype(np.int16)
        else:
            # Below 2^15, so that the same bytes are signed levels.
            levels = ((magnitudes >> (weight.bit_length() - 1)) & ((1 << dac_bits) - 1)).view(np.int16)
            if bipolar:
                levels *= signs
        pulses.append(Pulse(weight, levels))
    return pulses


def spans(length: int, step: int) -> Iterator[slice]:
    """Consecutive slices of at most ``step`` that cover 0 .. length."""
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))
