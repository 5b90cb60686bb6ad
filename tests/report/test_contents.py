"""The contents: chapters whose data the trace holds, and no others."""

import pytest

import rramsim as rs
from rramsim.report.contents import CHAPTERS, chapters, drawings, leads, notes, tables

NETWORK = ["accuracy", "cost", "schedule", "signals"]


@pytest.fixture(params=["network", "softmax"])
def either(request):
    return request.getfixturevalue({"network": "trace", "softmax": "swept"}[request.param])


def test_a_network(trace):
    assert [chapter.needs for chapter in chapters(trace)] == [
        "table", "cost", "errors", "schedule", "probe/layer0.attention/softmax/match"
    ]  # fmt: skip
    assert list(drawings(trace)) == NETWORK
    assert len(tables(trace)) == 5


def test_a_network_that_was_not_probed(altered):
    with rs.open_trace(altered(signals=False)) as trace:
        assert list(drawings(trace)) == NETWORK[:-1]


def test_a_softmax_study(swept):
    assert [chapter.needs for chapter in chapters(swept)] == ["sweep"]
    assert len(tables(swept)) == 6


def test_every_chapter_says_something(trace, swept):
    for chapter in CHAPTERS:
        of = swept if chapter.needs in swept else trace
        assert chapter.tables(of) or chapter.drawings(of)


def test_one_lead_and_one_device(either):
    assert len(leads(either)) == 1
    assert [note.title.split()[0] for note in notes(either)] == ["Device"]


def test_every_figure_has_a_caption(either):
    assert all(drawing.caption.endswith(".") for drawing in drawings(either).values())


def test_every_figure_that_a_table_names_is_drawn(either):
    assert {name for table in tables(either) for name in table.figures} <= set(drawings(either))


def test_all_tables_are_rectangles_of_text(either):
    shown = tables(either)
    assert len(shown) == len({table.title for table in shown})
    for table in shown:
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert all(isinstance(cell, str) and cell for row in table.rows for cell in row)
