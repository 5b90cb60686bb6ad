"""Macros to test: cells, wires, tiles, schemes; problems in numbers and in integers; outputs known beforehand."""

import numpy as np

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.spread import GaussianSpreadSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.mapping import quantize
from rramsim.engine.macro.programming import MacroSpec
from rramsim.probe import ProbeRecorder

Z = 4.5
"""A single standard score is beyond it by chance with a probability of 7e-6, one of N in 7e-6 N of all cases."""

WINDOW = {"g_min_siemens": 2e-6, "g_max_siemens": 50e-6}
LEAKY = DeviceSpec(**WINDOW)
ROUGH = DeviceSpec(
    **WINDOW,
    programming=GaussianSpreadSpec(spread_siemens=(0.5e-6, 2e-6)),
    stuck=StuckSpec(on_fraction=0.02, off_fraction=0.05),
)
NOISY = DeviceSpec(**WINDOW, programming={"spread_siemens": 1e-6}, read_noise={"relative_deviation": 0.05})
SKEW = NOISY.but({"read_noise": ReadNoiseSpec(law="lognormal", relative_deviation=0.3)})
NORMAL = {"relative_deviation": 0.08}
LOGNORMAL = {"law": "lognormal", "relative_deviation": 0.6}

WIRES = WireSpec(word_line_ohm=5.0, bit_line_ohm=3.0, driver_ohm=200.0, sense_ohm=100.0)
HEAVY_WIRES = WireSpec(word_line_ohm=80.0, bit_line_ohm=80.0, driver_ohm=80.0, sense_ohm=80.0)
FINE = SarAdcSpec(bits=14, full_scale_from="fixed", full_scale_ampere=3e-4)
"""Steps of 0.2 uS at 0.2 V: far below the noise of these cells."""

TILES = {"tile_rows": 7, "tile_columns": 9, "input_bits": 3, "weight_bits": 4}
SCHEMES = {
    "differential": {"weight_coding": "differential"},
    "separate": {"weight_coding": "separate"},
    "offset": {"weight_coding": "offset"},
    "unit column": {"weight_coding": "offset", "offset_from": "unit column"},
    "flip": {"weight_coding": "offset", "invert_heavy_columns": True},
    "flip and unit column": {"weight_coding": "offset", "invert_heavy_columns": True, "offset_from": "unit column"},
}
PATHS = {
    "fused": {"adc": SarAdcSpec(bits=6, noise_lsb=0.3)},
    "skew": {"adc": SarAdcSpec(bits=6), "device": SKEW},
    "levels": {"adc": SarAdcSpec(bits=6), "dac": DacSpec(bits=2, noise=0.02, level_spread=0.02)},
    "analog": {"adc": SarAdcSpec(bits=6, noise_lsb=0.3), "accumulate": "analog"},
    "cells": {"adc": SarAdcSpec(bits=6), "noise_model": "cells"},
    "unit column": {"weight_coding": "offset", "offset_from": "unit column"},
    "ideal converter": {},
}
"""Fields of macros that read their tiles in different ways."""


def noisy(**noise):
    """Cells with read noise."""
    return DeviceSpec(**WINDOW, read_noise=noise)


def trapped(tau=1e-12, **noise):
    """Cells each with a trap, filled 0.3 of the time, which takes 0.2 of its conductance."""
    trap = {"trap_share": 1.0, "amplitude": 0.2, "occupancy": 0.3, "correlation_second": tau}
    return DeviceSpec(**WINDOW, telegraph=trap, read_noise=noise)


def problem(n_vectors=23, n_in=12, n_out=4, seed=0, *, leading=(), signed=True):
    """Numbers: input vectors and weights, these with leading axes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_vectors, n_in)) if signed else rng.random((n_vectors, n_in))
    return x, rng.normal(size=(*leading, n_in, n_out))


def codes_of(spec, x, w, ranges=None):
    """Integer inputs and weights, and what one unit of their product stands for."""
    ranges = ranges or MacroRanges()
    full_scale = np.abs(x).max(axis=-1, keepdims=True) if ranges.inputs is None else ranges.inputs
    x_codes, x_step = quantize(x, spec.input_bits, full_scale, signed=spec.signed_inputs)
    largest = np.abs(w).max(axis=0) if spec.weight_scale_per == "channel" else np.abs(w).max()
    w_codes, w_step = quantize(w, spec.weight_bits, largest)
    return x_codes, w_codes, x_step * w_step


def integer_problem(n_in=12, n_out=4, seed=0, *, input_bits=3, weight_bits=4):
    """Integers: one input vector and weights."""
    rng = np.random.default_rng(seed)
    top = [2 ** (bits - 1) - 1 for bits in (input_bits, weight_bits)]
    return rng.integers(-top[0], top[0] + 1, n_in), rng.integers(-top[1], top[1] + 1, (n_in, n_out))


def programmed(w, rng=0, **fields):
    """A macro whose steps of inputs and weights are 1, so that it gives integers."""
    spec = MacroSpec(**{"input_bits": 3, "weight_bits": 4, "tile_rows": 64, **fields})
    tops = [2 ** (spec.input_bits - spec.signed_inputs) - 1, 2 ** (spec.weight_bits - 1) - 1]
    return spec.program(w, ranges=MacroRanges(inputs=float(tops[0]), weights=float(tops[1])), rng=rng)


def many(macro, x, n, rng=1):
    """Outputs of one vector, given n times."""
    return macro(np.broadcast_to(x, (n, x.size)), rng=rng)


def recorded(macro, x, rng=0):
    """The result of a macro, and the signals that it offers meanwhile, by name."""
    recorder = ProbeRecorder()
    result = macro.apply(x, probe=recorder, rng=rng)
    return result, {name: values for name, (values, _) in recorder.signals.items()}


def integers_per_code(macro):
    """What codes, or currents in steps, of each pulse and slice count in the result of one row of tiles."""
    spec = macro.spec
    pulses = spec.pulse_weights.astype(float)
    if spec.accumulate == "analog":
        pulses = np.abs(pulses).sum(keepdims=True)
    slices = 2.0 ** np.cumsum((0, *spec.widths[:-1]))
    return np.multiply.outer(pulses, slices * macro.converters.step_ampere / (spec.step_volt * spec.unit_siemens))


def cumulants_by_hand(macro, x):
    """Mean, variance and third cumulant of the integers (n_out,) of one vector, from the cells of every tile.

    For pairs of lines; sums over tiles, pulses, rows, slices and lines of what each cell contributes.
    """
    spec, cumulants = macro.spec, np.zeros((3, macro.shape[-1]))
    weight = 2.0 ** np.cumsum((0, *spec.widths[:-1])) / spec.unit_siemens
    for row in macro.rows:
        for c, tile in enumerate(row.tiles):
            outputs = np.flatnonzero(row.tile_of_output == c)
            third = tile.array.noise_third
            third = np.zeros(tile.array.g.shape) if third is None else third
            for k, values in enumerate((tile.array.transconductance, tile.array.noise_variance, third)):
                cells = values[: tile.n_rows, : outputs.size * weight.size * 2]
                cells = cells.reshape(tile.n_rows, outputs.size, weight.size, 2)
                lines = cells[..., 0] + (-1) ** (k + 1) * cells[..., 1]
                first = row.number * spec.tile_rows
                for pulse in spec.pulses(x[first : first + tile.n_rows]):
                    driven = (pulse.weight * pulse.levels.astype(float)) ** (k + 1)
                    cumulants[k, outputs] += np.einsum("i,ios,s->o", driven, lines, weight ** (k + 1))
    return cumulants


def standard_scores(samples, expected):
    """Standard scores (3, n_out) of the first three central moments of samples (n, n_out)."""
    centred = samples - expected[0]
    powers = [centred, centred**2, centred**3]
    moments = [np.zeros(samples.shape[1]), expected[1], expected[2]]
    root = np.sqrt(len(samples))
    return np.array([(p.mean(axis=0) - m) / p.std(axis=0) * root for p, m in zip(powers, moments, strict=True)])
