"""Analog-to-digital conversion of column currents."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rramsim.spec import Spec

__all__ = ["AdcSpec"]


class AdcSpec(Spec):
    """An analog-to-digital converter behind the columns of an array.

    Parameters
    ----------
    bits
        Resolution, 4 to 10; codes are two's complement, -2^(bits-1) .. 2^(bits-1) - 1.
    range
        ``"full"``: full scale is the current of an array whose cells all conduct most; ``"calibrated"``: full scale is
        found from calibration inputs when the macro is programmed.
    coverage
        Calibrated range only: the share of column currents, over the calibration inputs, that full scale covers; the
        rest saturates.
    """

    bits: int = Field(default=8, ge=4, le=10)
    range: Literal["full", "calibrated"] = "full"
    coverage: float = Field(default=1.0, gt=0.5, le=1.0)

    @property
    def code_max(self) -> int:
        """The largest code."""
        return (1 << (self.bits - 1)) - 1

    @property
    def component(self) -> str:
        """Its name in the cost tables."""
        return f"adc_{self.bits}b"

    def ampere_per_code(self, full_scale_ampere: float) -> float:
        """Step of the converter whose largest code stands for ``full_scale_ampere``."""
        return full_scale_ampere / self.code_max

    def full_scale(self, currents: NDArray[np.floating]) -> float:
        """Full scale, ampere, that covers the share ``coverage`` of these currents; 1 A where all of them are 0."""
        return float(np.quantile(np.abs(currents), self.coverage)) or 1.0
