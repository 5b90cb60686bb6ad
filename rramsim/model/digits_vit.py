"""The embedded workload: a vision transformer reads handwritten digits."""

from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from rramsim.arrays import FloatArray, IntArray
from rramsim.workload.graph import Graph

from .encoder import VisionTransformer
from .layers import Compute
from .tasks import digits_task
from .weights import load_model
from .workload import Workload

__all__ = ["DigitsVit"]


class DigitsVit(Workload):
    """The embedded vision transformer on 8 x 8 handwritten digits, of which 599 are held out."""

    name = "digits-vit"

    @cached_property
    def network(self) -> VisionTransformer:
        """The network."""
        return load_model().network

    @cached_property
    def weights(self) -> dict[str, FloatArray]:
        """Weights of embedding, layers and classifier."""
        return self.network.weights

    def forward(self, compute: Compute, inputs: Any) -> FloatArray:
        """Logits (n, 10) of images (n, 8, 8)."""
        return self.network.forward(compute, inputs)

    @cached_property
    def inputs(self) -> NDArray[Any]:
        """The images held out; the first few hundred are a fair subset."""
        return digits_task().test_images

    @cached_property
    def labels(self) -> IntArray:
        """Their digits."""
        return digits_task().test_labels

    @cached_property
    def calibration_inputs(self) -> NDArray[Any]:
        """The images of the training."""
        return digits_task().train_images

    @cached_property
    def graph(self) -> Graph:
        """As the architecture states it, digital work included."""
        return self.network.graph
