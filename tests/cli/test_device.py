"""The command about devices: cards say what their specs say, and their tables are the curves of the portrait."""

import io
import json
import re
import sys
import tomllib

import numpy as np
import pytest
from rich.console import Console

import rramsim as rs
from rramsim import cards
from rramsim.cell.portrait import portrait
from rramsim.cli.device_card import print_card
from rramsim.units import duration, quantity

NOTHING = "not given by the source"

CARD = """
title = "My [cell] ü"
technology = "HfO2, 1T1R"
source = "Measured here, [27]"
g_min_siemens = 5e-7
g_max_siemens = 500e-6
fitted_until_second = 1e6
bounded = true
area_square_metre = 4.86e-14
levels = { law = "linear", count = 4 }
programming = { law = "lognormal", spread_log = 0.1 }
device_to_device = { spread_siemens = [1e-6, 5e-6], shift_siemens = -2e-6 }
write = { volt = 2.0, pulse_second = 50e-9, tolerance_siemens = 2e-5, most_pulses = 8 }
relaxation = { spread_siemens_per_ln = 1e-7, shift_siemens_per_ln = [0.0, -3e-7] }
drift = { exponent = 0.031, exponent_spread = 0.007, falls_only = true }
read_noise = { relative_deviation = 0.013, spread_siemens = 3e-8, integration_second = 250e-9 }
telegraph = { trap_share = 0.15, amplitude = 0.05, amplitude_log = 0.3 }
stuck = { on_fraction = 0.0175, off_fraction = 0.0904, cluster_cells = 3.0 }
endurance = { writes = 1e6, writes_log = 0.5, narrowing_per_decade = 0.02 }
conduction = { law = "sinh", sinh_volt = 0.25, series_ohm = 1000.0 }
temperature = { kelvin = 350.0, change_per_kelvin = 0.001, activation_electronvolt = 0.2 }
"""
"""Every part of a device."""


@pytest.fixture
def card_file(folder):
    (folder / "my.toml").write_text(CARD, encoding="utf-8")
    return "my.toml"


@pytest.fixture(scope="module")
def card():
    return rs.DeviceSpec(name="my", **tomllib.loads(CARD))


@pytest.fixture(scope="module")
def curves(card):
    return portrait(card)


def printed(card, curves):
    """What the command prints of a device."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    print_card(console, card, curves)
    return console.file.getvalue()


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
    @pytest.mark.thinned(5)
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
        assert ("\nConductance after the write" in out) == (not (device.relaxation.ideal and device.drift.ideal))

    def test_a_card_of_ones_own(self, card_file, card, curves, done):
        assert rs.device(card_file) == card
        assert done("presets", card_file) == printed(card, curves)

    def test_every_part(self, card, curves):
        out = flat(printed(card, curves))
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

    def test_tables(self, card, curves):
        """The numbers below the card are those of the parts."""
        out = printed(card, curves)
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
        heading, *rows, course = section(out, "Conductance after the write")
        for label, *values in rows:
            k = next(k for k, t in enumerate(curves.retention[0].x) if duration(t) == label)
            expected = [f"{quantity(x.y[k], 'S')} ± {quantity(x.deviation[k], 'S')}" for x in curves.retention]
            assert values == expected
        assert (course[0], len(course)) == ("course", 4)

    def test_without_glyphs(self, card, curves, monkeypatch):
        """A terminal that knows ASCII only gets the same numbers."""
        with_glyphs = printed(card, curves)
        monkeypatch.setattr("rich.console.ConsoleOptions.ascii_only", property(lambda self: True))
        plain = printed(card, curves).replace("ü", "")
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

    def test_json_of_every_part(self, card_file, card, done):
        assert rs.DeviceSpec(**json.loads(done("presets", card_file, "--json"))) == card


class TestPlot:
    @pytest.mark.thinned(3)
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
        (folder / "apart.toml").write_text("g_max_siemens = 1e-6\nfitted_from_to_siemens = [2e-6, 3e-6]")
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
