"""Scores as every softmax unit takes them: shapes, types and masks."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import BoolArray
from rramsim.errors import SpecError

__all__ = ["checked_scores", "not_finite", "taking_part"]


def checked_scores(scores: ArrayLike, mask: ArrayLike | None) -> tuple[NDArray[np.floating], BoolArray]:
    """Scores (..., length) in single or double precision, C-contiguous, and which of them take part.

    Parameters
    ----------
    scores
        Numbers, (..., length).
    mask
        bool, in any shape that is broadcast to that of the scores; None: all take part.

    Returns
    -------
    tuple
        The scores, float32 if they were and float64 otherwise; and bool in their shape, or of size 0 without a mask.

    Raises
    ------
    SpecError
        For another shape or type.
    """
    try:
        x = np.asarray(scores)
    except ValueError:
        raise SpecError("softmax: scores are an array of shape (..., length); got lists of unequal length") from None
    if x.dtype.kind not in "fiu" or x.ndim == 0 or x.shape[-1] == 0:
        raise SpecError(f"softmax: scores are numbers of shape (..., length); got {x.dtype} of shape {x.shape}")
    x = np.ascontiguousarray(x, dtype=np.float32 if x.dtype == np.float32 else np.float64)
    if mask is None:
        return x, np.empty(0, np.bool_)
    given = np.asarray(mask)
    try:
        unmasked = np.broadcast_to(given, x.shape)
    except ValueError:
        unmasked = None
    if unmasked is None or given.dtype != np.bool_:
        raise SpecError(
            f"softmax: a mask is bool, True where a score takes part, in a shape that is broadcast to {x.shape}; got "
            f"{given.dtype} of shape {given.shape}"
        )
    return x, np.ascontiguousarray(unmasked)


def not_finite(bad: int, total: int) -> SpecError:
    """What to raise for so many scores that are nan or plus infinity."""
    return SpecError(
        f"softmax: {bad} of {total} scores are nan or plus infinity; a score is a finite number, or minus infinity "
        "where it takes no part"
    )


def taking_part(x: NDArray[np.floating], unmasked: BoolArray) -> BoolArray:
    """Which scores take part, in their shape: those of the mask, but for minus infinity.

    Parameters
    ----------
    x, unmasked
        From :func:`checked_scores`.

    Raises
    ------
    SpecError
        For any of them that is nan or plus infinity.
    """
    alive = np.asarray(x != -np.inf)
    if unmasked.size:
        alive &= unmasked
    bad = int((alive & ~(x < np.inf)).sum())
    if bad:
        raise not_finite(bad, x.size)
    return alive
