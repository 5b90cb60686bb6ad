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
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from network_cases import (
    BATCHES,
    CASES,
    OHM,
    Effort,
    Row,
    Setup,
    linear_methods,
    linear_tables,
    nonlinear_tables,
    oblong_table,
)
from network_costs import jit_table, memory_table, threads_table
from tables import as_factor, show
from timing import in_turns, progress

import rramsim as rs
from rramsim.threads import limit_threads

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


def throughput_table(tables: list[tuple[str, str, int, list[Row]]]) -> tuple[list[str], list[list[str]]]:
    """What the times of rramsim mean: cells a second, and times that of a product of full matrices."""
    rows_of = {(case, size): rows for case, _, size, rows in tables}
    rows = []
    for size in dict.fromkeys(size for _, _, size, _ in tables):
        cells = size * size
        line = [f"{size} x {size}", "-", "-", "-"]
        if ("vector", size) in rows_of:
            line[1] = f"{cells / rows_of['vector', size][0].seconds / 1e6:.1f}"
        if ("transconductance", size) in rows_of:
            matrix = rows_of["transconductance", size]
            line[2] = f"{matrix[0].seconds / matrix[-1].seconds:.1f}"
        if (f"batch {BATCHES[-1]}", size) in rows_of:
            rate = BATCHES[-1] * cells / rows_of[f"batch {BATCHES[-1]}", size][0].seconds
            line[3] = f"{rate / 1e9:.1f}"
        rows.append(line)
    headings = ["cells", "one vector, 1e6 cells/s", "matrix, products of two such matrices"]
    return [*headings, f"{BATCHES[-1]} vectors, 1e9 cells/s"], rows


def target_of(case: str, method: str, size: int) -> float | None:
    method = method.removesuffix(", NumPy").removesuffix(", factors reused").removesuffix(", tuned")
    steps = [factor for least, factor in TARGETS.get((case, method), {}).items() if size >= least]
    return steps[-1] if steps else None


def cells_of(row: Row, case: str, size: int, ours: float) -> list[str]:
    """One line of a table as text."""
    error = "-" if row.error is None else f"{row.error:.1e}"
    calls = row.note or str(row.calls)
    if row.seconds is None:
        return [str(size), row.method, "-", "-", "-", error, calls]
    ratio, target = row.seconds / ours, target_of(case, row.method, size)
    wanted = "-" if target is None else f">= {as_factor(target)}" + (", missed" if ratio < target else "")
    return [str(size), row.method, f"{1e3 * row.seconds:.4g}", as_factor(ratio), wanted, error, calls]


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
    setup.network(conduction=rs.SinhConductionSpec(sinh_volt=0.1)).currents(setup.v[0])


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
