"""Published macros: what the cards say against what the papers print, and cards of one's own."""

import re
import tomllib
from math import log2

import numpy as np
import pytest

import rramsim as rs
from rramsim.cards import MACROS, presets
from rramsim.cell.device import device
from rramsim.cost.components import load_components
from rramsim.data import data_path

FIELDS = {
    *("name", "title", "source", "references", "note", "device", "wires", "dac", "adc", "input_bits", "signed_inputs"),
    *(
        "weight_bits",
        "cell_bits",
        "tile_rows",
        "tile_columns",
        "weight_coding",
        "offset_from",
        "invert_heavy_columns",
        "weight_scale_per",
        "unused_cells",
    ),
    *("accumulate", "accumulator_bits", "read_volt", "read_second", "noise_model", "telegraph_vectors", "nonlinear"),
}
TEXTS = {"name", "title", "source", "references", "note"}


def leaves(card, above=""):
    """The figures of a card by their dotted keys."""
    for key, value in card.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        elif above or key not in TEXTS:
            yield f"{above}{key}", value


def tabled():
    """The figures of every preset as the table of sources has them."""
    section = data_path("README.md").read_text(encoding="utf-8").split("## macros/")[1].split("\n## ")[0]
    figures, preset = {}, None
    for line in section.splitlines():
        if not line.startswith("| ") or line.startswith("| preset"):
            continue
        first, keys, values, source = (cell.strip() for cell in line.strip("|").split("|")[:4])
        preset = first.strip("`") or preset
        assert source, line
        names, texts = re.findall("`([^`]+)`", keys), re.findall("`([^`]+)`", values)
        for name, text in zip(names, texts, strict=True):
            assert name not in figures.setdefault(preset, {})
            figures[preset][name] = tomllib.loads(f"value = {text}")["value"]
    return figures


class TestPresets:
    def test_the_names(self):
        assert presets("macros") == ["isaac", "neurram", "prime", "star"]

    @pytest.mark.parametrize("name", presets("macros"))
    def test_each_tells_its_source_and_its_gaps(self, name):
        card = MACROS.card(name)
        assert card["name"] == name
        assert set(card) <= FIELDS
        for text in ("title", "source", "note"):
            assert len(card[text].strip()) > 10
        assert "not given" in card["note"].lower()

    def test_the_table_of_sources_has_every_figure(self):
        assert tabled() == {name: dict(leaves(MACROS.card(name))) for name in presets("macros")}

    @pytest.mark.parametrize("name", presets("macros"))
    def test_its_components_have_a_price(self, name):
        """Row drivers, converters and integrators of the widths that a preset has."""
        card, table = MACROS.card(name), load_components()
        integrator = {"integrator"} if card.get("accumulate") == "analog" else set()
        for component in {f"dac_{card['dac']['bits']}b", f"adc_{card['adc']['bits']}b"} | integrator:
            assert table[component].energy_joule > 0

    @pytest.mark.parametrize("name", presets("macros"))
    def test_a_macro_is_made_of_it(self, name):
        spec = rs.MacroSpec(preset=name)
        card = MACROS.card(name)
        assert spec.name == name
        for key in {"input_bits", "weight_bits", "cell_bits", "tile_rows", "tile_columns", "signed"} & set(card):
            assert getattr(spec, key) == card[key]
        assert (spec.adc.bits, spec.dac.bits) == (card["adc"]["bits"], card["dac"]["bits"])
        assert spec.device == (rs.device(card["device"]["preset"]) if "device" in card else rs.DeviceSpec())


class TestIsaac:
    """A. Shafiee et al., ISCA 2016, Table I and section V."""

    card = MACROS.card("isaac")

    def test_crossbar(self):
        card = self.card
        assert (card["tile_rows"], card["tile_columns"] - 1, card["cell_bits"]) == (128, 128, 2)
        assert (card["weight_bits"], card["input_bits"], card["dac"]["bits"]) == (16, 16, 1)
        assert (card["weight_coding"], card["offset_from"], card["invert_heavy_columns"]) == (
            "offset",
            "unit column",
            True,
        )
        cell = device(card["device"]["preset"])
        assert cell.levels.count == 2 ** card["cell_bits"]
        assert (1 / cell.g_max_siemens, 1 / cell.g_min_siemens) == pytest.approx((2e3, 2e6))

    def test_converter(self):
        """log2(R) + v + w - 1 bits, one fewer with flipped columns; the largest sum is then 192 of 255."""
        card, adc = self.card, self.card["adc"]
        rows, v, w = card["tile_rows"], card["dac"]["bits"], card["cell_bits"]
        assert (adc["kind"], adc["bits"], adc["full_scale_from"]) == ("sar", 8, "lossless")
        assert adc["bits"] == log2(rows) + v + w - 1 - card["invert_heavy_columns"]
        assert rows * (2**w - 1) // 2 <= 2 ** adc["bits"] - 1 < rows * (2**w - 1)

    def test_a_read_takes_100_nanoseconds(self):
        """128 columns through one converter of 1.28 GS/s; the unit column adds one conversion."""
        table, adc = load_components(), self.card["adc"]
        assert adc["columns"] == self.card["tile_columns"]
        conversion = table[f"adc_{adc['bits']}b"].time_second
        assert 128 * conversion == pytest.approx(100e-9)
        assert adc["columns"] * conversion == pytest.approx(100.8e-9, rel=1e-3)
        assert table["crossbar_read"].time_second == pytest.approx(100e-9)

    def test_the_energy_of_a_read_is_that_of_table_one_within_a_factor_of_three(self):
        """2.4 mW for 8 crossbars in 100 ns: 30 pJ each. Random digits, half of the rows driven."""
        card, cell = self.card, device(self.card["device"]["preset"])
        cells = card["tile_rows"] * 128
        joule = 0.5 * cells * np.mean(cell.level_siemens) * card["read_volt"] ** 2 * card["read_second"]
        assert joule == pytest.approx(82e-12, rel=0.01)
        assert 1 / 3 < joule / (2.4e-3 / 8 * 100e-9) < 3


def test_prime():
    """P. Chi et al., ISCA 2016, section V-A: 256 x 256, 4-bit cells, eight 6-bit amplifiers, 3-bit drivers, 1k/20k."""
    card = MACROS.card("prime")
    assert (card["tile_rows"], card["tile_columns"], card["cell_bits"]) == (256, 256, 4)
    assert (card["input_bits"], card["weight_bits"], card["dac"]["bits"]) == (6, 8, 3)
    assert card["input_bits"] // card["dac"]["bits"] == card["weight_bits"] // card["cell_bits"] == 2
    assert (card["adc"]["bits"], card["tile_columns"] // card["adc"]["columns"]) == (6, 8)
    assert (card["weight_coding"], card["signed_inputs"]) == ("differential", False)
    cell = device(card["device"]["preset"])
    assert (1 / cell.g_max_siemens, 1 / cell.g_min_siemens) == pytest.approx((1e3, 20e3))
    assert cell.levels.count == 2 ** card["cell_bits"]


def test_neurram():
    """W. Wan et al., Nature 2022: 256 x 256, a neuron for each line, signed 4-bit inputs, bits added in the neuron."""
    card = MACROS.card("neurram")
    assert (card["tile_rows"], card["tile_columns"]) == (256, 256)
    assert card["tile_columns"] // card["adc"]["columns"] == 256
    assert (card["input_bits"], card["signed_inputs"]) == (4, True)
    assert card["dac"] == {"bits": 1, "bipolar": True}
    assert (card["accumulate"], card["adc"]["kind"], card["adc"]["bits"]) == ("analog", "sar", 8)
    assert (card["read_volt"], card["read_second"]) == (0.5, 10e-9)


def test_the_weights_of_neurram_are_as_good_as_analog():
    """One cell for each sign, in steps that the spread of a written cell hides."""
    card = MACROS.card("neurram")
    cell = device(card["device"]["preset"])
    assert card["weight_bits"] - 1 == card["cell_bits"]
    step = cell.window_siemens / (2 ** card["cell_bits"] - 1)
    g = np.linspace(cell.g_min_siemens, cell.g_max_siemens, 500)
    assert step == pytest.approx(0.153e-6, rel=1e-3)
    assert np.max(step / cell.sigma(g)) == pytest.approx(0.212, abs=1e-3)


def test_star():
    """128 x 128 and 5 bits (the defaults of DNN+NeuroSim V1.4); 2-bit cells and 8 bits (ReTransformer)."""
    card = MACROS.card("star")
    assert (card["tile_rows"], card["tile_columns"], card["adc"]["bits"]) == (128, 128, 5)
    assert (card["cell_bits"], card["weight_bits"], card["input_bits"]) == (2, 8, 8)
    assert (card["adc"]["kind"], card["adc"]["columns"]) == ("flash", 8)
    assert not {"device", "read_volt", "read_second", "wires"} & set(card)


class TestComponents:
    """What these macros need beyond the table of ISAAC."""

    @pytest.mark.parametrize("bits", range(2, 9))
    def test_puma_drivers(self, bits):
        """puma-simulator, include/constants.py: 0.00350625 mW in 100 ns, 1.67e-7 mm2, whatever the width."""
        driver = load_components()[f"dac_{bits}b"]
        assert driver.energy_joule == pytest.approx(0.00350625e-3 * 100e-9)
        assert driver.area_square_metre == pytest.approx(1.67e-7 * 1e-6)
        assert (driver.time_second, driver.node_metre) == (1e-9, 32e-9)

    def test_neurram_integrator(self):
        """Accelergy library plug-in, library/wan/components.csv: 0.25 pJ, 350 um2; CiMLoop: 0.27 us."""
        integrator = load_components()["integrator"]
        assert integrator.energy_joule == pytest.approx(0.25e-12)
        assert integrator.area_square_metre == pytest.approx(350e-12)
        assert (integrator.time_second, integrator.node_metre) == (0.27e-6, 130e-9)


class TestCards:
    def test_a_card(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text("tile_rows = 64\n[adc]\nbits = 7\n", encoding="utf-8")
        assert MACROS.card(str(path)) == {"name": "mine", "tile_rows": 64, "adc": {"bits": 7}}
        path.write_text('name = "own"\n', encoding="utf-8")
        assert MACROS.card(str(path)) == {"name": "own"}

    def test_an_embedded_card_is_a_fresh_dict(self):
        MACROS.card("isaac")["adc"]["bits"] = 3
        assert MACROS.card("isaac")["adc"]["bits"] == 8

    def test_no_such_card(self, tmp_path):
        with pytest.raises(ValueError, match=r"none\.toml: no such macro card"):
            MACROS.card(str(tmp_path / "none.toml"))

    @pytest.mark.parametrize("text", [b"tile_rows = ", b"\xff\xfe", b"a = 1\na = 2"])
    def test_no_card_at_all(self, tmp_path, text):
        path = tmp_path / "bad.toml"
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"bad\.toml: cannot be read as a macro card in TOML: "):
            MACROS.card(str(path))

    def test_a_folder(self, tmp_path):
        (tmp_path / "folder.toml").mkdir()
        with pytest.raises(ValueError, match=r"folder\.toml: cannot be read as a macro card"):
            MACROS.card(str(tmp_path / "folder.toml"))

    @pytest.mark.parametrize(("name", "close"), [("issac", "isaac"), ("neuram", "neurram"), ("stars", "star")])
    def test_a_name_that_is_nearly_one(self, name, close):
        with pytest.raises(
            ValueError, match=rf"unknown macro preset '{name}'; did you mean '{close}'\? Allowed are isaac"
        ):
            MACROS.card(name)

    @pytest.mark.parametrize("name", ["", "PRIME", "puma", "../devices/ideal", "isaac.tml"])
    def test_unknown_names(self, name):
        with pytest.raises(ValueError, match=r"llowed are isaac, neurram, prime, star, or the path of a card"):
            MACROS.card(name)

    @pytest.mark.parametrize("wrong", [5, None, ["isaac"], 1.5])
    def test_what_is_no_name(self, wrong):
        with pytest.raises(ValueError, match="preset is the name of a macro or the path of its card; got "):
            MACROS.card(wrong)
