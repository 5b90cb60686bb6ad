"""Where macros come from: published ones, and cards of one's own."""

from typing import Any

from rramsim.cell.library import embedded, read_card, unknown_preset

__all__ = ["macro_card", "macro_presets"]


def macro_presets() -> list[str]:
    """Names of the published macros that come with rramsim."""
    return embedded("macros")


def macro_card(name: str) -> dict[str, Any]:
    """The fields of a macro, as a dict: what its source gives, and nothing else.

    Parameters
    ----------
    name
        One of :func:`macro_presets`, or the path of a card: a TOML file, its name ending in ``.toml``.

    Raises
    ------
    ValueError
        For a name that is unknown, and for a card that cannot be read.
    """
    found = read_card("macro", "macros", name)
    if found is None:
        raise unknown_preset("macro", name, macro_presets())
    return found
