"""Options of a command that are made from the keys of a specification: their names, types, defaults and meanings."""

import inspect
import re
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import typer
from rich.markup import escape
from typer.main import get_command

from rramsim.spec import Spec, meaning_of

__all__ = ["Form", "Key", "flag", "keys_of", "keys_of_call", "options", "spelled"]

Form = Literal["flag", "number", "whole", "text", "choice", "per line"]
"""How a value is written on the command line; "per line" is a number, or a file with one for each line of an array."""

_FORMS: dict[frozenset[Any], Form] = {
    frozenset({bool}): "flag",
    frozenset({float}): "number",
    frozenset({int}): "whole",
    frozenset({str}): "text",
    frozenset({Literal}): "choice",
    frozenset({float, tuple}): "per line",
}
_TYPES: dict[Form, Any] = {"flag": bool, "number": float | None, "whole": int | None}

_UNIT = re.compile(r"(per_)?(square_|cubic_)?(ohm|farad|kelvin|volt|ampere|siemens|second|joule|metre)$")
_POWERS = {"square_": "^2", "cubic_": "^3", None: ""}


class Key(NamedTuple):
    """One thing that can be set.

    Parameters
    ----------
    name
        The name in Python; at its end, the unit of a number.
    form
        How its value is written.
    default
        What holds where nothing is given.
    meaning
        A sentence or two.
    choices
        The values of a choice, as Python has them.
    """

    name: str
    form: Form
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()


def keys_of(spec: type[Spec]) -> list[Key]:
    """The keys of a specification that an option can hold."""
    fields = spec.model_fields.items()
    return [key for name, field in fields for key in _keys(spec, name, field.annotation, field.default)]


def keys_of_call(owner: type) -> list[Key]:
    """The keyword arguments of a constructor that an option can hold."""
    hints = get_type_hints(owner.__init__)  # type: ignore[misc]
    parameters = inspect.signature(owner).parameters.values()
    return [key for each in parameters for key in _keys(owner, each.name, hints[each.name], each.default)]


def _keys(owner: type, name: str, annotation: Any, default: Any) -> list[Key]:
    """The key as a list of one; of none where no option can hold it."""
    form = _FORMS.get(frozenset(_kinds(annotation) - {NoneType}))
    choices = get_args(annotation) if form == "choice" else ()
    return [Key(name, form, default, meaning_of(owner, name), choices)] if form else []


def _kinds(annotation: Any) -> set[Any]:
    """The types that an annotation allows, without what is said of them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return set().union(*map(_kinds, get_args(annotation)))
    return {origin or annotation}


def flag(name: str) -> str:
    """The option of a key: ``flag("driver_ohm")`` is ``"--driver-ohm"``."""
    return f"--{name.replace('_', '-')}"


def spelled(choice: str) -> str:
    """A value without spaces, as the command line has it."""
    return choice.replace(" ", "-")


def options(keys: Sequence[Key], panel: str) -> list[Any]:
    """Options as Typer makes them from a signature, for a command that adds them to its own.

    An option that is not given has the default of its key; False, 0 and nothing are no defaults to be shown, and give
    False for a flag and else None. A number for each line stays the text that was given.

    Parameters
    ----------
    keys
        What can be set; the name of an option is that of its key.
    panel
        The heading in the help.
    """

    def command(**_values: object) -> None:
        """Do nothing: only the signature counts."""

    annotations = {key.name: _annotation(key, panel) for key in keys}
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter(key.name, kind, default=_default(key), annotation=annotations[key.name]) for key in keys
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = annotations
    application = typer.Typer(add_completion=False)
    application.command()(command)
    return list(get_command(application).params)


def _default(key: Key) -> Any:
    if key.form == "flag":
        return False
    return spelled(key.default) if key.form == "choice" and key.default else key.default or None


def _annotation(key: Key, panel: str) -> Any:
    option = typer.Option(
        flag(key.name),
        help=_help(key),
        metavar=_metavar(key),
        rich_help_panel=panel,
        show_default=key.form != "flag" and bool(key.default),
    )
    return Annotated[_TYPES.get(key.form, str | None), option]


def _metavar(key: Key) -> str | None:
    if key.form == "choice":
        return "|".join(map(spelled, key.choices))
    unit = _UNIT.search(key.name)
    if key.form in ("flag", "text") or not unit:
        return None
    per, power, name = unit.groups()
    return f"{'1/' if per else ''}{name.upper()}{_POWERS[power]}{'|FILE' if key.form == 'per line' else ''}"


def _help(key: Key) -> str:
    """The meaning of a key as people read it on a terminal: no mark-up, and choices as they are given there."""
    text = key.meaning.replace("``", "")
    for choice in key.choices:
        text = text.replace(choice, spelled(choice))
    return escape(text)
