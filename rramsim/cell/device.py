"""The cell as a whole: what it is asked to be, composed of parts, and what it does when it is written."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.cards import DEVICES, CardSpec
from rramsim.errors import RangeError, SpecError
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.spec import NonNegative, Positive

from .cells import Drawn, ProgrammedCells
from .conduction import ConductionSpec
from .faults import EnduranceSpec, FaultMap, StuckSpec
from .levels import LevelSpec
from .noise import ReadNoiseSpec, TelegraphSpec
from .retention import DriftSpec, RelaxationSpec, TemperatureSpec
from .statistics import ProgrammingSpec, draw_normal
from .writing import Steps, WriteSpec, Written

__all__ = ["DeviceSpec", "device"]


class DeviceSpec(CardSpec):
    """A memory cell, composed of parts; each part is ideal unless it is given.

    ``DeviceSpec(preset="rram-wan-2022", ...)`` starts from a preset, or from a card (``preset="mine.toml"``), and
    changes some fields, as a study file does. Where a specification takes a device, the name of a preset will do.

    Parameters
    ----------
    name, title, technology, source, note
        What the cell is, where its figures were published, and what the source does not give.
    g_min_siemens, g_max_siemens
        Conductance window; targets outside it are refused.
    fitted_siemens
        Conductances between which the figures were measured; targets outside are refused too.
    fitted_second
        Time after the write up to which they were; later reads are refused.
    bounded
        Whether a cell can hold nothing outside the window (at the reference temperature); otherwise only nothing below
        0.
    levels
        Conductances that a write aims at: any, or a number of levels.
    programming
        Error of a write, drawn anew at every write (cycle to cycle).
    device_to_device
        Error that a cell has in common in all its writes, drawn once.
    write
        Pulses of a write, and their verification.
    settled_second
        Time after the write at which the errors of programming were measured; relaxation and drift begin there.
    relaxation, drift
        What time does to a written cell.
    read_after_second
        Time after the write at which arrays read their cells, and the time where none is given.
    read_noise, telegraph
        Noise of every read, and random telegraph noise.
    stuck, endurance
        Cells that cannot be written, and wear.
    conduction
        How the current depends on the voltage.
    temperature
        Temperature of the cells.
    area_square_metre
        Area of one cell, with its access device.
    """

    shelf: ClassVar = DEVICES

    name: str = "custom"
    title: str = ""
    technology: str = ""
    source: str = ""
    note: str = ""
    g_min_siemens: NonNegative = 0.0
    g_max_siemens: Positive = 100e-6
    fitted_siemens: Annotated[tuple[NonNegative, Positive], Field(strict=False)] | None = None
    fitted_second: Positive | None = None
    bounded: bool = False
    levels: LevelSpec = Field(default_factory=LevelSpec)
    programming: ProgrammingSpec = Field(default_factory=ProgrammingSpec)
    device_to_device: ProgrammingSpec = Field(default_factory=ProgrammingSpec)
    write: WriteSpec = Field(default_factory=WriteSpec)
    settled_second: Positive = 1.0
    relaxation: RelaxationSpec = Field(default_factory=RelaxationSpec)
    drift: DriftSpec = Field(default_factory=DriftSpec)
    read_after_second: NonNegative = 0.0
    read_noise: ReadNoiseSpec = Field(default_factory=ReadNoiseSpec)
    telegraph: TelegraphSpec = Field(default_factory=TelegraphSpec)
    stuck: StuckSpec = Field(default_factory=StuckSpec)
    endurance: EnduranceSpec = Field(default_factory=EnduranceSpec)
    conduction: ConductionSpec = Field(default_factory=ConductionSpec)
    temperature: TemperatureSpec = Field(default_factory=TemperatureSpec)
    area_square_metre: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "DeviceSpec":
        if self.g_min_siemens >= self.g_max_siemens:
            raise ValueError(
                f"g_min_siemens {self.g_min_siemens:g} must be below g_max_siemens {self.g_max_siemens:g}: "
                "a cell without a conductance window stores nothing"
            )
        low, high = self.fitted_siemens or (0.0, np.inf)
        if low >= high or low >= self.g_max_siemens or high <= self.g_min_siemens:
            raise ValueError(
                f"fitted_siemens {low:g} .. {high:g} S is no range within the window {self.g_min_siemens:g} .. "
                f"{self.g_max_siemens:g} S: no target could be written"
            )
        if self.levels.law == "log" and not self.g_min_siemens:
            raise ValueError("levels.law = 'log' needs g_min_siemens above 0: ln g of the lowest level")
        if self.levels.siemens and not self._in_window(self.levels.siemens[0], self.levels.siemens[-1]):
            raise ValueError(
                f"levels.siemens lie within the window {self.g_min_siemens:g} .. {self.g_max_siemens:g} S; got "
                f"{self.levels.siemens[0]:g} .. {self.levels.siemens[-1]:g} S"
            )
        if self.write.step != "anew" and not (self.programming.ideal and self.device_to_device.ideal):
            raise ValueError(
                f"write.step = {self.write.step!r} makes its own errors: programming and device_to_device stay empty "
                "(the steps have step_spread and step_device_spread)"
            )
        published = self.relaxation.second
        if published and published[0] <= self.settled_second:
            raise ValueError(
                f"relaxation.second begins after settled_second {self.settled_second:g}, the time of the spread of "
                f"programming; got {published[0]:g}"
            )
        self.checked_time(self.read_after_second, ValueError)
        return self

    def _in_window(self, smallest: float, largest: float) -> bool:
        slack = 1e-9 * self.g_max_siemens  # rounding is no breach
        return smallest >= self.g_min_siemens - slack and largest <= self.g_max_siemens + slack

    @property
    def window_siemens(self) -> float:
        """Width of the conductance window."""
        return self.g_max_siemens - self.g_min_siemens

    @property
    def level_siemens(self) -> FloatArray | None:
        """The levels, siemens, ascending; None where any conductance of the window can be asked for."""
        return self.levels.of(self.g_min_siemens, self.g_max_siemens)

    @property
    def last_second(self) -> float:
        """Time after the write, at the reference temperature, up to which its source has figures; infinite: any."""
        return min((self.fitted_second or np.inf), (self.relaxation.second or (np.inf,))[-1])

    def sigma(self, g_target: FloatArray) -> FloatArray:
        """Standard deviation of written conductances, siemens: device-to-device and cycle-to-cycle errors together."""
        errors = (self.programming, self.device_to_device)
        return np.asarray(np.hypot(*(each.sigma(g_target, self.g_max_siemens) for each in errors)))

    @property
    def random(self) -> bool:
        """Whether two chips, or two reads of one, may differ."""
        write = self.write
        spreads = (write.step_spread, write.step_device_spread, write.top_device_spread, write.bottom_device_spread)
        parts = (self.programming, self.device_to_device, self.relaxation, self.drift, self.stuck, self.endurance)
        return self.noisy or any(spreads) or not all(part.ideal for part in parts)

    @property
    def ohmic(self) -> bool:
        """Whether the current is proportional to the voltage, with the conductance held and nothing in series."""
        return self.conduction.linear and self.conduction.series_ohm == 0

    @property
    def just_written(self) -> "DeviceSpec":
        """The same device, read at once: for operands that are written shortly before they are used."""
        return self.but({"read_after_second": 0.0})

    @property
    def noisy(self) -> bool:
        """Whether two reads of a cell differ."""
        return not (self.read_noise.ideal and self.telegraph.ideal)

    @property
    def without_errors(self) -> "DeviceSpec":
        """The same window and pulses, linear and lasting: no spread, faults, noise, drift or temperature."""
        kept = ("name", "title", "technology", "source", "note", "g_min_siemens", "g_max_siemens", "area_square_metre")
        pulse = WriteSpec(volt=self.write.volt, second=self.write.second, joule=self.write.joule)
        return DeviceSpec(**{key: getattr(self, key) for key in kept}, write=pulse)

    def checked_time(self, time_second: float, error: type[Exception] = RangeError) -> float:
        """A time after the write, refused where the figures of the device do not reach."""
        time = float(time_second)
        if not 0 <= time < np.inf:
            raise error(f"device {self.name!r}: a time after the write is at least 0 s; got {time_second!r}")
        if time * self.temperature.acceleration > self.last_second * (1 + 1e-9):
            factor = self.temperature.acceleration
            aged = f" ({time * factor:g} s at {self.temperature.reference_kelvin:g} K)" if factor != 1 else ""
            raise error(
                f"device {self.name!r}: got a read {time:g} s after the write{aged}; its source gives no figure after "
                f"{self.last_second:g} s"
            )
        return time

    def program(
        self,
        g_target: ArrayLike,
        rng: RandomSource = 0,
        rewritten: RandomSource | None = None,
        writes_before: ArrayLike = 0,
    ) -> ProgrammedCells:
        """Write cells.

        Parameters
        ----------
        g_target
            Conductances asked for, siemens, any shape, within the window; with levels, the nearest one is meant.
        rng
            Streams, a generator, or a seed, for what is drawn at every write.
        rewritten
            Where the first axis of ``g_target`` is not more cells but the same cells written again and again: the
            streams of these cells, for what is drawn once per cell and stays (device-to-device errors, faults).
        writes_before
            Writes that the cells had before this one, for wear: a number, or one for each cell, such as
            ``ProgrammedCells.writes`` of the write before.

        Raises
        ------
        RangeError
            For a target outside the window, or outside the range in which the device was measured.
        """
        target = self._targets(g_target)
        streams = as_streams(rng)
        own = streams if rewritten is None else as_streams(rewritten)
        cells = target.shape if rewritten is None else target.shape[1:]
        before = _checked_writes(writes_before, cells)
        written = self._write(target, streams, own, cells, before)
        faults = self._faults(cells, own, before)
        g, failed = self._after(written.g.reshape(target.shape), target, faults)
        pulses, joule = self._effort(written, g, failed, faults)
        return ProgrammedCells(
            spec=self,
            g=g,
            pulses=pulses,
            joule=joule,
            failed=failed,
            writes_before=np.broadcast_to(before, target.shape) if before.any() else None,
            held=None if faults is None else np.broadcast_to(faults.held, target.shape),
            g_target=None if self.relaxation.ideal else target.copy(),
            drawn=self._drawn(target, g, cells, streams, own),
        )

    def _drawn(
        self, target: FloatArray, g: FloatArray, cells: tuple[int, ...], streams: Streams, own: Streams
    ) -> Drawn:
        """What only a later read needs."""
        draws: dict[str, Callable[[], Single]] = {}
        if not self.relaxation.ideal:
            shape = target.shape
            draws["wander"] = lambda: draw_normal(streams.generator("relaxation"), shape)
        if not self.drift.ideal:
            kept = target.copy()  # the caller's array may change before they are drawn
            draws["exponent"] = lambda: self.drift.draw(kept, self.g_max_siemens, streams.generator("drift"))
        if not self.telegraph.ideal:

            def trap() -> Single:
                once = g if g.shape == cells else g[0] if len(g) else np.zeros(cells)
                rng = own.generator("telegraph")
                return np.broadcast_to(self.telegraph.amplitudes(once, self.g_max_siemens, rng), g.shape)

            draws["trap"] = trap
        return Drawn(draws)

    def _targets(self, g_target: ArrayLike) -> FloatArray:
        target = np.asarray(g_target, dtype=np.float64)
        if not target.size:
            return target
        smallest, largest = float(target.min()), float(target.max())
        if not self._in_window(smallest, largest):
            raise RangeError(
                f"device {self.name!r}: targets lie within {self.g_min_siemens:g} .. {self.g_max_siemens:g} S; got "
                f"{smallest:g} .. {largest:g} S. Outside its window the cell's behaviour is not known."
            )
        low, high = self.fitted_siemens or (0.0, np.inf)
        if smallest < low * (1 - 1e-9) or largest > high * (1 + 1e-9):
            raise RangeError(
                f"device {self.name!r}: its figures were measured from {low:g} to {high:g} S; got targets of "
                f"{smallest:g} .. {largest:g} S. Outside this range a fit is no measurement."
            )
        levels = self.level_siemens
        if levels is not None:
            target = levels[np.searchsorted(0.5 * (levels[1:] + levels[:-1]), target)]
        return target

    def _write(
        self, target: FloatArray, streams: Streams, own: Streams, cells: tuple[int, ...], writes_before: FloatArray
    ) -> Written:
        """One write of all cells, without faults; flat. A worn cell comes no further than its narrowed window."""
        flat = np.ascontiguousarray(target).reshape(-1)
        window = (self.g_min_siemens, self.g_max_siemens)
        top = self.endurance.top_siemens(*window, writes_before) if self.endurance.narrowing_per_decade else np.inf
        reach = np.minimum(target, top) if self.endurance.narrowing_per_decade else target
        mean = np.array(reach).reshape(-1)
        if not self.device_to_device.ideal:
            mean = self._device_means(reach, own.generator("device_to_device"), cells)
        steps = self.write.devices(cells, window, own.generator("steps"))
        if steps is not None:
            steps = steps._replace(top=np.maximum(np.minimum(steps.top, top), steps.bottom))
            steps = Steps(*(np.ascontiguousarray(np.broadcast_to(each, target.shape)).reshape(-1) for each in steps))
        return self.write.run(flat, mean, self.programming, window, streams, steps, bounded=self.bounded)

    def _device_means(self, target: FloatArray, rng: np.random.Generator, cells: tuple[int, ...]) -> FloatArray:
        """Where each cell ends without an error of the write itself; flat, each write with the same numbers."""
        if cells == target.shape:
            return self.device_to_device.sample(target, self.g_max_siemens, rng).reshape(-1)
        state = rng.bit_generator.state
        means = np.empty(target.shape)
        for k, once in enumerate(target):
            rng.bit_generator.state = state
            means[k] = self.device_to_device.sample(once, self.g_max_siemens, rng)
        return means.reshape(-1)

    def _faults(self, cells: tuple[int, ...], own: Streams, writes_before: FloatArray) -> FaultMap | None:
        faults = self.stuck.draw(self.g_min_siemens, self.g_max_siemens, cells, own.child("stuck"))
        if self.endurance.writes is None:
            return faults
        worn = self.endurance.worn_out(writes_before, cells, own.generator("lifetime"))
        at = np.full(cells, self.g_max_siemens if self.endurance.fails == "on" else self.g_min_siemens)
        if faults is None:
            return FaultMap(worn, at)
        return FaultMap(faults.held | worn, np.where(faults.held, faults.g, at))

    def _after(self, g: FloatArray, target: FloatArray, faults: FaultMap | None) -> tuple[FloatArray, BoolArray | None]:
        """Conductances with faults, and which cells missed a verified target."""
        if faults is not None:
            g = np.where(faults.held, faults.g, g)
        if not self.write.verified:
            return g, None
        return g, np.abs(g - target) > self.write.tolerance(target, self.g_max_siemens)

    def _effort(
        self, written: Written, g: FloatArray, failed: BoolArray | None, faults: FaultMap | None
    ) -> tuple[NDArray[np.int32] | None, FloatArray | None]:
        """Pulses and energy of each cell; one that cannot be written is given up after the last pulse."""
        if written.pulses is None or written.joule is None or failed is None:
            return None, None
        pulses, joule = written.pulses.reshape(g.shape), written.joule.reshape(g.shape)
        if faults is not None:
            least = 1 if self.write.step == "anew" else 0
            tried = np.where(failed, self.write.most_pulses, least).astype(np.int32)
            pulses = np.where(faults.held, tried, pulses)
            joule = np.where(faults.held, tried * self.write.pulse_joule(g), joule)
        return pulses, joule


def _checked_writes(writes_before: ArrayLike, cells: tuple[int, ...]) -> FloatArray:
    """Writes of the past, one number or one for each cell."""
    writes = np.asarray(writes_before, dtype=np.float64)
    if writes.shape not in ((), cells) or not ((writes >= 0) & (writes < np.inf)).all():
        given = writes_before if writes.ndim == 0 else f"the shape {writes.shape}, from {writes.min()} on"
        raise SpecError(
            f"writes_before is a number of writes, at least 0, or one for each cell, shape {cells}; got {given}"
        )
    return writes


def device(name: str, /, **overrides: Any) -> DeviceSpec:
    """A preset, with some of its fields changed.

    Parameters
    ----------
    name
        One of :func:`rramsim.presets`, or the path of a card (``"mine.toml"``).
    overrides
        Fields of :class:`DeviceSpec` to set anew; a dict changes single fields of one of its parts and leaves the
        others as the preset has them.

    Raises
    ------
    SpecError
        For an unknown name or a wrong field.
    """
    if "preset" in overrides:
        raise SpecError(f"device: the preset is named first; got {name!r} and preset = {overrides['preset']!r}")
    kind = DeviceSpec
    with suppress(ValueError):  # said in full below
        found = DEVICES.card(name)
        kind = type(found) if isinstance(found, DeviceSpec) else DeviceSpec
    return kind(**{"preset": name, **overrides})
