"""The price of one inference: counted by hand for the embedded network, and fair in its shares."""

import pytest
from helpers.studies import NO_WIRES

import rramsim as rs
from rramsim.cost.components import load_components
from rramsim.study.plan import variants
from rramsim.study.point import evaluate, network, program_chip
from rramsim.study.price import price

TABLE = load_components()
LENGTH, PATCHES, WIDTH, HIDDEN, HEADS, HEAD_WIDTH, CLASSES, LAYERS = 17, 16, 64, 128, 4, 16, 10, 2
INPUT_BITS, SLICES = 6, 3


def priced(*settings, line="all"):
    few = ["workload.samples=1", "workload.calibration_samples=4", "trials=1", "probe_samples=0", *NO_WIRES]
    study = rs.load_study(settings=[*few, *settings])
    chip = program_chip(study, {each.name: each.chip for each in variants(study)}[line], 0)
    result = evaluate(study, chip, 0)
    return study, chip, result, price(study, chip, result.activity, 1)


@pytest.fixture(scope="module")
def embedded():
    return priced()


def test_operations_are_two_for_each_multiply_accumulate(embedded):
    layer = 4 * LENGTH * WIDTH**2 + 2 * LENGTH * WIDTH * HIDDEN + 2 * LENGTH**2 * WIDTH
    by_hand = PATCHES * 4 * WIDTH + LAYERS * layer + WIDTH * CLASSES
    assert sum(network().multiply_accumulates.values()) == by_hand
    assert embedded[3].budget.operations_per_inference == 2 * by_hand


def test_conversions_of_one_image(embedded):
    """Every matrix fits into the rows of one tile, so each output takes one conversion a slice and an input bit."""
    static = PATCHES * WIDTH + LAYERS * LENGTH * (4 * WIDTH + HIDDEN + WIDTH) + CLASSES
    scores = LAYERS * HEADS * LENGTH * LENGTH
    mix = LAYERS * HEADS * LENGTH * HEAD_WIDTH
    counter_bits, lut_bits = 5, 8  # a count of up to 17 equal scores has five bits
    total = LAYERS * HEADS * LENGTH * counter_bits * lut_bits
    conversions = {block: count for block, name, count in embedded[2].activity.rows() if name == "adc_6b"}
    bits = INPUT_BITS * SLICES
    assert conversions == {
        "static weights": bits * static,
        "attention scores": bits * scores,
        "attention mix": bits * mix,
        "softmax": total,
    }
    energy = {part.block: part.energy_joule for part in embedded[3].budget.parts if part.component == "adc_6b"}
    assert energy == pytest.approx(
        {block: count * TABLE["adc_6b"].energy_joule for block, count in conversions.items()}
    )


def test_buffers_and_lanes(embedded):
    vectors = PATCHES * (4 + WIDTH) + LAYERS * LENGTH * (4 * 2 * WIDTH + 2 * (WIDTH + HIDDEN)) + WIDTH + CLASSES
    parts = {part.component: part for part in embedded[3].budget.parts if part.block == "digital"}
    assert parts["buffer_byte"].energy_joule == pytest.approx(vectors * TABLE["buffer_byte"].energy_joule)
    assert parts["buffer_byte"].area_square_metre == pytest.approx(
        LENGTH * HIDDEN * TABLE["buffer_byte"].area_square_metre
    )
    lanes = network().vector_operations * TABLE["vector_lane"].energy_joule
    assert parts["vector_lane"].energy_joule == pytest.approx(lanes)
    assert parts["vector_lane"].area_square_metre == pytest.approx(64 * TABLE["vector_lane"].area_square_metre)


def test_crossbars_that_are_built(embedded):
    """Whole tiles: three slices in pairs are six columns an output, so 21 outputs fit into 128 columns."""
    tiles = 4 + LAYERS * (4 * 4 + 7 + 4) + 1
    area = {part.block: part for part in embedded[3].budget.parts if part.component == "crossbar_cell"}
    cell = TABLE["crossbar_cell"].area_square_metre
    assert area["static weights"].area_square_metre == pytest.approx(tiles * 128 * 128 * cell)
    for block in ("attention scores", "attention mix"):
        assert area[block].area_square_metre == pytest.approx(LAYERS * HEADS * 128 * 128 * cell)


def test_shares(embedded):
    budget = embedded[3].budget
    for share in ("energy_share", "area_share"):
        assert sum(getattr(part, share) for part in budget.parts) == pytest.approx(1)
    assert sum(part.energy_joule for part in budget.parts) == pytest.approx(budget.energy_joule_per_inference)
    assert {part.block for part in budget.parts} == {
        "static weights", "attention write", "attention scores", "attention mix", "softmax", "digital"
    }  # fmt: skip


def test_stages(embedded):
    study, _, _, (_, vector, operand) = embedded
    read, convert = TABLE["crossbar_read"].time_second, TABLE["adc_6b"].time_second
    stages = {stage.name: stage for stage in vector.stages}
    assert list(stages) == ["embed"] + [
        f"layer{k}.{part}"
        for k in range(LAYERS)
        for part in ("query, key, value", "scores", "softmax", "mix", "output", "expand", "contract")
    ] + ["classify"]  # fmt: skip
    full_tile = INPUT_BITS * (read + 21 * SLICES * convert)
    assert stages["embed"].second_per_vector == pytest.approx(full_tile)
    assert stages["layer1.expand"].second_per_vector == pytest.approx(full_tile)
    assert stages["layer0.scores"].second_per_vector == pytest.approx(INPUT_BITS * (read + LENGTH * SLICES * convert))
    assert stages["layer0.mix"].second_per_vector == pytest.approx(INPUT_BITS * (read + HEAD_WIDTH * SLICES * convert))
    # Rows are written one after another: 16 features of the keys, 17 tokens of the values.
    assert stages["layer0.scores"].setup_second == pytest.approx(LENGTH * study.device.write.second)
    assert (stages["classify"].second_per_vector, stages["classify"].setup_second) == (
        0.0,
        pytest.approx(INPUT_BITS * (read + CLASSES * SLICES * convert)),
    )
    assert operand.stages == vector.stages


def test_vectors_are_faster_than_operands(embedded):
    bill, vector, operand = embedded[3]
    assert bill.latency_second == vector.latency_second < operand.latency_second
    assert (operand.start_second >= vector.start_second).all()
    assert bill.interval_second == max(vector.busy_second)


def test_an_inference_costs_the_same_in_a_crowd(embedded):
    study, chip, result, one = embedded
    many = price(study, chip, result.activity * 7, 7)
    assert many.budget.energy_joule_per_inference == pytest.approx(one.budget.energy_joule_per_inference)
    assert many.budget.area_square_metre == one.budget.area_square_metre


def test_without_an_engine_there_is_no_softmax_to_pay():
    budget = priced(line="adc")[3].budget
    assert "softmax" not in {part.block for part in budget.parts}


def test_finer_converters_cost_more():
    coarse, fine = (priced(f"macro.adc.bits={bits}", line="adc")[3].budget for bits in (4, 8))
    assert coarse.energy_joule_per_inference < fine.energy_joule_per_inference
    assert coarse.area_square_metre < fine.area_square_metre


def test_component_table_is_the_one_asked_for(embedded):
    study = rs.load_study(settings=["cost.vector_lanes=128"])
    _, chip, result, one = embedded
    more = price(study, chip, result.activity, 1).budget
    lane = TABLE["vector_lane"].area_square_metre
    assert more.area_square_metre - one.budget.area_square_metre == pytest.approx(64 * lane)
