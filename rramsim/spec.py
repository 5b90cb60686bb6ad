"""What was asked: the base of every specification, the unit types, and the fixed-point format."""

import threading
from collections.abc import Sequence
from difflib import get_close_matches
from inspect import cleandoc
from itertools import takewhile
from typing import Annotated, Any, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from .errors import SpecError

__all__ = ["FixedPointSpec", "Fraction", "NonNegative", "PerLine", "Positive", "Spec", "word_bits"]

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
            details: list[dict[str, Any]] = [{**detail} for detail in error.errors(include_url=False)]
            for detail in details:
                # Which kind of value a key holds is no part of the way to it.
                detail["loc"] = tuple(part for part in detail["loc"] if part not in _TAGS)
            found = [(detail["loc"], _explain(detail, type(self))) for detail in details]
            lines = [f"{'.'.join(map(str, path)) or 'together'}: {sentence}" for path, sentence in found]
            raise SpecError(f"{type(self).__name__}: " + "\n".join(lines), found) from None
        finally:
            _building.depth = depth


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


def _explain(detail: Any, spec: type[Spec]) -> str:
    """One sentence from one of pydantic's errors: what was given, what is allowed, and what the key means."""
    kind, path = detail["type"], tuple(map(str, detail["loc"]))
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        allowed = list(_spec_at(spec, path[:-1]).model_fields)
        close = get_close_matches(path[-1], allowed, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        return f"unknown key{meant or '.'} Allowed here: {', '.join(allowed)}"
    meaning = _meaning(_spec_at(spec, path[:-1]), path[-1]) if path else ""
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


def _meaning(spec: type[Spec], key: str) -> str:
    """What the docstring of a specification says of one of its parameters."""
    lines = cleandoc(spec.__doc__ or "").splitlines()
    for number, line in enumerate(lines):
        if not line.startswith(" ") and key in line.split(", "):
            text = takewhile(lambda each: each.startswith("    "), lines[number + 1 :])
            return " ".join(each.strip() for each in text)
    return ""


class FixedPointSpec(Spec):
    """A signed fixed-point format of ``integer_bits + fraction_bits`` bits.

    Parameters
    ----------
    integer_bits
        Bits before the point, the sign included, 1 to 12.
    fraction_bits
        Bits after the point, 0 to 11.

    Notes
    -----
    A number x has the code ``round(x * 2**fraction_bits) + 2**(bits - 1)`` (offset binary), clipped to
    0 .. 2**bits - 1.
    STAR (arXiv 2401.17582) uses 7 to 9 bits for the scores of BERT.
    """

    integer_bits: int = Field(ge=1, le=12)
    fraction_bits: int = Field(ge=0, le=11)

    @model_validator(mode="after")
    def _check(self) -> "FixedPointSpec":
        if not 3 <= self.bits <= 12:
            raise ValueError(
                f"integer_bits + fraction_bits is {self.bits}; allowed are 3 to 12, since a CAM needs 2**bits rows"
            )
        return self

    @property
    def bits(self) -> int:
        """Width of the format."""
        return self.integer_bits + self.fraction_bits

    def encode(self, x: ArrayLike) -> NDArray[np.int64]:
        """Codes in offset binary, ties to even; values out of range saturate."""
        half = 1 << (self.bits - 1)
        scaled = np.rint(np.asarray(x, dtype=np.float64) * 2.0**self.fraction_bits)
        return np.clip(scaled, -half, half - 1).astype(np.int64) + half

    def decode(self, code: ArrayLike) -> NDArray[np.float64]:
        """The numbers that the codes stand for."""
        return (np.asarray(code, dtype=np.float64) - (1 << (self.bits - 1))) / 2.0**self.fraction_bits


def word_bits(words: Sequence[int] | NDArray[np.int64], bits: int) -> NDArray[np.bool_]:
    """Binary digits of non-negative words, most significant first: shape (n_words, bits)."""
    digits = np.asarray(words, dtype=np.int64)[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return digits.astype(np.bool_)
