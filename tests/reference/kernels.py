"""The table that pairs every compiled kernel with its oracle."""

from rramsim.kernels.conduction import cell_currents
from rramsim.kernels.convert import convert_and_add
from rramsim.kernels.network import solve_array, verify
from rramsim.kernels.reduction import merge_blocks, reduce_tiles

from . import conduction, convert, network, reduction

__all__ = ["ORACLES"]

ORACLES = {
    cell_currents: conduction.cell_currents,
    convert_and_add: convert.convert_and_add,
    merge_blocks: reduction.without_nodes,
    reduce_tiles: reduction.tile,
    solve_array: network.solve_lines,
    verify: network.violations,
}
