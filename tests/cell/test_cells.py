"""Written cells: parts of them, and what they hold and show whichever way they are arranged."""

import pickle

import numpy as np
import pytest
from helpers.devices import devices
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec, device
from rramsim.cell.noise import ReadNoiseSpec

FULL = DeviceSpec(
    programming={"spread_siemens": 1e-6},
    write={"volt": 2.0, "pulse_second": 1e-7, "tolerance_siemens": 1e-6, "most_pulses": 3},
    relaxation={"spread_siemens_per_ln": (1e-7, 1e-7)},
    drift={"exponent": (0.02, 0.02), "exponent_spread": 0.01},
    read_noise={"relative_deviation": 0.01},
    telegraph={"trap_share": 0.5, "amplitude": 0.1},
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
    return spec.program(np.linspace(spec.g_min_siemens, spec.g_max_siemens, 20).reshape(4, 5), rng=seed)


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
    if spec.relaxation.times_second or spec.temperature.acceleration > 1:
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
    other.read(time_second=10.0, rng=3)
    assert_array_equal(other.conductance(1e3), late)
    assert_array_equal(one.exponent, exponent)


@pytest.mark.parametrize("spec", [FULL, FULL.but({"write.tolerance_siemens": 0.0, "write.most_pulses": 1})])
def test_the_targets_may_change_after_the_write(spec):
    targets = np.linspace(0, 1e-4, 20)
    one, other = spec.program(targets, rng=1), spec.program(targets.copy(), rng=1)
    targets[:] = 0.0
    assert_array_equal(one.g, other.g)
    assert_array_equal(one.conductance(1e3), other.conductance(1e3))
    assert_array_equal(one.read(time_second=1e3, rng=2), other.read(time_second=1e3, rng=2))


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
    cells = device(name, telegraph={"trap_share": 0.5, "amplitude": 0.1}).program(np.full((5, 7), 20e-6), rng=3)
    copy = pickle.loads(pickle.dumps(cells.part((slice(None), [3, 1]))))
    for rearranged, expected in ((copy.conductance(86400), cells.conductance(86400)), (copy.trap, cells.trap)):
        assert_array_equal(rearranged, expected[:, [3, 1]])


def test_a_broken_line_carries_no_noise():
    spec = DeviceSpec(stuck={"dead_row_fraction": 0.5}, read_noise={"spread_siemens": 1e-6})
    cells = spec.program(np.full((40, 5), 20e-6), rng=1)
    dead = cells.g == 0
    assert 0 < dead.mean() < 1
    read = cells.read(rng=2)
    assert not read[dead].any()
    assert (read[~dead] != 20e-6).all()


class TestReads:
    CELLS = ProgrammedCells(
        DeviceSpec(read_noise=ReadNoiseSpec(relative_deviation=0.1)), np.linspace(0, 1e-4, 12).reshape(3, 4)
    )

    def test_conductance_is_a_copy(self):
        got = self.CELLS.conductance()
        assert_array_equal(got, self.CELLS.g)
        got[:] = 0
        assert self.CELLS.g.any()

    def test_part(self):
        part = self.CELLS.part((slice(None), [3, 0]))
        assert_array_equal(part.g, self.CELLS.g[:, [3, 0]])
        assert part.spec is self.CELLS.spec

    def test_noise_is_fresh_per_read(self):
        generator = np.random.default_rng(0)
        reads = [self.CELLS.read(rng=generator) for _ in range(3)]
        assert all(
            ((one != other)[self.CELLS.g > 0]).all() for one, other in [(reads[0], reads[1]), (reads[1], reads[2])]
        )
        assert_array_equal(self.CELLS.conductance(), np.linspace(0, 1e-4, 12).reshape(3, 4))

    def test_noise_moments(self):
        """40 000 reads of one conductance: |z| < 4.5 for the mean and the deviation, false alarm 1.4e-5."""
        n = 40000
        reads = ProgrammedCells(self.CELLS.spec, np.full(n, 5e-5)).read(rng=1) / 5e-5 - 1
        assert abs(reads.mean()) < 4.5 * 0.1 / np.sqrt(n)
        assert_allclose(reads.std(), 0.1, rtol=4.5 / np.sqrt(2 * n))

    def test_strong_noise_is_never_negative(self):
        """At 100 % noise a sixth of the reads would be negative; they read 0."""
        spec = DeviceSpec(read_noise=ReadNoiseSpec(relative_deviation=1.0))
        reads = ProgrammedCells(spec, np.full(5000, 5e-5)).read(rng=1)
        assert reads.min() == 0
        assert np.mean(reads == 0) == pytest.approx(0.1587, abs=4.5 * 0.37 / np.sqrt(5000))


def test_rewritten_cells_keep_their_faults_and_spread_anew():
    spec = device("rram-wan-2022", stuck={"on_fraction": 0.1, "off_fraction": 0.1})
    g = spec.program(np.full((3, 40, 50), 20e-6), rng=1, cell_rng=2).conductance()
    stuck = (g == spec.g_max_siemens) | (g == spec.g_min_siemens)
    assert 0.15 < stuck[0].mean() < 0.25  # 2000 cells, 0.2 expected: 5 standard deviations
    assert_array_equal(stuck[0], stuck[1])
    assert_array_equal(g[0][stuck[0]], g[2][stuck[0]])
    assert (g[0] != g[1])[~stuck[0]].all()
    again = spec.program(np.full((1, 40, 50), 20e-6), rng=9, cell_rng=2).conductance()
    assert_array_equal(again[0][stuck[0]], g[0][stuck[0]])
