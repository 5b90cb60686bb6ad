"""The price of one inference: counted by hand for the embedded network, and fair in its shares."""

import pytest
from helpers.studies import NO_WIRES

import rramsim as rs
from rramsim.activity import Activity
from rramsim.cost.components import load_components
from rramsim.cost.price import price
from rramsim.errors import SpecError
from rramsim.model.workloads import load_workload
from rramsim.study.plan import variants
from rramsim.study.point import evaluate, program_chip
from rramsim.workload.graph import Graph, Product

TABLE = load_components()
LENGTH, PATCHES, WIDTH, HIDDEN, HEADS, HEAD_WIDTH, CLASSES, LAYERS = 17, 16, 64, 128, 4, 16, 10, 2
INPUT_BITS, SLICES = 6, 3


def priced(*settings, line="all"):
    few = ["workload.samples=1", "workload.calibration_samples=4", "trials=1", "probe_samples=0", *NO_WIRES]
    study = rs.load_study(settings=[*few, *settings])
    spec = {each.name: each.chip for each in variants(study)}[line]
    result = evaluate(study, program_chip(study, spec, 0), 0)
    return study, spec, result, price(load_workload("digits-vit").graph, spec, activity=result.activity)


@pytest.fixture(scope="module")
def embedded():
    return priced()


def test_operations_are_two_for_each_multiply_accumulate(embedded):
    layer = 4 * LENGTH * WIDTH**2 + 2 * LENGTH * WIDTH * HIDDEN + 2 * LENGTH**2 * WIDTH
    by_hand = PATCHES * 4 * WIDTH + LAYERS * layer + WIDTH * CLASSES
    assert load_workload("digits-vit").graph.multiply_accumulates == by_hand
    assert embedded[3].bill.operations_per_inference == 2 * by_hand


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
    energy = {part.block: part.energy_joule for part in embedded[3].bill.parts if part.component == "adc_6b"}
    assert energy == pytest.approx(
        {block: count * TABLE["adc_6b"].energy_joule for block, count in conversions.items()}
    )


def test_buffers_and_lanes(embedded):
    vectors = PATCHES * (4 + WIDTH) + LAYERS * LENGTH * (4 * 2 * WIDTH + 2 * (WIDTH + HIDDEN)) + WIDTH + CLASSES
    parts = {part.component: part for part in embedded[3].bill.parts if part.block == "digital"}
    assert parts["buffer_byte"].energy_joule == pytest.approx(vectors * TABLE["buffer_byte"].energy_joule)
    assert parts["buffer_byte"].area_square_metre == pytest.approx(
        LENGTH * HIDDEN * TABLE["buffer_byte"].area_square_metre
    )
    lanes = load_workload("digits-vit").graph.vector_operations * TABLE["vector_lane"].energy_joule
    assert parts["vector_lane"].energy_joule == pytest.approx(lanes)
    assert parts["vector_lane"].area_square_metre == pytest.approx(64 * TABLE["vector_lane"].area_square_metre)


def test_crossbars_that_are_built(embedded):
    """Whole tiles: three slices in pairs are six columns an output, so 21 outputs fit into 128 columns."""
    tiles = 4 + LAYERS * (4 * 4 + 7 + 4) + 1
    area = {part.block: part for part in embedded[3].bill.parts if part.component == "crossbar_cell"}
    cell = TABLE["crossbar_cell"].area_square_metre
    assert area["static weights"].area_square_metre == pytest.approx(tiles * 128 * 128 * cell)
    for block in ("attention scores", "attention mix"):
        assert area[block].area_square_metre == pytest.approx(LAYERS * HEADS * 128 * 128 * cell)


def test_shares(embedded):
    budget = embedded[3].bill
    for share in ("energy_share", "area_share"):
        assert sum(getattr(part, share) for part in budget.parts) == pytest.approx(1)
    assert sum(part.energy_joule for part in budget.parts) == pytest.approx(budget.energy_joule_per_inference)
    assert {part.block for part in budget.parts} == {
        "static weights", "attention write", "attention scores", "attention mix", "softmax", "digital"
    }  # fmt: skip


def test_stages(embedded):
    study, _, _, priced = embedded
    vector, operand = priced.vector_grained, priced.operand_grained
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
    assert stages["layer0.scores"].setup_second == pytest.approx(LENGTH * study.device.write.pulse_second)
    assert (stages["classify"].second_per_vector, stages["classify"].setup_second) == (
        0.0,
        pytest.approx(INPUT_BITS * (read + CLASSES * SLICES * convert)),
    )
    assert operand.stages == vector.stages


def test_vectors_are_faster_than_operands(embedded):
    priced = embedded[3]
    bill, vector, operand = priced.bill, priced.vector_grained, priced.operand_grained
    assert bill.latency_second == vector.latency_second < operand.latency_second
    assert (operand.start_second >= vector.start_second).all()
    assert bill.interval_second == max(vector.busy_second)


def test_an_inference_costs_the_same_in_a_crowd(embedded):
    _, chip, result, one = embedded
    many = price(load_workload("digits-vit").graph, chip, activity=result.activity * 7, n_inferences=7)
    assert many.bill.energy_joule_per_inference == pytest.approx(one.bill.energy_joule_per_inference)
    assert many.bill.area_square_metre == one.bill.area_square_metre


def test_without_an_engine_there_is_no_softmax_to_pay():
    budget = priced(line="adc")[3].bill
    assert "softmax" not in {part.block for part in budget.parts}


def test_finer_converters_cost_more():
    coarse, fine = (priced(f"macro.adc.bits={bits}", line="adc")[3].budget for bits in (4, 8))
    assert coarse.energy_joule_per_inference < fine.energy_joule_per_inference
    assert coarse.area_square_metre < fine.area_square_metre


def test_more_lanes_are_more_area(embedded):
    _, chip, _, one = embedded
    lane = TABLE["vector_lane"].area_square_metre
    more = price(load_workload("digits-vit").graph, chip, vector_lanes=128)
    assert more.area_square_metre - one.area_square_metre == pytest.approx(64 * lane)


def test_without_activity_all_but_the_energy_is_known(embedded):
    _, chip, _, counted = embedded
    estimate = price(load_workload("digits-vit").graph, chip)
    assert estimate.area_square_metre == pytest.approx(counted.area_square_metre)
    assert estimate.latency_second == counted.bill.latency_second
    assert estimate.interval_second == counted.bill.interval_second
    assert estimate.gops_per_second == counted.bill.gops_per_second
    assert estimate.inferences_per_second == counted.bill.inferences_per_second
    assert estimate.gops_per_second_per_square_millimetre == pytest.approx(
        counted.bill.gops_per_second_per_square_millimetre
    )
    assert counted.energy_joule_per_inference == counted.bill.energy_joule_per_inference > 0
    with pytest.raises(SpecError, match="the energy is not known"):
        _ = estimate.energy_joule_per_inference


class TestEstimate:
    """Networks that are never run."""

    MACRO = rs.MacroSpec(adc=rs.SarAdcSpec(bits=8), tile_rows=128, tile_columns=128)

    def test_one_product_by_hand(self):
        """200 x 40 weights of 8 bits: 8 columns an output, 16 outputs a tile: 2 x 3 tiles."""
        graph = Graph("one", 10, ((Product("w", 200, 40, 10),),))
        known = price(graph, rs.ChipSpec(macro=self.MACRO), vector_lanes=1)
        tile = {"crossbar_cell": 128**2, "dac_1b": 128, "sample_hold": 64, "shift_add": 1, "adc_8b": 1}
        area = sum(n * TABLE[name].area_square_metre for name, n in tile.items())
        others = TABLE["vector_lane"].area_square_metre + 10 * 200 * TABLE["buffer_byte"].area_square_metre
        assert known.area_square_metre == pytest.approx(6 * area + others)
        one = 8 * (TABLE["crossbar_read"].time_second + 16 * 4 * TABLE["adc_8b"].time_second)
        assert known.latency_second == pytest.approx(10 * one)

    def test_a_product_that_waits_does_its_vectors_one_after_another(self):
        first, last = Product("first", 8, 8, 10), Product("last", 8, 8, 3, waits_for_all=True)
        read = 8 * TABLE["crossbar_read"].time_second
        assert price(Graph("g", 10, ((first,), (last,))), rs.ChipSpec()).latency_second == pytest.approx(13 * read)

    def test_layers_add_up(self):
        sizes = {"width": 64, "heads": 4, "hidden": 128, "length": 32}
        softmax = rs.SoftmaxSpec(format=rs.FixedPointSpec(integer_bits=5, fraction_bits=2))
        chip = rs.ChipSpec(macro=self.MACRO, attention=rs.AttentionSpec(macro=self.MACRO, softmax=softmax))
        one, two, three = (price(rs.transformer(layers=n, **sizes), chip) for n in (1, 2, 3))
        assert two.operations_per_inference == 2 * one.operations_per_inference
        assert two.interval_second == one.interval_second
        assert three.area_square_metre - two.area_square_metre == pytest.approx(
            two.area_square_metre - one.area_square_metre
        )
        assert one.latency_second < two.latency_second < three.latency_second

    def test_verified_writes_take_the_longest_time(self):
        write = {"tolerance_siemens": 1e-6, "most_pulses": 5, "pulse_second": 1e-6, "volt": 1.0}
        macro = rs.MacroSpec(device=rs.DeviceSpec(write=write))
        graph = rs.transformer(layers=1, width=64, heads=4, hidden=64, length=20)
        priced = price(graph, rs.ChipSpec(macro=macro, attention=rs.AttentionSpec(macro=macro)))
        (scores,) = (stage for stage in priced.vector_grained.stages if stage.name == "layer0.scores")
        assert scores.setup_second == pytest.approx(20 * 5e-6)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"vector_lanes": 0}, "vector_lanes is a whole number"),
            ({"components": "isaac-33nm"}, "isaac-32nm"),
            ({"activity": Activity({"adder": 1}), "n_inferences": 0}, "n_inferences"),
        ],
    )
    def test_what_is_refused(self, settings, words):
        with pytest.raises(SpecError, match=words):
            price(Graph("one", 1, ((Product("w", 2, 2, 1),),)), rs.ChipSpec(), **settings)
