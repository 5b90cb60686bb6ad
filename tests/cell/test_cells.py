"""Written cells: parts of them, and what they hold and show whichever way they are arranged."""

import pickle

import numpy as np
import pytest
from helpers.devices import devices
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.cell.device import DeviceSpec, device

FULL = DeviceSpec(
    programming={"spread_siemens": 1e-6},
    write={"volt": 2.0, "second": 1e-7, "tolerance_siemens": 1e-6, "most_pulses": 3},
    relaxation={"spread_siemens_per_ln": (1e-7, 1e-7)},
    drift={"exponent": (0.02, 0.02), "exponent_spread": 0.01},
    read_noise={"relative": 0.01},
    telegraph={"share": 0.5, "amplitude": 0.1},
    stuck={"on_fraction": 0.1, "off_fraction": 0.1},
)
"""A device with an array for every field of its cells."""

FIELDS = ("g", "pulses", "joule", "failed", "held", "g_target", "wander", "exponent", "trap")

CHANGES = [
    lambda each: each[1],
    lambda each: each[..., [2, 0]],
    lambda each: each[:, ::-1],
    lambda each: each.T,
    lambda each: each.reshape(-1),
    lambda each: np.broadcast_to(each, (2, 4, 5)),
]


def cells(spec=FULL, seed=1):
    return spec.program(np.linspace(spec.g_min_siemens, spec.g_max_siemens, 20).reshape(4, 5), seed)


@pytest.mark.parametrize("change", CHANGES)
def test_every_array_is_rearranged_alike(change):
    plain, changed = cells(), cells().rearranged(change)
    for name in FIELDS:
        assert_array_equal(getattr(changed, name), change(getattr(plain, name)), err_msg=name)
    assert changed.spec is plain.spec


@given(devices(), st.sampled_from(CHANGES), st.sampled_from([0.0, 1.5, 1e3]))
def test_to_rearrange_and_to_age_commute(spec, change, times_settled):
    """Conductances and moments at any time are those of the same cells in another order."""
    plain, time = cells(spec), spec.settled_second * times_settled
    if spec.relaxation.second or spec.temperature.acceleration > 1:
        time = min(time, spec.settled_second * 50) / max(spec.temperature.acceleration, 1.0)
    changed = plain.rearranged(change)
    assert_array_equal(changed.conductance(time), change(plain.conductance(time)))
    for one, other in zip(changed.cumulants(time), plain.cumulants(time), strict=True):
        assert_array_equal(one, change(other))
    assert all(each.shape == plain.g.shape and np.isfinite(each).all() for each in plain.cumulants(time))
    assert (plain.cumulants(time).variance >= 0).all()
    # And the other way round, where the first to look is the one that draws.
    late = cells(spec)
    first = late.rearranged(change).conductance(time)
    assert_array_equal(first, change(late.conductance(time)))


def test_a_part_of_a_part():
    one = cells().part((slice(1, 3), [0, 4])).part(1)
    for name in FIELDS:
        assert_array_equal(getattr(one, name), getattr(cells(), name)[2, [0, 4]], err_msg=name)


def test_parts_add_up():
    whole = cells()
    halves = [whole.part(slice(0, 2)), whole.part(slice(2, 4))]
    assert whole.n_pulses == sum(half.n_pulses for half in halves) > 20
    assert whole.write_joule == pytest.approx(sum(half.write_joule for half in halves))
    assert_array_equal(whole.write_second, np.concatenate([half.write_second for half in halves]))


def test_what_is_drawn_late_is_the_same():
    """Whoever looks first, in whichever order, sees the same numbers."""
    one, other = cells(), cells()
    late, exponent = one.conductance(1e3), other.exponent
    other.read(3, 10.0)
    assert_array_equal(other.conductance(1e3), late)
    assert_array_equal(one.exponent, exponent)


@pytest.mark.parametrize("spec", [FULL, FULL.but({"write.tolerance_siemens": 0.0, "write.most_pulses": 1})])
def test_the_targets_may_change_after_the_write(spec):
    targets = np.linspace(0, 1e-4, 20)
    one, other = spec.program(targets, 1), spec.program(targets.copy(), 1)
    targets[:] = 0.0
    assert_array_equal(one.g, other.g)
    assert_array_equal(one.conductance(1e3), other.conductance(1e3))
    assert_array_equal(one.read(2, 1e3), other.read(2, 1e3))


def test_an_ideal_cell_shares_no_memory_with_its_target():
    targets = np.full(3, 5e-5)
    written = DeviceSpec().program(targets)
    targets[:] = 0
    assert_array_equal(written.g, np.full(3, 5e-5))
    written.conductance()[:] = 0
    written.read()[:] = 0
    written.moments()[1][:] = 1
    assert_array_equal(written.g, np.full(3, 5e-5))


def test_parts_that_are_not_there():
    plain = DeviceSpec().program([5e-5])
    assert all(getattr(plain, name) is None for name in FIELDS[1:])
    assert all(getattr(plain.part([0]), name) is None for name in FIELDS[1:])


@pytest.mark.parametrize("name", ["rram-wan-2022", "pcm-nandakumar-2019"])
def test_a_copy_in_another_process_ages_alike(name):
    cells = device(name, telegraph={"share": 0.5, "amplitude": 0.1}).program(np.full((5, 7), 20e-6), 3)
    copy = pickle.loads(pickle.dumps(cells.part((slice(None), [3, 1]))))
    for rearranged, expected in ((copy.conductance(86400), cells.conductance(86400)), (copy.trap, cells.trap)):
        assert_array_equal(rearranged, expected[:, [3, 1]])


def test_a_broken_line_carries_no_noise():
    spec = DeviceSpec(stuck={"dead_row_fraction": 0.5}, read_noise={"spread_siemens": 1e-6})
    cells = spec.program(np.full((40, 5), 20e-6), 1)
    dead = cells.g == 0
    assert 0 < dead.mean() < 1
    read = cells.read(2)
    assert not read[dead].any()
    assert (read[~dead] != 20e-6).all()
