"""The softmax engine: integers when ideal, the circuit when rough, the law of brute force when noisy; what it costs."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError
from reference import softmax as oracle
from scipy import stats
from scipy.special import softmax as float_softmax

from rramsim.array.adc import AdcSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wired import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.statistics import ProgrammingSpec
from rramsim.cell.writing import WriteSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec

LEAKY = DeviceSpec(g_min_siemens=2e-6, g_max_siemens=5e-5)
SPREAD = ProgrammingSpec(law="lognormal", spread_log=0.3)
ROUGH = LEAKY.but({"programming": SPREAD, "stuck": StuckSpec(on_fraction=0.01, off_fraction=0.02)})
FIXED = SenseSpec(reference="fixed")
SMALL = SoftmaxSpec(format=FixedPointSpec(integer_bits=3, fraction_bits=1), lut_bits=5, device=LEAKY)
"""16 rows of 8 columns: small enough for the circuit to be solved row by row."""
NO_ERRORS = dict.fromkeys(oracle.KINDS, 0)
ALL_SCORES = np.arange(-8, 8)[None, :] / 2
STEPS = ("search", "subtract", "exponential", "lookup", "sum")
OPTIONS = [
    {},
    {"maximum": "bitwise"},
    {"subtract": "cmos"},
    {"sum": "adder"},
    {"maximum": "bitwise", "subtract": "cmos", "sum": "adder"},
]


def changed(spec, **changes):
    """The specification with other fields, checked again."""
    return SoftmaxSpec(**{name: getattr(spec, name) for name in type(spec).model_fields} | changes)


def lossless(bits, **errors):
    return AdcSpec(bits=bits, range="lossless", **errors)


def formatted(integer_bits, fraction_bits, **changes):
    return SoftmaxSpec(format=FixedPointSpec(integer_bits=integer_bits, fraction_bits=fraction_bits), **changes)


class Recorder:
    active = True

    def __init__(self):
        self.signals = {}

    def record(self, name, values, unit="1"):
        self.signals[name] = np.array(values)


def expected(spec, scores, mask=None):
    """Values and errors of the integer reference, vector by vector."""
    form, errors = spec.format, Counter(NO_ERRORS)
    x = np.asarray(scores, dtype=np.float64)
    taken = ~np.isneginf(x) if mask is None else np.broadcast_to(mask, x.shape) & ~np.isneginf(x)
    low, high = form.decode(0), form.decode((1 << form.bits) - 1)
    errors["score_saturation"] = int((taken & ~((x >= low) & (x <= high))).sum())
    values = np.zeros(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        codes = [
            oracle.encode(score, form.integer_bits, form.fraction_bits) if there else None
            for score, there in zip(x[place], taken[place], strict=True)
        ]
        found = oracle.fixed_point(codes, spec)
        values[place] = found["probability"]
        errors.update(found["errors"])
    return values, dict(errors)


def assert_exact(spec, scores, mask=None, engine=None):
    """Values and every count of errors, watched or not."""
    engine = engine or spec.program()
    values, errors = expected(spec, scores, mask)
    done = engine.apply(scores, mask=mask)
    assert_array_equal(done.values, values)
    assert done.errors == errors
    watched = engine.apply(scores, probe=Recorder(), mask=mask)
    assert_array_equal(watched.values, values)
    assert watched.errors == errors
    return errors


FORMATS = st.tuples(st.integers(1, 8), st.integers(0, 7)).filter(lambda bits: 3 <= sum(bits) <= 9)
SENSES = [
    SenseSpec(),
    FIXED,
    SenseSpec(reference="line", share=0.3),
    SenseSpec(kind="precharge"),
    SenseSpec(share=0.6),
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
    @settings(max_examples=100)
    def test_equals_the_integers_exactly(self, spec, chosen):
        errors = assert_exact(spec, *chosen)
        if spec.overflow == "flush":
            assert errors["counter_saturation"] == 0

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

    @pytest.mark.parametrize("split", [(7, 3), (6, 5), (8, 4)])
    def test_wide_formats(self, split):
        """All codes at once, and all below some maxima."""
        spec = formatted(*split, lut_bits=12, divider_bits=16, device=LEAKY)
        rng, engine = np.random.default_rng(0), spec.program()
        codes = np.arange(1 << spec.format.bits)
        assert_exact(spec, rng.normal(scale=2.0 ** (split[0] - 1), size=(5, 40)), engine=engine)
        for top in (codes[-1], codes[-1] - 700, 100):
            assert_exact(spec, spec.format.decode(codes[: top + 1])[None, :], engine=engine)

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
    @settings(max_examples=40)
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

    def test_lut_words(self):
        assert_array_equal(SMALL.exponentials, oracle.words(4, 1, 5))
        assert_array_equal(SMALL.exponentials, [31, 19, 11, 7, 4, 3, 2, 1])


class TestMasks:
    def test_attention_masks_are_broadcast(self):
        """(batch, heads, queries, keys): padding by batch and key, causal by query and key, and both."""
        rng, engine = np.random.default_rng(0), SMALL.program()
        scores = rng.normal(scale=2, size=(2, 3, 5, 5))
        padding = (np.arange(5) < np.array([[3], [5]]))[:, None, None, :]
        causal = np.tri(5, dtype=bool)
        for mask in (padding, causal, padding & causal):
            assert_exact(SMALL, scores, mask, engine=engine)
            values = engine(scores, mask=mask)
            assert not values[~np.broadcast_to(mask, scores.shape)].any()
            # Minus infinity is a mask.
            assert_array_equal(engine(np.where(mask, scores, -np.inf)), values)

    def test_a_masked_score_is_as_if_it_were_not_there(self):
        rng, engine = np.random.default_rng(1), SMALL.program()
        scores, mask = rng.normal(scale=2, size=12), rng.random(12) < 0.6
        assert_array_equal(engine(scores, mask=mask)[mask], engine(scores[mask]))

    def test_masked_scores_may_be_anything(self):
        engine = SMALL.program()
        mask = np.array([True, False, False, True, False])
        done = engine.apply([0.5, np.nan, np.inf, -1.0, 1e9], mask=mask)
        assert_array_equal(done.values[mask], engine([0.5, -1.0]))
        assert done.errors == NO_ERRORS

    def test_a_vector_without_scores_is_zero_and_costs_nothing(self):
        engine = SMALL.program()
        for done in (engine.apply([[-np.inf] * 4] * 2), engine.apply(np.zeros((2, 4)), mask=False)):
            assert not done.values.any()
            assert done.errors == NO_ERRORS
            assert list(done.activity.rows()) == []
        noisy = changed(SMALL, sense=SenseSpec(noise=0.5)).program()
        assert not noisy([[-np.inf] * 4]).any()

    def test_lists_and_integers(self):
        engine = SMALL.program()
        values = engine(np.array([[0.0, 1.0, -2.0]]))
        for scores in ([[0, 1, -2]], ((0.0, 1.0, -2.0),), np.array([[0, 1, -2]], np.int8), np.array([[0, 1, -2]])):
            found = engine(scores)
            assert found.dtype == np.float64
            assert_array_equal(found, values)
        assert_array_equal(engine([0, 1, -2], mask=[True, True, False])[:2], engine([0, 1]))

    def test_views_and_no_vectors(self):
        scores = np.random.default_rng(0).normal(size=(6, 5))
        engine = SMALL.program()
        assert_array_equal(engine(scores.T), engine(scores.T.copy()))
        assert engine(np.empty((0, 5))).shape == (0, 5)

    def test_scores_are_left_as_they_are(self):
        scores = np.array([[0.3, -np.inf, 9.0]], np.float32)
        kept = scores.copy()
        changed(SMALL, sense=SenseSpec(noise=0.5)).program()(scores)
        assert_array_equal(scores, kept)

    @pytest.mark.parametrize(
        ("scores", "mask", "message"),
        [
            ([np.nan, 1.0], None, "1 of 2 scores are nan or plus infinity"),
            ([[np.inf, np.nan, 1.0]], None, "2 of 3 scores are nan or plus infinity"),
            (np.array([np.inf, np.nan], np.float32), [True, False], "1 of 2 scores are nan or plus infinity"),
            (1.0, None, r"numbers of shape \(\.\.\., length\); got float64 of shape \(\)"),
            (np.empty((3, 0)), None, r"got float64 of shape \(3, 0\)"),
            (["a"], None, r"numbers of shape \(\.\.\., length\)"),
            ([[1.0], [1.0, 2.0]], None, "lists of unequal length"),
            ([1.0, 2.0], [1, 0], r"a mask is bool.* broadcast to \(2,\); got int64 of shape \(2,\)"),
            ([1.0, 2.0], [True, False, True], r"got bool of shape \(3,\)"),
            ([1.0, 2.0], [[True, False]], r"got bool of shape \(1, 2\)"),
        ],
    )
    def test_bad_scores_and_masks(self, scores, mask, message):
        with pytest.raises(SpecError, match=message):
            SMALL.program().apply(scores, mask=mask)


class TestSpec:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"column_sense": SenseSpec(kind="precharge")}, "columns add currents up"),
            ({"sum_adc": AdcSpec(range="calibrated")}, "'lossless', 'full' or 'fixed'; got 'calibrated'"),
            ({"without_errors": ("divide",)}, "without_errors"),
            ({"lut_cell_bits": 5}, "lut_cell_bits"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, changes, message):
        with pytest.raises((SpecError, ValidationError), match=message):
            changed(SMALL, **changes)

    def test_random(self):
        assert not SMALL.random
        assert not changed(SMALL, sum_adc=lossless(5)).random
        noise = SenseSpec(noise=0.1)
        for changes in ({"sense": noise}, {"column_sense": noise}, {"sum_adc": lossless(5, noise_lsb=0.1)}):
            assert changed(SMALL, **changes).random
        assert changed(SMALL, sense=SenseSpec(offset_spread=0.1)).random
        assert changed(SMALL, device=ROUGH).random


class TestProperties:
    @given(FORMATS, st.integers(-12, 12), st.integers(0, 999))
    @settings(max_examples=40)
    def test_a_common_shift_does_not_matter(self, split, steps, seed):
        """By any number that the format represents, as long as nothing saturates."""
        spec = formatted(*split)
        most = 1 << (spec.format.bits - 1)
        steps %= most
        codes = np.random.default_rng(seed).integers(0, most, size=(2, 9))
        engine = spec.program()
        assert_array_equal(engine(spec.format.decode(codes + steps)), engine(spec.format.decode(codes)))

    @given(FORMATS, st.integers(2, 20), st.integers(0, 999), st.sampled_from(OPTIONS), st.sampled_from([LEAKY, ROUGH]))
    @settings(max_examples=60)
    def test_order_of_the_scores_does_not_matter(self, split, length, seed, options, cell):
        engine = formatted(*split, device=cell, sense=SenseSpec(offset_spread=0.1), **options).program(seed)
        rng = np.random.default_rng(seed)
        scores, order = rng.normal(scale=4, size=length), rng.permutation(length)
        done, other = engine.apply(scores), engine.apply(scores[order])
        assert_array_equal(other.values, done.values[order])
        assert other.errors == done.errors
        assert other.activity.total("cell_read_joule") == pytest.approx(
            done.activity.total("cell_read_joule"), rel=1e-12, abs=0
        )

    @given(st.integers(1, 300), st.integers(2, 24), st.integers(0, 999))
    @settings(max_examples=60)
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
        engine = changed(SMALL, device=ROUGH).program()
        assert engine(scores).shape == (2, 3, 7)
        for place in np.ndindex(2, 3):
            assert_array_equal(engine(scores)[place], engine(scores[place]))


def check(engine, scores, mask=None, **some_errors):
    """Every step against the circuit; returns what was counted."""
    recorder, scores = Recorder(), np.atleast_2d(scores)
    done = engine.apply(scores, probe=recorder, mask=mask)
    slow, seen = oracle.star(engine, scores.tolist(), mask), recorder.signals
    for name in ("score_code", "max_row", "difference", "exponential", "probability"):
        assert_array_equal(seen[name], slow[name], err_msg=name)
    for name in ("match", "selected"):
        for place in np.ndindex(scores.shape):
            assert set(np.nonzero(seen[name][place])[0]) == slow[name][place[0]][place[1]], name
    assert_allclose(seen["sum"], slow["sum"], rtol=1e-9, atol=1e-6)
    if engine.spec.sum == "counters":
        assert_array_equal(seen["histogram"], slow["histogram"])
    assert_array_equal(done.values, slow["probability"])
    assert done.errors == slow["errors"]
    unwatched = engine.apply(scores, mask=mask)
    assert_array_equal(unwatched.values, done.values)
    assert (unwatched.errors, unwatched.activity) == (done.errors, done.activity)
    for kind, count in some_errors.items():
        assert done.errors[kind] == count, kind
    return done.errors


def altered(engine, part, changes):
    """The engine with single cells of one crossbar set to other conductances, {(row, column): siemens}."""
    old, spec = getattr(engine, part), engine.spec
    cells = replace(old.cells, g=old.cells.g.copy())
    for place, siemens in changes.items():
        cells.g[place] = siemens
    if part.startswith("cam"):
        return replace(engine, **{part: replace(old, cells=cells)})
    array = ProgrammedArray.banked(cells, spec.wires, spec.read_volt, spec.bank_rows)
    return replace(engine, **{part: array if part == "vmm" else replace(old, array=array)})


ON, OFF = 5e-5, 2e-6
BY_HAND = changed(SMALL, sense=FIXED, column_sense=FIXED)


class TestEveryKindOfError:
    """Each made to happen by a cell set by hand, and counted as the circuit has it."""

    @pytest.mark.parametrize("options", OPTIONS)
    def test_none(self, options):
        assert check(changed(SMALL, **options).program(), ALL_SCORES) == NO_ERRORS

    def test_stuck_on_cell_kills_a_match(self):
        # Row 5 holds code 10 (score 1.0); the open cell of its first pair is the second one.
        engine = altered(BY_HAND.program(), "cam_sub", {(5, 1): ON})
        check(engine, ALL_SCORES, missed_match=1, false_match=0, wrong_max=0, wrong_difference=1)
        # Alone in its vector nothing fires at all: the encoder then gives the last row.
        check(engine, [[1.0]], missed_match=1, wrong_max=1)
        check(engine, [[1.0, 0.0]], missed_match=1, wrong_max=1)
        cmos = replace(engine, spec=changed(BY_HAND, subtract="cmos"))
        check(cmos, [[1.0, 2.0]], missed_match=1, wrong_max=0, wrong_difference=1)

    def test_stuck_off_cell_makes_a_false_match(self):
        # Row 0 holds the largest code; blind in its last bit it also answers to the one below.
        engine = altered(BY_HAND.program(), "cam_sub", {(0, 6): OFF})
        check(engine, [[3.0, 0.0]], false_match=1, missed_match=0, multiple_match=1, wrong_max=1)
        bitwise = replace(engine, spec=changed(BY_HAND, maximum="bitwise"))
        check(bitwise, [[3.0, 0.0]], false_match=1, wrong_max=1)

    def test_false_match_in_the_second_cam(self):
        # Magnitudes 2 and 3 (words 11 and 7) answer together to a difference of 2: the LUT reads their or, 15.
        engine = altered(BY_HAND.program(), "cam_exp", {(3, 6): OFF})
        errors = check(engine, [[0.0, -1.0]], false_match=1, missed_match=0, multiple_match=1, wrong_difference=0)
        assert (errors["wrong_exponential"], errors["wrong_bit"], errors["wrong_max"]) == (1, 1, 0)

    def test_missed_match_in_the_second_cam(self):
        # Magnitudes have no sign bit: the second line of their first pair is never driven.
        assert check(altered(BY_HAND.program(), "cam_exp", {(0, 1): OFF}), [[0.0, 0.0]]) == NO_ERRORS
        engine = altered(BY_HAND.program(), "cam_exp", {(0, 0): ON})
        check(engine, [[0.0, 0.0]], missed_match=2, wrong_exponential=2, wrong_bit=10, wrong_sum=0)
        assert not engine([0.0, 0.0]).any(), "no row, so no exponential and no sum"

    def test_stuck_true_bit_spoils_a_difference_only(self):
        # The true bit of row 7 (code 8) is read in SUB mode; as a search line it is driven for codes without that bit.
        engine = altered(BY_HAND.program(), "cam_sub", {(7, 0): OFF})
        check(engine, [[0.0, 3.5]], wrong_difference=1, missed_match=0)

    @pytest.mark.parametrize("column", range(5))
    def test_wrong_bit_in_the_lut(self, column):
        stored = 31 >> (4 - column) & 1
        engine = altered(BY_HAND.program(), "lut", {(0, column): OFF if stored else ON})
        check(engine, [[1.0, -2.0]], wrong_exponential=1, wrong_bit=1, wrong_sum=0, false_match=0)

    def test_wrong_cell_in_the_sum(self):
        engine = altered(BY_HAND.program(), "vmm", {(0, 0): OFF})
        check(engine, [[1.0, -2.0], [0.0, -1.0]], wrong_sum=2, wrong_exponential=0)
        # A conducting cell in the reference column is taken off every other column.
        check(altered(BY_HAND.program(), "vmm", {(0, 5): ON}), [[1.0, -2.0]], wrong_sum=1)
        # Words that the table reads are added up without any crossbar.
        adder = replace(engine, spec=changed(BY_HAND, sum="adder"))
        assert check(adder, [[1.0, -2.0], [0.0, -1.0]]) == NO_ERRORS

    def test_sum_converter_saturates(self):
        """4 bits hold 15 cells; forty different scores take more than that in the first column."""
        spec = formatted(2, 5, lut_bits=5, sum_adc=lossless(4))
        scores = -np.arange(40)[None, :] / 32
        assert ((spec.exponentials[:40] >> 4 & 1).sum()) > 15
        assert assert_exact(spec, scores) == {**NO_ERRORS, "wrong_sum": 1}
        assert assert_exact(changed(spec, sum_adc=lossless(6)), scores) == NO_ERRORS

    def test_wires_alone_make_errors(self):
        """Low-resistance cells at the far end of long search lines are starved: false matches."""
        wires = WireSpec(word_line_ohm=60.0, bit_line_ohm=900.0, driver_ohm=100.0, sense_ohm=100.0)
        starved = check(changed(BY_HAND, wires=wires).program(), ALL_SCORES)
        assert starved["false_match"] > 0
        # Driven anew every few rows they are not; and one reference found on the array does no worse.
        banked = check(changed(BY_HAND, wires=wires, bank_rows=2).program(), ALL_SCORES)
        assert banked["false_match"] < starved["false_match"]
        found = check(changed(SMALL, wires=wires).program(), ALL_SCORES)
        assert found["false_match"] + found["missed_match"] <= starved["false_match"] + starved["missed_match"]


WIRES = WireSpec(word_line_ohm=60.0, bit_line_ohm=120.0, driver_ohm=180.0, sense_ohm=60.0)
ROUGH_CHIPS = {
    "no wires": {"wires": WireSpec()},
    "fixed references": {"sense": FIXED, "column_sense": FIXED},
    "global references": {},
    "a reference for each line": {"sense": SenseSpec(reference="line"), "column_sense": SenseSpec(reference="line")},
    "offsets": {"sense": SenseSpec(offset_spread=0.2), "column_sense": SenseSpec(offset_spread=0.3, share=0.4)},
    "offsets and fixed references": {
        "sense": SenseSpec(reference="fixed", offset_spread=0.2),
        "column_sense": SenseSpec(reference="fixed", offset_spread=0.3),
    },
    "precharged": {"sense": SenseSpec(kind="precharge", mux_farad=2e-15, offset_spread=0.1)},
    "precharged, fixed": {"sense": SenseSpec(kind="precharge", reference="fixed", strobe_second=2e-10)},
    "bitwise": {"maximum": "bitwise"},
    "cmos": {"subtract": "cmos", "counter_bits": 10},
    "adder": {"sum": "adder"},
    "all digital": {"maximum": "bitwise", "subtract": "cmos", "sum": "adder"},
    "two bits a cell": {"lut_cell_bits": 2},
    "four bits a cell, offsets": {"lut_cell_bits": 4, "lut_bits": 9, "column_sense": SenseSpec(offset_spread=0.05)},
    "saturating counters": {"overflow": "saturate"},
    "large counters": {"counter_bits": 10},
    "lossless converters": {"sum_adc": lossless(6)},
    "narrow converters": {"sum_adc": lossless(2), "counter_bits": 10},
    "skewed converters": {"sum_adc": lossless(5, offset_spread_lsb=0.4, gain_spread=0.1)},
    "bent converters": {"sum_adc": lossless(4, dnl_spread_lsb=0.4), "lut_cell_bits": 2},
    "full range": {"sum_adc": AdcSpec(bits=5, range="full")},
    "fixed range": {"sum_adc": AdcSpec(bits=4, range="fixed", full_scale_ampere=4e-5, offset_lsb=0.6)},
    "one row a bank": {"bank_rows": 1},
    "one bank": {"bank_rows": 64},
}


@pytest.mark.parametrize("variant", ROUGH_CHIPS)
def test_rough_chips_against_the_circuit(variant):
    """Spread, stuck cells and wires at once; every kind of error occurs in one of the chips."""
    base = changed(SMALL, device=ROUGH, wires=WIRES, bank_rows=5, counter_bits=2, divider_bits=12)
    spec = changed(base, **ROUGH_CHIPS[variant])
    scores = np.random.default_rng(0).normal(scale=2, size=(4, 9))
    scores[1, 2:4] = -np.inf
    mask = np.ones(scores.shape, bool)
    mask[2, :5] = mask[3] = False
    errors = check(spec.program(5), scores, mask)
    assert sum(errors.values()) > 3


@pytest.mark.parametrize("split", [(2, 1), (1, 4), (5, 0), (3, 2)])
def test_rough_formats_against_the_circuit(split):
    spec = formatted(*split, device=ROUGH, wires=WIRES, bank_rows=7, lut_bits=7)
    check(spec.program(1), np.random.default_rng(0).normal(scale=2, size=(2, 6)))


NOISY_CELLS = DeviceSpec(
    g_min_siemens=5e-6, g_max_siemens=5e-5, programming=SPREAD, read_noise=ReadNoiseSpec(relative=0.15)
)
NOISY = changed(
    SMALL,
    device=NOISY_CELLS,
    divider_bits=5,
    sense=SenseSpec(noise=0.2, offset_spread=0.1),
    column_sense=SenseSpec(noise=0.15, offset_spread=0.1),
)
"""Every kind of error is common, none is certain."""
THERMAL = lossless(4, noise_lsb=0.6, offset_spread_lsb=0.3)
LAWS = {
    "sweep, array, counters": {},
    "bitwise": {"maximum": "bitwise"},
    "cmos": {"subtract": "cmos"},
    "adder": {"sum": "adder"},
    "converters": {"sum_adc": THERMAL},
    "bitwise, cmos, converters": {"maximum": "bitwise", "subtract": "cmos", "sum_adc": THERMAL},
    "small counters": {"counter_bits": 1},
    "small counters, converters": {"counter_bits": 2, "sum_adc": THERMAL},
    "precharged": {"sense": SenseSpec(kind="precharge", noise=0.15, offset_spread=0.05)},
    "full counters": {"counter_bits": 1, "overflow": "saturate"},
    "two bits a cell": {"lut_cell_bits": 2},
    "sense noise alone": {"device": LEAKY},
    "cell noise alone": {"sense": SenseSpec(), "column_sense": FIXED},
    "noise of the search alone": {"device": LEAKY, "column_sense": SenseSpec(), "sense": SenseSpec(noise=0.25)},
    "noise of the converters alone": {
        "device": LEAKY,
        "sense": SenseSpec(),
        "column_sense": SenseSpec(),
        "sum_adc": THERMAL,
    },
    "rare": {
        "device": LEAKY,
        "sense": SenseSpec(noise=0.16),
        "column_sense": SenseSpec(noise=0.16),
    },
    "very strong": {"sense": SenseSpec(noise=1.0), "column_sense": SenseSpec(noise=0.7)},
}


def chance_of(one, other):
    """p-value that rows of both have one law: chi-square of how often each occurs; those below 20 are put together."""
    both = np.concatenate([one.reshape(len(one), -1), other.reshape(len(other), -1)])
    _, which = np.unique(both, axis=0, return_inverse=True)
    counts = np.stack([np.bincount(half, minlength=which.max() + 1) for half in np.split(which.ravel(), [len(one)])])
    rare = counts.sum(axis=0) < 20
    table = np.concatenate([counts[:, ~rare], counts[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    return 1.0 if table.shape[1] < 2 else stats.chi2_contingency(table, correction=False).pvalue


class TestLawOfTheNoise:
    """17 variants, 2 vectors; 4 chi-square tests, p > 1e-5, and 9 z below 4.5 of each: false alarm below 0.4 %."""

    N = 20_000

    @pytest.mark.parametrize("variant", LAWS)
    @pytest.mark.parametrize("scores", [[0.5, -1.0, 1.5], [1.0, 1.0, -0.5, 0.5]])
    def test_outcomes_are_those_of_brute_force(self, variant, scores):
        engine, n = changed(NOISY, **LAWS[variant]).program(3), self.N
        slow = oracle.noisy(engine, np.array(scores), n, np.random.default_rng(1))
        batch = np.tile(scores, (n, 1))
        done = engine.apply(batch, 2)
        assert chance_of(done.values, slow["probability"]) > 1e-5
        for kind in oracle.KINDS:
            if kind in slow:
                mean, variance = slow[kind].mean(), slow[kind].var()
                # The rate of what is seen never is at most some of its reciprocal number.
                gap = abs(done.errors[kind] / n - mean)
                assert gap < 4.5 * np.sqrt(2 * max(variance, 2 / n) / n), kind
        recorder = Recorder()
        engine.apply(batch, 4, recorder)
        for name in ("max_row", "difference", "exponential"):
            assert chance_of(recorder.signals[name], slow[name]) > 1e-5, name

    def test_the_test_tells_laws_apart(self):
        """By a fifth more noise, and by equal scores that share theirs."""
        scores = np.array([1.0, 1.0, -0.5, 0.5])
        slow = oracle.noisy(NOISY.program(3), scores, self.N, np.random.default_rng(1))
        louder = changed(NOISY, sense=SenseSpec(noise=0.24, offset_spread=0.1)).program(3)
        assert chance_of(louder(np.tile(scores, (self.N, 1))), slow["probability"]) < 1e-5
        shared = slow["probability"][:, [0, 0, 2, 3]]
        assert chance_of(shared, slow["probability"]) < 1e-5

    @pytest.mark.parametrize("variant", ["sweep, array, counters", "small counters", "bitwise", "adder"])
    def test_masked_scores_have_no_part_in_it(self, variant):
        engine = changed(NOISY, **LAWS[variant]).program(3)
        scores, mask = np.array([2.0, 0.5, -1.0, 3.0, 1.5]), np.array([False, True, True, False, True])
        slow = oracle.noisy(engine, scores[mask], self.N, np.random.default_rng(1))
        done = engine.apply(np.tile(scores, (self.N, 1)), 2, mask=mask)
        assert not done.values[:, ~mask].any()
        assert chance_of(done.values[:, mask], slow["probability"]) > 1e-5

    def test_kinds_of_errors_occur(self):
        slow = oracle.noisy(NOISY.program(3), np.array([1.0, 1.0, -0.5, 0.5]), self.N, np.random.default_rng(1))
        for kind in oracle.KINDS:
            if kind in slow:
                assert 0.02 < slow[kind].mean() < 4, kind

    def test_long_vectors(self):
        """Each of 200 scores on its own: six |z| < 4.5, and the laws of two sums, p > 1e-5: false alarm 6e-5."""
        sense = SenseSpec(noise=0.12, offset_spread=0.05)
        spec = changed(NOISY, counter_bits=5, divider_bits=16, sense=sense)
        engine, n = spec.program(3), 400
        scores = np.random.default_rng(0).normal(scale=1.5, size=200)
        slow = oracle.noisy(engine, scores, n, np.random.default_rng(1))
        done = engine.apply(np.tile(scores, (n, 1)), 2)
        for kind in ("false_match", "missed_match", "multiple_match", "wrong_difference", "wrong_bit", "wrong_sum"):
            z = (done.errors[kind] / n - slow[kind].mean()) / np.sqrt(2 * slow[kind].var() / n)
            assert abs(z) < 4.5, kind
        for power in (1, 2):
            one, other = ((values**power).sum(axis=1) for values in (done.values, slow["probability"]))
            assert min(one.std(), other.std()) > 0
            assert stats.ks_2samp(one, other).pvalue > 1e-5


class TestNoise:
    SCORES = np.tile([0.5, -1.0, 2.0, -3.0], (1000, 1))

    @pytest.mark.parametrize("variant", LAWS)
    def test_noise_is_repeatable_and_fresh(self, variant):
        spec = changed(NOISY, **LAWS[variant])
        one, other = spec.program(3).apply(self.SCORES, 1), spec.program(3).apply(self.SCORES, 1)
        assert_array_equal(one.values, other.values)
        assert (one.errors, one.activity) == (other.errors, other.activity)
        assert (spec.program(3)(self.SCORES, 2) != one.values).any()
        assert len(np.unique(one.values, axis=0)) > 5

    @pytest.mark.parametrize(
        "changes",
        [
            {"sum_adc": lossless(4, noise_lsb=0.6)},
            {"device": LEAKY.but({"read_noise": ReadNoiseSpec(relative=0.02)}), "divider_bits": 16},
        ],
    )
    def test_noise_of_the_sum_alone_follows_the_seed(self, changes):
        engine = changed(SMALL, **changes).program()
        assert len(np.unique(engine(self.SCORES, 1), axis=0)) > 5
        assert (engine(self.SCORES, 1) != engine(self.SCORES, 2)).any()

    @pytest.mark.parametrize("variant", LAWS)
    def test_watching_changes_nothing(self, variant):
        engine = changed(NOISY, **LAWS[variant]).program(3)
        watched, alone = engine.apply(self.SCORES, 1, Recorder()), engine.apply(self.SCORES, 1)
        assert_array_equal(watched.values, alone.values)
        assert watched.errors == alone.errors
        for _, name, count in alone.activity.rows():
            assert watched.activity.total(name) == pytest.approx(count, rel=1e-12, abs=0), name

    def test_what_was_done_before_does_not_matter(self):
        engine = NOISY.program(3)
        engine.apply(np.random.default_rng(0).normal(scale=2, size=(50, 7)), 9)
        assert_array_equal(engine(self.SCORES, 1), NOISY.program(3)(self.SCORES, 1))

    def test_vectors_do_not_depend_on_those_behind_them(self):
        engine = changed(NOISY, sum_adc=THERMAL).program(3)
        scores = np.random.default_rng(0).normal(scale=2, size=(60, 6))
        values, other = engine(scores, 1), scores.copy()
        other[30:] = 0.25
        assert_array_equal(engine(scores[:30], 1), values[:30])
        assert_array_equal(engine(other, 1)[:30], values[:30])
        # Nor on those before them.
        other = scores.copy()
        other[:30] = -1.0
        assert_array_equal(engine(other, 1)[30:], values[30:])

    def test_a_generator_goes_on(self):
        engine, generator = NOISY.program(), np.random.default_rng(0)
        assert (engine(self.SCORES, generator) != engine(self.SCORES, generator)).any()
        assert_array_equal(engine(self.SCORES, np.random.default_rng(5)), engine(self.SCORES, np.random.default_rng(5)))

    def test_equal_scores_have_noise_of_their_own(self):
        values = NOISY.program(3)(np.zeros((200, 4)), 1)
        assert (values != values[:, :1]).any()

    def test_without_noise_no_random_numbers(self):
        scores = np.random.default_rng(0).normal(scale=2, size=(4, 6))
        spec = changed(SMALL, device=LEAKY.but({"programming": SPREAD}))
        results = [spec.program(3).apply(scores, rng) for rng in (0, 1, np.random.default_rng(5))]
        for other in results[1:]:
            assert_array_equal(other.values, results[0].values)
            assert other.errors == results[0].errors
        # As the noise goes to zero its path goes to the same values.
        quiet = LEAKY.but({"programming": SPREAD, "read_noise": ReadNoiseSpec(relative=1e-9)})
        nearly = changed(spec, device=quiet, sense=SenseSpec(noise=1e-9), column_sense=SenseSpec(noise=1e-9))
        done = nearly.program(3).apply(scores, 1)
        assert_array_equal(done.values, results[0].values)
        assert done.errors == results[0].errors


TERRIBLE = changed(
    SMALL,
    device=DeviceSpec(
        g_min_siemens=8e-6,
        g_max_siemens=5e-5,
        programming=ProgrammingSpec(law="lognormal", spread_log=0.7),
        stuck=StuckSpec(on_fraction=0.05, off_fraction=0.05),
        read_noise=ReadNoiseSpec(relative=0.3),
    ),
    wires=WireSpec(word_line_ohm=100.0, bit_line_ohm=200.0, driver_ohm=500.0, sense_ohm=100.0),
    sense=SenseSpec(noise=0.3, offset_spread=0.3),
    column_sense=SenseSpec(noise=0.3, offset_spread=0.3),
    sum_adc=lossless(3, noise_lsb=1.0, offset_spread_lsb=1.0),
)
MATCHES = {"false_match", "missed_match", "multiple_match"}
MADE_BY = {
    "search": MATCHES | {"wrong_max", "wrong_difference"},
    "subtract": {"wrong_difference"},
    "exponential": MATCHES | {"wrong_bit", "wrong_exponential"},
    "lookup": {"wrong_bit", "wrong_exponential"},
    "sum": {"wrong_sum"},
}


class TestWithoutErrors:
    SCORES = np.random.default_rng(0).normal(scale=1.5, size=(60, 9)).clip(-4, 3.5)

    @pytest.mark.parametrize("options", OPTIONS)
    def test_all_steps_perfect_are_the_ideal_engine(self, options):
        terrible = changed(TERRIBLE, without_errors=STEPS, **options)
        done = terrible.program(1).apply(self.SCORES, 1)
        ideal = changed(SMALL, device=DeviceSpec(), **options).program().apply(self.SCORES)
        assert_array_equal(done.values, ideal.values)
        assert done.errors == ideal.errors == NO_ERRORS
        # Costs are those of the parts that were built.
        assert done.activity.total("adc_3b") == (0 if "sum" in options else 60 * 4 * 5)

    @pytest.mark.parametrize("step", STEPS)
    def test_one_step_alone_makes_its_own_errors(self, step):
        others = tuple(each for each in STEPS if each != step)
        done = changed(TERRIBLE, without_errors=others).program(1).apply(self.SCORES, 1)
        assert {kind for kind, count in done.errors.items() if count} == MADE_BY[step]

    @pytest.mark.parametrize("step", STEPS)
    def test_one_perfect_step_makes_none(self, step):
        """What it is given may be wrong; what it does with that is right."""
        engine, seen = changed(TERRIBLE, without_errors=(step,)).program(1), Recorder()
        errors, signals = engine.apply(self.SCORES, 1, seen).errors, seen.signals
        rough = TERRIBLE.program(1).apply(self.SCORES, 1).errors
        assert all(rough[kind] for kinds in MADE_BY.values() for kind in kinds)
        own = 15 - signals["score_code"]
        magnitude = np.minimum(np.abs(signals["difference"]), 7)
        one_row = signals["match"].sum(axis=-1) == 1
        if step == "search":
            assert_array_equal(signals["match"], np.arange(16) == own[..., None])
            assert errors["wrong_max"] == 0
        elif step == "subtract":
            # One row that fired is told exactly from that of the maximum.
            difference = signals["max_row"][:, None] - signals["match"].argmax(axis=-1)
            assert one_row.any()
            assert_array_equal(signals["difference"][one_row], difference[one_row])
        elif step == "exponential":
            assert_array_equal(signals["selected"], np.arange(8) == magnitude[..., None])
        elif step == "lookup":
            one_row = signals["selected"].sum(axis=-1) == 1
            word = SMALL.exponentials[signals["selected"].argmax(axis=-1)]
            assert one_row.any()
            assert_array_equal(signals["exponential"][one_row], word[one_row])
        else:
            assert_array_equal(signals["sum"], signals["histogram"] @ SMALL.exponentials)
            assert errors["wrong_sum"] == 0

    @pytest.mark.parametrize(("step", "part"), [("exponential", "cam_exp"), ("lookup", "lut"), ("sum", "vmm")])
    def test_a_perfect_step_is_a_perfect_crossbar(self, step, part):
        """The other steps keep their cells and amplifiers: the engine is one whose part was replaced by hand."""
        cell = DeviceSpec(g_max_siemens=5e-5, programming=ProgrammingSpec(law="lognormal", spread_log=0.6))
        sense = SenseSpec(offset_spread=0.3)
        spec = changed(SMALL, device=cell, wires=WIRES, sense=sense, column_sense=sense)
        perfect = changed(spec, device=DeviceSpec(g_max_siemens=5e-5), wires=WireSpec(), sense=SenseSpec())
        ideal = changed(perfect, column_sense=SenseSpec()).program()
        values = changed(spec, without_errors=(step,)).program(5)(self.SCORES)
        assert (values != spec.program(5)(self.SCORES)).any()
        assert_array_equal(values, replace(spec.program(5), **{part: getattr(ideal, part)})(self.SCORES))


class TestProbe:
    def test_signals_and_their_shapes(self):
        recorder = Recorder()
        scores = np.random.default_rng(0).normal(size=(2, 3, 5))
        done = SMALL.program().apply(scores, probe=recorder)
        shapes = {name: values.shape for name, values in recorder.signals.items()}
        assert shapes == {
            "score_code": (6, 5),
            "match": (6, 5, 16),
            "max_row": (6,),
            "difference": (6, 5),
            "selected": (6, 5, 8),
            "exponential": (6, 5),
            "histogram": (6, 8),
            "sum": (6,),
            "probability": (6, 5),
        }
        assert_array_equal(recorder.signals["probability"].reshape(2, 3, 5), done.values)
        assert recorder.signals["match"].sum() == recorder.signals["selected"].sum() == 30
        assert_array_equal(recorder.signals["score_code"].reshape(2, 3, 5), SMALL.format.encode(scores))

    @pytest.mark.parametrize("spec", [SMALL, NOISY])
    def test_masked_scores_leave_no_signal(self, spec):
        recorder, rng = Recorder(), np.random.default_rng(0)
        scores, mask = rng.normal(scale=2, size=(20, 6)), rng.random((20, 6)) < 0.5
        mask[3] = False
        spec.program(1).apply(scores, 1, recorder, mask=mask)
        signals = recorder.signals
        assert (signals["score_code"][~mask] == -1).all()
        for name in ("match", "selected", "difference", "exponential", "probability"):
            assert not signals[name][~mask].any(), name
        assert (signals["max_row"][3], signals["sum"][3], signals["histogram"][3].sum()) == (-1, 0, 0)

    def test_signals_of_a_noisy_engine_fit_together(self):
        """The histogram is that of the rows that were selected, and the errors are those that are seen."""
        recorder, scores = Recorder(), np.random.default_rng(0).normal(scale=2, size=(300, 6)).clip(-4, 3.5)
        errors = NOISY.program(3).apply(scores, 1, recorder).errors
        seen = recorder.signals
        own, magnitude = 15 - seen["score_code"], np.minimum(np.abs(seen["difference"]), 7)
        assert_array_equal(seen["histogram"], seen["selected"].sum(axis=1))
        right = [(seen["match"], np.arange(16) == own[..., None])]
        right += [(seen["selected"], np.arange(8) == magnitude[..., None])]
        assert errors["false_match"] == sum((fired & ~wanted).sum() for fired, wanted in right)
        assert errors["missed_match"] == sum((~fired & wanted).sum() for fired, wanted in right)
        assert errors["multiple_match"] == sum((fired.sum(axis=-1) > 1).sum() for fired, _ in right)
        assert errors["wrong_max"] == (seen["max_row"] != own.min(axis=1)).sum()
        assert errors["wrong_difference"] == (seen["difference"] != seen["max_row"][:, None] - own).sum()
        wrong = seen["exponential"] ^ SMALL.exponentials[magnitude]
        assert (errors["wrong_exponential"], errors["wrong_bit"]) == ((wrong != 0).sum(), np.bitwise_count(wrong).sum())
        assert errors["wrong_sum"] == (np.abs(seen["sum"] - seen["histogram"] @ SMALL.exponentials) > 0.5).sum()
        first = np.where(seen["match"].any(axis=(1, 2)), seen["match"].any(axis=1).argmax(axis=1), 15)
        assert_array_equal(seen["max_row"], first)


def driven(code):
    """Search lines of a code of 4 bits."""
    return [2 * k + (code >> (3 - k) & 1) for k in range(4)]


def set_bits(signals):
    """By row of the sum: how often it was driven, from the histograms of vectors."""
    return sum((signals["histogram"] >> plane & 1).sum(axis=0) for plane in range(12))


class TestAccounting:
    SPEC = changed(SMALL, bank_rows=6, sum_adc=lossless(6), read_volt=0.3, read_second=4e-9)
    SCORES = np.array([[0.0, -1.0, 0.0], [2.0, 2.0, 2.0]])

    def test_activity_by_hand(self):
        """Two vectors of three scores; 16 and 8 rows in banks of 6, so 3 + 2 banks; 4 bits, 5 LUT columns."""
        activity = self.SPEC.program().apply(self.SCORES).activity
        # Counts up to three take two bit planes, and each is read and converted for both vectors.
        assert activity.total("adc_6b") == activity.total("shift_add") == 2 * 2 * 5
        assert activity.total("sample_hold") == 2 * 2 * 6
        # A search drives one line of each pair in every bank; SUB mode drives two rows; the sum its eight rows.
        assert activity.total("dac_1b") == 6 * (4 * 5 + 2) + 2 * 2 * 8
        assert activity.total("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 5)
        assert activity.total("register_bit") == 6 * 16
        assert activity.total("priority_encoder") == 2
        assert activity.total("divider") == 6
        # Counters and adders of the cost tables have 32 bits, ours 10 and 4.
        assert activity.total("counter") == 6 * 10 / 32
        assert activity.total("adder") == 6 * 4 * 4 / 32

    def test_options_by_hand(self):
        def counts(**options):
            return changed(self.SPEC, **options).program().apply(self.SCORES).activity.total

        bitwise = counts(maximum="bitwise")
        # Four more searches of the first CAM for each vector, and no encoder.
        assert bitwise("dac_1b") == 6 * (4 * 5 + 2) + 2 * 4 * 4 * 3 + 2 * 2 * 8
        assert bitwise("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 5) + 2 * 4 * 16
        assert bitwise("priority_encoder") == 0
        cmos = counts(subtract="cmos")
        assert cmos("dac_1b") == 6 * 4 * 5 + 2 * 2 * 8
        assert cmos("sense_amplifier") == 6 * (16 + 8 + 5)
        assert (cmos("priority_encoder"), cmos("adder")) == (2 + 6, 6 * 4 / 32)
        adder = counts(sum="adder")
        # Three words of 5 bits take 7.
        assert adder("adder") == 6 * 4 * 4 / 32 + 6 * 7 / 32
        assert adder("dac_1b") == 6 * (4 * 5 + 2)
        assert all(adder(name) == 0 for name in ("counter", "adc_6b", "shift_add", "sample_hold"))
        levels = counts(lut_cell_bits=2)
        # 3 columns of 3 amplifiers.
        assert levels("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 3 * 3)
        assert (levels("adc_6b"), levels("sample_hold")) == (2 * 2 * 3, 2 * 2 * 4)

    @pytest.mark.parametrize("device_", [LEAKY, LEAKY.but({"programming": SPREAD})])
    @pytest.mark.parametrize("options", OPTIONS)
    def test_energy_by_hand(self, options, device_):
        """Current times voltage times time of every driven line, of every row that an array is driven from."""
        engine = changed(self.SPEC, device=device_, sense=FIXED, column_sense=FIXED, **options).program()
        done, g = engine.apply(self.SCORES), {"sub": engine.cam_sub.cells.g, "exp": engine.cam_exp.cells.g}
        if device_ is LEAKY:
            assert done.errors == NO_ERRORS
        slow, siemens = oracle.star(engine, self.SCORES.tolist()), 0.0
        for v, codes in enumerate([[8, 6, 8], [12, 12, 12]]):
            row = slow["max_row"][v]
            for k, code in enumerate(codes):
                siemens += g["sub"][:, driven(code)].sum()
                if engine.spec.subtract == "array":
                    siemens += g["sub"][[*slow["match"][v][k], row]].sum()
                siemens += g["exp"][:, driven(min(abs(slow["difference"][v][k]), 7))].sum()
                siemens += engine.lut.cells.g[list(slow["selected"][v][k])].sum()
            if engine.spec.sum == "counters":
                for magnitude, count in enumerate(slow["histogram"][v]):
                    # A row is driven once for every bit that is set in its counter.
                    siemens += count.bit_count() * engine.vmm.cells.g[magnitude].sum()
            if engine.spec.maximum == "bitwise":
                found = 15 - row
                for n_known in range(1, 5):
                    tried = (found >> (4 - n_known) | 1) << (4 - n_known)
                    siemens += g["sub"][:, driven(tried)[:n_known]].sum()
        assert done.activity.total("cell_read_joule") == pytest.approx(siemens * 0.3**2 * 4e-9, rel=1e-12, abs=0)

    @pytest.mark.parametrize("variant", [each for each in LAWS if each != "precharged"])
    def test_energy_of_a_noisy_engine_is_that_of_what_it_drove(self, variant):
        """From the signals: rows that fired and that of the maximum, rows selected, and bits that were set."""
        engine, recorder = changed(NOISY, **LAWS[variant]).program(3), Recorder()
        scores = np.random.default_rng(0).normal(scale=1.5, size=(40, 6))
        engine.apply(scores, 1, recorder)
        joule, seen = engine.apply(scores, 1).activity.total("cell_read_joule"), recorder.signals
        spec, sub, exp = engine.spec, engine.cam_sub, engine.cam_exp

        def searched(cam, codes, n_known=None):
            return cam.line_currents(cam.driven_lines(codes.ravel(), n_known))[0].sum() / spec.read_volt

        magnitude = np.minimum(np.abs(seen["difference"]), 7)
        siemens = searched(sub, seen["score_code"]) + searched(exp, magnitude)
        if spec.subtract == "array":
            rows = seen["match"].sum(axis=(0, 1)) + 6 * np.bincount(seen["max_row"], minlength=16)
            siemens += rows @ sub.driven_rows.g.sum(axis=1)
        if spec.maximum == "bitwise":
            for k in range(1, 5):
                siemens += searched(sub, (15 - seen["max_row"] >> (4 - k) | 1) << (4 - k), k)
        siemens += seen["selected"].sum(axis=(0, 1)) @ engine.lut.array.g.sum(axis=1)
        if spec.sum == "counters":
            top = 2**spec.counter_bits - 1
            for first in range(0, 6, top if spec.overflow == "flush" else 6):
                last = first + top if spec.overflow == "flush" else 6
                histogram = np.minimum(seen["selected"][:, first:last].sum(axis=1), top)
                siemens += np.bitwise_count(histogram).sum(axis=0) @ engine.vmm.g.sum(axis=1)
        assert joule == pytest.approx(siemens * spec.read_volt**2 * spec.read_second, rel=1e-9, abs=0)

    def test_search_energy_of_a_tiny_engine(self):
        """One score in 3 bits: 8 and 4 rows; mismatches conduct 1 / ohm each: V^2 t times all that is driven."""
        cell = DeviceSpec(g_min_siemens=0.0, g_max_siemens=1e-5)
        spec = formatted(2, 1, device=cell, lut_bits=2, subtract="cmos", read_volt=0.5, read_second=2e-9)
        done = spec.program().apply([0.0])
        # Of 8 words 12 bits differ in all; of 4 magnitudes of 3 bits, searched for 0, 4. Words 3, 2, 1 and 1: two ones
        # in the table and in the sum.
        assert_array_equal(spec.exponentials, [3, 2, 1, 1])
        assert done.activity.total("cell_read_joule") == pytest.approx(
            0.5**2 * 2e-9 * 1e-5 * (12 + 4 + 2 + 2), rel=1e-12
        )

    def test_precharged_lines_are_charged_again(self):
        """C V times what a line has lost, instead of its current."""
        spec = changed(self.SPEC, subtract="cmos", sum="adder")
        charged = changed(spec, sense=SenseSpec(kind="precharge", cell_farad=1e-15, mux_farad=2e-15)).program()
        done, farad = charged.apply([[0.0]]), 10e-15
        volts = 0.0
        for cam, code in ((charged.cam_sub, 8), (charged.cam_exp, 0)):
            siemens = cam.cells.g[:, driven(code)].sum(axis=1)
            volts += (0.2 * -np.expm1(-siemens * cam.strobe_second / farad)).sum()
        table = charged.lut.cells.g[0].sum() * 0.3**2 * 4e-9
        assert done.activity.total("cell_read_joule") == pytest.approx(farad * 0.2 * volts + table, rel=1e-12, abs=0)

    @pytest.mark.parametrize("variant", [{}, {"counter_bits": 2}, {"counter_bits": 2, "overflow": "saturate"}])
    @pytest.mark.parametrize("noise", [0.0, 0.2])
    def test_energy_of_the_sum_counts_the_set_bits(self, variant, noise):
        """What counters add to the energy of the same engine whose words are added by an adder."""
        sense, scores = SenseSpec(noise=noise), np.random.default_rng(0).normal(scale=1.5, size=(12, 23))
        spec = changed(SMALL, sense=sense, column_sense=sense, **variant)
        recorder, engine = Recorder(), spec.program(2)
        counted = engine.apply(scores, 1, recorder).activity.total("cell_read_joule")
        assert counted == pytest.approx(engine.apply(scores, 1).activity.total("cell_read_joule"), rel=1e-12, abs=0)
        added = changed(spec, sum="adder").program(2).apply(scores, 1).activity.total("cell_read_joule")
        if spec.overflow == "flush" and spec.counter_bits == 2:
            selected, bits = recorder.signals["selected"], 0
            for first in range(0, 23, 3):
                bits = bits + set_bits({"histogram": selected[:, first : first + 3].sum(axis=1)})
        else:
            bits = set_bits(recorder.signals)
        joule = bits @ engine.vmm.cells.g.sum(axis=1) * spec.read_volt**2 * spec.read_second
        assert counted - added == pytest.approx(joule, rel=1e-9, abs=0)

    @pytest.mark.parametrize("options", OPTIONS)
    def test_activity_of_vectors_adds_up(self, options):
        scores = np.random.default_rng(0).normal(scale=2, size=(5, 6))
        engine = changed(self.SPEC, device=ROUGH, **options).program()
        together = engine.apply(scores).activity
        apart = [engine.apply(vector).activity for vector in scores]
        for _, name, count in together.rows():
            assert count == pytest.approx(sum(one.total(name) for one in apart), rel=1e-12, abs=0), name

    @pytest.mark.parametrize("options", OPTIONS)
    def test_masked_scores_cost_nothing(self, options):
        """Seven scores, four of which take part, as four; both can set three bits of a counter."""
        scores, mask = np.random.default_rng(0).normal(scale=2, size=(3, 7)), np.arange(7) % 2 == 0
        engine = changed(self.SPEC, **options).program()
        masked, short = engine.apply(scores, mask=mask).activity, engine.apply(scores[:, mask]).activity
        if options.get("sum") == "adder":
            assert masked.total("adder") == short.total("adder")
        for _, name, count in short.rows():
            assert masked.total(name) == pytest.approx(count, rel=1e-12, abs=0), name

    def test_inventory_by_hand(self):
        def parts(**changes):
            return {name: n for _, name, n in changed(self.SPEC, **changes).program().inventory.rows()}

        plain = parts()
        assert plain["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 5 + 8 * 6
        assert plain["dac_1b"] == 8 * (3 + 2) + 16 + 8
        assert plain["sense_amplifier"] == 16 + 8 + 2 * 4 + 5
        assert plain["counter"] == 8 * 10 / 32
        assert plain["adder"] == 4 / 32
        assert plain["sample_hold"] == 6
        assert plain["adc_6b"] == plain["divider"] == plain["priority_encoder"] == plain["shift_add"] == 1
        cmos = parts(subtract="cmos", maximum="bitwise")
        assert (cmos["sense_amplifier"], cmos["dac_1b"], cmos["priority_encoder"]) == (16 + 8 + 5, 8 * 5 + 8, 1)
        assert "priority_encoder" not in parts(maximum="bitwise")
        adder = parts(sum="adder")
        assert adder["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 5
        assert not {"adc_6b", "counter", "sample_hold", "shift_add"} & set(adder)
        levels = parts(lut_cell_bits=2)
        assert levels["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 3 + 8 * 4
        assert levels["sense_amplifier"] == 16 + 8 + 2 * 4 + 3 * 3

    @pytest.mark.parametrize(
        ("length", "overflow", "reads"),
        [
            (1, "flush", 1),
            (7, "flush", 3),
            (8, "flush", 4),
            (1023, "flush", 10),
            (1024, "flush", 11),
            (2046, "flush", 20),
            (5000, "flush", 4 * 10 + 10),
            (5000, "saturate", 10),
        ],
    )
    def test_serial(self, length, overflow, reads):
        """A histogram is read once for each bit that its counters can have; a full one every 1023 scores."""
        engine = changed(self.SPEC, overflow=overflow).program()
        assert engine.serial(length) == {
            "cam_search": 2 * length,
            "priority_encoder": 1,
            "lut_read": 2 * length,
            "adder": 0,
            "crossbar_read": reads,
            "adc_6b": reads * 5,
            "divider": length,
        }
        assert engine.apply(np.zeros((1, length))).activity.total("adc_6b") == reads * 5

    def test_serial_of_the_options(self):
        engine = changed(self.SPEC, maximum="bitwise", subtract="cmos", sum="adder").program()
        assert engine.serial(9) == {
            "cam_search": 2 * 9 + 4,
            "priority_encoder": 9,
            "lut_read": 9,
            "adder": 9,
            "crossbar_read": 0,
            "divider": 9,
        }

    def test_write_errors(self):
        assert SMALL.program().write_errors == {}
        cell = LEAKY.but({"programming": SPREAD, "write": WriteSpec(tolerance_siemens=2e-6, most_pulses=2)})
        engine = changed(SMALL, device=cell).program()
        parts = (engine.cam_sub.cells, engine.cam_exp.cells, engine.lut.cells, engine.vmm.cells)
        assert engine.write_errors == {"write_failure": sum(int(part.failed.sum()) for part in parts)}
        assert engine.write_errors["write_failure"] > 0


class TestStreams:
    def test_crossbars_draw_from_streams_of_their_own(self):
        """A wider LUT leaves the cells of the CAMs and all offsets of their amplifiers as they are."""
        rough = changed(
            SMALL, device=ROUGH, sense=SenseSpec(offset_spread=0.1), column_sense=SenseSpec(offset_spread=0.1)
        )
        one, other, again = rough.program(1), changed(rough, lut_bits=9).program(1), rough.program(1)
        assert_array_equal(one.cam_sub.cells.g, other.cam_sub.cells.g)
        assert_array_equal(one.cam_exp.cells.g, other.cam_exp.cells.g)
        assert_array_equal(one.cam_sub.offset, other.cam_sub.offset)
        assert_array_equal(one.comparators, other.comparators)
        assert_array_equal(one.vmm.cells.g, again.vmm.cells.g)
        assert (one.vmm.cells.g != rough.program(2).vmm.cells.g).any()
        assert (one.lut.cells.g != one.vmm.cells.g[:, :-1]).any()
