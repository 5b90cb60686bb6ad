"""How fast aihwkit writes cells with the spread of Wan et al. 2022: a line of JSON, for an interpreter with aihwkit.

Arguments: cells, rounds, cells of a piece.
"""

import json
import sys
from importlib.metadata import version

import torch
from aihwkit.inference import ReRamWan2022NoiseModel
from cpu_median import cpu_median


def main():
    torch.set_num_threads(1)
    n, rounds, piece = (int(word) for word in sys.argv[1:])
    model = ReRamWan2022NoiseModel(g_max=40.0)  # without it, the coefficients count from 25 uS
    noise = model.apply_programming_noise_to_conductance
    out = {"version": version("aihwkit"), "torch": torch.__version__}
    for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        g = torch.rand(n, dtype=dtype) * 39 + 1
        out[name] = cpu_median(lambda g=g: noise(g), rounds)
        out[f"{name} in pieces"] = cpu_median(lambda g=g: [noise(part) for part in g.split(piece)], rounds)
    out["sigma"] = float(noise(torch.full((1000000,), 20.0)).std())
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
