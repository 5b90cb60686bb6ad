"""The study file: TOML in, a checked specification out, with every problem and its line reported at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rramsim.cards import STUDIES
from rramsim.errors import SpecError
from rramsim.spec import changed_fields

from .spec import StudySpec
from .sweep import SoftmaxStudySpec

__all__ = ["default_study_text", "load_study", "read_study", "study_text"]


def study_text(name: str) -> str:
    """The text of a study that comes with rramsim.

    Raises
    ------
    SpecError
        For an unknown name.
    """
    if name not in STUDIES.names:
        raise SpecError(f"unknown study {name!r}; rramsim has {', '.join(STUDIES.names)}")
    return STUDIES.text(name)


def default_study_text() -> str:
    """The embedded study, as ``rramsim init`` writes it."""
    return study_text("digits")


def load_study(path: str | Path | None = None, settings: Iterable[str] = ()) -> StudySpec | SoftmaxStudySpec:
    """Read and check a study.

    Parameters
    ----------
    path
        A TOML file, or one of ``rramsim.presets("studies")``; None is the embedded study.
    settings
        Changes of single keys, such as ``"macro.adc.bits=5"``; the value is written as in TOML.

    Raises
    ------
    SpecError
        Naming file, line, key, what was given and what is allowed, for every problem at once.
    """
    if path is None:
        return read_study(default_study_text(), "the embedded study", settings)
    if str(path) in STUDIES.names:
        return read_study(study_text(str(path)), f"the study {path}", settings)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such study file; `rramsim init` writes one to start from. Studies that come with rramsim: "
            f"{', '.join(STUDIES.names)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as a text file: {error}") from None
    return read_study(text, str(path), settings, Path(path).parent)


def read_study(
    text: str, origin: str, settings: Iterable[str] = (), folder: Path | None = None
) -> StudySpec | SoftmaxStudySpec:
    """Check the text of a study; ``origin`` names it in messages. See :func:`load_study`.

    A study with a table ``[scores]`` is one of the softmax engine alone. A component table that it names by a path
    stands beside it, in ``folder``.
    """
    try:
        tree = tomllib.loads(text)
        if folder is not None:
            tree = _with_table_beside(tree, folder)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise SpecError(f"{origin}: not valid TOML: {error}") from None
    places = {path: f"{origin}, line {line}" for path, line in _lines(text).items()}
    problems: list[tuple[tuple[str | int, ...], str]] = []
    lines = []
    for setting in settings:
        try:
            path, value = _parse_setting(setting)
            tree = _with_setting(tree, path, value, setting)
            for depth in range(1, len(path)):
                places.setdefault(path[:depth], f"--set {setting}")
            places[path] = f"--set {setting}"
        except SpecError as error:
            problems.append(((), str(error)))
            lines.append(str(error))
    kind: type[StudySpec | SoftmaxStudySpec] = SoftmaxStudySpec if "scores" in tree else StudySpec
    try:
        study = kind(**tree)
    except SpecError as error:
        problems += error.problems
        lines += [
            f"{_place(places, path, origin)}: {'.'.join(map(str, path)) or 'study'}: {sentence}"
            for path, sentence in error.problems
        ]
    if problems:
        raise SpecError("\n".join(lines), problems)
    return study


def _with_table_beside(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The study with the path of its component table, if it names one, from the study's folder."""
    cost = tree.get("cost")
    table = cost.get("components") if isinstance(cost, dict) else None
    name = table.get("preset") if isinstance(table, dict) else table
    if not isinstance(name, str) or not name.endswith(".toml"):
        return tree
    key = "cost.components.preset" if isinstance(table, dict) else "cost.components"
    return changed_fields(tree, {key: str(folder / name)})


def _parse_setting(setting: str) -> tuple[tuple[str, ...], Any]:
    key, equals, value = setting.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise SpecError(f"--set {setting}: write key=value, for example --set macro.adc.bits=5")
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        parsed = {}
    # A bare word is a string: --set device.preset=ideal
    return path, parsed["value"] if parsed.keys() == {"value"} else value.strip()


def _with_setting(tree: dict[str, Any], path: tuple[str, ...], value: Any, setting: str) -> dict[str, Any]:
    try:
        return changed_fields(tree, {".".join(path): value})
    except SpecError as error:
        (wrong,) = error.problems
        raise SpecError(f"--set {setting}: {'.'.join(map(str, wrong[0]))} is a value, not a table") from None


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """First line of every table and every key of a TOML text (the parser itself does not tell).

    The tables of a list, ``[[name]]``, have their number behind the name.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    listed: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if head := re.match(r"\s*(\[+)\s*([^\[\]]+?)\s*\]+\s*(#|$)", line):
            name, *rest = (part.strip().strip("\"'") for part in head[2].split("."))
            listed[name] += len(head[1]) - 1
            path = table = (name, *([str(listed[name] - 1)] if listed[name] else []), *rest)
        elif key := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            path = (*table, *(part.strip().strip("\"'") for part in key[1].split(".")))
        else:
            continue
        for depth in range(1, len(path) + 1):
            lines.setdefault(path[:depth], number)
    return lines


def _place(places: Mapping[tuple[str, ...], str], path: tuple[str | int, ...], origin: str) -> str:
    """Where the key, or the nearest table around it, was written."""
    for length in range(len(path), 0, -1):
        if place := places.get(tuple(map(str, path[:length]))):
            return place
    return origin
