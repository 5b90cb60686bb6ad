"""Products of vectors with a stack of matrices: which of them meet which matrix, in pieces of which number."""

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.probe import Probe
from rramsim.rng import Streams

from .collapsed import collapsed_products
from .held import HeldMatrix
from .mapping import Codes
from .noise import ReadKeys
from .probing import record_conversions
from .reading import Reading
from .shift_add import shift_and_add

__all__ = ["integer_products"]


def integer_products(
    macro: HeldMatrix, codes: Codes, streams: Streams, probe: Probe, first_vector: int
) -> tuple[FloatArray, dict[str, int]]:
    """Products in integers of inputs and weights, and the conversions that saturated.

    Parameters
    ----------
    macro
        The matrices held.
    codes
        (..., n, n_in) inputs as integers; leading axes as those of the matrices, or any for a single one.
    streams
        For the noise of reads and converters.
    probe
        Receives the conversions of the first row of tiles.
    first_vector
        Number of the first vector, where they are a piece of a batch.

    Returns
    -------
    integers, errors
        (..., n, n_out), and ``adc_saturation`` where there are converters.
    """
    n_out, has_converters = macro.shape[-1], macro.converters.adc is not None
    if not codes.size:
        return np.zeros((*codes.shape[:-1], n_out)), {"adc_saturation": 0} if has_converters else {}
    leading, n = codes.shape[:-2], codes.shape[-2]
    if macro.n_matrices == 1:
        matrices, batches = np.zeros(1, dtype=np.intp), codes.reshape(1, -1, codes.shape[-1])
    else:
        matrices = np.broadcast_to(np.arange(macro.n_matrices).reshape(macro.shape[:-2]), leading).ravel()
        batches = codes.reshape(-1, *codes.shape[-2:])
    out = np.empty((*batches.shape[:-1], n_out))
    keys = ReadKeys(streams, len(batches), first_vector)
    converter_inputs, n_saturated, collapses = [], 0, macro.spec.collapses
    for number, matrix in enumerate(matrices):
        reading = Reading(macro, int(matrix), batches[number], keys, number)
        if not collapses or probe.active:
            products = shift_and_add(reading, record=probe.active)
            out[number] = products.integers
            n_saturated += products.n_saturated
            converter_inputs.append(products.converter_inputs)
        if collapses:
            out[number] = collapsed_products(reading)
    if probe.active:
        record_conversions(probe, macro, np.stack(converter_inputs), matrices, (*leading, n))
    return out.reshape(*leading, n, n_out), {"adc_saturation": n_saturated} if has_converters else {}
