"""Converters as they were built: codes of their inputs, and what a sine test tells of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramsim.arrays import FloatArray
from rramsim.rng import RandomSource, Seed, as_streams

from .design import AdcDesign

__all__ = ["ProgrammedAdc"]


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
    seed
        What their errors were drawn from: as ``rng`` it gives these converters again.
    """

    spec: AdcDesign
    signed: bool
    offset_lsb: FloatArray
    gain: FloatArray
    levels: FloatArray | None
    codes: NDArray[np.int32] | None
    seed: Seed | None = None

    @property
    def code_min(self) -> int:
        """The least code."""
        return self.spec.code_range(signed=self.signed)[0]

    @property
    def code_max(self) -> int:
        """The largest code."""
        return self.spec.code_range(signed=self.signed)[1]

    def apply(self, x_lsb: ArrayLike, converter: int = 0, *, rng: RandomSource = None) -> NDArray[np.int32]:
        """Codes of inputs, any shape, by one of the converters.

        Parameters
        ----------
        x_lsb
            Inputs, steps.
        converter
            Number of the converter.
        rng
            For its thermal noise; None: fresh.
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

    def enob(self, converter: int = 0, *, rng: RandomSource = None) -> float:
        """Effective number of bits, from a sine over the full range: (SINAD in dB - 1.76) / 6.02.

        The sine has a whole number of periods, prime to the number of samples; what a sine of its frequency, fitted
        with offset, does not explain is noise and distortion (IEEE Std 1241). A converter that gives the same code
        throughout has -inf: no signal comes through.
        """
        n_samples = max(4096, 16 << self.spec.bits)
        phase = 2 * np.pi * (n_samples // 7 | 1) * np.arange(n_samples) / n_samples
        middle, amplitude = (self.code_max + self.code_min) / 2, (self.code_max - self.code_min) / 2
        codes = self.apply(middle + amplitude * np.sin(phase + 0.1), converter, rng=rng).astype(np.float64)
        if np.ptp(codes) == 0:
            return -float("inf")
        basis = np.stack([np.sin(phase), np.cos(phase), np.ones(n_samples)], axis=1)
        fitted = basis @ np.linalg.lstsq(basis, codes, rcond=None)[0]
        signal, rest = np.var(fitted), np.mean((codes - fitted) ** 2)
        return float((10 * np.log10(signal / rest) - 1.76) / 6.02)
