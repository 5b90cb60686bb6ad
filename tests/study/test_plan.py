"""The lines of the table: each differs from the one without non-ideality by what it says, and by nothing else."""

import pytest

import rramsim as rs
from rramsim.study.plan import points, variants

STUDY = rs.load_study()
LINES = {variant.name: variant for variant in variants(STUDY)}
PLAIN = LINES["fixed_point"].chip
RANDOM = {"programming", "stuck", "read_noise", "softmax_cells", "all"}


def test_lines_and_their_order():
    assert [(line.name, line.label) for line in variants(STUDY)] == [
        ("float", "float network"),
        ("fixed_point", "fixed point, no non-ideality"),
        ("programming", "programming spread"),
        ("stuck", "stuck cells"),
        ("read_noise", "read noise"),
        ("ir_drop", "IR drop"),
        ("adc", "ADC"),
        ("softmax_bits", "softmax bits"),
        ("softmax_cells", "softmax bits, CAM/LUT errors"),
        ("all", "all together"),
    ]


def test_no_hardware_and_no_non_ideality():
    assert LINES["float"].chip is None
    assert PLAIN.macro.wires.ideal
    assert PLAIN.macro.adc is PLAIN.attention.softmax is None
    assert PLAIN.macro.device == STUDY.device.without_errors
    assert (PLAIN.macro.input_bits, PLAIN.macro.weight_bits, PLAIN.macro.cell_bits) == (
        STUDY.macro.input_bits,
        STUDY.macro.weight_bits,
        STUDY.macro.cell_bits,
    )


@pytest.mark.parametrize("name", ["programming", "stuck", "read_noise"])
def test_one_error_of_the_cells_alone(name):
    chip = LINES[name].chip
    parts = {"programming": ["programming", "write"]}.get(name, [name])
    device = PLAIN.macro.device.but({part: getattr(STUDY.device, part) for part in parts})
    assert chip.macro == PLAIN.macro.but({"device": device}) != PLAIN.macro
    assert chip.attention.softmax is None


@pytest.mark.parametrize(("name", "part"), [("ir_drop", {"wires": STUDY.wires}), ("adc", {"adc": STUDY.macro.adc})])
def test_one_part_of_the_array_alone(name, part):
    chip = LINES[name].chip
    assert chip.macro == PLAIN.macro.but(part) != PLAIN.macro
    assert chip.attention.softmax is None


def test_softmax_lines_stand_between_exact_products():
    bits, cells = LINES["softmax_bits"].chip, LINES["softmax_cells"].chip
    assert bits.macro == cells.macro == PLAIN.macro
    exact, engine = bits.attention.softmax, cells.attention.softmax
    assert engine == STUDY.chip.attention.softmax
    assert exact.device == engine.device.without_errors
    assert exact.wires.ideal
    assert exact.sum_adc is None
    assert not exact.random
    word_fields = ("format", "lut_bits", "counter_bits", "divider_bits", "bank_rows")
    assert [getattr(exact, key) for key in word_fields] == [getattr(engine, key) for key in word_fields]


def test_all_together_is_the_study():
    assert LINES["all"].chip == STUDY.chip


def test_attention_and_static_weights_share_their_macro():
    assert all(line.chip.macro == line.chip.attention.macro for line in LINES.values() if line.chip)


def test_lines_with_random_errors_have_all_trials():
    assert {line.name for line in LINES.values() if line.random} == RANDOM
    planned = [(point.variant.name, point.trial) for point in points(STUDY)]
    expected = [(name, k) for name in LINES for k in range(STUDY.trials if name in RANDOM else 1)]
    assert planned == expected


def test_nothing_is_random_in_ideal_cells():
    study = rs.load_study(settings=["device.preset=ideal", "device.stuck={}"])
    assert not any(line.random for line in variants(study))
    assert len(points(study)) == 10


def test_the_softmax_alone_may_be_random():
    ideal = ["device.preset=ideal", "device.stuck={}"]
    study = rs.load_study(settings=[*ideal, "softmax.device.preset=rram-wan-2022"])
    assert {line.name for line in variants(study) if line.random} == {"softmax_cells", "all"}


def test_more_trials_only_add_points():
    fewer, more = (points(rs.load_study(settings=[f"trials={n}"])) for n in (2, 4))
    assert set(fewer) < set(more)
    assert {point.trial for point in set(more) - set(fewer)} == {2, 3}
