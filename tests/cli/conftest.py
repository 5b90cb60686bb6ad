"""The command, called in this process, for the tests of the command line."""

import sys

import pytest

from rramsim.cli import app as cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # of the boxes around help and usage errors
    return tmp_path


@pytest.fixture
def rramsim(folder, monkeypatch, capsys):
    """Call the command: (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rramsim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call


@pytest.fixture
def done(rramsim):
    """Call with good input: what is printed."""

    def call(*arguments):
        code, out, err = rramsim(*arguments)
        assert (code, err) == (0, "")
        return out

    return call


@pytest.fixture
def refused(rramsim, folder):
    """Call with bad input: exit code 2, a message on stderr, nothing on stdout, no file made or changed."""

    def call(*arguments):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        code, out, err = rramsim(*arguments)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
        return err

    return call
