"""The CAM: integer equality when ideal, the circuit's signals otherwise, its sense amplifiers, and noise."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from helpers.peers import run_ngspice
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network
from scipy import stats

import rramsim as rs
from rramsim.array.cam import CamSpec
from rramsim.array.network import Network, WireSpec
from rramsim.array.sensing import SenseSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.statistics import ProgrammingSpec
from rramsim.kernels.tables import REACH

LEAKY = DeviceSpec(g_min_siemens=2e-6, g_max_siemens=5e-5)
ROUGH = LEAKY.but(
    {"programming": ProgrammingSpec(law="lognormal", spread_log=0.3), "stuck": StuckSpec(on_fraction=0.02)}
)
POOR = DeviceSpec(g_min_siemens=1e-5, g_max_siemens=4e-5, programming=ProgrammingSpec(law="lognormal", spread_log=0.3))
"""So leaky and so rough that no reference separates its signals."""
NOISY = DeviceSpec(g_min_siemens=4.2e-5, g_max_siemens=5e-5, read_noise=ReadNoiseSpec(relative=0.12))
"""States so near that they are often confused, and so far from 0 that no read is cut off there."""
WIRES = WireSpec(word_line_ohm=20.0, bit_line_ohm=35.0, driver_ohm=300.0, sense_ohm=150.0)
TURNED = {"word_line_ohm": 35.0, "bit_line_ohm": 20.0, "driver_ohm": 300.0, "sense_ohm": 150.0}
"""The same seen from the search lines: they are the inputs."""
REFERENCES = ["fixed", "global", "line"]


def search_drive(code, bits):
    """Volt per 1 V on each search line: of every pair, the line whose cells conduct where the stored bit differs."""
    drive = []
    for k in range(bits - 1, -1, -1):
        drive += [0.0, 1.0] if code >> k & 1 else [1.0, 0.0]
    return np.array(drive)


def equal(codes, words):
    return np.asarray(codes)[:, None] == np.asarray(words)[None, :]


def wrong_decisions(own, one_off, reference):
    """Rows that miss their own word, and words one bit off that fire a row."""
    return int((own >= reference).sum() + (one_off < reference).sum())


def fewest_possible(own, one_off):
    """Over every reference between two neighbouring signals."""
    values = np.unique(np.concatenate([own.ravel(), one_off.ravel()]))
    return min(wrong_decisions(own, one_off, (a + b) / 2) for a, b in pairwise(values))


class TestIdeal:
    @pytest.mark.parametrize("bits", range(3, 10))
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    def test_every_code_finds_its_row_and_no_other(self, bits, device):
        words, codes = np.arange(1 << bits)[::-1], np.arange(1 << bits)
        cam = CamSpec(device=device).program(words, bits)
        found = cam.search(codes)
        assert found.dtype == np.bool_
        assert_array_equal(found, equal(codes, words))
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
        cam = CamSpec(device=LEAKY, bank_rows=bank_rows, sense=sense).program(words, bits)
        assert_array_equal(cam.fired, equal(codes, words))
        assert_array_equal(cam.search(codes), equal(codes, words))
        assert (cam.n_rows, cam.n_banks) == (len(words), math.ceil(len(words) / bank_rows))

    def test_currents_count_the_differing_bits(self):
        words, bits = np.arange(32), 5
        currents = CamSpec(device=LEAKY, read_volt=0.3).program(words, bits).match_currents()
        differing = np.array([[(one ^ other).bit_count() for other in words] for one in range(32)])
        assert_allclose(currents, 0.3 * (bits * 2e-6 + differing * 48e-6), rtol=1e-12)

    def test_margins_are_those_of_own_words_and_of_one_bit(self):
        words, bits = np.array([5, 0, 7, 5]), 3
        cam = CamSpec(device=ROUGH).program(words, bits, rng=2)
        own, one_off = cam.margin_currents()
        currents = cam.match_currents()
        assert_array_equal(own, [[currents[word, row]] for row, word in enumerate(words)])
        for row, word in enumerate(words):
            assert sorted(one_off[row]) == sorted(currents[word ^ 1 << k, row] for k in range(bits))

    @pytest.mark.parametrize("reference", REFERENCES)
    def test_a_narrow_window_still_works(self, reference):
        device = DeviceSpec(g_min_siemens=9e-6, g_max_siemens=1e-5)
        cam = CamSpec(device=device, sense=SenseSpec(reference=reference)).program(np.arange(64), 6)
        assert_array_equal(cam.fired, np.eye(64, dtype=bool))


class TestMaskedSearch:
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    @pytest.mark.parametrize("known_bits", range(6))
    def test_leading_bits_match_every_completion(self, device, known_bits):
        bits, rng = 5, np.random.default_rng(known_bits)
        words = rng.integers(0, 32, 20)
        cam = CamSpec(device=device, bank_rows=7).program(words, bits)
        codes, unknown = np.arange(32), bits - known_bits
        table = cam.table(cam.driven_lines(codes, known_bits))
        for code in codes:
            expected = [row for row, word in enumerate(words) if word >> unknown == code >> unknown]
            assert_array_equal(table.row[table.start[code] : table.start[code + 1]], expected)
            assert table.first[code] == (expected[0] if expected else 20)

    def test_lines_of_unknown_bits_are_not_driven(self):
        cam = CamSpec().program(np.arange(8), 3)
        for code in range(8):
            expected = search_drive(code, 3)
            assert_array_equal(cam.driven_lines([code])[0], expected)
            expected[4:] = 0.0
            assert_array_equal(cam.driven_lines([code], 2)[0], expected)


class TestBadInput:
    @pytest.mark.parametrize("words", [[8], [-1], [0, 3, 8], [], [[1, 2], [3, 4]]])
    def test_words_that_do_not_fit(self, words):
        with pytest.raises(rs.RangeError, match="a CAM of 3 bits stores a list of integers from 0 to 7; got"):
            CamSpec().program(words, 3)

    @pytest.mark.parametrize("codes", [[8], [-1], [1.0], [[1, 2]], [True], np.arange(9)])
    def test_codes_that_are_none(self, codes):
        cam = CamSpec().program(np.arange(8), 3)
        with pytest.raises(rs.RangeError, match="searches are for a list of integers from 0 to 7; got"):
            cam.search(codes)

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"bank_rows": 0}, "bank_rows: got 0; it is at least 1"),
            ({"read_volt": 0.0}, "read_volt: got 0.0; it is above 0"),
            ({"sense": {"share": 2.0}}, "sense.share: got 2.0; it is below 1"),
            ({"sense_spec": {}}, "unknown key"),
        ],
    )
    def test_specs(self, fields, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            CamSpec(**fields)

    def test_none_and_one_search(self):
        cam = CamSpec().program(np.arange(8), 3)
        assert cam.search(np.array([], dtype=np.int64)).shape == (0, 8)
        assert_array_equal(cam.search(5), equal([5], np.arange(8)))


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
            cam = CamSpec(device=LEAKY, wires=wires, bank_rows=512).program(np.arange(256)[::-1], 8)
            own, one_off = cam.margin_currents()
            ratio[end] = one_off.min() / own.max()
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
                np.arange(512)[::-1], 9
            )
            own, one_off = cam.margin_currents()
            half_a_unit = 0.5 * 10.0 ** -len(digits.partition(".")[2])
            assert one_off.min() / own.max() == pytest.approx(float(digits), rel=0.02, abs=half_a_unit)


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
        cam = CamSpec(device=LEAKY, sense=SenseSpec(reference=reference)).program(np.arange(16), 4)
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
        cam = CamSpec(device=LEAKY, sense=SenseSpec(reference=reference)).program(np.arange(16), 4)
        stored = 5 >> (3 - bit) & 1
        cam.cells.g[5, 2 * bit + 1 - stored] = 2e-6
        expected = np.eye(16, dtype=bool)
        expected[5 ^ (1 << (3 - bit)), 5] = True
        assert_array_equal(cam.fired, expected)


class TestReference:
    @pytest.mark.parametrize("share", [0.2, 0.5])
    def test_fixed_lies_between_ideal_cells(self, share):
        """Whatever was written: 3 leaking cells, and one that conducts beside 2."""
        sense = SenseSpec(reference="fixed", share=share)
        cam = CamSpec(device=ROUGH, wires=WIRES, read_volt=0.3, sense=sense).program(np.arange(8), 3, rng=1)
        low, high = 0.3 * 3 * 2e-6, 0.3 * (2 * 2e-6 + 5e-5)
        assert_allclose(cam.reference, np.full(8, low + share * (high - low)), rtol=1e-13)

    @pytest.mark.parametrize("share", [0.2, 0.5])
    @pytest.mark.parametrize("reference", ["global", "line"])
    def test_on_ideal_cells_all_are_the_same(self, share, reference):
        one, other = (
            CamSpec(device=LEAKY, sense=SenseSpec(reference=each, share=share)).program(np.arange(8), 3).reference
            for each in ("fixed", reference)
        )
        assert_allclose(one, other, rtol=1e-12)

    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    @pytest.mark.parametrize("seed", range(3))
    def test_global_makes_the_fewest_wrong_decisions(self, seed, wires):
        """Of every reference that could be common to all rows; the fixed one makes more."""
        cam = CamSpec(device=POOR, wires=wires).program(np.arange(64)[::-1], 6, rng=seed)
        own, one_off = cam.margin_currents()
        assert np.ptp(cam.reference) == 0
        found = wrong_decisions(own, one_off, cam.reference[0])
        assert 0 < found == fewest_possible(own, one_off)
        fixed = CamSpec(device=POOR, wires=wires, sense=SenseSpec(reference="fixed")).program(np.arange(64)[::-1], 6)
        assert found < wrong_decisions(own, one_off, fixed.reference[0])

    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    def test_line_makes_the_fewest_of_each_row(self, wires):
        sense = SenseSpec(reference="line")
        cam = CamSpec(device=POOR, wires=wires, sense=sense).program(np.arange(64)[::-1], 6, rng=1)
        own, one_off = cam.margin_currents()
        for row in range(64):
            found = wrong_decisions(own[row], one_off[row], cam.reference[row])
            assert found == fewest_possible(own[row], one_off[row])
        one = CamSpec(device=POOR, wires=wires).program(np.arange(64)[::-1], 6, rng=1)
        by_line, by_all = (wrong_decisions(own, one_off, each.reference[:, None]) for each in (cam, one))
        assert by_line < by_all

    def test_decisions_are_comparisons(self):
        for reference in REFERENCES:
            sense = SenseSpec(reference=reference, offset_spread=0.1)
            cam = CamSpec(device=POOR, sense=sense).program(np.arange(16), 4, rng=1)
            assert_array_equal(cam.fired, cam.match_currents() < cam.reference)


def programmed(**sense):
    """The same cells and the same draw of offsets, whatever the amplifiers are."""
    return CamSpec(device=POOR, wires=WIRES, sense=SenseSpec(**sense)).program(np.arange(32), 5, rng=6)


class TestOffsets:
    def test_follow_the_normal_law(self):
        """512 offsets in units of their spread: Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        cam = CamSpec(sense=SenseSpec(offset_spread=0.03)).program(np.arange(512), 9, rng=2)
        assert stats.kstest(cam.offset / 0.03, "norm").pvalue > 1e-4
        other = CamSpec(sense=SenseSpec(offset_spread=0.03)).program(np.arange(512), 9, rng=3)
        assert (cam.offset != other.offset).all()

    def test_change_nothing_else(self):
        plain, shifted = programmed(), programmed(offset_spread=0.2)
        assert_array_equal(plain.cells.g, shifted.cells.g)
        assert_array_equal(plain.offset, np.zeros(32))
        assert_allclose(programmed(offset_spread=0.4).offset, 2 * shifted.offset, rtol=1e-15)

    @pytest.mark.parametrize("kind", ["current", "precharge"])
    def test_shift_a_fixed_reference_exactly(self, kind):
        plain, shifted = (programmed(kind=kind, reference="fixed", offset_spread=x) for x in (0.0, 0.2))
        full = 0.2 * 3e-5 if kind == "current" else 0.2
        assert shifted.full_signal == pytest.approx(full, rel=1e-15)
        assert_allclose(shifted.reference, plain.reference + shifted.offset * full, rtol=1e-14)
        signal = shifted.line_signals(shifted.driven_lines(np.arange(32)))[0]
        assert_array_equal(shifted.fired, signal - shifted.offset * full < plain.reference)
        assert (shifted.fired != plain.fired).any()

    def test_global_reference_is_common_to_amplifiers_that_keep_theirs(self):
        cam = programmed(offset_spread=0.2)
        offset = cam.offset * cam.full_signal
        assert_allclose(cam.reference - offset, np.full(32, cam.reference[0] - offset[0]), rtol=1e-13)
        own, one_off = (each - offset[:, None] for each in cam.margin_currents())
        assert wrong_decisions(own, one_off, cam.reference[0] - offset[0]) == fewest_possible(own, one_off)

    @pytest.mark.parametrize("kind", ["current", "precharge"])
    def test_line_takes_its_own_away(self, kind):
        plain, shifted = (programmed(kind=kind, reference="line", offset_spread=x) for x in (0.0, 0.2))
        assert shifted.offset.any()
        assert_array_equal(shifted.reference, plain.reference)
        assert_array_equal(shifted.fired, plain.fired)


PRE = {"kind": "precharge", "precharge_volt": 0.4, "cell_farad": 2e-15, "mux_farad": 5e-15}


class TestPrecharge:
    @pytest.mark.parametrize("reference", REFERENCES)
    @pytest.mark.parametrize("second", [None, 3e-10])
    def test_signal_is_what_the_line_has_lost(self, reference, second):
        """One line and code after the other: V exp(-t G / C), with G from the sum of the driven cells."""
        sense = SenseSpec(reference=reference, strobe_second=second, **PRE)
        cam = CamSpec(device=ROUGH, read_volt=0.3, sense=sense).program(np.arange(8), 3, rng=1)
        farad = 6 * 2e-15 + 5e-15
        assert cam.line_farad == pytest.approx(farad, rel=1e-15)
        signal, deviation = cam.line_signals(cam.driven_lines(np.arange(8)))
        assert not deviation.any()
        for code, row in product(range(8), range(8)):
            siemens = sum(g for g, on in zip(cam.cells.g[row], search_drive(code, 3), strict=True) if on)
            lost = 0.4 - 0.4 * math.exp(-cam.strobe_second * siemens / farad)
            assert signal[code, row] == pytest.approx(lost, rel=1e-12)
            assert cam.fired[code, row] == (lost < cam.reference[row])

    def test_through_wires_the_conductance_is_that_of_the_circuit(self):
        cam = CamSpec(device=ROUGH, wires=WIRES, read_volt=0.3, sense=SenseSpec(**PRE)).program(np.arange(8), 3, rng=1)
        siemens = cam.match_currents() / 0.3
        expected = 0.4 * (1 - np.exp(-cam.strobe_second * siemens / cam.line_farad))
        assert_allclose(cam.line_signals(cam.driven_lines(np.arange(8)))[0], expected, rtol=1e-12)

    @pytest.mark.parametrize("bits", [3, 9])
    def test_time_constant_of_one_differing_bit(self, bits):
        """R_on C, as in EvaCAM, where nothing leaks: after it the line is at 1 / e."""
        on_ohm, tau = 20e3, 20e3 * (2 * bits * 2e-15 + 5e-15)
        sense = SenseSpec(strobe_second=tau, **PRE)
        cam = CamSpec(device=DeviceSpec(g_max_siemens=1 / on_ohm), sense=sense).program([5], bits)
        signal = cam.line_signals(cam.driven_lines([5, 4, 7]))[0][:, 0]
        assert_allclose(signal, [0.0, 0.4 * (1 - math.exp(-1)), 0.4 * (1 - math.exp(-1))], rtol=1e-12)
        free = CamSpec(device=DeviceSpec(g_max_siemens=1 / on_ohm), sense=SenseSpec(**PRE)).program([5], bits)
        assert free.strobe_second == pytest.approx(5 * tau, rel=1e-12)

    def test_fixed_reference_is_that_of_ideal_cells(self):
        sense = SenseSpec(reference="fixed", share=0.3, **PRE)
        cam = CamSpec(device=ROUGH, sense=sense).program(np.arange(8), 3, rng=1)
        farad, match = 17e-15, 3 * 2e-6
        assert cam.strobe_second == pytest.approx(sense.strobe(farad, match, match + 48e-6), rel=1e-14)
        low, high = (0.4 * (1 - math.exp(-cam.strobe_second * g / farad)) for g in (match, match + 48e-6))
        assert_allclose(cam.reference, np.full(8, low + 0.3 * (high - low)), rtol=1e-12)

    def test_strobe_is_where_the_worst_two_are_furthest_apart(self):
        """Of the written cells: the fastest match and the slowest of one differing bit, by numbers."""
        cam = CamSpec(device=ROUGH, wires=WIRES, sense=SenseSpec(**PRE)).program(np.arange(8), 3, rng=9)
        match, miss = (each / 0.2 / cam.line_farad for each in cam.margin_currents())
        slow, fast = match.max(), miss.min()
        assert slow < fast
        times = cam.strobe_second * np.linspace(0.2, 3.0, 2801)
        assert times[np.argmax(np.exp(-slow * times) - np.exp(-fast * times))] == pytest.approx(
            cam.strobe_second, rel=2e-3
        )

    def test_noise_of_cells_is_that_of_small_deviations(self):
        """And the amplifier's on top, in squares."""
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative=0.05)})
        sense = SenseSpec(noise=0.02, **PRE)
        cam = CamSpec(device=device, wires=WIRES, read_volt=0.3, sense=sense).program(np.arange(8), 3)
        drive = cam.driven_lines(np.arange(8))
        current, sigma = cam.line_currents(drive)

        def lost(ampere):
            return 0.4 * (1 - np.exp(-cam.strobe_second * ampere / 0.3 / cam.line_farad))

        small = 1e-4
        slope = (lost(current + small * sigma) - lost(current - small * sigma)) / (2 * small)
        assert_allclose(cam.line_signals(drive)[1], np.hypot(slope, 0.02 * 0.4), rtol=1e-6)


class TestEnergy:
    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    def test_of_currents_during_the_pulse(self, wires):
        cam = CamSpec(device=ROUGH, wires=wires, read_volt=0.3, bank_rows=3).program(np.arange(8)[::-1], 3, rng=1)
        found, currents = cam.search_joule(cam.driven_lines(np.arange(8)), 20e-9), cam.match_currents()
        for code in range(8):
            assert found[code] == pytest.approx(0.3 * sum(currents[code].tolist()) * 20e-9, rel=1e-12)
            if wires.ideal:
                driven = search_drive(code, 3).astype(bool)
                assert found[code] == pytest.approx(0.09 * cam.cells.g[:, driven].sum() * 20e-9, rel=1e-12)
        assert_allclose(cam.stored_search_joule(20e-9), found[::-1], rtol=1e-14)

    def test_of_charging_the_lines_again(self):
        """C V for every volt that was lost, however long the pulse."""
        cam = CamSpec(device=ROUGH, sense=SenseSpec(**PRE)).program(np.arange(8)[::-1], 3, rng=1)
        lost = cam.line_signals(cam.driven_lines(np.arange(8)))[0]
        expected = [17e-15 * 0.4 * sum(lost[code].tolist()) for code in range(8)]
        for second in (1e-9, 20e-9):
            assert_allclose(cam.search_joule(cam.driven_lines(np.arange(8)), second), expected, rtol=1e-12)
            assert_allclose(cam.stored_search_joule(second), expected[::-1], rtol=1e-12)

    def test_of_a_masked_search_is_less(self):
        cam = CamSpec(device=LEAKY).program(np.arange(8), 3)
        one, half = (cam.search_joule(cam.driven_lines([5], known), 1e-9)[0] for known in (None, 1))
        assert half < one


def flip_probability(distance, deviation):
    return 0.5 * math.erfc(abs(distance) / deviation / math.sqrt(2))


SENSES = [
    {},
    {"noise": 0.2},
    {"reference": "fixed", "noise": 0.05, "offset_spread": 0.3},
    {"reference": "line", "noise": 0.02},
    {"noise": 0.1, **PRE},
]


class TestTable:
    @pytest.mark.parametrize("sense", SENSES)
    @pytest.mark.parametrize("device", [LEAKY, NOISY, POOR])
    @pytest.mark.parametrize("known_bits", [None, 2])
    def test_row_by_row(self, sense, device, known_bits):
        """Rows that fire, the first of them, those within reach of the noise, and their hazards."""
        cam = CamSpec(device=device, sense=SenseSpec(**sense), bank_rows=5).program(np.arange(16)[::-1], 4, rng=2)
        drive = cam.driven_lines(np.arange(16), known_bits)
        signal, deviation = cam.line_signals(drive)
        assert deviation.any() == (device is NOISY or "noise" in sense)
        table = cam.table(drive)
        assert len(table.start) == len(table.near_start) == 17
        assert (table.start[-1], table.near_start[-1]) == (len(table.row), len(table.near_row))
        for search in range(16):
            rows, near, hazards, total = [], [], [], 0.0
            for row in range(16):
                distance = signal[search, row] - cam.reference[row]
                if distance < 0:
                    rows.append(row)
                if abs(distance) < REACH * deviation[search, row]:
                    total -= math.log1p(-flip_probability(distance, deviation[search, row]))
                    near.append(row)
                    hazards.append(total)
            assert table.row[table.start[search] : table.start[search + 1]].tolist() == rows
            assert table.first[search] == min(rows, default=16)
            part = slice(table.near_start[search], table.near_start[search + 1])
            assert table.near_row[part].tolist() == near
            assert_allclose(table.near_hazard[part], hazards, rtol=1e-10, atol=1e-13)
            assert table.hazard[search] == pytest.approx(total, rel=1e-10, abs=1e-13)
            assert (np.diff(table.near_hazard[part]) >= 0).all()

    def test_types_are_those_of_the_kernels(self):
        table = CamSpec(device=NOISY).program(np.arange(8), 3).table(np.eye(6))
        kinds = [each.dtype.name for each in table]
        assert kinds == ["int32", "int64", "int32", "int64", "int32", "float64", "float64"]
        quiet = CamSpec().program(np.arange(8), 3).table(np.eye(6))
        assert [each.dtype.name for each in quiet] == kinds

    @given(st.integers(1, 400))
    @settings(max_examples=10)
    def test_does_not_depend_on_how_much_is_held_at_a_time(self, at_once):
        with pytest.MonkeyPatch.context() as patch:
            cam = CamSpec(device=NOISY, sense=SenseSpec(noise=0.1)).program(np.arange(16), 4)
            drive = cam.driven_lines(np.arange(16))
            expected, joule = cam.table(drive), cam.search_joule(drive, 1e-9)
            patch.setattr("rramsim.array.cam._AT_ONCE", at_once)
            for one, other in zip(cam.table(drive), expected, strict=True):
                assert_allclose(one, other, rtol=1e-10, atol=1e-13)
            assert_allclose(cam.search_joule(drive, 1e-9), joule, rtol=1e-12)


def brute_force_search(cam, code, n_searches, seed):
    """How often each row fires (n_rows,) where every cell's noise is drawn anew, without wires."""
    normal = np.random.default_rng(seed).standard_normal((n_searches, *cam.cells.g.shape))
    conductance = cam.cells.g * (1 + cam.cells.spec.read_noise.relative * normal)
    current = conductance @ (cam.spec.read_volt * search_drive(code, cam.bits))
    return current < cam.reference


class TestNoise:
    def test_none_leaves_the_table_alone(self):
        cam = CamSpec(device=LEAKY).program(np.arange(8), 3)
        codes = np.array([3, 0, 3, 7])
        assert_array_equal(cam.search(codes, rng=1), cam.fired[codes])

    @pytest.mark.parametrize("sense", [{"noise": 0.4}, {"reference": "fixed", "noise": 0.5, "offset_spread": 0.3}])
    @pytest.mark.parametrize("device", [LEAKY, NOISY])
    def test_rows_flip_with_the_probability_of_the_normal_law(self, sense, device):
        """4000 searches for every code: 64 binomial numbers.

        Those of probabilities between 0.5 and 99.5 %: squares' sum below its 1e-4 quantile. All others, at the same
        false-alarm rate: within the two-sided binomial bounds at 1e-4 / 64 each.
        """
        n = 4000
        cam = CamSpec(device=device, sense=SenseSpec(**sense)).program(np.arange(8)[::-1], 3, rng=1)
        fired = cam.search(np.repeat(np.arange(8), n), rng=8).reshape(8, n, 8).sum(axis=1)
        current, cells = cam.line_currents(cam.driven_lines(np.arange(8)))
        deviation = np.sqrt(cells**2 + (sense["noise"] * 0.2 * device.window_siemens) ** 2)
        p = stats.norm.cdf((cam.reference - current) / deviation)
        often = (p > 0.005) & (p < 0.995)
        assert often.sum() > 20
        z2 = (fired - n * p)[often] ** 2 / (n * p * (1 - p))[often]
        assert z2.sum() < stats.chi2.ppf(1 - 1e-4, often.sum())
        tail = 1e-4 / 64 / 2
        assert (fired[~often] >= stats.binom.ppf(tail, n, p[~often])).all()
        assert (fired[~often] <= stats.binom.isf(tail, n, p[~often])).all()

    def test_precharged_lines_as_well(self):
        """20000 searches for one code: chi-square of 8 rows at the false-alarm rate 1e-4."""
        n = 20000
        cam = CamSpec(device=LEAKY, sense=SenseSpec(noise=0.3, **PRE)).program(np.arange(8), 3)
        fired = cam.search(np.full(n, 6), rng=2).sum(axis=0)
        differing = np.array([(6 ^ word).bit_count() for word in range(8)])
        lost = 0.4 * (1 - np.exp(-cam.strobe_second * (3 * 2e-6 + differing * 48e-6) / 17e-15))
        p = stats.norm.cdf((cam.reference - lost) / (0.3 * 0.4))
        assert 0.01 < p.min() < p.max() < 0.99
        assert ((fired - n * p) ** 2 / (n * p * (1 - p))).sum() < stats.chi2.ppf(1 - 1e-4, 8)

    def test_firing_rates_against_brute_force(self):
        """Two samples of 3000 searches for every code and row: 64 two-sample binomial tests.

        Each |z| below 4.5 (false alarm 64 * 7e-6 = 4e-4) and their squares' sum below its 1e-4 quantile.
        """
        n = 3000
        cam = CamSpec(device=NOISY).program(np.arange(8)[::-1], 3)
        rate = cam.search(np.repeat(np.arange(8), n), rng=11).reshape(8, n, 8).mean(axis=1)
        expected = np.array([brute_force_search(cam, code, n, seed=code).mean(axis=0) for code in range(8)])
        both = (rate + expected) / 2
        assert np.minimum(both, 1 - both).min() > 0.01, "every amplifier must flip often enough to be counted"
        z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n)
        assert np.abs(z).max() < 4.5
        assert (z**2).sum() < stats.chi2.ppf(1 - 1e-4, 64)

    def test_amplifiers_are_independent(self):
        """Flips of two rows in one search: correlations below 4.5 / sqrt(n), 28 pairs, false alarm below 2e-4."""
        n = 4000
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        correlation = np.corrcoef(cam.search(np.full(n, 5), rng=3).T)
        assert np.abs(correlation - np.eye(8)).max() < 4.5 / np.sqrt(n)

    def test_searches_are_independent(self):
        """Of one row in one search and the next: correlations below 4.5 / sqrt(n), 8 rows, false alarm below 6e-5."""
        n = 4000
        fired = CamSpec(device=NOISY).program(np.arange(8), 3).search(np.full(n, 5), rng=4).astype(float)
        for row in range(8):
            assert abs(np.corrcoef(fired[:-1, row], fired[1:, row])[0, 1]) < 4.5 / np.sqrt(n)

    def test_flip_statistics_through_wires(self):
        """The deviation of a match line follows from its sensitivities: chi-square at the false-alarm rate 1e-4."""
        n = 4000
        cam = CamSpec(device=NOISY, wires=WIRES, bank_rows=4).program(np.arange(8), 3)
        code, drive = 6, 0.2 * search_drive(6, 3)
        fired = cam.search(np.full(n, code), rng=5).sum(axis=0)
        banks = [cam.cells.g[k : k + 4].T for k in (0, 4)]
        t = np.concatenate([network.transconductance(bank, **TURNED) for bank in banks], axis=1)
        moved = [0.12 * bank * network.sensitivity(bank, drive, **TURNED) for bank in banks]
        deviation = np.concatenate([np.sqrt((each**2).sum(axis=(1, 2))) for each in moved])
        probability = stats.norm.cdf((cam.reference - drive @ t) / deviation)
        assert 0.005 < probability.min() < probability.max() < 0.995
        z2 = (fired - n * probability) ** 2 / (n * probability * (1 - probability))
        assert z2.sum() < stats.chi2.ppf(1 - 1e-4, 8)

    def test_fresh_for_every_search_and_repeatable(self):
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        codes = np.tile(np.arange(8), 50)
        one, again, other = cam.search(codes, 1), cam.search(codes, 1), cam.search(codes, 2)
        assert_array_equal(one, again)
        assert (one != other).any()
        by_code = one.reshape(50, 8, 8)
        assert (by_code != by_code[0]).any()

    def test_a_search_does_not_depend_on_those_behind_it(self):
        cam = CamSpec(device=NOISY).program(np.arange(8), 3)
        codes = np.random.default_rng(1).integers(0, 8, 200)
        assert_array_equal(cam.search(codes, 1)[:70], cam.search(codes[:70], 1))

    def test_nothing_flips_that_is_out_of_reach(self):
        """A row further from its reference than REACH deviations decides as without noise; the others do not all."""
        cam = CamSpec(device=LEAKY, sense=SenseSpec(noise=0.15)).program(np.arange(16), 4)
        codes = np.tile(np.arange(16), 500)
        table, found = cam.table(cam.driven_lines(np.arange(16))), cam.search(codes, rng=3)
        near = np.zeros((16, 16), dtype=bool)
        near[np.repeat(np.arange(16), np.diff(table.near_start)), table.near_row] = True
        assert 0 < near.sum() < near.size
        changed = (found != cam.fired[codes]).reshape(500, 16, 16).any(axis=0)
        assert changed.any()
        assert not (changed & ~near).any()
