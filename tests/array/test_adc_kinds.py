"""Kinds of converters: what every one of them keeps to, and how another package adds one."""

from importlib.metadata import EntryPoint
from typing import ClassVar, Literal

import numpy as np
import pytest
from helpers.converters import ADC_ERRORS

from rramsim.array.adc.base import AdcSpec
from rramsim.array.adc.design import Staircase
from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec

KINDS = list(ADCS.embedded)


class FoldedAdcSpec(AdcSpec):
    """A folding converter of another package, whose transitions all come late.

    Parameters
    ----------
    kind
        Which circuit: "folded".
    late_lsb
        Standard deviation of how late, steps.
    """

    random_errors: ClassVar = ("late_lsb",)

    kind: Literal["folded"] = "folded"
    late_lsb: float = 0.0

    @property
    def component(self):
        return f"folded_{self.bits}b"

    @property
    def cycles(self):
        return 3

    def steps(self, n, streams):
        if not self.late_lsb:
            return None
        late = self.late_lsb * streams.generator("late").standard_normal((n, 1))
        return Staircase(np.arange((1 << self.bits) - 1) + 0.5 + late)


@pytest.fixture
def offered(monkeypatch):
    entries = {"folded": EntryPoint("folded", f"{__name__}:FoldedAdcSpec", "rramsim.adcs")}
    monkeypatch.setattr("rramsim.kinds.offers", lambda group: entries if group == "rramsim.adcs" else {})
    return entries


def test_the_kinds_of_rramsim():
    assert KINDS == ["sar", "flash", "ramp", "pipeline"]
    assert ADCS.entry_point == "rramsim.adcs"


@pytest.mark.parametrize("kind", KINDS)
class TestContract:
    def test_without_errors_it_is_the_staircase(self, kind):
        spec = ADCS.kind(kind)(bits=5)
        assert not spec.random
        adc = spec.program(3, signed=False, rng=1)
        assert adc.levels is adc.codes is None
        x = np.linspace(-3.0, 40.0, 500)
        np.testing.assert_array_equal(adc.apply(x, 2), np.clip(np.rint(x), 0, 31))

    def test_its_errors_are_its_fields_and_random(self, kind):
        spec = ADCS.kind(kind)(bits=5, **ADC_ERRORS[kind])
        assert spec.random
        adc = spec.program(2, signed=True, rng=1)
        assert np.any(adc.transitions(0) != adc.transitions(1))
        assert set(spec.random_errors) <= set(type(spec).model_fields)
        for key in spec.random_errors:
            alone = ADCS.kind(kind)(bits=5, **{key: 0.01})
            assert alone.random
            one, other = (alone.program(1, signed=True, rng=seed) for seed in (1, 2))
            assert one.levels.tobytes() != other.levels.tobytes()

    def test_codes_rise_with_the_input(self, kind):
        errors = {key: value for key, value in ADC_ERRORS[kind].items() if key != "amplifier_gain"}
        if kind == "pipeline":
            errors = {"comparator_spread_lsb": 0.5}  # within the overlap of its stages: mended
        adc = ADCS.kind(kind)(bits=6, **errors).program(4, signed=False, rng=3)
        x = np.linspace(-2.0, 66.0, 2000)
        for k in range(4):
            codes = adc.apply(x, k, rng=0)
            assert np.all(np.diff(codes) >= 0)
            assert (codes[0], codes[-1]) == (0, 63)

    def test_component_and_time(self, kind):
        spec = ADCS.kind(kind)(bits=6)
        assert spec.component == ("" if kind == "sar" else f"{kind}_") + "adc_6b"
        assert spec.cycles == (64 if kind == "ramp" else 1)
        assert spec.turns(0) == 0
        assert spec.turns(10) == {"sar": 10, "flash": 10, "ramp": 640, "pipeline": 10 + 4}[kind]

    def test_round_trip_and_change(self, kind):
        spec = ADCS.kind(kind)(bits=6, noise_lsb=0.2, inl_lsb=(0.0, 0.5), **ADC_ERRORS[kind])
        holder = MacroSpec(adc=spec)
        assert MacroSpec(**holder.model_dump(mode="json")).adc == spec
        assert holder.model_dump()["adc"]["kind"] == kind
        assert spec.but({"noise_lsb": 0.0}).noise_lsb == 0.0
        changed = MacroSpec(adc=SarAdcSpec(bits=6, columns=2)).but({"adc.kind": kind})
        assert changed.adc == ADCS.kind(kind)(bits=6, columns=2)
        assert (
            SoftmaxSpec(format=FixedPointSpec(integer_bits=4, fraction_bits=2), sum_adc={"kind": kind}).sum_adc.kind
            == kind
        )

    def test_counted_in_a_macro(self, kind):
        columns, n_out = 4, 8
        spec = MacroSpec(adc={"kind": kind, "bits": 6, "columns": columns}, tile_rows=16, input_bits=3)
        macro = spec.program(np.ones((16, n_out)), rng=0)
        component = spec.adc.component
        result = macro.apply(np.ones((5, 16)), rng=0)
        channels = n_out * spec.n_channels
        assert result.activity.total(component) == 5 * channels * macro.n_conversions
        assert macro.inventory.total(component) == 16
        assert macro.turns()[component] == macro.n_conversions * spec.adc.turns(columns)


@pytest.mark.usefixtures("offered")
def test_a_converter_of_another_package():
    weights = np.random.default_rng(0).standard_normal((16, 8))
    spec = MacroSpec(adc={"kind": "folded", "bits": 7, "late_lsb": 0.4, "columns": 2}, tile_rows=16, input_bits=3)
    assert spec.adc == FoldedAdcSpec(bits=7, late_lsb=0.4, columns=2)
    assert spec.adc.random
    macro = spec.program(weights, rng=1)
    assert macro.turns()["folded_7b"] == macro.n_conversions * 2 * 3
    late, plain = (each.program(weights, rng=1)(np.ones(16), rng=0) for each in (spec, spec.but({"adc.late_lsb": 0.0})))
    assert np.any(late != plain)
    sar = spec.but({"adc": {"bits": 7, "columns": 2}})
    np.testing.assert_array_equal(plain, sar.program(weights, rng=1)(np.ones(16), rng=0))


def test_it_goes_with_its_package(offered):
    fields = MacroSpec(adc={"kind": "folded"}).model_dump(mode="json")
    offered.clear()
    with pytest.raises(SpecError, match=r"adc.kind: got 'folded'; .*Kinds of converter at hand are sar, flash, ramp"):
        MacroSpec(**fields)
