"""How far a written or a read conductance strays from what was asked: spread and noise."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rramsim.spec import NonNegative, Spec

__all__ = ["ProgrammingSpec", "ReadNoiseSpec"]


class ProgrammingSpec(Spec):
    """Programming spread: the error left in a cell after it was written.

    Parameters
    ----------
    law
        ``"gaussian"``: g = g_target + sigma(x) n, never below 0; ``"lognormal"``: g = g_target exp(s n), whose median
        is the target; n is a standard normal number, drawn once per cell and write.
    spread_siemens
        Gaussian only: coefficients c0, c1, ... (siemens) of sigma(x) = c0 + c1 x + c2 x^2 + ..., where
        x = g_target / g_max; a single coefficient is a spread independent of the state. A negative sigma counts as 0.
    spread_log
        Lognormal only: the standard deviation s of ln g.
    """

    law: Literal["gaussian", "lognormal"] = "gaussian"
    spread_siemens: Annotated[tuple[float, ...], Field(strict=False, max_length=8)] = ()
    spread_log: NonNegative = 0.0

    @model_validator(mode="after")
    def _check(self) -> "ProgrammingSpec":
        if self.law == "gaussian" and self.spread_log:
            raise ValueError("spread_log belongs to law = 'lognormal'; the Gaussian law takes spread_siemens")
        if self.law == "lognormal" and self.spread_siemens:
            raise ValueError("spread_siemens belongs to law = 'gaussian'; the lognormal law takes spread_log")
        return self

    @property
    def ideal(self) -> bool:
        """Whether every cell holds exactly its target."""
        return not any(self.spread_siemens) and not self.spread_log

    def sigma(self, g_target: NDArray[np.float64], g_max_siemens: float) -> NDArray[np.float64]:
        """Standard deviation, siemens, at each target of the Gaussian law."""
        polynomial = np.polynomial.polynomial.polyval(g_target / g_max_siemens, self.spread_siemens or (0.0,))
        return np.asarray(np.maximum(polynomial, 0.0))

    def sample(
        self, g_target: NDArray[np.float64], g_max_siemens: float, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Written conductances, siemens, for the targets."""
        if self.ideal:
            return g_target
        normal = rng.standard_normal(g_target.shape)
        if self.law == "lognormal":
            return np.asarray(g_target * np.exp(self.spread_log * normal))
        return np.maximum(g_target + self.sigma(g_target, g_max_siemens) * normal, 0.0)


class ReadNoiseSpec(Spec):
    """Noise of a read: fresh and independent for every cell and every read.

    Parameters
    ----------
    relative
        Standard deviation of a read conductance as a fraction of the conductance, 0 to 1.
    """

    relative: float = Field(default=0.0, ge=0, le=1)
