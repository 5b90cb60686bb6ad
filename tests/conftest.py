"""Settings of the whole suite; and one small study with its trace, for the tests of traces, reports and commands."""

import gc
import signal
from collections import Counter
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  (brings the second of two BLAS libraries, whose threads are limited, too)
from helpers.compiled import COMPILED
from hypothesis import settings
from pytest_markdown_docs.plugin import MarkdownDocstringCodeModule
from threadpoolctl import threadpool_limits

import rramsim as rs
from rramsim.study.groups import DATASETS
from rramsim.trace.write import write_trace

# No test asserts a time, and every run draws the same examples; the whole run draws four times as many.
settings.register_profile("short", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("full", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("short")

SMALL = ("workload.samples=12", "workload.calibration_samples=8", "trials=2", "probe_samples=1")
"""The embedded study, with all its non-idealities but few images."""


def pytest_sessionstart(session):
    """Compile every kernel once, before workers that would each do it start; not for a few files or tests."""
    config = session.config
    workers = 0 if hasattr(config, "workerinput") else getattr(config.option, "numprocesses", None) or 0
    folders = any(Path(argument).is_dir() for argument in config.args)
    if workers > 1 and folders and not config.option.collectonly and COMPILED:
        from helpers.compiling import compile_kernels

        if reporter := config.pluginmanager.get_plugin("terminalreporter"):
            reporter.write_line("compiling the kernels once, or finding them in the cache ...")
        compile_kernels(workers)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Thousands of tests are there to the end: the garbage collector need not walk through them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """No docstring of the tests holds a snippet: the search for them would import every file a second time."""
    return [collector for collector in (yield) if not isinstance(collector, MarkdownDocstringCodeModule)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All but one in n of the cases of a test that is marked ``thinned(n)`` are slow."""
    places = Counter()
    for item in items:
        if thinned := item.get_closest_marker("thinned"):
            test = item.nodeid.partition("[")[0]
            if places[test] % thinned.args[0]:
                item.add_marker("slow")
            places[test] += 1


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """As in a run; small products on two threads of a busy machine take ten times as long."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def answered_interrupts():
    """Ctrl-C interrupts this process and those that it starts, even where the calling shell has it ignored.

    A shell ignores it for what runs in the background, and an ignored signal is inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def small_study():
    return rs.load_study(settings=SMALL)


@pytest.fixture(scope="session")
def trace_path(small_study, tmp_path_factory):
    return rs.run(small_study, tmp_path_factory.mktemp("traces") / "small.h5")


@pytest.fixture
def trace(trace_path):
    with rs.open_trace(trace_path) as opened:
        yield opened


@pytest.fixture
def altered(trace, tmp_path):
    """Write the small trace again, with some of its attributes or datasets changed, or without its signals."""

    def write(name="altered.h5", *, datasets=(), signals=True, **attributes):
        results = {path: trace[path] for path, _, _ in trace.datasets() if not path.startswith("probe/")}
        probed = {path.removeprefix("probe/"): (trace[path], trace.unit(path)) for path in trace.signals}
        old = {key: trace.attributes[key] for key in ("title", "seed", "study", "provenance")}
        path = Path(tmp_path, name)
        write_trace(path, {**old, **attributes}, {**results, **dict(datasets)}, probed if signals else {}, DATASETS)
        return path

    return write
