"""One point: write a chip, run the network on it, and compare with the float network."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rramsim.activity import Activity
from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.engine.attention import AttentionRanges
from rramsim.engine.chip import ChipSpec, ProgrammedChip
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.mapping import spans
from rramsim.model.encoder import VisionTransformer
from rramsim.model.layers import FloatCompute, RecordedAttention, RecordingCompute
from rramsim.model.score import accuracy, agreement, attention_kl
from rramsim.model.tasks import digits_task
from rramsim.model.weights import load_model
from rramsim.probe import Probe
from rramsim.rng import Streams

from .spec import StudySpec

__all__ = ["PointResult", "evaluate", "float_result", "network", "probe_chip", "program_chip"]


_BATCH = 50
"""Images that are run side by side. Fixed: read noise is drawn by batch, so it is part of what a seed means."""


@dataclass(frozen=True)
class FloatRun:
    """What the float network says of the images of a study, and what it saw of the calibration images."""

    images: Single
    labels: IntArray
    logits: FloatArray
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
        Share of images named rightly, and named as the float network names them.
    attention_kl
        Mean KL divergence of the attention probabilities from those of the float network, nats.
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


@lru_cache(maxsize=1)
def network() -> VisionTransformer:
    """The network of the embedded workload."""
    return load_model().network


@lru_cache(maxsize=2)
def float_run(samples: int, calibration_samples: int) -> FloatRun:
    """Run the float network, once per process."""
    task, net = digits_task(), network()
    images = task.test_images[:samples]
    recording = RecordingCompute(FloatCompute(net.weights))
    logits = net.forward(recording, images)
    calibration = RecordingCompute(FloatCompute(net.weights))
    net.forward(calibration, task.train_images[:calibration_samples])
    probabilities = {name: recorded.probabilities for name, recorded in recording.attentions.items()}
    return FloatRun(
        images, task.test_labels[:samples], logits, probabilities, calibration.inputs, calibration.attentions
    )


def _float_run(study: StudySpec) -> FloatRun:
    return float_run(study.workload.samples, study.workload.calibration_samples)


@lru_cache(maxsize=4)
def _ranges(
    chip: ChipSpec, samples: int, calibration_samples: int
) -> tuple[dict[str, MacroRanges], dict[str, AttentionRanges]]:
    """Full scales of every matrix and every attention, from the calibration images."""
    exact = float_run(samples, calibration_samples)
    ranges = {}
    for name, matrix in network().weights.items():
        inputs = exact.calibration_inputs[name]
        ranges[name] = chip.macro.calibrate(matrix, inputs.reshape(-1, inputs.shape[-1]))
    attention = {name: chip.attention.calibrate(*recorded) for name, recorded in exact.calibration_attentions.items()}
    return ranges, attention


def program_chip(study: StudySpec, chip: ChipSpec, trial: int) -> ProgrammedChip:
    """Find the full scales from the calibration images, and write the network."""
    ranges, attention = _ranges(chip, study.workload.samples, study.workload.calibration_samples)
    return chip.program(network().weights, ranges, attention, rng=_streams(study, trial).child("programming"))


def _streams(study: StudySpec, trial: int) -> Streams:
    return Streams(study.seed).child("trial", trial)


def float_result(study: StudySpec) -> PointResult:
    """What the float network itself does."""
    exact = _float_run(study)
    return PointResult(exact.logits.argmax(axis=1), accuracy(exact.logits, exact.labels), 1.0, 0.0, Activity(), {})


def evaluate(study: StudySpec, chip: ProgrammedChip, trial: int) -> PointResult:
    """Classify the study's images with a written chip, and compare with the float network."""
    exact = _float_run(study)
    streams = _streams(study, trial).child("reads")
    logits, divergence = [], 0.0
    activity, errors = Activity(), chip.write_errors
    for number, batch in enumerate(spans(len(exact.images), _BATCH)):
        run = chip.session(rng=streams.child("batch", number))
        logits.append(network().forward(run, exact.images[batch]))
        for name, probabilities in exact.probabilities.items():
            part = attention_kl(probabilities[batch], run.probabilities[name])
            divergence += part * (batch.stop - batch.start) / (len(exact.images) * len(exact.probabilities))
        activity += run.activity
        errors.update(run.errors)
    joined = np.concatenate(logits)
    return PointResult(
        predictions=joined.argmax(axis=1),
        accuracy=accuracy(joined, exact.labels),
        agreement=agreement(joined, exact.logits),
        attention_kl=divergence,
        activity=activity,
        errors=dict(errors),
    )


def probe_chip(study: StudySpec, chip: ProgrammedChip, probe: Probe) -> None:
    """Run the first images on a chip of trial 0 once more, offering its inner signals to the probe."""
    if study.probe_samples:
        run = chip.session(probe=probe, rng=_streams(study, 0).child("probe"))
        network().forward(run, _float_run(study).images[: study.probe_samples])
