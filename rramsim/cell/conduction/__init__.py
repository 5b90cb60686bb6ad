"""How the current of a cell depends on the voltage across it: the I-V laws, a class each."""

from .cubic import CubicConductionSpec
from .formula import FormulaConductionSpec
from .law import ConductionSpec
from .laws import CONDUCTION_LAWS
from .linear import LinearConductionSpec
from .polynomial import PolynomialConductionSpec
from .sinh import SinhConductionSpec

__all__ = [
    "CONDUCTION_LAWS",
    "ConductionSpec",
    "CubicConductionSpec",
    "FormulaConductionSpec",
    "LinearConductionSpec",
    "PolynomialConductionSpec",
    "SinhConductionSpec",
]
