"""The graph of a network: what one inference computes, in its order, as shapes and counts alone."""

from dataclasses import dataclass, fields
from typing import Any

from rramsim.errors import SpecError

__all__ = ["Attention", "Elementwise", "Graph", "Node", "Product", "side_by_side"]


def _check_counts(node: Any, *, least: int = 1) -> None:
    """Refuse a node without a name, and counts that are no whole numbers or too small."""
    kind = type(node).__name__
    if not isinstance(node.name, str) or not node.name:
        raise SpecError(f"{kind}: name is a text of at least one letter; got {node.name!r}")
    for field in fields(node):
        value = getattr(node, field.name)
        if field.type in (int, "int") and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise SpecError(f"{kind} {node.name!r}: {field.name} is a whole number of at least {least}; got {value!r}")


@dataclass(frozen=True)
class Product:
    """A product of vectors with static weights.

    Parameters
    ----------
    name
        Name of the weights.
    n_in, n_out
        Length of a vector before and after it.
    vectors
        Vectors of one inference.
    waits_for_all
        Whether the first vector has to wait for the last one of the step before: a vector that is made of all others,
        such as a mean over tokens.

    Raises
    ------
    SpecError
        For counts that are no whole numbers of at least 1.
    """

    name: str
    n_in: int
    n_out: int
    vectors: int
    waits_for_all: bool = False

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications, each with its addition, of one inference."""
        return self.vectors * self.n_in * self.n_out

    @property
    def parameters(self) -> int:
        """Static weights."""
        return self.n_in * self.n_out

    @property
    def buffer_bytes(self) -> int:
        """Bytes moved: every vector is read from a buffer before and written back after it, a byte for each number."""
        return self.vectors * (self.n_in + self.n_out)

    @property
    def largest_operand(self) -> int:
        """Numbers of all vectors together, before or after it, whichever are more."""
        return self.vectors * max(self.n_in, self.n_out)


@dataclass(frozen=True)
class Attention:
    """Softmax of queries times keys, times values: all heads of one layer.

    Parameters
    ----------
    name
        Name of the attention.
    heads
        Heads, which have keys and values of their own.
    head_width
        Length of a query, a key and a value of one head.
    queries, keys
        How many there are in one inference; there are as many values as keys.

    Raises
    ------
    SpecError
        For counts that are no whole numbers of at least 1.
    """

    name: str
    heads: int
    head_width: int
    queries: int
    keys: int

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications, each with its addition, of both products of one inference."""
        return 2 * self.heads * self.queries * self.keys * self.head_width

    @property
    def vectors(self) -> int:
        """Vectors that go through it: the queries."""
        return self.queries


@dataclass(frozen=True)
class Elementwise:
    """Digital work on single numbers: biases, normalisations, rectifiers, residual sums.

    Parameters
    ----------
    name
        What the work is.
    operations
        Operations of one inference, at least 0.
    """

    name: str
    operations: int

    def __post_init__(self) -> None:
        _check_counts(self, least=0)


Node = Product | Attention
"""What crossbars compute."""


@dataclass(frozen=True)
class Graph:
    """What one inference of a network computes.

    Parameters
    ----------
    name
        Name of the network.
    length
        Vectors that follow one another through the network, such as the tokens of a sequence.
    steps
        Products and attentions in their order; those of one step run side by side, on the same vectors.
    elementwise
        Digital work beside them.

    Raises
    ------
    SpecError
        For no step, one that is empty, a name that is used twice, more vectors than ``length``, and an attention beside
        something else.
    """

    name: str
    length: int
    steps: tuple[tuple[Node, ...], ...]
    elementwise: tuple[Elementwise, ...] = ()

    def __post_init__(self) -> None:
        _check_counts(self)
        if not self.steps or not all(self.steps):
            raise SpecError(f"Graph {self.name!r}: it has at least one step, each of at least one node")
        names: set[str] = set()
        for node in self.nodes:
            if node.name in names:
                raise SpecError(f"Graph {self.name!r}: each name stands for one node; {node.name!r} comes twice")
            names.add(node.name)
            if node.vectors > self.length:
                raise SpecError(
                    f"Graph {self.name!r}: {node.name!r} takes {node.vectors} vectors, but only {self.length} (length) "
                    "go through the network"
                )
        for step in self.steps:
            if len(step) > 1 and not all(isinstance(node, Product) for node in step):
                raise SpecError(
                    f"Graph {self.name!r}: products may run side by side, an attention is a step by itself; got "
                    f"{', '.join(node.name for node in step)} in one step"
                )

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All products and attentions, in their order."""
        return tuple(node for step in self.steps for node in step)

    @property
    def products(self) -> tuple[Product, ...]:
        """The products with static weights."""
        return tuple(node for node in self.nodes if isinstance(node, Product))

    @property
    def attentions(self) -> tuple[Attention, ...]:
        """The attentions."""
        return tuple(node for node in self.nodes if isinstance(node, Attention))

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications, each with its addition, of one inference; element-wise work is left out."""
        return sum(node.multiply_accumulates for node in self.nodes)

    @property
    def parameters(self) -> int:
        """Static weights that crossbars hold; biases and the like are left out."""
        return sum(product.parameters for product in self.products)

    @property
    def vector_operations(self) -> int:
        """Element-wise operations of one inference."""
        return sum(work.operations for work in self.elementwise)

    @property
    def buffer_bytes(self) -> int:
        """Bytes that one inference moves between buffers and products."""
        return sum(product.buffer_bytes for product in self.products)

    @property
    def largest_operand(self) -> int:
        """Bytes of the buffer that holds all vectors before or after any product, a byte for each number."""
        return max((product.largest_operand for product in self.products), default=0)


def side_by_side(step: tuple[Node, ...]) -> str:
    """Name of a step: what its names have in common, and then what each is called: ``"layer0.query, key, value"``."""
    heads = {node.name.rpartition(".")[0] for node in step}
    if len(step) == 1 or len(heads) > 1 or heads == {""}:
        return ", ".join(node.name for node in step)
    return f"{heads.pop()}." + ", ".join(node.name.rpartition(".")[2] for node in step)
