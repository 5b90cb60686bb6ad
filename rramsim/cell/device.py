"""Cells that can be written: what a write leaves in them, and devices by name."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import BoolArray, FloatArray, Single
from rramsim.cards import DEVICES
from rramsim.errors import SpecError
from rramsim.rng import RandomSource, Streams, as_streams

from .cells import Drawn, ProgrammedCells
from .design import DeviceDesign
from .faults import FaultMap
from .normal import draw_normal
from .part import Effect
from .retention import TemperatureSpec
from .writing import WriteOutcome, WriteSpec

__all__ = ["DeviceSpec", "device"]


class DeviceSpec(DeviceDesign):  # noqa: D101  (it stands in DeviceDesign, once)
    __doc__ = DeviceDesign.__doc__

    @property
    def just_written(self) -> Self:
        """A device like this one, read at once: for operands that are written shortly before they are used."""
        return self.but({"read_after_second": 0.0})

    @property
    def without_errors(self) -> "DeviceSpec":
        """An ideal device with the window and pulses of this one: no spread, faults, noise or drift.

        It has the temperature of this one, which is that of the lines of its array, and its figures hold there.
        """
        texts = ("name", "title", "technology", "source", "references", "note")
        keys = (*texts, "g_min_siemens", "g_max_siemens", "area_square_metre")
        pulse = WriteSpec(volt=self.write.volt, pulse_second=self.write.pulse_second, joule=self.write.joule)
        kelvin = self.temperature.kelvin
        warm = TemperatureSpec(kelvin=kelvin, reference_kelvin=kelvin) if kelvin != TemperatureSpec().kelvin else None
        parts = {"write": pulse} if warm is None else {"write": pulse, "temperature": warm}
        return DeviceSpec(**{key: getattr(self, key) for key in keys}, **parts)

    def only(self, *effects: Effect) -> "DeviceSpec":
        """An ideal device with those parts of this one that act on what is named.

        Parameters
        ----------
        effects
            What they act on: ``Effect.WRITTEN``, ``KEPT``, ``READ``, ``FAULT``, ``CONDUCTION``.
        """
        return self.without_errors.but(self.parts_with(*effects))

    def program(
        self,
        g_target: ArrayLike,
        *,
        writes_before: ArrayLike = 0,
        cell_rng: RandomSource = None,
        rng: RandomSource = None,
    ) -> ProgrammedCells:
        """Write cells.

        Parameters
        ----------
        g_target
            Conductances asked for, siemens, any shape, within the window; with levels, the nearest one is meant.
        writes_before
            Writes that the cells had before this one, for wear: a number, or one for each cell, such as
            ``ProgrammedCells.writes`` of the write before.
        cell_rng
            Where the first axis of ``g_target`` is not more cells but the same cells written again and again: the
            streams of these cells, for what is drawn once per cell and stays (device-to-device errors, faults).
        rng
            Streams, a generator, or a seed, for what is drawn at every write; None: fresh entropy, which the cells
            keep as ``seed``.

        Raises
        ------
        RangeError
            For a target outside the window, or outside the range in which the device was measured.
        """
        target = self.checked_targets(g_target)
        streams = as_streams(rng)
        cell_streams = streams if cell_rng is None else as_streams(cell_rng)
        cell_shape = target.shape if cell_rng is None else target.shape[1:]
        before = _checked_writes(writes_before, cell_shape)
        outcome = self._write(target, streams, cell_streams, cell_shape, before)
        faults = self._faults(cell_shape, cell_streams, before)
        g, failed = self._with_faults(outcome.g.reshape(target.shape), target, faults)
        pulses, joule = self._effort(outcome, g, failed, faults)
        return ProgrammedCells(
            spec=self,
            g=g,
            pulses=pulses,
            joule=joule,
            failed=failed,
            writes_before=np.broadcast_to(before, target.shape) if before.any() else None,
            held=None if faults is None else np.broadcast_to(faults.held, target.shape),
            g_target=None if self.relaxation.ideal else target.copy(),
            drawn=self._draws_for_reads(target, g, cell_shape, streams, cell_streams),
            seed=streams.repeated_by,
        )

    def _write(
        self,
        target: FloatArray,
        streams: Streams,
        cell_streams: Streams,
        cell_shape: tuple[int, ...],
        writes_before: FloatArray,
    ) -> WriteOutcome:
        """One write of all cells, without faults; flat. A worn cell comes no further than its narrowed window."""
        flat = np.ascontiguousarray(target).reshape(-1)
        window = (self.g_min_siemens, self.g_max_siemens)
        top = self.endurance.top_siemens(*window, writes_before) if self.endurance.narrowing_per_decade else np.inf
        reach = np.minimum(target, top) if self.endurance.narrowing_per_decade else target
        mean = np.array(reach).reshape(-1)
        if not self.device_to_device.ideal:
            mean = self._device_means(reach, cell_streams.generator("device_to_device"), cell_shape)
        steps = self.write.draw_steps(cell_shape, window, cell_streams.generator("steps"))
        if steps is not None:
            steps = steps._replace(top=np.maximum(np.minimum(steps.top, top), steps.bottom)).flat(target.shape)
        return self.write.run(flat, mean, self.programming, window, streams, steps, bounded=self.bounded)

    def _device_means(self, target: FloatArray, rng: np.random.Generator, cell_shape: tuple[int, ...]) -> FloatArray:
        """Where each cell ends without an error of the write itself; flat, each write with the same numbers."""
        if cell_shape == target.shape:
            return self.device_to_device.sample(target, self.g_max_siemens, rng).reshape(-1)
        state = rng.bit_generator.state
        means = np.empty(target.shape)
        for k, one_write in enumerate(target):
            rng.bit_generator.state = state
            means[k] = self.device_to_device.sample(one_write, self.g_max_siemens, rng)
        return means.reshape(-1)

    def _faults(self, cell_shape: tuple[int, ...], cell_streams: Streams, writes_before: FloatArray) -> FaultMap | None:
        """Stuck and worn-out cells together; None where there can be none."""
        faults = self.stuck.draw(self.g_min_siemens, self.g_max_siemens, cell_shape, cell_streams.child("stuck"))
        if self.endurance.writes is None:
            return faults
        worn = self.endurance.worn_out(writes_before, cell_shape, cell_streams.generator("lifetime"))
        at = np.full(cell_shape, self.g_max_siemens if self.endurance.fails == "on" else self.g_min_siemens)
        if faults is None:
            return FaultMap(worn, at)
        return FaultMap(faults.held | worn, np.where(faults.held, faults.g, at))

    def _with_faults(
        self, g: FloatArray, target: FloatArray, faults: FaultMap | None
    ) -> tuple[FloatArray, BoolArray | None]:
        """Conductances with faults, and which cells missed a verified target."""
        if faults is not None:
            g = np.where(faults.held, faults.g, g)
        if not self.write.verified:
            return g, None
        return g, np.abs(g - target) > self.write.tolerance(target, self.g_max_siemens)

    def _effort(
        self, outcome: WriteOutcome, g: FloatArray, failed: BoolArray | None, faults: FaultMap | None
    ) -> tuple[NDArray[np.int32] | None, FloatArray | None]:
        """Pulses and energy of each cell; one that cannot be written is given up after the last pulse."""
        if outcome.pulses is None or outcome.joule is None or failed is None:
            return None, None
        pulses, joule = outcome.pulses.reshape(g.shape), outcome.joule.reshape(g.shape)
        if faults is not None:
            least = 1 if self.write.step == "anew" else 0
            tried = np.where(failed, self.write.most_pulses, least).astype(np.int32)
            pulses = np.where(faults.held, tried, pulses)
            joule = np.where(faults.held, tried * self.write.pulse_joule(g), joule)
        return pulses, joule

    def _draws_for_reads(
        self,
        target: FloatArray,
        g: FloatArray,
        cell_shape: tuple[int, ...],
        streams: Streams,
        cell_streams: Streams,
    ) -> Drawn:
        """The random numbers of this write that only a later read needs, drawn when one does."""
        draws: dict[str, Callable[[], Single]] = {}
        if not self.relaxation.ideal:
            shape = target.shape
            draws["wander"] = lambda: draw_normal(streams.generator("relaxation"), shape)
        if not self.drift.ideal:
            copied = target.copy()  # the caller's array may change before they are drawn
            draws["exponent"] = lambda: self.drift.draw(copied, self.g_max_siemens, streams.generator("drift"))
        if not self.telegraph.ideal:

            def trap() -> Single:
                one_write = g if g.shape == cell_shape else g[0] if len(g) else np.zeros(cell_shape)
                rng = cell_streams.generator("telegraph")
                return np.broadcast_to(self.telegraph.amplitudes(one_write, self.g_max_siemens, rng), g.shape)

            draws["trap"] = trap
        return Drawn(draws)


def _checked_writes(writes_before: ArrayLike, cell_shape: tuple[int, ...]) -> FloatArray:
    """Writes of the past, one number or one for each cell."""
    writes = np.asarray(writes_before, dtype=np.float64)
    if writes.shape not in ((), cell_shape) or not ((writes >= 0) & (writes < np.inf)).all():
        given = writes_before if writes.ndim == 0 else f"the shape {writes.shape}, from {writes.min()} on"
        raise SpecError(
            f"writes_before is a number of writes, at least 0, or one for each cell, shape {cell_shape}; got {given}"
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
        card = DEVICES.card(name)
        kind = type(card) if isinstance(card, DeviceSpec) else DeviceSpec
    return kind(**{"preset": name, **overrides})
