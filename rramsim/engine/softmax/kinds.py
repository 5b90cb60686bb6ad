"""All softmax units, by name."""

from typing import Annotated

from rramsim.kinds import Kinds

from .digital.base2_lut import Base2LutSoftmaxSpec
from .digital.fixed_point import FixedPointSoftmaxSpec
from .digital.floating import FloatSoftmaxSpec
from .digital.hybrid import HybridSoftmaxSpec
from .digital.ibert import IBertSoftmaxSpec
from .digital.softermax import SoftermaxSpec
from .engine import SoftmaxSpec
from .unit import SoftmaxUnitSpec

__all__ = ["SOFTMAX_UNITS", "SoftmaxUnit"]

SOFTMAX_UNITS = Kinds(
    "softmax unit",
    SoftmaxUnitSpec,
    (
        SoftmaxSpec,
        SoftermaxSpec,
        IBertSoftmaxSpec,
        Base2LutSoftmaxSpec,
        FixedPointSoftmaxSpec,
        HybridSoftmaxSpec,
        FloatSoftmaxSpec,
    ),
    "rramsim.softmax_units",
)
"""Softmax units: the crossbar engine, the digital ones, and those of other packages."""

SoftmaxUnit = Annotated[SoftmaxUnitSpec, SOFTMAX_UNITS]
"""What takes a softmax unit: an object of any kind, or a table that names one."""
