"""The table that pairs every compiled kernel with its oracle."""

from rramsim.kernels.convert import convert_and_add
from rramsim.kernels.network import factor_ladders, solve_lanes, transfer_matrices

from . import convert, network

__all__ = ["ORACLES"]

ORACLES = {
    convert_and_add: convert.convert_and_add,
    factor_ladders: network.ladder_factors,
    solve_lanes: network.solve,
    transfer_matrices: network.transconductance,
}
