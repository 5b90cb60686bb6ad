"""How fast the softmax engine is replayed beside SciPy's softmax: ``python tests/benchmarks/softmax.py``.

One sequence of BERT-base at length 128: 12 layers of 12 heads, 128 rows of 128 scores, normal with a standard deviation
of 3, in single precision. One thread, CPU time, medians, the methods in turns; a table in Markdown goes to the standard
output.
"""

import os

if __name__ == "__main__":
    # Before numpy loads its libraries: one thread.
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"

import argparse
import platform
import sys
import time

import numpy as np
from scipy.special import softmax
from timing import in_turns, progress

import rramsim as rs

ROWS, LENGTH = 12 * 12 * 128, 128
FORMAT = rs.FixedPointSpec(integer_bits=6, fraction_bits=3)
WIRES = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, driver_ohm=1.0, sense_ohm=1.0)
ADC = rs.SarAdcSpec(bits=6, full_scale_from="lossless")
CELLS = "rram-winbond-90nm, banks of 64, 1 ohm"
SEQUENCE_SECONDS = 0.05
"""What a sequence may take."""


def engines():
    """Name of a line, written engine, and most times of SciPy that it may take (None: no target)."""
    real = {"format": FORMAT, "device": rs.device("rram-winbond-90nm"), "wires": WIRES}
    cam = rs.SoftmaxSpec(**real).program(rng=1).cam_sub
    # A share of the smallest current of one differing bit, as the share of the full signal that SenseSpec takes.
    unit = cam.margin_currents()[1].min() / cam.full_signal

    def noisy(share, **changes):
        return rs.SoftmaxSpec(**real, sense=rs.SenseSpec(noise=share * unit), **changes)

    def everywhere(share, **changes):
        return noisy(share, column_sense=rs.SenseSpec(noise=share * unit), **changes)

    specs = [
        ("ideal cells", rs.SoftmaxSpec(format=FORMAT), 1.0),
        (CELLS, rs.SoftmaxSpec(**real), 1.0),
        ("match lines with 5 % noise", noisy(0.05), 1.5),
        ("match lines with 15 % noise", noisy(0.15), 3.0),
        ("all amplifiers with 5 % noise", everywhere(0.05), None),
        ("all amplifiers with 15 % noise", everywhere(0.15), None),
        ("no noise, 6-bit converters", rs.SoftmaxSpec(**real, sum_adc=ADC), None),
        ("all amplifiers with 15 % noise, 6-bit converters", everywhere(0.15, sum_adc=ADC), None),
    ]
    return [(name, spec.program(rng=1), most) for name, spec, most in specs]


def amplifier_by_amplifier(engine, rows=64):
    """One normal number for each amplifier of each search and read, in NumPy; seconds for so many vectors."""
    codes = engine.spec.format.encode(np.random.default_rng(0).normal(0, 3, rows * LENGTH)).ravel()
    first, second = engine.cam_sub.match_currents(), engine.cam_exp.match_currents()
    n_columns, rng = 2 * FORMAT.bits + engine.spec.lut_bits, np.random.default_rng(1)
    start = time.process_time()
    for part in np.split(codes, rows):
        for current in (first[part], second[part % len(second)]):
            (current + 1e-7 * rng.standard_normal(current.shape) < 1e-6).sum()
        rng.standard_normal((LENGTH, n_columns))
    return (time.process_time() - start) / (rows * LENGTH)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each method (default: %(default)s)")
    rounds = parser.parse_args().rounds
    scores = np.random.default_rng(0).normal(0, 3, (ROWS, LENGTH)).astype(np.float32)
    progress("compiling")
    started = time.process_time()
    lines = engines()
    for _, engine, _ in lines:
        engine.apply(scores)
    progress(f"engines written, and compiled into tables, in {time.process_time() - started:.1f} s")
    methods = {"scipy.special.softmax": lambda: softmax(scores, axis=-1)}
    methods |= {name: lambda engine=engine: engine.apply(scores) for name, engine, _ in lines}
    copy = np.empty_like(scores)
    methods["reading and writing the numbers"] = lambda: np.copyto(copy, scores)
    timings = in_turns(methods, rounds=rounds, budget=60.0)
    base, most = timings["scipy.special.softmax"].seconds, {name: target for name, _, target in lines}
    out = sys.stdout.write
    out(f"\nNumPy {np.__version__}, {platform.machine()}; {ROWS} vectors of {LENGTH}, one thread\n\n")
    out("| | ns an element | of SciPy's time | target | ms a sequence |\n|---|---|---|---|---|\n")
    for name, timed in timings.items():
        target = most.get(name)
        allowed = "" if target is None else f"{target:g}"
        ratio, milli = timed.seconds / base, 1e3 * timed.seconds
        out(f"| {name} | {1e9 * timed.seconds / scores.size:.2f} | {ratio:.2f} | {allowed} | {milli:.1f} |\n")
    slow = amplifier_by_amplifier(lines[3][1])
    sequence = slow * scores.size
    brute = f"{1e9 * slow:.0f} | {sequence / base:.0f} | | {1e3 * sequence:.0f}"
    out(f"| every amplifier drawn, in NumPy | {brute} |\n")
    one = in_turns({"one": lambda: lines[1][1].apply(scores[:1])}, rounds=rounds, budget=5.0)["one"].seconds
    out(f"\nOne vector alone: {1e6 * one:.0f} us.\n")
    slowest = max(timed.seconds for name, timed in timings.items() if name in most)
    out(f"Slowest sequence: {1e3 * slowest:.1f} ms, allowed {1e3 * SEQUENCE_SECONDS:.0f}.\n")


if __name__ == "__main__":
    main()
