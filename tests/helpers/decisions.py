"""Decisions of sense amplifiers, counted one by one: signals that ought to lie below a reference, and others above."""

from itertools import pairwise

import numpy as np

__all__ = ["fewest_possible", "wrong_decisions"]


def wrong_decisions(low, high, reference):
    """Low signals that do not lie below the reference, and high ones that do."""
    return int((np.asarray(low) >= reference).sum() + (np.asarray(high) < reference).sum())


def fewest_possible(low, high):
    """The fewest wrong decisions of all references between two neighbouring signals."""
    values = np.unique(np.concatenate([np.ravel(low), np.ravel(high)]))
    return min(wrong_decisions(low, high, (a + b) / 2) for a, b in pairwise(values))
