"""A workload: a network, what it is asked, and how its answers are judged; of rramsim, or of another package."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray, IntArray
from rramsim.errors import SpecError
from rramsim.workload.graph import Elementwise, Graph

from .graph import recorded_graph
from .layers import Compute, FloatCompute

__all__ = ["Workload"]

_LARGEST_CLASS = np.iinfo(np.int16).max
"""A trace holds classes in 16 bits."""


class Workload(ABC):
    """A network with its data: what a study runs on hardware.

    A package offers one through the entry point ``rramsim.workloads``: its name, and the class, which derives from this
    one and is called without arguments. Arrays are best loaded when they are first asked for, as cached properties.

    Attributes
    ----------
    name
        What a study calls it: ``[workload] name = "..."``.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def weights(self) -> Mapping[str, FloatArray]:
        """The static weight matrices by the name that a compute is asked for, each (n_in, n_out)."""

    @abstractmethod
    def forward(self, compute: Compute, inputs: Any) -> FloatArray:
        """The network's outputs (n, ...) for n inputs, with every product and attention done by ``compute``.

        Inputs of products are (n, ..., n_in), of attentions (n, heads, length, d_head), so that inputs are independent
        of one another: hardware runs some dozens at a time.
        """

    @property
    @abstractmethod
    def inputs(self) -> NDArray[Any]:
        """The inputs that a study may run, (n, ...): held out of any training."""

    @property
    @abstractmethod
    def labels(self) -> IntArray:
        """The right class of each input, whole numbers from 0 on, (n,)."""

    @property
    @abstractmethod
    def calibration_inputs(self) -> NDArray[Any]:
        """Other inputs, from which full scales are found."""

    @property
    def n_inputs(self) -> int:
        """How many inputs there are."""
        return len(self.inputs)

    @property
    def n_calibration_inputs(self) -> int:
        """How many inputs there are to find full scales from."""
        return len(self.calibration_inputs)

    def predictions(self, outputs: FloatArray) -> IntArray:
        """The class that each output names, (n,): the largest of the last axis, unless a workload says otherwise."""
        return np.asarray(outputs.argmax(axis=-1), dtype=np.int64)

    @property
    def elementwise(self) -> tuple[Elementwise, ...]:
        """Digital work of one inference, which no compute is asked for; none, unless a workload states it."""
        return ()

    @cached_property
    def graph(self) -> Graph:
        """What one inference computes: recorded from the network's own calls, on the first calibration input."""
        compute = FloatCompute(self.weights)
        return recorded_graph(self.name, self.forward, compute, self.calibration_inputs[:1], self.elementwise)

    def classes(self, outputs: FloatArray, n: int) -> IntArray:
        """What :meth:`predictions` makes of the outputs for n inputs, checked.

        Raises
        ------
        SpecError
            For anything but one class for each input.
        """
        return _checked_classes(f"predictions of the workload {self.name!r}", self.predictions(outputs), n)

    def checked_labels(self, n: int) -> IntArray:
        """Labels of the first n inputs.

        Raises
        ------
        SpecError
            For anything but one class for each input.
        """
        return _checked_classes(f"labels of the workload {self.name!r}", self.labels[:n], n)


def _checked_classes(they_are: str, given: Any, n: int) -> IntArray:
    classes = np.asarray(given)
    if classes.shape != (n,) or classes.dtype.kind not in "iu":
        raise SpecError(
            f"{they_are} are one whole number for each of {n} inputs; got {classes.dtype} of shape {classes.shape}"
        )
    if n and not 0 <= classes.min() <= classes.max() <= _LARGEST_CLASS:
        raise SpecError(f"{they_are} are from 0 to {_LARGEST_CLASS}; got {classes.min()} to {classes.max()}")
    return classes
