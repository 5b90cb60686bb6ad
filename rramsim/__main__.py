"""The program: ``python -m rramsim``, and the command ``rramsim``."""

import os
import signal
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C is answered from here on, before anything that takes time to import."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have had it ignored
        signal.signal(signal.SIGINT, _stop)
    from .cli.app import main as command_line

    command_line()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End at once: an exception in the middle of an import would print what nobody can read."""
    os.write(2, b"rramsim: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
