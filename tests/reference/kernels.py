"""The table that pairs every compiled kernel with its oracle."""

from rramsim.kernels.conduction import cell_currents, polynomial_currents
from rramsim.kernels.convert import bit_serial, convert_currents, hashed_normals, pack_pulses
from rramsim.kernels.formula import formula_currents
from rramsim.kernels.network import solve_array
from rramsim.kernels.normal import normal_numbers
from rramsim.kernels.reduction import merge_blocks, reduce_tiles
from rramsim.kernels.search import replay_searches
from rramsim.kernels.sensitivity import weigh_noise
from rramsim.kernels.softmax import compare_rows, encode_scores, replay_softmax, weigh_words
from rramsim.kernels.spread import spread_cells
from rramsim.kernels.verify import verify

from . import conduction, convert, network, normal, reduction, replay, sensitivity, spread

__all__ = ["ORACLES"]

ORACLES = {
    bit_serial: convert.bit_serial,
    cell_currents: conduction.cell_currents,
    compare_rows: replay.compare,
    convert_currents: convert.convert_currents,
    encode_scores: replay.encode_rows,
    formula_currents: conduction.formula_currents,
    hashed_normals: convert.hashed_normals,
    pack_pulses: convert.pack_pulses,
    merge_blocks: reduction.without_nodes,
    normal_numbers: normal.normal_numbers,
    polynomial_currents: conduction.polynomial_currents,
    reduce_tiles: reduction.tile,
    replay_searches: replay.searched,
    replay_softmax: replay.replay,
    solve_array: network.solve_lines,
    spread_cells: spread.spread_cells,
    verify: network.violations,
    weigh_noise: sensitivity.weights,
    weigh_words: replay.word_of,
}
