"""What a reader may rely on in every source: sizes, names, and one way to change a specification."""

import ast
import re
from collections import Counter

import pytest
from helpers.sources import ROOT

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
LONG_FUNCTIONS: dict[tuple[str, str], str] = {}
"""Longer functions by file and name, each with its reason."""
EMPTY_NAMES = {"own", "kept", "seen", "same", "made", "found"}
"""They tell how something came about, and not what it is."""

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def sources():
    """{path: (text, all nodes of its syntax tree)}."""
    paths = [path for folder in ("rramsim", "kernels", "data", "tests") for path in (ROOT / folder).rglob("*.py")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}
    return {path: (text, list(ast.walk(ast.parse(text)))) for path, text in texts.items()}


def names_of(nodes):
    """Names that a source gives: of functions, classes, arguments, variables and attributes."""
    for node in nodes:
        if isinstance(node, FUNCTION | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def lines_of_code(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


def documented(nodes):
    kinds = ast.Module | ast.ClassDef | FUNCTION
    return [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]


def test_sizes(sources):
    long_files = {path for path, (text, _) in sources.items() if text.count("\n") > MOST_LINES}
    long_functions = {
        (path, node.name)
        for path, (_, nodes) in sources.items()
        for node in nodes
        if isinstance(node, FUNCTION) and lines_of_code(node) > MOST_LINES_OF_A_FUNCTION
    }
    assert (long_files, long_functions) == (set(), set(LONG_FUNCTIONS))


def test_names(sources):
    given = {(path, name) for path, (_, nodes) in sources.items() for name in names_of(nodes)}
    assert [each for each in sorted(given) if each[1].strip("_") in EMPTY_NAMES] == []


def test_docstrings_begin_with_their_noun(sources):
    texts = [(path, text) for path, (_, nodes) in sources.items() for text in documented(nodes)]
    assert [each for each in texts if re.match(r"(The same|Of)\b", each[1])] == []


def installed(path):
    return not path.startswith("tests/")


def test_a_class_name_means_one_thing(sources):
    names = Counter(
        node.name
        for path, (_, nodes) in sources.items()
        for node in nodes
        if installed(path) and isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_specifications_change_by_but_alone(sources):
    """A copy by pydantic's methods is not checked."""
    users = {
        path
        for path, (_, nodes) in sources.items()
        for node in nodes
        if installed(path) and isinstance(node, ast.Attribute) and node.attr in {"model_copy", "model_construct"}
    }
    assert users == {"rramsim/spec.py"}


def test_the_conventions_can_fail():
    """What the tests above look for is found where it is."""
    tree = ast.parse("def f(own):\n    'Of things.'\n" + "    self._kept = 1\n" * 61)
    nodes = list(ast.walk(tree))
    assert {"f", "own", "_kept"} <= set(names_of(nodes))
    assert lines_of_code(tree.body[0]) == 62
    assert documented(nodes) == ["", "Of things."]
