"""What a softmax engine is made of and does, counted by hand and from its signals."""

import numpy as np
import pytest
from helpers.softmax import (
    FIXED,
    LEAKY,
    NO_ERRORS,
    NOISES,
    NOISY,
    OPTIONS,
    ROUGH,
    SMALL,
    SPREAD,
    formatted,
    lossless,
    watch,
)
from numpy.testing import assert_array_equal
from reference import softmax as oracle

from rramsim.array.sensing import SenseSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.writing import WriteSpec


def driven(code):
    """Search lines of a code of 4 bits."""
    return [2 * k + (code >> (3 - k) & 1) for k in range(4)]


def set_bits(signals):
    """By row of the sum: how often it was driven, from the histograms of vectors."""
    return sum((signals["histogram"] >> plane & 1).sum(axis=0) for plane in range(12))


class TestAccounting:
    SPEC = SMALL.but(bank_rows=6, sum_adc=lossless(6), read_volt=0.3, read_second=4e-9)
    SCORES = np.array([[0.0, -1.0, 0.0], [2.0, 2.0, 2.0]])

    def test_activity_by_hand(self):
        """Two vectors of three scores; 16 and 8 rows in banks of 6, so 3 + 2 banks; 4 bits, 5 LUT columns."""
        activity = self.SPEC.program().apply(self.SCORES).activity
        # Counts up to three take two bit planes, and each is read and converted for both vectors.
        assert activity.total("adc_6b") == activity.total("shift_add") == 2 * 2 * 5
        assert activity.total("sample_hold") == 2 * 2 * 6
        # A search drives one line of each pair in every bank; SUB mode drives two rows; the sum its eight rows.
        assert activity.total("dac_1b") == 6 * (4 * 5 + 2) + 2 * 2 * 8
        assert activity.total("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 5)
        assert activity.total("register_bit") == 6 * 16
        assert activity.total("priority_encoder") == 2
        assert activity.total("divider") == 6
        # Counters and adders of the cost tables have 32 bits, ours 10 and 4.
        assert activity.total("counter") == 6 * 10 / 32
        assert activity.total("adder") == 6 * 4 * 4 / 32

    def test_options_by_hand(self):
        def counts(**options):
            return self.SPEC.but(**options).program().apply(self.SCORES).activity.total

        bitwise = counts(maximum="bitwise")
        # Four more searches of the first CAM for each vector, and no encoder.
        assert bitwise("dac_1b") == 6 * (4 * 5 + 2) + 2 * 4 * 4 * 3 + 2 * 2 * 8
        assert bitwise("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 5) + 2 * 4 * 16
        assert bitwise("priority_encoder") == 0
        cmos = counts(subtract="cmos")
        assert cmos("dac_1b") == 6 * 4 * 5 + 2 * 2 * 8
        assert cmos("sense_amplifier") == 6 * (16 + 8 + 5)
        assert (cmos("priority_encoder"), cmos("adder")) == (2 + 6, 6 * 4 / 32)
        adder = counts(sum_by="adder")
        # Three words of 5 bits take 7.
        assert adder("adder") == 6 * 4 * 4 / 32 + 6 * 7 / 32
        assert adder("dac_1b") == 6 * (4 * 5 + 2)
        assert all(adder(name) == 0 for name in ("counter", "adc_6b", "shift_add", "sample_hold"))
        levels = counts(lut_cell_bits=2)
        # 3 columns of 3 amplifiers.
        assert levels("sense_amplifier") == 6 * (16 + 8 + 2 * 4 + 3 * 3)
        assert (levels("adc_6b"), levels("sample_hold")) == (2 * 2 * 3, 2 * 2 * 4)

    @pytest.mark.parametrize("device_", [LEAKY, LEAKY.but({"programming": SPREAD})])
    @pytest.mark.parametrize("options", OPTIONS)
    def test_energy_by_hand(self, options, device_):
        """Current times voltage times time of every driven line, of every row that an array is driven from."""
        engine = self.SPEC.but(device=device_, sense=FIXED, column_sense=FIXED, **options).program(rng=0)
        done, g = engine.apply(self.SCORES, rng=0), {"sub": engine.cam_sub.cells.g, "exp": engine.cam_exp.cells.g}
        if device_ is LEAKY:
            assert done.errors == NO_ERRORS
        slow, siemens = oracle.star(engine, self.SCORES.tolist()), 0.0
        for v, codes in enumerate([[8, 6, 8], [12, 12, 12]]):
            row = slow["max_row"][v]
            for k, code in enumerate(codes):
                siemens += g["sub"][:, driven(code)].sum()
                if engine.spec.subtract == "array":
                    siemens += g["sub"][[*slow["match"][v][k], row]].sum()
                siemens += g["exp"][:, driven(min(abs(slow["difference"][v][k]), 7))].sum()
                siemens += engine.lut.cells.g[list(slow["selected"][v][k])].sum()
            if engine.spec.sum_by == "counters":
                for magnitude, count in enumerate(slow["histogram"][v]):
                    # A row is driven once for every bit that is set in its counter.
                    siemens += count.bit_count() * engine.vmm.cells.g[magnitude].sum()
            if engine.spec.maximum == "bitwise":
                code = 15 - row
                for n_known in range(1, 5):
                    tried = (code >> (4 - n_known) | 1) << (4 - n_known)
                    siemens += g["sub"][:, driven(tried)[:n_known]].sum()
        assert done.activity.total("cell_read_joule") == pytest.approx(siemens * 0.3**2 * 4e-9, rel=1e-12, abs=0)

    @pytest.mark.parametrize("variant", [each for each in NOISES if each != "precharged"])
    def test_energy_of_a_noisy_engine_is_that_of_what_it_drove(self, variant):
        """From the signals: rows that fired and that of the maximum, rows selected, and bits that were set."""
        engine = NOISY.but(**NOISES[variant]).program(rng=3)
        scores = np.random.default_rng(0).normal(scale=1.5, size=(40, 6))
        _, signals = watch(engine, scores, 1)
        joule = engine.apply(scores, rng=1).activity.total("cell_read_joule")
        spec, sub, exp = engine.spec, engine.cam_sub, engine.cam_exp

        def searched(cam, codes, n_known=None):
            return cam.line_currents(cam.driven_lines(codes.ravel(), n_known))[0].sum() / spec.read_volt

        magnitude = np.minimum(np.abs(signals["difference"]), 7)
        siemens = searched(sub, signals["score_code"]) + searched(exp, magnitude)
        if spec.subtract == "array":
            rows = signals["match"].sum(axis=(0, 1)) + 6 * np.bincount(signals["max_row"], minlength=16)
            siemens += rows @ sub.driven_rows.g.sum(axis=1)
        if spec.maximum == "bitwise":
            for k in range(1, 5):
                siemens += searched(sub, (15 - signals["max_row"] >> (4 - k) | 1) << (4 - k), k)
        siemens += signals["selected"].sum(axis=(0, 1)) @ engine.lut.array.g.sum(axis=1)
        if spec.sum_by == "counters":
            top = 2**spec.counter_bits - 1
            for first in range(0, 6, top if spec.overflow == "flush" else 6):
                last = first + top if spec.overflow == "flush" else 6
                histogram = np.minimum(signals["selected"][:, first:last].sum(axis=1), top)
                siemens += np.bitwise_count(histogram).sum(axis=0) @ engine.vmm.g.sum(axis=1)
        assert joule == pytest.approx(siemens * spec.read_volt**2 * spec.read_second, rel=1e-9, abs=0)

    def test_search_energy_of_a_tiny_engine(self):
        """One score in 3 bits: 8 and 4 rows; mismatches conduct 1 / ohm each: V^2 t times all that is driven."""
        cell = DeviceSpec(g_min_siemens=0.0, g_max_siemens=1e-5)
        spec = formatted(2, 1, device=cell, lut_bits=2, subtract="cmos", read_volt=0.5, read_second=2e-9)
        done = spec.program().apply([0.0])
        # Of 8 words 12 bits differ in all; of 4 magnitudes of 3 bits, searched for 0, 4. Words 3, 2, 1 and 1: two ones
        # in the table and in the sum.
        assert_array_equal(spec.exponentials, [3, 2, 1, 1])
        assert done.activity.total("cell_read_joule") == pytest.approx(
            0.5**2 * 2e-9 * 1e-5 * (12 + 4 + 2 + 2), rel=1e-12
        )

    def test_precharged_lines_are_charged_again(self):
        """C V times what a line has lost, instead of its current."""
        spec = self.SPEC.but(subtract="cmos", sum_by="adder")
        charged = spec.but(sense=SenseSpec(kind="precharge", cell_farad=1e-15, mux_farad=2e-15)).program()
        done, farad = charged.apply([[0.0]]), 10e-15
        volts = 0.0
        for cam, code in ((charged.cam_sub, 8), (charged.cam_exp, 0)):
            siemens = cam.cells.g[:, driven(code)].sum(axis=1)
            volts += (0.2 * -np.expm1(-siemens * cam.strobe_second / farad)).sum()
        table = charged.lut.cells.g[0].sum() * 0.3**2 * 4e-9
        assert done.activity.total("cell_read_joule") == pytest.approx(farad * 0.2 * volts + table, rel=1e-12, abs=0)

    @pytest.mark.parametrize("variant", [{}, {"counter_bits": 2}, {"counter_bits": 2, "overflow": "saturate"}])
    @pytest.mark.parametrize("noise", [0.0, 0.2])
    def test_energy_of_the_sum_counts_the_set_bits(self, variant, noise):
        """What counters add to the energy of an engine whose words are added by an adder."""
        sense, scores = SenseSpec(noise=noise), np.random.default_rng(0).normal(scale=1.5, size=(12, 23))
        spec = SMALL.but(sense=sense, column_sense=sense, **variant)
        engine = spec.program(rng=2)
        result, signals = watch(engine, scores, 1)
        counted = result.activity.total("cell_read_joule")
        assert counted == pytest.approx(engine.apply(scores, rng=1).activity.total("cell_read_joule"), rel=1e-12, abs=0)
        added = spec.but(sum_by="adder").program(rng=2).apply(scores, rng=1).activity.total("cell_read_joule")
        if spec.overflow == "flush" and spec.counter_bits == 2:
            selected, bits = signals["selected"], 0
            for first in range(0, 23, 3):
                bits = bits + set_bits({"histogram": selected[:, first : first + 3].sum(axis=1)})
        else:
            bits = set_bits(signals)
        joule = bits @ engine.vmm.cells.g.sum(axis=1) * spec.read_volt**2 * spec.read_second
        assert counted - added == pytest.approx(joule, rel=1e-9, abs=0)

    @pytest.mark.parametrize("options", OPTIONS)
    def test_activity_of_vectors_adds_up(self, options):
        scores = np.random.default_rng(0).normal(scale=2, size=(5, 6))
        engine = self.SPEC.but(device=ROUGH, **options).program(rng=0)
        together = engine.apply(scores, rng=0).activity
        apart = [engine.apply(vector, rng=0).activity for vector in scores]
        for _, name, count in together.rows():
            assert count == pytest.approx(sum(one.total(name) for one in apart), rel=1e-12, abs=0), name

    @pytest.mark.parametrize("options", OPTIONS)
    def test_masked_scores_cost_nothing(self, options):
        """Seven scores, four of which take part, as four; both can set three bits of a counter."""
        scores, mask = np.random.default_rng(0).normal(scale=2, size=(3, 7)), np.arange(7) % 2 == 0
        engine = self.SPEC.but(**options).program()
        masked, short = engine.apply(scores, mask=mask).activity, engine.apply(scores[:, mask]).activity
        if options.get("sum_by") == "adder":
            assert masked.total("adder") == short.total("adder")
        for _, name, count in short.rows():
            assert masked.total(name) == pytest.approx(count, rel=1e-12, abs=0), name

    def test_inventory_by_hand(self):
        def parts(**changes):
            return {name: n for _, name, n in self.SPEC.but(**changes).program().inventory.rows()}

        plain = parts()
        assert plain["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 5 + 8 * 6
        assert plain["dac_1b"] == 8 * (3 + 2) + 16 + 8
        assert plain["sense_amplifier"] == 16 + 8 + 2 * 4 + 5
        assert plain["counter"] == 8 * 10 / 32
        assert plain["adder"] == 4 / 32
        assert plain["sample_hold"] == 6
        assert plain["adc_6b"] == plain["divider"] == plain["priority_encoder"] == plain["shift_add"] == 1
        cmos = parts(subtract="cmos", maximum="bitwise")
        assert (cmos["sense_amplifier"], cmos["dac_1b"], cmos["priority_encoder"]) == (16 + 8 + 5, 8 * 5 + 8, 1)
        assert "priority_encoder" not in parts(maximum="bitwise")
        adder = parts(sum_by="adder")
        assert adder["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 5
        assert not {"adc_6b", "counter", "sample_hold", "shift_add"} & set(adder)
        levels = parts(lut_cell_bits=2)
        assert levels["crossbar_cell"] == 16 * 8 + 8 * 8 + 8 * 3 + 8 * 4
        assert levels["sense_amplifier"] == 16 + 8 + 2 * 4 + 3 * 3

    @pytest.mark.parametrize(
        ("length", "overflow", "reads"),
        [
            (1, "flush", 1),
            (7, "flush", 3),
            (8, "flush", 4),
            (1023, "flush", 10),
            (1024, "flush", 11),
            (2046, "flush", 20),
            (5000, "flush", 4 * 10 + 10),
            (5000, "saturate", 10),
        ],
    )
    def test_serial(self, length, overflow, reads):
        """A histogram is read once for each bit that its counters can have; a full one every 1023 scores."""
        engine = self.SPEC.but(overflow=overflow).program()
        assert engine.turns(length) == {
            "cam_search": 2 * length,
            "priority_encoder": 1,
            "lut_read": 2 * length,
            "adder": 0,
            "crossbar_read": reads,
            "adc_6b": reads * 5,
            "divider": length,
        }
        assert engine.apply(np.zeros((1, length))).activity.total("adc_6b") == reads * 5

    def test_serial_of_the_options(self):
        engine = self.SPEC.but(maximum="bitwise", subtract="cmos", sum_by="adder").program()
        assert engine.turns(9) == {
            "cam_search": 2 * 9 + 4,
            "priority_encoder": 9,
            "lut_read": 9,
            "adder": 9,
            "crossbar_read": 0,
            "divider": 9,
        }

    def test_write_errors(self):
        assert SMALL.program().write_errors == {}
        cell = LEAKY.but({"programming": SPREAD, "write": WriteSpec(tolerance_siemens=2e-6, most_pulses=2)})
        engine = SMALL.but(device=cell).program(rng=0)
        parts = (engine.cam_sub.cells, engine.cam_exp.cells, engine.lut.cells, engine.vmm.cells)
        assert engine.write_errors == {"write_failure": sum(int(part.failed.sum()) for part in parts)}
        assert engine.write_errors["write_failure"] > 0
