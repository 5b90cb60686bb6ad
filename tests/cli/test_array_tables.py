"""What is said of one solved array; the tables themselves are checked where they are printed, in test_array."""

import numpy as np
import pytest

import rramsim as rs
from rramsim.cli.array_input import ArrayInput
from rramsim.cli.array_tables import array_table, coupling_meaning, current_table, solved_array

COUPLINGS = (0.0, 0.001, 0.01, 0.1, 5.0, 500.0)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_every_coupling_means_something(coupling):
    assert coupling_meaning(coupling)


def test_and_each_something_else():
    assert len(set(map(coupling_meaning, COUPLINGS))) == len(COUPLINGS)


@pytest.mark.parametrize(
    ("use", "output"),
    [
        ({"inputs": "rows", "pairs": "none"}, "bit line"),
        ({"inputs": "columns", "pairs": "none"}, "word line"),
        ({"inputs": "rows", "pairs": "outputs"}, "pair of bit lines"),
        ({"inputs": "columns", "pairs": "outputs"}, "pair of word lines"),
    ],
)
def test_outputs_have_names(use, output):
    g = np.full((4, 4), 1e-5)
    wires = rs.WireSpec(word_line_ohm=5.0, bit_line_ohm=5.0)
    array = ArrayInput(g, np.full(4, 0.2), wires, rs.LinearConductionSpec(), use, ("G.npy", "V.npy"))
    solved = solved_array(array)
    assert current_table(solved).header[0] == output
    assert f": {output} " in dict(array_table(solved).rows)["largest output loss"]
