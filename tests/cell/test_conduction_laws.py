"""I-V laws as kinds: what each says of itself, and a law of another package by its formula."""

import math
from importlib.metadata import EntryPoint
from typing import Literal

import numpy as np
import pytest
from pydantic import Field

import rramsim as rs
from rramsim.cell.conduction import CONDUCTION_LAWS, FormulaConductionSpec
from rramsim.cell.part import Window
from rramsim.errors import SpecError

WINDOW = Window(1e-6, 1e-4, 1.0)
FIGURES = {
    "linear": {"series_ohm": 1e3},
    "sinh": {"sinh_volt": 0.25},
    "cubic": {"cubic_per_square_volt": 4.0},
    "polynomial": {"cube_ampere_per_cubic_volt": 1e-5, "most_volt": 1.0},
}
WIRES = rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=30.0, driver_ohm=500.0, sense_ohm=200.0)
G = np.random.default_rng(1).uniform(1e-6, 200e-6, (6, 5))
V = np.linspace(-0.3, 0.4, 6)


class AgainSinhSpec(FormulaConductionSpec):
    """The sinh law once more, as another package would write it.

    Parameters
    ----------
    law
        "sinh-again".
    sinh_volt
        V0, volt.
    """

    law: Literal["sinh-again"] = "sinh-again"
    sinh_volt: float = Field(default=0.25, gt=0)

    @property
    def formula(self):
        return "i = g V0 sinh(v / V0)"

    @property
    def parameters(self):
        return (self.sinh_volt,)

    @staticmethod
    def cell_current(volt, siemens, parameters):
        return siemens * parameters[0] * math.sinh(volt / parameters[0])

    @staticmethod
    def cell_slope(volt, siemens, parameters):
        return siemens * math.cosh(volt / parameters[0])

    @staticmethod
    def cell_by_conductance(volt, siemens, parameters):
        return parameters[0] * math.sinh(volt / parameters[0])

    def spice_current(self, across, siemens):
        return f"{siemens * self.sinh_volt!r}*sinh({across}/{self.sinh_volt!r})"


class WrongSlopeSpec(AgainSinhSpec):
    """A slope that is not that of the current."""

    @staticmethod
    def cell_slope(volt, siemens, parameters):
        return siemens


class FallingSpec(AgainSinhSpec):
    """A current that falls again."""

    @staticmethod
    def cell_current(volt, siemens, parameters):
        return siemens * math.sin(20.0 * volt) / 20.0

    @staticmethod
    def cell_slope(volt, siemens, parameters):
        return siemens * math.cos(20.0 * volt)


@pytest.mark.parametrize("name", CONDUCTION_LAWS.embedded)
def test_every_law_speaks_for_itself(name):
    law = CONDUCTION_LAWS.checked({"law": name, **FIGURES[name]})
    assert law.sentences(WINDOW, given=False)
    assert law.formula.startswith("i = g")
    assert law.declared.heading == "I-V"
    assert rs.DeviceSpec(conduction=law.model_dump(mode="json")).conduction == law
    assert "v(a,b)" in law.spice("X", "a", "b", 1e-5) or law.linear


@pytest.mark.parametrize("series_ohm", [0.0, 2e3])
def test_a_law_by_its_formula_is_the_compiled_one(series_ohm):
    """In the currents, the whole solution, the sensitivity, and alone: to 1e-12 of the largest current."""
    ours, theirs = rs.SinhConductionSpec(sinh_volt=0.25, series_ohm=series_ohm), AgainSinhSpec(series_ohm=series_ohm)
    for name in ("current", "slope", "by_conductance"):
        np.testing.assert_allclose(getattr(theirs, name)(G, 0.3), getattr(ours, name)(G, 0.3), rtol=1e-11)
    one, other = (rs.Network(G, WIRES, conduction=law) for law in (ours, theirs))
    largest = abs(one.currents(V)).max()
    np.testing.assert_allclose(other.currents(V), one.currents(V), rtol=0, atol=1e-12 * largest)
    for place in ("word", "bit"):
        np.testing.assert_allclose(
            getattr(other.solve(V), place), getattr(one.solve(V), place), rtol=0, atol=1e-12 * abs(V).max()
        )
    expected = one.sensitivity(V)
    np.testing.assert_allclose(other.sensitivity(V), expected, rtol=0, atol=1e-9 * abs(expected).max())


def test_it_is_found_by_its_name(monkeypatch):
    entry = EntryPoint("sinh-again", f"{__name__}:AgainSinhSpec", CONDUCTION_LAWS.entry_point)
    monkeypatch.setattr("rramsim.kinds.offers", lambda group: {"sinh-again": entry} if group == entry.group else {})
    device = rs.DeviceSpec(g_max_siemens=2e-4, conduction={"law": "sinh-again", "sinh_volt": 0.25})
    compiled = device.but({"conduction": rs.SinhConductionSpec(sinh_volt=0.25)})
    assert device.sentences()["I-V"] == ["i = g V0 sinh(v / V0), sinh_volt = 0.25"]
    x, w = np.random.default_rng(0).normal(size=(3, 8)), np.random.default_rng(1).normal(size=(8, 4))
    one, other = (rs.MacroSpec(device=each).program(w, rng=1)(x, rng=2) for each in (device, compiled))
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (WrongSlopeSpec(), "cell_slope is not the derivative of cell_current"),
        (FallingSpec(), "cell_current falls as the voltage rises"),
    ],
)
def test_what_is_no_law_is_refused(law, words):
    with pytest.raises(SpecError, match=words):
        rs.Network(G, WIRES, conduction=law).currents(V)


def test_cells_that_are_all_alike():
    """One conductance and one row of voltages, as they are handed in: nothing is written to a broadcast array."""
    alike = np.full((3, 2), 5e-5)
    one, other = (
        rs.Network(alike, WIRES, conduction=law).currents(np.full(3, 0.3))
        for law in (rs.SinhConductionSpec(sinh_volt=0.25), AgainSinhSpec())
    )
    np.testing.assert_allclose(other, one, rtol=1e-12)
