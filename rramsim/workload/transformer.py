"""The graph of a transformer encoder from its shapes."""

from rramsim.errors import SpecError

from .graph import Attention, Elementwise, Graph, Node, Product

__all__ = ["encoder_layers", "transformer"]

NORMALISATION = 7
"""Operations for each number: mean, deviation, square, its mean, scale, gain, shift."""


def transformer(
    *,
    layers: int,
    width: int,
    heads: int,
    hidden: int,
    length: int,
    features: int | None = None,
    classes: int | None = None,
    name: str = "transformer",
) -> Graph:
    """The graph of a transformer encoder: what one sequence takes, from shapes alone.

    Parameters
    ----------
    layers
        Encoder layers: attention, and a perceptron of two layers.
    width
        Features of a token.
    heads
        Attention heads of a layer; divides ``width``.
    hidden
        Features inside the perceptron.
    length
        Tokens of a sequence.
    features
        Numbers that a token comes as, where a product embeds it (patches of an image); None: tokens come embedded, as
        by a table of words.
    classes
        Outputs of a classifier of the first token, which waits for all tokens; None: there is none.
    name
        Name of the graph.

    Returns
    -------
    Graph
        With names such as ``layer0.query``; element-wise work are biases, two normalisations and residual sums of every
        layer, and one operation for each number inside the perceptron (its activation).

    Raises
    ------
    SpecError
        For sizes that are no whole numbers of at least 1, and heads that do not divide the width.
    """
    sizes = {"layers": layers, "width": width, "heads": heads, "hidden": hidden, "length": length}
    sizes |= {key: value for key, value in (("features", features), ("classes", classes)) if value is not None}
    for key, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise SpecError(f"transformer: {key} is a whole number of at least 1; got {size!r}")
    if width % heads:
        raise SpecError(f"transformer: heads divides width, so that all heads are alike; got heads {heads}, {width=}")
    steps, elementwise = encoder_layers(layers, width, heads, hidden, length)
    if features is not None:
        steps = ((Product("embed", features, width, length),), *steps)
        elementwise = (Elementwise("embed", length * width), *elementwise)
    if classes is not None:
        steps = (*steps, (Product("classify", width, classes, 1, waits_for_all=True),))
        elementwise = (*elementwise, Elementwise("classify", classes))
    return Graph(name, length, steps, elementwise)


def encoder_layers(
    layers: int, width: int, heads: int, hidden: int, length: int
) -> tuple[tuple[tuple[Node, ...], ...], tuple[Elementwise, ...]]:
    """Steps and element-wise work of encoder layers, as :func:`transformer` has them."""
    steps: list[tuple[Node, ...]] = []
    elementwise = []
    numbers = length * width
    for layer in (f"layer{index}" for index in range(layers)):
        steps += [
            tuple(Product(f"{layer}.{part}", width, width, length) for part in ("query", "key", "value")),
            (Attention(f"{layer}.attention", heads, width // heads, length, length),),
            (Product(f"{layer}.output", width, width, length),),
            (Product(f"{layer}.expand", width, hidden, length),),
            (Product(f"{layer}.contract", hidden, width, length),),
        ]
        elementwise += [
            Elementwise(f"{layer}.biases", 5 * numbers + length * hidden),
            Elementwise(f"{layer}.normalisations", 2 * NORMALISATION * numbers),
            Elementwise(f"{layer}.residuals", 2 * numbers),
            Elementwise(f"{layer}.activation", length * hidden),
        ]
    return tuple(steps), tuple(elementwise)
