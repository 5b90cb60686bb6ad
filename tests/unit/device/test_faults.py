"""Stuck cells: polarity, counts and independence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from rramsim.device.base import DeviceSpec
from rramsim.device.faults import StuckSpec
from rramsim.errors import SpecError

ON, OFF, MIDDLE = 1e-4, 1e-6, 4e-5


def written(shape=20000, seed=1, **fractions):
    spec = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON, stuck=StuckSpec(**fractions))
    return spec.program(np.full(shape, MIDDLE), seed).g


def test_polarity():
    """Stuck on is the low-resistance state: the highest conductance."""
    assert_array_equal(written(on_fraction=1.0), np.full(20000, ON))
    assert_array_equal(written(off_fraction=1.0), np.full(20000, OFF))


@pytest.mark.parametrize(("on", "off"), [(0.01, 0.0), (0.0, 0.01), (0.2, 0.05), (0.5, 0.5), (1e-4, 0.9)])
def test_counts(on, off):
    """Both counts within the central 1 - 1e-5 of their binomial distributions: false alarm below 1e-4 in all."""
    g = written(on_fraction=on, off_fraction=off)
    for state, share in ((ON, on), (OFF, off), (MIDDLE, 1 - on - off)):
        low, high = stats.binom.interval(1 - 1e-5, g.size, share)
        assert low <= (g == state).sum() <= high
    assert set(np.unique(g)) <= {ON, OFF, MIDDLE}


def test_cells_are_hit_independently():
    """Neighbours along both axes: |r| < 4.5 / sqrt(n), false alarm below 2e-5."""
    hit = written((150, 150), on_fraction=0.2) == ON
    for one, other in [(hit[1:], hit[:-1]), (hit[:, 1:], hit[:, :-1])]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(one.size)


def test_more_faults_keep_the_old_ones():
    """The same seed with a larger share: sweeps over the share compare chips that differ in nothing else."""
    few, many = written(on_fraction=0.05), written(on_fraction=0.1)
    assert ((few == ON) <= (many == ON)).all()
    few, many = written(off_fraction=0.05), written(off_fraction=0.1)
    assert ((few == OFF) <= (many == OFF)).all()


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**6))
def test_any_shares(on, off, seed):
    if on + off > 1:
        with pytest.raises(SpecError, match="a cell is stuck at one state only"):
            StuckSpec(on_fraction=on, off_fraction=off)
        return
    g = written(40, seed, on_fraction=on, off_fraction=off)
    assert set(np.unique(g)) <= {ON, OFF, MIDDLE}


def test_none():
    assert StuckSpec().ideal
    assert not StuckSpec(off_fraction=0.1).ideal
    assert_array_equal(written(), np.full(20000, MIDDLE))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, "1 %", float("nan")])
@pytest.mark.parametrize("field", ["on_fraction", "off_fraction"])
def test_bad_share(field, wrong):
    with pytest.raises(SpecError, match=field):
        StuckSpec(**{field: wrong})
