"""Training: derivatives, progress, reproducibility, and the command."""

import subprocess
import sys

import numpy as np
import pytest

from rramsim.errors import SpecError
from rramsim.model import train as training
from rramsim.model.encoder import Architecture
from rramsim.model.layers import FloatCompute
from rramsim.model.tasks import digits_task
from rramsim.model.weights import load_model
from rramsim.rng import Streams

SMALL = Architecture(width=8, depth=1, heads=2, hidden=8)


@pytest.fixture
def autograd():
    return pytest.importorskip("autograd")


def run(*arguments, cwd):
    command = [sys.executable, "-m", "rramsim.model.train", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_gradient_equals_finite_differences(autograd):
    generator = np.random.default_rng(1)
    parameters = {
        name: p + 0.1 * generator.standard_normal(p.shape)
        for name, p in training.initial_parameters(SMALL, Streams(0)).items()
    }
    images = generator.random((3, 8, 8))
    truth = training.targets(np.array([1, 2, 9]), 10, 0.1)
    gradient = autograd.grad(lambda p: training.loss(SMALL, p, images, truth))(parameters)
    assert gradient.keys() == parameters.keys()
    for name, p in parameters.items():
        direction = generator.standard_normal(p.shape)
        step = 1e-6
        ahead, behind = (
            training.loss(SMALL, {**parameters, name: p + sign * step * direction}, images, truth) for sign in (1, -1)
        )
        assert (gradient[name] * direction).sum() == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-8)


def test_loss_is_the_cross_entropy_of_the_networks_own_logits(autograd):
    task, network = digits_task(), load_model().network
    images, labels = task.test_images[:40].astype(np.float64), task.test_labels[:40]
    logits = network.forward(FloatCompute(network.weights), images)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    truth = training.targets(labels, 10, 0.0)
    value = training.loss(network.architecture, network.parameters, images, truth)
    assert value == pytest.approx(-log_probabilities[np.arange(40), labels].mean(), rel=1e-10)


def test_targets_are_probabilities():
    truth = training.targets(np.array([2]), 4, 0.2)
    np.testing.assert_allclose(truth, [[0.05, 0.05, 0.85, 0.05]])


def test_rate_rises_then_falls_to_zero():
    recipe = training.Recipe(rate=1.0, warmup=0.25)
    assert [recipe.rate_at(p) for p in (0, 0.125, 0.25, 0.625, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_shifts_move_by_a_pixel_at_most_and_keep_what_stays_inside():
    images = np.zeros((200, 8, 8), dtype=np.float32)
    images[:, 4, 4] = 1
    augmented = training.augment(images, 0.0, np.random.default_rng(0))
    assert (augmented.sum(axis=(1, 2)) == 1).all()
    places = {(int(i), int(j)) for _, i, j in np.argwhere(augmented == 1)}
    assert places == {(i, j) for i in (3, 4, 5) for j in (3, 4, 5)}


def test_two_epochs_reduce_the_loss_and_equal_seeds_give_equal_bits(autograd):
    task = digits_task()
    images, labels = task.train_images[:300], task.train_labels[:300]

    def once(seed):
        losses = []
        network = training.train(
            images,
            labels,
            seed=seed,
            recipe=training.Recipe(epochs=2, batch=30, warmup=0.1),
            architecture=SMALL,
            report=lambda epoch, mean_loss: losses.append(mean_loss),
        )
        return network.parameters, losses

    first, losses = once(5)
    again, losses_again = once(5)
    other, _ = once(6)
    assert losses == losses_again
    assert len(losses) == 2
    assert losses[1] < losses[0] < 3
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.slow
def test_command_writes_a_model_that_scores_what_it_printed(autograd, tmp_path):
    done = run("--epochs", "1", "--seed", "4", "--out", "model.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    model = load_model(tmp_path / "model.npz")
    assert (model.seed, model.epochs) == (4, 1)
    assert f"accuracy {model.accuracy:.4f} on 599 held-out images" in done.stdout


def test_command_overwrites_nothing(tmp_path):
    (tmp_path / "digits-vit.npz").write_text("precious")
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["digits-vit.npz is there already; name another file with --out"]
    assert done.stdout == ""
    assert (tmp_path / "digits-vit.npz").read_text() == "precious"


def test_command_says_before_training_that_it_could_not_write(tmp_path):
    done = run("--out", "missing/model.npz", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("missing is no directory")
    assert done.stdout == ""


def test_without_autograd_there_is_a_clear_word(monkeypatch):
    monkeypatch.setitem(sys.modules, "autograd", None)
    with pytest.raises(SpecError, match=r"rramsim\[train\]"):
        training.train(
            np.zeros((1, 8, 8), np.float32),
            np.zeros(1, np.int64),
            seed=0,
            recipe=training.Recipe(),
            architecture=SMALL,
        )
