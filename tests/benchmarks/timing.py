"""Medians of several runs, the methods taken in turns so that the noise of the machine hits all of them alike."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Timed", "in_turns", "progress"]

_BURST = 0.02
"""Seconds for which a fast method is called again and again in its turn: it is timed with its data in the cache."""
_MOST_CALLS = 50


class Timed(NamedTuple):
    """Median seconds of one call, the number of calls it is the median of, and what the first call returned."""

    seconds: float
    calls: int
    result: Any


def progress(text: str) -> None:
    """A line for whoever waits; tables go to the standard output, this does not."""
    sys.stderr.write(f"[{time.strftime('%H:%M:%S')}] {text}\n")
    sys.stderr.flush()


def in_turns(
    methods: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    budget: float,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Timed]:
    """Time every method in every round, until a method has spent its budget.

    The first call of each is not counted, unless it took the whole budget: then it is the only one, and what it may
    have compiled or loaded is nothing beside it.

    Parameters
    ----------
    rounds
        Turns of each method.
    budget
        Seconds after which a method has no more turns.
    clock
        By default the CPU time of the process, which other processes hardly disturb.
    """
    results, samples, first = {}, {}, {}
    for name, call in methods.items():
        seconds, results[name] = _run(call, clock)
        first[name] = seconds
        samples[name] = [seconds] if seconds > budget else []
        if seconds > budget / 4:
            progress(f"  {name}: {seconds:.1f} s a call")
    for _ in range(rounds):
        for name, call in methods.items():
            if samples[name] and sum(samples[name]) + first[name] > budget:
                continue
            for _ in range(min(_MOST_CALLS, 1 + int(_BURST / max(first[name], 1e-9)))):
                samples[name].append(_run(call, clock)[0])
    return {name: Timed(statistics.median(samples[name]), len(samples[name]), results[name]) for name in methods}


def _run(call: Callable[[], Any], clock: Callable[[], float]) -> tuple[float, Any]:
    start = clock()
    result = call()
    return clock() - start, result
