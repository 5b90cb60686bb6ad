"""Where devices come from: presets, cards of one's own, and packages that offer some."""

import re
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rramsim import cards
from rramsim.cards import DEVICES, MACROS, presets
from rramsim.cell.device import DeviceSpec, device
from rramsim.engine.macro.programming import MacroSpec, macro
from rramsim.errors import SpecError
from rramsim.model.recorded import recorded_scores

FIELDS = {"g_max_siemens": 2e-4, "read_noise": {"relative_deviation": 0.02}}


class Halved(DeviceSpec):
    """A device with a law of its own: cells end at half of what was asked."""

    share: float = 0.5

    def program(self, g_target, **keywords):
        return super().program(self.share * np.asarray(g_target), **keywords)


def broken():
    raise RuntimeError("no figures today")


OFFERED = {
    "instance": DeviceSpec(name="theirs", **FIELDS),
    "fields": FIELDS,
    "function": lambda: FIELDS,
    "maker": lambda: DeviceSpec(name="theirs", **FIELDS),
    "subclass": Halved(name="halved", **FIELDS),
    "broken": broken,
    "number": 5,
    "class": Halved,
    "wrong": {"g_max_siemens": -1.0},
}


@pytest.fixture
def offers(monkeypatch):
    """Another package with the devices above."""
    entry_points = {name: EntryPoint(name, f"their_package:{name}", DEVICES.entry_point) for name in OFFERED}
    monkeypatch.setattr(cards, "offers", lambda group: entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda entry: OFFERED[entry.name])


class TestPackages:
    def test_they_are_presets(self, offers):
        assert set(OFFERED) <= set(presets())
        assert presets() == sorted(presets())

    @pytest.mark.parametrize("name", ["instance", "fields", "function", "maker"])
    def test_whatever_they_offer(self, offers, name):
        """With overrides, by name within another spec, and as a study file names it."""
        spec = device(name)
        assert (spec.g_max_siemens, spec.read_noise.relative_deviation) == (2e-4, 0.02)
        assert spec.name == (name if name in ("fields", "function") else "theirs")
        mine = device(name, g_min_siemens=1e-6, read_noise={"spread_siemens": 1e-7})
        assert (mine.g_min_siemens, mine.read_noise.relative_deviation, mine.read_noise.spread_siemens) == (
            1e-6,
            0.02,
            1e-7,
        )
        assert MacroSpec(device=name).device == spec
        assert MacroSpec(device={"preset": name, "g_min_siemens": 1e-6}).device.g_min_siemens == 1e-6
        assert DeviceSpec(preset=name) == spec

    def test_a_device_with_a_law_of_its_own(self, offers):
        spec = device("subclass")
        assert isinstance(spec, Halved)
        assert_array_equal(spec.program([1e-4]).g, [5e-5])
        mine = device("subclass", share=0.25, g_min_siemens=1e-9)
        assert isinstance(mine, Halved)
        assert_array_equal(mine.program([1e-4]).g, [2.5e-5])
        assert MacroSpec(device=mine).device.program([1e-4]).g == 2.5e-5

    def test_its_law_is_never_lost_in_silence(self, offers):
        """Where only a plain device can be made of a name, that is an error."""
        for make in (lambda: MacroSpec(device="subclass"), lambda: DeviceSpec(preset="subclass", g_min_siemens=1e-9)):
            with pytest.raises(SpecError, match=r"'subclass' is a Halved, a kind .* rramsim\.device\('subclass'\)"):
                make()

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("broken", r"'broken' of another package \(their_package:broken\) cannot be loaded: no figures today"),
            ("number", "'number': a device is a DeviceSpec or a dict; got 5"),
            ("class", "'class': a device is a DeviceSpec or a dict; got <class"),
            ("wrong", r"g_max_siemens: got -1\.0; it is above 0"),
        ],
    )
    def test_a_wrong_offer(self, offers, name, sentence):
        with pytest.raises(SpecError, match=sentence):
            device(name)

    def test_a_package_that_is_not_there_any_more(self, monkeypatch):
        """The real way of loading it."""
        gone = EntryPoint("gone", "no_such_package:device", DEVICES.entry_point)
        monkeypatch.setattr(cards, "offers", lambda group: {"gone": gone})
        with pytest.raises(SpecError, match=r"\(no_such_package:device\) cannot be loaded: No module named 'no_s"):
            device("gone")

    def test_our_names_stay_ours(self, monkeypatch):
        entry_points = [
            EntryPoint("ideal", "their_package:ideal", DEVICES.entry_point),
            EntryPoint("theirs", "their_package:theirs", DEVICES.entry_point),
        ]
        monkeypatch.setattr(cards, "offers", lambda group: {entry.name: entry for entry in entry_points})
        assert "theirs" in presets()
        assert presets().count("ideal") == 1
        assert set(DEVICES.offered) == {"theirs"}
        assert device("ideal").title == "Ideal cell"


def test_a_package_offers_a_macro(monkeypatch):
    offered = {"fields": {"preset": "isaac", "tile_rows": 64}, "object": MacroSpec(preset="star", tile_rows=32)}
    entries = {name: EntryPoint(name, f"their_package:{name}", MACROS.entry_point) for name in offered}
    monkeypatch.setattr(cards, "offers", lambda group: entries if group == "rramsim.macros" else {})
    monkeypatch.setattr(EntryPoint, "load", lambda entry: offered[entry.name])
    assert set(offered) < set(presets("macros"))
    assert MacroSpec(preset="fields").tile_rows == 64
    assert MacroSpec(preset="fields", tile_rows=16) == MacroSpec(preset="isaac", name="fields", tile_rows=16)
    assert MacroSpec(preset="object") == offered["object"]


class TestCards:
    def test_a_card(self, tmp_path):
        """Its name is that of the file unless it has one; its fields may be changed."""
        path = tmp_path / "mine.toml"
        path.write_text("g_max_siemens = 2e-4\n[stuck]\non_fraction = 0.1\n[write]\nvolt = 2\n", encoding="utf-8")
        spec = device(str(path))
        assert (spec.name, spec.g_max_siemens, spec.stuck.on_fraction, spec.write.volt) == ("mine", 2e-4, 0.1, 2.0)
        mine = device(str(path), stuck={"off_fraction": 0.2}, name="changed")
        assert (mine.name, mine.stuck.on_fraction, mine.stuck.off_fraction) == ("changed", 0.1, 0.2)
        assert MacroSpec(device=str(path)).device == spec
        path.write_text('name = "own"\n', encoding="utf-8")
        assert device(str(path)).name == "own"

    def test_no_such_card(self, tmp_path):
        with pytest.raises(SpecError, match=r"none\.toml: no such device card"):
            device(str(tmp_path / "none.toml"))

    @pytest.mark.parametrize("text", [b"g_max_siemens = ", b"\xff\xfe", b"a = 1\na = 2"])
    def test_no_card_at_all(self, tmp_path, text):
        path = tmp_path / "bad.toml"
        path.write_bytes(text)
        with pytest.raises(SpecError, match=r"bad\.toml: cannot be read as a device card in TOML: "):
            device(str(path))

    def test_a_folder(self, tmp_path):
        (tmp_path / "folder.toml").mkdir()
        with pytest.raises(SpecError, match=r"folder\.toml: cannot be read as a device card"):
            device(str(tmp_path / "folder.toml"))

    def test_a_wrong_key_of_a_card(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text("[stuck]\non_fracton = 0.1\n", encoding="utf-8")
        with pytest.raises(SpecError, match=r"stuck\.on_fracton: unknown key; did you mean 'on_fraction'\?"):
            device(str(path))


def test_unknown_names():
    """The message lists what there is."""
    for name in ("rram", "Ideal", "ideal.tml", ""):
        with pytest.raises(SpecError) as caught:
            device(name)
        assert f"unknown device preset {name!r}" in str(caught.value)
        assert f"llowed are {', '.join(presets())}" in str(caught.value)
        assert "or the path of a card (FILE.toml)" in str(caught.value)


@pytest.mark.parametrize("wrong", [5, None, ["ideal"], 1.5])
def test_what_is_no_name(wrong):
    with pytest.raises(SpecError, match="preset is the name of a device or the path of its card; got "):
        DeviceSpec(preset=wrong)


def test_an_embedded_card_is_a_fresh_dict():
    DEVICES.card("ideal")["g_max_siemens"] = 5.0
    assert DEVICES.card("ideal")["g_max_siemens"] != 5.0


def test_a_card_may_start_from_a_preset(tmp_path):
    card = tmp_path / "mine.toml"
    card.write_text('preset = "rram-wan-2022"\ntitle = "our lot"\n[read_noise]\nrelative_deviation = 0.03\n')
    mine = device(str(card))
    assert (mine.name, mine.title, mine.read_noise.relative_deviation) == ("mine", "our lot", 0.03)
    assert mine.programming == device("rram-wan-2022").programming
    other = tmp_path / "other.toml"
    other.write_text(f'preset = "{card}"\ng_min_siemens = 2e-6\n')
    assert device(str(other)).read_noise.relative_deviation == 0.03
    card.write_text(f'preset = "{other}"\n')
    with pytest.raises(SpecError, match="starts from itself"):
        device(str(other))


def test_a_preset_is_named_once():
    with pytest.raises(SpecError, match="the preset is named first; got 'ideal' and preset = 'prime'"):
        device("ideal", preset="prime")


class TestLists:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("devices", "ideal"),
            ("macros", "isaac"),
            ("components", "isaac-32nm"),
            ("studies", "digits"),
            ("scores", "minilm-l6"),
        ],
    )
    def test_of_every_kind(self, kind, name):
        names = presets(kind)
        assert name in names
        assert names == sorted(set(names))

    def test_devices_unless_asked_otherwise(self):
        assert presets() == presets("devices")

    def test_scores_are_those_that_can_be_read(self):
        for name in presets("scores"):
            assert recorded_scores(name, 1).shape[0] == 1

    @pytest.mark.parametrize(("kind", "meant"), [("macro", "did you mean 'macros'?"), ("x", "There are lists of dev")])
    def test_another_kind(self, kind, meant):
        with pytest.raises(SpecError, match=f"presets: got {kind!r}; {re.escape(meant)}"):
            presets(kind)


class TestMacros:
    def test_by_name(self):
        assert macro("isaac") == MacroSpec(preset="isaac")
        mine = macro("isaac", adc={"bits": 7, "full_scale_from": "full"}, read_volt=0.1)
        assert (mine.adc.bits, mine.adc.kind, mine.read_volt) == (7, "sar", 0.1)

    def test_refused(self):
        with pytest.raises(SpecError, match="unknown macro preset 'isac'; did you mean 'isaac'"):
            macro("isac")
        with pytest.raises(SpecError, match="the preset is named first; got 'isaac' and preset = 'prime'"):
            macro("isaac", preset="prime")
