"""Attention in crossbars against floating point, and its account of what it did."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax as float_softmax

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.engine.attention import AttentionRanges, AttentionSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import ProbeRecorder

FINE = MacroSpec(input_bits=12, weight_bits=12)
STAR = SoftmaxSpec(format=FixedPointSpec(integer_bits=4, fraction_bits=4), lut_bits=10, divider_bits=12)


def inputs(batch=2, heads=3, length=7, d_head=5, seed=0):
    """Query (already scaled), key and value."""
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(3, batch, heads, length, d_head)) * np.array([d_head**-0.5, 1, 1])[:, None, None, None, None]
    )


def in_float(query, key, value):
    probabilities = float_softmax(query @ np.swapaxes(key, -1, -2), axis=-1)
    return probabilities, probabilities @ value


def calibrated(spec, qkv):
    return spec.calibrate(*qkv, in_float(*qkv)[0])


@pytest.mark.parametrize(("softmax", "tolerance"), [(None, 3e-3), (STAR, 0.1)])
def test_ideal_is_float_within_quantisation(softmax, tolerance):
    """12 bits in the products: 1/2047 of full scale a factor; 4 fraction bits of a score: exp(1/16) of a result."""
    qkv = inputs()
    spec = AttentionSpec(macro=FINE, softmax=softmax)
    done = spec.program(ranges=calibrated(spec, qkv), rng=0).apply(*qkv, rng=0)
    probabilities, mixed = in_float(*qkv)
    assert done.values.shape == qkv[0].shape
    assert done.probabilities.shape == probabilities.shape
    assert_allclose(done.probabilities, probabilities, atol=tolerance * probabilities.max())
    assert_allclose(done.values, mixed, atol=tolerance * np.abs(qkv[2]).max())


def test_it_is_made_of_its_parts():
    """Scores, softmax and mixing, each by the block of that name."""
    query, key, value = inputs(batch=1, heads=1)
    macro = MacroSpec(adc=SarAdcSpec(bits=7))
    spec = AttentionSpec(macro=macro, softmax=STAR)
    done = spec.program(rng=0).apply(query, key, value, rng=0)
    scores = macro.program(np.swapaxes(key, -1, -2), rng=0).apply(query, rng=0)
    soft = STAR.program().apply(scores.values)
    unsigned = macro.but({"signed_inputs": False})
    mixed = unsigned.program(value, ranges=MacroRanges(inputs=1.0), rng=0).apply(soft.values, rng=0)
    assert_array_equal(done.probabilities, soft.values)
    assert_array_equal(done.values, mixed.values)
    saturated = scores.errors["adc_saturation"] + mixed.errors["adc_saturation"]
    assert done.errors == {**soft.errors, "adc_saturation": saturated}


@pytest.mark.parametrize("softmax", [None, STAR])
def test_inputs_of_a_batch_are_independent(softmax):
    qkv = inputs(batch=4)
    spec = AttentionSpec(macro=MacroSpec(adc=SarAdcSpec(bits=8)), softmax=softmax)
    layer = spec.program(ranges=calibrated(spec, qkv), rng=0)
    together = layer.apply(*qkv, rng=0).values
    for n in range(4):
        assert_allclose(layer.apply(*qkv[:, n : n + 1], rng=0).values[0], together[n], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("softmax", [None, STAR])
def test_heads_are_independent(softmax):
    qkv = inputs()
    spec = AttentionSpec(macro=MacroSpec(), softmax=softmax)
    layer = spec.program(ranges=calibrated(spec, qkv), rng=0)
    together = layer.apply(*qkv, rng=0).values
    for head in range(3):
        alone = layer.apply(*qkv[:, :, head : head + 1], rng=0).values
        assert_allclose(alone[:, 0], together[:, head], rtol=1e-12, atol=1e-14)


def test_permuting_the_keys_changes_nothing():
    query, key, value = inputs()
    spec = AttentionSpec(macro=MacroSpec(), softmax=STAR)
    layer = spec.program(ranges=calibrated(spec, (query, key, value)), rng=0)
    order = np.random.default_rng(1).permutation(7)
    one = layer.apply(query, key, value, rng=0)
    other = layer.apply(query, key[..., order, :], value[..., order, :], rng=0)
    assert_array_equal(other.probabilities, one.probabilities[..., order])
    assert_allclose(other.values, one.values, rtol=1e-12, atol=1e-14)


def test_calibration():
    qkv = inputs()
    spec = AttentionSpec(macro=MacroSpec(adc=SarAdcSpec(bits=8, full_scale_from="calibrated")), softmax=STAR)
    ranges = calibrated(spec, qkv)
    assert ranges.keys.inputs == np.abs(qkv[0]).max()
    assert ranges.keys.weights == np.abs(qkv[1]).max()
    assert ranges.values.inputs == 1.0
    assert ranges.values.weights == np.abs(qkv[2]).max()
    assert ranges.keys.current_ampere > 0 < ranges.values.current_ampere
    assert AttentionRanges().values.inputs == 1.0


def test_account():
    """Activity is that of writing and of each step, under the name of its block."""
    qkv = inputs()
    macro = MacroSpec(device=device("rram-intel-22nm"), adc=SarAdcSpec(bits=6), tile_rows=4)
    spec = AttentionSpec(macro=macro, softmax=STAR)
    done = spec.program(rng=0).apply(*qkv, rng=0)
    counts = {(block, component): count for block, component, count in done.activity.rows()}
    assert {block for block, _ in counts} == {"attention write", "attention scores", "attention mix", "softmax"}
    slices = 4
    cells = 2 * 3 * (5 * 7 + 7 * 5) * slices * 2
    assert counts["attention write", "write_driver"] == cells
    # Per vector and input bit: keys in 2 row tiles of 7 outputs, values in 2 of 5.
    assert counts["attention scores", "adc_6b"] == 2 * 3 * 7 * 8 * 2 * 7 * slices
    assert counts["attention mix", "adc_6b"] == 2 * 3 * 7 * 8 * 2 * 5 * slices
    assert counts["softmax", "divider"] == 2 * 3 * 7 * 7


def test_probe_names():
    recorder = ProbeRecorder()
    AttentionSpec(macro=MacroSpec(adc=SarAdcSpec()), softmax=STAR).program(rng=0).apply(
        *inputs(), probe=recorder, rng=0
    )
    assert {"scores/column_current", "scores/adc_code", "softmax/match", "softmax/sum", "mix/adc_code"} <= set(
        recorder.signals
    )
    assert recorder.signals["scores/adc_code"][0].shape == (8, 2, 3, 7, 7, 4)


def test_writing_and_reading_draw_from_streams_of_their_own():
    """Read noise leaves the written cells alone, and the other way round."""
    rough = device("rram-wan-2022")
    query, key, value = inputs(batch=1, heads=1)
    quiet = AttentionSpec(macro=MacroSpec(device=rough.but({"read_noise": ReadNoiseSpec()})))
    noisy = AttentionSpec(macro=MacroSpec(device=rough))
    assert_array_equal(
        quiet.program(rng=0).apply(query, key, value, rng=3).values,
        quiet.program(rng=0).apply(query, key, value, rng=3).values,
    )
    written = [
        spec.program(rng=0).apply(query, key, value, rng=3).activity.total("cell_write_joule")
        for spec in (quiet, noisy)
    ]
    assert written[0] == written[1]
    assert (
        noisy.program(rng=0).apply(query, key, value, rng=3).values
        != quiet.program(rng=0).apply(query, key, value, rng=3).values
    ).all()
    other = quiet.program(rng=0).apply(query, key, value, rng=4).activity.total("cell_write_joule")
    assert other != written[0]


def test_equal_keys_and_values_get_errors_of_their_own(monkeypatch):
    written = []
    program = MacroSpec.program

    def watched(self, *arguments, **keywords):
        written.append(program(self, *arguments, **keywords))
        return written[-1]

    monkeypatch.setattr(MacroSpec, "program", watched)
    query, key, _ = inputs(batch=1, heads=1, length=5)
    value = np.swapaxes(key, -1, -2)
    AttentionSpec(macro=MacroSpec(device=device("rram-wan-2022"))).program(rng=0).apply(query, key, value, rng=3)
    keys, values = (macro.rows[0].tiles[0].array.cells.g for macro in written)
    assert keys.shape == values.shape
    assert (keys != values).mean() > 0.9


def test_values_are_multiplied_with_all_bits():
    """Probabilities have no sign, so the macro of the values spends no bit on one."""
    assert AttentionSpec(macro=MacroSpec(input_bits=5)).value_macro.signed_inputs is False
    value = np.eye(2)[None, None]
    query = np.zeros((1, 1, 2, 2))
    spec = AttentionSpec(macro=MacroSpec(input_bits=2, device=DeviceSpec()))
    assert_allclose(spec.program(rng=0).apply(query, np.ones((1, 1, 2, 2)), value, rng=0).values, 2 / 3, rtol=1e-12)


def test_keys_and_values_meet_the_same_stuck_cells_at_every_input():
    """The arrays of a head are written anew for every input; their stuck cells stay, and heads differ."""
    faulty = device("ideal", stuck={"on_fraction": 0.05, "off_fraction": 0.05})
    spec = AttentionSpec(macro=MacroSpec(device=faulty))
    one = inputs(batch=1, heads=1)
    query, key, value = (np.repeat(np.repeat(part, 4, axis=0), 2, axis=1) for part in one)
    layer = spec.program(rng=3, ranges=AttentionRanges(MacroRanges(weights=3.0), MacroRanges(inputs=1.0, weights=3.0)))
    first = layer.apply(query, key, value, rng=1).values
    assert_array_equal(first, np.repeat(first[:1], 4, axis=0))
    assert_array_equal(layer.apply(query, key, value, rng=2).values, first)
    assert np.abs(first[:, 0] - first[:, 1]).max() > 0
    assert np.abs(spec.program(rng=4, ranges=layer.ranges).apply(query, key, value, rng=0).values - first).max() > 0
