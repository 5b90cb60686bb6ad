"""Compiled kernels: plain functions, arrays in, arrays out, SI units; imported as ``rramsim.kernels``."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

__all__ = ["kernel_modules", "warm_up"]


def kernel_modules() -> Iterator[ModuleType]:
    """Every module with kernels; ``smallest()`` of each runs them all once."""
    for entry in iter_modules(__path__):
        module = import_module(f"{__name__}.{entry.name}")
        if hasattr(module, "smallest"):
            yield module


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, by running each once on the smallest input."""
    from ._jit import COMPILED

    if not COMPILED:
        return
    for module in kernel_modules():
        module.smallest()
