"""Specifications refuse what they do not understand, and the fixed-point format is exact."""

import pickle
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.array.network import WireSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro import MacroSpec
from rramsim.errors import RramsimError, SpecError
from rramsim.spec import FixedPointSpec, word_bits

FORMATS = st.tuples(st.integers(1, 12), st.integers(0, 11)).filter(lambda bits: 3 <= sum(bits) <= 12)


def form(bits):
    return FixedPointSpec(integer_bits=bits[0], fraction_bits=bits[1])


class TestSpec:
    def test_frozen(self):
        wires = WireSpec(driver_ohm=1.0)
        with pytest.raises(ValueError, match="frozen"):
            wires.driver_ohm = 2.0
        assert wires == WireSpec(driver_ohm=1.0)
        assert hash(wires) == hash(WireSpec(driver_ohm=1.0))

    def test_unknown_key_and_the_one_that_was_meant(self):
        with pytest.raises(SpecError, match="tile_row: unknown key; did you mean 'tile_rows'"):
            MacroSpec(tile_row=3)

    @pytest.mark.parametrize("wrong", ["8", 8.5, True, None, 17])
    def test_strict_types(self, wrong):
        with pytest.raises(SpecError, match=r"MacroSpec: input_bits: .*got"):
            MacroSpec(input_bits=wrong)

    def test_whole_numbers_are_good_lengths(self):
        assert WireSpec(driver_ohm=3).driver_ohm == 3.0

    def test_every_problem_at_once(self):
        with pytest.raises(SpecError) as raised:
            ChipSpec(macro={"input_bits": 0, "wires": {"driver_ohm": -1.0}, "colour": "red"})
        message = str(raised.value)
        assert isinstance(raised.value, RramsimError)
        for part in ("macro.input_bits", "macro.wires.driver_ohm", "macro.colour"):
            assert part in message
        assert {path for path, _ in raised.value.problems} == {
            ("macro", "input_bits"),
            ("macro", "wires", "driver_ohm"),
            ("macro", "colour"),
        }

    def test_a_message_says_what_the_key_means(self):
        with pytest.raises(SpecError, match=r"got -1\.0; it is at least 0\. .*input line"):
            WireSpec(driver_ohm=-1.0)

    def test_an_inner_specification_keeps_its_error(self):
        """Built by itself it raises at once; then the next outer one is not taken for an inner one."""
        for _ in range(2):
            with pytest.raises(SpecError, match="WireSpec: driver_ohm"):
                WireSpec(driver_ohm=-1.0)
        with pytest.raises(SpecError, match="MacroSpec: "):
            MacroSpec(wires={"driver_ohm": -1.0})

    def test_threads_do_not_disturb_each_other(self):
        found = []

        def build():
            try:
                WireSpec(driver_ohm=-1.0)
            except SpecError as error:
                found.append(str(error))

        threads = [threading.Thread(target=build) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8

    @pytest.mark.parametrize(
        "spec", [WireSpec(driver_ohm=2.0), ChipSpec(), FixedPointSpec(integer_bits=3, fraction_bits=2)]
    )
    def test_goes_to_a_worker_and_into_a_file(self, spec):
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert type(spec).model_validate(spec.model_dump()) == spec
        assert type(spec)(**spec.model_dump(mode="json")) == spec


class TestFixedPoint:
    @given(FORMATS)
    def test_every_code_comes_back(self, bits):
        spec = form(bits)
        codes = np.arange(1 << spec.bits)
        numbers = spec.decode(codes)
        assert_array_equal(spec.encode(numbers), codes)
        assert numbers[0] == -(2.0 ** (bits[0] - 1))
        assert numbers[-1] == 2.0 ** (bits[0] - 1) - 2.0 ** -bits[1]
        assert_array_equal(np.diff(numbers), np.full(len(codes) - 1, 2.0 ** -bits[1]))

    @given(FORMATS, st.floats(-1e4, 1e4))
    def test_nearest_ties_to_even(self, bits, x):
        spec = form(bits)
        half = 2 ** (spec.bits - 1)
        expected = min(max(round(Fraction(x) * 2 ** bits[1]), -half), half - 1) + half
        assert spec.encode(x) == expected

    def test_ties(self):
        spec = FixedPointSpec(integer_bits=3, fraction_bits=1)
        assert_array_equal(spec.encode([-0.75, -0.25, 0.25, 0.75, 1.25]) - 8, [-2, 0, 0, 2, 2])

    def test_saturation(self):
        spec = FixedPointSpec(integer_bits=3, fraction_bits=1)
        assert_array_equal(spec.encode([-1e300, -4.1, 3.6, 1e300]), [0, 0, 15, 15])

    @pytest.mark.parametrize(("integer_bits", "fraction_bits"), [(1, 1), (2, 0), (7, 6), (12, 11)])
    def test_width(self, integer_bits, fraction_bits):
        with pytest.raises(SpecError, match="allowed are 3 to 12, since a CAM needs"):
            FixedPointSpec(integer_bits=integer_bits, fraction_bits=fraction_bits)


@given(st.integers(1, 20), st.lists(st.integers(0, 2**20 - 1), max_size=10))
def test_word_bits(bits, words):
    words = [word % (1 << bits) for word in words]
    found = word_bits(np.array(words, dtype=np.int64), bits)
    assert found.shape == (len(words), bits)
    assert ["".join("01"[int(bit)] for bit in row) for row in found] == [f"{word:0{bits}b}" for word in words]
