"""Integral nonlinearity of converters: a list of values at equidistant inputs, straight in between."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from rramsim.arrays import FloatArray

__all__ = ["InlCurve", "inl_at"]


def _has_ends(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) < 2:
        raise ValueError(f"got {list(values)}; a curve takes 2 values or more, since the first and last are its ends")
    return values


InlCurve = Annotated[tuple[float, ...], Field(strict=False), AfterValidator(_has_ends)]
"""Steps, at equidistant inputs from the first to the last."""


def inl_at(curve: InlCurve | None, n_inputs: int) -> FloatArray:
    """The nonlinearity, steps, at so many equidistant inputs from the first to the last; 0 where there is none."""
    if curve is None:
        return np.zeros(n_inputs)
    end = n_inputs - 1.0
    return np.asarray(np.interp(np.arange(n_inputs), np.linspace(0.0, end, len(curve)), np.asarray(curve)))
