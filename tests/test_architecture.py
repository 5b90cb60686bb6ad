"""Who may import whom: imports go down, in no circle, and none is hidden."""

import ast
import sys
from pathlib import Path

import pytest
from helpers.sources import MODULES, imported, syntax, target_of

ROOT_MODULES = {
    *("activity", "arrays", "cards", "checkout", "errors", "files", "fixed_point", "hdf5", "interrupts", "probe"),
    *("component_names", "kinds", "references", "rng", "series", "spec", "threads", "units"),
}
"""May import one another, and data, though they have the same rank."""
RANK = {
    **dict.fromkeys(ROOT_MODULES, 0),
    "kernels": 0,
    "data": 0,
    "cell": 1,
    "trace": 1,
    "workload": 1,
    "array": 2,
    "engine": 3,
    "cost": 4,
    "model": 4,
    "study": 5,
    "report": 5,
    "interop": 5,
    "cli": 6,
}
ALLOWED_OUTSIDE = {"kernels": {"numpy", "numba", "llvmlite"}, "data": set()}
"""Rooms that may import nothing but these and the standard library."""
ONLY = {"report": {"rramsim.trace.read"}}
"""Rooms that may import nothing of other rooms but these modules (and what has rank 0)."""


def room_of(name):
    """The room of a full name of this project (``""``: the project itself), or None for a foreign one."""
    parts = name.split(".")
    if parts[0] != "rramsim":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in RANK else ""


def breaches(module, path, tree):
    """Everything that a source imports and may not."""
    home = room_of(module)
    messages = []
    for name in imported(module, path, tree):
        top, room = name.split(".")[0], room_of(name)
        if top in {"kernels", "data"}:
            messages.append(f"{module}: bare import of {name}")
        elif room is None:
            allowed = ALLOWED_OUTSIDE.get(home)
            if allowed is not None and top not in allowed | sys.stdlib_module_names:
                messages.append(f"{module}: {home} may not import {name}")
        elif room == "":
            messages.append(f"{module}: imports the package itself ({name}), which imports every room")
        elif room != home:
            siblings = RANK[room] == RANK[home] and not {room, home} <= ROOT_MODULES
            if home in ALLOWED_OUTSIDE or RANK[room] > RANK[home] or (siblings and RANK[home] > 0):
                messages.append(f"{module}: {home} (rank {RANK[home]}) imports {name} (rank {RANK[room]})")
            elif home in ROOT_MODULES and room not in ROOT_MODULES | {"data"}:
                messages.append(f"{module}: a root module imports {name}")
            elif home in ONLY and RANK[room] and not any(f"{name}.".startswith(f"{door}.") for door in ONLY[home]):
                messages.append(f"{module}: {home} imports {name}")
    return messages


def circles(edges):
    """Groups of modules each of which is reached from the others (Tarjan), from {module: what it imports}."""
    order, lowest, stack, groups = {}, {}, [], []

    def visit(module):
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for target in edges.get(module, ()):
            if target not in order:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == order[module]:
            place = stack.index(module)
            group = set(stack[place:])
            del stack[place:]
            if len(group) > 1 or module in edges.get(module, ()):
                groups.append(group)

    for module in edges:
        if module not in order:
            visit(module)
    return groups


def hidden_imports(module, path, tree):
    """Modules of this project that only a type checker imports."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            body = ast.Module([*node.body, *node.orelse], [])
            names += [name for name in imported(module, path, body) if target_of(name)]
    return names


RANKED = {name: path for name, path in MODULES.items() if name not in {"rramsim", "rramsim.__main__"}}


def test_every_module_has_a_rank():
    assert {room_of(name) for name in RANKED} == set(RANK)


@pytest.mark.parametrize("module", sorted(RANKED))
def test_imports_go_down(module):
    assert not breaches(module, RANKED[module], syntax(RANKED[module]))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("rramsim.cell.device", "from rramsim.array.network import Network"),
        ("rramsim.cell.device", "from ..array import network"),
        ("rramsim.cell.device", "from rramsim.cost import budget"),
        ("rramsim.cell.device", "from rramsim import cost"),
        ("rramsim.cell.device", "import rramsim as rs"),
        ("rramsim.cell.device", "if TYPE_CHECKING:\n    from rramsim.trace.read import Trace"),
        ("rramsim.trace.read", "def f():\n    import rramsim.cost.budget"),
        ("rramsim.study.run", "from rramsim.report.page import write_report"),
        ("rramsim.report.page", "from rramsim.study.toml import StudySpec"),
        ("rramsim.report.page", "from rramsim.engine.macro.programming import MacroSpec"),
        ("rramsim.array.network", "from kernels.network import solve_array"),
        ("rramsim.array.network", "import kernels"),
        ("rramsim.kernels.network", "import scipy"),
        ("rramsim.kernels.network", "from rramsim.errors import SpecError"),
        ("rramsim.data", "import numpy"),
        ("rramsim.report.page", "from rramsim.trace.write import write_trace"),
        ("rramsim.spec", "from rramsim.cell.device import DeviceSpec"),
        ("rramsim.spec", "from .kernels import warm_up"),
    ],
)
def test_a_breach_is_found(module, line):
    assert len(breaches(module, Path("x.py"), ast.parse(line))) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("rramsim.engine.macro.programming", "from rramsim.array.network import WireSpec\nfrom .mapping import digits"),
        ("rramsim.study.point", "from rramsim.cell.device import device\nimport numpy"),
        ("rramsim.report.page", "from rramsim.trace.read import Trace\nfrom rramsim.errors import TraceError"),
        ("rramsim.kernels.network", "import numpy\nfrom numba import njit\nimport os\nfrom ._jit import kernel"),
        ("rramsim.report.page", "from rramsim.files import write_new_file"),
        ("rramsim.spec", "from .errors import SpecError"),
        ("rramsim.cards", "from .data import data_path"),
    ],
)
def test_what_is_allowed_is_no_breach(module, line):
    assert not breaches(module, Path("x.py"), ast.parse(line))


def test_no_circle():
    """Imports within functions count: a circle that is met later is one."""
    edges = {}
    for module, path in RANKED.items():
        targets = {target_of(name) for name in imported(module, path, syntax(path))}
        edges[module] = sorted(targets & set(RANKED))
    assert sum(map(len, edges.values())) > 500
    assert circles(edges) == []


@pytest.mark.parametrize(
    ("edges", "groups"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
        ({"a": ["b"], "b": ["a"]}, [{"a", "b"}]),
        ({"a": ["a"]}, [{"a"}]),
        ({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]}, [{"b", "c", "d"}]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["d"], "d": ["c"]}, [{"c", "d"}, {"a", "b"}]),
    ],
)
def test_circles_are_found(edges, groups):
    assert circles(edges) == groups


def test_no_import_is_hidden():
    """What only a type checker imports is a circle that Python does not see."""
    hidden = {module: hidden_imports(module, path, syntax(path)) for module, path in RANKED.items()}
    assert {module: names for module, names in hidden.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    [
        "if TYPE_CHECKING:\n    from rramsim.trace.read import Trace",
        "if typing.TYPE_CHECKING:\n    from .read import Trace",
        "if not TYPE_CHECKING:\n    pass\nelse:\n    import rramsim.trace.read",
        "def f():\n    if TYPE_CHECKING:\n        from rramsim.trace import read",
    ],
)
def test_a_hidden_import_is_found(text):
    assert len(hidden_imports("rramsim.trace.write", Path("write.py"), ast.parse(text))) == 1


def test_foreign_types_may_be_imported_for_a_type_checker():
    text = "if TYPE_CHECKING:\n    import xarray\nfrom rramsim.errors import TraceError"
    assert not hidden_imports("rramsim.trace.read", Path("read.py"), ast.parse(text))
