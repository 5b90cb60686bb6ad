"""All digital softmax units against the arithmetic written out score by score, and near the softmax itself."""

import numpy as np
import pytest
from helpers.digital_softmax import CODED, FORMAT, UNITS
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reference import digital_softmax as oracle
from scipy.special import softmax as float_softmax

from rramsim.engine.softmax.digital.base2_lut import Base2LutSoftmaxSpec
from rramsim.engine.softmax.digital.fixed_point import FixedPointSoftmaxSpec
from rramsim.engine.softmax.digital.hybrid import HybridSoftmaxSpec
from rramsim.engine.softmax.digital.ibert import IBertSoftmaxSpec
from rramsim.engine.softmax.digital.softermax import SoftermaxSpec
from rramsim.fixed_point import FixedPointSpec

ORACLES = {
    FixedPointSoftmaxSpec: oracle.fixed_point,
    SoftermaxSpec: oracle.softermax,
    IBertSoftmaxSpec: oracle.ibert,
    HybridSoftmaxSpec: oracle.hybrid,
    Base2LutSoftmaxSpec: oracle.base2_lut,
}
ONLINE = {"softermax"}
"""Results depend on the order of the scores."""

FORMATS = (
    st.tuples(st.integers(1, 8), st.integers(0, 8))
    .filter(lambda bits: 3 <= sum(bits) <= 12)
    .map(lambda bits: FixedPointSpec(integer_bits=bits[0], fraction_bits=bits[1]))
)


@st.composite
def coded_specs(draw):
    form = draw(FORMATS)
    bits = st.integers(2, 15)
    kinds = [
        (FixedPointSoftmaxSpec, {"lut_bits": bits, "divider_bits": st.integers(2, 24)}),
        (
            SoftermaxSpec,
            {
                "scale_by_log2e": st.booleans(),
                "lanes": st.integers(1, 20),
                "segment_bits": st.integers(0, 4),
                "reciprocal_bits": bits,
                "output_bits": bits,
            },
        ),
        (IBertSoftmaxSpec, {"output_bits": st.integers(2, 16)}),
        (HybridSoftmaxSpec, {"lut_bits": bits, "guard_bits": st.integers(0, 4), "log_bits": st.integers(0, 6)}),
        (
            Base2LutSoftmaxSpec,
            {
                "index_bits": st.integers(0, 6),
                "lut_bits": bits,
                "reciprocal_index_bits": st.integers(0, 6),
                "reciprocal_bits": bits,
                "divider_bits": st.integers(2, 24),
            },
        ),
    ]
    kind, keys = draw(st.sampled_from(kinds))
    return kind(format=form, **{key: draw(values) for key, values in keys.items()})


@given(coded_specs(), st.integers(1, 40), st.floats(0.1, 60), st.integers(0, 999))
@settings(max_examples=examples(200), deadline=None)
def test_equals_the_scalar_oracle(spec, length, spread, seed):
    """Exactly, with and without scores that take no part; those are as if they were not there."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=spread, size=(3, length))
    exact = ORACLES[type(spec)]
    codes = [[oracle.code_of(score, spec.format) for score in vector] for vector in scores]
    assert_array_equal(spec.program()(scores), [exact(spec, vector) for vector in codes])
    mask = rng.random(scores.shape) < 0.6
    masked = spec.program()(scores, mask=mask)
    for vector, alive, values in zip(codes, mask, masked, strict=True):
        present = [code if takes_part else None for code, takes_part in zip(vector, alive, strict=True)]
        if not isinstance(spec, SoftermaxSpec):
            present = [code for code in present if code is not None]
        assert_array_equal(values[alive], exact(spec, present) if alive.any() else [])
        assert not values[~alive].any()


@pytest.mark.parametrize(
    ("name", "largest", "off_one"),
    [
        ("float", 1e-15, 1e-12),
        ("fixed_point", 0.03, 0.07),
        ("softermax", 0.06, 0.12),
        ("ibert", 0.09, 0.18),
        ("hybrid", 0.06, 0.07),
        ("base2_lut", 0.09, 0.07),
    ],
)
def test_is_near_softmax(name, largest, off_one):
    """8 bits of 3 fraction bits; scores already in the format, so what is left is the error of the unit."""
    scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(scale=3, size=(200, 128))))
    values = UNITS[name].program()(scores)
    assert abs(values - float_softmax(scores, axis=-1)).max() < largest
    assert abs(values.sum(axis=-1) - 1).max() < off_one


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (FixedPointSoftmaxSpec, {"lut_bits": 16, "divider_bits": 24}),
        (SoftermaxSpec, {"segment_bits": 5, "reciprocal_bits": 15, "output_bits": 15}),
        (HybridSoftmaxSpec, {"lut_bits": 16, "guard_bits": 4, "log_bits": 10}),
        (
            Base2LutSoftmaxSpec,
            {
                "index_bits": 10,
                "lut_bits": 16,
                "reciprocal_index_bits": 10,
                "reciprocal_bits": 16,
                "divider_bits": 24,
            },
        ),
        (IBertSoftmaxSpec, {"output_bits": 16}),
    ],
)
def test_more_bits_bring_it_to_softmax(spec, error):
    """A few scores near one another; Softermax keeps its sums of 6 fraction bits, I-BERT its polynomial."""
    form = FixedPointSpec(integer_bits=4, fraction_bits=8)
    scores = form.decode(form.encode(np.random.default_rng(0).normal(size=(100, 8))))
    bound = {SoftermaxSpec: 0.01, IBertSoftmaxSpec: 0.004}.get(spec, 3e-4)
    values = spec(format=form, **error).program()(scores)
    assert abs(values - float_softmax(scores, axis=-1)).max() < bound


@pytest.mark.parametrize("name", sorted(set(CODED) - ONLINE))
def test_a_shift_changes_nothing(name):
    scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(size=(20, 30))))
    engine = UNITS[name].program()
    assert_array_equal(engine(scores), engine(scores + 3.125))


@pytest.mark.parametrize("name", sorted(set(CODED) - ONLINE))
def test_order_changes_nothing(name):
    rng = np.random.default_rng(0)
    scores, order = rng.normal(scale=3, size=(20, 50)), rng.permutation(50)
    engine = UNITS[name].program()
    assert_array_equal(engine(scores[:, order]), engine(scores)[:, order])
