"""The look-up table: words when one row fires, added currents when several do, zero when none does; and its noise."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network
from scipy import stats

import rramsim as rs
from rramsim.array.lut import LutSpec
from rramsim.array.network import WireSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.words import digit_conductances, word_digits
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.programming import ProgrammingSpec

LEAKY = DeviceSpec(g_min_siemens=5e-6, g_max_siemens=5e-5)
ROUGH = LEAKY.but({"programming": ProgrammingSpec(law="lognormal", spread_log=0.5)})
NOISY = LEAKY.but({"read_noise": ReadNoiseSpec(relative=0.5)})
WIRES = WireSpec(word_line_ohm=30.0, bit_line_ohm=45.0, driver_ohm=3000.0, sense_ohm=500.0)
FIXED = SenseSpec(reference="fixed")
REFERENCES = ["fixed", "global", "line"]


def drive(*sets, n_rows):
    """One read for every set of rows."""
    return np.array([[row in rows for row in range(n_rows)] for rows in sets])


def every_set(n_rows):
    return [{row for row in range(n_rows) if k >> row & 1} for k in range(1 << n_rows)]


def digits_of(word, bits, cell_bits):
    """Most significant first, by division."""
    digits = []
    for _ in range(math.ceil(bits / cell_bits)):
        digits.append(word % 2**cell_bits)
        word //= 2**cell_bits
    return digits[::-1]


def wrong_decisions(current, digits, k, reference):
    """How often the amplifier that tells digits up to k from those above is wrong."""
    return int((current[digits <= k] > reference).sum() + (current[digits > k] <= reference).sum())


def fewest_possible(current, digits, k):
    """Over every reference between two neighbouring currents."""
    return min(wrong_decisions(current, digits, k, (a + b) / 2) for a, b in pairwise(np.unique(current)))


class TestWords:
    @given(
        st.integers(2, 16),
        st.integers(1, 4),
        st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=20),
        st.sampled_from([DeviceSpec(), LEAKY]),
        st.sampled_from(REFERENCES),
        st.integers(1, 30),
    )
    def test_one_row_gives_its_word(self, bits, cell_bits, words, device, reference, bank_rows):
        words = np.array(words) % (1 << bits)
        spec = LutSpec(device=device, cell_bits=cell_bits, sense=SenseSpec(reference=reference), bank_rows=bank_rows)
        lut = spec.program(words, bits)
        assert lut.digits.shape == (len(words), math.ceil(bits / cell_bits))
        assert_array_equal(lut.read(np.eye(len(words), dtype=bool)), words)

    @pytest.mark.parametrize("cell_bits", [1, 2, 3, 4])
    @pytest.mark.parametrize("bits", range(2, 17))
    def test_every_width(self, bits, cell_bits):
        """Also where the digits do not fill the word; 0 and the largest word included."""
        words = np.unique(np.linspace(0, 2**bits - 1, 50).astype(np.int64))[::-1]
        lut = LutSpec(device=LEAKY, cell_bits=cell_bits).program(words, bits)
        assert_array_equal(lut.read(np.eye(len(words), dtype=bool)), words)

    @given(st.integers(1, 16), st.integers(1, 4), st.integers(0, 2**16 - 1))
    def test_digits(self, bits, cell_bits, word):
        word %= 1 << bits
        assert word_digits([word], bits, cell_bits).tolist() == [digits_of(word, bits, cell_bits)]

    def test_conductances_are_equidistant(self):
        expected = [5e-6, 5e-6 + 15e-6, 5e-6 + 30e-6, 5e-5]
        assert_allclose(digit_conductances(LEAKY, np.arange(4), 2), expected, rtol=1e-14)
        assert_allclose(LutSpec(device=LEAKY, cell_bits=2).program(np.arange(4), 2).cells.g[:, 0], expected, rtol=1e-14)


class TestSeveralRows:
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    @pytest.mark.parametrize("reference", REFERENCES)
    def test_no_row_gives_zero(self, device, cell_bits, reference):
        lut = LutSpec(device=device, cell_bits=cell_bits, sense=SenseSpec(reference=reference)).program([15, 15, 0], 4)
        assert_array_equal(lut.read(drive(set(), {0}, set(), n_rows=3)), [0, 15, 0])

    @given(st.lists(st.integers(0, 255), min_size=1, max_size=5), st.integers(1, 5))
    def test_binary_digits_are_ored(self, words, bank_rows):
        """With open cells for 0; in one bank or in several."""
        lut, sets = LutSpec(bank_rows=bank_rows).program(words, 8), every_set(len(words))
        expected = [0] * len(sets)
        for k, rows in enumerate(sets):
            for row in rows:
                expected[k] |= words[row]
        assert_array_equal(lut.read(drive(*sets, n_rows=len(words))), expected)

    @given(st.lists(st.integers(0, 2**8 - 1), min_size=1, max_size=5), st.integers(2, 4))
    def test_digits_are_added_until_they_are_full(self, words, cell_bits):
        lut, sets = LutSpec(cell_bits=cell_bits, sense=FIXED).program(words, 8), every_set(len(words))
        expected = []
        for rows in sets:
            added = [sum(column) for column in zip(*(digits_of(words[row], 8, cell_bits) for row in rows), strict=True)]
            word = 0
            for digit in added:
                word = word * 2**cell_bits + min(digit, 2**cell_bits - 1)
            expected.append(word)
        assert_array_equal(lut.read(drive(*sets, n_rows=len(words))), expected)

    def test_leakage_of_many_rows_reads_as_a_one(self):
        """Five off-cells carry 25 uS, six 30 uS; the reference is at 27.5 uS."""
        leaky = LutSpec(device=LEAKY).program([0] * 7, 4)
        assert_array_equal(leaky.read(drive(set(range(5)), set(range(6)), n_rows=7)), [0, 0b1111])


class TestCircuit:
    @pytest.mark.parametrize("bank_rows", [1, 3, 4, 64])
    @pytest.mark.parametrize("ends", [{}, {"driver_end": "both", "sense_end": "near"}])
    def test_digits_are_those_of_the_circuit(self, bank_rows, ends):
        """Rough cells behind long lines, every set of rows: each bit is the comparison that the oracle's current makes.

        The currents of the banks are added.
        """
        words, wires = np.array([9, 30, 17, 5]), WIRES.but(ends)
        spec = LutSpec(device=ROUGH, wires=wires, read_volt=0.3, bank_rows=bank_rows, sense=FIXED)
        lut = spec.program(words, 5, rng=2)
        read = lut.read(drive(*every_set(4), n_rows=4))
        expected = []
        for rows in every_set(4):
            current = np.zeros(5)
            for first in range(0, 4, bank_rows):
                v = np.array([0.3 * (row in rows) for row in range(4)])[first : first + bank_rows]
                current += network.solve(lut.cells.g[first : first + bank_rows], v, **wires.model_dump()).currents
            expected.append(sum(2 ** (4 - k) for k in range(5) if current[k] > 0.3 * 27.5e-6))
        assert_array_equal(read, expected)
        assert (read[[1, 2, 4, 8]] != words).any(), "a case in which the circuit makes mistakes"

    @pytest.mark.parametrize("bank_rows", [1, 2, 5, 64])
    def test_row_currents_are_those_of_each_bank(self, bank_rows):
        words = np.random.default_rng(1).integers(0, 512, 7)
        lut = LutSpec(device=ROUGH, wires=WIRES, bank_rows=bank_rows, cell_bits=2).program(words, 9, rng=3)
        ohm = WIRES.model_dump()
        t = [network.transconductance(lut.cells.g[k : k + bank_rows], **ohm) for k in range(0, 7, bank_rows)]
        assert_allclose(lut.row_currents, 0.2 * np.concatenate(t), rtol=1e-11)

    def test_a_reference_that_was_found_reads_long_lines_better(self):
        """256 rows on one segment of the bit lines."""
        words, wires = np.arange(256), WireSpec(word_line_ohm=5.0, bit_line_ohm=60.0)
        wrong = {}
        for reference in REFERENCES:
            spec = LutSpec(device=LEAKY, wires=wires, bank_rows=256, sense=SenseSpec(reference=reference))
            wrong[reference] = (spec.program(words, 8).read(np.eye(256, dtype=bool)) != words).sum()
        assert wrong["line"] <= wrong["global"] < wrong["fixed"]


class TestReference:
    @pytest.mark.parametrize("share", [0.2, 0.5])
    @pytest.mark.parametrize("cell_bits", [1, 2, 3])
    def test_fixed_lies_between_ideal_levels(self, share, cell_bits):
        """Whatever was written."""
        sense = SenseSpec(reference="fixed", share=share)
        spec = LutSpec(device=ROUGH, wires=WIRES, read_volt=0.3, cell_bits=cell_bits, sense=sense)
        lut, top = spec.program(np.arange(64), 6, rng=1), 2**cell_bits - 1
        step = 45e-6 / top
        expected = [0.3 * (5e-6 + (k + share) * step) for k in range(top)]
        assert_allclose(lut.reference_ampere, np.tile(expected, (6 // cell_bits, 1)), rtol=1e-13)

    @pytest.mark.parametrize("reference", ["global", "line"])
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    def test_on_ideal_cells_all_are_the_same(self, reference, cell_bits):
        sense = {each: SenseSpec(reference=each, share=0.3) for each in ("fixed", reference)}
        one, other = (
            LutSpec(device=LEAKY, cell_bits=cell_bits, sense=each).program(np.arange(256), 8).reference_ampere
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
            wrong = wrong_decisions(lut.row_currents, lut.digits, k, reference)
            assert 0 < wrong == fewest_possible(lut.row_currents, lut.digits, k)
            assert wrong <= wrong_decisions(lut.row_currents, lut.digits, k, fixed.reference_ampere[0, k])

    @pytest.mark.parametrize("cell_bits", [1, 2])
    def test_line_makes_the_fewest_of_each_column(self, cell_bits):
        sense, words = SenseSpec(reference="line"), np.random.default_rng(1).integers(0, 64, 40)
        lut = LutSpec(device=ROUGH, wires=WIRES, cell_bits=cell_bits, sense=sense).program(words, 6, rng=1)
        for j, references in enumerate(lut.reference_ampere):
            for k, reference in enumerate(references):
                current, digits = lut.row_currents[:, j], lut.digits[:, j]
                assert wrong_decisions(current, digits, k, reference) == fewest_possible(current, digits, k)

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
        digits = word_digits(lut.read(np.eye(2, dtype=bool)), 16)
        assert_array_equal(digits[0], lut.offset[:, 0] < -0.5)
        assert_array_equal(digits[1], lut.offset[:, 0] < 0.5)
        assert (digits != lut.digits).any() == (spread == 0.5)

    @pytest.mark.parametrize("reference", ["fixed", "global"])
    def test_references_ascend(self, reference):
        """A level counts the references below the current; which amplifier has which does not matter."""
        sense = SenseSpec(reference=reference, offset_spread=0.3)
        lut = LutSpec(cell_bits=2, sense=sense).program(np.arange(256), 8, rng=1)
        assert (np.diff(lut.table().reference, axis=1) >= 0).all()


class TestTable:
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    @pytest.mark.parametrize("reference", REFERENCES)
    def test_is_what_single_rows_read(self, cell_bits, reference):
        """Digit by digit: the references from below, as long as the current exceeds them."""
        words = np.random.default_rng(5).integers(0, 512, 30)
        sense = SenseSpec(reference=reference)
        lut = LutSpec(device=ROUGH, wires=WIRES, cell_bits=cell_bits, sense=sense).program(words, 9, rng=5)
        table, read = lut.table(), lut.read(np.eye(30, dtype=bool))
        assert (read != words).any() == ((cell_bits, reference) != (1, "line"))
        for row in range(30):
            word = 0
            for j, weight in enumerate(table.weight):
                level = 0
                while level < table.reference.shape[1] and table.current[row, j] > table.reference[j, level]:
                    level += 1
                word += int(weight) * (level + table.lowest)
            assert read[row] == word

    def test_variances_are_those_of_cells_and_amplifiers(self):
        """0.05 of each conductance, and 0.1 of the full signal, common to the amplifiers of a column."""
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative=0.05)})
        lut = LutSpec(device=device, read_volt=0.3, sense=SenseSpec(noise=0.1)).program(np.arange(8), 3)
        table = lut.table()
        assert_allclose(table.variance, (0.05 * 0.3 * lut.cells.g) ** 2, rtol=1e-12)
        assert table.noise == pytest.approx((0.1 * 0.3 * 45e-6) ** 2)
        assert_array_equal(table.current, lut.row_currents)
        assert_array_equal(table.reference, lut.reference_ampere)
        assert table.weight.tolist() == [4, 2, 1]

    def test_weights_of_wider_digits(self):
        assert LutSpec(cell_bits=3).program([5], 8).table().weight.tolist() == [64, 8, 1]


class TestNoise:
    def test_flips_bits_as_often_as_brute_force(self):
        """Rate of ones of 5 columns in 4000 reads of rows {0, 2}; |z| < 4.5, false alarm below 4e-5."""
        n = 4000
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative=0.2)})
        lut = LutSpec(device=device, sense=SenseSpec(reference="fixed", noise=0.3)).program([18, 31, 3], 5)
        words = lut.read(np.tile([True, False, True], (n, 1)), rng=1)
        rate = (words[:, None] >> np.arange(4, -1, -1) & 1).mean(axis=0)
        rng = np.random.default_rng(2)
        cells = np.maximum(lut.cells.g[[0, 2]] * (1 + 0.2 * rng.standard_normal((n, 2, 5))), 0.0)
        current = cells.sum(axis=1) + 0.3 * 45e-6 * rng.standard_normal((n, 5))
        expected = (current > 27.5e-6).mean(axis=0)
        both = (rate + expected) / 2
        assert np.minimum(both, 1 - both).max() > 0.05
        z = (rate - expected) / np.sqrt(2 * both * (1 - both) / n + 1e-12)
        assert np.abs(z).max() < 4.5

    @pytest.mark.parametrize("relative", [0.0, 0.1])
    def test_binary_digits_flip_with_the_probability_of_the_normal_law(self, relative):
        """8000 reads of each of 4 rows, 4 columns: chi-square of 16 binomial numbers, false alarm 1e-4."""
        n, device = 8000, LEAKY.but({"read_noise": ReadNoiseSpec(relative=relative)})
        sense = SenseSpec(reference="fixed", noise=0.3, offset_spread=0.1)
        lut = LutSpec(device=device, sense=sense).program([0b0110, 0b1111, 0b0000, 0b1010], 4, rng=1)
        words = lut.read(np.repeat(np.eye(4, dtype=bool), n, axis=0), rng=6)
        ones = word_digits(words, 4).reshape(4, n, 4).sum(axis=1)
        deviation = 0.2 * np.hypot(relative * lut.cells.g, 0.3 * 45e-6)
        references = 0.2 * (27.5e-6 + lut.offset[:, 0] * 45e-6)
        p = stats.norm.sf((references - 0.2 * lut.cells.g) / deviation)
        assert 0.005 < p.min() < p.max() < 0.995
        assert ((ones - n * p) ** 2 / (n * p * (1 - p))).sum() < stats.chi2.ppf(1 - 1e-4, 16)

    def test_wider_digits_fall_into_the_intervals_of_the_normal_law(self):
        """20000 reads of each digit, 4 outcomes: chi-square of 4 x 3 degrees of freedom, false alarm 1e-4."""
        n = 20000
        lut = LutSpec(device=LEAKY, cell_bits=2, sense=SenseSpec(noise=0.15)).program(np.arange(4), 2)
        read = lut.read(np.repeat(np.eye(4, dtype=bool), n, axis=0), rng=6).reshape(4, n)
        counts = np.array([np.bincount(each, minlength=4) for each in read])
        # In steps of the digits, references are at 0.5, 1.5 and 2.5; the noise is 0.45.
        below = stats.norm.cdf((np.array([0.5, 1.5, 2.5]) - np.arange(4)[:, None]) / 0.45)
        expected = n * np.diff(below, axis=1, prepend=0.0, append=1.0)
        frequent = expected > 5
        chi2 = ((counts - expected) ** 2 / expected)[frequent].sum()
        assert chi2 < stats.chi2.ppf(1 - 1e-4, 12)
        assert counts[~frequent].sum() <= stats.poisson.isf(1e-4, expected[~frequent].sum())

    def test_noise_of_the_amplifiers_needs_no_row(self):
        """10000 reads of none: a column exceeds its reference at 27.5 / (0.3 x 45) = 2.04 deviations; 4.5 sigma."""
        lut, n = LutSpec(device=LEAKY, sense=SenseSpec(noise=0.3)).program([0, 1], 1), 10000
        ones, p = lut.read(np.zeros((n, 2), dtype=bool), rng=1).sum(), stats.norm.sf(27.5 / 13.5)
        assert abs(ones - n * p) < 4.5 * math.sqrt(n * p * (1 - p))

    def test_columns_are_independent(self):
        """Correlations below 4.5 / sqrt(n), 10 pairs, false alarm below 7e-5."""
        n = 4000
        lut = LutSpec(device=LEAKY, sense=SenseSpec(noise=0.5)).program([0b10110, 0b01001], 5)
        digits = word_digits(lut.read(np.tile([True, False], (n, 1)), rng=2), 5)
        assert np.abs(np.corrcoef(digits.T) - np.eye(5)).max() < 4.5 / math.sqrt(n)

    def test_none_is_none(self):
        rows = np.eye(8, dtype=bool)
        lut = LutSpec(device=ROUGH).program(np.arange(8), 3, rng=1)
        assert_array_equal(lut.read(rows, rng=1), lut.read(rows, rng=2))

    def test_is_repeatable_and_fresh(self):
        lut, rows = LutSpec(device=NOISY).program([0b10010, 0], 5), np.tile([True, False], (100, 1))
        assert_array_equal(lut.read(rows, rng=1), lut.read(rows, rng=1))
        assert (lut.read(rows, rng=1) != lut.read(rows, rng=2)).any()
        assert len(np.unique(lut.read(rows, rng=1))) > 3


class TestBadInput:
    @pytest.mark.parametrize("words", [[8], [-1], [0, 3, 8], [], [[1, 2], [3, 4]]])
    def test_words_that_do_not_fit(self, words):
        with pytest.raises(rs.RangeError, match="words of 3 bits are a list of integers from 0 to 7; got"):
            LutSpec().program(words, 3)

    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"cell_bits": 0}, "cell_bits: got 0; it is at least 1"),
            ({"cell_bits": 5}, r"cell_bits: got 5; it is at most 4\. Bits that a cell holds"),
            ({"cell_bits": 1.5}, "cell_bits: got 1.5; it is a whole number"),
            ({"bank_rows": 0}, "bank_rows: got 0; it is at least 1"),
            ({"read_volt": -0.2}, "read_volt: got -0.2; it is above 0"),
            (
                {"sense": SenseSpec(kind="precharge")},
                "columns are sensed by their current; got sense.kind = 'precharge'",
            ),
            ({"sense": {"kind": "precharge"}}, "columns are sensed by their current"),
        ],
    )
    def test_specs(self, fields, wanted):
        with pytest.raises(rs.SpecError, match=wanted):
            LutSpec(**fields)
