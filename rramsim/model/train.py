"""Train the embedded digits model anew: ``python -m rramsim.model.train`` (needs the extra ``rramsim[train]``).

The recipe is AdamW with a warm-up and a cosine decay of the rate, label smoothing, and images that are shifted by up to
one pixel and given noise. Its settings come from first trials on another random split of the same digits; they were
confirmed, not searched for, with ``--validate``: seeds 1 and 2 gave 98.7 % and 99.3 % on images set aside from the
training part, a network of half the width 97.7 % and 99.0 %. The held-out images of the split in use decided nothing:
they were scored once, after the last epoch of the model that ships.

The result depends on the seed and on the installed BLAS, whose sums may be ordered in another way elsewhere; on one
machine equal seeds give equal bits.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.errors import SpecError
from rramsim.rng import Streams

from .encoder import Architecture, VisionTransformer, class_logits, parameter_shapes
from .layers import FloatCompute, softmax
from .score import accuracy
from .tasks import digits_task, stratified_split
from .weights import TrainedModel, save_model

__all__ = ["Recipe", "augment", "initial_parameters", "loss", "targets", "train"]

Parameters = dict[str, FloatArray]


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    epochs
        Passes through the training images.
    batch
        Images in a step.
    rate
        Highest learning rate.
    warmup
        Part of all steps during which the rate rises linearly; it falls as a half cosine in the rest.
    decay
        Weight decay of the matrices, per step and unit of rate.
    smoothing
        Probability that the targets take from the true class and spread over all classes.
    noise
        Standard deviation of the Gaussian noise on pixels of range 0 to 1.
    """

    epochs: int = 150
    batch: int = 64
    rate: float = 4e-3
    warmup: float = 0.25
    decay: float = 0.05
    smoothing: float = 0.05
    noise: float = 0.05

    def rate_at(self, progress: float) -> float:
        """Give the learning rate after the share ``progress`` (0 to 1) of all steps."""
        if progress < self.warmup:
            return self.rate * progress / self.warmup
        return self.rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))


def initial_parameters(architecture: Architecture, streams: Streams) -> Parameters:
    """Untrained parameters: matrices of variance 1 / n_in, small positions, gains of one and zeros."""
    parameters = {}
    for name, shape in parameter_shapes(architecture).items():
        if name.endswith(".gain"):
            parameters[name] = np.ones(shape)
        elif len(shape) == 1:
            parameters[name] = np.zeros(shape)
        else:
            scale = 0.1 if name == "positions" else shape[0] ** -0.5
            parameters[name] = scale * streams.generator(name).standard_normal(shape)
    return parameters


def targets(labels: IntArray, classes: int, smoothing: float) -> FloatArray:
    """Give target probabilities (n, classes): ``smoothing`` is taken from the label and shared by all classes."""
    return (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes


def loss(architecture: Architecture, parameters: Mapping[str, Any], images: FloatArray, truth: FloatArray) -> Any:
    """Mean cross-entropy of a batch, nats; differentiable by autograd in ``parameters``.

    Parameters
    ----------
    architecture
        The sizes.
    parameters
        The learned arrays, see :func:`~rramsim.model.encoder.parameter_shapes`.
    images
        Shape (batch, side, side), values about 0 to 1.
    truth
        Target probabilities, shape (batch, classes).
    """
    xp = _autograd().numpy
    compute = FloatCompute(
        {name: parameters[f"{name}.weight"] for name in architecture.matrices},
        # The derivative of a stacked matmul by a single matrix builds one matrix for each image; that of dot does not.
        matmul=lambda x, w: xp.dot(x, w) if w.ndim == 2 else xp.matmul(x, w),
        softmax=lambda x: softmax(x, xp=xp),
    )
    logits: Any = class_logits(architecture, parameters, compute, images, xp=xp)
    centred = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities = centred - xp.log(xp.exp(centred).sum(axis=-1, keepdims=True))
    return -(truth * log_probabilities).sum() / len(images)


def train(
    images: Single,
    labels: IntArray,
    *,
    seed: int,
    recipe: Recipe,
    architecture: Architecture,
    report: Callable[[int, float], None] = lambda epoch, mean_loss: None,  # noqa: ARG005
) -> VisionTransformer:
    """Train a network from scratch.

    Parameters
    ----------
    images
        Shape (n, side, side), values 0 to 1.
    labels
        Class of each image, shape (n,).
    seed
        Seed of the first parameters, of the order of the images, and of their shifts and noise.
    recipe
        How to train.
    architecture
        What to train.
    report
        Called after each epoch with its number, from 1, and the mean loss of its batches in nats.

    Returns
    -------
    The network after the last step, its parameters rounded to single precision, as a file holds them.

    Raises
    ------
    SpecError
        If the package ``autograd`` is not installed.
    """
    value_and_grad = _autograd().value_and_grad(lambda p, x, y: loss(architecture, p, x, y))
    streams = Streams(seed).child("train")
    generator = streams.generator("batches")
    parameters = initial_parameters(architecture, streams.child("initial"))
    optimiser = _AdamW(parameters, recipe.decay)
    truth = targets(labels, architecture.classes, recipe.smoothing)
    starts = range(0, len(images), recipe.batch)
    for epoch in range(recipe.epochs):
        order = generator.permutation(len(images))
        losses = []
        for index, start in enumerate(starts):
            chosen = order[start : start + recipe.batch]
            augmented = augment(images[chosen], recipe.noise, generator)
            with threadpool_limits(limits=1, user_api="blas"):  # more threads would be slower, and order sums anew
                value, gradient = value_and_grad(parameters, augmented, truth[chosen])
            progress = (epoch + (index + 1) / len(starts)) / recipe.epochs
            optimiser.step(parameters, gradient, recipe.rate_at(progress))
            losses.append(float(value))
        report(epoch + 1, float(np.mean(losses)))
    return VisionTransformer(architecture, {name: p.astype(np.float32) for name, p in parameters.items()})


class _AdamW:
    """AdamW with the gradient's norm clipped at 1 (I. Loshchilov, F. Hutter, arXiv:1711.05101).

    Only matrices decay: a decay of biases, gains and shifts would pull the normalisations apart.
    """

    def __init__(self, parameters: Parameters, decay: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self._decay = decay
        self._betas = betas
        self._mean = {name: np.zeros_like(p) for name, p in parameters.items()}
        self._square = {name: np.zeros_like(p) for name, p in parameters.items()}
        self._steps = 0

    def step(self, parameters: Parameters, gradient: Parameters, rate: float) -> None:
        """Replace each array in ``parameters`` by a better one."""
        self._steps += 1
        beta1, beta2 = self._betas
        norm = np.sqrt(sum(float((g * g).sum()) for g in gradient.values()))
        clip = min(1.0, 1 / (norm + 1e-12))
        for name, p in parameters.items():
            g = gradient[name] * clip
            self._mean[name] += (1 - beta1) * (g - self._mean[name])
            self._square[name] += (1 - beta2) * (g * g - self._square[name])
            mean = self._mean[name] / (1 - beta1**self._steps)
            square = self._square[name] / (1 - beta2**self._steps)
            decay = self._decay if name.endswith(".weight") else 0.0
            parameters[name] = p - rate * (mean / (np.sqrt(square) + 1e-8) + decay * p)


def augment(images: Single, noise: float, generator: np.random.Generator) -> FloatArray:
    """Shift each image by -1, 0 or 1 pixel along each side, filling with paper, and add Gaussian noise.

    Parameters
    ----------
    images
        Shape (n, side, side), values 0 to 1.
    noise
        Standard deviation of the noise.
    generator
        Source of the shifts and of the noise.
    """
    batch, side, _ = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    down, right = generator.integers(0, 3, size=(2, batch, 1)) + np.arange(side)
    shifted = padded[np.arange(batch)[:, None, None], down[:, :, None], right[:, None, :]]
    augmented: FloatArray = shifted + noise * generator.standard_normal(images.shape)
    return augmented


def _autograd() -> ModuleType:
    """Import the package ``autograd`` with its NumPy loaded, or say how to get it."""
    try:
        import autograd
        import autograd.numpy
    except ImportError as error:
        raise SpecError('training needs the package autograd: pip install "rramsim[train]"') from error
    module: ModuleType = autograd
    return module


def main(
    epochs: Annotated[int, typer.Option(min=1, help="Passes through the training images.")] = Recipe().epochs,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    out: Annotated[Path, typer.Option(help="File to write; must not exist.")] = Path("digits-vit.npz"),
    validate: Annotated[
        bool, typer.Option("--validate", help="Train on 3/4 of the training images, score on the rest, write nothing.")
    ] = False,
) -> None:
    """Train the digits model, print its accuracy on the held-out images, and write it to a file."""
    if out.exists() and not validate:
        typer.echo(f"{out} is there already; name another file with --out", err=True)
        raise typer.Exit(2)
    if not out.parent.is_dir():
        typer.echo(f"{out.parent} is no directory; name a file in another one with --out", err=True)
        raise typer.Exit(2)
    task, recipe, started = digits_task(), Recipe(epochs=epochs), time.perf_counter()
    learn, score = task.train, task.test
    if validate:
        training, validation = stratified_split(task.train_labels, 1 / 4, Streams(seed).generator("validate"))
        learn, score = task.train[training], task.train[validation]

    def report(epoch: int, mean_loss: float) -> None:
        typer.echo(f"epoch {epoch:3d}  loss {mean_loss:.4f}  {time.perf_counter() - started:5.0f} s")

    try:
        network = train(
            task.images[learn],
            task.labels[learn],
            seed=seed,
            recipe=recipe,
            architecture=Architecture(),
            report=report,
        )
        share = accuracy(network.forward(FloatCompute(network.weights), task.images[score]), task.labels[score])
        typer.echo(f"accuracy {share:.4f} on {len(score)} {'validation' if validate else 'held-out'} images")
        if not validate:
            save_model(out, TrainedModel(network, share, seed, epochs))
    except SpecError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
