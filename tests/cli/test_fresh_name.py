"""A name that another program takes while a study runs costs no work."""

import pytest

import rramsim as rs
from rramsim.study import run

SETS = [f"wires.{line}_ohm=0" for line in ("word_line", "bit_line", "driver", "sense")]
SETS += ["workload.samples=2", "workload.calibration_samples=2", "trials=1", "probe_samples=0", "macro.input_bits=3"]


@pytest.fixture
def another_run(monkeypatch, folder):
    """Another program that writes the name of ours once the points are done."""
    compute = run.compute

    def computed(*arguments, **options):
        record = compute(*arguments, **options)
        (folder / "digits-001.h5").write_text("another run")
        return record

    monkeypatch.setattr(run, "compute", computed)


@pytest.fixture
def settings():
    return [part for setting in SETS for part in ("--set", setting)]


def test_a_fresh_name(another_run, done, folder, settings):
    assert done("run", "--workers", 1, *settings).endswith("digits-002.h5\nreport: digits-002.html\n")
    assert (folder / "digits-001.h5").read_text() == "another run"
    with rs.open_trace(folder / "digits-002.h5") as trace:
        assert trace["points/label"].size == 2


def test_a_name_that_was_asked_for(another_run, rramsim, folder, settings):
    code, _, err = rramsim("run", "--workers", 1, "--out", "digits-001.h5", *settings)
    assert (code, "digits-001.h5" in err) == (2, True)
    assert (folder / "digits-001.h5").read_text() == "another run"
