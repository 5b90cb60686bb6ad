"""Random telegraph noise as slow states: traps that keep their state for some vectors and then go on in time."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import Streams

from .batches import integer_products
from .held import HeldMatrix
from .mapping import Codes

__all__ = ["products_in_states"]


def products_in_states(
    macro: HeldMatrix, codes: Codes, streams: Streams, probe: Probe, first_vector: int
) -> tuple[FloatArray, dict[str, int]]:
    """Products while traps keep their state for ``telegraph_vectors`` vectors; see :func:`integer_products`."""
    every = macro.spec.telegraph_vectors
    assert every is not None  # noqa: S101
    if macro.n_matrices == 1 and codes.ndim > 2:  # it meets one vector after another
        one_by_one = codes.reshape(-1, codes.shape[-1])
        integers, errors = products_in_states(macro, one_by_one, streams, probe, first_vector)
        return integers.reshape(*codes.shape[:-1], macro.shape[-1]), errors
    n = codes.shape[-2]
    out = np.empty((*codes.shape[:-1], macro.shape[-1]))
    errors = {}
    periods = range(first_vector // every, -(-(first_vector + n) // every))
    for period, in_states in zip(periods, _macros(macro, periods, every, streams), strict=True):
        start, stop = max(period * every - first_vector, 0), min((period + 1) * every - first_vector, n)
        integers, counts = integer_products(in_states, codes[..., start:stop, :], streams, probe, first_vector + start)
        out[..., start:stop, :] = integers
        for name, count in counts.items():
            errors[name] = errors.get(name, 0) + count
        probe = NULL_PROBE  # it has seen the first period
    return out, errors


def _macros(macro: HeldMatrix, periods: range, every: int, streams: Streams) -> Iterator[HeldMatrix]:
    """The macro in the states of one period after another; a vector takes as long as its pulses."""
    spec = macro.spec.but({"telegraph_vectors": None})
    second = every * len(macro.pulse_weights) * spec.read_second
    times = np.arange(periods.stop) * second
    states = [
        [
            spec.device.telegraph.states(array.g.shape, times, streams.generator("telegraph", row.number, c))
            for c, array in enumerate(row.arrays)
        ]
        for row in macro.rows
    ]
    for period in periods:
        rows = (
            row.rewired(spec, [each[period] for each in of_row]) for row, of_row in zip(macro.rows, states, strict=True)
        )
        yield replace(macro, spec=spec, rows=tuple(rows))
