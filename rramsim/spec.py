"""What was asked: the base of every specification, and the unit types."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from inspect import cleandoc
from itertools import takewhile
from typing import Annotated, Any, NamedTuple, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError
from typing_extensions import deprecated

from .errors import SpecError

__all__ = [
    "FieldError",
    "Fraction",
    "NonNegative",
    "PerLine",
    "Positive",
    "Problem",
    "Spec",
    "built",
    "changed_fields",
    "meaning_of",
]

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]

PerLine = Annotated[
    Annotated[NonNegative, Tag("number")] | Annotated[tuple[NonNegative, ...], Field(strict=False), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list | tuple) else "number"),
]
"""One number for every line of an array, or a list with a number for each."""
_TAGS = ("number", "list", "curve")

_building = threading.local()


class Problem(NamedTuple):
    """One thing that is wrong with a specification: the keys that lead to it, and a sentence."""

    path: tuple[str | int, ...]
    sentence: str


class FieldError(ValueError):
    """What a check of several keys together raises, to name the key that should change.

    Parameters
    ----------
    key
        The key, below the specification that is checked; dots lead into tables.
    sentence
        What was given, what is allowed, and why.
    """

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.path = tuple(key.split("."))


class Spec(BaseModel):
    """Base of all specifications: frozen, strictly typed, no unknown keys, no infinities.

    Raises
    ------
    SpecError
        With every problem of the whole specification at once, one a line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    def __init__(self, /, **values: Any) -> None:  # a study may hold a key named self
        # Nested specs are built inside the outer one's validation: only the outermost turns pydantic's error into ours.
        depth = getattr(_building, "depth", 0)
        _building.depth = depth + 1
        try:
            super().__init__(**values)
        except ValidationError as error:
            if depth:
                raise
            details = error.errors(include_url=False)
            raise _refusal(type(self), (each for detail in details for each in _problems(detail, type(self)))) from None
        finally:
            _building.depth = depth

    @property
    def given_fields(self) -> dict[str, Any]:
        """The fields that were given, as they are; all others have their defaults."""
        return {key: getattr(self, key) for key in self.model_fields_set}

    def but(self, changes: Mapping[str, Any] | None = None, /, **more: Any) -> Self:
        """A specification like this one with some keys changed, checked like a new one.

        Parameters
        ----------
        changes
            Values by key. A key leads into the tables below by dots, ``spec.but({"adc.bits": 5})``; what a key names is
            replaced whole. ``"preset"`` starts from that card, and keeps nothing of what was there.
        more
            Changes of keys without dots: ``spec.but(adc=None)``.

        Raises
        ------
        SpecError
            For whatever a new specification would be refused for.
        """
        changes = {**(changes or {}), **more}
        fields = {} if "preset" in changes else self.given_fields
        return built(type(self), _changed(fields, changes, type(self)))

    @deprecated("Spec.model_copy: Spec.but(changes) says the same, and takes keys of tables below by dots")
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As :meth:`but`: pydantic's own copy would not be checked."""
        return self.but(update) if update else super().model_copy(deep=deep)

    def __replace__(self, **changes: Any) -> Self:
        return self.but(changes)


AnySpec = TypeVar("AnySpec", bound=Spec)


def built(spec: type[AnySpec], fields: Mapping[str, Any]) -> AnySpec:
    """A specification of its own, refused by a :class:`SpecError` even where another is being checked."""
    depth = getattr(_building, "depth", 0)
    _building.depth = 0
    try:
        return spec(**fields)
    finally:
        _building.depth = depth


def changed_fields(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a specification with some of them changed, not checked yet.

    Parameters
    ----------
    fields
        Values by key, as a study file or a card has them; a value may be a specification.
    changes
        As of :meth:`Spec.but`. A table on the way to a key is made where it is missing.

    Raises
    ------
    SpecError
        For a key that leads through a value that is no table, and for a table that a specification cannot be.
    """
    return _changed(fields, changes, None)


def _changed(fields: Mapping[str, Any], changes: Mapping[str, Any], spec: type[Spec] | None) -> dict[str, Any]:
    changed = dict(fields)
    below: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        first, dot, rest = key.partition(".")
        if dot:
            below.setdefault(first, {})[rest] = value
        else:
            changed[key] = value
    problems: list[Problem] = []
    for first, inner in below.items():
        if first in changes:
            problems += [
                Problem((first, key), f"{first}.{key} lies below a key that has a value itself") for key in inner
            ]
            continue
        try:
            changed[first] = _branch(changed.get(first), inner)
        except SpecError as error:
            problems += [Problem((first, *path), sentence) for path, sentence in error.problems]
    if problems:
        raise _refusal(spec, problems)
    return changed


def _branch(old: Any, changes: Mapping[str, Any]) -> Any:
    """What is at a key once keys below it have changed."""
    if isinstance(old, Spec):
        if getattr(old, "discriminator", None) in changes:  # another kind: whoever holds it builds it
            return _changed(old.given_fields, changes, None)
        return old.but(changes)
    if old is None or isinstance(old, dict):
        return _changed(old or {}, changes, None)
    raise _refusal(None, [Problem((), f"is a value, not a table; got {', '.join(changes)} below it")])


def _refusal(spec: type[Spec] | None, each: Iterable[Problem]) -> SpecError:
    problems = list(each)
    lines = [f"{'.'.join(map(str, path)) or 'together'}: {sentence}" for path, sentence in problems]
    return SpecError((f"{spec.__name__}: " if spec else "") + "\n".join(lines), problems)


_ALLOWED = {
    "greater_than": "is above {gt:g}",
    "greater_than_equal": "is at least {ge:g}",
    "less_than": "is below {lt:g}",
    "less_than_equal": "is at most {le:g}",
    "literal_error": "is one of {expected}",
    "int_type": "is a whole number",
    "int_from_float": "is a whole number",
    "float_type": "is a number",
    "string_type": "is a text in quotes",
    "bool_type": "is true or false",
    "finite_number": "is a finite number",
    "model_type": "is a table of keys",
    "model_attributes_type": "is a table of keys",
    "tuple_type": "is a list",
}


def _problems(detail: Any, spec: type[Spec]) -> Iterator[Problem]:
    """Ours of one of pydantic's errors."""
    # Which kind of value a key holds is no part of the way to it.
    path = tuple(part for part in detail["loc"] if part not in _TAGS)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, SpecError) and cause.problems:
        yield from (Problem((*path, *inner), sentence) for inner, sentence in cause.problems)
    else:
        yield Problem((*path, *(cause.path if isinstance(cause, FieldError) else ())), _sentence(detail, path, spec))


def _sentence(detail: Any, path: tuple[str | int, ...], spec: type[Spec]) -> str:
    """What was given, what is allowed, and what the key means."""
    kind, keys = detail["type"], tuple(map(str, path))
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        allowed = list(_spec_at(spec, keys[:-1]).model_fields)
        close = get_close_matches(keys[-1], allowed, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        return f"unknown key{meant or '.'} Allowed here: {', '.join(allowed)}"
    meaning = meaning_of(_spec_at(spec, keys[:-1]), keys[-1]) if keys else ""
    if kind == "missing":
        return f"missing. {meaning}".strip()
    rule = _ALLOWED.get(kind, "").format(**detail.get("ctx", {})) or detail["msg"]
    return f"got {detail['input']!r}; it {rule}. {meaning}".strip()


def _spec_at(spec: type[Spec], path: Sequence[str]) -> type[Spec]:
    """The specification that a path of keys leads to, as far as it leads to one."""
    for key in path:
        field = spec.model_fields.get(key)
        kinds = [field.annotation, *map(_bare, get_args(field.annotation))] if field else []
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Spec)]
        spec = inner[0] if inner else spec
    return spec


def _bare(annotation: Any) -> Any:
    """A type without what is annotated to it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def meaning_of(owner: type, key: str) -> str:
    """What the docstring of a specification, or of another class, says of one of its parameters.

    Parameters
    ----------
    owner
        The class. Of a parameter that its own docstring leaves out, a base class may speak.
    key
        The name of the parameter.

    Returns
    -------
    str
        The text as one line; empty where nothing is said.
    """
    for each in owner.__mro__:
        lines = cleandoc(each.__doc__ or "").splitlines()
        for number, line in enumerate(lines):
            if not line.startswith(" ") and key in line.split(", "):
                text = takewhile(lambda following: following.startswith("    "), lines[number + 1 :])
                return " ".join(following.strip() for following in text)
    return ""
