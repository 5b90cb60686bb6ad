"""How well a network did, and how far it strayed from its exact self."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError

__all__ = ["accuracy", "agreement", "attention_kl", "confidence_interval"]


def accuracy(logits: FloatArray, labels: NDArray[np.integer]) -> float:
    """Give the share of images classified right, 0 to 1.

    Parameters
    ----------
    logits
        Shape (n, classes).
    labels
        True classes, shape (n,).

    Raises
    ------
    SpecError
        If there are no images, or another number of labels.
    """
    if len(logits) == 0 or np.shape(labels) != (len(logits),):
        raise SpecError(f"accuracy needs one label for each of at least one image, got {len(logits)}, {len(labels)}")
    return float(np.mean(logits.argmax(axis=-1) == labels))


def agreement(logits: FloatArray, reference_logits: FloatArray) -> float:
    """Give the share of images for which both networks name the same class, 0 to 1, right or wrong.

    Parameters
    ----------
    logits, reference_logits
        Both of shape (n, classes).

    Raises
    ------
    SpecError
        If the shapes differ or there are no images.
    """
    if np.shape(logits) != np.shape(reference_logits):
        raise SpecError(f"logits must have equal shapes, got {np.shape(logits)} and {np.shape(reference_logits)}")
    return accuracy(logits, reference_logits.argmax(axis=-1))


def attention_kl(reference: FloatArray, probabilities: FloatArray, floor: float = 2**-16) -> float:
    """Tell how much the attention of hardware differs from the exact one: mean KL(reference || probabilities), nats.

    The mean is over all rows. Hardware rounds small probabilities to zero, which would make the divergence infinite:
    ``probabilities`` are raised to ``floor`` and each row divided by its sum, first. That counts equally for a row that
    does not sum to 1, so a wrong common factor of a row is not seen. Terms where ``reference`` is 0 count nothing.

    Parameters
    ----------
    reference
        Exact probabilities, shape (..., n), each row summing to 1.
    probabilities
        Probabilities of the hardware, in that shape, not negative beyond rounding.
    floor
        Least probability that is told apart from none, above 0.

    Returns
    -------
    Nats, at least 0; exactly 0 where the raised probabilities equal ``reference``.

    Raises
    ------
    SpecError
        If the shapes differ, there is no row, or ``floor`` is not positive.
    """
    if np.shape(reference) != np.shape(probabilities) or np.size(reference) == 0:
        raise SpecError(
            f"attention_kl needs two arrays of one shape, got {np.shape(reference)} and {np.shape(probabilities)}"
        )
    if not floor > 0:
        raise SpecError(f"floor must be above 0, got {floor}")
    raised = np.maximum(probabilities, floor)
    raised = raised / raised.sum(axis=-1, keepdims=True)
    ratio = np.divide(reference, raised, out=np.ones_like(raised), where=reference > 0)
    # Rounding can leave a sum that is negative by an ulp or so; a divergence never is.
    return max(0.0, float(np.mean((reference * np.log(ratio)).sum(axis=-1))))


def confidence_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Give the mean of repeated trials and Student's confidence interval of it, for shares between 0 and 1.

    Parameters
    ----------
    values
        One share for each independent trial, shape (n,), each 0 to 1.
    level
        Chance that the interval holds the true mean, above 0 and below 1.

    Returns
    -------
    (mean, low, high); both ends are clipped to 0 to 1, and are NaN for a single trial, which says nothing about spread.

    Raises
    ------
    SpecError
        If there is no trial, or ``level`` is out of range.
    """
    trials = np.asarray(values, dtype=np.float64)
    if trials.ndim != 1 or trials.size == 0:
        raise SpecError(f"confidence_interval needs one value for each of at least one trial, got shape {trials.shape}")
    if not 0 < level < 1:
        raise SpecError(f"level must be above 0 and below 1, got {level}")
    mean = float(trials.mean())
    if trials.size == 1:
        return mean, np.nan, np.nan
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, trials.size - 1) * trials.std(ddof=1) / np.sqrt(trials.size))
    return mean, max(0.0, mean - half), min(1.0, mean + half)
