"""Specifications refuse what they do not understand, and are changed by checked copies alone."""

import pickle
import threading

import numpy as np
import pytest

import rramsim as rs
from rramsim.array.adc.kinds import ADCS
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.network import WireSpec
from rramsim.cell.device import DeviceSpec, device
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import RramsimError, SpecError
from rramsim.fixed_point import FixedPointSpec
from rramsim.spec import meaning_of


class TestSpec:
    def test_frozen(self):
        wires = WireSpec(driver_ohm=1.0)
        with pytest.raises(ValueError, match="frozen"):
            wires.driver_ohm = 2.0
        assert wires == WireSpec(driver_ohm=1.0)
        assert hash(wires) == hash(WireSpec(driver_ohm=1.0))

    def test_unknown_key_and_the_one_that_was_meant(self):
        with pytest.raises(SpecError, match="tile_row: unknown key; did you mean 'tile_rows'"):
            MacroSpec(tile_row=3)

    @pytest.mark.parametrize("wrong", ["8", 8.5, True, None, 17])
    def test_strict_types(self, wrong):
        with pytest.raises(SpecError, match=r"MacroSpec: input_bits: .*got"):
            MacroSpec(input_bits=wrong)

    def test_whole_numbers_are_good_lengths(self):
        assert WireSpec(driver_ohm=3).driver_ohm == 3.0

    def test_every_problem_at_once(self):
        with pytest.raises(SpecError) as raised:
            ChipSpec(macro={"input_bits": 0, "wires": {"driver_ohm": -1.0}, "colour": "red"})
        message = str(raised.value)
        assert isinstance(raised.value, RramsimError)
        for part in ("macro.input_bits", "macro.wires.driver_ohm", "macro.colour"):
            assert part in message
        assert {path for path, _ in raised.value.problems} == {
            ("macro", "input_bits"),
            ("macro", "wires", "driver_ohm"),
            ("macro", "colour"),
        }

    def test_a_message_says_what_the_key_means(self):
        with pytest.raises(SpecError, match=r"got -1\.0; it is at least 0\. .*input line"):
            WireSpec(driver_ohm=-1.0)

    def test_an_inner_specification_keeps_its_error(self):
        """Built by itself it raises at once; then the next outer one is not taken for an inner one."""
        for _ in range(2):
            with pytest.raises(SpecError, match="WireSpec: driver_ohm"):
                WireSpec(driver_ohm=-1.0)
        with pytest.raises(SpecError, match="MacroSpec: "):
            MacroSpec(wires={"driver_ohm": -1.0})

    def test_threads_do_not_disturb_each_other(self):
        messages = []

        def build():
            try:
                WireSpec(driver_ohm=-1.0)
            except SpecError as error:
                messages.append(str(error))

        threads = [threading.Thread(target=build) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(messages) == 8

    @pytest.mark.parametrize(
        "spec", [WireSpec(driver_ohm=2.0), ChipSpec(), FixedPointSpec(integer_bits=3, fraction_bits=2)]
    )
    def test_goes_to_a_worker_and_into_a_file(self, spec):
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert type(spec).model_validate(spec.model_dump()) == spec
        assert type(spec)(**spec.model_dump(mode="json")) == spec


class TestBut:
    MACRO = MacroSpec(adc={"bits": 6, "columns": 4}, device=DeviceSpec(write={"volt": 2.0}), tile_rows=64)

    def test_single_keys_at_any_depth(self):
        changed = self.MACRO.but({"adc.bits": 5, "device.write.pulse_second": 1e-6}, tile_rows=32)
        assert (changed.adc.bits, changed.adc.columns, changed.tile_rows) == (5, 4, 32)
        assert (changed.device.write.volt, changed.device.write.pulse_second) == (2.0, 1e-6)
        assert (self.MACRO.adc.bits, self.MACRO.tile_rows) == (6, 64)

    def test_a_value_replaces_what_was_there(self):
        assert self.MACRO.but({"adc": {"bits": 5}}).adc == SarAdcSpec(bits=5)
        assert self.MACRO.but(adc=None).adc is None

    def test_a_table_that_is_not_there_is_made(self):
        assert MacroSpec().but({"adc.bits": 5}).adc == SarAdcSpec(bits=5)

    def test_nothing_changed_is_the_same(self):
        assert self.MACRO.but() == self.MACRO
        assert self.MACRO.but().model_fields_set == self.MACRO.model_fields_set

    def test_a_part_of_a_type_of_its_own_keeps_it(self):
        class Cell(DeviceSpec):
            share: float = 0.5

        changed = MacroSpec(device=Cell(share=0.25)).but({"device.share": 0.75, "device.g_min_siemens": 1e-6})
        assert changed.device == Cell(share=0.75, g_min_siemens=1e-6)

    def test_a_preset_replaces_the_whole(self):
        wan = device("rram-wan-2022")
        assert self.MACRO.but({"device.preset": "rram-wan-2022"}).device == wan
        assert DeviceSpec(g_min_siemens=1e-6).but(preset="rram-wan-2022", bounded=True) == wan.but(bounded=True)

    def test_it_is_checked_like_a_new_one(self):
        with pytest.raises(SpecError, match=r"MacroSpec: tile_rows: got 0; it is at least 1"):
            self.MACRO.but(tile_rows=0)
        with pytest.raises(SpecError, match="tile_row: unknown key; did you mean 'tile_rows'"):
            self.MACRO.but(tile_row=3)

    def test_keys_of_all_that_is_wrong(self):
        with pytest.raises(SpecError) as raised:
            self.MACRO.but({"adc.bits": 99, "device.write.volt": -1.0})
        assert {path for path, _ in raised.value.problems} == {("adc", "bits"), ("device", "write", "volt")}

    def test_a_key_below_a_value(self):
        with pytest.raises(SpecError, match="tile_rows: is a value, not a table; got foo below it"):
            self.MACRO.but({"tile_rows.foo": 1})
        with pytest.raises(SpecError, match=r"adc\.bits lies below a key that has a value itself"):
            self.MACRO.but({"adc": None, "adc.bits": 3})

    def test_a_lossless_converter_stays_lossless(self):
        """An exchanged device needs one bit more; unchecked, 128 ones added up to -44."""
        spec = MacroSpec(weight_coding="offset", adc=SarAdcSpec(full_scale_from="lossless", bits=9))
        leaky = DeviceSpec(g_min_siemens=50e-6, g_max_siemens=100e-6)
        for change in (spec.but, lambda changes: replaced(spec, **changes)):
            with pytest.raises(SpecError, match=r"adc\.bits: adc\.full_scale_from = 'lossless' needs 10 bits"):
                change({"device": leaky})
        ones = spec.but({"device": leaky, "adc.bits": 10}).program(np.ones((128, 4)), rng=0)
        np.testing.assert_allclose(ones(np.ones(128), rng=0), 128.0, rtol=1e-12)

    def test_an_unchecked_copy_is_checked_all_the_same(self):
        """Pydantic's own door: it warns, and does the same."""
        with pytest.warns(DeprecationWarning, match=r"Spec\.but"), pytest.raises(SpecError, match="at least 1"):
            self.MACRO.model_copy(update={"tile_rows": 0})
        with pytest.warns(DeprecationWarning, match=r"Spec\.but"):
            assert self.MACRO.model_copy(deep=True) == self.MACRO


def replaced(spec, **changes):
    """What ``copy.replace`` of Python 3.13 calls."""
    return spec.__replace__(**changes)


class TestMeaning:
    def test_of_a_key_that_shares_its_line(self):
        assert meaning_of(WireSpec, "bit_line_farad") == meaning_of(WireSpec, "word_line_farad") != ""

    def test_on_one_line(self):
        text = meaning_of(WireSpec, "driver_end")
        assert "\n" not in text
        assert "  " not in text
        assert text.startswith("The end at which the input lines are driven")

    def test_of_a_class_that_is_no_specification(self):
        assert meaning_of(rs.Network, "inputs").startswith('"rows": word lines are driven')

    def test_of_a_base_where_the_class_itself_says_nothing(self):
        class Longer(WireSpec):
            """Lines with one thing more.

            Parameters
            ----------
            via_ohm
                Of each via.
            """

            via_ohm: float = 0.0

        assert meaning_of(Longer, "via_ohm") == "Of each via."
        assert meaning_of(Longer, "driver_ohm") == meaning_of(WireSpec, "driver_ohm")

    def test_of_nothing(self):
        assert meaning_of(WireSpec, "colour") == ""

    def test_every_key_of_the_specifications_has_one(self):
        specs = (WireSpec, DeviceSpec, MacroSpec, FixedPointSpec, rs.ConductionSpec, rs.SoftmaxSpec)
        specs += tuple(ADCS.embedded.values())
        assert [key for spec in specs for key in spec.model_fields if not meaning_of(spec, key)] == []
