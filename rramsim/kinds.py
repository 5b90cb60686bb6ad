"""Kinds: a part that comes in several, each a class with its own fields, of rramsim or of another package."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import EntryPoint
from inspect import isabstract
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .cards import offers
from .errors import SpecError
from .spec import FieldError, Problem, Spec, built, changed_fields

__all__ = ["KindSpec", "Kinds"]


class KindSpec(Spec):
    """Base of a part that comes in several kinds; each kind is a class of its own, with a literal for its name.

    A family has a base class that derives from this one and says by ``discriminator`` which key names the kind. A kind
    derives from that base and sets the key: ``kind: Literal["ramp"] = "ramp"``.
    """

    discriminator: ClassVar[str] = "kind"

    def model_post_init(self, _: Any, /) -> None:
        """Count the name of the kind as given: a table that is written out must name it."""
        self.__pydantic_fields_set__.add(self.discriminator)

    @classmethod
    def kind_name(cls) -> str:
        """What the key says that names this kind.

        Raises
        ------
        SpecError
            For the base of a family, which is none of its kinds.
        """
        field = cls.model_fields.get(cls.discriminator)
        if field is None or not isinstance(field.default, str):
            raise SpecError(f"{cls.__name__} is no kind: it has no default of {cls.discriminator!r}")
        return field.default


class Kinds:
    """All kinds of one family, as an annotation of fields: ``Annotated[AdcSpec, ADCS]``.

    A field with it takes an object of any kind, or a table of keys, in which the discriminator names the kind.

    Parameters
    ----------
    noun
        What they are, for messages: ``"converter"``.
    base
        The class that all of them derive from.
    embedded
        The kinds that come with rramsim; the first is meant where a table names none.
    entry_point
        Group of entry points under which other packages offer kinds: the name of the kind, and its class.
    """

    def __init__(self, noun: str, base: type[KindSpec], embedded: tuple[type[KindSpec], ...], entry_point: str) -> None:
        self.noun = noun
        self.base = base
        self.entry_point = entry_point
        self._embedded = embedded

    @cached_property
    def embedded(self) -> dict[str, type[KindSpec]]:
        """The kinds that come with rramsim, by name."""
        return {kind.kind_name(): kind for kind in self._embedded}

    @property
    def offered(self) -> dict[str, EntryPoint]:
        """Entry points of other packages, by name; a name of ours stays ours."""
        return {name: entry for name, entry in offers(self.entry_point).items() if name not in self.embedded}

    @property
    def names(self) -> list[str]:
        """Names of all kinds at hand: those of rramsim, and those that other packages offer."""
        return [*self.embedded, *sorted(self.offered)]

    def kind(self, name: str) -> type[KindSpec]:
        """The class of a kind.

        Parameters
        ----------
        name
            One of :attr:`names`.

        Raises
        ------
        FieldError
            For an unknown name, and for what a package offers that cannot be loaded or is no such kind.
        """
        key = self.base.discriminator
        if not isinstance(name, str):
            raise FieldError(key, f"got {name!r}; it is the name of a {self.noun}: {', '.join(self.names)}")
        if name in self.embedded:
            return self.embedded[name]
        if name not in self.offered:
            close = get_close_matches(name, self.names, n=1)
            meant = f"did you mean {close[0]!r}? " if close else ""
            raise FieldError(key, f"got {name!r}; {meant}Kinds of {self.noun} at hand are {', '.join(self.names)}")
        entry = self.offered[name]
        try:
            offer = entry.load()
        except Exception as error:
            raise FieldError(
                key, f"{self.noun} {name!r} of another package ({entry.value}) cannot be loaded: {error}"
            ) from error
        if not (isinstance(offer, type) and issubclass(offer, self.base)) or isabstract(offer):
            raise FieldError(
                key,
                f"{self.noun} {name!r} of another package ({entry.value}) is no class that derives from "
                f"{self.base.__name__} and defines all that it asks for; got {offer!r}",
            )
        if offer.kind_name() != name:
            raise FieldError(
                key,
                f"{self.noun} {name!r} of another package ({entry.value}) calls itself {offer.kind_name()!r}; both "
                "names are one",
            )
        return offer

    def checked(self, value: Any) -> KindSpec:
        """A part from what was given for it: an object of any kind, or a table of keys.

        Raises
        ------
        ValueError
            For what is neither, and for an unknown kind.
        SpecError
            For keys that the kind refuses.
        """
        if isinstance(value, self.base):
            return value
        if not isinstance(value, dict):
            raise ValueError(  # noqa: TRY004  (pydantic takes a ValueError for the caller's mistake)
                f"got {value!r}; it is a {self.noun}: a table of keys, or an object of a class that derives from "
                f"{self.base.__name__}"
            )
        chosen = self.kind_of(value)
        try:
            return built(chosen, value)
        except SpecError as error:
            raise SpecError(
                str(error), [self._with_owners(Problem(*each), chosen) for each in error.problems]
            ) from None

    def _with_owners(self, problem: Problem, chosen: type[KindSpec]) -> Problem:
        """A problem; of a key that another kind has, with the name of that kind."""
        key, named = str(problem.path[0]) if len(problem.path) == 1 else "", self.base.discriminator
        owners = [repr(name) for name, kind in self.embedded.items() if key in kind.model_fields]
        if not owners or key in chosen.model_fields:
            return problem
        return Problem(
            problem.path,
            f"unknown key: it belongs to {named} = {' or '.join(owners)}; got {named} = {chosen.kind_name()!r}",
        )

    def kind_of(self, table: Mapping[str, Any]) -> type[KindSpec]:
        """The class that a table of keys asks for; the first one of rramsim where it names none.

        Raises
        ------
        FieldError
            As :meth:`kind`.
        """
        return self.kind(table.get(self.base.discriminator, next(iter(self.embedded))))

    def but(self, part: KindSpec, changes: Mapping[str, Any]) -> KindSpec:
        """A part with some keys changed, as :meth:`rramsim.spec.Spec.but`, where its kind may change too.

        Raises
        ------
        SpecError
            For keys that its kind refuses: what was given for the kind before and the new one lacks is one of them.
        """
        key = self.base.discriminator
        if key not in changes or changes[key] == part.kind_name():
            return part.but(changes)
        return self.checked(changed_fields(part.given_fields, changes))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validation by :meth:`checked`; a part is written out with the fields of its own kind."""
        return core_schema.no_info_plain_validator_function(self.checked)
