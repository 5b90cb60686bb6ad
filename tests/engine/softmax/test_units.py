"""One protocol: whoever can use one softmax unit can use them all, those of other packages too."""

import inspect
from importlib.metadata import EntryPoint
from math import ceil
from typing import Literal

import numpy as np
import pytest
from helpers.digital_softmax import counts
from numpy.testing import assert_array_equal

from rramsim.activity import Activity, Inventory, Result
from rramsim.cost.components import load_components
from rramsim.engine.attention import AttentionSpec
from rramsim.engine.softmax.kinds import SOFTMAX_UNITS
from rramsim.engine.softmax.scores import checked_scores, taking_part
from rramsim.engine.softmax.unit import ProgrammedSoftmaxUnit, SoftmaxUnitSpec
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import NULL_PROBE

FORMAT = FixedPointSpec(integer_bits=5, fraction_bits=3)
KINDS = [kind(format=FORMAT) if "format" in kind.model_fields else kind() for kind in SOFTMAX_UNITS.embedded.values()]
each = pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind_name())
SCORES = np.random.default_rng(0).normal(scale=2, size=(2, 3, 10))


class UniformSoftmaxSpec(SoftmaxUnitSpec):
    """A unit of another package: every score that takes part gets the same share.

    Parameters
    ----------
    kind
        "uniform".
    dividers
        Circuits that divide at once.
    """

    kind: Literal["uniform"] = "uniform"
    dividers: int = 1

    def program(self, *, rng=None):
        return ProgrammedUniform(self)

    @property
    def inventory(self):
        return Inventory({"divider": self.dividers})

    def turns(self, length):
        return {"divider": ceil(length / self.dividers)}


class ProgrammedUniform(ProgrammedSoftmaxUnit):
    """The unit, ready for scores."""

    seed = None

    def __init__(self, spec):
        self.spec = spec

    def apply(self, scores, *, mask=None, probe=NULL_PROBE, rng=None):
        alive = taking_part(*checked_scores(scores, mask))
        shares = alive / np.maximum(alive.sum(axis=-1, keepdims=True), 1)
        return Result(shares, Activity({"divider": float(alive.sum())}))


@pytest.fixture
def offered(monkeypatch):
    """Another package offers its unit."""
    entry = EntryPoint("uniform", f"{__name__}:UniformSoftmaxSpec", SOFTMAX_UNITS.entry_point)
    monkeypatch.setattr("rramsim.kinds.offers", lambda group: {"uniform": entry} if group == entry.group else {})


@each
def test_signatures_are_those_of_the_protocol(spec):
    for owner, base, names in (
        (type(spec), SoftmaxUnitSpec, ("program", "turns")),
        (type(spec.program(rng=0)), ProgrammedSoftmaxUnit, ("__call__", "apply", "turns", "at")),
    ):
        for name in names:
            ours, theirs = (inspect.signature(getattr(each, name)).parameters for each in (owner, base))
            assert [(p.name, p.kind, p.default) for p in ours.values()] == [
                (p.name, p.kind, p.default) for p in theirs.values()
            ]


@each
def test_what_comes_out(spec):
    unit = spec.program(rng=1)
    result = unit.apply(SCORES, rng=2)
    assert isinstance(result, Result)
    assert isinstance(result.activity, Activity)
    assert result.values.shape == SCORES.shape
    assert (abs(result.values.sum(axis=-1) - 1) < 0.2).all()
    assert_array_equal(unit(SCORES, rng=2), result.values)
    assert unit.write_errors == {}
    assert unit.spec == spec


@each
def test_a_masked_score_gets_nothing(spec):
    mask = np.arange(10) % 3 > 0
    values = spec.program(rng=1)(SCORES, mask=mask, rng=2)
    assert not values[..., ~mask].any()
    assert (values[..., mask].sum(axis=-1) > 0.8).all()
    assert not spec.program(rng=1)(SCORES, mask=np.zeros(10, np.bool_), rng=2).any()


@each
def test_parts_and_turns_follow_from_the_specification(spec):
    unit, table = spec.program(rng=1), load_components().components
    assert unit.inventory == spec.inventory
    assert unit.turns(17) == spec.turns(17)
    assert {*counts(spec.inventory), *spec.turns(17)} <= table.keys()
    assert all(spec.turns(170)[name] >= uses for name, uses in spec.turns(17).items())


@each
def test_ideal_units_leave_nothing_to_chance(spec):
    assert not spec.random
    assert_array_equal(spec.program(rng=1)(SCORES, rng=2), spec.program(rng=3)(SCORES, rng=4))


@each
def test_time_goes_by(spec):
    unit = spec.program(rng=1)
    assert_array_equal(unit.at(3600.0)(SCORES, rng=2), unit(SCORES, rng=2))


@each
def test_errors_of_devices_are_all_that_goes(spec):
    assert type(spec.without_device_errors) is type(spec)
    assert (spec.without_device_errors is spec) == (not spec.device_errors)
    if "device" in type(spec).model_fields:
        assert spec.but(
            {"device.programming.spread_siemens": 1e-6, "wires.word_line_ohm": 1.0}
        ).without_device_errors == (spec)


@each
def test_a_table_names_it_and_writes_it_out(spec):
    table = spec.model_dump(mode="json")
    assert table["kind"] == spec.kind_name()
    attention = AttentionSpec(softmax=table)
    assert attention.softmax == spec
    assert AttentionSpec(**attention.model_dump(mode="json")) == attention


@each
def test_attention_runs_with_it(spec):
    rng = np.random.default_rng(3)
    query, key, value = rng.normal(size=(3, 1, 2, 6, 4))
    layer = AttentionSpec(softmax=spec).program(rng=1)
    exact = AttentionSpec().program(rng=1).apply(query, key, value, rng=2)
    result = layer.apply(query, key, value, mask=np.tri(6, dtype=np.bool_), rng=2)
    assert result.values.shape == (1, 2, 6, 4)
    assert not result.probabilities[..., ~np.tri(6, dtype=np.bool_)].any()
    assert abs(layer.apply(query, key, value, rng=2).probabilities - exact.probabilities).max() < 0.15
    assert layer.at(10.0).softmax.spec.kind_name() == spec.kind_name()


@pytest.mark.usefixtures("offered")
def test_a_unit_of_another_package():
    attention = AttentionSpec(softmax={"kind": "uniform", "dividers": 4})
    assert attention.softmax == UniformSoftmaxSpec(dividers=4)
    operands = np.random.default_rng(3).normal(size=(3, 1, 2, 6, 4))
    result = attention.program(rng=1).apply(*operands, rng=2)
    assert_array_equal(result.probabilities, np.full((1, 2, 6, 6), 1 / 6))
    assert result.activity.total("divider") == 72


def test_what_is_no_unit_is_refused():
    with pytest.raises(SpecError, match="did you mean 'softermax'"):
        AttentionSpec(softmax={"kind": "softermx"})
    with pytest.raises(SpecError, match="is a softmax unit: a table of keys"):
        AttentionSpec(softmax=3)
    with pytest.raises(SpecError, match=r"softmax\.lut_bits: unknown key"):
        AttentionSpec(softmax={"kind": "softermax", "lut_bits": 8})


def test_parts_of_an_engine_are_those_that_are_written():
    """Counted in the written crossbars, for formats and cells of several sizes."""
    for changes in ({}, {"lut_bits": 7, "lut_cell_bits": 2}, {"sum_by": "adder"}, {"bank_rows": 5, "subtract": "cmos"}):
        spec = KINDS[0].but(changes)
        engine = spec.program(rng=0)
        cells = [engine.cam_sub.cells, engine.cam_exp.cells, engine.lut.cells]
        cells += [engine.vmm.cells] if spec.sum_by == "counters" else []
        assert spec.inventory.total("crossbar_cell") == sum(each.g.size for each in cells)
        assert (spec.n_scores, spec.n_magnitudes) == (engine.cam_sub.n_rows, engine.cam_exp.n_rows)
        assert spec.n_columns == engine.lut.digits.shape[1]
        lines = 2 * spec.format.bits * (engine.cam_sub.n_banks + engine.cam_exp.n_banks)
        inputs = spec.n_scores * (spec.subtract == "array") + spec.n_magnitudes * (spec.sum_by == "counters")
        assert spec.inventory.total("dac_1b") == lines + inputs
