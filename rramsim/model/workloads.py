"""Workloads by name: the one that comes with rramsim, and those that other packages offer."""

from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint
from inspect import isabstract

from rramsim.cards import offers
from rramsim.errors import SpecError

from .digits_vit import DigitsVit
from .workload import Workload

__all__ = ["DEFAULT_WORKLOAD", "ENTRY_POINT", "load_workload", "workload_names"]

ENTRY_POINT = "rramsim.workloads"
"""Group of entry points under which other packages offer workloads: the name, and the class."""
EMBEDDED: dict[str, type[Workload]] = {DigitsVit.name: DigitsVit}
DEFAULT_WORKLOAD = next(iter(EMBEDDED))
"""The workload of a study that names none."""


def workload_names() -> list[str]:
    """Names of all workloads at hand: those of rramsim, and those that other packages offer."""
    return [*EMBEDDED, *sorted(_offered())]


def load_workload(name: str) -> Workload:
    """A workload by its name, one object in a process.

    Parameters
    ----------
    name
        One of :func:`workload_names`.

    Raises
    ------
    SpecError
        For an unknown name, and for what a package offers that cannot be loaded or is no such workload.
    """
    if name in EMBEDDED:
        return _instance(EMBEDDED[name])
    entries = _offered()
    if name not in entries:
        close = get_close_matches(name, workload_names(), n=1)
        meant = f"; did you mean {close[0]!r}?" if close else "."
        raise SpecError(
            f"unknown workload {name!r}{meant} Workloads at hand are {', '.join(map(repr, workload_names()))}"
        )
    return _loaded(entries[name])


def _offered() -> dict[str, EntryPoint]:
    """Entry points of other packages, by name; a name of ours stays ours."""
    return {name: entry for name, entry in offers(ENTRY_POINT).items() if name not in EMBEDDED}


def _loaded(entry: EntryPoint) -> Workload:
    who = f"workload {entry.name!r} of another package ({entry.value})"
    try:
        offer = entry.load()
    except Exception as error:
        raise SpecError(f"{who} cannot be loaded: {error}") from error
    if not (isinstance(offer, type) and issubclass(offer, Workload)) or isabstract(offer):
        raise SpecError(
            f"{who} is no class that derives from rramsim.Workload and defines all that it asks for; got {offer!r}"
        )
    if getattr(offer, "name", None) != entry.name:
        raise SpecError(f"{who} calls itself {getattr(offer, 'name', None)!r}; both names are one")
    try:
        return _instance(offer)
    except Exception as error:
        raise SpecError(f"{who} cannot be made: {error}") from error


@cache
def _instance(kind: type[Workload]) -> Workload:
    return kind()
