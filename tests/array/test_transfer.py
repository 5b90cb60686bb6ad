"""Static transfer of converters against searches that are done decision by decision."""

import numpy as np
import pytest
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rramsim.array.transfer import flash_levels, ideal_levels, pipeline_steps, ramp_levels, random_walk, sar_levels

SEEDS = st.integers(0, 2**32 - 1)


def inputs(levels, bits, generator, count=200):
    """Inputs within and beyond the range, and on both sides of every transition."""
    near = np.concatenate([levels - 1e-6, levels + 1e-6])
    x = np.concatenate([generator.uniform(-3.0, (1 << bits) + 2.0, count), near])
    return x[np.all(np.abs(x[:, None] - levels) > 1e-9, axis=1)]


def sar_code(bits, mismatch, normal, x):
    """One conversion: sample, then try the bits from the most significant and keep those that fit."""
    capacitor = [2**k * (1 + mismatch * normal[k + 1] / 2 ** (k / 2)) for k in range(bits)]
    unit = (sum(capacitor) + 1 + mismatch * normal[0]) / 2**bits
    code, capacitance = 0, 0.0
    for k in reversed(range(bits)):
        if x >= (capacitance + capacitor[k]) / unit - 0.5:
            code, capacitance = code + 2**k, capacitance + capacitor[k]
    return code


def pipeline_code(bits, gains, offsets_lsb, x):
    """One conversion: each stage decides and hands on what is left; the codes of the stages are added, shifted."""
    step = 2.0 / 2**bits
    rest, code = (x + 0.5) * step - 1.0, 0
    for stage, gain in enumerate(gains):
        below, above = (
            side / 4 + step * offset
            for side, offset in zip((-1, 1), offsets_lsb[2 * stage : 2 * stage + 2], strict=True)
        )
        fired = int(rest >= below) + int(rest >= above)
        code = 2 * code + fired
        rest = gain * (rest - 0.5 * (fired - 1))
    fired = sum(int(rest >= at + step * offset) for at, offset in zip((-0.5, 0.0, 0.5), offsets_lsb[-3:], strict=True))
    # Stages overlap by one bit: two stages' 0, 1, 2 are worth 0 .. 6 in units of the second.
    return min(max(2 * code + fired, 0), 2**bits - 1)


def ideal_code(bits, x):
    return np.clip(np.floor(x + 0.5), 0, 2**bits - 1)


@settings(deadline=None, max_examples=examples(60))
@given(st.integers(1, 8), st.sampled_from([0.0, 0.01, 0.1, 0.3, 1.0, 3.0]), SEEDS)
def test_sar_is_its_search(bits, mismatch, seed):
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal((2, bits + 1))
    for levels, numbers in zip(sar_levels(bits, mismatch, normal), normal, strict=True):
        assert levels.shape == (2**bits - 1,)
        assert np.all(np.diff(levels) >= 0)
        x = inputs(levels, bits, generator, 50)
        expected = [sar_code(bits, mismatch, numbers, each) for each in x]
        np.testing.assert_array_equal(np.searchsorted(levels, x, side="right"), expected)


@pytest.mark.parametrize("bits", [1, 4, 14])
def test_sar_without_mismatch_is_ideal(bits):
    normal = np.random.default_rng(0).standard_normal((2, bits + 1))
    np.testing.assert_allclose(sar_levels(bits, 0.0, normal), np.tile(ideal_levels(bits), (2, 1)), atol=1e-9)


def test_sar_loses_the_codes_that_its_search_skips():
    mismatch, normal = 0.5, np.zeros((1, 4))
    normal[0, 3] = -3.0  # the capacitor of the top bit is 4 (1 - 0.5 * 3 / 2) = 1 unit, and all together are 5
    levels = sar_levels(3, mismatch, normal)[0]
    # What passes the trial of 4, at 1 unit, is 4 or more; what does not is below 1 unit and thus 0: 1 to 3 never come.
    np.testing.assert_allclose(levels, np.array([1, 1, 1, 1, 2, 3, 4]) * 8 / 5 - 0.5, atol=1e-12)


@pytest.mark.parametrize("bits", [4, 8, 10])
def test_sar_widths_at_the_carries_have_the_spread_of_their_capacitors(bits):
    # At the carry to bit k the width is C_k - (C_0 + ... + C_(k-1)) in units of the whole array of 2^b units: with
    # errors of variance 2^k + (2^k - 1), in part taken up by the whole's, 2^b mismatch^2 (its relative variance is
    # mismatch^2 / 2^b, its covariance with the width's mismatch^2 / 2^b too), it has the variance
    # mismatch^2 (2^(k+1) - 1 - 2^-b). A standard deviation from n values is within 5 / sqrt(2 n) but for 1 in 10^6.
    n, mismatch = 3000, 0.1 / 2 ** (bits / 2)
    levels = sar_levels(bits, mismatch, np.random.default_rng(bits).standard_normal((n, bits + 1)))
    for k in range(1, bits):
        width = levels[:, 2**k - 1] - levels[:, 2**k - 2]
        expected = mismatch * np.sqrt(2.0 ** (k + 1) - 1 - 2.0**-bits)
        assert np.std(width) == pytest.approx(expected, rel=5 / np.sqrt(2 * n) + 0.01)
        assert abs(np.mean(width) - 1.0) < 5 * expected / np.sqrt(n) + mismatch**2


@settings(deadline=None, max_examples=examples(60))
@given(st.integers(3, 9), st.sampled_from([0.0, 0.01, 0.1, 0.3]), st.sampled_from([0.0, 0.3, 3.0, 100.0]), SEEDS)
def test_pipeline_is_its_stages(bits, gain_spread, offset_spread, seed):
    generator = np.random.default_rng(seed)
    gains = 2.0 * np.exp(gain_spread * generator.standard_normal(bits - 2))
    offsets = offset_spread * generator.standard_normal(2 * bits - 1)
    levels, codes = pipeline_steps(bits, gains, offsets)
    assert codes.dtype == np.int32
    assert codes.shape == (levels.size + 1,)
    assert np.all(np.diff(levels) > 0)
    assert np.all(np.diff(codes) != 0)
    assert codes[0] == 0
    assert codes[-1] == 2**bits - 1
    x = inputs(levels, bits, generator, 50)
    expected = [pipeline_code(bits, gains, offsets, each) for each in x]
    np.testing.assert_array_equal(codes[np.searchsorted(levels, x, side="right")], expected)


@pytest.mark.parametrize("bits", [3, 4, 8, 14])
def test_ideal_pipeline_is_the_ideal_staircase(bits):
    levels, codes = pipeline_steps(bits, np.full(bits - 2, 2.0), np.zeros(2 * bits - 1))
    np.testing.assert_allclose(levels, ideal_levels(bits), atol=1e-9)
    np.testing.assert_array_equal(codes, np.arange(2**bits))


@settings(deadline=None, max_examples=examples(40))
@given(st.integers(3, 9), SEEDS)
def test_pipeline_mends_its_comparators_below_a_quarter(bits, seed):
    # Full scale is -1 .. 1 in 2^bits steps: a quarter of 1 is 2^bits / 8 steps.
    offsets = np.random.default_rng(seed).uniform(-0.999, 0.999, 2 * bits - 1) * 2**bits / 8
    offsets[-3:] = 0.0
    levels, codes = pipeline_steps(bits, np.full(bits - 2, 2.0), offsets)
    np.testing.assert_allclose(levels, ideal_levels(bits), atol=1e-9)
    np.testing.assert_array_equal(codes, np.arange(2**bits))


def test_pipeline_does_not_mend_beyond_a_quarter_nor_its_flash():
    bits, gains = 6, np.full(4, 2.0)
    for which, offset in [(0, 1.2), (1, -1.2), (1, 1.2)]:
        offsets = np.zeros(11)
        offsets[which] = offset * 2**bits / 8
        levels, codes = pipeline_steps(bits, gains, offsets)
        assert codes.size != 2**bits or not np.allclose(levels, ideal_levels(bits))
    offsets = np.zeros(11)
    offsets[-2] = 3.2  # in steps at the flash, where four stages have made one step 16
    levels, _ = pipeline_steps(bits, gains, offsets)
    moved = levels - ideal_levels(bits)
    np.testing.assert_allclose(np.unique(np.round(moved, 9)), [0.0, 0.2])


def test_pipeline_with_a_low_first_gain_jumps_where_the_first_stage_decides():
    # The first decision counts 2^(bits - 2) codes, but takes only g / 2 as much off: (1 - g / 2) 2^(bits - 2) too many.
    bits, gain = 8, 1.9
    levels, codes = pipeline_steps(bits, np.array([gain] + [2.0] * 5), np.zeros(15))
    jump = np.diff(codes)
    assert np.flatnonzero(jump > 1).size == 2
    assert np.all(np.abs(jump[jump > 1] - (1 - gain / 2) * 2 ** (bits - 2)) < 1)
    np.testing.assert_allclose(levels[jump > 1], (1 + np.array([-0.25, 0.25])) * 2 ** (bits - 1) - 0.5)
    inner = np.diff(levels)[10:40]
    np.testing.assert_allclose(inner, 2.0 / gain)


@settings(deadline=None, max_examples=examples(40))
@given(st.integers(1, 8), st.sampled_from([0.0, 0.2, 3.0]), SEEDS)
def test_flash_counts_the_comparators_that_fire(bits, spread, seed):
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal((1, 2**bits - 1))
    levels = flash_levels(bits, spread, normal)[0]
    x = inputs(levels, bits, generator, 50)
    fired = [sum(each >= k + 0.5 + spread * normal[0, k] for k in range(2**bits - 1)) for each in x]
    np.testing.assert_array_equal(np.searchsorted(levels, x, side="right"), fired)


@pytest.mark.parametrize("bits", [1, 2, 5, 8])
@pytest.mark.parametrize("curvature", [0.0, 0.7, -2.0])
def test_ramp_bows_by_its_curvature_in_its_middle(bits, curvature):
    levels = ramp_levels(bits, curvature)
    bow = levels - ideal_levels(bits)
    assert bow[0] == bow[-1] == 0.0
    if bits > 1:
        assert bow[2 ** (bits - 1) - 1] == pytest.approx(curvature)
        np.testing.assert_allclose(np.diff(bow, 2), -8 * curvature / (2**bits - 2) ** 2, atol=1e-12)
    else:
        assert levels.shape == (1,)


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_random_walk_starts_and_ends_at_zero_with_widths_of_the_spread(bits):
    n, spread, count = 4000, 0.3, 2**bits - 2
    walk = random_walk(spread, np.random.default_rng(bits).standard_normal((n, count)))
    assert walk.shape == (n, count + 1)
    np.testing.assert_allclose(walk[:, [0, -1]], 0.0, atol=1e-12)
    # Each width has lost the mean of them all: variance spread^2 (1 - 1 / count). The standard deviation from n values
    # is within 5.5 / sqrt(2 n): false alarm 4e-8 each, 1e-5 for all widths.
    widths = np.diff(walk, axis=1)
    expected = spread * np.sqrt(1 - 1 / count)
    np.testing.assert_allclose(np.std(widths, axis=0), expected, rtol=5.5 / np.sqrt(2 * n))
    # In between it is a bridge: variance spread^2 k (count - k) / count.
    k = np.arange(count + 1)
    np.testing.assert_allclose(
        np.std(walk, axis=0), spread * np.sqrt(k * (count - k) / count), rtol=5.5 / np.sqrt(2 * n), atol=1e-12
    )


def test_random_walk_adds_up_its_widths():
    walk = random_walk(0.5, np.array([[1.0, -2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(walk, [[0.0, 0.25, -1.0, -1.25, 0.0], [0.0] * 5], atol=1e-12)
