"""The options that describe an array: those of its wires, of how it is driven and sensed, and of its cells."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from rramsim.array.network import Network
from rramsim.array.wires import WireSpec
from rramsim.cell.conduction import CONDUCTION_LAWS, ConductionSpec

from .options import Key, keys_of, keys_of_call, options

__all__ = ["BOTH_LINES", "CELL_KEYS", "CURVED_LAW", "USE_KEYS", "WIRE_KEYS", "array_options"]

BOTH_LINES = ("word_line_ohm", "bit_line_ohm")
"""What ``wire_ohm`` stands for."""

CURVED_LAW = "polynomial"
"""The law whose figures are curves of the conductance, which no option can hold."""

_MORE = {
    "unselected": "Not selected are the inputs at 0 V.",
    "law": f"The {CURVED_LAW} law takes curves, which no option can hold: use Python for it.",
    "most_volt": "Inputs that span more, 0 V included, are refused.",
}
"""What the command line adds to the meaning of a key."""


def _here(keys: Iterable[Key]) -> list[Key]:
    """Keys as the command line has them."""
    return [
        key._replace(
            meaning=f"{key.meaning} {_MORE.get(key.name, '')}".strip(),
            choices=tuple(choice for choice in key.choices if choice != CURVED_LAW),
        )
        for key in keys
    ]


WIRE_KEYS = [
    Key(
        "wire_ohm",
        "per line",
        0.0,
        "Resistance of one segment of any line, ohm: --word-line-ohm and --bit-line-ohm at once.",
    ),
    *_here(keys_of(WireSpec)),
]
"""What can be set of the wires and of the circuits at their ends."""
USE_KEYS = _here(keys_of_call(Network))
"""What can be set of how the array is driven and sensed."""


def _cell_keys() -> list[Key]:
    """The law, and the figures of all laws that rramsim has; one that several have once."""
    laws = CONDUCTION_LAWS.embedded
    said = " ".join((kind.__doc__ or "").splitlines()[0] for name, kind in laws.items() if name != CURVED_LAW)
    law = Key("law", "choice", next(iter(laws)), f"The I-V law. {said}", tuple(laws))
    shared = [key for key in keys_of(ConductionSpec) if key.name != "law"]
    every = {key.name: key for kind in laws.values() for key in keys_of(kind)}
    figures = [key for name, key in every.items() if name not in ConductionSpec.model_fields]
    return _here([law, *(key._replace(default=None) for key in (*figures, *shared))])


CELL_KEYS = _cell_keys()
"""What can be set of the cells."""


@cache
def array_options() -> tuple[Any, ...]:
    """All options that describe an array, as Typer has them; the name of each is that of its key."""
    return (
        *options(WIRE_KEYS, "Wires and circuits at their ends"),
        *options(USE_KEYS, "How the array is used"),
        *options(CELL_KEYS, "Cells"),
    )
