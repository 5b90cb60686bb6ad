"""The commands about a trace: what they print and write."""

import pytest

pytestmark = pytest.mark.usefixtures("folder")


def test_show(rramsim, trace_path, trace):
    code, out, err = rramsim("show", trace_path)
    assert (code, err) == (0, "")
    for name, _, _ in trace.datasets():
        assert name in out
    assert "accuracy" in out
    assert "numba" in out
    assert "probe/layer0.query/column_current  6x17x64x3  A\n" in out


def test_show_with_a_title_like_markup(rramsim, altered):
    assert "a [/bold] b" in rramsim("show", altered(title="a [/bold] b", signals=False))[1]


def test_report(rramsim, altered, tmp_path):
    path = altered(signals=False)
    assert rramsim("report", path, "-o", "other.html")[:2] == (0, "report: other.html\n")
    assert (tmp_path / "other.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    code, out, _ = rramsim("report", path, "--figures", "pictures")
    assert (code, out.count("figure: pictures/")) == (0, 3)
