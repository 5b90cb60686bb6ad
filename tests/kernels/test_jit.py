"""The door to numba: every public kernel goes through it, and its cache never serves old code."""

import importlib
import os
import pkgutil
import subprocess
import sys

import pytest
from reference.kernels import ORACLES

import rramsim.kernels
from rramsim.kernels import _jit


def public_kernels():
    for found in pkgutil.iter_modules(rramsim.kernels.__path__):
        if not found.name.startswith("_"):
            module = importlib.import_module(f"rramsim.kernels.{found.name}")
            yield from (getattr(module, name) for name in module.__all__ if callable(getattr(module, name)))


def test_every_kernel_has_an_oracle():
    kernels = list(public_kernels())
    assert len(kernels) >= 4
    assert set(ORACLES) == set(kernels)


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="compilation is switched off")
def test_every_kernel_is_compiled_alike():
    for kernel in public_kernels():
        options = kernel.targetoptions
        assert options["nopython"]
        assert options["nogil"]
        assert options["error_model"] == "numpy"
        # One order of summation, so one set of bits: neither fastmath nor threads.
        assert not options.get("fastmath")
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


def test_runs_without_compilation(tmp_path):
    """The Python bodies of the kernels give the bits of the compiled ones."""
    code = (
        "import numpy as np; from rramsim.array.network import *;"
        "g = np.random.default_rng(0).random((5, 7)) * 1e-3;"
        "print(transconductances(g, WireSpec(word_line_ohm=3., bit_line_ohm=2., driver_ohm=9.)).tobytes().hex())"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, text=True
        )
        for off in ("0", "1")
    ]
    assert [done.returncode for done in outputs] == [0, 0], outputs[1].stderr
    assert outputs[0].stdout == outputs[1].stdout
