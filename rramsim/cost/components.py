"""What one use of a component costs and what one part of it covers: tables with their published sources."""

import tomllib
from difflib import get_close_matches

from pydantic import Field

from rramsim.cards import COMPONENTS
from rramsim.errors import SpecError
from rramsim.references import References
from rramsim.spec import NonNegative, Positive, Spec

__all__ = ["Component", "ComponentTable", "components", "load_components"]


class Component(Spec):
    """One kind of circuit.

    Parameters
    ----------
    energy_joule
        Dynamic energy of one use, at least 0.
    time_second
        Duration of one use, at least 0.
    area_square_metre
        Area of one part, at least 0.
    node_metre
        Technology node at which the figures stand; None where the source does not give it.
    source
        Where the figures were published: paper and table, or repository and file.
    references
        What ``rramsim.cite`` gives: keys of known references, or tables of the fields of :class:`rramsim.Reference`.
    note
        How they were derived, and what the source does not give.
    """

    energy_joule: NonNegative
    time_second: NonNegative
    area_square_metre: NonNegative
    node_metre: Positive | None = None
    source: str = Field(min_length=1)
    references: References = ()
    note: str = ""


class ComponentTable(Spec):
    """Components by name; ``table["adc_8b"]`` is one of them.

    Parameters
    ----------
    name, title, description
        What the table is.
    components
        The components; their names are the ones that :class:`~rramsim.activity.Activity` counts.
    """

    name: str
    title: str = ""
    description: str = ""
    components: dict[str, Component]

    def __getitem__(self, name: str) -> Component:
        """Give the component ``name``; a SpecError for one that the table lacks."""
        try:
            return self.components[name]
        except KeyError:
            allowed = ", ".join(sorted(self.components))
            raise SpecError(f"component table {self.name!r} has no {name!r}; it has {allowed}") from None


def load_components(name: str = "isaac-32nm") -> ComponentTable:
    """Read a component table that comes with rramsim.

    Parameters
    ----------
    name
        One of ``rramsim.presets("components")``.

    Raises
    ------
    SpecError
        For an unknown name.
    """
    if name not in COMPONENTS.embedded:
        close = get_close_matches(name, COMPONENTS.embedded, n=1)
        allowed = f"did you mean {close[0]!r}? Allowed" if close else "allowed"
        raise SpecError(f"unknown component table {name!r}; {allowed} are {', '.join(COMPONENTS.embedded)}")
    return ComponentTable(**tomllib.loads(COMPONENTS.text(name)))


def components(name: str) -> ComponentTable:
    """A component table by name: energies, times and areas, each with its source.

    Parameters
    ----------
    name
        One of ``rramsim.presets("components")``.

    Raises
    ------
    SpecError
        For an unknown name.
    """
    return load_components(name)
