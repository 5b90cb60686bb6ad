"""The door to numba: every public kernel goes through it, and its cache never serves old code."""

import ast
import importlib
import os
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference.kernels import ORACLES

import rramsim.kernels
from rramsim.kernels import _jit, kernel_modules, warm_up

FLAGS = {
    "kernel": set(),
    "fused_kernel": {"contract"},
    "part": {"contract"},
    "summing_part": {"contract", "reassoc", "nsz"},
    "table_kernel": set(),
    "table_part": set(),
    "table_summing_part": {"contract", "reassoc", "nsz"},
}
"""What each decorator allows the compiler to do with sums."""


def compiled_functions():
    """(module, function, decorator) of everything that goes through the door, with and without compilation."""
    for found in pkgutil.iter_modules(rramsim.kernels.__path__):
        if not found.name.startswith("_"):
            module = importlib.import_module(f"rramsim.kernels.{found.name}")
            for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.decorator_list:
                    ((decorator,),) = [[each.id for each in node.decorator_list]]
                    yield module, getattr(module, node.name), decorator


def public_kernels():
    return [function for _, function, decorator in compiled_functions() if decorator.endswith("kernel")]


def test_every_kernel_has_an_oracle():
    kernels = public_kernels()
    assert len(kernels) >= 4
    assert set(ORACLES) == set(kernels)


def test_every_module_with_kernels_knows_its_smallest_input():
    assert {function.__module__ for function in public_kernels()} == {module.__name__ for module in kernel_modules()}


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="compilation is switched off")
def test_the_warm_up_reaches_every_kernel():
    """Whoever warms up before workers start leaves them nothing to compile."""
    warm_up()
    for function in public_kernels():
        # One that another kernel calls is not loaded beside it, but is in the cache.
        files = Path(function.stats.cache_path).glob(f"*.{function.__name__}-*.nbi")
        assert function.signatures or any(files), f"{function.__name__}: not in smallest()"


def test_kernels_are_public_and_their_parts_are_not():
    for module, function, decorator in compiled_functions():
        assert (function.__name__ in module.__all__) == decorator.endswith("kernel")


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="compilation is switched off")
def test_every_kernel_is_compiled_alike():
    for _, function, decorator in compiled_functions():
        options = function.targetoptions
        assert options["nopython"]
        assert options["nogil"]
        assert options["error_model"] == "numpy"
        assert set(options["fastmath"]) == FLAGS[decorator]
        # No threads within a sum, which would give a result another set of bits each time.
        assert not options.get("parallel")


def choose_cache(tmp_path, monkeypatch, **environment):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    chosen = _jit._choose_cache_folder()
    return chosen, os.environ.get("NUMBA_CACHE_DIR")


def test_cache_folder_is_named_by_the_sources(tmp_path, monkeypatch):
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "a.py").write_text("x = 1")
    monkeypatch.setattr(_jit, "__file__", str(sources / "_jit.py"))
    chosen, before = choose_cache(tmp_path, monkeypatch)
    assert chosen
    assert before.startswith(str(tmp_path / "rramsim" / "kernels-"))
    assert choose_cache(tmp_path, monkeypatch) == (True, before)
    (sources / "a.py").write_text("x = 2")
    assert choose_cache(tmp_path, monkeypatch)[1] != before


def test_the_users_cache_folder_wins(tmp_path, monkeypatch):
    assert choose_cache(tmp_path, monkeypatch, NUMBA_CACHE_DIR="/somewhere") == (True, "/somewhere")


def test_without_a_writable_folder_there_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    assert choose_cache(tmp_path / "file", monkeypatch) == (False, None)


def test_runs_without_compilation(compiled_and_plain):
    """The Python bodies of the kernels give the numbers of the compiled ones, which round less often."""
    code = (
        "import numpy as np; from rramsim.array.network import *;"
        "g = np.random.default_rng(0).random((5, 7)) * 1e-3;"
        "net = Network(g, WireSpec(word_line_ohm=3., bit_line_ohm=2., driver_ohm=9.));"
        "print(net.transconductance().tobytes().hex(), net.currents(np.linspace(0, 1, 5)).tobytes().hex())"
    )
    compiled, plain = ([np.frombuffer(bytes.fromhex(x)) for x in out.split()] for out in compiled_and_plain(code))
    for one, other, size in zip(compiled, plain, (35, 7), strict=True):
        assert one.size == size
        assert_allclose(one, other, rtol=1e-13)
