"""The table that pairs every compiled kernel with its oracle."""

from rramsim.kernels.conduction import cell_currents, polynomial_currents
from rramsim.kernels.convert import convert_and_add
from rramsim.kernels.network import solve_array, verify
from rramsim.kernels.normal import normal_numbers
from rramsim.kernels.reduction import merge_blocks, reduce_tiles
from rramsim.kernels.spread import spread_cells

from . import conduction, convert, network, normal, reduction, spread

__all__ = ["ORACLES"]

ORACLES = {
    cell_currents: conduction.cell_currents,
    convert_and_add: convert.convert_and_add,
    merge_blocks: reduction.without_nodes,
    normal_numbers: normal.normal_numbers,
    polynomial_currents: conduction.polynomial_currents,
    reduce_tiles: reduction.tile,
    solve_array: network.solve_lines,
    spread_cells: spread.spread_cells,
    verify: network.violations,
}
