"""The softmax engine on ideal cells: the integers exactly, and near the softmax in floating point."""

import numpy as np
import pytest
from helpers.sizes import examples
from helpers.softmax import FIXED, FORMATS, LEAKY, NO_ERRORS, OPTIONS, ROUGH, SMALL, assert_exact, formatted, lossless
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.special import softmax as float_softmax

from rramsim.array.sensing import SenseSpec
from rramsim.cell.device import DeviceSpec, device

SENSES = [
    SenseSpec(),
    FIXED,
    SenseSpec(reference="line", reference_share=0.3),
    SenseSpec(kind="precharge"),
    SenseSpec(reference_share=0.6),
]


@st.composite
def ideal_specs(draw):
    integer_bits, fraction_bits = draw(FORMATS)
    return formatted(
        integer_bits,
        fraction_bits,
        lut_bits=draw(st.integers(2, 16)),
        lut_cell_bits=draw(st.integers(1, 4)),
        counter_bits=draw(st.integers(1, 10)),
        overflow=draw(st.sampled_from(["flush", "saturate"])),
        sum_adc=draw(st.sampled_from([None, lossless(2), lossless(4), lossless(10)])),
        divider_bits=draw(st.integers(2, 24)),
        device=draw(st.sampled_from([DeviceSpec(), LEAKY, device("rram-intel-22nm")])),
        bank_rows=draw(st.sampled_from([5, 64])),
        read_volt=draw(st.sampled_from([0.2, 0.31])),
        sense=draw(st.sampled_from(SENSES)),
        column_sense=draw(st.sampled_from([each for each in SENSES if each.kind == "current"])),
        **draw(st.sampled_from(OPTIONS)),
    )


@st.composite
def vectors(draw, most=40):
    """Scores, many of them alike or out of range, some masked; and a mask, or none."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, most)))
    scores = rng.normal(draw(st.sampled_from([0, 0, -20, 20])), draw(st.sampled_from([0.3, 2, 60])), size=shape)
    if draw(st.booleans()):
        scores = rng.choice(scores.ravel()[:3], size=shape)
    if draw(st.booleans()):
        scores[rng.random(shape) < 0.3] = -np.inf
    mask = rng.random(shape[draw(st.integers(0, 1)) :]) < draw(st.sampled_from([0.2, 0.9]))
    return scores, mask if draw(st.booleans()) else None


class TestIdeal:
    @given(ideal_specs(), vectors())
    @settings(max_examples=examples(100))
    def test_equals_the_integers_exactly(self, spec, chosen):
        errors = assert_exact(spec, *chosen)
        if spec.overflow == "flush":
            assert errors["counter_saturation"] == 0

    @pytest.mark.thinned(4)
    @pytest.mark.parametrize("split", [(2, 2), (4, 0), (1, 4), (3, 3), (6, 1), (6, 2), (1, 7), (6, 3), (9, 0)])
    @pytest.mark.parametrize("options", OPTIONS)
    def test_every_code_against_every_other(self, split, options):
        spec = formatted(*split, device=LEAKY, **options)
        codes = np.arange(1 << spec.format.bits)
        if codes.size <= 32:
            scores = np.stack(np.meshgrid(codes, codes), axis=-1).reshape(-1, 2)
        else:
            # Some, with others near and far away.
            some = codes[:: max(codes.size // 64, 1)]
            others = (some[:, None] + np.array([-200, -1, 1, 3])).clip(0, codes[-1])
            scores = np.stack([np.repeat(some, 4), others.ravel()], axis=-1)
            assert_exact(spec, spec.format.decode(codes)[None, :])
        assert assert_exact(spec, spec.format.decode(scores)) == NO_ERRORS

    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("split", [(7, 3), (6, 5), (8, 4)])
    def test_wide_formats(self, split):
        """All codes at once, and all below some maxima."""
        spec = formatted(*split, lut_bits=12, divider_bits=16, device=LEAKY)
        rng, engine = np.random.default_rng(0), spec.program()
        codes = np.arange(1 << spec.format.bits)
        assert_exact(spec, rng.normal(scale=2.0 ** (split[0] - 1), size=(5, 40)), engine=engine)
        for top in (codes[-1], codes[-1] - 700, 100):
            assert_exact(spec, spec.format.decode(codes[: top + 1])[None, :], engine=engine)

    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("overflow", ["flush", "saturate"])
    @pytest.mark.parametrize("counter_bits", [3, 10, 12, 20])
    @pytest.mark.parametrize("sum_adc", [None, lossless(5)])
    def test_long_vectors(self, counter_bits, overflow, sum_adc):
        spec = formatted(6, 2, counter_bits=counter_bits, overflow=overflow, sum_adc=sum_adc, divider_bits=16)
        rng, engine = np.random.default_rng(counter_bits), spec.program()
        for length in (1023, 1024, 4096):
            scores = rng.normal(scale=1.5, size=(1, length))
            assert_exact(spec, scores, engine=engine)
            assert_exact(spec, scores, rng.random(length) < 0.5, engine=engine)

    @pytest.mark.parametrize("read_volt", [0.2, 0.3])
    @pytest.mark.parametrize("cell", [DeviceSpec(), LEAKY, device("rram-intel-22nm")])
    def test_exact_where_a_quotient_is_a_tie(self, cell, read_volt):
        """Few values in a vector, so that many a quotient lies exactly halfway between two codes of the divider."""
        spec = formatted(4, 3, device=cell, read_volt=read_volt, lut_bits=4, divider_bits=4)
        words = spec.exponentials
        # n scores at the maximum, m at a distance, the rest so low that they add nothing: sums that make 16 * 15 / sum
        # a whole number and a half.
        chosen = [
            [0.0] * n + [-gap / 8] * m + [-7.0] * (40 - n - m)
            for gap in range(1, 28)
            for n in range(1, 12)
            for m in range(12)
            if (n * words[0] + m * words[gap]) in (32, 96, 160)
        ]
        assert len(chosen) > 30
        assert_exact(spec, np.array(chosen))

    @given(st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=20), FORMATS)
    @settings(max_examples=examples(40))
    def test_either_precision_gives_the_same_values(self, scores, split):
        engine = formatted(*split, divider_bits=24).program()
        single, double = engine.apply(np.array(scores, np.float32)), engine.apply(np.array(scores, np.float64))
        assert (single.values.dtype, double.values.dtype) == (np.float32, np.float64)
        assert_array_equal(single.values.astype(np.float64), double.values)
        assert (single.errors, single.activity) == (double.errors, double.activity)

    def test_the_largest_numbers_of_single_precision(self):
        engine, ends = SMALL.program(), np.finfo(np.float32)
        scores = np.array([[ends.min, 0.0], [ends.max, 0.0], [ends.min, ends.min]], np.float32)
        assert engine.apply(scores).errors == {**NO_ERRORS, "score_saturation": 4}
        assert_array_equal(engine(scores), engine(scores.astype(np.float64)))

    def test_a_full_counter_stays_full_or_is_read_out(self):
        scores = np.zeros(10)
        keeps = formatted(3, 1, counter_bits=2, divider_bits=10, overflow="saturate").program().apply(scores)
        assert_array_equal(keeps.values, np.full(10, np.floor(1024 / 3 + 0.5) / 1024))
        assert keeps.errors == {**NO_ERRORS, "counter_saturation": 1}
        flushed = formatted(3, 1, counter_bits=2, divider_bits=10).program().apply(scores)
        assert_array_equal(flushed.values, np.full(10, np.floor(1024 / 10 + 0.5) / 1024))
        assert flushed.errors == NO_ERRORS

    def test_probabilities_of_a_length_beyond_the_divider(self):
        """600 equal scores: each probability is below half of the divider's last bit, and reads 0."""
        assert not formatted(3, 1, divider_bits=8).program()(np.zeros(600)).any()

    def test_saturated_scores_are_counted(self):
        done = SMALL.program().apply([[-4.0, 3.5, 3.6, -4.1, 100.0]])
        assert done.errors == {**NO_ERRORS, "score_saturation": 3}


class TestProperties:
    @given(FORMATS, st.integers(-12, 12), st.integers(0, 999))
    @settings(max_examples=examples(40))
    def test_a_common_shift_does_not_matter(self, split, steps, seed):
        """By any number that the format represents, as long as nothing saturates."""
        spec = formatted(*split)
        most = 1 << (spec.format.bits - 1)
        steps %= most
        codes = np.random.default_rng(seed).integers(0, most, size=(2, 9))
        engine = spec.program()
        assert_array_equal(engine(spec.format.decode(codes + steps)), engine(spec.format.decode(codes)))

    @given(FORMATS, st.integers(2, 20), st.integers(0, 999), st.sampled_from(OPTIONS), st.sampled_from([LEAKY, ROUGH]))
    @settings(max_examples=examples(60))
    def test_order_of_the_scores_does_not_matter(self, split, length, seed, options, cell):
        engine = formatted(*split, device=cell, sense=SenseSpec(offset_spread=0.1), **options).program(rng=seed)
        rng = np.random.default_rng(seed)
        scores, order = rng.normal(scale=4, size=length), rng.permutation(length)
        done, other = engine.apply(scores, rng=0), engine.apply(scores[order], rng=0)
        assert_array_equal(other.values, done.values[order])
        assert other.errors == done.errors
        assert other.activity.total("cell_read_joule") == pytest.approx(
            done.activity.total("cell_read_joule"), rel=1e-12, abs=0
        )

    @given(st.integers(1, 300), st.integers(2, 24), st.integers(0, 999))
    @settings(max_examples=examples(60))
    def test_sums_to_one_but_for_the_divider(self, length, divider_bits, seed):
        """Before the divider the sum is exactly 1; each quotient is off by half a step or less."""
        spec = formatted(6, 2, divider_bits=divider_bits)
        values = spec.program()(np.random.default_rng(seed).normal(scale=2, size=length))
        assert abs(values.sum() - 1) <= length / 2 * 2.0**-divider_bits
        assert ((values >= 0) & (values <= 1)).all()
        assert_array_equal(values * 2.0**divider_bits % 1, 0)

    @pytest.mark.parametrize("length", [1, 5, 50, 400])
    @pytest.mark.parametrize(("split", "lut_bits"), [((6, 2), 8), ((5, 4), 12), ((4, 6), 16)])
    def test_close_to_the_float_softmax(self, split, lut_bits, length):
        """Scores are off by up to h/2, h = 2^-f: probabilities p by a factor from exp(-h) to exp(h), say to p'.

        Words are W exp(-d) off by up to 1/2, and exact, W, at the maximum; so their sum is at least W, and off by up
        to n/2: quotients are off by (1 + n p') / (2 W). The divider adds half of its step.
        """
        spec, step = formatted(*split, lut_bits=lut_bits, divider_bits=lut_bits), 2.0**-lut_bits
        scores = np.random.default_rng(length).normal(scale=1.5, size=(20, length)).clip(-3.9, 3.9)
        exact, h = float_softmax(scores, axis=-1), 2.0 ** -split[1]
        words = (1 + length * np.exp(h) * exact) / (2 * ((1 << lut_bits) - 1))
        bound = exact * np.expm1(h) + words + step / 2
        gap = np.abs(spec.program()(scores) - exact)
        assert (gap <= bound * (1 + 1e-12)).all()
        # Rounded scores leave only the words and the divider.
        rounded = spec.format.decode(spec.format.encode(scores))
        exact = float_softmax(rounded, axis=-1)
        words = (1 + length * exact) / (2 * ((1 << lut_bits) - 1))
        assert (np.abs(spec.program()(rounded) - exact) <= words + step / 2 + 1e-15).all()

    @pytest.mark.parametrize("fraction_bits", [0, 1, 2, 4, 6])
    def test_divergence_from_the_float_softmax(self, fraction_bits):
        """Scores rounded to a step h: ln E exp(delta) - E delta <= h^2 / 8, as delta lies in an interval h (Hoeffding).

        What words and divider add is at most -ln(1 - r) with r the largest relative error that they make.
        """
        spec = formatted(4, fraction_bits, lut_bits=16, divider_bits=24)
        scores = np.random.default_rng(0).uniform(-2, 2, size=(200, 20))
        exact, values = float_softmax(scores, axis=-1), spec.program()(scores)
        rounded = float_softmax(spec.format.decode(spec.format.encode(scores)), axis=-1)
        relative = ((1 / rounded + 20) / (2 * 65535) + 2.0**-25 / rounded).max(axis=-1)
        divergence = (exact * np.log(exact / values)).sum(axis=-1)
        assert (divergence <= 4.0**-fraction_bits / 8 - np.log1p(-relative)).all()

    def test_vectors_are_independent(self):
        scores = np.random.default_rng(0).normal(scale=3, size=(2, 3, 7))
        engine = SMALL.but(device=ROUGH).program(rng=0)
        assert engine(scores, rng=0).shape == (2, 3, 7)
        for place in np.ndindex(2, 3):
            assert_array_equal(engine(scores, rng=0)[place], engine(scores[place], rng=0))
