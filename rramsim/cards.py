"""Cards: TOML files of devices, macros, components and studies; what there is of them, and specifications from one."""

import tomllib
import zipfile
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import model_validator

from .data import data_path
from .errors import SpecError
from .spec import Spec, changed_fields

__all__ = ["COMPONENTS", "DEVICES", "MACROS", "SCORES", "STUDIES", "CardSpec", "Shelf", "offers", "presets"]


class Shelf(NamedTuple):
    """Where the cards of one kind stand.

    Parameters
    ----------
    kind
        What a card describes, for messages: ``"device"``.
    folder
        Folder of rramsim's data that holds its own cards: ``"devices"``.
    entry_point
        Group of entry points under which other packages offer some; None: they cannot.
    """

    kind: str
    folder: str
    entry_point: str | None = None

    @property
    def embedded(self) -> list[str]:
        """Names of the cards that come with rramsim."""
        names = (path.name for path in data_path(self.folder).iterdir())
        return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))

    @property
    def names(self) -> list[str]:
        """Names of all cards at hand: those of rramsim, and those that other packages offer."""
        return sorted({*self.embedded, *self.offered})

    @property
    def offered(self) -> dict[str, EntryPoint]:
        """Entry points of other packages, by name; a name of ours stays ours."""
        ours = set(self.embedded)
        entries = offers(self.entry_point) if self.entry_point else {}
        return {name: entry for name, entry in entries.items() if name not in ours}

    def text(self, name: str) -> str:
        """The text of a card that comes with rramsim."""
        text: str = data_path(self.folder, f"{name}.toml").read_text(encoding="utf-8")
        return text

    def card(self, name: str) -> Any:
        """The fields of a card, ``name`` among them unless it has its own; or what another package offers instead.

        Parameters
        ----------
        name
            One of :attr:`names`, or the path of a card: a TOML file, its name ending in ``.toml``.

        Returns
        -------
        Any
            A new dict at every call. What a package offers may be anything.

        Raises
        ------
        ValueError
            For what is no name, a name that is unknown, and a card or a package that cannot be read.
        """
        if not isinstance(name, str):
            raise ValueError(  # noqa: TRY004  (pydantic takes a ValueError for the caller's mistake)
                f"preset is the name of a {self.kind} or the path of its card; got {name!r}"
            )
        if name.endswith(".toml"):
            return {"name": Path(name).stem, **self._read(Path(name))}
        if name in self.embedded:
            return {"name": name, **tomllib.loads(self.text(name))}
        if name not in self.offered:
            raise self._unknown(name)
        entry = self.offered[name]
        try:
            offer = entry.load()
            if callable(offer) and not isinstance(offer, type):
                offer = offer()
        except Exception as error:
            raise ValueError(
                f"{self.kind} preset {name!r} of another package ({entry.value}) cannot be loaded: {error}"
            ) from error
        return {"name": name, **offer} if isinstance(offer, dict) else offer

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{path}: no such {self.kind} card") from None
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"{path}: cannot be read as a {self.kind} card in TOML: {error}") from None

    def _unknown(self, name: str) -> ValueError:
        close = get_close_matches(name, self.names, n=3)
        allowed = f"; did you mean {' or '.join(map(repr, close))}? Allowed" if close else "; allowed"
        return ValueError(
            f"unknown {self.kind} preset {name!r}{allowed} are {', '.join(self.names)}, or the path of a card "
            "(FILE.toml)"
        )


@cache
def offers(group: str) -> dict[str, EntryPoint]:
    """Entry points of one group, of all packages that are installed, by name."""
    return {entry.name: entry for entry in entry_points(group=group)}


DEVICES = Shelf("device", "devices", "rramsim.devices")
MACROS = Shelf("macro", "macros", "rramsim.macros")
COMPONENTS = Shelf("component table", "components", "rramsim.components")
STUDIES = Shelf("study", "studies")


class ScoresShelf:
    """Where the recorded attention scores stand."""

    @property
    def names(self) -> list[str]:
        """Models whose scores were recorded."""
        with data_path("reference", "scores.npz").open("rb") as file, zipfile.ZipFile(file) as archive:
            return sorted(name.removesuffix(".npy") for name in archive.namelist() if "/" not in name)


SCORES = ScoresShelf()


class CardSpec(Spec):
    """A specification that may start from a card.

    ``preset="..."`` names the card (or is its path), and further fields change some of its own; the name alone will do
    where a specification takes another as its part.
    """

    shelf: ClassVar[Shelf]

    @model_validator(mode="before")
    @classmethod
    def _from_card(cls, fields: Any) -> Any:
        if isinstance(fields, str):
            fields = {"preset": fields}
        if not isinstance(fields, dict) or "preset" not in fields:
            return fields
        return cls._with_preset(fields, ())

    @classmethod
    def _with_preset(cls, fields: dict[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
        """Fields laid over those of the card that they start from; a card may itself start from one."""
        if "preset" not in fields:
            return fields
        name, kind = fields["preset"], cls.shelf.kind
        if name in above:
            raise ValueError(f"{kind} card {name!r} starts from itself: {' -> '.join((*above, name))}")
        card = cls.shelf.card(name)
        if isinstance(card, CardSpec) and card.shelf == cls.shelf:
            if not issubclass(cls, type(card)):
                raise ValueError(
                    f"{kind} preset {name!r} is a {type(card).__name__}, a kind of {kind} of its own: "
                    f"give the {kind}, rramsim.{kind}({name!r}), in place of its name"
                )
            base = card.given_fields
        elif isinstance(card, dict):
            base = cls._with_preset(card, (*above, name))
        else:
            raise ValueError(f"{kind} preset {name!r}: a {kind} is a {cls.__name__} or a dict; got {card!r}")
        return changed_fields(base, _single_fields(base, fields))


def _single_fields(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Given fields but the preset; a table whose place in the base holds a table, too, as its single fields."""
    flat: dict[str, Any] = {}
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict | Spec):
            flat |= {f"{key}.{inner}": each for inner, each in value.items()}
        elif key != "preset":
            flat[key] = value
    return flat


_LISTS: dict[str, Shelf | ScoresShelf] = {
    "devices": DEVICES,
    "macros": MACROS,
    "components": COMPONENTS,
    "studies": STUDIES,
    "scores": SCORES,
}
"""What there are lists of, by kind."""


def presets(kind: str = "devices") -> list[str]:
    """Names of all that is at hand of one kind: what comes with rramsim, and what other packages offer.

    A package offers a device through the entry point ``rramsim.devices``: the name of the preset, and an object that is
    a :class:`rramsim.DeviceSpec`, a dict of its fields, or a function without arguments that returns one of them;
    likewise macros through ``rramsim.macros``, and component tables through ``rramsim.components``.

    Parameters
    ----------
    kind
        "devices", "macros", "components" (tables of energies, times and areas), "studies", or "scores" (models whose
        attention scores were recorded).

    Raises
    ------
    SpecError
        For another kind.
    """
    if kind not in _LISTS:
        close = get_close_matches(str(kind), _LISTS, n=1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise SpecError(f"presets: got {kind!r}; {meant}There are lists of {', '.join(_LISTS)}")
    return _LISTS[kind].names
