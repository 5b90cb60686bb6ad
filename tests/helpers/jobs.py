"""Jobs for worker processes, which find them by the name of this module."""

import os
import time

from rramsim.errors import SpecError


def answer(number, second):
    time.sleep(second)
    return number, os.getpid()


def fail(number):
    if number == 2:
        raise SpecError("job 2 cannot be done")
    return number


def die(number):
    if number == 1:
        os._exit(1)
    return number
