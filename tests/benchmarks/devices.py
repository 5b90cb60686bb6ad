"""How fast cells are written beside other ways to the same spread: ``python tests/benchmarks/devices.py``.

Tables in Markdown go to the standard output. ``--aihwkit PYTHON`` names an interpreter with aihwkit (a wheel of 1.1.0
for Python 3.11: ``pip install torch`` of a build for processors, then ``pip install --no-deps aihwkit``). The exit
status is 1 where the spread of any method is off by more than 1 % at 20 uS.
"""

import os

if __name__ == "__main__":
    # Before numpy loads its libraries: one thread.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"

import argparse
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from timing import in_turns, progress

import rramsim as rs

COEFFICIENTS = (0.348, 16.030, -43.853, 45.393, -16.815)
"""The spread of Wan et al. 2022 after one second as aihwkit fits it: uS, of x = g / 40 uS."""
MICRO = 1e-6
TARGET_SECONDS, TARGET_CELLS, TARGET_RATIO = 4.0, 10**8, 2.0
PROCESSES = Path(__file__).parent / "processes"


def numpy_ways(g):
    """Writing by the law of Wan et al. in NumPy, uS: as CrossSim writes its laws, and as one would with care."""
    single, rng = g.astype(np.float32), np.random.default_rng(1)
    c = COEFFICIENTS

    def powers(g=g):
        x = g / 40
        sigma = c[4] * np.power(x, 4) + c[3] * np.power(x, 3) + c[2] * np.power(x, 2) + c[1] * x + c[0]
        return np.maximum(g + sigma * np.random.normal(scale=1, size=g.shape), 0)  # noqa: NPY002  (as published)

    def horner(g=g, dtype=np.float64):
        x = g * dtype(1 / 40)
        a = [dtype(each) for each in c]
        sigma = (((a[4] * x + a[3]) * x + a[2]) * x + a[1]) * x + a[0]
        return np.maximum(g + sigma * rng.standard_normal(g.shape, dtype=dtype), 0)

    def pieces(g=single, size=1 << 15):
        return [horner(g[k : k + size], np.float32) for k in range(0, g.size, size)]

    return {
        "NumPy as in CrossSim (powers, `np.random.normal`), float64": powers,
        "NumPy, Horner, `Generator`, float64": horner,
        "NumPy, Horner, `Generator`, float32": lambda: horner(single, np.float32),
        "NumPy, Horner, `Generator`, float32, in pieces of 32768": pieces,
    }


def say(text: str) -> None:
    """A line of the tables."""
    sys.stdout.write(f"{text}\n")


def methods_of(g: np.ndarray, cell: rs.DeviceSpec) -> dict[str, Any]:
    """What is timed in turns, by name; g in uS."""
    siemens = g * MICRO
    return {"rramsim, float64": lambda: cell.program(siemens, rng=1), **numpy_ways(g)}


def spreads_at_20(cell: rs.DeviceSpec) -> dict[str, float]:
    """Standard deviations of many cells written to 20 uS, uS."""
    numpy_way = next(iter(numpy_ways(np.full(10**6, 20.0)).values()))
    return {"rramsim": cell.program(np.full(10**6, 20 * MICRO), rng=2).g.std() / MICRO, "NumPy": numpy_way().std()}


def measure_aihwkit(python: str, n: int, rounds: int) -> tuple[str, list[tuple[str, float]], float]:
    """Its versions, its rows of the table, and its spread at 20 uS."""
    progress("aihwkit")
    command = [python, PROCESSES / "aihwkit_spread.py", str(n), str(rounds), str(1 << 16)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    peer = json.loads(ran.stdout.splitlines()[-1])
    rows = []
    for kind in ("float32", "float64"):
        rows.append((f"aihwkit, {kind}", peer[kind]))
        rows.append((f"aihwkit, {kind}, in pieces of 65536", peer[f"{kind} in pieces"]))
    return f"aihwkit {peer['version']}, torch {peer['torch']}", rows, peer["sigma"]


def show_writing(rows: list[tuple[str, float]], n: int) -> None:
    """The table of the methods, and how the fastest peer does beside the target."""
    ours = rows[0][1]
    # What the target is measured against: the fastest of the peers as they are called, on whole arrays.
    called = [seconds for name, seconds in rows if name.startswith(("aihwkit", "NumPy as")) and "pieces" not in name]
    say("| method | ns per cell | rramsim = 1 |\n|---|---|---|")
    for name, seconds in rows:
        say(f"| {name} | {1e9 * seconds / n:.1f} | {seconds / ours:.2f} |")
    verdict = "reached" if min(called) >= TARGET_RATIO * ours else "missed"
    ratio = f"{min(called) / ours:.2f} times (target {TARGET_RATIO:g}: {verdict})"
    say(f"\nThe fastest peer, called as it is on whole arrays: {ratio}.")


def show_other_work(cell: rs.DeviceSpec, few: np.ndarray) -> None:
    """The table of what else is done to cells, for some of them, siemens."""
    verified = rs.device("rram-wan-2022", write={"tolerance_siemens": MICRO, "most_pulses": 30})
    written = cell.program(few, rng=1)
    methods = {
        "read, 1 % noise": lambda: written.read(rng=3),
        "conductance after a day (relaxation)": lambda: cell.program(few, rng=1).conductance(86400),
        "write and verify within 1 uS": lambda: verified.program(few, rng=1),
        "drift: write, conductance after a day": lambda: (
            rs.device("pcm-nandakumar-2019").program(few * 0.6, rng=1).conductance(86400)
        ),
    }
    timed = in_turns(methods, rounds=3, budget=60)
    say("\n| other work, float64 | ns per cell |\n|---|---|")
    for name, each in timed.items():
        say(f"| {name} | {1e9 * each.seconds / few.size:.1f} |")


def show_many_cells(cell: rs.DeviceSpec) -> None:
    """How long 1e8 cells take at once."""
    siemens = np.random.default_rng(0).uniform(1, 40, TARGET_CELLS) * MICRO
    seconds = in_turns({"": lambda: cell.program(siemens, rng=1).g[0]}, rounds=3, budget=60)[""].seconds
    verdict = "reached" if seconds < TARGET_SECONDS else "missed"
    say(f"\nWriting 1e8 cells: {seconds:.2f} s (target {TARGET_SECONDS:g} s: {verdict}).")


def main() -> int:
    """Measure, print, and say whether every method has the right spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=float, default=1e7, help="cells of one call of each method")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each method")
    parser.add_argument("--aihwkit", metavar="PYTHON", help="an interpreter with aihwkit")
    parser.add_argument("--all", action="store_true", help="also write 1e8 cells at once (takes 3 GiB)")
    asked = parser.parse_args()
    n = int(asked.cells)
    g, cell = np.random.default_rng(0).uniform(1, 40, n), rs.device("rram-wan-2022")
    progress(f"{n:.0e} cells, {asked.rounds} rounds")
    timed = in_turns(methods_of(g, cell), rounds=asked.rounds, budget=120)
    rows = [(name, each.seconds) for name, each in timed.items()]
    del timed
    spreads, peer = spreads_at_20(cell), "aihwkit not measured"
    if asked.aihwkit:
        peer, peer_rows, spreads["aihwkit"] = measure_aihwkit(asked.aihwkit, n, asked.rounds)
        rows += peer_rows
    say(f"Python {platform.python_version()}, numpy {np.__version__}, numba {version('numba')}, {peer}; one thread.\n")
    say(f"Writing {n:.0e} cells with the spread of Wan et al. 2022, median CPU time of {asked.rounds} calls:\n")
    show_writing(rows, n)
    show_other_work(cell, g[: n // 10] * MICRO)
    if asked.all:
        show_many_cells(cell)
    say("\nSpread at 20 uS, which the law has at 2.0229 uS: " + ", ".join(f"{k} {v:.4f}" for k, v in spreads.items()))
    return int(any(abs(sigma / 2.0229375 - 1) > 0.01 for sigma in spreads.values()))


if __name__ == "__main__":
    sys.exit(main())
