"""Other simulators, where they are installed."""

import os
import re
import shutil
import subprocess

import pytest

__all__ = ["missing", "run_ngspice"]


def missing(what):
    """Skip, or fail where RRAMSIM_REQUIRE_PEERS=1 requires the simulators."""
    if os.environ.get("RRAMSIM_REQUIRE_PEERS") == "1":
        pytest.fail(f"{what}, and RRAMSIM_REQUIRE_PEERS=1 requires it")
    pytest.skip(what)


def run_ngspice(text, folder):
    """Run a netlist in batch mode: a dictionary of what it prints."""
    if shutil.which("ngspice") is None:
        missing("ngspice is not installed (apt-get install ngspice)")
    path = folder / "array.cir"
    path.write_text(text, encoding="ascii")
    done = subprocess.run(["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"error|warning|singular", done.stdout + done.stderr, re.IGNORECASE), done.stderr
    printed = re.findall(r"^(\S+) = (\S+)$", done.stdout, re.MULTILINE)
    return {name.lower(): float(value) for name, value in printed}
