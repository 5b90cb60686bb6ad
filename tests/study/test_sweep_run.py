"""Softmax studies from the file to the page: the same bits however the work is shared out."""

import json
import re

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import rramsim as rs
from rramsim.report.page import render
from rramsim.study.groups import DATASETS
from rramsim.study.run import n_points
from rramsim.study.toml import read_study

STUDY = """\
title = "small softmax study"
seed = 3
trials = 2
[scores]
models = ["digits-vit", "glassllm"]
rows = 4
tolerance = { kl = 0.1 }
[softmax.format]
integer_bits = 5
fraction_bits = 2
[softmax.device]
g_min_siemens = 1e-6
[[sweep]]
name = "spread"
fixed = { "sense.noise" = 0.1 }
vary = { "device.programming.spread_siemens" = [0.0, 15e-6] }
[[sweep]]
name = "formats"
vary = { "format.fraction_bits" = [0, 2] }
"""
SWEEP = {name for name in DATASETS if name.startswith("sweep/")}


@pytest.fixture(scope="module")
def softmax_study():
    return read_study(STUDY, "small.toml")


@pytest.fixture(scope="module")
def path(softmax_study, tmp_path_factory):
    return rs.run(softmax_study, tmp_path_factory.mktemp("sweeps") / "small.h5")


def test_workers_change_no_bit(softmax_study, path, tmp_path):
    messages = []
    other = rs.run(softmax_study, tmp_path / "shared.h5", workers=2, progress=lambda *news: messages.append(news))
    with rs.open_trace(path) as one, rs.open_trace(other) as two:
        assert {name for name, _, _ in one.datasets()} == SWEEP
        for name in SWEEP:
            assert_array_equal(one[name], two[name], err_msg=name)
        assert one.study == two.study == json.loads(json.dumps(softmax_study.resolved))
    assert [news[:2] for news in messages] == [(k + 1, 8) for k in range(8)]
    assert n_points(softmax_study) == 8


def test_trace(path):
    with rs.open_trace(path) as trace:
        assert list(trace["sweep/name"]) == ["spread"] * 4 + ["formats"] * 4
        assert list(trace["sweep/trial"]) == [0, 1] * 4
        assert list(trace["sweep/model"]) == ["digits-vit", "glassllm"]
        assert (trace["sweep/vectors"] == 4).all()
        kl, count = trace["sweep/kl"], trace["sweep/error_count"]
        assert (kl[2:4] > kl[:2]).all()
        assert_array_equal(kl[4], kl[5])  # ideal cells: trials are alike
        assert count[2:4].sum() > 0
        assert trace.unit("sweep/kl") == "nat"
        assert dict(trace.to_xarray("sweep").sizes) == {"point": 8, "network": 2, "error": count.shape[2]}


def test_as_registered(path):
    with h5py.File(path) as file:
        for name in SWEEP:
            entry, dataset = DATASETS[name], file[name]
            assert tuple(dim.label for dim in dataset.dims) == entry.axes
            assert dataset.attrs["units"] == entry.unit
            assert entry.kind == "str" or dataset.dtype == np.dtype(entry.kind)


def test_report(path):
    with rs.open_trace(path) as trace:
        page = render(trace)
    assert page.count("<svg") == page.count("<figcaption>") == 2
    titles = re.findall("<h2>(.*?)</h2>", page)
    assert titles[0].startswith("Fewest bits within the tolerance: KL up to 0.1")
    assert titles[1:3] == ["spread; sense.noise = 0.1", "formats"]
