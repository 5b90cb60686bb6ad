"""References: the publications, programs and data behind figures, as text and as BibTeX."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .data import data_path
from .errors import SpecError
from .spec import Spec, built

__all__ = ["Citations", "Reference", "References", "known_references"]

Names = Annotated[tuple[str, ...], Field(strict=False)]


class Reference(Spec):
    """A publication, a program or data; what is not known of it is left out.

    Parameters
    ----------
    key
        Short and unique: letters, digits, and ``-``, ``.``, ``:``, ``_`` within.
    kind
        "paper" (of a conference, or a preprint), "article" (of a journal), "software" or "data".
    authors
        Names as they are printed; "others" at the end stands for further ones, a name in braces is that of a group.
    title, venue, volume, pages, year
        Title, journal or conference, and the place in it.
    version
        Of a program.
    doi, arxiv, ieee, url
        Identifiers: DOI, number at arXiv, number of the document at IEEE Xplore; address.
    note
        What else is to be said.
    """

    key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]*$")
    kind: Literal["paper", "article", "software", "data"] = "paper"
    authors: Names = ()
    title: str = ""
    venue: str = ""
    volume: str = ""
    pages: str = ""
    year: int | None = Field(default=None, ge=1600, le=9999)
    version: str = ""
    doi: str = ""
    arxiv: str = ""
    ieee: str = ""
    url: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.authors or self.title or self.note):
            raise ValueError(f"reference {self.key!r} gives authors, a title or a note; got none of them")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """The fields that say something, for JSON."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value}

    @property
    def text(self) -> str:
        """One line: authors, title, where and when it was published, identifiers."""
        parts = [
            _listed([name.strip("{}") for name in self.authors]),
            f'"{self.title}"' if self.title and self.kind != "software" else self.title,
            f"version {self.version}" if self.version else "",
            self._place,
            f"arXiv {self.arxiv}" if self.arxiv else "",
            f"IEEE {self.ieee}" if self.ieee else "",
            f"doi {self.doi}" if self.doi else "",
            self.url,
            self.note,
        ]
        return ", ".join(" ".join(part.split()) for part in parts if part) + "."

    @property
    def _place(self) -> str:
        place = ", ".join(part for part in (f"{self.venue} {self.volume}".strip(), self.pages) if part)
        if self.year is None:
            return place
        if not place:
            return str(self.year)
        return f"{place} {self.year}" if self.kind == "paper" else f"{place} ({self.year})"

    @property
    def bibtex(self) -> str:
        """The entry for BibTeX."""
        entry = {"software": "software", "data": "dataset", "article": "article"}.get(self.kind)
        venue = {"article": "journal", "paper": "booktitle"}.get(self.kind, "howpublished")
        notes = [f"IEEE Xplore document {self.ieee}" if self.ieee else "", self.note]
        fields = {
            "author": " and ".join(_group_or_name(name) for name in self.authors),
            "title": f"{{{_latex(self.title)}}}" if self.title else "",
            venue: _latex(self.venue),
            "volume": _latex(self.volume),
            "pages": _latex(self.pages),
            "year": "" if self.year is None else str(self.year),
            "version": _latex(self.version),
            "doi": self.doi,
            "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "",
            "url": self.url,
            "note": _latex(", ".join(part for part in notes if part)),
        }
        lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
        kind = entry or ("inproceedings" if self.venue else "misc")
        return f"@{kind}{{{self.key},\n" + ",\n".join(lines) + "\n}"


def _listed(names: list[str]) -> str:
    if names[-1:] == ["others"]:
        return f"{', '.join(names[:-1])} et al." if names[:-1] else ""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def _group_or_name(name: str) -> str:
    return f"{{{_latex(name[1:-1])}}}" if name.startswith("{") and name.endswith("}") else _latex(name)


_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def _latex(text: str) -> str:
    """Text on one line in which no sign means anything to LaTeX."""
    return re.sub(r"[&%$#_{}\\~^]", lambda match: _LATEX[match[0]], " ".join(text.split()))


@cache
def known_references() -> dict[str, Reference]:
    """All references that come with rramsim, by key; ``"rramsim"`` is the simulator itself, in the version at work."""
    table = tomllib.loads(data_path("references.toml").read_text(encoding="utf-8"))
    known = {key: Reference(key=key, **fields) for key, fields in table.items()}
    return known | {"rramsim": known["rramsim"].but(version=version("rramsim"))}


def _entry(value: Any) -> Any:
    """A key that is known, or a reference that is given in full."""
    known = known_references()
    if not isinstance(value, str | dict | Reference):
        raise ValueError(f"got {value!r}; it is the key of a known reference, or a table of the fields of one")  # noqa: TRY004
    if isinstance(value, dict):
        value = built(Reference, value)
    if isinstance(value, Reference) and known.get(value.key, value) != value:
        raise ValueError(f"the key {value.key!r} is that of another reference of rramsim; take another key")
    if isinstance(value, str) and value not in known:
        close = get_close_matches(value, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else "."
        raise ValueError(
            f"unknown reference {value!r}{meant} Known are {', '.join(sorted(known))}; one of your own is a table of "
            'its fields: { key = "...", authors = ["..."], title = "...", year = 2026 }'
        )
    return value


References = Annotated[tuple[Annotated[str | Reference, BeforeValidator(_entry)], ...], Field(strict=False)]
"""References of a card: keys of those that come with rramsim, or references in full."""


@dataclass(frozen=True)
class Citations:
    """References, each once, the simulator first; ``print`` shows the text.

    Parameters
    ----------
    references
        The references, in order.
    """

    references: tuple[Reference, ...]

    @classmethod
    def gathered(cls, entries: Iterable[str | Reference]) -> "Citations":
        """Each reference once, after rramsim itself.

        Raises
        ------
        SpecError
            For two different references of one key.
        """
        known = known_references()
        listed: dict[str, Reference] = {}
        for entry in ("rramsim", *entries):
            reference = known[entry] if isinstance(entry, str) else entry
            if listed.setdefault(reference.key, reference) != reference:
                raise SpecError(f"two different references have the key {reference.key!r}; give one of them another")
        return cls(tuple(listed.values()))

    def __iter__(self) -> Iterator[Reference]:
        return iter(self.references)

    def __len__(self) -> int:
        return len(self.references)

    def __str__(self) -> str:
        return self.text

    @property
    def keys(self) -> tuple[str, ...]:
        """Their keys."""
        return tuple(reference.key for reference in self.references)

    @property
    def text(self) -> str:
        """A numbered list, one reference a line."""
        return "\n".join(f"[{number}] {reference.text}" for number, reference in enumerate(self.references, start=1))

    @property
    def bibtex(self) -> str:
        """Entries for BibTeX."""
        return "\n\n".join(reference.bibtex for reference in self.references)
