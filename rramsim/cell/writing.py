"""One write: pulses, and write-and-verify until a cell is near enough to its target."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rramsim.arrays import FloatArray
from rramsim.rng import Streams
from rramsim.spec import Fraction, NonNegative, Spec
from rramsim.units import quantity

from .curves import Curve, value_at, vanishes
from .part import Declaration, DevicePart, Draw, Effect, Window, curve_words
from .spread.law import SpreadSpec

__all__ = ["CellSteps", "WriteOutcome", "WriteSpec"]


@dataclass(frozen=True)
class WriteOutcome:
    """What a write left, and what it took.

    Parameters
    ----------
    g
        Conductances, siemens.
    pulses
        Pulses each cell took; None: one each.
    joule
        Energy each cell took; None: that of one pulse at the conductance written.
    """

    g: FloatArray
    pulses: NDArray[np.int32] | None = None
    joule: FloatArray | None = None


class CellSteps(NamedTuple):
    """How the pulses of each cell move it: the size of its steps, and how far they reach.

    Parameters
    ----------
    factor
        Size of the steps of each cell, as a multiple of ``WriteSpec.step_fraction``.
    bottom, top
        Ends of the conductances that each cell can reach, siemens.
    """

    factor: FloatArray
    bottom: FloatArray
    top: FloatArray

    def of(self, cells: NDArray[np.intp]) -> "CellSteps":
        """The steps of some of the cells, chosen by an index."""
        return CellSteps(*(each[cells] for each in self))

    def flat(self, shape: tuple[int, ...]) -> "CellSteps":
        """The steps of cells written in this shape, broadcast to it and flat, C-contiguous."""
        return CellSteps(*(np.ascontiguousarray(np.broadcast_to(each, shape)).reshape(-1) for each in self))


class WriteSpec(Spec, DevicePart):
    """The pulses of a write, and their verification.

    Parameters
    ----------
    volt, pulse_second
        Voltage and length of one pulse.
    joule
        Energy of one pulse; without it, volt^2 g pulse_second at the conductance g after the pulse.
    tolerance_siemens
        A cell is accepted within this distance of its target, siemens: a number or a curve of the target. 0: one pulse
        (or one published sequence of pulses), not verified.
    most_pulses
        Pulses after which a cell is given up.
    step
        What one pulse does. ``"anew"``: it writes the cell anew, with a new error of the spread of programming;
        ``"fixed"``: it moves the cell by a share of the window towards the target; ``"soft"``: by a share of what is
        left to the end of the window. The errors of the latter two are those of the steps, and they start at the
        bottom of the cell's window.
    step_fraction
        Share by which a ``"fixed"`` or ``"soft"`` pulse moves a cell.
    step_spread
        Relative standard deviation of a step from pulse to pulse.
    step_device_spread
        Standard deviation of the logarithm of the step from cell to cell, up to 20.
    top_device_spread, bottom_device_spread
        Standard deviation, from cell to cell, of the ends of the window that the steps of a cell can reach, as a share
        of the window.
    """

    declared: ClassVar = Declaration("write", (Effect.WRITTEN,), (Draw("programming", "write"), Draw("steps", "cell")))

    volt: NonNegative = 0.0
    pulse_second: NonNegative = 0.0
    joule: NonNegative | None = None
    tolerance_siemens: Curve = 0.0
    most_pulses: int = Field(default=1, ge=1, le=100_000)
    step: Literal["anew", "fixed", "soft"] = "anew"
    step_fraction: Fraction = 0.0
    step_spread: NonNegative = 0.0
    step_device_spread: Annotated[float, Field(ge=0, le=20)] = 0.0
    top_device_spread: NonNegative = 0.0
    bottom_device_spread: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "WriteSpec":
        if isinstance(self.tolerance_siemens, float) and self.tolerance_siemens < 0:
            raise ValueError(f"tolerance_siemens {self.tolerance_siemens:g} is at least 0: it is a distance")
        if self.verified and self.most_pulses == 1:
            raise ValueError(
                "tolerance_siemens verifies a write, so most_pulses is at least 2: one pulse corrects nothing"
            )
        if not self.verified and self.most_pulses > 1:
            raise ValueError("most_pulses is given but tolerance_siemens is not: there is nothing to verify")
        given = {key for key in self.model_fields_set if key.endswith(("_fraction", "_spread")) and getattr(self, key)}
        if self.step == "anew" and given:
            raise ValueError(f"{', '.join(sorted(given))}: no meaning where a pulse writes a cell anew (step = 'anew')")
        if self.step != "anew" and not (self.step_fraction and self.verified):
            raise ValueError(f"step = {self.step!r} needs step_fraction and tolerance_siemens, to know when to stop")
        return self

    @property
    def verified(self) -> bool:
        """Whether a write is verified."""
        return not vanishes(self.tolerance_siemens)

    @property
    def random(self) -> bool:
        """Whether its steps differ from pulse to pulse or from cell to cell."""
        return any((self.step_spread, self.step_device_spread, self.top_device_spread, self.bottom_device_spread))

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        text = []
        pulse = [quantity(value, unit) for value, unit in ((self.volt, "V"), (self.pulse_second, "s")) if value]
        if self.joule is not None:
            pulse.append(quantity(self.joule, "J"))
        if pulse:
            text.append(f"pulse of {', '.join(pulse)}")
        if self.step != "anew":
            of = {"fixed": "of the window", "soft": "of what is left to the end of the window"}[self.step]
            text.append(f"a pulse moves the cell by {self.step_fraction:g} {of}")
            spreads = {
                "step, relative, from pulse to pulse": self.step_spread,
                "logarithm of the step from cell to cell": self.step_device_spread,
                "top of the window from cell to cell, as a share of it": self.top_device_spread,
                "bottom, likewise": self.bottom_device_spread,
            }
            text += [f"sigma of the {what}: {value:g}" for what, value in spreads.items() if value]
        if self.verified:
            within = curve_words(self.tolerance_siemens, "S", window)
            text.append(f"verified: accepted within {within} of the target, given up after {self.most_pulses} pulses")
        return text

    def tolerance(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        """Accepted distance from each target, siemens."""
        return np.maximum(value_at(self.tolerance_siemens, g_target, g_max_siemens), 0.0)

    def pulse_joule(self, g: FloatArray) -> FloatArray:
        """Energy of one pulse that ends at each conductance, siemens."""
        if self.joule is not None:
            return np.full(g.shape, self.joule)
        return np.asarray(self.volt**2 * self.pulse_second * g)

    def run(
        self,
        g_target: FloatArray,
        mean: FloatArray,
        programming: SpreadSpec,
        window: tuple[float, float],
        rng: Streams,
        steps: CellSteps | None,
        *,
        bounded: bool = False,
    ) -> WriteOutcome:
        """Write cells.

        Parameters
        ----------
        g_target
            Conductances aimed at, siemens, flat.
        mean
            Where the cells would end without an error of this write: the targets with their device-to-device error.
        programming
            Spread of every pulse that writes anew.
        window
            Bottom and top, siemens.
        rng
            Streams of this write.
        steps
            Steps of each cell, flat, from :meth:`draw_steps`; None where pulses write anew.
        bounded
            Whether a cell can hold nothing outside the window, which its verification then sees.
        """
        generator = rng.generator("programming")
        if not self.verified:
            g = programming.sample(g_target, window[1], generator, mean)
            return WriteOutcome(np.clip(g, *window) if bounded else g)
        tolerance = self.tolerance(g_target, window[1])
        g = np.full(g_target.shape, window[0]) if steps is None else steps.bottom.copy()
        pulses = np.zeros(g.shape, dtype=np.int32)
        joule = np.zeros(g.shape)
        # A fresh cell takes a first pulse in any case where pulses write anew; steps start from the bottom.
        open_cells = np.arange(g.size)
        if steps is not None:
            open_cells = open_cells[np.abs(g - g_target) > tolerance]
        for _ in range(self.most_pulses):
            if not open_cells.size:
                break
            target = g_target[open_cells]
            if steps is None:
                after = programming.sample(target, window[1], generator, mean[open_cells])
            else:
                after = self._stepped(g[open_cells], target, steps.of(open_cells), window, generator)
            if bounded:
                after = np.clip(after, *window)
            g[open_cells] = after
            pulses[open_cells] += 1
            joule[open_cells] += self.pulse_joule(after)
            open_cells = open_cells[np.abs(after - target) > tolerance[open_cells]]
        # Also a cell that needed no step.
        return WriteOutcome(np.clip(g, *window) if bounded else g, pulses, joule)

    def draw_steps(
        self, shape: tuple[int, ...], window: tuple[float, float], rng: np.random.Generator
    ) -> CellSteps | None:
        """Steps of cells, drawn once for each; None where pulses write anew.

        Parameters
        ----------
        shape
            Shape of the cells.
        window
            Bottom and top, siemens.
        rng
            Belongs to the cells, not to a write.
        """
        if self.step == "anew":
            return None
        width = window[1] - window[0]
        factor = np.exp(self.step_device_spread * rng.standard_normal(shape))
        top = window[1] + width * self.top_device_spread * rng.standard_normal(shape)
        bottom = window[0] + width * self.bottom_device_spread * rng.standard_normal(shape)
        bottom = np.maximum(bottom, 0.0)
        return CellSteps(factor, bottom, np.maximum(top, bottom))

    def _stepped(
        self, g: FloatArray, target: FloatArray, steps: CellSteps, window: tuple[float, float], rng: np.random.Generator
    ) -> FloatArray:
        """Conductances after one pulse towards the targets."""
        size = self.step_fraction * steps.factor * (1.0 + self.step_spread * rng.standard_normal(g.shape))
        up = target > g
        if self.step == "soft":
            left = np.where(up, steps.top - g, steps.bottom - g)
        else:
            left = np.where(up, 1.0, -1.0) * (window[1] - window[0])
        return np.clip(g + size * left, steps.bottom, steps.top)
