"""What a macro is asked: what its docstring says is what its errors say, and what is refused."""

import pytest

import rramsim as rs
from rramsim.array.adc.sar import SarAdcSpec
from rramsim.engine.macro.design import MacroDesign
from rramsim.engine.macro.programming import MacroSpec
from rramsim.errors import SpecError


class TestDocstring:
    def test_it_is_that_of_the_design(self):
        """``help(rs.MacroSpec)`` names every parameter."""
        assert MacroSpec.__doc__ == MacroDesign.__doc__
        names = {name for line in MacroSpec.__doc__.splitlines() for name in line.strip().split(", ")}
        assert names >= set(MacroSpec.model_fields)

    def test_errors_quote_it(self):
        with pytest.raises(SpecError, match=r"MacroSpec: tile_rows: got 0; it is at least 1\. Cells of a tile; larger"):
            MacroSpec(tile_rows=0)
        with pytest.raises(
            SpecError, match=r"ChipSpec: macro\.accumulate: got 'no'; .*charges of the pulses of one input"
        ):
            rs.ChipSpec(macro={"accumulate": "no"})


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"input_bits": 1}, "input_bits 1 with signed_inputs leaves no bit for the magnitude"),
            (
                {"invert_heavy_columns": True},
                "invert_heavy_columns = True belongs to weight_coding = 'offset'; got 'differential'",
            ),
            (
                {"offset_from": "unit column", "weight_coding": "separate"},
                "offset_from = 'unit column' belongs to weight_coding = 'offset'",
            ),
            (
                {"weight_coding": "offset", "offset_from": "unit column", "invert_heavy_columns": True, "cell_bits": 1},
                "takes cells of 2 bits or more",
            ),
            ({"cell_bits": (2, 2)}, r"cell_bits"),
            ({"cell_bits": 9}, "at most 8"),
            ({"accumulator_bits": 12}, "accumulator_bits adds up codes of a converter"),
            ({"accumulator_bits": 12, "adc": SarAdcSpec(), "cell_bits": (4, 3)}, "from slices of equal width"),
            (
                {"adc": SarAdcSpec(full_scale_from="lossless")},
                r"'lossless' needs 10 bits: 128 rows, 1 bit a pulse and cells of 2 bits",
            ),
            ({"preset": "isaak"}, "did you mean 'isaac'"),
            ({"telegraph_vectors": 0}, "at least 1"),
        ],
    )
    def test_fields_that_do_not_go_together(self, fields, wanted):
        with pytest.raises(SpecError, match=wanted):
            MacroSpec(**fields)

    def test_a_tile_holds_at_least_one_weight(self):
        with pytest.raises(
            SpecError, match=r"tile_columns 13 cannot hold one weight: 8 weight bits .* take 14 columns"
        ):
            MacroSpec(weight_bits=8, cell_bits=1, tile_columns=13)

    def test_no_slow_states_of_single_cells(self):
        with pytest.raises(SpecError, match="noise_model = 'cells' draws every trap anew at each read"):
            MacroSpec(noise_model="cells", telegraph_vectors=3)


class TestPresets:
    def test_fields_of_a_preset(self):
        """Some are changed, one by one in tables; the rest stays."""
        spec = MacroSpec(preset="star", adc={"bits": 7}, input_bits=4)
        assert (spec.adc.bits, spec.adc.kind, spec.input_bits, spec.weight_bits) == (7, "flash", 4, 8)
