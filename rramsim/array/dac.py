"""Drivers of the rows of an array: digital-to-analog converters, and what their levels are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from rramsim.arrays import FloatArray
from rramsim.component_names import ComponentFamily
from rramsim.rng import RandomSource, Seed, as_streams
from rramsim.spec import NonNegative, Spec

from .nonlinearity import InlCurve, inl_at

__all__ = ["DacSpec", "ProgrammedDac"]


class DacSpec(Spec):
    """The drivers of the rows of an array. Their resistance is part of the network: ``WireSpec.driver_ohm``.

    Parameters
    ----------
    bits
        Bits of an input that one pulse carries, 1 to 12; 1: bit-serial.
    coding
        "amplitude": the level is the height of the pulse; "pulse width": its length.
    bipolar
        Whether inputs with a sign are sent as sign and magnitude, in pulses of both polarities; otherwise in two's
        complement, whose sign bit is a pulse of its own.
    inl_lsb
        Integral nonlinearity, steps, at equidistant levels from 0 to the largest, straight in between; level 0 stays
        at 0, since a row that is not driven is held at ground.
    level_spread
        Relative standard deviation of each level of each row's driver, drawn once.
    noise
        Standard deviation of the height (or length) of a pulse, as a share of the full one; fresh at each pulse.
    """

    bits: int = Field(default=1, ge=1, le=12)
    coding: Literal["amplitude", "pulse width"] = "amplitude"
    bipolar: bool = False
    inl_lsb: InlCurve | None = None
    level_spread: NonNegative = 0.0
    noise: NonNegative = 0.0

    @property
    def largest_level(self) -> int:
        """The level of a full pulse."""
        return (1 << self.bits) - 1

    @property
    def component(self) -> str:
        """Name of a driver in the cost tables."""
        return ComponentFamily.DAC.of_bits(self.bits)

    @property
    def ideal(self) -> bool:
        """Whether every pulse is what its level says."""
        return self.inl_lsb is None and self.level_spread == 0 and self.noise == 0

    @property
    def random(self) -> bool:
        """Whether two drivers, or two pulses of one level, differ."""
        return bool(self.level_spread or self.noise)

    @property
    def without_errors(self) -> "DacSpec":
        """Drivers of these levels and this coding, all ideal."""
        return DacSpec(bits=self.bits, coding=self.coding, bipolar=self.bipolar)

    def program(self, n_rows: int, *, rng: RandomSource = None) -> "ProgrammedDac":
        """The drivers of so many rows, with their static errors; the first have the same ones for any number.

        Parameters
        ----------
        n_rows
            How many.
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the drivers keep as ``seed``.
        """
        streams = as_streams(rng)
        n_levels = self.largest_level + 1
        ideal = np.arange(n_levels) + inl_at(self.inl_lsb, n_levels)
        normal = streams.generator("levels").standard_normal((n_rows, n_levels))
        levels = ideal * (1.0 + self.level_spread * normal)
        levels[:, 0] = 0.0
        return ProgrammedDac(self, levels, streams.repeated_by)


@dataclass(frozen=True)
class ProgrammedDac:
    """Drivers as they were built.

    Parameters
    ----------
    spec
        The specification that they were built from.
    levels
        (n_rows, 2^bits) what each level of each driver is, in steps.
    seed
        What their errors were drawn from: as ``rng`` it gives these drivers again.
    """

    spec: DacSpec
    levels: FloatArray
    seed: Seed | None = None
