"""A trace of a softmax study, for the tests of everything that is drawn from one."""

import pytest
from helpers.swept import write_swept

import rramsim as rs


@pytest.fixture
def swept(tmp_path):
    path = write_swept(tmp_path / "swept.h5", {"kl": 0.05, "loss": 0.1})
    with rs.open_trace(path) as trace:
        yield trace
