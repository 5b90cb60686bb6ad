"""Groups of datasets that other packages offer: what they leave in a trace, and what is refused before a run."""

import json
from importlib.metadata import EntryPoint

import h5py
import numpy as np
import pytest

import rramsim as rs
from rramsim.study import run as study_run
from rramsim.study.groups import GROUPS
from rramsim.study.outcome import NetworkOutcome, SweepOutcome
from rramsim.study.results import all_groups
from rramsim.trace.schema import Dataset, DatasetGroup

ENTRIES = (
    Dataset("tally/wrong", ("point",), "int32", "1", "images classified wrongly"),
    Dataset("tally/line", ("point",), "str", "", "line of the table"),
    Dataset("tally/energy", ("part",), "float64", "J", "energy of a part"),
)


def tally(outcome):
    wrong = [round((1 - result.accuracy) * outcome.study.workload.samples) for result in outcome.results]
    energy = [part.energy_joule for part in outcome.priced.budget.parts]
    return {"wrong": wrong, "line": [point.variant.name for point in outcome.points], "energy": energy}


def broken(outcome):
    raise ZeroDivisionError("no points")


TALLY = DatasetGroup("tally", NetworkOutcome, ENTRIES, tally)
SWEPT = DatasetGroup("swept", SweepOutcome, (Dataset("swept/n", ("one",), "int32", "1", "points"),), dict)
BROKEN = DatasetGroup("broken", NetworkOutcome, (Dataset("broken/n", ("one",), "int32", "1", "points"),), broken)
TABLE = DatasetGroup("table", NetworkOutcome, (Dataset("table/n", ("one",), "int32", "1", "points"),), dict)
OTHER = DatasetGroup("other", dict, (Dataset("other/n", ("one",), "int32", "1", "points"),), dict)
STUDY = [
    *("trials=1", "probe_samples=0", "workload.samples=3", "workload.calibration_samples=4", "device.preset=ideal"),
    *(f"wires.{line}_ohm=0" for line in ("word_line", "bit_line", "driver", "sense")),
]


@pytest.fixture
def offer(monkeypatch):
    def offered(*named):
        entries = [EntryPoint(name, f"{module}:{thing}", "rramsim.datasets") for name, module, thing in named]
        monkeypatch.setattr("rramsim.study.results.entry_points", lambda group: entries)

    return offered


def test_a_group_of_another_package_is_in_the_trace(offer, tmp_path):
    offer(("tally", __name__, "TALLY"), ("swept", __name__, "SWEPT"))
    path = rs.run(rs.load_study(settings=STUDY), tmp_path / "a.h5")
    with rs.open_trace(path) as trace:
        np.testing.assert_array_equal(trace["tally/wrong"], np.rint((1 - trace["points/accuracy"]) * 3))
        assert trace["tally/line"].tolist() == trace["points/variant"].tolist()
        np.testing.assert_array_equal(trace["tally/energy"], trace["cost/energy"])
        assert ("tally/energy", trace["cost/energy"].shape, "J") in trace.datasets()
        assert "swept/n" not in trace
    with h5py.File(path) as file:
        assert file["tally/wrong"].attrs["long_name"] == "images classified wrongly"
        assert file["tally/wrong"].dims[0].label == "point"


def test_a_group_that_fails_at_the_end_does_not_lose_the_run(offer, tmp_path):
    offer(("broken", __name__, "BROKEN"), ("tally", __name__, "TALLY"))
    with pytest.warns(
        UserWarning, match=r"datasets 'broken' of another package are left out.*ZeroDivisionError: no poi"
    ):
        path = rs.run(rs.load_study(settings=STUDY), tmp_path / "a.h5")
    with rs.open_trace(path) as trace:
        assert json.loads(trace.attributes["failed_datasets"]) == {"broken": "ZeroDivisionError: no points"}
        assert "broken" not in trace
        assert "tally/wrong" in trace


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([("table", __name__, "TABLE")], r"'table' of the package \S+ .*: rramsim has a group of that name"),
        ([("probe", __name__, "TABLE")], "rramsim has a group of that name"),
        (
            [("tally", __name__, "TALLY"), ("tally", "zeta.traces", "GROUP")],
            "'tally' of the package zeta .*: the package .* has a group of that name",
        ),
        (
            [("gone", "no_such_package.traces", "GROUP")],
            "'gone' of the package no_such_package .*cannot be loaded: Mod",
        ),
        ([("gone", __name__, "GONE")], "'gone' .*cannot be loaded: AttributeError"),
        ([("entries", __name__, "ENTRIES")], "is no rramsim.trace.schema.DatasetGroup"),
        ([("alias", __name__, "TALLY")], "its group is called 'tally'"),
        ([("other", __name__, "OTHER")], "its outcome is rramsim.study.outcome.NetworkOutcome or .*SweepOutcome"),
    ],
)
def test_what_is_refused_is_refused_before_anything_runs(named, words, offer, monkeypatch, tmp_path):
    offer(*named)
    monkeypatch.setattr(study_run, "run_jobs", lambda *_: pytest.fail("ran"))
    with pytest.raises(rs.TraceError, match=words):
        rs.run(rs.load_study(settings=STUDY), tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


def test_groups_of_rramsim_come_first(offer):
    offer(("tally", __name__, "TALLY"))
    assert all_groups() == (*GROUPS, TALLY)
