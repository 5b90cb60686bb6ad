"""Graphs from a network's calls."""

import numpy as np
import pytest

from rramsim.errors import SpecError
from rramsim.model.encoder import Architecture, VisionTransformer, parameter_shapes
from rramsim.model.graph import recorded_graph
from rramsim.model.layers import FloatCompute, relu
from rramsim.model.weights import load_model
from rramsim.workload.graph import Attention, Product

RNG = np.random.default_rng(0)
IMAGE = RNG.random((1, 8, 8))


def recorded_vit(network, image):
    name = network.graph.name
    return recorded_graph(name, network.forward, FloatCompute(network.weights), image, network.graph.elementwise)


def test_the_embedded_network_asks_for_what_its_architecture_states():
    network = load_model().network
    assert recorded_vit(network, IMAGE) == network.graph


@pytest.mark.parametrize("sizes", [{"depth": 3, "heads": 2}, {"patch": 4, "width": 12, "hidden": 5, "classes": 3}])
def test_other_architectures(sizes):
    architecture = Architecture(**sizes)
    parameters = {name: RNG.normal(size=shape) for name, shape in parameter_shapes(architecture).items()}
    network = VisionTransformer(architecture, parameters)
    assert recorded_vit(network, IMAGE) == network.graph


WEIGHTS = {name: RNG.normal(size=shape) for name, shape in {"wide": (4, 6), "gate": (4, 6), "narrow": (6, 2)}.items()}


def gated(compute, x):
    """Two products of the same vectors, one of their product, after which a mean of all vectors is left."""
    return compute.matmul("narrow", (compute.matmul("wide", x) * relu(compute.matmul("gate", x))).mean(axis=1))


def test_any_network():
    graph = recorded_graph("gated", gated, FloatCompute(WEIGHTS), RNG.normal(size=(1, 5, 4)))
    assert graph.steps == (
        (Product("wide", 4, 6, 5), Product("gate", 4, 6, 5)),
        (Product("narrow", 6, 2, 1, waits_for_all=True),),
    )
    assert (graph.name, graph.length, graph.vector_operations) == ("gated", 5, 0)


def test_attention_to_other_vectors():
    def cross(compute, x):
        heads = x[:, None]
        return compute.attention("cross", heads, np.concatenate([heads, heads], axis=2), np.ones((1, 1, 10, 4)))

    graph = recorded_graph("cross", cross, FloatCompute({}), RNG.normal(size=(1, 5, 4)))
    assert graph.nodes == (Attention("cross", heads=1, head_width=4, queries=5, keys=10),)


@pytest.mark.parametrize(
    ("forward", "inputs", "words"),
    [
        (lambda _, x: x, np.ones((1, 4)), "no product and no attention"),
        (gated, np.ones((2, 5, 4)), "a batch of 1"),
        (lambda compute, x: [compute.matmul("wide", x + k) for k in range(2)], np.ones((1, 4)), "comes twice"),
    ],
)
def test_what_is_refused(forward, inputs, words):
    with pytest.raises(SpecError, match=words):
        recorded_graph("net", forward, FloatCompute(WEIGHTS), inputs)
