"""I-BERT: its constants and its polynomial."""

import numpy as np
from helpers.softmax import watch
from numpy.testing import assert_array_equal

from rramsim.engine.softmax.digital.ibert import LN2, POLYNOMIAL, IBertSoftmaxSpec
from rramsim.fixed_point import FixedPointSpec


def test_polynomial():
    """At most 1.9e-3 from exp; whatever the scale of the scores, exp(0) becomes 2^15 - 1."""
    a, b, c = POLYNOMIAL
    p = np.linspace(LN2, 0, 1001)
    assert abs(a * p**2 + b * p + c - np.exp(p)).max() < 1.92e-3
    for fraction_bits in range(2, 12):
        form = FixedPointSpec(integer_bits=1, fraction_bits=fraction_bits)
        _, signals = watch(IBertSoftmaxSpec(format=form).program(), [[0.25, -1.0]])
        assert signals["exponential"][0, 0] == 2**15 - 1


def test_published_constants():
    """x0 and n, in units of 1/64."""
    form = FixedPointSpec(integer_bits=6, fraction_bits=6)
    _, signals = watch(IBertSoftmaxSpec(format=form).program(), [[20.0, 20.0 - 45 / 64, 0.0]])
    # 45 / 64 is x0: half of exp(0), which is 2^15 - 1; 20 is 28 times x0 and a rest.
    assert_array_equal(signals["exponential"], [[32767, 16384, 0]])
