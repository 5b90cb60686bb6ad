"""What a macro counts: uses, energy, parts and turns, each by hand."""

import numpy as np
import pytest
from helpers.macros import LEAKY, ROUGH, codes_of, problem

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.dac import DacSpec
from rramsim.array.network import Network
from rramsim.array.wires import WireSpec
from rramsim.cell.device import device
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec


class TestAccount:
    def test_activity_by_hand(self):
        """3 vectors, 10 x 5 weights of 2 slices, tiles of 4 rows and 3 outputs: 3 x 2 tiles."""
        spec = MacroSpec(
            device=ROUGH,
            adc=SarAdcSpec(bits=6),
            input_bits=4,
            weight_bits=5,
            tile_rows=4,
            tile_columns=13,
            read_volt=0.3,
            read_second=5e-9,
        )
        x, w = problem(3, 10, 5)
        macro = spec.program(w, rng=0)
        x_codes, _, _ = codes_of(spec, x, w)
        assert macro.n_tiles == 6
        joule = 0.0
        for vector in x_codes:
            for i, code in enumerate(vector):
                pulses = (int(code) & 0b1111).bit_count()
                for tile in macro.rows[i // 4].tiles:
                    joule += pulses * 0.3**2 * 5e-9 * tile.array.cells.g[i % 4].sum()
        activity = macro.apply(x, rng=0).activity
        # A conversion for every vector, input bit, row of tiles, output and slice.
        conversions = 3 * 4 * 3 * 5 * 2
        assert activity.total("adc_6b") == activity.total("sample_hold") == activity.total("shift_add") == conversions
        # A pulse or none for every vector, input bit, row and column of tiles.
        assert activity.total("dac_1b") == 3 * 4 * 10 * 2
        assert activity.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)
        without = spec.but({"adc": None}).program(w, rng=0).apply(x, rng=0).activity
        assert without.total("adc_6b") == 0
        assert without.total("cell_read_joule") == pytest.approx(joule, rel=1e-12)

    @pytest.mark.parametrize(
        ("fields", "channels", "conversions", "pulses"),
        [
            ({"weight_coding": "separate"}, 5 * 2 * 2, 4, 4),
            ({"weight_coding": "offset"}, 5 * 3, 4, 4),
            ({"weight_coding": "offset", "offset_from": "unit column"}, 5 * 3 + 2, 4, 4),
            ({"accumulate": "analog"}, 5 * 2, 1, 4),
            ({"dac": DacSpec(bits=2)}, 5 * 2, 3, 3),
            ({"dac": DacSpec(bits=3, bipolar=True)}, 5 * 2, 1, 1),
        ],
    )
    def test_activity_of_other_ways(self, fields, channels, conversions, pulses):
        """Channels of a row of tiles times vectors, 3 rows of tiles, and conversions; 2 columns of tiles."""
        columns = {"separate": 13, "offset": 10 if "offset_from" in fields else 9}.get(fields.get("weight_coding"), 13)
        spec = MacroSpec(
            adc=SarAdcSpec(bits=6), input_bits=4, weight_bits=5, tile_rows=4, tile_columns=columns, **fields
        )
        x, w = problem(3, 10, 5)
        macro = spec.program(w, rng=0)
        activity = macro.apply(x, rng=0).activity
        assert macro.converters.n_column_tiles == 2
        assert activity.total("adc_6b") == activity.total("shift_add") == 3 * 3 * channels * conversions
        assert activity.total("sample_hold") == 3 * 3 * channels * pulses
        assert activity.total(spec.dac.component) == 3 * pulses * 10 * 2
        assert macro.turns()["crossbar_read"] == pulses

    def test_energy_of_heights_and_lengths(self):
        """Half the height is a quarter of the energy, half the length is half of it."""
        shares = {}
        for coding in ("amplitude", "pulse width"):
            spec = MacroSpec(dac=DacSpec(bits=2, coding=coding), input_bits=2, signed_inputs=False, read_second=1e-8)
            macro = spec.program(np.ones((1, 1)), ranges=MacroRanges(inputs=3.0), rng=0)
            full, less = (macro.apply([[x]], rng=0).activity.total("cell_read_joule") for x in (3.0, 1.0))
            shares[coding] = less / full
        assert shares == {"amplitude": pytest.approx(1 / 9), "pulse width": pytest.approx(1 / 3)}

    def test_energy_behind_wires_is_that_of_the_cells(self):
        """Within 2 % of the node voltages' for inputs whose bits are on half of the time."""
        wires = WireSpec(word_line_ohm=5.0, bit_line_ohm=5.0, driver_ohm=50.0, sense_ohm=50.0)
        spec = MacroSpec(wires=wires, device=LEAKY, tile_rows=32, tile_columns=32, input_bits=4, signed_inputs=False)
        rng = np.random.default_rng(0)
        x, w = rng.integers(0, 16, (40, 32)), rng.normal(size=(32, 4))
        macro = spec.program(w, ranges=MacroRanges(inputs=15.0), rng=0)
        g, joule = macro.rows[0].tiles[0].array.cells.g, 0.0
        for k in range(4):
            word, bit = Network(g, wires).node_voltages(0.2 * (x >> k & 1))
            joule += float((g * (word - bit) ** 2).sum()) * spec.read_second
        assert macro.apply(x, rng=0).activity.total("cell_read_joule") == pytest.approx(joule, rel=0.02)

    def test_converters_that_serve_few_columns(self):
        macro = MacroSpec(adc=SarAdcSpec(bits=5, columns=4), tile_rows=8, tile_columns=18).program(
            np.ones((20, 5)), rng=0
        )
        assert macro.inventory.total("adc_5b") == 9 * 3
        assert macro.turns()["adc_5b"] == 8 * 4

    def test_activity_of_stacked_matrices_adds_up(self):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 5, 6))
        spec, ranges = MacroSpec(adc=SarAdcSpec(), tile_rows=3), MacroRanges(weights=np.abs(w).max())
        together = spec.program(w, ranges=ranges, rng=0).apply(x, rng=0).activity
        apart = [spec.program(w[k], ranges=ranges, rng=0).apply(x[k], rng=0).activity for k in range(2)]
        for name in ("adc_8b", "dac_1b", "sample_hold", "shift_add"):
            assert together.total(name) == sum(each.total(name) for each in apart)
        assert together.total("cell_read_joule") == pytest.approx(sum(e.total("cell_read_joule") for e in apart))

    def test_writing(self):
        macro = MacroSpec(device=device("rram-intel-22nm"), tile_rows=8, tile_columns=16).program(
            problem(1, 20, 6)[1], rng=0
        )
        cells = np.concatenate([tile.array.cells.g.ravel() for row in macro.rows for tile in row.tiles])
        activity = macro.write_activity
        assert activity.total("write_driver") == cells.size == 20 * 6 * 4 * 2
        assert activity.total("cell_write_joule") == pytest.approx(2.0**2 * 50e-9 * cells.sum())
        assert macro.write_second == pytest.approx(8 * 50e-9)

    @pytest.mark.parametrize("unused", ["absent", "low", "open"])
    @pytest.mark.parametrize(("tile_rows", "rows"), [(8, 8), (32, 20)])
    def test_time_of_writing_is_known_before(self, unused, tile_rows, rows):
        spec = MacroSpec(device=device("rram-intel-22nm"), tile_rows=tile_rows, tile_columns=16, unused_cells=unused)
        assert spec.write_second(20) == spec.program(problem(1, 20, 6)[1], rng=0).write_second
        assert spec.write_second(20) == pytest.approx((tile_rows if unused == "low" else rows) * 50e-9)

    def test_a_verified_write_takes_no_longer_than_is_known_before(self):
        write = {"tolerance_siemens": 2e-6, "most_pulses": 4, "pulse_second": 1e-6, "volt": 1.0}
        spec = MacroSpec(device=device("rram-wan-2022", write=write), tile_rows=8)
        assert (
            8e-6
            < spec.program(problem(1, 20, 6)[1], rng=0).write_second
            <= spec.write_second(20)
            == pytest.approx(32e-6)
        )

    def test_inventory(self):
        macro = MacroSpec(adc=SarAdcSpec(bits=5), tile_rows=8, tile_columns=18).program(np.ones((20, 5)), rng=0)
        parts = {name: count for _, name, count in macro.inventory.rows()}
        assert macro.n_tiles == 9
        assert parts["crossbar_cell"] == 9 * 8 * 18
        assert parts["dac_1b"] == 9 * 8
        assert parts["adc_5b"] == parts["shift_add"] == 9
        assert parts["sample_hold"] == 9 * 9

    def test_turns(self):
        macro = MacroSpec(adc=SarAdcSpec(bits=5), tile_rows=8, tile_columns=18).program(np.ones((20, 5)), rng=0)
        assert macro.turns() == {"crossbar_read": 8, "adc_5b": 8 * 2 * 4}
        assert MacroSpec().program(np.ones((20, 5)), rng=0).turns() == {"crossbar_read": 8}
