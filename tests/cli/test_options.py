"""Options that are made from specifications: nothing is left out, and a new key is an option by itself."""

from typing import Literal

import pytest
import typer
from typer.main import get_command

import rramsim as rs
from rramsim.cli.options import Key, flag, keys_of, keys_of_call, options, spelled
from rramsim.spec import PerLine, Spec


class Longer(rs.WireSpec):
    """Lines that have a little more.

    Parameters
    ----------
    via_ohm
        Resistance of each via, ohm.
    n_layers
        Layers of metal.
    shielded
        Whether a grounded line runs beside each.
    metal
        "copper", or "pure gold" in ``[brackets]``.
    """

    via_ohm: PerLine = 0.5
    n_layers: int = 1
    shielded: bool = False
    metal: Literal["copper", "pure gold"] = "pure gold"


class Everything(Spec):
    """All that no option can hold.

    Parameters
    ----------
    lines
        A table.
    pair
        A list.
    """

    lines: rs.WireSpec = rs.WireSpec()
    pair: tuple[float, float] = (0.0, 1.0)
    either: int | str = 0


def options_of(spec):
    return {option.name: option for option in options(keys_of(spec), "Panel")}


class TestKeys:
    def test_forms(self):
        forms = {key.name: key.form for key in keys_of(Longer)}
        assert forms["word_line_ohm"] == forms["via_ohm"] == "per line"
        assert forms["cell_farad"] == forms["temperature_kelvin"] == "number"
        assert forms["end_segments"] == forms["shielded"] == "flag"
        assert forms["driver_end"] == forms["metal"] == "choice"
        assert forms["n_layers"] == "whole"
        assert {key.name: key.form for key in keys_of(rs.ConductionSpec)}["most_volt"] == "number"

    def test_what_no_option_can_hold(self):
        assert keys_of(Everything) == []
        law = rs.PolynomialConductionSpec
        left = law.model_fields.keys() - {key.name for key in keys_of(law)}
        assert left == {"square_ampere_per_square_volt", "cube_ampere_per_cubic_volt"}

    def test_of_a_constructor(self):
        keys = {key.name: key for key in keys_of_call(rs.Network)}
        assert list(keys) == ["inputs", "unselected", "pairs"]
        assert keys["unselected"].choices == ("grounded", "floating", "cut off")
        assert keys["unselected"].default == "grounded"
        assert keys["pairs"].meaning.startswith('"outputs": output lines')


class TestOptions:
    def test_a_further_field_is_a_further_option(self):
        further = options_of(Longer).keys() - options_of(rs.WireSpec).keys()
        assert further == {"via_ohm", "n_layers", "shielded", "metal"}

    def test_names_defaults_and_values(self):
        longer = options_of(Longer)
        assert longer["via_ohm"].opts == ["--via-ohm"]
        assert [longer[name].metavar for name in ("via_ohm", "metal", "cell_farad", "change_per_kelvin")] == [
            "OHM|FILE", "copper|pure-gold", "FARAD", "1/KELVIN"
        ]  # fmt: skip
        assert [longer[name].default for name in ("via_ohm", "metal", "shielded", "temperature_kelvin")] == [
            0.5, "pure-gold", False, None
        ]  # fmt: skip
        assert {option.rich_help_panel for option in longer.values()} == {"Panel"}

    def test_nothing_is_no_default_to_be_shown(self):
        lines = options_of(rs.WireSpec)
        assert lines["driver_ohm"].default is lines["cell_farad"].default is None

    @pytest.mark.parametrize("key", ["via_ohm", "n_layers", "shielded", "metal", *rs.WireSpec.model_fields])
    def test_each_says_what_it_means(self, key):
        assert options_of(Longer)[key].help

    def test_the_meaning_is_readable_on_a_terminal(self):
        """No mark-up of the docs, none that the terminal would take for its own, and values as they are given."""
        assert options_of(Longer)["metal"].help == '"copper", or "pure-gold" in \\[brackets].'

    @pytest.mark.parametrize(("name", "unit"), [("sinh_volt", "VOLT"), ("cubic_per_square_volt", "1/VOLT^2")])
    def test_units(self, name, unit):
        law = rs.SinhConductionSpec if name == "sinh_volt" else rs.CubicConductionSpec
        assert options_of(law)[name].metavar == unit

    def test_no_unit(self):
        assert (
            options([Key("share", "number", 0.0, "A share."), Key("note", "text", "", "Words.")], "")[0].metavar is None
        )

    def test_a_command_understands_them(self):
        """Whole and part numbers, a flag that is only ever set, and the defaults."""
        given = {}
        application = typer.Typer(add_completion=False)
        application.command()(lambda: None)
        command = get_command(application)
        command.params = options(keys_of(Longer), "Panel")
        command.callback = lambda **values: given.update(values)
        arguments = ["--n-layers", "3", "--shielded", "--via-ohm", "file.csv", "--cell-farad", "1e-15"]
        command.main(arguments, standalone_mode=False)
        assert given["n_layers"] == 3
        assert given["shielded"] is True
        assert given["end_segments"] is False
        assert given["via_ohm"] == "file.csv"
        assert given["cell_farad"] == 1e-15
        assert given["metal"] == "pure-gold"


def test_spelling():
    assert flag("word_line_ohm") == "--word-line-ohm"
    assert spelled("cut off") == "cut-off"
