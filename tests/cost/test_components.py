"""The component table says what its sources say."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest

import rramsim as rs
from rramsim import cards
from rramsim.activity import Activity, Inventory
from rramsim.cards import COMPONENTS, presets
from rramsim.component_names import ComponentFamily, ComponentName
from rramsim.cost.budget import budget
from rramsim.cost.components import Component, ComponentTable, components, load_components
from rramsim.cost.pipeline import Stage, schedule
from rramsim.cost.price import price
from rramsim.errors import SpecError
from rramsim.workload.graph import Graph, Product

PICO, MICRO2, MILLI2, NANO = 1e-12, 1e-12, 1e-6, 1e-9
OF_SEVERAL_BITS = {
    *(ComponentFamily.ADC.of_bits(bits) for bits in range(4, 11)),
    *(ComponentFamily.DAC.of_bits(bits) for bits in range(1, 9)),
}
GRAPH = Graph("one", 1, ((Product("w", 8, 8, 1),),))
PIPELINE = schedule([Stage("one", 1e-9)], 1, "vector")


@pytest.fixture(scope="module")
def table():
    return load_components()


def test_names(table):
    assert "isaac-32nm" in presets("components")
    assert set(table.components) == {*ComponentName, *OF_SEVERAL_BITS}
    assert {name: components(name).name for name in presets("components")} == {n: n for n in presets("components")}


def test_every_figure_has_a_source(table):
    for component in table.components.values():
        assert len(component.source) > 10


@pytest.mark.parametrize(
    ("bits", "picojoule", "square_micrometre"),
    [
        (4, 0.79, 361),
        (5, 0.99, 477),
        (6, 1.20, 627),
        (7, 1.42, 845),
        (8, 1.67, 1200),
        (9, 1.97, 1828),
        (10, 2.38, 3002),
    ],
)
def test_isaac_converters(table, bits, picojoule, square_micrometre):
    adc = table[f"adc_{bits}b"]
    assert adc.energy_joule == pytest.approx(picojoule * PICO, rel=3e-3)
    assert adc.area_square_metre == pytest.approx(square_micrometre * MICRO2, rel=1e-3)
    assert adc.time_second == pytest.approx(1 / 1.28e9)


def test_isaac_areas_of_table_one(table):
    """ISAAC, Table I: the rows of an IMA, and the 0.157 mm2 of its twelve IMAs."""

    def area(name, number):
        return number * table[name].area_square_metre / MILLI2

    rows = {
        "adc_8b": (8, 0.0096),
        "dac_1b": (8 * 128, 0.00017),
        "sample_hold": (8 * 128, 0.00004),
        "crossbar_cell": (8 * 128 * 128, 0.0002),
        "shift_add": (4, 0.00024),
    }
    for name, (number, square_millimetre) in rows.items():
        assert area(name, number) == pytest.approx(square_millimetre, rel=1e-6)
    input_and_output_registers = 0.0021 + 0.00077
    ima = sum(area(name, number) for name, (number, _) in rows.items()) + input_and_output_registers
    assert 12 * ima == pytest.approx(0.157, abs=0.0005)
    assert area("buffer_byte", 64 * 1024) == pytest.approx(0.083)


def test_isaac_powers_of_table_one(table):
    def milliwatt(name, uses, seconds):
        return 1e3 * uses * table[name].energy_joule / seconds

    cycle = 100 * NANO
    assert milliwatt("adc_8b", 8 * 1.2e9, 1) == pytest.approx(16, rel=3e-3)
    assert milliwatt("shift_add", 8 * 1.2e9, 1) == pytest.approx(0.2, rel=0.01)
    assert milliwatt("dac_1b", 8 * 128, cycle) == pytest.approx(4)
    assert milliwatt("sample_hold", 8 * 128, cycle) == pytest.approx(0.01)
    assert milliwatt("buffer_byte", 1024, cycle) == pytest.approx(20.7)
    assert table["crossbar_read"].time_second == pytest.approx(cycle)


def test_puma_lane(table):
    """puma-simulator, include/constants.py: milliwatts for one nanosecond, scaled there from 45 to 32 nm."""
    assert table["divider"].energy_joule == pytest.approx(1.52e-3 * 32 / 45 * NANO)
    assert table["vector_lane"].energy_joule == pytest.approx(0.795e-3 * 32 / 45 * NANO)
    lane = table["divider"].area_square_metre + table["vector_lane"].area_square_metre
    assert lane == pytest.approx(0.00567 * 32 / 45 * MILLI2)


@pytest.mark.parametrize(
    ("name", "picojoule", "square_micrometre", "nanometre"),
    [
        ("sense_amplifier", 0.0417, 40, 65),
        ("counter", 0.25074, 495.5, 40),
        ("adder", 0.21, 278, 40),
        ("register_bit", 0.009, 5.98, 40),
    ],
)
def test_other_tables(table, name, picojoule, square_micrometre, nanometre):
    component = table[name]
    assert component.energy_joule == pytest.approx(picojoule * PICO)
    assert component.area_square_metre == pytest.approx(square_micrometre * MICRO2)
    assert component.node_metre == pytest.approx(nanometre * NANO)


@pytest.mark.parametrize(
    ("name", "picojoule", "square_micrometre"), [("comparator", 0.02947, 71), ("multiplier", 12.68, 6350)]
)
def test_aladdin(table, name, picojoule, square_micrometre):
    """Accelergy library plug-in, library/aladdin: 40 nm, 32 bits."""
    component = table[name]
    assert component.energy_joule == pytest.approx(picojoule * PICO)
    assert component.area_square_metre == pytest.approx(square_micrometre * MICRO2)
    assert component.node_metre == pytest.approx(40 * NANO)
    assert f"aladdin_{name}.csv" in component.source


def test_camasim_encoder(table):
    encoder = table["priority_encoder"]
    assert (encoder.energy_joule, encoder.time_second) == (2.898e-14, 244e-12)
    assert encoder.node_metre is None
    assert "estimate" in encoder.note


def test_unknown_names_say_what_is_allowed(table):
    with pytest.raises(SpecError, match=r"'isaac-33nm'; did you mean 'isaac-32nm'\? Allowed are isaac-32nm"):
        load_components("isaac-33nm")
    with pytest.raises(SpecError, match=r"has no 'adc_11b'; it has adc_10b, .*write_driver"):
        table["adc_11b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"energy_joule": -1.0},
        {"energy_joule": np.nan},
        {"time_second": np.inf},
        {"area_square_metre": "1"},
        {"node_metre": 0.0},
        {"source": ""},
        {"power_watt": 1.0},
    ],
)
def test_wrong_components_are_refused(wrong):
    good = {"energy_joule": 1e-12, "time_second": 1e-9, "area_square_metre": 1e-12, "source": "here"}
    assert Component(**good).node_metre is None
    with pytest.raises(SpecError, match=next(iter(wrong))):
        Component(**{**good, **wrong})
    with pytest.raises(SpecError, match=rf"components\.adder\.{next(iter(wrong))}"):
        ComponentTable(name="t", components={"adder": {**good, **wrong}})


def test_components_are_frozen(table):
    with pytest.raises(ValueError, match="frozen"):
        table["adder"].energy_joule = 0.0


GOOD = {"energy_joule": 1e-12, "time_second": 1e-9, "area_square_metre": 1e-12, "source": "our own"}


class TestTables:
    """Tables of one's own: from a preset, a file, a package."""

    def test_single_figures_of_a_preset(self, table):
        mine = ComponentTable(preset="isaac-32nm", components={"adc_8b": {"energy_joule": 5e-13}, "adder": GOOD})
        assert mine["adc_8b"] == table["adc_8b"].but(energy_joule=5e-13)
        assert mine["adder"] == Component(**GOOD)
        assert mine["divider"] == table["divider"]
        assert load_components("isaac-32nm", components={"adc_8b": {"energy_joule": 5e-13}})["adc_8b"] == mine["adc_8b"]
        assert table.but({"components.adc_8b.energy_joule": 5e-13})["adc_8b"] == mine["adc_8b"]

    def test_a_file(self, tmp_path, table):
        path = tmp_path / "mine.toml"
        path.write_text('preset = "isaac-32nm"\nname = "mine"\n[components.adder]\ntime_second = 2e-9\n')
        mine = load_components(str(path))
        assert mine["adder"] == table["adder"].but(time_second=2e-9)
        assert mine["counter"] == table["counter"]
        assert mine.name == "mine"

    def test_another_package(self, monkeypatch, table):
        offered = {
            "theirs": {"preset": "isaac-32nm", "components": {"adder": GOOD}},
            "object": table.but(name="object"),
        }
        entries = {name: EntryPoint(name, f"their_package:{name}", COMPONENTS.entry_point) for name in offered}
        monkeypatch.setattr(cards, "offers", lambda group: entries if group == "rramsim.components" else {})
        monkeypatch.setattr(EntryPoint, "load", lambda entry: offered[entry.name])
        assert presets("components") == ["isaac-32nm", "object", "theirs"]
        assert load_components("theirs")["adder"] == Component(**GOOD)
        assert load_components("object", components={"adder": GOOD})["adder"] == Component(**GOOD)
        assert price(GRAPH, rs.ChipSpec(), components="theirs").area_square_metre > 0

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"components": {"addr": GOOD}}, r"components\.addr: no hardware counts 'addr'; did you mean 'adder'\?"),
            ({"components": {"neuron": GOOD}}, "listed in custom"),
            ({"components": {}, "custom": ["neuron"]}, "custom: lists neuron, which the table gives no figures for"),
            ({"components": {"a-b": GOOD}, "custom": ["a-b"]}, "custom"),
            ({"preset": "isaac-32nm", "components": {"adc_8b": {"joule": 1.0}}}, r"adc_8b\.joule: unknown key"),
            ({"preset": "isaac-32nm", "components": {"adc_12b": {"energy_joule": 1.0}}}, r"adc_12b\..*: missing"),
        ],
    )
    def test_what_is_refused(self, fields, words):
        with pytest.raises(SpecError, match=words):
            ComponentTable(**fields)

    def test_a_name_of_another_package(self, table):
        mine = ComponentTable(preset="isaac-32nm", custom=["neuron"], components={"neuron": GOOD})
        bill = budget(Activity({"neuron": 3}), Inventory({"neuron": 2}), PIPELINE, 1, 1.0, mine)
        assert bill.energy_joule_per_inference == pytest.approx(3e-12)
        with pytest.raises(SpecError, match="has no 'neuron'"):
            budget(Activity({"neuron": 3}), Inventory({"neuron": 2}), PIPELINE, 1, 1.0, table)
