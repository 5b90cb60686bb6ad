"""Whole devices, composed of all parts at random: what holds for any of them."""

import pickle

import numpy as np
from helpers.devices import devices, fields, targets
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rramsim.cell.device import DeviceSpec


def times(spec):
    """As written, when it has settled, and as late as its source allows (or long after)."""
    last = spec.relaxation.times_second[-1] if spec.relaxation.times_second else 1e5 * spec.settled_second
    last /= spec.temperature.acceleration
    return [0.0, min(spec.settled_second, last), last]


def reached(spec, seed, **more):
    """Two arrays of cells over the whole window."""
    return spec.program(targets(spec, 24).reshape(2, 3, 4), rng=seed, **more)


class TestAnyDevice:
    """Whole devices composed of all parts at random."""

    @given(devices(), st.integers(0, 2**31), st.sampled_from([0, 1, 1e5]))
    def test_finite_never_negative_and_the_same_again(self, spec, seed, writes_before):
        cells, again = (reached(spec, seed, writes_before=writes_before) for _ in range(2))
        assert cells.g.shape == (2, 3, 4)
        for time in times(spec):
            later = cells.conductance(time), cells.read(time_second=time, rng=seed), cells.moments(time)[1]
            for g, once_more in zip(
                later,
                (again.conductance(time), again.read(time_second=time, rng=seed), again.moments(time)[1]),
                strict=True,
            ):
                assert np.isfinite(g).all()
                assert (g >= 0).all()
                assert_array_equal(g, once_more)
        assert np.isfinite(cells.write_joule)
        if cells.pulses is not None:
            assert (cells.pulses <= spec.write.most_pulses).all()
            assert (cells.pulses[cells.failed] == spec.write.most_pulses).all()

    @given(devices(), st.integers(0, 2**31))
    def test_bounded_cells_stay_in_the_window(self, spec, seed):
        """At every time at the reference temperature; broken lines and cells frozen elsewhere apart."""
        spec = spec.but({"bounded": True, "temperature": DeviceSpec().temperature})
        cells = reached(spec, seed)
        free = np.ones(cells.g.shape, bool) if cells.held is None else ~cells.held
        for time in times(spec):
            g = cells.conductance(time)[free]
            assert (g >= spec.g_min_siemens).all()
            assert (g <= spec.g_max_siemens).all()

    @given(devices(), st.integers(0, 2**31))
    def test_rewritten_cells_are_the_same_cells(self, spec, seed):
        """Their faults and traps stay; one write of them is that of the first axis left out."""
        cells = reached(spec, seed, cell_rng=5)
        if cells.held is not None:
            assert_array_equal(cells.held[0], cells.held[1])
            # Frozen cells too: the same conductance at every write.
            assert_array_equal(cells.g[0][cells.held[0]], cells.g[1][cells.held[0]])
        if cells.trap is not None:
            assert_array_equal(cells.trap[0], cells.trap[1])

    @given(fields())
    def test_a_dump_or_a_pickle_builds_it_again(self, table):
        spec = DeviceSpec(**table)
        assert DeviceSpec(**spec.model_dump(mode="json")) == spec
        assert DeviceSpec.model_validate_json(spec.model_dump_json()) == spec
        again = pickle.loads(pickle.dumps(spec))
        assert (type(again), again) == (DeviceSpec, spec)

    @given(devices())
    def test_without_errors_it_is_ideal(self, spec):
        ideal = spec.without_errors
        assert (ideal.g_min_siemens, ideal.g_max_siemens) == (spec.g_min_siemens, spec.g_max_siemens)
        assert not ideal.random
        assert not ideal.noisy
        cells = reached(ideal, 1)
        for g in (cells.g, cells.conductance(1e9), cells.read(rng=1), cells.read(time_second=1e9, rng=3)):
            assert_array_equal(g, targets(ideal, 24).reshape(2, 3, 4))
        assert ideal.without_errors == ideal

    @given(devices(), st.integers(0, 2**31))
    def test_a_device_that_is_not_random_does_not_depend_on_the_seed(self, spec, seed):
        if not spec.random:
            time = times(spec)[-1]
            assert_array_equal(
                reached(spec, seed).read(time_second=time, rng=seed),
                reached(spec, seed + 1).read(time_second=time, rng=seed + 1),
            )
