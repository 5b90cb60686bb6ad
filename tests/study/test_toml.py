"""The study file: what is read, and every problem with its line, key, what was given and what is allowed."""

import json
import re
import tomllib

import pytest
from helpers.studies import problem
from hypothesis import given
from hypothesis import strategies as st

import rramsim as rs
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError
from rramsim.study.spec import StudySpec
from rramsim.study.toml import default_study_text, load_study, read_study

TEXT = default_study_text()
KEY_LINES = [
    (number, match[1]) for number, line in enumerate(TEXT.splitlines(), 1) if (match := re.match(r"(\w+) = ", line))
]


def test_the_embedded_study_is_what_its_text_says():
    study, tree = load_study(), tomllib.loads(TEXT)
    given_keys = {key: value for key, value in tree["device"].items() if key != "preset"}
    assert study.device == rs.device(tree["device"]["preset"], **given_keys)
    dumped = study.model_dump()
    for table in ("workload", "wires", "macro", "softmax", "cost"):
        for key, value in tree[table].items():
            loaded = dumped[table][key]
            assert (loaded if not isinstance(value, dict) else {k: loaded[k] for k in value}) == value
    assert [dumped[key] for key in ("title", "seed", "trials", "probe_samples")] == [
        tree[key] for key in ("title", "seed", "trials", "probe_samples")
    ]


def test_an_empty_file_is_the_default_study():
    assert read_study("", "x") == StudySpec()


@pytest.mark.parametrize(("number", "key"), KEY_LINES)
def test_the_line_of_every_key_is_named(number, key):
    lines = TEXT.splitlines()
    lines[number - 1] = f"{key} = [[1]]"
    message = problem("\n".join(lines))
    where = number if key != "preset" else number - 1  # the preset is a problem of its whole table
    assert message.startswith(f"my.toml, line {where}: ")
    assert key in message
    # A key that may hold a list names the wrong number in it.
    assert "[[1]]" in message or "0: got [1]" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("seed = -1", 1, "seed"),
        ("\n\n'seed' = -1", 3, "seed"),
        ("\r\nseed = -1\r\n", 2, "seed"),
        ("macro.adc.bits = 15", 1, "macro.adc.bits"),
        ("[macro]\n# bits = 3\nadc.bits = 15", 3, "macro.adc.bits"),
        ("[macro]\nadc = { bits = 15, coverage = 1.0 }", 2, "macro.adc.bits"),
        ("[macro.adc] # a converter\nbits = 15", 2, "macro.adc.bits"),
        ("[ macro . adc ]\n  bits=15", 2, "macro.adc.bits"),
        ('title = "a = b"\n[softmax]\nlut_bits = 8', 2, "softmax.format"),
    ],
)
def test_ways_of_writing_a_key(text, line, key):
    assert problem(text).startswith(f"my.toml, line {line}: {key}: ")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("seeds = 1", ["my.toml, line 1", "seeds", "unknown key", "did you mean 'seed'?", "title, seed, trials"]),
        ("[macro]\nqqq = 1", ["line 2", "macro.qqq", "unknown key.", "device, wires, dac, adc, input_bits"]),
        ("seed = 'a'", ["got 'a'", "whole number", "The one seed"]),
        ("seed = 1.0", ["got 1.0", "whole number"]),
        ("seed = true", ["got True", "whole number"]),
        ("seed = 2020-01-01", ["whole number"]),
        (f"seed = {2**63}", ["below"]),
        ("title = ''", ["title", "at least 1 character"]),
        ('title = "a\\nb"', ["title", "one line"]),
        ('title = "a\\u0000b"', ["title", "one line"]),
        ("trials = 0", ["got 0", "at least 1", "Chips that are written"]),
        ("[wires]\nsense_ohm = -1", ["got -1", "at least 0"]),
        ("[wires]\nsense_ohm = nan", ["finite"]),
        ("[wires]\nsense_ohm = inf", ["finite"]),
        ("wires = 1", ["wires", "got 1", "table of keys"]),
        ("[macro.adc]\nfull_scale_from = 'half'", ["'half'", "'full', 'calibrated', 'fixed' or 'lossless'"]),
        ("[macro.adc]\ncoverage = 0.5", ["above 0.5"]),
        ("[workload]\nname = 'bert'", ["'bert'", "'digits-vit'"]),
        ("[workload]\nsamples = 600", ["got 600", "at most 599"]),
        ("[softmax]\nlut_bits = 8", ["softmax.format", "missing"]),
        ("device.preset = 'foo'", ["'foo'", "ideal", "rram-wan-2022"]),
        ("[device.stuck]\non_fraction = 1.5", ["device.stuck.on_fraction", "got 1.5", "at most 1"]),
        ("cost.components = 'foo'", ["'foo'", "isaac-32nm"]),
        ("foo.bar = 1", ["line 1", "foo", "unknown key"]),
        ("cost.components = '../devices/ideal'", ["allowed are isaac-32nm"]),
        ("self = 1", ["self", "unknown key"]),
        ("[macro]\nself = 1", ["macro.self", "unknown key"]),
        # contradictions
        ("probe_samples = 3\nworkload.samples = 2", ["probe_samples 3", "workload.samples 2"]),
        ("[macro.wires]\nsense_ohm = 1", ["macro.wires", "[wires]"]),
        ("[macro.device]\npreset = 'ideal'", ["macro.device", "[device]"]),
        ("[macro]\ntile_columns = 4", ["my.toml, line 1", "tile_columns 4", "8 columns"]),
        ("[device]\ng_min_siemens = 1e-3", ["g_min_siemens 0.001", "below g_max_siemens"]),
        ("[softmax.format]\ninteger_bits = 12\nfraction_bits = 11", ["line 1", "is 23", "3 to 12"]),
    ],
)
def test_a_problem_says_what_was_given_and_what_is_allowed(text, wanted):
    message = problem(text)
    assert [part for part in wanted if part not in message] == []
    assert message.startswith("my.toml")
    assert "\n" not in message


def test_all_problems_at_once():
    text = "seed = -1\nfoo = 2\n[macro]\ntile_columns = 4\n[macro.adc]\nbits = 0\n[wires]\nsense_ohm = 'x'"
    message = problem(text, "trials=0", "nonsense", "seed.x=1", "device.preset=foo")
    heads = {line.split(": ")[0] + ": " + line.split(": ")[1] for line in message.splitlines()}
    assert heads == {
        "--set nonsense: write key=value, for example --set macro.adc.bits=5",
        "--set seed.x=1: seed is a value, not a table",
        "my.toml, line 1: seed",
        "my.toml, line 2: foo",
        "my.toml, line 6: macro.adc.bits",
        "my.toml, line 8: wires.sense_ohm",
        "--set trials=0: trials",
        "--set device.preset=foo: device",
    }


def test_problems_are_also_data():
    with pytest.raises(SpecError) as caught:
        read_study("seed = -1\nfoo = 2", "my.toml")
    assert {path for path, _ in caught.value.problems} == {("seed",), ("foo",)}


@pytest.mark.parametrize(
    "text",
    ["seed = ", "seed = 1\nseed = 2", "[macro", "x = " + "9" * 5000, "x = " + "[" * 5000],
    ids=["no value", "twice", "open", "digits", "nesting"],
)
def test_not_toml(text):
    message = problem(text)
    assert message.startswith("my.toml: not valid TOML: ")
    assert "\n" not in message


def test_broken_toml_names_its_line():
    assert "line 3" in problem("seed = 1\n[macro]\nadc = = 2")


class TestFiles:
    def test_read(self, tmp_path):
        path = tmp_path / "my.toml"
        path.write_text("seed = 7", encoding="utf-8")
        assert load_study(path).seed == load_study(str(path)).seed == 7

    def test_the_file_is_named(self, tmp_path):
        path = tmp_path / "my.toml"
        path.write_text("\nseed = -7", encoding="utf-8")
        with pytest.raises(SpecError, match=f"^{re.escape(str(path))}, line 2: seed: got -7"):
            load_study(path)

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda path: None, "no such study file; `rramsim init`"),
            (lambda path: path.mkdir(), "cannot be read"),
            (lambda path: path.write_bytes(b"title = '\xff'"), "cannot be read as a text file"),
            (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n\x00"), "cannot be read as a text file"),
        ],
        ids=["missing", "folder", "latin-1", "binary"],
    )
    def test_unreadable(self, tmp_path, make, said):
        path = tmp_path / "my.toml"
        make(path)
        with pytest.raises(SpecError) as caught:
            load_study(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "read"),
        [
            ("seed=5", lambda study: study.seed == 5),
            ("seed = 0x10", lambda study: study.seed == 16),
            (" macro . adc . bits =5", lambda study: study.macro.adc.bits == 5),
            ("wires.sense_ohm=2", lambda study: study.wires.sense_ohm == 2.0),
            ("wires.sense_ohm=25e-1", lambda study: study.wires.sense_ohm == 2.5),
            ("device.preset=ideal", lambda study: study.device.name == "ideal"),
            ("device.preset='ideal'", lambda study: study.device.name == "ideal"),
            ("title=two words", lambda study: study.title == "two words"),
            ("title=a=b", lambda study: study.title == "a=b"),
            ("title=ü", lambda study: study.title == "ü"),
            ("macro.adc={bits=7}", lambda study: study.macro.adc == rs.SarAdcSpec(bits=7)),
            ("macro.adc.full_scale_from=full", lambda study: study.macro.adc.full_scale_from == "full"),
            (
                "device.programming.spread_siemens=[1e-6]",
                lambda study: study.device.programming.spread_siemens == (1e-6,),
            ),
        ],
    )
    def test_value(self, setting, read):
        assert read(load_study(settings=[setting]))

    def test_nothing_else_changes(self):
        changed = load_study(settings=["macro.adc.bits=5"]).model_dump()
        assert changed.pop("macro") != load_study().model_dump()["macro"]
        assert changed == {key: value for key, value in load_study().model_dump().items() if key != "macro"}

    def test_the_last_one_counts(self):
        assert load_study(settings=["seed=1", "seed=2"]).seed == 2

    @pytest.mark.parametrize("setting", ["", "seed", "=1", "macro..bits=1", ".seed=1"])
    def test_not_a_setting(self, setting):
        assert problem("", setting) == f"--set {setting}: write key=value, for example --set macro.adc.bits=5"

    @pytest.mark.parametrize(
        ("setting", "said"),
        [
            ("seed=a", "seed: got 'a'; it is a whole number"),
            ("seed=1.5", "seed: got 1.5; it is a whole number"),
            ("sed=1", "sed: unknown key; did you mean 'seed'?"),
            ("macro.adc.bit=1", "macro.adc.bit: unknown key; did you mean 'bits'?"),
            ("macro=1", "macro: got 1; it is a table of keys"),
            ("seed=1\ntrials=2", "seed: got '1\\ntrials=2'; it is a whole number"),
        ],
    )
    def test_wrong_value(self, setting, said):
        assert problem("seed = 1", setting).startswith(f"--set {setting}: {said}")

    def test_through_a_value(self):
        assert problem("seed = 1", "seed.x.y=2") == "--set seed.x.y=2: seed is a value, not a table"


def outcome(settings):
    try:
        return type(load_study(settings=settings)).__name__
    except SpecError as error:
        return str(error)


@given(st.dictionaries(st.sampled_from(["seed", "title", "macro", "self", "x.y"]), st.text(max_size=9), min_size=1))
def test_any_setting_is_taken_or_explained(settings):
    assert outcome([f"{key}={value}" for key, value in settings.items()]).startswith(("--set ", "StudySpec"))


@pytest.mark.parametrize("kind", ["flash", "ramp", "pipeline"])
def test_a_converter_without_a_price_is_refused_before_anything_runs(kind):
    with pytest.raises(SpecError, match=rf"softmax: its parts {kind}_adc_6b have no price in the table 'isaac-32nm'"):
        load_study(settings=[f"softmax.sum_adc.kind={kind}"])
    with pytest.raises(SpecError) as raised:
        load_study(settings=[f"macro.adc.kind={kind}"])
    sentence = str(raised.value)
    for words in ("macro.adc: ", f"kind = '{kind}'", f"'{kind}_adc_6b'", "'isaac-32nm'", "adc_6b", "kind = 'sar'"):
        assert words in sentence
    # A digital sum has no converters to pay for.
    load_study(settings=["softmax.sum_adc.kind=flash", "softmax.sum_by=adder"])


class TestChip:
    def test_device_and_wires_serve_all_arrays(self):
        study = load_study()
        chip = study.chip
        for spec in (chip.macro, chip.attention.macro, chip.attention.softmax):
            assert (spec.device, spec.wires) == (study.device, study.wires)
        assert chip.macro == chip.attention.macro

    def test_softmax_may_have_its_own(self):
        study = load_study(settings=["softmax.device.preset=ideal"])
        assert study.chip.attention.softmax.device.name == "ideal"
        assert study.chip.attention.softmax.wires == study.wires
        assert study.chip.macro.device == study.device != study.chip.attention.softmax.device

    def test_studies_are_equal_and_hashed_by_value(self):
        assert hash(load_study().chip) == hash(load_study().chip)
        assert load_study() == load_study() != load_study(settings=["seed=1"])


@pytest.mark.parametrize(
    "settings", [(), ("softmax.wires.driver_ohm=3",), ("device.preset=rram-winbond-90nm", "seed=3")]
)
def test_resolved_settings_are_a_study_again(settings):
    study = load_study(settings=settings)
    again = StudySpec.model_validate_json(json.dumps(study.resolved))
    assert (again, again.chip) == (study, study.chip)
    assert study.resolved["device"]["source"]
    assert "device" not in study.resolved["macro"]


class TestSharedParts:
    """Cells and lines are given once, and what a study says of its arrays is what is in force."""

    def test_what_is_in_force(self):
        study = load_study()
        assert study.macro.device == study.softmax.device == study.device != DeviceSpec()
        assert study.macro.wires == study.wires == study.chip.macro.wires != WireSpec()
        assert StudySpec(device="rram-wan-2022").macro.device == device("rram-wan-2022")

    def test_the_softmax_may_have_others(self):
        study = read_study(TEXT + "\n[softmax.device]\npreset = 'ideal'\n", "my.toml")
        assert study.softmax.device == DeviceSpec(preset="ideal") != study.device
        assert study.but({"device.preset": "rram-winbond-90nm"}).softmax.device == study.softmax.device
        assert "device" in study.resolved["softmax"]

    def test_a_change_reaches_all_arrays(self):
        study = load_study().but({"device.preset": "rram-winbond-90nm", "macro.adc.bits": 7})
        assert study.macro.device == study.softmax.device == device("rram-winbond-90nm")
        assert study.macro.adc.bits == 7
        assert StudySpec(**study.resolved) == study

    @pytest.mark.parametrize("key", ["device", "wires"])
    def test_a_part_that_contradicts_is_refused(self, key):
        other = {"device": DeviceSpec(g_max_siemens=5e-5), "wires": WireSpec(driver_ohm=7.0)}[key]
        with pytest.raises(SpecError, match=rf"macro\.{key}: macro\.{key} is set by the table \[{key}\]"):
            StudySpec(macro=MacroSpec(**{key: other}))
        assert getattr(StudySpec(**{key: other}, macro=MacroSpec(**{key: other})).macro, key) == other

    def test_a_macro_that_the_device_does_not_suit(self):
        """Found when the study is read, at its line, and not when it runs."""
        text = (
            "[device]\ng_min_siemens = 50e-6\ng_max_siemens = 100e-6\n"
            "[macro]\nweight_coding = 'offset'\nadc.full_scale_from = 'lossless'\nadc.bits = 9\n"
        )
        with pytest.raises(SpecError) as raised:
            read_study(text, "late.toml")
        assert str(raised.value).startswith(
            "late.toml, line 7: macro.adc.bits: adc.full_scale_from = 'lossless' needs 10 bits"
        )
        assert read_study(text, "late.toml", ["macro.adc.bits=10"]).macro.adc.bits == 10
