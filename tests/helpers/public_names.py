"""The public names: `rramsim/__init__.pyi` lists them, and `python tests/helpers/public_names.py` writes what follows.

That is a line of the list for every type that a public signature needs, and the tables of `docs/api.md`.
"""

import dataclasses
import inspect
import re
import typing
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from rramsim.kinds import Kinds

__all__ = ["LISTING", "PAGE", "Name", "complete", "listed", "needed", "page_text", "tables"]

ROOT = Path(__file__).parents[2]
LISTING = ROOT / "rramsim" / "__init__.pyi"
PAGE = ROOT / "docs" / "api.md"

BEGIN, END = "<!-- from here on: python tests/helpers/public_names.py -->", "<!-- up to here -->"
LINE = re.compile(r"from (?P<module>\.[\w.]+) import (?P<name>\w+) as (?P=name)(?:  # (?P<page>\S+))?")

GROUPS = {
    "cell": ("Cells", "devices.md"),
    "cell.fitting": ("Cells", "own-data.md"),
    "cell.conduction": ("Cells", "arrays.md#nonlinear-cells"),
    "array": ("Arrays and their edges", "arrays.md"),
    "engine": ("Attention and whole networks", "softmax.md#in-attention"),
    "engine.macro": ("Matrix products", "macro.md"),
    "engine.softmax": ("Softmax", "softmax.md"),
    "engine.softmax.digital": ("Softmax", "softmax.md#what-it-costs"),
    "workload": ("Workloads", "workload.md"),
    "model": ("Workloads", "workload.md"),
    "cost": ("Cost", "cost.md"),
    "study": ("Studies", "studies.md"),
    "study.citing": ("Citing", "citing.md"),
    "references": ("Citing", "citing.md"),
    "trace": ("Traces and reports", "traces.md"),
    "report": ("Traces and reports", "traces.md"),
    "": ("Names, numbers, results, errors", "index.md"),
}
"""Heading and guide page of the names of a room; a comment behind a line of the list names another page."""
ORDER = list(dict.fromkeys(heading for heading, _ in GROUPS.values()))

INNER = "rramsim.kernels"
"""Tables of compiled code: what takes and gives them is not for use from outside."""


class Name(NamedTuple):
    """A line of the list: module, name, and the page that says more where it is not that of the group."""

    module: str
    name: str
    page: str | None = None

    @property
    def thing(self):
        return getattr(import_module(f"rramsim{self.module}"), self.name)

    @property
    def line(self):
        comment = f"  # {self.page}" if self.page else ""
        return f"from {self.module} import {self.name} as {self.name}{comment}"

    @property
    def group(self):
        """Heading and page of the longest part of the module's name that has some."""
        parts = self.module.strip(".").split(".")
        return next(GROUPS[key] for n in range(len(parts), -1, -1) if (key := ".".join(parts[:n])) in GROUPS)

    @property
    def order(self):
        return self.module, not self.name.isupper(), not self.name[0].isupper(), self.name


def listed(text):
    """All names of the list, without `__version__`."""
    return [Name(*match.group("module", "name", "page")) for match in LINE.finditer(text)]


def classes_in(annotation):
    """Classes of this project that occur in an annotation; where it stands for a family, all kinds of it."""
    if isinstance(annotation, Kinds):
        yield from classes_in([annotation.base, *annotation.embedded.values()])
    elif isinstance(annotation, typing.TypeVar):
        yield from classes_in([each for each in (annotation.__bound__, *annotation.__constraints__) if each])
    elif isinstance(annotation, list | tuple):
        for each in annotation:
            yield from classes_in(each)
    elif typing.get_origin(annotation) is Literal:
        return
    elif arguments := typing.get_args(annotation):
        yield from classes_in([typing.get_origin(annotation), *arguments])
    elif isinstance(annotation, type) and annotation.__module__.partition(".")[0] == "rramsim":
        yield annotation


class Foreign:
    """A module or class of another package that only a type checker imports."""

    def __getattr__(self, name):
        return Any

    def __call__(self):
        raise NotImplementedError  # typing takes what can be called for a type


def hints(thing):
    """Annotations of a function or a class."""
    foreign = {}
    while True:
        try:
            return typing.get_type_hints(thing, localns=foreign, include_extras=True)
        except NameError as error:
            foreign[error.name] = Foreign()


def functions_of(cls):
    """(name, function) of what a class offers without an underscore, its call and its brackets; inherited ones too."""
    for name in dir(cls):
        if name.startswith("_") and name not in {"__call__", "__getitem__", "__iter__"}:
            continue
        member = inspect.getattr_static(cls, name)
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, cached_property):
            member = member.func
        elif isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member) and member.__module__.partition(".")[0] == "rramsim":
            yield name, member


def needed(thing):
    """(where, class of this project) for each class in the signatures and fields of a public thing."""
    if inspect.isfunction(thing):
        for name, annotation in hints(thing).items():
            yield from ((name, each) for each in classes_in(annotation))
    elif inspect.isclass(thing):
        for name, function in functions_of(thing):
            yield from ((f"{name}, {where}", each) for where, each in needed(function))
        if issubclass(thing, BaseModel) or dataclasses.is_dataclass(thing) or hasattr(thing, "_fields"):
            for name, annotation in hints(thing).items():
                if not name.startswith("_") and typing.get_origin(annotation) is not typing.ClassVar:
                    yield from ((name, each) for each in classes_in(annotation))


def complete(names):
    """The list with every type that one of its signatures needs, in order."""
    things = {name.thing for name in names}
    names, todo = list(names), list(names)
    while todo:
        more = []
        for _, each in (pair for name in todo for pair in needed(name.thing)):
            if each not in things and not each.__module__.startswith(INNER) and not each.__name__.startswith("_"):
                things.add(each)
                more.append(Name(each.__module__.removeprefix("rramsim"), each.__name__))
        names += more
        todo = more
    return sorted(names, key=lambda name: name.order)


def kind(thing):
    if inspect.isclass(thing):
        return "error" if issubclass(thing, Exception) else "class"
    return "function" if inspect.isfunction(thing) else "type"


def summary(thing):
    """The first sentence of a docstring, as Markdown."""
    text = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`").replace("|", "\\|")
    return text.removesuffix(".")


def tables(names):
    """The tables of `docs/api.md`."""
    lines = []
    for heading in ORDER:
        members = sorted((name for name in names if name.group[0] == heading), key=lambda name: name.name.lower())
        if not members:
            continue
        lines += [f"### {heading}", "", "| name | kind | what it is | more |", "|---|---|---|---|"]
        for name in members:
            page = name.page or name.group[1]
            label = "below" if page.startswith("#") else page.partition("#")[0].removeprefix("../")
            lines.append(f"| `{name.name}` | {kind(name.thing)} | {summary(name.thing)} | [{label}]({page}) |")
        lines.append("")
    return "\n".join(lines)


def page_text(text, names):
    """`docs/api.md` with its tables written anew, and what stands around them as it was."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(names)}\n{END}{after}"


def listing_text(text, names):
    """The list with these names, and what stands around them as it was."""
    first, last = text.index("from ."), text.rindex("\n__version__")
    return text[:first] + "".join(f"{name.line}\n" for name in names) + text[last:]


if __name__ == "__main__":
    text = LISTING.read_text(encoding="utf-8")
    names = complete(listed(text))
    LISTING.write_text(listing_text(text, names), encoding="utf-8")
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8"), names), encoding="utf-8")
