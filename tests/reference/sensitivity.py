"""Weights of read noise one cell at a time: ladders of resistors in series and in parallel, and the whole network."""

import numpy as np

from .network import solve_lines

__all__ = ["line_ohm", "line_volts", "weights"]


def inverse(x):
    """1 / x, and infinity for 0."""
    return 1 / x if x > 0 else np.inf


def parallel(one, other):
    """Two resistors side by side; an infinite one is open."""
    if min(one, other) == 0 or max(one, other) == np.inf:
        return min(one, other)
    return one * other / (one + other)


def divided(ohm, series):
    """Share of a voltage that is left to ``ohm`` behind ``series``."""
    return 1.0 if ohm == np.inf or series == 0 else ohm / (ohm + series)


def onwards(g, segment, end):
    """Ohm to 0 V from the first node of a line, whose last node ends in ``end``."""
    ohm = end
    for k, siemens in reversed(list(enumerate(g))):
        ohm = parallel(inverse(siemens), ohm + segment if k < len(g) - 1 else ohm)
    return ohm


def line_ohm(g, near, segment, far, k):
    """Ohm to 0 V from node k of a line, by both of its ends, without the cell at this node."""
    before = near if k == 0 else segment + onwards(g[:k][::-1], segment, near)
    after = inverse(far) if k == len(g) - 1 else segment + onwards(g[k + 1 :], segment, inverse(far))
    return parallel(before, after)


def driven_from_one_end(g, near, segment, end):
    """Voltages of the nodes for 1 V behind ``near``, the other end at 0 V behind ``end``."""
    volts, volt = [], 1.0
    for k in range(len(g)):
        volt *= divided(onwards(g[k:], segment, end), segment if k else near)
        volts.append(volt)
    return np.array(volts)


def line_volts(g, near, segment, far):
    """Voltages of the nodes of a line for 1 V at its ends."""
    volts = driven_from_one_end(g, near, segment, inverse(far))
    if far > 0:
        volts += driven_from_one_end(g[::-1], 1 / far, segment, near)[::-1]
    return volts


def weights(g, in_near, in_segment, in_far, out_near, out_segment, out_far, driven_share):
    """The contract of :func:`rramsim.kernels.sensitivity.weigh_noise` for one array, without its tolerance."""
    n_inputs, n_outputs = g.shape
    inputs = list(zip(in_near, in_segment, in_far, strict=True))
    outputs = list(zip(out_near, out_segment, out_far, strict=True))
    # What is left to a cell behind the line that it hangs on.
    behind_output = np.array(
        [[1 / (1 + g[i, j] * line_ohm(g[:, j], *outputs[j], i)) for j in range(n_outputs)] for i in range(n_inputs)]
    )
    alone = behind_output * [line_volts(g[i] * behind_output[i], *inputs[i]) for i in range(n_inputs)]
    behind_input = np.empty(g.shape)
    for i, j in np.ndindex(g.shape):
        behind_input[i, j] = 1 / (1 + g[i, j] * line_ohm(g[i] * behind_output[i], *inputs[i], j))
    reached = np.transpose([line_volts((g * behind_input)[:, j], *outputs[j]) for j in range(n_outputs)])
    ends = (in_near[::-1], in_segment[::-1], in_far[::-1], out_near, out_segment, out_far)
    every = solve_lines(g[::-1], np.ones(n_inputs), *ends)
    across = (every.word - every.bit)[::-1]
    square = driven_share * across**2 + (1 - driven_share) * alone**2
    return reached * behind_input * np.sqrt(square), square
