"""The graph of an encoder from its shapes, against what is published of such encoders."""

import pytest

from rramsim.errors import SpecError
from rramsim.workload.graph import Attention, Product
from rramsim.workload.transformer import transformer

BASE = {"layers": 12, "width": 768, "heads": 12, "hidden": 3072, "length": 128}


def test_bert_base():
    """J. Devlin et al., arXiv 1810.04805: 110 M parameters; besides the layers, 30,522 words, 514 positions and
    kinds, a normalisation, and a pooler."""
    graph = transformer(**BASE)
    biases_and_norms = 12 * (4 * 768 + 3072 + 768 + 4 * 768)
    others = (30_522 + 512 + 2 + 2) * 768 + 768 * 769
    assert graph.parameters == 12 * 12 * 768**2
    assert graph.parameters + biases_and_norms + others == pytest.approx(110e6, rel=0.01)
    assert graph.multiply_accumulates == 128 * graph.parameters + 12 * 2 * 128**2 * 768


def test_one_layer_by_hand():
    graph = transformer(layers=1, width=6, heads=2, hidden=10, length=3, features=4, classes=5)
    assert [[node.name for node in step] for step in graph.steps] == [
        ["embed"],
        ["layer0.query", "layer0.key", "layer0.value"],
        ["layer0.attention"],
        ["layer0.output"],
        ["layer0.expand"],
        ["layer0.contract"],
        ["classify"],
    ]
    assert graph.products[0] == Product("embed", 4, 6, 3)
    assert graph.attentions == (Attention("layer0.attention", 2, 3, 3, 3),)
    assert graph.products[-1] == Product("classify", 6, 5, 1, waits_for_all=True)
    biases, layer_norms, residuals, activation = 3 * (5 * 6 + 10), 2 * 7 * 18, 2 * 18, 30
    assert graph.vector_operations == 18 + biases + layer_norms + residuals + activation + 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layers": 0}, "layers is a whole number of at least 1; got 0"),
        ({"length": 1.5}, "length is a whole number"),
        ({"width": True}, "width is a whole number"),
        ({"heads": 5}, "heads divides width"),
        ({"classes": 0}, "classes is a whole number"),
        ({"features": "4"}, "features is a whole number"),
    ],
)
def test_what_is_refused(change, words):
    with pytest.raises(SpecError, match=words):
        transformer(**{**BASE, **change})
