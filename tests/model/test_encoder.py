"""The vision transformer: against an independent loop, its sizes and names, and its products on injected hardware."""

import numpy as np
import pytest

from rramsim.errors import SpecError
from rramsim.model.encoder import Architecture, VisionTransformer, parameter_shapes
from rramsim.model.layers import FloatCompute, RecordingCompute

SMALL = Architecture(image=4, patch=2, width=6, depth=2, heads=3, hidden=8, classes=3)


def random_network(architecture, seed=0):
    generator = np.random.default_rng(seed)
    shapes = parameter_shapes(architecture)
    return VisionTransformer(architecture, {n: generator.standard_normal(s) for n, s in shapes.items()})


def one_image(network, image):
    """The network written for one image, one head and one token at a time."""
    p, sizes = network.parameters, network.architecture

    def affine(name, x):
        return x @ p[f"{name}.weight"] + p[f"{name}.bias"]

    def norm(name, x):
        return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * p[f"{name}.gain"] + p[f"{name}.shift"]

    step = sizes.patch
    corners = [(i, j) for i in range(0, sizes.image, step) for j in range(0, sizes.image, step)]
    tokens = [np.zeros(sizes.width)]
    tokens += [affine("embed", image[i : i + step, j : j + step].ravel()) for i, j in corners]
    tokens = [token + position for token, position in zip(tokens, p["positions"], strict=True)]
    for layer in range(sizes.depth):
        name = f"layer{layer}"
        normed = [norm(f"{name}.norm1", x) for x in tokens]
        query, key, value = ([affine(f"{name}.{part}", x) for x in normed] for part in ("query", "key", "value"))
        for row in range(sizes.length):
            context = []
            for head in range(sizes.heads):
                cut = slice(head * sizes.head_width, (head + 1) * sizes.head_width)
                weight = np.exp([query[row][cut] @ k[cut] / np.sqrt(sizes.head_width) for k in key])
                context.append(sum(w * v[cut] for w, v in zip(weight / weight.sum(), value, strict=True)))
            tokens[row] = tokens[row] + affine(f"{name}.output", np.concatenate(context))
        for row in range(sizes.length):
            hidden = np.maximum(affine(f"{name}.expand", norm(f"{name}.norm2", tokens[row])), 0)
            tokens[row] = tokens[row] + affine(f"{name}.contract", hidden)
    return affine("classify", norm("norm", tokens[0]))


def test_forward_equals_a_loop_over_tokens_and_heads():
    network = random_network(SMALL)
    images = np.random.default_rng(1).random((3, 4, 4))
    logits = network.forward(FloatCompute(network.weights), images)
    np.testing.assert_allclose(logits, [one_image(network, image) for image in images], rtol=1e-10)


def test_an_image_does_not_depend_on_its_batch():
    network = random_network(Architecture())
    images = np.random.default_rng(1).random((4, 8, 8)).astype(np.float32)
    compute = FloatCompute(network.weights)
    whole = network.forward(compute, images)
    assert whole.dtype == np.float64
    np.testing.assert_allclose(network.forward(compute, images[2:3]), whole[2:3], rtol=1e-12)


def test_the_default_network_asks_for_its_products_by_the_documented_names():
    network = random_network(Architecture())
    recorded = RecordingCompute(FloatCompute(network.weights))
    network.forward(recorded, np.zeros((2, 8, 8)))
    parts = ("query", "key", "value", "output", "expand", "contract")
    names = ["embed", *(f"layer{layer}.{part}" for layer in (0, 1) for part in parts), "classify"]
    assert list(recorded.inputs) == names == list(network.weights)
    assert list(recorded.attentions) == ["layer0.attention", "layer1.attention"]
    assert recorded.inputs["embed"].shape == (2, 16, 4)
    assert recorded.inputs["layer1.contract"].shape == (2, 17, 128)
    assert recorded.inputs["classify"].shape == (2, 64)
    assert all(array.shape == (2, 4, 17, 16) for array in recorded.attentions["layer0.attention"][:3])
    assert {name: w.shape for name, w in network.weights.items()} == network.architecture.matrices


def test_multiply_accumulates_are_those_of_the_products_done():
    network = random_network(SMALL)
    counted = {}

    class Counting(FloatCompute):
        def matmul(self, name, x):
            y = super().matmul(name, x)
            counted[name] = x.size * y.shape[-1]
            return y

        def attention(self, name, query, key, value):
            counted[name] = query.size * key.shape[-2] + query.shape[-2] * value.size
            return super().attention(name, query, key, value)

    network.forward(Counting(network.weights), np.zeros((1, 4, 4)))
    assert {node.name: node.multiply_accumulates for node in network.graph.nodes} == counted


def test_products_of_the_compute_reach_the_logits():
    network = random_network(Architecture())
    images = np.random.default_rng(1).random((2, 8, 8))
    exact = network.forward(FloatCompute(network.weights), images)

    class Damaged(FloatCompute):
        def __init__(self, weights, broken):
            super().__init__(weights)
            self.broken = broken

        def matmul(self, name, x):
            return super().matmul(name, x) * (1.01 if name == self.broken else 1)

        def attention(self, name, query, key, value):
            return super().attention(name, query, key, value) * (1.01 if name == self.broken else 1)

    for name in [*network.weights, "layer0.attention", "layer1.attention"]:
        if name.endswith((".query", ".key")):
            continue  # random queries and keys saturate the softmax
        assert np.abs(network.forward(Damaged(network.weights, name), images) - exact).max() > 1e-6, name


def test_lengths():
    sizes = Architecture()
    assert (sizes.patches, sizes.length, sizes.head_width) == (16, 17, 16)


@pytest.mark.parametrize("sizes", [{"patch": 3}, {"heads": 5}, {"depth": 0}, {"width": 64.0}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(SpecError, match="Architecture: "):
        Architecture(**sizes)


@pytest.mark.parametrize("shape", [(8, 8), (1, 7, 8), (1, 8, 8, 1)])
def test_images_of_another_shape_are_refused(shape):
    network = random_network(Architecture())
    with pytest.raises(SpecError, match=r"images must have shape \(batch, 8, 8\)"):
        network.forward(FloatCompute(network.weights), np.zeros(shape))


def test_a_network_keeps_its_own_parameters():
    given = {name: p.copy() for name, p in random_network(SMALL).parameters.items()}
    network = VisionTransformer(SMALL, given)
    before = given["embed.weight"].copy()
    given["embed.weight"][:] = 0
    np.testing.assert_array_equal(network.weights["embed"], before)
    with pytest.raises(ValueError, match="read-only"):
        network.weights["embed"][:] = 0


def test_wrong_parameters_are_refused():
    good = random_network(SMALL).parameters
    with pytest.raises(SpecError, match=r"missing or unknown parameters positions$"):
        VisionTransformer(SMALL, {name: p for name, p in good.items() if name != "positions"})
    with pytest.raises(SpecError, match=r"missing or unknown parameters extra$"):
        VisionTransformer(SMALL, {**good, "extra": np.zeros(1)})
    with pytest.raises(SpecError, match=r"embed.bias has shape \(5,\), must be \(6,\)"):
        VisionTransformer(SMALL, {**good, "embed.bias": np.zeros(5)})
    with pytest.raises(SpecError, match=r"embed\.bias holds values that are not finite"):
        VisionTransformer(SMALL, {**good, "embed.bias": np.full(6, np.nan)})
