"""How fast the exact network solver is beside other ways to the same currents: ``python tests/benchmarks/network.py``.

Tables in Markdown go to the standard output, progress to the standard error. The exit status is 1 where a result of
rramsim is off by more than 1e-9 (float32: 1e-4).
"""

import os

if __name__ == "__main__":
    # Before numpy loads its BLAS: one thread, and the kernels that OpenBLAS chooses for this processor by itself.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"
    for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(_name, None)

import argparse
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peers
from timing import Timed, in_turns, progress

import rramsim as rs
from rramsim.array.network import transconductances
from rramsim.threads import limit_threads

OHM = 1.0
"""Of a segment of any line; one more lies before the first cell of a word line and after the last of a bit line."""
WIRES = rs.WireSpec(word_line_ohm=OHM, bit_line_ohm=OHM, end_segments=True)
BATCHES = (1024, 16384)
TOLERANCES = ("1e-10", "2e-4")
"""Of the fixed-point iteration, relative to the largest voltage; CrossSim's own is 1e-3."""
PROBES = 8
"""Vectors of a batch, and rows of a matrix, that are compared with the reference."""
MOST_ERROR = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}

TARGETS = {
    # How many times as long as rramsim a method has to take: from which size on, and the factor there.
    ("vector", "badcrossbar"): {64: 500},
    ("vector", "splu"): {64: 250},
    ("vector", "fixed point 1e-10"): {64: 10, 128: 20},
    ("batch 1024", "badcrossbar"): {64: 300},
    ("batch 1024", "splu"): {64: 300},
    ("batch 1024", "fixed point 1e-10"): {64: 600},
    ("batch 16384", "badcrossbar"): {64: 1400},
    ("batch 16384", "splu"): {64: 800, 128: 2000},
    ("batch 16384", "fixed point 1e-10"): {64: 2500},
    ("batch 16384", "ideal product v @ g"): {64: 1 / 1.7, 128: 1 / 1.5},
    ("transconductance", "splu"): {64: 40, 128: 90},
    ("nonlinear", "Newton + splu"): {64: 250},
}
CASES = ("vector", "batch", "transconductance", "nonlinear", "oblong")
HEADINGS = ("cells", "method", "ms", "rramsim = 1", "target", "worst relative error", "calls")

NOTES = f"""
Median CPU time of the process, the methods in turns. Conductances log-uniform from 1 to 100 uS, voltages uniform from 0
to 0.2 V, {OHM:g} ohm per segment of every line, with one segment more at each driver and read circuit. Errors are those
of the output currents (of the elements, for a matrix), each relative to itself, against SuperLU refined in extended
precision.

* rramsim: a new network for every call, so that nothing is known of the array.
* badcrossbar: output currents alone (`node_voltages=False, all_currents=False`); of a batch, a call with 1 and one with
  64 vectors, continued in a straight line.
* splu: `scipy.sparse.linalg.splu` in symmetric mode, minimum degree of A^T + A: matrix from coordinates, factorisation,
  one solution of all right-hand sides. Of a batch, 1 and 64 vectors, continued in a straight line.
* splu, tuned: panels of one column, 16 right-hand sides at a time, the numbers filled into a pattern made before the
  clock starts. A batch takes one factorisation; 64 vectors are solved and the time is scaled.
* fixed point: the iteration of CrossSim to a tolerance relative to the largest voltage, with the relaxation factor that
  takes the fewest iterations, found before the clock starts; compiled by numba, or in NumPy, as CrossSim has it. Of a
  batch, the time of its first vector times the number of vectors.
* Newton + splu: to 1e-9, from the linear circuit of the chords; with a new factor in every step, or with one kept while
  every step leaves a tenth of the error or less.
"""


class Effort(NamedTuple):
    """Turns of every method, and the seconds after which a method has no more."""

    rounds: int
    budget: float


class Row(NamedTuple):
    """One method in a table: its seconds and error, or why there are none."""

    method: str
    seconds: float | None
    error: float | None = None
    calls: int | None = None
    note: str = ""


class Setup:
    """An array of one shape with its drives, their exact output currents, and what the peers make beforehand."""

    def __init__(self, shape: tuple[int, int]) -> None:
        rng = np.random.default_rng(shape)
        self.shape = shape
        self.g = np.exp(rng.uniform(np.log(1e-6), np.log(100e-6), shape))
        self.v = rng.uniform(0.0, 0.2, (BATCHES[-1], shape[0]))
        self.circuit = peers.Circuit(shape, OHM)
        self.rows = np.linspace(0, shape[0] - 1, PROBES).astype(int)

    @cached_property
    def _exact(self) -> np.ndarray:
        progress("{} x {}: reference".format(*self.shape))
        drives = np.concatenate([self.v[:PROBES], np.eye(self.shape[0])[self.rows]])
        return peers.reference(self.circuit, self.g, drives)

    @property
    def exact(self) -> np.ndarray:
        """Output currents of the first vectors."""
        return self._exact[:PROBES]

    @property
    def exact_rows(self) -> np.ndarray:
        """Some rows of the transconductance matrix."""
        return self._exact[PROBES:]

    def network(self, **options: Any) -> rs.Network:
        """A new one for every call: nothing is known of the array beforehand."""
        return rs.Network(self.g, WIRES, **options)


def relative_error(found: np.ndarray | None, exact: np.ndarray) -> float | None:
    """The worst of all outputs, each relative to itself."""
    if found is None:
        return None
    return float(np.max(np.abs(np.atleast_2d(found)[: len(exact)] - exact) / np.abs(exact)))


# Linear arrays: every method is timed once per size, all in turns; the tables are put together from that.


def linear_methods(setup: Setup, cases: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """What is called for these cases, by name."""
    g, v, circuit = setup.g, setup.v, setup.circuit
    one, some = v[0], v[:64]
    methods: dict[str, Callable[[], Any]] = {}
    badcrossbar = peers.badcrossbar_currents()
    if "vector" in cases:
        methods["vector"] = lambda: setup.network().currents(one)
        methods["splu, tuned 1"] = lambda: circuit.currents(circuit.factor(g), one[None])
    if "vector" in cases or "batch" in cases:
        for name in TOLERANCES:
            tolerance = float(name)
            factor = peers.best_factor(g, one, OHM, tolerance)
            for suffix, iterate in (("", peers.fixed_point), (", NumPy", peers.fixed_point_numpy)):
                methods[f"fixed point {name}{suffix}"] = lambda iterate=iterate, factor=factor, tolerance=tolerance: (
                    iterate(g, one, OHM, factor, tolerance)
                )
        methods["splu 1"] = lambda: peers.plain_splu(g, one[None], OHM)
        if badcrossbar:
            methods["badcrossbar 1"] = lambda: badcrossbar(g, one, OHM)
    if "batch" in cases:
        factored = circuit.factor(g)
        methods["splu factor"] = lambda: circuit.factor(g)
        methods["splu, tuned 64"] = lambda: circuit.currents(factored, some)
        methods["splu 64"] = lambda: peers.plain_splu(g, some, OHM)
        if badcrossbar and g.size <= 512**2:
            methods["badcrossbar 64"] = lambda: badcrossbar(g, some, OHM)
        for count in BATCHES:
            methods[f"batch {count}"] = lambda count=count: setup.network().currents(v[:count])
            methods[f"ideal {count}"] = lambda count=count: v[:count] @ g
    if "transconductance" in cases:
        methods["transconductance"] = lambda: setup.network().transconductance()
        methods["float32"] = lambda: setup.network().transconductance(np.float32)
        methods["splu all"] = lambda: peers.plain_splu(g, np.eye(len(g)), OHM)
        methods["splu, tuned all"] = lambda: circuit.currents(circuit.factor(g), np.eye(len(g)))
        methods["product"] = lambda: g @ g
    return methods


def vector_rows(setup: Setup, timed: dict[str, Timed]) -> list[Row]:
    """One array, one vector."""
    exact = setup.exact[:1]
    badcrossbar = (
        measured("badcrossbar", timed["badcrossbar 1"], exact) if "badcrossbar 1" in timed else absent("badcrossbar")
    )
    return [
        measured("rramsim", timed["vector"], exact),
        badcrossbar,
        measured("splu", timed["splu 1"], exact),
        measured("splu, tuned", timed["splu, tuned 1"], exact),
        *(measured(name, timed[name], exact) for name in timed if name.startswith("fixed point")),
    ]


def batch_rows(setup: Setup, timed: dict[str, Timed], count: int) -> list[Row]:
    """One array, many vectors; what would take too long is extrapolated from fewer vectors."""
    exact = setup.exact
    rows = [measured("rramsim", timed[f"batch {count}"], exact)]
    for name in ("badcrossbar", "splu"):
        if f"{name} 64" not in timed:
            rows.append(absent(name))
            continue
        one, some = timed[f"{name} 1"].seconds, timed[f"{name} 64"].seconds
        # The slope leaves out what a call costs whatever its vectors; noise must not make it nothing.
        slope = max((some - one) / 63, some / 64 / 4)
        error = relative_error(timed[f"{name} 64"].result, exact)
        rows.append(Row(name, some + (count - 64) * slope, error, note="from 1 and 64 vectors"))
    solved = timed["splu, tuned 64"]
    seconds = timed["splu factor"].seconds + count / 64 * solved.seconds
    rows.append(Row("splu, tuned", seconds, relative_error(solved.result, exact), note="from 64 vectors"))
    for name in [name for name in timed if name.startswith("fixed point")]:
        row = measured(name, timed[name], exact[:1])
        scaled = None if row.seconds is None else count * row.seconds
        rows.append(row._replace(seconds=scaled, calls=None, note=row.note or "from 1 vector"))
    return [*rows, Row("ideal product v @ g", timed[f"ideal {count}"].seconds, calls=timed[f"ideal {count}"].calls)]


def transconductance_rows(setup: Setup, timed: dict[str, Timed]) -> list[Row]:
    """The whole matrix of one array."""
    rows = []
    for name, key in (
        ("rramsim", "transconductance"),
        ("rramsim, float32", "float32"),
        ("splu", "splu all"),
        ("splu, tuned", "splu, tuned all"),
    ):
        result = timed[key]
        error = relative_error(result.result[setup.rows], setup.exact_rows)
        rows.append(Row(name, result.seconds, error, result.calls))
    return [*rows, Row("product of two such matrices", timed["product"].seconds, calls=timed["product"].calls)]


def linear_tables(sizes: Sequence[int], cases: Sequence[str], effort: Effort) -> list[tuple[str, str, int, list[Row]]]:
    """(case, what it is, cells on a side, rows) of all the cases of linear arrays."""
    tables = []
    for size in sizes:
        setup = Setup((size, size))
        progress(f"{size} x {size}: {', '.join(cases)}")
        timed = in_turns(linear_methods(setup, cases), rounds=effort.rounds, budget=effort.budget)
        if "vector" in cases:
            tables.append(("vector", "One array, one vector", size, vector_rows(setup, timed)))
        if "batch" in cases:
            for count in BATCHES:
                rows = batch_rows(setup, timed, count)
                tables.append((f"batch {count}", f"One array, {count} vectors", size, rows))
        if "transconductance" in cases:
            rows = transconductance_rows(setup, timed)
            tables.append(("transconductance", "Transconductance matrix of one array", size, rows))
    return tables


def throughput_table(tables: list[tuple[str, str, int, list[Row]]]) -> tuple[list[str], list[list[str]]]:
    """What the times of rramsim mean: cells a second, and times that of a product of full matrices."""
    found = {(case, size): rows for case, _, size, rows in tables}
    rows = []
    for size in dict.fromkeys(size for _, _, size, _ in tables):
        cells = size * size
        line = [f"{size} x {size}", "-", "-", "-"]
        if ("vector", size) in found:
            line[1] = f"{cells / found['vector', size][0].seconds / 1e6:.1f}"
        if ("transconductance", size) in found:
            matrix = found["transconductance", size]
            line[2] = f"{matrix[0].seconds / matrix[-1].seconds:.1f}"
        if (f"batch {BATCHES[-1]}", size) in found:
            rate = BATCHES[-1] * cells / found[f"batch {BATCHES[-1]}", size][0].seconds
            line[3] = f"{rate / 1e9:.1f}"
        rows.append(line)
    headings = ["cells", "one vector, 1e6 cells/s", "matrix, products of two such matrices"]
    return [*headings, f"{BATCHES[-1]} vectors, 1e9 cells/s"], rows


# Nonlinear arrays.


def nonlinear_tables(sizes: Sequence[int], effort: Effort) -> list[tuple[str, str, int, list[Row]]]:
    """Cells with i = g V0 sinh(v / V0), one vector."""
    tables = []
    setups = [Setup((size, size)) for size in sizes]
    for most, volt in ((0.2, 0.5), (0.2, 0.1), (0.4, 0.5), (0.4, 0.1)):
        for setup in setups:
            size, v = setup.shape[0], setup.v[0] * (most / 0.2)
            progress(f"{size} x {size}: sinh cells, V0 {volt} V, up to {most} V")
            timed = in_turns(nonlinear_methods(setup, v, volt), rounds=effort.rounds, budget=effort.budget)
            exact = peers.reference(setup.circuit, setup.g, v[None], peers.sinh(volt))
            title = f"Sinh cells, V0 = {volt} V, one vector of 0 to {most} V"
            tables.append(("nonlinear", title, size, [measured(name, timed[name], exact) for name in timed]))
    return tables


def nonlinear_methods(setup: Setup, v: np.ndarray, volt: float) -> dict[str, Callable[[], np.ndarray]]:
    conduction, law = rs.ConductionSpec(law="sinh", sinh_volt=volt), peers.sinh(volt)

    def newton(reuse: bool) -> np.ndarray:
        word, bit = setup.circuit.newton(setup.g, v, law, tolerance=1e-9, reuse=reuse)
        return law(setup.g, word - bit)[0].sum(axis=0)

    return {
        "rramsim": lambda: setup.network(conduction=conduction).currents(v),
        "Newton + splu": lambda: newton(reuse=False),
        "Newton + splu, factors reused": lambda: newton(reuse=True),
    }


# What needs no peer.


def oblong_table(effort: Effort) -> tuple[list[str], list[list[str]], float]:
    """Time per cell of arrays with as many cells but other shapes; and the worst error."""
    setups = [Setup(shape) for shape in ((96, 96), (18, 512), (512, 18))]
    methods: dict[str, Callable[[], np.ndarray]] = {}
    for setup in setups:
        methods[f"vector {setup.shape}"] = lambda s=setup: s.network().currents(s.v[0])
        methods[f"matrix {setup.shape}"] = lambda s=setup: s.network().transconductance()
    progress("oblong arrays")
    timed = in_turns(methods, rounds=effort.rounds, budget=effort.budget)
    rows, errors = [], []
    for setup in setups:
        vector, matrix = timed[f"vector {setup.shape}"], timed[f"matrix {setup.shape}"]
        square = [timed[f"{what} {setups[0].shape}"].seconds for what in ("vector", "matrix")]
        error = [
            relative_error(vector.result, setup.exact[:1]),
            relative_error(matrix.result[setup.rows], setup.exact_rows),
        ]
        errors += error
        cells = [f"{1e9 * t.seconds / setup.g.size:.1f}" for t in (vector, matrix)]
        ratios = [f"{t.seconds / s:.2f}" for t, s in zip((vector, matrix), square, strict=True)]
        shape = "{} x {}".format(*setup.shape)
        rows.append([shape, cells[0], ratios[0], cells[1], ratios[1], f"{max(error):.1e}"])
    headings = ["cells", "vector, ns per cell", "96 x 96 = 1", "matrix, ns per cell", "96 x 96 = 1"]
    return [*headings, "worst relative error"], rows, max(errors)


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
        g, wires, conduction=rs.ConductionSpec(law="sinh", sinh_volt=0.1)
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
        same = "yes" if np.array_equal(timed["1"].result, timed["2"].result) else "NO"
        rows.append(["{} of {} x {}".format(*shape), f"{1e3 * one:.4g}", f"{1e3 * two:.4g}", f"{one / two:.2f}", same])
    return ["arrays", "1 thread, wall ms", "2 threads, wall ms", "faster by", "same bits"], rows


# Tables.


def measured(method: str, timed: Timed, exact: np.ndarray) -> Row:
    if timed.result is None:
        return Row(method, None, note="does not converge")
    return Row(method, timed.seconds, relative_error(timed.result, exact), timed.calls)


def absent(method: str) -> Row:
    return Row(method, None, note="not installed" if peers.badcrossbar_currents() is None else "not run")


def target_of(case: str, method: str, size: int) -> float | None:
    method = method.removesuffix(", NumPy").removesuffix(", factors reused").removesuffix(", tuned")
    steps = [factor for least, factor in TARGETS.get((case, method), {}).items() if size >= least]
    return steps[-1] if steps else None


def as_factor(ratio: float) -> str:
    if ratio < 1:
        return f"1 / {1 / ratio:.2f}"
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def cells_of(row: Row, case: str, size: int, ours: float) -> list[str]:
    """One line of a table as text."""
    error = "-" if row.error is None else f"{row.error:.1e}"
    calls = row.note or str(row.calls)
    if row.seconds is None:
        return [str(size), row.method, "-", "-", "-", error, calls]
    ratio, target = row.seconds / ours, target_of(case, row.method, size)
    wanted = "-" if target is None else f">= {as_factor(target)}" + (", missed" if ratio < target else "")
    return [str(size), row.method, f"{1e3 * row.seconds:.4g}", as_factor(ratio), wanted, error, calls]


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [list(headings), *map(list, rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(headings))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def show(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    sys.stdout.write(f"{title}:\n\n{markdown(headings, rows)}\n\n")
    sys.stdout.flush()


def show_comparisons(tables: list[tuple[str, str, int, list[Row]]]) -> bool:
    """Print one table per title, all sizes in it; whether every result of rramsim is good."""
    good = True
    for title in dict.fromkeys(title for _, title, _, _ in tables):
        lines = []
        for case, this, size, rows in tables:
            if this != title:
                continue
            ours = rows[0].seconds
            lines += [cells_of(row, case, size, ours) for row in rows]
            for row in rows:
                if row.method.startswith("rramsim"):
                    kind = np.dtype(np.float32 if "float32" in row.method else np.float64)
                    good &= row.error <= MOST_ERROR[kind]
        show(title, HEADINGS, lines)
    return good


def conditions() -> str:
    """What was measured, where and how."""
    names = ("numpy", "scipy", "numba", "rramsim")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    square = np.random.default_rng(0).normal(size=(512, 512))
    product = in_turns({"product": lambda: square @ square}, rounds=5, budget=1.0)["product"].seconds
    return (
        f"{processor}, one thread, {2 * 512**3 / product / 1e9:.0f} GFLOP/s in a product of 512 x 512 matrices; "
        f"Python {platform.python_version()}, {versions}.\n{NOTES}\n"
    )


def warm_up() -> None:
    """Compile or load every kernel."""
    progress("compiling")
    setup = Setup((16, 16))
    for call in linear_methods(setup, CASES).values():
        call()
    setup.network(conduction=rs.ConductionSpec(law="sinh", sinh_volt=0.1)).currents(setup.v[0])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", help="cells on a side; default 64 128 256")
    parser.add_argument("--cases", nargs="*", choices=CASES, default=CASES)
    parser.add_argument("--quick", action="store_true", help="64 cells on a side, few calls")
    parser.add_argument("--memory", action="store_true", help="also the peak memory at 1024 x 1024 cells")
    parser.add_argument("--jit", action="store_true", help="also the time of compilation")
    parser.add_argument("--threads", action="store_true", help="also wall times on one and two threads")
    options = parser.parse_args(arguments)
    sizes = options.sizes or ([64] if options.quick else [64, 128, 256])
    effort = Effort(3, 1.0) if options.quick else Effort(7, 5.0)
    warnings.simplefilter("ignore")  # of SciPy, about the matrices of badcrossbar
    sys.stdout.write(conditions())
    good = True
    with limit_threads(1):
        warm_up()
        linear = [case for case in ("vector", "batch", "transconductance") if case in options.cases]
        if linear:
            tables = linear_tables(sizes, linear, effort)
            good &= show_comparisons(tables)
            show("Throughput of rramsim", *throughput_table(tables))
        if "nonlinear" in options.cases:
            good &= show_comparisons(nonlinear_tables([n for n in sizes if n <= 128], effort))
        if "oblong" in options.cases:
            headings, rows, error = oblong_table(effort)
            show("Arrays of 9216 cells, one vector and the whole matrix", headings, rows)
            good &= error <= MOST_ERROR[np.dtype(np.float64)]
    if options.memory:
        show("Peak resident memory", *memory_table())
    if options.jit:
        show("Compilation", *jit_table())
    if options.threads:
        show("Transconductance matrices on two threads", *threads_table(effort))
    if not good:
        sys.stderr.write("rramsim is further from the reference than it may be\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
