"""Softmax studies: what a file may ask, the points that follow from it, and what one point says."""

import json

import numpy as np
import pytest
from helpers.studies import problem
from numpy.testing import assert_array_equal

import rramsim as rs
from rramsim.cards import presets
from rramsim.study import sweep
from rramsim.study.groups import GROUPS
from rramsim.study.outcome import SweepOutcome
from rramsim.study.sweep import SoftmaxStudySpec, changed, evaluate_sweep, sweep_points
from rramsim.study.toml import load_study, read_study

HEAD = """\
seed = 5
trials = 2
[scores]
models = ["digits-vit"]
rows = 4
[softmax]
lut_bits = 8
[softmax.format]
integer_bits = 4
fraction_bits = 3
"""
BASE = rs.SoftmaxSpec(format=rs.FixedPointSpec(integer_bits=4, fraction_bits=3))


def study(text, *settings):
    return read_study(HEAD + text, "my.toml", settings)


class TestStudy:
    def test_kind_follows_from_the_tables(self):
        assert isinstance(study("[[sweep]]\nname = 'a'"), SoftmaxStudySpec)

    @pytest.mark.parametrize("name", [name for name in presets("studies") if name.startswith("softmax")])
    def test_shipped(self, name):
        shipped = load_study(name)
        assert isinstance(shipped, SoftmaxStudySpec)
        assert 1 < len(sweep_points(shipped)) < 500
        assert load_study(name, ["trials=1", "scores.rows=3"]).scores.rows == 3

    def test_every_split_of_4_to_10_bits(self):
        formats = [point.softmax.format for point in sweep_points(load_study("softmax-formats"))]
        splits = {(each.integer_bits, each.fraction_bits) for each in formats}
        assert {(whole, bits - whole) for whole in range(2, 9) for bits in range(max(4, whole), 11)} <= splits

    def test_resolved_is_json_and_makes_the_same_study(self):
        spec = study('[[sweep]]\nname = "a"\nfixed = { "device.preset" = "isaac" }\nvary = { lut_bits = [4, 6] }')
        text = json.dumps(spec.resolved)
        assert json.loads(text)["softmax"]["format"] == {"integer_bits": 4, "fraction_bits": 3}
        assert SoftmaxStudySpec(**json.loads(text)).sweep == spec.sweep

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("[workload]\n[scores]\n[softmax.format]\ninteger_bits = 4", ["both [workload] and [scores]"]),
            ("[scores]\nmodels = ['bert']", ["line 2: scores.models.0: got 'bert'", "'minilm-l6'"]),
            ("[scores]\nmodels = []", ["scores: models names at least one model"]),
            ("[scores]\nmodels = ['glassllm', 'glassllm']", ["each once"]),
            ("[scores]\nrows = 0", ["line 2: scores.rows: got 0; it is at least 1. Vectors of scores of each."]),
            ("[scores]\ntolerance = {}", ["tolerance gives kl, loss, or both"]),
            ("[scores]", ["softmax: missing", "sweep: missing"]),
            ("sweep = []\n" + HEAD, ["at least one [[sweep]]"]),
            (HEAD + "[[sweep]]\nname = 'a'\n[[sweep]]\nname = 'a'", ["each of another name; got ['a', 'a']"]),
            (HEAD + "[[sweep]]\nname = 'a'\nvari = 1", ["line 13: sweep.0.vari: unknown key; did you mean 'vary'?"]),
            (HEAD + "[[sweep]]\nname = 'a'\nvary = {lut_bits = 3}", ["sweep.0.vary.lut_bits: got 3; it is a list"]),
            (HEAD + "[[sweep]]\nname = 'a'\nvary = {lut_bits = []}", ["sweep 'a'", "'lut_bits'", "an empty list"]),
            (
                HEAD + "[[sweep]]\nname = 'a'\n[[sweep]]\nname = 'b'\nvary = {lut_bit = [3]}",
                ["my.toml, line 13: sweep.1: sweep 'b', lut_bit = 3: unknown key; did you mean 'lut_bits'?"],
            ),
            (
                HEAD + "[[sweep]]\nname = 'a'\nvary = {lut_bits = [3, 99]}",
                ["line 11: sweep.0: sweep 'a', lut_bits = 99: got 99; it is at most 16."],
            ),
            (
                HEAD + "[[sweep]]\nname = 'a'\nfixed = {bank_rows = 8}\nvary = {'format.fraction_bits' = [3, 9]}",
                ["sweep 'a', bank_rows = 8, format.fraction_bits = 9: integer_bits + fraction_bits is 13"],
            ),
            (
                HEAD + "[[sweep]]\nname = 'a'\nvary = {'device.g_min_siemens' = [1.0]}",
                ["sweep 'a', device.g_min_siemens = 1.0: g_min_siemens 1 must be below g_max_siemens"],
            ),
            (HEAD + "[[sweep]]\nname = 'a'\nvary = {'device.preset' = ['x']}", ["unknown device preset 'x'"]),
            (
                HEAD + "[[sweep]]\nname = 'a'\nfixed = {lut_bits = 4}\nvary = {lut_bits = [3]}",
                ["lut_bits is given twice"],
            ),
            (
                HEAD + "[[sweep]]\nname = 'a'\nfixed = {format = 4}\nvary = {'format.integer_bits' = [3]}",
                ["format.integer_bits lies below a key that has a value itself"],
            ),
        ],
    )  # fmt: skip
    def test_problems(self, text, wanted):
        message = problem(text)
        assert [part for part in wanted if part not in message] == []
        assert all(line.startswith("my.toml") for line in message.splitlines())

    def test_problems_of_all_sweeps_at_once_and_each_once(self):
        sweeps = ["name = 'a'\nvary = {lut_bit = [3, 4], bank_rows = [1, 2]}", "name = 'b'\nfixed = {x = 1}"]
        text = "\n".join(f"[[sweep]]\n{each}" for each in sweeps)
        lines = problem(HEAD + text).splitlines()
        assert [line.split(": sweep '")[1][:1] for line in lines] == ["a", "b"]

    def test_scores_set_from_outside_in_the_study_of_a_network(self):
        assert "both [workload] and [scores]" in problem("[workload]\nsamples = 3", "scores.rows=3")


class TestChanged:
    def test_nested_and_several_keys_with_one_value(self):
        keys = "wires.word_line_ohm, wires.bit_line_ohm"
        engine = changed(BASE, [{keys: 0.5}, {"sense.reference": "line", "sum_adc.bits": 5}])
        assert (engine.wires.word_line_ohm, engine.wires.bit_line_ohm) == (0.5, 0.5)
        assert (engine.sense.reference, engine.column_sense.reference, engine.sum_adc.bits) == ("line", "global", 5)
        assert engine.format == BASE.format

    def test_a_preset_replaces_the_device_and_other_keys_change_it(self):
        base = BASE.but({"device": rs.device("isaac", g_min_siemens=1e-9)})
        assert changed(base, [{"device.preset": "rram-wan-2022"}]).device == rs.device("rram-wan-2022")
        both = changed(base, [{"device.g_min_siemens": 2e-6, "device.preset": "rram-wan-2022"}])
        assert both.device == rs.device("rram-wan-2022", g_min_siemens=2e-6)
        stuck = changed(base, [{"device.stuck.on_fraction": 0.5}]).device
        assert stuck == rs.device("isaac", g_min_siemens=1e-9, stuck={"on_fraction": 0.5})

    def test_nothing(self):
        assert changed(BASE, []) == BASE


class TestPoints:
    def test_union_of_products_each_with_all_trials(self):
        spec = study(
            '[[sweep]]\nname = "a"\nvary = { lut_bits = [4, 6], bank_rows = [8, 16, 32] }\n'
            '[[sweep]]\nname = "b"\nfixed = { lut_bits = 5 }'
        )
        points = sweep_points(spec)
        assert [(point.sweep, point.trial) for point in points] == [("a", 0), ("a", 1)] * 6 + [("b", 0), ("b", 1)]
        assert [tuple(point.settings.values()) for point in points[::2]] == [
            (4, 8), (4, 16), (4, 32), (6, 8), (6, 16), (6, 32), ()
        ]  # fmt: skip
        assert [point.softmax.lut_bits for point in points[::2]] == [4, 4, 4, 6, 6, 6, 5]
        assert points[0].label == "lut_bits = 4; bank_rows = 8"
        assert points[-1].label == "b"

    @pytest.mark.parametrize(
        ("vary", "label"),
        [
            ('"device.g_min_siemens" = [1e-6]', "g_min_siemens = 1e-06"),
            ('"wires.word_line_ohm, wires.bit_line_ohm" = [1]', "word_line_ohm, bit_line_ohm = 1"),
            ('"sense.reference_share, column_sense.reference_share" = [0.3]', "reference_share = 0.3"),
            ('"sense.noise" = [0.1], "column_sense.noise" = [0.2]', "sense.noise = 0.1; column_sense.noise = 0.2"),
            ('perfect_steps = [["search", "sum"]]', "perfect_steps = search sum"),
            ("perfect_steps = [[]]", "perfect_steps = none"),
            ('maximum = ["bitwise"]', "maximum = bitwise"),
            ('"device.bounded" = [true]', "bounded = true"),
        ],
    )
    def test_label(self, vary, label):
        assert sweep_points(study(f'[[sweep]]\nname = "a"\nvary = {{ {vary} }}'))[0].label == label


class TestEvaluate:
    SCORES = np.random.default_rng(0).normal(0, 2, (6, 9)).astype(np.float32)

    @pytest.fixture(autouse=True)
    def _scores(self, monkeypatch):
        def recorded(model, rows):
            masked = self.SCORES[:rows].copy()
            masked[:, -1] = -np.inf if model == "glassllm" else 0.0
            return masked

        monkeypatch.setattr(sweep, "scores_of", recorded)

    def evaluated(self, text):
        spec = study(text, 'scores.models=["digits-vit", "glassllm"]')
        points = sweep_points(spec)
        return spec, points, [evaluate_sweep(spec.seed, spec.scores, point) for point in points]

    def test_ideal_engine(self):
        _, points, results = self.evaluated('[[sweep]]\nname = "a"\nvary = { "format.fraction_bits" = [1, 5] }')
        coarse, fine = results[0], results[2]
        assert results[0] == results[1]
        assert [each.elements for each in fine] == [4 * 9, 4 * 8]
        assert [each.vectors for each in fine] == [4, 4]
        for k in (0, 1):
            assert 0 < fine[k].kl < coarse[k].kl
            assert fine[k].max_error < 0.02
            assert fine[k].agreement == 1
        assert points[0].softmax.format.fraction_bits == 1

    def test_trials_differ_and_points_share_their_random_numbers(self):
        text = 'fixed = { "device.g_min_siemens" = 1e-6, "device.programming.spread_siemens" = 2e-5 }'
        _, _, (one, two, *again) = self.evaluated(
            f'[[sweep]]\nname = "a"\n{text}\n[[sweep]]\nname = "b"\n{text}\nvary = {{ bank_rows = [64] }}'
        )
        assert [one, two] == again
        assert one != two
        assert sum(one[0].errors.values()) > 0

    def test_an_engine_that_cannot_be_written_is_named(self):
        fixed = 'fixed = { "device.fitted_from_to_siemens" = [5e-5, 1e-4] }'
        spec = study(f'[[sweep]]\nname = "a"\n{fixed}\nvary = {{ lut_bits = [8] }}')
        with pytest.raises(rs.RangeError, match=r"sweep 'a', lut_bits = 8: device 'custom': its figures were measured"):
            evaluate_sweep(spec.seed, spec.scores, sweep_points(spec)[0])

    def test_datasets(self):
        spec, points, results = self.evaluated(
            '[[sweep]]\nname = "a"\nvary = { "device.stuck.on_fraction" = [0, 0.1] }'
        )
        (group,) = (each for each in GROUPS if each.outcome is SweepOutcome)
        data = group.of(SweepOutcome(spec, points, results))
        assert [json.loads(text) for text in data["sweep/settings"]] == [point.settings for point in points]
        assert data["sweep/model"] == ["digits-vit", "glassllm"]
        kinds = data["sweep/error_kind"]
        assert {"false_match", "missed_match", "score_saturation"} <= set(kinds)
        assert_array_equal(np.shape(data["sweep/error_count"]), (4, 2, len(kinds)))
        assert data["sweep/error_count"][2][1] == [results[2][1].errors[kind] for kind in kinds]
        assert data["sweep/kl"][3][1] == results[3][1].kl
