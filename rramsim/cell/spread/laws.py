"""All laws of the spread, by name."""

from typing import Annotated

from rramsim.kinds import Kinds

from .gaussian import GaussianSpreadSpec
from .law import SpreadSpec
from .lognormal import LognormalSpreadSpec

__all__ = ["SPREAD_LAWS", "Spread"]

SPREAD_LAWS = Kinds("spread law", SpreadSpec, (GaussianSpreadSpec, LognormalSpreadSpec), "rramsim.spread_laws")
"""Laws of the spread: those of rramsim, and those of other packages."""

Spread = Annotated[SpreadSpec, SPREAD_LAWS]
"""What takes a law of the spread: an object of any, or a table that names one."""
