"""What to cite: the references behind devices, macros, tables of components, studies and traces."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rramsim.cards import COMPONENTS, DEVICES, MACROS, STUDIES, Shelf
from rramsim.cell.device import DeviceSpec, device
from rramsim.cost.components import ComponentTable, load_components
from rramsim.engine.macro.programming import MacroSpec, macro
from rramsim.errors import SpecError, TraceError
from rramsim.references import Citations, Reference
from rramsim.spec import Spec
from rramsim.trace.read import Trace, open_trace

from .spec import CostSpec, StudySpec, WorkloadSpec
from .sweep import ScoresSpec, SoftmaxStudySpec, sweep_points
from .toml import load_study

__all__ = ["cite"]

_DATA = {"digits-vit": "alpaydin-kaynak", "minilm-l6": "minilm-l6", "glassllm": "glassllm"}
"""What the networks that come with rramsim learned from, or where they come from."""

_NAMED: dict[Shelf, Callable[[str], Spec]] = {
    DEVICES: device,
    MACROS: macro,
    COMPONENTS: load_components,
    STUDIES: load_study,
}
"""What reads a preset of each kind."""


def cite(what: Any) -> Citations:
    """References behind what is given, rramsim itself the first, as text and as BibTeX.

    Parameters
    ----------
    what
        A specification, something programmed, a study, a component table, or an open trace; or the name of a preset of
        any kind (what several kinds have is cited together), or the path of a card, a study (``.toml``) or a trace.

    Returns
    -------
    Citations
        ``print`` it, or take its ``text`` or ``bibtex``.

    Raises
    ------
    SpecError
        For what has no references to give, and for an unknown name.
    TraceError
        If a trace cannot be read, or was written before traces held their references.
    """
    if isinstance(what, str | Path):
        return _cite_named(str(what))
    if isinstance(what, Trace):
        return _cite_trace(what)
    spec = what if isinstance(what, Spec) else getattr(what, "spec", None)
    if not isinstance(spec, Spec):
        raise SpecError(
            f"cite: got a {type(what).__name__!r}; what can be cited are specifications, what was programmed "
            "from one, studies, component tables and traces, or the names and paths of them"
        )
    return Citations.gathered(_entries(spec))


def _cite_trace(trace: Trace) -> Citations:
    references = trace.references
    if references is None:
        raise TraceError(
            f"{trace.path}: was written before traces held their references; cite its study or its device instead"
        )
    return references


def _cite_named(name: str) -> Citations:
    if name.endswith(".toml"):
        return Citations.gathered(_entries(_read_toml(name)))
    specs = [read(name) for shelf, read in _NAMED.items() if name in shelf.names]
    if specs:
        return Citations.gathered(_entries(specs))
    if Path(name).suffix or Path(name).exists():
        with open_trace(name) as trace:
            return _cite_trace(trace)
    close = get_close_matches(name, [each for shelf in _NAMED for each in shelf.names], n=3)
    meant = f"did you mean {' or '.join(map(repr, dict.fromkeys(close)))}? " if close else ""
    raise SpecError(
        f"cite: nothing is called {name!r}; {meant}It takes the name of a device, a macro, a component table or a "
        "study, or the path of a card, a study or a trace"
    )


def _read_toml(path: str) -> Spec:
    """The study, card or table that a file holds, by the keys in it."""
    try:
        tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: cannot be read as TOML: {error}") from None
    if "components" in tree:
        return ComponentTable(**tree)
    kinds: dict[type[Spec], Callable[[str], Spec]] = {DeviceSpec: device, MacroSpec: macro}
    if "preset" not in tree:  # which a card may have, a study not
        kinds = {SoftmaxStudySpec if "scores" in tree else StudySpec: load_study, **kinds}
    kind = max(kinds, key=lambda each: len(tree.keys() & each.model_fields.keys()))
    return kinds[kind](path)


def _entries(thing: Any, name: str = "", *, embedded: bool = False) -> Iterator[str | Reference]:
    """References of a specification and of all that is in it, in the order of its fields."""
    if isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from _entries(value, str(key), embedded=embedded)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from _entries(value, name, embedded=embedded)
    elif isinstance(thing, Spec):
        name = getattr(thing, "name", name)
        embedded = embedded or any(name in shelf.embedded for shelf in (DEVICES, MACROS, COMPONENTS))
        references = getattr(thing, "references", ())
        yield from references
        if not (references or embedded) and (source := getattr(thing, "source", "")):
            yield _source_alone(name, getattr(thing, "title", ""), source)
        yield from _behind(thing)
        for key, value in thing:
            if key != "references":
                yield from _entries(value, key, embedded=embedded)


def _behind(spec: Spec) -> Iterator[str | Reference]:
    """References behind what a specification only names."""
    if isinstance(spec, CostSpec) and isinstance(spec.components, str):
        yield from _entries(load_components(spec.components))
    elif isinstance(spec, WorkloadSpec | ScoresSpec):
        names = [spec.name] if isinstance(spec, WorkloadSpec) else spec.models
        yield from (_DATA[name] for name in names if name in _DATA)
    elif isinstance(spec, SoftmaxStudySpec):
        yield from _entries([point.softmax for point in sweep_points(spec)])


def _source_alone(name: str, title: str, source: str) -> Reference:
    """What a card of one's own says of its source, where it gives no references."""
    words = re.sub(r"[^A-Za-z0-9.:_-]+", "-", name).strip("-.:_") or "source"
    digest = hashlib.sha256(source.encode()).hexdigest()[:6]  # two cards may have one name
    return Reference(key=f"{words}-{digest}", kind="data", title=title or name, note=source)
