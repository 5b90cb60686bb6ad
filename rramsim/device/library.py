"""Where devices come from: the presets of rramsim, those of other packages, and cards of one's own."""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from rramsim.data import data_path

__all__ = ["ENTRY_POINT", "card", "presets"]

ENTRY_POINT = "rramsim.devices"
"""Group of entry points under which other packages offer devices."""


def _embedded() -> list[str]:
    names = (path.name for path in data_path("devices").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def _foreign() -> dict[str, EntryPoint]:
    """Entry points of other packages, by name; a name of ours stays ours."""
    own = set(_embedded())
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT) if entry.name not in own}


def presets() -> list[str]:
    """Names of all devices at hand: those of rramsim, and those that other packages offer.

    A package offers a device through the entry point ``rramsim.devices``: the name of the preset, and an object that is
    a :class:`rramsim.DeviceSpec`, a dict of its fields, or a function without arguments that returns one of them.
    """
    return sorted({*_embedded(), *_foreign()})


def card(name: str) -> Any:
    """The fields of a device, as a dict, or the device itself where a package offers one.

    Parameters
    ----------
    name
        One of :func:`presets`, or the path of a card: a TOML file, its name ending in ``.toml``.

    Raises
    ------
    ValueError
        For a name that is unknown, and for a card or a package that cannot be read.
    """
    if not isinstance(name, str):
        raise ValueError(f"preset is the name of a device or the path of its card; got {name!r}")  # noqa: TRY004
    if name.endswith(".toml"):
        return {"name": Path(name).stem, **_read(Path(name))}
    if name in _embedded():
        return {"name": name, **tomllib.loads(data_path("devices", f"{name}.toml").read_text(encoding="utf-8"))}
    if name not in _foreign():
        close = get_close_matches(name, presets(), n=3)
        allowed = f"; did you mean {' or '.join(map(repr, close))}? Allowed" if close else "; allowed"
        raise ValueError(
            f"unknown device preset {name!r}{allowed} are {', '.join(presets())}, or the path of a card (FILE.toml)"
        )
    entry = _foreign()[name]
    try:
        found = entry.load()
        if callable(found) and not isinstance(found, type):
            found = found()
    except Exception as error:
        raise ValueError(
            f"device preset {name!r} of another package ({entry.value}) cannot be loaded: {error}"
        ) from error
    return {"name": name, **found} if isinstance(found, dict) else found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such device card") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as a device card in TOML: {error}") from None
