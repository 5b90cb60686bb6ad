"""How far a written conductance strays from what was asked: spread from device to device and from write to write."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import model_validator

from rramsim.arrays import FloatArray, Single
from rramsim.kernels.normal import normal_numbers
from rramsim.kernels.spread import spread_cells
from rramsim.spec import Spec

from .curves import Curve, polynomial_of, value_at, vanishes

__all__ = ["ProgrammingSpec", "draw_normal"]


_CHUNK = 1 << 15
"""Cells at a time: the numbers drawn for them are still in the cache when they are used."""


def _chunks(n: int) -> Iterator[slice]:
    """The first n numbers in pieces that stay in the cache."""
    return (slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))


def _fill_normal(rng: np.random.Generator, out: Single) -> None:
    """Standard normal numbers into a flat array: half the time of ``rng.standard_normal``.

    Single precision, none beyond 6.7; 32 random bits each.
    """
    n_words = out.size + out.size % 2
    words = rng.bit_generator.random_raw(n_words // 2).view(np.uint32)
    if n_words == out.size:
        normal_numbers(words, out)
    else:
        even = np.empty(n_words, dtype=np.float32)
        normal_numbers(words, even)
        out[:] = even[: out.size]


def draw_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Single:
    """Standard normal numbers of a shape, in single precision."""
    numbers = np.empty(shape, dtype=np.float32)
    _fill_normal(rng, numbers.reshape(-1))
    return numbers


class ProgrammingSpec(Spec):
    """Spread: the error left in a cell after it was written.

    Parameters
    ----------
    law
        ``"gaussian"``: g = m + sigma n, never below 0; ``"lognormal"``: g = m exp(s n), whose median is m. m is the
        target with its shift, n a standard normal number.
    spread_siemens
        Gaussian only: sigma, siemens, a number or a curve of the target (a list c0, c1, ...: c0 + c1 x + c2 x^2 + ...,
        x = g_target / g_max). Where a curve is negative it counts as 0.
    spread_log
        Lognormal only: the standard deviation s of ln g, a number or a curve of the target; at least 0.
    shift_siemens
        Mean error, siemens, a number or a curve of the target.

    Notes
    -----
    The same law serves two purposes: as ``DeviceSpec.programming`` n is drawn at every write (cycle to cycle), as
    ``DeviceSpec.device_to_device`` once for each cell.
    """

    law: Literal["gaussian", "lognormal"] = "gaussian"
    spread_siemens: Curve = ()
    spread_log: Curve = 0.0
    shift_siemens: Curve = 0.0

    @model_validator(mode="after")
    def _check(self) -> "ProgrammingSpec":
        if self.law == "gaussian" and not vanishes(self.spread_log):
            raise ValueError("spread_log belongs to law = 'lognormal'; the Gaussian law takes spread_siemens")
        if self.law == "lognormal" and not vanishes(self.spread_siemens):
            raise ValueError("spread_siemens belongs to law = 'gaussian'; the lognormal law takes spread_log")
        for key in ("spread_siemens", "spread_log"):
            spread = getattr(self, key)
            if isinstance(spread, float) and spread < 0:
                raise ValueError(f"{key} {spread:g} is at least 0: it is a standard deviation")
        return self

    @property
    def ideal(self) -> bool:
        """Whether every cell holds exactly its target."""
        return vanishes(self.spread_siemens) and vanishes(self.spread_log) and vanishes(self.shift_siemens)

    def sigma(self, g_target: FloatArray, g_max_siemens: float) -> FloatArray:
        """Standard deviation, siemens, at each target; of the lognormal law that of its logarithm times the target."""
        if self.law == "lognormal":
            return g_target * np.maximum(value_at(self.spread_log, g_target, g_max_siemens), 0.0)
        return np.maximum(value_at(self.spread_siemens, g_target, g_max_siemens), 0.0)

    def sample(
        self, g_target: FloatArray, g_max_siemens: float, rng: np.random.Generator, mean: FloatArray | None = None
    ) -> FloatArray:
        """Written conductances, siemens.

        Parameters
        ----------
        g_target
            What was asked, siemens: the state at which spread and shift are taken.
        g_max_siemens
            Top of the window.
        rng
            Draws one standard normal number a cell.
        mean
            Where the cells would end without this spread; without it, the targets. Used up.
        """
        target = np.ascontiguousarray(g_target).reshape(-1)
        g = target.copy() if mean is None else np.ascontiguousarray(mean).reshape(-1)
        if self.ideal:
            return g.reshape(g_target.shape)
        if not vanishes(self.shift_siemens):
            for piece in _chunks(target.size):
                g[piece] = np.maximum(g[piece] + value_at(self.shift_siemens, target[piece], g_max_siemens), 0.0)
        if not (vanishes(self.spread_siemens) and vanishes(self.spread_log)):
            self._spread(target, g_max_siemens, rng, g)
        return g.reshape(g_target.shape)

    def _spread(self, target: FloatArray, g_max_siemens: float, rng: np.random.Generator, g: FloatArray) -> None:
        normal = np.empty(min(_CHUNK, target.size), dtype=np.float32)
        found = polynomial_of(self.spread_siemens, g_max_siemens) if self.law == "gaussian" else None
        coefficients = np.asarray(found[0]) if found else None
        for piece in _chunks(target.size):
            n = normal[: piece.stop - piece.start]
            _fill_normal(rng, n)
            if found and coefficients is not None:
                spread_cells(target[piece], n, coefficients, found[1], g[piece])
            elif self.law == "gaussian":
                g[piece] = np.maximum(g[piece] + self.sigma(target[piece], g_max_siemens) * n, 0.0)
            else:
                g[piece] *= np.exp(np.maximum(value_at(self.spread_log, target[piece], g_max_siemens), 0.0) * n)
