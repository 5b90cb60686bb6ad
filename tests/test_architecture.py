"""Who may import whom, what is packaged, and what an import costs."""

import ast
import importlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rramsim

ROOT = Path(__file__).parent.parent
ROOT_MODULES = {
    *("activity", "arrays", "cards", "errors", "files", "fixed_point", "hdf5", "interrupts", "probe", "rng", "series"),
    *("spec", "threads", "units"),
}
"""May import one another, and data, though they have the same rank."""
RANK = {
    **dict.fromkeys(ROOT_MODULES, 0),
    "kernels": 0,
    "data": 0,
    "cell": 1,
    "cost": 1,
    "trace": 1,
    "array": 2,
    "engine": 3,
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


def source_files():
    """(name of the module, path) of everything that is installed; kernels and data appear as they are imported."""
    for folder, package in (("rramsim", "rramsim"), ("kernels", "rramsim.kernels"), ("data", "rramsim.data")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def imported(module, path, text):
    """Full names of what a source imports, relative imports resolved."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            # `from rramsim import x` names the room only in x.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room_of(name):
    """The room of a full name of this project (``""``: the project itself), or None for a foreign one."""
    parts = name.split(".")
    if parts[0] != "rramsim":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in RANK else ""


def breaches(module, path, text):
    """Everything that a source imports and may not."""
    own = room_of(module)
    found = []
    for name in imported(module, path, text):
        top, room = name.split(".")[0], room_of(name)
        if top in {"kernels", "data"}:
            found.append(f"{module}: bare import of {name}")
        elif room is None:
            allowed = ALLOWED_OUTSIDE.get(own)
            if allowed is not None and top not in allowed | sys.stdlib_module_names:
                found.append(f"{module}: {own} may not import {name}")
        elif room == "":
            found.append(f"{module}: imports the package itself ({name}), which imports every room")
        elif room != own:
            siblings = RANK[room] == RANK[own] and not {room, own} <= ROOT_MODULES
            if own in ALLOWED_OUTSIDE or RANK[room] > RANK[own] or (siblings and RANK[own] > 0):
                found.append(f"{module}: {own} (rank {RANK[own]}) imports {name} (rank {RANK[room]})")
            elif own in ROOT_MODULES and room not in ROOT_MODULES | {"data"}:
                found.append(f"{module}: a root module imports {name}")
            elif own in ONLY and RANK[room] and not any(f"{name}.".startswith(f"{door}.") for door in ONLY[own]):
                found.append(f"{module}: {own} imports {name}")
    return found


MODULES = dict(source_files())
RANKED = {name: path for name, path in MODULES.items() if name not in {"rramsim", "rramsim.__main__"}}


def test_every_module_has_a_rank():
    assert {room_of(name) for name in RANKED} == set(RANK)


@pytest.mark.parametrize("module", sorted(RANKED))
def test_imports_go_down(module):
    assert not breaches(module, RANKED[module], RANKED[module].read_text(encoding="utf-8"))


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
    assert len(breaches(module, Path("x.py"), line)) == 1


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
    assert not breaches(module, Path("x.py"), line)


def test_every_package_is_listed():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    on_disk = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert listed == on_disk
    folders = {name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in MODULES.items()}
    assert folders == on_disk, "a folder with modules but without __init__.py is not installed"


@pytest.mark.parametrize("name", rramsim.__all__)
def test_public_names_resolve(name):
    assert getattr(rramsim, name) is not None


def test_public_names_are_listed():
    assert set(dir(rramsim)) == set(rramsim.__all__)


def test_no_room_takes_the_name_of_a_function():
    """Importing a room sets an attribute of the package, which would replace a public name."""
    rooms = {name.split(".")[1] for name in RANKED}
    assert not rooms & set(rramsim.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'crossbar'"):
        _ = rramsim.crossbar


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"rramsim", "rramsim.__main__", "rramsim.cli.app"}))
def test_exported_names_exist(module):
    loaded = importlib.import_module(module)
    exported = getattr(loaded, "__all__", ())
    assert len(set(exported)) == len(exported)
    assert [name for name in exported if not hasattr(loaded, name)] == []


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)


def test_import_star():
    done = run_python("from rramsim import *; print(Network.__name__, load_study.__name__, callable(device))")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Network load_study True\n", "")


def test_import_is_light():
    heavy = "{'numba', 'matplotlib', 'scipy', 'h5py', 'jinja2', 'typer'}"
    done = run_python(f"import sys, rramsim; print(sorted({heavy} & set(sys.modules)))")
    assert (done.returncode, done.stdout) == (0, "[]\n")


# What an editable installation adds would find kernels and data even where the checkout could not.
NOT_INSTALLED = "import sys; sys.meta_path = [f for f in sys.meta_path if not f.__module__.startswith('__edit')]; "


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The tracked folders alone, as a clone has them."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("rramsim", "kernels", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


class TestCheckout:
    """The source folder shadows an installed package where a script runs in the clone: it is whole by itself."""

    def run(self, clone, *arguments):
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=clone)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def test_a_script_in_the_clone(self, clone):
        code = "import rramsim.kernels, rramsim.data; print(rramsim.kernels.__file__, rramsim.data.__file__)"
        places = self.run(clone, "-c", NOT_INSTALLED + code).split()
        assert places == [str(clone / name / "__init__.py") for name in ("kernels", "data")]

    def test_public_names_in_the_clone(self, clone):
        code = "import rramsim as rs; print(rs.Network([[1e-6]]).currents([1.0]), 'ideal' in rs.presets())"
        assert self.run(clone, "-c", NOT_INSTALLED + code) == "[1.e-06] True\n"

    def test_the_program_in_the_clone(self, clone):
        code = (
            "import runpy; sys.argv = ['rramsim', 'presets', 'ideal']; runpy.run_module('rramsim', run_name='__main__')"
        )
        assert "Ideal cell" in self.run(clone, "-c", NOT_INSTALLED + code)

    def test_an_installed_package_takes_nothing_from_its_neighbours(self, tmp_path):
        """Another package named kernels may stand beside it."""
        (tmp_path / "kernels").mkdir()
        (tmp_path / "kernels" / "__init__.py").touch()
        shutil.copytree(ROOT / "rramsim", tmp_path / "rramsim", ignore=shutil.ignore_patterns("__pycache__"))
        assert self.run(tmp_path, "-c", NOT_INSTALLED + "import rramsim; print(len(rramsim.__path__))") == "1\n"
