"""Compiled kernels: plain functions, arrays in, arrays out, SI units; imported as ``rramsim.kernels``."""

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, by running each once on the smallest input."""
    import numpy as np

    from .convert import convert_and_add
    from .network import LANES, factor_ladders, solve_lanes, transfer_matrices

    one = np.ones((1, 1, 1))
    single = one.astype(np.float32)
    none = np.empty((0, 0, 0), dtype=np.float32)
    convert_and_add(single, none, none, 1.0, 1, one[0, 0], one[0].copy())
    ohm = (1.0, 1.0, 1.0, 1.0)
    transfer_matrices(one, *ohm, 1e-12, 10, one.copy())
    lanes = np.ones((1, LANES))
    cells, word_factor, bit_factor = lanes.copy(), one[0].copy(), lanes.copy()
    factor_ladders(one[0], *ohm, cells, word_factor, bit_factor)
    work = np.empty((4, 1, LANES))
    solve_lanes(cells, word_factor, bit_factor, lanes, *ohm, 1e-12, 10, work, lanes.copy(), lanes.copy())
