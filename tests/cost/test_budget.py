"""The budget multiplies, adds up, and divides fairly."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramsim.activity import Activity, Inventory
from rramsim.cost.budget import budget
from rramsim.cost.components import load_components
from rramsim.cost.pipeline import Stage, schedule
from rramsim.errors import SpecError

TABLE = load_components()
BLOCKS = st.sampled_from(["query", "softmax", "values"])
COMPONENTS = st.sampled_from(["adc_8b", "dac_1b", "adder", "crossbar_read"])
COUNTS = st.dictionaries(st.tuples(BLOCKS, COMPONENTS), st.integers(1, 10**9), min_size=1)
PIPELINE = schedule([Stage("a", 1e-7), Stage("b", 2e-7)], 4, "vector")


def priced(activity, inventory=None, n_inferences=1, operations=1e9, pipeline=PIPELINE):
    inventory = inventory or Inventory({"adc_8b": 1}).within("query")
    return budget(activity, inventory, pipeline, n_inferences, operations, TABLE)


def rows(kind, counts):
    return kind.from_rows((block, component, count) for (block, component), count in counts.items())


def test_by_hand():
    activity = (
        Activity({"adc_8b": 1000, "cell_read_joule": 3e-10}).within("macro")
        + Activity({"adder": 100}).within("softmax")
        + Activity({"cell_write_joule": 2e-10}).within("softmax")
    )
    inventory = Inventory({"adc_8b": 2}).within("macro") + Inventory({"adder": 5, "write_driver": 9}).within("softmax")
    cost = priced(activity, inventory, n_inferences=10, operations=4e6)
    energy = (1000 * 1.67e-12 + 3e-10 + 100 * 0.21e-12 + 2e-10) / 10
    area = 2 * 1200e-12 + 5 * 278e-12
    assert cost.energy_joule_per_inference == pytest.approx(energy)
    assert cost.area_square_metre == pytest.approx(area)
    assert cost.latency_second == pytest.approx(1e-7 + 4 * 2e-7)
    assert cost.interval_second == pytest.approx(8e-7)
    assert cost.inferences_per_second == pytest.approx(1.25e6)
    assert cost.average_power_watt == pytest.approx(energy * 1.25e6)
    assert cost.gops_per_second == pytest.approx(4e6 * 1.25e6 / 1e9)
    assert cost.gops_per_second_per_watt == pytest.approx(4e6 / energy / 1e9)
    assert cost.gops_per_second_per_watt == pytest.approx(cost.gops_per_second / cost.average_power_watt)
    assert cost.gops_per_second_per_square_millimetre == pytest.approx(cost.gops_per_second / (area * 1e6))
    assert [(part.block, part.component) for part in cost.parts] == [
        ("macro", "adc_8b"),
        ("macro", "cell_read_joule"),
        ("softmax", "cell_write_joule"),
        ("softmax", "adder"),
        ("softmax", "write_driver"),
    ]
    assert cost.parts[0].energy_share == pytest.approx(1.67e-10 / energy)
    assert cost.parts[3].area_share == pytest.approx(5 * 278e-12 / area)


def test_isaac_ima():
    """ISAAC, Table I: converters, cells, and shift-and-add of one IMA during one cycle of 100 ns."""
    cycle = 1e-7
    conversions = 8 * 1.2e9 * cycle
    used = {"adc_8b": conversions, "shift_add": conversions, "dac_1b": 8 * 128, "sample_hold": 8 * 128}
    built = {"adc_8b": 8, "shift_add": 4, "dac_1b": 8 * 128, "sample_hold": 8 * 128, "crossbar_cell": 8 * 128 * 128}
    activity, inventory = Activity({**used, "cell_read_joule": 2.4e-3 * cycle}), Inventory(built)
    cost = priced(activity, inventory, pipeline=schedule([Stage("ima", cycle)], 1, "vector"))
    assert cost.average_power_watt == pytest.approx(16e-3 + 4e-3 + 10e-6 + 2.4e-3 + 0.2e-3, rel=3e-3)
    assert cost.area_square_metre * 1e6 == pytest.approx(0.0096 + 0.00017 + 0.00004 + 0.0002 + 0.00024)


@given(used=COUNTS.filter(lambda c: any(name != "crossbar_read" for _, name in c)), built=COUNTS)
def test_shares_and_sums(used, built):
    inventory = rows(Inventory, {**built, ("query", "adc_8b"): 1})
    cost = priced(rows(Activity, used), inventory)
    for parts in (cost.parts, cost.by("block"), cost.by("component")):
        assert math.fsum(part.energy_share for part in parts) == pytest.approx(1)
        assert math.fsum(part.area_share for part in parts) == pytest.approx(1)
        assert math.fsum(part.energy_joule for part in parts) == pytest.approx(cost.energy_joule_per_inference)
        assert math.fsum(part.area_square_metre for part in parts) == pytest.approx(cost.area_square_metre)
        assert [part.energy_joule for part in parts] == sorted((part.energy_joule for part in parts), reverse=True)
    assert {part.block for part in cost.by("block")} == {part.block for part in cost.parts}
    assert {part.component for part in cost.by("block")} == {""}
    assert {part.component for part in cost.by("component")} == {part.component for part in cost.parts}


@given(used=COUNTS, more=COUNTS, factor=st.integers(1, 1000))
def test_linear(used, more, factor):
    something = Activity({"adder": 1})
    one, other = rows(Activity, used) + something, rows(Activity, more) + something

    def energy(activity, n_inferences=1):
        return priced(activity, n_inferences=n_inferences).energy_joule_per_inference

    assert energy(one + other) == pytest.approx(energy(one) + energy(other))
    assert energy(one * factor) == pytest.approx(factor * energy(one))
    assert energy(one * factor, n_inferences=factor) == pytest.approx(energy(one))


def test_grain_changes_time_but_not_energy():
    stages = [Stage("a", 1e-7), Stage("b", 2e-7)]
    by_vector, by_operand = (
        priced(Activity({"adder": 5}), pipeline=schedule(stages, 9, grain)) for grain in ("vector", "operand")
    )
    assert by_vector.latency_second < by_operand.latency_second
    assert by_vector.energy_joule_per_inference == by_operand.energy_joule_per_inference
    assert by_vector.interval_second == by_operand.interval_second


def test_missing_components_are_named():
    with pytest.raises(SpecError, match="'adc_12b'"):
        priced(Activity({"adc_12b": 1}))
    with pytest.raises(SpecError, match="'router'"):
        priced(Activity({"adder": 1}), Inventory({"router": 1}))
    with pytest.raises(SpecError, match="'cell_read_joule'"):
        priced(Activity({"adder": 1}), Inventory({"cell_read_joule": 1}))


def test_wrong_numbers():
    some = Activity({"adder": 1})
    with pytest.raises(SpecError, match="n_inferences"):
        priced(some, n_inferences=0)
    for operations in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(SpecError, match="operations_per_inference"):
            priced(some, operations=operations)
    with pytest.raises(SpecError, match="activity adds up to 0"):
        priced(Activity({"crossbar_read": 3}))
    with pytest.raises(SpecError, match="activity adds up to nan"):
        priced(Activity({"cell_read_joule": math.nan}))
    with pytest.raises(SpecError, match="inventory adds up to 0"):
        priced(some, Inventory({"write_driver": 3}))
    with pytest.raises(SpecError, match="by block or by component"):
        priced(some).by("layer")
