"""One point: write a chip, run the network on it, and compare with the float network."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramsim.activity import Activity
from rramsim.arrays import BoolArray, FloatArray, IntArray
from rramsim.engine.attention import AttentionRanges
from rramsim.engine.chip import ChipSpec, ProgrammedChip
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.mapping import spans
from rramsim.errors import SpecError
from rramsim.model.layers import FloatCompute, RecordedAttention, RecordingCompute
from rramsim.model.score import attention_kl
from rramsim.model.workloads import load_workload
from rramsim.probe import Probe
from rramsim.rng import Streams

from .spec import StudySpec

__all__ = ["PointResult", "evaluate", "float_result", "probe_chip", "program_chip"]


_BATCH = 50
"""Inputs that are run side by side. Fixed: read noise is drawn by batch, so it is part of what a seed means."""


@dataclass(frozen=True)
class FloatRun:
    """What the float network says of the inputs of a study, and what it saw of the calibration inputs."""

    inputs: NDArray[Any]
    labels: IntArray
    classes: IntArray
    probabilities: dict[str, FloatArray]
    calibration_inputs: dict[str, FloatArray]
    calibration_attentions: dict[str, RecordedAttention]


@dataclass(frozen=True)
class PointResult:
    """What one chip did.

    Parameters
    ----------
    predictions
        Classes named, (samples,).
    accuracy, agreement
        Share of inputs named rightly, and named as the float network names them.
    attention_kl
        Mean KL divergence of the attention probabilities from those of the float network, nats; nan for a network
        without attention.
    activity
        What the chip did for all samples together.
    errors
        How often each kind of error happened.
    """

    predictions: IntArray
    accuracy: float
    agreement: float
    attention_kl: float
    activity: Activity
    errors: dict[str, int]


@lru_cache(maxsize=2)
def float_run(name: str, samples: int, calibration_samples: int) -> FloatRun:
    """Run the float network of a workload, once per process."""
    workload = load_workload(name)
    inputs = workload.inputs[:samples]
    recording = RecordingCompute(FloatCompute(workload.weights))
    outputs = workload.forward(recording, inputs)
    calibration = RecordingCompute(FloatCompute(workload.weights))
    workload.forward(calibration, workload.calibration_inputs[:calibration_samples])
    probabilities = {name: recorded.probabilities for name, recorded in recording.attentions.items()}
    return FloatRun(
        inputs,
        workload.checked_labels(samples),
        workload.classes(outputs, samples),
        probabilities,
        calibration.inputs,
        calibration.attentions,
    )


def _float_run(study: StudySpec) -> FloatRun:
    return float_run(*_what(study))


def _what(study: StudySpec) -> tuple[str, int, int]:
    """What a float run depends on."""
    return study.workload.name, study.workload.samples, study.workload.calibration_samples


@lru_cache(maxsize=4)
def _ranges(
    chip: ChipSpec, name: str, samples: int, calibration_samples: int
) -> tuple[dict[str, MacroRanges], dict[str, AttentionRanges]]:
    """Full scales of every matrix and every attention, from the calibration inputs."""
    exact = float_run(name, samples, calibration_samples)
    ranges = {}
    for matrix_name, matrix in load_workload(name).weights.items():
        inputs = _used(exact.calibration_inputs, matrix_name, name)
        ranges[matrix_name] = chip.macro.calibrate(matrix, inputs.reshape(-1, inputs.shape[-1]))
    attention = {each: chip.attention.calibrate(*recorded) for each, recorded in exact.calibration_attentions.items()}
    return ranges, attention


def _used(inputs: dict[str, FloatArray], matrix: str, workload: str) -> FloatArray:
    if matrix not in inputs:
        raise SpecError(
            f"the workload {workload!r} has weights {matrix!r} that its network never multiplies by; it asks for "
            f"{', '.join(inputs) or 'none'}"
        )
    return inputs[matrix]


def program_chip(study: StudySpec, chip: ChipSpec, trial: int) -> ProgrammedChip:
    """Find the full scales from the calibration inputs, and write the network."""
    ranges, attention = _ranges(chip, *_what(study))
    weights = load_workload(study.workload.name).weights
    return chip.program(weights, ranges, attention, rng=_streams(study, trial).child("programming"))


def _streams(study: StudySpec, trial: int) -> Streams:
    return Streams(study.seed).child("trial", trial)


def float_result(study: StudySpec) -> PointResult:
    """What the float network itself does."""
    exact = _float_run(study)
    divergence = 0.0 if exact.probabilities else np.nan
    return PointResult(exact.classes, _share(exact.classes == exact.labels), 1.0, divergence, Activity(), {})


def _share(right: BoolArray) -> float:
    return float(np.mean(right))


def evaluate(study: StudySpec, chip: ProgrammedChip, trial: int) -> PointResult:
    """Run the study's inputs on a written chip, and compare with the float network."""
    exact, workload = _float_run(study), load_workload(study.workload.name)
    streams = _streams(study, trial).child("reads")
    outputs, divergence = [], 0.0 if exact.probabilities else np.nan
    activity, errors = Activity(), Counter(chip.write_errors)
    for number, batch in enumerate(spans(len(exact.inputs), _BATCH)):
        run = chip.session(rng=streams.child("batch", number))
        outputs.append(workload.forward(run, exact.inputs[batch]))
        for name, probabilities in exact.probabilities.items():
            part = attention_kl(probabilities[batch], run.probabilities[name])
            divergence += part * (batch.stop - batch.start) / (len(exact.inputs) * len(exact.probabilities))
        activity += run.activity
        errors.update(run.errors)
    classes = workload.classes(np.concatenate(outputs), len(exact.inputs))
    return PointResult(
        predictions=classes,
        accuracy=_share(classes == exact.labels),
        agreement=_share(classes == exact.classes),
        attention_kl=divergence,
        activity=activity,
        errors=dict(errors),
    )


def probe_chip(study: StudySpec, chip: ProgrammedChip, probe: Probe) -> None:
    """Run the first inputs on a chip of trial 0 once more, offering its inner signals to the probe."""
    if study.probe_samples:
        run = chip.session(probe=probe, rng=_streams(study, 0).child("probe"))
        load_workload(study.workload.name).forward(run, _float_run(study).inputs[: study.probe_samples])
