"""The number format of scores: signed, fixed-point, in offset binary."""

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from .arrays import FloatArray, IntArray
from .spec import Spec

__all__ = ["FixedPointSpec"]


class FixedPointSpec(Spec):
    """A signed fixed-point format of ``integer_bits + fraction_bits`` bits.

    Parameters
    ----------
    integer_bits
        Bits before the point, the sign included, 1 to 12.
    fraction_bits
        Bits after the point, 0 to 11.

    Notes
    -----
    A number x has the code ``round(x * 2**fraction_bits) + 2**(bits - 1)`` (offset binary), clipped to
    0 .. 2**bits - 1.
    STAR (arXiv 2401.17582) uses 7 to 9 bits for the scores of BERT.
    """

    integer_bits: int = Field(ge=1, le=12)
    fraction_bits: int = Field(ge=0, le=11)

    @model_validator(mode="after")
    def _check(self) -> "FixedPointSpec":
        if not 3 <= self.bits <= 12:
            raise ValueError(
                f"integer_bits + fraction_bits is {self.bits}; allowed are 3 to 12, since a CAM needs 2**bits rows"
            )
        return self

    @property
    def bits(self) -> int:
        """Width of the format."""
        return self.integer_bits + self.fraction_bits

    def encode(self, x: ArrayLike) -> IntArray:
        """Codes in offset binary, ties to even; values out of range saturate."""
        half = 1 << (self.bits - 1)
        scaled = np.rint(np.asarray(x, dtype=np.float64) * 2.0**self.fraction_bits)
        return np.clip(scaled, -half, half - 1).astype(np.int64) + half

    def decode(self, code: ArrayLike) -> FloatArray:
        """The numbers that the codes stand for."""
        return (np.asarray(code, dtype=np.float64) - (1 << (self.bits - 1))) / 2.0**self.fraction_bits
