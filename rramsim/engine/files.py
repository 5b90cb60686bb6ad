"""Files of rramsim, read by what they say that they hold."""

from collections.abc import Callable
from pathlib import Path

from rramsim.errors import TraceError
from rramsim.hdf5 import file_format
from rramsim.trace.read import Trace, open_trace
from rramsim.trace.schema import FORMAT as TRACE

from .macro.product import ProgrammedMacro
from .macro.restored import read_macro
from .macro.stored import FORMAT as MACRO

__all__ = ["load"]

_READERS: dict[str, Callable[[Path], ProgrammedMacro | Trace]] = {MACRO: read_macro, TRACE: open_trace}
"""What reads a file, by the format that it names."""


def load(path: str | Path) -> ProgrammedMacro | Trace:
    """Read what rramsim wrote: a programmed macro (``macro.save``), or a trace, which is open then.

    Parameters
    ----------
    path
        The file; it says itself what it holds.

    Raises
    ------
    TraceError
        If the file is missing, damaged, of another program, or of a newer format.
    """
    path = Path(path)
    name = file_format(path)
    if name not in _READERS:
        readable = " and ".join(map(repr, _READERS))
        raise TraceError(f"{path}: holds a {name!r}; this rramsim reads {readable}. Upgrade rramsim.")
    return _READERS[name](path)
