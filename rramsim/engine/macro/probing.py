"""What a probe sees of a macro: currents before the converters of the first row of tiles, and their codes."""

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import Single
from rramsim.probe import Probe

from .converters import Indices
from .held import HeldMatrix

__all__ = ["record_conversions"]


def record_conversions(
    probe: Probe, macro: HeldMatrix, inputs: Single, matrices: Indices, leading: tuple[int, ...]
) -> None:
    """Hand column currents and codes of the first row of tiles to a probe.

    Parameters
    ----------
    probe
        Receives ``column_current``, ampere, and where there are converters ``adc_code``.
    macro
        The matrices held.
    inputs
        (n_batches, n * n_conversions, n_columns) what the converters saw, steps.
    matrices
        (n_batches,) which matrix each batch met.
    leading
        Axes of the vectors.
    """
    spec, n_out, lines = macro.spec, macro.shape[-1], macro.spec.n_converted_lines
    used = inputs[..., : spec.n_channels * n_out]
    shape = (int(np.prod(leading)), -1, len(spec.widths), lines, n_out)

    def arranged(values: NDArray[np.generic]) -> NDArray[np.generic]:
        each = np.moveaxis(values.reshape(shape), (1, 4), (0, 2))  # pulse, vector, output, slice, line
        each = each if lines > 1 else each[..., 0]
        return each.reshape(each.shape[0], *leading, *each.shape[2:])

    step = np.repeat(macro.converters.step_ampere, lines * n_out)
    probe.record("column_current", arranged(used * step.astype(np.float32)), "A")
    if macro.converters.adc is not None:
        probe.record("adc_code", arranged(_codes(macro, used, matrices).astype(np.int16)))


def _codes(macro: HeldMatrix, inputs: Single, matrices: Indices) -> Single:
    """Codes of what the converters saw."""
    adc = macro.converters.adc
    assert adc is not None  # noqa: S101  (asked for by those who have one)
    codes = np.clip(np.rint(inputs), adc.code_min, adc.code_max)
    if adc.levels is not None and adc.codes is not None:
        converters = macro.rows[0].columns.converter[matrices, None, : inputs.shape[-1]]
        for converter in np.unique(converters):
            converted = np.broadcast_to(converters == converter, inputs.shape)
            interval = np.searchsorted(adc.levels[converter].astype(np.float32), inputs[converted], side="right")
            codes[converted] = adc.codes[converter][interval]
    return codes
