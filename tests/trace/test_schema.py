"""The register of datasets is what a real trace holds, neither more nor less; and the docs show it."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from rramsim.study.groups import DATASETS
from rramsim.trace.schema import FORMAT, FORMAT_VERSION, PROBE_GROUP, Dataset, DatasetGroup

NETWORK = {name: entry for name, entry in DATASETS.items() if not name.startswith("sweep/")}
"""Those of the study of a network; see tests/study/test_sweep_run.py for the others."""

DOCS = Path(__file__).parents[2] / "docs" / "traces.md"
UNITS = {"", "1", "nat", "J", "m2", "s"}


@pytest.fixture(scope="module")
def file(trace_path):
    with h5py.File(trace_path) as opened:
        yield opened


def stored(file):
    datasets = {}
    file.visititems(lambda name, item: datasets.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return datasets


def test_a_real_trace_holds_what_is_registered(file):
    names = {name for name, item in stored(file).items() if not item.is_scale}
    assert {name for name in names if not name.startswith(f"{PROBE_GROUP}/")} == set(NETWORK)
    assert any(name.startswith(f"{PROBE_GROUP}/") for name in names)


@pytest.mark.parametrize("name", NETWORK)
def test_as_registered(file, name):
    entry, dataset = DATASETS[name], file[name]
    assert entry.path == name
    if entry.kind == "str":
        assert h5py.check_string_dtype(dataset.dtype).encoding == "utf-8"
    else:
        assert dataset.dtype == np.dtype(entry.kind)
    assert (dataset.attrs["units"], dataset.attrs["long_name"]) == (entry.unit, entry.doc)
    assert tuple(dim.label for dim in dataset.dims) == entry.axes
    for axis, dim in enumerate(dataset.dims):
        (scale,) = dim.values()
        assert scale.is_scale
        assert scale[()].tolist() == list(range(dataset.shape[axis]))


@pytest.mark.parametrize("entry", DATASETS.values(), ids=DATASETS)
def test_entries(entry):
    assert re.fullmatch(r"[a-z]+/[a-z_]+", entry.path)
    assert entry.axes
    assert entry.unit in UNITS
    assert entry.kind in {"str", "int16", "int32", "int64", "float64"}
    assert entry.doc == entry.doc.strip() != ""
    assert (entry.kind == "str") <= (entry.unit == "")


def test_axes_of_one_group_have_one_length_each(file):
    lengths = {}
    for name, entry in NETWORK.items():
        group = name.split("/")[0]
        for axis, length in zip(entry.axes, file[name].shape, strict=True):
            assert lengths.setdefault((group, axis), length) == length


def test_signals_have_units(file):
    signals = {name: item for name, item in stored(file).items() if name.startswith(f"{PROBE_GROUP}/")}
    assert {item.attrs["units"] for name, item in signals.items() if name.endswith("column_current")} == {"A"}
    assert {item.attrs["units"] for name, item in signals.items() if not name.endswith("column_current")} == {"1"}


def test_root(file):
    assert set(file.attrs) == {"format", "format_version", "title", "seed", "study", "provenance", "references"}
    assert (file.attrs["format"], file.attrs["format_version"]) == (FORMAT, FORMAT_VERSION)


def test_no_pickle_and_no_objects(file):
    for name, item in stored(file).items():
        assert item.dtype.kind in "biuf" or h5py.check_string_dtype(item.dtype), name


ENTRY = Dataset("mine/count", ("point",), "int32", "1", "a number")


@pytest.mark.parametrize(
    ("name", "entries", "words"),
    [
        ("Mine", [ENTRY], "a group is named by lower-case letters"),
        ("mine", [], "at least one"),
        ("mine", [ENTRY, ENTRY], "each dataset once"),
        ("mine", [Dataset("other/count", ("point",), "int32", "1", "")], "path 'other/count' is not mine/NAME"),
        ("mine", [Dataset("mine/a/b", ("point",), "int32", "1", "")], "path 'mine/a/b' is not mine/NAME"),
        ("mine", [Dataset("mine/a", ("point",), "object", "1", "")], "type 'object' is none of str, bool, int8"),
        ("mine", [Dataset("mine/a", (), "int32", "1", "")], "mine/a: has no axes"),
        ("mine", [Dataset("mine/a", ("a",), "int32", "1", "")], "axis 'a' has the name of a dataset"),
    ],
)
def test_a_group_that_cannot_be_written_is_refused_when_it_is_made(name, entries, words):
    with pytest.raises(ValueError, match=words):
        DatasetGroup(name, dict, tuple(entries), dict)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "holds mine/count, mine/name; its values are those of"),
        ({"count": [1], "name": ["a"], "more": [1]}, "its values are those of mine/count, mine/name, mine/more"),
        ({"count": [[1]], "name": ["a"]}, r"mine/count: has the axes point; got the shape \(1, 1\)"),
        ({"count": [1, 2], "name": ["a"]}, "mine/name: axis 'point' has the length 2; got 1"),
    ],
)
def test_values_are_held_against_the_description(values, words):
    group = DatasetGroup("mine", dict, (ENTRY, Dataset("mine/name", ("point",), "str", "", "its name")), dict)
    assert group.of({"count": [1, 2], "name": ["a", "b"]}) == {"mine/count": [1, 2], "mine/name": ["a", "b"]}
    with pytest.raises(ValueError, match=words):
        group.of(values)


def test_docs_list_every_dataset():
    rows = re.findall(
        r"^\| `([a-z]+/[a-z_]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", DOCS.read_text(), re.MULTILINE
    )
    wanted = [(e.path, ", ".join(e.axes), e.kind, e.unit, e.doc) for e in DATASETS.values()]
    assert [tuple(cell.strip() for cell in row) for row in rows] == wanted
