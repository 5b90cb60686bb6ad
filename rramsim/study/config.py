"""The study file: TOML in, a checked specification out, with every problem and its line reported at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from rramsim.array.wires import WireSpec
from rramsim.cards import STUDIES
from rramsim.cell.device import DeviceSpec
from rramsim.cost.components import load_components
from rramsim.engine.attention import AttentionSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec
from rramsim.spec import FieldError, Spec, changed_fields

from .sweep import SoftmaxStudySpec, Title

__all__ = [
    "CostSpec",
    "StudySpec",
    "WorkloadSpec",
    "default_study_text",
    "load_study",
    "read_study",
    "study_names",
    "study_text",
]


_SHARED = ("device", "wires")
"""Parts that the tables [device] and [wires] give to all arrays."""


class WorkloadSpec(Spec):
    """What the hardware is to compute.

    Parameters
    ----------
    name
        ``"digits-vit"``: the embedded vision transformer on the 8x8 handwritten digits.
    samples
        How many of the 599 held-out images are classified.
    calibration_samples
        Training images from which the full scales of inputs and converters are found.
    """

    name: Literal["digits-vit"] = "digits-vit"
    samples: int = Field(default=599, ge=1, le=599)
    calibration_samples: int = Field(default=64, ge=1, le=1198)


class CostSpec(Spec):
    """How the hardware is priced.

    Parameters
    ----------
    components
        Name of a table in ``data/components``.
    vector_lanes
        Lanes of the digital unit for biases, normalisations, rectifiers and residual sums.
    """

    components: str = "isaac-32nm"
    vector_lanes: int = Field(default=64, ge=1)

    @field_validator("components")
    @classmethod
    def _known(cls, name: str) -> str:
        load_components(name)
        return name


class StudySpec(Spec):
    """A study: one network, one hardware, and what each of its non-idealities costs.

    Parameters
    ----------
    title
        Heads the report.
    seed
        The one seed of everything random.
    trials
        Chips that are written for every line of the table with random errors.
    probe_samples
        Images whose inner signals go into the trace.
    workload
        What is computed.
    device, wires
        Cells and lines of all arrays; ``softmax.device`` and ``softmax.wires`` may differ.
    macro, softmax
        The matrix products, and the softmax engine, with these cells and lines.
    cost
        How it is priced.
    """

    title: Title = "rramsim study"
    seed: int = Field(default=0, ge=0, lt=2**63)
    trials: int = Field(default=5, ge=1, le=1000)
    probe_samples: int = Field(default=2, ge=0, le=16)
    workload: WorkloadSpec = Field(default_factory=WorkloadSpec)
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    macro: MacroSpec = Field(default_factory=MacroSpec)
    softmax: SoftmaxSpec = Field(
        default_factory=lambda: SoftmaxSpec(format=FixedPointSpec(integer_bits=5, fraction_bits=2))
    )
    cost: CostSpec = Field(default_factory=CostSpec)

    @model_validator(mode="after")
    def _check(self) -> "StudySpec":
        if self.probe_samples > self.workload.samples:
            raise ValueError(
                f"probe_samples {self.probe_samples} is more than workload.samples {self.workload.samples}: "
                "only images that are classified can be probed"
            )
        if not self.macro.signed_inputs:
            raise ValueError(
                "macro.signed_inputs is false, but activations of a network have either sign and would be cut at zero; "
                "the products with probabilities are unsigned of themselves"
            )
        table = load_components(self.cost.components)
        for part in (self.macro.adc, self.macro.dac):
            if part is not None and part.component not in table.components:
                known = ", ".join(name for name in sorted(table.components) if name[:4] == part.component[:4])
                raise ValueError(
                    f"a part {part.component!r} of [macro] has no price in the table {table.name!r}, which has {known}"
                )
        return self

    @field_validator("macro", "softmax", mode="before")
    @classmethod
    def _with_shared_parts(cls, part: Any, info: ValidationInfo) -> Any:
        """Cells and lines are given once, by [device] and [wires]; the softmax engine may have others."""
        shared = {key: info.data[key] for key in _SHARED if key in info.data}
        if isinstance(part, str):
            part = {"preset": part}
        if isinstance(part, Spec):
            given = part.given_fields
        elif isinstance(part, dict):
            given = part  # what a preset brings of its own is replaced
        else:
            return part
        if info.field_name == "softmax":
            shared = {key: value for key, value in shared.items() if key not in given}
        for key, value in shared.items():
            if key in given and not _equals(given[key], value):
                raise FieldError(
                    key, f"macro.{key} is set by the table [{key}], which serves all arrays; give it there"
                )
        return part.but(shared) if isinstance(part, Spec) else {**part, **shared}

    @property
    def given_fields(self) -> dict[str, Any]:
        """The fields that were given; cells and lines that macro and softmax share in [device] and [wires] alone."""
        fields = super().given_fields
        for key in {"macro", "softmax"} & fields.keys():
            part = getattr(self, key)
            fields[key] = {name: value for name, value in part.given_fields.items() if not self._shares(part, name)}
        return fields

    def _shares(self, part: Spec, key: str) -> bool:
        return key in _SHARED and getattr(part, key) == getattr(self, key)

    @property
    def resolved(self) -> dict[str, Any]:
        """Every setting that is in force, for JSON: presets spelled out, and nothing that another table decides."""
        shared = {key for key in _SHARED if self._shares(self.softmax, key)}
        return self.model_dump(mode="json", exclude={"macro": set(_SHARED), "softmax": shared})

    @property
    def chip(self) -> ChipSpec:
        """The hardware that the study asks for, with all its non-idealities."""
        return ChipSpec(macro=self.macro, attention=AttentionSpec(macro=self.macro, softmax=self.softmax))


def _equals(given: Any, spec: Spec) -> bool:
    """Whether what was given for a part is what another part says."""
    try:
        return (type(spec)(**given) if isinstance(given, dict) else given) == spec
    except SpecError:
        return False


def study_names() -> list[str]:
    """Names of the studies that come with rramsim."""
    return STUDIES.names


def study_text(name: str) -> str:
    """The text of a study that comes with rramsim.

    Raises
    ------
    SpecError
        For an unknown name.
    """
    if name not in study_names():
        raise SpecError(f"unknown study {name!r}; rramsim has {', '.join(study_names())}")
    return STUDIES.text(name)


def default_study_text() -> str:
    """The embedded study, as ``rramsim init`` writes it."""
    return study_text("digits")


def load_study(path: str | Path | None = None, settings: Iterable[str] = ()) -> StudySpec | SoftmaxStudySpec:
    """Read and check a study.

    Parameters
    ----------
    path
        A TOML file, or one of :func:`study_names`; None is the embedded study.
    settings
        Changes of single keys, such as ``"macro.adc.bits=5"``; the value is written as in TOML.

    Raises
    ------
    SpecError
        Naming file, line, key, what was given and what is allowed, for every problem at once.
    """
    if path is None:
        return read_study(default_study_text(), "the embedded study", settings)
    if str(path) in study_names():
        return read_study(study_text(str(path)), f"the study {path}", settings)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such study file; `rramsim init` writes one to start from. Studies that come with rramsim: "
            f"{', '.join(study_names())}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as a text file: {error}") from None
    return read_study(text, str(path), settings)


def read_study(text: str, origin: str, settings: Iterable[str] = ()) -> StudySpec | SoftmaxStudySpec:
    """Check the text of a study; ``origin`` names it in messages. See :func:`load_study`.

    A study with a table ``[scores]`` is one of the softmax engine alone.
    """
    try:
        tree = tomllib.loads(text)
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
        if found := places.get(tuple(map(str, path[:length]))):
            return found
    return origin
