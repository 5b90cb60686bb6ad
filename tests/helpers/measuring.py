"""Synthetic measurements: what a table of a device would hold whose figures are known, and what a fit says of it."""

import numpy as np

import rramsim as rs
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.retention import DriftSpec
from rramsim.cell.spread import GaussianSpreadSpec

LEVELS = np.linspace(5e-6, 40e-6, 6)
WINDOW = {"g_min_siemens": 1e-6, "g_max_siemens": 40e-6}
MIDDLE = 22.5e-6
"""Half-way between the lowest level and the highest, siemens: where a fit states its curves."""

TIMES = (1.0, 10.0, 100.0, 1e3, 1e4)

EVERYTHING = DeviceSpec(
    **WINDOW,
    programming=GaussianSpreadSpec(spread_siemens=(0.3e-6, 1e-6)),
    device_to_device=GaussianSpreadSpec(spread_siemens=0.7e-6, shift_siemens=0.5e-6),
    drift=DriftSpec(exponent=0.03, exponent_spread=0.01),
    read_noise=ReadNoiseSpec(relative_deviation=0.01),
)
"""Programming, cells that differ, drift and noise at once."""

LEFT_OUT = " (not significant, left out)"
"""What a fit adds to the name of such an estimate."""


def gaussian(**fields):
    """A device with a spread of 1 uS and further parts."""
    return DeviceSpec(**WINDOW, programming=GaussianSpreadSpec(spread_siemens=1e-6), **fields)


def table(spec, targets=LEVELS, *, cells=50, cycles=1, times=None, reads=1, seed=0):
    """Columns of reads of cells that are all written to all targets, again and again."""
    streams = rs.Streams(seed)
    shape = (len(targets), cycles, cells)
    target = np.broadcast_to(np.asarray(targets)[:, None, None], shape).reshape(-1, cells)
    cycle = np.broadcast_to(np.arange(cycles)[:, None], shape).reshape(-1, cells)
    cell = np.broadcast_to(np.arange(cells), shape).reshape(-1, cells)
    written = spec.program(target, cell_rng=streams.child("cells"), rng=streams.child("write"))
    columns = {"target_siemens": [], "read_siemens": [], "time_second": [], "cycle": [], "cell": []}
    for k, time in enumerate(times or (spec.settled_second,)):
        for once in range(reads):
            read = written.read(time_second=time, rng=streams.child("read", k, once))
            for column, values in zip(columns.values(), (target, read, time, cycle, cell), strict=True):
                column.append(np.broadcast_to(values, target.shape).ravel())
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def csv_text(columns):
    rows = zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


def estimates(fit):
    """The estimates of a fit by what they are, significant or not."""
    return {each.what.removesuffix(LEFT_OUT): each for each in fit.estimates}


def goodness(fit):
    """How well it fits: the value of each figure by its name."""
    return {each.what: each.value for each in fit.goodness}


def deviations(fit, truth):
    """How many standard errors each estimate is off."""
    fitted = estimates(fit)
    return {what: (fitted[what].value - value) / fitted[what].error for what, value in truth.items()}
