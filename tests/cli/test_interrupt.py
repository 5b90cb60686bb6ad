"""Ctrl-C at any moment: exit code 130, one line, no file that is not whole, no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers.studies import TWO_POINTS
from helpers.swept import write_swept

import rramsim as rs

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")

PATIENCE = 60.0
"""Seconds until something that should happen is taken not to happen."""
QUICK = ["workload.samples=1", "workload.calibration_samples=1", "trials=1", "probe_samples=0"]


def until(ready, what):
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.01)


def members(group):
    """Living processes of a process group."""
    living = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if int(process_group) == group and state not in "ZX":
            living.append(int(stat.parent.name))
    return living


class Program:
    """``rramsim`` in a process group of its own, which tells on stderr what it and its workers import."""

    def __init__(self, folder, *arguments):
        self.folder, self.log = folder, folder.parent / f"{folder.name}.log"
        self.imports, self.offset = Counter(), 0
        command = [sys.executable, "-X", "importtime", "-m", "rramsim", *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def imported(self, module):
        """How often the module was imported so far, by any of the processes."""
        with self.log.open("rb") as log:
            log.seek(self.offset)
            news = log.read()
        whole = news[: news.rfind(b"\n") + 1]
        self.offset += len(whole)
        lines = whole.decode(errors="replace").splitlines()
        self.imports.update(line.rsplit("|", 1)[-1].strip() for line in lines if line.startswith("import time:"))
        return self.imports[module]

    def wait_for(self, module, times=1):
        until(lambda: self.imported(module) >= times or self.process.poll() is not None, f"import of {module}")
        assert self.process.poll() is None, self.printed()

    def send(self, number):
        """What a terminal does: every process of the group gets the signal."""
        os.killpg(self.process.pid, number)

    def printed(self):
        """All that was printed, but for what was imported (lines may have been cut by the end of a process)."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if not line.startswith("import time:") and "import time:" not in line]

    def ended(self):
        """The exit code, once no process of the group is left."""
        code = self.process.wait(PATIENCE)
        until(lambda: not members(self.process.pid), f"end of {members(self.process.pid)}")
        return code


@pytest.fixture
def start(tmp_path, answered_interrupts):
    started = []

    def start(*arguments):
        folder = tmp_path / f"run{len(started)}"
        folder.mkdir()
        started.append(Program(folder, *arguments))
        return started[-1]

    yield start
    for program in started:
        if members(program.process.pid):
            program.send(signal.SIGKILL)
        program.process.wait(PATIENCE)


def assert_interrupted(program):
    """It ends by Ctrl-C, says so in one line, and leaves no file."""
    assert program.ended() == 130
    assert program.printed() == ["rramsim: interrupted; no file was written"]
    assert list(program.folder.iterdir()) == []


def quick(workers, *settings):
    return ["run", "--workers", str(workers), *(part for each in (*QUICK, *settings) for part in ("--set", each))]


STARTING = ["typer", "numpy", "matplotlib.figure", "numba", "rramsim.study.spec"]
FIRST_POINT = "numba.cpython.charseq"
"""Needed by the first kernel that is called: until then a study is only read and checked."""
DRAWING = "matplotlib.backends.backend_mixed"
"""Needed for the first picture."""


@pytest.mark.thinned(3)
@pytest.mark.parametrize("module", STARTING)
def test_while_starting(start, module):
    program = start(*quick(1))
    program.wait_for(module)
    program.send(signal.SIGINT)
    assert program.ended() == 130
    assert program.printed() in (["rramsim: interrupted"], ["rramsim: interrupted; no file was written"])
    assert list(program.folder.iterdir()) == []


@pytest.mark.slow
def test_while_the_only_process_works(start):
    program = start(*quick(1, "trials=1000"))
    program.wait_for(FIRST_POINT)
    program.send(signal.SIGINT)
    assert_interrupted(program)


def test_while_workers_start(start):
    """Not even a worker that has only begun to import answers for itself."""
    program = start(*quick(2, "trials=1000"))
    program.wait_for("site", 3)  # of the program, of the tracker of its semaphores, and of the first worker
    program.send(signal.SIGINT)
    assert_interrupted(program)


@pytest.mark.slow
def test_while_workers_work(start):
    """Again and again: an impatient finger changes nothing."""
    program = start(*quick(2, "trials=1000"))
    program.wait_for("rramsim.study.run", 3)
    for _ in range(100):
        if program.process.poll() is not None:
            break
        program.send(signal.SIGINT)
        time.sleep(0.03)
    assert_interrupted(program)


@pytest.mark.slow
def test_while_drawing(start, tmp_path):
    """The trace is there by then, whole; only the report is not."""
    (tmp_path / "study.toml").write_text(TWO_POINTS)
    program = start("run", str(tmp_path / "study.toml"), "--workers", "1")
    program.wait_for(DRAWING)
    program.send(signal.SIGINT)
    assert program.ended() == 130
    assert program.printed() == ["rramsim: interrupted; the trace study-001.h5 is complete"]
    assert [path.name for path in program.folder.iterdir()] == ["study-001.h5"]
    with rs.open_trace(program.folder / "study-001.h5") as trace:
        assert list(trace["sweep/name"]) == ["two", "two"]


def test_other_commands(start, tmp_path):
    trace_path = write_swept(tmp_path / "swept.h5", None)
    program = start("report", str(trace_path), "--out", "page.html")
    program.wait_for(DRAWING)
    program.send(signal.SIGINT)
    assert program.ended() == 130
    assert program.printed() == ["rramsim: interrupted"]
    assert list(program.folder.iterdir()) == []


@pytest.mark.slow
def test_a_worker_that_is_killed(start):
    program = start(*quick(2, "trials=1000"))
    program.wait_for("rramsim.study.run", 3)
    os.kill(max(members(program.process.pid)), signal.SIGKILL)
    assert program.ended() == 2
    (line,) = program.printed()
    assert line.startswith("rramsim: a worker process was ended from outside")
    assert list(program.folder.iterdir()) == []


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed(start):
    program = start(*quick(2, "trials=1000"))
    program.wait_for("rramsim.study.run", 3)
    program.process.kill()
    assert program.ended() == -signal.SIGKILL
    assert list(program.folder.iterdir()) == []
