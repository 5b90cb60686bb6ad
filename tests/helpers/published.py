"""Units of published figures."""

import numpy as np

MICRO = 1e-6
DAY = 86400.0


def micro(values):
    """Figures in microsiemens, as sources have them, in siemens."""
    return np.asarray(list(values), dtype=np.float64) * MICRO
