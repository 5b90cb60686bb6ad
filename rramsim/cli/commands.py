"""Commands of other packages: loaded when they are called, or listed; a broken one breaks nothing else."""

from importlib.metadata import EntryPoint
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from rramsim.cards import offers
from rramsim.errors import SpecError

__all__ = ["ENTRY_POINT", "CommandGroup"]

ENTRY_POINT = "rramsim.commands"
"""Group of entry points under which other packages offer commands: the name, and a function or a ``typer.Typer``."""


class CommandGroup(TyperGroup):
    """The commands of rramsim, and those that other packages offer; a name of ours stays ours."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, ours first."""
        ours = super().list_commands(ctx)
        return [*ours, *sorted(offers(ENTRY_POINT).keys() - set(ours))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; None for an unknown one."""
        command = super().get_command(ctx, cmd_name)
        entry = offers(ENTRY_POINT).get(cmd_name)
        return _offered(entry) if command is None and entry is not None else command


def _offered(entry: EntryPoint) -> Any:
    """The command of another package; where there is none, one that says why."""
    try:
        command = _loaded(entry)
    except SpecError as error:
        command = get_command(_broken(entry, str(error)))
    command.name = entry.name
    return command


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value.partition(":")[0].partition(".")[0]


def _loaded(entry: EntryPoint) -> Any:
    at = f"the command {entry.name!r} of the package {_package(entry)} ({entry.value})"
    try:
        offer = entry.load()
        app = offer if isinstance(offer, typer.Typer) else _app_of(offer)
        return get_command(app)
    except (Exception, SystemExit) as error:  # what a foreign module does when it is imported is not ours
        raise SpecError(
            f"{at} cannot be loaded: {type(error).__name__}: {error}; mend or uninstall that package"
        ) from error


def _app_of(function: Any) -> typer.Typer:
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"a command is a function or a typer.Typer; got {function!r}")
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    app.command()(function)
    return app


def _broken(entry: EntryPoint, sentence: str) -> typer.Typer:
    """A command that takes whatever it is given, and refuses it."""

    def fail() -> None:
        raise SpecError(sentence)

    app = typer.Typer(add_completion=False)
    app.command(
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        help=f"Cannot be loaded, of the package {_package(entry)}; call it for the reason.",
    )(fail)
    return app
