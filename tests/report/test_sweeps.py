"""Tables and figures of softmax studies say what the trace holds."""

import json

import numpy as np
import pytest

import rramsim as rs
from rramsim.report.figures import drawings
from rramsim.report.sweeps import fewest_bits_table, sweep_figure, sweep_tables, sweeps
from rramsim.report.tables import tables
from rramsim.report.terminal import print_table, terminal
from rramsim.trace.write import write_trace

MODELS = ["digits-vit", "minilm-l6"]
KINDS = ["false_match", "missed_match", "wrong_max"]
SWEEPS = [
    {"name": "ratio", "set": {"bank_rows": 8}, "vary": {"device.g_min_siemens": [1e-7, 1e-5, 1e-6]}},
    {"name": "whole 4", "set": {"format.integer_bits": 4}, "vary": {"format.fraction_bits": [1, 2, 3]}},
    {"name": "whole 5", "set": {}, "vary": {"format.fraction_bits": [1, 2]}},
    {"name": "two", "set": {}, "vary": {"sense.reference": ["fixed", "line"], "sense.share": [0.0, 0.5, 0.01]}},
    {"name": "one", "set": {"lut_bits": 4}, "vary": {}},
]


def settings_of(sweep):
    found = [{}]
    for key, values in sweep["vary"].items():
        found = [{**each, key: value} for each in found for value in values]
    return found


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "swept.h5", {"kl": 0.05, "loss": 0.1})


def written(path, tolerance):
    points = [(each["name"], values, trial) for each in SWEEPS for values in settings_of(each) for trial in (0, 1)]
    n = len(points)
    kl = np.stack([0.01 * (1 + np.arange(n)), np.full(n, 0.5)], axis=1)
    count = np.zeros((n, 2, 3), np.int64)
    count[0:2, 0] = [[3, 1, 2], [5, 3, 0]]
    data = {
        "sweep/name": [name for name, _, _ in points],
        "sweep/label": [json.dumps(values) for _, values, _ in points],
        "sweep/settings": [json.dumps(values) for _, values, _ in points],
        "sweep/trial": [trial for _, _, trial in points],
        "sweep/model": MODELS,
        "sweep/mean_error": kl / 10,
        "sweep/max_error": kl,
        "sweep/kl": kl,
        "sweep/agreement": np.where(np.arange(n)[:, None] % 2, 1.0, 0.9) * np.ones((1, 2)),
        "sweep/elements": np.full((n, 2), 50),
        "sweep/vectors": np.full((n, 2), 10),
        "sweep/error_kind": KINDS,
        "sweep/error_count": count,
    }
    softmax = {"format": {"integer_bits": 5, "fraction_bits": 2}, "device": {"title": "Cell", "source": "", "note": ""}}
    study = {"scores": {"tolerance": tolerance}, "softmax": softmax, "sweep": SWEEPS}
    attributes = {
        "title": "swept",
        "seed": 1,
        "study": json.dumps(study),
        "provenance": '{"rramsim": "0", "created": "now"}',
    }
    write_trace(path, attributes, data, {})
    return path


@pytest.fixture
def swept(path):
    with rs.open_trace(path) as trace:
        yield trace


def test_tables(swept):
    fewest, ratio, *others = sweep_tables(swept)
    assert tables(swept) == [fewest, ratio, *others]
    assert [table.title for table in others] == [
        "whole 4; format.integer_bits = 4",
        "whole 5",
        "two",
        "one; lut_bits = 4",
    ]
    assert ratio.title == "ratio; bank_rows = 8"
    assert [len(row) for row in ratio.rows] == [len(ratio.header)] * 3 == [8] * 3
    # Means over trials; 12 mismatches in 2 trials of 2 models of 50 scores, each searched for twice.
    assert ratio.rows[0][1:] == ("0.0015", "0.015", "95.0", "0.05", "0.5", "95.0", "3e+04")
    assert ratio.rows[1][-1] == "0"
    assert others[-1].rows[0][0] == "{}"


def test_fewest_bits(swept, tmp_path):
    table = fewest_bits_table(swept, sweeps(swept))
    assert table.title.endswith("KL up to 0.05, another largest place in up to 10 %")
    assert table.rows == [("digits-vit", "none", "-", "-", "-"), ("minilm-l6", "none", "-", "-", "-")]
    with rs.open_trace(written(tmp_path / "loose.h5", {"kl": 0.3, "loss": None})) as trace:
        table = fewest_bits_table(trace, sweeps(trace))
    assert table.title.endswith("KL up to 0.3")
    assert table.rows[0] == ("digits-vit", "5", "4 + 1", "0.075", "95.0")
    assert table.rows[1][1] == "none"
    with rs.open_trace(written(tmp_path / "agreement.h5", {"kl": None, "loss": 0.05})) as trace:
        table = fewest_bits_table(trace, sweeps(trace))
    assert [row[1] for row in table.rows] == ["5", "5"]
    with rs.open_trace(written(tmp_path / "none.h5", None)) as trace:
        assert fewest_bits_table(trace, sweeps(trace)) is None
        assert len(sweep_tables(trace)) == len(SWEEPS)


def test_figures_are_those_of_the_tables(swept):
    names = [name for table in tables(swept) for name in table.figures]
    assert list(drawings(swept)) == names
    assert names[0] == "sweep1.1-ratio-device-g-min-siemens"
    assert names[-2:] == ["sweep4.1-two-sense-reference", "sweep4.2-two-sense-share"]
    assert len(names) == 5
    for draw, caption in drawings(swept).values():
        draw(swept)
        assert caption.endswith(".")


def test_figure(swept):
    left, right = sweep_figure(sweeps(swept)[0], "device.g_min_siemens").axes
    assert left.get_xscale() == right.get_xscale() == "log"  # a ratio of 100
    first = left.lines[0]
    np.testing.assert_allclose(first.get_xdata(), [1e-7, 1e-6, 1e-5])  # in order, whatever the order of the study
    np.testing.assert_allclose(first.get_ydata(), [0.015, 0.055, 0.035])
    assert [text.get_text() for text in left.get_legend().get_texts()] == MODELS
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["false match", "missed match", "wrong max"]
    # 8 of 4 x 50 scores, 4 of them, and 2 of 4 x 10 vectors.
    assert [line.get_ydata()[0] for line in right.lines] == [0.04, 0.02, 0.05]


def test_figure_of_names_and_of_zero(swept):
    two = sweeps(swept)[3]
    left, _ = sweep_figure(two, "sense.reference").axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["fixed", "line"]
    left, right = sweep_figure(two, "sense.share").axes
    assert left.get_xscale() == "symlog"
    assert [text.get_text() for text in left.get_legend().get_texts()][2:] == [
        "sense.reference = fixed", "sense.reference = line"
    ]  # fmt: skip
    assert [text.get_text() for text in right.texts] == ["no errors"]
    assert sweep_figure(sweeps(swept)[2], "format.fraction_bits").axes[0].get_xscale() == "linear"


def test_a_wide_table_is_printed_whole(swept, capsys):
    for table in tables(swept):
        print_table(terminal(), table)
    out = capsys.readouterr().out
    assert "…" not in out
    assert "mismatches" in out
    for table in tables(swept):
        for row in table.rows:
            assert any(all(cell in line for cell in row) for line in out.splitlines())
