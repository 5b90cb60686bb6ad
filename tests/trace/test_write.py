"""Writing: whole or not at all, and never over something that is there."""

import errno
import os
import signal
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rramsim.errors import TraceError
from rramsim.trace import write as module
from rramsim.trace.read import open_trace
from rramsim.trace.write import ProbeRecorder, check_writable, free_name, sigint_held, write_new_file, write_trace

LINE = {"table/variant": ["float", "ümlaut"], "table/accuracy": [0.5, np.nan], "table/trials": [1, 2]}


def fails(code):
    def fail(*args, **options):
        raise OSError(code, os.strerror(code))

    return fail


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


class TestNewFile:
    def test_content_and_mode(self, tmp_path):
        write_new_file(tmp_path / "a", b"\x00content")
        assert (tmp_path / "a").read_bytes() == b"\x00content"
        (tmp_path / "plain").write_bytes(b"")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
        assert inside(tmp_path) == ["a", "plain"]

    def test_existing(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(b"precious")
        with pytest.raises(TraceError, match=f"^{path}: exists already and is never overwritten"):
            write_new_file(path, b"new")
        assert path.read_bytes() == b"precious"
        assert inside(tmp_path) == ["a"]

    @pytest.mark.parametrize("hard_links", [True, False])
    def test_the_name_is_taken_meanwhile(self, tmp_path, monkeypatch, hard_links):
        """Between the check and the end of writing, another program writes a file of that name."""
        path, fsync = tmp_path / "a", os.fsync

        def other_program(handle):
            fsync(handle)
            path.write_bytes(b"precious")

        monkeypatch.setattr(os, "fsync", other_program)
        if not hard_links:
            monkeypatch.setattr(os, "link", fails(errno.EPERM))
        with pytest.raises(TraceError, match=f"^{path}: was created by another program meanwhile"):
            write_new_file(path, b"new")
        assert path.read_bytes() == b"precious"
        assert inside(tmp_path) == ["a"]

    @pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
    def test_file_system_without_hard_links(self, tmp_path, monkeypatch, code):
        monkeypatch.setattr(os, "link", fails(code))
        write_new_file(tmp_path / "a", b"content")
        assert (tmp_path / "a").read_bytes() == b"content"
        assert inside(tmp_path) == ["a"]

    @pytest.mark.parametrize(
        ("module_", "name"),
        [(os, "fsync"), (os, "fdopen"), (module.tempfile, "mkstemp")],
        ids=["fsync", "open", "make"],
    )
    def test_failure_leaves_nothing(self, tmp_path, monkeypatch, module_, name):
        path = tmp_path / "a"
        monkeypatch.setattr(module_, name, fails(errno.ENOSPC))
        with pytest.raises(TraceError, match=f"^{path}: cannot be written: No space left on device$"):
            write_new_file(path, b"content")
        assert inside(tmp_path) == []

    def test_failure_of_the_last_step_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "link", fails(errno.EPERM))
        monkeypatch.setattr(Path, "replace", fails(errno.EIO))
        with pytest.raises(TraceError, match="cannot be written: Input/output error"):
            write_new_file(tmp_path / "a", b"content")
        assert inside(tmp_path) == []

    def test_an_interrupt_waits_until_the_file_is_whole(self, tmp_path, monkeypatch):
        fsync = os.fsync

        def interrupted(handle):
            signal.raise_signal(signal.SIGINT)
            fsync(handle)

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_new_file(tmp_path / "a", b"content")
        assert (tmp_path / "a").read_bytes() == b"content"
        assert inside(tmp_path) == ["a"]


class TestCheckWritable:
    def test_leaves_nothing(self, tmp_path):
        check_writable(tmp_path / "a")
        assert inside(tmp_path) == []

    @pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
    def test_taken(self, tmp_path, make):
        make(tmp_path / "a")
        with pytest.raises(TraceError, match="exists already"):
            check_writable(tmp_path / "a")

    def test_parent_is_a_file(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(TraceError, match="cannot be written: Not a directory"):
            check_writable(tmp_path / "file" / "a")

    def test_parent_is_missing(self, tmp_path):
        with pytest.raises(TraceError, match="its folder cannot be written: No such file or directory"):
            check_writable(tmp_path / "missing" / "a")

    def test_name_too_long(self, tmp_path):
        with pytest.raises(TraceError, match="cannot be written: File name too long"):
            check_writable(tmp_path / ("a" * 300))

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
    def test_no_permission(self):
        """Not even root can write here."""
        with pytest.raises(TraceError, match=r"^/proc/a\.h5: its folder cannot be written: "):
            check_writable(Path("/proc/a.h5"))

    def test_read_only_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module.tempfile, "TemporaryFile", fails(errno.EROFS))
        with pytest.raises(TraceError, match="its folder cannot be written: Read-only file system"):
            check_writable(tmp_path / "a")


def test_free_name(tmp_path):
    assert free_name(tmp_path, "digits") == tmp_path / "digits-001.h5"
    (tmp_path / "digits-001.h5").touch()
    (tmp_path / "digits-002.html").touch()
    (tmp_path / "other-003.h5").touch()
    assert free_name(tmp_path, "digits") == tmp_path / "digits-003.h5"
    assert free_name(tmp_path, "new") == tmp_path / "new-001.h5"


class TestHeldInterrupts:
    def test_held_and_let_go(self):
        done = []

        def work():
            with sigint_held():
                signal.raise_signal(signal.SIGINT)
                done.append("not interrupted inside")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["not interrupted inside"]

    def test_nested(self):
        done = []

        def work():
            with sigint_held():
                with sigint_held():
                    signal.raise_signal(signal.SIGINT)
                done.append("still held")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["still held"]

    def test_another_thread_takes_the_signal(self):
        """The system hands it to any thread that does not block it; Python then interrupts the main one."""
        done, over = [], threading.Event()
        other = threading.Thread(target=over.wait)
        other.start()

        def work():
            with sigint_held():
                signal.pthread_kill(other.ident, signal.SIGINT)
                time.sleep(0.05)
                done.append("not interrupted inside")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        over.set()
        other.join()
        assert done == ["not interrupted inside"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_the_mask_is_as_before(self):
        with sigint_held():
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def test_any_thread_may_write(self, tmp_path):
        thread = threading.Thread(target=write_new_file, args=(tmp_path / "a", b"content"))
        thread.start()
        thread.join()
        assert (tmp_path / "a").read_bytes() == b"content"


class TestTrace:
    def test_round_trip(self, tmp_path):
        signals = {
            "x/current": (np.array([[1e-6, 2e-6]], dtype=np.float32), "A"),
            "x/match": (np.eye(3, dtype=bool), "1"),
        }
        path = tmp_path / "a.h5"
        write_trace(path, {"title": "ü <b>", "seed": 2**63 - 1, "study": "{}", "provenance": "{}"}, LINE, signals)
        with open_trace(path) as trace:
            assert trace.attributes["title"] == "ü <b>"
            assert trace.attributes["seed"] == 2**63 - 1
            for name, values in LINE.items():
                assert_array_equal(trace[name], values)
            for name, (values, unit) in signals.items():
                found = trace[f"probe/{name}"]
                assert found.dtype == values.dtype
                assert_array_equal(found, values)
                assert trace.unit(f"probe/{name}") == unit
            assert trace.signals == ["probe/x/current", "probe/x/match"]

    def test_unknown_dataset(self, tmp_path):
        with pytest.raises(KeyError, match="table/guess"):
            write_trace(tmp_path / "a.h5", {}, {"table/guess": [1]}, {})
        assert inside(tmp_path) == []

    def test_empty_and_large_arrays(self, tmp_path):
        prediction = np.arange(4000, dtype=np.int16).reshape(40, 100)
        path = tmp_path / "a.h5"
        none = {"errors/kind": [], "errors/count": np.zeros((40, 0))}
        write_trace(path, {}, {"points/prediction": prediction, **none}, {})
        with open_trace(path) as trace:
            assert_array_equal(trace["points/prediction"], prediction)
            assert (trace["errors/kind"].shape, trace["errors/count"].shape) == ((0,), (40, 0))

    def test_same_content_same_bytes(self, tmp_path):
        for name in ("a", "b"):
            write_trace(tmp_path / name, {"title": "x"}, LINE, {})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


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
