"""The look-up table: words when one row fires, added currents when several do, zero when none does."""

import math

import numpy as np
import pytest
from helpers.luts import LEAKY, REFERENCES, ROUGH, WIRES
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network

import rramsim as rs
from rramsim.array.lut import LutSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wires import WireSpec
from rramsim.array.words import digit_conductances, word_digits
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec

FIXED = SenseSpec(reference="fixed")


def row_drive(*sets, n_rows):
    """Which rows are driven, (n_reads, n_rows): one read for every set of rows."""
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
        lut = spec.program(words, bits, rng=0)
        assert lut.digits.shape == (len(words), math.ceil(bits / cell_bits))
        assert_array_equal(lut.apply(np.eye(len(words), dtype=bool), rng=0), words)

    @pytest.mark.parametrize("cell_bits", [1, 2, 3, 4])
    @pytest.mark.parametrize("bits", range(2, 17))
    def test_every_width(self, bits, cell_bits):
        """Also where the digits do not fill the word; 0 and the largest word included."""
        words = np.unique(np.linspace(0, 2**bits - 1, 50).astype(np.int64))[::-1]
        lut = LutSpec(device=LEAKY, cell_bits=cell_bits).program(words, bits, rng=0)
        assert_array_equal(lut.apply(np.eye(len(words), dtype=bool), rng=0), words)

    @given(st.integers(1, 16), st.integers(1, 4), st.integers(0, 2**16 - 1))
    def test_digits(self, bits, cell_bits, word):
        word %= 1 << bits
        assert word_digits([word], bits, cell_bits).tolist() == [digits_of(word, bits, cell_bits)]

    def test_conductances_are_equidistant(self):
        expected = [5e-6, 5e-6 + 15e-6, 5e-6 + 30e-6, 5e-5]
        assert_allclose(digit_conductances(LEAKY, np.arange(4), 2), expected, rtol=1e-14)
        assert_allclose(
            LutSpec(device=LEAKY, cell_bits=2).program(np.arange(4), 2, rng=0).cells.g[:, 0], expected, rtol=1e-14
        )


class TestSeveralRows:
    @pytest.mark.parametrize("device", [DeviceSpec(), LEAKY])
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    @pytest.mark.parametrize("reference", REFERENCES)
    def test_no_row_gives_zero(self, device, cell_bits, reference):
        lut = LutSpec(device=device, cell_bits=cell_bits, sense=SenseSpec(reference=reference)).program(
            [15, 15, 0], 4, rng=0
        )
        assert_array_equal(lut.apply(row_drive(set(), {0}, set(), n_rows=3), rng=0), [0, 15, 0])

    @given(st.lists(st.integers(0, 255), min_size=1, max_size=5), st.integers(1, 5))
    def test_binary_digits_are_ored(self, words, bank_rows):
        """With open cells for 0; in one bank or in several."""
        lut, sets = LutSpec(bank_rows=bank_rows).program(words, 8, rng=0), every_set(len(words))
        expected = [0] * len(sets)
        for k, rows in enumerate(sets):
            for row in rows:
                expected[k] |= words[row]
        assert_array_equal(lut.apply(row_drive(*sets, n_rows=len(words)), rng=0), expected)

    @given(st.lists(st.integers(0, 2**8 - 1), min_size=1, max_size=5), st.integers(2, 4))
    def test_digits_are_added_until_they_are_full(self, words, cell_bits):
        lut, sets = LutSpec(cell_bits=cell_bits, sense=FIXED).program(words, 8, rng=0), every_set(len(words))
        expected = []
        for rows in sets:
            added = [sum(column) for column in zip(*(digits_of(words[row], 8, cell_bits) for row in rows), strict=True)]
            word = 0
            for digit in added:
                word = word * 2**cell_bits + min(digit, 2**cell_bits - 1)
            expected.append(word)
        assert_array_equal(lut.apply(row_drive(*sets, n_rows=len(words)), rng=0), expected)

    def test_leakage_of_many_rows_reads_as_a_one(self):
        """Five off-cells carry 25 uS, six 30 uS; the reference is at 27.5 uS."""
        leaky = LutSpec(device=LEAKY).program([0] * 7, 4, rng=0)
        assert_array_equal(leaky.apply(row_drive(set(range(5)), set(range(6)), n_rows=7), rng=0), [0, 0b1111])


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
        read = lut.apply(row_drive(*every_set(4), n_rows=4), rng=0)
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
            wrong[reference] = (spec.program(words, 8, rng=0).apply(np.eye(256, dtype=bool), rng=0) != words).sum()
        assert wrong["line"] <= wrong["global"] < wrong["fixed"]


class TestTable:
    @pytest.mark.parametrize("cell_bits", [1, 2, 4])
    @pytest.mark.parametrize("reference", REFERENCES)
    def test_is_what_single_rows_read(self, cell_bits, reference):
        """Digit by digit: the references from below, as long as the current exceeds them."""
        words = np.random.default_rng(5).integers(0, 512, 30)
        sense = SenseSpec(reference=reference)
        lut = LutSpec(device=ROUGH, wires=WIRES, cell_bits=cell_bits, sense=sense).program(words, 9, rng=5)
        table, read = lut.table(), lut.apply(np.eye(30, dtype=bool), rng=0)
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
        device = LEAKY.but({"read_noise": ReadNoiseSpec(relative_deviation=0.05)})
        lut = LutSpec(device=device, read_volt=0.3, sense=SenseSpec(noise=0.1)).program(np.arange(8), 3, rng=0)
        table = lut.table()
        assert_allclose(table.variance, (0.05 * 0.3 * lut.cells.g) ** 2, rtol=1e-12)
        assert table.noise == pytest.approx((0.1 * 0.3 * 45e-6) ** 2)
        assert_array_equal(table.current, lut.row_currents)
        assert_array_equal(table.reference, lut.reference_ampere)
        assert table.weight.tolist() == [4, 2, 1]

    def test_weights_of_wider_digits(self):
        assert LutSpec(cell_bits=3).program([5], 8, rng=0).table().weight.tolist() == [64, 8, 1]


class TestBadInput:
    @pytest.mark.parametrize("words", [[8], [-1], [0, 3, 8], [], [[1, 2], [3, 4]]])
    def test_words_that_do_not_fit(self, words):
        with pytest.raises(rs.RangeError, match="words of 3 bits are a list of integers from 0 to 7; got"):
            LutSpec().program(words, 3, rng=0)

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
