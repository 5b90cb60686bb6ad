"""Writing traces: what goes in comes out."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rramsim.study.groups import DATASETS
from rramsim.trace.read import open_trace
from rramsim.trace.write import write_trace

LINE = {"table/variant": ["float", "ümlaut"], "table/accuracy": [0.5, np.nan], "table/trials": [1, 2]}


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


class TestTrace:
    def test_round_trip(self, tmp_path):
        signals = {
            "x/current": (np.array([[1e-6, 2e-6]], dtype=np.float32), "A"),
            "x/match": (np.eye(3, dtype=bool), "1"),
        }
        path = tmp_path / "a.h5"
        write_trace(
            path, {"title": "ü <b>", "seed": 2**63 - 1, "study": "{}", "provenance": "{}"}, LINE, signals, DATASETS
        )
        with open_trace(path) as trace:
            assert trace.attributes["title"] == "ü <b>"
            assert trace.attributes["seed"] == 2**63 - 1
            for name, values in LINE.items():
                assert_array_equal(trace[name], values)
            for name, (values, unit) in signals.items():
                stored = trace[f"probe/{name}"]
                assert stored.dtype == values.dtype
                assert_array_equal(stored, values)
                assert trace.unit(f"probe/{name}") == unit
            assert trace.signals == ["probe/x/current", "probe/x/match"]

    def test_unknown_dataset(self, tmp_path):
        with pytest.raises(KeyError, match="table/guess"):
            write_trace(tmp_path / "a.h5", {}, {"table/guess": [1]}, {}, DATASETS)
        assert inside(tmp_path) == []

    def test_empty_and_large_arrays(self, tmp_path):
        prediction = np.arange(4000, dtype=np.int16).reshape(40, 100)
        path = tmp_path / "a.h5"
        none = {"errors/kind": [], "errors/count": np.zeros((40, 0))}
        write_trace(path, {}, {"points/prediction": prediction, **none}, {}, DATASETS)
        with open_trace(path) as trace:
            assert_array_equal(trace["points/prediction"], prediction)
            assert (trace["errors/kind"].shape, trace["errors/count"].shape) == ((0,), (40, 0))

    def test_same_content_same_bytes(self, tmp_path):
        for name in ("a", "b"):
            write_trace(tmp_path / name, {"title": "x"}, LINE, {}, DATASETS)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
