"""A package outside of rramsim adds one of each through its public doors, and a study runs with all of them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rramsim as rs

PACKAGE = Path(__file__).parent / "package"
STUDY = """\
title = "Everything of another package"
seed = 5
trials = 2
probe_samples = 1
[workload]
name = "stripes"
samples = 24
calibration_samples = 16
[device]
preset = "extension-cell"
[macro]
preset = "extension-macro"
[softmax]
kind = "quadratic"
squarings = 6
[cost]
components = "mine.toml"
"""
MINE = """\
preset = "extension"
title = "that of the package, with a slower adder"
[components.adder]
time_second = 3e-9
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A folder with the package installed in it as pip does, and the environment in which it is found."""
    folder = tmp_path_factory.mktemp("outside")
    source = shutil.copytree(PACKAGE, folder / "source")  # building leaves files beside it
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(site), str(source)], check=True, capture_output=True, timeout=300)
    (folder / "study.toml").write_text(STUDY)
    (folder / "mine.toml").write_text(MINE)
    return folder, {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "100"}


def rramsim(outside, *arguments):
    folder, environment = outside
    return subprocess.run(
        [sys.executable, "-m", "rramsim", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_study_runs_with_one_of_each(outside):
    folder, _ = outside
    done = rramsim(outside, "run", "study.toml", "--out", "trace.h5", "--workers", "2")
    assert done.returncode == 0, done.stderr
    with rs.open_trace(folder / "trace.h5") as trace:
        asked = trace.study
        assert asked["device"]["programming"]["law"] == "uniform"
        assert asked["device"]["conduction"]["law"] == "tanh"
        assert asked["macro"]["adc"]["kind"] == "two-step"
        assert (asked["softmax"]["kind"], asked["workload"]["name"]) == ("quadratic", "stripes")
        variants = list(trace["points/variant"])
        assert {"float", "programming", "conduction", "adc", "softmax_bits", "all"} <= set(variants)
        assert "softmax_cells" not in variants  # the unit has no cells
        wrong = np.rint((1 - trace["points/accuracy"]) * 24).astype(int)
        assert list(trace["misses/wrong"]) == list(wrong)
        assert trace.unit("misses/wrong") == "1"
        assert trace["table/accuracy"][0] == 1.0
        # Each law of the package shows: its lines differ from the one without any non-ideality.
        kl = dict(zip(trace["table/variant"], trace["table/attention_kl"], strict=True))
        assert len({kl[name] for name in ("fixed_point", "programming", "conduction", "adc", "softmax_bits")}) == 5
        parts = set(zip(trace["cost/block"], trace["cost/component"], strict=True))
        assert ("static weights", "two_step_adc_6b") in parts
        assert ("softmax", "multiplier") in parts
        assert "probe/attention/softmax/exponential" in {name for name, _, _ in trace.datasets()}
    page = (folder / "trace.html").read_text(encoding="utf-8")
    assert "Everything of another package" in page

    told = rramsim(outside, "misses", "trace.h5")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[0] == "float: 0"
    assert "misses/wrong" in rramsim(outside, "show", "trace.h5").stdout


def test_what_it_offers_is_listed_and_said(outside):
    card = rramsim(outside, "presets", "extension-cell").stdout
    assert "uniform: g = m + w (2 Phi(n) - 1)" in card
    assert "i = g V0 tanh(v / V0), V0 = 0.5 V" in card
    assert "misses" in rramsim(outside, "--help").stdout
    refused = rramsim(outside, "run", "study.toml", "--set", "softmax.kind=cubic")
    assert refused.returncode == 2
    assert "Kinds of softmax unit at hand are crossbar, softermax" in refused.stderr
    assert "quadratic" in refused.stderr


def test_without_it_a_study_is_refused_by_one_message(outside):
    folder, environment = outside
    done = rramsim((folder, {**environment, "PYTHONPATH": ""}), "run", "study.toml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "'stripes'" in done.stderr


def test_its_code_touches_public_doors_alone():
    """It imports rramsim as a user does, and stands outside of its tree."""
    for path in (PACKAGE / "rramsim_extension").glob("*.py"):
        for module in re.findall(
            r"^\s*(?:from|import) (rramsim[\w.]*)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert not module.startswith("rramsim_")
            assert "._" not in module
