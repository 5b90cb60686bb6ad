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

import numpy as np
from timing import in_turns, progress

import rramsim as rs

COEFFICIENTS = (0.348, 16.030, -43.853, 45.393, -16.815)
"""The spread of Wan et al. 2022 after one second as aihwkit fits it: uS, of x = g / 40 uS."""
MICRO = 1e-6
TARGET_SECONDS, TARGET_CELLS, TARGET_RATIO = 4.0, 10**8, 2.0

AIHWKIT = """
import json, sys, time, statistics
import torch
from aihwkit.inference import ReRamWan2022NoiseModel
from importlib.metadata import version
torch.set_num_threads(1)
n, rounds, piece = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
model = ReRamWan2022NoiseModel(g_max=40.0)  # without it, the coefficients count from 25 uS
noise = model.apply_programming_noise_to_conductance
out = {"version": version("aihwkit"), "torch": torch.__version__}
for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
    g = torch.rand(n, dtype=dtype) * 39 + 1
    calls = {"": lambda: noise(g), " in pieces": lambda: [noise(part) for part in g.split(piece)]}
    for label, call in calls.items():
        call()
        times = []
        for _ in range(rounds):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
        out[name + label] = statistics.median(times)
out["sigma"] = float(noise(torch.full((1000000,), 20.0)).std())
print(json.dumps(out))
"""


def numpy_ways(g):
    """The same law in NumPy, uS: as CrossSim writes its laws, and as one would write it with care."""
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


def main() -> int:
    """Measure, print, and say whether every method has the right spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=float, default=1e7, help="cells of one call of each method")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each method")
    parser.add_argument("--aihwkit", metavar="PYTHON", help="an interpreter with aihwkit")
    parser.add_argument("--all", action="store_true", help="also write 1e8 cells at once (takes 3 GiB)")
    asked = parser.parse_args()
    n = int(asked.cells)
    g = np.random.default_rng(0).uniform(1, 40, n)
    siemens, cell = g * MICRO, rs.device("rram-wan-2022")
    verified = rs.device("rram-wan-2022", write={"tolerance_siemens": MICRO, "most_pulses": 30})
    few = siemens[: n // 10]
    written = cell.program(few, 1)
    methods = {
        "rramsim, float64": lambda: cell.program(siemens, 1),
        **numpy_ways(g),
    }
    progress(f"{n:.0e} cells, {asked.rounds} rounds")
    timed = in_turns(methods, rounds=asked.rounds, budget=120)
    rows = [(name, each.seconds) for name, each in timed.items()]
    at_20 = {"rramsim": cell.program(np.full(10**6, 20 * MICRO), 2).g.std() / MICRO}
    at_20["NumPy"] = next(iter(numpy_ways(np.full(10**6, 20.0)).values()))().std()
    peer = "aihwkit not measured"
    if asked.aihwkit:
        progress("aihwkit")
        ran = subprocess.run(
            [asked.aihwkit, "-P", "-c", AIHWKIT, str(n), str(asked.rounds), str(1 << 16)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = json.loads(ran.stdout.splitlines()[-1])
        peer = f"aihwkit {found['version']}, torch {found['torch']}"
        at_20["aihwkit"] = found["sigma"]
        for kind in ("float32", "float64"):
            rows.append((f"aihwkit, {kind}", found[kind]))
            rows.append((f"aihwkit, {kind}, in pieces of 65536", found[f"{kind} in pieces"]))
    ours = rows[0][1]
    # What the target is measured against: the fastest of the peers as they are called, on whole arrays.
    called = [seconds for name, seconds in rows if name.startswith(("aihwkit", "NumPy as")) and "pieces" not in name]
    say(f"Python {platform.python_version()}, numpy {np.__version__}, numba {version('numba')}, {peer}; one thread.\n")
    say(f"Writing {n:.0e} cells with the spread of Wan et al. 2022, median CPU time of {asked.rounds} calls:\n")
    say("| method | ns per cell | rramsim = 1 |\n|---|---|---|")
    for name, seconds in rows:
        say(f"| {name} | {1e9 * seconds / n:.1f} | {seconds / ours:.2f} |")
    verdict = "reached" if min(called) >= TARGET_RATIO * ours else "missed"
    ratio = f"{min(called) / ours:.2f} times (target {TARGET_RATIO:g}: {verdict})"
    say(f"\nThe fastest peer, called as it is on whole arrays: {ratio}.")
    others = in_turns(
        {
            "read, 1 % noise": lambda: written.read(3),
            "conductance after a day (relaxation)": lambda: cell.program(few, 1).conductance(86400),
            "write and verify within 1 uS": lambda: verified.program(few, 1),
            "drift: write, conductance after a day": lambda: (
                rs.device("pcm-nandakumar-2019").program(few * 0.6, 1).conductance(86400)
            ),
        },
        rounds=3,
        budget=60,
    )
    say("\n| other work, float64 | ns per cell |\n|---|---|")
    for name, each in others.items():
        say(f"| {name} | {1e9 * each.seconds / few.size:.1f} |")
    if asked.all:
        del timed, methods
        huge = np.random.default_rng(0).uniform(1, 40, TARGET_CELLS) * MICRO
        seconds = in_turns({"": lambda: cell.program(huge, 1).g[0]}, rounds=3, budget=60)[""].seconds
        verdict = "reached" if seconds < TARGET_SECONDS else "missed"
        say(f"\nWriting 1e8 cells: {seconds:.2f} s (target {TARGET_SECONDS:g} s: {verdict}).")
    say("\nSpread at 20 uS, which the law has at 2.0229 uS: " + ", ".join(f"{k} {v:.4f}" for k, v in at_20.items()))
    return int(any(abs(sigma / 2.0229375 - 1) > 0.01 for sigma in at_20.values()))


if __name__ == "__main__":
    sys.exit(main())
