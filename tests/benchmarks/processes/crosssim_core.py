"""How fast a core of CrossSim takes the product of the macro: a line of JSON, for an interpreter with CrossSim.

Arguments: rows and columns of the matrix, vectors, rows and columns of a tile, rounds, ohm of a segment.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from cpu_median import cpu_median
from simulator import AnalogCore, CrossSimParameters
from simulator.parameters.core_parameters import BitSlicedCoreStyle, CoreStyle
from simulator.parameters.xbar_parameters import ADCRangeLimits


def core(w, rows, columns, device_model="RRAMWan", wires=0.0, noise=0.0):
    """A bit-sliced core whose tiles have so many rows and columns (0: all)."""
    p = CrossSimParameters()
    p.core.style, p.core.weight_bits, p.core.rows_max, p.core.cols_max = CoreStyle.BITSLICED, 8, rows, columns
    p.core.bit_sliced.style, p.core.bit_sliced.num_slices = BitSlicedCoreStyle.BALANCED, 4
    p.core.mapping.inputs.mvm.min, p.core.mapping.inputs.mvm.max = 0.0, 1.0
    dac, adc, device, lines = p.xbar.dac.mvm, p.xbar.adc.mvm, p.xbar.device, p.xbar.array.parasitics
    dac.model, dac.signed, dac.bits, dac.input_bitslicing, dac.slice_size = "QuantizerDAC", False, 8, True, 1
    adc.model, adc.signed, adc.bits, adc.adc_per_ibit = "SignMagnitudeADC", True, 8, True
    adc.adc_range_option, adc.calibrated_range = ADCRangeLimits.CALIBRATED, [[-32.0, 32.0]] * 4
    device.Rmin, device.Rmax, device.cell_bits = 1 / 39e-6, 1e6, 2
    write, read = device.programming_error, device.read_noise
    write.enable, write.model, write.magnitude = True, device_model, 0.04
    if wires:
        lines.disable_slices = [False] * 4  # its core asks for this, its parameters do not have it
        lines.enable, lines.Rp_row, lines.Rp_col = True, wires, wires
    if noise:
        read.enable, read.model, read.magnitude = True, "NormalProportionalDevice", noise
    return AnalogCore(w.T.copy(), p)


def main():
    size, batch, tile, rounds, ohm = (int(word) for word in sys.argv[1:])
    rng = np.random.default_rng(0)
    w = rng.standard_normal((size, size)).astype(np.float32)
    x = rng.random((size, batch)).astype(np.float32)
    exact = w.T @ x
    out = {"version": version("CrossSim"), "numpy": np.__version__}
    for model in ("RRAMWan", "NormalIndependentDevice"):
        whole, tiles = core(w, tile, 0, model), core(w, tile, tile, model)
        out[model] = {
            "dtype": str(whole.cores[0][0].W_balanced[0].dtype),
            "error": float(np.linalg.norm(whole.matmat(x) - exact) / np.linalg.norm(exact)),
            "rows": cpu_median(lambda core=whole: core.matmat(x), rounds),
            "tiles": cpu_median(lambda core=tiles: core.matmat(x), rounds),
        }
    for name, options in (("noise", {"noise": 0.01}), ("wires", {"wires": float(ohm)})):
        single = core(w, tile, tile, **options)
        start = time.process_time()
        single.matvec(x[:, 0])
        out[name] = time.process_time() - start
    a, b = rng.random((8 * batch, tile), dtype=np.float32), rng.random((tile, 4 * size), dtype=np.float32)
    c = np.empty((len(a), b.shape[1]), np.float32)
    out["sgemm"] = cpu_median(lambda: [np.matmul(a, b, out=c) for _ in range(size // tile)], rounds)
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
