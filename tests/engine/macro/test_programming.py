"""Writing macros: what is refused, streams, progress, forgotten cells, full scales from data."""

import numpy as np
import pytest
from helpers.macros import LEAKY, NOISY, PATHS, ROUGH, TILES, WIRES, codes_of, problem
from numpy.testing import assert_allclose, assert_array_equal
from reference import macro as oracle

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError
from rramsim.probe import ProbeRecorder
from rramsim.threads import limit_threads


class TestWeights:
    @pytest.mark.parametrize("w", [np.ones(3), np.ones((0, 3)), np.array([[1.0, np.nan]]), np.array([[np.inf]])])
    def test_weights_that_do_not_fit(self, w):
        with pytest.raises(SpecError, match=r"finite numbers of shape \(\.\.\., n_in, n_out\)"):
            MacroSpec().program(w, rng=0)


class TestStreams:
    def test_same_seed_same_chip(self):
        x, w = problem(3, 20, 6)
        spec = MacroSpec(device=ROUGH, tile_rows=8, tile_columns=16)
        assert_array_equal(spec.program(w, rng=1)(x, rng=0), spec.program(w, rng=1)(x, rng=0))
        assert (spec.program(w, rng=1)(x, rng=0) != spec.program(w, rng=2)(x, rng=0)).any()

    def test_tiles_differ(self):
        """Equal weights in different tiles get errors of their own."""
        macro = MacroSpec(device=ROUGH, tile_rows=4, tile_columns=8).program(np.ones((8, 2)), rng=0)
        g = [tile.array.cells.g for row in macro.rows for tile in row.tiles]
        assert len(g) == 4
        assert all((g[0] != other).any() for other in g[1:])

    def test_more_outputs_leave_the_other_tiles_alone(self):
        w = problem(1, 8, 6)[1]
        spec = MacroSpec(device=ROUGH, tile_rows=4, tile_columns=16)
        ranges = MacroRanges(weights=np.abs(w).max())
        few, many = spec.program(w[:, :4], ranges=ranges, rng=1), spec.program(w, ranges=ranges, rng=1)
        for r in range(2):
            for c in range(2):
                assert_array_equal(few.rows[r].tiles[c].array.cells.g, many.rows[r].tiles[c].array.cells.g)


class TestProgress:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_progress_is_told_of_every_tile(self, threads, capsys):
        """In their order, and nothing is printed; 3 by 3 tiles."""
        x, w = problem(3, 20, 6)
        spec, told = MacroSpec(device=ROUGH, tile_rows=8, tile_columns=16), []
        with limit_threads(threads):
            macro = spec.program(w, progress=lambda *news: told.append(news), rng=1)
        assert told == [(n, 9) for n in range(1, 10)]
        assert_array_equal(macro(x, rng=0), spec.program(w, rng=1)(x, rng=0))
        assert capsys.readouterr() == ("", "")


class TestForgottenCells:
    @pytest.mark.parametrize("path", [path for path in PATHS if path != "cells"])
    def test_products_are_the_same(self, path):
        x, w = problem()
        spec = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]})
        whole, forgotten = spec.program(w, rng=0), spec.program(w, keep_cells=False, rng=0)
        one, other = (macro.apply(x, probe=ProbeRecorder(), rng=5) for macro in (whole, forgotten))
        assert_array_equal(other.values, one.values)
        assert other.activity == one.activity
        assert other.errors == one.errors
        assert forgotten.write_activity == whole.write_activity

    def test_what_needs_them_says_so(self):
        x, w = problem()
        macro = MacroSpec(**TILES).program(w, keep_cells=False, rng=0)
        for ask in (lambda: macro.at(1.0), lambda: macro.column_currents(x), lambda: macro.newton_cost(1)):
            with pytest.raises(SpecError, match="programmed with keep_cells=False, so its cells are gone"):
                ask()


class TestRange:
    def test_calibrated_needs_a_calibration(self):
        spec = MacroSpec(adc=SarAdcSpec(full_scale_from="calibrated"))
        with pytest.raises(SpecError, match=r"needs ranges with current_ampere; find them with MacroSpec\.calibrate"):
            spec.program(np.ones((3, 4)), rng=0)
        assert (
            spec.program(np.ones((3, 4)), ranges=MacroRanges(current_ampere=1e-5), rng=0).ranges.current_ampere == 1e-5
        )

    def test_full_scale_covers_the_calibration_inputs(self):
        x, w = problem(50, 30, 8)
        spec = MacroSpec(adc=SarAdcSpec(bits=8, full_scale_from="calibrated"), tile_rows=16)
        ranges = spec.calibrate(w, x)
        assert ranges.inputs == np.abs(x).max()
        assert ranges.weights == np.abs(w).max()
        macro = spec.program(w, ranges=ranges, rng=0)
        x_codes, _, _ = codes_of(spec, x, w, ranges)
        slow = oracle.read_macro(macro, x_codes[:3])
        largest = np.abs(macro.column_currents(x)).max()
        assert ranges.current_ampere == pytest.approx(largest)
        assert max(map(abs, slow.currents.values())) <= ranges.current_ampere * (1 + 1e-12)
        assert macro.apply(x, rng=0).errors == {"adc_saturation": 0}
        # A finer step than that of an array whose cells all conduct most.
        full = spec.but({"adc": SarAdcSpec(bits=8)}).program(w, ranges=MacroRanges(ranges.inputs), rng=0)
        assert np.std(macro(x, rng=0) - x @ w) < 0.7 * np.std(full(x, rng=0) - x @ w)

    def test_saturation_is_counted(self):
        x, w = problem(20, 30, 8)
        spec = MacroSpec(adc=SarAdcSpec(bits=6, full_scale_from="calibrated", coverage=0.9), tile_rows=16, device=LEAKY)
        ranges = spec.calibrate(w, x)
        macro = spec.program(w, ranges=ranges, rng=0)
        done = macro.apply(x, rng=0)
        x_codes, _, _ = codes_of(spec, x, w, ranges)
        slow = oracle.read_macro(macro, x_codes)
        assert abs(done.errors["adc_saturation"] - slow.saturated) <= len(slow.near)
        # By definition about a tenth lies beyond full scale; codes reach half a step further.
        n_conversions = 20 * 8 * 8 * 4 * 2
        assert 0.02 * n_conversions < done.errors["adc_saturation"] < 0.1 * n_conversions

    def test_coverage_of_inputs(self):
        x, w = problem(500, 30, 8)
        ranges = MacroSpec().calibrate(w, x, coverage=0.9)
        assert np.mean(np.abs(x) <= ranges.inputs) == pytest.approx(0.9, abs=1e-3)
        assert ranges.current_ampere is None

    def test_calibration_sees_no_errors(self):
        """Full scales are found on ideal cells: the same for every chip."""
        x, w = problem(10, 30, 8)
        adc = SarAdcSpec(full_scale_from="calibrated")
        rough = MacroSpec(device=ROUGH, wires=WIRES, adc=adc).calibrate(w, x)
        assert rough == MacroSpec(device=LEAKY, adc=adc).calibrate(w, x)

    def test_calibration_on_nothing_but_zeros(self):
        """A matrix of zeros has no currents; its macro gives zeros."""
        spec = MacroSpec(adc=SarAdcSpec(full_scale_from="calibrated"))
        x = np.ones((2, 3))
        macro = spec.program(np.zeros((3, 4)), ranges=spec.calibrate(np.zeros((3, 4)), x), rng=0)
        assert_array_equal(macro(x, rng=0), np.zeros((2, 4)))

    def test_fixed_input_range_saturates_inputs(self):
        macro = MacroSpec().program(np.eye(2), ranges=MacroRanges(inputs=1.0), rng=0)
        assert_allclose(macro([[5.0, -0.5]], rng=0), [[1.0, -64 / 127]], rtol=1e-12)

    @pytest.mark.parametrize(
        ("ranges", "wanted"),
        [
            (MacroRanges(inputs=-1.0), r"inputs is a full scale, a finite number above 0; got -1\.0"),
            (MacroRanges(inputs=np.nan), "inputs is a full scale.*got nan"),
            (MacroRanges(weights=np.inf), "weights is a full scale, a finite number above 0, or 4 of them.*got inf"),
            (MacroRanges(weights=np.ones(3)), r"weights is a full scale.*4 of them, one for each output; got \[1\.0"),
            (MacroRanges(current_ampere=0.0), "current_ampere is a full scale"),
            (MacroRanges(current_ampere=np.ones(4)), "current_ampere is a full scale"),
        ],
    )
    def test_full_scales_that_are_none(self, ranges, wanted):
        with pytest.raises(SpecError, match=wanted):
            MacroSpec().program(np.ones((3, 4)), ranges=ranges, rng=0)

    @pytest.mark.parametrize(
        ("inputs", "coverage", "wanted"),
        [
            (np.ones((2, 5)), 1.0, r"inputs have the shape \(\.\.\., 3\); got \(2, 5\)"),
            ([[1.0, np.nan, 0.0]], 1.0, "finite"),
            (np.ones((0, 3)), 1.0, "some inputs"),
            (np.ones((2, 3)), 0.0, "coverage = 0"),
            (np.ones((2, 3)), 1.5, "coverage = 1.5"),
        ],
    )
    def test_calibration_on_what_is_none(self, inputs, coverage, wanted):
        with pytest.raises(SpecError, match=wanted):
            MacroSpec().calibrate(np.ones((3, 4)), inputs, coverage=coverage)

    def test_ranges_of_channels(self):
        x, w = problem(20, 30, 3)
        spec = MacroSpec(weight_scale_per="channel", adc=SarAdcSpec(full_scale_from="calibrated"))
        ranges = spec.calibrate(w, x)
        assert_array_equal(ranges.weights, np.abs(w).max(axis=0))
        assert spec.program(w, ranges=ranges, rng=0)(x, rng=0).shape == (20, 3)
