"""Types of arrays, by what they hold."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "FloatArray", "IntArray", "Single"]

FloatArray = NDArray[np.float64]
"""Quantities in SI, and pure numbers."""
Single = NDArray[np.float32]
"""The same in single precision, where half of the memory is worth more than the last digits."""
IntArray = NDArray[np.int64]
"""Codes and words."""
BoolArray = NDArray[np.bool_]
"""Masks, matches and digits of one bit."""
