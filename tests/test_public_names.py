"""The list of public names: whole, and the page that is written from it up to date."""

import inspect
import re
from typing import Annotated, Literal

import pytest
from helpers.public_names import LISTING, PAGE, classes_in, complete, listed, listing_text, needed, page_text

import rramsim
from rramsim.kinds import Kinds, KindSpec

TEXT = LISTING.read_text(encoding="utf-8")
NAMES = listed(TEXT)
ANEW = "run `python tests/helpers/public_names.py`"


def anchors(path):
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_list_is_that_of_the_package():
    assert sorted([*(name.name for name in NAMES), "__version__"]) == sorted(rramsim.__all__)


def test_every_type_that_a_signature_needs_is_public():
    names = {each.name for each in complete(NAMES)} - {name.name for name in NAMES}
    missing = [
        f"{name.name}, {where}: {each.__name__}"
        for name in NAMES
        for where, each in needed(name.thing)
        if each.__name__ in names
    ]
    assert not missing, ANEW


def test_a_type_that_is_missing_is_noticed():
    """Directly in a signature, in one behind it, and in the field of a specification."""
    few = [name for name in NAMES if name.name in {"StudySpec", "AttentionSpec"}]
    assert {"CostSpec", "WorkloadSpec", "ProgrammedAttention", "AttentionResult", "Probe"} <= {
        name.name for name in complete(few)
    }


def test_all_kinds_of_a_family_are_needed():
    class Part(KindSpec):
        pass

    class Plain(Part):
        kind: Literal["plain"] = "plain"

    Part.__module__ = Plain.__module__ = "rramsim.somewhere"
    family = Annotated[Part, Kinds("part", Part, (Plain,), "rramsim.parts")]
    assert set(classes_in(family | None)) == {Part, Plain}


def test_the_list_is_in_order():
    assert listing_text(TEXT, complete(NAMES)) == TEXT, ANEW


def test_the_page_is_up_to_date():
    text = PAGE.read_text(encoding="utf-8")
    assert page_text(text, NAMES) == text, ANEW
    assert page_text(text, NAMES[1:]) != text


@pytest.mark.parametrize("page", sorted({name.page or name.group[1] for name in NAMES}))
def test_pages_exist(page):
    path, _, anchor = page.partition("#")
    target = PAGE.parent / path if path else PAGE
    assert target.is_file()
    assert not anchor or anchor in anchors(target)


ROWS = re.findall(
    r"^\| ((?:`\w+`(?:, )?)+) \| (.+) \|$", PAGE.read_text(encoding="utf-8").partition("## Methods")[2], re.MULTILINE
)
METHODS = [
    (name, method, arguments)
    for names, methods in ROWS
    for name in re.findall(r"`(\w+)`", names)
    for method, arguments in re.findall(r"`(\w+)(?:\(([\w, ]*)\))?`", methods)
    if method != "print"
]


@pytest.mark.parametrize(("name", "method", "arguments"), METHODS)
def test_methods_of_the_page_are_there_with_their_arguments(name, method, arguments):
    kind = getattr(rramsim, name)
    fields = {field for base in kind.__mro__ for field in getattr(base, "__annotations__", {})}
    assigned = set(re.findall(r"self\.(\w+) = ", inspect.getsource(kind)))
    assert hasattr(kind, method) or method in fields | assigned
    if arguments:
        parameters = list(inspect.signature(getattr(kind, method)).parameters)[1:]
        given = arguments.split(", ")
        assert [each for each in parameters if each in given] == given
