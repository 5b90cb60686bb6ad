"""The portrait of a device: its curves are those of its parts, or of laws in closed form."""

import numpy as np
import pytest

import rramsim as rs
from rramsim.cell.portrait import middle_figures, portrait
from rramsim.units import duration


@pytest.mark.thinned(5)
@pytest.mark.parametrize("name", rs.presets())
def test_every_preset(name):
    """Each panel holds what the parts of the device say, or nothing."""
    device = rs.device(name)
    curves, top = portrait(device), device.g_max_siemens
    spread = {line.label: line for line in curves.spread}
    for label, part in (
        ("programming", device.programming),
        ("device to device", device.device_to_device),
    ):
        if label in spread:
            np.testing.assert_array_equal(spread[label].y, part.sigma(spread[label].x, top))
        else:
            g = np.linspace(device.g_min_siemens, top, 33)
            assert not part.sigma(g, top).any()
    for line, state in zip(curves.current, curves.states, strict=False):
        np.testing.assert_array_equal(line.y, device.conduction.current(state, line.x))
    for line in curves.noise:
        assert (line.y >= 0).all()
    assert bool(curves.noise) == (not (device.read_noise.ideal and device.telegraph.ideal))
    assert len(curves.current) in (0, len(curves.states))
    if not device.conduction.linear:
        assert curves.current


def test_retention_is_that_of_the_laws():
    """Mean and deviation of t^-nu with Gaussian nu, and of steps that grow with ln t, in closed form.

    With 20 000 cells the standard errors are below 0.03 % of the means and 0.5 % of the deviations; the limits are
    4.5 of them.
    """
    mu, sd, g0 = 0.05, 0.01, 10e-6
    device = rs.DeviceSpec(drift={"exponent": mu, "exponent_spread": sd}, fitted_until_second=1e6, settled_second=20.0)
    low = portrait(device).retention[0]
    np.testing.assert_allclose(low.x[[0, -1]], [20.0, 1e6])
    span = np.log(low.x / 20.0)
    mean = g0 * np.exp(-mu * span + 0.5 * (sd * span) ** 2)
    np.testing.assert_allclose(low.y, mean, rtol=4.5 * 1e-3)
    np.testing.assert_allclose(low.deviation, mean * np.sqrt(np.expm1((sd * span) ** 2)), rtol=0.03, atol=1e-15)
    device = rs.DeviceSpec(relaxation={"spread_siemens_per_ln": 1e-7}, programming={"spread_siemens": (5e-7,)})
    middle = portrait(device).retention[1]
    np.testing.assert_allclose(
        middle.deviation, np.hypot(5e-7, 1e-7 * np.log(middle.x)), rtol=4.5 / np.sqrt(2 * 20_000)
    )
    assert middle.x[-1] == pytest.approx(3650 * 86400)


def test_a_read_is_noisier_than_its_cell():
    given = {"drift": {"exponent": 0.05}, "programming": {"spread_siemens": (1e-6,)}}
    quiet, noisy = (portrait(rs.DeviceSpec(**given, **more)) for more in ({}, {"read_noise": {"spread_siemens": 1e-7}}))
    assert (quiet.reads, noisy.reads) == (False, True)
    for one, other in zip(quiet.retention, noisy.retention, strict=True):
        # A read is never below 0: that lifts the mean of cells near 0 a little, and cuts their noise.
        np.testing.assert_allclose(one.y, other.y, rtol=0.01)
        np.testing.assert_allclose(other.deviation, np.hypot(one.deviation, 1e-7), rtol=0.01)


def test_published_times_of_relaxation():
    total = (2e-6, 3e-6)
    given = {"times_second": (3600.0, 86400.0), "total_siemens": total}
    curves = portrait(rs.DeviceSpec(programming={"spread_siemens": (1e-6,)}, relaxation=given))
    assert [line.label for line in curves.spread] == ["programming", "after 1 h", "after 1 d"]
    for line, sigma in zip(curves.spread[1:], total, strict=True):
        np.testing.assert_allclose(line.y, sigma)
    assert curves.retention[0].x[-1] == 86400.0


def test_heat_shortens_the_time():
    hot = {"kelvin": 350.0, "activation_electronvolt": 0.5}
    given = {"times_second": (3600.0,), "total_siemens": (2e-6,)}
    device = rs.DeviceSpec(relaxation=given, temperature=hot)
    factor = device.temperature.acceleration
    curves = portrait(device)
    np.testing.assert_allclose(curves.retention[0].x[[0, -1]], [1 / factor, 3600 / factor])
    assert curves.spread[-1].label == f"after {duration(3600 / factor)}"
    np.testing.assert_allclose(curves.spread[-1].y, 2e-6)


def test_noise_that_grows():
    noise = {"relative_deviation": 0.01, "integration_second": 250e-9}
    device = rs.DeviceSpec(read_noise=noise, settled_second=20.0, fitted_until_second=86400.0)
    first, last = portrait(device).noise
    assert (first.label, last.label) == ("read 20 s after the write", "read 1 d after the write")
    for line, second in ((first, 20.0), (last, 86400.0)):
        np.testing.assert_allclose(line.y, 0.01 * line.x * np.sqrt(np.log((second + 250e-9) / 500e-9)), rtol=1e-12)


def test_verified_cells_are_drawn():
    """Uniform between the limits of the verification where the spread is much wider than they."""
    write = {"tolerance_siemens": 1e-6, "most_pulses": 1000}
    device = rs.DeviceSpec(programming={"spread_siemens": (30e-6,)}, write=write, fitted_from_to_siemens=(20e-6, 80e-6))
    line = portrait(device).spread[-1]
    assert (line.label, line.sampled) == ("as verified", True)
    np.testing.assert_allclose(line.y, 1e-6 / np.sqrt(3), rtol=0.02)


def test_stuck_cells_are_left_out():
    given = {"drift": {"exponent": 0.05}}
    whole, stuck = (portrait(rs.DeviceSpec(**given, **more)) for more in ({}, {"stuck": {"on_fraction": 0.5}}))
    np.testing.assert_array_equal(whole.retention[0].y, stuck.retention[0].y)


def test_a_polarity_dependent_current_is_shown_at_both():
    assert portrait(rs.DeviceSpec(conduction={"law": "sinh", "sinh_volt": 0.3})).current[0].x[0] == 0
    law = {"law": "polynomial", "square_ampere_per_square_volt": 1e-6, "most_volt": 0.4}
    v = portrait(rs.DeviceSpec(conduction=law)).current[0].x
    np.testing.assert_allclose(v[[0, -1]], [-0.4, 0.4])


def test_states_are_levels():
    device = rs.DeviceSpec(levels={"law": "listed", "siemens": (1e-6, 2e-6, 90e-6)})
    assert portrait(device).states == (2e-6, 90e-6)
    np.testing.assert_allclose(portrait(rs.DeviceSpec()).states, [10e-6, 50e-6, 90e-6])


def test_no_time_no_retention():
    device = rs.DeviceSpec(drift={"exponent": 0.1}, fitted_until_second=1.0)
    assert portrait(device).tick_second.size == 0
    assert portrait(device).retention == ()


class TestTicks:
    """Where a table gives the curves."""

    def test_some_levels(self):
        few = rs.DeviceSpec(levels={"law": "listed", "siemens": (1e-6, 2e-6, 90e-6)})
        np.testing.assert_array_equal(portrait(few).tick_siemens, [1e-6, 2e-6, 90e-6])
        many = rs.DeviceSpec(levels={"law": "linear", "count": 64})
        ticks = portrait(many).tick_siemens
        assert ticks.size == 9
        assert set(ticks) <= set(many.level_siemens)
        np.testing.assert_array_equal(ticks[[0, -1]], [0.0, 100e-6])

    def test_round_numbers_and_the_ends(self):
        device = rs.DeviceSpec(g_min_siemens=1e-6, g_max_siemens=40e-6)
        np.testing.assert_allclose(
            portrait(device).tick_siemens, [1e-6, 5e-6, 10e-6, 15e-6, 20e-6, 25e-6, 30e-6, 35e-6, 40e-6]
        )

    def test_times_that_people_name(self):
        device = rs.DeviceSpec(drift={"exponent": 0.05}, settled_second=20.0, fitted_until_second=86400.0)
        curves = portrait(device)
        np.testing.assert_array_equal(curves.tick_second, [20.0, 60.0, 3600.0, 86400.0])
        assert set(curves.tick_second) <= set(curves.retention[0].x)


class TestMiddleFigures:
    def test_of_the_parts(self):
        device = rs.device("rram-wan-2022")
        middle, g = middle_figures(device), np.array([20.5e-6])
        assert middle.g_siemens == pytest.approx(20.5e-6)
        assert middle.spread_siemens == pytest.approx(device.sigma(g)[0])
        assert middle.noise_siemens == pytest.approx(0.01 * 20.5e-6)

    def test_as_verified(self):
        """Uniform within the tolerance; stuck cells are left out."""
        write = {"tolerance_siemens": 1e-6, "most_pulses": 1000}
        device = rs.DeviceSpec(programming={"spread_siemens": (30e-6,)}, write=write, stuck={"on_fraction": 0.5})
        assert middle_figures(device).spread_siemens == pytest.approx(1e-6 / np.sqrt(3), rel=0.02)
