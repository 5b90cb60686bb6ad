"""Sense amplifiers of a CAM: references, offsets, precharged lines, and the energy of searches."""

import math
from itertools import product

import numpy as np
import pytest
from helpers.cams import LEAKY, POOR, PRECHARGE, REFERENCES, ROUGH, WIRES, search_drive
from helpers.decisions import fewest_possible, wrong_decisions
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.array.cam import CamSpec
from rramsim.array.network import WireSpec
from rramsim.array.sensing import SenseSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec


class TestReference:
    @pytest.mark.parametrize("share", [0.2, 0.5])
    def test_fixed_lies_between_ideal_cells(self, share):
        """Whatever was written: 3 leaking cells, and one that conducts beside 2."""
        sense = SenseSpec(reference="fixed", reference_share=share)
        cam = CamSpec(device=ROUGH, wires=WIRES, read_volt=0.3, sense=sense).program(np.arange(8), 3, rng=1)
        low, high = 0.3 * 3 * 2e-6, 0.3 * (2 * 2e-6 + 5e-5)
        assert_allclose(cam.reference, np.full(8, low + share * (high - low)), rtol=1e-13)

    @pytest.mark.parametrize("share", [0.2, 0.5])
    @pytest.mark.parametrize("reference", ["global", "line"])
    def test_on_ideal_cells_all_are_the_same(self, share, reference):
        one, other = (
            CamSpec(device=LEAKY, sense=SenseSpec(reference=each, reference_share=share))
            .program(np.arange(8), 3, rng=0)
            .reference
            for each in ("fixed", reference)
        )
        assert_allclose(one, other, rtol=1e-12)

    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    @pytest.mark.parametrize("seed", range(3))
    def test_global_makes_the_fewest_wrong_decisions(self, seed, wires):
        """As few as any reference that could be common to all rows; the fixed one makes more."""
        cam = CamSpec(device=POOR, wires=wires).program(np.arange(64)[::-1], 6, rng=seed)
        match, one_off = cam.margin_currents()
        assert np.ptp(cam.reference) == 0
        wrong = wrong_decisions(match, one_off, cam.reference[0])
        assert 0 < wrong == fewest_possible(match, one_off)
        fixed = CamSpec(device=POOR, wires=wires, sense=SenseSpec(reference="fixed")).program(
            np.arange(64)[::-1], 6, rng=0
        )
        assert wrong < wrong_decisions(match, one_off, fixed.reference[0])

    @pytest.mark.parametrize("wires", [WireSpec(), WIRES])
    def test_line_makes_the_fewest_of_each_row(self, wires):
        sense = SenseSpec(reference="line")
        cam = CamSpec(device=POOR, wires=wires, sense=sense).program(np.arange(64)[::-1], 6, rng=1)
        match, one_off = cam.margin_currents()
        for row in range(64):
            wrong = wrong_decisions(match[row], one_off[row], cam.reference[row])
            assert wrong == fewest_possible(match[row], one_off[row])
        one = CamSpec(device=POOR, wires=wires).program(np.arange(64)[::-1], 6, rng=1)
        by_line, by_all = (wrong_decisions(match, one_off, each.reference[:, None]) for each in (cam, one))
        assert by_line < by_all

    def test_decisions_are_comparisons(self):
        for reference in REFERENCES:
            sense = SenseSpec(reference=reference, offset_spread=0.1)
            cam = CamSpec(device=POOR, sense=sense).program(np.arange(16), 4, rng=1)
            assert_array_equal(cam.fired, cam.match_currents() < cam.reference)


def programmed(**sense):
    """A CAM with these amplifiers; its cells and the draw of its offsets do not depend on them."""
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
        match, one_off = (each - offset[:, None] for each in cam.margin_currents())
        assert wrong_decisions(match, one_off, cam.reference[0] - offset[0]) == fewest_possible(match, one_off)

    @pytest.mark.parametrize("kind", ["current", "precharge"])
    def test_line_takes_its_own_away(self, kind):
        plain, shifted = (programmed(kind=kind, reference="line", offset_spread=x) for x in (0.0, 0.2))
        assert shifted.offset.any()
        assert_array_equal(shifted.reference, plain.reference)
        assert_array_equal(shifted.fired, plain.fired)


class TestPrecharge:
    @pytest.mark.parametrize("reference", REFERENCES)
    @pytest.mark.parametrize("second", [None, 3e-10])
    def test_signal_is_what_the_line_has_lost(self, reference, second):
        """One line and code after the other: V exp(-t G / C), with G from the sum of the driven cells."""
        sense = SenseSpec(reference=reference, strobe_second=second, **PRECHARGE)
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
        cam = CamSpec(device=ROUGH, wires=WIRES, read_volt=0.3, sense=SenseSpec(**PRECHARGE)).program(
            np.arange(8), 3, rng=1
        )
        siemens = cam.match_currents() / 0.3
        expected = 0.4 * (1 - np.exp(-cam.strobe_second * siemens / cam.line_farad))
        assert_allclose(cam.line_signals(cam.driven_lines(np.arange(8)))[0], expected, rtol=1e-12)

    @pytest.mark.parametrize("bits", [3, 9])
    def test_time_constant_of_one_differing_bit(self, bits):
        """R_on C, as in EvaCAM, where nothing leaks: after it the line is at 1 / e."""
        on_ohm, tau = 20e3, 20e3 * (2 * bits * 2e-15 + 5e-15)
        sense = SenseSpec(strobe_second=tau, **PRECHARGE)
        cam = CamSpec(device=DeviceSpec(g_max_siemens=1 / on_ohm), sense=sense).program([5], bits, rng=0)
        signal = cam.line_signals(cam.driven_lines([5, 4, 7]))[0][:, 0]
        assert_allclose(signal, [0.0, 0.4 * (1 - math.exp(-1)), 0.4 * (1 - math.exp(-1))], rtol=1e-12)
        free = CamSpec(device=DeviceSpec(g_max_siemens=1 / on_ohm), sense=SenseSpec(**PRECHARGE)).program(
            [5], bits, rng=0
        )
        assert free.strobe_second == pytest.approx(5 * tau, rel=1e-12)

    def test_fixed_reference_is_that_of_ideal_cells(self):
        sense = SenseSpec(reference="fixed", reference_share=0.3, **PRECHARGE)
        cam = CamSpec(device=ROUGH, sense=sense).program(np.arange(8), 3, rng=1)
        farad, match = 17e-15, 3 * 2e-6
        assert cam.strobe_second == pytest.approx(sense.strobe(farad, match, match + 48e-6), rel=1e-14)
        low, high = (0.4 * (1 - math.exp(-cam.strobe_second * g / farad)) for g in (match, match + 48e-6))
        assert_allclose(cam.reference, np.full(8, low + 0.3 * (high - low)), rtol=1e-12)

    def test_strobe_is_where_the_worst_two_are_furthest_apart(self):
        """The fastest match and the slowest of one differing bit, of the written cells, by numbers."""
        cam = CamSpec(device=ROUGH, wires=WIRES, sense=SenseSpec(**PRECHARGE)).program(np.arange(8), 3, rng=9)
        match, miss = (each / 0.2 / cam.line_farad for each in cam.margin_currents())
        slow, fast = match.max(), miss.min()
        assert slow < fast
        times = cam.strobe_second * np.linspace(0.2, 3.0, 2801)
        assert times[np.argmax(np.exp(-slow * times) - np.exp(-fast * times))] == pytest.approx(
            cam.strobe_second, rel=2e-3
        )

    def test_noise_of_cells_is_that_of_small_deviations(self):
        """And the amplifier's on top, in squares."""
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=0.05)})
        sense = SenseSpec(noise=0.02, **PRECHARGE)
        cam = CamSpec(device=device, wires=WIRES, read_volt=0.3, sense=sense).program(np.arange(8), 3, rng=0)
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
        joule, currents = cam.search_joule(cam.driven_lines(np.arange(8)), 20e-9), cam.match_currents()
        for code in range(8):
            assert joule[code] == pytest.approx(0.3 * sum(currents[code].tolist()) * 20e-9, rel=1e-12)
            if wires.ideal:
                driven = search_drive(code, 3).astype(bool)
                assert joule[code] == pytest.approx(0.09 * cam.cells.g[:, driven].sum() * 20e-9, rel=1e-12)
        assert_allclose(cam.stored_search_joule(20e-9), joule[::-1], rtol=1e-14)

    def test_of_charging_the_lines_again(self):
        """C V for every volt that was lost, however long the pulse."""
        cam = CamSpec(device=ROUGH, sense=SenseSpec(**PRECHARGE)).program(np.arange(8)[::-1], 3, rng=1)
        lost = cam.line_signals(cam.driven_lines(np.arange(8)))[0]
        expected = [17e-15 * 0.4 * sum(lost[code].tolist()) for code in range(8)]
        for second in (1e-9, 20e-9):
            assert_allclose(cam.search_joule(cam.driven_lines(np.arange(8)), second), expected, rtol=1e-12)
            assert_allclose(cam.stored_search_joule(second), expected[::-1], rtol=1e-12)

    def test_of_a_masked_search_is_less(self):
        cam = CamSpec(device=LEAKY).program(np.arange(8), 3, rng=0)
        one, half = (cam.search_joule(cam.driven_lines([5], known), 1e-9)[0] for known in (None, 1))
        assert half < one
