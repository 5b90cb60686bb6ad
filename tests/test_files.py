"""Files that appear whole or not at all, and never over something that is there."""

import errno
import os
import signal
import stat
from pathlib import Path

import pytest

from rramsim import files
from rramsim.errors import TraceError
from rramsim.files import check_writable, free_name, write_new_file


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
        [(os, "fsync"), (os, "fdopen"), (files.tempfile, "mkstemp")],
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

    @pytest.mark.usefixtures("answered_interrupts")
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
        monkeypatch.setattr(files.tempfile, "TemporaryFile", fails(errno.EROFS))
        with pytest.raises(TraceError, match="its folder cannot be written: Read-only file system"):
            check_writable(tmp_path / "a")


def test_free_name(tmp_path):
    assert free_name(tmp_path, "digits") == tmp_path / "digits-001.h5"
    (tmp_path / "digits-001.h5").touch()
    (tmp_path / "digits-002.html").touch()
    (tmp_path / "other-003.h5").touch()
    assert free_name(tmp_path, "digits") == tmp_path / "digits-003.h5"
    assert free_name(tmp_path, "new") == tmp_path / "new-001.h5"
