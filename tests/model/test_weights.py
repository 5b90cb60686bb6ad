"""Model files: the one that ships, a round trip, and every way in which a file can be wrong."""

import numpy as np
import pytest

from rramsim.data import data_path
from rramsim.errors import SpecError
from rramsim.model.encoder import Architecture, VisionTransformer, parameter_shapes
from rramsim.model.layers import FloatCompute
from rramsim.model.score import accuracy
from rramsim.model.tasks import digits_task
from rramsim.model.weights import TrainedModel, load_model, save_model

SMALL = Architecture(image=4, width=4, depth=1, heads=2, hidden=4, classes=2)


@pytest.fixture
def model():
    generator = np.random.default_rng(0)
    parameters = {n: generator.standard_normal(s).astype(np.float32) for n, s in parameter_shapes(SMALL).items()}
    return TrainedModel(VisionTransformer(SMALL, parameters), accuracy=0.75, seed=3, epochs=7)


@pytest.fixture
def record(model, tmp_path):
    save_model(tmp_path / "good.npz", model)
    with np.load(tmp_path / "good.npz") as stored:
        return dict(stored)


def test_the_shipped_model_reads_digits_as_well_as_its_file_says():
    model, task = load_model(), digits_task()
    logits = model.network.forward(FloatCompute(model.network.weights), task.test_images)
    assert accuracy(logits, task.test_labels) == model.accuracy >= 0.98
    assert model.network.architecture == Architecture()


def test_the_shipped_model_is_small():
    assert len(data_path("models", "digits-vit.npz").read_bytes()) < 400_000


def test_round_trip_is_exact(model, tmp_path):
    path = tmp_path / "model.npz"
    save_model(path, model)
    again = load_model(path)
    assert again.network.architecture == SMALL
    assert (again.accuracy, again.seed, again.epochs) == (0.75, 3, 7)
    assert again.network.parameters.keys() == model.network.parameters.keys()
    for name, array in model.network.parameters.items():
        np.testing.assert_array_equal(again.network.parameters[name], array)


def test_equal_models_give_equal_files(model, tmp_path):
    save_model(tmp_path / "a.npz", model)
    save_model(tmp_path / "b.npz", model)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_nothing_is_overwritten(model, tmp_path):
    path = tmp_path / "model.npz"
    path.write_text("precious")
    with pytest.raises(SpecError, match=r"model\.npz: cannot write the model"):
        save_model(path, model)
    assert path.read_text() == "precious"


def refused(path):
    with pytest.raises(SpecError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_missing_file(tmp_path):
    assert "no such model file" in refused(tmp_path / "none.npz")


def test_directory(tmp_path):
    refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 but no more", b"\x80\x04pickle"])
def test_file_that_is_no_archive(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    assert "damaged" in refused(path)


def test_plain_array_file(tmp_path):
    path = tmp_path / "array.npz"
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    assert "damaged" in refused(path)


def test_cut_or_flipped_bytes_never_load_as_something_else(model, tmp_path):
    path = tmp_path / "model.npz"
    save_model(path, model)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        refused(path)
    generator = np.random.default_rng(0)
    for place in generator.integers(0, len(whole), size=100):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            again = load_model(path)
        except SpecError:
            continue
        # Some bytes of an archive, such as dates, mean nothing to a reader.
        for name, array in model.network.parameters.items():
            np.testing.assert_array_equal(again.network.parameters[name], array)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": None}, "accuracy is missing"),
        ({"architecture.width": None}, "architecture.width is missing"),
        ({"architecture.heads": np.int64(3)}, "heads must divide width"),
        ({"architecture.depth": np.array([1, 2])}, "damaged"),
        ({"parameter.positions": None}, "missing or unknown parameters positions"),
        ({"parameter.positions": np.zeros((2, 4))}, "positions has shape"),
        ({"parameter.embed.bias": np.full(4, np.inf)}, "not finite"),
        ({"parameter.embed.bias": np.array(["a", "b", "c", "d"])}, "damaged"),
        ({"parameter.embed.bias": np.array([None] * 4)}, "damaged"),
    ],
)
def test_wrong_content(record, tmp_path, changes, message):
    path = tmp_path / "changed.npz"
    np.savez(path, **{name: array for name, array in {**record, **changes}.items() if array is not None})
    assert message in refused(path)
