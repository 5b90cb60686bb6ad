"""Studies with any softmax unit: lines of the table, prices, sweeps over kinds, and what is refused."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest
from helpers.studies import NO_WIRES, problem

import rramsim as rs
from rramsim.engine.softmax.kinds import SOFTMAX_UNITS
from rramsim.study.plan import variants
from rramsim.study.toml import read_study

DIGITAL = [name for name in SOFTMAX_UNITS.names if name != "crossbar"]
NETWORK = """\
title = "a network"
trials = 1
probe_samples = 1
[workload]
samples = 4
calibration_samples = 4
[device]
preset = "rram-wan-2022"
[macro]
input_bits = 3
[softmax]
kind = "{kind}"
{format}
"""
SCORES = """\
title = "kinds"
trials = 1
[scores]
models = ["digits-vit"]
rows = 20
[softmax.format]
integer_bits = 5
fraction_bits = 3
[[sweep]]
name = "kinds"
vary = {{ kind = {kinds} }}
"""


def network(kind):
    has_format = "format" in SOFTMAX_UNITS.kind(kind).model_fields
    text = "format = { integer_bits = 5, fraction_bits = 3 }" if has_format else ""
    return read_study(NETWORK.format(kind=kind, format=text), "my.toml", NO_WIRES)


@pytest.mark.parametrize("kind", DIGITAL)
def test_a_digital_unit_has_one_line_of_the_table(kind):
    study = network(kind)
    assert study.softmax.kind_name() == kind
    names = [line.name for line in variants(study)]
    assert "softmax_bits" in names
    assert "softmax_cells" not in names
    assert study.resolved["softmax"]["kind"] == kind
    assert rs.StudySpec(**study.given_fields) == study
    assert study.but({"trials": 2}).softmax == study.softmax


def test_a_crossbar_has_two():
    study = rs.load_study()
    labels = {line.name: line.label for line in variants(study)}
    assert labels["softmax_cells"] == "softmax bits, CAM/LUT errors"
    assert study.softmax.device == study.device


@pytest.mark.parametrize(
    "kind", ["softermax", *(pytest.param(kind, marks=pytest.mark.slow) for kind in DIGITAL if kind != "softermax")]
)
def test_a_network_runs_with_it_and_pays_for_it(kind, tmp_path):
    path = rs.run(network(kind), tmp_path / "trace.h5")
    with rs.open_trace(path) as trace:
        blocks = np.array(trace["cost/block"], dtype=str)
        parts = set(np.array(trace["cost/component"], dtype=str)[blocks == "softmax"])
        assert parts == {name for _, name, _ in network(kind).softmax.inventory.rows()}
        assert 0 <= trace["points/accuracy"][-1] <= 1
        assert "probe/layer0.attention/softmax/probability" in {name for name, _, _ in trace.datasets()}
    page = rs.write_report(path).read_text(encoding="utf-8")
    assert "CAM/LUT errors" not in page


def test_a_sweep_over_kinds(tmp_path):
    study = read_study(SCORES.format(kinds='["crossbar", "softermax", "ibert"]'), "my.toml", [])
    path = rs.run(study, tmp_path / "trace.h5", workers=2)
    with rs.open_trace(path) as trace:
        assert list(np.array(trace["sweep/label"], dtype=str)) == [
            "kind = crossbar",
            "kind = softermax",
            "kind = ibert",
        ]
        assert (trace["sweep/kl"] > 0).all()
        assert (trace["sweep/kl"] < 0.1).all()
    rs.write_report(path)


def test_keys_that_a_kind_lacks_are_refused():
    text = NETWORK.format(kind="float", format="lut_bits = 8")
    assert "softmax.lut_bits: unknown key" in problem(text)
    text = SCORES.format(kinds='["crossbar", "float"]')
    assert "kind = 'float': format: unknown key" in problem(text)
    assert "did you mean 'ibert'" in problem(NETWORK.format(kind="ibrt", format=""))


def test_a_unit_of_another_package_in_both_studies(monkeypatch, tmp_path):
    entry = EntryPoint("uniform", "engine.softmax.test_units:UniformSoftmaxSpec", SOFTMAX_UNITS.entry_point)
    monkeypatch.setattr("rramsim.kinds.offers", lambda group: {"uniform": entry} if group == entry.group else {})
    path = rs.run(read_study(NETWORK.format(kind="uniform", format=""), "my.toml", NO_WIRES), tmp_path / "trace.h5")
    with rs.open_trace(path) as trace:
        blocks, parts = (np.array(trace[f"cost/{name}"], dtype=str) for name in ("block", "component"))
        assert set(parts[blocks == "softmax"]) == {"divider"}
    text = SCORES.format(kinds='["uniform"]').replace("[softmax.format]\ninteger_bits = 5\nfraction_bits = 3\n", "")
    swept = rs.run(
        read_study(text.replace("[[sweep]]", '[softmax]\nkind = "uniform"\n[[sweep]]'), "my.toml", []),
        tmp_path / "s.h5",
    )
    with rs.open_trace(swept) as trace:
        assert trace["sweep/kl"].shape == (1, 1)


def test_a_part_without_a_price_is_refused_before_the_run(monkeypatch):
    from rramsim.activity import Inventory

    monkeypatch.setattr("rramsim.engine.softmax.digital.floating.FloatSoftmaxSpec.inventory", Inventory({"abacus": 1}))
    said = problem(NETWORK.format(kind="float", format=""))
    assert "its parts abacus have no price in the table 'isaac-32nm'" in said
