"""Reading: what was written comes back, and whatever is not a whole trace is refused with one line."""

import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.errors import TraceError
from rramsim.study.groups import DATASETS
from rramsim.trace import write as writer
from rramsim.trace.read import open_trace
from rramsim.trace.schema import FORMAT_VERSION


def refusal(path):
    with pytest.raises(TraceError) as caught:
        open_trace(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


class TestRefused:
    def test_missing(self, tmp_path):
        assert refusal(tmp_path / "no.h5") == "no such file"

    def test_folder(self, tmp_path):
        assert refusal(tmp_path) == "not a file"

    def test_device(self):
        assert refusal("/dev/null") == "not a file"

    @pytest.mark.parametrize("content", [b"", b"x", b"hello, world\n" * 100, zlib.compress(b"x" * 999)])
    def test_not_hdf5(self, tmp_path, content):
        path = tmp_path / "a.h5"
        path.write_bytes(content)
        assert refusal(path).startswith("not a trace: it does not begin like an HDF5 file")

    def test_hdf5_of_another_program(self, tmp_path):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            file.attrs["format"] = "rramsim-trace"
            file["table/accuracy"] = [1.0]
        assert refusal(path).startswith("an HDF5 file, but not a trace as rramsim wrote it")

    def test_changed_afterwards(self, altered):
        path = altered(signals=False)
        with h5py.File(path, "a") as file:
            file["table/accuracy"][0] = 0.123
        assert refusal(path).startswith("an HDF5 file, but not a trace as rramsim wrote it")

    def test_newer_version(self, altered, monkeypatch):
        monkeypatch.setattr(writer, "FORMAT_VERSION", FORMAT_VERSION + 1)
        message = refusal(altered(signals=False))
        assert message.startswith(f"written in format version {FORMAT_VERSION + 1}; this rramsim reads up to")

    @pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.999999])
    def test_cut_short(self, trace_path, tmp_path, share):
        content = trace_path.read_bytes()
        path = tmp_path / "a.h5"
        path.write_bytes(content[: int(share * len(content))])
        assert "cut short" in refusal(path)

    def test_a_byte_too_many(self, trace_path, tmp_path):
        path = tmp_path / "a.h5"
        path.write_bytes(trace_path.read_bytes() + b"\n")
        assert "changed" in refusal(path)

    def test_unreadable(self, trace_path, monkeypatch):
        def fail(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(trace_path), "read_bytes", fail)
        assert refusal(trace_path) == "cannot be read: Permission denied"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory, trace_path):
    return tmp_path_factory.mktemp("damaged") / "a.h5", trace_path.read_bytes()


@settings(max_examples=25)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_flipped_byte_is_found(scratch, place, flip):
    path, whole = scratch
    content = bytearray(whole)
    content[int(place * len(content))] ^= flip
    path.write_bytes(content)
    assert refusal(path)


class TestRead:
    def test_contents(self, trace, small_study):
        assert trace.attributes["title"] == small_study.title
        assert trace.attributes["seed"] == small_study.seed
        assert trace.study == small_study.resolved
        assert trace.study["device"]["name"] == "rram-wan-2022"
        assert trace.provenance["rramsim"]
        assert trace["table/label"][-1] == "all together"
        assert all(isinstance(text, str) for text in trace["table/label"])

    def test_list_of_datasets(self, trace):
        listed = {name: (shape, unit) for name, shape, unit in trace.datasets()}
        assert {name for name in listed if not name.startswith("probe/")} == {
            name for name in DATASETS if not name.startswith("sweep/")
        }
        for name, (shape, unit) in listed.items():
            assert (trace[name].shape, trace.unit(name)) == (shape, unit)
        assert [name for name, _, _ in trace.datasets("probe")] == trace.signals
        assert {name for name, _, _ in trace.datasets("table")} == {
            name for name in DATASETS if name.startswith("table/")
        }
        assert trace.datasets("nothing") == []

    def test_membership(self, trace):
        assert "table/accuracy" in trace
        assert "table/guess" not in trace

    @pytest.mark.parametrize("name", ["table/guess", "table", "guess/accuracy"])
    def test_no_such_dataset(self, trace, name):
        for ask in (trace.__getitem__, trace.unit):
            with pytest.raises(TraceError, match=f"holds no dataset '{name}'; `rramsim show"):
                ask(name)

    def test_closed_after_use(self, trace_path):
        with open_trace(str(trace_path)) as trace:
            pass
        with pytest.raises(TraceError, match="is closed already"):
            trace["table/accuracy"]

    def test_a_study_without_probes(self, altered):
        with open_trace(altered(signals=False)) as trace:
            assert trace.signals == []


class TestXarray:
    @pytest.fixture(autouse=True)
    def _xarray(self):
        pytest.importorskip("xarray")
        pytest.importorskip("h5netcdf")

    @pytest.mark.parametrize("group", ["table", "points", "errors", "cost", "schedule"])
    def test_groups(self, trace, group):
        dataset = trace.to_xarray(group)
        entries = {name: entry for name, entry in DATASETS.items() if name.startswith(f"{group}/")}
        assert {f"{group}/{name}" for name in dataset} == set(entries)
        for name, entry in entries.items():
            variable = dataset[name.removeprefix(f"{group}/")]
            assert variable.dims == entry.axes
            assert (variable.attrs["units"], variable.attrs["long_name"]) == (entry.unit, entry.doc)
            assert_array_equal(variable.values, trace[name])

    def test_signals(self, trace):
        dataset = trace.to_xarray("probe/layer0.attention/softmax")
        assert dataset["match"].shape == (4 * 17, 17, 128)
        assert_array_equal(dataset["probability"], trace["probe/layer0.attention/softmax/probability"])

    def test_no_such_group(self, trace):
        with pytest.raises(TraceError, match="holds no group 'guess'"):
            trace.to_xarray("guess")

    def test_without_xarray(self, trace, monkeypatch):
        monkeypatch.setitem(sys.modules, "xarray", None)
        with pytest.raises(TraceError, match=r"pip install 'rramsim\[analysis\]'"):
            trace.to_xarray("table")

    @pytest.mark.parametrize("group", ["table", "points", "errors", "cost", "schedule"])
    def test_xarray_opens_the_file_itself(self, trace, trace_path, group):
        import xarray

        with xarray.open_dataset(trace_path, group=group, engine="h5netcdf") as dataset:
            for name in dataset.data_vars:
                entry = DATASETS[f"{group}/{name}"]
                assert dataset[name].dims == entry.axes
                assert dataset[name].attrs["units"] == entry.unit
                if entry.kind != "str":
                    assert_array_equal(dataset[name].values, trace[f"{group}/{name}"])

    def test_signals_of_the_file_itself(self, trace, trace_path):
        import xarray

        group = "probe/layer0.attention/softmax"
        with xarray.open_dataset(trace_path, group=group, engine="h5netcdf", phony_dims="sort") as dataset:
            assert_array_equal(dataset["match"].values, trace[f"{group}/match"])


def test_plain_hdf5_tools_read_it(trace_path, trace):
    """The digest behind its end disturbs no other reader."""
    code = "import h5py, sys; f = h5py.File(sys.argv[1]); print(f['points/attention_kl'][()].sum().hex())"
    done = subprocess.run([sys.executable, "-c", code, trace_path], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{float(np.sum(trace['points/attention_kl'])).hex()}\n", "")
