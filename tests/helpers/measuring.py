"""Synthetic measurements: what a table of a device would hold whose figures are known."""

import numpy as np

import rramsim as rs

LEVELS = np.linspace(5e-6, 40e-6, 6)
WINDOW = {"g_min_siemens": 1e-6, "g_max_siemens": 40e-6}


def table(spec, targets=LEVELS, *, cells=50, cycles=1, times=None, reads=1, seed=0):
    """Columns of reads of cells that are all written to all targets, again and again."""
    streams = rs.Streams(seed)
    shape = (len(targets), cycles, cells)
    target = np.broadcast_to(np.asarray(targets)[:, None, None], shape).reshape(-1, cells)
    cycle = np.broadcast_to(np.arange(cycles)[:, None], shape).reshape(-1, cells)
    cell = np.broadcast_to(np.arange(cells), shape).reshape(-1, cells)
    written = spec.program(target, streams.child("write"), cell_rng=streams.child("cells"))
    columns = {"target_siemens": [], "read_siemens": [], "time_second": [], "cycle": [], "cell": []}
    for k, time in enumerate(times or (spec.settled_second,)):
        for once in range(reads):
            read = written.read(streams.child("read", k, once), time)
            for column, values in zip(columns.values(), (target, read, time, cycle, cell), strict=True):
                column.append(np.broadcast_to(values, target.shape).ravel())
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def csv_text(columns):
    rows = zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"
