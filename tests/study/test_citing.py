"""What is cited for devices, macros, studies and traces."""

import json

import numpy as np
import pytest

import rramsim as rs
from rramsim.cards import presets
from rramsim.errors import SpecError, TraceError
from rramsim.references import Reference
from rramsim.study.citing import cite
from rramsim.study.toml import load_study
from rramsim.trace.read import open_trace
from rramsim.trace.write import write_trace

WAN = ("wan-2022", "aihwkit", "cimloop")


class TestParts:
    def test_a_device(self):
        assert cite(rs.device("rram-wan-2022")).keys == ("rramsim", *WAN)
        assert cite(rs.device("rram-wan-2022", g_min_siemens=2e-6)) == cite("rram-wan-2022")

    def test_what_was_programmed(self):
        cell = rs.device("rram-wan-2022")
        assert cite(cell.program(np.full(3, 2e-5), rng=0)) == cite(cell)
        macro = rs.MacroSpec(device=cell, tile_rows=4, tile_columns=16)
        assert cite(macro.program(np.eye(4), rng=0)).keys == ("rramsim", *WAN)

    def test_a_macro_with_its_cells(self):
        assert cite(rs.macro("neurram")).keys == ("rramsim", "wan-2022", "cimloop", "aihwkit")

    def test_the_softmax_engine_is_star(self):
        softmax = rs.SoftmaxSpec(format=rs.FixedPointSpec(integer_bits=5, fraction_bits=2))
        assert cite(softmax).keys == ("rramsim", "zhai-2023")
        attention = rs.AttentionSpec(softmax=softmax)
        assert "zhai-2023" in cite(attention).keys
        assert "zhai-2023" not in cite(rs.MacroSpec()).keys

    @pytest.mark.parametrize(
        ("unit", "key"),
        [(rs.SoftermaxSpec, "stevens-2021"), (rs.IBertSoftmaxSpec, "kim-2021"), (rs.HybridSoftmaxSpec, "yang-2020")],
    )
    def test_digital_units(self, unit, key):
        fields = {"format": rs.FixedPointSpec(integer_bits=5, fraction_bits=2)}
        assert cite(unit(**fields)).keys == ("rramsim", key)

    def test_a_component_table(self):
        assert cite(rs.components("isaac-32nm")) == cite("isaac-32nm")
        assert {"shafiee-2016", "shao-2014", "li-2020"} <= set(cite("isaac-32nm").keys)


class TestNames:
    def test_what_two_kinds_have(self):
        """The cell and the macro are called so."""
        assert set(cite("isaac").keys) == {*cite(rs.device("isaac")).keys, *cite(rs.macro("isaac")).keys}

    @pytest.mark.parametrize("kind", ["devices", "macros", "components", "studies"])
    def test_every_preset(self, kind):
        for name in presets(kind):
            assert cite(name).keys[0] == "rramsim"
            assert len(cite(name)) > (name != "ideal")

    def test_unknown(self):
        with pytest.raises(SpecError, match="nothing is called 'isac'; did you mean 'isaac'"):
            cite("isac")
        with pytest.raises(SpecError, match="nothing is called 'zzz'; It takes the name of a device"):
            cite("zzz")

    def test_what_cannot_be_cited(self):
        with pytest.raises(SpecError, match="got a 'int'; what can be cited are specifications"):
            cite(5)

    def test_no_file(self, tmp_path):
        with pytest.raises(SpecError, match=r"none\.toml: no such file"):
            cite(tmp_path / "none.toml")
        with pytest.raises(TraceError, match=r"none\.h5: no such file"):
            cite(tmp_path / "none.h5")
        (tmp_path / "bad.toml").write_text("a = ", encoding="utf-8")
        with pytest.raises(SpecError, match=r"bad\.toml: cannot be read as TOML"):
            cite(tmp_path / "bad.toml")


class TestFiles:
    def test_cards(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('preset = "prime"\nstuck = { on_fraction = 0.1 }\n', encoding="utf-8")
        assert cite(path).keys == cite(rs.device("prime")).keys
        path.write_text('preset = "prime"\nadc = { bits = 5 }\nweight_bits = 7\n', encoding="utf-8")
        assert cite(path).keys == cite(rs.macro("prime")).keys
        path.write_text('title = "mine"\ntile_rows = 64\nreferences = ["shafiee-2016"]\n', encoding="utf-8")
        assert cite(path).keys == ("rramsim", "shafiee-2016")

    def test_a_table_of_components(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text(
            'name = "mine"\n[components.adc_8b]\nenergy_joule = 1e-12\ntime_second = 1e-9\narea_square_metre = 1e-9\n'
            'source = "Our own converter, 2026"\n',
            encoding="utf-8",
        )
        (_, ours) = cite(path)
        assert (ours.title, ours.note) == ("adc_8b", "Our own converter, 2026")

    def test_a_study(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text(
            'references = [{ key = "lot-7", title = "Our lot" }]\n[device]\npreset = "sonos"\n', encoding="utf-8"
        )
        keys = cite(path).keys
        assert keys[:5] == ("rramsim", "lot-7", "alpaydin-kaynak", "agrawal-2022", "crosssim")
        assert {"zhai-2023", "shafiee-2016", "shao-2014"} <= set(keys)


class TestSourcesAlone:
    def test_a_card_without_references(self):
        """Its source is cited as it stands, under a key of its own."""
        (_, ours) = cite(rs.DeviceSpec(name="lot 7", title="Our lot", source="measured on 12 May"))
        assert (ours.key[:6], ours.title, ours.note) == ("lot-7-", "Our lot", "measured on 12 May")
        assert cite(rs.DeviceSpec(name="lot 7", source="elsewhere")).keys != ("rramsim", ours.key)

    def test_with_references(self):
        given = Reference(key="lot-7", title="Our lot")
        assert cite(rs.DeviceSpec(source="measured", references=[given])).references[1:] == (given,)

    def test_no_real_cell(self):
        assert cite(rs.DeviceSpec()).keys == cite("ideal").keys == ("rramsim",)


class TestStudies:
    def test_the_embedded_one(self):
        """Its settings, data, cells, softmax engine and costs."""
        keys = set(cite(load_study()).keys)
        assert {"mnsim", "dnn-neurosim", "alpaydin-kaynak", *WAN, "zhai-2023", "shao-2014"} <= keys

    def test_every_device_of_a_sweep(self):
        study = load_study("softmax-limits")
        keys = set(cite(study).keys)
        for name in presets("devices"):
            assert set(cite(rs.device(name)).keys) <= keys
        assert {"alpaydin-kaynak", "minilm-l6", "glassllm"} <= keys
        assert "shao-2014" not in keys, "a softmax study is not priced"

    def test_two_references_of_one_key_are_found_before_any_work(self, monkeypatch, tmp_path):
        ours, theirs = ({"key": "lot-7", "title": title} for title in ("Our lot", "Their lot"))
        study = rs.StudySpec(device={"references": [ours]}, references=[theirs])
        monkeypatch.setattr("rramsim.study.run.run_jobs", lambda *_: pytest.fail("it ran"))
        with pytest.raises(SpecError, match="two different references have the key 'lot-7'"):
            rs.run(study, tmp_path / "trace.h5")


class TestTraces:
    @pytest.fixture
    def path(self, tmp_path):
        """A softmax study that is quick."""
        settings = ["sweep=[{name='all'}]", "scores.rows=1", "scores.models=['digits-vit']", "trials=1"]
        return rs.run(load_study("softmax-margin", settings), tmp_path / "trace.h5")

    def test_as_it_was_when_it_ran(self, path):
        """The trace tells, not what rramsim knows by then."""
        assert cite(path).keys == ("rramsim", "zhai-2023", "alpaydin-kaynak")
        with open_trace(path) as trace:
            assert cite(trace) == cite(str(path))
            assert trace.references == cite(path)
            assert json.loads(trace.attributes["references"])[0]["version"] == rs.__version__

    def test_older_ones(self, tmp_path):
        """They open, and say that they hold none."""
        write_trace(tmp_path / "old.h5", {"title": "", "seed": 0, "study": "{}", "provenance": "{}"}, {}, {}, {})
        with open_trace(tmp_path / "old.h5") as trace:
            assert trace.references is None
            with pytest.raises(TraceError, match=r"old\.h5: was written before traces held their references"):
                cite(trace)
