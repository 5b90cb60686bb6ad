"""Median CPU time of several calls, the first of which is not counted; the standard library alone."""

import statistics
import time


def cpu_median(call, rounds):
    """Seconds of one call."""
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)
