"""Ctrl-C that is held."""

import signal
import threading
import time

import pytest

from rramsim.files import write_new_file
from rramsim.interrupts import sigint_held

pytestmark = pytest.mark.usefixtures("answered_interrupts")


class TestHeldInterrupts:
    def test_held_and_let_go(self):
        done = []

        def work():
            with sigint_held():
                signal.raise_signal(signal.SIGINT)
                done.append("not interrupted inside")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["not interrupted inside"]

    def test_nested(self):
        done = []

        def work():
            with sigint_held():
                with sigint_held():
                    signal.raise_signal(signal.SIGINT)
                done.append("still held")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["still held"]

    def test_another_thread_takes_the_signal(self):
        """The system hands it to any thread that does not block it; Python then interrupts the main one."""
        done, over = [], threading.Event()
        other = threading.Thread(target=over.wait)
        other.start()

        def work():
            with sigint_held():
                signal.pthread_kill(other.ident, signal.SIGINT)
                time.sleep(0.05)
                done.append("not interrupted inside")
            done.append("never reached")

        with pytest.raises(KeyboardInterrupt):
            work()
        over.set()
        other.join()
        assert done == ["not interrupted inside"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_the_mask_is_as_before(self):
        with sigint_held():
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def test_any_thread_may_write(self, tmp_path):
        thread = threading.Thread(target=write_new_file, args=(tmp_path / "a", b"content"))
        thread.start()
        thread.join()
        assert (tmp_path / "a").read_bytes() == b"content"
