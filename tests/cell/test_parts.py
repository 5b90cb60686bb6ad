"""Parts of a device say what they are: what they act on, what they draw, and their sentences, all of which is true."""

from importlib.metadata import EntryPoint
from typing import ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field
from scipy.special import ndtr

import rramsim as rs
from rramsim.cell.device import DeviceSpec
from rramsim.cell.part import Declaration, DevicePart, Draw, Effect, Window
from rramsim.cell.spread import SPREAD_LAWS, SpreadSpec
from rramsim.errors import SpecError
from rramsim.rng import Streams
from rramsim.spec import Spec
from rramsim.study.plan import variants

PARTS = DeviceSpec.declarations()
WINDOW = Window(1e-6, 50e-6, 1.0)
NO_PARTS = {
    *("name", "title", "technology", "source", "references", "note"),
    *("g_min_siemens", "g_max_siemens", "fitted_from_to_siemens", "fitted_until_second", "area_square_metre"),
}
"""Fields that say what a cell is, and how far its source goes."""
ON = {
    "programming": {"spread_siemens": 1e-6},
    "device_to_device": {"spread_siemens": 1e-6},
    "write": {
        "tolerance_siemens": 2e-6,
        "most_pulses": 50,
        "step": "fixed",
        "step_fraction": 0.02,
        "step_spread": 0.1,
        "step_device_spread": 0.1,
    },
    "levels": {"law": "linear", "count": 4},
    "relaxation": {"spread_siemens_per_ln": 1e-7},
    "drift": {"exponent": 0.05, "exponent_spread": 0.01},
    "read_noise": {"spread_siemens": 1e-6},
    "telegraph": {"trap_share": 0.5, "amplitude": 0.1},
    "stuck": {"on_fraction": 0.2},
    "endurance": {"writes": 1000.0, "writes_log": 1.0},
    "conduction": {"law": "sinh", "sinh_volt": 0.3},
    "temperature": {"kelvin": 350.0, "change_per_kelvin": 1e-3},
}
"""Figures that switch a part on."""
TARGET = np.full((40, 30), 20e-6)


def device_with(name):
    return DeviceSpec(g_min_siemens=1e-6, g_max_siemens=50e-6, **{name: ON[name]})


def test_every_field_of_a_device_is_a_part_or_is_known_to_be_none():
    assert PARTS.keys() | NO_PARTS == DeviceSpec.model_fields.keys()
    assert not PARTS.keys() & NO_PARTS


@pytest.mark.parametrize("name", sorted(ON))
def test_a_part_acts_on_something_and_speaks_for_itself(name):
    role = PARTS[name]
    assert role.effects
    assert all(isinstance(effect, Effect) for effect in role.effects)
    device = device_with(name)
    part = getattr(device, name)
    assert isinstance(part, DevicePart)
    assert part.sentences(WINDOW, given=True)
    assert device.sentences()[role.heading] == part.sentences(Window(1e-6, 50e-6, 1.0), given=True)


def test_headings_are_of_one_part_each():
    headings = [role.heading for role in PARTS.values() if role.heading]
    assert len(set(headings)) == len(headings)
    assert {name for name, role in PARTS.items() if not role.heading} == {"bounded"}


class SilentSpec(Spec):
    """A part that says nothing of itself."""

    share: float = 0.0


class HalfSpec(Spec, DevicePart):
    """A part that speaks, but says not what it acts on."""

    def sentences(self, window, *, given):
        return []


@pytest.mark.parametrize("kind", [SilentSpec, HalfSpec])
def test_a_part_that_declares_nothing_is_found(kind):
    class WithPart(DeviceSpec):
        """A device with one part more."""

        extra: kind = Field(default_factory=kind)

    with pytest.raises(SpecError, match=r"WithPart\.extra: a part of a device derives from DevicePart and declares"):
        WithPart.declarations()


class WearSpec(Spec, DevicePart):
    """A part of another package: every read takes a share."""

    declared: ClassVar = Declaration("read disturb", (Effect.READ,), (Draw("disturb", "read"),))
    share: float = 0.0

    @property
    def ideal(self):
        return not self.share

    def sentences(self, window, *, given):
        return [f"{self.share:g} a read"] if self.share else []


class WornSpec(DeviceSpec):
    """A device with a part of another package."""

    disturb: WearSpec = Field(default_factory=WearSpec)


def test_a_part_of_another_package_is_on_the_card_and_in_the_lines():
    device = WornSpec(disturb={"share": 0.1})
    assert device.sentences()["read disturb"] == ["0.1 a read"]
    assert device.noisy
    assert device.random
    assert not WornSpec().noisy
    assert device.parts_with(Effect.READ).keys() == {
        *("disturb", "read_noise", "telegraph", "settled_second", "read_after_second")
    }


def recorded(monkeypatch, streams, action):
    """Names of the generators that an action takes from streams."""
    taken = []
    generator = Streams.generator

    def note(self, *names):
        taken.append(next(iter((*self.path, *map(str, names)))))
        return generator(self, *names)

    monkeypatch.setattr(Streams, "generator", note)
    action(streams)
    return set(taken)


@pytest.mark.parametrize("name", sorted(ON))
def test_what_a_part_draws_is_what_it_says(name, monkeypatch):
    """Cells differ from write to write, from cell to cell, and from read to read just where it is declared."""
    device, draws = device_with(name), {(draw.stream, draw.each) for draw in PARTS[name].draws}
    cells = [
        device.program(TARGET[None], cell_rng=cell, writes_before=1000, rng=write)
        for write, cell in ((1, 3), (2, 3), (2, 4))
    ]
    later = [each.conductance(1e4) for each in cells]
    reads = [cells[0].read(1e4, rng=seed) for seed in (5, 6)]
    per_read = (reads[0] != reads[1]).any()
    traps = cells[1].trap is not None and (cells[1].trap != cells[2].trap).any()
    assert (later[0] != later[1]).any() == any(each == "write" for _, each in draws)
    assert ((later[1] != later[2]).any() or traps) == any(each == "cell" for _, each in draws)
    assert per_read == any(each == "read" for _, each in draws)
    assert device.random == bool(draws)
    assert device.noisy == per_read
    asked = recorded(monkeypatch, Streams(7), lambda s: device.program(TARGET, rng=s).at(1e4).read(rng=s))
    always = {"programming", "steps", "device_to_device"}
    assert {stream for stream, _ in draws} <= asked | always
    assert asked - always <= {stream for stream, _ in draws} | {"read"}


def test_a_line_of_the_table_switches_on_what_it_names():
    study = rs.load_study(settings=["device.read_noise.spread_siemens=1e-7", "device.drift.exponent=0.01"])
    lines = {line.name: line for line in variants(study)}
    acting = {
        "programming": {Effect.WRITTEN},
        "retention": {Effect.WRITTEN, Effect.KEPT},
        "stuck": {Effect.FAULT},
        "read_noise": {Effect.READ},
    }
    ideal = study.device.without_errors
    for name, effects in acting.items():
        if name in lines:
            device = lines[name].chip.macro.device
            for part, role in PARTS.items():
                expected = study.device if effects & set(role.effects) else ideal
                assert getattr(device, part) == getattr(expected, part), (name, part)


class UniformSpreadSpec(SpreadSpec):
    """A law of another package: g = m + w (2 Phi(n) - 1), between two ends.

    Parameters
    ----------
    half_width_siemens
        w, siemens.
    """

    law: Literal["uniform"] = "uniform"
    half_width_siemens: float = Field(default=0.0, ge=0)

    @property
    def spreads(self):
        return self.half_width_siemens > 0

    @property
    def formula(self):
        return [f"uniform: g = m +- {self.half_width_siemens:g} S"]

    def sigma(self, g_target, g_max_siemens):
        return np.full(np.shape(g_target), self.half_width_siemens / np.sqrt(3))

    def spread(self, g, g_target, normal, g_max_siemens):
        return g + self.half_width_siemens * (2 * ndtr(normal.astype(np.float64)) - 1)


@pytest.fixture
def offered(monkeypatch):
    entry = EntryPoint("uniform", f"{__name__}:UniformSpreadSpec", SPREAD_LAWS.entry_point)
    monkeypatch.setattr("rramsim.kinds.offers", lambda group: {"uniform": entry} if group == entry.group else {})


@pytest.mark.usefixtures("offered")
def test_a_spread_law_of_another_package():
    """Its cells lie between the ends, with the deviation of a uniform distribution (5 sigma of 40,000 cells)."""
    device = DeviceSpec(
        programming={"law": "uniform", "half_width_siemens": 3e-6}, device_to_device={"law": "gaussian"}
    )
    g = device.program(np.full(40_000, 50e-6), rng=1).g
    assert g.min() >= 47e-6
    assert g.max() <= 53e-6
    assert g.std() == pytest.approx(device.sigma(np.array([50e-6]))[0], rel=5 * 0.45 / np.sqrt(40_000))
    assert device.sentences()["programming"] == ["uniform: g = m +- 3e-06 S"]
    assert device.random
    low = device.program(np.full(1000, 1e-6), rng=1).g
    assert (low >= 0).all()
    study = rs.load_study(settings=["device={programming={law='uniform', half_width_siemens=1e-6}}"])
    assert "programming" in {line.name for line in variants(study)}


class BrokenSpreadSpec(UniformSpreadSpec):
    """A law that gives no conductances."""

    def spread(self, g, g_target, normal, g_max_siemens):
        return np.nan * g


def test_a_spread_law_that_gives_no_conductances_is_refused():
    with pytest.raises(SpecError, match=r"BrokenSpreadSpec\.spread: gave .* one finite conductance for each"):
        DeviceSpec(programming=BrokenSpreadSpec(half_width_siemens=1e-6)).program(np.full(3, 1e-5), rng=1)


@pytest.mark.parametrize("kind", SPREAD_LAWS.embedded.values(), ids=list(SPREAD_LAWS.embedded))
def test_every_law_of_the_spread(kind):
    """Its deviation is that of its cells, it tells its figures, and without them it is ideal."""
    assert kind().ideal
    assert kind().sentences(WINDOW, given=True) == []
    figure = next(key for key in kind.model_fields if key.startswith("spread_"))
    law = kind(**{figure: 0.05 if figure == "spread_log" else 1e-6})
    assert len(law.sentences(WINDOW, given=False)) == 2
    g = law.sample(np.full(40_000, 20e-6), 50e-6, np.random.default_rng(1))
    assert g.std() == pytest.approx(law.sigma(np.array([20e-6]), 50e-6)[0], rel=5 / np.sqrt(2 * 40_000))
    assert DeviceSpec(programming=law.model_dump(mode="json")).programming == law
