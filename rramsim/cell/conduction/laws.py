"""All I-V laws at hand: those of rramsim, and those that other packages offer."""

from rramsim.kinds import Kinds

from .cubic import CubicConductionSpec
from .law import ConductionSpec
from .linear import LinearConductionSpec
from .polynomial import PolynomialConductionSpec
from .sinh import SinhConductionSpec

__all__ = ["CONDUCTION_LAWS"]

CONDUCTION_LAWS = Kinds(
    "I-V law",
    ConductionSpec,
    (LinearConductionSpec, SinhConductionSpec, CubicConductionSpec, PolynomialConductionSpec),
    "rramsim.conduction_laws",
)
"""As an annotation of fields that hold one."""
