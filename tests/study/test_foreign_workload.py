"""Workloads of another package: installed beside rramsim, found by name, run in a study, priced by their graphs."""

import sys

import numpy as np
import pytest
from helpers.studies import NO_WIRES

import rramsim as rs
from rramsim import cards
from rramsim.errors import SpecError
from rramsim.model.workloads import load_workload, workload_names
from rramsim.report.chapters.accuracy import accuracy_figure, accuracy_table
from rramsim.study.spec import WorkloadSpec

SOURCE = '''
"""Two small networks: points on a plane by a perceptron, and which of six tokens is the odd one by attention."""

from functools import cached_property

import numpy as np
from rramsim import Elementwise, Workload

RNG = np.random.default_rng(0)
DRAWN = {"hidden": RNG.normal(size=(2, 12)), "classes": RNG.normal(size=(12, 3))}


class Perceptron(Workload):
    """Names the class that its own exact answer is, but for one in four inputs."""

    name = "plane-perceptron"
    weights = DRAWN
    calibration_inputs = np.random.default_rng(1).normal(size=(20, 2))
    inputs = np.random.default_rng(2).normal(size=(30, 2))
    elementwise = (Elementwise("rectifiers", 12),)

    def forward(self, compute, inputs):
        return compute.matmul("classes", np.maximum(compute.matmul("hidden", inputs), 0))

    @cached_property
    def labels(self):
        right = (np.maximum(self.inputs @ DRAWN["hidden"], 0) @ DRAWN["classes"]).argmax(axis=1)
        return np.where(np.arange(30) % 4, right, (right + 1) % 3)


class Tokens(Workload):
    """Attention with two heads; a mean over tokens is classified."""

    name = "tokens"
    weights = {part: RNG.normal(size=(8, 8)) for part in ("q", "k", "v")} | {"out": RNG.normal(size=(8, 4))}
    calibration_inputs = np.random.default_rng(3).normal(size=(9, 6, 8))
    inputs = np.random.default_rng(4).normal(size=(5, 6, 8))
    labels = np.arange(5) % 4

    def forward(self, compute, inputs):
        def heads(part):
            return compute.matmul(part, inputs).reshape(-1, 6, 2, 4).swapaxes(1, 2)

        query, key, value = (heads(part) for part in "qkv")
        context = compute.attention("block.attention", query / 2, key, value)
        return compute.matmul("out", context.swapaxes(1, 2).reshape(-1, 6, 8).mean(axis=1))


class Impostor:
    name = "impostor"


class Nameless(Perceptron):
    name = "other"


class Idle(Perceptron):
    name = "idle"
    weights = {**DRAWN, "never": np.ones((2, 2))}


class Fractions(Perceptron):
    name = "fractions"
    labels = np.zeros(30)
'''
ENTRIES = """
[rramsim.workloads]
plane-perceptron = their_networks:Perceptron
tokens = their_networks:Tokens
impostor = their_networks:Impostor
nameless = their_networks:Nameless
idle = their_networks:Idle
fractions = their_networks:Fractions
gone = no_such_package:Workload
digits-vit = their_networks:Perceptron
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Another package, as an installer leaves it."""
    (tmp_path / "their_networks.py").write_text(SOURCE)
    info = tmp_path / "their_networks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their_networks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    cards.offers.cache_clear()
    yield
    cards.offers.cache_clear()
    sys.modules.pop("their_networks", None)


def study(name, *settings):
    few = [f"workload.name={name}", "workload.samples=4", "workload.calibration_samples=8", "trials=1"]
    return rs.load_study(settings=[*few, "probe_samples=0", *NO_WIRES, *settings])


@pytest.mark.usefixtures("installed")
class TestForeign:
    def test_they_are_at_hand(self):
        assert workload_names()[:1] == ["digits-vit"]
        assert {"plane-perceptron", "tokens"} <= set(workload_names())
        assert type(load_workload("digits-vit")).__name__ == "DigitsVit"
        assert load_workload("tokens") is load_workload("tokens")

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_perceptron_runs(self, tmp_path, workers):
        path = rs.run(study("plane-perceptron", "workload.samples=30"), tmp_path / "run.h5", workers=workers)
        with rs.open_trace(path) as trace:
            variants = list(trace["table/variant"])
            assert trace["table/accuracy"][0] == 22 / 30  # as its labels were made
            assert (trace["table/agreement"][0], trace["points/label"].size) == (1.0, 30)
            assert trace["table/agreement"][variants.index("fixed_point")] > 0.8
            assert np.isnan(trace["table/attention_kl"]).all()
            assert list(trace["schedule/stage"]) == ["hidden", "classes"]
            assert "softmax" not in trace["cost/block"]
            assert {row[5] for row in accuracy_table(trace).rows} == {"-"}
            accuracy_figure(trace)

    def test_attention_runs(self, tmp_path):
        path = rs.run(study("tokens"), tmp_path / "run.h5")
        with rs.open_trace(path) as trace:
            assert np.isfinite(trace["table/attention_kl"]).all()
            assert list(trace["schedule/stage"]) == ["q, k, v", "block.scores", "block.softmax", "block.mix", "out"]
            assert {"attention scores", "softmax", "digital"} <= set(trace["cost/block"])
            operations = dict(zip(trace["cost/name"], trace["cost/value"], strict=True))["operations per inference"]
            assert operations == 2 * (3 * 6 * 8 * 8 + 2 * 2 * 6 * 6 * 4 + 8 * 4)

    def test_its_graph_is_that_of_its_calls(self):
        graph = load_workload("plane-perceptron").graph
        assert graph == rs.Graph(
            "plane-perceptron",
            1,
            ((rs.Product("hidden", 2, 12, 1),), (rs.Product("classes", 12, 3, 1),)),
            (rs.Elementwise("rectifiers", 12),),
        )

    def test_its_data_set_the_limits(self):
        assert WorkloadSpec(name="tokens", calibration_samples=9).samples == 5
        for settings, words in (
            ({"samples": 6}, "got 6; it is at most 5, the inputs that the workload 'tokens' has"),
            ({}, "calibration_samples: got 64; it is at most 9"),
        ):
            with pytest.raises(SpecError, match=words):
                WorkloadSpec(name="tokens", **settings)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("tokenz", "did you mean 'tokens'"),
            ("impostor", "no class that derives from rramsim.Workload"),
            ("nameless", "calls itself 'other'"),
            ("gone", "cannot be loaded: No module named 'no_such_package'"),
        ],
    )
    def test_what_is_no_workload(self, name, words):
        with pytest.raises(SpecError, match=words):
            study(name)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("idle", "'never' that its network never multiplies by"),
            ("fractions", "labels .* one whole number for each"),
        ],
    )
    def test_what_does_not_fit_together(self, name, words, tmp_path):
        with pytest.raises(SpecError, match=words):
            rs.run(study(name), tmp_path / "run.h5")
