"""The command line as a whole: its help, and that all bad input is one message, exit code 2, and no file."""

import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import rramsim as rs
from rramsim import __main__

SCRIPT = shutil.which("rramsim", path=Path(sys.executable).parent)

pytestmark = pytest.mark.usefixtures("folder")


class TestHelp:
    @pytest.mark.parametrize(
        ("command", "mentioned"),
        [
            ([], ["run", "init", "presets", "show", "report", "--version", "Exit codes: 0 done, 2 bad input", "130"]),
            (["run"], ["STUDY.toml", "--set", "KEY=VALUE", "--out", "-o", "--workers", "Nothing is ever overwritten"]),
            (["init"], ["STUDY.toml", "must not exist", "study.toml"]),
            (["presets"], ["NAME", "card"]),
            (["show"], ["TRACE", "every dataset"]),
            (["report"], ["TRACE", "--out", "-o", "--figures", "FOLDER", "PNG"]),
        ],
    )
    @pytest.mark.parametrize("flag", ["--help", "-h"])
    def test_help(self, rramsim, command, mentioned, flag):
        code, out, err = rramsim(*command, flag)
        assert (code, err) == (0, "")
        text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", out).split())
        assert [part for part in mentioned if part.lower() not in text.lower()] == []

    def test_nothing_asked_is_help(self, rramsim):
        _, out, _ = rramsim()
        assert "Usage" in out

    def test_version(self, rramsim):
        assert rramsim("--version") == (0, f"rramsim {version('rramsim')}\n", "")

    @pytest.mark.parametrize("command", [[sys.executable, "-m", "rramsim"], [SCRIPT]], ids=["module", "script"])
    def test_the_program(self, command):
        if command == [None]:
            pytest.skip("the script is not installed beside Python")
        done = subprocess.run([*command, "--version"], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, f"rramsim {version('rramsim')}\n")

    def test_help_imports_nothing_heavy(self):
        code = "import sys; sys.argv = ['rramsim', '--help']\ntry:\n    from rramsim.__main__ import main; main()\n"
        code += "except SystemExit:\n    print({'numpy', 'numba', 'matplotlib', 'scipy', 'h5py'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.endswith("set()\n")


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["run", "missing.toml"], "missing.toml: no such study file"),
            (["run", "folder"], "folder: cannot be read"),
            (["run", "binary"], "binary: cannot be read as a text file"),
            (["run", "--out", "taken.h5"], "taken.h5: exists already and is never overwritten"),
            (["run", "--out", "report-taken.h5"], "report-taken.html: exists already and is never overwritten"),
            (["run", "--out", "missing/a.h5"], "missing/a.h5: its folder cannot be written: No such file"),
            (["run", "--out", "taken.h5/a.h5"], "taken.h5/a.h5: cannot be written: Not a directory"),
            (["run", "--out", "page.html"], "page.html: a trace cannot end in .html"),
            (["run", "--out", "."], ".: exists already"),
            (["run", "--out", ""], ".: exists already"),
            (["run", "--out", "/"], "/: exists already"),
            (["run", "--out", "a" * 300], "File name too long"),
            (["run", "--out", "a" * 253], "File name too long"),
            (["init", "taken.h5"], "taken.h5: exists already"),
            (["init", "missing/a.toml"], "missing/a.toml: its folder cannot be written"),
            (["presets", "foo"], f"unknown device preset 'foo'; allowed are {', '.join(rs.presets())}, or"),
            (["show", "missing.h5"], "missing.h5: no such file"),
            (["show", "folder"], "folder: not a file"),
            (["show", "taken.h5"], "taken.h5: not a trace"),
            (["show", "cut.h5"], "cut.h5: an HDF5 file, but not a trace as rramsim wrote it"),
            (["report", "missing.h5"], "missing.h5: no such file"),
            (["report", "."], ".: not a file"),
            (["report", "binary"], "binary: not a trace"),
            (["report", "cut.h5"], "cut short"),
            (["report", "whole.h5"], "whole.html: exists already"),
            (["report", "whole.h5", "-o", "missing/a.html"], "folder cannot be written"),
            (["report", "whole.h5", "-o", "a.html", "--figures", "new"], "give one of them"),
            (["report", "whole.h5", "--figures", "taken.h5"], "taken.h5: the folder cannot be made: File exists"),
        ],
    )
    def test_files(self, refused, tmp_path, trace_path, arguments, wanted):
        (tmp_path / "folder").mkdir()
        for name in ("taken.h5", "report-taken.html", "whole.html"):
            (tmp_path / name).write_bytes(b"precious")
        (tmp_path / "binary").write_bytes(bytes(range(256)))
        content = trace_path.read_bytes()
        (tmp_path / "cut.h5").write_bytes(content[: len(content) // 2])
        (tmp_path / "whole.h5").write_bytes(content)
        err = refused(*arguments)
        assert err.startswith("rramsim: ")
        assert wanted in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["walk"], "walk"),
            (["run", "--wrong"], "--wrong"),
            (["run", "--workers", "0"], "--workers"),
            (["run", "--workers", "two"], "--workers"),
            (["run", "--out"], "--out"),
            (["run", "a.toml", "b.toml"], "b.toml"),
            (["show"], "TRACE"),
            (["report"], "TRACE"),
        ],
    )
    def test_usage(self, refused, arguments, wanted):
        assert wanted in refused(*arguments)


def test_the_program_leaves_an_ignored_interrupt_ignored(monkeypatch):
    handlers = []
    monkeypatch.setattr("rramsim.cli.app.main", lambda: handlers.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.SIG_IGN, signal.default_int_handler):
            signal.signal(signal.SIGINT, handler)
            __main__.main()
    finally:
        signal.signal(signal.SIGINT, before)
    ignored, answered = handlers
    assert ignored is signal.SIG_IGN
    assert callable(answered)
    assert answered is not signal.default_int_handler
