"""Where a trace came from."""

import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest

from rramsim.trace import provenance as module
from rramsim.trace.provenance import provenance


def test_versions_of_everything_that_computes():
    facts = provenance()
    for package in ("rramsim", "numpy", "scipy", "numba", "h5py", "pydantic"):
        assert facts[package] == version(package)
    assert facts["numpy"] == np.__version__
    assert all(isinstance(text, str) and text for text in facts.values())


def test_time_is_that_of_the_run_with_its_zone():
    before = datetime.now(UTC).replace(microsecond=0)
    created = datetime.fromisoformat(provenance()["created"])
    assert before <= created <= datetime.now(UTC)


def test_a_trace_carries_it(trace):
    known = provenance()
    assert trace.provenance.keys() == known.keys()
    lasting = set(known) - {"created", "commit"}
    assert {key: trace.provenance[key] for key in lasting} == {key: known[key] for key in lasting}


def test_missing_package(monkeypatch):
    def without_scipy(package):
        if package == "scipy":
            raise PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(module, "version", without_scipy)
    facts = provenance()
    assert facts["scipy"] == "not installed"
    assert facts["numpy"] == version("numpy")


class TestCommit:
    def fake_checkout(self, monkeypatch, tmp_path, *, git):
        source = tmp_path / "checkout" / "rramsim" / "trace" / "provenance.py"
        source.parent.mkdir(parents=True)
        if git:
            (tmp_path / "checkout" / ".git").mkdir()
        monkeypatch.setattr(module, "__file__", str(source))

    def test_installed_package(self, monkeypatch, tmp_path):
        self.fake_checkout(monkeypatch, tmp_path, git=False)
        assert provenance()["commit"] == "installed package"

    @pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 10)])
    def test_no_git(self, monkeypatch, tmp_path, error):
        def fail(*args, **options):
            raise error

        self.fake_checkout(monkeypatch, tmp_path, git=True)
        monkeypatch.setattr(subprocess, "run", fail)
        assert provenance()["commit"] == "unknown"

    def test_not_a_repository(self, monkeypatch, tmp_path):
        self.fake_checkout(monkeypatch, tmp_path, git=True)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
        assert provenance()["commit"] == "unknown"

    def test_what_git_says(self, monkeypatch, tmp_path):
        self.fake_checkout(monkeypatch, tmp_path, git=True)
        said = subprocess.CompletedProcess([], 0, stdout="v1-3-gabc-dirty\n")
        monkeypatch.setattr(subprocess, "run", lambda *args, **options: said)
        assert provenance()["commit"] == "v1-3-gabc-dirty"
