"""What time and temperature do to a written cell: relaxation, drift, thermal acceleration."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from rramsim.arrays import FloatArray, Single
from rramsim.spec import NonNegative, Positive, Spec
from rramsim.units import duration

from .curves import Curve, value_at, vanishes
from .part import Declaration, DevicePart, Draw, Effect, Window, curve_words

__all__ = ["DriftSpec", "RelaxationSpec", "TemperatureSpec"]


_BOLTZMANN_ELECTRONVOLT = 8.617333262e-5
"""Boltzmann constant, electronvolt per kelvin (CODATA 2018)."""


class RelaxationSpec(Spec, DevicePart):
    """Relaxation: how cells wander off after the write, in steps that do not scale with their conductance.

    g(t) = g + shift(t) + sigma(t) n from the time on at which the written state was measured
    (``DeviceSpec.settled_second``, t0), with n a standard normal number drawn at every write. Either a law of ln t,
    shift = shift_siemens_per_ln ln(t / t0) and sigma = spread_siemens + spread_siemens_per_ln ln(t / t0), or figures
    that were published for some times.

    Parameters
    ----------
    shift_siemens_per_ln
        Mean shift for each factor e of time, siemens: a number or a curve of the target.
    spread_siemens, spread_siemens_per_ln
        Standard deviation, and what each factor e of time adds to it, siemens: numbers or curves of the target.
    times_second
        Published times after the write, ascending.
    total_siemens
        For each published time the standard deviation of programming and relaxation together, siemens, as a curve of
        the target; sigma is what it has more than the spread of programming, in squares (the spread as it is given, not
        as a verification has cut it).
    moved_siemens
        For each published time the mean shift, siemens, as a curve of the target; empty: none.
    between
        Variable in which both are interpolated between t0 and the published times: ``"ln t"`` or ``"t"``.
    """

    declared: ClassVar = Declaration("relaxation", (Effect.KEPT,), (Draw("relaxation", "write"),))

    shift_siemens_per_ln: Curve = 0.0
    spread_siemens: Curve = 0.0
    spread_siemens_per_ln: Curve = 0.0
    times_second: Annotated[tuple[Positive, ...], Field(strict=False, max_length=16)] = ()
    total_siemens: Annotated[tuple[Curve, ...], Field(strict=False, max_length=16)] = ()
    moved_siemens: Annotated[tuple[Curve, ...], Field(strict=False, max_length=16)] = ()
    between: Literal["ln t", "t"] = "ln t"

    @model_validator(mode="after")
    def _check(self) -> "RelaxationSpec":
        n = len(self.times_second)
        if len(self.total_siemens) != n or len(self.moved_siemens) not in (0, n):
            raise ValueError(
                f"{n} times in times_second, {len(self.total_siemens)} curves in total_siemens "
                f"and {len(self.moved_siemens)} in moved_siemens: each time has one curve of each "
                "(moved_siemens may be empty)"
            )
        if any(after <= before for before, after in pairwise(self.times_second)):
            raise ValueError("times_second: the times rise")
        if self.times_second and not self._no_law:
            raise ValueError(
                "either published times (times_second, total_siemens, moved_siemens) or a law of ln t; not both"
            )
        if isinstance(self.spread_siemens, float) and self.spread_siemens < 0:
            raise ValueError(f"spread_siemens {self.spread_siemens:g} is at least 0: it is a standard deviation")
        return self

    @property
    def _no_law(self) -> bool:
        law = (self.shift_siemens_per_ln, self.spread_siemens, self.spread_siemens_per_ln)
        return all(vanishes(curve) for curve in law)

    @property
    def ideal(self) -> bool:
        """Whether a cell stays as it was written."""
        return not self.times_second and self._no_law

    def moments(
        self, g_target: FloatArray, g_max_siemens: float, time_second: float, settled_second: float, written: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the relaxation, siemens, in the shape of the targets.

        Parameters
        ----------
        g_target
            Targets, siemens.
        g_max_siemens
            Top of the window.
        time_second
            Time since the write, second, at least ``settled_second``.
        settled_second
            Time since the write at which the written state was measured, second.
        written
            Standard deviation of programming at the targets, siemens.
        """
        if self.times_second:
            return self._published(g_target, g_max_siemens, time_second, settled_second, written)
        elapsed = log(time_second / settled_second)
        shift = elapsed * value_at(self.shift_siemens_per_ln, g_target, g_max_siemens)
        sigma = value_at(self.spread_siemens, g_target, g_max_siemens)
        sigma = sigma + elapsed * value_at(self.spread_siemens_per_ln, g_target, g_max_siemens)
        return shift, np.maximum(sigma, 0.0)

    def _published(
        self, g_target: FloatArray, g_max_siemens: float, time_second: float, settled_second: float, written: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        times = (settled_second, *self.times_second)
        k = min(max(int(np.searchsorted(times, time_second)), 1), len(times) - 1)
        scale = log if self.between == "ln t" else float
        weight = (scale(time_second) - scale(times[k - 1])) / (scale(times[k]) - scale(times[k - 1]))
        weight = min(max(weight, 0.0), 1.0)

        def at(curves: Sequence[Curve], start: FloatArray) -> FloatArray:
            values = [start if j == 0 else value_at(curves[j - 1], g_target, g_max_siemens) for j in (k - 1, k)]
            return (1.0 - weight) * values[0] + weight * values[1]

        total = np.maximum(at(self.total_siemens, written), 0.0)
        still = np.zeros(g_target.shape)
        shift = at(self.moved_siemens, still) if self.moved_siemens else still
        return shift, np.sqrt(np.maximum(total**2 - written**2, 0.0))

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        if self.times_second:
            text = [
                f"published for {len(self.times_second)} times, in between linear in {self.between}",
                "sigma is that of programming and relaxation together",
            ]
            for k, second in enumerate(self.times_second):
                after = f"after {duration(second)}"
                text.append(f"{after}: sigma = {curve_words(self.total_siemens[k], 'S', window)}")
                if self.moved_siemens:
                    text.append(f"{after}: shift = {curve_words(self.moved_siemens[k], 'S', window)}")
            return text
        since = f" times ln(t / {duration(window.settled_second)})"
        terms = {
            "shift": ((self.shift_siemens_per_ln, since),),
            "sigma": ((self.spread_siemens, ""), (self.spread_siemens_per_ln, since)),
        }
        text = []
        for name, each in terms.items():
            words = [curve_words(curve, "S", window) + factor for curve, factor in each if not vanishes(curve)]
            if words:
                text.append(f"{name} = {', plus '.join(words)}")
        return ["g(t) = g + shift + sigma n, at least 0", *text] if text else []


class DriftSpec(Spec, DevicePart):
    """Drift: g(t) = g (t / t0)^-nu, with an exponent of its own for each cell, drawn at every write.

    t0 is ``DeviceSpec.settled_second``; before it nothing drifts.

    Parameters
    ----------
    exponent
        Mean of nu: a number or a curve of the target.
    exponent_spread
        Standard deviation of nu: a number or a curve of the target; at least 0.
    falls_only
        Whether a negative nu counts as positive, so that a conductance never rises.

    Notes
    -----
    D. Ielmini et al., IEEE Trans. Electron Devices 54, 308 (2007), for phase-change memory.
    """

    declared: ClassVar = Declaration("drift", (Effect.KEPT,), (Draw("drift", "write"),))

    exponent: Curve = 0.0
    exponent_spread: Curve = 0.0
    falls_only: bool = False

    @model_validator(mode="after")
    def _check(self) -> "DriftSpec":
        if isinstance(self.exponent_spread, float) and self.exponent_spread < 0:
            raise ValueError(f"exponent_spread {self.exponent_spread:g} is at least 0: it is a standard deviation")
        return self

    @property
    def ideal(self) -> bool:
        """Whether nothing drifts."""
        return vanishes(self.exponent) and vanishes(self.exponent_spread)

    def draw(self, g_target: FloatArray, g_max_siemens: float, rng: np.random.Generator) -> Single:
        """Exponents of cells written to the targets."""
        nu = value_at(self.exponent, g_target, g_max_siemens)
        if not vanishes(self.exponent_spread):
            spread = np.maximum(value_at(self.exponent_spread, g_target, g_max_siemens), 0.0)
            nu = nu + spread * rng.standard_normal(g_target.shape)
        return np.asarray(np.abs(nu) if self.falls_only else nu, dtype=np.float32)

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        if self.ideal:
            return []
        sign = ", nu counts as positive" if self.falls_only else ""
        text = [
            f"g(t) = g (t / {duration(window.settled_second)})^-nu{sign}",
            f"mean of nu: {curve_words(self.exponent, '', window)}",
        ]
        if not vanishes(self.exponent_spread):
            text.append(f"sigma of nu: {curve_words(self.exponent_spread, '', window)}")
        return text


class TemperatureSpec(Spec, DevicePart):
    """Temperature of the cells while they are kept and read.

    Parameters
    ----------
    kelvin
        The temperature.
    reference_kelvin
        Temperature at which all figures of the device were measured.
    change_per_kelvin
        Relative change of a conductance for each kelvin above the reference.
    activation_electronvolt
        Activation energy E of relaxation and drift: their time runs faster by
        exp(E / k (1 / reference_kelvin - 1 / kelvin)) (Arrhenius).
    """

    declared: ClassVar = Declaration("temperature", (Effect.KEPT,))

    kelvin: Positive = 300.0
    reference_kelvin: Positive = 300.0
    change_per_kelvin: float = 0.0
    activation_electronvolt: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "TemperatureSpec":
        if self.conductance_factor < 0:
            raise ValueError(
                f"change_per_kelvin {self.change_per_kelvin:g} makes conductances negative at "
                f"{self.kelvin:g} K; it holds near {self.reference_kelvin:g} K only"
            )
        if self.activation_electronvolt / (_BOLTZMANN_ELECTRONVOLT * min(self.kelvin, self.reference_kelvin)) > 600:
            raise ValueError(
                f"activation_electronvolt {self.activation_electronvolt:g} at {self.kelvin:g} K: no process of so high "
                "an energy happens at so low a temperature"
            )
        return self

    @property
    def conductance_factor(self) -> float:
        """What every conductance is multiplied by."""
        return 1.0 + self.change_per_kelvin * (self.kelvin - self.reference_kelvin)

    @property
    def acceleration(self) -> float:
        """How much faster relaxation and drift run than at the reference."""
        inverse = 1.0 / self.reference_kelvin - 1.0 / self.kelvin
        return exp(self.activation_electronvolt / _BOLTZMANN_ELECTRONVOLT * inverse)

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        if not given:
            return []
        text = [f"{self.kelvin:g} K; figures measured at {self.reference_kelvin:g} K"]
        if self.change_per_kelvin:
            text.append(f"conductance: {100 * self.change_per_kelvin:+.3g} % a kelvin")
        if self.activation_electronvolt:
            text.append(f"relaxation and drift: activation energy {self.activation_electronvolt:g} eV")
        return text
