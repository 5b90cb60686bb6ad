"""The CAM: integer equality when ideal, the signals of the circuit otherwise, and stuck cells."""

import math

import numpy as np
import pytest
from helpers.cams import LEAKY, REFERENCES, ROUGH, TURNED, WIRES, search_drive
from helpers.peers import run_ngspice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network

import rramsim as rs
from rramsim.array.cam import CamSpec
from rramsim.array.network import Network, WireSpec
from rramsim.array.sensing import SenseSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec


def equal(codes, words):
    return np.asarray(codes)[:, None] == np.asarray(words)[None, :]


class TestIdeal:
    @pytest.mark.parametrize("bits", range(3, 10))
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    def test_every_code_finds_its_row_and_no_other(self, bits, device):
        words, codes = np.arange(1 << bits)[::-1], np.arange(1 << bits)
        cam = CamSpec(device=device).program(words, bits, rng=0)
        fired = cam.apply(codes, rng=0)
        assert fired.dtype == np.bool_
        assert_array_equal(fired, equal(codes, words))
        assert_array_equal(cam.fired, equal(codes, words))

    @given(
        st.integers(3, 9),
        st.lists(st.integers(0, 511), min_size=1, max_size=20),
        st.integers(1, 7),
        st.sampled_from(REFERENCES),
        st.sampled_from(["current", "precharge"]),
    )
    def test_any_words_in_any_order(self, bits, words, bank_rows, reference, kind):
        """Words may repeat and lack: one row fires for each equal word."""
        words, codes = np.array(words) % (1 << bits), np.arange(1 << bits)
        sense = SenseSpec(kind=kind, reference=reference)
        cam = CamSpec(device=LEAKY, bank_rows=bank_rows, sense=sense).program(words, bits, rng=0)
        assert_array_equal(cam.fired, equal(codes, words))
        assert_array_equal(cam.apply(codes, rng=0), equal(codes, words))
        assert (cam.n_rows, cam.n_banks) == (len(words), math.ceil(len(words) / bank_rows))

    def test_currents_count_the_differing_bits(self):
        words, bits = np.arange(32), 5
        currents = CamSpec(device=LEAKY, read_volt=0.3).program(words, bits, rng=0).match_currents()
        differing = np.array([[(one ^ other).bit_count() for other in words] for one in range(32)])
        assert_allclose(currents, 0.3 * (bits * 2e-6 + differing * 48e-6), rtol=1e-12)

    def test_margins_are_those_of_own_words_and_of_one_bit(self):
        words, bits = np.array([5, 0, 7, 5]), 3
        cam = CamSpec(device=ROUGH).program(words, bits, rng=2)
        match, one_off = cam.margin_currents()
        currents = cam.match_currents()
        assert_array_equal(match, [[currents[word, row]] for row, word in enumerate(words)])
        for row, word in enumerate(words):
            assert sorted(one_off[row]) == sorted(currents[word ^ 1 << k, row] for k in range(bits))

    @pytest.mark.parametrize("reference", REFERENCES)
    def test_a_narrow_window_still_works(self, reference):
        device = DeviceSpec(g_min_siemens=9e-6, g_max_siemens=1e-5)
        cam = CamSpec(device=device, sense=SenseSpec(reference=reference)).program(np.arange(64), 6, rng=0)
        assert_array_equal(cam.fired, np.eye(64, dtype=bool))


class TestMaskedSearch:
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    @pytest.mark.parametrize("known_bits", range(6))
    def test_leading_bits_match_every_completion(self, device, known_bits):
        bits, rng = 5, np.random.default_rng(known_bits)
        words = rng.integers(0, 32, 20)
        cam = CamSpec(device=device, bank_rows=7).program(words, bits, rng=0)
        codes, unknown = np.arange(32), bits - known_bits
        table = cam.table(cam.driven_lines(codes, known_bits))
        for code in codes:
            expected = [row for row, word in enumerate(words) if word >> unknown == code >> unknown]
            assert_array_equal(table.row[table.start[code] : table.start[code + 1]], expected)
            assert table.first[code] == (expected[0] if expected else 20)

    def test_lines_of_unknown_bits_are_not_driven(self):
        cam = CamSpec().program(np.arange(8), 3, rng=0)
        for code in range(8):
            expected = search_drive(code, 3)
            assert_array_equal(cam.driven_lines([code])[0], expected)
            expected[4:] = 0.0
            assert_array_equal(cam.driven_lines([code], 2)[0], expected)


class TestBadInput:
    @pytest.mark.parametrize("words", [[8], [-1], [0, 3, 8], [], [[1, 2], [3, 4]]])
    def test_words_that_do_not_fit(self, words):
        with pytest.raises(rs.RangeError, match="a CAM of 3 bits stores a list of integers from 0 to 7; got"):
            CamSpec().program(words, 3, rng=0)

    @pytest.mark.parametrize("codes", [[8], [-1], [1.0], [[1, 2]], [True], np.arange(9)])
    def test_codes_that_are_none(self, codes):
        cam = CamSpec().program(np.arange(8), 3, rng=0)
        with pytest.raises(rs.RangeError, match="searches are for a list of integers from 0 to 7; got"):
            cam.apply(codes, rng=0)

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"bank_rows": 0}, "bank_rows: got 0; it is at least 1"),
            ({"read_volt": 0.0}, "read_volt: got 0.0; it is above 0"),
            ({"sense": {"reference_share": 2.0}}, "sense.reference_share: got 2.0; it is below 1"),
            ({"sense_spec": {}}, "unknown key"),
        ],
    )
    def test_specs(self, fields, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            CamSpec(**fields)

    def test_none_and_one_search(self):
        cam = CamSpec().program(np.arange(8), 3, rng=0)
        assert cam.apply(np.array([], dtype=np.int64), rng=0).shape == (0, 8)
        assert_array_equal(cam.apply(5, rng=0), equal([5], np.arange(8)))


class TestCircuit:
    @pytest.mark.parametrize("bank_rows", [1, 3, 4, 8, 100])
    @pytest.mark.parametrize("ends", [{}, {"driver_end": "both"}, {"driver_end": "far", "end_segments": True}])
    def test_match_currents_are_those_of_each_bank(self, bank_rows, ends):
        bits, words = 3, np.arange(8)[::-1]
        spec = CamSpec(device=ROUGH, wires=WIRES.but(ends), bank_rows=bank_rows, read_volt=0.3)
        cam = spec.program(words, bits, rng=4)
        currents = cam.match_currents()
        for code in range(8):
            expected = []
            for first in range(0, 8, bank_rows):
                # Search lines are driven at the first row of the bank; match lines end after the last search line.
                bank = cam.cells.g[first : first + bank_rows].T
                expected += list(network.solve(bank, 0.3 * search_drive(code, bits), **TURNED, **ends).currents)
            assert_allclose(currents[code], expected, rtol=1e-11)
            assert_array_equal(cam.fired[code], np.array(expected) < cam.reference)

    def test_drivers_at_both_ends_help(self):
        """The least current of one differing bit over the largest of a match is larger."""
        ratio = {}
        for end in ("near", "both"):
            wires = WireSpec(word_line_ohm=3.0, bit_line_ohm=3.0, driver_end=end)
            cam = CamSpec(device=LEAKY, wires=wires, bank_rows=512).program(np.arange(256)[::-1], 8, rng=0)
            match, one_off = cam.margin_currents()
            ratio[end] = one_off.min() / match.max()
        assert ratio["both"] > 1.05 * ratio["near"]

    @pytest.mark.parametrize("bank_rows", [3, 8])
    def test_driven_rows_are_the_same_cells_the_other_way(self, bank_rows):
        cam = CamSpec(device=ROUGH, wires=WIRES, bank_rows=bank_rows).program(np.arange(8), 3, rng=4)
        expected = [
            network.transconductance(cam.cells.g[first : first + bank_rows], **WIRES.model_dump())
            for first in range(0, 8, bank_rows)
        ]
        assert_allclose(cam.driven_rows.transconductance, np.concatenate(expected), rtol=1e-11)

    @pytest.mark.parametrize(
        ("on_ohm", "on_off", "ratios"),
        [
            (6e3, 150, ["17.6", "1.07", "0.30", "0.01", "6.9", "13.0"]),
            (6e3, 17, ["2.8", "0.17", "0.05", "0.00", "1.3", "2.2"]),
            (100e3, 10, ["2.0", "1.4", "1.03", "0.45", "1.9", "2.0"]),
            (250e3, 4, ["1.33", "1.13", "0.97", "0.60", "1.30", "1.33"]),
            (1e6, 100, ["12.0", "11.5", "10.9", "9.3", "11.9", "12.0"]),
        ],
    )
    def test_what_the_wires_do_to_nine_bits(self, on_ohm, on_off, ratios):
        """Worst current of one differing bit over the largest of a match; below 1 no reference separates the two.

        Figures of a second, independently written solver, to the digits given: no wires; 0.5, 1 and 3 ohm with all 512
        rows in one bank; 1 ohm with banks of 128 and of 64. Rows in descending order; driver and sense ends are as long
        as a segment. To 2 %, or to half a unit of the last digit.
        """
        device = DeviceSpec(g_min_siemens=1 / (on_ohm * on_off), g_max_siemens=1 / on_ohm)
        settings_of = [(0.0, 512), (0.5, 512), (1.0, 512), (3.0, 512), (1.0, 128), (1.0, 64)]
        for (ohm, bank_rows), digits in zip(settings_of, ratios, strict=True):
            wires = WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, driver_ohm=ohm, sense_ohm=ohm)
            cam = CamSpec(device=device, wires=wires, bank_rows=bank_rows, read_volt=0.2).program(
                np.arange(512)[::-1], 9, rng=0
            )
            match, one_off = cam.margin_currents()
            half_a_unit = 0.5 * 10.0 ** -len(digits.partition(".")[2])
            assert one_off.min() / match.max() == pytest.approx(float(digits), rel=0.02, abs=half_a_unit)


@pytest.mark.ngspice
class TestNgspice:
    """A circuit simulator that is given the cells in rows of match lines, and search lines as columns."""

    @pytest.mark.parametrize(
        ("rows", "bits", "codes", "ends"),
        [
            (16, 4, [0, 5, 9, 15], {}),
            (16, 4, [3, 12], {"driver_end": "both"}),
            (64, 9, [0, 63, 341, 511], {}),
        ],
    )
    def test_match_currents(self, tmp_path, rows, bits, codes, ends):
        wires = WIRES.but(ends)
        words = np.random.default_rng(rows).permutation(1 << bits)[:rows]
        device = ROUGH.but({"stuck": StuckSpec(on_fraction=0.05, off_fraction=0.05)})
        cam = CamSpec(device=device, wires=wires, bank_rows=64, read_volt=0.3).program(words, bits, rng=3)
        assert cam.cells.held.any()
        net, currents = Network(cam.cells.g, wires, inputs="columns"), cam.match_currents()
        for code in codes:
            printed = run_ngspice(net.to_spice(0.3 * search_drive(code, bits)), tmp_path)
            simulated = np.array([printed[f"i_{row}"] for row in range(rows)])
            assert_allclose(currents[code], simulated, rtol=1e-6, atol=0)
            # Wires that are not turned, or lines in another order, would show.
            assert (np.abs(currents[code] / currents[code][::-1] - 1) > 1e-3).all()


class TestStuckCells:
    @pytest.mark.parametrize("reference", ["fixed", "global"])
    @pytest.mark.parametrize("bit", range(4))
    def test_stuck_on_kills_its_row_for_half_of_the_codes(self, bit, reference):
        """A cell that always conducts discharges its row whenever its search line is driven."""
        cam = CamSpec(device=LEAKY, sense=SenseSpec(reference=reference)).program(np.arange(16), 4, rng=0)
        # Row 5, and of this pair the cell that should not conduct.
        stored = 5 >> (3 - bit) & 1
        cam.cells.g[5, 2 * bit + stored] = 5e-5
        expected = np.eye(16, dtype=bool)
        expected[5, 5] = False
        assert_array_equal(cam.fired, expected)

    @pytest.mark.parametrize("reference", ["fixed", "global"])
    @pytest.mark.parametrize("bit", range(4))
    def test_stuck_off_blinds_its_row_to_one_bit(self, bit, reference):
        """Then the row fires for its neighbour in that bit as well."""
        cam = CamSpec(device=LEAKY, sense=SenseSpec(reference=reference)).program(np.arange(16), 4, rng=0)
        stored = 5 >> (3 - bit) & 1
        cam.cells.g[5, 2 * bit + 1 - stored] = 2e-6
        expected = np.eye(16, dtype=bool)
        expected[5 ^ (1 << (3 - bit)), 5] = True
        assert_array_equal(cam.fired, expected)
