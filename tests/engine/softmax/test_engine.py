"""A written softmax engine: masks, shapes and types of scores, what a probe receives, and its streams."""

import numpy as np
import pytest
from helpers.softmax import NO_ERRORS, NOISY, ROUGH, SMALL, assert_exact, watch
from numpy.testing import assert_array_equal

from rramsim.array.sensing import SenseSpec
from rramsim.errors import SpecError


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
        noisy = SMALL.but(sense=SenseSpec(noise=0.5)).program(rng=0)
        assert not noisy([[-np.inf] * 4], rng=0).any()

    def test_lists_and_integers(self):
        engine = SMALL.program()
        values = engine(np.array([[0.0, 1.0, -2.0]]))
        for scores in ([[0, 1, -2]], ((0.0, 1.0, -2.0),), np.array([[0, 1, -2]], np.int8), np.array([[0, 1, -2]])):
            again = engine(scores)
            assert again.dtype == np.float64
            assert_array_equal(again, values)
        assert_array_equal(engine([0, 1, -2], mask=[True, True, False])[:2], engine([0, 1]))

    def test_views_and_no_vectors(self):
        scores = np.random.default_rng(0).normal(size=(6, 5))
        engine = SMALL.program()
        assert_array_equal(engine(scores.T), engine(scores.T.copy()))
        assert engine(np.empty((0, 5))).shape == (0, 5)

    def test_scores_are_left_as_they_are(self):
        scores = np.array([[0.3, -np.inf, 9.0]], np.float32)
        before = scores.copy()
        SMALL.but(sense=SenseSpec(noise=0.5)).program(rng=0)(scores, rng=0)
        assert_array_equal(scores, before)

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


class TestProbe:
    def test_signals_and_their_shapes(self):
        scores = np.random.default_rng(0).normal(size=(2, 3, 5))
        done, signals = watch(SMALL.program(), scores)
        shapes = {name: values.shape for name, values in signals.items()}
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
        assert_array_equal(signals["probability"].reshape(2, 3, 5), done.values)
        assert signals["match"].sum() == signals["selected"].sum() == 30
        assert_array_equal(signals["score_code"].reshape(2, 3, 5), SMALL.format.encode(scores))

    @pytest.mark.parametrize("spec", [SMALL, NOISY])
    def test_masked_scores_leave_no_signal(self, spec):
        rng = np.random.default_rng(0)
        scores, mask = rng.normal(scale=2, size=(20, 6)), rng.random((20, 6)) < 0.5
        mask[3] = False
        _, signals = watch(spec.program(rng=1), scores, 1, mask)
        assert (signals["score_code"][~mask] == -1).all()
        for name in ("match", "selected", "difference", "exponential", "probability"):
            assert not signals[name][~mask].any(), name
        assert (signals["max_row"][3], signals["sum"][3], signals["histogram"][3].sum()) == (-1, 0, 0)

    def test_signals_of_a_noisy_engine_fit_together(self):
        """The histogram is that of the rows that were selected, and the errors are those that the signals show."""
        scores = np.random.default_rng(0).normal(scale=2, size=(300, 6)).clip(-4, 3.5)
        result, signals = watch(NOISY.program(rng=3), scores, 1)
        errors, row = result.errors, 15 - signals["score_code"]
        magnitude = np.minimum(np.abs(signals["difference"]), 7)
        assert_array_equal(signals["histogram"], signals["selected"].sum(axis=1))
        right = [(signals["match"], np.arange(16) == row[..., None])]
        right += [(signals["selected"], np.arange(8) == magnitude[..., None])]
        assert errors["false_match"] == sum((fired & ~wanted).sum() for fired, wanted in right)
        assert errors["missed_match"] == sum((~fired & wanted).sum() for fired, wanted in right)
        assert errors["multiple_match"] == sum((fired.sum(axis=-1) > 1).sum() for fired, _ in right)
        assert errors["wrong_max"] == (signals["max_row"] != row.min(axis=1)).sum()
        assert errors["wrong_difference"] == (signals["difference"] != signals["max_row"][:, None] - row).sum()
        wrong = signals["exponential"] ^ SMALL.exponentials[magnitude]
        assert (errors["wrong_exponential"], errors["wrong_bit"]) == ((wrong != 0).sum(), np.bitwise_count(wrong).sum())
        assert errors["wrong_sum"] == (np.abs(signals["sum"] - signals["histogram"] @ SMALL.exponentials) > 0.5).sum()
        first = np.where(signals["match"].any(axis=(1, 2)), signals["match"].any(axis=1).argmax(axis=1), 15)
        assert_array_equal(signals["max_row"], first)


class TestStreams:
    def test_crossbars_draw_from_streams_of_their_own(self):
        """A wider LUT leaves the cells of the CAMs and all offsets of their amplifiers as they are."""
        rough = SMALL.but(device=ROUGH, sense=SenseSpec(offset_spread=0.1), column_sense=SenseSpec(offset_spread=0.1))
        one, other, again = rough.program(rng=1), rough.but(lut_bits=9).program(rng=1), rough.program(rng=1)
        assert_array_equal(one.cam_sub.cells.g, other.cam_sub.cells.g)
        assert_array_equal(one.cam_exp.cells.g, other.cam_exp.cells.g)
        assert_array_equal(one.cam_sub.offset, other.cam_sub.offset)
        assert_array_equal(one.comparators, other.comparators)
        assert_array_equal(one.vmm.cells.g, again.vmm.cells.g)
        assert (one.vmm.cells.g != rough.program(rng=2).vmm.cells.g).any()
        assert (one.lut.cells.g != one.vmm.cells.g[:, :-1]).any()
