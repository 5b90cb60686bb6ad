"""References of the look-up table: where they lie, how few decisions they get wrong, offsets of the amplifiers."""

from functools import partial

import numpy as np
import pytest
from helpers.decisions import fewest_possible, wrong_decisions
from helpers.luts import LEAKY, ROUGH, WIRES
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.array.lut import LutSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.words import word_digits


def below_and_above(current, digits, k):
    """Currents of digits up to k and of those above, which an amplifier tells apart."""
    return current[digits <= k], current[digits > k]


class TestReference:
    @pytest.mark.parametrize("share", [0.2, 0.5])
    @pytest.mark.parametrize("cell_bits", [1, 2, 3])
    def test_fixed_lies_between_ideal_levels(self, share, cell_bits):
        """Whatever was written."""
        sense = SenseSpec(reference="fixed", reference_share=share)
        spec = LutSpec(device=ROUGH, wires=WIRES, read_volt=0.3, cell_bits=cell_bits, sense=sense)
        lut, top = spec.program(np.arange(64), 6, rng=1), 2**cell_bits - 1
        step = 45e-6 / top
        expected = [0.3 * (5e-6 + (k + share) * step) for k in range(top)]
        assert_allclose(lut.reference_ampere, np.tile(expected, (6 // cell_bits, 1)), rtol=1e-13)

    @pytest.mark.parametrize("reference", ["global", "line"])
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    def test_on_ideal_cells_all_are_the_same(self, reference, cell_bits):
        sense = {each: SenseSpec(reference=each, reference_share=0.3) for each in ("fixed", reference)}
        one, other = (
            LutSpec(device=LEAKY, cell_bits=cell_bits, sense=each).program(np.arange(256), 8, rng=0).reference_ampere
            for each in sense.values()
        )
        assert_allclose(one, other, rtol=1e-12)

    @pytest.mark.parametrize("cell_bits", [1, 2])
    @pytest.mark.parametrize("seed", range(3))
    def test_global_makes_the_fewest_wrong_decisions(self, cell_bits, seed):
        """As few as any reference that could be common to the columns."""
        make = partial(LutSpec, device=ROUGH, wires=WIRES, cell_bits=cell_bits)
        words = np.random.default_rng(seed).integers(0, 64, 40)
        lut, fixed = (make(sense=SenseSpec(reference=x)).program(words, 6, rng=seed) for x in ("global", "fixed"))
        assert_array_equal(lut.row_currents, fixed.row_currents)
        assert (np.ptp(lut.reference_ampere, axis=0) == 0).all()
        for k, reference in enumerate(lut.reference_ampere[0]):
            signals = below_and_above(lut.row_currents, lut.digits, k)
            wrong = wrong_decisions(*signals, reference)
            assert 0 < wrong == fewest_possible(*signals)
            assert wrong <= wrong_decisions(*signals, fixed.reference_ampere[0, k])

    @pytest.mark.parametrize("cell_bits", [1, 2])
    def test_line_makes_the_fewest_of_each_column(self, cell_bits):
        sense, words = SenseSpec(reference="line"), np.random.default_rng(1).integers(0, 64, 40)
        lut = LutSpec(device=ROUGH, wires=WIRES, cell_bits=cell_bits, sense=sense).program(words, 6, rng=1)
        for j, references in enumerate(lut.reference_ampere):
            for k, reference in enumerate(references):
                signals = below_and_above(lut.row_currents[:, j], lut.digits[:, j], k)
                assert wrong_decisions(*signals, reference) == fewest_possible(*signals)

    @pytest.mark.parametrize("reference", ["global", "line"])
    def test_where_nothing_can_be_told_apart_it_is_the_fixed_one(self, reference):
        """No word has the top bit, and all have the next."""
        one, other = (
            LutSpec(device=ROUGH, sense=SenseSpec(reference=each)).program([0b01, 0b01], 2, rng=1).reference_ampere
            for each in (reference, "fixed")
        )
        if reference == "global":
            # The columns together hold both digits.
            assert one[0] == one[1] != other[0]
        else:
            assert_array_equal(one, other)


class TestOffsets:
    def test_shift_a_fixed_reference_exactly(self):
        plain, shifted = (
            LutSpec(
                device=ROUGH, cell_bits=2, sense=SenseSpec(reference="fixed", offset_spread=spread), read_volt=0.3
            ).program(np.arange(64), 6, rng=1)
            for spread in (0.0, 0.01)
        )
        assert shifted.full_ampere == pytest.approx(0.3 * 45e-6)
        assert_array_equal(plain.cells.g, shifted.cells.g)
        assert_array_equal(plain.offset, np.zeros((3, 3)))
        assert (shifted.offset != 0).all()
        assert_allclose(shifted.reference_ampere, plain.reference_ampere + shifted.offset * 0.3 * 45e-6, rtol=1e-14)

    def test_follow_the_normal_law(self):
        """16 x 15 binary offsets: Kolmogorov-Smirnov at the false-alarm rate 1e-4."""
        sense = SenseSpec(offset_spread=0.02)
        drawn = [LutSpec(sense=sense).program([0], 16, rng=seed).offset for seed in range(15)]
        assert stats.kstest(np.concatenate(drawn).ravel() / 0.02, "norm").pvalue > 1e-4

    def test_global_reference_is_common_and_line_takes_its_own_away(self):
        words = np.arange(64)
        make = {
            each: LutSpec(device=ROUGH, sense=SenseSpec(reference=each, offset_spread=0.2)).program(words, 6, rng=1)
            for each in ("global", "line")
        }
        plain = {each: LutSpec(device=ROUGH, sense=SenseSpec(reference=each)).program(words, 6, rng=1) for each in make}
        lut = make["global"]
        assert_allclose(
            lut.reference_ampere, plain["global"].reference_ampere + lut.offset * lut.full_ampere, rtol=1e-13
        )
        assert make["line"].offset.any()
        assert_array_equal(make["line"].reference_ampere, plain["line"].reference_ampere)

    @pytest.mark.parametrize("spread", [0.1, 0.5])
    def test_binary_words_change_where_the_offset_exceeds_the_margin(self, spread):
        """In ideal cells half of the full signal on either side."""
        lut = LutSpec(device=LEAKY, sense=SenseSpec(offset_spread=spread)).program([0, 0xFFFF], 16, rng=3)
        digits = word_digits(lut.apply(np.eye(2, dtype=bool), rng=0), 16)
        assert_array_equal(digits[0], lut.offset[:, 0] < -0.5)
        assert_array_equal(digits[1], lut.offset[:, 0] < 0.5)
        assert (digits != lut.digits).any() == (spread == 0.5)

    @pytest.mark.parametrize("reference", ["fixed", "global"])
    def test_references_ascend(self, reference):
        """A level counts the references below the current; which amplifier has which does not matter."""
        sense = SenseSpec(reference=reference, offset_spread=0.3)
        lut = LutSpec(cell_bits=2, sense=sense).program(np.arange(256), 8, rng=1)
        assert (np.diff(lut.table().reference, axis=1) >= 0).all()
