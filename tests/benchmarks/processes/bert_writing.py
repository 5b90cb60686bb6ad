"""How long rramsim writes the weights of layers of BERT-base: a line of JSON; on Linux, for the peak memory.

Arguments: layers, ohm of a segment.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

import rramsim as rs

SHAPES = [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
"""Matrices of a layer."""


def spec(wires):
    return rs.MacroSpec(
        device=rs.device("rram-wan-2022"), wires=wires, adc=rs.SarAdcSpec(bits=8), tile_rows=128, tile_columns=128
    )


def peak_mebibytes():
    """Largest memory so far; getrusage would count the process that started this one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def write(rng, shape, wires, seed, **options):
    """Seconds, bytes of the currents and of the variances, and tiles of one matrix of random weights."""
    w = rng.standard_normal(shape)
    start = time.perf_counter()
    macro = spec(wires).program(w, keep_cells=False, rng=seed, **options)
    columns = [row.columns for row in macro.rows]
    planes = [c.per_level for c in columns], [c.variance for c in columns]
    sizes = [sum(plane.nbytes for plane in values if plane is not None) for values in planes]
    return time.perf_counter() - start, sizes, macro.n_tiles


def write_with_bar(rng, shape, wires, seed):
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("writing tiles")
        return write(
            rng, shape, wires, seed, progress=lambda written, tiles: bar.update(task, completed=written, total=tiles)
        )


def main():
    layers, ohm = int(sys.argv[1]), float(sys.argv[2])
    wires = rs.WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm)
    rng = np.random.default_rng(0)
    write(rng, (128, 128), wires, 0)  # compiles, or loads
    plain = write(rng, SHAPES[0], rs.WireSpec(), 0)[0]
    out = {"before": peak_mebibytes(), "plain": plain, "layers": [], "bytes": [0, 0], "tiles": 0, "peaks": []}
    started = time.process_time()
    for layer in range(layers):
        matrices = [write_with_bar(rng, shape, wires, 6 * layer + k) for k, shape in enumerate(SHAPES)]
        seconds, sizes, tiles = zip(*matrices, strict=True)
        out.setdefault("first", seconds[0])
        out["bytes"] = [sum(values) for values in zip(out["bytes"], *sizes, strict=True)]
        out["tiles"] += sum(tiles)
        out["layers"].append(sum(seconds))
        out["peaks"].append(peak_mebibytes())
    out["cpu"] = time.process_time() - started
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
