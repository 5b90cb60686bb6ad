"""The softmax engine: integers when ideal; otherwise, step by step, the circuit of the slow oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import softmax as oracle
from scipy.special import softmax as float_softmax

from rramsim.array.mvm import ProgrammedArray
from rramsim.array.network import WireSpec
from rramsim.device.base import DeviceSpec, device
from rramsim.device.faults import StuckSpec
from rramsim.device.noise import ReadNoiseSpec
from rramsim.device.statistics import ProgrammingSpec
from rramsim.engine.softmax import SoftmaxSpec
from rramsim.errors import SpecError
from rramsim.rng import Streams
from rramsim.spec import FixedPointSpec

LEAKY = DeviceSpec(g_min_siemens=2e-6, g_max_siemens=5e-5)
SMALL = SoftmaxSpec(format=FixedPointSpec(integer_bits=3, fraction_bits=1), lut_bits=5, device=LEAKY)
"""16 rows of 8 columns: small enough for the circuit to be solved row by row."""
NO_ERRORS = {
    "score_saturation": 0,
    "false_match": 0,
    "missed_match": 0,
    "wrong_max": 0,
    "wrong_difference": 0,
    "wrong_exponential": 0,
    "wrong_sum": 0,
}


class Recorder:
    active = True

    def __init__(self):
        self.signals = {}

    def record(self, name, values, unit="1"):
        self.signals[name] = np.array(values)


FORMATS = st.tuples(st.integers(1, 7), st.integers(0, 6)).filter(lambda bits: 3 <= sum(bits) <= 9)


@st.composite
def ideal_specs(draw):
    integer_bits, fraction_bits = draw(FORMATS)
    return SoftmaxSpec(
        format=FixedPointSpec(integer_bits=integer_bits, fraction_bits=fraction_bits),
        lut_bits=draw(st.integers(2, 16)),
        counter_bits=draw(st.integers(1, 10)),
        sum_adc_bits=draw(st.sampled_from([None, 4, 8])),
        divider_bits=draw(st.integers(2, 24)),
        device=draw(st.sampled_from([DeviceSpec(), LEAKY, device("rram-intel-22nm")])),
        bank_rows=draw(st.sampled_from([5, 64])),
        read_volt=draw(st.sampled_from([0.2, 0.31])),
    )


def expected_values(spec, scores):
    """The integer reference, vector by vector."""
    form = spec.format
    return np.array(
        [
            oracle.fixed_point(
                [oracle.encode(score, form.integer_bits, form.fraction_bits) for score in vector],
                form.bits,
                form.fraction_bits,
                spec.lut_bits,
                spec.counter_bits,
                spec.divider_bits,
                spec.sum_adc_bits,
            )
            for vector in scores
        ]
    )


class TestIdeal:
    @given(ideal_specs(), st.integers(1, 40), st.floats(0.1, 60), st.integers(0, 999))
    @settings(max_examples=100)
    def test_equals_the_integers_exactly(self, spec, length, spread, seed):
        scores = np.random.default_rng(seed).normal(scale=spread, size=(3, length))
        done = spec.program().apply(scores)
        assert_array_equal(done.values, expected_values(spec, scores))
        allowed = {"score_saturation", *(["wrong_sum"] if spec.sum_adc_bits == 4 else [])}
        assert all(count == 0 or kind in allowed for kind, count in done.errors.items())

    @pytest.mark.parametrize("read_volt", [0.2, 0.3])
    @pytest.mark.parametrize("cell", [DeviceSpec(), LEAKY, device("rram-intel-22nm")])
    def test_exact_where_a_quotient_is_a_tie(self, cell, read_volt):
        """Few values in a vector, so that many a quotient lies exactly halfway between two codes of the divider."""
        form = FixedPointSpec(integer_bits=4, fraction_bits=3)
        spec = SoftmaxSpec(format=form, device=cell, read_volt=read_volt, lut_bits=4, divider_bits=4)
        words = spec.exponentials
        # n scores at the maximum, m at a distance, the rest so low that they add nothing: sums that make 16 * 15 / sum
        # a whole number and a half.
        vectors = [
            [0.0] * n + [-gap / 8] * m + [-7.0] * (40 - n - m)
            for gap in range(1, 28)
            for n in range(1, 12)
            for m in range(12)
            if (n * words[0] + m * words[gap]) in (32, 96, 160)
        ]
        assert len(vectors) > 30
        scores = np.array(vectors)
        assert_array_equal(spec.program()(scores), expected_values(spec, scores))

    def test_every_pair_of_scores(self):
        spec = SMALL
        codes = np.arange(16)
        scores = spec.format.decode(np.stack(np.meshgrid(codes, codes), axis=-1).reshape(-1, 2))
        assert_array_equal(spec.program()(scores), expected_values(spec, scores))

    @pytest.mark.parametrize(("integer_bits", "fraction_bits"), [(6, 2), (6, 3), (5, 2), (4, 5)])
    def test_close_to_the_float_softmax(self, integer_bits, fraction_bits):
        """A score is off by up to h = 2^-(f+1), so a probability by a factor exp(2h), plus LUT and divider steps."""
        spec = SoftmaxSpec(
            format=FixedPointSpec(integer_bits=integer_bits, fraction_bits=fraction_bits), lut_bits=12, divider_bits=12
        )
        scores = np.random.default_rng(0).normal(scale=1.5, size=(20, 50)).clip(-7, 7)
        exact = float_softmax(scores, axis=-1)
        half_step = 2.0 ** -(fraction_bits + 1)
        gap = np.abs(spec.program()(scores) - exact)
        assert (gap <= exact * (np.exp(2 * half_step) - 1) * 1.1 + 2.0**-11).all()
        coarse = np.abs(spec.program()(scores) - float_softmax(spec.format.decode(spec.format.encode(scores)), axis=-1))
        assert coarse.max() < 1e-3

    @given(FORMATS, st.integers(2, 20), st.integers(0, 999))
    @settings(max_examples=25)
    def test_order_of_the_scores_does_not_matter(self, bits, length, seed):
        spec = SoftmaxSpec(format=FixedPointSpec(integer_bits=bits[0], fraction_bits=bits[1]))
        rng = np.random.default_rng(seed)
        scores, order = rng.normal(scale=4, size=length), rng.permutation(length)
        engine = spec.program()
        assert_array_equal(engine(scores[order]), engine(scores)[order])

    @given(st.integers(-12, 12), st.integers(0, 999))
    @settings(max_examples=25)
    def test_a_common_shift_does_not_matter(self, steps, seed):
        """By any number that the format represents, as long as nothing saturates."""
        spec = SoftmaxSpec(format=FixedPointSpec(integer_bits=6, fraction_bits=2))
        scores = np.random.default_rng(seed).integers(-50, 50, size=(2, 9)) / 4
        engine = spec.program()
        assert_array_equal(engine(scores + steps / 4), engine(scores))

    def test_vectors_are_independent(self):
        scores = np.random.default_rng(0).normal(scale=3, size=(2, 3, 7))
        engine = SMALL.program()
        assert engine(scores).shape == (2, 3, 7)
        for place in np.ndindex(2, 3):
            assert_array_equal(engine(scores)[place], engine(scores[place]))

    def test_a_full_counter_stays_full(self):
        spec = SoftmaxSpec(format=FixedPointSpec(integer_bits=3, fraction_bits=1), counter_bits=2, divider_bits=10)
        values = spec.program()(np.zeros(10))
        assert_array_equal(values, np.full(10, np.floor(1024 / 3 + 0.5) / 1024))

    def test_probabilities_of_a_length_beyond_the_divider(self):
        """600 equal scores: each probability is below half of the divider's last bit... and reads 0."""
        spec = SoftmaxSpec(format=FixedPointSpec(integer_bits=3, fraction_bits=1), divider_bits=8)
        assert not spec.program()(np.zeros(600)).any()

    def test_saturated_scores_are_counted(self):
        done = SMALL.program().apply([[-4.0, 3.5, 3.6, -4.1, 100.0]])
        assert done.errors == {**NO_ERRORS, "score_saturation": 3}

    def test_lut_words(self):
        assert_array_equal(SMALL.exponentials, oracle.words(4, 1, 5))
        assert_array_equal(SMALL.exponentials, [31, 19, 11, 7, 4, 3, 2, 1])

    @pytest.mark.parametrize("wrong", [np.array(1.0), np.empty((3, 0)), np.array([np.nan, 1]), np.array([np.inf, 1])])
    def test_bad_scores(self, wrong):
        with pytest.raises(SpecError, match=r"finite numbers of shape \(\.\.\., length\)"):
            SMALL.program()(wrong)


def check(engine, scores, **some_errors):
    """Every step against the circuit; returns what was counted."""
    recorder = Recorder()
    done = engine.apply(scores, probe=recorder)
    slow = oracle.star(engine, np.atleast_2d(scores).tolist())
    seen = recorder.signals
    assert_array_equal(seen["max_row"], slow["max_row"])
    assert_array_equal(seen["difference"], slow["difference"])
    assert_array_equal(seen["exponential"], slow["exponential"])
    assert_allclose(seen["sum"], slow["sum"], atol=1e-6)
    for n, vector in enumerate(slow["match"]):
        for k, rows in enumerate(vector):
            assert set(np.nonzero(seen["match"][n, k])[0]) == rows
    assert_array_equal(np.atleast_2d(done.values), slow["probability"])
    assert done.errors == slow["errors"]
    for kind, count in some_errors.items():
        assert done.errors[kind] == count, kind
    return done.errors


def altered(engine, part, changes):
    """The engine with single cells of one crossbar set to other conductances, {(row, column): siemens}."""
    old = getattr(engine, part)
    cells = replace(old.cells, g=old.cells.g.copy())
    for place, siemens in changes.items():
        cells.g[place] = siemens
    if part == "vmm":
        return replace(engine, vmm=ProgrammedArray.wired(cells, engine.spec.wires))
    if part == "lut":
        return replace(engine, lut=replace(old, array=ProgrammedArray.wired(cells, engine.spec.wires)))
    return replace(engine, **{part: replace(old, cells=cells)})


ON, OFF = 5e-5, 2e-6
ALL_SCORES = np.arange(-8, 8)[None, :] / 2


class TestEveryKindOfError:
    """Each made to happen by a cell set by hand, and counted as the circuit has it."""

    def test_none(self):
        assert check(SMALL.program(), ALL_SCORES) == NO_ERRORS

    def test_stuck_on_cell_kills_a_match(self):
        # Row 5 holds code 10 (score 1.0); the open cell of its first pair is the second one.
        engine = altered(SMALL.program(), "cam_sub", {(5, 1): ON})
        errors = check(engine, ALL_SCORES, missed_match=1, false_match=0, wrong_max=0)
        assert errors["wrong_difference"] == 1
        # Alone in its vector nothing fires at all: the encoder then gives the last row.
        check(engine, [[1.0]], missed_match=1, wrong_max=1)
        check(engine, [[1.0, 0.0]], missed_match=1, wrong_max=1)

    def test_stuck_off_cell_makes_a_false_match(self):
        # Row 0 holds the largest code; blind in its last bit it also answers to the one below.
        engine = altered(SMALL.program(), "cam_sub", {(0, 6): OFF})
        check(engine, [[3.0, 0.0]], false_match=1, missed_match=0, wrong_max=1)

    def test_false_match_in_the_second_cam(self):
        # Magnitudes 2 and 3 (words 11 and 7) answer together to a difference of 2: the LUT reads their or, 15.
        engine = altered(SMALL.program(), "cam_exp", {(3, 6): OFF})
        errors = check(engine, [[0.0, -1.0]], false_match=1, missed_match=0, wrong_max=0, wrong_difference=0)
        assert errors["wrong_exponential"] == 1

    def test_missed_match_in_the_second_cam(self):
        # Magnitudes have no sign bit: the second line of their first pair is never driven.
        assert check(altered(SMALL.program(), "cam_exp", {(0, 1): OFF}), [[0.0, 0.0]]) == NO_ERRORS
        engine = altered(SMALL.program(), "cam_exp", {(0, 0): ON})
        check(engine, [[0.0, 0.0]], missed_match=2, wrong_exponential=2, wrong_sum=0)
        assert not engine([0.0, 0.0]).any(), "no row, so no exponential and no sum"

    def test_stuck_true_bit_spoils_a_difference_only(self):
        # The true bit of row 7 (code 8) is read in SUB mode; as a search line it is driven for codes without that bit.
        engine = altered(SMALL.program(), "cam_sub", {(7, 0): OFF})
        check(engine, [[0.0, 3.5]], wrong_difference=1, missed_match=0)

    @pytest.mark.parametrize("column", range(5))
    def test_wrong_bit_in_the_lut(self, column):
        stored = 31 >> (4 - column) & 1
        engine = altered(SMALL.program(), "lut", {(0, column): OFF if stored else ON})
        check(engine, [[1.0, -2.0]], wrong_exponential=1, wrong_sum=0, false_match=0)

    def test_wrong_cell_in_the_sum(self):
        engine = altered(SMALL.program(), "vmm", {(0, 0): OFF})
        check(engine, [[1.0, -2.0], [0.0, -1.0]], wrong_sum=2, wrong_exponential=0)
        # A conducting cell in the reference column is taken off every other column.
        check(altered(SMALL.program(), "vmm", {(0, 5): ON}), [[1.0, -2.0]], wrong_sum=1)

    def test_sum_converter_saturates(self):
        """4 bits hold 15 cells; sixteen different counts of one need the first column of all rows, here 31 cells."""
        spec = SoftmaxSpec(format=FixedPointSpec(integer_bits=2, fraction_bits=5), lut_bits=5, sum_adc_bits=4)
        scores = -np.arange(40)[None, :] / 32
        done = spec.program().apply(scores)
        words = spec.exponentials[:40]
        assert ((words >> 4 & 1).sum()) > 15
        assert_array_equal(done.values, expected_values(spec, scores))
        assert done.errors == {**NO_ERRORS, "wrong_sum": 1}
        enough = spec.model_copy(update={"sum_adc_bits": 6}).program().apply(scores)
        assert enough.errors == NO_ERRORS

    def test_wires_alone_make_errors(self):
        """Low-resistance cells at the far end of long search lines are starved: false matches."""
        wires = WireSpec(word_line_ohm=60.0, bit_line_ohm=900.0, driver_ohm=100.0, sense_ohm=100.0)
        engine = SMALL.model_copy(update={"wires": wires}).program()
        assert check(engine, ALL_SCORES)["false_match"] > 0
        # Driven anew every four rows they are not.
        banked = SMALL.model_copy(update={"wires": wires, "bank_rows": 2}).program()
        assert check(banked, ALL_SCORES)["false_match"] < engine.apply(ALL_SCORES).errors["false_match"]


@pytest.mark.parametrize("sum_adc_bits", [None, 6])
@pytest.mark.parametrize("bank_rows", [5, 64])
@pytest.mark.parametrize("ohm", [0.0, 60.0])
def test_rough_chips_against_the_circuit(ohm, bank_rows, sum_adc_bits):
    """Spread, stuck cells and wires at once; every kind of error occurs in one of the chips."""
    rough = LEAKY.model_copy(
        update={
            "programming": ProgrammingSpec(law="lognormal", spread_log=0.3),
            "stuck": StuckSpec(on_fraction=0.01, off_fraction=0.02),
        }
    )
    wires = WireSpec(word_line_ohm=ohm, bit_line_ohm=2 * ohm, driver_ohm=3 * ohm, sense_ohm=ohm)
    spec = SMALL.model_copy(
        update={
            "device": rough,
            "wires": wires,
            "bank_rows": bank_rows,
            "sum_adc_bits": sum_adc_bits,
            "counter_bits": 2,
        }
    )
    scores = np.random.default_rng(0).normal(scale=2, size=(4, 6))
    errors = check(spec.program(5), scores)
    assert sum(errors.values()) > 3


NOISY = SMALL.model_copy(
    update={"device": DeviceSpec(g_min_siemens=1.5e-5, g_max_siemens=5e-5, read_noise=ReadNoiseSpec(relative=0.25))}
)
"""Every kind of error is common, none is certain."""


def brute_force(engine, scores, n_runs, seed):
    """The engine without wires, every cell's noise drawn anew for every read: mean results of one vector of scores.

    SUB mode reads the rows of the score and the row of the maximum in two reads, each with noise of its own.
    """
    rng, spec = np.random.default_rng(seed), engine.spec
    volt, window, relative = spec.read_volt, 3.5e-5, spec.device.read_noise.relative
    bits = spec.format.bits
    codes = spec.format.encode(scores)
    words = spec.exponentials
    kinds = ("false_match", "missed_match", "wrong_max", "wrong_difference", "wrong_exponential")
    counts, probabilities = {kind: np.zeros(n_runs) for kind in kinds}, np.zeros((n_runs, len(scores)))

    def read(g):
        return g * (1 + relative * rng.standard_normal(g.shape))

    def search(cam, code):
        asked = code >> np.arange(bits - 1, -1, -1) & 1
        lines = np.stack([1 - asked, asked], axis=-1).ravel().astype(bool)
        return volt * read(cam.cells.g[:, lines]).sum(axis=1) < cam.reference_ampere

    def matches(run, fired, right):
        counts["false_match"][run] += fired.sum() - fired[right]
        counts["missed_match"][run] += not fired[right]

    weight = 2 ** np.arange(bits - 1, -1, -1)
    for run in range(n_runs):
        fired = [search(engine.cam_sub, code) for code in codes]
        for code, rows in zip(codes, fired, strict=True):
            matches(run, rows, 15 - code)
        seen = np.nonzero(np.any(fired, axis=0))[0]
        max_row = seen[0] if seen.size else 15
        counts["wrong_max"][run] += 15 - max_row != codes.max()
        exponentials, histogram = [], np.zeros(8, dtype=int)
        for code, rows in zip(codes, fired, strict=True):
            true = engine.cam_sub.cells.g[:, 0::2]
            current = volt * (read(true[rows]).sum(axis=0) - read(true[max_row]))
            digit = (current > volt * window / 2).astype(int) - (current < -volt * window / 2)
            difference = digit @ weight
            counts["wrong_difference"][run] += difference != code - (15 - max_row)
            magnitude = min(abs(difference), 7)
            selected = search(engine.cam_exp, magnitude)
            matches(run, selected, magnitude)
            histogram += selected
            current = volt * read(engine.lut.cells.g[selected]).sum(axis=0)
            exponential = (current > engine.lut.reference_ampere) @ (2 ** np.arange(4, -1, -1))
            counts["wrong_exponential"][run] += exponential != words[magnitude]
            exponentials.append(exponential)
        total = 0.0
        for plane in range(4):
            current = volt * read(engine.vmm.cells.g[histogram >> plane & 1 == 1]).sum(axis=0)
            total += 2**plane * ((current[:-1] - current[-1]) / (volt * window) @ (2.0 ** np.arange(4, -1, -1)))
        quotient = np.floor(np.array(exponentials) * 256 / total + 0.5) / 256 if total > 0 else 0.0
        probabilities[run] = np.clip(quotient, 0, 1)
    return {**counts, **{f"probability {k}": probabilities[:, k] for k in range(len(scores))}}


class TestReadNoise:
    def test_zero_noise_is_noiseless_bit_for_bit(self):
        scores = np.random.default_rng(0).normal(scale=2, size=(4, 6))
        rough = LEAKY.model_copy(update={"programming": ProgrammingSpec(law="lognormal", spread_log=0.5)})
        engine = SMALL.model_copy(update={"device": rough}).program(3)
        results = [engine.apply(scores, rng) for rng in (0, 1, np.random.default_rng(5))]
        for other in results[1:]:
            assert_array_equal(other.values, results[0].values)
            assert other.errors == results[0].errors
        # As the noise goes to zero its path goes to the same values.
        quiet = rough.model_copy(update={"read_noise": ReadNoiseSpec(relative=1e-9)})
        nearly = SMALL.model_copy(update={"device": quiet}).program(3).apply(scores, 1)
        assert_array_equal(nearly.values, results[0].values)
        assert nearly.errors == results[0].errors

    def test_statistics_against_brute_force(self):
        """Means of 1000 runs of five kinds of error and four probabilities, against 500 brute-force runs.

        Nine Welch z, each below 4.5: false alarm below 1e-4.
        """
        scores = np.array([0.5, -1.0, 2.0, -3.0])
        engine = NOISY.program()
        slow = brute_force(engine, scores, 500, seed=1)
        runs = [engine.apply(scores, rng) for rng in range(1000)]
        for kind, expected in slow.items():
            name, _, index = kind.partition(" ")
            found = np.array([run.values[int(index)] if index else run.errors[name] for run in runs])
            assert expected.mean() > 0.02
            z = (found.mean() - expected.mean()) / np.sqrt(found.var() / found.size + expected.var() / expected.size)
            assert abs(z) < 4.5, kind

    def test_noise_is_repeatable_and_fresh(self):
        scores = np.tile([0.5, -1.0, 2.0, -3.0], (50, 1))
        engine = NOISY.program()
        assert_array_equal(engine(scores, 1), engine(scores, 1))
        assert (engine(scores, 1) != engine(scores, 2)).any()
        assert len(np.unique(engine(scores, 1), axis=0)) > 5
        generator = np.random.default_rng(0)
        assert (engine(scores, generator) != engine(scores, generator)).any()

    def test_sum_of_noisy_cells_has_the_right_moments(self):
        """One count in each of eight rows; 4000 sums, mean and variance by hand; |z| < 4.5, false alarm 2e-5."""
        engine, n = NOISY.program(), 4000
        histogram = np.ones((n, 8), dtype=np.int64)
        total = engine._sum(histogram, Streams(3))
        g, window = engine.vmm.cells.g, 3.5e-5
        variance = (0.25 / window) ** 2 * (
            (g[:, :-1] ** 2).sum(axis=0) @ 4.0 ** np.arange(4, -1, -1) + 31**2 * (g[:, -1] ** 2).sum()
        )
        assert abs(total.mean() - SMALL.exponentials.sum()) < 4.5 * np.sqrt(variance / n)
        assert abs(total.var() / variance - 1) < 4.5 * np.sqrt(2 / n)


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
            "exponential": (6, 5),
            "sum": (6,),
            "probability": (6, 5),
        }
        assert_array_equal(recorder.signals["probability"].reshape(2, 3, 5), done.values)
        assert recorder.signals["match"].sum() == 30
        assert_array_equal(recorder.signals["score_code"].reshape(2, 3, 5), SMALL.format.encode(scores))

    def test_watching_changes_nothing(self):
        scores = np.random.default_rng(0).normal(size=(4, 5))
        engine = NOISY.program()
        watched, alone = engine.apply(scores, 1, Recorder()), engine.apply(scores, 1)
        assert_array_equal(watched.values, alone.values)
        assert (watched.errors, watched.activity) == (alone.errors, alone.activity)


class TestAccounting:
    def test_activity_by_hand(self):
        """Two vectors of three scores; 16 and 8 rows in banks of 6, so 3 + 2 banks; 4 bits, 5 LUT columns."""
        spec = SMALL.model_copy(update={"bank_rows": 6, "sum_adc_bits": 6, "read_volt": 0.3, "read_second": 4e-9})
        engine = spec.program()
        scores = np.array([[0.0, -1.0, 0.0], [2.0, 2.0, 2.0]])
        activity = engine.apply(scores).activity
        # Counts up to three take two bit planes, and each is read and converted for both vectors.
        assert activity.total("adc_6b") == activity.total("shift_add") == 2 * 2 * 5
        assert activity.total("sample_hold") == 2 * 2 * 6
        # A search drives one line of each pair in every bank; SUB mode drives two rows; the sum its eight rows.
        assert activity.total("dac_1b") == 6 * (4 * 5 + 2) + 2 * 2 * 8
        assert activity.total("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 5)
        assert activity.total("register_bit") == 6 * 16
        assert activity.total("priority_encoder") == 2
        assert activity.total("divider") == 6
        # The counter of the cost tables has 32 bits, ours 10.
        assert activity.total("counter") == 6 * 10 / 32
        assert activity.total("adder") == 6 * 4

        def driven(code):
            return [2 * k + (code >> (3 - k) & 1) for k in range(4)]

        codes = np.array([[8, 6, 8], [12, 12, 12]])
        siemens = 0.0
        for vector in codes:
            largest = vector.max()
            for code in vector:
                magnitude = largest - code
                siemens += engine.cam_sub.cells.g[:, driven(code)].sum()
                siemens += engine.cam_sub.cells.g[[15 - code, 15 - largest]].sum()
                siemens += engine.cam_exp.cells.g[:, driven(magnitude)].sum() + engine.lut.cells.g[magnitude].sum()
        siemens += engine.vmm.cells.g[[0, 2]].sum() + 2 * engine.vmm.cells.g[0].sum()
        assert activity.total("cell_read_joule") == pytest.approx(siemens * 0.3**2 * 4e-9, rel=1e-12)

    def test_inventory_by_hand(self):
        spec = SMALL.model_copy(update={"bank_rows": 6, "sum_adc_bits": 6})
        parts = {name: count for _, name, count in spec.program().inventory.rows()}
        assert parts["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 5 + 8 * 6
        assert parts["dac_1b"] == 8 * (3 + 2) + 16 + 8
        assert parts["sense_amplifier"] == 16 + 8 + 2 * 4 + 5
        assert parts["counter"] == 8 * 10 / 32
        assert parts["adc_6b"] == parts["divider"] == parts["priority_encoder"] == 1

    def test_activity_of_vectors_adds_up(self):
        scores = np.random.default_rng(0).normal(scale=2, size=(5, 6))
        engine = SMALL.program()
        together = engine.apply(scores).activity
        apart = [engine.apply(vector).activity for vector in scores]
        for _, name, count in together.rows():
            assert count == pytest.approx(sum(one.total(name) for one in apart)), name

    @pytest.mark.parametrize(("length", "planes"), [(1, 1), (7, 3), (8, 4), (5000, 10)])
    def test_serial(self, length, planes):
        spec = SMALL.model_copy(update={"sum_adc_bits": 6})
        assert spec.program().serial(length) == {
            "cam_search": 2 * length,
            "priority_encoder": 1,
            "lut_read": 2 * length,
            "crossbar_read": planes,
            "adc_6b": planes * 5,
            "divider": length,
        }


class TestStreams:
    def test_crossbars_draw_from_streams_of_their_own(self):
        """A wider LUT leaves the cells of the CAMs as they are."""
        rough = LEAKY.model_copy(update={"programming": ProgrammingSpec(law="lognormal", spread_log=0.5)})
        one = SMALL.model_copy(update={"device": rough}).program(1)
        other = SMALL.model_copy(update={"device": rough, "lut_bits": 9}).program(1)
        assert_array_equal(one.cam_sub.cells.g, other.cam_sub.cells.g)
        assert_array_equal(one.cam_exp.cells.g, other.cam_exp.cells.g)
        again = SMALL.model_copy(update={"device": rough}).program(1)
        assert_array_equal(one.vmm.cells.g, again.vmm.cells.g)
        assert (one.vmm.cells.g != SMALL.model_copy(update={"device": rough}).program(2).vmm.cells.g).any()
