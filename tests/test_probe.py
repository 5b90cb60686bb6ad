"""The null probe keeps nothing; the recorder keeps copies."""

import numpy as np

from rramsim.probe import NULL_PROBE, ProbeRecorder


def test_null_probe():
    assert NULL_PROBE.active is False
    assert NULL_PROBE.within("layer0") is NULL_PROBE
    values = np.ones(3)
    NULL_PROBE.record("signal", values, "A")
    assert not any(values is attribute for attribute in vars(NULL_PROBE).values())


class TestRecorder:
    def test_paths(self):
        recorder = ProbeRecorder()
        assert recorder.active
        layer = recorder.within("layer0")
        layer.within("softmax").record("match", np.ones(2))
        layer.record("current", np.ones(2), "A")
        recorder.record("top", np.ones(2))
        assert {name: unit for name, (_, unit) in recorder.signals.items()} == {
            "layer0/softmax/match": "1", "layer0/current": "A", "top": "1"
        }  # fmt: skip

    def test_keeps_copies(self):
        recorder, values = ProbeRecorder(), np.zeros(2)
        recorder.record("x", values)
        values[:] = 1
        assert recorder.signals["x"][0].tolist() == [0, 0]
