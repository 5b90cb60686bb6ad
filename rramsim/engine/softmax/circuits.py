"""Digital circuits as the cost tables count them.

The circuits of Aladdin in the tables are 32 bits wide: a narrower comparator, adder or counter counts as its width / 32
of one, a multiplier of a x b bits as a b / 1024, and a table of words as its bits in registers (an upper bound of a
ROM), read one word at a time. A divider is one of the table's whatever its width, and a shifter counts as a
``shift_add``.
"""

from dataclasses import dataclass

from rramsim.component_names import ComponentName

__all__ = ["ACCUMULATOR", "TABLE_BITS", "DigitalCircuit", "logic", "lookup_table", "multiplier", "register"]

TABLE_BITS = 32
"""Width of the comparator, adder, counter and multiplier of the cost tables."""


@dataclass(frozen=True)
class DigitalCircuit:
    """One kind of circuit in a digital softmax unit.

    Parameters
    ----------
    component
        Name in the cost tables.
    size
        How many of the table's components one use takes: width of the circuit over width of the component.
    per_score, per_vector
        Uses for each score that takes part, and for each vector of which any does.
    built_size
        How many of the table's components it is made of; None for ``size``. A table is larger than what is read of it.
    sequential
        Whether its uses take their time one after the other; False for a register beside another circuit.
    """

    component: str
    size: float = 1.0
    per_score: float = 1.0
    per_vector: float = 0.0
    built_size: float | None = None
    sequential: bool = True


def logic(component: str, bits: int, per_score: float = 1, per_vector: float = 0) -> DigitalCircuit:
    """A comparator or adder of so many bits."""
    return DigitalCircuit(component, bits / TABLE_BITS, per_score, per_vector)


def multiplier(bits: int, other_bits: int, per_score: float = 1, per_vector: float = 0) -> DigitalCircuit:
    """A multiplier of two widths."""
    return DigitalCircuit(ComponentName.MULTIPLIER, bits * other_bits / TABLE_BITS**2, per_score, per_vector)


def register(bits: float) -> DigitalCircuit:
    """A register that is read for each score, beside another circuit."""
    return DigitalCircuit(ComponentName.REGISTER_BIT, bits, sequential=False)


def lookup_table(n_entries: int, bits: int, per_score: float = 1, per_vector: float = 0) -> DigitalCircuit:
    """A look-up table of words."""
    return DigitalCircuit(ComponentName.REGISTER_BIT, bits, per_score, per_vector, built_size=n_entries * bits)


ACCUMULATOR = (DigitalCircuit(ComponentName.ADDER), register(TABLE_BITS))
"""The sum of a vector."""
