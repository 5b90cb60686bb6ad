"""Tables of softmax studies say what the trace holds."""

from helpers.swept import SWEEPS as PLANS
from helpers.swept import write_swept

import rramsim as rs
from rramsim.report.chapters.sweeps import SWEEPS, fewest_bits_table, sweep_table
from rramsim.report.sweep_points import sweeps


def test_tables(swept):
    fewest, *tables = SWEEPS.tables(swept)
    assert fewest == fewest_bits_table(swept)
    assert tables == [sweep_table(sweep) for sweep in sweeps(swept)]
    ratio, *others = tables
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
    table = fewest_bits_table(swept)
    assert table.title.endswith("KL up to 0.05, another largest place in up to 10 %")
    assert table.rows == [("digits-vit", "none", "-", "-", "-"), ("minilm-l6", "none", "-", "-", "-")]
    with rs.open_trace(write_swept(tmp_path / "loose.h5", {"kl": 0.3, "loss": None})) as trace:
        table = fewest_bits_table(trace)
    assert table.title.endswith("KL up to 0.3")
    assert table.rows[0] == ("digits-vit", "5", "4 + 1", "0.075", "95.0")
    assert table.rows[1][1] == "none"
    with rs.open_trace(write_swept(tmp_path / "agreement.h5", {"kl": None, "loss": 0.05})) as trace:
        table = fewest_bits_table(trace)
    assert [row[1] for row in table.rows] == ["5", "5"]
    with rs.open_trace(write_swept(tmp_path / "none.h5", None)) as trace:
        assert fewest_bits_table(trace) is None
        assert len(SWEEPS.tables(trace)) == len(PLANS)


def test_figures_are_those_of_the_tables(swept):
    names = [name for table in SWEEPS.tables(swept) for name in table.figures]
    drawings = SWEEPS.drawings(swept)
    assert list(drawings) == names
    assert names[0] == "sweep1.1-ratio-device-g-min-siemens"
    assert names[-2:] == ["sweep4.1-two-sense-reference", "sweep4.2-two-sense-reference-share"]
    assert len(names) == 5
    for draw, caption in drawings.values():
        draw()
        assert caption.endswith(".")


def test_what_stands_around_the_tables(swept):
    assert "compared with the exact softmax" in SWEEPS.lead
    assert SWEEPS.notes(swept) == [("Device that the sweeps start from", "Cell.  ")]
