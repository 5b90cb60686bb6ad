"""The crossbar as a list of circuit elements: nodes, resistors, cells, fixed potentials.

Every option of an array is a matter of which elements stand in the list (``Circuit.of``).
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["GROUND", "OPEN", "Chain", "Circuit", "currents_along", "lines_of"]

GROUND = 0
OPEN = -1


class Chain(NamedTuple):
    """Lines of one family: from the near terminal through the nodes of the cells to the far terminal.

    ``nodes`` (n_lines, n + 2) are numbers of nodes, OPEN at an end without a terminal; ``ohm`` (n_lines, n + 1) is what
    lies between one and the next.
    """

    nodes: np.ndarray
    ohm: np.ndarray


class Circuit(NamedTuple):
    """What is connected to what: node 0 is the ground, then the sources, then the nodes of the lines.

    Attributes
    ----------
    word, bit
        (n_rows, n_columns) numbers of the nodes at both sides of each cell.
    words, bits
        The lines as chains of nodes and resistances.
    resistors
        (count, 2) nodes and (count,) ohm: those of the chains and those in series with the cells.
    cells, g, law
        (n_rows, n_columns, 2) nodes of each cell, its conductance (0 also where it is cut off), its conduction law.
    fixed
        Potentials by node: the ground and every connected source.
    n_nodes
        Their number.
    """

    word: np.ndarray
    bit: np.ndarray
    words: Chain
    bits: Chain
    resistors: tuple[np.ndarray, np.ndarray]
    cells: np.ndarray
    g: np.ndarray
    law: Any
    fixed: dict[int, float]
    n_nodes: int

    @classmethod
    def of(
        cls,
        g,
        v,
        *,
        word_line_ohm=0.0,
        bit_line_ohm=0.0,
        driver_ohm=0.0,
        sense_ohm=0.0,
        end_segments=False,
        driver_end="near",
        sense_end="far",
        inputs="rows",
        unselected="grounded",
        selected=None,
        conduction=None,
        temperature_kelvin=None,
        change_per_kelvin=0.00451,
        **_farad,
    ):
        """The circuit of an array with one voltage ``v`` and one mark ``selected`` for every input line."""
        n_rows, n_columns = g.shape
        n_inputs, n_outputs = (n_rows, n_columns) if inputs == "rows" else (n_columns, n_rows)
        v = np.array(v, dtype=float)
        if selected is None:
            selected = np.ones(n_inputs, dtype=bool) if unselected == "grounded" else v != 0
        selected = np.asarray(selected, dtype=bool)
        source = 1 + np.arange(n_inputs)
        word = (1 + n_inputs + np.arange(g.size)).reshape(g.shape)
        bit = word + g.size
        n_nodes = 1 + n_inputs + 2 * g.size

        v[~selected] = 0.0
        connected = np.where(~selected & (unselected == "floating"), OPEN, source)
        if unselected == "cut off":
            g = np.where(selected[:, None] if inputs == "rows" else selected, g, 0.0)
        input_side = (connected, np.broadcast_to(driver_ohm, n_inputs), driver_end)
        output_side = (np.full(n_outputs, GROUND), np.broadcast_to(sense_ohm, n_outputs), sense_end)
        word_side, bit_side = (input_side, output_side) if inputs == "rows" else (output_side, input_side)
        warmth = 1 + change_per_kelvin * ((temperature_kelvin or 300.0) - 300.0)
        words = chain(word, warmth * np.broadcast_to(word_line_ohm, n_rows), *word_side, end_segments)
        bits = chain(bit.T, warmth * np.broadcast_to(bit_line_ohm, n_columns), *bit_side, end_segments)

        fixed = {GROUND: 0.0} | {int(k): volt for k, volt in zip(connected, v, strict=True) if k != OPEN}
        return cls.assembled(word, bit, words, bits, g, conduction, fixed, n_nodes)

    @classmethod
    def assembled(cls, word, bit, words, bits, g, law, fixed, n_nodes):
        """From the lines and the cells; resistors in series with the cells have nodes of their own."""
        pairs, ohms = [], []
        for lines in (words, bits):
            there = (lines.nodes[:, :-1] != OPEN) & (lines.nodes[:, 1:] != OPEN)
            pairs.append(np.stack([lines.nodes[:, :-1][there], lines.nodes[:, 1:][there]], axis=-1))
            ohms.append(lines.ohm[there])
        inner = bit
        if law is not None and law.series_ohm > 0:
            inner = n_nodes + np.arange(g.size).reshape(g.shape)
            n_nodes += g.size
            pairs.append(np.stack([inner.ravel(), bit.ravel()], axis=-1))
            ohms.append(np.full(g.size, law.series_ohm))
        resistors = (np.concatenate(pairs), np.concatenate(ohms))
        return cls(word, bit, words, bits, resistors, np.stack([word, inner], axis=-1), g, law, fixed, n_nodes)


def chain(nodes, segment_ohm, terminal, terminal_ohm, ends, end_segments):
    """The chain of ``nodes`` (n_lines, n) with the ``terminal`` (n_lines,) at the near or the far end or at both."""
    n_lines, n = nodes.shape
    end_ohm = terminal_ohm + (segment_ohm if end_segments else 0.0)
    near = terminal if ends in ("near", "both") else np.full(n_lines, OPEN)
    far = terminal if ends in ("far", "both") else np.full(n_lines, OPEN)
    ohm = np.stack([end_ohm] + [segment_ohm] * (n - 1) + [end_ohm], axis=1).astype(np.longdouble)
    return Chain(np.concatenate([near[:, None], nodes, far[:, None]], axis=1), ohm)


def lines_of(word, bit, near, segment, far, bottom, out_segment, top, source, ground):
    """Input lines from ``source`` by near and far back to it; output lines from top to bottom, each at ``ground``."""

    def linked(nodes, first, first_ohm, ohm, last, last_ohm):
        between = np.repeat(np.reshape(ohm, (-1, 1)), nodes.shape[1] - 1, axis=1)
        ohms = np.concatenate([np.reshape(first_ohm, (-1, 1)), between, np.reshape(last_ohm, (-1, 1))], axis=1)
        return Chain(np.concatenate([first[:, None], nodes, last[:, None]], axis=1), ohms.astype(np.longdouble))

    def second(terminal, siemens):
        there = np.asarray(siemens) > 0
        return np.where(there, terminal, OPEN), 1 / np.where(there, siemens, 1).astype(np.longdouble)

    words = linked(word, source, near, segment, *second(source, far))
    return words, linked(bit.T, *second(ground, top), out_segment, ground, bottom)


def currents_along(lines, leaving):
    """Currents of chains towards the larger index, (n_lines, n + 1); ``leaving`` (n_lines, n) leaves them at the nodes.

    Kirchhoff's current law gives all of them but one. That one is 0 at an open end; between two terminals, which are at
    the same potential, the voltages along the line add up to 0.
    """
    along = np.zeros(lines.ohm.shape, dtype=np.longdouble)
    along[:, 1:] = -np.cumsum(leaving, axis=1)
    for k, (nodes, ohm) in enumerate(zip(lines.nodes, lines.ohm, strict=True)):
        if nodes[0] == OPEN:
            continue
        if nodes[-1] == OPEN:
            along[k] -= along[k, -1]
        else:
            along[k] -= (ohm @ along[k]) / ohm.sum() if ohm.any() else np.nan
    return along
