"""The cell as a whole: what it is asked to be, what it holds once written, and the published presets."""

import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from rramsim.data import data_path
from rramsim.errors import RangeError
from rramsim.rng import RandomSource, as_streams
from rramsim.spec import NonNegative, Positive, Spec

from .faults import StuckSpec
from .statistics import ProgrammingSpec, ReadNoiseSpec

__all__ = ["DeviceSpec", "ProgrammedCells", "device", "presets"]


class DeviceSpec(Spec):
    """A memory cell: its conductance window and how far it strays from what is asked.

    ``DeviceSpec(preset="rram-wan-2022", ...)`` starts from a preset and changes some fields, as a study file does.
    Where a specification takes a device, the name of a preset will do.

    Parameters
    ----------
    name, title, source, note
        What the cell is, where its figures were published, and what the source does not give.
    g_min_siemens, g_max_siemens
        Conductance window; targets outside it are refused.
    programming
        Spread left after writing.
    stuck
        Cells that cannot be written.
    read_noise
        Noise of every read.
    write_volt, write_second
        Writing one cell: voltage and total time of its pulses; the energy is V^2 g t at the conductance written.
    """

    name: str = "custom"
    title: str = ""
    source: str = ""
    note: str = ""
    g_min_siemens: NonNegative = 0.0
    g_max_siemens: Positive = 100e-6
    programming: ProgrammingSpec = Field(default_factory=ProgrammingSpec)
    stuck: StuckSpec = Field(default_factory=StuckSpec)
    read_noise: ReadNoiseSpec = Field(default_factory=ReadNoiseSpec)
    write_volt: NonNegative = 0.0
    write_second: NonNegative = 0.0

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, fields: Any) -> Any:
        if isinstance(fields, str):
            fields = {"preset": fields}
        if not isinstance(fields, dict) or "preset" not in fields:
            return fields
        given = {key: value for key, value in fields.items() if key != "preset"}
        name = fields["preset"]
        if name not in presets():
            raise ValueError(f"unknown device preset {name!r}; allowed are {', '.join(presets())}")
        card = tomllib.loads(data_path("devices", f"{name}.toml").read_text(encoding="utf-8"))
        merged = {"name": name, **card}
        for key, value in given.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
        return merged

    @model_validator(mode="after")
    def _check(self) -> "DeviceSpec":
        if self.g_min_siemens >= self.g_max_siemens:
            raise ValueError(
                f"g_min_siemens {self.g_min_siemens:g} must be below g_max_siemens {self.g_max_siemens:g}: "
                "a cell without a conductance window stores nothing"
            )
        return self

    @property
    def window_siemens(self) -> float:
        """Width of the conductance window."""
        return self.g_max_siemens - self.g_min_siemens

    @property
    def without_errors(self) -> "DeviceSpec":
        """The same window and pulses, but no spread, no stuck cells and no read noise."""
        quiet = {"programming": ProgrammingSpec(), "stuck": StuckSpec(), "read_noise": ReadNoiseSpec()}
        return self.model_copy(update=quiet)

    def program(
        self, g_target: ArrayLike, rng: RandomSource = 0, rewritten: RandomSource | None = None
    ) -> "ProgrammedCells":
        """Write cells.

        Parameters
        ----------
        g_target
            Conductances asked for, siemens, any shape, within the window.
        rng
            Streams, a generator, or a seed, for what is drawn at every write.
        rewritten
            Where the first axis of ``g_target`` is not more cells but the same cells written again and again: the
            streams of these cells, for what is drawn once per cell and stays (stuck cells).

        Raises
        ------
        RangeError
            For a target outside the window.
        """
        target = np.asarray(g_target, dtype=np.float64)
        slack = 1e-9 * self.g_max_siemens
        if target.size and not (
            target.min() >= self.g_min_siemens - slack and target.max() <= self.g_max_siemens + slack
        ):
            raise RangeError(
                f"device {self.name!r}: targets lie within {self.g_min_siemens:g} .. {self.g_max_siemens:g} S; got "
                f"{target.min():g} .. {target.max():g} S. Outside its window the cell's behaviour is not known."
            )
        streams = as_streams(rng)
        g = self.programming.sample(target, self.g_max_siemens, streams.generator("programming"))
        cells = target.shape if rewritten is None else target.shape[1:]
        stuck = (streams if rewritten is None else as_streams(rewritten)).generator("stuck")
        g = self.stuck.apply(g, self.g_min_siemens, self.g_max_siemens, cells, stuck)
        return ProgrammedCells(self, g)


@dataclass(frozen=True)
class ProgrammedCells:
    """Cells as they were written.

    Parameters
    ----------
    spec
        The device.
    g
        Conductances, siemens, any shape.
    """

    spec: DeviceSpec
    g: NDArray[np.float64]

    def part(self, index: Any) -> "ProgrammedCells":
        """Some of the cells, chosen or rearranged by a NumPy index."""
        return ProgrammedCells(self.spec, self.g[index])

    def conductance(self) -> NDArray[np.float64]:
        """Written conductances, siemens, without read noise."""
        return self.g.copy()

    def read(self, rng: RandomSource = 0) -> NDArray[np.float64]:
        """Conductances, siemens, as one read sees them: with fresh noise, never below 0."""
        normal = as_streams(rng).generator("read").standard_normal(self.g.shape)
        return np.maximum(self.g * (1.0 + self.spec.read_noise.relative * normal), 0.0)


def presets() -> list[str]:
    """Names of the devices that come with rramsim."""
    return sorted(
        path.name.removesuffix(".toml") for path in data_path("devices").iterdir() if path.name.endswith(".toml")
    )


def device(name: str, /, **overrides: Any) -> DeviceSpec:
    """A preset, with some of its fields changed.

    Parameters
    ----------
    name
        One of :func:`presets`.
    overrides
        Fields of :class:`DeviceSpec` to set anew; a dict changes single fields of ``programming``, ``stuck`` or
        ``read_noise`` and leaves the others as the preset has them.

    Raises
    ------
    SpecError
        For an unknown name or a wrong field.
    """
    return DeviceSpec(**{"preset": name, **overrides})
