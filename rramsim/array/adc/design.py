"""What all converters have in common: fields, their checks, and what follows from them."""

from abc import abstractmethod
from inspect import isabstract
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.optimize import minimize_scalar

from rramsim.array.nonlinearity import InlCurve
from rramsim.arrays import FloatArray
from rramsim.errors import RangeError, SpecError
from rramsim.kinds import KindSpec
from rramsim.rng import Streams
from rramsim.spec import NonNegative, Positive

__all__ = ["AdcDesign", "Staircase"]

_RANDOM_ERRORS = ("offset_spread_lsb", "gain_spread", "noise_lsb", "dnl_spread_lsb")
"""Errors of every converter that are drawn for each of them, or for each conversion."""
_MOST_CURRENTS = 100_000
"""Most currents that the range of the least error is fitted to."""


class Staircase(NamedTuple):
    """What the circuits of n converters make of their inputs: step functions, the lowest code 0.

    Parameters
    ----------
    levels
        (n, m) ascending transitions, in steps of the ideal converter, whose first one is 0.5; inf: never reached.
    codes
        (n, m + 1) codes between them, int32; None: one after another, so that m = 2^bits - 1.
    """

    levels: FloatArray
    codes: NDArray[np.int32] | None = None


class CodeRange(NamedTuple):
    """The least and the largest code of a converter."""

    least: int
    largest: int


class AdcDesign(KindSpec):
    """Analog-to-digital converters behind the columns of an array. By default their only error is their resolution.

    This is what all kinds have in common, and none of them: see :class:`rramsim.SarAdcSpec`,
    :class:`rramsim.FlashAdcSpec`, :class:`rramsim.RampAdcSpec` and :class:`rramsim.PipelineAdcSpec`. A kind of another
    package derives from :class:`rramsim.AdcSpec`, says what its circuit does (``steps``), what it is called in tables
    of costs (``component``), how long it takes (``cycles``), and which of its fields are drawn (``random_errors``).

    Parameters
    ----------
    bits
        Resolution, 1 to 14. Codes are 0 .. 2^bits - 1; two's complement where currents have either sign.
    full_scale_from
        What the largest code stands for. "full": the current of a column whose cells all conduct most; "calibrated":
        found from data (``MacroSpec.calibrate``); "fixed": ``full_scale_ampere``; "lossless": one code for each level
        of a cell, so that nothing is rounded, which takes enough bits.
    full_scale_ampere
        Fixed range only, and needed there.
    fit
        Calibrated range only. "coverage": full scale covers a share of the currents; "error": it makes the mean
        squared error of their conversion least, as far as a search up to the largest of them finds.
    coverage
        Calibrated range by coverage only: share of the currents that full scale covers; the rest saturates.
    columns
        Columns (or pairs) that share a converter one after another; None: all of a tile.
    offset_lsb, offset_spread_lsb
        Offset of all converters, and its standard deviation from one to the next, steps.
    gain_error, gain_spread
        Relative gain error of all converters, and its standard deviation from one to the next.
    noise_lsb
        Standard deviation of the thermal noise of a conversion, steps; fresh each time.
    inl_lsb
        Integral nonlinearity of all converters, steps: how much later each transition comes, at equidistant
        transitions from the first to the last, straight in between.
    dnl_spread_lsb
        Standard deviation of the width of a code, steps; independent for each code and converter.
    """

    random_errors: ClassVar[tuple[str, ...]] = ()
    """Fields of a kind that are drawn for each converter, besides those of all kinds."""

    bits: int = Field(default=8, ge=1, le=14)
    full_scale_from: Literal["full", "calibrated", "fixed", "lossless"] = "full"
    full_scale_ampere: Positive | None = None
    fit: Literal["coverage", "error"] = "coverage"
    coverage: float = Field(default=1.0, gt=0.5, le=1.0)
    columns: int | None = Field(default=None, ge=1)
    offset_lsb: float = 0.0
    offset_spread_lsb: NonNegative = 0.0
    gain_error: float = Field(default=0.0, gt=-1.0)
    gain_spread: NonNegative = 0.0
    noise_lsb: NonNegative = 0.0
    inl_lsb: InlCurve | None = None
    dnl_spread_lsb: NonNegative = 0.0

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Refuse what is only part of a converter."""
        if isabstract(cls):
            missing = ", ".join(sorted(cls.__abstractmethods__))
            raise SpecError(
                f"{cls.__name__}: no converter, but what all kinds of it have in common ({missing} differ); "
                "take one of the kinds, such as rramsim.SarAdcSpec"
            )
        return super().__new__(cls)

    @model_validator(mode="after")
    def _check_common(self) -> Self:
        if (self.full_scale_ampere is None) != (self.full_scale_from != "fixed"):
            raise ValueError(
                f"full_scale_ampere goes with full_scale_from = 'fixed', and only with it; got "
                f"full_scale_from = {self.full_scale_from!r} and full_scale_ampere = {self.full_scale_ampere}"
            )
        if self.bits < 2 and (self.inl_lsb or self.dnl_spread_lsb):
            raise ValueError("a converter of 1 bit has one transition and thus no nonlinearity; it has an offset")
        return self

    @abstractmethod
    def steps(self, n: int, streams: Streams) -> Staircase | None:
        """Step functions of n converters, by the errors of their circuit alone.

        Parameters
        ----------
        n
            How many; those of the first do not depend on the number.
        streams
            For what is drawn, each by a name of its own: ``streams.generator("capacitors")``.

        Returns
        -------
        Staircase or None
            None where the circuit has no error: the ideal staircase.
        """

    @property
    @abstractmethod
    def component(self) -> str:
        """Name of a converter in the tables of costs; a use of it is one conversion."""

    @property
    @abstractmethod
    def cycles(self) -> int:
        """Times of its component from one conversion to the next: 1 where tables time a whole conversion."""

    def turns(self, n_conversions: int) -> int:
        """Times of its component that so many conversions take, one after another."""
        return n_conversions * self.cycles

    @property
    def random(self) -> bool:
        """Whether two converters, or two conversions of one input, differ."""
        return any(getattr(self, key) for key in (*_RANDOM_ERRORS, *self.random_errors))

    def code_range(self, *, signed: bool) -> CodeRange:
        """The least and the largest code.

        Raises
        ------
        RangeError
            For a signed converter of 1 bit: its codes are -1 and 0, and no current has a positive one.
        """
        if not signed:
            return CodeRange(0, (1 << self.bits) - 1)
        if self.bits < 2:
            raise RangeError(
                f"{type(self).__name__}: currents of either sign take 2 bits or more; the codes of 1 bit are -1 and 0"
            )
        return CodeRange(-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)

    def ampere_per_code(self, full_scale_ampere: float, *, signed: bool) -> float:
        """Step of the converter whose largest code stands for ``full_scale_ampere``."""
        return full_scale_ampere / self.code_range(signed=signed)[1]

    def full_scale(self, currents: ArrayLike, *, signed: bool) -> float:
        """Full scale, ampere, for currents like these; 1 A where all of them are 0."""
        sample = np.asarray(currents, dtype=np.float64).ravel()
        magnitudes = np.abs(sample)
        if not magnitudes.any():
            return 1.0
        if self.fit == "coverage":
            return float(np.quantile(magnitudes, self.coverage)) or float(magnitudes.max())
        if sample.size > _MOST_CURRENTS:
            # Of every size, both extremes among them: every so many in their order would be those of some columns.
            sample = np.sort(sample)[np.linspace(0, sample.size - 1, _MOST_CURRENTS).astype(np.intp)]
        (low, top), largest = self.code_range(signed=signed), float(magnitudes.max())

        def error(logarithm: float) -> float:
            step = largest * np.exp(logarithm) / top
            return float(np.mean((sample - step * np.clip(np.rint(sample / step), low, top)) ** 2))

        grid = np.linspace(np.log(1e-2), 0.0, 65)
        best = int(np.argmin([error(x) for x in grid]))
        ends = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
        minimum = minimize_scalar(error, bounds=ends, method="bounded")
        return largest * float(np.exp(minimum.x if minimum.fun < error(grid[best]) else grid[best]))
