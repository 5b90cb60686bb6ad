"""Compiled kernels for all processes of a test run, before they start."""

from concurrent.futures import ProcessPoolExecutor, wait
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from rramsim.array.network import WireSpec, transconductances
from rramsim.kernels import kernel_modules

__all__ = ["compile_kernels"]


def compile_kernels(workers):
    """Compile every kernel, or find it in the cache: each module in one process, the largest first.

    What cannot be compiled fails in its tests, not here.
    """
    modules = sorted(kernel_modules(), key=lambda module: -Path(module.__file__).stat().st_size)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        single = pool.submit(_reduce_in_single_precision)
        wait([single, *(pool.submit(_compile, module.__name__) for module in modules)])


def _compile(name):
    import_module(name).smallest()


def _reduce_in_single_precision():
    """Studies do without it, so that it is in no ``smallest()``."""
    transconductances(np.full((1, 1), 1e-4), WireSpec(word_line_ohm=1.0), dtype=np.float32)
