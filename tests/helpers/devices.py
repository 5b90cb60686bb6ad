"""Hypothesis strategies over whole devices: every part, every law, modest sizes; and targets all over a window."""

import numpy as np
from hypothesis import strategies as st

from rramsim.cell.device import DeviceSpec

G_MAX = 1e-4

NUMBERS = st.floats(0, 1)
SMALL = st.floats(0, 2e-5)
EITHER = st.floats(-2e-5, 2e-5)


@st.composite
def curves(draw, numbers=EITHER, depth=1):
    """A curve as a table of its fields: every variable, limits, points, and another curve above."""
    if draw(st.booleans()):
        siemens = sorted(draw(st.sets(st.floats(0, 2 * G_MAX), min_size=1, max_size=5)))
        curve = {"points": [(g, draw(numbers)) for g in siemens]}
    else:
        curve = {"coefficients": draw(st.lists(numbers, min_size=1, max_size=4))}
        curve["variable"] = draw(st.sampled_from(["x", "ln", "log10", "decay", "power"]))
        if curve["variable"] == "power":
            curve["exponent"] = draw(st.floats(-0.5, 3))
        if draw(st.booleans()):
            curve["reference_siemens"] = draw(st.floats(2e-5, 2e-4))
    low, high = sorted((draw(numbers), draw(numbers)))
    if draw(st.booleans()):
        curve["at_least"] = low
    if draw(st.booleans()):
        curve["at_most"] = high
    if depth and draw(st.booleans()):
        curve |= {"above_siemens": draw(st.floats(1e-6, G_MAX)), "above": draw(curves(numbers, depth - 1))}
    return curve


def figures(number, coefficient):
    """A figure in each of its three forms: a number, a list of coefficients, a curve."""
    return number | st.lists(coefficient, max_size=4).map(tuple) | curves(coefficient)


@st.composite
def _programming(draw):
    table = {"shift_siemens": draw(figures(EITHER, EITHER))}
    if draw(st.booleans()):
        return {**table, "spread_siemens": draw(figures(SMALL, EITHER))}
    return {**table, "law": "lognormal", "spread_log": draw(figures(NUMBERS, NUMBERS))}


@st.composite
def _write(draw, step):
    if step == "anew" and draw(st.booleans()):
        return {"volt": draw(st.floats(0, 3)), "pulse_second": 1e-7}
    table = {"step": step, "tolerance_siemens": draw(st.floats(1e-7, 1e-5)), "most_pulses": draw(st.integers(2, 12))}
    if step != "anew":
        table |= {key: draw(NUMBERS) for key in ("step_spread", "step_device_spread", "top_device_spread")}
        table |= {"step_fraction": draw(st.floats(0.01, 1)), "bottom_device_spread": draw(st.floats(0, 0.3))}
    return table


@st.composite
def _relaxation(draw, settled):
    if draw(st.booleans()):
        table = {key: draw(figures(EITHER, EITHER)) for key in ("shift_siemens_per_ln", "spread_siemens_per_ln")}
        return {**table, "spread_siemens": draw(figures(SMALL, EITHER))}
    n = draw(st.integers(0, 3))
    return {
        "times_second": [settled * 60.0 ** (k + 1) for k in range(n)],
        "total_siemens": [draw(figures(SMALL, EITHER)) for _ in range(n)],
        "moved_siemens": [draw(figures(EITHER, EITHER)) for _ in range(draw(st.sampled_from([0, n])))],
        "between": draw(st.sampled_from(["ln t", "t"])),
    }


def _levels(g_min):
    some = [
        st.just({}),
        st.fixed_dictionaries({"law": st.just("linear"), "count": st.integers(2, 20)}),
        st.sets(st.floats(g_min, G_MAX), min_size=1, max_size=6).map(
            lambda siemens: {"law": "listed", "siemens": sorted(siemens)}
        ),
    ]
    if g_min > 0:
        some.append(st.fixed_dictionaries({"law": st.just("log"), "count": st.integers(2, 20)}))
    return st.one_of(some)


@st.composite
def _drift(draw):
    return {
        "exponent": draw(figures(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))),
        "exponent_spread": draw(figures(st.floats(0, 0.1), st.floats(-0.1, 0.1))),
        "falls_only": draw(st.booleans()),
    }


@st.composite
def _read_noise(draw):
    return {
        "law": draw(st.sampled_from(["normal", "lognormal"])),
        "relative_deviation": draw(figures(NUMBERS, EITHER)),
        "spread_siemens": draw(figures(SMALL, EITHER)),
        "integration_second": draw(st.sampled_from([0.0, 1e-6, 1.0])),
    }


@st.composite
def _telegraph(draw):
    return {
        "trap_share": draw(NUMBERS),
        "amplitude": draw(figures(NUMBERS, st.floats(-1, 1))),
        "amplitude_log": draw(st.floats(0, 20)),
        "occupancy": draw(NUMBERS),
        "correlation_second": draw(st.floats(1e-6, 1e3)),
    }


@st.composite
def _stuck(draw):
    fractions = ("on_fraction", "off_fraction", "frozen_fraction", "dead_row_fraction", "dead_column_fraction")
    return {
        **{fraction: draw(NUMBERS) / 4 for fraction in fractions},
        "cluster_cells": draw(st.sampled_from([0.0, 1.5])),
        "frozen_siemens": draw(st.none() | st.just((0.0, 5e-5))),
    }


_ENDURANCE = st.fixed_dictionaries(
    {
        "writes": st.none() | st.floats(1, 1e6),
        "writes_log": st.floats(0, 2),
        "fails": st.sampled_from(["on", "off"]),
        "narrowing_per_decade": st.floats(0, 0.3),
    }
)
_TEMPERATURE = st.fixed_dictionaries(
    {
        "kelvin": st.floats(250, 400),
        "change_per_kelvin": st.floats(-0.005, 0.005),
        "activation_electronvolt": st.floats(0, 1),
    }
)


@st.composite
def fields(draw):
    """The fields of a device as a card has them; each part is there or not, and sometimes ideal."""
    g_min = draw(st.just(0.0) | st.floats(1e-8, 5e-5))
    settled = draw(st.sampled_from([1e-3, 1.0, 20.0]))
    step = draw(st.sampled_from(["anew", "anew", "fixed", "soft"]))
    errors = _programming() if step == "anew" else st.just({})
    parts = {
        "levels": _levels(g_min),
        "programming": errors,
        "device_to_device": errors,
        "write": _write(step),
        "relaxation": _relaxation(settled),
        "drift": _drift(),
        "read_noise": _read_noise(),
        "telegraph": _telegraph(),
        "stuck": _stuck(),
        "endurance": _ENDURANCE,
        "temperature": _TEMPERATURE,
    }
    return {
        "g_min_siemens": g_min,
        "g_max_siemens": G_MAX,
        "settled_second": settled,
        "bounded": draw(st.booleans()),
        **{name: draw(part) for name, part in parts.items() if draw(st.booleans())},
    }


def devices():
    """Any device."""
    return fields().map(lambda each: DeviceSpec(**each))


def targets(spec, n=50):
    """Targets evenly from the bottom of the window to its top, siemens."""
    return np.linspace(spec.g_min_siemens, spec.g_max_siemens, n)
