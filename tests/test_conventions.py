"""What a reader may rely on in every source: sizes, names, and one way to change a specification."""

import ast
import re
from collections import Counter

import pytest
from helpers.sources import MODULES, ROOT, syntax

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
LONG_FUNCTIONS = {}
"""Longer functions, each with its reason: none without."""
EMPTY_NAMES = {"own", "kept", "seen", "same", "made", "found"}
"""They tell how something came about, and not what it is."""

SOURCES = sorted(path for folder in ("rramsim", "kernels", "data", "tests") for path in (ROOT / folder).rglob("*.py"))


def names_of(tree):
    """Names that a source gives: of functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
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


def documented(tree):
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
class TestEverySource:
    def test_sizes(self, path):
        tree = syntax(path)
        assert path.read_text(encoding="utf-8").count("\n") <= MOST_LINES
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        long = {n.name for n in functions if lines_of_code(n) > MOST_LINES_OF_A_FUNCTION}
        assert long == LONG_FUNCTIONS.get(path.relative_to(ROOT).as_posix(), set())

    def test_names(self, path):
        assert not EMPTY_NAMES & {name.strip("_") for name in names_of(syntax(path))}

    def test_docstrings_begin_with_their_noun(self, path):
        assert not [text for text in documented(syntax(path)) if re.match(r"(The same|Of)\b", text)]


def test_a_class_name_means_one_thing():
    names = Counter(
        node.name for path in MODULES.values() for node in ast.walk(syntax(path)) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"rramsim.spec"}))
def test_specifications_change_by_but_alone(module):
    """A copy by pydantic's methods is not checked."""
    attributes = {node.attr for node in ast.walk(syntax(MODULES[module])) if isinstance(node, ast.Attribute)}
    assert not attributes & {"model_copy", "model_construct"}


def test_the_conventions_can_fail():
    """What the tests above look for is found where it is."""
    tree = ast.parse("def f(own):\n    'Of things.'\n" + "    self._kept = 1\n" * 61)
    assert {"f", "own", "_kept"} <= set(names_of(tree))
    assert lines_of_code(tree.body[0]) == 62
    assert documented(tree) == ["", "Of things."]
