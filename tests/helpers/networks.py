"""Arrays with wires and options for tests of networks: drawn at random, known, and compared with the oracle."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference import network as oracle

import rramsim as rs
from rramsim.cell.curves import CurveSpec

__all__ = [
    "CUBIC",
    "ENDS",
    "GATED_CUBIC",
    "GATED_LINEAR",
    "GATED_POLYNOMIAL",
    "GATED_SINH",
    "MILO",
    "OHMS",
    "POLYNOMIAL",
    "SINH",
    "UNSELECTED",
    "Case",
    "assert_close",
    "check_every_method",
    "check_solution",
    "known_case",
    "largest",
    "random_case",
    "random_cells",
    "random_drive",
]

OHMS = ("word_line_ohm", "bit_line_ohm", "driver_ohm", "sense_ohm")
ENDS = ("near", "far", "both")
UNSELECTED = ("grounded", "floating", "cut off")
SINH = rs.SinhConductionSpec(sinh_volt=0.1)
CUBIC = rs.CubicConductionSpec(cubic_per_square_volt=6.0)
GATED_SINH = rs.SinhConductionSpec(sinh_volt=0.07, series_ohm=3e3)
GATED_CUBIC = rs.CubicConductionSpec(cubic_per_square_volt=20.0, series_ohm=500.0)
GATED_LINEAR = rs.LinearConductionSpec(series_ohm=4e3)
# Of the kind that Milo et al. (IRPS 2021) measured, but for cells of any conductance.
POLYNOMIAL = rs.PolynomialConductionSpec(
    square_ampere_per_square_volt=CurveSpec(coefficients=(0.0, -6e-5, 4e-6), reference_siemens=1e-4),
    cube_ampere_per_cubic_volt=CurveSpec(coefficients=(0.0, 2e-4, -1e-6), reference_siemens=1e-4),
    most_volt=0.6,
)
GATED_POLYNOMIAL = POLYNOMIAL.but({"series_ohm": 3e3})
MILO = rs.PolynomialConductionSpec(
    square_ampere_per_square_volt=CurveSpec(
        coefficients=(7.063e-3, 5.711e-3, 1.541e-3, 1.388e-4), variable="log10", reference_siemens=1.0
    ),
    cube_ampere_per_cubic_volt=CurveSpec(
        coefficients=(1.2968e-3, 6.7919e-4, 8.871e-5), variable="log10", reference_siemens=1.0
    ),
    most_volt=0.5,
)


class Case(NamedTuple):
    """An array with its wires and options, and a drive for it."""

    g: np.ndarray
    wires: rs.WireSpec
    options: dict
    v: np.ndarray
    selected: np.ndarray | None

    @property
    def network(self):
        return rs.Network(self.g, self.wires, **self.options)

    @property
    def all(self):
        """What the oracle takes beside g and v."""
        return {**self.options, **self.wires.model_dump()}

    def solved(self, v=None, selected=None):
        v = self.v if v is None else v
        return oracle.solve(self.g, v, selected=self.selected if selected is None else selected, **self.all)


def random_cells(shape, rng=0, *, low=1e-6, high=1e-3, open_share=0.0):
    """Conductances between these two, siemens, spread evenly over the decades; some of them open.

    ``rng`` is a generator, or the seed of one.
    """
    rng = np.random.default_rng(rng)
    g = low * (high / low) ** rng.random(shape)
    return np.where(rng.random(shape) < open_share, 0.0, g)


def random_drive(shape, rng=1000):
    """Voltages of both signs, at most 0.3 V; ``rng`` is a generator, or the seed of one."""
    return np.random.default_rng(rng).uniform(-0.3, 0.3, shape)


def random_case(
    seed,
    shape=None,
    *,
    inputs="rows",
    unselected="grounded",
    pairs="none",
    conduction=None,
    selected=None,
    zeros=0.3,
    open_share=0.25,
    low=1e-6,
    per_line=True,
    ohms=(1e-1, 1e3),
    **ends,
):
    """An array of at most 7 x 7 with a resistance for every line, some of them 0.

    ``selected`` is None, "drive" (lines with a voltage of 0) or "mask".
    """
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 8, 2)) if shape is None else shape
    lines = np.array(shape if inputs == "rows" else shape[::-1])
    paired = {"none": None, "inputs": 0, "outputs": 1}[pairs]
    if paired is not None:
        lines[paired] += lines[paired] % 2
        shape = tuple(lines if inputs == "rows" else lines[::-1])
    n_inputs, n_outputs = (int(n) for n in lines)
    counts = (*shape, n_inputs, n_outputs)
    wires = {}
    for name, count in zip(OHMS, counts, strict=True):
        ohm = ohms[0] * (ohms[1] / ohms[0]) ** rng.random(count)
        ohm[rng.random(count) < zeros] = 0.0
        wires[name] = tuple(ohm.tolist()) if per_line and rng.random() < 0.8 else float(ohm[0])
    g = random_cells(shape, rng, low=low, open_share=open_share)
    if pairs == "inputs":
        n_inputs //= 2
    v = rng.uniform(-0.3, 0.3, n_inputs)
    mask = None
    if selected == "drive":
        v[rng.random(n_inputs) < 0.4] = 0.0
    elif selected == "mask":
        mask = rng.random(n_inputs) < 0.6
    options = {"inputs": inputs, "unselected": unselected, "pairs": pairs}
    if conduction is not None:
        options["conduction"] = conduction
    return Case(g, rs.WireSpec(**wires, **ends), options, v, mask)


def known_case(seed, shape, inputs="rows", fall=0.4, **ends):
    """A case whose currents and voltages are known, with about ``fall`` of the drive lost on the wires."""
    rng = np.random.default_rng(seed)
    n_inputs, n_outputs = shape if inputs == "rows" else shape[::-1]
    rate = {"word_line_ohm": shape[0], "bit_line_ohm": shape[1], "driver_ohm": n_inputs, "sense_ohm": n_outputs}
    wires = rs.WireSpec(**{k: tuple(rng.uniform(1, 3, n).tolist()) for k, n in rate.items()}, **ends)
    v = rng.uniform(0.2, 0.3, n_inputs)
    through = rng.uniform(0.2, 1.0, shape)
    through[rng.random(shape) < 0.2] = 0.0
    if inputs == "columns":
        through = -through
    # Currents of 1 lose at most so many volts; scaled so that they lose the wanted share.
    lost = 3.0 * (shape[0] + 1) ** 2 / 2 + 3.0 * (shape[1] + 1) ** 2 / 2 + 6.0 * max(shape)
    through *= fall * 0.2 / lost
    g, word, bit = oracle.known_solution(through, v, inputs=inputs, **wires.model_dump())
    currents = through.sum(axis=0) if inputs == "rows" else -through.sum(axis=1)
    return Case(g, wires, {"inputs": inputs}, v, None), currents, word, bit


def largest(*arrays):
    return max((float(np.nanmax(np.abs(x), initial=0.0)) for x in arrays), default=0.0)


def assert_close(actual, expected, tolerance, scale=None):
    """Within ``tolerance`` of the largest expected, where anything is expected."""
    assert actual.shape == expected.shape
    there = ~np.isnan(expected)
    scale = largest(expected) if scale is None else scale
    assert_allclose(actual[there], expected[there], rtol=0, atol=tolerance * scale)


def input_currents(expected, options):
    """Currents of the inputs from those of the oracle's lines: both lines of a pair together."""
    per_line = expected.input_currents
    return per_line[0::2] + per_line[1::2] if options["pairs"] == "inputs" else per_line


def check_solution(case, solution, expected, rtol=1e-12):
    """One vector, everything that a Solution holds."""
    # A branch may carry more than an output: the noise of a current is that of the largest nearby.
    flow = largest(expected.currents, expected.cell_currents, expected.word_line_currents, expected.bit_line_currents)
    volt = largest(case.v) or 1.0
    assert_close(solution.currents, expected.currents, rtol, largest(expected.currents, expected.cell_currents))
    assert_close(solution.word, expected.word, 10 * rtol, volt)
    assert_close(solution.bit, expected.bit, 10 * rtol, volt)
    assert_close(solution.cell_currents, expected.cell_currents, 10 * rtol, flow)
    assert_close(solution.word_line_currents, expected.word_line_currents, 10 * rtol, flow)
    assert_close(solution.bit_line_currents, expected.bit_line_currents, 10 * rtol, flow)
    assert_close(solution.input_currents, input_currents(expected, case.options), 10 * rtol, flow)
    assert float(solution.power_watt) == pytest.approx(expected.power_watt, rel=1e-10, abs=1e-11 * volt * flow)


def check_every_method(case):
    """currents, transconductance, node_voltages, solve: one vector, and as many as make the matrix worth while."""
    net, expected = case.network, case.solved()
    selected = case.selected
    scale = largest(expected.currents, expected.cell_currents)
    check_solution(case, net.solve(case.v, selected=selected), expected)
    assert_close(net.currents(case.v, selected=selected), expected.currents, 1e-12, scale)
    word, bit = net.node_voltages(case.v, selected=selected)
    volt = largest(case.v) or 1.0
    assert_close(word, expected.word, 1e-11, volt)
    assert_close(bit, expected.bit, 1e-11, volt)
    # The same lines selected in many vectors.
    mask = selected if selected is not None else (case.v != 0) | (case.options["unselected"] == "grounded")
    factors = np.array([1.0, -2.0, 0.5, 3.0, -0.25, 1.5, 0.75, -1.0])
    many = np.multiply.outer(factors, case.v).reshape(2, 4, -1)
    assert_close(
        net.currents(many, selected=mask),
        np.multiply.outer(factors, expected.currents).reshape(2, 4, -1),
        3e-12,
        scale,
    )
    t = oracle.transconductance(case.g, selected=mask, **case.all)
    assert_close(net.transconductance(selected=mask), t, 1e-12, largest(case.g))
    assert_close(net.transconductance(), oracle.transconductance(case.g, **case.all), 1e-12, largest(case.g))
