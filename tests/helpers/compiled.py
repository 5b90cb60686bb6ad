"""Whether kernels are compiled in this run, and marks for tests that need it."""

import os

import pytest

__all__ = ["COMPILED", "compiled_only", "too_slow_in_python"]

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
compiled_only = pytest.mark.skipif(not COMPILED, reason="compilation is switched off")
too_slow_in_python = pytest.mark.skipif(not COMPILED, reason="too slow without compilation")
