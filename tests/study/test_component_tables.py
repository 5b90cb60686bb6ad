"""Component tables in a study: named, beside its file, or laid over a preset."""

import json

import pytest
from helpers.studies import NO_WIRES, problem

import rramsim as rs
from rramsim.cost.components import load_components
from rramsim.errors import SpecError

TABLE = load_components()
CHEAPER = TABLE["adc_6b"].but(energy_joule=1e-15)
FEW = ["workload.samples=1", "workload.calibration_samples=4", "trials=1", "probe_samples=0", *NO_WIRES]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a table, and another one from which the study is read."""
    (tmp_path / "mine.toml").write_text('preset = "isaac-32nm"\n[components.adc_6b]\nenergy_joule = 1e-15\n')
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        'cost.components = "mine.toml"',
        '[cost.components]\npreset = "mine.toml"',
        '[cost.components]\npreset = "isaac-32nm"\ncomponents.adc_6b.energy_joule = 1e-15',
        '[cost.components]\npreset = "isaac-32nm"\n[cost.components.components.adc_6b]\nenergy_joule = 1e-15',
    ],
)
def test_ways_of_giving_it(folder, text):
    (folder / "study.toml").write_text(text)
    study = rs.load_study(folder / "study.toml")
    assert study.cost.components["adc_6b"] == CHEAPER
    assert study.cost.components["divider"] == TABLE["divider"]
    assert rs.StudySpec(**study.resolved).cost == study.cost


def test_on_the_command_line(folder):
    by_key = rs.load_study(
        settings=["cost.components.preset=isaac-32nm", f"cost.components={folder / 'mine.toml'}"][1:]
    )
    assert by_key.cost.components["adc_6b"] == CHEAPER
    figure = rs.load_study(
        settings=[
            "cost.components={preset='isaac-32nm', components={adc_6b={energy_joule=1e-15}}}",
            "cost.vector_lanes=8",
        ]
    )
    assert figure.cost.components["adc_6b"] == CHEAPER


def test_a_table_of_rramsim_is_written_out_by_its_name():
    assert rs.load_study().resolved["cost"] == {"components": "isaac-32nm", "vector_lanes": 64}


def test_a_run_takes_its_figures(folder):
    usual = rs.run(rs.load_study(settings=FEW), folder / "usual.h5")
    mine = rs.run(rs.load_study(settings=[*FEW, f"cost.components={folder / 'mine.toml'}"]), folder / "mine.h5")
    with rs.open_trace(usual) as one, rs.open_trace(mine) as other:
        energies = {}
        for trace in (one, other):
            parts = zip(trace["cost/block"], trace["cost/component"], trace["cost/energy"], strict=True)
            energies[trace] = {(block, name): energy for block, name, energy in parts}
        for key, energy in energies[one].items():
            factor = 1e-15 / TABLE["adc_6b"].energy_joule if key[1] == "adc_6b" else 1.0
            assert energies[other][key] == pytest.approx(energy * factor)
        assert other.study["cost"]["components"]["components"]["adc_6b"]["energy_joule"] == 1e-15
        assert json.loads(one.attributes["study"])["cost"]["components"] == "isaac-32nm"


def test_a_missing_price_is_told_before_the_run(folder):
    few = {name: component for name, component in TABLE.components.items() if name != "vector_lane"}
    study = rs.load_study(settings=FEW)
    study = study.but({"cost.components": TABLE.but(name="few", components=few)})
    told = []
    with pytest.raises(SpecError, match="'few' has no 'vector_lane'"):
        rs.run(study, folder / "run.h5", progress=lambda *each: told.append(each))
    assert told == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cost.components = 'none.toml'", "no such component table card"),
        ("[cost.components]\npreset='isaac-32nm'\ncomponents.addr.energy_joule=1.0", "cost.components"),
        ("cost.components = 3", "cost.components"),
    ],
)
def test_what_is_refused(text, words):
    assert words in problem(text)
