"""What the tests of kernels share."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def compiled_and_plain():
    """Run a piece of code in new processes, with the compiler and without: what each printed."""

    def run(code):
        outputs = [
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "NUMBA_DISABLE_JIT": off},
                capture_output=True,
                text=True,
            )
            for off in ("0", "1")
        ]
        assert [done.returncode for done in outputs] == [0, 0], outputs[1].stderr
        return [done.stdout for done in outputs]

    return run
