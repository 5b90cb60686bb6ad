"""Sweeps of the softmax engine alone on recorded attention scores: what they ask, their points, and one point."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rramsim.arrays import Single
from rramsim.engine.softmax.kinds import SOFTMAX_UNITS, SoftmaxUnit
from rramsim.engine.softmax.unit import SoftmaxUnitSpec
from rramsim.errors import RramsimError, SpecError
from rramsim.model.deviation import Deviation, compare
from rramsim.model.recorded import recorded_scores
from rramsim.references import References
from rramsim.rng import Streams
from rramsim.spec import Fraction, Positive, Spec
from rramsim.threads import limit_threads

from .spec import Title

__all__ = [
    "ScoresSpec",
    "SoftmaxStudySpec",
    "SweepPoint",
    "SweepSpec",
    "ToleranceSpec",
    "changed",
    "evaluate_sweep",
    "scores_of",
    "sweep_points",
]


Model = Literal["digits-vit", "minilm-l6", "glassllm"]


class ToleranceSpec(Spec):
    """How far a format may stray from the exact softmax; the report names the fewest bits that stay within.

    Parameters
    ----------
    kl
        Largest mean divergence, nats.
    loss
        Largest share of rows whose largest probability is at another place.
    """

    kl: Positive | None = None
    loss: Fraction | None = None

    @model_validator(mode="after")
    def _check(self) -> "ToleranceSpec":
        if self.kl is None and self.loss is None:
            raise ValueError("tolerance gives kl, loss, or both; got neither")
        return self


class ScoresSpec(Spec):
    """The recorded attention scores that the engine is given.

    Parameters
    ----------
    models
        Networks whose attention was recorded.
    rows
        Vectors of scores of each.
    tolerance
        How far a format may stray; the report names the narrowest that does not.
    """

    models: Annotated[tuple[Model, ...], Field(strict=False)] = ("digits-vit", "minilm-l6", "glassllm")
    rows: int = Field(default=100, ge=1, le=100_000)
    tolerance: ToleranceSpec | None = None

    @model_validator(mode="after")
    def _check(self) -> "ScoresSpec":
        if not self.models or len(set(self.models)) < len(self.models):
            raise ValueError(f"models names at least one model, each once; got {list(self.models)}")
        return self


class SweepSpec(Spec):
    """Some keys of the softmax engine, and the values that they take.

    Parameters
    ----------
    name
        Heads table and figures.
    fixed
        Values by key: what is different in all points of the sweep. A key such as ``"device.g_min_siemens"`` is one
        below ``[softmax]``; several with a comma between them take the same value. ``"device.preset"`` replaces the
        whole device.
    vary
        Lists of values by key; the points are all combinations. Without it the sweep is one point.
    """

    name: Title
    fixed: dict[str, Any] = Field(default_factory=dict)
    vary: dict[str, Annotated[tuple[Any, ...], Field(strict=False)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "SweepSpec":
        for key, values in self.vary.items():
            if not values:
                raise ValueError(f"sweep {self.name!r}: vary {key!r} lists at least one value; got an empty list")
        return self

    @property
    def combinations(self) -> list[dict[str, Any]]:
        """Values by key, for every point."""
        return [dict(zip(self.vary, values, strict=True)) for values in product(*self.vary.values())]


class SoftmaxStudySpec(Spec):
    """A study of the softmax engine alone.

    Parameters
    ----------
    title
        Heads the report.
    seed
        The one seed of everything random.
    trials
        Engines that are written for every point. All points share their random numbers.
    scores
        What the engine is given.
    softmax
        The unit that all sweeps start from, of any kind.
    sweep
        The sweeps.
    references
        What ``rramsim.cite`` and the report give beside those of the parts: keys of known references, or tables of the
        fields of :class:`rramsim.Reference`.

    Raises
    ------
    SpecError
        Also for an engine that a sweep asks for and that is not allowed: naming sweep, keys, values and the reason.
    """

    title: Title = "softmax study"
    seed: int = Field(default=0, ge=0, lt=2**63)
    trials: int = Field(default=3, ge=1, le=1000)
    scores: ScoresSpec = Field(default_factory=ScoresSpec)
    softmax: SoftmaxUnit
    sweep: Annotated[tuple[SweepSpec, ...], Field(strict=False)]
    references: References = ()

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)
        problems = dict.fromkeys(problem for number in range(len(self.sweep)) for problem in self._problems(number))
        if problems:
            raise SpecError("\n".join(sentence for _, sentence in problems), list(problems))

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and "workload" in fields:
            raise ValueError(
                "got both [workload] and [scores]: a study runs a network, [workload], or sweeps the softmax engine on "
                "recorded scores, [scores]"
            )
        return fields

    @model_validator(mode="after")
    def _check(self) -> "SoftmaxStudySpec":
        names = [sweep.name for sweep in self.sweep]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a softmax study has at least one [[sweep]], each of another name; got {names}")
        return self

    def _problems(self, number: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What is wrong with the engines of a sweep; of each kind of problem the first."""
        sweep = self.sweep[number]
        reasons: set[str] = set()
        for values in sweep.combinations:
            try:
                changed(self.softmax, [sweep.fixed, values])
            except SpecError as error:
                reason = "; ".join(_reason(*each, {**sweep.fixed, **values}) for each in error.problems) or str(error)
                if reason not in reasons:
                    point = ", ".join(f"{key} = {value!r}" for key, value in {**sweep.fixed, **values}.items())
                    yield ("sweep", number), f"sweep {sweep.name!r}, {point}: {reason}"
                reasons.add(reason)

    @property
    def resolved(self) -> dict[str, Any]:
        """Every setting that is in force, for JSON."""
        return self.model_dump(mode="json")


def _reason(path: tuple[str | int, ...], sentence: str, point: Mapping[str, Any]) -> str:
    """What is wrong; with its key, where a point says nothing of it: a kind that lacks what another was given."""
    key = ".".join(map(str, path))
    return f"{key}: {sentence}" if "kind" in point and key not in point else sentence


def changed(softmax: SoftmaxUnitSpec, changes: Sequence[Mapping[str, Any]]) -> SoftmaxUnitSpec:
    """A softmax unit with some keys changed; ``kind`` makes another kind of it, with all keys that were given.

    Parameters
    ----------
    softmax
        The engine.
    changes
        Values by keys, as of :class:`SweepSpec`; no key twice.

    Raises
    ------
    SpecError
        For keys that do not go together, and for engines that are not allowed.
    """
    single: dict[str, Any] = {}
    for keys, value in (item for each in changes for item in each.items()):
        for key in (".".join(part.strip() for part in each.split(".")) for each in keys.split(",")):
            if key in single:
                raise SpecError(f"{key} is given twice")
            single[key] = value
    unit = SOFTMAX_UNITS.but(softmax, single)
    assert isinstance(unit, SoftmaxUnitSpec)  # noqa: S101  (its family)
    return unit


@dataclass(frozen=True)
class SweepPoint:
    """One engine to write and run.

    Parameters
    ----------
    sweep
        Name of its sweep.
    label
        What is varied, in short.
    settings
        Values by varied key.
    softmax
        The engine.
    trial
        Number of the trial.
    """

    sweep: str
    label: str
    settings: dict[str, Any]
    softmax: SoftmaxUnitSpec
    trial: int


def sweep_points(study: SoftmaxStudySpec) -> list[SweepPoint]:
    """Every point of the study, in the order of the sweeps."""
    return [
        SweepPoint(sweep.name, _label(sweep, values), values, engine, trial)
        for sweep in study.sweep
        for values in sweep.combinations
        for engine in [changed(study.softmax, [sweep.fixed, values])]
        for trial in range(study.trials)
    ]


def _label(sweep: SweepSpec, values: Mapping[str, Any]) -> str:
    """The last words of the keys, where they tell them apart, and the values."""
    short = {keys: ", ".join(dict.fromkeys(key.strip().split(".")[-1] for key in keys.split(","))) for keys in values}
    names = short if len(set(short.values())) == len(short) else {keys: keys for keys in values}
    return "; ".join(f"{names[keys]} = {_text(value)}" for keys, value in values.items()) or sweep.name


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


@lru_cache(maxsize=8)
def scores_of(model: str, rows: int) -> Single:
    """Recorded scores of a model, read once in a process."""
    return recorded_scores(model, rows)


def evaluate_sweep(seed: int, scores: ScoresSpec, point: SweepPoint) -> list[Deviation]:
    """Write one engine and run it on the scores of every model.

    Raises
    ------
    RramsimError
        Where the engine cannot be written, naming the point.
    """
    streams = Streams(seed).child("trial", point.trial)  # the same for all points: they differ by what they change
    recorded = {model: scores_of(model, scores.rows) for model in scores.models}
    try:
        with limit_threads(1):  # the points have the cores already
            engine = point.softmax.program(rng=streams.child("programming"))
            deviations = []
            for model, rows in recorded.items():
                result = engine.apply(rows, rng=streams.child("reads", model))
                deviations.append(compare(rows, result.values, result.errors))
            return deviations
    except RramsimError as error:
        raise type(error)(f"sweep {point.sweep!r}, {point.label}: {error}") from error
