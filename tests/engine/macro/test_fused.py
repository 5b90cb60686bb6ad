"""One kernel for rows that are on or off: the currents and codes of the other path, on any number of threads."""

import numpy as np
import pytest
from helpers.macros import (
    HEAVY_WIRES,
    NOISY,
    NORMAL,
    PATHS,
    SCHEMES,
    TILES,
    WIRES,
    integer_problem,
    noisy,
    problem,
    programmed,
    recorded,
)
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.cell.device import DeviceSpec
from rramsim.engine.macro import fused
from rramsim.engine.macro.programming import MacroSpec
from rramsim.threads import limit_threads, run_slices, thread_count


class TestTwoPaths:
    """Rows that are on or off go through one kernel; the other path must see the same currents."""

    def both(self, monkeypatch, w, x, **fields):
        both = []
        for on_or_off in (True, False):
            if not on_or_off:
                monkeypatch.setattr(MacroSpec, "on_or_off", False)
            macro = programmed(w, 7, **fields)
            both.append((*recorded(macro, x, 5), macro.converters.step_ampere))
        return both

    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_lossless_codes_are_the_same_bits(self, monkeypatch, scheme):
        device = DeviceSpec() if SCHEMES[scheme]["weight_coding"] != "differential" else DeviceSpec(g_min_siemens=2e-6)
        _, w = integer_problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        one, other = self.both(
            monkeypatch,
            w,
            x,
            device=device,
            adc={"bits": 8, "full_scale_from": "lossless"},
            tile_rows=7,
            tile_columns=9,
            **SCHEMES[scheme],
        )
        assert_array_equal(one[0].values, other[0].values)
        assert_allclose(one[0].values, x @ w, atol=1e-9)
        assert_array_equal(one[1]["adc_code"], other[1]["adc_code"])

    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize(
        "errors",
        [
            {"gain_spread": 0.03, "offset_spread_lsb": 0.7, "columns": 3},
            {"capacitor_mismatch": 0.1, "noise_lsb": 0.5, "columns": 2},
        ],
    )
    def test_the_same_currents(self, monkeypatch, scheme, errors):
        """With noise, wires, converters of all kinds of errors, drivers of unequal levels: to single precision.

        Codes are the same but where a current lies on a transition.
        """
        _, w = integer_problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        fields = {
            "device": DeviceSpec(**noisy(**NORMAL).model_dump() | {"programming": {"spread_siemens": 1e-6}}),
            "wires": HEAVY_WIRES,
            "adc": SarAdcSpec(bits=6, **errors),
            "dac": DacSpec(level_spread=0.05),
            "tile_rows": 16,
            "tile_columns": 16,
        }
        one, other = self.both(monkeypatch, w, x, **fields, **SCHEMES[scheme])
        steps = one[2][0]
        assert_allclose(one[1]["column_current"], other[1]["column_current"], rtol=1e-5, atol=1e-3 * steps)
        differ = one[1]["adc_code"] != other[1]["adc_code"]
        assert differ.mean() < 2e-3
        assert np.abs(one[1]["adc_code"] - other[1]["adc_code"]).max() <= 1
        equal = (one[0].values == other[0].values).mean()
        assert equal > 0.97
        assert abs(one[0].errors["adc_saturation"] - other[0].errors["adc_saturation"]) <= 1

    def test_a_saturating_accumulator(self, monkeypatch):
        _, w = integer_problem(20, 5)
        x = np.random.default_rng(1).integers(-3, 4, (40, 20))
        adc = {"bits": 9, "full_scale_from": "lossless"}
        one, other = self.both(monkeypatch, w, x, adc=adc, accumulator_bits=7)
        assert_array_equal(one[0].values, other[0].values)
        assert (one[0].values != x @ w).any()


class TestThreads:
    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("path", PATHS)
    def test_work_on_any_number_of_threads(self, path, monkeypatch):
        """Bit for bit; several blocks of columns, and no work too small for a thread."""
        x, w = problem(n_out=40)
        monkeypatch.setattr(fused, "run_slices", lambda work, count, threads: run_slices(work, count, thread_count()))
        spec, results = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]}), []
        for threads in (1, 3):
            with limit_threads(threads):
                results.append(spec.program(w, rng=2).apply(x[:5], rng=5))
        assert_array_equal(results[0].values, results[1].values)
        assert results[0].errors == results[1].errors
