"""The graph of a network from its own calls: whatever it asks of a ``Compute`` is noted on the way."""

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.workload.graph import Attention, Elementwise, Graph, Node, Product

from .layers import Compute

__all__ = ["GraphRecorder", "recorded_graph"]


class GraphRecorder:
    """Pass everything on to another compute, and note the shapes: a graph, once one inference went through.

    Parameters
    ----------
    inner
        The compute that does the work.
    """

    def __init__(self, inner: Compute) -> None:
        self._inner = inner
        self._steps: list[list[Node]] = []
        self._shared: FloatArray | None = None

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Note the product and pass it on, see :meth:`Compute.matmul`."""
        y = self._inner.matmul(name, x)
        vectors = _of_one_inference(name, x.shape[:-1])
        before = self._steps[-1][0] if self._steps else None
        beside = self._shared is not None and isinstance(before, Product) and _alike(self._shared, x)
        waits = before is not None and vectors < before.vectors
        if beside and isinstance(before, Product):
            waits = before.waits_for_all
        product = Product(name, int(x.shape[-1]), int(y.shape[-1]), vectors, waits)
        if beside:
            self._steps[-1].append(product)
        else:
            self._steps.append([product])
            self._shared = x.copy()
        return y

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:
        """Note the attention and pass it on, see :meth:`Compute.attention`."""
        _, heads, queries, head_width = query.shape
        _of_one_inference(name, query.shape[:1])
        self._steps.append([Attention(name, heads, head_width, queries, int(key.shape[-2]))])
        self._shared = None
        return self._inner.attention(name, query, key, value)

    def graph(self, name: str, elementwise: Iterable[Elementwise] = ()) -> Graph:
        """What was noted.

        Parameters
        ----------
        name
            Name of the graph.
        elementwise
            Digital work, which no compute is asked for and which only the network knows.

        Raises
        ------
        SpecError
            If nothing was asked for, or the same thing twice.
        """
        if not self._steps:
            raise SpecError(f"the network {name!r} asked its compute for no product and no attention")
        length = max(node.vectors for step in self._steps for node in step)
        return Graph(name, length, tuple(map(tuple, self._steps)), tuple(elementwise))


def _of_one_inference(name: str, leading: tuple[int, ...]) -> int:
    """Vectors below the first axis, which is that of the inferences."""
    if not leading or leading[0] != 1:
        raise SpecError(f"a graph is that of one inference, a batch of 1; {name!r} was asked for with axes {leading}")
    return prod(leading[1:])


def _alike(one: FloatArray, other: FloatArray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def recorded_graph(
    name: str,
    forward: Callable[[Compute, Any], Any],
    compute: Compute,
    inputs: Any,
    elementwise: Iterable[Elementwise] = (),
) -> Graph:
    """The graph of a network, from the calls of one inference.

    Products that follow one another on equal inputs run side by side; one that takes fewer vectors than the step before
    waits for all of them.

    Parameters
    ----------
    name
        Name of the graph.
    forward
        The network: called with a compute and the inputs.
    compute
        Does the work, as :class:`~rramsim.model.layers.FloatCompute`.
    inputs
        One input: a batch of 1.
    elementwise
        Digital work, which no compute is asked for.

    Raises
    ------
    SpecError
        For a batch of another size, a network that asks for nothing, or for the same thing twice.
    """
    recorder = GraphRecorder(compute)
    forward(recorder, inputs)
    return recorder.graph(name, elementwise)
