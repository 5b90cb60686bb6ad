"""What a softmax engine is asked to be: its words, what is refused, and what is random."""

import pydoc

import pytest
from helpers.softmax import ROUGH, SMALL, lossless
from numpy.testing import assert_array_equal
from reference import softmax as oracle

import rramsim as rs
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.sensing import SenseSpec
from rramsim.errors import SpecError


class TestSpec:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"column_sense": SenseSpec(kind="precharge")}, "columns add currents up"),
            ({"sum_adc": SarAdcSpec(full_scale_from="calibrated")}, "'lossless', 'full' or 'fixed'; got 'calibrated'"),
            ({"perfect_steps": ("divide",)}, "perfect_steps"),
            ({"lut_cell_bits": 5}, "lut_cell_bits"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, changes, message):
        with pytest.raises(SpecError, match=message):
            SMALL.but(**changes)

    def test_random(self):
        assert not SMALL.random
        assert not SMALL.but(sum_adc=lossless(5)).random
        noise = SenseSpec(noise=0.1)
        for changes in ({"sense": noise}, {"column_sense": noise}, {"sum_adc": lossless(5, noise_lsb=0.1)}):
            assert SMALL.but(**changes).random
        assert SMALL.but(sense=SenseSpec(offset_spread=0.1)).random
        assert SMALL.but(device=ROUGH).random

    def test_words(self):
        assert_array_equal(SMALL.exponentials, oracle.words(4, 1, 5))
        assert_array_equal(SMALL.exponentials, [31, 19, 11, 7, 4, 3, 2, 1])

    def test_digits_of_the_words(self):
        digits = SMALL.but(lut_bits=5, lut_cell_bits=2).exponential_digits
        assert digits.shape == (8, 3)
        assert_array_equal(digits @ [16, 4, 1], SMALL.exponentials)


class TestDocumentation:
    def test_help_tells_what_every_field_means(self):
        documented = [name for line in rs.SoftmaxSpec.__doc__.splitlines() for name in line.strip().split(", ")]
        assert set(rs.SoftmaxSpec.model_fields) <= set(documented)
        assert "Width of the counters of the histogram." in pydoc.render_doc(rs.SoftmaxSpec)

    def test_errors_quote_it(self):
        with pytest.raises(SpecError, match=r"counter_bits: got 0; it is at least 1\. Width of the counters"):
            SMALL.but(counter_bits=0)
        with pytest.raises(SpecError, match=r"^SoftmaxSpec: format: missing\. Fixed-point format of the scores\.$"):
            rs.SoftmaxSpec()
