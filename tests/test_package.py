"""What is packaged, what the public names are, what an import costs, and that a checkout is whole."""

import importlib
import shutil
import subprocess
import sys
import tomllib

import pytest
from helpers.sources import MODULES, ROOT

import rramsim


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
    rooms = {name.split(".")[1] for name in MODULES if "." in name}
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

    def test_nothing_else_beside_it_is_part_of_the_package(self, clone):
        (clone / "docs").mkdir(exist_ok=True)
        code = (
            "import importlib.util, pkgutil, rramsim; "
            "names = {each.name for each in pkgutil.walk_packages(rramsim.__path__, 'rramsim.')}; "
            "print('rramsim.cell.device' in names, 'rramsim.rramsim' in names); "
            "print(importlib.util.find_spec('rramsim.docs'))"
        )
        assert self.run(clone, "-c", NOT_INSTALLED + code) == "True False\nNone\n"

    def test_an_installed_package_takes_nothing_from_its_neighbours(self, tmp_path):
        """Another package named kernels may stand beside it."""
        (tmp_path / "kernels").mkdir()
        (tmp_path / "kernels" / "__init__.py").touch()
        shutil.copytree(ROOT / "rramsim", tmp_path / "rramsim", ignore=shutil.ignore_patterns("__pycache__"))
        code = "import importlib.util, rramsim; print(importlib.util.find_spec('rramsim.kernels'))"
        assert self.run(tmp_path, "-c", NOT_INSTALLED + code) == "None\n"
