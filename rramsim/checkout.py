"""Kernels and data of a checkout, which stand beside the package and not in it."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["Neighbours"]


class Neighbours:
    """Finder of ``rramsim.kernels`` and ``rramsim.data`` in the folder of a checkout, where nothing else finds them."""

    ROOMS = ("kernels", "data")

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """As :data:`sys.meta_path` asks for it."""
        package, _, room = fullname.partition(".")
        if package != "rramsim" or room not in self.ROOMS:
            return None
        home = self.folder / room
        return spec_from_file_location(fullname, home / "__init__.py", submodule_search_locations=[str(home)])

    @classmethod
    def install(cls, folder: Path) -> None:
        """Ask it last, once."""
        if not any(isinstance(finder, cls) for finder in sys.meta_path):
            sys.meta_path.append(cls(folder))
