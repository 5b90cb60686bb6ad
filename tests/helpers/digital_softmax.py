"""One digital softmax unit of each kind."""

from rramsim.engine.softmax.digital.base2_lut import Base2LutSoftmaxSpec
from rramsim.engine.softmax.digital.fixed_point import FixedPointSoftmaxSpec
from rramsim.engine.softmax.digital.floating import FloatSoftmaxSpec
from rramsim.engine.softmax.digital.hybrid import HybridSoftmaxSpec
from rramsim.engine.softmax.digital.ibert import IBertSoftmaxSpec
from rramsim.engine.softmax.digital.softermax import SoftermaxSpec
from rramsim.fixed_point import FixedPointSpec

FORMAT = FixedPointSpec(integer_bits=5, fraction_bits=3)
CODED = {
    "fixed_point": FixedPointSoftmaxSpec(format=FORMAT),
    "softermax": SoftermaxSpec(format=FORMAT),
    "ibert": IBertSoftmaxSpec(format=FORMAT),
    "hybrid": HybridSoftmaxSpec(format=FORMAT),
    "base2_lut": Base2LutSoftmaxSpec(format=FORMAT),
}
"""Units whose scores have codes."""
UNITS = {"float": FloatSoftmaxSpec(), **CODED}


def counts(activity_or_inventory):
    """Counts by component."""
    return {component: count for _, component, count in activity_or_inventory.rows()}
