"""Digital softmax units: each against the same arithmetic written out score by score, and against exact softmax."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax as float_softmax

from rramsim.cost.components import load_components
from rramsim.engine.softmax.rival_arithmetic import IBERT_LN2, IBERT_POLYNOMIAL
from rramsim.engine.softmax.rivals import (
    RIVALS,
    Base2LutSoftmaxSpec,
    FixedPointSoftmaxSpec,
    FloatSoftmaxSpec,
    HybridSoftmaxSpec,
    IBertSoftmaxSpec,
    SoftermaxSpec,
)
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec

FORMAT = FixedPointSpec(integer_bits=5, fraction_bits=3)
ALL = {name: spec() if name == "float" else spec(format=FORMAT) for name, spec in RIVALS.items()}
CODED = {name: spec for name, spec in ALL.items() if name != "float"}
ONLINE = {"softermax"}
"""Results depend on the order of the scores."""
LOG2E = 23637
"""round(2^14 log2 e)."""

each = pytest.mark.parametrize("name", sorted(ALL))
each_coded = pytest.mark.parametrize("name", sorted(CODED))


class Recorder:
    active = True

    def __init__(self):
        self.signals = {}

    def record(self, name, values, unit="1"):
        self.signals[name] = np.array(values)


def half_up(number):
    return math.floor(Fraction(number) + Fraction(1, 2))


def code_of(score, form):
    """Signed code: nearest, ties to even, saturating."""
    half = 2 ** (form.bits - 1)
    return max(-half, min(half - 1, round(Fraction(float(score)) * 2**form.fraction_bits)))


def fixed_point(spec, codes):
    size = 2 ** (spec.format.bits - 1)
    words = []
    for code in codes:
        distance = min(max(codes) - code, size - 1) / 2**spec.format.fraction_bits
        words.append(round(math.exp(-distance) * (2**spec.lut_bits - 1)))
    scale = 2**spec.divider_bits
    return [half_up(Fraction(word * scale, sum(words))) / scale for word in words]


def line(function, x, n_segments, bits):
    """Line between the rounded values at the ends of the segment that x is in, rounded down."""
    segment = math.floor(x * n_segments)
    left, right = (round(function((segment + k) / n_segments) * 2**bits) for k in (0, 1))
    return left + math.floor((right - left) * (x * n_segments - segment))


def softermax(spec, codes):
    """The online algorithm: scores of a slice share the maximum so far; words of 15, sums of 6 fraction bits.

    A code of None has a place in its slice, but takes no part.
    """
    fraction = spec.format.fraction_bits
    scale = Fraction(LOG2E, 2**14) if spec.scale_by_log2e else Fraction(1)
    x = [None if code is None else Fraction(half_up(code * scale), 2**fraction) for code in codes]
    pieces = 2 ** min(spec.segment_bits, fraction)
    maximum, total, words, maxima = None, 0, [], []
    for start in range(0, len(x), spec.lanes):
        part = [score for score in x[start : start + spec.lanes] if score is not None]
        if not part:
            continue
        new = max([math.ceil(score) for score in part] + ([] if maximum is None else [maximum]))
        total = total if maximum is None else math.floor(Fraction(total, 2 ** (new - maximum)))
        maximum, slice_sum = new, 0
        for score in part:
            power = line(lambda t: 2.0**t, score - math.floor(score), pieces, 15)
            words.append(math.floor(Fraction(power, 2 ** (maximum - math.floor(score)))))
            maxima.append(maximum)
            slice_sum += words[-1]
        total = min(total + half_up(Fraction(slice_sum, 2**9)), 2**16 - 1)
    exponent = total.bit_length() - 1
    mantissa = Fraction(total, 2**exponent) - 1
    reciprocal = line(lambda t: 1 / (1 + t), mantissa, 2**spec.segment_bits, spec.reciprocal_bits)
    inverse = Fraction(reciprocal, 2**spec.reciprocal_bits) / 2**exponent * 2**6
    results = []
    for word, at in zip(words, maxima, strict=True):
        value = Fraction(math.floor(Fraction(word, 2 ** (maximum - at))), 2**15) * inverse
        results.append(min(half_up(value * 2**spec.output_bits), 2**spec.output_bits) / 2**spec.output_bits)
    return results


def ibert(spec, codes):
    """quant_modules.py of I-BERT, one score at a time."""
    scale = Fraction(1, 2**spec.format.fraction_bits)
    x0 = math.floor(Fraction(-0.6931) / scale)
    b = math.floor(Fraction(0.96963238 / 0.35815147) / scale)
    c = math.floor(Fraction(1.0 / 0.35815147) / scale**2)
    ratio = (2**15 - 1) / (c * 2**30)
    mantissa, exponent = math.frexp(ratio)
    dyadic = Fraction(round(mantissa * 2**31), 2**31) * Fraction(2) ** exponent
    words = []
    for code in codes:
        x = max(code - max(codes), 30 * x0)
        q = math.floor(Fraction(x, x0))
        r = x - x0 * q
        exponential = max((r * (r + b) + c) * 2 ** (30 - q), 0)
        words.append(half_up(exponential * dyadic))
    factor = math.floor(Fraction(2**32, sum(words)))
    return [math.floor(Fraction(w * factor, 2 ** (32 - spec.output_bits))) / 2**spec.output_bits for w in words]


def hybrid(spec, codes):
    unit = 2 ** (spec.format.fraction_bits + spec.guard_bits)
    top = 2**spec.lut_bits - 1

    def exponential(places):
        return round(math.exp(-places / unit) * top)

    distances = [(max(codes) - code) * 2**spec.guard_bits for code in codes]
    total = sum(exponential(places) for places in distances)
    exponent = total.bit_length() - 1
    n = 2**spec.log_bits
    interval = math.floor((Fraction(total, 2**exponent) - 1) * n)
    coarse, fine = exponent * math.log(2) - math.log(top), math.log1p((interval + 0.5) / n)
    logarithm = max(round(coarse * unit) + round(fine * unit), 0)
    return [exponential(places + logarithm) / top for places in distances]


def base2_lut(spec, codes):
    words = []
    for code in codes:
        power = Fraction((max(codes) - code) * LOG2E, 2 ** (14 + spec.format.fraction_bits))
        places = half_up(power * 2**spec.index_bits)
        whole, index = divmod(places, 2**spec.index_bits)
        word = round(2.0 ** (-index / 2**spec.index_bits) * (2**spec.lut_bits - 1))
        words.append(math.floor(Fraction(word, 2**whole)))
    exponent = sum(words).bit_length() - 1
    n = 2**spec.reciprocal_index_bits
    interval = math.floor((Fraction(sum(words), 2**exponent) - 1) * n)
    reciprocal = round(2**spec.reciprocal_bits / (1 + (interval + 0.5) / n))
    scale = 2**spec.divider_bits
    shift = 2 ** (exponent + spec.reciprocal_bits)
    return [min(half_up(Fraction(word * reciprocal * scale, shift)), scale) / scale for word in words]


ORACLES = {
    FixedPointSoftmaxSpec: fixed_point,
    SoftermaxSpec: softermax,
    IBertSoftmaxSpec: ibert,
    HybridSoftmaxSpec: hybrid,
    Base2LutSoftmaxSpec: base2_lut,
}

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


class TestArithmetic:
    @given(coded_specs(), st.integers(1, 40), st.floats(0.1, 60), st.integers(0, 999))
    @settings(max_examples=200, deadline=None)
    def test_equals_the_scalar_oracle(self, spec, length, spread, seed):
        """Exactly, with and without scores that take no part; those are as if they were not there."""
        rng = np.random.default_rng(seed)
        scores = rng.normal(scale=spread, size=(3, length))
        oracle = ORACLES[type(spec)]
        codes = [[code_of(score, spec.format) for score in vector] for vector in scores]
        assert_array_equal(spec.program()(scores), [oracle(spec, vector) for vector in codes])
        mask = rng.random(scores.shape) < 0.6
        found = spec.program()(scores, mask=mask)
        for vector, alive, values in zip(codes, mask, found, strict=True):
            kept = [code if takes_part else None for code, takes_part in zip(vector, alive, strict=True)]
            if not isinstance(spec, SoftermaxSpec):
                kept = [code for code in kept if code is not None]
            assert_array_equal(values[alive], oracle(spec, kept) if alive.any() else [])
            assert not values[~alive].any()

    def test_float_is_exact(self):
        scores = np.random.default_rng(0).normal(scale=3, size=(50, 128))
        assert_allclose(FloatSoftmaxSpec().program()(scores), float_softmax(scores, axis=-1), rtol=1e-13)
        huge = FloatSoftmaxSpec().program()([[1e308, -1e308, 1e308]])
        assert_array_equal(huge, [[0.5, 0.0, 0.5]])

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
    def test_is_near_softmax(self, name, largest, off_one):
        """8 bits of 3 fraction bits; scores already in the format, so what is left is the unit's own error."""
        scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(scale=3, size=(200, 128))))
        found = ALL[name].program()(scores)
        assert abs(found - float_softmax(scores, axis=-1)).max() < largest
        assert abs(found.sum(axis=-1) - 1).max() < off_one

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
    def test_more_bits_bring_it_to_softmax(self, spec, error):
        """A few scores near one another; Softermax keeps its sums of 6 fraction bits, I-BERT its polynomial."""
        form = FixedPointSpec(integer_bits=4, fraction_bits=8)
        scores = form.decode(form.encode(np.random.default_rng(0).normal(size=(100, 8))))
        bound = {SoftermaxSpec: 0.01, IBertSoftmaxSpec: 0.004}.get(spec, 3e-4)
        found = spec(format=form, **error).program()(scores)
        assert abs(found - float_softmax(scores, axis=-1)).max() < bound

    def test_softermax_in_base_two(self):
        spec = SoftermaxSpec(scale_by_log2e=False)
        found = spec.program()([[3.0, 2.0, 1.0, 1.0]])
        assert_array_equal(found, [[0.5, 0.25, 0.125, 0.125]])
        assert abs(SoftermaxSpec().program()([[1.0, 0.0]])[0, 0] - 1 / (1 + math.exp(-1))) < 0.03

    def test_published_formats_and_constants(self):
        """UQ(1, 15) and UQ(10, 6) of Softermax; x0, n and the polynomial of I-BERT in 1/64."""
        recorder = Recorder()
        SoftermaxSpec(scale_by_log2e=False).program().apply([[4.0, 3.0]], probe=recorder)
        assert_array_equal(recorder.signals["exponential"], [[2**15, 2**14]])
        assert_array_equal(recorder.signals["sum"], [96])
        form = FixedPointSpec(integer_bits=6, fraction_bits=6)
        recorder = Recorder()
        IBertSoftmaxSpec(format=form).program().apply([[20.0, 20.0 - 45 / 64, 0.0]], probe=recorder)
        # 45 / 64 is x0: half of exp(0), which is 2^15 - 1; 20 is 28 times x0 and a rest.
        assert_array_equal(recorder.signals["exponential"], [[32767, 16384, 0]])

    def test_polynomial_of_ibert(self):
        """At most 1.9e-3 from exp; whatever the scale of the scores, exp(0) becomes 2^15 - 1."""
        a, b, c = IBERT_POLYNOMIAL
        p = np.linspace(IBERT_LN2, 0, 1001)
        assert abs(a * p**2 + b * p + c - np.exp(p)).max() < 1.92e-3
        for fraction_bits in range(2, 12):
            recorder = Recorder()
            form = FixedPointSpec(integer_bits=1, fraction_bits=fraction_bits)
            IBertSoftmaxSpec(format=form).program().apply([[0.25, -1.0]], probe=recorder)
            assert recorder.signals["exponential"][0, 0] == 2**15 - 1

    def test_running_sum_saturates(self):
        spec = SoftermaxSpec(scale_by_log2e=False, output_bits=15)
        done = spec.program().apply(np.zeros((2, 1100)))
        assert done.errors == {"score_saturation": 0, "sum_saturation": 2}
        assert (done.values > 1 / 1100).all()
        assert spec.program().apply(np.zeros((2, 1000))).errors["sum_saturation"] == 0

    @pytest.mark.parametrize("name", sorted(set(CODED) - ONLINE))
    def test_a_shift_changes_nothing(self, name):
        scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(size=(20, 30))))
        engine = ALL[name].program()
        assert_array_equal(engine(scores), engine(scores + 3.125))

    def test_a_whole_shift_changes_nothing_in_softermax(self):
        """Its maximum is an integer, in base 2."""
        scores = FORMAT.decode(FORMAT.encode(np.random.default_rng(0).normal(size=(20, 30))))
        engine = SoftermaxSpec(format=FORMAT, scale_by_log2e=False).program()
        assert_array_equal(engine(scores), engine(scores + 3))

    @pytest.mark.parametrize("name", sorted(set(CODED) - ONLINE))
    def test_order_changes_nothing(self, name):
        rng = np.random.default_rng(0)
        scores, order = rng.normal(scale=3, size=(20, 50)), rng.permutation(50)
        engine = ALL[name].program()
        assert_array_equal(engine(scores[:, order]), engine(scores)[:, order])

    def test_order_matters_online(self):
        """The running sum is rounded after each slice: equal values may get another result in another order."""
        scores = np.random.default_rng(0).normal(scale=3, size=(20, 50))
        engine = ALL["softermax"].program()
        assert (engine(scores[:, ::-1]) != engine(scores)[:, ::-1]).any()


class TestInterface:
    @each
    def test_masked_scores_get_nothing(self, name):
        engine, rng = ALL[name].program(), np.random.default_rng(0)
        scores = rng.normal(scale=2, size=(2, 4, 10))
        mask = rng.random((4, 10)) < 0.7
        mask[1] = False
        found = engine(scores, mask=mask)
        assert not found[:, ~mask].any()
        assert not found[:, 1].any()
        assert_array_equal(found, engine(np.where(mask, scores, -np.inf)))
        assert_array_equal(engine(np.where(mask, scores, 99.0), mask=mask), found)
        assert (found.sum(axis=-1)[:, [0, 2, 3]] > 0.8).all()

    @each
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_shape_and_dtype_stay(self, name, dtype):
        engine = ALL[name].program()
        for shape in [(1,), (7,), (2, 3, 4), (0, 5)]:
            found = engine(np.zeros(shape, dtype=dtype))
            assert (found.shape, found.dtype) == (shape, dtype)
        assert engine([1, 2]).dtype == np.float64

    @each
    def test_one_score_gets_nearly_everything(self, name):
        assert ALL[name].program()([[1.3]])[0, 0] == pytest.approx(1, abs=0.07)

    @each
    def test_nothing_is_left_to_chance(self, name):
        spec, scores = ALL[name], np.random.default_rng(0).normal(size=(3, 5))
        assert_array_equal(spec.program(1)(scores, 2), spec.program(3)(scores, np.random.default_rng(4)))
        assert spec.program().write_errors == {}

    @each
    def test_probe(self, name):
        recorder, scores = Recorder(), np.random.default_rng(0).normal(size=(2, 3, 5))
        engine = ALL[name].program()
        done = engine.apply(scores, probe=recorder)
        shapes = {signal: values.shape for signal, values in recorder.signals.items()}
        expected = {"exponential": (6, 5), "sum": (6,), "probability": (6, 5)}
        assert shapes == (expected if name == "float" else {"score_code": (6, 5), **expected})
        assert_array_equal(recorder.signals["probability"].reshape(scores.shape), done.values)
        assert_array_equal(engine(scores), done.values)

    @each_coded
    def test_saturation_is_counted(self, name):
        """From -16 to 15.875; what takes no part is not counted."""
        scores = np.array([[-16.0, 15.875, 15.9, -17.0, 1e308, -np.inf, 40.0]])
        mask = np.array([True] * 6 + [False])
        assert ALL[name].program().apply(scores, mask=mask).errors["score_saturation"] == 3

    @each
    @pytest.mark.parametrize(
        ("scores", "says"),
        [
            ([1.0, np.nan], "1 of 2 scores are nan or plus infinity"),
            ([1.0, np.inf], "1 of 2 scores"),
            (3.0, r"shape \(\)"),
            (np.zeros((3, 0)), r"shape \(3, 0\)"),
            ([1j, 2.0], "complex128"),
            (["a"], "numbers"),
            ([[1.0], [1.0, 2.0]], "unequal"),
            ([True, False], "bool"),
        ],
    )
    def test_wrong_scores_are_refused(self, name, scores, says):
        with pytest.raises(SpecError, match=says) as caught:
            ALL[name].program()(scores)
        assert len(str(caught.value).splitlines()) == 1

    @pytest.mark.parametrize(
        ("spec", "wrong"),
        [
            (FixedPointSoftmaxSpec, {"lut_bits": 17}),
            (SoftermaxSpec, {"lanes": 0}),
            (IBertSoftmaxSpec, {"output_bits": 1}),
            (HybridSoftmaxSpec, {"guard_bits": 5}),
            (Base2LutSoftmaxSpec, {"index_bits": -1}),
        ],
    )
    def test_wrong_keys_say_what_they_mean(self, spec, wrong):
        with pytest.raises(SpecError, match=rf"{next(iter(wrong))}: got .*; it is at (least|most) .*\. [A-Z2]"):
            spec(format=FORMAT, **wrong)


class TestAccounting:
    @each
    def test_names_are_of_the_cost_table(self, name):
        table, engine = load_components(), ALL[name].program()
        used = {component for _, component, _ in engine.apply(np.zeros((1, 8))).activity.rows()}
        built = {component for _, component, _ in engine.inventory.rows()}
        assert used == built
        assert built <= set(table.components)
        assert set(engine.serial(8)) <= built

    @each
    def test_activity_is_a_part_by_score_and_a_part_by_vector(self, name):
        engine = ALL[name].program()

        def counts(n_vectors, length, mask=None):
            activity = engine.apply(np.zeros((n_vectors, length)), mask=mask).activity
            return {component: count for _, component, count in activity.rows()}

        one, two, three = counts(1, 16), counts(1, 32), counts(1, 48)
        assert three == pytest.approx({component: 2 * two[component] - one[component] for component in one})
        assert counts(5, 16) == pytest.approx({component: 5 * count for component, count in one.items()})
        # What takes no part costs nothing, nor does a vector of which nothing does.
        mask = np.zeros((3, 32), dtype=bool)
        mask[0, ::2] = True
        assert counts(3, 32, mask) == pytest.approx(one)
        assert counts(3, 32, np.zeros(32, dtype=bool)) == {}

    @each
    def test_longer_vectors_take_longer(self, name):
        engine = ALL[name].program()
        short, long = engine.serial(16), engine.serial(160)
        assert sum(long.values()) > sum(short.values())
        assert all(isinstance(uses, int) and 0 <= short[component] <= uses for component, uses in long.items())

    def test_fixed_point_by_hand(self):
        """8 bits, 128 words of 8 bits, and the 32 bits of the sum."""
        engine = CODED["fixed_point"].program()
        counts = {name: count for _, name, count in engine.apply(np.zeros((2, 10))).activity.rows()}
        assert counts == {"comparator": 20 / 4, "adder": 20 * (1 / 4 + 1), "register_bit": 20 * 48, "divider": 20}
        parts = {name: count for _, name, count in engine.inventory.rows()}
        assert parts == {"comparator": 1 / 4, "adder": 5 / 4, "register_bit": 8 + 128 * 8 + 32, "divider": 1}
        assert engine.serial(10) == {"comparator": 10, "adder": 20, "register_bit": 10, "divider": 10}

    def test_float_by_hand(self):
        engine = FloatSoftmaxSpec(exp_operations=7).program()
        counts = {name: count for _, name, count in engine.apply(np.zeros((2, 10))).activity.rows()}
        assert counts == {"vector_lane": 20 * 10, "divider": 20}
        assert {name: count for _, name, count in engine.inventory.rows()} == {"vector_lane": 1, "divider": 1}

    def test_lanes_of_softermax_work_at_once(self):
        narrow, wide = (SoftermaxSpec(lanes=lanes).program() for lanes in (1, 16))
        assert wide.serial(128)["comparator"] == 8
        assert narrow.serial(128)["comparator"] == 128
        assert wide.inventory.total("comparator") == 16 * narrow.inventory.total("comparator")
        # Two in each lane, and one for the running sum of them all.
        assert wide.inventory.total("shift_add") == 2 * 16 + 1
        one, other = (each_one.apply(np.zeros((1, 64))).activity.total("multiplier") for each_one in (narrow, wide))
        assert one == pytest.approx(other)

    def test_narrow_multipliers_count_by_their_area(self):
        """8 x 15 bits for log2(e), 8 x 8 for the reciprocal."""
        activity = CODED["base2_lut"].program().apply(np.zeros((1, 10))).activity
        assert activity.total("multiplier") == pytest.approx(10 * (8 * 15 + 8 * 8) / 1024)

    def test_aladdin(self):
        """Accelergy library plug-in, library/aladdin: 40 nm, 32 bits."""
        table = load_components()
        for name, picojoule, square_micrometre in [("comparator", 0.02947, 71), ("multiplier", 12.68, 6350)]:
            component = table[name]
            assert component.energy_joule == pytest.approx(picojoule * 1e-12)
            assert component.area_square_metre == pytest.approx(square_micrometre * 1e-12)
            assert component.node_metre == pytest.approx(40e-9)
            assert f"aladdin_{name}.csv" in component.source
