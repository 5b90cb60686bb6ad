"""Ctrl-C that waits until what it would spoil is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread

__all__ = ["sigint_held"]


@contextmanager
def sigint_held() -> Iterator[None]:
    """Keep Ctrl-C waiting; processes that start meanwhile never see one.

    The mask is what they inherit. It does not keep the signal from another thread, for which Python would then
    interrupt the main one: so the handler, too, only takes note until the end.
    """
    pressed = []
    main = current_thread() is main_thread()  # others have no handlers, and are not interrupted
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
