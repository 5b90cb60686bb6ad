"""The options that describe an array: every key of the wires, of the network and of the cells, each once."""

import inspect

import rramsim as rs
from rramsim.cell.conduction import CONDUCTION_LAWS
from rramsim.cli.array_options import CELL_KEYS, USE_KEYS, WIRE_KEYS, array_options

CURVES = {"square_ampere_per_square_volt", "cube_ampere_per_cubic_volt"}
"""Figures that are curves of the conductance."""


def names(keys):
    return [key.name for key in keys]


def test_every_key_is_an_option():
    assert names(WIRE_KEYS) == ["wire_ohm", *rs.WireSpec.model_fields]
    assert set(names(USE_KEYS)) == set(inspect.signature(rs.Network).parameters) - {"g", "wires", "conduction"}
    figures = {key for law in CONDUCTION_LAWS.embedded.values() for key in law.model_fields}
    assert set(names(CELL_KEYS)) == figures - CURVES


def test_each_once():
    opts = [opt for option in array_options() for opt in option.opts]
    assert opts == [f"--{name.replace('_', '-')}" for name in names([*WIRE_KEYS, *USE_KEYS, *CELL_KEYS])]
    assert len(set(opts)) == len(opts)


def test_headings():
    assert list(dict.fromkeys(option.rich_help_panel for option in array_options())) == [
        "Wires and circuits at their ends", "How the array is used", "Cells"
    ]  # fmt: skip


def test_laws():
    (law,) = (key for key in CELL_KEYS if key.name == "law")
    assert law.choices == ("linear", "sinh", "cubic")
    assert "curves, which no option can hold" in law.meaning
