"""Nodes and graphs: totals by hand, and what is refused."""

import pytest

from rramsim.errors import SpecError
from rramsim.workload.graph import Attention, Elementwise, Graph, Product, side_by_side

FIRST, SECOND = Product("a.first", 3, 5, 4), Product("a.second", 3, 2, 4)
ATTENTION = Attention("a.attention", heads=2, head_width=3, queries=4, keys=6)
LAST = Product("last", 5, 7, 1, waits_for_all=True)
GRAPH = Graph(
    "small", 4, ((FIRST, SECOND), (ATTENTION,), (LAST,)), (Elementwise("bias", 11), Elementwise("residual", 0))
)


def test_totals_by_hand():
    assert GRAPH.multiply_accumulates == 4 * 3 * 5 + 4 * 3 * 2 + 2 * (2 * 4 * 6 * 3) + 5 * 7
    assert GRAPH.parameters == 3 * 5 + 3 * 2 + 5 * 7
    assert GRAPH.buffer_bytes == 4 * 8 + 4 * 5 + 12
    assert GRAPH.largest_operand == 4 * 5
    assert GRAPH.vector_operations == 11
    assert (GRAPH.products, GRAPH.attentions) == ((FIRST, SECOND, LAST), (ATTENTION,))
    assert GRAPH.nodes == (FIRST, SECOND, ATTENTION, LAST)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ((FIRST,), "a.first"),
        ((FIRST, SECOND), "a.first, second"),
        ((FIRST, LAST), "a.first, last"),
        ((Product("x", 1, 1, 1), Product("y", 1, 1, 1)), "x, y"),
    ],
)
def test_name_of_a_step(step, name):
    assert side_by_side(step) == name


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Product("p", 0, 1, 1), "Product 'p': n_in is a whole number of at least 1; got 0"),
        (lambda: Product("p", 1, 1.5, 1), "n_out is a whole number"),
        (lambda: Product("p", 1, 1, True), "vectors is a whole number"),
        (lambda: Product("", 1, 1, 1), "name is a text"),
        (lambda: Attention("a", 1, 1, 1, -1), "Attention 'a': keys"),
        (lambda: Elementwise("e", -1), "Elementwise 'e': operations is a whole number of at least 0"),
        (lambda: Graph("g", 4, ()), "at least one step"),
        (lambda: Graph("g", 4, ((FIRST,), ())), "at least one step, each of at least one node"),
        (lambda: Graph("g", 4, ((FIRST,), (FIRST,))), "'a.first' comes twice"),
        (lambda: Graph("g", 3, ((FIRST,),)), r"takes 4 vectors, but only 3"),
        (lambda: Graph("g", 4, ((FIRST, ATTENTION),)), "an attention is a step by itself"),
    ],
)
def test_what_is_refused(build, words):
    with pytest.raises(SpecError, match=words):
        build()
