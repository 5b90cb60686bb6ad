"""How far the probabilities of a softmax unit are from the exact softmax of the same scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from .score import attention_kl

__all__ = ["Deviation", "compare"]


@dataclass(frozen=True)
class Deviation:
    """How far probabilities are from the exact softmax.

    Parameters
    ----------
    mean_error, max_error
        Absolute error of a probability.
    kl
        Mean KL(exact || hardware), nats.
    agreement
        Share of vectors whose largest probability is at the same place; one of several that are largest will do.
    elements, vectors
        Scores that take part, and vectors in which any does.
    errors
        How often each kind of error happened.
    """

    mean_error: float
    max_error: float
    kl: float
    agreement: float
    elements: int
    vectors: int
    errors: dict[str, int]


def compare(scores: NDArray[np.floating], values: NDArray[np.floating], errors: Mapping[str, int]) -> Deviation:
    """Compare probabilities with the exact softmax of the scores.

    Parameters
    ----------
    scores
        (rows, length), minus infinity where masked; in each row at least one takes part.
    values
        Probabilities of the hardware, of the same shape.
    errors
        What the hardware counted.
    """
    attended = np.isfinite(scores)
    exact = softmax(scores.astype(np.float64), axis=-1)
    probabilities = np.asarray(values, dtype=np.float64)
    error = np.abs(probabilities - exact)[attended]
    # Masked scores are left out, since a divergence would take their zeros for rounded ones.
    kl = [attention_kl(wanted[on], got[on]) for wanted, got, on in zip(exact, probabilities, attended, strict=True)]
    largest = (probabilities == probabilities.max(axis=-1, keepdims=True)) & (probabilities > 0)
    agrees = (largest & (exact == exact.max(axis=-1, keepdims=True))).any(axis=-1)
    return Deviation(
        mean_error=float(error.mean()),
        max_error=float(error.max()),
        kl=float(np.mean(kl)),
        agreement=float(agrees.mean()),
        elements=int(attended.sum()),
        vectors=len(scores),
        errors=dict(errors),
    )
