"""Cells as they were written: what they hold later, and what a read sees of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.errors import SpecError
from rramsim.rng import RandomSource, Seed, as_streams

from .design import DeviceDesign
from .noise import Cumulants, checked_times
from .normal import draw_normal

__all__ = ["Drawn", "ProgrammedCells", "ReadMoments"]


class Drawn:
    """Random numbers of cells that are drawn on first use, by name.

    Parameters
    ----------
    draws
        For each name the function that draws; it gives the same numbers whenever it is called.
    """

    def __init__(self, draws: Mapping[str, Callable[[], Single]]) -> None:
        self._draws = dict(draws)
        self._values: dict[str, Single] = {}

    def get(self, name: str) -> Single | None:
        """The numbers; None where the cells have none of this name."""
        if name in self._draws and name not in self._values:
            self._values[name] = self._draws[name]()
        return self._values.get(name)

    def __getstate__(self) -> dict[str, Single]:
        # A copy in another process has the numbers themselves.
        return {name: np.asarray(self.get(name)) for name in self._draws}

    def __setstate__(self, values: dict[str, Single]) -> None:
        self._values = dict(values)
        self._draws = {name: partial(values.__getitem__, name) for name in values}

    def changed(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> "Drawn":
        """The numbers of the cells in another order or shape."""

        def draw(name: str) -> Single:
            return change(np.asarray(self.get(name)))

        return Drawn({name: partial(draw, name) for name in self._draws})


class ReadMoments(NamedTuple):
    """Mean and standard deviation of one read of each cell, siemens, in the shape of the cells."""

    mean: FloatArray
    deviation: FloatArray


@dataclass(frozen=True)
class ProgrammedCells:
    """Cells as they were written; all arrays have the shape of the targets.

    Parameters
    ----------
    spec
        The device.
    g
        Conductances as written, siemens.
    pulses, joule
        Pulses and energy that each cell took; None: one pulse each, not verified.
    failed
        Cells further from their target than the tolerance, whatever the reason; None: not verified.
    writes_before
        Writes that the cells had before; None: none.
    held
        Stuck and worn-out cells, which do not change in time; None: there are none.
    g_target
        Targets, siemens; None: the device does not relax.
    drawn
        What is drawn at the write but needed later only, and not by all: see ``wander``, ``exponent``, ``trap``.
    seed
        What the write drew from: as ``rng`` of another write it gives these cells again.
    """

    spec: DeviceDesign
    g: FloatArray
    pulses: NDArray[np.int32] | None = None
    joule: FloatArray | None = None
    failed: BoolArray | None = None
    writes_before: FloatArray | None = None
    held: BoolArray | None = None
    g_target: FloatArray | None = None
    drawn: Drawn = field(default_factory=lambda: Drawn({}))
    seed: Seed | None = None

    def part(self, index: Any) -> "ProgrammedCells":
        """Some of the cells, chosen or rearranged by a NumPy index."""
        return self.rearranged(lambda each: each[index])

    def banks(self, n_rows: int) -> list["ProgrammedCells"]:
        """The cells of every so many rows, in their order."""
        return [self.part(slice(start, start + n_rows)) for start in range(0, len(self.g), n_rows)]

    def rearranged(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> "ProgrammedCells":
        """The cells in another order or shape: ``change`` is done to each array."""
        names = ("g", "pulses", "joule", "failed", "writes_before", "held", "g_target")
        arrays = {name: getattr(self, name) for name in names}
        changed: dict[str, Any] = {name: None if each is None else change(each) for name, each in arrays.items()}
        return ProgrammedCells(self.spec, **changed, drawn=self.drawn.changed(change), seed=self.seed)

    @property
    def wander(self) -> Single | None:
        """The standard normal number of each cell's relaxation; None: the device does not relax."""
        return self.drawn.get("wander")

    @property
    def exponent(self) -> Single | None:
        """Drift exponents; None: the device does not drift."""
        return self.drawn.get("exponent")

    @property
    def trap(self) -> Single | None:
        """Share of the conductance that a filled trap takes in each cell; None: there is no telegraph noise."""
        return self.drawn.get("trap")

    @property
    def n_pulses(self) -> int:
        """Pulses of all cells together."""
        return self.g.size if self.pulses is None else int(self.pulses.sum())

    @property
    def n_failed(self) -> int:
        """Cells that missed a verified target."""
        return 0 if self.failed is None else int(self.failed.sum())

    @property
    def writes(self) -> FloatArray:
        """Pulses that each cell has had in its life, this write included."""
        before = 0.0 if self.writes_before is None else self.writes_before
        return np.asarray(before + (np.ones(self.g.shape) if self.pulses is None else self.pulses))

    @property
    def write_joule(self) -> float:
        """Energy of the pulses of all cells together."""
        return float(np.sum(self.spec.write.pulse_joule(self.g) if self.joule is None else self.joule))

    @property
    def write_second(self) -> FloatArray:
        """Time of the pulses of each cell."""
        pulses = np.ones(self.g.shape) if self.pulses is None else self.pulses
        return np.asarray(pulses * self.spec.write.pulse_second)

    def at(self, time_second: float) -> "ProgrammedCells":
        """These cells ``time_second`` after they were written: the time of a read where none is given.

        Raises
        ------
        RangeError
            For a time that the source of the device does not reach.
        """
        return replace(self, spec=self.spec.but({"read_after_second": self.spec.checked_time(time_second)}))

    def conductance(self, time_second: float | None = None) -> FloatArray:
        """Conductances, siemens, without read noise.

        Parameters
        ----------
        time_second
            Time since the write, second; without it, ``read_after_second`` of the device. Nothing happens before its
            ``settled_second``.

        Raises
        ------
        RangeError
            For a time that the source of the device does not reach.
        """
        g = self._at(time_second)
        return g.copy() if g is self.g else g

    def _at(self, time_second: float | None) -> FloatArray:
        """Conductances at a time, siemens; those of the write themselves, not a copy, where nothing has changed."""
        spec, g = self.spec, self.g
        time = spec.checked_time(spec.read_after_second if time_second is None else time_second)
        # Relaxation and drift run in the time of the reference temperature.
        aged = time * spec.temperature.acceleration
        if aged >= spec.settled_second and not (spec.relaxation.ideal and spec.drift.ideal):
            if self.wander is not None and self.g_target is not None:
                g = np.maximum(g + self._relaxation(aged), 0.0)
            if self.exponent is not None:
                g = g * np.exp(-log(aged / spec.settled_second) * self.exponent.astype(np.float64))
            if spec.bounded:
                g = np.clip(g, spec.g_min_siemens, spec.g_max_siemens)
            if self.held is not None:
                g = np.where(self.held, self.g, g)
        if spec.temperature.conductance_factor != 1.0:
            g = g * spec.temperature.conductance_factor
        return g

    def _relaxation(self, aged: float) -> FloatArray:
        """How far each cell has wandered off, siemens, so long after the write at the reference temperature."""
        assert self.wander is not None  # noqa: S101
        assert self.g_target is not None  # noqa: S101
        spec, target, top = self.spec, self.g_target, self.spec.g_max_siemens
        shift, sigma = spec.relaxation.moments(target, top, aged, spec.settled_second, spec.sigma(target))
        return np.asarray(shift + sigma * self.wander)

    def cumulants(self, time_second: float | None = None, *, filled: BoolArray | None = None) -> Cumulants:
        """Exact mean, variance and third central moment of one read of each cell, siemens and its powers.

        Parameters
        ----------
        time_second
            Time since the write, second; see :meth:`conductance`.
        filled
            Which traps are filled, in the shape of the cells or one that is broadcast to it, so that only the white
            noise is left to chance; None: at every read each by chance. No matter in cells without a trap.

        Raises
        ------
        SpecError
            For ``filled`` of another shape.
        """
        spec, g = self.spec, self._at(time_second)
        deviation = self._deviation(g, time_second)
        if self.trap is None:
            return spec.read_noise.cumulants(g, deviation)
        trap_share = self.trap.astype(np.float64)
        if filled is not None:
            trap_share = np.where(_checked_states(filled, g.shape), trap_share, 0.0)
            return spec.read_noise.cumulants(*spec.read_noise.weakened(g, deviation, trap_share))
        weakened = spec.read_noise.cumulants(*spec.read_noise.weakened(g, deviation, trap_share))
        return spec.telegraph.mixed(spec.read_noise.cumulants(g, deviation), weakened)

    def moments(self, time_second: float | None = None) -> ReadMoments:
        """Mean and standard deviation of one read of each cell, siemens; traps are filled by chance at every read."""
        mean, variance, _ = self.cumulants(time_second)
        return ReadMoments(mean, np.sqrt(variance))

    def _deviation(self, g: FloatArray, time_second: float | None) -> FloatArray:
        """Standard deviation of the white or 1/f noise of a read of each cell, siemens."""
        spec = self.spec
        time = spec.read_after_second if time_second is None else time_second
        deviation = spec.read_noise.deviation(g, self.g, spec.g_max_siemens, max(time, spec.settled_second))
        if self.held is not None and not spec.read_noise.ideal:
            deviation = np.where(self.held & (self.g == 0), 0.0, deviation)  # a broken line carries no noise
        return deviation

    def read(self, time_second: float | None = None, *, rng: RandomSource = None) -> FloatArray:
        """Conductances, siemens, as one read sees them: with noise, never below 0.

        Parameters
        ----------
        time_second
            Time since the write, second; see :meth:`conductance`.
        rng
            Streams, a generator, or a seed, which gives the same noise again; None: fresh noise at every read.
        """
        time = self.spec.read_after_second if time_second is None else time_second
        read: FloatArray = self.read_series([time], rng=rng)[0]
        return read

    def read_series(self, seconds: ArrayLike, *, rng: RandomSource = None) -> FloatArray:
        """Reads of the same cells one after another: (n_reads, ...), siemens.

        White and 1/f noise are fresh at each read; a trap remembers its state from read to read.

        Parameters
        ----------
        seconds
            Times since the write, second, in ascending order.
        rng
            Streams, a generator, or a seed; None: fresh noise.

        Raises
        ------
        SpecError
            For times that descend or are not finite.
        """
        streams = as_streams(rng)
        times = checked_times(seconds)
        filled = None
        if self.trap is not None:
            filled = self.spec.telegraph.states(self.g.shape, times, streams.generator("telegraph"))
        generator, noise = streams.generator("read"), self.spec.read_noise
        reads = np.empty((times.size, *self.g.shape))
        for k, time in enumerate(times):
            g = self._at(float(time))
            deviation = self._deviation(g, float(time))
            if filled is not None and self.trap is not None:
                g, deviation = noise.weakened(g, deviation, filled[k] * self.trap.astype(np.float64))
            reads[k] = g if noise.ideal else noise.read(g, deviation, draw_normal(generator, g.shape))
        return reads


def _checked_states(filled: ArrayLike, shape: tuple[int, ...]) -> BoolArray:
    """States of traps, if they are those of cells of this shape."""
    states = np.asarray(filled)
    fits = states.ndim <= len(shape) and all(
        n in (1, here) for n, here in zip(states.shape[::-1], shape[::-1], strict=False)
    )
    if states.dtype != np.bool_ or not fits:
        raise SpecError(
            f"filled: one bool for each trap, which is filled or not, in the shape {shape} of the cells; got "
            f"{states.dtype} in the shape {states.shape}"
        )
    return states
