"""How far a written conductance strays from its target: a class for each law."""

from .gaussian import GaussianSpreadSpec
from .law import SpreadSpec
from .laws import SPREAD_LAWS
from .lognormal import LognormalSpreadSpec

__all__ = ["SPREAD_LAWS", "GaussianSpreadSpec", "LognormalSpreadSpec", "SpreadSpec"]
