"""Names of components: one enumeration, which all hardware counts by."""

import ast

import numpy as np
import pytest
from helpers.sources import MODULES, syntax

import rramsim as rs
from rramsim.component_names import CellEnergy, ComponentFamily, ComponentName, is_component, unknown_component
from rramsim.engine.softmax.digital.unit import DigitalSoftmaxSpec

FORMAT = rs.FixedPointSpec(integer_bits=5, fraction_bits=2)
SCORES = np.random.default_rng(0).normal(size=(3, 9))
MACROS = {
    "plain": rs.MacroSpec(),
    "converted": rs.MacroSpec(adc=rs.SarAdcSpec(bits=6), dac=rs.DacSpec(bits=3)),
    "analog": rs.MacroSpec(adc=rs.SarAdcSpec(bits=6), accumulate="analog"),
}
SOFTMAXES = {
    "engine": rs.SoftmaxSpec(format=FORMAT, sum_adc=rs.SarAdcSpec(bits=6)),
    "digital difference": rs.SoftmaxSpec(format=FORMAT, subtract="cmos", sum_by="adder", maximum="bitwise"),
    **{
        kind.__name__: kind(format=FORMAT) if "format" in kind.model_fields else kind()
        for kind in (
            rs.FloatSoftmaxSpec,
            rs.FixedPointSoftmaxSpec,
            rs.SoftermaxSpec,
            rs.IBertSoftmaxSpec,
            rs.HybridSoftmaxSpec,
            rs.Base2LutSoftmaxSpec,
        )
    },
}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *((str(name), True) for name in ComponentName),
        *((f"{family}_8b", True) for family in ComponentFamily),
        *((name, False) for name in ("adc_b", "adc_08b", "adc_8", "sar_adc_8b", "xadc_8b", "adder ", "", "adc_8bb")),
    ],
)
def test_what_is_a_name(name, known):
    assert is_component(name) is known


def test_a_name_is_its_text():
    assert {ComponentName.ADDER: 1} == {"adder": 1}
    assert repr({ComponentName.ADDER: 1}) == "{'adder': 1}"
    assert ComponentFamily.RAMP_ADC.of_bits(7) == "ramp_adc_7b"


@pytest.mark.parametrize(("name", "meant"), [("addr", "'adder'"), ("adc_8bit", "'adc_8b'"), ("dividers", "'divider'")])
def test_what_was_meant(name, meant):
    assert f"no hardware counts {name!r}; did you mean {meant}?" in unknown_component(name)
    assert "did you mean" not in unknown_component("zzzz")


@pytest.mark.parametrize("macro", MACROS.values(), ids=MACROS)
def test_macros_count_by_them(macro):
    written = macro.program(np.random.default_rng(0).normal(size=(6, 4)), rng=0)
    counted = [*written.apply(np.ones((2, 6)), rng=0).activity.rows(), *written.write_activity.rows()]
    names = {name for _, name, _ in [*counted, *written.inventory.rows()]} | written.turns().keys()
    assert {ComponentName.CROSSBAR_CELL, ComponentName.WRITE_DRIVER, CellEnergy.READ} <= names
    assert [name for name in names - set(CellEnergy) if not is_component(name)] == []


@pytest.mark.parametrize("softmax", SOFTMAXES.values(), ids=SOFTMAXES)
def test_softmax_units_count_by_them(softmax):
    written = softmax.program()
    rows = [*written.apply(SCORES).activity.rows(), *written.inventory.rows()]
    names = {name for _, name, _ in rows} - set(CellEnergy)
    assert names
    assert [name for name in names if not is_component(name)] == []


def test_all_digital_units_are_tried():
    public = {name for name in rs.__all__ if isinstance(getattr(rs, name), type)}
    units = {name for name in public if issubclass(getattr(rs, name), DigitalSoftmaxSpec)} - {"DigitalSoftmaxSpec"}
    assert units <= SOFTMAXES.keys()


def bare_names(tree):
    """Components by a bare text: keys of dicts, and arguments of calls."""
    for node in ast.walk(tree):
        texts = node.keys if isinstance(node, ast.Dict) else node.args if isinstance(node, ast.Call) else []
        for text in texts:
            name = text.value if isinstance(text, ast.Constant) else None
            if isinstance(name, str) and (is_component(name) or name in set(CellEnergy)):
                yield name


def test_hardware_takes_names_from_the_enumeration():
    rooms = ("rramsim.array.", "rramsim.engine.", "rramsim.cost.", "rramsim.study.")
    found_in = {name: [*bare_names(syntax(path))] for name, path in MODULES.items() if name.startswith(rooms)}
    assert {name: names for name, names in found_in.items() if names} == {}
    assert sorted(bare_names(ast.parse("f('adder'); {'adc_8b': 1, 'x': 'divider'}"))) == ["adc_8b", "adder"]
