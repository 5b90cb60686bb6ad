"""The commands about devices: cards say what their specs say, and the curves are those of the specs."""

import json
import re
import sys

import numpy as np
import pytest

import rramsim as rs
from rramsim import cards
from rramsim.cli.device import _times, curves_of
from rramsim.units import duration, quantity

NOTHING = "not given by the source"

CARD = """
title = "My [cell] ü"
technology = "HfO2, 1T1R"
source = "Measured here, [27]"
g_min_siemens = 5e-7
g_max_siemens = 500e-6
fitted_second = 1e6
bounded = true
area_square_metre = 4.86e-14
levels = { law = "linear", count = 4 }
programming = { law = "lognormal", spread_log = 0.1 }
device_to_device = { spread_siemens = [1e-6, 5e-6], shift_siemens = -2e-6 }
write = { volt = 2.0, second = 50e-9, tolerance_siemens = 2e-5, most_pulses = 8 }
relaxation = { spread_siemens_per_ln = 1e-7, shift_siemens_per_ln = [0.0, -3e-7] }
drift = { exponent = 0.031, exponent_spread = 0.007, falls_only = true }
read_noise = { relative = 0.013, spread_siemens = 3e-8, integration_second = 250e-9 }
telegraph = { share = 0.15, amplitude = 0.05, amplitude_log = 0.3 }
stuck = { on_fraction = 0.0175, off_fraction = 0.0904, cluster_cells = 3.0 }
endurance = { writes = 1e6, writes_log = 0.5, narrowing_per_decade = 0.02 }
conduction = { law = "sinh", sinh_volt = 0.25, series_ohm = 1000.0 }
temperature = { kelvin = 350.0, conductance_per_kelvin = 0.001, activation_electronvolt = 0.2 }
"""
"""Every part of a device."""


@pytest.fixture
def card(folder):
    (folder / "my.toml").write_text(CARD, encoding="utf-8")
    return rs.device("my.toml")


@pytest.fixture
def package(folder, monkeypatch):
    """Another package, installed, with a device and a broken one."""
    (folder / "lab_devices.py").write_text("ours = {'title': 'Cell of the lab', 'g_max_siemens': 7e-6}\nbad = {'g': 1}")
    info = folder / "lab_devices-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-devices\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rramsim.devices]\nlab-cell = lab_devices:ours\nlab-bad = lab_devices:bad\n"
    )
    monkeypatch.syspath_prepend(folder)
    cards.offers.cache_clear()
    yield
    cards.offers.cache_clear()
    sys.modules.pop("lab_devices", None)


def flat(text):
    return " ".join(text.split())


def section(out, heading):
    """Rows of one of the tables below a card, split at two or more blanks."""
    lines = out.split(f"\n{heading}")[1].split("\n\n")[0].splitlines()[1:]
    return [re.split(r"\s{2,}", line.strip()) for line in lines if line.strip() and "──" not in line]


class TestList:
    def test_all_are_listed(self, done):
        out = done("presets")
        rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
        assert [name for name in rs.presets() if name not in rows] == []
        assert max(map(len, out.splitlines())) <= 100
        wan = re.split(r"\s{2,}", rows["rram-wan-2022"].strip())
        device = rs.device("rram-wan-2022")
        sigma = device.programming.sigma(np.array([20.5e-6]), device.g_max_siemens)[0]
        assert quantity(sigma, "S") in wan
        assert "1 .. 40 uS" in wan
        ideal = re.split(r"\s{2,}", rows["ideal"].strip())
        assert ideal == ["ideal", "Ideal cell", "0 .. 100 uS", "-", "-", "no", "-"]

    def test_other_packages(self, package, done):
        out = flat(done("presets"))
        assert re.search(r"lab-cell Cell of the lab .* 7 uS .*lab-devices", out)
        assert "cannot be used: `rramsim presets lab-bad` says why" in out
        assert "lab-cell: Cell of the lab (package lab-devices)" in done("presets", "lab-cell")


class TestCard:
    @pytest.mark.parametrize("name", rs.presets())
    def test_every_preset(self, done, name):
        out, device = done("presets", name), rs.device(name)
        for part in (name, device.title, device.technology, device.source, device.note):
            assert flat(part) in flat(out)
        assert f"window {quantity(device.g_min_siemens, 'S')} to {quantity(device.g_max_siemens, 'S')}" in flat(out)
        words = "ideal by definition" if name == "ideal" else NOTHING
        absent = flat(out).partition(f"{words}: ")[2].partition(" source ")[0]
        parts = {"drift": device.drift, "read noise": device.read_noise, "telegraph noise": device.telegraph}
        parts |= {"programming": device.programming, "relaxation": device.relaxation, "endurance": device.endurance}
        for part, spec in parts.items():
            assert (part in absent.split(", ")) == spec.ideal
        assert ("\nConductance after the write" in out) == bool(curves_of(device).retention)

    def test_every_part(self, card, done):
        out = flat(done("presets", "my.toml"))
        for words in (
            "my: My [cell] ü",
            "technology HfO2, 1T1R",
            "window 500 nS to 500 uS; a cell holds nothing outside",
            "levels 4, equidistant in g: 500 nS, 167 uS, 334 uS, 500 uS",
            "fitted range up to 11.6 d after the write",
            "programming lognormal: g = m exp(s n) s = 0.1",
            "device to device Gaussian: g = m + sigma n, at least 0 sigma = (1 + 5 x) uS, x = g / 500 uS",
            "m = target + shift, shift = -2 uS",
            "pulse of 2 V, 50 ns verified: accepted within 20 uS of the target, given up after 8 pulses",
            "settled 1 s after the write",
            "shift = (-300 x) nS, x = g / 500 uS times ln(t / 1 s) sigma = 100 nS times ln(t / 1 s)",
            "g(t) = g (t / 1 s)^-nu, nu counts as positive mean of nu: 0.031 sigma of nu: 0.007",
            "sigma = g times 0.013, and in squares 30 nS",
            "sqrt(ln((t + 250 ns) / 500 ns))",
            "15 % of the cells have a trap, filled 50 % of the time",
            "correlation time 1 ms",
            "1.75 % at 500 uS (on), 9.04 % at 500 nS (off) in clusters of about 3 cells",
            "half of the cells survive 1,000,000 writes (sigma of the logarithm 0.5)",
            "the window loses 2 % at its top for each factor of ten of writes",
            "i = g V0 sinh(v / V0), V0 = 250 mV in series: 1000 ohm",
            "350 K; figures measured at 300 K conductance: +0.1 % a kelvin",
            "activation energy 0.2 eV",
            "0.0486 um2 a cell",
            "source Measured here, [27]",
        ):
            assert words in out
        assert NOTHING not in out

    def test_nothing_but_a_window(self, done, folder):
        (folder / "bare.toml").write_text("g_max_siemens = 1e-6")
        out = flat(done("presets", "bare.toml"))
        assert "not given: technology, fitted range, programming, device to device, write, relaxation" in out
        assert "one standard deviation" not in out

    def test_tables(self, card, done):
        """The numbers below the card are those of the parts."""
        out = done("presets", "my.toml")
        top = card.g_max_siemens
        heading, *rows = section(out, "Spread of written")
        assert heading[:4] == ["g", "programming", "device to device", "together"]
        assert len(rows) == 4
        for row, g in zip(rows, card.level_siemens, strict=True):
            cycle, cell = card.programming.sigma(g, top), card.device_to_device.sigma(g, top)
            shown = [word for word in row if not set(word) & set("█▏▎▍▌▋▊▉")]
            assert shown[:4] == [quantity(float(x), "S") for x in (g, cycle, cell, np.hypot(cycle, cell))]
        heading, *rows = section(out, "Current")
        states = [card.level_siemens[k] for k in (0, 2, 3)]
        assert heading == ["voltage", *(quantity(g, "S") for g in states)]
        for volt, *shares in rows:
            v = float(volt.removesuffix(" V"))
            ratio = [card.conduction.current(g, v) / (g * v) for g in states]
            np.testing.assert_allclose([float(share) for share in shares], ratio, atol=5e-5)
        curves = curves_of(card)
        heading, *rows, course = section(out, "Conductance after the write")
        for label, *values in rows:
            k = next(k for k, t in enumerate(curves.retention[0].x) if duration(t) == label)
            expected = [f"{quantity(x.y[k], 'S')} ± {quantity(x.deviation[k], 'S')}" for x in curves.retention]
            assert values == expected
        assert (course[0], len(course)) == ("course", 4)

    def test_without_glyphs(self, card, done, monkeypatch):
        """A terminal that knows ASCII only gets the same numbers."""
        with_glyphs = done("presets", "my.toml")
        monkeypatch.setattr("rich.console.ConsoleOptions.ascii_only", property(lambda self: True))
        plain = done("presets", "my.toml").replace("ü", "")
        assert plain.isascii()
        assert "+-" in plain
        numbers = re.compile(r"\d+(?:\.\d+)?")
        assert numbers.findall(plain) == numbers.findall(with_glyphs)

    @pytest.mark.parametrize("name", ["ideal", "rram-wan-2022"])
    def test_json(self, done, name):
        assert rs.DeviceSpec(**json.loads(done("presets", name, "--json"))) == rs.device(name)

    def test_json_of_every_preset(self):
        for name in rs.presets():
            device = rs.device(name)
            assert rs.DeviceSpec(**json.loads(json.dumps(device.model_dump(mode="json")))) == device

    def test_json_of_every_part(self, card, done):
        assert rs.DeviceSpec(**json.loads(done("presets", "my.toml", "--json"))) == card


class TestPlot:
    @pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG\r\n"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_a_picture(self, done, folder, ending, start):
        out = done("presets", "rram-wan-2022", "--plot", f"wan.{ending}")
        assert out.endswith(f"figure:  wan.{ending}\n")
        assert (folder / f"wan.{ending}").read_bytes().startswith(start)
        assert [path.name for path in folder.iterdir()] == [f"wan.{ending}"]

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["ideal", "--plot", "taken.png"], "taken.png: exists already and is never overwritten"),
            (["ideal", "--plot", "a.jpg"], "a.jpg: its name must end in .png or .svg or .pdf"),
            (["ideal", "--plot", "missing/a.png"], "missing/a.png: its folder cannot be written"),
            (["ideal", "--plot", "a.png", "--json"], "give one of them"),
            (["--plot", "a.png"], "--plot: give the NAME of a device"),
            (["--json"], "--json: give the NAME of a device"),
            (["foo"], f"unknown device preset 'foo'; allowed are {', '.join(rs.presets())}, or"),
            (["rram-wan"], "unknown device preset 'rram-wan'; did you mean 'rram-wan-2022'"),
            (["missing.toml"], "missing.toml: no such device card"),
            (["apart.toml"], "is no range within the window"),
            (["bad.toml"], "g_maxx_siemens: unknown key; did you mean 'g_max_siemens'?"),
        ],
    )
    def test_bad_input(self, refused, folder, arguments, wanted):
        (folder / "taken.png").write_bytes(b"precious")
        (folder / "apart.toml").write_text("g_max_siemens = 1e-6\nfitted_siemens = [2e-6, 3e-6]")
        (folder / "bad.toml").write_text("g_maxx_siemens = 1e-6")
        err = refused("presets", *arguments)
        assert err.startswith("rramsim: ")
        assert wanted in err
        assert len(err.splitlines()) == 1

    def test_failure_at_the_very_end_leaves_nothing(self, rramsim, folder, monkeypatch):
        def fail(*arguments, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("rramsim.files.os.fsync", fail)
        code, _, err = rramsim("presets", "ideal", "--plot", "a.png")
        assert (code, err) == (2, "rramsim: a.png: cannot be written: No space left on device\n")
        assert not list(folder.iterdir())


class TestCurves:
    @pytest.mark.parametrize("name", rs.presets())
    def test_every_preset(self, name):
        """Each panel holds what the parts of the device say, or nothing."""
        device = rs.device(name)
        curves, top = curves_of(device), device.g_max_siemens
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

    def test_retention_is_that_of_the_laws(self):
        """Mean and deviation of t^-nu with Gaussian nu, and of steps that grow with ln t, in closed form.

        With 20 000 cells the standard errors are below 0.03 % of the means and 0.5 % of the deviations; the limits are
        4.5 of them.
        """
        mu, sd, g0 = 0.05, 0.01, 10e-6
        device = rs.DeviceSpec(drift={"exponent": mu, "exponent_spread": sd}, fitted_second=1e6, settled_second=20.0)
        low = curves_of(device).retention[0]
        np.testing.assert_allclose(low.x[[0, -1]], [20.0, 1e6])
        span = np.log(low.x / 20.0)
        mean = g0 * np.exp(-mu * span + 0.5 * (sd * span) ** 2)
        np.testing.assert_allclose(low.y, mean, rtol=4.5 * 1e-3)
        np.testing.assert_allclose(low.deviation, mean * np.sqrt(np.expm1((sd * span) ** 2)), rtol=0.03, atol=1e-15)
        device = rs.DeviceSpec(relaxation={"spread_siemens_per_ln": 1e-7}, programming={"spread_siemens": (5e-7,)})
        middle = curves_of(device).retention[1]
        np.testing.assert_allclose(
            middle.deviation, np.hypot(5e-7, 1e-7 * np.log(middle.x)), rtol=4.5 / np.sqrt(2 * 20_000)
        )
        assert middle.x[-1] == pytest.approx(3650 * 86400)

    def test_a_read_is_noisier_than_its_cell(self):
        given = {"drift": {"exponent": 0.05}, "programming": {"spread_siemens": (1e-6,)}}
        quiet, noisy = (
            curves_of(rs.DeviceSpec(**given, **more)) for more in ({}, {"read_noise": {"spread_siemens": 1e-7}})
        )
        assert (quiet.reads, noisy.reads) == (False, True)
        for one, other in zip(quiet.retention, noisy.retention, strict=True):
            # A read is never below 0: that lifts the mean of cells near 0 a little, and cuts their noise.
            np.testing.assert_allclose(one.y, other.y, rtol=0.01)
            np.testing.assert_allclose(other.deviation, np.hypot(one.deviation, 1e-7), rtol=0.01)

    def test_published_times_of_relaxation(self):
        total = (2e-6, 3e-6)
        given = {"second": (3600.0, 86400.0), "total_siemens": total}
        curves = curves_of(rs.DeviceSpec(programming={"spread_siemens": (1e-6,)}, relaxation=given))
        assert [line.label for line in curves.spread] == ["programming", "after 1 h", "after 1 d"]
        for line, sigma in zip(curves.spread[1:], total, strict=True):
            np.testing.assert_allclose(line.y, sigma)
        assert curves.retention[0].x[-1] == 86400.0

    def test_heat_shortens_the_time(self):
        hot = {"kelvin": 350.0, "activation_electronvolt": 0.5}
        given = {"second": (3600.0,), "total_siemens": (2e-6,)}
        device = rs.DeviceSpec(relaxation=given, temperature=hot)
        factor = device.temperature.acceleration
        curves = curves_of(device)
        np.testing.assert_allclose(curves.retention[0].x[[0, -1]], [1 / factor, 3600 / factor])
        assert curves.spread[-1].label == f"after {duration(3600 / factor)}"
        np.testing.assert_allclose(curves.spread[-1].y, 2e-6)

    def test_noise_that_grows(self):
        noise = {"relative": 0.01, "integration_second": 250e-9}
        device = rs.DeviceSpec(read_noise=noise, settled_second=20.0, fitted_second=86400.0)
        first, last = curves_of(device).noise
        assert (first.label, last.label) == ("read 20 s after the write", "read 1 d after the write")
        for line, second in ((first, 20.0), (last, 86400.0)):
            np.testing.assert_allclose(line.y, 0.01 * line.x * np.sqrt(np.log((second + 250e-9) / 500e-9)), rtol=1e-12)

    def test_verified_cells_are_drawn(self):
        """Uniform between the limits of the verification where the spread is much wider than they."""
        write = {"tolerance_siemens": 1e-6, "most_pulses": 1000}
        device = rs.DeviceSpec(programming={"spread_siemens": (30e-6,)}, write=write, fitted_siemens=(20e-6, 80e-6))
        line = curves_of(device).spread[-1]
        assert (line.label, line.sampled) == ("as verified", True)
        np.testing.assert_allclose(line.y, 1e-6 / np.sqrt(3), rtol=0.02)

    def test_stuck_cells_are_left_out(self):
        given = {"drift": {"exponent": 0.05}}
        whole, stuck = (curves_of(rs.DeviceSpec(**given, **more)) for more in ({}, {"stuck": {"on_fraction": 0.5}}))
        np.testing.assert_array_equal(whole.retention[0].y, stuck.retention[0].y)

    def test_a_polarity_dependent_current_is_shown_at_both(self):
        assert curves_of(rs.DeviceSpec(conduction={"law": "sinh", "sinh_volt": 0.3})).current[0].x[0] == 0
        law = {"law": "polynomial", "square_ampere_per_square_volt": 1e-6, "most_volt": 0.4}
        v = curves_of(rs.DeviceSpec(conduction=law)).current[0].x
        np.testing.assert_allclose(v[[0, -1]], [-0.4, 0.4])

    def test_states_are_levels(self):
        device = rs.DeviceSpec(levels={"law": "listed", "siemens": (1e-6, 2e-6, 90e-6)})
        assert curves_of(device).states == (2e-6, 90e-6)
        np.testing.assert_allclose(curves_of(rs.DeviceSpec()).states, [10e-6, 50e-6, 90e-6])

    def test_no_time_no_retention(self):
        device = rs.DeviceSpec(drift={"exponent": 0.1}, fitted_second=1.0)
        assert _times(device).size == 0
        assert curves_of(device).retention == ()
