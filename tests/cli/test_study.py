"""The commands about a study: what they print and write; bad input is one message, and no file."""

import json
import re

import pytest
from helpers.studies import NO_WIRES, TWO_POINTS

import rramsim as rs
from rramsim.cards import presets
from rramsim.report.contents import tables
from rramsim.study.toml import default_study_text, load_study

QUICK = ["workload.samples=2", "workload.calibration_samples=2", "trials=1", "probe_samples=0", *NO_WIRES]


pytestmark = pytest.mark.usefixtures("folder")


def sets(*settings):
    return [part for setting in settings for part in ("--set", setting)]


class TestRun:
    @pytest.fixture
    def rows(self, rramsim):
        """Run a study; the lines it prints before the names of the files, and these."""

        def run(*arguments):
            code, out, err = rramsim("run", *arguments, "--workers", 1)
            assert (code, err) == (0, "")
            text, _, ending = out.rpartition("\ntrace:  ")
            return text, ending

        return run

    @pytest.fixture
    def quick(self, tmp_path):
        """Write the file of a study that is done in a moment, with another title."""

        def write(name, title="two points"):
            (tmp_path / name).write_text(TWO_POINTS.replace("two points", title), encoding="utf-8")
            return name

        return write

    @pytest.mark.slow
    def test_without_arguments_but_few_images(self, rows, tmp_path):
        """Tables, trace and report; a second run takes the next free name and prints the same, bit for bit."""
        first, ending = rows(*sets(*QUICK))
        assert ending == "digits-001.h5\nreport: digits-001.html\n"
        with rs.open_trace("digits-001.h5") as trace:
            assert first.startswith(f"{trace.attributes['title']}; seed 2023\n")
            for table in tables(trace):
                assert table.title in first
                for row in table.rows:
                    assert re.search(r"\s+".join(map(re.escape, row)), first)
        second, ending = rows(*sets(*QUICK))
        assert ending == "digits-002.h5\nreport: digits-002.html\n"
        assert second == first
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"digits-001.h5", "digits-001.html", "digits-002.h5", "digits-002.html"}

    def test_study_file_and_out(self, rows, quick):
        text, ending = rows(quick("my.toml", "mine [red]x[/b] ü"), "--out", "kept.h5", "--set", "seed=6")
        assert text.startswith("mine [red]x[/b] ü; seed 6\n")
        assert ending == "kept.h5\nreport: kept.html\n"
        with rs.open_trace("kept.h5") as trace:
            assert trace.study == json.loads(json.dumps(load_study("my.toml", ["seed=6"]).resolved))

    def test_progress(self, rramsim, quick, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")  # as if the streams were a terminal
        monkeypatch.setattr("rramsim.cli.study_run.write_report", lambda path: path.with_suffix(".html"))
        code, _, err = rramsim("run", quick("my.toml"), "--workers", 1)
        assert code == 0
        assert re.search(r"\d/2\b", err)

    def test_failure_at_the_very_end_leaves_nothing(self, refused, quick, monkeypatch):
        def fail(*arguments, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("rramsim.files.os.fsync", fail)
        err = refused("run", quick("my.toml"), "--workers", 1)
        assert err == "rramsim: my-001.h5: cannot be written: No space left on device\n"


class TestInit:
    def test_init(self, rramsim, tmp_path):
        assert rramsim("init")[:2] == (0, "study.toml: written; run it with `rramsim run study.toml`\n")
        assert (tmp_path / "study.toml").read_text(encoding="utf-8") == default_study_text()
        assert load_study(tmp_path / "study.toml") == load_study()
        assert rramsim("init", "other.toml")[0] == 0
        comments = [line for line in default_study_text().splitlines() if "#" in line]
        assert len(comments) > 20


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("seeds = 1", ["my.toml, line 1: seeds: unknown key", "'seed'"]),
            ("\nseed = 'x'", ["my.toml, line 2: seed: got 'x'", "whole number"]),
            ("[macro.adc]\nbits = 99", ["my.toml, line 2: macro.adc.bits: got 99", "at most 14"]),
            ("probe_samples = 9\nworkload.samples = 3", ["my.toml", "probe_samples 9", "workload.samples 3"]),
            ("[macro.wires]\nsense_ohm = 1", ["my.toml, line 1: macro.wires: macro.wires is set by the table [wires]"]),
            ("seed = = 1", ["my.toml: not valid TOML", "line 1"]),
        ],
    )
    def test_study(self, refused, tmp_path, text, wanted):
        (tmp_path / "my.toml").write_text(text)
        err = refused("run", "my.toml")
        assert err.startswith("rramsim: my.toml")
        assert [part for part in wanted if part not in err] == []
        assert len(err.splitlines()) == 1

    def test_several_problems_at_once(self, refused, tmp_path):
        (tmp_path / "my.toml").write_text("seed = -1\n[macro]\nfoo = 2")
        err = refused("run", "my.toml", *sets("trials=0", "nonsense"))
        assert {line.removeprefix("rramsim: ").split(":")[0] for line in err.splitlines()} == {
            "my.toml, line 1", "my.toml, line 3", "--set trials=0", "--set nonsense"
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("settings", "wanted"),
        [
            (["sed=1"], "--set sed=1: sed: unknown key; did you mean 'seed'?"),
            (["seed"], "--set seed: write key=value"),
            (["seed.x=1"], "--set seed.x=1: seed is a value, not a table"),
            (["device.preset=foo"], f"unknown device preset 'foo'; allowed are {', '.join(rs.presets())}, or"),
            (["title=a\x00b"], "title is one line"),
        ],
    )
    def test_settings(self, refused, settings, wanted):
        assert wanted in refused("run", *sets(*settings))

    def test_an_unwritable_folder_is_found_before_any_work(self, refused, monkeypatch):
        def fail(*arguments, **options):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("rramsim.files.tempfile.TemporaryFile", fail)
        assert "digits-001.h5: its folder cannot be written: Read-only file system" in refused("run")


class TestShippedStudies:
    def test_a_study_that_comes_with_rramsim_by_its_name(self, done, folder):
        assert done("init", "mine.toml", "--study", "softmax-limits").startswith("mine.toml: written")
        assert load_study("mine.toml") == load_study("softmax-limits")
        for name in presets("studies"):
            assert name in " ".join(done("run", "--help").split())

    def test_unknown(self, refused):
        known = "digits, softmax-formats, softmax-limits, softmax-margin, softmax-steps"
        assert "softmax-foo: no such study file; `rramsim init` writes one" in refused("run", "softmax-foo")
        assert known in refused("run", "softmax-foo")
        assert f"unknown study 'foo'; rramsim has {known}" in refused("init", "--study", "foo")

    def test_a_wrong_key_of_a_shipped_study(self, refused):
        message = refused("run", "softmax-limits", "--set", "softmax.lut_bits=99", "--set", "scores.row=4")
        assert [line.removeprefix("rramsim: ").split(":")[0] for line in message.splitlines()] == [
            "--set scores.row=4", "--set softmax.lut_bits=99"
        ]  # fmt: skip
