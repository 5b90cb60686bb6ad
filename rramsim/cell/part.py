"""What a part of a device says of itself: what it acts on, what it draws, and its sentences for the card."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, ClassVar, Literal, NamedTuple

from rramsim.units import curve_text, quantity

from .curves import Curve, CurveSpec

__all__ = ["Declaration", "DevicePart", "Draw", "Effect", "Window", "curve_words", "share_words", "siemens_words"]


class Effect(StrEnum):
    """What a part of a device acts on; a study switches parts on by it."""

    WRITTEN = "written"
    """What a write leaves in a cell."""
    KEPT = "kept"
    """What time and temperature make of it."""
    READ = "read"
    """What a read sees of it."""
    FAULT = "fault"
    """Cells that cannot be written."""
    CONDUCTION = "conduction"
    """How the current depends on the voltage."""


class Draw(NamedTuple):
    """Random numbers of a part.

    Parameters
    ----------
    stream
        Name of their stream.
    each
        What has numbers of its own: every "write", every "cell" (kept for all its writes), or every "read".
    """

    stream: str
    each: Literal["write", "cell", "read"]


class Declaration(NamedTuple):
    """What a part of a device is.

    Parameters
    ----------
    heading
        Its name on the card; empty: it is spoken of with another part.
    effects
        What it acts on.
    draws
        What it draws; nothing: it leaves nothing to chance.
    """

    heading: str
    effects: tuple[Effect, ...]
    draws: tuple[Draw, ...] = ()


class Window(NamedTuple):
    """What sentences of parts need to know of their device: its window, siemens, and when its errors were measured."""

    g_min_siemens: float
    g_max_siemens: float
    settled_second: float


class DevicePart(ABC):
    """Base of the parts of a device, beside :class:`rramsim.spec.Spec`.

    Attributes
    ----------
    declared
        What the part is, where it fills one field alone; a field says it by its annotation where one class fills
        several.
    """

    declared: ClassVar[Declaration]

    @property
    def random(self) -> bool:
        """Whether it draws something, with the figures that it has."""
        return not getattr(self, "ideal", True)

    @abstractmethod
    def sentences(self, window: Window, *, given: bool) -> list[str]:
        """What the card says of it, line by line; nothing where there is nothing to say.

        Parameters
        ----------
        window
            Of the device.
        given
            Whether the card speaks of it, be it to say that there is nothing.
        """


def curve_words(curve: Curve, unit: str, window: Window) -> str:
    """A figure, or how it depends on the conductance g; see :func:`rramsim.units.curve_text`."""
    plain: Any = curve.model_dump(mode="json") if isinstance(curve, CurveSpec) else curve
    return curve_text(plain, unit, window.g_max_siemens)


def siemens_words(value: float) -> str:
    """A conductance with three digits."""
    return quantity(value, "S")


def share_words(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.4g} %"
