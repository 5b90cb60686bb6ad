"""How far a written conductance strays from its target: spread from device to device and from write to write."""

from typing import Literal

import numpy as np
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.kernels.spread import spread_cells
from rramsim.spec import Spec

from .curves import Curve, polynomial_of, value_at, vanishes
from .normal import CHUNK, chunks, fill_normal

__all__ = ["ProgrammingSpec"]


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
            Targets, siemens: the state at which spread and shift are taken.
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
            for piece in chunks(target.size):
                g[piece] = np.maximum(g[piece] + value_at(self.shift_siemens, target[piece], g_max_siemens), 0.0)
        if not (vanishes(self.spread_siemens) and vanishes(self.spread_log)):
            self._spread(target, g_max_siemens, rng, g)
        return g.reshape(g_target.shape)

    def _spread(self, target: FloatArray, g_max_siemens: float, rng: np.random.Generator, g: FloatArray) -> None:
        """Add the spread to conductances in place, piece by piece: those of a polynomial by the kernel."""
        normal = np.empty(min(CHUNK, target.size), dtype=np.float32)
        polynomial = polynomial_of(self.spread_siemens, g_max_siemens) if self.law == "gaussian" else None
        coefficients, reference = (np.asarray(polynomial[0]), polynomial[1]) if polynomial else (None, 0.0)
        for piece in chunks(target.size):
            n = normal[: piece.stop - piece.start]
            fill_normal(rng, n)
            if coefficients is not None:
                spread_cells(target[piece], n, coefficients, reference, g[piece])
            elif self.law == "gaussian":
                g[piece] = np.maximum(g[piece] + self.sigma(target[piece], g_max_siemens) * n, 0.0)
            else:
                g[piece] *= np.exp(np.maximum(value_at(self.spread_log, target[piece], g_max_siemens), 0.0) * n)
