"""The command line: what it prints and writes, and that all bad input is one message, exit code 2, and no file."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest

import rramsim as rs
from rramsim import __main__
from rramsim.report.contents import tables
from rramsim.study.config import default_study_text, load_study, study_names

NO_WIRES = [f"wires.{line}_ohm=0" for line in ("word_line", "bit_line", "driver", "sense")]
QUICK = ["workload.samples=2", "workload.calibration_samples=2", "trials=2", "probe_samples=0", *NO_WIRES]


pytestmark = pytest.mark.usefixtures("folder")


def sets(*settings):
    return [part for setting in settings for part in ("--set", setting)]


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

    def test_the_program(self):
        for command in (
            [sys.executable, "-m", "rramsim"],
            [shutil.which("rramsim") or sys.executable, "-m", "rramsim"],
        ):
            asked = command if command[0] == sys.executable else command[:1]
            done = subprocess.run([*asked, "--version"], capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (0, f"rramsim {version('rramsim')}\n")

    def test_help_imports_nothing_heavy(self):
        code = "import sys; sys.argv = ['rramsim', '--help']\ntry:\n    from rramsim.__main__ import main; main()\n"
        code += "except SystemExit:\n    print({'numba', 'matplotlib', 'scipy', 'h5py'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.endswith("set()\n")


class TestRun:
    @pytest.fixture
    def rows(self, rramsim):
        """Run a quick study; the lines it prints before the names of the files."""

        def run(*arguments):
            code, out, err = rramsim("run", *arguments, *sets(*QUICK), "--workers", 1)
            assert (code, err) == (0, "")
            text, _, ending = out.rpartition("\ntrace:  ")
            return text, ending

        return run

    def test_without_arguments_but_few_images(self, rows, tmp_path):
        """Tables, trace and report; a second run takes the next free name and prints the same, bit for bit."""
        first, ending = rows()
        assert ending == "digits-001.h5\nreport: digits-001.html\n"
        with rs.open_trace("digits-001.h5") as trace:
            assert first.startswith(f"{trace.attributes['title']}; seed 2023\n")
            for table in tables(trace):
                assert table.title in first
                for row in table.rows:
                    assert re.search(r"\s+".join(map(re.escape, row)), first)
        second, ending = rows()
        assert ending == "digits-002.h5\nreport: digits-002.html\n"
        assert second == first
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"digits-001.h5", "digits-001.html", "digits-002.h5", "digits-002.html"}

    def test_study_file_and_out(self, rows, tmp_path):
        study = tmp_path / "my.toml"
        study.write_text("title = 'mine [red]x[/b] ü'\nseed = 5\n[softmax.format]\ninteger_bits = 5\nfraction_bits = 2")
        text, ending = rows(study, "--out", "kept.h5", "--set", "seed=6")
        assert text.startswith("mine [red]x[/b] ü; seed 6\n")
        assert ending == "kept.h5\nreport: kept.html\n"
        with rs.open_trace("kept.h5") as trace:
            assert trace.study == load_study(study, [*QUICK, "seed=6"]).resolved

    def test_progress(self, rramsim, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")  # as if the streams were a terminal
        monkeypatch.setattr("rramsim.report.page.write_report", lambda path: path.with_suffix(".html"))
        code, _, err = rramsim("run", *sets(*QUICK), "--workers", 1)
        assert code == 0
        assert re.search(r"\b\d+/15\b", err)


class TestOtherCommands:
    def test_init(self, rramsim, tmp_path):
        assert rramsim("init")[:2] == (0, "study.toml: written; run it with `rramsim run study.toml`\n")
        assert (tmp_path / "study.toml").read_text(encoding="utf-8") == default_study_text()
        assert load_study(tmp_path / "study.toml") == load_study()
        assert rramsim("init", "other.toml")[0] == 0
        comments = [line for line in default_study_text().splitlines() if "#" in line]
        assert len(comments) > 20

    def test_show(self, rramsim, trace_path, trace):
        code, out, err = rramsim("show", trace_path)
        assert (code, err) == (0, "")
        for name, _, _ in trace.datasets():
            assert name in out
        assert "accuracy" in out
        assert "numba" in out
        assert "probe/layer0.query/column_current  6x17x64x3  A\n" in out

    def test_show_with_a_title_like_markup(self, rramsim, altered):
        assert "a [/bold] b" in rramsim("show", altered(title="a [/bold] b", signals=False))[1]

    def test_report(self, rramsim, altered, tmp_path):
        path = altered(signals=False)
        assert rramsim("report", path, "-o", "other.html")[:2] == (0, "report: other.html\n")
        assert (tmp_path / "other.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        code, out, _ = rramsim("report", path, "--figures", "pictures")
        assert (code, out.count("figure: pictures/")) == (0, 3)


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

    def test_an_unwritable_folder_is_found_before_any_work(self, refused, monkeypatch):
        def fail(*arguments, **options):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("rramsim.files.tempfile.TemporaryFile", fail)
        assert "digits-001.h5: its folder cannot be written: Read-only file system" in refused("run")

    def test_failure_at_the_very_end_leaves_nothing(self, refused, monkeypatch):
        def fail(*arguments, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("rramsim.files.os.fsync", fail)
        err = refused("run", *sets(*QUICK), "--workers", 1)
        assert err == "rramsim: digits-001.h5: cannot be written: No space left on device\n"


class TestShippedStudies:
    def test_a_study_that_comes_with_rramsim_by_its_name(self, done, folder):
        assert done("init", "mine.toml", "--study", "softmax-limits").startswith("mine.toml: written")
        assert load_study("mine.toml") == load_study("softmax-limits")
        for name in study_names():
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


def test_the_program_leaves_an_ignored_interrupt_ignored(monkeypatch):
    import signal

    seen = []
    monkeypatch.setattr("rramsim.cli.app.main", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.SIG_IGN, signal.default_int_handler):
            signal.signal(signal.SIGINT, handler)
            __main__.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen[0] is signal.SIG_IGN
    assert seen[1] is __main__._stop
