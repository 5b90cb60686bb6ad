"""What a softmax engine holds once it is written."""

from dataclasses import dataclass

from rramsim.array.adc.programmed import ProgrammedAdc
from rramsim.array.cam import ProgrammedCam
from rramsim.array.lut import ProgrammedLut
from rramsim.array.wired import ProgrammedArray
from rramsim.arrays import FloatArray

from .design import SoftmaxDesign

__all__ = ["HeldSoftmax"]


@dataclass(frozen=True)
class HeldSoftmax:
    """Four written crossbars, and the static errors of the circuits around them.

    Parameters
    ----------
    spec
        What was asked.
    cam_sub
        CAM of every representable score, in descending order: finds the row of a score, and subtracts two rows.
    cam_exp
        CAM of every magnitude of a difference; as wide as ``cam_sub``, as published.
    lut
        Exponentials, on the match lines of ``cam_exp``.
    vmm
        Crossbar of the exponentials and one empty column, for the sum.
    adc
        Converters of the columns of the sum; None: unlimited resolution.
    comparators
        (bits, 2) offsets of the comparators of the difference, as shares of the current of a cell over its whole
        window.
    """

    spec: SoftmaxDesign
    cam_sub: ProgrammedCam
    cam_exp: ProgrammedCam
    lut: ProgrammedLut
    vmm: ProgrammedArray
    adc: ProgrammedAdc | None
    comparators: FloatArray
