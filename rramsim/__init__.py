"""rramsim: RRAM crossbars at device level, with the crossbar softmax engine and attention pipeline of STAR.

``import rramsim as rs`` is light: everything is loaded on first use. SI units everywhere.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import lazy_loader

_FOLDER = Path(__file__).parent
if not (_FOLDER / "kernels").is_dir() and (_FOLDER.parent / "kernels" / "_jit.py").is_file():
    # A checkout: `kernels` and `data` stand beside the package, which a script in the clone's folder takes from there.
    from .checkout import Neighbours

    Neighbours.install(_FOLDER.parent)

# The public names and their homes are listed in __init__.pyi, once.
_load, _, _names = lazy_loader.attach_stub(__name__, __file__)

__all__ = [*_names, "__version__"]  # noqa: PLE0604  (the names are strings)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("rramsim")
    if name not in _names:
        raise AttributeError(f"module 'rramsim' has no attribute {name!r}")
    public = _load(name)
    globals()[name] = public
    return public


def __dir__() -> list[str]:
    return sorted(__all__)
