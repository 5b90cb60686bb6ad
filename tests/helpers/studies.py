"""Studies that are done in a moment, and what is wrong with the text of one."""

import pytest

from rramsim.errors import SpecError
from rramsim.study.toml import read_study

NO_WIRES = [f"wires.{line}_ohm=0" for line in ("word_line", "bit_line", "driver", "sense")]
"""Settings of ideal lines: resistive ones take most of the time of a run."""

TWO_POINTS = """\
title = "two points"
seed = 5
trials = 1
[scores]
models = ["digits-vit"]
rows = 1
[softmax.format]
integer_bits = 5
fraction_bits = 2
[[sweep]]
name = "two"
vary = { bank_rows = [8, 16] }
"""
"""The text of its file: one engine on one row of scores, then another."""


def problem(text, *settings):
    """What is said of a study file that is refused, as ``my.toml``."""
    with pytest.raises(SpecError) as caught:
        read_study(text, "my.toml", settings)
    return str(caught.value)
