"""How fast the crossbar macro multiplies beside other ways to the same codes: ``python tests/benchmarks/macro.py``.

Tables in Markdown go to the standard output, progress to the standard error. ``--crosssim PYTHON`` names an interpreter
with CrossSim (a clone of github.com/sandialabs/cross-sim, ``pip install`` of it in an environment of its own);
``--programming`` also writes the weights of BERT-base, which takes minutes. The exit status is 1 where codes differ
from those of a product in double precision by more than ties.
"""

import os

if __name__ == "__main__":
    # Before numpy loads its BLAS: one thread, and the kernels that OpenBLAS chooses for this processor by itself.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"
    for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(_name, None)

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from macro_numpy import as_crosssim, loops, stacked
from macro_setup import BATCH, BITS, OHM, SIZE, SLICES, TIE, TILE, Check, Setup, kernel_alone
from tables import as_factor, show
from timing import Timed, in_turns, progress

import rramsim as rs
from rramsim.threads import limit_threads, thread_count

MACS = BATCH * SIZE * SIZE * BITS * SLICES
SGEMM_RATE, NUMPY_RATIO, CROSSSIM_RATIO, NOISE_RATIO, BERT_SECOND = 1.7, 2.5, 8.0, 1.6, 600.0
SGEMM, KERNEL, NOISY_KERNEL = "sgemm, six of (1024 x 128) @ (128 x 3072)", "rramsim, kernel", "rramsim, kernel, noise"
CALL, NOISY_CALL, STACKED = "rramsim, whole call", "rramsim, whole call, noise", "NumPy, stacked"
PROCESSES = Path(__file__).parent / "processes"

NOTES = f"""
{BATCH} vectors of {BITS} unsigned bits times {SIZE} x {SIZE} normal weights of 8 bits, as differential pairs
in {SLICES} slices of 2 bits on tiles of {TILE} x {TILE} cells, written with the spread of rram-wan-2022, {OHM:g} ohm
a segment, 8-bit converters of a calibrated range: {MACS:.2e} effective multiplications (vectors x inputs x
outputs x bits x slices), {MACS // TILE:.2e} conversions. Median CPU time of one thread, the methods in turns.

* sgemm: `np.matmul` into memory that is there, of float32 matrices of the shapes that the bits of all vectors and all
  slices make, one for each row of tiles.
* kernel: from packed bits to added-up codes; whole call: `macro.apply(x)`, from numbers to numbers, with activity.
* NumPy begins with bits as float32 matrices, as the kernel does with packed ones. Stacked: bits and slices in one
  product for each row of tiles, `rint` and `clip` in place, `tensordot` over bits; for all vectors at a time, or for a
  few, whose currents stay in the cache. Loops: a product for each bit and slice, in float32.
* As CrossSim: a product for each bit and slice, (outputs x rows) @ (rows x vectors), its converter and its
  accumulation, without its slicing of inputs; whole rows of tiles, or tiles of {TILE} x {TILE} each. CrossSim itself
  works in the precision that its device model leaves to the weights, single or double, on inputs in single precision.
* Outputs that differ from codes of a product in double precision: where a current is within {TIE:g} steps of the middle
  between two codes; any other is an error.
"""


def main_methods(setup: Setup) -> dict[str, Callable[[], Any]]:
    """What is timed in turns, by name."""
    rng = np.random.default_rng(0)
    a = (rng.random((BITS * BATCH, TILE)) < 0.5).astype(np.float32)
    out = np.empty((BITS * BATCH, SLICES * SIZE), np.float32)
    x, quiet, noisy = setup.x, setup.quiet, setup.noisy
    return {
        SGEMM: lambda: [np.matmul(a, t, out=out) for t in setup.t],
        KERNEL: kernel_alone(quiet, x),
        NOISY_KERNEL: kernel_alone(noisy, x),
        CALL: lambda: quiet.apply(x),
        NOISY_CALL: lambda: noisy.apply(x),
        STACKED: stacked(setup, BATCH),
        "NumPy, stacked, 16 vectors at a time": stacked(setup, 16),
        "NumPy, stacked, 4 vectors at a time": stacked(setup, 4),
        "NumPy, loops": loops(setup),
        "NumPy, as CrossSim, float32, rows of tiles": as_crosssim(setup, SIZE, np.float32),
        "NumPy, as CrossSim, float32, tiles": as_crosssim(setup, TILE, np.float32),
        "NumPy, as CrossSim, float64, rows of tiles": as_crosssim(setup, SIZE, np.float64),
        "NumPy, as CrossSim, float64, tiles": as_crosssim(setup, TILE, np.float64),
    }


def rms_error(values: np.ndarray, setup: Setup) -> float:
    """Error of a product, root mean square, relative to that of the exact product."""
    exact = setup.x @ setup.w
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def peer_rows(timed: dict[str, Timed], check: Check, setup: Setup) -> tuple[list[list[str]], bool]:
    """Everyone beside the product of matrices, the kernel and the whole call."""
    sgemm, kernel, call = (timed[name].seconds for name in (SGEMM, KERNEL, CALL))
    fastest = min((name for name in timed if name.startswith("NumPy")), key=lambda name: timed[name].seconds)
    rows, good = [], True
    for name, each in timed.items():
        codes, target = "-", "-"
        if name == CALL:
            codes = check(setup.codes_of(each.result.values))
        elif name.startswith("NumPy"):
            codes = check(each.result)
        good &= not codes.startswith("wrong")
        rate = sgemm / each.seconds
        if name == KERNEL:
            target = verdict(rate, SGEMM_RATE, "products")
        elif name in (fastest, STACKED):
            target = verdict(each.seconds / kernel, NUMPY_RATIO, "kernels")
        elif "CrossSim" in name and name.endswith(", tiles"):
            target = verdict(each.seconds / kernel, CROSSSIM_RATIO, "kernels")
        ratios = [as_factor(each.seconds / ours) for ours in (kernel, call)]
        rows.append([name, f"{1e3 * each.seconds:.1f}", f"{rate:.2f}", *ratios, target, codes])
    return rows, good


def verdict(ratio: float, wanted: float, unit: str) -> str:
    return f">= {wanted:g} {unit}" + ("" if ratio >= wanted else ", missed")


def noise_rows(timed: dict[str, Timed]) -> list[list[str]]:
    """What read noise costs."""
    allowed = timed[SGEMM].seconds / SGEMM_RATE
    rows = []
    for name, quiet, noisy in (("kernel", KERNEL, NOISY_KERNEL), ("whole call", CALL, NOISY_CALL)):
        without, with_noise = timed[quiet].seconds, timed[noisy].seconds
        ratio = with_noise / allowed
        wanted = f"<= {NOISE_RATIO:g}" + ("" if ratio <= NOISE_RATIO else ", missed")
        times = (f"{1e3 * without:.1f}", f"{1e3 * with_noise:.1f}")
        rows.append([name, *times, f"{with_noise / without:.2f}", f"{ratio:.2f}", wanted])
    return rows


def variants(setup: Setup) -> dict[str, Any]:
    """Macros of the same product by name."""
    bow = {"inl_lsb": (0.0, 0.4, 0.0, -0.4, 0.0)}
    mismatch = {"columns": 8, "capacitor_mismatch": 0.02, "gain_spread": 0.01, "offset_spread_lsb": 0.5}
    cases: dict[str, dict[str, Any]] = {
        "nonlinear converters, one table": {"adc": bow},
        "mismatched converters, one for 8 columns": {"adc": mismatch},
        "mismatched converters, noise": {"adc": {**mismatch, "noise_lsb": 0.3}, "device": setup.noisy_device},
        "pairs converted separately": {"weight_coding": "separate"},
        "offset, counted digitally": {"weight_coding": "offset"},
        "offset, unit column, flipped": {
            "weight_coding": "offset",
            "offset_from": "unit column",
            "invert_heavy_columns": True,
        },
        "accumulator of 24 bits": {"accumulator_bits": 24},
        "2 bits a pulse": {"dac": rs.DacSpec(bits=2)},
        "2 bits a pulse, noise": {"dac": rs.DacSpec(bits=2), "device": setup.noisy_device},
        "accumulated as charge": {"accumulate": "analog"},
        "accumulated as charge, noise": {"accumulate": "analog", "device": setup.noisy_device},
    }
    macros = {"differential": setup.quiet, "differential, noise": setup.noisy}
    for name, options in cases.items():
        progress(f"writing: {name}")
        macros[name] = setup.macro(**options)
    return macros


def variant_rows(setup: Setup, rounds: int, budget: float) -> list[list[str]]:
    """Whole calls of macros of other kinds."""
    macros = variants(setup)
    progress("macros of other kinds")
    with limit_threads(1):
        timed = in_turns(
            {name: lambda m=m: m.apply(setup.x) for name, m in macros.items()}, rounds=rounds, budget=budget
        )
    rows = []
    for name, each in timed.items():
        adc = macros[name].spec.adc.component
        conversions = each.result.activity.total(adc)
        rows.append(
            [
                name,
                f"{1e3 * each.seconds:.0f}",
                f"{each.seconds / timed['differential'].seconds:.2f}",
                f"{conversions:.2e}",
                f"{1e9 * each.seconds / conversions:.2f}",
                f"{100 * rms_error(each.result.values, setup):.2f}",
            ]
        )
    return rows


def crosssim_rows(python: str, timed: dict[str, Timed], rounds: int) -> tuple[str, list[list[str]]]:
    """The version of CrossSim, and the times of its core on this product."""
    progress("CrossSim")
    arguments = [str(each) for each in (SIZE, BATCH, TILE, rounds, int(OHM))]
    command = [python, PROCESSES / "crosssim_core.py", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    peer = json.loads(ran.stdout.splitlines()[-1])
    call, noisy = timed[CALL].seconds, timed[NOISY_CALL].seconds
    cases = []
    for model in ("RRAMWan", "NormalIndependentDevice"):
        core = peer[model]
        error = f"{100 * core['error']:.0f}"
        cases.append((f"{model}, {core['dtype']}, rows of tiles", core["rows"], call, False, error))
        cases.append((f"{model}, {core['dtype']}, tiles of {TILE} x {TILE}", core["tiles"], call, True, error))
    cases.append((f"tiles, 1 % read noise, 1 vector times {BATCH}", peer["noise"] * BATCH, noisy, False, "-"))
    cases.append((f"tiles, {OHM:g} ohm wires, 1 vector times {BATCH}", peer["wires"] * BATCH, call, False, "-"))
    rows = []
    for name, seconds, ours, wanted, error in cases:
        ratios = [as_factor(seconds / each) for each in (timed[KERNEL].seconds, ours)]
        target = verdict(seconds / call, CROSSSIM_RATIO, "calls") if wanted else "-"
        rows.append([name, f"{1e3 * seconds:.4g}", *ratios, target, error])
    text = (
        f"CrossSim {peer['version']}, numpy {peer['numpy']}, its own core, in a process where sgemm takes "
        f"{1e3 * peer['sgemm']:.0f} ms"
    )
    return text, rows


def programming_rows(layers: int) -> tuple[list[list[str]], str]:
    """The weights of BERT-base, written matrix by matrix in a process of its own."""
    progress(f"BERT-base, {layers} of 12 layers")
    command, load = [sys.executable, PROCESSES / "bert_writing.py", str(layers), str(OHM)], os.getloadavg()[0]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    written = json.loads(ran.stdout.splitlines()[-1])
    weights = 12 * 768 * 768 * 12
    seconds, share = written["layers"], layers / 12
    total = sum(seconds)
    planes, noise = (each / share / 1e9 for each in written["bytes"])
    word = "measured" if layers == 12 else f"from {layers} of 12 layers"
    missed = "" if total / share <= BERT_SECOND else ", missed"
    rows = [
        ["weights of BERT-base, millions", f"{weights / 1e6:.1f}"],
        ["cells, millions; tiles", f"{weights * 8 / 1e6:.0f}; {round(written['tiles'] / share)}"],
        ["one matrix of 768 x 768, s (without wires)", f"{written['first']:.1f} ({written['plain']:.1f})"],
        ["first layer, s (times 12)", f"{seconds[0]:.1f} ({12 * seconds[0]:.0f})"],
        [f"all layers, s, {word} (target {BERT_SECOND:g}{missed})", f"{total / share:.0f}"],
        ["CPU seconds of all layers; ns per cell",
         f"{written['cpu'] / share:.0f}; {1e9 * written['cpu'] / share / (weights * 8):.0f}"],
        ["peak memory, MiB: before; after the first layer; at the end",
         f"{written['before']:.0f}; {written['peaks'][0]:.0f}; {written['peaks'][-1]:.0f}"],
        ["what stays if all macros are kept, GB: currents; variances", f"{planes:.2f}; {noise:.2f}"],
    ]  # fmt: skip
    return rows, f"wall time on {thread_count()} threads, load average {load:.1f} before"


def conditions(sgemm: float) -> str:
    """What was measured, where and how."""
    names = ("numpy", "numba", "rramsim")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    flop = 2 * BITS * BATCH * SIZE * SLICES * SIZE
    return f"sgemm at {flop / sgemm / 1e9:.0f} GFLOP/s; Python {platform.python_version()}, {versions}.\n{NOTES}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls, no macros of other kinds")
    parser.add_argument("--rounds", type=int, help="turns of each method; default 11")
    parser.add_argument("--crosssim", metavar="PYTHON", help="an interpreter with CrossSim")
    parser.add_argument("--programming", action="store_true", help="also write the weights of BERT-base")
    parser.add_argument("--layers", type=int, default=12, help="layers to write; the time of all is continued")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (3 if options.quick else 11)
    progress("writing")
    setup = Setup()
    progress("one thread, in turns")
    with limit_threads(1):
        timed = in_turns(main_methods(setup), rounds=rounds, budget=60)
    sys.stdout.write(conditions(timed[SGEMM].seconds))
    rows, good = peer_rows(timed, Check.of(setup), setup)
    headings = ["method", "ms", "sgemm = 1", "kernel = 1", "whole call = 1", "target", "outputs that differ"]
    show("Products", headings, rows)
    headings = ["", "quiet, ms", "noisy, ms", "noisy / quiet", f"noisy / (sgemm / {SGEMM_RATE:g})", "target"]
    show("Read noise of 1 %", headings, noise_rows(timed))
    if options.crosssim:
        text, rows = crosssim_rows(options.crosssim, timed, rounds)
        headings = ["CrossSim", "ms", "kernel = 1", "whole call = 1", "target", "rms error, %"]
        show(text, headings, rows)
    if not options.quick:
        headings = ["macro", "ms", "differential = 1", "conversions", "ns per conversion", "rms error, %"]
        show("Whole calls of other macros", headings, variant_rows(setup, rounds, 60))
    if options.programming:
        del setup, timed
        rows, text = programming_rows(options.layers)
        show(f"Writing and wires, {text}", ["", ""], rows)
    if not good:
        sys.stderr.write("codes differ by more than ties\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
