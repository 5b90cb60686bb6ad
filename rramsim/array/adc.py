"""Analog-to-digital converters behind the columns of an array: what turns their currents into codes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.optimize import minimize_scalar

from rramsim.arrays import FloatArray
from rramsim.errors import RangeError
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.spec import NonNegative, Positive, Spec

from .nonlinearity import InlCurve, inl_at
from .transfer import flash_levels, pipeline_steps, ramp_levels, random_walk, sar_levels

__all__ = ["AdcSpec", "ProgrammedAdc"]

_KINDS_WITH = {
    "capacitor_mismatch": ("sar",),
    "comparator_spread_lsb": ("flash", "pipeline"),
    "curvature_lsb": ("ramp",),
    "amplifier_gain": ("pipeline",),
    "stage_gain_spread": ("pipeline",),
}
"""Errors that belong to some circuits only, and which."""
_RANDOM_ERRORS = (
    "offset_spread_lsb",
    "gain_spread",
    "noise_lsb",
    "dnl_spread_lsb",
    "capacitor_mismatch",
    "comparator_spread_lsb",
    "stage_gain_spread",
)
"""Errors that are drawn for each converter or conversion."""
_MOST_CURRENTS = 100_000
"""Most currents that the range of the least error is fitted to."""


class AdcSpec(Spec):
    """Analog-to-digital converters behind the columns of an array. By default their only error is their resolution.

    Parameters
    ----------
    kind
        "flash", "sar" (successive approximation), "ramp", or "pipeline" (1.5-bit stages and a 2-bit flash).
    bits
        Resolution, 1 to 14. Codes are 0 .. 2^bits - 1; two's complement where currents have either sign.
    range
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
    capacitor_mismatch
        Successive approximation only: relative standard deviation of a unit capacitor; each converter has its own.
    comparator_spread_lsb
        Flash and pipeline only: standard deviation of the offset of each comparator, steps at its own input.
    curvature_lsb
        Ramp only: how far the ramp bows in its middle, steps.
    amplifier_gain
        Pipeline only: open-loop gain A of the amplifiers: a stage multiplies by 2 / (1 + 2 / A); None: infinite.
    stage_gain_spread
        Pipeline only: relative standard deviation of the gain of each stage, at most 0.1: no gain is negative.
    """

    kind: Literal["flash", "sar", "ramp", "pipeline"] = "sar"
    bits: int = Field(default=8, ge=1, le=14)
    range: Literal["full", "calibrated", "fixed", "lossless"] = "full"
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
    capacitor_mismatch: NonNegative = 0.0
    comparator_spread_lsb: NonNegative = 0.0
    curvature_lsb: float = 0.0
    amplifier_gain: Positive | None = None
    stage_gain_spread: float = Field(default=0.0, ge=0.0, le=0.1)

    @model_validator(mode="after")
    def _check(self) -> "AdcSpec":
        for key, kinds in _KINDS_WITH.items():
            if getattr(self, key) != type(self).model_fields[key].default and self.kind not in kinds:
                raise ValueError(f"{key} belongs to kind = {' or '.join(map(repr, kinds))}; got kind = {self.kind!r}")
        if (self.full_scale_ampere is None) != (self.range != "fixed"):
            raise ValueError(
                f"full_scale_ampere goes with range = 'fixed', and only with it; got range = {self.range!r} and "
                f"full_scale_ampere = {self.full_scale_ampere}"
            )
        if self.kind == "pipeline" and self.bits < 3:
            raise ValueError(
                f"a pipeline ends in a 2-bit flash and has at least one stage before: 3 bits; got {self.bits}"
            )
        if self.bits < 2 and (self.inl_lsb or self.dnl_spread_lsb):
            raise ValueError("a converter of 1 bit has one transition and thus no nonlinearity; it has an offset")
        return self

    @property
    def component(self) -> str:
        """Name of a converter in the cost tables."""
        return f"adc_{self.bits}b"

    @property
    def random(self) -> bool:
        """Whether two converters, or two conversions of one input, differ."""
        return any(getattr(self, key) for key in _RANDOM_ERRORS)

    def code_range(self, *, signed: bool) -> tuple[int, int]:
        """The least and the largest code.

        Raises
        ------
        RangeError
            For a signed converter of 1 bit: its codes are -1 and 0, and no current has a positive one.
        """
        if not signed:
            return 0, (1 << self.bits) - 1
        if self.bits < 2:
            raise RangeError("AdcSpec: currents of either sign take 2 bits or more; the codes of 1 bit are -1 and 0")
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1

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

    def build(self, n_converters: int, *, signed: bool, rng: RandomSource = 0) -> "ProgrammedAdc":
        """So many converters with their own errors; those of the first do not depend on the number.

        Parameters
        ----------
        n_converters
            How many.
        signed
            Whether currents have either sign.
        rng
            Streams, a generator, or a seed.
        """
        streams = as_streams(rng)
        offset = streams.generator("offset").standard_normal(n_converters)
        gain = streams.generator("gain").standard_normal(n_converters)
        low, _ = self.code_range(signed=signed)
        levels, codes = self._steps(n_converters, streams)
        return ProgrammedAdc(
            spec=self,
            signed=signed,
            offset_lsb=self.offset_lsb + self.offset_spread_lsb * offset,
            gain=1.0 + self.gain_error + self.gain_spread * gain,
            levels=None if levels is None else levels + low,
            codes=None if codes is None else (codes + low).astype(np.int32),
        )

    def _steps(self, n: int, streams: Streams) -> tuple[FloatArray | None, NDArray[np.int32] | None]:
        """Transitions and codes of n converters, the lowest code 0; None where they are ideal."""
        n_levels = (1 << self.bits) - 1
        inl, walk = inl_at(self.inl_lsb, n_levels), np.zeros(n_levels)
        if self.dnl_spread_lsb:
            walk = random_walk(self.dnl_spread_lsb, _draw(streams, "widths", n, n_levels - 1))
        if self.kind == "pipeline" and (self.comparator_spread_lsb or self.amplifier_gain or self.stage_gain_spread):
            levels, codes = self._pipeline_steps(n, streams)
            # The nonlinearity that is given comes before the stages: it moves where an input arrives.
            at, shifts = np.arange(n_levels) + 0.5, np.broadcast_to(inl + walk, (n, n_levels))
            moved = [level + np.interp(level, at, shift) for level, shift in zip(levels, shifts, strict=True)]
            return np.maximum.accumulate(moved, axis=1), codes
        if self.kind == "flash" and self.comparator_spread_lsb:
            levels = flash_levels(self.bits, self.comparator_spread_lsb, _draw(streams, "comparators", n, n_levels))
        elif self.kind == "sar" and self.capacitor_mismatch:
            levels = sar_levels(self.bits, self.capacitor_mismatch, _draw(streams, "capacitors", n, self.bits + 1))
        elif self.inl_lsb is None and not self.dnl_spread_lsb and not self.curvature_lsb:
            return None, None
        else:
            levels = np.tile(ramp_levels(self.bits, self.curvature_lsb), (n, 1))
        levels = np.maximum.accumulate(levels + inl + walk, axis=1)
        return levels, np.tile(np.arange(n_levels + 1, dtype=np.int32), (n, 1))

    def _pipeline_steps(self, n: int, streams: Streams) -> tuple[FloatArray, NDArray[np.int32]]:
        """Transitions and codes of n pipelines, filled up to one length with transitions that are never reached."""
        n_stages = self.bits - 2
        gain = 2.0 if self.amplifier_gain is None else 2.0 / (1.0 + 2.0 / self.amplifier_gain)
        gains = gain * (1.0 + self.stage_gain_spread * _draw(streams, "stages", n, n_stages))
        offsets = self.comparator_spread_lsb * _draw(streams, "comparators", n, 2 * n_stages + 3)
        steps = [pipeline_steps(self.bits, *one) for one in zip(gains, offsets, strict=True)]
        most = max(len(levels) for levels, _ in steps)
        levels, codes = np.full((n, most), np.inf), np.empty((n, most + 1), np.int32)
        for k, (some_levels, some_codes) in enumerate(steps):
            levels[k, : len(some_levels)] = some_levels
            codes[k, : len(some_codes)], codes[k, len(some_codes) :] = some_codes, some_codes[-1]
        return levels, codes


def _draw(streams: Streams, name: str, n: int, count: int) -> FloatArray:
    """Standard normal numbers (n, count), the same for the first converters whatever their number."""
    return streams.generator(name).standard_normal((n, count))


@dataclass(frozen=True)
class ProgrammedAdc:
    """Converters as they were built: code = step function of gain x + offset, all in steps.

    Parameters
    ----------
    spec
        The specification that they were built from.
    signed
        Whether currents have either sign.
    offset_lsb, gain
        (n_converters,) offset, steps, and gain of each converter.
    levels
        (n_converters, m) ascending transitions; None: the ideal staircase, which rounds to the nearest code.
    codes
        (n_converters, m + 1) codes between them, int32; None likewise.
    """

    spec: AdcSpec
    signed: bool
    offset_lsb: FloatArray
    gain: FloatArray
    levels: FloatArray | None
    codes: NDArray[np.int32] | None

    @property
    def code_min(self) -> int:
        """The least code."""
        return self.spec.code_range(signed=self.signed)[0]

    @property
    def code_max(self) -> int:
        """The largest code."""
        return self.spec.code_range(signed=self.signed)[1]

    def convert(self, x_lsb: ArrayLike, converter: int = 0, rng: RandomSource = 0) -> NDArray[np.int32]:
        """Codes of inputs, any shape, by one of the converters.

        Parameters
        ----------
        x_lsb
            Inputs, steps.
        converter
            Number of the converter.
        rng
            For its thermal noise.
        """
        x = np.asarray(x_lsb, dtype=np.float64)
        shifted = self.gain[converter] * x + self.offset_lsb[converter]
        if self.spec.noise_lsb:
            shifted = shifted + self.spec.noise_lsb * as_streams(rng).generator("thermal").standard_normal(x.shape)
        if self.levels is None or self.codes is None:
            return np.asarray(np.clip(np.rint(shifted), self.code_min, self.code_max), dtype=np.int32)
        return np.asarray(self.codes[converter][np.searchsorted(self.levels[converter], shifted, side="right")])

    def transitions(self, converter: int = 0) -> FloatArray:
        """(2^bits - 1,) least input of each code but the lowest, gain and offset apart, steps; nan: it never comes."""
        wanted = np.arange(self.code_min + 1, self.code_max + 1)
        if self.levels is None or self.codes is None:
            return np.asarray(wanted - 0.5, dtype=np.float64)
        reached = np.maximum.accumulate(self.codes[converter])
        first = np.searchsorted(reached, wanted, side="left")
        edges = np.concatenate([[-np.inf], self.levels[converter], [np.nan]])
        return np.asarray(edges[first])

    def inl(self, converter: int = 0) -> FloatArray:
        """(2^bits - 1,) integral nonlinearity: how far each transition lies from the line through its ends, steps."""
        levels = self.transitions(converter)
        line = np.linspace(levels[0], levels[-1], levels.size)
        width = (levels[-1] - levels[0]) / max(levels.size - 1, 1)
        return np.asarray((levels - line) / (width or 1.0))  # one transition, or all of them at one input

    def dnl(self, converter: int = 0) -> FloatArray:
        """(2^bits - 2,) differential nonlinearity: width of each inner code over the mean width, minus 1."""
        levels = self.transitions(converter)
        width = (levels[-1] - levels[0]) / max(levels.size - 1, 1)
        return np.asarray(np.diff(levels) / (width or 1.0) - 1.0)

    def enob(self, converter: int = 0, rng: RandomSource = 0) -> float:
        """Effective number of bits, from a sine over the full range: (SINAD in dB - 1.76) / 6.02.

        The sine has a whole number of periods, prime to the number of samples; what a sine of its frequency, fitted
        with offset, does not explain is noise and distortion (IEEE Std 1241). A converter that gives the same code
        throughout has -inf: no signal comes through.
        """
        n_samples = max(4096, 16 << self.spec.bits)
        phase = 2 * np.pi * (n_samples // 7 | 1) * np.arange(n_samples) / n_samples
        middle, amplitude = (self.code_max + self.code_min) / 2, (self.code_max - self.code_min) / 2
        codes = self.convert(middle + amplitude * np.sin(phase + 0.1), converter, rng).astype(np.float64)
        if np.ptp(codes) == 0:
            return -float("inf")
        basis = np.stack([np.sin(phase), np.cos(phase), np.ones(n_samples)], axis=1)
        fitted = basis @ np.linalg.lstsq(basis, codes, rcond=None)[0]
        signal, rest = np.var(fitted), np.mean((codes - fitted) ** 2)
        return float((10 * np.log10(signal / rest) - 1.76) / 6.02)
