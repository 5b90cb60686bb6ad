"""A small vision transformer for square grey images; whatever can be a product on hardware is asked of a ``Compute``.

The network is that of A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, in small: non-overlapping
patches, a class token, learned positions, pre-norm encoder layers, and a linear classifier on the class token. The
rectifier stands in for GELU. The class token has no vector of its own: it would only ever be added to its position.

Biases, normalisations, rectifiers and residual sums are digital and stay here; a ``Compute`` does the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.workload.graph import Elementwise, Graph, Product
from rramsim.workload.transformer import NORMALISATION, encoder_layers

from .layers import Compute, layer_norm, relu

__all__ = ["Architecture", "VisionTransformer", "class_logits", "parameter_shapes"]


@dataclass(frozen=True)
class Architecture:
    """The sizes of a vision transformer.

    Parameters
    ----------
    image
        Side of the square image, pixels.
    patch
        Side of a patch, pixels; divides ``image``.
    width
        Features of a token.
    depth
        Number of encoder layers.
    heads
        Attention heads of a layer; divides ``width``.
    hidden
        Features inside the two-layer perceptron of an encoder layer.
    classes
        Number of classes.

    Raises
    ------
    SpecError
        If a size is not a positive integer, or one that must divide another does not.
    """

    image: int = 8
    patch: int = 2
    width: int = 64
    depth: int = 2
    heads: int = 4
    hidden: int = 128
    classes: int = 10

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if not isinstance(size, int) or size < 1:
                raise SpecError(f"Architecture: {name} must be a positive integer, got {size!r}")
        if self.image % self.patch or self.width % self.heads:
            raise SpecError(
                f"Architecture: patch must divide image and heads must divide width, "
                f"got {self.patch}, {self.image}, {self.heads}, {self.width}"
            )

    @property
    def patches(self) -> int:
        """Patches of an image."""
        return (self.image // self.patch) ** 2

    @property
    def length(self) -> int:
        """Tokens of an image: its patches and the class token."""
        return self.patches + 1

    @property
    def head_width(self) -> int:
        """Features of a token inside one attention head."""
        return self.width // self.heads

    @property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """The static weight matrices in order of use, name -> (n_in, n_out)."""
        shapes = {"embed": (self.patch**2, self.width)}
        for layer in range(self.depth):
            for name in ("query", "key", "value", "output"):
                shapes[f"layer{layer}.{name}"] = (self.width, self.width)
            shapes[f"layer{layer}.expand"] = (self.width, self.hidden)
            shapes[f"layer{layer}.contract"] = (self.hidden, self.width)
        shapes["classify"] = (self.width, self.classes)
        return shapes

    @property
    def elementwise(self) -> tuple[Elementwise, ...]:
        """Digital work for one image: biases, positions, normalisations, rectifiers and residual sums."""
        _, layers = encoder_layers(self.depth, self.width, self.heads, self.hidden, self.length)
        return (
            Elementwise("embed", self.patches * self.width),
            Elementwise("positions", self.length * self.width),
            *layers,
            Elementwise("norm", NORMALISATION * self.width),
            Elementwise("classify", self.classes),
        )

    @property
    def graph(self) -> Graph:
        """What one image takes; the class token alone is classified, once all tokens are there."""
        steps, _ = encoder_layers(self.depth, self.width, self.heads, self.hidden, self.length)
        embed = Product("embed", self.patch**2, self.width, self.patches)
        classify = Product("classify", self.width, self.classes, 1, waits_for_all=True)
        return Graph("vision transformer", self.length, ((embed,), *steps, (classify,)), self.elementwise)


def parameter_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name every learned array and give its shape.

    For each static matrix ``m`` there are ``m.weight`` and ``m.bias``, for each normalisation ``n`` there are
    ``n.gain`` and ``n.shift``; ``positions`` has one row for each token, the class token's first.
    """
    width = architecture.width
    shapes: dict[str, tuple[int, ...]] = {"positions": (architecture.length, width)}
    for name, (n_in, n_out) in architecture.matrices.items():
        shapes[f"{name}.weight"] = (n_in, n_out)
        shapes[f"{name}.bias"] = (n_out,)
    norms = [f"layer{layer}.{name}" for layer in range(architecture.depth) for name in ("norm1", "norm2")]
    for name in (*norms, "norm"):
        shapes[f"{name}.gain"] = (width,)
        shapes[f"{name}.shift"] = (width,)
    return shapes


def class_logits(
    architecture: Architecture,
    parameters: Mapping[str, FloatArray],
    compute: Compute,
    images: FloatArray,
    *,
    xp: Any = np,
) -> FloatArray:
    """Run the forward pass with the arrays of any library; users call :meth:`VisionTransformer.forward` instead.

    Parameters
    ----------
    architecture
        The sizes.
    parameters
        The learned arrays, with names and shapes of :func:`parameter_shapes`.
    compute
        Does the products with static weights, and the attention.
    images
        Shape (batch, image, image), values 0 to 1.
    xp
        The array library that offers ``concatenate`` and ``maximum``: ``numpy``, or ``autograd.numpy`` while training.

    Returns
    -------
    Logits of shape (batch, classes).
    """
    batch, length = len(images), architecture.length
    heads, head_width = architecture.heads, architecture.head_width

    def affine(name: str, x: FloatArray) -> FloatArray:
        return compute.matmul(name, x) + parameters[f"{name}.bias"]

    def norm(name: str, x: FloatArray) -> FloatArray:
        return layer_norm(x, parameters[f"{name}.gain"], parameters[f"{name}.shift"])

    def split_heads(x: FloatArray) -> FloatArray:
        return x.reshape(batch, length, heads, head_width).swapaxes(1, 2)

    tokens = affine("embed", _patches(images, architecture.patch))
    class_token = np.zeros((batch, 1, architecture.width), dtype=images.dtype)
    x = xp.concatenate((class_token, tokens), axis=1) + parameters["positions"]
    for layer in (f"layer{index}" for index in range(architecture.depth)):
        y = norm(f"{layer}.norm1", x)
        query = split_heads(affine(f"{layer}.query", y)) * head_width**-0.5
        key = split_heads(affine(f"{layer}.key", y))
        value = split_heads(affine(f"{layer}.value", y))
        context = compute.attention(f"{layer}.attention", query, key, value)
        x = x + affine(f"{layer}.output", context.swapaxes(1, 2).reshape(batch, length, architecture.width))
        y = norm(f"{layer}.norm2", x)
        x = x + affine(f"{layer}.contract", relu(affine(f"{layer}.expand", y), xp=xp))
    return affine("classify", norm("norm", x[:, 0]))


def _patches(images: FloatArray, patch: int) -> FloatArray:
    """Cut images (batch, n, n) into rows of pixels (batch, (n / patch)^2, patch^2), left to right, top to bottom."""
    batch, side, _ = images.shape
    count = side // patch
    return images.reshape(batch, count, patch, count, patch).transpose(0, 1, 3, 2, 4).reshape(batch, count**2, patch**2)


@dataclass(frozen=True, eq=False)
class VisionTransformer:
    """A vision transformer: its sizes and its learned arrays.

    Parameters
    ----------
    architecture
        The sizes.
    parameters
        The learned arrays, with names and shapes of :func:`parameter_shapes`; kept as read-only copies in double
        precision.

    Raises
    ------
    SpecError
        If an array is missing, unknown, of the wrong shape, or not finite.
    """

    architecture: Architecture
    parameters: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        shapes = parameter_shapes(self.architecture)
        given = {name: np.array(array, dtype=np.float64) for name, array in self.parameters.items()}
        if wrong := sorted(shapes.keys() ^ given.keys()):
            raise SpecError(f"VisionTransformer: missing or unknown parameters {', '.join(wrong)}")
        for name, array in given.items():
            if array.shape != shapes[name]:
                raise SpecError(f"VisionTransformer: {name} has shape {array.shape}, must be {shapes[name]}")
            if not np.isfinite(array).all():
                raise SpecError(f"VisionTransformer: {name} holds values that are not finite")
            array.flags.writeable = False
        object.__setattr__(self, "parameters", given)

    @property
    def weights(self) -> dict[str, FloatArray]:
        """The static weight matrices by the name that a ``Compute`` is asked for, each (n_in, n_out)."""
        return {name: self.parameters[f"{name}.weight"] for name in self.architecture.matrices}

    @property
    def graph(self) -> Graph:
        """What one image takes, as its architecture states it."""
        return self.architecture.graph

    def forward(self, compute: Compute, images: ArrayLike) -> FloatArray:
        """Classify images, with every large product done by ``compute``.

        Parameters
        ----------
        compute
            Hardware, or ``FloatCompute(self.weights)`` for the exact answer.
        images
            Shape (batch, image, image), values 0 to 1.

        Returns
        -------
        Logits of shape (batch, classes), double precision.

        Raises
        ------
        SpecError
            If the images have another shape.
        """
        pixels = np.asarray(images, dtype=np.float64)
        side = self.architecture.image
        if pixels.ndim != 3 or pixels.shape[1:] != (side, side):
            raise SpecError(f"images must have shape (batch, {side}, {side}), got {pixels.shape}")
        return class_logits(self.architecture, self.parameters, compute, pixels)
