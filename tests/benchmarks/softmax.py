"""How fast the softmax engine is replayed beside SciPy's softmax: ``python tests/benchmarks/softmax.py``.

One sequence of BERT-base at length 128: 12 layers of 12 heads, 128 rows of 128 scores, normal with a standard deviation
of 3, in single precision. One thread, CPU time, medians, the methods in turns; a table in Markdown goes to the standard
output, progress to the standard error.
"""

import os

if __name__ == "__main__":
    # Before numpy loads its libraries: one thread.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"

import argparse
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from network import show
from scipy.special import softmax
from timing import in_turns, progress

import rramsim as rs

ROWS, LENGTH = 12 * 12 * 128, 128
FORMAT = rs.FixedPointSpec(integer_bits=6, fraction_bits=3)
WIRES = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, driver_ohm=1.0, sense_ohm=1.0)
ADC = rs.AdcSpec(bits=6, range="lossless")
QUIET, LITTLE, MUCH = 1.0, 1.5, 3.0
"""Times of SciPy that an engine may take without noise, with 5 % and with 15 % of it."""
SEQUENCE_SECONDS = 0.05
"""What a sequence may take."""
FEW = 64
"""Vectors of which every amplifier is drawn."""
PEER, COPY, DRAWN = "scipy.special.softmax", "np.copyto: reads 4 bytes, writes 4", "every amplifier drawn, NumPy"
HEADINGS = (
    "",
    "ns an element",
    "of SciPy's time",
    "target",
    "ms a sequence",
    "us a vector alone",
    "ms to write, and first sequence",
)


class Line(NamedTuple):
    """An engine to be timed, and how many times as long as SciPy it may take; None: no target was set."""

    spec: rs.SoftmaxSpec
    most: float | None = None


def engines() -> dict[str, Line]:
    """Engines by the names of their lines."""
    real = {"format": FORMAT, "device": rs.device("rram-winbond-90nm"), "wires": WIRES}
    cam = rs.SoftmaxSpec(**real).program(1).cam_sub
    # A share of the smallest current of one differing bit, as the share of the full signal that SenseSpec takes.
    unit = cam.margin_currents()[1].min() / cam.full_signal

    def noisy(share: float, **changes: object) -> rs.SoftmaxSpec:
        return rs.SoftmaxSpec(**real, sense=rs.SenseSpec(noise=share * unit), **changes)

    def everywhere(share: float, **changes: object) -> rs.SoftmaxSpec:
        return noisy(share, column_sense=rs.SenseSpec(noise=share * unit), **changes)

    return {
        "ideal cells": Line(rs.SoftmaxSpec(format=FORMAT), QUIET),
        "rram-winbond-90nm, banks of 64, 1 ohm": Line(rs.SoftmaxSpec(**real), QUIET),
        "match lines with 5 % noise": Line(noisy(0.05), LITTLE),
        "match lines with 15 % noise": Line(noisy(0.15), MUCH),
        "match lines and columns with 5 % noise": Line(everywhere(0.05), LITTLE),
        "match lines and columns with 15 % noise": Line(everywhere(0.15), MUCH),
        "no noise, 6-bit converters": Line(rs.SoftmaxSpec(**real, sum_adc=ADC)),
        "lines and columns with 15 % noise, 6-bit converters": Line(everywhere(0.15, sum_adc=ADC)),
    }


def amplifier_by_amplifier(engine: rs.engine.softmax.ProgrammedSoftmax, scores: np.ndarray) -> Callable[[], int]:
    """One normal number for each amplifier of each search of both CAMs and of each read of the columns, in NumPy.

    The currents are tables too, and what follows of the decisions is left out: it is the least that drawing costs.
    """
    sides = []
    codes = FORMAT.encode(scores).astype(np.int64).ravel() % (1 << FORMAT.bits)
    for cam in (engine.cam_sub, engine.cam_exp):
        match, differs = cam.margin_currents()
        reference = (match.max() + differs.min()) / 2
        sides.append((cam.match_currents() - reference, engine.spec.sense.noise * cam.full_signal))
    n_columns = engine._table.subtract.reference.size + engine._table.lookup.reference.size
    rng = np.random.default_rng(1)

    def run() -> int:
        fired = 0
        for part in np.split(codes, len(scores)):
            for signal, deviation in sides:
                above = signal[part % len(signal)]
                fired += np.count_nonzero(above + deviation * rng.standard_normal(above.shape) < 0)
            fired += np.count_nonzero(rng.standard_normal((LENGTH, n_columns)) < 0)
        return fired

    return run


def conditions() -> str:
    """Where and what."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba", "rramsim"))
    return f"{processor}, one thread; Python {platform.python_version()}, {versions}."


def target(ratio: float, most: float | None) -> str:
    """What was asked for, and whether it is missed."""
    return "-" if most is None else f"<= {most:g}" + (", missed" if ratio > most else "")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each method (default: %(default)s)")
    rounds = parser.parse_args().rounds
    scores = np.random.default_rng(0).normal(0, 3, (ROWS, LENGTH)).astype(np.float32)
    one, few, copy = scores[:1], scores[:FEW], np.empty_like(scores)
    progress("compiling")
    lines = engines()
    written = {name: line.spec.program(1) for name, line in lines.items()}
    for engine in written.values():
        engine.apply(one)  # what numba compiles or loads is in no number
    progress("engines written anew")
    # A whole sequence: tables are compiled for the maxima that it meets.
    writing = in_turns(
        {name: lambda spec=line.spec: spec.program(2).apply(scores) for name, line in lines.items()},
        rounds=3,
        budget=20.0,
    )
    progress("one vector")
    single = in_turns(
        {
            PEER: lambda: softmax(one, axis=-1),
            **{name: lambda engine=engine: engine.apply(one) for name, engine in written.items()},
        },
        rounds=rounds,
        budget=5.0,
    )
    progress(f"sequences, {rounds} rounds")
    found = in_turns(
        {
            PEER: lambda: softmax(scores, axis=-1),
            **{name: lambda engine=engine: engine.apply(scores) for name, engine in written.items()},
            COPY: lambda: np.copyto(copy, scores),
        },
        rounds=rounds,
        budget=60.0,
    )
    progress("every amplifier")
    loudest = written["match lines and columns with 15 % noise"]
    drawn = in_turns({DRAWN: amplifier_by_amplifier(loudest, few)}, rounds=3, budget=20.0)[DRAWN].seconds / few.size
    each = {name: timed.seconds / scores.size for name, timed in found.items()} | {DRAWN: drawn}
    table = []
    for name, seconds in each.items():
        ratio, line = seconds / each[PEER], lines.get(name)
        milli = 1e3 * seconds * scores.size
        slow = ", missed" if line and milli > 1e3 * SEQUENCE_SECONDS else ""
        table.append(
            (
                name,
                f"{1e9 * seconds:.2f}" if seconds < 1e-7 else f"{1e9 * seconds:.0f}",
                f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}",
                target(ratio, line.most if line else None),
                (f"{milli:.1f}" if milli < 1000 else f"{milli:.0f}") + slow,
                f"{1e6 * single[name].seconds:.0f}" if name in single else "-",
                f"{1e3 * writing[name].seconds:.0f}" if name in writing else "-",
            )
        )
    sys.stdout.write(f"{conditions()}\n\n")
    show(
        f"{ROWS} vectors of {LENGTH} scores, median CPU time of {rounds} turns; a sequence is asked for in less than "
        f"{1e3 * SEQUENCE_SECONDS:.0f} ms",
        HEADINGS,
        table,
    )


if __name__ == "__main__":
    main()
