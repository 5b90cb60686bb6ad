"""What a cell is asked to be: its parts, its window, and how far its source reaches."""

from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from rramsim.arrays import FloatArray
from rramsim.cards import DEVICES, CardSpec
from rramsim.errors import RangeError, SpecError
from rramsim.references import References
from rramsim.spec import NonNegative, Positive, Spec
from rramsim.units import duration

from .conduction import CONDUCTION_LAWS, ConductionSpec, LinearConductionSpec
from .faults import EnduranceSpec, StuckSpec
from .levels import LevelSpec
from .noise import ReadNoiseSpec, TelegraphSpec
from .part import Declaration, DevicePart, Draw, Effect, Window, siemens_words
from .retention import DriftSpec, RelaxationSpec, TemperatureSpec
from .spread import GaussianSpreadSpec
from .spread.laws import Spread
from .writing import WriteSpec

__all__ = ["DeviceDesign", "TargetRange"]


class TargetRange(NamedTuple):
    """Lowest and highest conductance that a write may aim at, siemens."""

    low: float
    high: float


class DeviceDesign(CardSpec):
    """A memory cell, composed of parts; each part is ideal unless it is given.

    ``DeviceSpec(preset="rram-wan-2022", ...)`` starts from a preset, or from a card (``preset="mine.toml"``), and
    changes some fields, as a study file does. Where a specification takes a device, the name of a preset will do.

    Parameters
    ----------
    name, title, technology, source, note
        What the cell is, where its figures were published, and what the source does not give.
    references
        What ``rramsim.cite`` gives: keys of known references, or tables of the fields of :class:`rramsim.Reference`.
    g_min_siemens, g_max_siemens
        Conductance window; targets outside it are refused.
    fitted_from_to_siemens
        Conductances between which the figures were measured; targets outside are refused too.
    fitted_until_second
        Time after the write up to which the figures were measured; later reads are refused.
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
    references: References = ()
    note: str = ""
    g_min_siemens: NonNegative = 0.0
    g_max_siemens: Positive = 100e-6
    fitted_from_to_siemens: Annotated[tuple[NonNegative, Positive], Field(strict=False)] | None = None
    fitted_until_second: Positive | None = None
    bounded: Annotated[bool, Declaration("", (Effect.WRITTEN,))] = False
    levels: LevelSpec = Field(default_factory=LevelSpec)
    programming: Annotated[Spread, Declaration("programming", (Effect.WRITTEN,), (Draw("programming", "write"),))] = (
        Field(default_factory=GaussianSpreadSpec)
    )
    device_to_device: Annotated[
        Spread, Declaration("device to device", (Effect.WRITTEN,), (Draw("device_to_device", "cell"),))
    ] = Field(default_factory=GaussianSpreadSpec)
    write: WriteSpec = Field(default_factory=WriteSpec)
    settled_second: Annotated[Positive, Declaration("settled", (Effect.KEPT, Effect.READ))] = 1.0
    relaxation: RelaxationSpec = Field(default_factory=RelaxationSpec)
    drift: DriftSpec = Field(default_factory=DriftSpec)
    read_after_second: Annotated[NonNegative, Declaration("read", (Effect.KEPT, Effect.READ))] = 0.0
    read_noise: ReadNoiseSpec = Field(default_factory=ReadNoiseSpec)
    telegraph: TelegraphSpec = Field(default_factory=TelegraphSpec)
    stuck: StuckSpec = Field(default_factory=StuckSpec)
    endurance: EnduranceSpec = Field(default_factory=EnduranceSpec)
    conduction: Annotated[ConductionSpec, CONDUCTION_LAWS] = Field(default_factory=LinearConductionSpec)
    temperature: TemperatureSpec = Field(default_factory=TemperatureSpec)
    area_square_metre: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.g_min_siemens >= self.g_max_siemens:
            raise ValueError(
                f"g_min_siemens {self.g_min_siemens:g} must be below g_max_siemens {self.g_max_siemens:g}: "
                "a cell without a conductance window stores nothing"
            )
        low, high = self.fitted_from_to_siemens or (0.0, np.inf)
        if low >= high or low >= self.g_max_siemens or high <= self.g_min_siemens:
            raise ValueError(
                f"fitted_from_to_siemens {low:g} .. {high:g} S is no range within the window {self.g_min_siemens:g} .. "
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
        published = self.relaxation.times_second
        if published and published[0] <= self.settled_second:
            raise ValueError(
                f"relaxation.times_second begins after settled_second {self.settled_second:g}, the time of the spread "
                f"of programming; got {published[0]:g}"
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
    def target_range_siemens(self) -> TargetRange:
        """Lowest and highest conductance that can be asked for: the part of the window that was measured."""
        low, high = self.fitted_from_to_siemens or (self.g_min_siemens, self.g_max_siemens)
        return TargetRange(max(low, self.g_min_siemens), min(high, self.g_max_siemens))

    @property
    def level_siemens(self) -> FloatArray | None:
        """The levels, siemens, ascending; None where any conductance of the window can be asked for."""
        return self.levels.of(self.g_min_siemens, self.g_max_siemens)

    @property
    def last_second(self) -> float:
        """Time after the write, at the reference temperature, up to which the source has figures; infinite: any."""
        return min((self.fitted_until_second or np.inf), (self.relaxation.times_second or (np.inf,))[-1])

    @classmethod
    @cache
    def declarations(cls) -> dict[str, Declaration]:
        """What every part of a device says of itself, by the name of its field, in the order of the fields.

        Raises
        ------
        SpecError
            For a part that says nothing: what it acts on would not be known.
        """
        declared = {}
        for name, field in cls.model_fields.items():
            role = next((each for each in field.metadata if isinstance(each, Declaration)), None)
            kind = field.annotation
            if role is None and isinstance(kind, type) and issubclass(kind, Spec):
                role = getattr(kind, "declared", None)
                if not isinstance(role, Declaration) or not issubclass(kind, DevicePart):
                    raise SpecError(
                        f"{cls.__name__}.{name}: a part of a device derives from DevicePart and declares its effect, "
                        f"what it draws and its sentences; {kind.__name__} does not"
                    )
            if role is not None:
                declared[name] = role
        return declared

    def _draws(self, each: tuple[str, ...]) -> bool:
        """Whether a part draws numbers for every one of these, with the figures that it has."""
        drawing = (name for name, role in self.declarations().items() if any(draw.each in each for draw in role.draws))
        return any(getattr(self, name).random for name in drawing)

    @property
    def random(self) -> bool:
        """Whether two chips, or two reads of one, may differ."""
        return self._draws(("write", "cell", "read"))

    @property
    def noisy(self) -> bool:
        """Whether two reads of a cell differ."""
        return self._draws(("read",))

    def parts_with(self, *effects: Effect) -> dict[str, Any]:
        """The parts that act on any of these, by the name of their field."""
        return {
            name: getattr(self, name) for name, role in self.declarations().items() if set(effects) & set(role.effects)
        }

    @property
    def ohmic(self) -> bool:
        """Whether the current is proportional to the voltage, with the conductance held and nothing in series."""
        return self.conduction.linear and self.conduction.series_ohm == 0

    def sigma(self, g_target: FloatArray) -> FloatArray:
        """Standard deviation of written conductances, siemens: device-to-device and cycle-to-cycle errors together."""
        errors = (self.programming, self.device_to_device)
        return np.asarray(np.hypot(*(each.sigma(g_target, self.g_max_siemens) for each in errors)))

    @property
    def given_parts(self) -> set[str]:
        """Names of the fields that were given; a part counts where a figure of it was, be it to say that it is 0."""
        return {name for name, value in self.given_fields.items() if getattr(value, "model_fields_set", True)}

    def sentences(self) -> dict[str, list[str]]:
        """What the card says of the window and of each part, line by line; nothing of a part that is not there."""
        window = Window(self.g_min_siemens, self.g_max_siemens, self.settled_second)
        bound = "; a cell holds nothing outside" if self.bounded else ""
        text = {
            "technology": [self.technology] if self.technology else [],
            "window": [f"{siemens_words(self.g_min_siemens)} to {siemens_words(self.g_max_siemens)}{bound}"],
        }
        for name, role in self.declarations().items():
            part = getattr(self, name)
            if isinstance(part, DevicePart):
                text[role.heading] = part.sentences(window, given=name in self.given_parts)
            elif role.heading:
                text[role.heading] = self._times_said()[name]
            if name == "levels":
                text["fitted range"] = self._fitted_said()
        if not (text["relaxation"] or text["drift"] or "settled_second" in self.given_parts):
            del text["settled"]
        if not self.read_after_second:
            del text["read"]
        text["area"] = [f"{1e12 * self.area_square_metre:.6g} um2 a cell"] if self.area_square_metre else []
        return text

    def _times_said(self) -> dict[str, list[str]]:
        read = self.read_after_second or self.settled_second
        return {
            "settled_second": [
                f"{duration(self.settled_second)} after the write: the errors above are those of this time"
            ],
            "read_after_second": [f"{duration(read)} after the write, where no time is asked for"],
        }

    def _fitted_said(self) -> list[str]:
        ranges = []
        if self.fitted_from_to_siemens:
            low, high = map(siemens_words, self.fitted_from_to_siemens)
            ranges.append(f"targets from {low} to {high}")
        if self.fitted_until_second:
            ranges.append(f"up to {duration(self.fitted_until_second)} after the write")
        return [", ".join(ranges)] if ranges else []

    def checked_targets(self, g_target: ArrayLike) -> FloatArray:
        """Conductances that a write aims at, siemens: those asked for, or the nearest levels.

        Parameters
        ----------
        g_target
            Conductances asked for, siemens, any shape.

        Raises
        ------
        RangeError
            For a target outside the window, or outside the range in which the device was measured.
        """
        target = np.asarray(g_target, dtype=np.float64)
        if not target.size:
            return target
        smallest, largest = float(target.min()), float(target.max())
        if not self._in_window(smallest, largest):
            raise RangeError(
                f"device {self.name!r}: targets lie within {self.g_min_siemens:g} .. {self.g_max_siemens:g} S; got "
                f"{smallest:g} .. {largest:g} S. Outside its window the cell's behaviour is not known."
            )
        low, high = self.fitted_from_to_siemens or (0.0, np.inf)
        if smallest < low * (1 - 1e-9) or largest > high * (1 + 1e-9):
            raise RangeError(
                f"device {self.name!r}: its figures were measured from {low:g} to {high:g} S; got targets of "
                f"{smallest:g} .. {largest:g} S. Outside this range a fit is no measurement."
            )
        levels = self.level_siemens
        if levels is not None:
            target = levels[np.searchsorted(0.5 * (levels[1:] + levels[:-1]), target)]
        return target

    def checked_time(self, time_second: float, error: type[Exception] = RangeError) -> float:
        """A time after the write, second, refused where the figures of the device do not reach.

        Parameters
        ----------
        time_second
            Time after the write, second.
        error
            Type of the exception that refuses it.
        """
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
