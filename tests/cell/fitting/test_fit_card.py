"""The card of a fitted device: it reads back to the bit, and tells where it comes from."""

import tomllib

import numpy as np
import pytest
from helpers.measuring import EVERYTHING, LEVELS, TIMES, WINDOW, csv_text, gaussian, table
from numpy.testing import assert_array_equal

from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.fitting.fit import fit_device
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.retention import RelaxationSpec
from rramsim.cell.spread import LognormalSpreadSpec


@pytest.mark.parametrize(
    "spec",
    [
        EVERYTHING,
        DeviceSpec(**WINDOW, programming=LognormalSpreadSpec(spread_log=(0.3, -0.2))),
        gaussian(
            relaxation=RelaxationSpec(shift_siemens_per_ln=(0.0, -1e-7), spread_siemens_per_ln=5e-8),
            read_noise=ReadNoiseSpec(spread_siemens=(1e-7, 2e-7)),
        ),
    ],
    ids=["everything", "lognormal", "shift"],
)
def test_reads_back_to_the_bit(spec, tmp_path):
    fit = fit_device(table(spec, cells=30, cycles=2, times=TIMES, reads=2), name="mine")
    path = tmp_path / "other-name.toml"
    path.write_text(fit.to_toml(), encoding="utf-8")
    assert device(str(path)) == fit.device
    assert device(str(path)).model_fields_set == fit.device.model_fields_set
    target = np.repeat(LEVELS, 100)
    assert_array_equal(device(str(path)).program(target, rng=3).g, fit.device.program(target, rng=3).g)


def test_comments_tell_where_it_comes_from(tmp_path):
    path = tmp_path / "lot 7.csv"
    path.write_text(csv_text(table(gaussian(), cells=20)), encoding="utf-8")
    fit = fit_device(path)
    text = fit.to_toml()
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "fitted to lot 7.csv" in comments[0]
    assert any(line.startswith("#   reads: 120") for line in comments)
    assert all(any(warning in line for line in comments) for warning in fit.warnings)
    assert str(tmp_path) not in text
    assert fit.device.source == "Measured: lot 7.csv"


@pytest.mark.parametrize("words", ['say "so"', "two\nlines = 1", "tab\t \x85 \u2028 end", "\\u0041 '''", "°µ漢"])
def test_no_word_breaks_a_card(words):
    fit = fit_device(table(gaussian(), cells=8), name=words, title=words, source=words)
    card = tomllib.loads(fit.to_toml())
    assert (card["name"], card["title"], card["source"]) == (words, words, words)
