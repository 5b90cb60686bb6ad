"""Integers to digits, pulses and tiles, and back."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle

from rramsim.engine.macro.mapping import (
    columns_per_output,
    digits,
    flip_columns,
    input_pulses,
    magnitude_bits,
    outputs_per_tile,
    pulse_weights,
    quantize,
    slice_widths,
    spans,
    unflip_columns,
)
from rramsim.errors import SpecError

SCHEMES = ("differential", "separate", "offset")
SEEDS = st.integers(0, 999)
POLARITIES = st.sampled_from(["unsigned", "two's complement", "bipolar"])


def random_integers(lowest, highest, shape, seed):
    """Integers lowest .. highest; both ends, 0 and -1 are among them where there is room."""
    integers = np.random.default_rng(seed).integers(lowest, highest, shape, endpoint=True).astype(np.int32)
    special = np.clip([lowest, highest, 0, -1], lowest, highest)
    integers.flat[: min(4, integers.size)] = special[: integers.size]
    return integers


def integers_of(levels, weight_bits, widths):
    """The integers whose digits (..., n_slices, n_lines) are given, one by one."""
    cells = levels.reshape(-1, *levels.shape[-2:])
    return np.reshape([oracle.integer_of(each, weight_bits, widths) for each in cells], levels.shape[:-2])


def place_values(widths):
    return [1 << sum(widths[:s]) for s in range(len(widths))]


@st.composite
def slicings(draw):
    """(weight_bits, signed, widths): widths even or not, as wide as needed or wider."""
    weight_bits, signed = draw(st.integers(2, 16)), draw(st.sampled_from(SCHEMES))
    bits = magnitude_bits(weight_bits, signed)
    if draw(st.booleans()):
        return weight_bits, signed, slice_widths(bits, draw(st.integers(1, 15)))
    widths = tuple(draw(st.lists(st.integers(1, 8), max_size=6)))
    while sum(widths) < bits:
        widths = (*widths, draw(st.integers(1, 8)))
    return weight_bits, signed, slice_widths(bits, widths)


def weights_of(weight_bits, signed, shape, seed):
    half = 1 << (weight_bits - 1)
    return random_integers(-half + (signed != "offset"), half - 1, shape, seed)


# Numbers to integers.


@given(st.integers(1, 16), st.booleans(), st.floats(1e-6, 1e6), SEEDS)
def test_quantize_is_nearest_within_full_scale(bits, signed, full_scale, seed):
    bits = max(bits, 1 + signed)
    x = np.random.default_rng(seed).uniform(-1 if signed else 0, 1, 50) * full_scale
    codes, step = quantize(x, bits, full_scale, signed=signed)
    assert codes.dtype == np.int32
    assert_allclose(codes * step, x, atol=0.5000001 * step)
    ends, _ = quantize(np.array([-9.0, 9.0]) * full_scale, bits, full_scale, signed=signed)
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    assert_array_equal(ends, [-top if signed else 0, top])
    assert top * step == pytest.approx(full_scale)


@given(st.integers(2, 16), SEEDS)
def test_quantize_keeps_integers(bits, seed):
    top = (1 << (bits - 1)) - 1
    codes = random_integers(-top, top, (7,), seed)
    again, step = quantize(codes * 0.3, bits, top * 0.3)
    assert_array_equal(again, codes)
    assert step == pytest.approx(0.3)


def test_quantize_of_zeros():
    codes, step = quantize(np.zeros((2, 3)), 8, np.zeros((2, 1)))
    assert not codes.any()
    assert np.isfinite(step).all()
    assert step.min() > 0


def test_quantize_row_by_row():
    """Every vector may have its own full scale."""
    x = np.array([[1.0, -0.5], [100.0, 51.0]])
    codes, step = quantize(x, 8, np.abs(x).max(axis=-1, keepdims=True))
    assert_array_equal(codes, [[127, -64], [127, 65]])
    assert step.shape == (2, 1)


def test_quantize_channel_by_channel_is_every_channel_alone():
    w = np.random.default_rng(1).normal(size=(2, 5, 3)) * [1.0, 10.0, 100.0]
    full_scale = np.abs(w).max(axis=-2, keepdims=True)
    codes, step = quantize(w, 6, full_scale)
    assert step.shape == (2, 1, 3)
    assert_array_equal(np.abs(codes).max(axis=-2), 31)
    for matrix, channel in product(range(2), range(3)):
        alone, alone_step = quantize(w[matrix, :, channel], 6, float(full_scale[matrix, 0, channel]))
        assert_array_equal(codes[matrix, :, channel], alone)
        assert step[matrix, 0, channel] == alone_step


@pytest.mark.parametrize(("bits", "signed", "allowed"), [(1, True, "2 to 16"), (0, False, "1 to 16"), (17, True, "16")])
def test_quantize_refuses_widths(bits, signed, allowed):
    with pytest.raises(SpecError, match=rf"{allowed} bits.*; got {bits}"):
        quantize(np.ones(2), bits, 1.0, signed=signed)


# Integers to digits of cells.


@pytest.mark.parametrize(
    ("total_bits", "cell_bits", "widths"),
    [
        (7, 1, (1,) * 7),
        (7, 2, (2, 2, 2, 2)),
        (7, 3, (3, 3, 3)),
        (8, 4, (4, 4)),
        (4, 4, (4,)),
        (1, 8, (8,)),
        (0, 3, ()),
        (7, (4, 2, 1), (4, 2, 1)),
        (7, (1, 8), (1, 8)),
        (7, (4, 4, 4), (4, 4, 4)),
    ],
)
def test_slice_widths(total_bits, cell_bits, widths):
    assert slice_widths(total_bits, cell_bits) == widths


@pytest.mark.parametrize(("cell_bits", "got"), [((3, 3), 6), ((), 0), ((1, 2, 2, 1), 6)])
def test_slice_widths_refuses_a_lost_top(cell_bits, got):
    with pytest.raises(ValueError, match=rf"hold {got} bits; 7 are needed"):
        slice_widths(7, cell_bits)


@given(slicings(), st.lists(st.integers(0, 4), min_size=2, max_size=3), SEEDS)
@example((16, "offset", (3,) * 6), [4, 4], 0)
@example((16, "separate", (8, 8, 8, 8, 8)), [4, 4], 0)
def test_digits_give_the_weight_back(slicing, shape, seed):
    weight_bits, signed, widths = slicing
    weights = weights_of(weight_bits, signed, shape, seed)
    before = weights.copy()
    levels = digits(weights, weight_bits, widths, signed)
    assert levels.shape == (*shape, len(widths), 1 if signed == "offset" else 2)
    assert levels.dtype == np.int16
    assert (levels >= 0).all()
    assert (levels <= np.array([(1 << width) - 1 for width in widths])[:, None]).all()
    if signed != "offset":
        held = levels.any(axis=-2)
        assert not (held[..., 0] & held[..., 1]).any(), "a weight lies on both lines"
    # What the macro will do with sums of columns, here of single cells.
    line = levels[..., 0] if signed == "offset" else levels[..., 0] - levels[..., 1]
    value = line.astype(np.int64) @ np.array(place_values(widths), dtype=np.int64)
    assert_array_equal(value - (1 << (weight_bits - 1)) * (signed == "offset"), weights)
    assert_array_equal(integers_of(levels, weight_bits, widths), weights)
    assert_array_equal(weights, before)


@pytest.mark.parametrize(("weight_bits", "signed"), [*product((2, 3, 8, 11), SCHEMES)])
@pytest.mark.parametrize("cell_bits", [1, 3, (5, 1, 5), (4, 3, 2, 1, 8)])
def test_digits_of_every_code(weight_bits, signed, cell_bits):
    """All weights there are have digits of their own, and these are the weights' again."""
    half = 1 << (weight_bits - 1)
    weights = np.arange(-half + (signed != "offset"), half, dtype=np.int32)[None]
    widths = slice_widths(magnitude_bits(weight_bits, signed), cell_bits)
    levels = digits(weights, weight_bits, widths, signed)
    assert len({each.tobytes() for each in levels[0]}) == weights.size
    assert_array_equal(integers_of(levels, weight_bits, widths), weights)


def test_digits_by_hand():
    assert_array_equal(
        digits(np.array([[0b1101101, -6, 0]], dtype=np.int32), 8, (2, 2, 2, 2), "differential")[0],
        [[[1, 0], [3, 0], [2, 0], [1, 0]], [[0, 2], [0, 1], [0, 0], [0, 0]], np.zeros((4, 2))],
    )
    assert_array_equal(digits(np.array([[-6]], dtype=np.int32), 4, (1, 2), "separate")[0, 0], [[0, 0], [0, 3]])
    # 5 + 8 = 0b1101, -8 + 8 = 0, -1 + 8 = 0b0111.
    assert_array_equal(
        digits(np.array([[5, -8, -1]], dtype=np.int32), 4, (1, 3), "offset")[0, ..., 0], [[1, 6], [0, 0], [1, 3]]
    )


def test_separate_lines_hold_what_differential_lines_hold():
    weights = weights_of(8, "separate", (6, 5), 3)
    assert_array_equal(digits(weights, 8, (3, 4), "separate"), digits(weights, 8, (3, 4), "differential"))


@given(st.integers(2, 12), st.integers(1, 4), SEEDS)
def test_even_differential_digits_by_another_formula(weight_bits, cell_bits, seed):
    """All digits at once by broadcast shifts, the first form of this function."""
    weights = weights_of(weight_bits, "differential", (3, 4), seed)
    n_slices = -(-(weight_bits - 1) // cell_bits)
    magnitude = (np.abs(weights)[..., None] >> cell_bits * np.arange(n_slices)) & ((1 << cell_bits) - 1)
    positive = (weights > 0)[..., None]
    expected = np.stack([np.where(positive, magnitude, 0), np.where(positive, 0, magnitude)], axis=-1)
    widths = slice_widths(magnitude_bits(weight_bits, "differential"), cell_bits)
    assert_array_equal(digits(weights, weight_bits, widths, "differential"), expected)


# The flip encoding.


@given(slicings(), st.integers(1, 9), st.integers(1, 4), st.sampled_from([(), (2,)]), SEEDS)
def test_no_flipped_column_is_more_than_half_full(slicing, rows, n_out, leading, seed):
    weight_bits, _, widths = slicing
    widths = (*widths, 1)  # offset weights may have a bit more than the magnitudes of a pair
    weights = weights_of(weight_bits, "offset", (*leading, rows, n_out), seed)
    levels = digits(weights, weight_bits, widths, "offset")
    stored, flipped = flip_columns(levels, widths)
    assert stored.shape == levels.shape
    assert stored.dtype == levels.dtype
    assert flipped.shape == (*leading, n_out, len(widths))
    assert flipped.dtype == np.bool_
    top = np.array([(1 << width) - 1 for width in widths])
    sums = stored[..., 0].sum(axis=-3, dtype=np.int64)
    assert (sums >= 0).all()
    assert (2 * sums <= rows * top).all()
    assert (stored >= 0).all()
    assert_array_equal(flipped, 2 * levels[..., 0].sum(axis=-3, dtype=np.int64) > rows * top)
    assert_array_equal(unflip_columns(stored, flipped, widths), levels)


@given(SEEDS, st.integers(0, 12))
def test_flipped_columns_still_give_the_product(seed, bias):
    """x . digit is (2^width - 1) sum(x) - x . stored where a column is flipped."""
    rng = np.random.default_rng(seed)
    widths = (2, 3)
    levels = np.clip(rng.integers(-bias, 12, (7, 5, 2, 1)), 0, [[3], [7]]).astype(np.int16)
    x = rng.integers(0, 2, 7)
    stored, flipped = flip_columns(levels, widths)
    read = np.einsum("r,ros->os", x, stored[..., 0])
    assert (read <= [7 * 3 // 2, 7 * 7 // 2]).all()
    back = np.where(flipped, np.array([3, 7]) * x.sum() - read, read)
    assert_array_equal(back, np.einsum("r,ros->os", x, levels[..., 0]))


def test_flip_by_hand():
    """A column of 3 in two rows of 2-bit cells is exactly half full, and stays."""
    levels = np.array([[0, 3, 3, 3], [0, 0, 1, 3]], dtype=np.int16).reshape(2, 4, 1, 1)
    stored, flipped = flip_columns(levels, (2,))
    assert_array_equal(flipped[:, 0], [False, False, True, True])
    assert_array_equal(stored[..., 0, 0], [[0, 3, 0, 0], [0, 0, 2, 0]])


def test_isaac():
    """A. Shafiee et al., ISCA 2016: 16-bit weights in eight 2-bit cells of 128 rows, one-bit inputs, 8-bit converters.

    A column sums to 128 * 3 = 384 at most, 9 bits; after the flip to 192 at most, 8 bits.
    """
    widths = slice_widths(magnitude_bits(16, "offset"), 2)
    assert widths == (2,) * 8
    assert columns_per_output(8, "offset") == 8
    assert outputs_per_tile(128, 8, "offset", unit_column=False) == 16
    assert outputs_per_tile(128, 8, "offset", unit_column=True) == 15
    assert outputs_per_tile(129, 8, "offset", unit_column=True) == 16, "with a unit column beside the 128"
    weights = weights_of(16, "offset", (128, 16), 5)
    weights[:, 0] = 32767
    levels = digits(weights, 16, widths, "offset")
    assert levels[..., 0].sum(axis=0).max() == 384
    stored, flipped = flip_columns(levels, widths)
    assert flipped[0].all()
    assert stored[..., 0].sum(axis=0).max() <= 192
    assert_array_equal(integers_of(unflip_columns(stored, flipped, widths), 16, widths), weights)
    assert pulse_weights(16, 1, signed=True, bipolar=False).tolist() == [2**k for k in range(15)] + [-(2**15)]


# Integers to pulses of inputs.


@given(st.integers(1, 16), st.integers(1, 15), POLARITIES, st.sampled_from([(5,), (2, 3, 4), (0,), (2, 0)]), SEEDS)
@example(16, 3, "unsigned", (5,), 0)
@example(16, 3, "two's complement", (5,), 0)
@example(16, 4, "bipolar", (5,), 0)
def test_pulses_add_up_to_the_input(input_bits, dac_bits, polarity, shape, seed):
    signed, bipolar = polarity != "unsigned", polarity == "bipolar"
    top = (1 << (input_bits - signed)) - 1
    codes = random_integers({"unsigned": 0, "bipolar": -top}.get(polarity, -top - 1), top, shape, seed)
    before = codes.copy()
    pulses = input_pulses(codes, input_bits, dac_bits, signed=signed, bipolar=bipolar)
    assert_array_equal(sum((p.weight * p.levels.astype(np.int64) for p in pulses), np.zeros(shape, np.int64)), codes)
    assert_array_equal(codes, before)
    most = (1 << dac_bits) - 1
    for pulse in pulses:
        assert type(pulse.weight) is int
        assert pulse.levels.shape == codes.shape
        assert pulse.levels.dtype == np.int16
        assert (pulse.levels <= most).all()
        assert (pulse.levels >= (-most if bipolar else 0)).all()
        assert (pulse.levels * np.sign(codes) >= 0).all() or not bipolar
    weights = pulse_weights(input_bits, dac_bits, signed=signed, bipolar=bipolar)
    assert weights.dtype == np.int64
    assert weights.tolist() == [pulse.weight for pulse in pulses]
    n_digits = -(-(input_bits - signed) // dac_bits)
    assert len(weights) == n_digits + (signed and not bipolar)


@given(st.integers(1, 16), SEEDS)
def test_one_bit_pulses_are_the_bits_of_the_code(input_bits, seed):
    half = 1 << (input_bits - 1)
    codes = random_integers(-half, half - 1, (4, 6), seed)
    pulses = input_pulses(codes, input_bits, 1, signed=True, bipolar=False)
    assert len(pulses) == input_bits
    for k, pulse in enumerate(pulses):
        assert_array_equal(pulse.levels, (codes >> k) & 1)
        assert pulse.weight == (-half if k == input_bits - 1 else 1 << k)
    plain = input_pulses(codes + half, input_bits, 1, signed=False, bipolar=False)
    for k, pulse in enumerate(plain):
        assert_array_equal(pulse.levels, ((codes + half) >> k) & 1)


def as_lists(pulses):
    return [(pulse.weight, pulse.levels.tolist()) for pulse in pulses]


def test_pulses_by_hand():
    codes = np.array([0b1101, -0b0110], dtype=np.int32)
    # -6 = 0b01010 - 16.
    assert as_lists(input_pulses(codes, 5, 2, signed=True, bipolar=False)) == [
        (1, [1, 2]),
        (4, [3, 2]),
        (-16, [0, 1]),
    ]
    assert as_lists(input_pulses(codes, 5, 2, signed=True, bipolar=True)) == [(1, [1, -2]), (4, [3, -1])]
    assert as_lists(input_pulses(codes[:1], 4, 3, signed=False, bipolar=False)) == [(1, [5]), (8, [1])]
    # A three-bit digit of a four-bit magnitude: the sign bit is not part of the last digit.
    assert as_lists(input_pulses(codes[1:], 5, 3, signed=True, bipolar=False)) == [(1, [2]), (8, [1]), (-16, [1])]


def test_a_driver_of_both_polarities_leaves_plain_inputs_as_they_are():
    codes = random_integers(0, 255, (9,), 4)
    plain, bipolar = (input_pulses(codes, 8, 3, signed=False, bipolar=each) for each in (False, True))
    assert as_lists(plain) == as_lists(bipolar)


# Matrices to tiles.


@pytest.mark.parametrize(("signed", "per_slice"), [("differential", 2), ("separate", 2), ("offset", 1)])
@pytest.mark.parametrize("n_slices", [1, 3, 8])
def test_outputs_per_tile(signed, per_slice, n_slices):
    columns = per_slice * n_slices
    assert columns_per_output(n_slices, signed) == columns
    for unit in (False, True):
        assert outputs_per_tile(columns + unit, n_slices, signed, unit_column=unit) == 1
        assert outputs_per_tile(columns + unit - 1, n_slices, signed, unit_column=unit) == 0
        assert outputs_per_tile(6 * columns + unit - 1, n_slices, signed, unit_column=unit) == 5


@pytest.mark.parametrize("signed", SCHEMES)
def test_columns_are_the_cells_of_a_row(signed):
    widths = slice_widths(magnitude_bits(8, signed), (3, 3, 2))
    levels = digits(np.zeros((1, 1), dtype=np.int32), 8, widths, signed)
    assert levels[0, 0].size == columns_per_output(len(widths), signed)


@given(st.integers(0, 300), st.integers(1, 70))
def test_spans_cover_once(length, step):
    pieces = list(spans(length, step))
    assert [i for part in pieces for i in range(part.start, part.stop)] == list(range(length))
    assert all(part.stop - part.start == step for part in pieces[:-1])
