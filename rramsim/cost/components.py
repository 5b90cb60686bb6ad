"""What one use of a component costs and what one part of it covers: tables with their published sources."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from rramsim.cards import COMPONENTS, CardSpec
from rramsim.component_names import is_component, unknown_component
from rramsim.errors import SpecError
from rramsim.references import References
from rramsim.spec import FieldError, NonNegative, Positive, Spec

__all__ = ["Component", "ComponentTable", "components", "load_components"]

CustomName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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


class ComponentTable(CardSpec):
    """Components by name; ``table["adc_8b"]`` is one of them.

    ``ComponentTable(preset="isaac-32nm", components={"adc_8b": {"energy_joule": 1e-12}})`` starts from a table and
    changes single figures of it; a component with a ``source`` of its own takes the whole place of the one before.

    Parameters
    ----------
    name, title, description
        What the table is.
    custom
        Names in this table that rramsim does not know: components of converters or units of another package, which
        count by them.
    components
        The components; their names are the ones that :class:`~rramsim.activity.Activity` counts.
    """

    shelf: ClassVar = COMPONENTS

    name: str = "custom"
    title: str = ""
    description: str = ""
    custom: Annotated[tuple[CustomName, ...], Field(strict=False)] = ()
    components: dict[str, Component]

    @model_validator(mode="after")
    def _check(self) -> "ComponentTable":
        for name in self.components:
            if not is_component(name) and name not in self.custom:
                raise FieldError(
                    f"components.{name}",
                    f"{unknown_component(name)}. A name that hardware of another package counts by is listed in custom",
                )
        if unpriced := sorted(set(self.custom) - set(self.components)):
            raise FieldError("custom", f"lists {', '.join(unpriced)}, which the table gives no figures for")
        return self

    @classmethod
    def _with_preset(cls, fields: dict[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
        return super()._with_preset(_single_figures(fields) if "preset" in fields else fields, above)

    def __getitem__(self, name: str) -> Component:
        """Give the component ``name``; a SpecError for one that the table lacks."""
        try:
            return self.components[name]
        except KeyError:
            allowed = ", ".join(sorted(self.components))
            raise SpecError(f"component table {self.name!r} has no {str(name)!r}; it has {allowed}") from None


def _single_figures(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields whose components are laid over those of a preset figure by figure, but for those with a source."""
    given = fields.get("components")
    if not isinstance(given, dict):
        return fields
    single = {key: value for key, value in fields.items() if key != "components"}
    for name, component in given.items():
        if isinstance(component, dict) and "source" not in component:
            single |= {f"components.{name}.{key}": value for key, value in component.items()}
        else:
            single[f"components.{name}"] = component
    return single


def load_components(name: str = "isaac-32nm", /, **overrides: Any) -> ComponentTable:
    """A component table, with some of its figures changed.

    Parameters
    ----------
    name
        One of ``rramsim.presets("components")``, or the path of a file (``"mine.toml"``).
    overrides
        Fields of :class:`ComponentTable` to set anew: ``components={"adc_8b": {"energy_joule": 1e-12}}`` changes one
        figure.

    Raises
    ------
    SpecError
        For an unknown name, and for a name or a figure that is not allowed.
    """
    return ComponentTable(**{"preset": name, **overrides})


def components(name: str, /, **overrides: Any) -> ComponentTable:
    """A component table by name: energies, times and areas, each with its source.

    Parameters
    ----------
    name
        One of ``rramsim.presets("components")``, or the path of a file (``"mine.toml"``).
    overrides
        Fields of :class:`ComponentTable` to set anew, as for :func:`rramsim.device`.

    Raises
    ------
    SpecError
        For an unknown name, and for a name or a figure that is not allowed.
    """
    return load_components(name, **overrides)
