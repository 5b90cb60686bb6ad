"""The softmax engine on rough cells against the circuit solved row by row; every kind of error, step by step."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.softmax import (
    ALL_SCORES,
    FIXED,
    NO_ERRORS,
    OFF,
    ON,
    OPTIONS,
    ROUGH,
    SMALL,
    WIRES,
    assert_exact,
    check,
    formatted,
    lossless,
    watch,
)
from numpy.testing import assert_array_equal

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wired import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.spread import LognormalSpreadSpec


def altered(engine, part, changes):
    """The engine with single cells of one crossbar set to other conductances, {(row, column): siemens}."""
    old, spec = getattr(engine, part), engine.spec
    cells = replace(old.cells, g=old.cells.g.copy())
    for place, siemens in changes.items():
        cells.g[place] = siemens
    if part.startswith("cam"):
        return replace(engine, **{part: replace(old, cells=cells)})
    array = ProgrammedArray.banked(cells, spec.wires, spec.read_volt, spec.bank_rows)
    return replace(engine, **{part: array if part == "vmm" else replace(old, array=array)})


BY_HAND = SMALL.but(sense=FIXED, column_sense=FIXED)


class TestEveryKindOfError:
    """Each made to happen by a cell set by hand, and counted as the circuit has it."""

    @pytest.mark.parametrize("options", OPTIONS)
    def test_none(self, options):
        assert check(SMALL.but(**options).program(), ALL_SCORES) == NO_ERRORS

    def test_stuck_on_cell_kills_a_match(self):
        # Row 5 holds code 10 (score 1.0); the open cell of its first pair is the second one.
        engine = altered(BY_HAND.program(), "cam_sub", {(5, 1): ON})
        check(engine, ALL_SCORES, missed_match=1, false_match=0, wrong_max=0, wrong_difference=1)
        # Alone in its vector nothing fires at all: the encoder then gives the last row.
        check(engine, [[1.0]], missed_match=1, wrong_max=1)
        check(engine, [[1.0, 0.0]], missed_match=1, wrong_max=1)
        cmos = replace(engine, spec=BY_HAND.but(subtract="cmos"))
        check(cmos, [[1.0, 2.0]], missed_match=1, wrong_max=0, wrong_difference=1)

    def test_stuck_off_cell_makes_a_false_match(self):
        # Row 0 holds the largest code; blind in its last bit it also answers to the one below.
        engine = altered(BY_HAND.program(), "cam_sub", {(0, 6): OFF})
        check(engine, [[3.0, 0.0]], false_match=1, missed_match=0, multiple_match=1, wrong_max=1)
        bitwise = replace(engine, spec=BY_HAND.but(maximum="bitwise"))
        check(bitwise, [[3.0, 0.0]], false_match=1, wrong_max=1)

    def test_false_match_in_the_second_cam(self):
        # Magnitudes 2 and 3 (words 11 and 7) answer together to a difference of 2: the LUT reads their or, 15.
        engine = altered(BY_HAND.program(), "cam_exp", {(3, 6): OFF})
        errors = check(engine, [[0.0, -1.0]], false_match=1, missed_match=0, multiple_match=1, wrong_difference=0)
        assert (errors["wrong_exponential"], errors["wrong_bit"], errors["wrong_max"]) == (1, 1, 0)

    def test_missed_match_in_the_second_cam(self):
        # Magnitudes have no sign bit: the second line of their first pair is never driven.
        assert check(altered(BY_HAND.program(), "cam_exp", {(0, 1): OFF}), [[0.0, 0.0]]) == NO_ERRORS
        engine = altered(BY_HAND.program(), "cam_exp", {(0, 0): ON})
        check(engine, [[0.0, 0.0]], missed_match=2, wrong_exponential=2, wrong_bit=10, wrong_sum=0)
        assert not engine([0.0, 0.0]).any(), "no row, so no exponential and no sum"

    def test_stuck_true_bit_spoils_a_difference_only(self):
        # The true bit of row 7 (code 8) is read in SUB mode; as a search line it is driven for codes without that bit.
        engine = altered(BY_HAND.program(), "cam_sub", {(7, 0): OFF})
        check(engine, [[0.0, 3.5]], wrong_difference=1, missed_match=0)

    @pytest.mark.parametrize("column", range(5))
    def test_wrong_bit_in_the_lut(self, column):
        stored = 31 >> (4 - column) & 1
        engine = altered(BY_HAND.program(), "lut", {(0, column): OFF if stored else ON})
        check(engine, [[1.0, -2.0]], wrong_exponential=1, wrong_bit=1, wrong_sum=0, false_match=0)

    def test_wrong_cell_in_the_sum(self):
        engine = altered(BY_HAND.program(), "vmm", {(0, 0): OFF})
        check(engine, [[1.0, -2.0], [0.0, -1.0]], wrong_sum=2, wrong_exponential=0)
        # A conducting cell in the reference column is taken off every other column.
        check(altered(BY_HAND.program(), "vmm", {(0, 5): ON}), [[1.0, -2.0]], wrong_sum=1)
        # Words that the table reads are added up without any crossbar.
        adder = replace(engine, spec=BY_HAND.but(sum_by="adder"))
        assert check(adder, [[1.0, -2.0], [0.0, -1.0]]) == NO_ERRORS

    def test_sum_converter_saturates(self):
        """4 bits hold 15 cells; forty different scores take more than that in the first column."""
        spec = formatted(2, 5, lut_bits=5, sum_adc=lossless(4))
        scores = -np.arange(40)[None, :] / 32
        assert ((spec.exponentials[:40] >> 4 & 1).sum()) > 15
        assert assert_exact(spec, scores) == {**NO_ERRORS, "wrong_sum": 1}
        assert assert_exact(spec.but(sum_adc=lossless(6)), scores) == NO_ERRORS

    def test_wires_alone_make_errors(self):
        """Low-resistance cells at the far end of long search lines are starved: false matches."""
        wires = WireSpec(word_line_ohm=60.0, bit_line_ohm=900.0, driver_ohm=100.0, sense_ohm=100.0)
        starved = check(BY_HAND.but(wires=wires).program(), ALL_SCORES)
        assert starved["false_match"] > 0
        # Driven anew every few rows they are not; and one reference found on the array does no worse.
        banked = check(BY_HAND.but(wires=wires, bank_rows=2).program(), ALL_SCORES)
        assert banked["false_match"] < starved["false_match"]
        calibrated = check(SMALL.but(wires=wires).program(), ALL_SCORES)
        matches = ("false_match", "missed_match")
        assert sum(calibrated[kind] for kind in matches) <= sum(starved[kind] for kind in matches)


ROUGH_CHIPS = {
    "no wires": {"wires": WireSpec()},
    "fixed references": {"sense": FIXED, "column_sense": FIXED},
    "global references": {},
    "a reference for each line": {"sense": SenseSpec(reference="line"), "column_sense": SenseSpec(reference="line")},
    "offsets": {
        "sense": SenseSpec(offset_spread=0.2),
        "column_sense": SenseSpec(offset_spread=0.3, reference_share=0.4),
    },
    "offsets and fixed references": {
        "sense": SenseSpec(reference="fixed", offset_spread=0.2),
        "column_sense": SenseSpec(reference="fixed", offset_spread=0.3),
    },
    "precharged": {"sense": SenseSpec(kind="precharge", mux_farad=2e-15, offset_spread=0.1)},
    "precharged, fixed": {"sense": SenseSpec(kind="precharge", reference="fixed", strobe_second=2e-10)},
    "bitwise": {"maximum": "bitwise"},
    "cmos": {"subtract": "cmos", "counter_bits": 10},
    "adder": {"sum_by": "adder"},
    "all digital": {"maximum": "bitwise", "subtract": "cmos", "sum_by": "adder"},
    "two bits a cell": {"lut_cell_bits": 2},
    "four bits a cell, offsets": {"lut_cell_bits": 4, "lut_bits": 9, "column_sense": SenseSpec(offset_spread=0.05)},
    "saturating counters": {"overflow": "saturate"},
    "large counters": {"counter_bits": 10},
    "lossless converters": {"sum_adc": lossless(6)},
    "narrow converters": {"sum_adc": lossless(2), "counter_bits": 10},
    "skewed converters": {"sum_adc": lossless(5, offset_spread_lsb=0.4, gain_spread=0.1)},
    "bent converters": {"sum_adc": lossless(4, dnl_spread_lsb=0.4), "lut_cell_bits": 2},
    "full range": {"sum_adc": SarAdcSpec(bits=5, full_scale_from="full")},
    "fixed range": {"sum_adc": SarAdcSpec(bits=4, full_scale_from="fixed", full_scale_ampere=4e-5, offset_lsb=0.6)},
    "one row a bank": {"bank_rows": 1},
    "one bank": {"bank_rows": 64},
}


@pytest.mark.thinned(4)
@pytest.mark.parametrize("variant", ROUGH_CHIPS)
def test_rough_chips_against_the_circuit(variant):
    """Spread, stuck cells and wires at once; every kind of error occurs in one of the chips."""
    base = SMALL.but(device=ROUGH, wires=WIRES, bank_rows=5, counter_bits=2, divider_bits=12)
    spec = base.but(**ROUGH_CHIPS[variant])
    scores = np.random.default_rng(0).normal(scale=2, size=(4, 9))
    scores[1, 2:4] = -np.inf
    mask = np.ones(scores.shape, bool)
    mask[2, :5] = mask[3] = False
    errors = check(spec.program(rng=5), scores, mask)
    assert sum(errors.values()) > 3


@pytest.mark.parametrize("split", [(2, 1), (1, 4), (5, 0), (3, 2)])
def test_rough_formats_against_the_circuit(split):
    spec = formatted(*split, device=ROUGH, wires=WIRES, bank_rows=7, lut_bits=7)
    check(spec.program(rng=1), np.random.default_rng(0).normal(scale=2, size=(2, 6)))


STEPS = ("search", "subtract", "exponential", "lookup", "sum")


TERRIBLE = SMALL.but(
    device=DeviceSpec(
        g_min_siemens=8e-6,
        g_max_siemens=5e-5,
        programming=LognormalSpreadSpec(spread_log=0.7),
        stuck=StuckSpec(on_fraction=0.05, off_fraction=0.05),
        read_noise=ReadNoiseSpec(relative_deviation=0.3),
    ),
    wires=WireSpec(word_line_ohm=100.0, bit_line_ohm=200.0, driver_ohm=500.0, sense_ohm=100.0),
    sense=SenseSpec(noise=0.3, offset_spread=0.3),
    column_sense=SenseSpec(noise=0.3, offset_spread=0.3),
    sum_adc=lossless(3, noise_lsb=1.0, offset_spread_lsb=1.0),
)


MATCHES = {"false_match", "missed_match", "multiple_match"}


MADE_BY = {
    "search": MATCHES | {"wrong_max", "wrong_difference"},
    "subtract": {"wrong_difference"},
    "exponential": MATCHES | {"wrong_bit", "wrong_exponential"},
    "lookup": {"wrong_bit", "wrong_exponential"},
    "sum": {"wrong_sum"},
}


class TestWithoutErrors:
    SCORES = np.random.default_rng(0).normal(scale=1.5, size=(60, 9)).clip(-4, 3.5)

    @pytest.mark.parametrize("options", OPTIONS)
    def test_all_steps_perfect_are_the_ideal_engine(self, options):
        terrible = TERRIBLE.but(perfect_steps=STEPS, **options)
        done = terrible.program(rng=1).apply(self.SCORES, rng=1)
        ideal = SMALL.but(device=DeviceSpec(), **options).program().apply(self.SCORES)
        assert_array_equal(done.values, ideal.values)
        assert done.errors == ideal.errors == NO_ERRORS
        # Costs are those of the parts that were built.
        assert done.activity.total("adc_3b") == (0 if "sum_by" in options else 60 * 4 * 5)

    @pytest.mark.parametrize("step", STEPS)
    def test_one_step_alone_makes_its_own_errors(self, step):
        others = tuple(each for each in STEPS if each != step)
        done = TERRIBLE.but(perfect_steps=others).program(rng=1).apply(self.SCORES, rng=1)
        assert {kind for kind, count in done.errors.items() if count} == MADE_BY[step]

    @pytest.mark.parametrize("step", STEPS)
    def test_one_perfect_step_makes_none(self, step):
        """What it is given may be wrong; what it does with that is right."""
        result, signals = watch(TERRIBLE.but(perfect_steps=(step,)).program(rng=1), self.SCORES, 1)
        errors = result.errors
        rough = TERRIBLE.program(rng=1).apply(self.SCORES, rng=1).errors
        assert all(rough[kind] for kinds in MADE_BY.values() for kind in kinds)
        row = 15 - signals["score_code"]
        magnitude = np.minimum(np.abs(signals["difference"]), 7)
        one_row = signals["match"].sum(axis=-1) == 1
        if step == "search":
            assert_array_equal(signals["match"], np.arange(16) == row[..., None])
            assert errors["wrong_max"] == 0
        elif step == "subtract":
            # One row that fired is told exactly from that of the maximum.
            difference = signals["max_row"][:, None] - signals["match"].argmax(axis=-1)
            assert one_row.any()
            assert_array_equal(signals["difference"][one_row], difference[one_row])
        elif step == "exponential":
            assert_array_equal(signals["selected"], np.arange(8) == magnitude[..., None])
        elif step == "lookup":
            one_row = signals["selected"].sum(axis=-1) == 1
            word = SMALL.exponentials[signals["selected"].argmax(axis=-1)]
            assert one_row.any()
            assert_array_equal(signals["exponential"][one_row], word[one_row])
        else:
            assert_array_equal(signals["sum"], signals["histogram"] @ SMALL.exponentials)
            assert errors["wrong_sum"] == 0

    @pytest.mark.parametrize(("step", "part"), [("exponential", "cam_exp"), ("lookup", "lut"), ("sum", "vmm")])
    def test_a_perfect_step_is_a_perfect_crossbar(self, step, part):
        """The other steps keep their cells and amplifiers: the engine is one whose part was replaced by hand."""
        cell = DeviceSpec(g_max_siemens=5e-5, programming=LognormalSpreadSpec(spread_log=0.6))
        sense = SenseSpec(offset_spread=0.3)
        spec = SMALL.but(device=cell, wires=WIRES, sense=sense, column_sense=sense)
        perfect = spec.but(device=DeviceSpec(g_max_siemens=5e-5), wires=WireSpec(), sense=SenseSpec())
        ideal = perfect.but(column_sense=SenseSpec()).program()
        values = spec.but(perfect_steps=(step,)).program(rng=5)(self.SCORES, rng=0)
        assert (values != spec.program(rng=5)(self.SCORES, rng=0)).any()
        assert_array_equal(values, replace(spec.program(rng=5), **{part: getattr(ideal, part)})(self.SCORES, rng=0))
