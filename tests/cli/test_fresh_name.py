"""A name that another program takes while a study runs costs no work."""

import pytest
from helpers.studies import TWO_POINTS

import rramsim as rs
from rramsim.cli import study_run


@pytest.fixture(autouse=True)
def _another_run(monkeypatch, folder):
    """Another program that writes the name of ours once the points are done."""
    compute = study_run.compute

    def computed(*arguments, **options):
        record = compute(*arguments, **options)
        (folder / "two-001.h5").write_text("another run")
        return record

    monkeypatch.setattr(study_run, "compute", computed)
    (folder / "two.toml").write_text(TWO_POINTS)


def test_a_fresh_name(done, folder):
    assert done("run", "two.toml", "--workers", 1).endswith("two-002.h5\nreport: two-002.html\n")
    assert (folder / "two-001.h5").read_text() == "another run"
    with rs.open_trace(folder / "two-002.h5") as trace:
        assert list(trace["sweep/name"]) == ["two", "two"]


def test_a_name_that_was_asked_for(rramsim, folder):
    code, _, err = rramsim("run", "two.toml", "--workers", 1, "--out", "two-001.h5")
    assert (code, "two-001.h5" in err) == (2, True)
    assert (folder / "two-001.h5").read_text() == "another run"
