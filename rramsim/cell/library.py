"""Where devices come from: the presets of rramsim, those of other packages, and cards of one's own."""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from rramsim.data import data_path

__all__ = ["ENTRY_POINT", "card", "embedded", "presets", "read_card", "unknown_preset"]

ENTRY_POINT = "rramsim.devices"
"""Group of entry points under which other packages offer devices."""


def embedded(folder: str) -> list[str]:
    """Names of the cards in a folder of rramsim's data, such as ``"devices"``."""
    names = (path.name for path in data_path(folder).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_card(kind: str, folder: str, name: str) -> dict[str, Any] | None:
    """The fields of a card; ``name`` among them, unless the card has its own.

    Parameters
    ----------
    kind
        What the card describes, for messages: ``"device"``.
    folder
        Where rramsim's own cards are: ``"devices"``.
    name
        One of :func:`embedded`, or the path of a card: a TOML file, its name ending in ``.toml``.

    Returns
    -------
    dict or None
        A new dict at every call; None for a name that is neither.

    Raises
    ------
    ValueError
        For what is no name, and for a card that cannot be read.
    """
    if not isinstance(name, str):
        raise ValueError(f"preset is the name of a {kind} or the path of its card; got {name!r}")  # noqa: TRY004
    if name.endswith(".toml"):
        return {"name": Path(name).stem, **_read(kind, Path(name))}
    if name not in embedded(folder):
        return None
    return {"name": name, **tomllib.loads(data_path(folder, f"{name}.toml").read_text(encoding="utf-8"))}


def unknown_preset(kind: str, name: str, known: list[str]) -> ValueError:
    """What to raise for a name that is not among those that are known."""
    close = get_close_matches(name, known, n=3)
    allowed = f"; did you mean {' or '.join(map(repr, close))}? Allowed" if close else "; allowed"
    return ValueError(
        f"unknown {kind} preset {name!r}{allowed} are {', '.join(known)}, or the path of a card (FILE.toml)"
    )


@cache
def _foreign() -> dict[str, EntryPoint]:
    """Entry points of other packages, by name; a name of ours stays ours."""
    own = set(embedded("devices"))
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT) if entry.name not in own}


def presets() -> list[str]:
    """Names of all devices at hand: those of rramsim, and those that other packages offer.

    A package offers a device through the entry point ``rramsim.devices``: the name of the preset, and an object that is
    a :class:`rramsim.DeviceSpec`, a dict of its fields, or a function without arguments that returns one of them.
    """
    return sorted({*embedded("devices"), *_foreign()})


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
    found = read_card("device", "devices", name)
    if found is not None:
        return found
    if name not in _foreign():
        raise unknown_preset("device", name, presets())
    entry = _foreign()[name]
    try:
        offered = entry.load()
        if callable(offered) and not isinstance(offered, type):
            offered = offered()
    except Exception as error:
        raise ValueError(
            f"device preset {name!r} of another package ({entry.value}) cannot be loaded: {error}"
        ) from error
    return {"name": name, **offered} if isinstance(offered, dict) else offered


def _read(kind: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such {kind} card") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as a {kind} card in TOML: {error}") from None
