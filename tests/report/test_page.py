"""The page: one self-contained file, well-formed, complete, and the same for the same trace."""

import re
import shutil
from html.parser import HTMLParser

import pytest

import rramsim as rs
from rramsim.report.contents import drawings, tables
from rramsim.report.page import page_name, render, write_figures, write_report

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}


class Checker(HTMLParser):
    """Collects rows, links and problems of nesting."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.links, self.count = [], [], [], {}
        self.rows, self.text = [], []

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name in LOADING]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append((tag, self.getpos()))

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "td":
            self.rows[-1][-1] += data


def checked(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert (checker.problems, checker.open) == ([], [])
    return checker


@pytest.fixture(scope="module")
def page(trace_path):
    with rs.open_trace(trace_path) as trace:
        return render(trace)


def test_complete(page, trace):
    parsed = checked(page)
    assert parsed.count["svg"] == parsed.count["figcaption"] == 4
    for table in tables(trace):
        for row in table.rows:
            assert list(row) in parsed.rows
        assert table.title in "".join(parsed.text)
    assert ["numba", trace.provenance["numba"]] in parsed.rows
    text = "".join(parsed.text)
    for wanted in (trace.attributes["title"], "seed 2023", "W. Wan et al., Nature", '"on_fraction": 0.001'):
        assert wanted in text


def test_references(page, trace):
    """A numbered list of what the run rests on, and its entries for BibTeX."""
    parsed = checked(page)
    text = "".join(parsed.text)
    assert parsed.count["ol"] == 1
    assert parsed.count["li"] == len(trace.references) > 10
    for reference in trace.references:
        assert reference.text in text
    assert trace.references.bibtex in text


def test_a_trace_without_references(swept):
    """One from before traces held them."""
    assert swept.references is None
    assert "References" not in "".join(checked(render(swept)).text)


def test_self_contained(page):
    parsed = checked(page)
    assert parsed.links, "pictures do refer to their own parts"
    assert [link for link in parsed.links if not link.startswith(("#", "data:image/png;base64,"))] == []
    assert not {"script", "link", "iframe", "object", "img"} & set(parsed.count)
    assert re.findall(r"url\((?!#)", page) == []
    assert "@import" not in page


@pytest.mark.slow
def test_same_trace_same_page(page, trace_path, tmp_path):
    assert write_report(trace_path, tmp_path / "page.html").read_bytes() == page.encode()


def test_by_default_beside_the_trace(altered, monkeypatch):
    monkeypatch.setattr("rramsim.report.page.render", lambda trace: trace.attributes["title"])
    path = altered(title="ü", signals=False)
    assert write_report(path) == path.with_suffix(".html")
    assert path.with_suffix(".html").read_text(encoding="utf-8") == "ü"
    assert sorted(each.name for each in path.parent.iterdir()) == ["altered.h5", "altered.html"]


def test_without_probes_and_with_a_title_like_markup(altered):
    title = """<script>alert("1")</script> & 'more' {{ seed }}"""
    with rs.open_trace(altered("<b>.h5", title=title, signals=False)) as trace:
        page = render(trace)
    parsed = checked(page)
    assert not {"script", "b"} & set(parsed.count)
    assert parsed.text.count(title) == 2
    assert "<b>.h5" in "".join(parsed.text)
    assert parsed.count["svg"] == 3
    assert "probed image" not in "".join(parsed.text)


class TestFigures:
    @pytest.mark.slow
    def test_pictures(self, trace_path, trace, tmp_path):
        paths = write_figures(trace_path, tmp_path / "new" / "folder")
        assert [path.name for path in paths] == [f"{name}.png" for name in drawings(trace)]
        assert sorted(tmp_path.glob("new/folder/*")) == sorted(paths)
        assert all(path.read_bytes().startswith(b"\x89PNG\r\n") for path in paths)

    def test_nothing_is_overwritten(self, altered, tmp_path):
        path = altered(signals=False)
        (tmp_path / "cost.png").write_bytes(b"precious")
        with pytest.raises(rs.TraceError, match=r"cost\.png: exists already"):
            write_figures(path, tmp_path)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["altered.h5", "cost.png"]

    def test_folder_is_a_file(self, altered):
        path = altered(signals=False)
        with pytest.raises(rs.TraceError, match=r"altered\.h5: the folder cannot be made"):
            write_figures(path, path)


class TestRefused:
    def test_existing_page(self, altered):
        path = altered(signals=False)
        path.with_suffix(".html").write_text("precious")
        with pytest.raises(rs.TraceError, match=r"altered\.html: exists already"):
            write_report(path)
        assert path.with_suffix(".html").read_text() == "precious"

    def test_no_folder(self, trace_path, tmp_path):
        with pytest.raises(rs.TraceError, match="folder cannot be written"):
            write_report(trace_path, tmp_path / "missing" / "a.html")

    @pytest.mark.parametrize("name", ["", ".", "/", "missing.h5"])
    def test_no_trace(self, name, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(rs.TraceError, match=r"no such file|not a file"):
            write_report(name)
        assert list(tmp_path.iterdir()) == []

    def test_a_trace_named_as_a_page(self, trace_path, tmp_path):
        path = shutil.copy(trace_path, tmp_path / "a.html")
        with pytest.raises(rs.TraceError, match=r"a\.html: a trace cannot end in \.html"):
            write_report(path)
        assert page_name(tmp_path / "a.b.h5") == tmp_path / "a.b.html"
