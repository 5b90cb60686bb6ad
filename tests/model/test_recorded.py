"""The recorded scores: what is there, and that they are scores of attention."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rramsim.cards import presets
from rramsim.data import data_path
from rramsim.errors import SpecError
from rramsim.model.recorded import evenly_spread, recorded_scores


def test_three_models():
    assert presets("scores") == ["digits-vit", "glassllm", "minilm-l6"]


def test_the_file_is_small():
    assert len(data_path("reference", "scores.npz").read_bytes()) < 500_000


@pytest.mark.parametrize("model", ["digits-vit", "glassllm", "minilm-l6"])
def test_rows_are_scores_and_then_nothing(model):
    scores = recorded_scores(model)
    assert scores.dtype == np.float32
    assert scores.shape[0] == 1440
    length = np.isfinite(scores).sum(axis=1)
    assert length.min() >= 1
    assert_array_equal(np.isfinite(scores), np.arange(scores.shape[1]) < length[:, None])
    assert np.abs(scores[np.isfinite(scores)]).max() < 64


@pytest.mark.parametrize(("model", "layers", "heads"), [("digits-vit", 2, 4), ("glassllm", 4, 4), ("minilm-l6", 6, 12)])
def test_each_row_says_where_it_is_from(model, layers, heads):
    with data_path("reference", "scores.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        layer, head, length = (archive[f"{model}/{name}"] for name in ("layer", "head", "length"))
    assert_array_equal(np.bincount(layer * heads + head), np.full(layers * heads, 1440 // (layers * heads)))
    assert_array_equal(length, np.isfinite(recorded_scores(model)).sum(axis=1))


def test_the_decoder_looks_back_alone_and_the_others_at_all():
    lengths = {model: np.isfinite(recorded_scores(model)).sum(axis=1) for model in presets("scores")}
    assert set(lengths["digits-vit"]) == {17}
    assert len(set(lengths["glassllm"])) > 100
    assert lengths["minilm-l6"].min() >= 8


def test_fewer_rows_are_spread_over_all():
    every = recorded_scores("minilm-l6")
    assert_array_equal(recorded_scores("minilm-l6", 3), every[[0, 338, 889]])
    assert_array_equal(recorded_scores("minilm-l6", 1440), every)


@pytest.mark.parametrize(("model", "heads"), [("digits-vit", 8), ("glassllm", 16), ("minilm-l6", 72)])
@pytest.mark.parametrize("rows", [72, 100, 144, 200, 300, 720])
def test_fewer_rows_are_even_over_heads_and_inputs(model, heads, rows):
    """The heads take turns in the file, and 24 rows in a row are of one input."""
    numbers = evenly_spread(rows, 1440)
    assert_array_equal(recorded_scores(model, rows), recorded_scores(model)[numbers])
    by_head, by_input = np.bincount(numbers % heads, minlength=heads), np.bincount(numbers // 24, minlength=60)
    assert len(set(numbers)) == rows
    assert np.ptp(by_head) <= 1
    assert np.ptp(by_input) <= 2


def test_what_is_given_may_be_changed():
    recorded_scores("digits-vit")[:] = 0
    assert recorded_scores("digits-vit").any()


@pytest.mark.parametrize("rows", [0, -1, 1441])
def test_wrong_numbers_of_rows_are_refused(rows):
    with pytest.raises(SpecError, match=f"1 to 1440; got {rows}"):
        recorded_scores("digits-vit", rows)


def test_unknown_models_are_refused():
    with pytest.raises(SpecError, match="allowed are digits-vit, glassllm, minilm-l6"):
        recorded_scores("bert")
