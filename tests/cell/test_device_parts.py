"""The parts of a device: with nothing in it a part is ideal, and none moves the numbers of another."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.device import DeviceSpec
from rramsim.rng import Streams

NOTHING = {
    "levels": {},
    "programming": {"spread_siemens": (0.0, 0.0), "shift_siemens": {"points": [[0.0, 0.0]]}},
    "device_to_device": {"law": "lognormal", "spread_log": 0.0},
    "write": {"volt": 2.0, "pulse_second": 1e-7},
    "relaxation": {"spread_siemens": 0.0, "shift_siemens_per_ln": (0.0,)},
    "drift": {"exponent": {"coefficients": [0.0]}, "falls_only": True},
    "read_noise": {"relative_deviation": (0.0,), "spread_siemens": {"coefficients": [0.0]}, "integration_second": 1e-6},
    "telegraph": {"trap_share": 0.0, "amplitude": 0.3},
    "stuck": {"cluster_cells": 2.0, "frozen_siemens": (1e-6, 2e-6)},
    "endurance": {"writes_log": 1.0},
    "temperature": {"kelvin": 300.0, "activation_electronvolt": 1.0, "change_per_kelvin": 0.01},
}
"""Every part, present, with nothing in it."""


@pytest.mark.parametrize("part", [*NOTHING, None])
def test_a_part_with_nothing_in_it_is_ideal_bit_for_bit(part):
    """One of them, and all together."""
    spec = DeviceSpec(**(NOTHING if part is None else {part: NOTHING[part]}))
    g = np.random.default_rng(0).uniform(0, 1e-4, (20, 30))
    cells = spec.program(g, writes_before=0, rng=1)
    assert_array_equal(cells.g, g)
    assert_array_equal(cells.conductance(1e6), g)
    assert_array_equal(cells.read(time_second=1e6, rng=2), g)
    assert not spec.random


SOMETHING = {
    "programming": {"spread_siemens": 1e-6},
    "device_to_device": {"spread_siemens": 1e-6},
    "relaxation": {"spread_siemens": 1e-7},
    "drift": {"exponent": 0.01, "exponent_spread": 0.01},
    "read_noise": {"relative_deviation": 0.01},
    "telegraph": {"trap_share": 0.5, "amplitude": 0.1},
    "stuck": {"on_fraction": 0.1, "off_fraction": 0.1},
    "endurance": {"writes": 10.0, "writes_log": 1.0},
}
"""Every part that draws numbers."""


@pytest.mark.parametrize("other", SOMETHING)
@pytest.mark.parametrize("part", SOMETHING)
def test_a_part_does_not_move_the_numbers_of_another(part, other):
    """What a part draws is the same with any other part beside it."""
    if part == other:
        return
    target = np.full(400, 5e-5)
    alone, both = (
        DeviceSpec(**{name: SOMETHING[name] for name in names}).program(target, writes_before=5, rng=1)
        for names in ((part,), (part, other))
    )
    free = np.ones(400, bool)
    for cells in (alone, both):
        free &= True if cells.held is None else ~cells.held
    if part in ("programming", "device_to_device") and other in ("programming", "device_to_device"):
        # Both add to the same conductance: the sum of what each does alone.
        second = DeviceSpec(**{other: SOMETHING[other]}).program(target, rng=1).g
        assert_allclose(both.g - target, (alone.g - target) + (second - target), atol=1e-18)
    elif part in ("programming", "device_to_device"):
        assert (alone.g != target).all()
        assert_array_equal(both.g[free], alone.g[free])
    elif part in ("stuck", "endurance"):
        assert alone.held.any()
        assert (alone.held <= both.held).all()
        if other in ("stuck", "endurance"):
            second = DeviceSpec(**{other: SOMETHING[other]}).program(target, writes_before=5, rng=1)
            assert_array_equal(both.held, alone.held | second.held)
        else:
            assert_array_equal(both.held, alone.held)
    elif part == "read_noise":
        one, two = (cells.read(rng=3)[free] / cells.conductance()[free] - 1 for cells in (alone, both))
        if other == "telegraph":
            # A filled trap takes its share of the conductance, and the noise comes on top.
            two = two + both.trap * both.spec.telegraph.states((400,), [0.0], Streams(3).generator("telegraph"))[0]
        assert_allclose(one, two, atol=1e-7)
        assert one.std() > 0.005
    else:
        name = {"relaxation": "wander", "drift": "exponent", "telegraph": "trap"}[part]
        assert np.unique(getattr(alone, name)).size > 1
        assert_array_equal(getattr(both, name)[free], getattr(alone, name)[free])


@pytest.mark.parametrize("target", [[], np.empty((0, 4)), np.empty((3, 0))])
def test_no_cells(target):
    spec = DeviceSpec(**SOMETHING, temperature={"kelvin": 310.0})
    cells = spec.program(target, writes_before=5, rng=1)
    assert cells.read(time_second=1e3, rng=1).shape == np.shape(target)
    if np.ndim(target) == 2:
        assert spec.program(target, cell_rng=2, rng=1).read(time_second=1e3, rng=1).shape == np.shape(target)
