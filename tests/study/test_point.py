"""One point: common random numbers, what is compared with what, and probing that disturbs nothing."""

import numpy as np
import pytest
from helpers.studies import NO_WIRES
from numpy.testing import assert_array_equal

import rramsim as rs
from rramsim.activity import Activity
from rramsim.model.score import attention_kl
from rramsim.model.workloads import load_workload
from rramsim.probe import ProbeRecorder
from rramsim.study.plan import variants
from rramsim.study.point import evaluate, float_result, float_run, probe_chip, program_chip

QUICK = ["workload.samples=3", "workload.calibration_samples=8", "trials=2", "probe_samples=1", *NO_WIRES]


def study_and_chips(*settings):
    study = rs.load_study(settings=[*QUICK, *settings])
    return study, {line.name: line.chip for line in variants(study)}


def written(study, spec, trial=0, matrix="layer0.query"):
    return program_chip(study, spec, trial).macros[matrix].rows[0].tiles[0].array.cells.g


def equal_results(one, other):
    assert_array_equal(one.predictions, other.predictions)
    return (one.attention_kl, one.activity, one.errors) == (other.attention_kl, other.activity, other.errors)


def test_float_result():
    study, _ = study_and_chips()
    result = float_result(study)
    exact = float_run("digits-vit", 3, 8)
    assert_array_equal(result.predictions, exact.classes)
    assert result.accuracy == (result.predictions == exact.labels).mean()
    assert (result.agreement, result.attention_kl, result.activity, result.errors) == (1.0, 0.0, Activity(), {})


def test_the_same_point_twice_is_the_same_bit_for_bit():
    study, chips = study_and_chips()
    first, second = (evaluate(study, program_chip(study, chips["all"], 1), 1) for _ in range(2))
    assert equal_results(first, second)


def test_trials_and_seeds_differ():
    study, chips = study_and_chips()
    other, _ = study_and_chips("seed=1")
    g = written(study, chips["all"])
    assert (g != written(study, chips["all"], 1)).mean() > 0.9
    assert (g != written(other, chips["all"])).mean() > 0.9
    noisy = chips["read_noise"]
    assert not equal_results(*(evaluate(study, program_chip(study, noisy, trial), trial) for trial in (0, 1)))


def test_lines_of_one_trial_share_their_random_numbers():
    """The difference between two lines is the hardware, not the luck."""
    study, chips = study_and_chips("device.stuck.on_fraction=0.05", "device.stuck.off_fraction=0.05")
    target, spread, stuck, both = (
        written(study, chips[name]) for name in ("fixed_point", "programming", "stuck", "all")
    )
    # Cells stuck alone are stuck among all errors too, and all others have the spread they have alone.
    faulty = both != spread
    assert 0.05 < faulty.mean() < 0.15
    assert_array_equal(stuck[~faulty], target[~faulty])
    assert_array_equal(both[faulty], stuck[faulty])
    assert set(np.unique(stuck[faulty])) == {study.device.g_min_siemens, study.device.g_max_siemens}
    assert_array_equal(written(study, chips["read_noise"]), target)


def test_half_the_spread_is_half_the_error():
    study, chips = study_and_chips()
    coefficients = study.device.programming.spread_siemens.coefficients  # of g over the top of the window
    halved, half_chips = study_and_chips(f"device.programming.spread_siemens={[c / 2 for c in coefficients]}")
    target = written(study, chips["fixed_point"])
    error, half = written(study, chips["programming"]) - target, written(halved, half_chips["programming"]) - target
    inside = (target + error > 0) & (target + half > 0)  # a conductance never goes below 0
    assert inside.mean() > 0.5
    np.testing.assert_allclose(2 * half[inside], error[inside], rtol=1e-9, atol=1e-18)


def test_batches_add_up():
    """More images than one batch holds: every figure is that of all images together."""
    study, chips = study_and_chips("workload.samples=60")
    chip = program_chip(study, chips["fixed_point"], 0)
    result = evaluate(study, chip, 0)
    exact, run = float_run("digits-vit", 60, 8), chip.session(rng=0)
    logits = load_workload("digits-vit").forward(run, exact.inputs)
    assert_array_equal(result.predictions, logits.argmax(axis=1))
    kl = np.mean(
        [attention_kl(probabilities, run.probabilities[name]) for name, probabilities in exact.probabilities.items()]
    )
    assert result.attention_kl == pytest.approx(kl)
    for block, component, count in run.activity.rows():
        total = {(b, c): n for b, c, n in result.activity.rows()}[block, component]
        assert total == pytest.approx(count), (block, component)


def test_agreement_is_with_the_float_network():
    study, chips = study_and_chips("workload.samples=12", "macro.weight_bits=2")
    result = evaluate(study, program_chip(study, chips["fixed_point"], 0), 0)
    exact = float_result(study)
    assert result.agreement == (result.predictions == exact.predictions).mean() < 1
    assert result.accuracy == (result.predictions == float_run("digits-vit", 12, 8).labels).mean()


class TestProbe:
    def test_no_probe_without_samples(self):
        study, chips = study_and_chips("probe_samples=0")
        recorder = ProbeRecorder()
        probe_chip(study, program_chip(study, chips["all"], 0), recorder)
        assert recorder.signals == {}

    def test_probing_changes_nothing(self):
        study, chips = study_and_chips()
        chip = program_chip(study, chips["all"], 0)
        before = evaluate(study, chip, 0)
        recorder = ProbeRecorder()
        probe_chip(study, chip, recorder)
        assert equal_results(before, evaluate(study, chip, 0))
        again = ProbeRecorder()
        probe_chip(study, program_chip(study, chips["all"], 0), again)
        assert recorder.signals.keys() == again.signals.keys()
        assert all((values == again.signals[name][0]).all() for name, (values, _) in recorder.signals.items())

    def test_signals_of_the_images_asked_for(self):
        study, chips = study_and_chips("probe_samples=2")
        recorder = ProbeRecorder()
        probe_chip(study, program_chip(study, chips["all"], 0), recorder)
        heads, length, rows = 4, 17, 1 << study.softmax.format.bits
        assert recorder.signals["layer1.attention/softmax/match"][0].shape == (2 * heads * length, length, rows)
        assert recorder.signals["layer1.query/adc_code"][0].shape == (6, 2 * length, 64, 3)
        assert recorder.signals["layer1.query/column_current"][1] == "A"


def test_ideal_hardware_with_many_bits_is_the_float_network():
    """Ideal cells, no wires, wide words: every line that is left agrees with the float network within quantisation."""
    fine = [
        "device.preset=ideal",
        "device.stuck={}",
        "macro.input_bits=10",
        "macro.weight_bits=10",
        "macro.cell_bits=1",
        "macro.adc={bits=10, full_scale_from='full'}",
        "softmax.format={integer_bits=6, fraction_bits=4}",
        "softmax.lut_bits=14",
        "softmax.divider_bits=14",
        "softmax.sum_adc.bits=10",
    ]
    study, chips = study_and_chips(*fine)
    results = {name: evaluate(study, program_chip(study, spec, 0), 0) for name, spec in chips.items() if spec}
    assert {name: result.agreement for name, result in results.items()} == dict.fromkeys(results, 1.0)
    exact = results["fixed_point"]
    assert exact.attention_kl < 1e-4
    for name in ("programming", "stuck", "read_noise", "ir_drop"):
        assert equal_results(results[name], exact)
    # A code of the converter is an eighth of a cell; the engine rounds scores to a sixteenth.
    assert results["adc"].attention_kl < 1e-4
    assert results["softmax_bits"].attention_kl < 5e-4
    assert results["all"].attention_kl < 1e-3
    assert sum(results["all"].errors.values()) == 0


def test_coarse_hardware_is_worse_than_fine_hardware():
    coarse = [
        evaluate(*(study, program_chip(study, chips["softmax_bits"], 0)), 0).attention_kl
        for study, chips in (study_and_chips(f"softmax.format.fraction_bits={bits}") for bits in (0, 2, 4))
    ]
    assert coarse == sorted(coarse, reverse=True)
