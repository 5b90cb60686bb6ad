"""The pieces of a transformer in pure NumPy, and the point where hardware takes over its products.

A network never multiplies by its weights itself: it asks a :class:`Compute`. :class:`FloatCompute` answers with NumPy,
a hardware model answers with its crossbars, and :class:`RecordingCompute` listens to either of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray

__all__ = [
    "Compute",
    "FloatCompute",
    "RecordedAttention",
    "RecordingCompute",
    "layer_norm",
    "relu",
    "softmax",
]

Precision = TypeVar("Precision", bound=np.floating[Any])
"""Single or double precision, which stays as it is."""


def layer_norm(x: FloatArray, gain: FloatArray, shift: FloatArray, epsilon: float = 1e-5) -> FloatArray:
    """Normalise each row, that is the last axis.

    Parameters
    ----------
    x
        Activations, shape (..., n).
    gain, shift
        The learned scale and offset, shape (n,).
    epsilon
        Added to the variance, so that a constant row gives ``shift`` and no division by zero.

    Returns
    -------
    Array of shape (..., n): each row has mean 0 and variance 1 before ``gain`` and ``shift``.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", arXiv:1607.06450 (2016).
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    normalised: FloatArray = centred * (variance + epsilon) ** -0.5 * gain + shift
    return normalised


def softmax(x: NDArray[Precision], *, xp: Any = np) -> NDArray[Precision]:
    """Take the softmax over the last axis, free of overflow: the row's maximum is subtracted first.

    Parameters
    ----------
    x
        Scores, shape (..., n), dimensionless (natural exponent).
    xp
        The array library that offers ``exp``: ``numpy``, or ``autograd.numpy`` while training.

    Returns
    -------
    Probabilities of shape (..., n), in the precision of the scores; each row sums to 1.
    """
    exponentials = xp.exp(x - x.max(axis=-1, keepdims=True))
    probabilities: NDArray[Precision] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def relu(x: FloatArray, *, xp: Any = np) -> FloatArray:
    """Rectify each element, ``max(x, 0)``; ``xp`` is the array library, as in :func:`softmax`."""
    rectified: FloatArray = xp.maximum(x, 0.0)
    return rectified


class Compute(Protocol):
    """What a network needs done for it; hardware and NumPy both offer it."""

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Multiply ``x`` of shape (..., n_in) by the static weights called ``name``, giving (..., n_out), no bias."""

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:
        """Attend: ``softmax(query @ key.T) @ value`` for each head of the attention called ``name``.

        All three have shape (batch, heads, length, d_head), and so has the context that is returned; ``query`` was
        already divided by ``sqrt(d_head)``.
        """


Product = Callable[[FloatArray, FloatArray], FloatArray]
"""A matrix product with the shapes of ``numpy.matmul``."""

Softmax = Callable[[FloatArray], FloatArray]
"""A softmax over the last axis."""


class FloatCompute:
    """Answer a network with plain arrays; both the product and the softmax can be replaced.

    Parameters
    ----------
    weights
        The static weight matrices by name, each (n_in, n_out).
    matmul
        Does every product: with the weights, and both products of an attention.
    softmax
        Turns scores (batch, heads, length, length) into probabilities.
    """

    def __init__(
        self, weights: Mapping[str, FloatArray], *, matmul: Product = np.matmul, softmax: Softmax = softmax
    ) -> None:
        self._weights = weights
        self._matmul = matmul
        self._softmax = softmax

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Multiply by the weights called ``name``, see :meth:`Compute.matmul`."""
        return self._matmul(x, self._weights[name])

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:  # noqa: ARG002
        """Attend, see :meth:`Compute.attention`; the name makes no difference here."""
        scores = self._matmul(query, key.swapaxes(-1, -2))
        return self._matmul(self._softmax(scores), value)


class RecordedAttention(NamedTuple):
    """What one attention was given, and what its softmax makes of it.

    ``query``, ``key`` and ``value`` have shape (batch, heads, length, d_head); ``query`` was divided by
    ``sqrt(d_head)``. ``probabilities`` has shape (batch, heads, length, length), the last axis running over the keys.
    """

    query: FloatArray
    key: FloatArray
    value: FloatArray
    probabilities: FloatArray


class RecordingCompute:
    """Pass everything on to another compute, and record what goes through.

    Repeated calls under one name are joined along the first axis, so a network may be run in batches.

    Parameters
    ----------
    inner
        The compute that does the work.
    softmax
        Gives the recorded probabilities from the recorded query and key: an exact one unless told otherwise. It has no
        part in what ``inner`` computes.

    Attributes
    ----------
    inputs
        What was multiplied by each static weight matrix, name -> (batch, ..., n_in). Converters are ranged by it.
    attentions
        What went into each attention, name -> :class:`RecordedAttention`.
    """

    def __init__(self, inner: Compute, *, softmax: Softmax = softmax) -> None:
        self._inner = inner
        self._softmax = softmax
        self.inputs: dict[str, FloatArray] = {}
        self.attentions: dict[str, RecordedAttention] = {}

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Record ``x`` and pass it on, see :meth:`Compute.matmul`."""
        self.inputs[name] = np.concatenate((self.inputs[name], x)) if name in self.inputs else x.copy()
        return self._inner.matmul(name, x)

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:
        """Record everything and pass it on, see :meth:`Compute.attention`."""
        probabilities = self._softmax(np.matmul(query, key.swapaxes(-1, -2)))
        attention = RecordedAttention(query.copy(), key.copy(), value.copy(), probabilities)
        if name in self.attentions:
            earlier = self.attentions[name]
            attention = RecordedAttention(*(np.concatenate(pair) for pair in zip(earlier, attention, strict=True)))
        self.attentions[name] = attention
        return self._inner.attention(name, query, key, value)
