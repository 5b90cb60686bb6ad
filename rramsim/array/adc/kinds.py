"""All kinds of converters, of rramsim and of other packages."""

from typing import Annotated

from rramsim.kinds import Kinds

from .base import AdcSpec
from .flash import FlashAdcSpec
from .pipeline import PipelineAdcSpec
from .ramp import RampAdcSpec
from .sar import SarAdcSpec

__all__ = ["ADCS", "Adc"]

ADCS = Kinds("converter", AdcSpec, (SarAdcSpec, FlashAdcSpec, RampAdcSpec, PipelineAdcSpec), "rramsim.adcs")
"""The kinds; the first is meant where a table names none."""

Adc = Annotated[AdcSpec, ADCS]
"""A field that takes a converter of any kind, or a table of keys."""
