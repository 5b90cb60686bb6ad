"""The chip: matrices and attentions by name, each with streams of its own, and one account of all."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.engine.attention import AttentionRanges, AttentionSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import ProbeRecorder
from rramsim.rng import Streams

ROUGH = MacroSpec(device=device("rram-wan-2022"), adc=SarAdcSpec(bits=8), tile_rows=8)
STAR = SoftmaxSpec(format=FixedPointSpec(integer_bits=4, fraction_bits=2), device=device("rram-wan-2022"))
SPEC = ChipSpec(macro=ROUGH, attention=AttentionSpec(macro=ROUGH, softmax=STAR))


def weights(*names):
    return {name: np.random.default_rng(len(name)).normal(size=(12, 10)) for name in names}


def programmed(spec=SPEC, names=("first", "second"), layers=("attend",), rng=1):
    return spec.program(weights(*names), {}, dict.fromkeys(layers, AttentionRanges()), rng=rng)


X = np.random.default_rng(5).normal(size=(2, 3, 12))
QKV = np.random.default_rng(6).normal(size=(3, 2, 2, 5, 4))


def test_products():
    chip = ChipSpec().program(weights("first"), {}, {}, rng=0)
    run = chip.session(rng=0)
    outputs = run.matmul("first", X)
    assert outputs.shape == (2, 3, 10)
    assert_allclose(outputs, X @ weights("first")["first"], atol=0.2)
    assert_allclose(run.matmul("first", X[0, 0]), outputs[0, 0], rtol=1e-12)


def test_attention():
    chip = ChipSpec().program({}, {}, {"attend": AttentionRanges()}, rng=0)
    run = chip.session(rng=0)
    outputs = run.attention("attend", *QKV)
    alone = AttentionSpec().program(rng=0).apply(*QKV, rng=0)
    assert_array_equal(outputs, alone.values)
    assert_array_equal(run.probabilities["attend"], alone.probabilities)


def test_unknown_names():
    run = programmed().session(rng=0)
    with pytest.raises(SpecError, match="holds no matrix 'third'; it holds first, second"):
        run.matmul("third", X)
    with pytest.raises(SpecError, match="holds no attention 'first'; it holds attend"):
        run.attention("first", *QKV)


def test_same_seed_same_bits():
    results = []
    for _ in range(2):
        run = programmed().session(rng=7)
        results.append((run.matmul("second", X), run.attention("attend", *QKV), run.errors, run.activity))
    assert_array_equal(results[0][0], results[1][0])
    assert_array_equal(results[0][1], results[1][1])
    assert results[0][2:] == results[1][2:]
    assert (programmed(rng=2).session(rng=7).matmul("second", X) != results[0][0]).any()
    assert (programmed().session(rng=8).matmul("second", X) != results[0][0]).any()


def test_another_matrix_shifts_nobodys_draws():
    few, many = programmed(), programmed(names=("zeroth", "first", "between", "second"), layers=("before", "attend"))
    for name in ("first", "second"):
        assert_array_equal(
            few.macros[name].rows[0].tiles[0].array.cells.g, many.macros[name].rows[0].tiles[0].array.cells.g
        )
    one, other = few.attentions["attend"].softmax, many.attentions["attend"].softmax
    assert_array_equal(one.cam_sub.cells.g, other.cam_sub.cells.g)
    # Nor does what else was read before.
    busy, idle = many.session(rng=7), few.session(rng=7)
    busy.matmul("zeroth", X)
    busy.attention("before", *QKV)
    assert_array_equal(busy.matmul("second", X), idle.matmul("second", X))
    assert_array_equal(busy.attention("attend", *QKV), idle.attention("attend", *QKV))


def test_equal_matrices_of_different_names_differ():
    matrix = weights("first")["first"]
    chip = SPEC.program({"a": matrix, "b": matrix}, {}, {}, rng=0)
    assert (chip.macros["a"].rows[0].tiles[0].array.cells.g != chip.macros["b"].rows[0].tiles[0].array.cells.g).any()


def test_reads_of_equal_matrices_differ():
    noise = DeviceSpec(read_noise=ReadNoiseSpec(relative_deviation=0.1))
    matrix = weights("first")["first"]
    chip = ChipSpec(macro=MacroSpec(device=noise)).program({"a": matrix, "b": matrix}, {}, {}, rng=0)
    assert_array_equal(chip.macros["a"].rows[0].tiles[0].array.cells.g, chip.macros["b"].rows[0].tiles[0].array.cells.g)
    run = chip.session(rng=1)
    assert (run.matmul("a", X) != run.matmul("b", X)).any()


def test_the_account_is_the_sum():
    run = programmed().session(rng=7)
    run.matmul("first", X)
    once = run.activity, dict(run.errors)
    run.matmul("second", X)
    run.attention("attend", *QKV)
    chip, streams = programmed(), Streams(7)
    parts = [
        chip.macros["first"].apply(X.reshape(6, 12), rng=streams.child("first")),
        chip.macros["second"].apply(X.reshape(6, 12), rng=streams.child("second")),
        chip.attentions["attend"].apply(*QKV, rng=streams.child("attend")),
    ]
    for component in ("adc_8b", "divider", "write_driver"):
        assert run.activity.total(component) == sum(part.activity.total(component) for part in parts) > 0
    for kind, count in run.errors.items():
        assert count == sum(part.errors.get(kind, 0) for part in parts)
    assert set(run.errors) == set().union(*(part.errors for part in parts))
    assert {block for block, *_ in run.activity.rows()} == {
        "static weights",
        "attention write",
        "attention scores",
        "attention mix",
        "softmax",
    }
    fresh = programmed().session(rng=7)
    fresh.matmul("first", X)
    assert (fresh.activity, fresh.errors) == once


def test_ranges_reach_their_matrix():
    ranges = {"second": MacroRanges(inputs=3.0, weights=9.0)}
    chip = SPEC.program(weights("first", "second"), ranges, {}, rng=0)
    assert chip.macros["second"].ranges == ranges["second"]
    assert chip.macros["first"].ranges == MacroRanges()


def test_probe_is_below_each_name():
    recorder = ProbeRecorder()
    run = programmed().session(probe=recorder, rng=7)
    run.matmul("first", X)
    run.attention("attend", *QKV)
    assert {
        "first/adc_code",
        "attend/scores/adc_code",
        "attend/softmax/match",
        "attend/mix/column_current",
    } <= set(recorder.signals)
