"""Memory, compilation and threads of the exact network solver: what needs no peer."""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from network_cases import WIRES, Effort
from timing import in_turns, progress

from rramsim.array.network import transconductances

__all__ = ["jit_table", "memory_table", "threads_table"]

_PRELUDE = """
import sys, time
start = time.perf_counter(), time.process_time()
import numpy as np, rramsim as rs
from rramsim.threads import limit_threads
def array(n):
    rng = np.random.default_rng(n)
    return np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), (n, n))), rng.uniform(0.0, 0.2, n)
wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, end_segments=True)
calls = {
    "one vector": lambda g, v: rs.Network(g, wires).currents(v),
    "transconductance matrix": lambda g, v: rs.Network(g, wires).transconductance(),
    "one vector, sinh cells": lambda g, v: rs.Network(
        g, wires, conduction=rs.SinhConductionSpec(sinh_volt=0.1)
    ).currents(v),
}
"""
_MEMORY = """
# Linux: getrusage would count the memory of the process that started this one, and what loading the kernels took.
def mebibytes(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key)) / 1024
call = calls[sys.argv[1]]
with limit_threads(1):
    call(*array(64))
    g, v = array(int(sys.argv[2]))
    before = mebibytes("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")
    call(g, v)
print(before, mebibytes("VmHWM"))
"""
_COLD = """
g, v = array(64)
print(time.perf_counter() - start[0], time.process_time() - start[1])
for call in calls.values():
    start = time.perf_counter(), time.process_time()
    call(g, v)
    print(time.perf_counter() - start[0], time.process_time() - start[1])
"""


def run_script(body: str, *arguments: str, **environment: str) -> list[list[float]]:
    """Run it in a process of its own; returns the numbers of the lines that it prints."""
    command = [sys.executable, "-c", _PRELUDE + body, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


def memory_table(size: int = 1024) -> tuple[list[str], list[list[str]]]:
    """Peak resident memory, each in a process of its own (on Linux)."""
    rows = []
    for what in ("one vector", "transconductance matrix"):
        progress(f"memory: {what}, {size} x {size}")
        before, peak = run_script(_MEMORY, what, str(size))[0]
        rows.append([f"{size} x {size}", what, f"{peak:.0f}", f"{peak - before:.0f}", f"{size * size * 8 / 2**20:.0f}"])
    return ["cells", "call", "peak, MiB", "of which the call, MiB", "conductances, MiB"], rows


def jit_table() -> tuple[list[str], list[list[str]]]:
    """Seconds of a first run, which compiles, and of the next, which loads what was compiled."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for what in ("first run", "second run"):
            progress(f"compilation: {what}")
            runs.append(run_script(_COLD, NUMBA_CACHE_DIR=folder))
    steps = ("import rramsim", "one vector, with what it imports", "transconductance matrix", "one vector, sinh cells")
    rows = [[step, *(f"{seconds:.2f}" for run in runs for seconds in run[k])] for k, step in enumerate(steps)]
    totals = [f"{sum(step[kind] for step in run):.2f}" for run in runs for kind in (0, 1)]
    headings = ["64 x 64 cells", "first run, s", "CPU s", "second run, s", "CPU s"]
    return headings, [*rows, ["all", *totals]]


def threads_table(effort: Effort) -> tuple[list[str], list[list[str]]]:
    """Wall time of many arrays, and of one large array, on one thread and on two."""
    shapes = ((256, 64, 64), (64, 128, 128), (1, 256, 256), (1, 512, 512))
    rows = []
    for shape in shapes:
        progress("threads: {} arrays of {} x {}".format(*shape))
        g = np.exp(np.random.default_rng(shape).uniform(np.log(1e-6), np.log(1e-4), shape))
        methods = {str(n): lambda n=n, g=g: transconductances(g, WIRES, threads=n) for n in (1, 2)}
        timed = in_turns(methods, rounds=effort.rounds, budget=effort.budget, clock=time.perf_counter)
        one, two = (timed[n].seconds for n in ("1", "2"))
        equal_bits = "yes" if np.array_equal(timed["1"].result, timed["2"].result) else "NO"
        rows.append(
            ["{} of {} x {}".format(*shape), f"{1e3 * one:.4g}", f"{1e3 * two:.4g}", f"{one / two:.2f}", equal_bits]
        )
    return ["arrays", "1 thread, wall ms", "2 threads, wall ms", "faster by", "same bits"], rows
