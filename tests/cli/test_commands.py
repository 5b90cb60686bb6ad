"""Commands of other packages: beside ours, loaded when they are wanted, and harmless where they are broken."""

from importlib.metadata import EntryPoint

import pytest
import typer

from rramsim.errors import SpecError


def count(name: str, twice: bool = False) -> None:
    """Count the letters of a name."""
    if name == "nobody":
        raise SpecError("nobody has no letters")
    typer.echo(len(name) * (1 + twice))


tools = typer.Typer(help="Tools of another package.")


@tools.command()
def up(text: str) -> None:
    """In capitals."""
    typer.echo(text.upper())


@tools.command()
def down(text: str) -> None:
    """In small letters."""
    typer.echo(text.lower())


NUMBER = 3


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    named = {
        "count": f"{__name__}:count",
        "tools": f"{__name__}:tools",
        "broken": "no_such_package.commands:main",
        "number": f"{__name__}:NUMBER",
        "presets": f"{__name__}:count",
    }
    entries = {name: EntryPoint(name, value, "rramsim.commands") for name, value in named.items()}
    monkeypatch.setattr("rramsim.cli.commands.offers", lambda group: entries if group == "rramsim.commands" else {})


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["count", "ohm"], "3\n"),
        (["count", "ohm", "--twice"], "6\n"),
        (["tools", "up", "ohm"], "OHM\n"),
        (["tools", "down", "OHM"], "ohm\n"),
    ],
)
def test_commands_of_another_package(done, arguments, printed):
    assert done(*arguments) == printed


def test_they_have_help_and_errors_as_ours(done, refused):
    assert "Count the letters of a name." in done("count", "--help")
    assert "In capitals." in done("tools", "-h")
    assert refused("count", "nobody") == "rramsim: nobody has no letters\n"
    assert "NAME" in refused("count").upper()


def test_all_are_listed_and_a_broken_one_says_so(done):
    lines = {line.strip("│ ").split(" ")[0]: line for line in done("--help").splitlines() if line.startswith("│")}
    assert {"run", "solve", "count", "tools", "broken", "number"} <= lines.keys()
    assert "Count the letters of a name." in lines["count"]
    assert "Tools of another package." in lines["tools"]
    assert "Cannot be loaded, of the package no_such_package" in lines["broken"]
    assert "Cannot be loaded" in lines["number"]


@pytest.mark.parametrize("more", [[], ["--help"], ["-h"], ["x", "--option", "3"]])
def test_a_broken_one_is_refused_when_it_is_called(refused, more):
    err = refused("broken", *more)
    assert err.startswith(
        "rramsim: the command 'broken' of the package no_such_package (no_such_package.commands:main)"
    )
    assert "ModuleNotFoundError: No module named 'no_such_package'" in err
    assert len(err.splitlines()) == 1
    assert "a command is a function or a typer.Typer; got 3" in refused("number", *more)


def test_a_name_of_ours_stays_ours(done):
    assert "rram-wan-2022" in done("presets")


def test_our_commands_load_none_of_them(monkeypatch, done):
    monkeypatch.setattr(EntryPoint, "load", lambda self: pytest.fail("loaded"))
    assert "rram-wan-2022" in done("presets")
