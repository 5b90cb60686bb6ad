"""A matrix held in crossbars: what was asked, its tiles, and what is around them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import FloatArray, IntArray
from rramsim.errors import SpecError
from rramsim.rng import Seed

from .converters import Converters
from .design import MacroDesign, MacroRanges
from .mapping import Codes, quantize
from .rows import RowOfTiles

__all__ = ["HeldMatrix", "checked_inputs"]


def checked_inputs(x: ArrayLike, n_in: int) -> FloatArray:
    """Input vectors (..., n_in); SpecError for others."""
    inputs = np.asarray(x, dtype=np.float64)
    if inputs.ndim == 0 or inputs.shape[-1] != n_in:
        raise SpecError(f"macro: inputs have the shape (..., {n_in}); got {inputs.shape}")
    if not np.isfinite(inputs).all():
        raise SpecError("macro: inputs are finite numbers; got nan or infinity")
    return inputs


@dataclass(frozen=True)
class HeldMatrix:
    """A matrix held in crossbars.

    Parameters
    ----------
    spec
        What was asked.
    shape
        (..., n_in, n_out); leading axes are independent matrices.
    weight_step
        What one integer step of a weight stands for: a number, or (n_out,) one for each output.
    ranges
        Full scales in force.
    converters
        Converters and drivers.
    rows
        The rows of tiles; ``macro.rows[r].tiles[c].array`` are the cells and wires of one.
    seed
        What its writing drew from: as ``rng`` it gives this macro again.
    """

    spec: MacroDesign
    shape: tuple[int, ...]
    weight_step: FloatArray
    ranges: MacroRanges
    converters: Converters
    rows: tuple[RowOfTiles, ...]
    seed: Seed | None = None

    @property
    def n_matrices(self) -> int:
        """Independent matrices held (the product of the leading axes)."""
        return int(np.prod(self.shape[:-2], dtype=int))

    @property
    def n_tiles(self) -> int:
        """Tiles of one matrix."""
        return self.converters.n_tiles

    @cached_property
    def pulse_weights(self) -> IntArray:
        """What each pulse of an input counts, the least significant first: (n_pulses,)."""
        return self.spec.pulse_weights

    @property
    def n_conversions(self) -> int:
        """Conversions that one input vector takes of one channel."""
        return self.spec.n_conversions

    def input_codes(self, x: FloatArray) -> tuple[Codes, FloatArray]:
        """Input vectors (..., n_in) as integers, and what a step of them stands for."""
        full_scale: float | FloatArray | None = self.ranges.inputs
        if full_scale is None:
            full_scale = np.abs(x).max(axis=-1, keepdims=True)
        return quantize(x, self.spec.input_bits, full_scale, signed=self.spec.signed_inputs)
