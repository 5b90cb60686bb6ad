"""Files that say themselves what they hold."""

import h5py
import numpy as np
import pytest

import rramsim as rs
from rramsim.errors import TraceError
from rramsim.hdf5 import write_hdf5
from rramsim.trace.write import write_trace


def test_a_macro(tmp_path):
    macro = rs.MacroSpec(tile_rows=4, tile_columns=16).program(np.eye(4), rng=1)
    macro.save(tmp_path / "macro.h5")
    loaded = rs.load(tmp_path / "macro.h5")
    assert isinstance(loaded, rs.ProgrammedMacro)
    assert loaded.spec == macro.spec
    np.testing.assert_array_equal(loaded(np.eye(4), rng=0), macro(np.eye(4), rng=0))


def test_a_trace_is_open(tmp_path):
    write_trace(tmp_path / "trace.h5", {"title": "ours", "seed": 0, "study": "{}", "provenance": "{}"}, {}, {}, {})
    with rs.load(str(tmp_path / "trace.h5")) as trace:
        assert isinstance(trace, rs.Trace)
        assert trace.attributes["title"] == "ours"


class TestRefused:
    def test_what_a_later_version_may_hold(self, tmp_path):
        def fill(file):
            file.attrs["format"], file.attrs["format_version"] = "rramsim softmax", 1

        write_hdf5(tmp_path / "later.h5", fill)
        with pytest.raises(TraceError, match="holds a 'rramsim softmax'; this rramsim reads 'rramsim macro' and 'rr"):
            rs.load(tmp_path / "later.h5")

    def test_a_file_of_another_program(self, tmp_path):
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["x"] = 1
        with pytest.raises(TraceError, match=r"other\.h5: an HDF5 file, but not a file of rramsim"):
            rs.load(tmp_path / "other.h5")
        (tmp_path / "text.h5").write_text("no HDF5 at all, and longer than a digest is", encoding="utf-8")
        with pytest.raises(TraceError, match=r"text\.h5: not a file of rramsim: it does not begin like an HDF5 file"):
            rs.load(tmp_path / "text.h5")

    def test_no_file(self, tmp_path):
        with pytest.raises(TraceError, match="no such file"):
            rs.load(tmp_path / "none.h5")
