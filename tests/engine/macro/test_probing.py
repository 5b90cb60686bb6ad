"""What a probe sees of a macro: shapes, units, and that codes and currents make up the result."""

import numpy as np
import pytest
from helpers.macros import NOISY, SCHEMES, SKEW, TILES, WIRES, integers_per_code, problem, recorded
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.array.adc.pipeline import PipelineAdcSpec
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.cell.device import DeviceSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.probe import ProbeRecorder

CONVERTERS = {
    "ideal": SarAdcSpec(bits=8),
    "coarse": SarAdcSpec(bits=4),
    "tables": SarAdcSpec(
        bits=5, capacitor_mismatch=0.2, gain_spread=0.1, offset_spread_lsb=0.5, columns=2, noise_lsb=0.3
    ),
    "pipeline": PipelineAdcSpec(bits=5, comparator_spread_lsb=0.4, stage_gain_spread=0.02, columns=1),
    None: None,
}


class TestProbe:
    @pytest.mark.thinned(7)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("adc", CONVERTERS)
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2)}, {"device": SKEW}])
    def test_signals(self, scheme, adc, fields):
        """Shapes, units, codes of the currents; and probing changes nothing."""
        x, w = problem(7)
        spec = MacroSpec(**{"device": NOISY, **TILES, **SCHEMES[scheme], "adc": CONVERTERS[adc], **fields})
        macro, recorder = spec.program(w, rng=0), ProbeRecorder()
        probed, plain = macro.apply(x, probe=recorder, rng=4), macro.apply(x, rng=4)
        assert_array_equal(probed.values, plain.values)
        assert (probed.activity, probed.errors) == (plain.activity, plain.errors)
        n_pulses = len(integers_per_code(macro))
        shape = (n_pulses, 7, 4, 2) + ((2,) if scheme == "separate" else ())
        assert set(recorder.signals) == ({"column_current", "adc_code"} if adc else {"column_current"})
        current, unit = recorder.signals["column_current"]
        assert (current.shape, unit) == (shape, "A")
        if adc:
            (codes, unit), built = recorder.signals["adc_code"], macro.converters.adc
            assert (codes.shape, codes.dtype, unit) == (shape, np.int16, "1")
            assert built.code_min <= codes.min() < codes.max() <= built.code_max
            if built.levels is None:
                steps = current / macro.converters.step_ampere[0]
                near = np.clip(np.rint(steps), built.code_min, built.code_max)
                assert_array_equal(codes, near)

    @pytest.mark.parametrize("scheme", ["differential", "separate"])
    @pytest.mark.parametrize("adc", CONVERTERS)
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2)}, {"device": SKEW}])
    def test_signals_make_up_the_result(self, scheme, adc, fields):
        """One row of tiles, three matrices with converters of their own: codes, or currents, weighed and added up."""
        rng = np.random.default_rng(3)
        x, w = rng.normal(size=(3, 2, 5, 7)), rng.normal(size=(3, 1, 7, 4))
        fields = {**TILES, **SCHEMES[scheme], "adc": CONVERTERS[adc], **fields}
        macro = MacroSpec(**fields).program(w, ranges=MacroRanges(1.0, 1.0), rng=0)
        result, signals = recorded(macro, x, 4)
        values = result.values / (macro.weight_step / 3)
        step = macro.converters.step_ampere.reshape(-1, *[1] * (scheme == "separate"))
        codes = signals["adc_code"].astype(float) if adc else signals["column_current"] / step
        if scheme == "separate":
            codes = codes[..., 0] - codes[..., 1]
        assert codes.shape[1:] == (3, 2, 5, 4, 2)
        if fields.get("device") is SKEW and not adc:
            return  # noise of the sum is drawn for the sum
        assert_allclose(np.einsum("pabvos,ps->abvo", codes, integers_per_code(macro)), values, rtol=1e-5, atol=1e-4)

    def test_a_single_vector(self):
        x, w = problem()
        _, signals = recorded(MacroSpec(adc=SarAdcSpec(bits=6), **TILES).program(w, rng=0), x[0])
        assert signals["adc_code"].shape == (3, 1, 4, 2)

    @pytest.mark.parametrize("scheme", ["differential", "separate", "offset"])
    @pytest.mark.parametrize("fields", [{}, {"accumulate": "analog"}, {"dac": DacSpec(bits=2, bipolar=True)}])
    def test_currents_for_a_calibration(self, scheme, fields):
        """All of one row of tiles, in any order; an ideal converter sees the same."""
        x, w = problem(7, n_in=7)
        macro = MacroSpec(wires=WIRES, adc=SarAdcSpec(bits=8), **TILES, **SCHEMES[scheme], **fields).program(w, rng=0)
        _, signals = recorded(macro, x)
        currents = np.sort(macro.column_currents(x))
        assert_allclose(currents, np.sort(signals["column_current"].ravel()), rtol=1e-5, atol=1e-12)

    def test_currents_of_one_cell_by_hand(self):
        """Level 3 of 3, 50 uS, 0.2 V: 10 uA in the pulses of the bits that are on; nothing else."""
        spec = MacroSpec(device=DeviceSpec(g_max_siemens=50e-6), input_bits=4, weight_bits=3, signed_inputs=False)
        _, signals = recorded(spec.program([[3.0, 0.0, -3.0]], ranges=MacroRanges(15.0, 3.0), rng=0), [[13.0]])
        bits = np.array([1.0, 0.0, 1.0, 1.0])
        assert_allclose(signals["column_current"][:, 0, :, 0], np.outer(bits, [1e-5, 0, -1e-5]), rtol=1e-6)
