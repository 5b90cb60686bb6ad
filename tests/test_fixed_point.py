"""The fixed-point format is exact."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec

FORMATS = st.tuples(st.integers(1, 12), st.integers(0, 11)).filter(lambda bits: 3 <= sum(bits) <= 12)


def form(bits):
    return FixedPointSpec(integer_bits=bits[0], fraction_bits=bits[1])


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
