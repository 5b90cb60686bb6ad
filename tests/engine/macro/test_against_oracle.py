"""The macro against a slow one that takes one cell at a time, against nodal analysis and ngspice."""

import numpy as np
import pytest
from helpers.macros import LEAKY, ROUGH, SCHEMES, WIRES, codes_of, problem, recorded
from helpers.peers import run_ngspice
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle
from reference import network

from rramsim.array.adc.pipeline import PipelineAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.array.network import Network
from rramsim.array.wires import WireSpec
from rramsim.engine.macro.programming import MacroSpec

CONVERTERS = {
    "plain": SarAdcSpec(bits=6),
    "own errors": SarAdcSpec(
        bits=6, columns=3, gain_spread=0.03, offset_spread_lsb=0.7, gain_error=-0.02, offset_lsb=0.2
    ),
    "capacitors": SarAdcSpec(bits=6, columns=2, capacitor_mismatch=0.08),
    "widths": SarAdcSpec(bits=7, dnl_spread_lsb=0.3, inl_lsb=(0.0, 1.5, 0.0)),
    "pipeline": PipelineAdcSpec(bits=6, stage_gain_spread=0.03, comparator_spread_lsb=4.0),
    "none": None,
}


WAYS = {
    "bit-serial": {},
    "levels": {"dac": DacSpec(bits=2, level_spread=0.05, inl_lsb=(0.0, 0.1, 0.0))},
    "both polarities": {"dac": DacSpec(bits=1, bipolar=True)},
    "drivers": {"dac": DacSpec(level_spread=0.05)},
    "analog": {"accumulate": "analog"},
    "saturating": {"accumulator_bits": 9},
    "no sign": {"signed_inputs": False},
    "cells beyond": {"unused_cells": "low"},
    "lines beyond": {"unused_cells": "open"},
}


SMALL = {"device": ROUGH, "wires": WIRES, "tile_rows": 6, "tile_columns": 13, "input_bits": 4, "weight_bits": 5}


def compare(spec, seed=0, shape=(2, 10, 4)):
    """All integers of a macro against the oracle, and how many of them a near tie leaves open."""
    x, w = problem(*shape, seed=seed, signed=spec.signed_inputs)
    macro = spec.program(w, rng=3)
    x_codes, _, unit = codes_of(spec, x, w)
    slow, done = oracle.read_macro(macro, x_codes), macro.apply(x, rng=0)
    gap = np.abs(done.values / unit - slow.integers)
    scale = np.abs(slow.integers).max() + 1
    assert (gap <= np.array(slow.allowance) * 1.001 + 2e-6 * scale).all()
    if spec.adc:
        assert len(slow.near) <= 0.02 * len(slow.codes) + 1
        assert abs(done.errors["adc_saturation"] - slow.saturated) <= len(slow.near)
    return macro, x, slow


class TestAgainstTheOracle:
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("converter", CONVERTERS)
    def test_schemes_and_converters(self, scheme, converter):
        compare(MacroSpec(**SMALL, **SCHEMES[scheme], adc=CONVERTERS[converter]))

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("scheme", ["differential", "separate", "flip and unit column"])
    def test_ways_to_drive_and_to_add_up(self, scheme, way):
        compare(MacroSpec(**SMALL | SCHEMES[scheme] | {"adc": SarAdcSpec(bits=7)} | WAYS[way]), seed=1)

    @pytest.mark.parametrize(
        ("input_bits", "weight_bits", "cell_bits", "adc_bits"),
        [(4, 5, 2, 4), (8, 8, 2, 6), (6, 8, 3, 8), (3, 4, 1, 10), (5, 9, (3, 1, 4), 9), (4, 9, 8, 12)],
    )
    def test_widths(self, input_bits, weight_bits, cell_bits, adc_bits):
        fields = {"input_bits": input_bits, "weight_bits": weight_bits, "cell_bits": cell_bits}
        compare(
            MacroSpec(device=ROUGH, wires=WIRES, adc=SarAdcSpec(bits=adc_bits), tile_rows=6, tile_columns=17, **fields)
        )

    def test_codes_that_a_probe_sees(self):
        spec = MacroSpec(device=ROUGH, wires=WIRES, adc=SarAdcSpec(bits=6), tile_rows=6, tile_columns=17, input_bits=5)
        macro, x, slow = compare(spec)
        _, signals = recorded(macro, x)
        for (n, k, r, j, s, _), code in slow.codes.items():
            if r == 0:
                current = slow.currents[n, k, r, j, s, 0]
                assert signals["column_current"][k, n, j, s] == pytest.approx(current, rel=1e-5, abs=1e-10)
                if (n, k, r, j, s, 0) not in slow.near:
                    assert signals["adc_code"][k, n, j, s] == code

    def test_currents_are_those_of_the_nodal_oracle(self):
        """The product is that of the matrices which dense nodal analysis finds for each tile's cells."""
        spec = MacroSpec(device=LEAKY, wires=WIRES, tile_rows=5, tile_columns=16, cell_bits=4, weight_bits=5)
        x, w = problem(4, 9, 10)
        macro = spec.program(w, rng=2)
        ohm = WIRES.model_dump()
        x_codes, _, unit = codes_of(spec, x, w)
        expected = 0.0
        for row in macro.rows:
            lossy = [network.transconductance(tile.array.cells.g, **ohm) for tile in row.tiles]
            matrix = np.concatenate([t[:, 0::2] - t[:, 1::2] for t in lossy], axis=1)
            expected = expected + x_codes[:, 5 * row.number : 5 * row.number + 5] @ matrix
        assert_allclose(macro(x, rng=0), expected / spec.unit_siemens[0] * unit, rtol=1e-10, atol=1e-12)
        ideal = spec.but({"wires": WireSpec()}).program(w, rng=2)
        assert np.abs(macro(x, rng=0) - ideal(x, rng=0)).max() > 1e-3

    @pytest.mark.ngspice
    def test_a_pulse_in_ngspice(self, tmp_path):
        """The circuit simulator's currents of one tile and pulse, through the converter, are the codes."""
        spec = MacroSpec(device=ROUGH, wires=WIRES, adc=SarAdcSpec(bits=7), tile_rows=8, tile_columns=16, input_bits=3)
        x, w = problem(1, 8, 2)
        macro = spec.program(w, rng=4)
        _, signals = recorded(macro, x)
        pulse = codes_of(spec, x, w)[0][0] & 1
        volt = spec.read_volt * pulse
        net = Network(macro.rows[0].tiles[0].array.cells.g, WIRES)
        printed = run_ngspice(net.to_spice(volt), tmp_path)
        current = np.array([printed[f"i_{j}"] for j in range(net.n_outputs)])
        pairs = (current[0::2] - current[1::2]).reshape(2, -1)
        assert_allclose(signals["column_current"][0, 0], pairs, rtol=1e-5, atol=1e-11)
        codes = np.clip(np.rint(pairs / macro.converters.step_ampere), -64, 63)
        assert_array_equal(signals["adc_code"][0, 0], codes)
