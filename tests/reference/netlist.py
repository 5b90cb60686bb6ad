"""The circuit of an array written down by hand, and netlists read back: solved with the current of every branch."""

import re
from itertools import pairwise

import numpy as np

__all__ = ["by_hand", "elements", "read_back"]


class Circuit:
    """Modified nodal analysis with the current of every branch as an unknown, so that 0 ohm is nothing special."""

    def __init__(self):
        self.branches = {}  # name: (node, node, ohm, volt)

    def solve(self):
        """(voltages by node, currents by branch); least squares choose where a loop of 0 ohm leaves a current open."""
        nodes = sorted({node for one, other, *_ in self.branches.values() for node in (one, other)} - {"0"})
        n, size = len(nodes), len(nodes) + len(self.branches)
        number = {node: k for k, node in enumerate(nodes)}
        matrix, right = np.zeros((size, size)), np.zeros(size)
        for k, (one, other, ohm, volt) in enumerate(self.branches.values(), n):
            for node, sign in ((one, 1.0), (other, -1.0)):
                if node != "0":
                    matrix[k, number[node]] = matrix[number[node], k] = sign
            matrix[k, k], right[k] = -1e-4 * ohm, volt  # currents in units of 100 uA
        solution = np.linalg.lstsq(matrix, right, rcond=1e-14)[0]
        np.testing.assert_allclose(matrix @ solution, right, atol=1e-12)
        return dict(zip(nodes, solution, strict=False)), dict(zip(self.branches, 1e-4 * solution[n:], strict=True))


def by_hand(g, wires, v, inputs="rows", unselected="grounded", selected=None, series_ohm=0.0):
    """The circuit as the documentation has it: output currents, and (word, bit) voltages."""
    g, v = np.array(g), np.array(v, dtype=float)
    n_rows, n_columns = g.shape
    on = np.asarray(selected) if selected is not None else (v != 0) | (unselected == "grounded")
    v[~on] = 0
    if unselected == "cut off":
        g[~on if inputs == "rows" else (slice(None), ~on)] = 0
    circuit = Circuit()
    lines = {
        "rows": [[f"w{i},{j}" for j in range(n_columns)] for i in range(n_rows)],
        "columns": [[f"b{i},{j}" for i in range(n_rows)] for j in range(n_columns)],
    }
    segments = {
        "rows": np.broadcast_to(wires.word_line_ohm, n_rows),
        "columns": np.broadcast_to(wires.bit_line_ohm, n_columns),
    }
    outputs = "columns" if inputs == "rows" else "rows"
    for kind, nodes in lines.items():
        for k, line in enumerate(nodes):
            for one, other in pairwise(line):
                circuit.branches[one, other] = (one, other, segments[kind][k], 0.0)
    ends = {"near": [0], "far": [-1], "both": [0, -1]}
    for k, line in enumerate(lines[inputs]):
        if on[k] or unselected != "floating":
            circuit.branches["source", k] = (f"source{k}", "0", 0.0, v[k])
            ohm = np.broadcast_to(wires.driver_ohm, len(v))[k] + segments[inputs][k] * wires.end_segments
            for end in ends[wires.driver_end]:
                circuit.branches["driver", k, end] = (f"source{k}", line[end], ohm, 0.0)
    for k, line in enumerate(lines[outputs]):
        ohm = np.broadcast_to(wires.sense_ohm, len(lines[outputs]))[k] + segments[outputs][k] * wires.end_segments
        for end in ends[wires.sense_end]:
            circuit.branches["sense", k, end] = (line[end], "0", ohm, 0.0)
    for i, j in np.argwhere(g):
        circuit.branches["cell", i, j] = (f"w{i},{j}", f"b{i},{j}", 1 / g[i, j] + series_ohm, 0.0)
    voltages, currents = circuit.solve()
    sums = [sum(currents["sense", k, end] for end in ends[wires.sense_end]) for k in range(len(lines[outputs]))]
    word, bit = (
        np.array([[voltages.get(f"{x}{i},{j}", 0) for j in range(n_columns)] for i in range(n_rows)]) for x in "wb"
    )
    return np.array(sums), word, bit


def elements(text):
    """The elements of a netlist, by name: their other words."""
    body = text[: text.index(".options")].splitlines()[1:]
    lines = [line.split() for line in body if line and not line.startswith("*")]
    assert len({line[0].lower() for line in lines}) == len(lines), "a name is used twice"
    return {line[0]: line[1:] for line in lines}


def read_back(text):
    """Output currents and node voltages of a netlist of resistors and sources."""
    circuit = Circuit()
    for name, words in elements(text).items():
        if name[0] != "C":
            value = float(words[2])
            circuit.branches[name] = (*words[:2], *((value, 0.0) if name[0] == "R" else (0.0, value)))
            assert words[0] != words[1]
            assert name[0] == "V" or value > 0
    voltages, currents = circuit.solve()
    sums = re.findall(r"^let i_\d+ = (.*)$", text, re.MULTILINE)
    return np.array([sum(currents[name] for name in re.findall(r"i\((\w+)\)", each)) for each in sums]), voltages
