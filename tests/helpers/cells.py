"""Many cells of one device, all written to one conductance; and how far a mean over them is off."""

import numpy as np

from rramsim.cell.device import DeviceSpec

N = 40000
TARGET = 5e-5


def cells(g=TARGET, n=N, seed=1, **parts):
    """Cells of the device with these parts, written to ``g`` siemens."""
    return DeviceSpec(**parts).program(np.full(n, g), rng=seed)


def z_of_mean(values, expected):
    """Standard score of the mean, by the spread of the values themselves."""
    return (values.mean() - expected) / (values.std() / np.sqrt(values.size))
